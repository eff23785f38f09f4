--- Replies, including those that no well-behaved server sends.
--
-- A reply of a script or of a handler is a table:
--   status, headers, body   of the answer; a body that is no text is sent as JSON
--   delay    seconds of silence before the answer
--   hold     silence until the name is released; a reset closes the connection
--   size     the number of bytes of the body
--   file     the body is the content of this file
--   chunked  the head does not announce the length of the body
--   cut      the head announces the whole body, but the connection ends after so many bytes of it
--   drop     the connection ends without an answer
--   raw      these bytes replace the HTTP answer; true: the bytes of `file`
--   slow     seconds between any two bytes of the body
--   limit    requests beyond this number within one second of the clock get 429
--   pass     the simulator's own routes answer
--
-- reply.finish() makes of it what a host sends: `status`; `headers`, with the type of the body; `body`, always bytes;
-- `raw`, if present, bytes; and delay, hold, chunked, cut, drop and slow for the host, as well as `call`, by which a
-- host that runs functions of a test has marked a script of its own (server.lua), and `later` (api.lua: serve).

local clock = require "cekura.simulator.clock"
local json = require "cekura.simulator.json"
local state = require "cekura.simulator.state"

local reply = {}

-- ---- what a script may contain ----

local function is_amount(value)
  return type(value) == "number" and value >= 0
end

local function is_flag(value)
  return type(value) == "boolean"
end

local function is_text(value)
  return type(value) == "string"
end

local function is_header(value)
  if type(value) ~= "table" then
    return type(value) == "string" or type(value) == "number"
  end
  for _, each in ipairs(value) do
    if type(each) ~= "string" and type(each) ~= "number" then
      return false
    end
  end
  return true
end

-- The check of each member, and what it must be.
local MEMBERS = {
  status = { function(value) return is_amount(value) and value % 1 == 0 and value >= 200 and value < 1000 end,
    "a status from 200 to 999" },
  headers = { function(value)
    for name, each in pairs(type(value) == "table" and value or { value }) do
      if type(name) ~= "string" or not is_header(each) then
        return false
      end
    end
    return true
  end, "a table of names and texts" },
  body = { function() return true end },
  delay = { is_amount, "seconds" },
  hold = { is_text, "a name" },
  size = { is_amount, "a number of bytes" },
  file = { is_text, "a path" },
  chunked = { is_flag, "true or false" },
  cut = { is_amount, "a number of bytes" },
  drop = { is_flag, "true or false" },
  raw = { function(value) return value == true or is_text(value) end, "bytes, or true" },
  slow = { is_amount, "seconds" },
  limit = { is_amount, "a number" },
  pass = { is_flag, "true or false" },
}

local function fault_of(spec)
  if type(spec) ~= "table" then
    return "is no table"
  end
  for name, value in pairs(spec) do
    local member = MEMBERS[name]
    if not member then
      return ("has the unknown member %s"):format(tostring(name))
    elseif not member[1](value) then
      return ("has another %s than %s"):format(name, member[2])
    end
  end
end

--- What is wrong with the replies of a script.
---@param replies any
---@return string? fault
function reply.fault(replies)
  if type(replies) ~= "table" or #replies == 0 and next(replies) ~= nil then
    return "The replies are no list."
  end
  for index, spec in ipairs(replies) do
    local fault = fault_of(spec)
    if fault then
      return ("Reply %d %s."):format(index, fault)
    end
  end
end

-- ---- what a host sends ----

local function contents(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

local function body_of(spec)
  if spec.size then
    return ("x"):rep(spec.size)
  elseif spec.file then
    return contents(spec.file)
  elseif spec.body == nil or type(spec.body) == "string" then
    return spec.body or ""
  end
  return json.encode(spec.body)
end

local function headers_of(spec, status)
  local headers, has_type = {}, status == 204 or status == 304
  for name, value in pairs(spec.headers or {}) do
    headers[name] = type(value) == "table" and value or tostring(value)
    has_type = has_type or name:lower() == "content-type"
  end
  if not has_type then
    headers["Content-Type"] = "application/json"
  end
  return headers
end

local second, sent = 0, 0

local function is_too_many(limit)
  local now = math.floor(clock.seconds())
  if now ~= second then
    second, sent = now, 0
  end
  sent = sent + 1
  return sent > limit
end

--- The reply as a host sends it.
---@param spec table
---@return table
function reply.finish(spec)
  if spec.limit and is_too_many(spec.limit) then
    spec = { status = 429, headers = spec.headers }
  end
  local status, body = spec.status or 200, body_of(spec)
  return {
    status = status, headers = headers_of(spec, status), body = body, raw = spec.raw == true and body or spec.raw,
    delay = spec.delay, hold = spec.hold, chunked = spec.chunked, cut = spec.cut, drop = spec.drop, slow = spec.slow,
    released = spec.hold and state.released or nil, call = spec.call, later = spec.later,
  }
end

--- Whether a reply with `hold` still waits. A host asks for it after each request.
---@param finished table
---@return boolean waits
---@return boolean? forgotten there was a reset meanwhile: the connection ends without an answer
function reply.waits(finished)
  if finished.released ~= state.released then
    return false, true
  end
  return not state.released[finished.hold]
end

return reply

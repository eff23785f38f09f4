--- Replies, including those that no well-behaved server sends.
--
-- A reply is a table:
--   status, headers, body   of the answer; a table as body is sent as JSON
--   delay    seconds of silence before the answer
--   hold     silence until POST /_sim/release/ {name} with this name; a reset closes the connection
--   size     the number of bytes of the body
--   file     the body is the content of this file
--   chunked  the head does not announce the length of the body
--   cut      the head announces the whole body, but the connection ends after so many bytes of it
--   drop     the connection ends without an answer
--   raw      these bytes replace the HTTP answer; true: the bytes of `file`
--   slow     seconds between any two bytes of the body
--   limit    requests beyond this number within one second of the clock get 429

local json = require "json"
local state = require "state"

local reply = {}

local function hang_up()
  return ngx.exit(444)
end

local function send_raw(bytes)
  local socket = assert(ngx.req.socket(true))
  socket:send(bytes)
  return hang_up()
end

local function head(status, headers, length)
  local lines = { ("HTTP/1.1 %d Whatever\r\nContent-Length: %d\r\n"):format(status, length) }
  for name, value in pairs(headers or {}) do
    lines[#lines + 1] = name .. ": " .. value .. "\r\n"
  end
  return table.concat(lines) .. "\r\n"
end

local function contents(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

-- Returns false if there was a reset meanwhile.
local function wait_for_release(name)
  local released = state.released
  while not released[name] do
    ngx.sleep(0.005)
    if state.released ~= released then
      return false
    end
  end
  return true
end

local second, sent = 0, 0

local function is_too_many(limit)
  local now = math.floor(ngx.now())
  if now ~= second then
    second, sent = now, 0
  end
  sent = sent + 1
  return sent > limit
end

function reply.send(spec)
  if spec.limit and is_too_many(spec.limit) then
    spec = { status = 429, headers = spec.headers }
  end
  if spec.delay then
    ngx.sleep(spec.delay)
  end
  if spec.hold and not wait_for_release(spec.hold) then
    return hang_up()
  end
  local body = spec.body or ""
  if type(body) == "table" then
    body = json.encode(body)
  elseif spec.size then
    body = ("x"):rep(spec.size)
  elseif spec.file then
    body = contents(spec.file)
  end
  local status = spec.status or 200
  if spec.drop then
    return hang_up()
  elseif spec.raw then
    return send_raw(spec.raw == true and body or spec.raw)
  elseif spec.cut then
    return send_raw(head(status, spec.headers, #body) .. body:sub(1, spec.cut))
  end
  ngx.status = status
  for name, value in pairs(spec.headers or {}) do
    ngx.header[name] = value
  end
  if status == 204 then
    return ngx.exit(status)
  end
  ngx.header["Content-Length"] = not spec.chunked and #body or nil
  if not spec.slow then
    ngx.print(body)
    return ngx.exit(ngx.OK)
  end
  for index = 1, #body do
    ngx.print(body:sub(index, index))
    ngx.flush(true)
    ngx.sleep(spec.slow)
  end
  return ngx.exit(ngx.OK)
end

return reply

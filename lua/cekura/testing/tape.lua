--- The file of a recording: a line that names its format, then one line of JSON for each exchange, in the order in
-- which the answers came. The members of a line are always in the same order, so that files can be compared.
--
--   {"request":{"method":"POST","path":"/x/?a=1","json":{"agent":1}},"reply":{"status":200,"headers":{…},"json":{…}}}
--
-- A body is `json`, without blanks between its parts; `text`; `form`, the parts of a multipart body; or `bytes`, the
-- length of a binary body that was left out, or `base64` where it was kept.

local ascii = require "cekura.http.ascii"
local core = require "cekura.core"
local errors = require "cekura.errors"
local json_text = require "cekura.testing.json_text"
local names = require "cekura.testing.redact.names"
local secrets = require "cekura.testing.redact.secrets"

local tape = {}

--- The first line.
tape.HEAD = '{"cekura_recording":1}'

---@class cekura.testing.Body
---@field json? string|table a tree, see cekura.testing.json_text
---@field text? string
---@field form? cekura.testing.Part[]
---@field bytes? integer
---@field base64? string

---@class cekura.testing.Part a part of a form
---@field name string
---@field file? string the name of a file
---@field text? string
---@field bytes? integer

---@class cekura.testing.Kept a request
---@field method string
---@field path string with its query
---@field conditional? boolean it had If-None-Match or If-Modified-Since, to which 304 may answer
---@field body cekura.testing.Body

---@class cekura.testing.Exchange
---@field request cekura.testing.Kept
---@field reply { status: integer, headers: cekura.testing.Headers, body: cekura.testing.Body }

---@alias cekura.testing.Headers { [1]: string, [2]: string }[] names in lower case, and values

-- ---- writing ----

-- An object of these members: names and nodes by turns, without those whose node is nil.
local function object(...)
  local made, given = { names = {} }, { ... }
  for index = 1, select("#", ...), 2 do
    if given[index + 1] ~= nil then
      made.names[#made + 1], made[#made + 1] = json_text.quote(given[index]), given[index + 1]
    end
  end
  return made
end

local function quoted(text)
  return text and json_text.quote(text)
end

local function count(number)
  return number and ("%.0f"):format(number)
end

local function form_node(parts)
  local list = {}
  for index, part in ipairs(parts or {}) do
    list[index] = object("name", quoted(part.name), "file", quoted(part.file), "text", quoted(part.text),
      "bytes", count(part.bytes))
  end
  return parts and list
end

-- The members for a body.
local function body_members(body)
  return "json", body.json, "text", quoted(body.text), "form", form_node(body.form), "bytes", count(body.bytes),
    "base64", quoted(body.base64)
end

-- Sorted by name; several values of a name are a list, in their order.
local function headers_node(headers)
  local sorted, order = {}, {}
  for _, header in ipairs(headers) do
    local name = header[1]
    if not sorted[name] then
      sorted[name], order[#order + 1] = {}, name
    end
    table.insert(sorted[name], json_text.quote(header[2]))
  end
  table.sort(order)
  local node = { names = {} }
  for index, name in ipairs(order) do
    local values = sorted[name]
    node.names[index], node[index] = json_text.quote(name), values[2] and values or values[1]
  end
  return node
end

--- The line of an exchange, without its end.
---@param exchange cekura.testing.Exchange
---@return string
function tape.line(exchange)
  local request, reply = exchange.request, exchange.reply
  return json_text.write(object(
    "request", object("method", quoted(request.method), "path", quoted(request.path),
      "conditional", request.conditional and "true", body_members(request.body)),
    "reply", object("status", count(reply.status), "headers", headers_node(reply.headers), body_members(reply.body))
  ))
end

-- ---- reading ----

-- The members of an object of the format, by name.
local function members(node)
  local found = {}
  for index, text in ipairs(type(node) == "table" and node.names or {}) do
    found[json_text.string(text)] = node[index]
  end
  return found
end

local function number(node)
  return json_text.is_number(node) and tonumber(node) or nil
end

local function read_form(node)
  local parts = {}
  for index, item in ipairs(type(node) == "table" and node or {}) do
    local part = members(item)
    parts[index] = {
      name = json_text.string(part.name) or "", file = json_text.string(part.file), text = json_text.string(part.text),
      bytes = number(part.bytes),
    }
  end
  return node and parts
end

local function read_body(found)
  return {
    json = found.json, text = json_text.string(found.text), form = read_form(found.form), bytes = number(found.bytes),
    base64 = json_text.string(found.base64),
  }
end

local function read_headers(node)
  local list = {}
  for index, text in ipairs(type(node) == "table" and node.names or {}) do
    local value = node[index]
    for _, each in ipairs(type(value) == "table" and value or { value }) do
      list[#list + 1] = { ascii.lower(json_text.string(text)), json_text.string(each) or json_text.write(each) }
    end
  end
  return list
end

--- The exchange of a line; nil and what is wrong with it.
---@param line string
---@return cekura.testing.Exchange? exchange, string? fault
function tape.read_line(line)
  local tree = json_text.read(line)
  if not tree then
    return nil, "it is not JSON, or was cut"
  end
  local found = members(tree)
  local request, reply = members(found.request), members(found.reply)
  local method, path, status = json_text.string(request.method), json_text.string(request.path), number(reply.status)
  if not method or not path or path:sub(1, 1) ~= "/" then
    return nil, "it has no request with a method and a path"
  elseif not status or status < 200 or status > 999 or status % 1 ~= 0 then
    return nil, "it has no reply with a status"
  end
  return {
    request = { method = method, path = path, conditional = request.conditional == "true" or nil,
      body = read_body(request) },
    reply = { status = status, headers = read_headers(reply.headers), body = read_body(reply) },
  }
end

local function fault_of(name, number_of_line, fault)
  return errors.new("config", ("%s, line %d: %s"):format(name, number_of_line, fault))
end

--- The exchanges of a file.
---@param name string its path
---@return cekura.testing.Exchange[]? exchanges, cekura.Error? err of kind "config": it cannot be read, or is damaged
function tape.read(name)
  local file, fault = io.open(name, "rb")
  local text = file and file:read "*a"
  if file then
    file:close()
  end
  if not text then
    return nil, errors.new("config", ("the recording cannot be read: %s"):format(fault or name .. " is not a file"))
  end
  local exchanges, place = {}, 0
  for line in text:gmatch "([^\n]*)\n?" do
    place = place + 1
    if place == 1 and line ~= tape.HEAD then
      return nil, fault_of(name, 1, ("it is no recording of this version, which begins with %s"):format(tape.HEAD))
    elseif place > 1 and line ~= "" then
      exchanges[#exchanges + 1], fault = tape.read_line(line)
      if fault then
        return nil, fault_of(name, place, fault)
      end
    end
  end
  return exchanges
end

-- ---- bodies ----

local DIGITS = {}
for place = 1, 64 do
  DIGITS[secrets.ALPHABET:sub(place, place)] = place - 1
end

-- The bytes of a text in base64.
local function unbase64(text)
  local decoded = text:gsub("[^A-Za-z0-9+/]", ""):gsub("..?.?.?", function(four)
    local bits = 0
    for place = 1, 4 do
      bits = bits * 64 + (DIGITS[four:sub(place, place)] or 0)
    end
    local bytes = string.char(math.floor(bits / 65536), math.floor(bits / 256) % 256, bits % 256)
    return bytes:sub(1, #four - 1)
  end)
  return decoded
end

--- The bytes that a body of a reply stands for: zeros where it was left out.
---@param body cekura.testing.Body
---@return string
function tape.bytes(body)
  if body.json then
    return json_text.write(body.json)
  elseif body.base64 then
    return unbase64(body.base64)
  end
  return body.text or ("\0"):rep(body.bytes or 0)
end

-- ---- headers ----

local KEPT = names.set("allow cache-control content-disposition content-language content-type deprecation etag expires "
  .. "last-modified link location retry-after sunset vary www-authenticate x-ratelimit-limit x-ratelimit-remaining "
  .. "x-ratelimit-reset ratelimit ratelimit-policy ratelimit-limit ratelimit-remaining ratelimit-reset")

--- The headers of a reply that are kept. All others go, names and all: what they hold is unknown.
---@param head string as it came, with the status line
---@param more? table<string, true> further names, in lower case
---@return cekura.testing.Headers
function tape.headers(head, more)
  local list = {}
  for written, value in head:gmatch "\n([^:\r\n]+):[ \t]*([^\r\n]*)" do
    local name = ascii.lower(written)
    if (KEPT[name] or more and more[name]) and core.is_utf8(value) then
      list[#list + 1] = { name, (value:gsub("[ \t]+$", "")) }
    end
  end
  return list
end

return tape

--- Paths and queries (RFC 3986).

local check = require "cekura.check"
local core = require "cekura.core"
local encode = require "cekura.http.encode"
local errors = require "cekura.errors"

local uri = {}

local function percent(char)
  return ("%%%02X"):format(char:byte())
end

--- Percent-encodes everything but the unreserved characters, so that an id stays one segment of a path.
---@param text string
function uri.encode(text)
  text = text:gsub("[^A-Za-z0-9%-%._~]", percent)
  -- "." and ".." alone would change the path.
  if text == "." or text == ".." then
    text = text:gsub("%.", "%%2E")
  end
  return text
end

--- Undoes percent-encoding.
---@param text string
function uri.decode(text)
  return (text:gsub("%%(%x%x)", function(hex)
    return string.char(tonumber(hex, 16))
  end))
end

--- The text of a number, string or boolean in a path or query.
function uri.text(name, value)
  local kind = type(value)
  if kind == "string" then
    return value
  elseif kind == "boolean" then
    return tostring(value)
  elseif kind ~= "number" or value ~= value or value == math.huge or value == -math.huge then
    return errors.misuse("%s: string, number or boolean expected, got %s", name, value == nil and "nil" or value)
  elseif value % 1 == 0 and value >= -2 ^ 63 and value < 2 ^ 63 then
    return math.type and math.type(value) == "integer" and ("%d"):format(value) or ("%.0f"):format(value)
  end
  local text = ("%.14g"):format(value)
  return ((tonumber(text) == value and text or ("%.17g"):format(value)):gsub(",", "."))
end

local function query_value(name, value)
  if type(value) ~= "table" then
    return uri.encode(uri.text(name, value))
  end
  if value[1] == nil and next(value) ~= nil then
    return uri.encode(encode(value, name)) -- objects as JSON text
  end
  local parts = {}
  for index = 1, check.list(name, value) do
    parts[index] = uri.encode(uri.text(("%s[%d]"):format(name, index), value[index]))
  end
  return table.concat(parts, ",") -- lists are comma-joined, as the service's own clients send them
end

--- A query string with its "?"; "" for none. Names are sorted, so that the same table gives the same URL.
---@param query? table<string, any> values are strings, numbers, booleans, lists of them, or objects
function uri.query(name, query)
  if query == nil or next(query) == nil then
    return ""
  end
  local keys, parts = {}, {}
  for key in pairs(query) do
    keys[#keys + 1] = check.text(name .. ": the name of a parameter", key)
  end
  table.sort(keys)
  for index, key in ipairs(keys) do
    parts[index] = uri.encode(key) .. "=" .. query_value(name .. "." .. key, query[key])
  end
  return "?" .. table.concat(parts, "&")
end

--- A path from the program. Characters that a path cannot have are encoded; existing escapes stay.
---@param path string begins with "/"; may have a query
function uri.path(name, path)
  return core.encode_path(path)
    or errors.misuse("%s: a path beginning with \"/\" expected, got %q", name, check.text(name, path))
end

return uri

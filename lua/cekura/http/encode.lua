--- Lua values as JSON text.
-- lua-cjson, or its replacement (see cekura.cjson), encodes strings and ordinary numbers. This module does the rest,
-- because lua-cjson rounds numbers to 14 digits, and cannot distinguish an empty list from an empty object.

local check = require "cekura.check"
local cjson = require "cekura.cjson"
local core = require "cekura.core"
local errors = require "cekura.errors"
local list = require "cekura.list"
local show = require "cekura.show"

local MAX_DEPTH = 512

local encode_value

local function refuse(path, what)
  return errors.misuse("%s: %s", path, what)
end

local function encode_number(value, path)
  if value ~= value or value == math.huge or value == -math.huge then
    refuse(path, "JSON has no " .. show.value(value))
  end
  if math.type and math.type(value) == "integer" then
    return ("%d"):format(value)
  end
  if value % 1 == 0 and value > -2 ^ 53 and value < 2 ^ 53 then
    return ("%.0f"):format(value)
  end
  local text = cjson.encode(value)
  if tonumber(text) == value and not text:find(",", 1, true) then
    return text
  end
  -- Any two doubles differ in 17 digits. The locale may have a decimal comma.
  return (("%.17g"):format(value):gsub("[^%d%+%-e]", "."))
end

local function encode_string(value, path)
  if not core.is_utf8(value) then
    refuse(path, "the text is not valid UTF-8")
  end
  return cjson.encode(value)
end

local function encode_list(value, path, depth)
  local parts = {}
  for index = 1, check.list(path, value) do
    parts[index] = encode_value(value[index], ("%s[%d]"):format(path, index), depth)
  end
  return "[" .. table.concat(parts, ",") .. "]"
end

local function encode_object(value, path, depth)
  local keys, parts = {}, {}
  for key in pairs(value) do
    if type(key) ~= "string" then
      refuse(path, show.format("an object with the key %s", key))
    end
    keys[#keys + 1] = key
  end
  table.sort(keys) -- equal tables have equal texts
  for index, key in ipairs(keys) do
    local inner = path .. "." .. key
    parts[index] = encode_string(key, inner) .. ":" .. encode_value(value[key], inner, depth)
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

function encode_value(value, path, depth)
  local kind = type(value)
  if kind == "string" then
    return encode_string(value, path)
  elseif kind == "number" then
    return encode_number(value, path)
  elseif kind == "boolean" then
    return tostring(value)
  elseif value == cjson.null then
    return "null"
  elseif value == cjson.empty_array then
    return "[]"
  elseif kind ~= "table" then
    return refuse(path, "JSON has no " .. kind)
  elseif depth == MAX_DEPTH then
    return refuse(path, "nested too deeply, or in itself")
  end
  return (list.is_list(value) and encode_list or encode_object)(value, path, depth + 1)
end

--- A table as JSON text: a list, see cekura.list, or an object. Raises for a value that JSON does not have, with its
-- path.
---@param value table
---@param name string the value's name in errors
---@return string
local function encode(value, name)
  return encode_value(value, name, 0)
end

return encode

--- JSON with what cjson lacks: empty lists stay lists, and big integers stay exact.

local cjson = require "cjson"

local json = { null = cjson.null }

local LIST = {} -- the metatable of a list
local RAW = {}  -- the metatable of text that is inserted unchanged

--- Makes a table a list, even if it is empty.
function json.list(items)
  return setmetatable(items or {}, LIST)
end

--- Makes JSON text a value.
function json.raw(text)
  return setmetatable({ text = text }, RAW)
end

local encode

local function encode_list(list, out)
  out[#out + 1] = "["
  for index, item in ipairs(list) do
    out[#out + 1] = index > 1 and "," or nil
    encode(item, out)
  end
  out[#out + 1] = "]"
end

local function encode_object(object, out)
  local names = {}
  for name in pairs(object) do
    names[#names + 1] = tostring(name)
  end
  table.sort(names)
  out[#out + 1] = "{"
  for index, name in ipairs(names) do
    out[#out + 1] = (index > 1 and "," or "") .. cjson.encode(name) .. ":"
    encode(object[name], out)
  end
  out[#out + 1] = "}"
end

local function encode_table(value, out)
  local mark = getmetatable(value)
  if mark == RAW then
    out[#out + 1] = value.text
  elseif mark == LIST or #value > 0 then
    encode_list(value, out)
  else
    encode_object(value, out)
  end
end

function encode(value, out)
  if type(value) == "table" then
    encode_table(value, out)
  elseif type(value) == "number" and value % 1 == 0 and math.abs(value) < 2 ^ 53 then
    out[#out + 1] = ("%d"):format(value)
  else
    out[#out + 1] = cjson.encode(value)
  end
end

--- The text of a value, with sorted names.
function json.encode(value)
  local out = {}
  encode(value, out)
  return table.concat(out)
end

-- A value that cjson would lose passes through it as a string with this prefix.
local MARK = "\0simulator:"
local MARK_IN_JSON = "\\u0000simulator:"
local STRING_OR_LOSS = [["(?:[^"\\]++|\\.)*+"|\[\s*\]|(?<![\d.eE+-])-?\d{16,}(?![\d.eE])]]

local function protect(match)
  local text = match[0]
  return text:sub(1, 1) == '"' and text or '"' .. MARK_IN_JSON .. text .. '"'
end

local function restore(value)
  if type(value) == "table" then
    for name, item in pairs(value) do
      value[name] = restore(item)
    end
  elseif type(value) == "string" and value:sub(1, #MARK) == MARK then
    local text = value:sub(#MARK + 1)
    return text:sub(1, 1) == "[" and json.list() or json.raw(text)
  end
  return value
end

--- The value of a text, or nil if the text is not JSON.
function json.decode(text)
  local protected = ngx.re.gsub(text, STRING_OR_LOSS, protect, "jo")
  local ok, value = pcall(cjson.decode, protected or text)
  if ok then
    return restore(value)
  end
end

return json

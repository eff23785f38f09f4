--- JSON without loss: empty lists stay lists, a null stays, big integers stay exact. It is written in Lua, so that the
-- simulator runs in every host, with and without the core.

local json = {}

local LIST = {} -- the metatable of a list
local RAW = {}  -- the metatable of text that is inserted unchanged

--- A null. No value of JSON is a function.
function json.null() end

--- Makes a table a list, even if it is empty.
function json.list(items)
  return setmetatable(items or {}, LIST)
end

--- Makes JSON text a value.
function json.raw(text)
  return setmetatable({ text = text }, RAW)
end

-- ---- writing ----

local ESCAPED = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

local function quote(text)
  return '"' .. text:gsub('[%z\1-\31"\\\127]', function(char)
    return ESCAPED[char] or ("\\u%04x"):format(char:byte())
  end) .. '"'
end

local function number_text(value)
  if value % 1 == 0 and value > -2 ^ 53 and value < 2 ^ 53 then
    return ("%d"):format(value)
  elseif value ~= value or value == math.huge or value == -math.huge then
    return "null"
  end
  local short = ("%.14g"):format(value)
  local text = tonumber(short) == value and short or ("%.17g"):format(value)
  return (text:gsub(",", ".")) -- in some locales
end

local write

local function write_list(list, out)
  out[#out + 1] = "["
  for index, item in ipairs(list) do
    out[#out + 1] = index > 1 and "," or nil
    write(item, out)
  end
  out[#out + 1] = "]"
end

local function write_object(object, out)
  local names = {}
  for name in pairs(object) do
    names[#names + 1] = name
  end
  table.sort(names, function(one, other) return tostring(one) < tostring(other) end)
  out[#out + 1] = "{"
  for index, name in ipairs(names) do
    out[#out + 1] = (index > 1 and "," or "") .. quote(tostring(name)) .. ":"
    write(object[name], out)
  end
  out[#out + 1] = "}"
end

local function write_table(value, out)
  local mark = getmetatable(value)
  if mark == RAW then
    out[#out + 1] = value.text
  elseif mark == LIST or #value > 0 then
    write_list(value, out)
  else
    write_object(value, out)
  end
end

function write(value, out)
  local kind = type(value)
  if kind == "table" then
    write_table(value, out)
  elseif kind == "string" then
    out[#out + 1] = quote(value)
  elseif kind == "number" then
    out[#out + 1] = number_text(value)
  elseif kind == "boolean" then
    out[#out + 1] = tostring(value)
  elseif value == json.null or kind == "userdata" then -- the null of the library, too
    out[#out + 1] = "null"
  else
    error("JSON has no " .. kind)
  end
end

--- The text of a value, with sorted names.
---@return string
function json.encode(value)
  local out = {}
  write(value, out)
  return table.concat(out)
end

-- ---- reading ----

local MAX_DEPTH = 200

local function fail()
  error(json, 0) -- caught by json.decode
end

local function skip(text, place)
  return text:match("^[ \t\r\n]*()", place)
end

local function utf8(code)
  if code < 0x80 then
    return string.char(code)
  elseif code < 0x800 then
    return string.char(0xC0 + math.floor(code / 0x40), 0x80 + code % 0x40)
  elseif code < 0x10000 then
    return string.char(0xE0 + math.floor(code / 0x1000), 0x80 + math.floor(code / 0x40) % 0x40, 0x80 + code % 0x40)
  end
  return string.char(0xF0 + math.floor(code / 0x40000), 0x80 + math.floor(code / 0x1000) % 0x40,
    0x80 + math.floor(code / 0x40) % 0x40, 0x80 + code % 0x40)
end

local UNESCAPED = { ['"'] = '"', ["\\"] = "\\", ["/"] = "/", b = "\b", f = "\f", n = "\n", r = "\r", t = "\t" }

-- What an escape at `place` means, and the place behind it.
local function read_escape(text, place)
  local high = text:match("^\\u(%x%x%x%x)", place)
  if not high then
    return UNESCAPED[text:sub(place + 1, place + 1)] or fail(), place + 2
  end
  local code, low = tonumber(high, 16), text:match("^\\u([dD][c-fC-F]%x%x)", place + 6)
  if code >= 0xD800 and code < 0xDC00 and low then
    return utf8(0x10000 + (code - 0xD800) * 0x400 + tonumber(low, 16) - 0xDC00), place + 12
  elseif code >= 0xD800 and code < 0xE000 then
    code = 0xFFFD -- half a pair
  end
  return utf8(code), place + 6
end

-- `place` is behind the first quote.
local function read_string(text, place)
  local parts = {}
  while true do
    local stop = text:find('[%z\1-\31"\\]', place) or fail()
    parts[#parts + 1] = text:sub(place, stop - 1)
    local char = text:sub(stop, stop)
    if char == '"' then
      return #parts == 1 and parts[1] or table.concat(parts), stop + 1
    elseif char ~= "\\" then
      fail()
    end
    parts[#parts + 1], place = read_escape(text, stop)
  end
end

-- Integers of more than 15 digits stay text: not every Lua has a number for them.
local function read_number(text, place)
  local digits, behind = text:match("^(-?%d+)()", place)
  if not digits or digits:find "^-?0%d" then
    fail()
  end
  local rest, last = text:match("^(%.%d+[eE][+-]?%d+)()", behind)
  if not rest then
    rest, last = text:match("^(%.%d+)()", behind)
  end
  if not rest then
    rest, last = text:match("^([eE][+-]?%d+)()", behind)
  end
  if not rest then
    return #digits > 15 and json.raw(digits) or tonumber(digits), behind
  end
  local whole = digits .. rest
  return tonumber(whole) or tonumber((whole:gsub("%.", ","))), last -- in some locales
end

local read

local function read_list(text, place, depth)
  local list = json.list()
  place = skip(text, place)
  if text:sub(place, place) == "]" then
    return list, place + 1
  end
  while true do
    list[#list + 1], place = read(text, place, depth)
    local char, behind = text:match("^([],])()", place)
    if char == "]" then
      return list, behind
    end
    place = behind or fail()
  end
end

local function read_object(text, place, depth)
  local object = {}
  place = skip(text, place)
  if text:sub(place, place) == "}" then
    return object, place + 1
  end
  while true do
    place = text:match('^[ \t\r\n]*"()', place) or fail()
    local name, behind = read_string(text, place)
    place = text:match("^[ \t\r\n]*:()", behind) or fail()
    object[name], place = read(text, place, depth)
    local char, next_place = text:match("^([},])()", place)
    if char == "}" then
      return object, next_place
    end
    place = next_place or fail()
  end
end

local WORDS = { t = { "true", true }, f = { "false", false }, n = { "null", json.null } }

local function read_value(text, place, depth)
  local char = text:sub(place, place)
  if char == '"' then
    return read_string(text, place + 1)
  elseif char == "{" then
    return read_object(text, place + 1, depth + 1)
  elseif char == "[" then
    return read_list(text, place + 1, depth + 1)
  end
  local word = WORDS[char]
  if not word then
    return read_number(text, place)
  elseif text:sub(place, place + #word[1] - 1) ~= word[1] then
    fail()
  end
  return word[2], place + #word[1]
end

-- A value with the white space around it.
function read(text, place, depth)
  if depth > MAX_DEPTH then
    fail()
  end
  local value, behind = read_value(text, skip(text, place), depth)
  return value, skip(text, behind)
end

--- The value of a text. It is nil if the text is not JSON, or the word false.
---@param text string
function json.decode(text)
  local ok, value, place = pcall(read, text, 1, 0)
  if not ok and value ~= json then
    error(value, 0)
  end
  return ok and place == #text + 1 and value or nil
end

return json

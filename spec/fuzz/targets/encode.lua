--- Lua values as JSON text. The input describes a value: each byte is an element, and those after it may be its parts.

local cekura = require "cekura"
local core = require "cekura.core"
local encode = require "cekura.http.encode"
local promise = require "spec.fuzz.promise"

local available, cjson = pcall(require, "cjson") -- Debian has none for Lua 5.5
cjson = available and cjson.new()

local DEEPEST = 512

-- ---- values ----

-- A number from its text, with all 64 bits of an integer.
local function number(text)
  return tonumber(text) or 0
end

-- Values that JSON does not have, and odd ones that it has.
local ODD = {
  function() return print end, function() return io.stdout end, function() return 0 / 0 end,
  function() return math.huge end, function() return -1 / math.huge end, function() return 5e-324 end,
  function() return { 1, nil, 3 } end, function() return { 1, n = 1 } end, function() return { [1.5] = 1 } end,
  function() return { [true] = 1 } end, function() return setmetatable({ x = 1 }, core.array_mt) end,
  function() local itself = {} itself[1] = itself return itself end,
}

local read

-- Values up to the byte that ends them, each given to `add`.
local function read_all(input, at, last, add)
  while at <= #input and input:sub(at, at) ~= last do
    local value
    value, at = read(input, at)
    add(value)
  end
  return at + 1
end

local READERS = {
  n = function(_, at) return cekura.null, at end,
  t = function(_, at) return true, at end,
  f = function(_, at) return false, at end,
  s = function(input, at) -- the length, and the bytes
    local length = (input:byte(at) or 0) % 128
    return input:sub(at + 1, at + length), at + 1 + length
  end,
  l = function(input, at) -- a long text
    return input:sub(at, at):rep((input:byte(at + 1) or 0) * 20), at + 2
  end,
  ["["] = function(input, at)
    local list = setmetatable({}, core.array_mt)
    return list, read_all(input, at, "]", function(value) list[#list + 1] = value end)
  end,
  ["{"] = function(input, at)
    local object, name = {}, nil
    return object, read_all(input, at, "}", function(value)
      if name then
        object[name], name = value, nil
      else
        name = type(value) == "string" and value or tostring(value == cekura.null or value):sub(1, 5)
      end
    end)
  end,
  m = function(input, at) -- an object of many members
    local object, count = {}, (input:byte(at) or 0) * 8
    for index = 1, count do
      object[input:sub(at + 1, at + 4) .. index * 7919 % 1009] = index / 8
    end
    return object, at + 5
  end,
  d = function(input, at) -- a value deep in lists
    local value
    local depth = (input:byte(at) or 0) * 3
    value, at = read(input, at + 1)
    for _ = 1, depth do
      value = { value }
    end
    return value, at
  end,
  o = function(input, at) return ODD[(input:byte(at) or 0) % #ODD + 1](), at + 1 end,
}

function read(input, at)
  at = input:find("[^, ]", at) or at
  local reader = READERS[input:sub(at, at)]
  if reader then
    return reader(input, at + 1)
  end
  local text = input:match("^%-?%d[%d.]*[eE]?[+-]?%d*", at)
  return number(text), at + math.max(text and #text or 1, 1)
end

-- ---- what is promised ----

local function is_list(value)
  return getmetatable(value) == core.array_mt or #value > 0
end

-- Whether JSON has the value. Lists in lists are counted from `depth`.
local function is_sendable(value, depth)
  local kind = type(value)
  if kind == "number" then
    return value == value and math.abs(value) ~= math.huge
  elseif kind == "string" then
    return core.is_utf8(value)
  elseif kind ~= "table" then
    return kind == "boolean" or value == cekura.null
  end
  if depth == DEEPEST then
    return false
  end
  local count, list = 0, is_list(value)
  for name, inner in pairs(value) do
    count = count + 1
    local fits = not list and type(name) == "string" and core.is_utf8(name)
      or list and type(name) == "number" and name % 1 == 0 and name >= 1 and name <= #value
    if not fits or not is_sendable(inner, depth + 1) then
      return false
    end
  end
  return not list or count == #value
end

-- Whether a value that was read is the one that was written. An integer that this Lua lacks is read as its digits;
-- lua-cjson reads all numbers as floats.
local function same(written, found, as_floats)
  if type(written) == "number" then
    return tonumber(found) == (as_floats and written + 0.0 or written)
  elseif type(written) ~= "table" or type(found) ~= "table" then
    return written == found
  end
  for name, value in pairs(written) do
    if not same(value, found[name], as_floats) then
      return false
    end
  end
  for name in pairs(found) do
    if written[name] == nil then
      return false
    end
  end
  return true
end

-- Whether lua-cjson writes the value exactly: numbers have up to 14 digits, and no list is empty.
local function is_exact_in_cjson(value)
  if type(value) == "number" then
    return tonumber(("%.14g"):format(value)) == value
  elseif type(value) ~= "table" then
    return true
  end
  for _, inner in pairs(value) do
    if not is_exact_in_cjson(inner) then
      return false
    end
  end
  return not is_list(value) or #value > 0
end

-- A copy whose members were set in another order.
local function reordered(value)
  if type(value) ~= "table" then
    return value
  end
  local names, copy = {}, setmetatable({}, getmetatable(value))
  for name in pairs(value) do
    names[#names + 1] = name
  end
  for place = #names, 1, -1 do
    copy[names[place]] = reordered(value[names[place]])
  end
  return copy
end

local function decoded(text)
  return cekura.assert(cekura.call_log('{"value":' .. text .. "}")):totable().value
end

local function check_text(value, text)
  promise.holds(same(value, decoded(text)), "%q reads back", text)
  promise.holds(encode(reordered(value), "body") == text, "equal tables have equal texts")
  if cjson then
    promise.holds(same(value, cjson.decode(text), true), "lua-cjson reads %q", text)
  end
  if cjson and is_exact_in_cjson(value) then
    promise.holds(same(value, decoded(cjson.encode(value))), "lua-cjson writes the same as %q", text)
  end
end

return function(input)
  local value = read(input, 1)
  local sent, text = pcall(encode, value, "body")
  -- In a record the value is one level deeper.
  promise.holds(sent == is_sendable(value, 0), "it is sent or refused: %s", tostring(text))
  if not sent then
    promise.holds(tostring(text):find("cekura: body", 1, true) and not tostring(text):find "%c", "the place: %s", text)
  elseif is_sendable(value, 1) then
    check_text(value, text)
  end
end

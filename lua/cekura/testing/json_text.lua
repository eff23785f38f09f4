--- JSON text as a tree whose scalars keep their text: what is not changed is written as it came, and numbers of any
-- size stay exact.
--
-- A node is the text of a scalar, such as `"a\n"`, `1.50` and `null`, or a table: a list has its nodes at 1, 2, …, and
-- an object also has `names`, the texts of its names, in the order of the text; a name may be there twice.

local core = require "cekura.core"
local encode = require "cekura.http.encode"

local json_text = {}

-- ---- scalars ----

--- The string whose JSON text this is; nil if the node is not a string.
---@param node string|table
---@return string?
function json_text.string(node)
  if type(node) ~= "string" or node:byte() ~= 34 then
    return nil
  elseif node:find("\\", 1, true) then
    return core.decode("[" .. node .. "]")[1]
  end
  return node:sub(2, -2)
end

--- The JSON text of a string of UTF-8.
---@param text string
---@return string
function json_text.quote(text)
  return encode(text, "text")
end

--- Whether a node is the text of a number.
---@param node string|table
---@return boolean
function json_text.is_number(node)
  return type(node) == "string" and node:find "^[-0-9]" ~= nil
end

-- One text for all texts of the same number: its digits without zeros at both ends, and a power of ten.
local function canonical_number(text)
  local sign, whole, fraction, exponent = text:match "^(-?)([0-9]+)%.?([0-9]*)[eE]?%+?(-?[0-9]*)$"
  local digits = (whole .. fraction):gsub("^0+", "")
  local power = (tonumber(exponent) or 0) - #fraction
  local kept = digits:match "^(.-)0*$"
  if kept == "" then
    return "0"
  end
  return ("%s%se%.0f"):format(sign, kept, power + #digits - #kept)
end

-- ---- reading ----

local read_value

local function after_blanks(text, offset)
  return text:find("[^ \t\r\n]", offset)
end

-- The end of the string that begins at the offset.
local function string_end(text, offset)
  local at = offset + 1
  while true do
    at = text:find('["\\]', at)
    if text:byte(at) == 34 then
      return at
    end
    at = at + 2
  end
end

local function read_object(text, offset)
  local object = { names = {} }
  local at = after_blanks(text, offset + 1)
  while text:byte(at) ~= 125 do -- }
    local stop = string_end(text, at)
    local place = #object + 1
    object.names[place] = text:sub(at, stop)
    object[place], at = read_value(text, after_blanks(text, after_blanks(text, stop + 1) + 1))
    at = after_blanks(text, at)
    if text:byte(at) == 44 then
      at = after_blanks(text, at + 1)
    end
  end
  return object, at + 1
end

local function read_list(text, offset)
  local list = {}
  local at = after_blanks(text, offset + 1)
  while text:byte(at) ~= 93 do -- ]
    list[#list + 1], at = read_value(text, at)
    at = after_blanks(text, at)
    if text:byte(at) == 44 then
      at = after_blanks(text, at + 1)
    end
  end
  return list, at + 1
end

-- The node that begins at the offset, and the offset behind it. The text is valid.
function read_value(text, offset)
  local first = text:byte(offset)
  if first == 123 then
    return read_object(text, offset)
  elseif first == 91 then
    return read_list(text, offset)
  elseif first == 34 then
    local stop = string_end(text, offset)
    return text:sub(offset, stop), stop + 1
  end
  local stop = text:find("[^-+.0-9A-Za-z]", offset) or #text + 1
  return text:sub(offset, stop - 1), stop
end

--- The tree of a text; nil if it is not strict JSON.
---@param text string
---@return string|table|nil node
function json_text.read(text)
  local _, fault = core.decode(text)
  if fault then
    return nil
  end
  return (read_value(text, after_blanks(text, 1)))
end

-- ---- writing ----

--- Writes a node without blanks between its parts.
---@param node string|table
---@return string
function json_text.write(node)
  if type(node) == "string" then
    return node
  end
  local parts = {}
  for index, item in ipairs(node) do
    parts[index] = (node.names and node.names[index] .. ":" or "") .. json_text.write(item)
  end
  local list = table.concat(parts, ",")
  return node.names and "{" .. list .. "}" or "[" .. list .. "]"
end

--- One text for all trees of the same value: members sorted, escapes and numbers spelt in one way.
---@param node string|table
---@return string
function json_text.canonical(node)
  if type(node) == "string" then
    local text = json_text.string(node)
    return text and json_text.quote(text) or json_text.is_number(node) and canonical_number(node) or node
  end
  local parts = {}
  for index, item in ipairs(node) do
    local name = node.names and json_text.canonical(node.names[index]) .. ":" or ""
    parts[index] = name .. json_text.canonical(item)
  end
  if not node.names then
    return "[" .. table.concat(parts, ",") .. "]"
  end
  table.sort(parts)
  return "{" .. table.concat(parts, ",") .. "}"
end

--- A copy of the tree whose scalars a function has changed.
---@param node string|table
---@param change fun(text: string): string gets and returns the text of a scalar
---@return string|table
function json_text.map(node, change)
  if type(node) == "string" then
    return change(node)
  end
  local copy = { names = node.names }
  for index, item in ipairs(node) do
    copy[index] = json_text.map(item, change)
  end
  return copy
end

return json_text

--- A strict reader of TOML 1.0 (https://toml.io/en/v1.0.0): it accepts every valid document and no other.

local core = require "cekura.core"

local toml = {}

---@class cekura.TomlNode a value and its place
---@field type "string"|"integer"|"float"|"boolean"|"datetime"|"array"|"table"
---@field value any a table by names or a list of nodes; the text of a datetime; else the value. A number that this Lua
---cannot represent is a string of its digits
---@field line integer the first line of the value, or of the table's first mention
---@field section? table of a table: the header or inline table that defines it. Dotted names may add to a table only
---in the section that defines it, and a header may define only a table without a section
---@field closed? boolean of a table: it is inline, and nothing can be added
---@field tables? boolean of an array: it consists of [[tables]]

-- As for JSON (src/text/json.h).
local MAX_DEPTH = 512

-- ---- the text ----

---@class cekura.TomlReader
---@field text string
---@field at integer the next character
---@field line integer
---@field depth integer how many names, arrays and inline tables lead to the next value

-- Raises the fault, which toml.parse() returns. It never quotes the text, which may hold a key.
local function fail(reader, fault, line)
  error({ fault = fault, line = line or reader.line }, 0)
end

-- The next values are so many levels deeper.
local function deepen(reader, levels)
  reader.depth = reader.depth + levels
  if reader.depth > MAX_DEPTH then
    fail(reader, "too many tables and arrays within one another")
  end
end

-- What the pattern matches at the next character, which is then behind it; nil: no match, and nothing has moved.
local function take(reader, pattern)
  local _, finish, captured = reader.text:find("^" .. pattern, reader.at)
  if not finish then
    return nil
  end
  local taken = captured or reader.text:sub(reader.at, finish)
  reader.at = finish + 1
  return taken
end

local function take_newline(reader)
  local newline = take(reader, "\r?\n")
  reader.line = reader.line + (newline and 1 or 0)
  return newline
end

local function skip_comment(reader)
  take(reader, "[ \t]*")
  local comment = take(reader, "#[^\r\n]*")
  if comment and comment:find "[%z\1-\8\11-\31\127]" then
    fail(reader, "a control character in a comment")
  end
end

-- Within an array, and between the lines of the document.
local function skip_lines(reader)
  repeat
    skip_comment(reader)
  until not take_newline(reader)
end

local function end_line(reader, after)
  skip_comment(reader)
  if not take_newline(reader) and reader.at <= #reader.text then
    fail(reader, "unexpected text after " .. after)
  end
end

-- ---- strings ----

local ESCAPES = { b = "\b", t = "\t", n = "\n", f = "\f", r = "\r", ['"'] = '"', ["\\"] = "\\" }

local HEX = "[0-9A-Fa-f]"

local function utf8_of(code)
  if code < 0x80 then
    return string.char(code)
  end
  local bytes, first = "", 0x40
  while code >= first do
    bytes = string.char(0x80 + code % 64) .. bytes
    code, first = math.floor(code / 64), first == 0x40 and 0x20 or first / 2
  end
  return string.char(256 - 2 * first + code) .. bytes
end

local function read_escape(reader, multiline)
  local hex = take(reader, "\\u(" .. HEX:rep(4) .. ")") or take(reader, "\\U(" .. HEX:rep(8) .. ")")
  local code = hex and tonumber(hex, 16)
  if code and code <= 0x10FFFF and not (code >= 0xD800 and code <= 0xDFFF) then
    return utf8_of(code)
  end
  local escape = not hex and take(reader, '\\([btnfr"\\])')
  if escape then
    return ESCAPES[escape]
  elseif multiline and reader.text:find("^\\[ \t]*\r?\n", reader.at) then
    reader.at = reader.at + 1
    repeat
      take(reader, "[ \t]*")
    until not take_newline(reader)
    return ""
  end
  fail(reader, "an escape that TOML does not have")
end

-- The characters that end a piece of a string: its quote, a backslash if it has escapes, a control character but a tab.
local STOPS = { ['"'] = '[%z\1-\8\10-\31\127"\\]', ["'"] = "[%z\1-\8\10-\31\127']" }

-- If the quotes at the next character end the string, consumes them, and returns those that belong to it; else nil.
local function take_closing(reader, quote, multiline)
  local quotes = reader.text:match("^" .. quote .. "*", reader.at)
  if not multiline then
    return take(reader, quote) and ""
  elseif #quotes < 3 then
    return nil
  end
  local inner = quote:rep(math.min(#quotes - 3, 2))
  reader.at = reader.at + #inner + 3
  return inner
end

local function read_piece(reader, quote, multiline)
  local stop, first = reader.text:find(STOPS[quote], reader.at), reader.at
  if not stop then
    fail(reader, "a string without its closing quotes")
  elseif stop > first then
    reader.at = stop
    return reader.text:sub(first, stop - 1)
  end
  local char = reader.text:sub(stop, stop)
  if char == "\\" then
    return read_escape(reader, multiline)
  elseif char == quote then
    return take(reader, quote)
  end
  local newline = take_newline(reader)
  if newline and multiline then
    return newline
  end
  fail(reader, newline and "a string without its closing quotes" or "a control character in a string",
    newline and reader.line - 1)
end

local function read_string(reader)
  local quote = take(reader, "[\"']")
  local multiline = take(reader, quote:rep(2)) ~= nil
  if multiline then
    take_newline(reader)
  elseif take(reader, quote) then
    return ""
  end
  local parts = {}
  while true do
    local closing = take_closing(reader, quote, multiline)
    if closing then
      return table.concat(parts) .. closing
    end
    parts[#parts + 1] = read_piece(reader, quote, multiline)
  end
end

-- ---- numbers, dates and words ----

-- The digits without their underscores, each of which must be between two digits; nil for any other text.
local function digits_of(text, class)
  if text:find("[^_" .. class .. "]") or text:find "^_" or text:find "_$" or text:find "__" or text == "" then
    return nil
  end
  return (text:gsub("_", ""))
end

-- A whole number in decimal digits, without a leading zero.
local function decimal(text)
  local digits = digits_of(text, "0-9")
  return digits and not digits:find "^0." and digits or nil
end

local BASES = { x = { "0-9A-Fa-f", 16 }, o = { "0-7", 8 }, b = { "01", 2 } }

-- The decimal digits of a number of 64 bits, more than a double has.
local function to_decimal(digits, base)
  local limbs = { 0 } -- in base 1,000,000, the least significant first
  for digit in digits:gmatch "." do
    local carry = tonumber(digit, base)
    for place = 1, #limbs do
      local sum = limbs[place] * base + carry
      limbs[place], carry = sum % 1000000, math.floor(sum / 1000000)
    end
    limbs[#limbs + 1] = carry > 0 and carry or nil
  end
  local text = ("%d"):format(limbs[#limbs])
  for place = #limbs - 1, 1, -1 do
    text = text .. ("%06d"):format(limbs[place])
  end
  return text
end

-- A decimal integer may have any size; one in another base has 63 bits at most, as in TOML.
local function read_integer(word)
  local base = BASES[word:match "^0([xob])"]
  local digits = base and digits_of(word:sub(3), base[1])
  if digits then
    digits = digits:gsub("^0+", "")
    local text = #digits <= 64 and to_decimal(digits, base[2]) or ("9"):rep(20)
    return (#text < 19 or #text == 19 and text <= "9223372036854775807") and core.decode(text) or nil
  end
  local sign, rest = word:match "^([+-]?)(.*)$"
  digits = decimal(rest)
  return digits and core.decode((sign == "-" and "-" or "") .. digits)
end

local SPECIAL = { inf = math.huge, nan = 0 / 0 }

local function read_float(word)
  local sign, rest = word:match "^([+-]?)(.*)$"
  if SPECIAL[rest] then
    return sign == "-" and -SPECIAL[rest] or SPECIAL[rest]
  end
  local mantissa, exponent_sign, exponent = rest:match "^(.-)[eE]([+-]?)(.*)$"
  local whole, fraction = (mantissa or rest):match "^(.-)%.(.*)$"
  whole = decimal(whole or mantissa or rest)
  fraction, exponent = fraction and digits_of(fraction, "0-9"), exponent and digits_of(exponent, "0-9")
  local has_fraction, has_exponent = (mantissa or rest):find(".", 1, true), mantissa ~= nil
  if not whole or has_fraction and not fraction or has_exponent and not exponent
    or not has_fraction and not has_exponent then
    return nil
  end
  return core.decode((sign == "-" and "-" or "") .. whole .. (has_fraction and "." .. fraction or "")
    .. (has_exponent and "e" .. exponent_sign .. exponent or "")) -- JSON's grammar, and no locale
end

local DAYS = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }

local function is_date(year, month, day)
  year, month, day = tonumber(year), tonumber(month), tonumber(day)
  local days = DAYS[month]
  if month == 2 and year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0) then
    days = 29
  end
  return days ~= nil and day >= 1 and day <= days
end

local function is_time(text)
  local hour, minute, second, fraction = text:match "^([0-9][0-9]):([0-9][0-9]):([0-9][0-9])(.*)$"
  return hour and tonumber(hour) < 24 and tonumber(minute) < 60 and tonumber(second) <= 60
    and (fraction == "" or fraction:find "^%.[0-9]+$" ~= nil)
end

-- The text of a date, of a time, or of both with or without an offset (RFC 3339); nil for any other word.
local function read_datetime(word)
  local year, month, day, rest = word:match "^([0-9][0-9][0-9][0-9])%-([0-9][0-9])%-([0-9][0-9])(.*)$"
  if not year then
    return is_time(word) and word or nil
  end
  local time = rest:match "^[Tt ](.+)$"
  if time then
    local hour, minute = time:match "[+-]([0-9][0-9]):([0-9][0-9])$"
    if hour and (tonumber(hour) > 23 or tonumber(minute) > 59) then
      return nil
    end
    time = hour and time:sub(1, -7) or time:gsub("[Zz]$", "")
  end
  return is_date(year, month, day) and (rest == "" or time and is_time(time)) and word or nil
end

local BOOLEANS = { ["true"] = true, ["false"] = false }

-- A value without quotes or brackets: its type and itself.
local function read_word(reader)
  local word = take(reader, "[0-9][0-9][0-9][0-9]%-[0-9][0-9]%-[0-9][0-9] [0-9][0-9]:[0-9A-Za-z:.+-]*")
    or take(reader, "[0-9A-Za-z_:.+-]+")
  if not word then
    fail(reader, "a value is missing")
  elseif BOOLEANS[word] ~= nil then
    return "boolean", BOOLEANS[word]
  end
  for _, each in ipairs { { "integer", read_integer }, { "float", read_float }, { "datetime", read_datetime } } do
    local value = each[2](word)
    if value ~= nil then
      return each[1], value
    end
  end
  fail(reader, "a value that TOML does not have; a string needs quotes")
end

-- ---- names, and the tables that they lead to ----

local function read_name(reader)
  local name = take(reader, "[A-Za-z0-9_-]+")
  if not name and reader.text:find("^[\"']", reader.at) then
    if reader.text:find('^"""', reader.at) or reader.text:find("^'''", reader.at) then
      fail(reader, "a name in three quotes")
    end
    name = read_string(reader)
  end
  return name or fail(reader, "a name is missing")
end

-- One or more names, separated by dots.
local function read_names(reader)
  local names = {}
  repeat
    take(reader, "[ \t]*")
    names[#names + 1] = read_name(reader)
    take(reader, "[ \t]*")
  until not take(reader, "%.")
  return names
end

local function fail_twice(reader, node)
  fail(reader, ("this name is already defined in line %d"):format(node.line))
end

local function add_table(reader, parent, name)
  local node = { type = "table", value = {}, line = reader.line }
  parent.value[name] = node
  return node
end

-- Sets a value in a table or, for a dotted name, in a table below it.
local function set(reader, parent, names, node, section)
  for index = 1, #names - 1 do
    local child = parent.value[names[index]] or add_table(reader, parent, names[index])
    if child.type ~= "table" or child.closed or child.section and child.section ~= section then
      fail_twice(reader, child)
    end
    child.section, parent = section, child
  end
  local last = names[#names]
  if parent.value[last] then
    fail_twice(reader, parent.value[last])
  end
  parent.value[last] = node
end

-- The table, on the path of a header, in which the next name of the path is looked up.
local function descend(reader, parent, name)
  local child = parent.value[name] or add_table(reader, parent, name)
  if child.tables then
    return child.value[#child.value]
  elseif child.type ~= "table" or child.closed then
    fail_twice(reader, child)
  end
  return child
end

-- [table]
local function define_table(reader, parent, name)
  local node = parent.value[name] or add_table(reader, parent, name)
  if node.type ~= "table" or node.closed or node.section then
    fail_twice(reader, node)
  end
  return node
end

-- [[table]]
local function append_table(reader, parent, name)
  local list = parent.value[name] or { type = "array", value = {}, line = reader.line, tables = true }
  if not list.tables then
    fail_twice(reader, list)
  end
  parent.value[name] = list
  return add_table(reader, list, #list.value + 1)
end

-- ---- values ----

local read_value

local function read_array(reader)
  local list = {}
  take(reader, "%[")
  skip_lines(reader)
  while not take(reader, "%]") do
    list[#list + 1] = read_value(reader)
    skip_lines(reader)
    if take(reader, ",") then
      skip_lines(reader)
    elseif not reader.text:find("^%]", reader.at) then
      fail(reader, "a comma or the end of the array is missing")
    end
  end
  return list
end

local function read_pair(reader, parent, section)
  local line, names = reader.line, read_names(reader)
  if not take(reader, "=") then
    fail(reader, "there is no = after the name", line)
  end
  take(reader, "[ \t]*")
  deepen(reader, #names)
  set(reader, parent, names, read_value(reader), section)
  reader.depth = reader.depth - #names
end

local function read_inline_table(reader)
  local node = { type = "table", value = {}, line = reader.line, closed = true }
  take(reader, "{[ \t]*")
  if not take(reader, "}") then
    repeat
      read_pair(reader, node, node)
      take(reader, "[ \t]*")
    until not take(reader, ",")
    if not take(reader, "}") then
      fail(reader, "a comma or the end of the inline table is missing")
    end
  end
  return node
end

function read_value(reader)
  local char, line = reader.text:sub(reader.at, reader.at), reader.line
  if char == '"' or char == "'" then
    return { type = "string", value = read_string(reader), line = line }
  elseif char ~= "[" and char ~= "{" then
    local kind, value = read_word(reader)
    return { type = kind, value = value, line = line }
  end
  deepen(reader, 1)
  local node = char == "{" and read_inline_table(reader)
    or { type = "array", value = read_array(reader), line = line }
  reader.depth = reader.depth - 1
  return node
end

-- ---- the document ----

-- The table that a header opens.
local function read_header(reader, root)
  local open = take(reader, "%[%[?")
  local names = read_names(reader)
  if not take(reader, open == "[" and "%]" or "%]%]") then
    fail(reader, "the header of a table has no closing bracket")
  end
  reader.depth = 0
  deepen(reader, #names)
  local parent = root
  for index = 1, #names - 1 do
    parent = descend(reader, parent, names[index])
  end
  local node = (open == "[" and define_table or append_table)(reader, parent, names[#names])
  node.section = node
  return node
end

local function read_document(reader)
  local root = { type = "table", value = {}, line = 1 }
  root.section = root
  local current = root
  skip_lines(reader)
  while reader.at <= #reader.text do
    if reader.text:find("^%[", reader.at) then
      current = read_header(reader, root)
      end_line(reader, "the header of a table")
    else
      read_pair(reader, current, current)
      end_line(reader, "the value")
    end
    skip_lines(reader)
  end
  return root
end

-- The line of the first byte that is not UTF-8.
local function line_of_odd_byte(text)
  local number = 0
  for line in (text .. "\n"):gmatch "([^\n]*)\n" do
    number = number + 1
    if not core.is_utf8(line) then
      return number
    end
  end
end

--- Reads a document.
---@param text string
---@return cekura.TomlNode? root a table
---@return string? fault without any of the text
---@return integer? line of the fault
function toml.parse(text)
  if not core.is_utf8(text) then
    return nil, "a byte that is not UTF-8", line_of_odd_byte(text)
  end
  text = text:gsub("^\239\187\191", "")
  local ok, result = pcall(read_document, { text = text, at = 1, line = 1, depth = 0 })
  if ok then
    return result
  elseif type(result) ~= "table" then -- no memory
    error(result, 0)
  end
  return nil, result.fault, result.line
end

return toml

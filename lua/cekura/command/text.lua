--- Text for a terminal: untrusted text made visible, and text cut and wrapped by columns.

local core = require "cekura.core"

local text = {}

-- ---- visible text ----

local NAMED = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

local function byte_escape(byte)
  return NAMED[byte] or ("\\x%02x"):format(byte:byte())
end

local function byte_escapes(bytes)
  return (bytes:gsub(".", byte_escape))
end

-- Characters that control a terminal, reorder a line, or are invisible. The joiners U+200C and U+200D are not among
-- them, because Persian, Indic scripts and emoji need them.
local HIDDEN = {
  { 0x80, 0x9f }, -- C1 controls: U+009B begins an escape sequence
  { 0xad, 0xad }, -- soft hyphen
  { 0x61c, 0x61c }, { 0x200e, 0x200f }, { 0x202a, 0x202e }, { 0x2066, 0x2069 }, -- bidirectional controls (UAX #9)
  { 0x180e, 0x180e }, { 0x200b, 0x200b }, { 0x2060, 0x2065 }, { 0x206a, 0x206f }, -- invisible formats
  { 0x2028, 0x2029 }, -- line and paragraph separators
  { 0xfeff, 0xfeff }, -- byte order mark
  { 0xfff9, 0xfffb }, -- interlinear annotations
  { 0xe0000, 0xe007f }, -- tags
}

-- The first bytes of their UTF-8. No other character has to be decoded.
local HIDDEN_FIRST = {}
for _, first in ipairs { 0xc2, 0xd8, 0xe1, 0xe2, 0xef, 0xf3 } do
  HIDDEN_FIRST[first] = true
end

local function is_hidden(point)
  for _, range in ipairs(HIDDEN) do
    if point >= range[1] and point <= range[2] then
      return true
    end
  end
  return false
end

-- The visible form of a byte from 128 on and the continuation bytes that follow it.
local function visible_character(bytes)
  local first = bytes:byte()
  local length = first >= 0xf0 and 4 or first >= 0xe0 and 3 or 2
  local character = bytes:sub(1, length)
  if not core.is_utf8(character) then
    return byte_escapes(bytes)
  end
  if HIDDEN_FIRST[first] then
    local point = first % (length == 2 and 32 or length == 3 and 16 or 8)
    for index = 2, length do
      point = point * 64 + character:byte(index) % 64
    end
    character = is_hidden(point) and ("\\u{%x}"):format(point) or character
  end
  return character .. byte_escapes(bytes:sub(length + 1))
end

local function visible(untrusted, controls)
  if not untrusted:find "[%z\1-\31\127-\255]" then
    return untrusted
  end
  return (untrusted:gsub(controls, byte_escape):gsub("[\128-\255][\128-\191]*", visible_character))
end

--- Untrusted text on one line, as a terminal may show it: control characters, invisible and bidirectional formats, and
--- bytes that are not UTF-8 become escapes: `\n`, `\x1b`, `\u{202e}`, `\xff`. A backslash stays as it is: the escapes
--- are meant to be read, not decoded, and a backslash followed by an `n` in the text looks the same.
---@param untrusted string
---@return string
function text.visible(untrusted)
  return visible(untrusted, "[%z\1-\31\127]")
end

--- The same on several lines: a line feed, alone or after a carriage return, stays a line feed, and a tab becomes two
--- blanks.
---@param untrusted string
---@return string
function text.visible_lines(untrusted)
  return visible(untrusted:gsub("\r\n", "\n"):gsub("\t", "  "), "[%z\1-\9\11-\31\127]")
end

-- ---- the locale ----

--- Whether the environment names a locale of UTF-8 (POSIX: LC_ALL, else LC_CTYPE, else LANG, if not empty). It affects
--- only the symbols of the command itself: texts are UTF-8 in any case.
---@return boolean
function text.is_utf8()
  for _, name in ipairs { "LC_ALL", "LC_CTYPE", "LANG" } do
    local value = os.getenv(name)
    if value and value ~= "" then
      return value:find "[Uu][Tt][Ff]%-?8" ~= nil
    end
  end
  return false
end

-- ---- columns ----

--- How many columns a visible text takes.
---@param visible_text string
---@return integer
function text.width(visible_text)
  local _, width = core.fit(visible_text, math.huge)
  return width
end

--- A visible text cut to that many columns, with a mark at its end if it was cut and the mark fits.
---@param visible_text string
---@param columns number
---@return string
function text.fit(visible_text, columns)
  if core.fit(visible_text, columns) == #visible_text then
    return visible_text
  end
  local mark = text.is_utf8() and "…" or "..."
  local room = columns - text.width(mark)
  if room < 0 then
    mark, room = "", columns
  end
  return visible_text:sub(1, (core.fit(visible_text, room))) .. mark
end

--- A visible text, padded with blanks to that many columns.
---@param visible_text string
---@param columns integer
---@return string
function text.pad(visible_text, columns)
  return visible_text .. (" "):rep(columns - text.width(visible_text))
end

-- The number of bytes of a word that fit into the rest of a line; at least one character, so that wrapping always ends.
local function cut(word, columns)
  local bytes = core.fit(word, columns)
  return bytes > 0 and bytes or #word:match "^[^\128-\191]?[\128-\191]*"
end

-- Appends the lines of one paragraph. Its first line starts with `beginning`.
local function wrap_paragraph(lines, paragraph, columns, beginning, indent)
  local line, width, is_empty = beginning, #beginning, true
  local function break_line()
    lines[#lines + 1] = line
    line, width, is_empty = indent, #indent, true
  end
  local function append(piece)
    line, width, is_empty = line .. piece, width + text.width(piece), false
  end
  for blanks, word in paragraph:gmatch "( *)([^ ]+)" do
    if not is_empty and width + #blanks + text.width(word) > columns then
      break_line()
    elseif width + #blanks < columns then -- at a paragraph's beginning the blanks are its own indentation
      append(blanks)
    end
    while width + text.width(word) > columns do
      local bytes = cut(word, columns - width)
      append(word:sub(1, bytes))
      word = word:sub(bytes + 1)
      if word == "" then
        break
      end
      break_line()
    end
    append(word)
  end
  lines[#lines + 1] = is_empty and "" or line
end

--- The lines of a visible text that take at most that many columns, broken at blanks; a word that is longer than a line
--- is cut. Line feeds of the text begin new lines.
---@param visible_text string
---@param columns number
---@param indent? integer how many blanks each line but the first begins with
---@return string[]
function text.wrap(visible_text, columns, indent)
  local lines, blanks = {}, (" "):rep(indent or 0)
  for paragraph in (visible_text .. "\n"):gmatch "([^\n]*)\n" do
    wrap_paragraph(lines, paragraph, columns, #lines == 0 and "" or blanks, blanks)
  end
  return lines
end

return text

--- Splits a text into the words that a difference consists of. Joined, they are the text, whatever bytes it has.

local words = {}

-- The pattern of a UTF-8 character (RFC 3629, section 4), by its first byte.
local CHARACTERS = {}
for _, row in ipairs {
  { 0xC2, 0xDF, "^[\194-\223][\128-\191]" },
  { 0xE0, 0xE0, "^\224[\160-\191][\128-\191]" },
  { 0xE1, 0xEF, "^[\225-\239][\128-\191][\128-\191]" },
  { 0xED, 0xED, "^\237[\128-\159][\128-\191]" },
  { 0xF0, 0xF0, "^\240[\144-\191][\128-\191][\128-\191]" },
  { 0xF1, 0xF3, "^[\241-\243][\128-\191][\128-\191][\128-\191]" },
  { 0xF4, 0xF4, "^\244[\128-\143][\128-\191][\128-\191]" },
} do
  for byte = row[1], row[2] do
    CHARACTERS[byte] = row[3]
  end
end

-- Characters that are words by themselves: dashes, quotes and other marks from U+2010 to U+2027; and from U+3000 to
-- U+9FFF, because Chinese and Japanese are written without blanks.
local ALONE = { "^\226\128[\144-\167]", "^[\227-\233]" }

local function pattern_end(text, pattern, at)
  local _, last = text:find(pattern, at)
  return last
end

-- The last byte of the character that begins at a byte; nil if it is invalid or in ASCII.
local function character_end(text, at)
  local form = CHARACTERS[text:byte(at)]
  return form and pattern_end(text, form, at)
end

-- The last byte of the run of letters, digits and other word characters that begins at a byte; the byte before if there
-- is no such run.
local function run_end(text, at)
  while true do
    local last = pattern_end(text, "^[A-Za-z0-9_]+", at)
    if not last then
      last = character_end(text, at)
      if not last or text:find(ALONE[1], at) or text:find(ALONE[2], at) then
        return at - 1
      end
    end
    at = last + 1
  end
end

local function word_end(text, at)
  local last = run_end(text, at)
  if last >= at then
    return last
  end
  return pattern_end(text, "^[ \t]+", at) or pattern_end(text, "^\r?\n", at) or character_end(text, at) or at
end

--- The words of a text: runs of letters and digits; runs of blanks; and each mark, each newline, each character of a
--- script without blanks, and each byte that is not UTF-8, as a word of its own.
---@param text string
---@return string[]
function words.split(text)
  local list, at = {}, 1
  while at <= #text do
    local last = word_end(text, at)
    list[#list + 1] = text:sub(at, last)
    at = last + 1
  end
  return list
end

return words

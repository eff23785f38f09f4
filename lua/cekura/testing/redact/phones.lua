--- Phone numbers in texts, and the numbers that stand in for them: +1 555 555 0100 and so on, from the lines 555-0100
-- to 555-0199 that are reserved for fiction in every area.
--
-- Found are numbers that begin with "+" or "00", those of North America, national ones that begin with 0 and have
-- separators, and digits one by one, in figures or in English words. Digits without separators are one only in
-- prose, or by the name of their value, since ids and times look the same.

local ascii = require "cekura.http.ascii"

local phones = {}

-- ---- shapes ----

-- From `at` on, groups of digits with separators between them that the pattern has, `most` digits at most. Returns the
-- digits, the offset of the last, and the number of groups.
local function groups(text, at, separators, most)
  local digits, last, count = "", at - 1, 0
  local group, after = text:match("^([0-9]+)()", at)
  while group and #digits + #group <= most do
    digits, last, count = digits .. group, after - 1, count + 1
    group, after = text:match("^" .. separators .. "([0-9]+)()", after)
  end
  return digits, last, count
end

local function international(text, at)
  local digits, last = groups(text, at + 1, "[ .-]?[()]?[ .-]?", text:find("^1", at + 1) and 11 or 15)
  if text:find("^%+[1-9]", at) and #digits >= 8 then
    return digits, last
  end
end

local function with_exit_code(text, at)
  local digits, last, count = groups(text, at, "[ .-]?[()]?[ .-]?", 17)
  if text:find("^00[1-9]", at) and #digits >= 11 and count > 1 then
    return digits, last
  end
end

local NORTH_AMERICAN = {
  "^(1?)[ .-]?%(([0-9][0-9][0-9])%)[ .-]?([0-9][0-9][0-9])[ .-]([0-9][0-9][0-9][0-9])()",
  "^(1?)[ .-]?([0-9][0-9][0-9])[ ./-]([0-9][0-9][0-9])[ .-]([0-9][0-9][0-9][0-9])()",
}

local function north_american(text, at)
  for _, pattern in ipairs(NORTH_AMERICAN) do
    local one, area, exchange, line, after = text:match(pattern, at)
    if one then
      return one .. area .. exchange .. line, after - 1
    end
  end
end

local function national(text, at)
  local bracket = text:match("^%(", at)
  local start = bracket and at + 1 or at
  local digits, last, count = groups(text, start, bracket and "%)?[ /-]?" or "[ /-]", 12)
  if text:find("^0[1-9][0-9]", start) and count > 1 and #digits >= 9 then
    return digits, last
  end
end

local MOST_ONE_BY_ONE = 60 -- bytes

-- "4 1 5 5 5 5 2 6 7 1", as a transcript may have it.
local function one_by_one(text, at)
  local run = text:sub(at, at + MOST_ONE_BY_ONE):match "^[0-9][ -][0-9 -]*[0-9]"
  local digits = run and run:gsub("[ -]+", "")
  if digits and #digits >= 10 and #digits <= 15 and not run:find "[0-9][0-9]" then
    return digits, at + #run - 1
  end
end

local function bare(text, at)
  local digits, after = text:match("^(1?[2-9][0-9][0-9][2-9][0-9][0-9][0-9][0-9][0-9][0-9])()", at)
  if digits then
    return digits, after - 1
  end
end

local SHAPES = { international, with_exit_code, north_american, national, one_by_one }

-- The digits of the number that begins at the offset, and the offset of its last.
local function match(text, at, in_prose)
  local before, is_plus = text:sub(at - 1, at - 1), text:byte(at) == 43
  if at > 1 and before:find(is_plus and "[A-Za-z0-9]" or "[A-Za-z0-9_./+-]") then
    return nil
  end
  for index = 1, #SHAPES + (in_prose and 1 or 0) do
    local digits, last = (SHAPES[index] or bare)(text, at)
    if digits and not text:find("^[A-WYZa-wyz0-9_]", last + 1) and not text:find("^[.:-][0-9]", last + 1) then
      return digits, last
    end
  end
end

local function in_digits(text, replace)
  if not text:find "[0-9][0-9][^0-9]?[0-9]" and not text:find "[0-9] [0-9] [0-9]" then
    return text
  end
  local in_prose = text:find "[A-Za-z]" ~= nil and (text:find " " ~= nil or text:find "tel:" ~= nil)
  local parts, copied = {}, 1
  local first = text:find "[0-9+(]"
  while first do
    local digits, last = match(text, first, in_prose)
    if digits then
      parts[#parts + 1] = text:sub(copied, first - 1)
      parts[#parts + 1] = replace(phones.canonical(digits), text:sub(first, last))
      copied = last + 1
    end
    first = text:find("[0-9+(]", digits and copied or text:match("^[0-9]+()", first) or first + 1)
  end
  return table.concat(parts) .. text:sub(copied)
end

-- ---- words ----

local WORDS = {}
for word, digit in ("zero0 oh0 one1 two2 three3 four4 five5 six6 seven7 eight8 nine9"):gmatch "([a-z]+)([0-9])" do
  WORDS[word] = digit
end
local SPELT = { [0] = "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine" }

-- The digits that are spelt out from `at` on, "double five" among them, and the offset of the last letter.
local function words_at(text, at)
  local digits, last, times = "", nil, 1
  local word, after = text:match("^([A-Za-z]+)()", at)
  while word and #digits <= 15 do
    local lower = ascii.lower(word)
    if WORDS[lower] then
      digits, last, times = digits .. WORDS[lower]:rep(times), after - 1, 1
    elseif times == 1 and (lower == "double" or lower == "triple") then
      times = lower == "double" and 2 or 3
    else
      break
    end
    word, after = text:match("^[ ,.-]+([A-Za-z]+)()", after)
  end
  return digits, last
end

local function spell(number)
  return (number:gsub("[0-9]", function(digit)
    return SPELT[tonumber(digit)] .. " "
  end):gsub(" $", ""))
end

-- "four one five, five five five, …", as speech is transcribed.
local function in_words(text, replace)
  local parts, copied = {}, 1
  local at = text:find "[A-Za-z]"
  while at do
    local digits, last = words_at(text, at)
    if #digits >= 7 then
      local stand_in = replace(phones.canonical(digits))
      parts[#parts + 1] = text:sub(copied, at - 1)
      parts[#parts + 1] = stand_in:find "^[0-9]+$" and spell(#digits == 10 and stand_in:sub(2) or stand_in) or stand_in
      copied = last + 1
    end
    at = text:find("[A-Za-z]", text:match("^[A-Za-z]*()", last and last + 1 or at))
  end
  return table.concat(parts) .. text:sub(copied)
end

-- ---- both ----

--- Replaces the numbers in a text, each by a function that gets its canonical() digits.
---@param text string
---@param replace fun(number: string): string the digits of another number, or any text
---@return string
function phones.replace(text, replace)
  text = in_digits(text, function(number, spelling)
    local stand_in = replace(number)
    return stand_in:find "^[0-9]+$" and phones.spelt(stand_in, spelling) or stand_in
  end)
  return in_words(text, replace)
end

--- The number that a whole value is whose name says that it is one; nil if it does not look like one.
---@param text string
---@return string?
function phones.whole(text)
  local digits = text:gsub("[^0-9]", "")
  if #digits < 7 or #digits > 17 or text:find "[^0-9 ()+./-]"
      or text:find "^[0-9]+%-[0-9][0-9]%-[0-9][0-9]$" -- a date
      or text:find "^[0-9]+%.[0-9]+%.[0-9]+%.[0-9]+$" or text:find "^[0-9]+%.[0-9]+$" -- an address, a decimal
      or text:find "^1[0-9]+$" and (#digits == 10 or #digits == 13) then -- seconds, milliseconds since the epoch
    return nil
  end
  return phones.canonical(digits)
end

--- The number as digits with its country code, as far as that can be known.
---@param digits string
---@return string
function phones.canonical(digits)
  digits = digits:gsub("^00([1-9])", "%1")
  return #digits == 10 and digits:sub(1, 1) ~= "0" and "1" .. digits or digits
end

-- ---- stand-ins ----

--- Whether a number is one of those that stand in.
---@param number string
---@return boolean
function phones.is_stand_in(number)
  return number:find "^1[2-9][0-9][0-9]55501[0-9][0-9]$" ~= nil
end

--- The stand-in of a place in the order of appearance: 800 areas have 100 numbers each.
---@param place integer from 1 on
---@return string
function phones.stand_in(place)
  local area = (355 + math.floor((place - 1) / 100)) % 800 + 200
  return ("1%d55501%02d"):format(area, (place - 1) % 100)
end

--- A stand-in as the number was spelt, where its digits have the same places; else with "+".
---@param number string
---@param spelling string
---@return string
function phones.spelt(number, spelling)
  local digits = spelling:gsub("[^0-9]", "")
  local has_one = #digits == 11 and digits:sub(1, 1) == "1"
  if not has_one and (#digits ~= 10 or digits:sub(1, 1) == "0") then
    return "+" .. number
  end
  local place = has_one and 0 or 1
  return (spelling:gsub("[0-9]", function()
    place = place + 1
    return number:sub(place, place)
  end))
end

return phones

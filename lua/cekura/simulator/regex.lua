--- Regular expressions, for the operator "regex" of filters_v2: literals, ".", classes, "\d\w\s\b", groups, "|", "^",
-- "$", and the repetitions "*", "+", "?", "{2,3}", lazy ones too. Letters are bytes.
--
-- A pattern becomes matchers: match(text, place, after) calls after(place) for each way to match at a place until one
-- returns true. An atom that is one character has a test of it instead, so that repetitions of it are loops.

local regex = {}

local function fail(what)
  error({ regex = what }, 0)
end

-- ---- single characters ----

local SETS = { d = "%d", w = "[%w_]", s = "%s", D = "%D", W = "[^%w_]", S = "%S" }
local CONTROLS = { n = "\n", r = "\r", t = "\t" }

local function test_of_set(letter)
  local set = "^" .. SETS[letter]
  return function(char) return char:find(set) ~= nil end
end

local function test_of(wanted)
  return function(char) return char == wanted end
end

local function any(char)
  return char ~= "" and char ~= "\n"
end

-- The test of a character behind a backslash.
local function escaped(char)
  if SETS[char] then
    return test_of_set(char)
  elseif char == "" or char:find "%w" and not CONTROLS[char] then
    fail "an unknown escape"
  end
  return test_of(CONTROLS[char] or char)
end

local function range(first, last)
  return function(char) return char >= first and char <= last end
end

-- The test of a class, whose "[" is before `place`, and the place behind it.
local function read_class(pattern, place)
  local tests, negated = {}, pattern:sub(place, place) == "^"
  place = negated and place + 1 or place
  local first = place
  while place == first or pattern:sub(place, place) ~= "]" do
    local char, last = pattern:sub(place, place), pattern:match("^.%-([^%]])", place)
    if char == "" then
      fail "an open class"
    elseif char == "\\" then
      tests[#tests + 1] = escaped(pattern:sub(place + 1, place + 1))
      place = place + 2
    else
      tests[#tests + 1] = last and range(char, last) or test_of(char)
      place = place + (last and 3 or 1)
    end
  end
  return function(char)
    local found = false
    for _, test in ipairs(tests) do
      found = found or test(char)
    end
    return char ~= "" and found ~= negated
  end, place + 1
end

-- ---- matchers ----

local function single(test)
  return { test = test, match = function(text, place, after)
    return place <= #text and test(text:sub(place, place)) and after(place + 1)
  end }
end

local function at_start(_, place, after)
  return place == 1 and after(place)
end

local function at_end(text, place, after)
  return place == #text + 1 and after(place)
end

local function at_edge(text, place, after)
  local before, behind = text:sub(place - 1, place - 1), text:sub(place, place)
  return (place > 1 and before:find "[%w_]" ~= nil) ~= (behind:find "[%w_]" ~= nil) and after(place)
end

local function sequence(one, other)
  return function(text, place, after)
    return one(text, place, function(behind) return other(text, behind, after) end)
  end
end

local function either(one, other)
  return function(text, place, after)
    return one(text, place, after) or other(text, place, after)
  end
end

local function repeat_single(test, least, most)
  return function(text, place, after)
    local last = place
    while last - place < most and last <= #text and test(text:sub(last, last)) do
      last = last + 1
    end
    for behind = last, place + least, -1 do
      if after(behind) then
        return true
      end
    end
    return false
  end
end

local function repeat_group(match, least, most)
  return function(text, place, after)
    local function try(count, at)
      return count < most and match(text, at, function(behind)
        return (behind > at or count < least) and try(count + 1, behind)
      end) or count >= least and after(at)
    end
    return try(0, place)
  end
end

-- ---- the grammar ----

local read_alternatives

local ANCHORS = { ["^"] = at_start, ["$"] = at_end }

local function read_atom(pattern, place)
  local char = pattern:sub(place, place)
  if char == "(" then
    local match, behind = read_alternatives(pattern, pattern:match("^%(%?:()", place) or place + 1)
    if pattern:sub(behind, behind) ~= ")" then
      fail "an open group"
    end
    return { match = match }, behind + 1
  elseif char == "[" then
    local test, behind = read_class(pattern, place + 1)
    return single(test), behind
  elseif char == "\\" then
    local next_char = pattern:sub(place + 1, place + 1)
    return next_char == "b" and { match = at_edge } or single(escaped(next_char)), place + 2
  elseif char:find "[*+?{]" then
    fail "nothing to repeat"
  elseif ANCHORS[char] then
    return { match = ANCHORS[char] }, place + 1
  end
  return single(char == "." and any or test_of(char)), place + 1
end

local COUNTS = { ["*"] = { 0, math.huge }, ["+"] = { 1, math.huge }, ["?"] = { 0, 1 } }

-- The least and the most times that an atom is repeated, and the place behind; nil: it is not.
local function read_counts(pattern, place)
  local least, comma, most, behind = pattern:match("^{(%d+)(,?)(%d*)}()", place)
  if least then
    return tonumber(least), tonumber(most) or comma == "," and math.huge or tonumber(least), behind
  end
  local counts = COUNTS[pattern:sub(place, place)]
  if counts then
    return counts[1], counts[2], place + 1
  end
end

local function nothing(_, place, after)
  return after(place)
end

local function read_sequence(pattern, place)
  local match = nothing
  while place <= #pattern and not pattern:find("^[|)]", place) do
    local atom
    atom, place = read_atom(pattern, place)
    local least, most, behind = read_counts(pattern, place)
    local one = atom.match
    if least then
      one = atom.test and repeat_single(atom.test, least, most) or repeat_group(atom.match, least, most)
      -- Whether a text matches does not depend on laziness.
      place = pattern:match("^%?()", behind) or behind
    end
    match = sequence(match, one)
  end
  return match, place
end

function read_alternatives(pattern, place)
  local match, behind = read_sequence(pattern, place)
  while pattern:sub(behind, behind) == "|" do
    local other
    other, behind = read_sequence(pattern, behind + 1)
    match = either(match, other)
  end
  return match, behind
end

local function found()
  return true
end

--- The test of a pattern; nil if it is none.
---@param pattern string
---@return (fun(text: string): boolean)? test whether the text contains a match
---@return string? problem
function regex.compile(pattern)
  local ok, match, behind = pcall(read_alternatives, pattern, 1)
  if not ok then
    return nil, type(match) == "table" and match.regex or error(match, 0)
  elseif behind <= #pattern then
    return nil, "a closed group"
  end
  return function(text)
    for place = 1, #text + 1 do
      if match(text, place, found) then
        return true
      end
    end
    return false
  end
end

return regex

--- Words of protocols in ASCII, whatever the locale. On PUC Lua string.lower() and upper(), and the classes %a, %l, %s,
-- %u and %w of patterns, follow the locale: in a Turkish one, FAILED in lower case is not "failed".

local ascii = {}

local LOWER, UPPER = {}, {}
for code = ("A"):byte(), ("Z"):byte() do
  local upper, lower = string.char(code), string.char(code + 32)
  LOWER[upper], UPPER[lower] = lower, upper
end

--- The text with A to Z in lower case.
---@param text string
---@return string
function ascii.lower(text)
  return (text:gsub("[A-Z]", LOWER))
end

--- The text with a to z in upper case.
---@param text string
---@return string
function ascii.upper(text)
  return (text:gsub("[a-z]", UPPER))
end

--- The text without the blanks around it. (One pattern for both ends takes quadratic time for many blanks.)
---@param text string
---@return string
function ascii.trim(text)
  local first = text:find "[^ \t-\r]"
  return first and text:match("^.*[^ \t-\r]", first) or ""
end

--- A word of a protocol in the form in which words are compared: "Timed out", "TIMED_OUT" and " timed-out" are equal.
---@param text string
---@return string
function ascii.word(text)
  return (ascii.lower(ascii.trim(text)):gsub("[- \t]+", "_"))
end

return ascii

--- Words of protocols in ASCII, whatever the locale: string.lower() and upper(), and the classes %a, %l, %u and %w of
-- patterns, follow it on PUC Lua, and in a Turkish one FAILED is no "failed".

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

return ascii

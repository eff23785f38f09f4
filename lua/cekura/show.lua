--- Values from the program or the service, for messages: on one line, cut to at most 200 bytes. All messages show
-- values through these functions.

local core = require "cekura.core"

local show = {}

local LONGEST = 200

local function one_line(text)
  return (text:gsub("[%z\1-\31\127]+", " "))
end

--- The text on one line, cut to at most `limit` bytes (200) between two characters.
---@param text string
---@param limit? integer
---@return string
function show.excerpt(text, limit)
  limit = limit or LONGEST
  if #text > limit then
    local cut = limit
    while limit - cut < 3 and text:find("^[\128-\191]", cut + 1) do
      cut = cut - 1
    end
    -- More continuation bytes in a row than a character has: this is not UTF-8, so it is cut anywhere.
    text = text:sub(1, text:find("^[\128-\191]", cut + 1) and limit or cut)
  end
  return one_line(text)
end

--- The type of a value: for an object of the module, its class.
---@param value any
---@return string
function show.type(value)
  return value == nil and "nothing" or core.type(value) or type(value)
end

--- A value as text: strings, numbers and booleans as they are, anything else by its type.
---@param value any
---@return string
function show.value(value)
  local kind = type(value)
  if kind == "string" then
    return show.excerpt(value)
  elseif kind == "number" or kind == "boolean" then
    return tostring(value)
  end
  return show.type(value)
end

--- The same, with quotes around a string. With them it has at most 200 bytes, too.
---@param value any
---@return string
function show.quoted(value)
  return type(value) == "string" and '"' .. show.excerpt(value, LONGEST - 2) .. '"' or show.value(value)
end

--- string.format() for messages: %s is show.value(), %q is show.quoted().
---@param format string
---@return string
function show.format(format, ...)
  local values, place = { ... }, 0
  return (format:gsub("%%([0-9.]*)([A-Za-z%%])", function(width, directive)
    if directive == "%" then
      return "%"
    end
    place = place + 1
    if directive == "s" then
      return show.value(values[place])
    elseif directive == "q" then
      return show.quoted(values[place])
    end
    return ("%" .. width .. directive):format(values[place])
  end))
end

-- The port after the colon; any other text may be a password, in a URL that lacks its host.
local function port(text)
  return #text <= 5 and text:find "^[0-9]+$" and ":" .. text or ":…"
end

--- A URL without the parts that may hold a secret: user, password and query. A text that is neither a URL nor the name
--- of a host may be a key, and is not shown.
---@param url string
---@return string
function show.url(url)
  local scheme, rest = url:match "^([A-Za-z][A-Za-z0-9+.-]*://)(.*)$"
  if not scheme and url ~= "" and not url:find "^[A-Za-z0-9-]+[.:]" then
    return ("a text of %d bytes"):format(#url)
  end
  rest = (rest or url):gsub("^.*@", "…@"):gsub("[?#].*$", "?…")
  local host, path = rest:match "^([^/]*)(.*)$"
  for _, form in ipairs { "^(%[[^%]]*%]):([^:]*)$", "^([^%[]*):([^:]*)$" } do
    host = host:gsub(form, function(name, text)
      return name .. port(text)
    end)
  end
  return show.quoted((scheme or "") .. host .. path)
end

--- The text of an error value: an object by its own __tostring, any other table by its type.
---@param value any
---@return string
function show.raised(value)
  local meta = getmetatable(value)
  if type(value) == "string" or type(meta) == "table" and meta.__tostring then
    local ok, text = pcall(tostring, value)
    return ok and text or ("%s (%s)"):format(type(value), show.value(text))
  end
  return show.value(value)
end

return show

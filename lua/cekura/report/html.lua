--- Text of the service in HTML: escaped, and URLs only where they are harmless.

local core = require "cekura.core"

local html = {}

local ENTITIES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }

local REPLACEMENT = "\239\191\189" -- U+FFFD

-- The escapes of texts: of control characters, and of those that reorder text that follows them, there is a sign.
-- U+0080 to U+009F, U+202A to U+202E, U+2066 to U+2069.
local function without_controls(text)
  return (text:gsub("[%z\1-\8\11\12\14-\31\127]", REPLACEMENT):gsub("\r\n?", "\n"):gsub("\194[\128-\159]", REPLACEMENT)
    :gsub("\226\128[\170-\174]", REPLACEMENT):gsub("\226\129[\166-\169]", REPLACEMENT))
end

--- A text for an element or an attribute in quotation marks.
---@param text string
---@return string
function html.escape(text)
  return (without_controls(text):gsub("[&<>\"']", ENTITIES))
end

--- A text without the API key of the record's client, which the service may repeat.
---@param record cekura.Record
---@param text string
---@return string
function html.redact(record, text)
  local client = core.owner(record)
  return client and core.redact(client, text) or text
end

--- A URL that may stand in a link or be the source of a recording: of a host, without a user or a password.
---@param value any
---@return string? url without its fragment, string? source what a Content-Security-Policy calls its host
function html.url(value)
  if type(value) ~= "string" or #value > 8192 or value:find "[%z\1-\32\127<>\"'`\\{}|^\128-\255]" then
    return nil
  end
  local url = value:gsub("#.*$", "")
  local scheme, host, port, rest = url:match "^([Hh][Tt][Tt][Pp][Ss]?)://([%w.-]+)(:?%d*)(.*)$"
  if not scheme or port == ":" or #port > 6 or not rest:find "^[/?]" and rest ~= "" then
    return nil
  end
  return url, scheme:lower() .. "://" .. host .. port
end

--- A number with at most so many digits after the point, whatever the locale.
---@param number number not negative
---@param digits integer at least 1
---@return string
function html.decimal(number, digits)
  local unit = 10 ^ digits
  local whole = math.floor(number * unit + 0.5)
  local text = ("%.0f.%0" .. digits .. ".0f"):format(math.floor(whole / unit), whole % unit)
  return (text:gsub("0+$", ""):gsub("%.$", ""))
end

--- A time in a call: "1:05", or "1:02:03" from an hour on.
---@param seconds number
---@return string
function html.clock(seconds)
  local minutes, rest = math.floor(seconds / 60), math.floor(seconds % 60)
  if minutes >= 60 then
    return ("%.0f:%02d:%02d"):format(math.floor(minutes / 60), minutes % 60, rest) -- hours may be beyond 64 bits
  end
  return ("%d:%02d"):format(minutes, rest)
end

--- How long something lasts: "10.6 s", or "4:58" from a minute on.
---@param seconds number
---@return string
function html.duration(seconds)
  return seconds < 60 and html.decimal(seconds, 1) .. " s" or html.clock(seconds)
end

return html

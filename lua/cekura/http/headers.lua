--- Headers of requests, checked and written as lines.

local ascii = require "cekura.http.ascii"
local check = require "cekura.check"
local errors = require "cekura.errors"
local uri = require "cekura.http.uri"

local headers = {}

local function unsafe(text)
  return text:find "[%z\r\n]" ~= nil
end

-- What belongs to the connection, or to this module.
local RESERVED = {
  ["x-cekura-api-key"] = "set api_key", host = "it follows from the URL",
  ["content-length"] = "it follows from the body", ["transfer-encoding"] = "it follows from the body",
  connection = "connections are pooled", ["user-agent"] = "set user_agent",
}

--- Header lines of a table of headers. Raises for what cannot be a header.
---@param name string what the table is called
---@param given? table<string, string>
---@param lines string[] that the lines are added to
---@return string[] lines
function headers.lines(name, given, lines)
  local names = {}
  for header, value in pairs(given and check.table(name, given) or {}) do
    check.text(name .. ": the name of a header", header)
    local token = header:match "^[A-Za-z0-9!#$%%&'*+%-.^_`|~]*"
    if token ~= header or header == "" then -- not all of it: it may be a whole line, value and all
      errors.misuse(("%s: what begins with %q is no name of a header"):format(name, token))
    end
    local why = RESERVED[(ascii.lower(header):gsub("_", "-"))] -- as servers by WSGI read it
    if why then
      errors.misuse(("%s: %s cannot be set here: %s"):format(name, header, why))
    end
    if type(value) == "number" then
      value = uri.text(name, value)
    end
    if unsafe(check.text(name .. ": " .. header, value)) then
      errors.misuse(("%s: the value of %s has a CR, LF or NUL"):format(name, header))
    end
    names[#names + 1] = { header, value }
  end
  table.sort(names, function(a, b)
    return a[1] < b[1]
  end)
  for _, pair in ipairs(names) do
    -- libcurl's form for a header with an empty value
    lines[#lines + 1] = pair[2] == "" and pair[1] .. ";" or pair[1] .. ": " .. pair[2]
  end
  return lines
end

--- Header lines of a request whose body is of that type, unless the headers name another.
---@param given? table<string, string>
---@param content_type? string
---@return string[]?
function headers.request_lines(given, content_type)
  local lines = headers.lines("headers", given, {})
  for _, line in ipairs(lines) do
    if ascii.lower(line):find "^content%-type[:;]" then
      return lines
    end
  end
  if content_type then
    lines[#lines + 1] = "Content-Type: " .. content_type
  end
  return lines[1] and lines
end

return headers

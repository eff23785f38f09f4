--- Headers in the form of the program, a table, and in the form for sending, a list of lines "Name: value".

local ascii = require "cekura.http.ascii"
local check = require "cekura.check"
local errors = require "cekura.errors"
local uri = require "cekura.http.uri"

local headers = {}

-- Headers that belong to the connection, or to this module, and what to do instead of setting them.
local RESERVED = {
  ["x-cekura-api-key"] = "set api_key", host = "it follows from the URL",
  ["content-length"] = "it follows from the body", ["transfer-encoding"] = "it follows from the body",
  connection = "connections are pooled", ["user-agent"] = "set user_agent",
}

local function check_name(name, header)
  check.text(name .. ": the name of a header", header)
  local token = header:match "^[A-Za-z0-9!#$%%&'*+%-.^_`|~]*"
  if token ~= header or header == "" then -- the message shows the token alone: the rest may be a value
    errors.misuse("%s: a header name expected, got one that begins with %q", name, token)
  end
  local why = RESERVED[(ascii.lower(header):gsub("_", "-"))] -- as servers by WSGI read it
  if why then
    errors.misuse("%s: %s cannot be set here: %s", name, header, why)
  end
end

local function value_text(name, header, value)
  if type(value) == "number" then
    value = uri.text(name, value)
  end
  if check.text(name .. ": " .. header, value):find "[%z\r\n]" then
    errors.misuse("%s: the value of %s has a CR, LF or NUL", name, header)
  end
  return value
end

--- The lines of a table of headers, sorted by name. Raises for a name or a value that cannot be sent.
---@param name string the argument that the table is
---@param given? table<string, string>
---@param lines string[] the lines are added to it
---@return string[] lines
function headers.lines(name, given, lines)
  local names, values = {}, {}
  for header, value in pairs(given and check.table(name, given) or {}) do
    check_name(name, header)
    names[#names + 1], values[header] = header, value_text(name, header, value)
  end
  table.sort(names)
  for _, header in ipairs(names) do
    local value = values[header]
    lines[#lines + 1] = value == "" and header .. ";" or header .. ": " .. value -- libcurl's form for an empty value
  end
  return lines
end

--- The lines of one request, with the type of its body unless the headers name another.
---@param given? table<string, string>
---@param content_type? string
---@return string[]? lines nil: none
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

--- Whether the lines set a condition that 304 answers (RFC 9110, 13.1).
---@param lines? (string|userdata)[] a secret cannot set one
---@return boolean
function headers.is_conditional(lines)
  for _, line in ipairs(lines or {}) do
    local name = type(line) == "string" and ascii.lower(line):match "^[^:;]*"
    if name == "if-none-match" or name == "if-modified-since" then
      return true
    end
  end
  return false
end

return headers

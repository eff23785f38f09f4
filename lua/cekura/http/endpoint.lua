--- Endpoints as declarations write them, with places: "GET /v1/things/{thing_id}/progress/".

local errors = require "cekura.errors"
local uri = require "cekura.http.uri"

local endpoint = {}

local METHODS = { GET = true, POST = true, PUT = true, PATCH = true, DELETE = true }

--- Method and path; nil if the text is not an endpoint.
---@param text any
---@return string? method, string? path
function endpoint.parse(text)
  if type(text) ~= "string" then
    return nil
  end
  local method, path = text:match "^([A-Z]+) (/[A-Za-z0-9%-._~/{}]*)$"
  if not METHODS[method] or path:gsub("{[A-Za-z0-9_]+}", ""):find "[{}]" or path:find "//" then
    return nil
  end
  return method, path
end

--- Whether the endpoint has a place of that name.
---@param text string
---@param name string
function endpoint.has(text, name)
  return text:find("{" .. name .. "}", 1, true) ~= nil
end

--- The names of its places, in their order.
---@param text string
---@return string[]
function endpoint.places(text)
  local names = {}
  for name in text:gmatch "{([A-Za-z0-9_]+)}" do
    names[#names + 1] = name
  end
  return names
end

--- The path with empty placeholders, which stands for the paths of all records.
---@param text string
---@return string
function endpoint.common_path(text)
  return (text:match("/.*"):gsub("{[A-Za-z0-9_]+}", ""))
end

--- A path, or a piece of one, with the places filled in. Raises for a missing value.
---@param what string the endpoint's name in errors
---@param path string
---@param values table<string, string|number>
---@return string
function endpoint.fill_path(what, path, values)
  return (path:gsub("{([A-Za-z0-9_]+)}", function(name)
    if values[name] == nil then
      errors.misuse("%s: %s is missing", what, name)
    end
    return uri.encode(uri.text(name, values[name]))
  end))
end

--- Method and path with the places filled in. Raises for a missing value.
---@param what string the endpoint's name in errors
---@param text string
---@param values table<string, string|number>
---@return string method, string path
function endpoint.fill(what, text, values)
  local method, path = endpoint.parse(text)
  return method, endpoint.fill_path(what, path, values)
end

return endpoint

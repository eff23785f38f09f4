--- URIs of requests: their paths and queries.

local uri = {}

local function unescape(text)
  return (text:gsub("%%(%x%x)", function(hex)
    return string.char(tonumber(hex, 16))
  end))
end

local function escape(text)
  return (tostring(text):gsub("[^A-Za-z0-9%-._~]", function(char)
    return ("%%%02X"):format(char:byte())
  end))
end

--- Splits the target of a request.
---@param target string "/path/?name=value"
---@return string path without escapes
---@return table<string, string|string[]> query a name that occurs several times has a list
function uri.split(target)
  local path, query = target:match "^([^?]*)%??(.*)$"
  local found = {}
  for part in query:gmatch "[^&]+" do
    local name, value = part:match "^([^=]*)=?(.*)$"
    name, value = unescape(name), unescape((value:gsub("%+", " ")))
    local earlier = found[name]
    if earlier == nil then
      found[name] = value
    elseif type(earlier) == "table" then
      earlier[#earlier + 1] = value
    else
      found[name] = { earlier, value }
    end
  end
  return unescape(path), found
end

--- A query, without its "?".
---@param query table<string, string>
---@return string
function uri.encode_query(query)
  local parts = {}
  for name, value in pairs(query) do
    for _, each in ipairs(type(value) == "table" and value or { value }) do
      parts[#parts + 1] = escape(name) .. "=" .. escape(each)
    end
  end
  table.sort(parts)
  return table.concat(parts, "&")
end

return uri

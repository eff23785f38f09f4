--- Headers of a request that the program has received, in the forms of various HTTP servers.

local ascii = require "cekura.http.ascii"

local received = {}

-- The name as it is compared: Prosody has underscores in place of hyphens.
local function comparable(name)
  return (ascii.lower(name):gsub("_", "-"))
end

-- Adds the strings in a value that are not yet in the list. The value may be a list, too, which begins at 1 in nginx,
-- and at 0 in HAProxy.
local function add(list, value)
  if type(value) == "table" then
    for place = 0, #value do
      add(list, value[place])
    end
  elseif type(value) == "string" then
    for _, known in ipairs(list) do
      if known == value then
        return
      end
    end
    list[#list + 1] = value
  end
end

--- The different values of a header.
---@param headers table by their names in any case, with hyphens or underscores, where a value is a string or a list of
---them (nginx, HAProxy, Prosody, a table that the program makes); a table that finds a name by its metatable; or an
---object whose method `get` returns all values (lua-http)
---@param name string in lower case, with hyphens
---@return string[] values
function received.values(headers, name)
  local list, get = {}, headers.get
  if type(get) == "function" then
    add(list, { get(headers, name) })
    return list
  end
  for key, value in pairs(headers) do
    if type(key) == "string" and comparable(key) == name then
      add(list, value)
    end
  end
  if not list[1] then
    add(list, headers[name])
  end
  return list
end

return received

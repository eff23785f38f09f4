--- Checks of arguments. Each raises at the caller's line, with the argument's name; it returns the value, unless its
-- comment says otherwise.

local core = require "cekura.core"
local errors = require "cekura.errors"
local nearest = require "cekura.nearest"

local check = {}

local function describe(value)
  if value == nil then
    return "nothing"
  end
  return type(value)
end

local function refuse(name, wanted, value)
  return errors.misuse(("%s: %s expected, got %s"):format(name, wanted, describe(value)))
end

local function is_integer(value)
  return type(value) == "number" and value % 1 == 0 and value > -2 ^ 63 and value < 2 ^ 63
end

--- A table.
function check.table(name, value)
  if type(value) ~= "table" then
    refuse(name, "table", value)
  end
  return value
end

--- A table of options with no names but these; for nil, an empty table.
function check.options(name, value, known)
  value = value == nil and {} or check.table(name, value)
  for option in pairs(value) do
    if not known[option] then
      errors.misuse(("%s: there is no option %s%s"):format(name, tostring(option), nearest(option, known)))
    end
  end
  return value
end

--- A function, another value that can be called, or nil.
function check.callback(name, value)
  if value ~= nil and type(value) ~= "function" then
    local meta = getmetatable(value)
    if type(meta) ~= "table" or not meta.__call then
      refuse(name, "function", value)
    end
  end
  return value
end

--- A string.
function check.text(name, value)
  if type(value) ~= "string" then
    refuse(name, "string", value)
  end
  return value
end

--- A number.
function check.number(name, value)
  if type(value) ~= "number" or value ~= value then
    refuse(name, "number", value)
  end
  return value
end

--- A boolean, or nil.
function check.flag(name, value)
  if value ~= nil and type(value) ~= "boolean" then
    refuse(name, "boolean", value)
  end
  return value
end

--- A number of seconds above zero, or nil.
function check.seconds(name, value)
  if value == nil then
    return nil
  end
  if type(value) ~= "number" then
    refuse(name, "number of seconds", value)
  end
  if value <= 0 or value ~= value then
    errors.misuse(("%s: a number of seconds above 0 expected, got %s"):format(name, tostring(value)))
  end
  return value
end

local TIMEOUT = { timeout = true }

--- The last argument of a call that makes a request: { timeout = seconds }, or nil. Returns the seconds.
function check.timeout(options)
  return check.seconds("timeout", check.options("options", options, TIMEOUT).timeout)
end

--- A whole number from `least` to `most` (2^53), or nil.
function check.count(name, value, least, most)
  if value == nil then
    return nil
  end
  most = most or 2 ^ 53
  if not is_integer(value) or value < least or value > most then
    errors.misuse(("%s: a whole number from %d to %.0f expected, got %s"):format(name, least, most, tostring(value)))
  end
  return value
end

--- A list: a table with the keys 1 to n and no others. Returns n.
function check.list(name, value)
  check.table(name, value)
  local count = 0
  while value[count + 1] ~= nil do
    count = count + 1
  end
  for key in pairs(value) do
    if not is_integer(key) or key < 1 or key > count then
      errors.misuse(("%s: a list expected, got a table with the key %s"):format(name, tostring(key)))
    end
  end
  return count
end

-- Beyond 2^53 a float may differ from the number that was written.
local function is_exact(value)
  return is_integer(value) and (math.type and math.type(value) == "integer" or value > -2 ^ 53 and value < 2 ^ 53)
end

--- An id: a whole number or a non-empty string.
function check.id(name, value)
  if type(value) == "string" and value ~= "" or is_exact(value) then
    return value
  elseif is_integer(value) then
    errors.misuse(("%s: a number of that size is not exact here: give the id as a string"):format(name))
  end
  if type(value) == "string" or type(value) == "number" then
    errors.misuse(("%s: an id expected, got %s"):format(name, value == "" and "an empty string" or tostring(value)))
  end
  return refuse(name, "id", value)
end

--- A list of ids.
function check.ids(name, value)
  for index = 1, check.list(name, value) do
    check.id(("%s[%d]"):format(name, index), value[index])
  end
  return value
end

--- Wraps every Lua method of a type so that it raises at the caller's line if its first argument is of another type,
-- as in `client.request("GET", …)` with a dot. The methods in C check it themselves.
---@param what string "client", "job" or the class of a record, as core.type() says
---@param methods table
function check.methods(what, methods)
  for name, method in pairs(methods) do
    if type(method) == "function" and debug.getinfo(method, "S").what ~= "C" then
      methods[name] = function(self, ...)
        if core.type(self) ~= what then
          refuse(("%s:%s: self"):format(what, name), what, self)
        end
        return method(self, ...)
      end
    end
  end
end

return check

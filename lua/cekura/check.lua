--- Checks of arguments. Each raises at the caller's line, with the argument's name; it returns the value, unless its
-- comment says otherwise.

local core = require "cekura.core"
local errors = require "cekura.errors"
local nearest = require "cekura.nearest"
local show = require "cekura.show"

local check = {}

local function refuse(name, wanted, value)
  return errors.misuse("%s: %s expected, got %s", name, wanted, show.type(value))
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

--- One of the known names, which are the keys of a table. Returns the table's value for it. Any other name raises an
-- error that suggests the nearest known one.
---@param name string
---@param what string what the names are of: "option", "parameter", "kind", …
---@param given any
---@param known table<string, any>
---@param hint? string appended to the message
function check.known(name, what, given, known, hint)
  local value = known[given]
  if value == nil then
    errors.misuse("%s: there is no %s %s%s%s", name, what, given, (nearest(given, known)), hint or "")
  end
  return value
end

--- For __index: a missing name reads as nil, as in any table, but one that resembles a known name raises, because it is
-- probably misspelt. Names that begin with "_" are private, and never raise.
---@param what string the object: "job"
---@param name any
---@param known table<string, any>
function check.spelling(what, name, known)
  if type(name) ~= "string" or name:sub(1, 1) == "_" or rawget(known, name) ~= nil then
    return
  end
  local hint, is_near = nearest(name, known)
  if is_near then
    errors.misuse("%s: there is no %s%s", what, name, hint)
  end
end

--- A table of options whose names are all known; for nil, an empty table.
function check.options(name, value, known)
  value = value == nil and {} or check.table(name, value)
  for option in pairs(value) do
    check.known(name, "option", option, known)
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
    errors.misuse("%s: a number of seconds above 0 expected, got %s", name, value)
  end
  return value
end

--- The interval of polls: seconds, "adaptive" or nil.
function check.interval(name, value)
  if value == "adaptive" then
    return value
  elseif type(value) == "string" then
    errors.misuse('%s: a number of seconds or "adaptive" expected, got %q', name, value)
  elseif value ~= nil and type(value) ~= "number" then
    refuse(name, 'number of seconds or "adaptive"', value)
  end
  return check.seconds(name, value)
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
    errors.misuse("%s: a whole number from %d to %.0f expected, got %s", name, least, most, value)
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
      errors.misuse("%s: a list expected, got a table with the key %s", name, key)
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
    errors.misuse("%s: a number of that size is not exact here: give the id as a string", name)
  end
  if type(value) == "string" or type(value) == "number" then
    errors.misuse("%s: an id expected, got %s", name, value == "" and "an empty string" or value)
  end
  return refuse(name, "id", value)
end

--- A list of ids.
function check.ids(name, value)
  for index = 1, check.list(name, value) do
    check.id(show.format("%s[%d]", name, index), value[index])
  end
  return value
end

-- ---- how functions are called ----

-- The methods that check.methods() has made. The core keeps them: a program may load this file again, but not the core.
core.checked_methods = core.checked_methods or setmetatable({}, { __mode = "k" })

local NONE = { tasks = false }

--- A method that raises at the caller's line if its first argument is not such an object, as in
-- `client.request("GET", …)` with a dot.
---@param what string the object: "client", "client.calls"
---@param name string
---@param method function in Lua or C
---@param is_one fun(value: any): any whether a value is such an object
---@param unbegun? table see cekura.loop.unbegun: its tasks are checked before each call, while there are any
function check.method(what, name, method, is_one, unbegun)
  unbegun = unbegun or NONE
  return function(self, ...)
    if not is_one(self) then
      errors.misuse("%s:%s: self: %s expected, got %s; call it with a colon: %s:%s(…)", what, name, what,
        show.type(self), what, name)
    elseif unbegun.tasks then
      unbegun.check()
    end
    return method(self, ...)
  end
end

--- Wraps all methods of a table in this way.
---@param what string
---@param methods table<string, function>
---@param is_one fun(value: any): any
---@param unbegun? table
---@return table methods
function check.methods(what, methods, is_one, unbegun)
  for name, method in pairs(methods) do
    if type(method) == "function" and not core.checked_methods[method] then
      methods[name] = check.method(what, name, method, is_one, unbegun)
      core.checked_methods[methods[name]] = true
    end
  end
  return methods
end

--- Wraps all functions of a module so that they raise at the caller's line where they are called with a colon.
---@param what string the module: "cekura"
---@param module table
---@return table module
function check.functions(what, module)
  for name, fn in pairs(module) do
    if type(fn) == "function" then
      module[name] = function(...)
        if rawequal((...), module) then
          errors.misuse("%s:%s: call it with a dot: %s.%s(…)", what, name, what, name)
        end
        return fn(...)
      end
    end
  end
  return module
end

return check

--- Assertions of the targets in Lua. Each function raises if its assertion does not hold.

local core = require "cekura.core"
local errors = require "cekura.errors"

local promise = {}

--- Asserts a condition.
function promise.holds(truth, what, ...)
  if not truth then
    error(("broken: " .. what):format(...), 2)
  end
end

local function same(a, b, as_numbers)
  if type(a) ~= "table" or type(b) ~= "table" then
    return a == b and type(a) == type(b) and (as_numbers or not math.type or math.type(a) == math.type(b))
  end
  if (getmetatable(a) == core.array_mt) ~= (getmetatable(b) == core.array_mt) then
    return false
  end
  for name, value in pairs(a) do
    if not same(value, b[name], as_numbers) then
      return false
    end
  end
  for name in pairs(b) do
    if a[name] == nil then
      return false
    end
  end
  return true
end

--- Asserts that two values are equal, tables member by member. Lists differ from objects, and integers from floats,
-- unless `as_numbers` is given.
function promise.same(a, b, what, as_numbers)
  if not same(a, b, as_numbers) then
    error(("broken: the same %s: %s and %s"):format(what, tostring(a), tostring(b)), 2)
  end
end

--- Asserts that a value is a number, neither infinite nor NaN.
function promise.finite(value, what)
  if type(value) ~= "number" or value ~= value or value == math.huge or value == -math.huge then
    error(("broken: %s is a finite number, not %s"):format(what, tostring(value)), 2)
  end
end

--- Asserts that `value, err` is nil and an error of one of the kinds, on one line. If the input is UTF-8, so is the
-- error, so that it can be encoded as JSON.
function promise.failed(value, err, kinds, read)
  if value ~= nil or not errors.is(err) or not kinds:find(err.kind, 1, true) or tostring(err):find "%c" then
    error(("broken: nil and an error of kind %s, not %s and %s"):format(kinds, tostring(value), tostring(err)), 2)
  elseif read and core.is_utf8(read) and not core.is_utf8(err.message) then
    error(("broken: the error is UTF-8: %q"):format(err.message), 2)
  end
end

return promise

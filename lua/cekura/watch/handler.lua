--- Calls the functions of a declaration: handlers, `improve` and `prompt`. Each call is a task, because a function may
-- wait and PUC Lua 5.1 cannot wait inside pcall.

local errors = require "cekura.errors"
local show = require "cekura.show"

local unpack = table.unpack or unpack -- luacheck: ignore 143

local handler = {}

-- The error for a raised value, with the stack of the coroutine that it ended.
local function raised_error(raised, where, co)
  local text = show.raised(raised)
  local traceback = debug.traceback(co, text)
  if type(raised) ~= "string" then -- no line stands before it
    local line = traceback:match "\n%s*([^%s%[][^\n]-:%d+): in"
    text = line and ("%s: %s"):format(line, text) or text
  end
  return errors.new("raised", ("%s: %s"):format(where, text),
    { traceback = traceback, cause = errors.is(raised) and raised or nil })
end

--- Calls a function and waits for its end. Reports an error that it raises.
---@param loop table
---@param report cekura.watch.Report
---@param where string the path of the function in the declaration
---@param fn function
---@return any value its result; nil if it raised an error
---@return cekura.Error? interrupted it was cancelled and is to be called again
function handler.call(loop, report, where, fn, ...)
  local co
  local arguments = { n = select("#", ...), ... }
  local task = loop.spawn(function()
    co = coroutine.running()
    return true, fn(unpack(arguments, 1, arguments.n))
  end)
  local ok, value = task:join()
  if ok then
    return value
  elseif errors.is(value) and value.kind == "cancelled" then
    task:cancel()
    return nil, value
  end
  report:problem(raised_error(value, where, co), where)
  return nil
end

return handler

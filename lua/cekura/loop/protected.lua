--- Calls of functions that may wait and may raise. Each is a task, because PUC Lua 5.1 cannot wait inside pcall.

local errors = require "cekura.errors"
local show = require "cekura.show"

local unpack = table.unpack or unpack -- luacheck: ignore 143

-- The error for a raised value, with the stack of the coroutine that it ended: nil if memory ran out before it began.
local function raised_error(raised, where, co)
  local text = show.raised(raised)
  local traceback = co and debug.traceback(co, text) or text
  if type(raised) ~= "string" then -- no line stands before it
    local line = traceback:match "\n%s*([^%s%[][^\n]-:%d+): in"
    text = line and ("%s: %s"):format(line, text) or text
  end
  return errors.new("raised", ("%s: %s"):format(where, text),
    { traceback = traceback, cause = errors.is(raised) and raised or nil })
end

--- Calls a function, and waits for its end.
---@param loop table
---@param where string what the function is, for the message
---@param fn function
---@return true? ok it has returned
---@return any value its first result; else an error: of kind "cancelled" if it was cancelled and is to be called again,
---"raised" if it has raised
---@return any second its second result
return function(loop, where, fn, ...)
  local co
  local arguments = { n = select("#", ...), ... }
  local task = loop.spawn(function()
    co = coroutine.running()
    return true, fn(unpack(arguments, 1, arguments.n))
  end)
  local ok, value, second = task:join()
  if ok then
    return true, value, second
  elseif errors.is(value) and value.kind == "cancelled" then
    task:cancel()
    return nil, value
  end
  return nil, raised_error(value, where, co)
end

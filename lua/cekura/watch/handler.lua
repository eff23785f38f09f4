--- Calls the functions of a declaration: handlers, `improve` and `prompt`.

local protected = require "cekura.loop.protected"

local handler = {}

--- Calls a function and waits for its end. Reports an error that it raises.
---@param loop table
---@param report cekura.watch.Report
---@param where string the path of the function in the declaration
---@param fn function
---@return any value its result; nil if it raised an error
---@return cekura.Error? interrupted it was cancelled and is to be called again
function handler.call(loop, report, where, fn, ...)
  local ok, value = protected(loop, where, fn, ...)
  if ok then
    return value
  elseif value.kind == "cancelled" then
    return nil, value
  end
  report:problem(value, where)
  return nil
end

return handler

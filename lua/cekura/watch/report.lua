--- Where the problems of a watch are told: its on_error, else the host's log.

local errors = require "cekura.errors"

-- What was raised may be anything.
local function as_error(raised, where)
  if errors.is(raised) then
    return raised
  end
  return errors.new("raised", ("%s: %s"):format(where, tostring(raised)))
end

local report = {}

--- Makes the function that tells of problems.
---@param log fun(line: string) the host's log
---@param position string the file and line of the declaration
---@param on_error? fun(err: cekura.Error, where: string)
---@return fun(err: any, where: string)
function report.new(log, position, on_error)
  return function(raised, where)
    local err = as_error(raised, where)
    if on_error then
      local ok, fault = pcall(on_error, err, where)
      if ok then
        return
      end
      log(("cekura: watch: %s: on_error: %s"):format(position, tostring(fault)))
    end
    local line = err.message
    for _, missing in ipairs { where, position } do
      line = line:find(missing, 1, true) and line or missing .. ": " .. line
    end
    log(("cekura: watch: %s: %s"):format(err.kind, line))
  end
end

--- The error for what a function of the declaration raised, with the stack of the coroutine that it ended in.
---@param raised any
---@param where string its path in the declaration
---@param co thread
---@return cekura.Error err of kind "raised", with `traceback`
function report.raised(raised, where, co)
  local traceback = debug.traceback(co, tostring(raised))
  local text = tostring(raised)
  if type(raised) ~= "string" then -- it names no line
    local line = traceback:match "\n%s*([^%s%[][^\n]-:%d+): in"
    text = line and ("%s: %s"):format(line, text) or text
  end
  return errors.new("raised", ("%s: %s"):format(where, text),
    { traceback = traceback, cause = errors.is(raised) and raised or nil })
end

return report

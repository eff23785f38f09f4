--- The reports of a watch: counters of its work, and errors, which go to its on_error, else to the host's log.

local atomic = require "cekura.loop.atomic"
local errors = require "cekura.errors"
local show = require "cekura.show"

---@class cekura.watch.Report
---@field log fun(line: string) the host's log
---@field position string the file and line of the declaration
---@field on_error? fun(err: cekura.Error, where: string)
---@field counters table<string, integer>
---@field first_mistake? cekura.Error in the declaration
---@field failures table<string, string> by path in the declaration: the error of the last attempt
local Report = {}
Report.__index = Report

local report = {}

--- Creates a report.
---@param log fun(line: string)
---@param position string
---@param on_error? fun(err: cekura.Error, where: string)
---@return cekura.watch.Report
function report.new(log, position, on_error)
  return setmetatable({ log = log, position = position, on_error = on_error, failures = {},
    counters = { evaluated = 0, started = 0, improved = 0, nothing_to_do = 0, failed = 0, errors = 0 } }, Report)
end

--- Whether an error only says that this side ends: the client was closed, or the task was cancelled.
function report.is_shutdown(err)
  return errors.is(err) and (err.kind == "closed" or err.kind == "cancelled")
end

--- Increments a counter.
---@param counter string
Report.count = atomic(function(self, counter)
  self.counters[counter] = self.counters[counter] + 1
end)

-- ---- problems ----

-- A task can raise any value.
local function as_error(raised, where)
  if errors.is(raised) then
    return raised
  end
  return errors.new("raised", ("%s: %s"):format(where, show.raised(raised)))
end

--- Reports a problem.
---@param raised any an error, or any value that a task raised
---@param where string a path in the declaration, as "agents[1].on_improved"
---@return cekura.Error err
function Report:problem(raised, where)
  self:count "errors"
  local err = as_error(raised, where)
  if self.on_error then
    local ok, fault = pcall(self.on_error, err, where)
    if ok then
      return err
    end
    self.log(("cekura: watch: %s: on_error: %s"):format(self.position, show.raised(fault)))
  end
  local line = errors.line(err)
  for _, missing in ipairs { where, self.position } do
    line = line:find(missing, 1, true) and line or missing .. ": " .. line
  end
  self.log(("cekura: watch: %s: %s"):format(err.kind, line))
  return err
end

--- Reports a mistake in the declaration.
---@param message string
---@param where string
function Report:mistake(message, where)
  local err = errors.new("config", self.position .. ": " .. message)
  self.first_mistake = self.first_mistake or err
  self:problem(err, where)
end

local set_failure = atomic(function(self, where, failure)
  local before = self.failures[where]
  self.failures[where] = failure
  return failure ~= before
end)

--- Records how an attempt that is repeated went. A failure is reported once, until it changes or an attempt succeeds.
---@param where string
---@param err any nil: it succeeded
function Report:attempted(where, err)
  if report.is_shutdown(err) then
    return
  end
  local failure = err and (errors.is(err) and ("%s %s"):format(err.kind, err.status or "") or tostring(err))
  if set_failure(self, where, failure) and err then
    self:problem(err, where)
  end
end

return report

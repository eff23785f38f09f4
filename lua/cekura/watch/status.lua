--- What watch:status() returns.

local atomic = require "cekura.loop.atomic"
local described = require "cekura.described"

local status = {}

---@class cekura.watch.Status
---@field state "running"|"standby"|"stopping"|"stopped" standby: another watch holds the store
---@field evaluated integer calls that were handled
---@field started integer improvements that were started
---@field improved integer those that gave a new prompt
---@field nothing_to_do integer those that gave none
---@field failed integer those that failed
---@field errors integer problems that were reported
---@field entries table<string, cekura.watch.EntryStatus> by name

---@class cekura.watch.EntryStatus
---@field path string in the declaration: "agents[1]"
---@field looked? number the date of the last scan
---@field running integer improvements that run
---@field waiting integer improvements that wait
---@field trouble? string the error of the last attempt

local Status = described("cekura.watch.status", function(result)
  return ("%s, %d evaluated, %d improved"):format(result.state, result.evaluated, result.improved)
end)

--- The status of a watch.
---@param supervisor cekura.watch.Supervisor
---@return cekura.watch.Status
status.of = atomic(function(supervisor)
  local schedule, failures = supervisor.schedule, supervisor.report.failures
  local held = supervisor.persistence and supervisor.persistence.state
  local result = setmetatable({ entries = {}, state = supervisor.over and "stopped"
    or supervisor.stopping and "stopping" or held and "running" or "standby" }, Status)
  for name, count in pairs(supervisor.report.counters) do
    result[name] = count
  end
  for _, entry in ipairs(supervisor.declared.entries) do
    result.entries[entry.name] = { path = entry.path, looked = entry.scanned, running = 0, waiting = 0,
      trouble = failures[entry.path] or failures[entry.path .. ".improve"] }
  end
  for _, item in ipairs(held and held.improvements or {}) do
    local entry = result.entries[item.entry]
    local what = schedule:is_running(item) and "running" or "waiting"
    if entry and not schedule:has_given_up(item) then
      entry[what] = entry[what] + 1
    end
  end
  return result
end)

return status

--- The number of runs of a result, and of those that succeeded: the record's counts, or, in a record without counts,
-- such as a webhook delivers, a count of its runs.

local times = require "cekura.records.times"
local status = require "cekura.job.status"

local run_counts = {}

--- A count, from a number or the text of a number; nil for anything else.
---@param value any
---@return number?
function run_counts.number(value)
  value = times.number(value)
  return value and math.max(0, value)
end

-- Counts runs: a list, or an object by their ids; nil without runs. A run that was cut off is neither a success nor a
-- failure, even with a verdict; a run without status has ended if it has a verdict.
local function count_runs(runs)
  local total, done, success, failed = 0, 0, 0, 0
  for _, run in pairs(type(runs) == "table" and runs or {}) do
    if type(run) ~= "table" then
      return {}
    end
    local word = status.read(run.status)
    local is_judged = type(run.success) == "boolean"
    local is_done = word == nil and is_judged or status.state(word) == "succeeded"
    total = total + 1
    done = done + (is_done and 1 or 0)
    success = success + (is_done and run.success == true and 1 or 0)
    failed = failed + (is_done and run.success == false and 1 or 0)
  end
  return total > 0 and { total = total, done = done, success = success, failed = failed } or {}
end

local COUNTED = { "total", "done", "success", "failed" }

local ENDS = { succeeded = true, failed = true, cancelled = true }

--- The counts of a record: its own; if it has ended and lists all of its runs, the missing ones are counted.
---@param declaration table the kind's, with `counters` of runs
---@param object table the record
---@return { total: number?, done: number?, success: number?, failed: number? }
function run_counts.read(declaration, object)
  local names, counts, is_whole = declaration.counters, {}, true
  for _, what in ipairs(COUNTED) do
    counts[what] = run_counts.number(object[names[what]])
    is_whole = is_whole and counts[what] ~= nil
  end
  if is_whole or not ENDS[status.state(status.read(object.status), declaration.statuses)] then
    return counts
  end
  local counted = count_runs(object[names.runs])
  if counts.total == nil or counts.total == counted.total then
    for what, count in pairs(counted) do
      counts[what] = counts[what] or count
    end
  end
  return counts
end

--- Whether the runs passed, by the service's rule; nil if nothing was run, or the counts do not suffice.
---@param counts table as run_counts.read() gives it
---@param is_completed boolean by the record's status
---@return boolean?
function run_counts.passed(counts, is_completed)
  if not counts.total or counts.total == 0 or is_completed and not counts.success then
    return nil
  end
  return is_completed and counts.success == counts.total
end

return run_counts

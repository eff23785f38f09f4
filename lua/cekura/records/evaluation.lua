--- Whether a call log shows a newer evaluation than it did.
-- An evaluation that was started on a record with a finished one shows the old one for a while: its words
-- alone do not tell when it is done. What changes is the time of the record's last update; and a start
-- takes the verdict away, which is such an update, too.

local core = require "cekura.core"
local times = require "cekura.records.times"
local token = require "cekura.job.token"

local evaluation = {}

---@class cekura.EvaluationMark what a record shows of a finished evaluation
---@field updated_at? string
---@field judged boolean its verdict is not null
---@field sum string of what its metrics say; "": it has none, or came without

local function scalar(value)
  if type(value) == "table" then
    return "…" -- its address would be another each time
  end
  return type(value) == "number" and ("%.14g"):format(value) or tostring(value)
end

-- By what the metrics say and not by their text: rows and records, v1 and v2 write the same in other ways.
local function sum_of(call)
  local said = {}
  for metric in call:metrics() do
    said[#said + 1] = ("%s=%s %s %s"):format(scalar(metric.id or metric.name), scalar(metric.passed),
      scalar(metric.score), scalar(metric.value))
  end
  table.sort(said)
  return #said > 0 and token.checksum(table.concat(said, "\n")) or ""
end

-- A verdict that did not come, since only some fields were asked for, was not taken away.
local function is_judged(call)
  return core.slice(call, "success") ~= "null"
end

local function says_other(call, mark)
  local sum = sum_of(call)
  return sum ~= "" and mark.sum ~= "" and sum ~= mark.sum
end

--- What a record shows; nil if its evaluation is not done: then the next that is done is newer.
---@param call cekura.CallLog
---@return cekura.EvaluationMark?
function evaluation.mark(call)
  if not call:evaluated() then
    return nil
  end
  return { updated_at = call:get "updated_at", judged = is_judged(call), sum = sum_of(call) }
end

--- Whether the record surely shows no newer evaluation than the mark: it is older, or the same.
---@param call cekura.CallLog
---@param mark cekura.EvaluationMark
function evaluation.is_stale(call, mark)
  local before, now = times.epoch(mark.updated_at), times.epoch(call:get "updated_at")
  if not before or not now then
    return false
  end
  return now < before or now == before and not says_other(call, mark)
end

--- Whether an evaluated record shows a newer evaluation than the mark.
---@param call cekura.CallLog
---@param mark? cekura.EvaluationMark
function evaluation.is_newer(call, mark)
  if not mark then
    return true
  elseif evaluation.is_stale(call, mark) then
    return false
  end
  local before, now = times.epoch(mark.updated_at), times.epoch(call:get "updated_at")
  local judged = is_judged(call)
  local updated = before and now and now > before or judged and not mark.judged
  -- Updated, and not only by the start that took the verdict away.
  return says_other(call, mark) or updated and (judged or not mark.judged) or false
end

--- The mark to hold the next record against, after one that shows no newer evaluation. Where that one shows that
-- the new evaluation has begun, by its status or by a verdict that was taken away, less is needed to be newer; and
-- a mark that knows no time, since it is of a record of which only some fields were asked for, learns it here.
---@param call cekura.CallLog
---@param mark cekura.EvaluationMark
---@return cekura.EvaluationMark?
function evaluation.next_mark(call, mark)
  local has_begun = mark.judged and not is_judged(call) and not evaluation.is_stale(call, mark)
  if has_begun or not mark.updated_at or not call:evaluated() then
    return evaluation.mark(call)
  end
  return mark
end

return evaluation

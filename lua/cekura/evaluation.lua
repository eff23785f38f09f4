--- Whether a call log shows a newer evaluation than it did.
-- An evaluation that was started on a record with a finished one shows the old one for a while: its words
-- alone do not tell when it is done. What changes is the time of the record's last update; and a start
-- takes the verdict away, which is such an update, too.

local times = require "cekura.times"
local token = require "cekura.token"

local evaluation = {}

---@class cekura.EvaluationMark what a record shows of a finished evaluation
---@field updated_at? string
---@field judged boolean it has a verdict
---@field sum string of what its metrics say; "": it has none, or came without

-- By what the metrics say and not by their text: rows and records, v1 and v2 write the same in other ways.
local function sum_of(call)
  local said = {}
  for metric in call:metrics() do
    said[#said + 1] = ("%s=%s %s %s"):format(tostring(metric.id or metric.name), tostring(metric.passed),
      type(metric.score) == "number" and ("%g"):format(metric.score) or "-", tostring(metric.value))
  end
  table.sort(said)
  return #said > 0 and token.checksum(table.concat(said, "\n")) or ""
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
  return { updated_at = call:get "updated_at", judged = call:get "success" ~= nil, sum = sum_of(call) }
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
  local judged = call:get "success" ~= nil
  local updated = before and now and now > before or judged and not mark.judged
  -- Updated, and not only by the start that took the verdict away.
  return says_other(call, mark) or updated and (judged or not mark.judged) or false
end

return evaluation

--- Evaluations of call logs: whether one is done, and whether it is newer than the one that the record showed before.
-- An evaluation that was started on a record with a finished one shows the old one for a while: the status alone does
-- not say when the new one is done. What changes is the time of the record's last update. A start takes the verdict
-- away, which is such an update, too.

local core = require "cekura.core"
local metric = require "cekura.records.metric"
local status = require "cekura.job.status"
local times = require "cekura.records.times"
local token = require "cekura.job.token"

local evaluation = {}

-- ---- whether it is done ----

local FINAL = { success = true, failure = true, reviewed_success = true, reviewed_failure = true }

-- A text of the documents has these, no schema has them.
local FINAL_WITH_VERDICT = { completed = true, failed = true }

--- Whether a status is that of a call log whose evaluation is done.
---@param word? string as cekura.job.status reads it
function evaluation.is_final(word)
  return FINAL[word] or false
end

--- Whether the evaluation of a call log is done. While it goes on, the status is "evaluating". A record without a
--- status, of which only some fields were asked for, is evaluated when it has a verdict.
---@param call cekura.CallLog
---@return boolean
function evaluation.is_done(call)
  local word = status.read(call:get "status")
  if word == nil or FINAL_WITH_VERDICT[word] then
    return type(call:get "success") == "boolean"
  end
  return evaluation.is_final(word)
end

-- ---- whether it is newer ----

---@class cekura.EvaluationMark the traces of a finished evaluation in a record
---@field updated_at? string
---@field judged boolean its verdict is not null
---@field sum string checksum of its metrics; "": it has none, or they were not requested

local function scalar(value)
  if type(value) == "table" then
    return "…" -- its address differs each time
  end
  return type(value) == "number" and ("%.14g"):format(value) or tostring(value)
end

-- A checksum of the metrics' values. Their texts differ between rows and records, and between v1 and v2.
local function sum_of_metrics(call)
  local lines = {}
  for index, each in ipairs(metric.of_call(call)) do
    lines[index] = ("%s=%s %s %s"):format(scalar(each.id or each.name), scalar(each.passed), scalar(each.score),
      scalar(each.value))
  end
  table.sort(lines)
  return #lines > 0 and token.checksum(table.concat(lines, "\n")) or ""
end

-- A verdict that is missing because only some fields were requested was not removed.
local function is_judged(call)
  return core.slice(call, "success") ~= "null"
end

local function has_other_metrics(call, mark)
  local sum = sum_of_metrics(call)
  return sum ~= "" and mark.sum ~= "" and sum ~= mark.sum
end

--- What a record shows. Nil if its evaluation is not done: then the next one that is done is newer.
---@param call cekura.CallLog
---@return cekura.EvaluationMark?
function evaluation.mark(call)
  if not evaluation.is_done(call) then
    return nil
  end
  return { updated_at = call:get "updated_at", judged = is_judged(call), sum = sum_of_metrics(call) }
end

--- Whether the record certainly shows no newer evaluation than the mark: it is older, or the same.
---@param call cekura.CallLog
---@param mark cekura.EvaluationMark
function evaluation.is_stale(call, mark)
  local before, now = times.epoch(mark.updated_at), times.epoch(call:get "updated_at")
  if not before or not now then
    return false
  end
  return now < before or now == before and not has_other_metrics(call, mark)
end

--- Whether a record shows a finished evaluation that is newer than the mark; without a mark, any is.
---@param call cekura.CallLog
---@param mark? cekura.EvaluationMark
function evaluation.is_newer(call, mark)
  if not evaluation.is_done(call) then
    return false
  elseif not mark then
    return true
  elseif evaluation.is_stale(call, mark) then
    return false
  end
  local before, now = times.epoch(mark.updated_at), times.epoch(call:get "updated_at")
  local judged = is_judged(call)
  local updated = before and now and now > before or judged and not mark.judged
  -- Updated, and not only by the start that took the verdict away.
  return has_other_metrics(call, mark) or updated and (judged or not mark.judged) or false
end

--- The mark to compare the next record with, after one that shows no newer evaluation. If that one shows that the new
--- evaluation has begun, by its status or by a verdict that was taken away, less is needed to be newer. A mark without
--- a time, made from a record of which only some fields were asked for, gets it here.
---@param call cekura.CallLog
---@param mark cekura.EvaluationMark
---@return cekura.EvaluationMark?
function evaluation.next_mark(call, mark)
  local has_begun = mark.judged and not is_judged(call) and not evaluation.is_stale(call, mark)
  if has_begun or not mark.updated_at or not evaluation.is_done(call) then
    return evaluation.mark(call)
  end
  return mark
end

return evaluation

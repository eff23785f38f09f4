--- The meaning of the service's answers for a job.
-- Status words are an open set: an unknown word is not an error, but means that the job goes on. So the first criterion
-- is not the word, but whether the answer has usable output.

local ascii = require "cekura.http.ascii"
local core = require "cekura.core"
local evaluation = require "cekura.records.evaluation"
local reason = require "cekura.job.reason"
local record = require "cekura.records.record"
local response = require "cekura.http.response"
local result_record = require "cekura.records.result"
local run_counts = require "cekura.job.run_counts"
local show = require "cekura.show"
local status = require "cekura.job.status"
local times = require "cekura.records.times"

local interpret = {}

local CALL_LOG_MEMBERS = { "call_id", "transcript", "transcript_object", "evaluation", "voice_recording_url" }

local function text_or_nil(value)
  return type(value) == "string" and value ~= "" and value or nil
end

-- A single name is that of a string; each of several names may be that of a string or an object.
local function holds_output(holder, name)
  if type(holder) ~= "table" then
    return false
  elseif type(name) == "string" then
    return text_or_nil(holder[name]) ~= nil
  end
  for _, each in ipairs(name) do
    if text_or_nil(holder[each]) or type(holder[each]) == "table" and next(holder[each]) ~= nil then
      return true
    end
  end
  return false
end

-- The table that holds the usable output: the answer's `output`, or the answer itself; nil if neither does.
local function usable_output(declaration, object)
  local name = declaration.output
  if name then
    return holds_output(object.output, name) and object.output or holds_output(object, name) and object or nil
  end
end

--- The name of the output that makes an answer usable, for messages.
function interpret.output_name(declaration)
  local name = declaration.output
  return type(name) == "table" and table.concat(name, " or ") or name
end

local function is_call_log(object, failure)
  if object.output ~= nil or failure then
    return false
  elseif type(object.id) == "number" then -- the id of a call log: progress ids are strings
    return true
  end
  for _, name in ipairs(CALL_LOG_MEMBERS) do
    if object[name] ~= nil then
      return true
    end
  end
  return false
end

local function is_healthy(declaration, text)
  text = ascii.lower(text)
  for _, phrase in ipairs(declaration.benign_errors or {}) do
    if text:find("%f[A-Za-z0-9]" .. phrase .. "%f[^A-Za-z0-9]") then
      return true
    end
  end
  return false
end

local function copy(source)
  local target = {}
  for key, value in pairs(source) do
    target[key] = value
  end
  return target
end

-- The state by the words of an answer, and the word that decided.
local function state_of_words(declaration, object)
  local word = status.read(object.status)
  local state = status.state(word, declaration.statuses)
  if declaration.input_member and (state == nil or state == "pending") then
    local waiting = status.read(object[declaration.input_member])
    if status.state(waiting) == "needs_input" then
      return "needs_input", waiting
    end
  end
  return state, word
end

-- ---- counters ----

local DEFAULT_COUNTERS = { done = "completed_count", total = "total" }

-- The numbers of items that have ended, that failed among these, and in total; nil without such counters.
local function read_counters(declaration, object)
  local names = declaration.counters or DEFAULT_COUNTERS
  if names.runs then
    local counts = run_counts.read(declaration, object)
    return counts.total and counts.done, counts.failed, counts.total
  end
  local done, total = run_counts.number(object[names.done]), run_counts.number(object[names.total])
  local failed = names.failed and run_counts.number(object[names.failed]) or 0
  if done and total then
    return done + failed, failed, total
  end
end

-- The end by the counters, and a message if all items failed; nil: no end.
local function state_of_counters(declaration, object)
  local names = declaration.counters
  if not names or not names.decide then
    return nil
  end
  local ended, failed, total = read_counters(declaration, object)
  local list, why = names.list and object[names.list], reason(object.errors)
  if not ended or ended < total or total == 0 and not why and (type(list) ~= "table" or #list == 0) then
    return nil
  elseif failed == total and (total > 0 or why) then
    return "failed", ("all %d failed%s"):format(total, why and ": " .. why or "")
  end
  return "succeeded"
end

-- The progress, 0 to 1: the number in the answer, or the ratio of its counters; nil without either.
local function progress_of(declaration, object)
  local progress = times.number(object.progress)
  if progress and progress >= 0 and progress <= 1 then
    return progress
  end
  local ended, _, total = read_counters(declaration, object)
  if ended and total > 0 then
    return math.min(1, ended / total)
  end
end

-- ---- decision ----

-- Whether the answer's `output` is an object that is not empty.
local function has_output_object(object)
  local output = object.output
  return type(output) == "table" and getmetatable(output) ~= core.array_mt and next(output) ~= nil
end

---@class cekura.JobResult what the last answer of a job has: the members of its kind's results, and all others
---@field reason? string why there was nothing to do

--- The result of an end: a copy of the answer's `output`, if that is a non-empty object, else of the whole answer; with
-- the counts of its runs, and `passed`, which follows from them.
---@param declaration table
---@param object table
---@return table
function interpret.result(declaration, object)
  local result = copy(has_output_object(object) and object.output or object)
  local names = declaration.counters
  if names and names.runs then
    local counts = run_counts.read(declaration, object)
    for what, count in pairs(counts) do
      result[names[what]] = count
    end
    result_record.add_methods(result[names.runs])
    result.passed = run_counts.passed(counts, state_of_words(declaration, object) == "succeeded")
  end
  return result
end

-- The reason of a failure: from all members of the answer that may hold one, else from its status word.
local function why_of(object, word)
  local said = setmetatable({}, core.array_mt)
  for _, name in ipairs { "error", "errors", "error_message" } do
    said[#said + 1] = object[name]
  end
  return reason(said) or "the service says: " .. word
end

-- Whether the names have every place where the usable output of an answer may be.
local function has_output_names(declaration, names)
  local output = declaration.output
  for _, name in ipairs(type(output) == "table" and output or { output }) do
    if not names[name] then
      return false
    end
  end
  return names.output
end

--- Whether an answer with only some members of a record means the same as the record would, and has the same result.
---@param declaration table
---@param meaning cekura.Meaning that says more than that the job goes on
---@param names table<string, true> of the members
function interpret.is_complete(declaration, meaning, names)
  local object = meaning.object
  local failure = reason(object.error)
  if declaration.counters and declaration.counters.runs then
    return false
  elseif failure and is_healthy(declaration, failure) then
    return true
  elseif not declaration.output then
    return has_output_object(object)
  elseif meaning.state == "protocol" and declaration.call_log and evaluation.is_final(status.read(object.status)) then
    return false -- it may be a call log
  end
  return has_output_names(declaration, names)
    or object.output ~= nil and usable_output(declaration, object) == object.output
end

--- Whether a record lacks counts that its kind's results have. Webhooks deliver such records; a poll brings the counts.
---@param declaration table
---@param object table
function interpret.lacks_counts(declaration, object)
  local names = declaration.counters
  if not names or not names.runs then
    return false
  end
  local counts = run_counts.read(declaration, object)
  return not (counts.total and counts.success and counts.failed)
end

--- Reads an answer.
---@param declaration table the kind's
---@param object table the answer, decoded
---@return string state, table? result, string? message state "protocol": the answer reports success without the output;
---every end has a result
function interpret.read(declaration, object)
  local state, word = state_of_words(declaration, object)
  local failure = reason(object.error)
  local output = usable_output(declaration, object)
  if output then
    return "succeeded", copy(output)
  elseif failure and is_healthy(declaration, failure) then
    return "nothing_to_do", { reason = failure }
  elseif declaration.skipped_member and object[declaration.skipped_member] == true then
    return "nothing_to_do", { reason = "the service skipped it" }
  elseif declaration.call_log and evaluation.is_final(word) and is_call_log(object, failure) then
    -- The word is the verdict on the call, not the status of the job.
    return "succeeded", { call_log = object }
  elseif state == "failed" or state == "cancelled" then
    return state, interpret.result(declaration, object), why_of(object, word)
  elseif state == "nothing_to_do" then
    local result = interpret.result(declaration, object)
    if type(declaration.output) == "string" then
      result[declaration.output] = nil -- not usable
    end
    result.reason = failure or reason(object.error_message) or "the service says: " .. word
    return state, result
  elseif failure then
    return "failed", interpret.result(declaration, object), why_of(object)
  end
  local counted, message = state_of_counters(declaration, object)
  if counted or state == "succeeded" and not declaration.output then
    return counted or state, interpret.result(declaration, object), message
  elseif state == "succeeded" then
    return "protocol", nil, show.format("the answer says %q and has no %s", word, interpret.output_name(declaration))
  elseif state == "needs_input" then
    return state, nil, "the service waits for an answer"
  end
  return state or (word and "running" or "pending")
end

---@class cekura.Meaning the meaning, for a job, of an answer or of a record that a webhook delivered
---@field object table|cekura.CallLog the answer, decoded
---@field reply? cekura.Response the response with the answer
---@field text? string the JSON text, unless there is a reply
---@field state string see interpret.read()
---@field result? table
---@field message? string

--- The object in an answer: a call log, if the kind's answers are call logs, else a table.
---@param declaration table the kind's
---@param reply cekura.Response
---@return (table|cekura.CallLog)? object, cekura.Error? err of kind "protocol": the body is not a JSON object
function interpret.object(declaration, reply)
  if declaration.record then
    return record.of_reply(reply, declaration.record)
  end
  return response.object(reply)
end

--- Reads the reply to a poll.
---@param declaration table the kind's
---@param mark? cekura.EvaluationMark of a job that waits for a newer evaluation of its call log
---@param reply cekura.Response
---@return cekura.Meaning? meaning, cekura.Error? err of kind "protocol": the body is not a JSON object
function interpret.reply(declaration, mark, reply)
  local object, err = interpret.object(declaration, reply)
  if not object then
    return nil, err
  end
  local meaning = { object = object, reply = reply }
  if declaration.record then
    local is_done = evaluation.is_newer(object, mark)
    meaning.state = is_done and "succeeded" or type(object:get "status") == "string" and "running" or "pending"
    meaning.result = is_done and object or nil
    return meaning
  end
  meaning.state, meaning.result, meaning.message = interpret.read(declaration, object)
  if meaning.result and meaning.result.call_log == object then
    meaning.result.call_log = record.of_reply(reply, "call_log")
  end
  return meaning
end

--- The status and the progress in an answer, or nil.
---@param declaration table the kind's
---@param object table|cekura.CallLog
---@return string? status, number? progress
function interpret.progress(declaration, object)
  return status.read(object.status) and object.status, progress_of(declaration, object)
end

return interpret

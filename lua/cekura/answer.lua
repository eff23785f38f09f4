--- What a job's answer means.
-- Status words are an open set: an unknown one is no error, it means that the job goes on. So the
-- decision does not begin with them: what counts first is whether there is something to use.

local ascii = require "cekura.ascii"
local call_log = require "cekura.call_log"

local answer = {}

local WORDS = {
  error = "failed", failed = "failed", failure = "failed", timeout = "failed",
  cancelled = "cancelled", canceled = "cancelled",
  completed = "succeeded", complete = "succeeded", success = "succeeded", succeeded = "succeeded",
  done = "succeeded",
  no_improvement = "nothing_to_do", skipped_no_failures = "nothing_to_do", skipped_not_enough_data = "nothing_to_do",
  exhausted = "nothing_to_do",
  pending_clarification = "needs_input", needs_clarification = "needs_input", awaiting_user = "needs_input",
  waiting_input = "needs_input", needs_input = "needs_input",
  pending = "pending", queued = "pending", in_queue = "pending",
}

local CALL_LOG_MEMBERS = { "call_id", "transcript", "transcript_object", "evaluation", "voice_recording_url" }

local function text_or_nil(value)
  return type(value) == "string" and value ~= "" and value or nil
end

-- The `error` of an answer, as text; nil if it is not set.
local function error_text(value)
  if type(value) == "table" then
    return text_or_nil(value.detail) or text_or_nil(value.message) or "the service gave an error"
  elseif value == true then
    return "the service gave an error"
  end
  return text_or_nil(value)
end

-- One name means a text; of several, each may be a text or an object.
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

-- The table that holds the usable output: the answer's `output`, or the answer itself, for one that
-- came inline; nil if neither does.
local function usable_output(declaration, object)
  local name = declaration.output
  if name then
    return holds_output(object.output, name) and object.output or holds_output(object, name) and object or nil
  end
end

--- The output that makes an answer usable, for people.
function answer.output_name(declaration)
  local name = declaration.output
  return type(name) == "table" and table.concat(name, " or ") or name
end

local function is_call_log(object)
  if object.output ~= nil or object.error ~= nil then
    return false
  elseif type(object.id) == "number" then -- progress ids are texts
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
  for _, words in ipairs(declaration.healthy or {}) do
    if text:find("%f[A-Za-z0-9]" .. words .. "%f[^A-Za-z0-9]") then
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

-- ---- words ----

local function lower(word)
  return type(word) == "string" and ascii.lower(word) or nil
end

-- The state that the words of an answer tell, and the word.
local function state_of_words(declaration, object)
  local word = lower(object.status)
  local own = declaration.words
  local state = word and (own and own[word] or WORDS[word])
  if declaration.waits and (state == nil or state == "pending") then
    local waiting = lower(object[declaration.waits])
    if WORDS[waiting] == "needs_input" then
      return "needs_input", waiting
    end
  end
  return state, word
end

-- ---- counters ----

-- A counter is a number; some come as text, which may also say "1e999" or "nan".
local function count(value)
  value = tonumber(value)
  return value and value < math.huge and math.max(0, value) or nil
end

local DEFAULT_COUNTERS = { done = "completed_count", total = "total" }

-- How many have ended, have failed, and are to be made; nil where an answer does not count.
local function read_counters(declaration, object)
  local names = declaration.counters or DEFAULT_COUNTERS
  local done, total = count(object[names.done]), count(object[names.total])
  local failed = names.failed and count(object[names.failed]) or 0
  if done and total then
    return done + failed, failed, total
  end
end

local function first_error(object)
  local first = type(object.errors) == "table" and object.errors[1]
  return type(first) == "table" and error_text(first.error) or error_text(first or nil)
end

-- The end that the counters tell; nil: none.
local function state_of_counters(declaration, object)
  local names = declaration.counters
  if not names or not names.decide then
    return nil
  end
  local ended, failed, total = read_counters(declaration, object)
  local list, why = names.list and object[names.list], first_error(object)
  if not ended or ended < total or total == 0 and not why and (type(list) ~= "table" or #list == 0) then
    return nil
  elseif failed == total and (total > 0 or why) then
    return "failed", ("all %d failed%s"):format(total, why and ": " .. why or "")
  end
  return "succeeded"
end

-- 0 to 1, as the answer says it, or from its counters; nil where nothing is told.
local function progress_of(declaration, object)
  local told = object.progress
  if type(told) == "number" and told >= 0 and told <= 1 then
    return told
  end
  local ended, _, total = read_counters(declaration, object)
  if ended and total > 0 then
    return math.min(1, ended / total)
  end
end

-- ---- decision ----

-- What there is to use once the job is said to have succeeded.
local function result_of(object)
  return copy(type(object.output) == "table" and object.output or object)
end

--- Reads an answer.
---@param declaration table the kind's
---@param object table the answer, decoded
---@return string state, table? result, string? message state "protocol": it promises success and has none
function answer.read(declaration, object)
  local state, word = state_of_words(declaration, object)
  local failure = error_text(object.error)
  local output = usable_output(declaration, object)
  if output then
    return "succeeded", copy(output)
  elseif failure and is_healthy(declaration, failure) then
    return "nothing_to_do", { reason = failure }
  elseif declaration.skipped and object[declaration.skipped] == true then
    return "nothing_to_do", { reason = "the service skipped it" }
  elseif declaration.call_log and call_log.is_done(word) and is_call_log(object) then
    -- The word is the verdict on the call, which is none on the job.
    return "succeeded", { call_log = object }
  elseif state == "failed" or state == "cancelled" then
    return state, nil, failure or error_text(object.error_message) or "the service says: " .. word
  elseif state == "nothing_to_do" then
    local result = result_of(object)
    result.reason = failure or text_or_nil(object.error_message) or "the service says: " .. word
    return state, result
  elseif failure then
    return "failed", nil, failure
  end
  local counted, message = state_of_counters(declaration, object)
  if counted == "failed" then
    return counted, nil, message
  elseif counted or state == "succeeded" and not declaration.output then
    return "succeeded", result_of(object)
  elseif state == "succeeded" then
    return "protocol", nil, ("the answer says %q and has no %s"):format(word, answer.output_name(declaration))
  elseif state == "needs_input" then
    return state, nil, "the service waits for an answer"
  end
  return state or (word and "running" or "pending")
end

--- Reads a call log that is polled for its evaluation.
---@param call cekura.CallLog
---@param is_newer boolean its evaluation, if done, is the one that is waited for
---@return string state, cekura.CallLog? result
function answer.read_call_log(call, is_newer)
  if call:evaluated() and is_newer then
    return "succeeded", call
  end
  return type(call:get "status") == "string" and "running" or "pending"
end

--- The status word and the progress that an answer tells; nil where it tells none.
---@param declaration table the kind's
---@param object table|cekura.CallLog
---@return string? status, number? progress
function answer.progress(declaration, object)
  return text_or_nil(object.status), progress_of(declaration, object)
end

return answer

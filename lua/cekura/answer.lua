--- What a job's answer means.
-- Status words are an open set: an unknown one is no error, it means that the job goes on. So the
-- decision does not begin with them: what counts first is whether there is something to use.

local answer = {}

local FAILED = { error = true, failed = true, failure = true, timeout = true }
local CANCELLED = { cancelled = true, canceled = true }
local SUCCEEDED = { completed = true, complete = true, success = true, succeeded = true, done = true }
local NEEDS_INPUT = {
  pending_clarification = true, needs_clarification = true, awaiting_user = true, waiting_input = true,
  needs_input = true,
}
local PENDING = { pending = true, queued = true, in_queue = true }

-- A call log's own words: the verdict on the call, which is no verdict on the job.
local CALL_LOG_DONE = { success = true, failure = true, reviewed_success = true, reviewed_failure = true }
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

local function holds_output(holder, name)
  return type(holder) == "table" and text_or_nil(holder[name]) ~= nil
end

-- The table that holds the usable output: the answer's `output`, or the answer itself, for one that
-- came inline; nil if neither does.
local function usable_output(declaration, object)
  local name = declaration.output
  return holds_output(object.output, name) and object.output or holds_output(object, name) and object or nil
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
  text = text:lower()
  for _, words in ipairs(declaration.healthy or {}) do
    if text:find("%f[%w]" .. words .. "%f[%W]") then
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

-- 0 to 1, as the answer says it, or from two counters that some have; nil where nothing is told.
local function progress_of(object)
  local told = object.progress
  if type(told) == "number" and told >= 0 and told <= 1 then
    return told
  end
  local done, total = object.completed_count, object.total
  if type(done) == "number" and type(total) == "number" and total > 0 then
    return math.max(0, math.min(1, done / total))
  end
end

--- Reads an answer.
---@param declaration table the kind's
---@param object table the answer, decoded
---@return string state, table? result, string? message state "protocol": it promises success and has none
function answer.read(declaration, object)
  local word = type(object.status) == "string" and object.status:lower() or nil
  local failure = error_text(object.error)
  local output = usable_output(declaration, object)
  if output then
    return "succeeded", copy(output)
  elseif failure and is_healthy(declaration, failure) then
    return "nothing_to_do", { reason = failure }
  elseif declaration.call_log and CALL_LOG_DONE[word] and is_call_log(object) then
    return "succeeded", { call_log = object }
  elseif FAILED[word] then
    return "failed", nil, failure or "the service says: " .. word
  elseif CANCELLED[word] then
    return "cancelled", nil, failure or "the service says: " .. word
  elseif failure then
    return "failed", nil, failure
  elseif SUCCEEDED[word] then
    return "protocol", nil, ("the answer says %q and has no %s"):format(word, declaration.output)
  elseif NEEDS_INPUT[word] then
    return "needs_input", nil, "the service waits for an answer"
  end
  return (word == nil or PENDING[word]) and "pending" or "running"
end

--- The status word and the progress that an answer tells; nil where it tells none.
---@return string? status, number? progress
function answer.progress(object)
  return text_or_nil(object.status), progress_of(object)
end

return answer

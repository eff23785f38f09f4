--- The status words of the service, the state of a job that each one means, and the states that are ends. The words are
-- an open set: an unknown word means that the job goes on.

local ascii = require "cekura.http.ascii"

local status = {}

local STATES = {
  error = "failed", errored = "failed", failed = "failed", failure = "failed", aborted = "failed",
  expired = "failed", rejected = "failed", timeout = "failed", timed_out = "failed",
  cancelled = "cancelled", canceled = "cancelled", terminated = "cancelled", revoked = "cancelled",
  stopped = "cancelled",
  completed = "succeeded", complete = "succeeded", success = "succeeded", succeeded = "succeeded",
  successful = "succeeded", done = "succeeded", finished = "succeeded", passed = "succeeded",
  no_improvement = "nothing_to_do", skipped_no_failures = "nothing_to_do", skipped_not_enough_data = "nothing_to_do",
  exhausted = "nothing_to_do",
  pending_clarification = "needs_input", needs_clarification = "needs_input", awaiting_user = "needs_input",
  waiting_input = "needs_input", needs_input = "needs_input",
  pending = "pending", queued = "pending", in_queue = "pending",
}

local ENDS = { succeeded = true, nothing_to_do = true, failed = true, cancelled = true, gone = true }

--- Whether a state is an end. A job has ended if its `state` is one; nothing else records that.
---@param state? string
---@return boolean
function status.is_end(state)
  return ENDS[state] or false
end

--- Whether the work of a job in this state goes on.
---@param state cekura.State
function status.goes_on(state)
  return state == "pending" or state == "running"
end

--- The word of a status in the form in which words are compared; nil for a blank text and for anything else.
---@param value any
---@return string?
function status.read(value)
  local word = type(value) == "string" and ascii.word(value) or ""
  return word ~= "" and word or nil
end

--- The state that a word means; nil for an unknown word.
---@param word? string as status.read() gives it
---@param own? table<string, string> the words of the kind, which take precedence
---@return string?
function status.state(word, own)
  return word and (own and own[word] or STATES[word])
end

return status

--- Call logs: records of a call (cekura.records.call) that can be evaluated again. Their fields are those of the API's
-- CallLogDetail and CallLogList, and all others that came.

local core = require "cekura.core"
local errors = require "cekura.errors"
local evaluation = require "cekura.records.evaluation"
local record = require "cekura.records.record"
local start = require "cekura.job.start"
require "cekura.records.call" -- gives call logs the methods of every call

local call_log = {}

---@class cekura.CallLog: cekura.Call
---@field id integer the record's id, which paths are made with
---@field call_id? string the provider's or the sender's own id
---@field status? string "evaluating", "success", "failure", "reviewed_success", "reviewed_failure"
---@field agent? integer the agent's id, as is the next as text
---@field agent_id? string
---@field agent_name? string
---@field project? integer
---@field success? boolean the verdict; nil: none
---@field is_reviewed? boolean
---@field duration? string "MM:SS", see seconds()
---@field timestamp? string when the call began, ISO 8601, see time(); as the next two
---@field created_at? string
---@field updated_at? string
---@field transcript? string
---@field transcript_object? table[] see turns()
---@field user_generated_transcript? any
---@field call_ended_reason? string
---@field critical_categories? table
---@field customer_number? string
---@field dropoff_point? string
---@field dynamic_variables? table
---@field error_message? string
---@field feedback? string
---@field is_log_present? boolean whether calls:logs() has one
---@field metadata? table
---@field rubric? any
---@field testing_channel_index? integer
---@field topic? string
---@field trace_id? string "" where calls:trace() has none
---@field voice_recording_url? string
---@field [string] any all other fields of the record
local methods = record.class "call_log"

--- A call log from JSON text. It belongs to no client.
---@param text string
---@return cekura.CallLog? call, cekura.Error? err of kind "protocol" for anything but one strict JSON object
function call_log.read(text)
  return record.read(text, "call_log")
end

--- Whether the evaluation is done, see cekura.records.evaluation.
---@return boolean
function methods:evaluated()
  return evaluation.is_done(self)
end

--- The job that waits for a newer evaluation than this record shows; if it shows none, for the first.
---@return cekura.Calls.EvaluationJob? job
---@return cekura.Error? err of kind "protocol": the record has no id
function methods:evaluation()
  local client, id = core.owner(self), self:get "id"
  if not client then
    errors.misuse "call: a record from cekura.call_log() belongs to no client: use client:job(\"calls.evaluation\", id)"
  elseif id == nil or id == "" or type(id) ~= "number" and type(id) ~= "string" then
    return nil, errors.new("protocol", "the record has no id to ask for it by")
  end
  return start.known(client, "calls.evaluation", id, {}, evaluation.mark(self))
end

return call_log

--- The parameters of a call that is sent to be observed.

local errors = require "cekura.errors"
local params = require "cekura.api.params"
local transcript_json = require "cekura.api.calls.transcript_json"

local sent_call = {}

local SEND = {
  params = {
    call_id = { "text", required = true },
    agent = { "id" },
    assistant_id = { "text" },
    trace_id = { "text" },
    voice_recording = { "any" },
    voice_recording_url = { "text" },
    transcript_type = { "text" },
    transcript_json = { "any" },
    reconcile_with_cekura_transcript = { "flag" },
    call_ended_reason = { "text" },
    customer_number = { "text" },
    metadata = { "any" },
    timestamp = { "time" },
    dynamic_variables = { "any" },
    feedback = { "text" },
    redact_fields = { "texts" },
    metric_ids = { "joined_ids" },
    main_agent_channel_index = { "channel" },
    logs = { "list" },
  },
  one_of = { "agent", "assistant_id" },
}

--- The names of the parameters.
sent_call.names = { extra = true }
for name in pairs(SEND.params) do
  sent_call.names[name] = true
end
for _, name in ipairs(SEND.one_of) do
  sent_call.names[name] = true
end

--- Checks a call as it is given to calls:send, and returns a copy to send. Raises any fault at the caller's line.
---@param what string the function that was called, for messages
---@param call cekura.Calls.SendParams
---@return table
function sent_call.read(what, call)
  if type(call) == "table" and call.agent_id ~= nil then
    errors.misuse("%s: agent_id: here the service calls it `agent`", what)
  end
  local sent = params.read(what, SEND, call)
  transcript_json(what, sent, "cekura")
  return sent
end

return sent_call

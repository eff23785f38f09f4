--- Sending calls to be observed.

local call_log = require "cekura.call_log"
local check = require "cekura.check"
local cjson = require "cekura.cjson"
local encode = require "cekura.encode"
local errors = require "cekura.errors"
local multipart = require "cekura.multipart"
local params = require "cekura.params"
local request = require "cekura.request"
local uri = require "cekura.uri"

local observe = {}

local PATH = "/observability/v1/observe/"

local PARAMS = {
  call_id = { "text", required = true },
  agent = { "id" },
  assistant_id = { "text" },
  trace_id = { "text" },
  voice_recording_url = { "text" },
  transcript_type = { "text" },
  reconcile_with_cekura_transcript = { "flag" },
  call_ended_reason = { "text" },
  customer_number = { "text" },
  timestamp = { "time" },
  feedback = { "text" },
  redact_fields = { "texts" },
  metric_ids = { "joined_ids" },
  main_agent_channel_index = { "channel" },
  logs = { "list" },
}

local ONE_OF = { "agent", "assistant_id" }

--- Checks the transcript that is sent, where its format is known; lists stay lists.
---@param what string
---@param sent table
---@param default_type? string the format if the call names none
function observe.check_transcript(what, sent, default_type)
  local turns = sent.transcript_json
  if type(turns) ~= "table" then
    return
  end
  local own = (sent.transcript_type or default_type) == "cekura"
  if own or next(turns) == nil or #turns > 0 then
    sent.transcript_json = params.value(own and "transcript" or "list", what .. ": transcript_json", turns)
  end
end

-- A recording may be a URL, or the bytes of a file, for which the request becomes a form.
local function send_form(client, sent, recording)
  check.text("send: voice_recording.data", recording.data)
  local fields = {}
  for name, value in pairs(sent) do
    if name ~= "voice_recording" and value ~= cjson.null then
      -- In a form, what is no text goes as JSON.
      fields[name] = type(value) == "table" and encode(value, "send: " .. name) or uri.text("send: " .. name, value)
    end
  end
  local body, content_type = multipart(fields, {
    name = "voice_recording",
    file_name = recording.name and check.text("send: voice_recording.name", recording.name) or "recording",
    content_type = recording.content_type and check.text("send: voice_recording.content_type", recording.content_type)
      or "application/octet-stream",
    data = recording.data,
  })
  return request.send(client, "POST", PATH, { "Content-Type: " .. content_type }, body)
end

--- Sends one call, which is then evaluated. It is charged, so it is sent once: an error of kind
-- "unknown_outcome" means that the call may have been taken, or not; sending it again with the same call_id
-- updates the same record, by what clients have seen.
--
-- What the service does not say, and is caught here: turns in its own format ("cekura", also if no
-- transcript_type is given) whose role is not one of its names give an empty transcript. What it is known
-- for: `metric_ids` has led to an error 500.
---@param client cekura.Client
---@param call { call_id: string, agent: any, assistant_id: string?, trace_id: string?, voice_recording: any,
---voice_recording_url: string?, transcript_type: string?, transcript_json: any,
---reconcile_with_cekura_transcript: boolean?, call_ended_reason: string?, customer_number: string?, metadata: any,
---timestamp: number|string?, dynamic_variables: any, feedback: string?, redact_fields: string[]?,
---metric_ids: integer[]|string?, main_agent_channel_index: integer?, logs: table[]? } one of agent (the agent's
---id) and assistant_id (the provider's); voice_recording is a URL, or { data = bytes, name =, content_type = }
---@return cekura.CallLog? call `call:evaluation():wait()` waits until it is evaluated
---@return cekura.Error? err
function observe.send(client, call)
  if type(call) == "table" and call.agent_id ~= nil then
    errors.misuse "send: agent_id: here the service calls it `agent`"
  end
  local sent = params.read("send", PARAMS, call, ONE_OF)
  observe.check_transcript("send", sent, "cekura")
  local recording = sent.voice_recording
  local reply, err
  if type(recording) == "table" then
    reply, err = send_form(client, sent, recording)
  else
    if recording ~= nil and recording ~= cjson.null then
      check.text("send: voice_recording", recording)
    end
    reply, err = request.send_json(client, "POST", PATH, "send", sent)
  end
  if not reply then
    return nil, err
  end
  return call_log.of_reply(reply)
end

local PROVIDERS = { vapi = true, retell = true, livekit = true, pipecat = true, elevenlabs = true }

local RAW_OPTIONS = { agent_id = true }

--- Sends what a provider's webhook said, as it came. What the service answers is not documented.
---@param client cekura.Client
---@param provider string "vapi", "retell", "livekit", "pipecat"; "elevenlabs" is named by a page of the documents only
---@param body string|table the bytes that came, or a table
---@param options? { agent_id: any } vapi's is named in the query
---@return cekura.Response? response, cekura.Error? err
function observe.send_raw(client, provider, body, options)
  if not PROVIDERS[check.text("provider", provider)] then
    errors.misuse(("provider: vapi, retell, livekit, pipecat or elevenlabs expected, got %q"):format(provider))
  end
  options = check.options("options", options, RAW_OPTIONS)
  if options.agent_id ~= nil then
    check.id("agent_id", options.agent_id)
  end
  body = type(body) == "table" and encode(body, "body") or check.text("body", body)
  local path = ("/observability/v1/%s/observe/%s"):format(provider, uri.query("options", options))
  return request.send(client, "POST", path, { "Content-Type: application/json" }, body)
end

return observe

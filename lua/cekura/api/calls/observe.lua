--- Sending calls to be observed.

local call_log = require "cekura.records.call_log"
local check = require "cekura.check"
local cjson = require "cekura.cjson"
local core = require "cekura.core"
local encode = require "cekura.http.encode"
local errors = require "cekura.errors"
local headers = require "cekura.http.headers"
local multipart = require "cekura.http.multipart"
local nearest = require "cekura.nearest"
local params = require "cekura.api.params"
local request = require "cekura.http.request"
local uri = require "cekura.http.uri"

local observe = {}

local PATH = "/observability/v1/observe/"

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

--- Checks the transcript that is sent, where its format is known; lists stay lists.
---@param what string
---@param sent table
---@param default_type? string the format if the call names none
function observe.check_transcript(what, sent, default_type)
  local turns = sent.transcript_json
  if type(turns) ~= "table" then
    return
  end
  local own = (sent.transcript_type or default_type) == "cekura" and next(turns) ~= nil
  if own or next(turns) == nil or #turns > 0 then
    sent.transcript_json = params.value(own and "transcript" or "list", what .. ": transcript_json", turns)
  end
end

-- ---- a call with the bytes of its recording: a form ----

-- What takes any JSON takes it as text in a form.
local IS_JSON = { transcript_json = true, metadata = true, dynamic_variables = true }

local function is_json(text)
  return core.decode(text) ~= nil
end

-- A parameter as a field of the form; a list gives the field several times, which the framework that the service uses
-- takes for a list of choices. Objects, and lists of them, go as JSON text.
local function form_field(name, value)
  local what = "send: " .. name
  local values = {}
  if IS_JSON[name] and type(value) ~= "table" then
    return type(value) == "string" and is_json(value) and value or encode({ value }, what):sub(2, -2)
  elseif type(value) ~= "table" then
    return uri.text(what, value)
  end
  for index, item in ipairs(value) do
    if type(item) == "table" then
      return encode(value, what)
    end
    values[index] = uri.text(("%s[%d]"):format(what, index), item)
  end
  local is_list = getmetatable(value) == core.array_mt or #value > 0
  return not IS_JSON[name] and is_list and values or encode(value, what)
end

-- The service's framework takes the last part of a file's name; a file whose name has none it leaves out, and says
-- nothing (tried with Django REST framework 3.14).
local function file_name(name)
  local last = (name or ""):match "[^/\\]*$"
  return last:find "^%.?%.?$" and "recording" or last
end

local function send_form(client, sent, recording, timeout)
  local fields = {}
  for name, value in pairs(sent) do
    if name ~= "voice_recording" and value ~= cjson.null then -- a form has no null
      fields[name] = form_field(name, value)
    end
  end
  local body, content_type = multipart(fields, {
    name = "voice_recording",
    file_name = file_name(recording.name),
    content_type = recording.content_type or "application/octet-stream",
    data = recording.data,
  })
  return request.send(client, "POST", PATH, { "Content-Type: " .. content_type }, body, timeout)
end

local function file_error(path, fault, sent)
  return errors.new("config", ("send: voice_recording: %s: %s"):format(path, fault),
    { method = "POST", path = PATH, sent = sent })
end

-- A file that somebody still writes to would be evaluated as a call that ends in the middle.
local function send_file(client, sent, path, timeout)
  local data
  local file, fault = core.open_file(path)
  if file then
    data, fault = core.read_file(file)
  end
  if not data then
    return nil, file_error(path, fault, false)
  end
  local reply, err = send_form(client, sent, { data = data, name = path }, timeout)
  local size = core.file_size(file)
  core.close_file(file)
  if size ~= #data then
    local changed = file_error(path, "its size has changed while it was sent", reply ~= nil or err.sent)
    changed.response, changed.cause = reply or err.response, err
    return nil, changed
  end
  return reply, err
end

local RECORDING = { data = true, name = true, content_type = true }

-- The form in which a recording goes: as JSON there is only the URL of one.
local function sender_of(recording)
  if recording == nil or recording == cjson.null then
    return nil
  elseif type(recording) == "table" then
    check.options("send: voice_recording", recording, RECORDING)
    check.text("send: voice_recording.data", recording.data)
    for _, name in ipairs { "name", "content_type" } do
      if recording[name] ~= nil then
        check.text("send: voice_recording." .. name, recording[name])
      end
    end
    return send_form
  end
  local is_url = check.text("send: voice_recording", recording):find "^https?://"
  return not is_url and send_file or nil
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
---metric_ids: integer[]|string?, main_agent_channel_index: integer?, logs: table[]?, extra: table? } one of agent (the
---agent's id) and assistant_id (the provider's). voice_recording: a text that begins with http:// or https:// is a URL,
---any other the path of a regular file; { data = bytes, name =, content_type = } are its bytes, by the name
---"recording" if it has none
---@param given? { timeout: number? } seconds
---@return cekura.CallLog? call `call:evaluation():wait()` waits until it is evaluated
---@return cekura.Error? err of kind "config": the file cannot be read, or its size changed while it was sent (then
---err.sent may be true: the service may have taken the call)
function observe.send(client, call, given)
  if type(call) == "table" and call.agent_id ~= nil then
    errors.misuse "send: agent_id: here the service calls it `agent`"
  end
  local sent = params.read("send", SEND, call)
  observe.check_transcript("send", sent, "cekura")
  local send, timeout = sender_of(sent.voice_recording), check.timeout(given)
  local reply, err
  if send then
    reply, err = send(client, sent, sent.voice_recording, timeout)
  else
    reply, err = request.send_json(client, "POST", PATH, "send", sent, timeout)
  end
  if not reply then
    return nil, err
  end
  return call_log.of_reply(reply)
end

local PROVIDERS = { vapi = true, retell = true, livekit = true, pipecat = true, elevenlabs = true }

local RAW_OPTIONS = { agent_id = true, headers = true, timeout = true }

--- Sends what a provider's webhook said, as it came. What the service answers is not documented.
---@param client cekura.Client
---@param provider string "vapi", "retell", "livekit", "pipecat"; "elevenlabs" is named by a page of the documents only
---@param body string|table the bytes that came, or a table
---@param given? { agent_id: any, headers: table<string, string>?, timeout: number? } agent_id: vapi's is named in the
---query; headers to pass on, such as the signature that Retell's webhook is checked by; seconds
---@return cekura.Response? response, cekura.Error? err
function observe.send_raw(client, provider, body, given)
  if not PROVIDERS[check.text("provider", provider)] then
    errors.misuse(("provider: vapi, retell, livekit, pipecat or elevenlabs expected, got %q%s"):format(provider,
      nearest(provider, PROVIDERS)))
  end
  given = check.options("options", given, RAW_OPTIONS)
  if given.agent_id ~= nil then
    check.id("agent_id", given.agent_id)
  end
  body = type(body) == "table" and encode(body, "body") or check.text("body", body)
  local path = ("/observability/v1/%s/observe/%s"):format(provider, uri.query("options", { agent_id = given.agent_id }))
  return request.send(client, "POST", path, headers.request_lines(given.headers, "application/json"), body,
    check.seconds("timeout", given.timeout))
end

return observe

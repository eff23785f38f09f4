--- Adds call logs: observe/, the webhooks of providers, and many at once for the administrator.

local check = require "cekura.simulator.check"
local clock = require "cekura.simulator.clock"
local evaluations = require "cekura.simulator.evaluations"
local json = require "cekura.simulator.json"
local records = require "cekura.simulator.records"
local state = require "cekura.simulator.state"

local ingest = { routes = {} }

local FORMATS = {}
for format in ("cekura vocera vapi retell deepgram pipecat livekit elevenlabs bland none-mono"):gmatch "%S+" do
  FORMATS[format] = true
end

local REQUIRED = { call_id = "short" }

local OPTIONAL = {
  agent = "integer", trace_id = "string", transcript_type = "text", timestamp = "text", redact_fields = "list",
  metadata = "object", dynamic_variables = "object", call_ended_reason = "string", customer_number = "string",
}

local COPIED = {
  "call_id", "trace_id", "metadata", "dynamic_variables", "call_ended_reason", "customer_number", "feedback",
  "voice_recording_url",
}

local function unacceptable(body)
  local refusal = check.body(body, REQUIRED, OPTIONAL) or check.one_of(body, { "agent", "assistant_id" })
  if refusal then
    return refusal
  elseif check.given(body.transcript_type) and not FORMATS[body.transcript_type] then
    return check.invalid { transcript_type = ("%q is not a valid choice."):format(body.transcript_type) }
  end
  for _, field in ipairs(check.given(body.redact_fields) and body.redact_fields or {}) do
    if not tostring(field):find "^[%l_]+$" then
      return check.invalid { redact_fields = ("%q is not a valid choice."):format(tostring(field)) }
    end
  end
  if check.given(body.timestamp) and not clock.parse(body.timestamp) then
    return check.invalid { timestamp = "Not a date-time." }
  end
end

-- The fields of a record that the body has.
local function given_members(body)
  local given = { agent = tonumber(body.agent) or records.agent_of(body.assistant_id) }
  for _, name in ipairs(COPIED) do
    given[name] = check.given(body[name]) and body[name] or nil
  end
  given.timestamp = check.given(body.timestamp) and clock.parse(body.timestamp) or nil
  if check.given(body.transcript_json) then
    given.transcript_object = records.read_transcript(body.transcript_json, body.transcript_type)
    given.transcript = records.text_of(given.transcript_object)
    given.duration = records.duration_of(given.transcript_object)
  end
  if type(body.logs) == "table" and #body.logs > 0 then
    given.logs, given.is_log_present = body.logs, true
  end
  return given
end

-- The record with that call id, brought up to date, or a new one.
local function stored(given)
  for _, record in pairs(state.call_logs) do
    if record.call_id == given.call_id then
      records.assign(record, given)
      record.metrics = nil
      evaluations.touch(record)
      return record
    end
  end
  local now = clock.now()
  given.id = state.next_call_log
  given.timestamp = given.timestamp or now
  given.created_at, given.updated_at = now, now
  state.next_call_log = given.id + 1
  local record = records.new(given)
  state.call_logs[record.id] = record
  return record
end

local function observe(request)
  local body, recording = request.body, request.files.voice_recording
  local refusal = unacceptable(body)
  if refusal then
    return refusal
  end
  local given = given_members(body)
  refusal = evaluations.begin_anew(request, given)
  if refusal then
    return refusal
  end
  if recording then
    given.voice_recording_url = "https://recordings.example/" .. body.call_id
    state.remember("recordings", { call_id = body.call_id, filename = recording.filename, size = #recording.content })
  end
  return { status = 201, body = records.row(stored(given), "legacy") }
end

ingest.routes["POST /observability/v1/observe/"] = observe

for _, provider in ipairs { "vapi", "retell", "livekit", "pipecat" } do
  ingest.routes[("POST /observability/v1/%s/observe/"):format(provider)] = function(request)
    state.remember("provider_calls", { provider = provider, query = request.query, body = request.body })
    return { body = {} }
  end
end

-- ---- many at once ----

local function short_call()
  return json.list {
    { role = "Main Agent", content = "Lakeside Dental, good day.", start_time = 0.3, end_time = 2.2 },
    { role = "Testing Agent", content = "What are your hours?", start_time = 2.6, end_time = 4.1 },
    { role = "Main Agent", content = "Nine to six, from Monday to Friday.", start_time = 4.5, end_time = 7.9 },
  }
end

--- Adds `count` records at equal distances in time, from `from` to `to` (seconds since the epoch).
---@param wanted { count: integer, from: number, to: number, agent_id: integer, padding: integer }
---@return integer[] ids
function ingest.add(wanted)
  local now = clock.seconds()
  local from, to = wanted.from or now - 86400, wanted.to or now
  local turns = short_call()
  local transcript = records.text_of(turns)
  if wanted.padding then
    turns, transcript = records.long_transcript(wanted.padding)
  end
  local ids = json.list()
  for index = 0, wanted.count - 1 do
    local time = from + (wanted.count > 1 and (to - from) * index / (wanted.count - 1) or 0)
    local id, success = state.next_added, index % 3 > 0
    state.call_logs[id] = records.new {
      id = id, call_id = "added-" .. id, agent = wanted.agent_id or 2142, duration = "00:08",
      timestamp = math.floor(time * clock.SECOND + 0.5), transcript_object = turns, transcript = transcript,
      status = success and "success" or "failure", success = success, metrics = records.metrics(success),
      metadata = { number = index + 1 },
    }
    state.next_added = id + 1
    ids[index + 1] = id
  end
  return ids
end

return ingest

--- Call logs: how one is made, the initial store, and the shapes in which a record is sent. They belong to two agents
-- of invented businesses: the receptionist of Lakeside Dental and the night desk of the Harbour Hotel.

local clock = require "cekura.simulator.clock"
local json = require "cekura.simulator.json"

local records = {}

local DENTAL, HOTEL = 2142, 2143

local agents = {
  [DENTAL] = { name = "Lakeside Dental receptionist", assistant_id = "asst_lakeside", project = 310 },
  [HOTEL] = { name = "Harbour Hotel night desk", assistant_id = "asst_harbour", project = 311 },
}

-- ---- transcripts ----

records.roles = {
  ["Main Agent"] = true, ["Testing Agent"] = true, ["Function Call"] = true, ["Function Call Result"] = true,
}

--- The text of a list of turns, as the service writes it: a line for each turn with content.
function records.text_of(turns)
  local lines = {}
  for _, turn in ipairs(turns) do
    if turn.content then
      local start = math.floor(turn.start_time or 0)
      lines[#lines + 1] = ("[%02d:%02d] %s: %s"):format(math.floor(start / 60), start % 60, turn.role, turn.content)
    end
  end
  return table.concat(lines, "\n")
end

-- Turns in the formats of other providers, with their roles, and the content under one of several names.
local function foreign_turn(turn)
  local theirs = tostring(turn.role):lower()
  local start = tonumber(turn.start_time or turn.time) or 0
  return {
    role = (theirs == "bot" or theirs == "assistant" or theirs == "agent") and "Main Agent" or "Testing Agent",
    content = turn.content or turn.message or turn.text or "",
    start_time = start,
    end_time = tonumber(turn.end_time) or start + 2,
  }
end

--- The duration of a call with these turns, as the service writes it.
function records.duration_of(turns)
  local seconds = #turns > 0 and math.floor(tonumber(turns[#turns].end_time) or 0) or 0
  return ("%02d:%02d"):format(math.floor(seconds / 60), seconds % 60)
end

--- The transcript that is stored for one that is sent. The documents are wrong here: in the format "cekura" an unknown
-- role is not an error, and an empty transcript is stored.
function records.read_transcript(sent, format)
  local turns = json.list()
  if type(sent) ~= "table" then
    return turns
  end
  local own = not format or format == "cekura" or format == "vocera"
  for _, turn in ipairs(sent) do
    if type(turn) ~= "table" or own and not records.roles[turn.role] then
      return json.list()
    end
    turns[#turns + 1] = own and turn or foreign_turn(turn)
  end
  return turns
end

local function turn(role, start_time, end_time, content, more)
  local made = { role = role, content = content, start_time = start_time, end_time = end_time }
  for name, value in pairs(more or {}) do
    made[name] = value
  end
  return made
end

local function booking()
  return json.list {
    turn("Main Agent", 0.4, 3.1, "Lakeside Dental, good morning. How can I help?", { time = "0:00" }),
    turn("Testing Agent", 3.6, 7.2, "This is Nora Blum. I need a check-up, if possible on Tuesday.", { time = "0:03" }),
    turn("Function Call", 7.4, 7.4, nil, {
      data = { name = "find_slots", arguments = { day = "Tuesday", minutes = 30 }, id = "call_1" },
    }),
    turn("Function Call Result", 8.1, 8.1, nil, {
      data = { id = "call_1", result = { slots = json.list { "09:30", "14:15" }, closed = false } },
    }),
    turn("Main Agent", 8.5, 12.9, "On Tuesday there is half past nine or a quarter past two.", { time = "0:08" }),
    turn("Testing Agent", 13.3, 14.8, "Half past nine, please.", { time = "0:13" }),
    turn("Main Agent", 15.2, 19.75, "Done: Tuesday, half past nine, a check-up for Nora Blum. “Bis Dienstag!”"),
  }
end

local function lost_key()
  return json.list {
    turn("Main Agent", 0.2, 2.9, "Harbour Hotel, night desk."),
    turn("Testing Agent", 3.3, 6.4, "I am in room 214 and I have lost my key."),
    turn("Main Agent", 7.0, 8.1, "Please call again in the morning."),
    turn("Testing Agent", 8.3, 9.0, "Seriously?"),
  }
end

local TEXT_ONLY = [[
[00:01] Main Agent: Lakeside Dental, how can I help?
[00:04] Testing Agent: I want to cancel: Thursday at ten.
[00:09] Main Agent: Cancelled. Anything else?
[00:11] Testing Agent: No, thank you.]]

local WORDS = "The caller asks about the opening hours again, and the desk reads them out once more. "

--- A transcript with `bytes` bytes of content: as text, and as a list that is already encoded.
function records.long_transcript(bytes)
  local turns = json.list()
  while bytes > 0 do
    local start = #turns * 6
    local content = WORDS:sub(1, bytes)
    turns[#turns + 1] = turn(#turns % 2 == 0 and "Main Agent" or "Testing Agent", start, start + 5, content)
    bytes = bytes - #content
  end
  return json.raw(json.encode(turns)), records.text_of(turns)
end

-- ---- metrics ----

--- The metrics of an evaluation with that verdict.
function records.metrics(success)
  return {
    { id = 501, name = "Appointment confirmed", kind = "binary", passed = success, explanation = {
      success and "The agent read the day and the hour back." or "The agent hung up before it read anything back.",
    }, extra = {} },
    { id = 502, name = "No medical advice", kind = "binary", passed = true, legacy_type = "binary_qualitative",
      explanation = { "The agent gave none." }, extra = {} },
    { id = 503, name = "Seconds to the first word", kind = "numeric", score = 1.8,
      explanation = { "Measured from the recording." }, extra = {} },
    { id = 504, name = "Outcome", kind = "enum", value = success and "booked" or "abandoned",
      explanation = {}, extra = {} },
  }
end

-- One metric of each kind, and one that did not apply.
local function mixed_metrics()
  local metrics = records.metrics(true)
  metrics[2].passed = false
  metrics[2].explanation = { "The agent named a painkiller." }
  metrics[2].plain = true
  metrics[2].extra = { categories = json.list {
    { category_id = 71, category = "Advice beyond the role", deviation = "1", priority = "critical" },
  } }
  metrics[5] = { id = 505, name = "Courtesy", kind = "continuous_qualitative", score = 4, score_normalized = 0.8,
    explanation = { "Friendly throughout.", "One interruption, at [00:13]." }, extra = {} }
  metrics[6] = { id = 506, name = "Handover to a person", kind = "numeric",
    explanation = { "Nobody asked for one." }, extra = { trigger_failed = true } }
  return metrics
end

-- A metric in a format: "legacy" (v1), "canonical" (v2), or "both" (webhooks). `brief` is the form in a row of a list.
local function metric_of(metric, wire, brief)
  local binary = metric.kind == "binary"
  local out = { id = metric.id, name = metric.name }
  if wire ~= "legacy" then
    out.eval_type = metric.kind
    out.passed = metric.passed
  end
  if wire ~= "canonical" then
    out.type = binary and (metric.legacy_type or "binary_workflow_adherence") or metric.kind
    out.score = binary and (metric.passed and 5 or 0) or nil
  end
  if metric.kind == "enum" then
    out.enum, out.value = metric.value, metric.value
  elseif not binary then
    out.score = metric.score or json.null
  end
  if not brief then
    out.score_normalized = metric.score_normalized
    out.explanation = metric.plain and wire == "legacy" and metric.explanation[1] or json.list(metric.explanation)
    out.extra = metric.extra
    out.function_name = metric.name:lower():gsub("%W+", "_")
  end
  return out
end

local function metrics_of(metrics, wire, brief)
  local out = json.list()
  for index, metric in ipairs(metrics) do
    out[index] = metric_of(metric, wire, brief)
  end
  return out
end

--- The metrics of an evaluation in its shape; null without an evaluation.
function records.evaluation(metrics, wire)
  return metrics and { metrics = metrics_of(metrics, wire) } or json.null
end

-- ---- the shapes ----

local BOTH = {
  "id", "duration", "success", "is_reviewed", "status", "feedback", "call_ended_reason", "customer_number", "agent",
  "agent_name", "call_id", "trace_id", "is_log_present", "timestamp", "error_message", "dropoff_point", "topic",
  "created_at", "updated_at", "transcript", "transcript_object",
}

local DETAIL_ONLY = {
  "voice_recording_url", "critical_categories", "agent_id", "agent_version", "metadata", "dynamic_variables",
  "testing_channel_index", "waveform", "rubric", "user_generated_transcript", "project",
}

-- In no schema of a row, but rows have them.
local ROW_ONLY = { "metadata", "project" }

local TIMES = { timestamp = true, created_at = true, updated_at = true }

local function copy(record, names, out)
  for _, name in ipairs(names) do
    local value = record[name]
    if TIMES[name] then
      value = clock.iso(value)
    elseif value == nil then
      value = json.null
    end
    out[name] = value
  end
end

local function shape(record, wire, names)
  local out = {}
  copy(record, BOTH, out)
  copy(record, names, out)
  out.evaluation = records.evaluation(record.metrics, wire)
  return out
end

--- A record as its own route returns it.
function records.detail(record, wire)
  return shape(record, wire, DETAIL_ONLY)
end

--- A record as lists contain it.
function records.row(record, wire)
  local out = shape(record, wire, ROW_ONLY)
  out.metrics = metrics_of(record.metrics or {}, wire, true)
  return out
end

local function set_of(...)
  local fields = {}
  for _, names in ipairs { ... } do
    for _, name in ipairs(names) do
      fields[name] = true
    end
  end
  return fields
end

--- The names that a field selection of a list may contain.
function records.row_fields()
  return set_of(BOTH, ROW_ONLY, { "evaluation", "metrics" })
end

--- The names that a field selection of one record may contain.
function records.detail_fields()
  return set_of(BOTH, DETAIL_ONLY, { "evaluation" })
end

-- ---- making them ----

--- Sets fields of a record. An agent also sets its name, its project and the provider's id.
function records.assign(record, given)
  for name, value in pairs(given) do
    record[name] = value
  end
  if given.agent then
    local agent = agents[given.agent] or { name = "Agent " .. given.agent, project = 310 }
    record.agent_id, record.agent_name = tostring(given.agent), agent.name
    record.project, record.assistant_id = agent.project, agent.assistant_id
  end
end

--- A record. What `given` lacks is as in a call of which little is known. `metrics` is nil before the first
-- evaluation.
function records.new(given)
  local record = {
    duration = "00:00", success = json.null, is_reviewed = false, status = "evaluating", feedback = "",
    call_ended_reason = "", customer_number = "", agent_id = "", agent_name = "", trace_id = "",
    is_log_present = false, error_message = json.null, dropoff_point = "", topic = "", transcript = "",
    transcript_object = json.list(), voice_recording_url = "", critical_categories = json.list(), metadata = {},
    dynamic_variables = {},
  }
  records.assign(record, given)
  record.created_at = record.created_at or record.timestamp + 40 * clock.SECOND
  record.updated_at = record.updated_at or record.created_at + 25 * clock.SECOND
  return record
end

--- The agent with a provider's assistant id.
function records.agent_of(assistant_id)
  for id, agent in pairs(agents) do
    if agent.assistant_id == assistant_id then
      return id
    end
  end
end

-- The time so long ago, in whole seconds.
local function ago(days, hours)
  local time = clock.now() - days * clock.DAY - (hours or 0) * clock.DAY / 24
  return math.floor(time / clock.SECOND) * clock.SECOND
end

--- The initial store, by id.
function records.seed()
  local seeds = {
    { id = 5181749, agent = DENTAL, call_id = "sess-1", status = "success", success = true, duration = "01:10",
      timestamp = ago(0, 5), updated_at = ago(0, 4) + 84004, transcript_object = booking(),
      transcript = records.text_of(booking()), metrics = mixed_metrics(), call_ended_reason = "customer-ended-call",
      customer_number = "+15550100", topic = "appointment", trace_id = "0af7651916cd43dd8448eb211c80319c",
      is_log_present = true, voice_recording_url = "https://recordings.example/sess-1.wav", testing_channel_index = 1,
      agent_version = { id = 12, version = 3 }, waveform = { main_agent = json.list { 0.1, 0.7 } },
      user_generated_transcript = json.list { { role = "Main Agent", content = "Good morning.", timestamp = "00:00" } },
      metadata = { call_type = "inbound", external_id = json.raw "9007199254740993", practice = { city = "Lugano" } },
      dynamic_variables = { practice_name = "Lakeside Dental" },
      rubric = json.list { { metric_id = 501, metric_name = "Appointment confirmed", value = 5, passed = true,
        explanation = json.list { "As agreed." }, conditions = json.list(), expected_conditions = json.list() } },
      critical_categories = json.list { { category_id = 71, category = "Advice beyond the role", deviation = 1,
        wrongly_marked = false, feedback = "", priority = "critical" } } },
    { id = 5181750, agent = HOTEL, call_id = "sess-2", status = "failure", success = false, duration = "00:09",
      timestamp = ago(1) + 250000, transcript_object = lost_key(), transcript = records.text_of(lost_key()),
      metrics = records.metrics(false), call_ended_reason = "agent-ended-call", customer_number = "+15550101",
      dropoff_point = "after the refusal to help", topic = "lost key", metadata = { call_type = "inbound" } },
    { id = 5181751, agent = DENTAL, call_id = "sess-3", timestamp = ago(0, 1), duration = "00:42", metrics = {},
      transcript_object = booking(), transcript = records.text_of(booking()), metadata = { call_type = "outbound" } },
    { id = 5181752, agent = DENTAL, call_id = "sess-4", status = "reviewed_success", success = true,
      is_reviewed = true, feedback = "Exactly right.", duration = "00:14", timestamp = ago(3, 2) + 7,
      transcript = TEXT_ONLY, metrics = records.metrics(true), topic = "cancellation",
      call_ended_reason = "customer-ended-call" },
    { id = 5181753, agent = HOTEL, call_id = "sess-5", status = "success", success = true, duration = "62:10",
      timestamp = ago(9), transcript_object = lost_key(), transcript = records.text_of(lost_key()),
      metrics = {}, metadata = { call_type = "inbound", floor = 2 } },
  }
  local store = {}
  for _, seed in ipairs(seeds) do
    store[seed.id] = records.new(seed)
  end
  return store
end

return records

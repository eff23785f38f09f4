--- Work whose state is a record, polled by the record's id: results of scenario runs, insights, and sessions of agent
-- improvement.
--
--   channels     the ends of further paths that start one, run_scenarios_CHANNEL/, with the status of the answer
--   start, poll  the paths; a poll's {id} is the record's
--   wire         poll path to the wire format of metrics
--   required, one_of   as in families.lua
--   words        phase to status; "start" is the status in the answer to the start; the ends are the supported lives
--   status       of the answer to the start, if it is not 200
--   row          function(row, phase, word, wire): the record as it is sent
--   begun        function(row): the answer to the start, if that is not the row

local check = require "cekura.simulator.check"
local clock = require "cekura.simulator.clock"
local json = require "cekura.simulator.json"
local life = require "cekura.simulator.life"
local records = require "cekura.simulator.records"
local state = require "cekura.simulator.state"

local sessions = { routes = {} }

local families = {}

-- ---- results ----

local function run_ids(row)
  local ids = {}
  local scenarios = type(row.body.scenarios) == "table" and row.body.scenarios or { 101, 102 }
  for index = 1, #scenarios * (tonumber(row.body.frequency) or 1) do
    local scenario = scenarios[(index - 1) % #scenarios + 1]
    ids[index] = { id = row.id * 100 + index, scenario = type(scenario) == "table" and scenario.scenario or scenario }
  end
  return ids
end

-- Webhooks have an object instead of the scenario's id.
local function reported_scenario(of)
  return { id = of.scenario, name = "A caller who moves an appointment", personality_name = "In a hurry",
    expected_outcome_prompt = "" }
end

local function run(row, of, success, wire)
  return {
    id = of.id, call_id = "run-" .. of.id, scenario = wire == "both" and reported_scenario(of) or of.scenario,
    success = success, status = "completed",
    outbound_number = "+15550102", error_message = "", timestamp = clock.iso(row.created),
    executed_at = clock.iso(row.created + clock.SECOND), transcript_object = json.list {
      { role = "Testing Agent", content = "Good evening.", start_time = 0.5, end_time = 1.3, time = "00:00" },
    },
    evaluation = records.evaluation(records.metrics(success), wire),
    expected_outcome = { score = success and 100 or 0, explanation = json.list(), outcome_alignments = json.list() },
  }
end

local function result(row, phase, word, wire)
  local ids, runs, ending = run_ids(row), {}, row.life.ending
  local reaches_calls = ending == "completed" or ending == "partial" or ending == "endless"
  local done = reaches_calls and math.floor(#ids * row.life:share()) or 0
  local successful = phase == "partial" and math.floor(done / 2) or done
  for index = 1, done do
    runs[tostring(ids[index].id)] = run(row, ids[index], index <= successful, wire)
  end
  return {
    id = row.id, name = row.body.name or "Nightly calls", agent = tonumber(row.body.agent_id) or 2142,
    agent_name = "Lakeside Dental receptionist", status = word, run_as_text = false, is_cronjob = false, runs = runs,
    success_rate = done > 0 and 100 * successful / done or 0, met_expected_outcome_count = successful,
    total_expected_outcome_count = #ids, total_runs_count = #ids, completed_runs_count = done,
    success_runs_count = successful, failed_runs_count = done - successful, overall_evaluation = json.null,
    total_duration = ("%02d:%02d"):format(done, 10),
    created_at = clock.iso(row.created), updated_at = clock.iso(row.updated),
  }
end

-- The answer to the start has its runs as a list; the result has them by id, as the answers of two channels do.
local function run_started(row)
  local runs = json.list()
  for index, of in ipairs(run_ids(row)) do
    runs[index] = {
      id = of.id, status = "pending", scenario = of.scenario, number = "+15550102", inbound_number = json.null,
      scenario_name = "A caller who moves an appointment", test_profile_data = json.null,
    }
  end
  return {
    id = row.id, agent = tonumber(row.body.agent_id) or 2142, status = "pending", success_rate = 0,
    run_as_text = false, runs = runs, created_at = clock.iso(row.created),
  }
end

local function run_started_by_id(row)
  local answer, runs = run_started(row), {}
  for _, started in ipairs(answer.runs) do
    runs[tostring(started.id)] = started
  end
  answer.name, answer.runs = row.body.name or "Nightly calls", runs
  return answer
end

families.results = {
  start = {
    "/test_framework/v1/scenarios/run_scenarios/", "/test_framework/v1/scenarios-external/run_scenarios/",
    "/test_framework/v2/scenarios/run_scenarios/",
  },
  channels = {
    agora = 200, api_chat = 200, chirp = 200, elevenlabs = 200, ello = 200, email = 200, jotform = 200, json = 200,
    livekit = 200, livekit_chat = 200, livekit_v2 = 200, pipecat = 200, pipecat_v2 = 200, retell_webrtc = 200,
    sip = 200, text = 201, vapi_webrtc = 200, with_websockets = 201,
  },
  poll = { "/test_framework/v1/results/{id}/", "/test_framework/v2/results/{id}/" },
  wire = { ["/test_framework/v1/results/{id}/"] = "legacy", ["/test_framework/v2/results/{id}/"] = "canonical" },
  one_of = { "scenarios", "tags", "folder_path", "spec" },
  words = {
    start = "pending", queued = "in_progress", running = "in_progress", completed = "completed", partial = "completed",
    failed = "failed", timeout = "timeout", cancelled = "cancelled",
  },
  status = 201,
  row = result,
  begun = run_started,
}

-- ---- insights ----

local function insight(row, phase, word)
  local ended, succeeded = row.life:over(), phase == "completed"
  return {
    id = row.id, project = tonumber(row.body.project), status = word, num_calls_analyzed = succeeded and 48 or 0,
    window_start = clock.iso(row.created - 7 * clock.DAY), window_end = clock.iso(row.created),
    failure_modes = succeeded and json.list {
      { title = "Hangs up on a question about prices", num_calls = 7 },
      { title = "Offers a day on which the practice is closed", num_calls = 3 },
    } or json.list(),
    error_message = phase == "failed" and "The model gave no answer." or "",
    duration_seconds = ended and 61.5 or json.null,
    created_at = clock.iso(row.created), updated_at = clock.iso(row.updated),
  }
end

-- The schema of the answer to the start repeats the request; the text promises the new row, and only that has an id.
families.deep_research = {
  start = { "/observability/v1/deep-research-insights/generate/" },
  poll = { "/observability/v1/deep-research-insights/{id}/" },
  required = { project = "integer" },
  words = {
    start = "pending", queued = "pending", running = "running", completed = "succeeded", failed = "failed",
    nothing = "skipped_not_enough_data",
  },
  row = function(row, phase, word)
    local out = insight(row, phase, word)
    out.focus, out.focus_fallback = row.body.focus or "", false
    return out
  end,
}

families.failure_modes = {
  start = { "/observability/v1/metric-failure-mode-insights/generate/" },
  poll = { "/observability/v1/metric-failure-mode-insights/{id}/" },
  required = { project = "integer", metric_name = "text" },
  one_of = { "metric", "predefined_metric" },
  words = {
    start = "pending", queued = "pending", running = "running", completed = "succeeded", failed = "failed",
    nothing = "skipped_no_failures",
  },
  row = function(row, phase, word)
    local out = insight(row, phase, word)
    out.metric = tonumber(row.body.metric) or json.null
    out.predefined_metric = tonumber(row.body.predefined_metric) or json.null
    out.metric_name, out.is_triage = row.body.metric_name, false
    out.total_failures_in_window = phase == "completed" and 10 or 0
    out.headline = phase == "completed" and "Two ways to fail explain most of it." or ""
    out.overall_status_emoji = ""
    return out
  end,
}

-- ---- sessions of agent improvement ----

local STAGES = {
  queued = { json.null, json.null },
  running = { "baseline_run", "running" },
  needs_input = { "propose", "waiting_input" },
  completed = { "finalize", "done" },
  nothing = { "finalize", "done" },
  failed = { "apply", "failed" },
  cancelled = { "baseline_run", "done" },
}

-- The body of the request and the answer to a question are not documented, so a question waits until it is cancelled.
families.improvement = {
  start = { "/observability/v1/agent-improvement-sessions/" },
  poll = { "/observability/v1/agent-improvement-sessions/{id}/" },
  words = {
    start = "pending", queued = "pending", running = "running", completed = "succeeded", failed = "failed",
    nothing = "no_improvement", cancelled = "cancelled", needs_input = "running",
  },
  status = 201,
  row = function(row, phase, word)
    local stage, body = STAGES[phase], row.body
    return {
      id = row.id, project = 310, agent = tonumber(body.agent or body.agent_id) or 2142, provider = "vapi",
      agent_name = "Lakeside Dental receptionist", source = body.run_ids and "run" or body.scenario_ids and "scenario"
        or "call_log",
      insights = body.insights or json.list(), call_log_ids = body.call_log_ids or json.list(),
      run_ids = body.run_ids or json.list(), scenario_ids = body.scenario_ids or json.list(), status = word,
      stage = stage[1], stage_status = stage[2], stage_started_at = clock.iso(row.created), stage_history = json.list(),
      iteration = phase == "queued" and 0 or 1, iteration_history = json.list(), baseline_result = json.null,
      verify_result = json.null,
      metric_delta = phase == "completed" and { ["Appointment confirmed"] = 0.25 } or json.null,
      proposal_summary = phase == "completed" and { text = "Reads every appointment back." } or json.null,
      pending_question = phase == "needs_input" and { id = "q1", text = "May the agent name prices?" } or json.null,
      error_message = phase == "failed" and "The provider refused the key." or "", summary_json = {},
      promoted_at = json.null, clone_state = {},
      created_at = clock.iso(row.created), updated_at = clock.iso(row.updated),
    }
  end,
}

-- ---- the requests ----

local function start(family, status, begun)
  return function(request)
    local body = request.body
    local refusal = check.body(body, family.required or {}) or family.one_of and check.one_of(body, family.one_of)
    if refusal then
      return refusal
    end
    local course
    course, refusal = life.begin(request, family.words)
    if refusal then
      return refusal
    end
    local now = clock.now()
    local row = state.add_row { family = family, life = course, body = body, created = now, updated = now }
    local answer = begun and begun(row) or family.row(row, "queued", family.words.start)
    return { status = status, body = answer }
  end
end

local function row_of(family, id)
  local row = state.rows[id]
  return row and row.family == family and row or nil
end

local function shown(row, phase, wire)
  if phase ~= row.phase then
    row.phase, row.updated = phase, clock.now()
  end
  return row.family.row(row, phase, row.family.words[phase], wire)
end

local function poll(family, wire)
  return function(request)
    local row = row_of(family, request.id)
    if not row then
      return check.not_found()
    end
    return { body = shown(row, row.life:poll(), wire) }
  end
end

local function cancel(request)
  local row = row_of(families.improvement, request.id)
  if not row then
    return check.not_found()
  elseif row.life:over() and row.life.ending ~= "needs_input" then
    return { status = 409, body = { detail = "The session has ended.", code = "session_terminal" } }
  end
  row.life:finish "cancelled"
  state.remember("cancelled", { session_id = row.id })
  return { body = shown(row, "cancelled") }
end

-- The status of a result whose calls were ended is not documented; one value of the enum is "cancelled".
local function end_calls(request)
  local row = row_of(families.results, request.id)
  if not row then
    return check.not_found()
  end
  if not row.life:over() then
    row.life:finish "cancelled"
  end
  state.remember("cancelled", { result_id = row.id })
  return {}
end

--- The records below a path as they are now, by id.
---@param collection string
---@return table<integer, table>
function sessions.rows(collection)
  local found = {}
  for id, row in pairs(state.rows) do
    for _, path in ipairs(row.family.poll) do
      if path == collection .. "{id}/" then
        found[id] = shown(row, row.life:phase(), row.family.wire and row.family.wire[path])
      end
    end
  end
  return found
end

--- The data of a webhook about a result, which ends the result; nil if there is no result with that id.
function sessions.reported_result(id)
  local row = row_of(families.results, id)
  if row and not row.life:over() then
    row.life:finish(row.life.ending == "endless" and "completed" or row.life.ending)
  end
  return row and shown(row, row.life:phase(), "both")
end

local routes = sessions.routes
for _, family in pairs(families) do
  for _, path in ipairs(family.start) do
    routes["POST " .. path] = start(family, family.status, family.begun)
  end
  for _, path in ipairs(family.poll) do
    routes["GET " .. path] = poll(family, family.wire and family.wire[path])
  end
end
for channel, status in pairs(families.results.channels) do
  local begun = (channel == "api_chat" or channel == "email") and run_started_by_id or run_started
  routes[("POST /test_framework/v1/scenarios/run_scenarios_%s/"):format(channel)] =
    start(families.results, status, begun)
end
routes["POST /observability/v1/agent-improvement-sessions/{id}/cancel/"] = cancel
routes["POST /test_framework/v1/results/{id}/end_calls/"] = end_calls
routes["POST /test_framework/v2/results/{id}/end_calls/"] = end_calls

return sessions

--- client.calls: call logs. They are read by the client's api_version, v2 unless it says otherwise; actions are
-- those of v1, where all of them are.
-- The `call_id` of a call is the provider's or the sender's own; `id`, an integer, is what records are named by.

local call_log = require "cekura.records.call_log"
local check = require "cekura.check"
local cjson = require "cekura.cjson"
local core = require "cekura.core"
local errors = require "cekura.errors"
local improve = require "cekura.api.calls.improve"
local kinds = require "cekura.api.kinds"
local observe = require "cekura.api.calls.observe"
local pages = require "cekura.api.calls.pages"
local params = require "cekura.api.params"
local request = require "cekura.http.request"
local response = require "cekura.http.response"
local state = require "cekura.job.state"
local times = require "cekura.records.times"
local uri = require "cekura.http.uri"

---@class cekura.Calls
local calls = {
  list = pages.list,
  each = pages.each,
  send = observe.send,
  send_raw = observe.send_raw,
  self_improve = improve.self_improve,
}

local ACTIONS = "/observability/v1/call-logs/"

-- The path of one record below another.
local function path_of(base, id)
  return base .. uri.encode(uri.text("id", check.id("id", id))) .. "/"
end

local function record(reply, err)
  if not reply then
    return nil, err
  end
  return call_log.of_reply(reply)
end

-- The answer, decoded: an object or a list.
local function decoded(reply, err)
  if not reply then
    return nil, err
  end
  local value
  value, err = reply:json()
  if not err and type(value) ~= "table" then
    return nil, response.protocol_error(reply, "the answer is neither an object nor a list")
  end
  return value, err
end

-- Reads what is at a path; options: { timeout = seconds }.
local function get(client, path, options)
  return request.send(client, { method = "GET", path = path, timeout = check.timeout(options) })
end

--- One call log.
---@param client cekura.Client
---@param id integer|string of the record
---@param options? { timeout: number? } seconds
---@return cekura.CallLog? call, cekura.Error? err
function calls.get(client, id, options)
  return record(get(client, path_of(call_log.path(client), id), options))
end

-- ---- changes ----

local CHANGES = { params = {
  transcript_json = { "any" },
  duration = { "any" },
  seconds = { "any" },
  status = { "text" },
  feedback = { "text" },
  call_id = { "text" },
  transcript_type = { "text" },
  timestamp = { "time" },
  call_ended_reason = { "text" },
  customer_number = { "text" },
  metadata = { "table" },
  dynamic_variables = { "table" },
  reevaluate_metrics = { "flag" },
} }

-- What the service calls the duration of a change: minutes, as a number. What it gives is "MM:SS".
local function minutes(given)
  local duration, seconds = given.duration, given.seconds
  if duration ~= nil and seconds ~= nil then
    errors.misuse "update: duration and seconds exclude each other"
  end
  local reason
  if type(duration) == "string" then
    seconds, reason = times.duration(duration)
  else
    local value, what = duration, "duration (minutes)"
    if value == nil then
      value, what = seconds, "seconds (of the call)"
    end
    if value ~= nil and not (type(value) == "number" and value >= 0 and value < math.huge) then
      reason = ("%s: a number of at least 0 expected, got %s"):format(what, tostring(value))
    end
  end
  if reason then
    errors.misuse("update: " .. reason)
  end
  return seconds and seconds / 60 or duration
end

--- Changes a call log. What is not given stays as it is; metadata and dynamic_variables are merged at their top.
---@param client cekura.Client
---@param id integer|string of the record
---@param changes { seconds: number?, duration: number|string?, status: string?, feedback: string?, call_id: string?,
---transcript_json: any, transcript_type: string?, timestamp: number|string?, call_ended_reason: string?,
---customer_number: string?, metadata: table?, dynamic_variables: table?, reevaluate_metrics: boolean? } how long the
---call lasted is `seconds`, or `duration`: a number is minutes, as the service has it, a text is "MM:SS", as it gives
---it. A call whose evaluation is running is not evaluated again by reevaluate_metrics
---@param options? { timeout: number? } seconds
---@return cekura.CallLog? call as it is now
---@return cekura.Error? err
function calls.update(client, id, changes, options)
  local path, timeout = path_of(call_log.path(client), id), check.timeout(options)
  local sent = params.read("update", CHANGES, changes)
  sent.duration, sent.seconds = minutes(changes), nil
  observe.check_transcript("update", sent, nil)
  if next(sent) == nil then
    errors.misuse "update: there is no change"
  end
  return record(request.send_json(client, { method = "PATCH", path = path, timeout = timeout }, "update", sent))
end

local DELETE_OPTIONS = { retain_evaluations = true, timeout = true }

--- Deletes a call log with its transcript and recording, for good.
---@param client cekura.Client
---@param id integer|string of the record
---@param options? { retain_evaluations: boolean?, timeout: number? } keep what its metrics said; seconds
---@return boolean? ok, cekura.Error? err
function calls.delete(client, id, options)
  options = check.options("options", options, DELETE_OPTIONS)
  local query = { retain_evaluations = check.flag("retain_evaluations", options.retain_evaluations) }
  local path = path_of(call_log.path(client), id) .. uri.query("delete", query)
  local reply, err = request.send(client,
    { method = "DELETE", path = path, timeout = check.seconds("timeout", options.timeout) })
  return reply and true, err
end

-- ---- evaluation ----

-- Starts the evaluation of records; gives them.
local function evaluate(client, what, sent, options)
  local timeout = check.timeout(options)
  local reply, err = request.send_json(client, { method = "POST", path = ACTIONS .. what .. "/", timeout = timeout },
    what, sent)
  if not reply then
    return nil, err
  end
  return call_log.list_of_reply(reply)
end

local EVALUATE_METRICS = {
  params = {
    call_logs = { "records", required = true },
    metrics = { "records", required = true },
    agent_id = { "id" },
    project_id = { "id" },
  },
  one_of = { "agent_id", "project_id" },
}

--- Evaluates metrics of call logs. Each evaluation is charged, and the service is known to evaluate all metrics
-- of a call whatever `metrics` says. A log that is still in its first evaluation is refused (kind "invalid").
---@param client cekura.Client
---@param given { call_logs: integer[], metrics: integer[], agent_id: any, project_id: any } one of the last two
---@param options? { timeout: number? } seconds
---@return cekura.CallLog[]? calls as they were before; `call:evaluation()` waits for what comes
---@return cekura.Error? err
function calls.evaluate_metrics(client, given, options)
  local sent = params.read("evaluate_metrics", EVALUATE_METRICS, given, core.fields(client)._project_id)
  return evaluate(client, "evaluate_metrics", sent, options)
end

local RERUN_EVALUATION = {
  params = {
    call_logs = { "ids_or_all", required = true },
    agent_id = { "id" },
    assistant_id = { "id" },
  },
  one_of = { "agent_id", "assistant_id" },
}

--- Evaluates call logs again. The verdict of those that nobody has reviewed is taken away until it is done.
---@param client cekura.Client
---@param given { call_logs: integer[]|"all", agent_id: any, assistant_id: any } one of agent_id and assistant_id
---@param options? { timeout: number? } seconds
---@return cekura.CallLog[]? calls; `call:evaluation()` waits for what comes
---@return cekura.Error? err
function calls.rerun_evaluation(client, given, options)
  return evaluate(client, "rerun_evaluation", params.read("rerun_evaluation", RERUN_EVALUATION, given), options)
end

local VOTE = { params = {
  metric_id = { "id", required = true },
  thumbs_up = { "flag" },
  expected_value = { "any" },
  feedback = { "text" },
} }

--- Says what one thinks of a metric's result, which marks the call log as reviewed.
---@param client cekura.Client
---@param id integer|string of the record
---@param vote { metric_id: integer, thumbs_up: boolean?, expected_value: any, feedback: string? }
---@param options? { timeout: number? } seconds
---@return table? answer, cekura.Error? err
function calls.mark_metric_vote(client, id, vote, options)
  local path, timeout = path_of(ACTIONS, id) .. "mark_metric_vote/", check.timeout(options)
  local sent = params.read("mark_metric_vote", VOTE, vote)
  for _, name in ipairs { "thumbs_up", "expected_value" } do -- required, and may be null
    if sent[name] == nil then
      sent[name] = cjson.null
    end
  end
  return decoded(request.send_json(client, { method = "POST", path = path, timeout = timeout }, "mark_metric_vote",
    sent))
end

-- ---- what else is known of a call ----

--- The trace of a call: OpenTelemetry spans. There is one only where `call.trace_id` is not empty.
---@param client cekura.Client
---@param id integer|string of the record
---@param options? { timeout: number? } seconds
---@return { trace_id: string, spans: any }? trace, cekura.Error? err
function calls.trace(client, id, options)
  return decoded(get(client, path_of(ACTIONS, id) .. "trace/", options))
end

--- The provider's log of a call. There is one only where `call.is_log_present`.
---@param client cekura.Client
---@param id integer|string of the record
---@param options? { timeout: number? } seconds
---@return { provider: string, format: string, fetched_at: string, entries: table[] }? logs, cekura.Error? err
function calls.logs(client, id, options)
  return decoded(get(client, path_of(ACTIONS, id) .. "logs/", options))
end

local ISSUES = { params = {
  agent_id = { "id" },
  assistant_id = { "id" },
  call_logs = { "selection", required = true },
} }

--- Lists the issues that a prompt improvement has found, once it has completed. Withdrawn together
-- with the improvement: an error of kind "gone" then names the endpoint.
---@param client cekura.Client
---@param given { call_logs: integer[]|"all"|{ first: integer }, agent_id: any, assistant_id: any }
---@param options? { timeout: number? } seconds
---@return table? issues the answer, decoded
---@return cekura.Error? err
function calls.improve_prompt_issues(client, given, options)
  local sent = params.read("calls.improve_prompt_issues", ISSUES, given)
  local reply, err = request.send_json(client, { method = "POST", path = ACTIONS .. "improve_prompt_issues/",
    timeout = check.timeout(options) }, "calls.improve_prompt_issues", sent)
  if not reply then
    return nil, state.mark_gone(err, kinds["calls.improve_prompt"])
  end
  return decoded(reply)
end

return calls

--- client.calls: call logs. They are read by the client's api_version (v2 by default); the paths of actions are those
-- of v1, where all of them are. A record is named by its `id`, an integer; the `call_id` of a call is the provider's or
-- the sender's own.
-- calls:improve_prompt, calls:create_scenarios and calls:evaluation start jobs: they are kinds, see cekura.api.kinds.

local check = require "cekura.check"
local cjson = require "cekura.cjson"
local core = require "cekura.core"
local endpoint = require "cekura.http.endpoint"
local errors = require "cekura.errors"
local kinds = require "cekura.api.kinds"
local list = require "cekura.api.calls.list"
local operation = require "cekura.api.operation"
local request = require "cekura.http.request"
local self_improve = require "cekura.api.calls.self_improve"
local send = require "cekura.api.calls.send"
local send_raw = require "cekura.api.calls.send_raw"
local times = require "cekura.records.times"
local transcript_json = require "cekura.api.calls.transcript_json"
local uri = require "cekura.http.uri"

---@alias cekura.Timeout { timeout: number? } seconds

local calls = {
  list = list.list,
  each = list.each,
  send = send.send,
  send_raw = send_raw,
  self_improve = self_improve,
}

-- ---- reading ----

--- One call log, by the id of the record.
---@type fun(client, id: cekura.Id, options?: cekura.Timeout): cekura.CallLog?, cekura.Error?
calls.get = operation.method("get", {
  "GET /observability/{version}/call-logs/{id}/", answer = "record", class = "call_log",
})

--- The trace of a call: OpenTelemetry spans, { trace_id =, spans = }. There is one only where `call.trace_id` is not
--- empty.
---@type fun(client, id: cekura.Id, options?: cekura.Timeout): table?, cekura.Error?
calls.trace = operation.method("trace", { "GET /observability/v1/call-logs/{id}/trace/", answer = "json" })

--- The provider's log of a call: { provider =, format =, fetched_at =, entries = }. There is one only where
--- `call.is_log_present`.
---@type fun(client, id: cekura.Id, options?: cekura.Timeout): table?, cekura.Error?
calls.logs = operation.method("logs", { "GET /observability/v1/call-logs/{id}/logs/", answer = "json" })

-- ---- changing ----

local function check_length(name, value)
  if type(value) ~= "number" or not (value >= 0 and value < math.huge) then
    errors.misuse("update: %s: a number of at least 0 expected, got %s", name, value)
  end
  return value
end

-- The duration in the form that the service accepts, a number of minutes; it returns "MM:SS".
local function minutes(duration, seconds)
  if duration ~= nil and seconds ~= nil then
    errors.misuse "update: duration and seconds exclude each other"
  elseif seconds ~= nil then
    return check_length("seconds (of the call)", seconds) / 60
  elseif type(duration) ~= "string" then
    return duration ~= nil and check_length("duration (minutes)", duration) or nil
  end
  local read, reason = times.duration(duration)
  return read and read / 60 or errors.misuse("update: " .. reason)
end

local function prepare_update(sent)
  sent.duration, sent.seconds = minutes(sent.duration, sent.seconds), nil
  transcript_json("update", sent, nil)
  if next(sent) == nil then
    errors.misuse "update: there is no change"
  end
end

--- Changes a call log. Fields that are not given do not change; metadata and dynamic_variables are merged at their top
--- level. The duration of the call is `seconds`, or `duration`: a number of minutes, or a text "MM:SS". While an
--- evaluation is running, reevaluate_metrics does not start another. Returns the changed call.
---@type fun(client, id: cekura.Id, changes: table, options?: cekura.Timeout): cekura.CallLog?, cekura.Error?
calls.update = operation.method("update", {
  "PATCH /observability/{version}/call-logs/{id}/",
  body = {
    transcript_json = "any",
    duration = "any",
    seconds = "any",
    status = "text",
    feedback = "text",
    call_id = "text",
    transcript_type = "text",
    timestamp = "time",
    call_ended_reason = "text",
    customer_number = "text",
    metadata = "table",
    dynamic_variables = "table",
    reevaluate_metrics = "flag",
  },
  prepare = prepare_update,
  answer = "record",
  class = "call_log",
})

local DELETE = "DELETE /observability/{version}/call-logs/{id}/"

local DELETE_OPTIONS = { retain_evaluations = true, timeout = true }

--- Deletes a call log with its transcript and recording, for good.
---@param client cekura.Client
---@param id cekura.Id
---@param options? { retain_evaluations: boolean?, timeout: number? } keep what its metrics said; seconds
---@return boolean? ok, cekura.Error? err
function calls.delete(client, id, options)
  options = check.options("options", options, DELETE_OPTIONS)
  local query = { retain_evaluations = check.flag("retain_evaluations", options.retain_evaluations) }
  local method, path = endpoint.fill("delete", DELETE,
    { id = check.id("id", id), version = core.fields(client)._api_version })
  local reply, err = request.send(client,
    { method = method, path = path .. uri.query("delete", query), timeout = check.seconds("timeout", options.timeout) })
  return reply and true, err
end

--- Records a vote on a metric's result, which marks the call log as reviewed. Returns the answer, decoded.
---@type fun(client, id: cekura.Id, vote: table, options?: cekura.Timeout): table?, cekura.Error?
calls.mark_metric_vote = operation.method("mark_metric_vote", {
  "POST /observability/v2/call-logs/{id}/mark_metric_vote/",
  required = { "metric_id" },
  body = {
    metric_id = "id",
    thumbs_up = "flag",
    expected_value = "any",
    feedback = "text",
  },
  defaults = { thumbs_up = cjson.null, expected_value = cjson.null }, -- the service requires them, and takes null
  answer = "json",
})

-- ---- evaluating ----

--- Evaluates metrics of call logs. Each evaluation is charged, and the service is known to ignore `metrics` and to
--- evaluate all metrics of a call. A call log that is still in its first evaluation is refused (kind "invalid").
--- Returns the call logs from before the evaluation; `call:evaluation()` waits for the new one.
---@type fun(client, params: table, options?: cekura.Timeout): cekura.CallLog[]?, cekura.Error?
calls.evaluate_metrics = operation.method("evaluate_metrics", {
  "POST /observability/v2/call-logs/evaluate_metrics/",
  required = { "call_logs", "metrics" },
  body = {
    call_logs = "records",
    metrics = "records",
    agent_id = "id",
    project_id = "id",
  },
  one_of = { "agent_id", "project_id" },
  answer = "records",
  class = "call_log",
})

--- Evaluates call logs again. Until the evaluation is done, they have no verdicts, except reviewed ones. Returns the
--- call logs; `call:evaluation()` waits for the new evaluation.
---@type fun(client, params: table, options?: cekura.Timeout): cekura.CallLog[]?, cekura.Error?
calls.rerun_evaluation = operation.method("rerun_evaluation", {
  "POST /observability/v1/call-logs/rerun_evaluation/",
  required = { "call_logs" },
  body = {
    call_logs = "ids_or_all",
    agent_id = "id",
    assistant_id = "id",
  },
  one_of = { "agent_id", "assistant_id" },
  answer = "records",
  class = "call_log",
})

--- Lists the issues that a prompt improvement has found, once it has completed. It was withdrawn together with the
--- improvement: an error of kind "gone" then names the endpoint. Returns the answer, decoded.
---@type fun(client, params: table, options?: cekura.Timeout): table?, cekura.Error?
calls.improve_prompt_issues = operation.method("calls.improve_prompt_issues", {
  "POST /observability/v1/call-logs/improve_prompt_issues/",
  required = { "call_logs" },
  body = {
    agent_id = "id",
    assistant_id = "id",
    call_logs = "selection",
  },
  answer = "json",
  withdrawn = kinds["calls.improve_prompt"].withdrawn,
})

return calls

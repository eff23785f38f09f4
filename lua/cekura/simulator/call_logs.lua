--- Stored call logs: lists, single records, changes. ingest.lua adds them, and evaluations.lua evaluates them.

local check = require "cekura.simulator.check"
local clock = require "cekura.simulator.clock"
local evaluations = require "cekura.simulator.evaluations"
local filters = require "cekura.simulator.filters"
local json = require "cekura.simulator.json"
local life = require "cekura.simulator.life"
local records = require "cekura.simulator.records"
local selection = require "cekura.simulator.selection"
local state = require "cekura.simulator.state"
local uri = require "cekura.simulator.uri"

local call_logs = { routes = {} }

-- The same routes exist at three addresses, each with its format of metrics.
local MOUNTS = {
  ["/observability/v1/call-logs/"] = "legacy",
  ["/observability/v1/call-logs-external/"] = "legacy",
  ["/observability/v2/call-logs/"] = "canonical",
}

-- ---- the list ----

local USUAL_PAGE, MOST_ON_A_PAGE = 25, 200
local USUAL_WINDOW, WIDEST_WINDOW = 30 * clock.DAY, 33 * clock.DAY
local MOST_COUNTED = 10000

-- The range of time, or a refusal.
local function window(args)
  local times = {}
  for _, name in ipairs { "timestamp_from", "timestamp_to" } do
    times[name] = args[name] and clock.parse(args[name])
    if args[name] and not times[name] then
      return nil, nil, check.invalid { [name] = "Not a date-time." }
    end
  end
  local from, to = times.timestamp_from, times.timestamp_to
  if (from or to) and (to or clock.now()) - (from or to - USUAL_WINDOW) > WIDEST_WINDOW then
    return nil, nil, check.invalid { timestamp_from = "The range is wider than 33 days." }
  end
  return from or (to or clock.now()) - USUAL_WINDOW, to or math.huge
end

local function numbers_in(text)
  local set = {}
  for number in text:gmatch "%d+" do
    set[tonumber(number)] = true
  end
  return set
end

-- A test for the filters of the query, or a refusal.
local function criteria(args)
  local from, to, refusal = window(args)
  if refusal then
    return nil, refusal
  end
  local agent, project = tonumber(args.agent_id), tonumber(args.project_id)
  local ids = args.call_ids and numbers_in(args.call_ids)
  local filter, problem
  if args.filters_v2 then
    filter, problem = filters.compile(args.filters_v2)
    if problem then
      return nil, check.invalid { filters_v2 = problem }
    end
  end
  return function(record)
    return record.timestamp >= from and record.timestamp <= to
      and (not agent or record.agent == agent)
      and (not project or record.project == project)
      and (not args.assistant_id or record.assistant_id == args.assistant_id)
      and (not ids or ids[record.id] == true)
      and (not filter or filter(record))
  end
end

-- The records that pass the test, newest first.
local function matching(test)
  local found = {}
  for _, record in pairs(state.call_logs) do
    evaluations.settle(record)
    found[#found + 1] = test(record) and record or nil
  end
  table.sort(found, function(a, b)
    return a.timestamp > b.timestamp or a.timestamp == b.timestamp and a.id > b.id
  end)
  return found
end

local function page_url(request, number)
  local query = {}
  for name, value in pairs(request.query) do
    query[name] = value
  end
  query.page = ("%d"):format(number)
  return ("%s://%s%s?%s"):format(request.scheme or "http", request.headers.host or "localhost", request.path,
    uri.encode_query(query))
end

local function row_maker(ql, wire)
  if not ql then
    return function(record) return records.row(record, wire) end
  end
  local fields, problem = filters.select(ql, records.row_fields())
  if not fields then
    return nil, check.invalid { ql = problem }
  end
  return function(record)
    local row, whole = {}, records.row(record, wire)
    for name in pairs(fields) do
      row[name] = whole[name]
    end
    return row
  end
end

local function list(request, wire)
  local args = request.query
  local test, refusal = criteria(args)
  if refusal then
    return refusal
  end
  local row_of
  row_of, refusal = row_maker(args.ql, wire)
  if refusal then
    return refusal
  end
  local found = matching(test)
  local size = math.min(math.max(tonumber(args.page_size) or USUAL_PAGE, 1), MOST_ON_A_PAGE)
  local page = tonumber(args.page) or 1
  local before = (page - 1) * size
  if page < 1 or page > 1 and before >= #found then
    return { status = 404, body = { detail = "Invalid page." } }
  end
  local rows = json.list()
  for index = before + 1, math.min(before + size, #found) do
    rows[#rows + 1] = row_of(found[index])
  end
  if life.directives(request).bare then
    return { body = rows }
  end
  local counted = args.include_count == "true"
  return { body = {
    results = rows,
    next = before + size < #found and page_url(request, page + 1) or json.null,
    previous = page > 1 and page_url(request, page - 1) or json.null,
    count = counted and math.min(#found, MOST_COUNTED) or nil,
    count_capped = (counted or nil) and #found > MOST_COUNTED,
  } }
end

-- ---- one record ----

local STATUSES = { success = true, failure = true, reviewed_success = true, reviewed_failure = true }

local CHANGES = {
  status = "text", feedback = "string", call_id = "short", transcript_type = "text", transcript_json = "any",
  timestamp = "text", duration = "duration", call_ended_reason = "short", customer_number = "short",
  metadata = "object", dynamic_variables = "object", reevaluate_metrics = "boolean",
}

local COPIED = { "status", "feedback", "call_id", "call_ended_reason", "customer_number" }

local function unacceptable(body)
  local unknown = {}
  for name in pairs(body) do
    unknown[name] = not CHANGES[name] and "Unknown field." or nil
  end
  if next(unknown) then
    return check.invalid(unknown)
  elseif check.given(body.status) and not STATUSES[body.status] then
    return check.invalid { status = ("%q is not a valid choice."):format(body.status) }
  elseif check.given(body.timestamp) and not clock.parse(body.timestamp) then
    return check.invalid { timestamp = "Not a date-time." }
  end
  return check.body(body, {}, CHANGES)
end

local function merged(old, changes)
  local new = {}
  for _, source in ipairs { old, changes } do
    for name, value in pairs(source) do
      new[name] = value
    end
  end
  return new
end

local function change(record, body)
  for _, name in ipairs(COPIED) do
    if check.given(body[name]) then
      record[name] = body[name]
    end
  end
  for _, name in ipairs { "metadata", "dynamic_variables" } do
    if check.given(body[name]) then
      record[name] = merged(record[name], body[name])
    end
  end
  if check.given(body.timestamp) then
    record.timestamp = clock.parse(body.timestamp)
  end
  if check.given(body.duration) then -- the unit is minutes
    local seconds = math.floor(body.duration * 60 + 0.5)
    record.duration = ("%02d:%02d"):format(math.floor(seconds / 60), seconds % 60)
  end
  if check.given(body.transcript_json) then
    record.transcript_object = records.read_transcript(body.transcript_json, body.transcript_type)
    record.transcript = records.text_of(record.transcript_object)
  end
end

local function update(request, record, wire)
  local refusal = unacceptable(request.body)
  if not refusal and request.body.reevaluate_metrics == true and not evaluations.running(record) then
    refusal = evaluations.begin_anew(request, record)
  end
  if refusal then
    return refusal
  end
  change(record, request.body)
  evaluations.touch(record)
  return { body = records.detail(record, wire) }
end

local function delete(id, retain_evaluations)
  state.call_logs[id] = nil
  state.remember("deleted", { id = id, retain_evaluations = retain_evaluations })
end

local function delete_many(request)
  local body = request.body
  local refusal = check.body(body, { call_logs = "list" }, { retain_evaluations = "boolean" })
  if refusal then
    return refusal
  end
  for _, id in ipairs(body.call_logs) do
    if state.call_logs[tonumber(id)] then
      delete(tonumber(id), body.retain_evaluations == true)
    end
  end
  return { status = 204 }
end

local function vote(request, record)
  local body = request.body
  local refusal = check.body(body, { metric_id = "integer" })
  -- Both are required, but may be null.
  for _, name in ipairs { "thumbs_up", "expected_value" } do
    refusal = refusal or body[name] == nil and check.invalid { [name] = "This field is required." } or nil
  end
  if refusal then
    return refusal
  end
  state.remember("votes", { id = record.id, vote = body })
  return { body = { detail = "The vote was taken." } }
end

local function trace(_, record)
  if record.trace_id == "" then
    return check.not_found()
  end
  return { body = { trace_id = record.trace_id, spans = json.list {
    { name = "call", span_id = "00f067aa0ba902b7", duration_ms = 70120 },
    { name = "find_slots", span_id = "00f067aa0ba902b8", parent_span_id = "00f067aa0ba902b7", duration_ms = 640 },
  } } }
end

local function logs(_, record)
  if not record.is_log_present then
    return check.not_found()
  end
  return { body = { provider = "simulator", format = "events", fetched_at = clock.iso(clock.now()),
    entries = record.logs or json.list {
      { ts = clock.iso(record.timestamp), level = "info", message = "call answered" },
      { ts = clock.iso(record.timestamp + clock.SECOND), level = "warn", message = "slow answer", raw = { ms = 910 } },
    } } }
end

-- ---- the routes ----

-- Wraps a handler of a record; answers 404 if there is no such record.
local function of_record(handler, wire)
  return function(request)
    local record = state.call_logs[request.id]
    if not record then
      return check.not_found()
    end
    return handler(request, record, wire)
  end
end

local routes = call_logs.routes
for mount, wire in pairs(MOUNTS) do
  evaluations.mount(routes, mount, wire)
  routes["GET " .. mount] = function(request) return list(request, wire) end
  routes["POST " .. mount .. "delete_call_logs/"] = delete_many
  routes["POST " .. mount .. "{id}/mark_metric_vote/"] = of_record(vote)
  routes["PATCH " .. mount .. "{id}/"] = of_record(update, wire)
  routes["GET " .. mount .. "{id}/"] = of_record(function(request, record)
    evaluations.settle(record, true)
    return selection.answer(request, records.detail(record, wire), "select", records.detail_fields())
  end)
  routes["DELETE " .. mount .. "{id}/"] = of_record(function(request)
    delete(request.id, request.query.retain_evaluations == "true")
    return { status = 204 }
  end)
end
routes["GET /observability/v1/call-logs/{id}/trace/"] = of_record(trace)
routes["GET /observability/v1/call-logs/{id}/logs/"] = of_record(logs)

return call_logs

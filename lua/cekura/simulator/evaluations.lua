--- The evaluation of call logs: work without a progress id, whose state is in the record itself.

local check = require "cekura.simulator.check"
local clock = require "cekura.simulator.clock"
local json = require "cekura.simulator.json"
local life = require "cekura.simulator.life"
local records = require "cekura.simulator.records"
local state = require "cekura.simulator.state"

local evaluations = {}

local ENDS = { completed = true, failed = true }

--- Marks a record as changed, always later than before.
function evaluations.touch(record)
  record.updated_at = math.max(clock.now(), record.updated_at + 1000)
end

local function reviewed(record)
  return record.status == "reviewed_success" or record.status == "reviewed_failure"
end

--- Ends the evaluation of a record as "completed" or "failed". A reviewed record keeps its verdict.
function evaluations.finish(record, ending)
  local success = ending == "completed"
  record.life = nil
  record.metrics = records.metrics(success)
  if not reviewed(record) then
    record.status = success and "success" or "failure"
    record.success = success
  end
  evaluations.touch(record)
end

--- Brings a record up to date. `polled` means that a GET of the record caused this, which counts as a poll.
function evaluations.settle(record, polled)
  if record.life then
    local phase = polled and record.life:poll() or record.life:phase()
    if ENDS[phase] then
      evaluations.finish(record, phase)
    end
  end
end

--- Begins an evaluation, which does not change the record until it ends.
---@return table? refusal
function evaluations.begin(request, record)
  local course, refusal = life.begin(request, ENDS)
  record.life = course or record.life
  return refusal
end

--- Begins the first evaluation of a record, or one that starts over.
function evaluations.begin_anew(request, record)
  local refusal = evaluations.begin(request, record)
  if not refusal then
    record.status, record.success = "evaluating", json.null
  end
  return refusal
end

--- Whether an evaluation of a record runs. A record of the initial store may be in this state for ever.
function evaluations.running(record)
  return record.life ~= nil or record.status == "evaluating"
end

-- ---- the requests ----

-- The records that the body names, by ids or as "all" records of an agent.
local function chosen(body)
  local found, missing = {}, {}
  if body.call_logs == "all" then
    local agent = tonumber(body.agent_id) or records.agent_of(body.assistant_id)
    for _, record in pairs(state.call_logs) do
      found[#found + 1] = record.agent == agent and record or nil
    end
    table.sort(found, function(a, b) return a.id < b.id end)
    return found
  end
  for _, id in ipairs(body.call_logs) do
    local record = state.call_logs[tonumber(id)]
    found[#found + 1] = record
    missing[#missing + 1] = not record and json.encode(id) or nil
  end
  if #missing > 0 then
    return nil, check.invalid { call_logs = "Call logs not found: " .. table.concat(missing, ", ") }
  end
  return found
end

local function begin_all(request, chosen_records)
  for _, record in ipairs(chosen_records) do
    local refusal = evaluations.begin(request, record)
    if refusal then
      return refusal
    end
  end
end

-- The documents are wrong here: the requested metrics make no difference.
local function evaluate_metrics(request, wire)
  local body = request.body
  local refusal = check.body(body, { call_logs = "list", metrics = "list" })
    or check.one_of(body, { "agent_id", "project_id" })
  if refusal then
    return refusal
  end
  local found
  found, refusal = chosen(body)
  if refusal then
    return refusal
  end
  local before = json.list()
  for index, record in ipairs(found) do
    evaluations.settle(record)
    if record.status == "evaluating" then
      return check.bad_request(("Call log %d is still being evaluated."):format(record.id))
    end
    before[index] = records.row(record, wire)
  end
  return begin_all(request, found) or { body = before }
end

local function rerun_evaluation(request, wire)
  local body = request.body
  local refusal = check.body(body, { call_logs = "selection" })
    or check.one_of(body, { "agent_id", "assistant_id" })
  if refusal then
    return refusal
  end
  local found
  found, refusal = chosen(body)
  refusal = refusal or begin_all(request, found)
  if refusal then
    return refusal
  end
  local details = json.list()
  for index, record in ipairs(found) do
    if not reviewed(record) then
      record.success = json.null
    end
    evaluations.touch(record)
    details[index] = records.detail(record, wire)
  end
  return { body = details }
end

--- Adds the routes for one address of the call logs.
function evaluations.mount(routes, mount, wire)
  routes["POST " .. mount .. "evaluate_metrics/"] = function(request) return evaluate_metrics(request, wire) end
  routes["POST " .. mount .. "rerun_evaluation/"] = function(request) return rerun_evaluation(request, wire) end
end

return evaluations

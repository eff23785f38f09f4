--- The improve_prompt family, as clients have observed it.

local check = require "cekura.simulator.check"
local json = require "cekura.simulator.json"
local life = require "cekura.simulator.life"
local selection = require "cekura.simulator.selection"
local state = require "cekura.simulator.state"

local improve_prompt = { routes = {} }

local MOST_CALL_LOGS = 40

-- ---- the ends, by life ----

local ends = {}

function ends.completed(job)
  local improved = job.prompt .. "\n\n- Confirm the caller's name and the date of the appointment before hanging up."
    .. "\n- If the caller asks for a person, offer to transfer the call at once."
  return {
    status = "completed",
    output = {
      improved_prompt = improved,
      summary_of_changes = ("Two rules added, from %s: confirm details before the end of a call, and offer a transfer.")
        :format(job.source),
    },
    error = json.null,
  }
end

function ends.no_issues()
  return { status = "failed", output = json.null, error = "No issues found in the given call logs." }
end

function ends.failed()
  return { status = "failed", output = json.null, error = "The model gave no answer." }
end

function ends.cancelled()
  return { status = "cancelled", output = json.null, error = json.null }
end

function ends.empty()
  return { status = "completed", output = json.null, error = json.null }
end

function ends.needs_input()
  return { status = "pending_clarification", output = json.null, error = json.null }
end

function ends.call_log()
  return {
    id = 5181749, call_id = "sess-1", status = "success", success = true, transcript = "[00:01] Testing Agent: Hello.",
  }
end

function ends.inline(job)
  return ends.completed(job).output
end

local function going_on(job, phase)
  if job.life.ending == "call_log" then
    return { id = 5181749, call_id = "sess-1", status = "evaluating" }
  end
  return { status = phase == "queued" and "queued" or "processing", output = json.null, error = json.null }
end

-- ---- the start ----

local function call_logs_source(body)
  local chosen = body.call_logs
  if chosen == nil then
    return nil, check.invalid { call_logs = "This field is required." }
  elseif type(chosen) == "number" and chosen > MOST_CALL_LOGS then
    return nil, check.invalid { call_logs = ("Maximum length is %d"):format(MOST_CALL_LOGS) }
  elseif type(chosen) ~= "table" and not body.agent_id and not body.assistant_id then
    return nil, check.invalid { agent_id = "This field is required." }
  end
  local count = type(chosen) == "table" and #chosen or chosen
  return ("%s call logs"):format(tostring(count))
end

local function runs_source(body)
  if type(body.run_ids) ~= "table" then
    return nil, check.invalid { run_ids = "This field is required." }
  end
  return ("%d runs"):format(#body.run_ids)
end

local function start(source_of)
  return function(request)
    local body = request.body
    if type(body.prompt) ~= "string" or body.prompt == "" then
      return check.invalid { prompt = "This field may not be blank." }
    end
    local source, refusal = source_of(body)
    if refusal then
      return refusal
    end
    local course
    course, refusal = life.begin(request, ends)
    if refusal then
      return refusal
    end
    local job = { family = improve_prompt, life = course, prompt = body.prompt, source = source }
    local id = state.add_job(job)
    if course.ending == "inline" then
      return { body = ends.inline(job) }
    end
    return { body = { progress_id = id } }
  end
end

local function progress(request)
  local job = state.job(request.query.progress_id, improve_prompt)
  if not job then
    return check.not_found()
  end
  local phase = job.life:poll()
  local whole = ends[phase] and ends[phase](job) or going_on(job, phase)
  return selection.answer(request, whole, "ignore")
end

local function issues(request)
  if request.body.call_logs == nil then
    return check.invalid { call_logs = "This field is required." }
  end
  return { body = { issues = { { title = "The date was not confirmed", call_logs = request.body.call_logs } } } }
end

local routes = improve_prompt.routes
routes["POST /observability/v1/call-logs/improve_prompt_bg/"] = start(call_logs_source)
routes["GET /observability/v1/call-logs/improve_prompt_progress/"] = progress
routes["POST /observability/v1/call-logs/improve_prompt_issues/"] = issues
routes["POST /test_framework/v1/runs/improve_prompt_bg/"] = start(runs_source)
routes["GET /test_framework/v1/runs/improve_prompt_progress/"] = progress

return improve_prompt

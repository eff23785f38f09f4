--- The families of jobs that are polled by a progress id, as data: one table for each. jobs.lua serves them.
--
--   id        the name of its progress id, if not progress_id
--   mounts    the beginnings of its paths
--   start     the path of the request that starts one; {id} is the id of a record, kept as job.record_id
--   poll      the path of the request that polls it
--   required, optional   fields of the start's body: name to kind, see check.lua
--   one_of    fields of which one is required
--   refuse    function(body): a refusal for other reasons, or nil
--   words     phase to the family's status; its ends are the lives that it supports
--   begun     function(job): the members of the answer to the start beside the progress id
--   status    of the answer to the start, if it is not 200
--   progress  function(job, phase, word): the answer to a poll
--   inline    function(job): the answer to a start with life=inline
--   cached    function(request): a key; a start with the key of an earlier start gets the same progress id

local check = require "cekura.simulator.check"
local json = require "cekura.simulator.json"
local records = require "cekura.simulator.records"
local state = require "cekura.simulator.state"

local CALL_LOGS = {
  "/observability/v1/call-logs/", "/observability/v1/call-logs-external/", "/observability/v2/call-logs/",
}
local METRICS = { "/test_framework/v1/metrics/", "/test_framework/v1/metrics-external/", "/test_framework/v2/metrics/" }
local RUNS = { "/test_framework/v1/runs/", "/test_framework/v1/runs-external/", "/test_framework/v2/runs/" }
local SCENARIOS = {
  "/test_framework/v1/scenarios/", "/test_framework/v1/scenarios-external/", "/test_framework/v2/scenarios/",
}

local USUAL_WORDS = {
  queued = "queued", running = "processing", completed = "completed", failed = "failed", cancelled = "cancelled",
}

local STAGED_WORDS = {
  queued = "in_progress", running = "in_progress", completed = "completed", failed = "failed",
}

local FAILURE = "The model gave no answer."

-- ---- shared by several families ----

local function error_of(phase)
  return phase == "failed" and FAILURE or json.null
end

-- The platform's envelope {status, output, error}, also for families whose shape is not documented.
local function envelope(output_of)
  return function(job, phase, word)
    return { status = word, output = phase == "completed" and output_of(job) or json.null, error = error_of(phase) }
  end
end

-- How many parts of a job are done, and how many of those have failed. Neither ever decreases.
local function counts(job, phase)
  local total, ending = job.total, job.life.ending
  if ending == "needs_input" then
    return 0, 0
  end
  local ended = phase == "completed" or phase == "failed" or phase == "partial"
  local tried = ended and total or math.max(0, math.min(math.floor(total * job.life:share()), total - 1))
  local to_fail = ending == "failed" and total or ending == "partial" and math.ceil(total / 3) or 0
  local failed = math.max(0, tried - (total - to_fail))
  return tried - failed, failed
end

local function agent_of(body)
  return tonumber(body.agent_id or body.agent) or records.agent_of(body.assistant_id) or 2142
end

local CALLERS = { "moves an appointment", "has lost the room key", "asks for the price of a crown", "cancels too late" }

local function scenario(number, agent)
  return {
    id = 8800 + number, name = "A caller who " .. CALLERS[(number - 1) % #CALLERS + 1], agent = agent, personality = 11,
    personality_name = "In a hurry", tags = json.list(), scenario_type = "instruction",
    instructions = "Call, say what you want, and hang up when it is confirmed.",
    expected_outcome_prompt = "The agent reads the result back.",
  }
end

local function scenarios(count, agent)
  local list = json.list()
  for number = 1, count do
    list[number] = scenario(number, agent)
  end
  return list
end

local families = {} -- a list; three families also have names, for requests that only they support

local function add(family)
  families[#families + 1] = family
  return family
end

-- ---- scenarios from call logs ----

-- This progress has no status: the job is done when the completed and the failed scenarios add up to the total.
add {
  mounts = CALL_LOGS, start = "create_scenarios/", poll = "create_scenarios_progress/",
  required = { call_logs = "selection" }, one_of = { "agent_id", "assistant_id" },
  words = { completed = true, failed = true, partial = true },
  begun = function(job)
    job.total = type(job.body.call_logs) == "table" and #job.body.call_logs or 5
  end,
  progress = function(job, phase, word)
    local completed, failed = counts(job, phase)
    local errors = json.list()
    for index = 1, failed do
      local id = type(job.body.call_logs) == "table" and job.body.call_logs[index] or 5181749 + index
      errors[index] = { call_log_id = id, error = { detail = "The call log has no transcript." } }
    end
    local agent = agent_of(job.body)
    return {
      agent_id = agent, total_scenarios = job.total, completed_scenarios = completed, failed_scenarios = failed,
      scenarios_list = scenarios(word and completed or 0, agent), errors = errors,
    }
  end,
}

-- ---- alerts ----

-- The documents show an alert as the answer; their text says that it ends with "completed" or "error". Other statuses
-- and the shape are not documented.
add {
  mounts = { "/observability/v1/alerts/" }, start = "{id}/summarize/", poll = "summarize_progress/",
  words = { queued = "processing", running = "processing", completed = "completed", failed = "error" },
  cached = function(request)
    -- The service's key is alert, hours and the latest occurrence; the life replaces the occurrence here.
    return ("%d %s %s"):format(request.id, tostring(request.body.hours), tostring(request.headers["x-simulate"]))
  end,
  progress = envelope(function(job)
    return { summary = ("Alert %d fired twice; both calls ended before anything was booked."):format(job.record_id) }
  end),
}

-- ---- metrics ----

local function improved_metric()
  return {
    improved_metric_description = "The agent reads the day and the hour back before the call ends.",
    improved_evaluation_trigger = "An appointment was talked about.",
  }
end

-- The documentation page reads an envelope; the schema of the same endpoint is flat and without a status (shape=flat).
-- The status of a running job is not documented.
families.feedbacks = add {
  mounts = { "/test_framework/metric-reviews/" }, start = "process_feedbacks/", poll = "process_feedbacks_progress/",
  required = { metric_id = "integer" }, optional = { test_set_ids = "list", skip_evaluation = "boolean" },
  words = {
    queued = "processing", running = "processing", completed = "success", failed = "error", cancelled = "cancelled",
  },
  progress = function(job, phase, word)
    local output = improved_metric()
    if job.life.asked.shape == "flat" and phase == "completed" then
      output.review_results = json.list { { review_id = 1, test_set_id = 1, success = true } }
      return output
    end
    output.meta_harness = {
      optimized_code = "return passed", type = "custom_code", score = 0.9, num_correct = 9, num_total = 10,
    }
    return { status = word, output = phase == "completed" and output or json.null, error = error_of(phase) }
  end,
}

-- Documented as text: counts of completed and failed parts, and the metric at the end. The names are those of the newer
-- request that answers when the work is done.
add {
  mounts = METRICS, start = "{id}/run_reviews/", poll = "run_reviews_progress/",
  words = {
    queued = "queued", running = "processing", completed = "completed", failed = "failed", cancelled = "cancelled",
    partial = "completed",
  },
  begun = function(job)
    job.total = 6
  end,
  progress = function(job, phase, word)
    local completed, failed = counts(job, phase)
    local is_done = phase == "completed" or phase == "partial"
    local output = json.list()
    for review = 1, is_done and completed or 0 do
      output[review] = { review_id = review, expected_value = 5, actual_value = 5, explanation = "As it was marked." }
    end
    return {
      status = word, total_reviews = job.total, completed_reviews = completed, failed_reviews = failed,
      error = error_of(phase), output = is_done and output or json.null,
      metric = is_done and { id = job.record_id, name = "Appointment confirmed" } or json.null,
    }
  end,
}

add {
  mounts = METRICS, start = "generate_metrics/", poll = "generate_metrics_progress/",
  optional = { num_metrics = "integer" }, one_of = { "agent_id", "assistant_id" },
  refuse = function(body)
    local count = tonumber(body.num_metrics) or 1
    return (count < 1 or count > 100) and check.invalid { num_metrics = "Not from 1 to 100." } or nil
  end,
  words = { queued = "queued", running = "in_progress", completed = "completed", failed = "failed" },
  progress = function(job, phase, word)
    local agent, metrics = agent_of(job.body), json.list()
    for number = 1, phase == "completed" and (tonumber(job.body.num_metrics) or 1) or 0 do
      metrics[number] = {
        agent = agent, name = "Rule " .. number, description = "The agent asks for a name before it offers a date.",
        eval_type = "binary", scenarios = json.list(),
      }
    end
    return {
      agent_id = agent, status = word, metrics = metrics, error = error_of(phase),
      current_step = phase == "completed" and "done" or "reading the agent's description",
    }
  end,
}

add {
  mounts = METRICS, start = "generate_clean_description_bg/", poll = "generate_clean_description_progress/",
  required = { agent = "integer", metric_description = "text", eval_type = "text" },
  refuse = function(body)
    local known = { boolean = true, numeric = true, rating = true, enum = true }
    return not known[body.eval_type] and check.invalid { eval_type = "Not a valid choice." } or nil
  end,
  words = USUAL_WORDS,
  progress = function(job, phase, word)
    local done = phase == "completed"
    return {
      status = word, error = phase == "failed" and FAILURE or nil,
      clean_description = done and "In one sentence: " .. job.body.metric_description or nil,
      thinking = done and "The description names one rule." or nil,
    }
  end,
}

local function simplified(job)
  return {
    original_prompt = job.body.original_prompt, simplified_prompt = "Be brief and friendly.",
    skipped_simplification = false,
  }
end

add {
  mounts = METRICS, start = "simplify_prompt/", poll = "simplify_prompt_progress/",
  required = { original_prompt = "text" }, optional = { metric_id = "integer" },
  words = {
    queued = "queued", running = "processing", completed = "completed", failed = "failed", cancelled = "cancelled",
    inline = "completed",
  },
  inline = simplified,
  progress = function(job, phase, word)
    local answer = simplified(job)
    answer.status, answer.error = word, phase == "failed" and FAILURE or nil
    answer.metric_id = tonumber(job.body.metric_id)
    if phase ~= "completed" then
      answer.simplified_prompt = nil
    end
    return answer
  end,
}

-- Documented as text: a state with a status and results. The counts are those of the newer request that answers when
-- the work is done.
add {
  mounts = METRICS, start = "preview/", poll = "preview-progress/",
  required = { metric_data = "object" }, optional = { call_log_ids = "list", run_ids = "list" },
  one_of = { "agent_id", "project_id" },
  refuse = function(body)
    local ids = check.given(body.call_log_ids) and body.call_log_ids or body.run_ids
    if not check.given(ids) then
      return check.invalid { call_log_ids = "One of call_log_ids, run_ids is required." }
    end
    return #ids > 10 and check.invalid { call_log_ids = "More than 10." } or nil
  end,
  words = USUAL_WORDS,
  progress = function(job, phase, word)
    local results = json.list()
    local of_calls = check.given(job.body.call_log_ids)
    for index, id in ipairs(phase == "completed" and (of_calls and job.body.call_log_ids or job.body.run_ids) or {}) do
      results[index] = {
        [of_calls and "call_log_id" or "run_id"] = id, eval_type = "binary", passed = index % 2 == 1,
        explanation = json.list { "By the rule that was given." },
      }
    end
    local ids = of_calls and job.body.call_log_ids or job.body.run_ids
    return { status = word, completed = #results, total = #ids, results = results, error = error_of(phase) }
  end,
}

-- ---- scenarios ----

-- The schema has no status; the text names "pending_clarification", and other notes "completed" and "failed". So a
-- status is present only while it is needed, or always with words=1.
families.generation = add {
  mounts = SCENARIOS, start = "generate-bg/", poll = "generate-progress/",
  required = { num_scenarios = "integer" }, one_of = { "agent_id", "assistant_id" },
  refuse = function(body)
    local count = tonumber(body.num_scenarios)
    return (count < 1 or count > 100) and check.invalid { num_scenarios = "Not from 1 to 100." } or nil
  end,
  words = {
    queued = "queued", running = "in_progress", completed = "completed", failed = "failed", partial = "completed",
    needs_input = "pending_clarification",
  },
  begun = function(job)
    job.total = tonumber(job.body.num_scenarios)
  end,
  progress = function(job, phase, word)
    local asking = phase == "needs_input"
    local completed, failed = counts(job, phase)
    return {
      total_scenarios = job.total, completed_scenarios = completed, failed_scenarios = failed,
      scenarios_list = scenarios(completed, agent_of(job.body)),
      status = (asking or job.life.asked.words) and word or nil,
      questions = asking and json.list { "Which opening hours: the practice's or the desk's?" } or nil,
    }
  end,
}

add {
  mounts = SCENARIOS, start = "create-from-transcript-bg/", poll = "create-from-transcript-progress/",
  required = { transcript_json = "list" }, one_of = { "agent", "assistant_id" },
  refuse = function(body)
    for _, turn in ipairs(body.transcript_json) do
      if type(turn) ~= "table" or not records.roles[turn.role] then
        return check.invalid { transcript_json = "A role is not a valid choice." }
      end
    end
  end,
  words = STAGED_WORDS,
  progress = function(job, phase, word)
    local made = phase == "completed" and scenario(1, agent_of(job.body)) or nil
    return {
      agent_id = agent_of(job.body), status = word, scenario_id = made and made.id or json.null,
      scenario = made or json.null, error = error_of(phase),
    }
  end,
}

-- The documents show a scenario as the answer; its shape and its statuses are not documented.
add {
  mounts = SCENARIOS, start = "improve_instructions/", poll = "instructions-progress/",
  required = { agent = "integer", extra_instructions = "text" },
  words = USUAL_WORDS,
  begun = function()
    return { project_id = 310 }
  end,
  progress = envelope(function(job)
    local current = check.given(job.body.current_instructions) and job.body.current_instructions or "Call the desk."
    return { instructions = current .. " " .. job.body.extra_instructions }
  end),
}

-- What its start takes is not documented, and neither is its progress.
add {
  mounts = SCENARIOS, start = "generate-instructions/", poll = "instructions-progress/",
  words = USUAL_WORDS,
  begun = function()
    return { project_id = 310 }
  end,
  progress = envelope(function()
    return { instructions = "Call the desk.", expected_outcome_prompt = "The agent greets the caller." }
  end),
}

families.clarification = add {
  mounts = SCENARIOS, start = "scenario-agent/", poll = "scenario-agent-progress/",
  required = { agent_id = "integer" },
  optional = { user_message = "string", session_id = "integer", num_scenarios = "integer" },
  words = {
    queued = "in_progress", running = "in_progress", completed = "completed", failed = "failed",
    cancelled = "cancelled", needs_input = "needs_clarification",
  },
  begun = function(job)
    job.session_id = tonumber(job.body.session_id) or 4000 + state.made
    return { session_id = job.session_id }
  end,
  progress = function(job, phase, word)
    local result = json.null
    if phase == "completed" then
      result = { message = "Enough is known.", questions = json.list() }
    elseif phase == "needs_input" then
      result = { message = "One thing is open.", questions = json.list { "Should the caller be angry?" } }
    end
    return {
      progress_id = job.id, session_id = job.session_id, mode = "clarify", status = word, result = result,
      error = error_of(phase),
    }
  end,
}

-- ---- runs and agents ----

-- The documents show a run as both answers; the shape and the statuses are not documented.
add {
  mounts = RUNS, start = "{id}/run_expected_outcome_bg/", poll = "run_expected_outcome_progress/",
  words = USUAL_WORDS,
  progress = envelope(function(job)
    return { run_id = job.record_id, expected_outcome = {
      score = 100, explanation = json.list { "The appointment was read back." }, outcome_alignments = json.list(),
    } }
  end),
}

-- An answer about the runs of a result that have failed.
add {
  mounts = { "/test_framework/v1/results/", "/test_framework/v2/results/" }, start = "{id}/ask_about_failures/",
  poll = "failure-analysis-progress/", status = 202, required = { question = "text" },
  words = USUAL_WORDS,
  progress = function(job, phase, word)
    local is_done = phase == "completed"
    return { status = word, answer = is_done and "Two callers asked for prices." or json.null, error = error_of(phase),
      run_ids = is_done and json.list { job.record_id * 100 + 1 } or json.list() }
  end,
}

add {
  mounts = { "/user/v1/projects/" }, start = "{id}/preview_daily_report/", poll = "preview_daily_report_progress/",
  id = "task_id", words = USUAL_WORDS,
  progress = function(_, phase, word)
    return { status = word, file_url = phase == "completed" and "https://example.com/report.pdf" or json.null,
      error = error_of(phase) }
  end,
}

local STAGES = { "system_prompt", "call_settings", "phone_number", "tools", "dynamic_variables", "knowledge_base" }

add {
  mounts = { "/test_framework/v2/aiagents/" }, start = "{id}/auto-fetch/", poll = "{id}/auto-fetch-progress/",
  status = 202,
  words = { queued = "queued", running = "in_progress", completed = "completed", failed = "failed" },
  progress = function(job, phase, word)
    local done = phase == "failed" and 3 or math.floor(#STAGES * job.life:share())
    local stages = json.list()
    for index, name in ipairs(STAGES) do
      local pending = index > done + 1 and "pending" or word
      stages[index] = { name = name, status = index <= done and "completed" or pending }
    end
    return {
      agent_id = job.record_id, status = word, current_stage = STAGES[math.min(done + 1, #STAGES)], stages = stages,
      error = phase == "failed" and "The provider refused the key." or json.null,
    }
  end,
}

return families

--- The kinds of job, as data. A new kind is one more row; programs add their own with cekura.kind(), which checks them
-- (see cekura.api.kind_schema). The members of a declaration:
--
--   start           "METHOD /path/" of the request that starts a job; {places} of the path are parameters. Without it,
--                   a job is made by client:job() only
--   params          the parameters of the start: name to { check, required = true, scope = true }. The check is one of
--                   cekura.api.params; `scope`: the client's project_id is the default. An unknown name raises. Every
--                   start also accepts `extra`, which is not declared: a table of further parameters, which are sent
--                   unchecked. Without `params`, any names are sent
--   one_of          names of parameters of which exactly one is given. unless_list = name, beside them: where that
--                   parameter is a list, none of them need be given
--   list            true: the answer to the start is a list of one record
--   direct          "POST /path/" of the request of direct jobs: it has the same parameters, and is answered when the
--                   work is done. A kind without `poll` has only direct jobs
--   poll            "GET /path/" of the request that asks for the progress; with {id} in the path, it reads the record
--                   itself. {version} is the client's api_version
--   id              the name of the job's id ("progress_id"): in the answer to the start, and in the query of the poll
--                   if the path of the poll has no {id}
--   poll_scope      which of agent_id, project_id and assistant_id the poll takes in its query
--   selection       { parameter = name, poll = names }: the poll takes a list of members, {a,b}, in that parameter of
--                   its query, and answers with no others. `poll` names the members that show how far the work is and
--                   whether it has ended. The polls ask for those; what the result is to hold is asked for at the end
--   record          "call_log": the poll reads a call log, and the result is that record
--   event           the prefix of the types of its webhook events: "result" of "result.completed"
--   call_log        true: an answer may also have the shape of a call log
--   output          the member, of the answer or of its `output`, that makes the answer usable: if it is a text, the
--                   job has succeeded; or a list of members, texts or objects, of which one is enough. Without it, a
--                   status word or the counters decide, and the result is the answer's `output`, or the whole answer
--   statuses        status word to state; they precede the words of cekura.job.status
--   input_member    a member beside `status` whose word may say that the job needs input
--   counters        members { done =, failed =, total = } that show the progress; with `decide` they also decide the
--                   end: when done and failed add up to the total, and there is a total, or a `list`. With `runs`, the
--                   member that has the runs, the failed ones are among those that are done; `success` counts the
--                   others. The result has these counts as numbers, computed from the runs where they are missing,
--                   and `passed`: whether all runs succeeded
--   benign_errors   phrases in an `error` that mean a healthy end: there was nothing to do
--   skipped_member  a member that is true if there was nothing to do
--   carry           members of its answers that later requests need
--   cancel          { "POST /path/", body = names, optional = names }: the request that cancels it, and the members of
--                   its body: the id by its name, carried members, or the scope. Without a value for each of `body`,
--                   the request is not sent; those of `optional` without a value are left out
--   answer          { "POST /path/", text = name, body = names, optional = names }: the request that sends the input
--                   that a job needs, with the text under that name
--   withdrawn       the date on which Cekura removed the endpoint from its documentation, for errors of kind `gone`
--   interval        seconds: the usual pause between two polls (5)
--   timeout         seconds: the default timeout of a wait (300)
--   returns         the members of the result, for people
--   evidence        the sources for start, poll, done (the recognition of the end) and result, each one of
--                   "documented" (in the official API document), "described" (in the words of that document or of
--                   another official page, without a schema), "seen" (in a third party's client), "inferred" (from its
--                   siblings)
--   note            remarks, for people

local kinds = {}

-- ---- the improve-prompt family ----

-- Cekura removed the endpoint from its documentation on 2026-06-30; according to the commits, it was removed from the
-- service as well, which was not tested. If the service does not answer, a start returns an error of kind "gone" that
-- names the endpoint. The shapes are those that clients have seen: the documentation had only the generator's default,
-- a call log, for requests and answers alike.
local IMPROVE_PROMPT_WITHDRAWN = "2026-06-30"

-- Inferred: the last document of the progress speaks of a selection, and not of its parameter, which is "ql" elsewhere.
local IMPROVE_PROMPT_SELECTION = { parameter = "ql",
  poll = { "status", "output", "error", "improved_prompt", "summary_of_changes" } }

local function improve_prompt(declaration)
  declaration.id = "progress_id"
  declaration.output = "improved_prompt"
  declaration.benign_errors = { "no issues" }
  declaration.call_log = true
  declaration.selection = IMPROVE_PROMPT_SELECTION
  declaration.withdrawn = IMPROVE_PROMPT_WITHDRAWN
  declaration.interval = 5
  declaration.timeout = 150
  declaration.returns = "improved_prompt, summary_of_changes"
  return declaration
end

kinds["calls.improve_prompt"] = improve_prompt {
  start = "POST /observability/v1/call-logs/improve_prompt_bg/",
  poll = "GET /observability/v1/call-logs/improve_prompt_progress/",
  params = {
    agent_id = { "id" },
    assistant_id = { "id" },
    call_logs = { "selection", required = true },
    prompt = { "text", required = true },
    category_ids = { "ids" },
    workflow_metric_ids = { "ids" },
  },
  -- "all" and a number are those of an agent; a list names its call logs itself.
  one_of = { "agent_id", "assistant_id", unless_list = "call_logs" },
  evidence = { start = "seen", poll = "seen", done = "seen", result = "seen" },
}

kinds["runs.improve_prompt"] = improve_prompt {
  start = "POST /test_framework/v1/runs/improve_prompt_bg/",
  poll = "GET /test_framework/v1/runs/improve_prompt_progress/",
  params = {
    prompt = { "text", required = true },
    run_ids = { "records", required = true },
    category_ids = { "ids" },
    workflow_metric_ids = { "ids" },
  },
  evidence = { start = "documented", poll = "inferred", done = "inferred", result = "inferred" },
  note = "at most 3 runs",
}

-- ---- call logs ----

kinds["calls.create_scenarios"] = {
  start = "POST /observability/v1/call-logs/create_scenarios/",
  params = {
    agent_id = { "id" },
    assistant_id = { "id" },
    call_logs = { "ids_or_all", required = true },
    copy_to_agent = { "id" },
    project_id = { "id" },
    folder_path = { "text" },
  },
  one_of = { "agent_id", "assistant_id" },
  direct = "POST /observability/v3/call-logs/create_scenarios/",
  poll = "GET /observability/v1/call-logs/create_scenarios_progress/",
  id = "progress_id",
  poll_scope = { "agent_id", "project_id" },
  counters = {
    done = "completed_scenarios", failed = "failed_scenarios", total = "total_scenarios", list = "scenarios_list",
    decide = true,
  },
  interval = 5,
  timeout = 600,
  returns = "scenarios_list, completed_scenarios, failed_scenarios, total_scenarios, errors",
  evidence = { start = "documented", poll = "documented", done = "documented", result = "documented" },
  note = "the calls need a transcript; folder_path needs project_id",
}

kinds["calls.evaluation"] = {
  start = "POST /observability/v1/call-logs/rerun_evaluation/",
  params = {
    agent_id = { "id" },
    assistant_id = { "id" },
    call_logs = { "one_id", required = true },
  },
  one_of = { "agent_id", "assistant_id" },
  list = true,
  poll = "GET /observability/{version}/call-logs/{id}/",
  id = "id",
  selection = { parameter = "ql", poll = { "id", "status", "success", "updated_at", "evaluation" } },
  record = "call_log",
  event = "call_log",
  interval = 10,
  timeout = 300,
  returns = "the call log",
  evidence = { start = "documented", poll = "documented", done = "described", result = "documented" },
  note = "ends with a newer evaluation than the record showed; `call:evaluation()` makes one",
}

-- ---- scenarios ----

kinds["scenarios.generate"] = {
  start = "POST /test_framework/v1/scenarios/generate-bg/",
  params = {
    num_scenarios = { "positive", required = true },
    agent_id = { "id" },
    assistant_id = { "id" },
    personalities = { "ids" },
    tool_ids = { "texts" },
    tags = { "texts" },
    extra_instructions = { "text" },
    folder_path = { "text" },
    test_profile = { "id" },
    scenario_type = { "text" },
    simulation_type = { "text" },
    attack_type = { "text" },
    first_message = { "text" },
    expected_outcome = { "text" },
    generate_expected_outcomes = { "flag" },
    generation_files = { "texts" },
    knowledge_base = { "ids" },
    inbound_phone_number = { "id" },
  },
  one_of = { "agent_id", "assistant_id" },
  direct = "POST /test_framework/v3/scenarios/generate/",
  poll = "GET /test_framework/v1/scenarios/generate-progress/",
  id = "progress_id",
  counters = {
    done = "completed_scenarios", failed = "failed_scenarios", total = "total_scenarios", list = "scenarios_list",
    decide = true,
  },
  answer = { "POST /test_framework/v1/scenarios/generate-clarify-answer/", text = "answer", body = { "progress_id" } },
  interval = 10,
  timeout = 600,
  returns = "scenarios_list, completed_scenarios, failed_scenarios, total_scenarios",
  evidence = { start = "documented", poll = "documented", done = "described", result = "documented" },
  note = "may ask (`pending_clarification`); an answer has at most 10000 characters",
}

kinds["scenarios.from_transcript"] = {
  start = "POST /test_framework/v1/scenarios/create-from-transcript-bg/",
  params = {
    transcript_json = { "transcript", required = true },
    agent = { "id" },
    assistant_id = { "id" },
    personality = { "id" },
    name = { "text" },
    expected_outcome_prompt = { "text" },
    folder_path = { "text" },
  },
  one_of = { "agent", "assistant_id" },
  direct = "POST /test_framework/v3/scenarios/create-from-transcript/",
  poll = "GET /test_framework/v1/scenarios/create-from-transcript-progress/",
  id = "progress_id",
  interval = 5,
  timeout = 300,
  returns = "scenario_id, scenario",
  evidence = { start = "documented", poll = "documented", done = "documented", result = "documented" },
  note = "roles are those of the cekura format; the agent is `agent`, not `agent_id`",
}

kinds["scenarios.agent"] = {
  start = "POST /test_framework/v1/scenarios/scenario-agent/",
  params = {
    user_message = { "text" },
    agent_id = { "id" },
    project_id = { "id" },
    session_id = { "id" },
    num_scenarios = { "positive" },
    knowledge_base = { "ids" },
    tool_ids = { "texts" },
    inbound_phone_numbers = { "ids" },
  },
  poll = "GET /test_framework/v1/scenarios/scenario-agent-progress/",
  id = "progress_id",
  carry = { "session_id" },
  cancel = { "POST /test_framework/v1/scenarios/cancel-agent/", body = { "session_id" } },
  answer = {
    "POST /test_framework/v1/scenarios/scenario-agent/", text = "user_message", body = { "session_id" },
    optional = { "agent_id" },
  },
  interval = 5,
  timeout = 300,
  returns = "result (what the agent has clarified), session_id, mode",
  evidence = { start = "documented", poll = "documented", done = "documented", result = "described" },
  note = "an answer is another start in the same session (inferred), and makes another job",
}

kinds["scenarios.instructions"] = {
  start = "POST /test_framework/v1/scenarios/improve_instructions/",
  params = {
    agent = { "id", required = true },
    extra_instructions = { "text", required = true },
    current_instructions = { "text" },
  },
  direct = "POST /test_framework/v3/scenarios/improve_instructions/",
  poll = "GET /test_framework/v1/scenarios/instructions-progress/",
  id = "progress_id",
  poll_scope = { "agent_id", "project_id", "assistant_id" },
  interval = 5,
  timeout = 300,
  returns = "what the service says",
  evidence = { start = "documented", poll = "inferred", done = "inferred", result = "inferred" },
}

kinds["scenarios.generate_instructions"] = {
  start = "POST /test_framework/v1/scenarios/generate-instructions/",
  direct = "POST /test_framework/v3/scenarios/generate-instructions/",
  poll = "GET /test_framework/v1/scenarios/instructions-progress/",
  id = "progress_id",
  poll_scope = { "agent_id", "project_id", "assistant_id" },
  interval = 5,
  timeout = 300,
  returns = "instructions, expected_outcome_prompt",
  evidence = { start = "described", poll = "inferred", done = "inferred", result = "described" },
  note = "what a start takes is not documented",
}

-- ---- metrics ----

local METRIC_SCOPE = { "agent_id", "project_id", "assistant_id" }

kinds["metrics.generate"] = {
  start = "POST /test_framework/v1/metrics/generate_metrics/",
  params = {
    agent_id = { "id" },
    assistant_id = { "id" },
    num_metrics = { "positive" },
  },
  one_of = { "agent_id", "assistant_id" },
  direct = "POST /test_framework/v3/metrics/generate_metrics/",
  poll = "GET /test_framework/v1/metrics/generate_metrics_progress/",
  id = "progress_id",
  poll_scope = METRIC_SCOPE,
  interval = 5,
  timeout = 300,
  returns = "metrics (or generated_metrics)",
  evidence = { start = "documented", poll = "documented", done = "described", result = "described" },
  note = "nothing is saved; the agent needs a description of at least 100 characters",
}

kinds["metrics.clean_description"] = {
  start = "POST /test_framework/v1/metrics/generate_clean_description_bg/",
  params = {
    agent = { "id", required = true },
    metric_description = { "text", required = true },
    eval_type = { "text", required = true },
  },
  direct = "POST /test_framework/v3/metrics/generate_clean_description/",
  poll = "GET /test_framework/v1/metrics/generate_clean_description_progress/",
  id = "progress_id",
  poll_scope = METRIC_SCOPE,
  output = "clean_description",
  interval = 5,
  timeout = 300,
  returns = "clean_description, thinking",
  evidence = { start = "documented", poll = "documented", done = "described", result = "documented" },
  note = "eval_type is boolean, numeric, rating or enum",
}

kinds["metrics.simplify_prompt"] = {
  start = "POST /test_framework/v1/metrics/simplify_prompt/",
  params = {
    original_prompt = { "text", required = true },
    metric_id = { "id" },
  },
  direct = "POST /test_framework/v3/metrics/simplify_prompt/",
  poll = "GET /test_framework/v1/metrics/simplify_prompt_progress/",
  id = "progress_id",
  poll_scope = METRIC_SCOPE,
  output = "simplified_prompt",
  skipped_member = "skipped_simplification",
  interval = 5,
  timeout = 300,
  returns = "simplified_prompt, original_prompt, skipped_simplification",
  evidence = { start = "documented", poll = "documented", done = "documented", result = "documented" },
  note = "the start may answer with the result itself",
}

kinds["metrics.preview"] = {
  start = "POST /test_framework/v1/metrics/preview/",
  params = {
    metric_data = { "table", required = true },
    agent_id = { "id" },
    project_id = { "id" },
    call_log_ids = { "records" },
    run_ids = { "records" },
  },
  one_of = { "agent_id", "project_id" },
  direct = "POST /test_framework/v3/metrics/preview/",
  poll = "GET /test_framework/v1/metrics/preview-progress/",
  id = "progress_id",
  poll_scope = METRIC_SCOPE,
  counters = { done = "completed", total = "total", list = "results", decide = true },
  interval = 5,
  timeout = 300,
  returns = "results, completed, total",
  evidence = { start = "documented", poll = "documented", done = "inferred", result = "inferred" },
  note = "call_log_ids or run_ids, at most 10",
}

kinds["metrics.run_reviews"] = {
  start = "POST /test_framework/v1/metrics/{metric_id}/run_reviews/",
  params = {
    type = { "text" },
    description = { "text" },
    prompt = { "text" },
    custom_code = { "text" },
    llm_provider = { "text" },
    trigger_type = { "text" },
    evaluation_trigger = { "text" },
    evaluation_trigger_prompt = { "text" },
    evaluation_trigger_custom_code = { "text" },
    evaluation_trigger_program = { "any" },
    evaluation_trigger_variables = { "any" },
    metric_description_program = { "any" },
    metric_description_variables = { "any" },
    skip_save = { "flag" },
  },
  direct = "POST /test_framework/v3/metrics/{metric_id}/run_reviews/",
  poll = "GET /test_framework/v1/metrics/run_reviews_progress/",
  id = "progress_id",
  poll_scope = METRIC_SCOPE,
  counters = {
    done = "completed_reviews", failed = "failed_reviews", total = "total_reviews", list = "reviews_list",
    decide = true,
  },
  interval = 10,
  timeout = 600,
  returns = "output (a list), metric, reviews_list, failed_reviews_list, completed_reviews, failed_reviews, "
    .. "total_reviews",
  evidence = { start = "documented", poll = "documented", done = "inferred", result = "described" },
}

kinds["metric_reviews.process_feedbacks"] = {
  start = "POST /test_framework/metric-reviews/process_feedbacks/",
  params = {
    metric_id = { "id", required = true },
    metric_type = { "text" },
    test_set_ids = { "ids" },
    simplified_prompt = { "text" },
    skip_evaluation = { "flag" },
  },
  poll = "GET /test_framework/metric-reviews/process_feedbacks_progress/",
  id = "progress_id",
  poll_scope = { "agent_id", "project_id" },
  output = { "improved_metric_description", "custom_code", "meta_harness" },
  cancel = { "POST /test_framework/metric-reviews/process_feedbacks_cancel/", body = { "progress_id" } },
  answer = {
    "POST /test_framework/metric-reviews/process_feedbacks_answer/", text = "answers", body = { "progress_id" },
  },
  interval = 30,
  timeout = 1800,
  returns = "improved_metric_description, improved_evaluation_trigger, custom_code, …",
  evidence = { start = "documented", poll = "documented", done = "described", result = "documented" },
  note = "nothing is saved; a second start is a second optimization; an answer is a table by question (inferred)",
}

-- ---- agents, alerts, runs ----

kinds["agents.auto_fetch"] = {
  start = "POST /test_framework/v2/aiagents/{agent_id}/auto-fetch/",
  direct = "POST /test_framework/v3/aiagents/{agent_id}/auto-fetch/",
  poll = "GET /test_framework/v2/aiagents/{agent_id}/auto-fetch-progress/",
  id = "progress_id",
  interval = 5,
  timeout = 300,
  returns = "agent_id, current_stage, stages",
  evidence = { start = "documented", poll = "documented", done = "documented", result = "documented" },
  note = "client:job() needs the option agent_id",
}

kinds["alerts.summarize"] = {
  start = "POST /observability/v1/alerts/{alert_id}/summarize/",
  direct = "POST /observability/v3/alerts/{alert_id}/summarize/",
  poll = "GET /observability/v1/alerts/summarize_progress/",
  id = "progress_id",
  interval = 5,
  timeout = 300,
  returns = "what the service says",
  evidence = { start = "described", poll = "inferred", done = "described", result = "inferred" },
  note = "within an hour the same start gives the same job",
}

kinds["runs.expected_outcome"] = {
  start = "POST /test_framework/v1/runs/{run_id}/run_expected_outcome_bg/",
  poll = "GET /test_framework/v1/runs/run_expected_outcome_progress/",
  id = "progress_id",
  interval = 5,
  timeout = 300,
  returns = "what the service says",
  evidence = { start = "described", poll = "inferred", done = "inferred", result = "inferred" },
}

kinds["projects.preview_daily_report"] = {
  start = "POST /user/v1/projects/{project_id}/preview_daily_report/",
  poll = "GET /user/v1/projects/preview_daily_report_progress/",
  id = "task_id",
  output = "file_url",
  interval = 5,
  timeout = 300,
  returns = "file_url",
  evidence = { start = "described", poll = "inferred", done = "inferred", result = "described" },
  note = "within 15 minutes the same start answers with the result itself",
}

-- ---- polled by their record ----

-- Which scenarios run, and how: what most of the starts below take.
local RUN = {
  agent_id = { "id" },
  assistant_id = { "id" },
  scenarios = { "records" },
  tags = { "texts" },
  folder_path = { "text" },
  project_id = { "id" },
  frequency = { "positive" },
  name = { "text" },
  personality_ids = { "ids" },
  personality_id = { "id" },
  test_profile_ids = { "ids" },
  test_profile_id = { "id" },
  mode = { "text" },
  agent_number = { "text" },
  outbound_phone_number = { "text" },
  concurrency_limit = { "positive" },
  mock_tool_names = { "texts" },
}

-- A start of scenarios: whatever channel the calls take, the job is their result.
local function run(path, params, evidence, note)
  return {
    start = ("POST /test_framework/v1/scenarios/%s/"):format(path),
    params = params,
    poll = "GET /test_framework/{version}/results/{id}/",
    id = "id",
    event = "result",
    counters = {
      done = "completed_runs_count", failed = "failed_runs_count", success = "success_runs_count",
      total = "total_runs_count", runs = "runs",
    },
    cancel = { "POST /test_framework/v1/results/{id}/end_calls/" },
    interval = 30,
    timeout = 3600,
    returns = "the result: passed, total_runs_count, success_runs_count, failed_runs_count, status, runs, …",
    evidence = { start = evidence, poll = "documented", done = "documented", result = "documented" },
    note = note,
  }
end

-- A copy of parameters without some, and with others.
local function change(params, without, with)
  local changed = {}
  for name, declared in pairs(params) do
    changed[name] = declared
  end
  for _, name in ipairs(without) do
    changed[name] = nil
  end
  for name, declared in pairs(with) do
    changed[name] = declared
  end
  return changed
end

kinds["results.run"] = run("run_scenarios", RUN, "documented",
  "takes scenarios, tags or a folder_path; their number × frequency × personalities × test profiles is that of the "
    .. "calls, each of which costs credits")

kinds["scenarios.run_agora"] = run("run_scenarios_agora", RUN, "documented")
kinds["scenarios.run_sip"] = run("run_scenarios_sip", change(RUN, {}, { sip_endpoint = { "text" } }), "documented")
kinds["scenarios.run_chirp"] = run("run_scenarios_chirp", change(RUN, {}, { websocket_url = { "text" } }), "documented")
kinds["scenarios.run_elevenlabs"] = run("run_scenarios_elevenlabs",
  change(RUN, {}, { elevenlabs_agent_id = { "text" }, elevenlabs_data = { "any" } }), "documented")

kinds["scenarios.run_text"] = run("run_scenarios_text",
  change(RUN, { "personality_id", "test_profile_id", "mode" },
    { websocket_url = { "text" }, websocket_headers = { "table" } }), "documented")

kinds["scenarios.run_api_chat"] = run("run_scenarios_api_chat",
  change(RUN, { "personality_id", "test_profile_id", "mode", "agent_number", "outbound_phone_number",
    "concurrency_limit", "mock_tool_names" }, { timeout = { "positive" } }), "documented")

kinds["scenarios.run_email"] = run("run_scenarios_email", {
  scenarios = { "records", required = true },
  frequency = { "positive", required = true },
  agent_id = { "id" },
  agent_email = { "text" },
}, "documented")

-- These take a list of objects: `scenario` is the id of a scenario, and other members hold for its call only.
local SESSION_RUN = {
  scenarios = { "list", required = true },
  name = { "text" },
  frequency = { "positive" },
  personality_ids = { "ids" },
  personality_id = { "id" },
  test_profile_ids = { "ids" },
  test_profile_id = { "id" },
  mock_tool_names = { "texts" },
  concurrency_limit = { "positive" },
}

kinds["scenarios.run_livekit_v2"] = run("run_scenarios_livekit_v2",
  change(SESSION_RUN, {}, { agent = { "id" }, livekit_data = { "any" } }), "documented")
kinds["scenarios.run_pipecat_v2"] = run("run_scenarios_pipecat_v2",
  change(SESSION_RUN, {}, { pipecat_data = { "any" } }), "documented")
kinds["scenarios.run_pipecat"] = run("run_scenarios_pipecat", {
  scenarios = { "list", required = true },
  agent = { "id" },
  mock_tool_names = { "texts" },
}, "documented")
kinds["scenarios.run_websocket"] = run("run_scenarios_with_websockets", {
  scenarios = { "list", required = true },
  frequency = { "positive", required = true },
  agent = { "id" },
  mock_tool_names = { "texts" },
}, "documented")

local WEBRTC_RUN = {
  scenarios = { "records", required = true },
  agent_id = { "id" },
  project_id = { "id" },
  frequency = { "positive" },
  name = { "text" },
  concurrency_limit = { "positive" },
  mock_tool_names = { "texts" },
}

kinds["scenarios.run_retell_webrtc"] = run("run_scenarios_retell_webrtc",
  change(WEBRTC_RUN, {}, { retell_agent_id = { "text" } }), "documented")
kinds["scenarios.run_vapi_webrtc"] = run("run_scenarios_vapi_webrtc",
  change(WEBRTC_RUN, {}, { vapi_assistant_id = { "text", required = true } }), "documented")

kinds["scenarios.run_json"] = run("run_scenarios_json", {
  spec = { "any" },
  agent_id = { "id" },
  name = { "text" },
  channel = { "text" },
  livekit_data = { "table" },
  pipecat_data = { "table" },
}, "documented", "`spec` is the list of 1 to 200 cases")

-- What these take is not documented: their schema is that of a scenario.
for _, channel in ipairs { "ello", "jotform", "livekit", "livekit_chat" } do
  kinds["scenarios.run_" .. channel] = run("run_scenarios_" .. channel, nil, "inferred",
    "what a start takes is not documented")
end

kinds["results.ask_about_failures"] = {
  start = "POST /test_framework/v1/results/{result_id}/ask_about_failures/",
  params = { question = { "text", required = true } },
  poll = "GET /test_framework/v1/results/failure-analysis-progress/",
  id = "progress_id",
  interval = 5,
  timeout = 300,
  returns = "answer, run ids",
  evidence = { start = "documented", poll = "described", done = "described", result = "described" },
}

kinds["insights.deep_research"] = {
  start = "POST /observability/v1/deep-research-insights/generate/",
  params = {
    project = { "id", required = true, scope = true },
    window_days = { "positive" },
    date_from = { "time" },
    date_to = { "time" },
    max_calls = { "positive" },
    focus = { "text" },
  },
  poll = "GET /observability/v1/deep-research-insights/{id}/",
  id = "id",
  interval = 15,
  timeout = 1800,
  returns = "the insight: failure_modes, num_calls_analyzed, …",
  evidence = { start = "described", poll = "documented", done = "documented", result = "documented" },
  note = "while one runs for the project, a start gives that one",
}

kinds["insights.failure_modes"] = {
  start = "POST /observability/v1/metric-failure-mode-insights/generate/",
  params = {
    project = { "id", required = true, scope = true },
    metric_name = { "text", required = true },
    metric = { "id" },
    predefined_metric = { "id" },
    window_days = { "positive" },
    max_calls = { "positive" },
  },
  poll = "GET /observability/v1/metric-failure-mode-insights/{id}/",
  id = "id",
  interval = 15,
  timeout = 1800,
  returns = "the insight: failure_modes, headline, …",
  evidence = { start = "described", poll = "documented", done = "documented", result = "documented" },
}

kinds["agents.improvement_session"] = {
  start = "POST /observability/v1/agent-improvement-sessions/",
  poll = "GET /observability/v1/agent-improvement-sessions/{id}/",
  id = "id",
  input_member = "stage_status",
  cancel = { "POST /observability/v1/agent-improvement-sessions/{id}/cancel/" },
  interval = 30,
  timeout = 3600,
  returns = "the session: proposal_summary, metric_delta, …",
  evidence = { start = "inferred", poll = "documented", done = "documented", result = "documented" },
  note = "what a start takes is not documented, nor how its question is answered",
}

return kinds

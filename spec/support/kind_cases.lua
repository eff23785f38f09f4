--- What each kind of job is started with in specs:
--   kind = { parameters, body of the request, member of the result, path = of the start if it has places, poll = its
--   path if it has, options = of client:job(), polls_a_record = true, ends = life of the simulator to state }

local encode = require "cekura.http.encode"
local kinds = require "cekura.api.kinds"

local TURNS = { { role = "Testing Agent", content = "Hello.", start_time = 0, end_time = 1 } }

-- Each kind: the parameters of a start, the body that is sent, a member of the result, and the other ends.
local CASES = {
  ["calls.improve_prompt"] = {
    { agent_id = 2142, call_logs = { 5181749 }, prompt = "Be nice." },
    '{"agent_id":2142,"call_logs":[5181749],"prompt":"Be nice."}', "improved_prompt",
    ends = { failed = "failed", cancelled = "cancelled", no_issues = "nothing_to_do" },
  },
  ["runs.improve_prompt"] = {
    { run_ids = { 7 }, prompt = "Be nice.", category_ids = {} },
    '{"category_ids":[],"prompt":"Be nice.","run_ids":[7]}', "improved_prompt",
    ends = { failed = "failed", cancelled = "cancelled", no_issues = "nothing_to_do" },
  },
  ["calls.create_scenarios"] = {
    { agent_id = 2142, call_logs = { 5181749, 5181750 } },
    '{"agent_id":2142,"call_logs":[5181749,5181750]}', "scenarios_list",
    ends = { partial = "succeeded" },
  },
  ["calls.evaluation"] = {
    { agent_id = 2142, call_logs = { 5181749 } }, '{"agent_id":2142,"call_logs":[5181749]}', "evaluation",
    polls_a_record = true,
    ends = { failed = "succeeded" }, -- a failed call is a verdict, not a failure of the job
  },
  ["scenarios.generate"] = {
    { agent_id = 2142, num_scenarios = 3, tool_ids = {} }, '{"agent_id":2142,"num_scenarios":3,"tool_ids":[]}',
    "scenarios_list",
    ends = { partial = "succeeded" },
  },
  ["scenarios.from_transcript"] = {
    { agent = 2142, transcript_json = TURNS },
    '{"agent":2142,"transcript_json":[{"content":"Hello.","end_time":1,"role":"Testing Agent","start_time":0}]}',
    "scenario_id",
    ends = { failed = "failed" },
  },
  ["scenarios.agent"] = {
    { agent_id = 2142, user_message = "What is missing?" }, '{"agent_id":2142,"user_message":"What is missing?"}',
    "result",
    ends = { failed = "failed", cancelled = "cancelled" },
  },
  ["scenarios.instructions"] = {
    { agent = 2142, extra_instructions = "Be brief." }, '{"agent":2142,"extra_instructions":"Be brief."}', true,
    ends = { failed = "failed", cancelled = "cancelled" },
  },
  ["metrics.generate"] = {
    { agent_id = 2142, num_metrics = 2 }, '{"agent_id":2142,"num_metrics":2}', "metrics",
    ends = { failed = "failed" },
  },
  ["metrics.clean_description"] = {
    { agent = 2142, metric_description = "polite?", eval_type = "boolean" },
    '{"agent":2142,"eval_type":"boolean","metric_description":"polite?"}', "clean_description",
    ends = { failed = "failed", cancelled = "cancelled" },
  },
  ["metrics.simplify_prompt"] = {
    { original_prompt = "Be nice, and nice, and nice." }, '{"original_prompt":"Be nice, and nice, and nice."}',
    "simplified_prompt",
    ends = { failed = "failed", cancelled = "cancelled" },
  },
  ["metrics.preview"] = {
    { metric_data = { name = "polite", type = "llm_judge", eval_type = "binary" }, agent_id = 2142,
      call_log_ids = { 5181749 } },
    '{"agent_id":2142,"call_log_ids":[5181749],'
      .. '"metric_data":{"eval_type":"binary","name":"polite","type":"llm_judge"}}', "results",
    ends = { failed = "failed", cancelled = "cancelled" },
  },
  ["metrics.run_reviews"] = {
    { metric_id = 501, skip_save = true }, '{"skip_save":true}', "output",
    path = "/test_framework/v1/metrics/501/run_reviews/",
    ends = { failed = "failed", cancelled = "cancelled", partial = "succeeded" },
  },
  ["metric_reviews.process_feedbacks"] = {
    { metric_id = 501, test_set_ids = {} }, '{"metric_id":501,"test_set_ids":[]}', "improved_metric_description",
    ends = { failed = "failed", cancelled = "cancelled" },
  },
  ["agents.auto_fetch"] = {
    { agent_id = 2142 }, "{}", "stages",
    path = "/test_framework/v2/aiagents/2142/auto-fetch/",
    poll = "/test_framework/v2/aiagents/2142/auto-fetch-progress/",
    options = { agent_id = 2142 },
    ends = { failed = "failed" },
  },
  ["alerts.summarize"] = {
    { alert_id = 9, hours = 24 }, '{"hours":24}', true,
    path = "/observability/v1/alerts/9/summarize/",
    ends = { failed = "failed" },
  },
  ["runs.expected_outcome"] = {
    { run_id = 12 }, "{}", true, path = "/test_framework/v1/runs/12/run_expected_outcome_bg/",
    ends = { failed = "failed", cancelled = "cancelled" },
  },
  ["results.run"] = {
    { agent_id = 2142, scenarios = { 1, 2 } }, '{"agent_id":2142,"scenarios":[1,2]}', "runs",
    polls_a_record = true,
    ends = { failed = "failed", timeout = "failed", cancelled = "cancelled", partial = "succeeded" },
  },
  ["scenarios.generate_instructions"] = {
    { agent = 2142 }, '{"agent":2142}', "instructions",
    ends = { failed = "failed", cancelled = "cancelled" },
  },
  ["results.ask_about_failures"] = {
    { result_id = 77, question = "Why?" }, '{"question":"Why?"}', "answer",
    path = "/test_framework/v1/results/77/ask_about_failures/",
    ends = { failed = "failed", cancelled = "cancelled" },
  },
  ["projects.preview_daily_report"] = {
    { project_id = 310 }, "{}", "file_url",
    path = "/user/v1/projects/310/preview_daily_report/",
    ends = { failed = "failed", cancelled = "cancelled" },
  },
  ["insights.deep_research"] = {
    { project = 310, focus = "greetings" }, '{"focus":"greetings","project":310}', "failure_modes",
    polls_a_record = true,
    ends = { failed = "failed", nothing = "nothing_to_do" },
  },
  ["insights.failure_modes"] = {
    { project = 310, metric_name = "No medical advice", metric = 502 },
    '{"metric":502,"metric_name":"No medical advice","project":310}',
    "failure_modes",
    polls_a_record = true,
    ends = { failed = "failed", nothing = "nothing_to_do" },
  },
  ["agents.improvement_session"] = {
    { call_log_ids = { 5181749 } }, '{"call_log_ids":[5181749]}', "status",
    polls_a_record = true,
    ends = { failed = "failed", cancelled = "cancelled", nothing = "nothing_to_do" },
  },
}

-- What the starts of scenarios are given, by their channel; the others take what results.run does.
local RUNS = {
  api_chat = { agent_id = 2142, scenarios = { 1, 2 }, timeout = 60 },
  email = { scenarios = { 1, 2 }, frequency = 1, agent_email = "agent@example.com" },
  json = { spec = { { name = "A caller who hangs up" } }, agent_id = 2142 },
  livekit_v2 = { scenarios = { { scenario = 1 }, { scenario = 2 } }, agent = 2142, livekit_data = { room = "x" } },
  pipecat = { scenarios = { { scenario = 1, pipecat_room_url = "https://rooms.example/1" } }, agent = 2142 },
  pipecat_v2 = { scenarios = { { scenario = 1 }, { scenario = 2 } }, pipecat_data = { room = "x" } },
  retell_webrtc = { scenarios = { 1, 2 }, retell_agent_id = "agent_x" },
  vapi_webrtc = { scenarios = { 1, 2 }, vapi_assistant_id = "assistant-x" },
  websocket = { scenarios = { { scenario = 1, websocket_url = "wss://agent.example/" } }, frequency = 1 },
}

for name in pairs(kinds) do
  local channel = name:match "^scenarios%.run_(.*)$"
  if channel then
    local given = RUNS[channel] or { agent_id = 2142, scenarios = { 1, 2 } }
    CASES[name] = {
      given, encode(given, "given"), "runs",
      polls_a_record = true,
      ends = { failed = "failed", timeout = "failed", cancelled = "cancelled", partial = "succeeded" },
    }
  end
end

return CASES

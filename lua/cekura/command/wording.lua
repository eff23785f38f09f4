--- The wording of help for commands that are made from tables: resources, operations, kinds of job, and parameters.

local wording = {}

-- ---- resources ----

-- Names that are not the resource's name with blanks, without its last letter in the singular.
local NAMES = {
  billing = { "billing account", "billing" },
  calls = { "call log", "call logs" },
  critical_metric_scenarios = { "scenario of a critical metric", "scenarios of critical metrics" },
  deep_research_insights = { "Deep Research audit", "Deep Research audits" },
  failure_mode_insights = { "failure-mode insight", "failure-mode insights" },
  insight_reproduction_sessions = { "reproduction of an insight", "reproductions of insights" },
  personalities = { "personality", "personalities" },
  scenario_improvement_sessions = { "scenario improvement session", "scenario improvement sessions" },
  slack_workspaces = { "Slack workspace", "Slack workspaces" },
}

--- The names of one and of several records of a resource.
---@param resource string as the API writes it
---@return string one, string several
function wording.names(resource)
  local names = NAMES[resource]
  if names then
    return names[1], names[2]
  end
  local several = resource:gsub("_", " ")
  return (several:gsub("s$", "")), several
end

local function with_article(name)
  return (name:find "^[aeiou]" and "an " or "a ") .. name
end

-- ---- operations ----

local OF_ONE = { get = "Show", create = "Create", update = "Change", replace = "Replace all of", delete = "Delete",
  duplicate = "Copy" }

-- What the other operations do.
local OPERATIONS = {
  ["agents.disable_personalities"] = "Disable personalities for an agent's project.",
  ["agents.enable_personalities"] = "Enable personalities for an agent's project.",
  ["agents.personalities"] = "List the personalities that an agent's project has.",
  ["agents.upload_knowledge_base"] = "Upload files to an agent's knowledge base.",
  ["alerts.review"] = "Show how often the alerts of a project fired.",
  ["billing.info"] = "Show the credits that are left, and the subscription.",
  ["calls.evaluate_metrics"] = "Evaluate metrics on call logs.",
  ["calls.mark_metric_vote"] = "Vote for or against a metric's verdict on a call log.",
  ["calls.trace"] = "Show the OpenTelemetry trace of a call log.",
  ["dashboard_widgets.bulk_data"] = "Show the data of several widgets.",
  ["dashboard_widgets.data"] = "Show the data of a widget.",
  ["dashboard_widgets.preview_data"] = "Show the data of a widget without saving the widget.",
  ["dashboards.bulk_widgets"] = "Create, change and delete widgets of a dashboard.",
  ["deep_research_insights.dismiss_mode"] = "Hide a failure mode of Deep Research in a project.",
  ["deep_research_insights.pricing"] = "Show what a Deep Research audit costs.",
  ["failure_mode_insights.available_dates"] = "List the days that have insights.",
  ["failure_mode_insights.bulk_generate"] = "Generate insights for every metric of a project.",
  ["failure_mode_insights.categories"] = "List the categories of failures.",
  ["failure_mode_insights.categories_delete"] = "Delete a category of failures.",
  ["failure_mode_insights.categories_fix_metric"] = "Add calls of a category of failures to Labs.",
  ["failure_mode_insights.failure_mode_agents"] = "List the agents of a failure mode.",
  ["failure_mode_insights.fix_metric"] = "Add calls of a failure mode to Labs.",
  ["failure_mode_insights.generate_scenario"] = "Generate a scenario from a failure mode.",
  ["failure_mode_insights.pricing"] = "Show what an insight costs.",
  ["failure_mode_insights.reproduce"] = "Reproduce a failure mode in a run against an agent.",
  ["metrics.bulk_create"] = "Create several metrics.",
  ["metrics.generate_clean_description"] = "Generate a clean description of a metric.",
  ["metrics.generate_evaluation_trigger"] = "Generate the trigger of a metric's evaluation.",
  ["personalities.fork"] = "Copy a personality into a project.",
  ["phone_numbers.inbound"] = "List the phone numbers for inbound calls.",
  ["predefined_metrics.copy"] = "Copy predefined metrics into a project.",
  ["projects.disable_personalities"] = "Disable personalities for a project.",
  ["projects.enable_personalities"] = "Enable personalities for a project.",
  ["results.create_shareable_link_token"] = "Create a link to a result that can be shared.",
  ["results.delete_runs"] = "Delete runs from a result.",
  ["results.end_calls"] = "End all calls of a result.",
  ["results.evaluate_metrics"] = "Evaluate metrics on a result.",
  ["results.rerun"] = "Run the scenarios of a result again.",
  ["runs.bulk"] = "Show several runs.",
  ["runs.end_call"] = "End the call of a run.",
  ["runs.mark_metric_vote"] = "Vote for or against a metric's verdict on a run.",
  ["runs.trace"] = "Show the OpenTelemetry trace of a run.",
  ["scenarios.adv_update"] = "Change several scenarios.",
  ["scenarios.create_folder"] = "Create a folder of scenarios.",
  ["scenarios.delete_folder"] = "Delete a folder of scenarios.",
  ["scenarios.delete_scenarios"] = "Delete several scenarios.",
  ["scenarios.duplicate"] = "Copy scenarios into a folder.",
  ["scenarios.folders"] = "List the folders of scenarios.",
  ["scenarios.json_schema"] = "Show the JSON Schema of a file of test cases.",
  ["scenarios.move_folder"] = "Move a folder of scenarios.",
  ["scenarios.rename_folder"] = "Rename a folder of scenarios.",
  ["scenarios.update_scenario_with_transcript"] = "Change a scenario to match a transcript.",
  ["test_sets.create_from_call_log"] = "Create a test set from a call log.",
  ["test_sets.create_from_run"] = "Create a test set from a run.",
}

--- What an operation does, in one sentence.
---@param resource string
---@param name string
---@return string
function wording.operation(resource, name)
  local one, several = wording.names(resource)
  if OPERATIONS[resource .. "." .. name] then
    return OPERATIONS[resource .. "." .. name]
  elseif OF_ONE[name] then
    return ("%s %s."):format(OF_ONE[name], with_article(one))
  elseif name == "list" then
    return ("List %s."):format(several)
  end
  return ("Operation %s of %s."):format(name:gsub("_", " "), several)
end

-- ---- kinds ----

local KINDS = {
  ["agents.auto_fetch"] = "Fetch an agent's configuration from its provider.",
  ["agents.improvement_session"] = "Improve an agent, from insights or scenarios.",
  ["alerts.summarize"] = "Summarize an alert.",
  ["calls.create_scenarios"] = "Create scenarios from call logs.",
  ["calls.evaluation"] = "Evaluate a call log again.",
  ["calls.improve_prompt"] = "Improve an agent's prompt from call logs.",
  ["insights.deep_research"] = "Audit the calls of a project (Deep Research).",
  ["insights.failure_modes"] = "Find the failure modes of a metric.",
  ["metric_reviews.process_feedbacks"] = "Improve a metric from feedback.",
  ["metrics.clean_description"] = "Generate a clean description of a metric.",
  ["metrics.generate"] = "Generate metrics for an agent.",
  ["metrics.preview"] = "Try a metric on calls or runs.",
  ["metrics.run_reviews"] = "Evaluate a metric on its reviews.",
  ["metrics.simplify_prompt"] = "Simplify a metric's prompt.",
  ["projects.preview_daily_report"] = "Render the daily report of a project.",
  ["results.ask_about_failures"] = "Ask about the failures of a result.",
  ["results.run"] = "Run scenarios as voice calls.",
  ["runs.expected_outcome"] = "Evaluate the expected outcome of a run.",
  ["runs.improve_prompt"] = "Improve an agent's prompt from runs.",
  ["scenarios.agent"] = "Clarify what scenarios should cover.",
  ["scenarios.from_transcript"] = "Create a scenario from a transcript.",
  ["scenarios.generate"] = "Generate scenarios for an agent.",
  ["scenarios.generate_instructions"] = "Generate the instructions of a scenario.",
  ["scenarios.instructions"] = "Improve the instructions of a scenario.",
  ["scenarios.run_agora"] = "Run scenarios in an Agora channel.",
  ["scenarios.run_api_chat"] = "Run scenarios as chats that a program drives.",
  ["scenarios.run_chirp"] = "Run scenarios over a WebSocket with raw audio.",
  ["scenarios.run_elevenlabs"] = "Run scenarios against an ElevenLabs agent.",
  ["scenarios.run_ello"] = "Run scenarios against an Ello agent.",
  ["scenarios.run_email"] = "Run scenarios by email.",
  ["scenarios.run_jotform"] = "Run scenarios against a Jotform agent.",
  ["scenarios.run_json"] = "Run the test cases of a JSON file.",
  ["scenarios.run_livekit"] = "Run scenarios against an agent on LiveKit.",
  ["scenarios.run_livekit_chat"] = "Run scenarios as chats on LiveKit.",
  ["scenarios.run_livekit_v2"] = "Run scenarios on LiveKit, with the project's key.",
  ["scenarios.run_pipecat"] = "Run scenarios against an agent on Pipecat.",
  ["scenarios.run_pipecat_v2"] = "Run scenarios on Pipecat Cloud, with the project's key.",
  ["scenarios.run_retell_webrtc"] = "Run scenarios against a Retell agent.",
  ["scenarios.run_sip"] = "Run scenarios over SIP.",
  ["scenarios.run_text"] = "Run scenarios by text, SMS or chat.",
  ["scenarios.run_vapi_webrtc"] = "Run scenarios against a Vapi agent.",
  ["scenarios.run_websocket"] = "Run each scenario over a WebSocket.",
}

--- What a job of a kind does, in one sentence.
---@param kind string
---@return string
function wording.kind(kind)
  return KINDS[kind] or ("Start a job of the kind %s."):format(kind)
end

-- ---- parameters ----

-- The meanings of parameters that many operations share, where they are certain.
local PARAMETERS = {
  agent = "The agent", agent_id = "The agent", agents = "The agents",
  assistant_id = "The id of the agent at its provider",
  call_logs = "The call logs", concurrency_limit = "How many calls run at once", description = "The description",
  extra_instructions = "Further instructions", folder_path = "The folder of the scenarios",
  frequency = "How often each scenario runs", language = "The language, such as en", metric = "The metric",
  metric_id = "The metric", metrics = "The metrics", name = "The name", num_scenarios = "How many scenarios",
  num_metrics = "How many metrics", organization_id = "The organization", page = "The number of the page",
  page_size = "Records per page", personalities = "The personalities", personality = "The personality",
  personality_id = "The personality", personality_ids = "The personalities", project = "The project",
  project_id = "The project", prompt = "The prompt", run_ids = "The runs", scenarios = "The scenarios",
  search = "Text to search for", tags = "The tags", test_profile = "The test profile",
  test_profile_id = "The test profile", test_profile_ids = "The test profiles", timezone = "The time zone",
  tool_ids = "The tools", transcript_json = "The transcript",
}

-- How a value of each type is written.
local TYPES = {
  id = "an id", integer = "a whole number", positive = "a whole number above 0", number = "a number",
  channel = "0 or 1",
  flag = "true or false (true without a value)",
  time = "ISO 8601, also a date (UTC), seconds since the epoch, or 24h or 7d for that long ago",
  end_time = "as a time; a date includes its day",
  any = "JSON or text", table = "a JSON object", transcript = "a JSON list of turns",
  ids = "comma-separated ids", records = "comma-separated ids", one_id = "an id",
  joined_ids = "comma-separated ids", joined = "comma-separated texts",
  list = "comma-separated values, or a JSON list", texts = "comma-separated texts, or a JSON list",
  file = "the path of a file", files = "comma-separated paths of files",
  ids_or_all = "comma-separated ids, or all", selection = "comma-separated ids, all, or first:12",
}

--- The help of a parameter. Shell completions show its first sentence.
---@param parameter cekura.Parameter
---@param kind string the type of its option
---@param instead? string[] options one of which may be given instead
---@return string
function wording.parameter(parameter, kind, instead)
  local meaning = PARAMETERS[parameter.name] or "The API's " .. parameter.name
  local form = TYPES[kind] and ": " .. TYPES[kind] or ""
  local required = parameter.required and " (required)" or ""
  if instead and instead[1] then
    required = (" (required, or %s)"):format(table.concat(instead, " or "))
  end
  return meaning .. required .. form .. "."
end

return wording

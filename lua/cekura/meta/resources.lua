---@meta cekura.meta.resources
-- Made by `make generate`. For editors: no program requires it.

--- `client.agents`
---@class cekura.Agents
local Agents = {}

--- Starts a job of the kind agents.auto_fetch: POST /test_framework/v2/aiagents/{agent_id}/auto-fetch/.
--- The result has agent_id, current_stage, stages.
--- Note: client:job() needs the option agent_id.
---@param params table<string, any>
---@param options? cekura.StartOptions
---@return cekura.Agents.AutoFetchJob? job
---@return cekura.Error? err
function Agents:auto_fetch(params, options) end

--- Starts a job of the kind agents.improvement_session: POST /observability/v1/agent-improvement-sessions/.
--- The result has the session: proposal_summary, metric_delta, …
--- Note: what a start takes is not documented, nor how its question is answered.
---@param params table<string, any>
---@param options? cekura.StartOptions
---@return cekura.Agents.ImprovementSessionJob? job
---@return cekura.Error? err
function Agents:improvement_session(params, options) end

--- `client.alerts`
---@class cekura.Alerts
local Alerts = {}

--- Starts a job of the kind alerts.summarize: POST /observability/v1/alerts/{alert_id}/summarize/.
--- The result has what the service says.
--- Note: within an hour the same start gives the same job.
---@param params table<string, any>
---@param options? cekura.StartOptions
---@return cekura.Alerts.SummarizeJob? job
---@return cekura.Error? err
function Alerts:summarize(params, options) end

--- What calls:evaluate_metrics takes.
---@class cekura.Calls.EvaluateMetricsParams
---@field call_logs cekura.Id[]
---@field metrics cekura.Id[]
---@field agent_id? cekura.Id one of `agent_id`, `project_id`
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field project_id? cekura.Id one of `agent_id`, `project_id`

--- What calls:improve_prompt_issues takes.
---@class cekura.Calls.ImprovePromptIssuesParams
---@field call_logs cekura.Id[]|"all"|{ first: integer }
---@field agent_id? cekura.Id
---@field assistant_id? cekura.Id
---@field extra? table<string, any> further parameters, which are sent unchecked

--- What calls:mark_metric_vote takes.
---@class cekura.Calls.MarkMetricVoteParams
---@field metric_id cekura.Id
---@field expected_value? any
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field feedback? string
---@field thumbs_up? boolean

--- What calls:rerun_evaluation takes.
---@class cekura.Calls.RerunEvaluationParams
---@field call_logs cekura.Id[]|"all"
---@field agent_id? cekura.Id one of `agent_id`, `assistant_id`
---@field assistant_id? cekura.Id one of `agent_id`, `assistant_id`
---@field extra? table<string, any> further parameters, which are sent unchecked

--- What calls:send takes.
---@class cekura.Calls.SendParams
---@field call_id string
---@field agent? cekura.Id one of `agent`, `assistant_id`
---@field assistant_id? string one of `agent`, `assistant_id`
---@field call_ended_reason? string
---@field customer_number? string
---@field dynamic_variables? any
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field feedback? string
---@field logs? any[]
---@field main_agent_channel_index? 0|1
---@field metadata? any
---@field metric_ids? cekura.Id[]|string
---@field reconcile_with_cekura_transcript? boolean
---@field redact_fields? string[]
---@field timestamp? number|string
---@field trace_id? string
---@field transcript_json? any
---@field transcript_type? string
---@field voice_recording? any
---@field voice_recording_url? string

--- What calls:update takes.
---@class cekura.Calls.UpdateParams
---@field call_ended_reason? string
---@field call_id? string
---@field customer_number? string
---@field duration? any
---@field dynamic_variables? table<string, any>
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field feedback? string
---@field metadata? table<string, any>
---@field reevaluate_metrics? boolean
---@field seconds? any
---@field status? string
---@field timestamp? number|string
---@field transcript_json? any
---@field transcript_type? string

--- `client.calls`
---@class cekura.Calls
local Calls = {}

--- Starts a job of the kind calls.create_scenarios: POST /observability/v1/call-logs/create_scenarios/.
--- The result has scenarios_list, completed_scenarios, failed_scenarios, total_scenarios, errors.
--- Note: the calls need a transcript; folder_path needs project_id.
---@param params cekura.Calls.CreateScenariosParams
---@param options? cekura.StartOptions
---@return cekura.Calls.CreateScenariosJob? job
---@return cekura.Error? err
function Calls:create_scenarios(params, options) end

--- Deletes a call log with its transcript and recording, for good.
---@param id cekura.Id
---@param options? { retain_evaluations: boolean?, timeout: number? } keep what its metrics said; seconds
---@return boolean? ok
---@return cekura.Error? err
function Calls:delete(id, options) end

--- Iterates over all call logs of a filter: over all pages, and over consecutive windows where the range is longer than
--- the service allows. Each call is returned once. On failure the iterator raises a cekura.Error at every call, so that
--- no failure looks like the end; iterator:next() returns the error.
---@param given? cekura.CallFilter with `fields`, the id is requested, too
---@param options? { timeout: number? } seconds for each page
---@return cekura.Each
function Calls:each(given, options) end

--- Evaluates metrics of call logs. Each evaluation is charged, and the service is known to ignore `metrics` and to
--- evaluate all metrics of a call. A call log that is still in its first evaluation is refused (kind "invalid").
--- Returns the call logs from before the evaluation; `call:evaluation()` waits for the new one.
---@param params cekura.Calls.EvaluateMetricsParams
---@param options? cekura.Timeout
---@return cekura.CallLog[]?
---@return cekura.Error?
function Calls:evaluate_metrics(params, options) end

--- Starts a job of the kind calls.evaluation: POST /observability/v1/call-logs/rerun_evaluation/.
--- The result has the call log.
--- Note: ends with a newer evaluation than the record showed; `call:evaluation()` makes one.
---@param params cekura.Calls.EvaluationParams
---@param options? cekura.StartOptions
---@return cekura.Calls.EvaluationJob? job
---@return cekura.Error? err
function Calls:evaluation(params, options) end

--- One call log, by the id of the record.
---@param id cekura.Id
---@param options? cekura.Timeout
---@return cekura.CallLog?
---@return cekura.Error?
function Calls:get(id, options) end

--- Starts a job of the kind calls.improve_prompt: POST /observability/v1/call-logs/improve_prompt_bg/.
--- The result has improved_prompt, summary_of_changes.
--- The service took the endpoint out of its documents on 2026-06-30.
---@param params cekura.Calls.ImprovePromptParams
---@param options? cekura.StartOptions
---@return cekura.Calls.ImprovePromptJob? job
---@return cekura.Error? err
function Calls:improve_prompt(params, options) end

--- Lists the issues that a prompt improvement has found, once it has completed. It was withdrawn together with the
--- improvement: an error of kind "gone" then names the endpoint. Returns the answer, decoded.
---@param params cekura.Calls.ImprovePromptIssuesParams
---@param options? cekura.Timeout
---@return table?
---@return cekura.Error?
function Calls:improve_prompt_issues(params, options) end

--- One page of call logs.
---@param given? cekura.CallFilter
---@param options? cekura.Timeout
---@return cekura.Page? page
---@return cekura.Error? err
function Calls:list(given, options) end

--- The provider's log of a call: { provider =, format =, fetched_at =, entries = }. There is one only where
--- `call.is_log_present`.
---@param id cekura.Id
---@param options? cekura.Timeout
---@return table?
---@return cekura.Error?
function Calls:logs(id, options) end

--- Records a vote on a metric's result, which marks the call log as reviewed. Returns the answer, decoded.
---@param id cekura.Id
---@param vote cekura.Calls.MarkMetricVoteParams
---@param options? cekura.Timeout
---@return table?
---@return cekura.Error?
function Calls:mark_metric_vote(id, vote, options) end

--- Evaluates call logs again. Until the evaluation is done, they have no verdicts, except reviewed ones. Returns the
--- call logs; `call:evaluation()` waits for the new evaluation.
---@param params cekura.Calls.RerunEvaluationParams
---@param options? cekura.Timeout
---@return cekura.CallLog[]?
---@return cekura.Error?
function Calls:rerun_evaluation(params, options) end

--- Waits until a call is evaluated, starts an improvement of the agent's prompt from it, and waits for the result. An
--- unchanged prompt means that there was nothing to do. Nothing is changed in the service.
---@param given cekura.SelfImprove
---@param options? { timeout: number? } the same as `timeout` of `given`
---@return cekura.Improvement? improvement
---@return cekura.Error? err of kind "not_found": the call did not appear in time
function Calls:self_improve(given, options) end

--- Sends one call, which is then evaluated. It is charged, so it is sent once: after an error of kind
--- "unknown_outcome", the service may or may not have stored the call. Clients have seen that sending it again with the
--- same call_id updates the same record.
---
--- Turns in the service's own format ("cekura", the default transcript_type) with an unknown role are refused here,
--- because the service would silently store an empty transcript. `metric_ids` has led to an error 500.
---@param call cekura.Calls.SendParams one of agent (the agent's id) and assistant_id (the provider's). voice_recording:
---a text that begins with http:// or https:// is a URL, any other the path of a regular file; { data = bytes, name =,
---content_type = } are its bytes, by the name "recording" if it has none
---@param options? { timeout: number? } seconds
---@return cekura.CallLog? call `call:evaluation():wait()` waits until it is evaluated
---@return cekura.Error? err of kind "config": the file cannot be read, or its size changed while it was sent (then
---err.sent may be true: the service may have stored the call)
function Calls:send(call, options) end

--- Forwards the unchanged body of a provider's webhook. The service's answer is not documented.
---@param provider string "vapi", "retell", "livekit", "pipecat"; "elevenlabs" is named by a page of the documents only
---@param body string|table the received bytes, or a table
---@param given? { agent_id: any, headers: table<string, string>?, timeout: number? } agent_id: vapi's is named in the
---query; headers to pass on, such as the signature that Retell's webhook is checked by; seconds
---@return cekura.Response? response
---@return cekura.Error? err
function Calls:send_raw(provider, body, given) end

--- The trace of a call: OpenTelemetry spans, { trace_id =, spans = }. There is one only where `call.trace_id` is not
--- empty.
---@param id cekura.Id
---@param options? cekura.Timeout
---@return table?
---@return cekura.Error?
function Calls:trace(id, options) end

--- Changes a call log. Fields that are not given do not change; metadata and dynamic_variables are merged at their top
--- level. The duration of the call is `seconds`, or `duration`: a number of minutes, or a text "MM:SS". While an
--- evaluation is running, reevaluate_metrics does not start another. Returns the changed call.
---@param id cekura.Id
---@param changes cekura.Calls.UpdateParams
---@param options? cekura.Timeout
---@return cekura.CallLog?
---@return cekura.Error?
function Calls:update(id, changes, options) end

--- `client.insights`
---@class cekura.Insights
local Insights = {}

--- Starts a job of the kind insights.deep_research: POST /observability/v1/deep-research-insights/generate/.
--- The result has the insight: failure_modes, num_calls_analyzed, …
--- Note: while one runs for the project, a start gives that one.
---@param params? cekura.Insights.DeepResearchParams
---@param options? cekura.StartOptions
---@return cekura.Insights.DeepResearchJob? job
---@return cekura.Error? err
function Insights:deep_research(params, options) end

--- Starts a job of the kind insights.failure_modes: POST /observability/v1/metric-failure-mode-insights/generate/.
--- The result has the insight: failure_modes, headline, …
---@param params cekura.Insights.FailureModesParams
---@param options? cekura.StartOptions
---@return cekura.Insights.FailureModesJob? job
---@return cekura.Error? err
function Insights:failure_modes(params, options) end

--- `client.metric_reviews`
---@class cekura.MetricReviews
local MetricReviews = {}

--- Starts a job of the kind metric_reviews.process_feedbacks: POST /test_framework/metric-reviews/process_feedbacks/.
--- The result has improved_metric_description, improved_evaluation_trigger, custom_code, …
--- Note: nothing is saved; a second start is a second optimization; an answer is a table by question (inferred).
---@param params cekura.MetricReviews.ProcessFeedbacksParams
---@param options? cekura.StartOptions
---@return cekura.MetricReviews.ProcessFeedbacksJob? job
---@return cekura.Error? err
function MetricReviews:process_feedbacks(params, options) end

--- `client.metrics`
---@class cekura.Metrics
local Metrics = {}

--- Starts a job of the kind metrics.clean_description: POST /test_framework/v1/metrics/generate_clean_description_bg/.
--- The result has clean_description, thinking.
--- Note: eval_type is boolean, numeric, rating or enum.
---@param params cekura.Metrics.CleanDescriptionParams
---@param options? cekura.StartOptions
---@return cekura.Metrics.CleanDescriptionJob? job
---@return cekura.Error? err
function Metrics:clean_description(params, options) end

--- Starts a job of the kind metrics.generate: POST /test_framework/v1/metrics/generate_metrics/.
--- The result has metrics (or generated_metrics).
--- Note: nothing is saved; the agent needs a description of at least 100 characters.
---@param params? cekura.Metrics.GenerateParams
---@param options? cekura.StartOptions
---@return cekura.Metrics.GenerateJob? job
---@return cekura.Error? err
function Metrics:generate(params, options) end

--- Starts a job of the kind metrics.preview: POST /test_framework/v1/metrics/preview/.
--- The result has results, completed, total.
--- Note: call_log_ids or run_ids, at most 10.
---@param params cekura.Metrics.PreviewParams
---@param options? cekura.StartOptions
---@return cekura.Metrics.PreviewJob? job
---@return cekura.Error? err
function Metrics:preview(params, options) end

--- Starts a job of the kind metrics.run_reviews: POST /test_framework/v1/metrics/{metric_id}/run_reviews/.
--- The result has output (a list), metric, reviews_list, failed_reviews_list, completed_reviews, failed_reviews,
--- total_reviews.
---@param params? cekura.Metrics.RunReviewsParams
---@param options? cekura.StartOptions
---@return cekura.Metrics.RunReviewsJob? job
---@return cekura.Error? err
function Metrics:run_reviews(params, options) end

--- Starts a job of the kind metrics.simplify_prompt: POST /test_framework/v1/metrics/simplify_prompt/.
--- The result has simplified_prompt, original_prompt, skipped_simplification.
--- Note: the start may answer with the result itself.
---@param params cekura.Metrics.SimplifyPromptParams
---@param options? cekura.StartOptions
---@return cekura.Metrics.SimplifyPromptJob? job
---@return cekura.Error? err
function Metrics:simplify_prompt(params, options) end

--- `client.projects`
---@class cekura.Projects
local Projects = {}

--- Starts a job of the kind projects.preview_daily_report: POST /user/v1/projects/{project_id}/preview_daily_report/.
--- The result has file_url.
--- Note: within 15 minutes the same start answers with the result itself.
---@param params table<string, any>
---@param options? cekura.StartOptions
---@return cekura.Projects.PreviewDailyReportJob? job
---@return cekura.Error? err
function Projects:preview_daily_report(params, options) end

--- `client.results`
---@class cekura.Results
local Results = {}

--- Starts a job of the kind results.ask_about_failures: POST
--- /test_framework/v1/results/{result_id}/ask_about_failures/.
--- The result has answer, run ids.
---@param params cekura.Results.AskAboutFailuresParams
---@param options? cekura.StartOptions
---@return cekura.Results.AskAboutFailuresJob? job
---@return cekura.Error? err
function Results:ask_about_failures(params, options) end

--- Starts a job of the kind results.run: POST /test_framework/v1/scenarios/run_scenarios/.
--- The result has the result: passed, total_runs_count, success_runs_count, failed_runs_count, status, runs, …
--- Note: takes scenarios, tags or a folder_path; their number × frequency × personalities × test profiles is that of
--- the calls, each of which costs credits.
---@param params? cekura.Results.RunParams
---@param options? cekura.StartOptions
---@return cekura.Results.RunJob? job
---@return cekura.Error? err
function Results:run(params, options) end

--- `client.runs`
---@class cekura.Runs
local Runs = {}

--- Starts a job of the kind runs.expected_outcome: POST /test_framework/v1/runs/{run_id}/run_expected_outcome_bg/.
--- The result has what the service says.
---@param params table<string, any>
---@param options? cekura.StartOptions
---@return cekura.Runs.ExpectedOutcomeJob? job
---@return cekura.Error? err
function Runs:expected_outcome(params, options) end

--- Starts a job of the kind runs.improve_prompt: POST /test_framework/v1/runs/improve_prompt_bg/.
--- The result has improved_prompt, summary_of_changes.
--- Note: at most 3 runs.
--- The service took the endpoint out of its documents on 2026-06-30.
---@param params cekura.Runs.ImprovePromptParams
---@param options? cekura.StartOptions
---@return cekura.Runs.ImprovePromptJob? job
---@return cekura.Error? err
function Runs:improve_prompt(params, options) end

--- `client.scenarios`
---@class cekura.Scenarios
local Scenarios = {}

--- Starts a job of the kind scenarios.agent: POST /test_framework/v1/scenarios/scenario-agent/.
--- The result has result (what the agent has clarified), session_id, mode.
--- Note: an answer is another start in the same session (inferred), and makes another job.
---@param params? cekura.Scenarios.AgentParams
---@param options? cekura.StartOptions
---@return cekura.Scenarios.AgentJob? job
---@return cekura.Error? err
function Scenarios:agent(params, options) end

--- Starts a job of the kind scenarios.from_transcript: POST /test_framework/v1/scenarios/create-from-transcript-bg/.
--- The result has scenario_id, scenario.
--- Note: roles are those of the cekura format; the agent is `agent`, not `agent_id`.
---@param params cekura.Scenarios.FromTranscriptParams
---@param options? cekura.StartOptions
---@return cekura.Scenarios.FromTranscriptJob? job
---@return cekura.Error? err
function Scenarios:from_transcript(params, options) end

--- Starts a job of the kind scenarios.generate: POST /test_framework/v1/scenarios/generate-bg/.
--- The result has scenarios_list, completed_scenarios, failed_scenarios, total_scenarios.
--- Note: may ask (`pending_clarification`); an answer has at most 10000 characters.
---@param params cekura.Scenarios.GenerateParams
---@param options? cekura.StartOptions
---@return cekura.Scenarios.GenerateJob? job
---@return cekura.Error? err
function Scenarios:generate(params, options) end

--- Starts a job of the kind scenarios.generate_instructions: POST /test_framework/v1/scenarios/generate-instructions/.
--- The result has instructions, expected_outcome_prompt.
--- Note: what a start takes is not documented.
---@param params table<string, any>
---@param options? cekura.StartOptions
---@return cekura.Scenarios.GenerateInstructionsJob? job
---@return cekura.Error? err
function Scenarios:generate_instructions(params, options) end

--- Starts a job of the kind scenarios.instructions: POST /test_framework/v1/scenarios/improve_instructions/.
--- The result has what the service says.
---@param params cekura.Scenarios.InstructionsParams
---@param options? cekura.StartOptions
---@return cekura.Scenarios.InstructionsJob? job
---@return cekura.Error? err
function Scenarios:instructions(params, options) end

--- Starts a job of the kind scenarios.run_agora: POST /test_framework/v1/scenarios/run_scenarios_agora/.
--- The result has the result: passed, total_runs_count, success_runs_count, failed_runs_count, status, runs, …
---@param params? cekura.Scenarios.RunAgoraParams
---@param options? cekura.StartOptions
---@return cekura.Scenarios.RunAgoraJob? job
---@return cekura.Error? err
function Scenarios:run_agora(params, options) end

--- Starts a job of the kind scenarios.run_api_chat: POST /test_framework/v1/scenarios/run_scenarios_api_chat/.
--- The result has the result: passed, total_runs_count, success_runs_count, failed_runs_count, status, runs, …
---@param params? cekura.Scenarios.RunApiChatParams
---@param options? cekura.StartOptions
---@return cekura.Scenarios.RunApiChatJob? job
---@return cekura.Error? err
function Scenarios:run_api_chat(params, options) end

--- Starts a job of the kind scenarios.run_chirp: POST /test_framework/v1/scenarios/run_scenarios_chirp/.
--- The result has the result: passed, total_runs_count, success_runs_count, failed_runs_count, status, runs, …
---@param params? cekura.Scenarios.RunChirpParams
---@param options? cekura.StartOptions
---@return cekura.Scenarios.RunChirpJob? job
---@return cekura.Error? err
function Scenarios:run_chirp(params, options) end

--- Starts a job of the kind scenarios.run_elevenlabs: POST /test_framework/v1/scenarios/run_scenarios_elevenlabs/.
--- The result has the result: passed, total_runs_count, success_runs_count, failed_runs_count, status, runs, …
---@param params? cekura.Scenarios.RunElevenlabsParams
---@param options? cekura.StartOptions
---@return cekura.Scenarios.RunElevenlabsJob? job
---@return cekura.Error? err
function Scenarios:run_elevenlabs(params, options) end

--- Starts a job of the kind scenarios.run_ello: POST /test_framework/v1/scenarios/run_scenarios_ello/.
--- The result has the result: passed, total_runs_count, success_runs_count, failed_runs_count, status, runs, …
--- Note: what a start takes is not documented.
---@param params table<string, any>
---@param options? cekura.StartOptions
---@return cekura.Scenarios.RunElloJob? job
---@return cekura.Error? err
function Scenarios:run_ello(params, options) end

--- Starts a job of the kind scenarios.run_email: POST /test_framework/v1/scenarios/run_scenarios_email/.
--- The result has the result: passed, total_runs_count, success_runs_count, failed_runs_count, status, runs, …
---@param params cekura.Scenarios.RunEmailParams
---@param options? cekura.StartOptions
---@return cekura.Scenarios.RunEmailJob? job
---@return cekura.Error? err
function Scenarios:run_email(params, options) end

--- Starts a job of the kind scenarios.run_jotform: POST /test_framework/v1/scenarios/run_scenarios_jotform/.
--- The result has the result: passed, total_runs_count, success_runs_count, failed_runs_count, status, runs, …
--- Note: what a start takes is not documented.
---@param params table<string, any>
---@param options? cekura.StartOptions
---@return cekura.Scenarios.RunJotformJob? job
---@return cekura.Error? err
function Scenarios:run_jotform(params, options) end

--- Starts a job of the kind scenarios.run_json: POST /test_framework/v1/scenarios/run_scenarios_json/.
--- The result has the result: passed, total_runs_count, success_runs_count, failed_runs_count, status, runs, …
--- Note: `spec` is the list of 1 to 200 cases.
---@param params? cekura.Scenarios.RunJsonParams
---@param options? cekura.StartOptions
---@return cekura.Scenarios.RunJsonJob? job
---@return cekura.Error? err
function Scenarios:run_json(params, options) end

--- Starts a job of the kind scenarios.run_livekit: POST /test_framework/v1/scenarios/run_scenarios_livekit/.
--- The result has the result: passed, total_runs_count, success_runs_count, failed_runs_count, status, runs, …
--- Note: what a start takes is not documented.
---@param params table<string, any>
---@param options? cekura.StartOptions
---@return cekura.Scenarios.RunLivekitJob? job
---@return cekura.Error? err
function Scenarios:run_livekit(params, options) end

--- Starts a job of the kind scenarios.run_livekit_chat: POST /test_framework/v1/scenarios/run_scenarios_livekit_chat/.
--- The result has the result: passed, total_runs_count, success_runs_count, failed_runs_count, status, runs, …
--- Note: what a start takes is not documented.
---@param params table<string, any>
---@param options? cekura.StartOptions
---@return cekura.Scenarios.RunLivekitChatJob? job
---@return cekura.Error? err
function Scenarios:run_livekit_chat(params, options) end

--- Starts a job of the kind scenarios.run_livekit_v2: POST /test_framework/v1/scenarios/run_scenarios_livekit_v2/.
--- The result has the result: passed, total_runs_count, success_runs_count, failed_runs_count, status, runs, …
---@param params cekura.Scenarios.RunLivekitV2Params
---@param options? cekura.StartOptions
---@return cekura.Scenarios.RunLivekitV2Job? job
---@return cekura.Error? err
function Scenarios:run_livekit_v2(params, options) end

--- Starts a job of the kind scenarios.run_pipecat: POST /test_framework/v1/scenarios/run_scenarios_pipecat/.
--- The result has the result: passed, total_runs_count, success_runs_count, failed_runs_count, status, runs, …
---@param params cekura.Scenarios.RunPipecatParams
---@param options? cekura.StartOptions
---@return cekura.Scenarios.RunPipecatJob? job
---@return cekura.Error? err
function Scenarios:run_pipecat(params, options) end

--- Starts a job of the kind scenarios.run_pipecat_v2: POST /test_framework/v1/scenarios/run_scenarios_pipecat_v2/.
--- The result has the result: passed, total_runs_count, success_runs_count, failed_runs_count, status, runs, …
---@param params cekura.Scenarios.RunPipecatV2Params
---@param options? cekura.StartOptions
---@return cekura.Scenarios.RunPipecatV2Job? job
---@return cekura.Error? err
function Scenarios:run_pipecat_v2(params, options) end

--- Starts a job of the kind scenarios.run_retell_webrtc: POST
--- /test_framework/v1/scenarios/run_scenarios_retell_webrtc/.
--- The result has the result: passed, total_runs_count, success_runs_count, failed_runs_count, status, runs, …
---@param params cekura.Scenarios.RunRetellWebrtcParams
---@param options? cekura.StartOptions
---@return cekura.Scenarios.RunRetellWebrtcJob? job
---@return cekura.Error? err
function Scenarios:run_retell_webrtc(params, options) end

--- Starts a job of the kind scenarios.run_sip: POST /test_framework/v1/scenarios/run_scenarios_sip/.
--- The result has the result: passed, total_runs_count, success_runs_count, failed_runs_count, status, runs, …
---@param params? cekura.Scenarios.RunSipParams
---@param options? cekura.StartOptions
---@return cekura.Scenarios.RunSipJob? job
---@return cekura.Error? err
function Scenarios:run_sip(params, options) end

--- Starts a job of the kind scenarios.run_text: POST /test_framework/v1/scenarios/run_scenarios_text/.
--- The result has the result: passed, total_runs_count, success_runs_count, failed_runs_count, status, runs, …
---@param params? cekura.Scenarios.RunTextParams
---@param options? cekura.StartOptions
---@return cekura.Scenarios.RunTextJob? job
---@return cekura.Error? err
function Scenarios:run_text(params, options) end

--- Starts a job of the kind scenarios.run_vapi_webrtc: POST /test_framework/v1/scenarios/run_scenarios_vapi_webrtc/.
--- The result has the result: passed, total_runs_count, success_runs_count, failed_runs_count, status, runs, …
---@param params cekura.Scenarios.RunVapiWebrtcParams
---@param options? cekura.StartOptions
---@return cekura.Scenarios.RunVapiWebrtcJob? job
---@return cekura.Error? err
function Scenarios:run_vapi_webrtc(params, options) end

--- Starts a job of the kind scenarios.run_websocket: POST /test_framework/v1/scenarios/run_scenarios_with_websockets/.
--- The result has the result: passed, total_runs_count, success_runs_count, failed_runs_count, status, runs, …
---@param params cekura.Scenarios.RunWebsocketParams
---@param options? cekura.StartOptions
---@return cekura.Scenarios.RunWebsocketJob? job
---@return cekura.Error? err
function Scenarios:run_websocket(params, options) end

---@class cekura.Client
---@field agents cekura.Agents
---@field alerts cekura.Alerts
---@field calls cekura.Calls
---@field insights cekura.Insights
---@field metric_reviews cekura.MetricReviews
---@field metrics cekura.Metrics
---@field projects cekura.Projects
---@field results cekura.Results
---@field runs cekura.Runs
---@field scenarios cekura.Scenarios

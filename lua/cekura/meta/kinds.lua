---@meta cekura.meta.kinds
-- Made by `make generate`. For editors: no program requires it.

--- The kinds of job that come with the module.
---@alias cekura.KindName
---| "agents.auto_fetch"
---| "agents.improvement_session"
---| "alerts.summarize"
---| "calls.create_scenarios"
---| "calls.evaluation"
---| "calls.improve_prompt"
---| "insights.deep_research"
---| "insights.failure_modes"
---| "metric_reviews.process_feedbacks"
---| "metrics.clean_description"
---| "metrics.generate"
---| "metrics.preview"
---| "metrics.run_reviews"
---| "metrics.simplify_prompt"
---| "projects.preview_daily_report"
---| "results.ask_about_failures"
---| "results.run"
---| "runs.expected_outcome"
---| "runs.improve_prompt"
---| "scenarios.agent"
---| "scenarios.from_transcript"
---| "scenarios.generate"
---| "scenarios.generate_instructions"
---| "scenarios.instructions"
---| "scenarios.run_agora"
---| "scenarios.run_api_chat"
---| "scenarios.run_chirp"
---| "scenarios.run_elevenlabs"
---| "scenarios.run_ello"
---| "scenarios.run_email"
---| "scenarios.run_jotform"
---| "scenarios.run_json"
---| "scenarios.run_livekit"
---| "scenarios.run_livekit_chat"
---| "scenarios.run_livekit_v2"
---| "scenarios.run_pipecat"
---| "scenarios.run_pipecat_v2"
---| "scenarios.run_retell_webrtc"
---| "scenarios.run_sip"
---| "scenarios.run_text"
---| "scenarios.run_vapi_webrtc"
---| "scenarios.run_websocket"

--- The result of agents.auto_fetch: agent_id, current_stage, stages.
---@class cekura.Agents.AutoFetchResult : cekura.JobResult
---@field agent_id? cekura.Id
---@field current_stage? string
---@field stages? table[]

--- A job of the kind agents.auto_fetch.
---@class cekura.Agents.AutoFetchJob : cekura.Job
---@field result? cekura.Agents.AutoFetchResult
local AgentsAutoFetchJob = {}

--- Waits until the job has ended.
---@param options? cekura.WaitOptions
---@return cekura.Agents.AutoFetchResult? result
---@return cekura.Error? err
function AgentsAutoFetchJob:wait(options) end

--- Iterates over the changes of the job, its end included.
---@param options? cekura.WaitOptions
---@return fun(): cekura.Agents.AutoFetchJob?
function AgentsAutoFetchJob:updates(options) end

--- The result of agents.improvement_session: the session: proposal_summary, metric_delta, …
---@class cekura.Agents.ImprovementSessionResult : cekura.JobResult
---@field proposal_summary? table
---@field metric_delta? any

--- A job of the kind agents.improvement_session.
---@class cekura.Agents.ImprovementSessionJob : cekura.Job
---@field result? cekura.Agents.ImprovementSessionResult
local AgentsImprovementSessionJob = {}

--- Waits until the job has ended.
---@param options? cekura.WaitOptions
---@return cekura.Agents.ImprovementSessionResult? result
---@return cekura.Error? err
function AgentsImprovementSessionJob:wait(options) end

--- Iterates over the changes of the job, its end included.
---@param options? cekura.WaitOptions
---@return fun(): cekura.Agents.ImprovementSessionJob?
function AgentsImprovementSessionJob:updates(options) end

--- The result of alerts.summarize: what the service says.
---@class cekura.Alerts.SummarizeResult : cekura.JobResult

--- A job of the kind alerts.summarize.
---@class cekura.Alerts.SummarizeJob : cekura.Job
---@field result? cekura.Alerts.SummarizeResult
local AlertsSummarizeJob = {}

--- Waits until the job has ended.
---@param options? cekura.WaitOptions
---@return cekura.Alerts.SummarizeResult? result
---@return cekura.Error? err
function AlertsSummarizeJob:wait(options) end

--- Iterates over the changes of the job, its end included.
---@param options? cekura.WaitOptions
---@return fun(): cekura.Alerts.SummarizeJob?
function AlertsSummarizeJob:updates(options) end

--- What the start of calls.create_scenarios takes.
---@class cekura.Calls.CreateScenariosParams
---@field call_logs cekura.Id[]|"all"
---@field agent_id? cekura.Id one of `agent_id`, `assistant_id`
---@field assistant_id? cekura.Id one of `agent_id`, `assistant_id`
---@field copy_to_agent? cekura.Id
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field folder_path? string
---@field project_id? cekura.Id

--- The result of calls.create_scenarios: scenarios_list, completed_scenarios, failed_scenarios, total_scenarios,
--- errors.
---@class cekura.Calls.CreateScenariosResult : cekura.JobResult
---@field scenarios_list? table[]
---@field completed_scenarios? integer
---@field failed_scenarios? integer
---@field total_scenarios? integer
---@field errors? any

--- A job of the kind calls.create_scenarios.
---@class cekura.Calls.CreateScenariosJob : cekura.Job
---@field result? cekura.Calls.CreateScenariosResult
local CallsCreateScenariosJob = {}

--- Waits until the job has ended.
---@param options? cekura.WaitOptions
---@return cekura.Calls.CreateScenariosResult? result
---@return cekura.Error? err
function CallsCreateScenariosJob:wait(options) end

--- Iterates over the changes of the job, its end included.
---@param options? cekura.WaitOptions
---@return fun(): cekura.Calls.CreateScenariosJob?
function CallsCreateScenariosJob:updates(options) end

--- What the start of calls.evaluation takes.
---@class cekura.Calls.EvaluationParams
---@field call_logs cekura.Id[]
---@field agent_id? cekura.Id one of `agent_id`, `assistant_id`
---@field assistant_id? cekura.Id one of `agent_id`, `assistant_id`
---@field extra? table<string, any> further parameters, which are sent unchecked

--- A job of the kind calls.evaluation.
---@class cekura.Calls.EvaluationJob : cekura.Job
---@field result? cekura.CallLog
local CallsEvaluationJob = {}

--- Waits until the job has ended.
---@param options? cekura.WaitOptions
---@return cekura.CallLog? result
---@return cekura.Error? err
function CallsEvaluationJob:wait(options) end

--- Iterates over the changes of the job, its end included.
---@param options? cekura.WaitOptions
---@return fun(): cekura.Calls.EvaluationJob?
function CallsEvaluationJob:updates(options) end

--- What the start of calls.improve_prompt takes.
---@class cekura.Calls.ImprovePromptParams
---@field call_logs cekura.Id[]|"all"|{ first: integer }
---@field prompt string
---@field agent_id? cekura.Id one of `agent_id`, `assistant_id`
---@field assistant_id? cekura.Id one of `agent_id`, `assistant_id`
---@field category_ids? cekura.Id[]
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field workflow_metric_ids? cekura.Id[]

--- The result of calls.improve_prompt: improved_prompt, summary_of_changes.
---@class cekura.Calls.ImprovePromptResult : cekura.JobResult
---@field improved_prompt? string
---@field summary_of_changes? string
---@field call_log? cekura.CallLog the record, where the service answers with one

--- A job of the kind calls.improve_prompt.
---@class cekura.Calls.ImprovePromptJob : cekura.Job
---@field result? cekura.Calls.ImprovePromptResult
local CallsImprovePromptJob = {}

--- Waits until the job has ended.
---@param options? cekura.WaitOptions
---@return cekura.Calls.ImprovePromptResult? result
---@return cekura.Error? err
function CallsImprovePromptJob:wait(options) end

--- Iterates over the changes of the job, its end included.
---@param options? cekura.WaitOptions
---@return fun(): cekura.Calls.ImprovePromptJob?
function CallsImprovePromptJob:updates(options) end

--- What the start of insights.deep_research takes.
---@class cekura.Insights.DeepResearchParams
---@field date_from? number|string
---@field date_to? number|string
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field focus? string
---@field max_calls? integer
---@field project? cekura.Id
---@field window_days? integer

--- The result of insights.deep_research: the insight: failure_modes, num_calls_analyzed, …
---@class cekura.Insights.DeepResearchResult : cekura.JobResult
---@field failure_modes? any
---@field num_calls_analyzed? integer

--- A job of the kind insights.deep_research.
---@class cekura.Insights.DeepResearchJob : cekura.Job
---@field result? cekura.Insights.DeepResearchResult
local InsightsDeepResearchJob = {}

--- Waits until the job has ended.
---@param options? cekura.WaitOptions
---@return cekura.Insights.DeepResearchResult? result
---@return cekura.Error? err
function InsightsDeepResearchJob:wait(options) end

--- Iterates over the changes of the job, its end included.
---@param options? cekura.WaitOptions
---@return fun(): cekura.Insights.DeepResearchJob?
function InsightsDeepResearchJob:updates(options) end

--- What the start of insights.failure_modes takes.
---@class cekura.Insights.FailureModesParams
---@field metric_name string
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field max_calls? integer
---@field metric? cekura.Id
---@field predefined_metric? cekura.Id
---@field project? cekura.Id
---@field window_days? integer

--- The result of insights.failure_modes: the insight: failure_modes, headline, …
---@class cekura.Insights.FailureModesResult : cekura.JobResult
---@field failure_modes? any
---@field headline? string

--- A job of the kind insights.failure_modes.
---@class cekura.Insights.FailureModesJob : cekura.Job
---@field result? cekura.Insights.FailureModesResult
local InsightsFailureModesJob = {}

--- Waits until the job has ended.
---@param options? cekura.WaitOptions
---@return cekura.Insights.FailureModesResult? result
---@return cekura.Error? err
function InsightsFailureModesJob:wait(options) end

--- Iterates over the changes of the job, its end included.
---@param options? cekura.WaitOptions
---@return fun(): cekura.Insights.FailureModesJob?
function InsightsFailureModesJob:updates(options) end

--- What the start of metric_reviews.process_feedbacks takes.
---@class cekura.MetricReviews.ProcessFeedbacksParams
---@field metric_id cekura.Id
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field metric_type? string
---@field simplified_prompt? string
---@field skip_evaluation? boolean
---@field test_set_ids? cekura.Id[]

--- The result of metric_reviews.process_feedbacks: improved_metric_description, improved_evaluation_trigger,
--- custom_code, …
---@class cekura.MetricReviews.ProcessFeedbacksResult : cekura.JobResult
---@field improved_metric_description? string
---@field improved_evaluation_trigger? string
---@field custom_code? string

--- A job of the kind metric_reviews.process_feedbacks.
---@class cekura.MetricReviews.ProcessFeedbacksJob : cekura.Job
---@field result? cekura.MetricReviews.ProcessFeedbacksResult
local MetricReviewsProcessFeedbacksJob = {}

--- Waits until the job has ended.
---@param options? cekura.WaitOptions
---@return cekura.MetricReviews.ProcessFeedbacksResult? result
---@return cekura.Error? err
function MetricReviewsProcessFeedbacksJob:wait(options) end

--- Iterates over the changes of the job, its end included.
---@param options? cekura.WaitOptions
---@return fun(): cekura.MetricReviews.ProcessFeedbacksJob?
function MetricReviewsProcessFeedbacksJob:updates(options) end

--- What the start of metrics.clean_description takes.
---@class cekura.Metrics.CleanDescriptionParams
---@field agent cekura.Id
---@field eval_type string
---@field metric_description string
---@field extra? table<string, any> further parameters, which are sent unchecked

--- The result of metrics.clean_description: clean_description, thinking.
---@class cekura.Metrics.CleanDescriptionResult : cekura.JobResult
---@field clean_description? string
---@field thinking? string

--- A job of the kind metrics.clean_description.
---@class cekura.Metrics.CleanDescriptionJob : cekura.Job
---@field result? cekura.Metrics.CleanDescriptionResult
local MetricsCleanDescriptionJob = {}

--- Waits until the job has ended.
---@param options? cekura.WaitOptions
---@return cekura.Metrics.CleanDescriptionResult? result
---@return cekura.Error? err
function MetricsCleanDescriptionJob:wait(options) end

--- Iterates over the changes of the job, its end included.
---@param options? cekura.WaitOptions
---@return fun(): cekura.Metrics.CleanDescriptionJob?
function MetricsCleanDescriptionJob:updates(options) end

--- What the start of metrics.generate takes.
---@class cekura.Metrics.GenerateParams
---@field agent_id? cekura.Id one of `agent_id`, `assistant_id`
---@field assistant_id? cekura.Id one of `agent_id`, `assistant_id`
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field num_metrics? integer

--- The result of metrics.generate: metrics (or generated_metrics).
---@class cekura.Metrics.GenerateResult : cekura.JobResult
---@field metrics? table[]
---@field generated_metrics? any

--- A job of the kind metrics.generate.
---@class cekura.Metrics.GenerateJob : cekura.Job
---@field result? cekura.Metrics.GenerateResult
local MetricsGenerateJob = {}

--- Waits until the job has ended.
---@param options? cekura.WaitOptions
---@return cekura.Metrics.GenerateResult? result
---@return cekura.Error? err
function MetricsGenerateJob:wait(options) end

--- Iterates over the changes of the job, its end included.
---@param options? cekura.WaitOptions
---@return fun(): cekura.Metrics.GenerateJob?
function MetricsGenerateJob:updates(options) end

--- What the start of metrics.preview takes.
---@class cekura.Metrics.PreviewParams
---@field metric_data table<string, any>
---@field agent_id? cekura.Id one of `agent_id`, `project_id`
---@field call_log_ids? cekura.Id[]
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field project_id? cekura.Id one of `agent_id`, `project_id`
---@field run_ids? cekura.Id[]

--- The result of metrics.preview: results, completed, total.
---@class cekura.Metrics.PreviewResult : cekura.JobResult
---@field results? table[]
---@field completed? integer
---@field total? integer

--- A job of the kind metrics.preview.
---@class cekura.Metrics.PreviewJob : cekura.Job
---@field result? cekura.Metrics.PreviewResult
local MetricsPreviewJob = {}

--- Waits until the job has ended.
---@param options? cekura.WaitOptions
---@return cekura.Metrics.PreviewResult? result
---@return cekura.Error? err
function MetricsPreviewJob:wait(options) end

--- Iterates over the changes of the job, its end included.
---@param options? cekura.WaitOptions
---@return fun(): cekura.Metrics.PreviewJob?
function MetricsPreviewJob:updates(options) end

--- What the start of metrics.run_reviews takes.
---@class cekura.Metrics.RunReviewsParams
---@field custom_code? string
---@field description? string
---@field evaluation_trigger? string
---@field evaluation_trigger_custom_code? string
---@field evaluation_trigger_program? any
---@field evaluation_trigger_prompt? string
---@field evaluation_trigger_variables? any
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field llm_provider? string
---@field metric_description_program? any
---@field metric_description_variables? any
---@field prompt? string
---@field skip_save? boolean
---@field trigger_type? string
---@field type? string
---@field metric_id? cekura.Id of the path; `id` stands for it, too
---@field id? cekura.Id of the path; `metric_id` stands for it, too

--- The result of metrics.run_reviews: output (a list), metric, reviews_list, failed_reviews_list, completed_reviews,
--- failed_reviews, total_reviews.
---@class cekura.Metrics.RunReviewsResult : cekura.JobResult
---@field output? any a list
---@field metric? any
---@field reviews_list? table[]
---@field failed_reviews_list? any
---@field completed_reviews? integer
---@field failed_reviews? integer
---@field total_reviews? integer

--- A job of the kind metrics.run_reviews.
---@class cekura.Metrics.RunReviewsJob : cekura.Job
---@field result? cekura.Metrics.RunReviewsResult
local MetricsRunReviewsJob = {}

--- Waits until the job has ended.
---@param options? cekura.WaitOptions
---@return cekura.Metrics.RunReviewsResult? result
---@return cekura.Error? err
function MetricsRunReviewsJob:wait(options) end

--- Iterates over the changes of the job, its end included.
---@param options? cekura.WaitOptions
---@return fun(): cekura.Metrics.RunReviewsJob?
function MetricsRunReviewsJob:updates(options) end

--- What the start of metrics.simplify_prompt takes.
---@class cekura.Metrics.SimplifyPromptParams
---@field original_prompt string
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field metric_id? cekura.Id

--- The result of metrics.simplify_prompt: simplified_prompt, original_prompt, skipped_simplification.
---@class cekura.Metrics.SimplifyPromptResult : cekura.JobResult
---@field simplified_prompt? string
---@field original_prompt? string
---@field skipped_simplification? boolean

--- A job of the kind metrics.simplify_prompt.
---@class cekura.Metrics.SimplifyPromptJob : cekura.Job
---@field result? cekura.Metrics.SimplifyPromptResult
local MetricsSimplifyPromptJob = {}

--- Waits until the job has ended.
---@param options? cekura.WaitOptions
---@return cekura.Metrics.SimplifyPromptResult? result
---@return cekura.Error? err
function MetricsSimplifyPromptJob:wait(options) end

--- Iterates over the changes of the job, its end included.
---@param options? cekura.WaitOptions
---@return fun(): cekura.Metrics.SimplifyPromptJob?
function MetricsSimplifyPromptJob:updates(options) end

--- The result of projects.preview_daily_report: file_url.
---@class cekura.Projects.PreviewDailyReportResult : cekura.JobResult
---@field file_url? any

--- A job of the kind projects.preview_daily_report.
---@class cekura.Projects.PreviewDailyReportJob : cekura.Job
---@field result? cekura.Projects.PreviewDailyReportResult
local ProjectsPreviewDailyReportJob = {}

--- Waits until the job has ended.
---@param options? cekura.WaitOptions
---@return cekura.Projects.PreviewDailyReportResult? result
---@return cekura.Error? err
function ProjectsPreviewDailyReportJob:wait(options) end

--- Iterates over the changes of the job, its end included.
---@param options? cekura.WaitOptions
---@return fun(): cekura.Projects.PreviewDailyReportJob?
function ProjectsPreviewDailyReportJob:updates(options) end

--- What the start of results.ask_about_failures takes.
---@class cekura.Results.AskAboutFailuresParams
---@field question string
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field result_id? cekura.Id of the path; `id` stands for it, too
---@field id? cekura.Id of the path; `result_id` stands for it, too

--- The result of results.ask_about_failures: answer, run ids.
---@class cekura.Results.AskAboutFailuresResult : cekura.JobResult
---@field answer? any

--- A job of the kind results.ask_about_failures.
---@class cekura.Results.AskAboutFailuresJob : cekura.Job
---@field result? cekura.Results.AskAboutFailuresResult
local ResultsAskAboutFailuresJob = {}

--- Waits until the job has ended.
---@param options? cekura.WaitOptions
---@return cekura.Results.AskAboutFailuresResult? result
---@return cekura.Error? err
function ResultsAskAboutFailuresJob:wait(options) end

--- Iterates over the changes of the job, its end included.
---@param options? cekura.WaitOptions
---@return fun(): cekura.Results.AskAboutFailuresJob?
function ResultsAskAboutFailuresJob:updates(options) end

--- What the start of results.run takes.
---@class cekura.Results.RunParams
---@field agent_id? cekura.Id
---@field agent_number? string
---@field assistant_id? cekura.Id
---@field concurrency_limit? integer
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field folder_path? string
---@field frequency? integer
---@field mock_tool_names? string[]
---@field mode? string
---@field name? string
---@field outbound_phone_number? string
---@field personality_id? cekura.Id
---@field personality_ids? cekura.Id[]
---@field project_id? cekura.Id
---@field scenarios? cekura.Id[]
---@field tags? string[]
---@field test_profile_id? cekura.Id
---@field test_profile_ids? cekura.Id[]

--- The result of results.run: the result: passed, total_runs_count, success_runs_count, failed_runs_count, status,
--- runs, …
---@class cekura.Results.RunResult : cekura.JobResult
---@field passed? boolean
---@field total_runs_count? integer
---@field success_runs_count? integer
---@field failed_runs_count? integer
---@field status? string
---@field runs? table

--- A job of the kind results.run.
---@class cekura.Results.RunJob : cekura.Job
---@field result? cekura.Results.RunResult
local ResultsRunJob = {}

--- Waits until the job has ended.
---@param options? cekura.WaitOptions
---@return cekura.Results.RunResult? result
---@return cekura.Error? err
function ResultsRunJob:wait(options) end

--- Iterates over the changes of the job, its end included.
---@param options? cekura.WaitOptions
---@return fun(): cekura.Results.RunJob?
function ResultsRunJob:updates(options) end

--- The result of runs.expected_outcome: what the service says.
---@class cekura.Runs.ExpectedOutcomeResult : cekura.JobResult

--- A job of the kind runs.expected_outcome.
---@class cekura.Runs.ExpectedOutcomeJob : cekura.Job
---@field result? cekura.Runs.ExpectedOutcomeResult
local RunsExpectedOutcomeJob = {}

--- Waits until the job has ended.
---@param options? cekura.WaitOptions
---@return cekura.Runs.ExpectedOutcomeResult? result
---@return cekura.Error? err
function RunsExpectedOutcomeJob:wait(options) end

--- Iterates over the changes of the job, its end included.
---@param options? cekura.WaitOptions
---@return fun(): cekura.Runs.ExpectedOutcomeJob?
function RunsExpectedOutcomeJob:updates(options) end

--- What the start of runs.improve_prompt takes.
---@class cekura.Runs.ImprovePromptParams
---@field prompt string
---@field run_ids cekura.Id[]
---@field category_ids? cekura.Id[]
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field workflow_metric_ids? cekura.Id[]

--- The result of runs.improve_prompt: improved_prompt, summary_of_changes.
---@class cekura.Runs.ImprovePromptResult : cekura.JobResult
---@field improved_prompt? string
---@field summary_of_changes? string
---@field call_log? cekura.CallLog the record, where the service answers with one

--- A job of the kind runs.improve_prompt.
---@class cekura.Runs.ImprovePromptJob : cekura.Job
---@field result? cekura.Runs.ImprovePromptResult
local RunsImprovePromptJob = {}

--- Waits until the job has ended.
---@param options? cekura.WaitOptions
---@return cekura.Runs.ImprovePromptResult? result
---@return cekura.Error? err
function RunsImprovePromptJob:wait(options) end

--- Iterates over the changes of the job, its end included.
---@param options? cekura.WaitOptions
---@return fun(): cekura.Runs.ImprovePromptJob?
function RunsImprovePromptJob:updates(options) end

--- What the start of scenarios.agent takes.
---@class cekura.Scenarios.AgentParams
---@field agent_id? cekura.Id
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field inbound_phone_numbers? cekura.Id[]
---@field knowledge_base? cekura.Id[]
---@field num_scenarios? integer
---@field project_id? cekura.Id
---@field session_id? cekura.Id
---@field tool_ids? string[]
---@field user_message? string

--- The result of scenarios.agent: result (what the agent has clarified), session_id, mode.
---@class cekura.Scenarios.AgentResult : cekura.JobResult
---@field result? any what the agent has clarified
---@field session_id? string
---@field mode? string

--- A job of the kind scenarios.agent.
---@class cekura.Scenarios.AgentJob : cekura.Job
---@field result? cekura.Scenarios.AgentResult
local ScenariosAgentJob = {}

--- Waits until the job has ended.
---@param options? cekura.WaitOptions
---@return cekura.Scenarios.AgentResult? result
---@return cekura.Error? err
function ScenariosAgentJob:wait(options) end

--- Iterates over the changes of the job, its end included.
---@param options? cekura.WaitOptions
---@return fun(): cekura.Scenarios.AgentJob?
function ScenariosAgentJob:updates(options) end

--- What the start of scenarios.from_transcript takes.
---@class cekura.Scenarios.FromTranscriptParams
---@field transcript_json cekura.SentTurn[]
---@field agent? cekura.Id one of `agent`, `assistant_id`
---@field assistant_id? cekura.Id one of `agent`, `assistant_id`
---@field expected_outcome_prompt? string
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field folder_path? string
---@field name? string
---@field personality? cekura.Id

--- The result of scenarios.from_transcript: scenario_id, scenario.
---@class cekura.Scenarios.FromTranscriptResult : cekura.JobResult
---@field scenario_id? cekura.Id
---@field scenario? table

--- A job of the kind scenarios.from_transcript.
---@class cekura.Scenarios.FromTranscriptJob : cekura.Job
---@field result? cekura.Scenarios.FromTranscriptResult
local ScenariosFromTranscriptJob = {}

--- Waits until the job has ended.
---@param options? cekura.WaitOptions
---@return cekura.Scenarios.FromTranscriptResult? result
---@return cekura.Error? err
function ScenariosFromTranscriptJob:wait(options) end

--- Iterates over the changes of the job, its end included.
---@param options? cekura.WaitOptions
---@return fun(): cekura.Scenarios.FromTranscriptJob?
function ScenariosFromTranscriptJob:updates(options) end

--- What the start of scenarios.generate takes.
---@class cekura.Scenarios.GenerateParams
---@field num_scenarios integer
---@field agent_id? cekura.Id one of `agent_id`, `assistant_id`
---@field assistant_id? cekura.Id one of `agent_id`, `assistant_id`
---@field attack_type? string
---@field expected_outcome? string
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field extra_instructions? string
---@field first_message? string
---@field folder_path? string
---@field generate_expected_outcomes? boolean
---@field generation_files? string[]
---@field inbound_phone_number? cekura.Id
---@field knowledge_base? cekura.Id[]
---@field personalities? cekura.Id[]
---@field scenario_type? string
---@field simulation_type? string
---@field tags? string[]
---@field test_profile? cekura.Id
---@field tool_ids? string[]

--- The result of scenarios.generate: scenarios_list, completed_scenarios, failed_scenarios, total_scenarios.
---@class cekura.Scenarios.GenerateResult : cekura.JobResult
---@field scenarios_list? table[]
---@field completed_scenarios? integer
---@field failed_scenarios? integer
---@field total_scenarios? integer

--- A job of the kind scenarios.generate.
---@class cekura.Scenarios.GenerateJob : cekura.Job
---@field result? cekura.Scenarios.GenerateResult
local ScenariosGenerateJob = {}

--- Waits until the job has ended.
---@param options? cekura.WaitOptions
---@return cekura.Scenarios.GenerateResult? result
---@return cekura.Error? err
function ScenariosGenerateJob:wait(options) end

--- Iterates over the changes of the job, its end included.
---@param options? cekura.WaitOptions
---@return fun(): cekura.Scenarios.GenerateJob?
function ScenariosGenerateJob:updates(options) end

--- The result of scenarios.generate_instructions: instructions, expected_outcome_prompt.
---@class cekura.Scenarios.GenerateInstructionsResult : cekura.JobResult
---@field instructions? any
---@field expected_outcome_prompt? any

--- A job of the kind scenarios.generate_instructions.
---@class cekura.Scenarios.GenerateInstructionsJob : cekura.Job
---@field result? cekura.Scenarios.GenerateInstructionsResult
local ScenariosGenerateInstructionsJob = {}

--- Waits until the job has ended.
---@param options? cekura.WaitOptions
---@return cekura.Scenarios.GenerateInstructionsResult? result
---@return cekura.Error? err
function ScenariosGenerateInstructionsJob:wait(options) end

--- Iterates over the changes of the job, its end included.
---@param options? cekura.WaitOptions
---@return fun(): cekura.Scenarios.GenerateInstructionsJob?
function ScenariosGenerateInstructionsJob:updates(options) end

--- What the start of scenarios.instructions takes.
---@class cekura.Scenarios.InstructionsParams
---@field agent cekura.Id
---@field extra_instructions string
---@field current_instructions? string
---@field extra? table<string, any> further parameters, which are sent unchecked

--- The result of scenarios.instructions: what the service says.
---@class cekura.Scenarios.InstructionsResult : cekura.JobResult

--- A job of the kind scenarios.instructions.
---@class cekura.Scenarios.InstructionsJob : cekura.Job
---@field result? cekura.Scenarios.InstructionsResult
local ScenariosInstructionsJob = {}

--- Waits until the job has ended.
---@param options? cekura.WaitOptions
---@return cekura.Scenarios.InstructionsResult? result
---@return cekura.Error? err
function ScenariosInstructionsJob:wait(options) end

--- Iterates over the changes of the job, its end included.
---@param options? cekura.WaitOptions
---@return fun(): cekura.Scenarios.InstructionsJob?
function ScenariosInstructionsJob:updates(options) end

--- What the start of scenarios.run_agora takes.
---@class cekura.Scenarios.RunAgoraParams
---@field agent_id? cekura.Id
---@field agent_number? string
---@field assistant_id? cekura.Id
---@field concurrency_limit? integer
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field folder_path? string
---@field frequency? integer
---@field mock_tool_names? string[]
---@field mode? string
---@field name? string
---@field outbound_phone_number? string
---@field personality_id? cekura.Id
---@field personality_ids? cekura.Id[]
---@field project_id? cekura.Id
---@field scenarios? cekura.Id[]
---@field tags? string[]
---@field test_profile_id? cekura.Id
---@field test_profile_ids? cekura.Id[]

--- The result of scenarios.run_agora: the result: passed, total_runs_count, success_runs_count, failed_runs_count,
--- status, runs, …
---@class cekura.Scenarios.RunAgoraResult : cekura.JobResult
---@field passed? boolean
---@field total_runs_count? integer
---@field success_runs_count? integer
---@field failed_runs_count? integer
---@field status? string
---@field runs? table

--- A job of the kind scenarios.run_agora.
---@class cekura.Scenarios.RunAgoraJob : cekura.Job
---@field result? cekura.Scenarios.RunAgoraResult
local ScenariosRunAgoraJob = {}

--- Waits until the job has ended.
---@param options? cekura.WaitOptions
---@return cekura.Scenarios.RunAgoraResult? result
---@return cekura.Error? err
function ScenariosRunAgoraJob:wait(options) end

--- Iterates over the changes of the job, its end included.
---@param options? cekura.WaitOptions
---@return fun(): cekura.Scenarios.RunAgoraJob?
function ScenariosRunAgoraJob:updates(options) end

--- What the start of scenarios.run_api_chat takes.
---@class cekura.Scenarios.RunApiChatParams
---@field agent_id? cekura.Id
---@field assistant_id? cekura.Id
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field folder_path? string
---@field frequency? integer
---@field name? string
---@field personality_ids? cekura.Id[]
---@field project_id? cekura.Id
---@field scenarios? cekura.Id[]
---@field tags? string[]
---@field test_profile_ids? cekura.Id[]
---@field timeout? integer

--- The result of scenarios.run_api_chat: the result: passed, total_runs_count, success_runs_count, failed_runs_count,
--- status, runs, …
---@class cekura.Scenarios.RunApiChatResult : cekura.JobResult
---@field passed? boolean
---@field total_runs_count? integer
---@field success_runs_count? integer
---@field failed_runs_count? integer
---@field status? string
---@field runs? table

--- A job of the kind scenarios.run_api_chat.
---@class cekura.Scenarios.RunApiChatJob : cekura.Job
---@field result? cekura.Scenarios.RunApiChatResult
local ScenariosRunApiChatJob = {}

--- Waits until the job has ended.
---@param options? cekura.WaitOptions
---@return cekura.Scenarios.RunApiChatResult? result
---@return cekura.Error? err
function ScenariosRunApiChatJob:wait(options) end

--- Iterates over the changes of the job, its end included.
---@param options? cekura.WaitOptions
---@return fun(): cekura.Scenarios.RunApiChatJob?
function ScenariosRunApiChatJob:updates(options) end

--- What the start of scenarios.run_chirp takes.
---@class cekura.Scenarios.RunChirpParams
---@field agent_id? cekura.Id
---@field agent_number? string
---@field assistant_id? cekura.Id
---@field concurrency_limit? integer
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field folder_path? string
---@field frequency? integer
---@field mock_tool_names? string[]
---@field mode? string
---@field name? string
---@field outbound_phone_number? string
---@field personality_id? cekura.Id
---@field personality_ids? cekura.Id[]
---@field project_id? cekura.Id
---@field scenarios? cekura.Id[]
---@field tags? string[]
---@field test_profile_id? cekura.Id
---@field test_profile_ids? cekura.Id[]
---@field websocket_url? string

--- The result of scenarios.run_chirp: the result: passed, total_runs_count, success_runs_count, failed_runs_count,
--- status, runs, …
---@class cekura.Scenarios.RunChirpResult : cekura.JobResult
---@field passed? boolean
---@field total_runs_count? integer
---@field success_runs_count? integer
---@field failed_runs_count? integer
---@field status? string
---@field runs? table

--- A job of the kind scenarios.run_chirp.
---@class cekura.Scenarios.RunChirpJob : cekura.Job
---@field result? cekura.Scenarios.RunChirpResult
local ScenariosRunChirpJob = {}

--- Waits until the job has ended.
---@param options? cekura.WaitOptions
---@return cekura.Scenarios.RunChirpResult? result
---@return cekura.Error? err
function ScenariosRunChirpJob:wait(options) end

--- Iterates over the changes of the job, its end included.
---@param options? cekura.WaitOptions
---@return fun(): cekura.Scenarios.RunChirpJob?
function ScenariosRunChirpJob:updates(options) end

--- What the start of scenarios.run_elevenlabs takes.
---@class cekura.Scenarios.RunElevenlabsParams
---@field agent_id? cekura.Id
---@field agent_number? string
---@field assistant_id? cekura.Id
---@field concurrency_limit? integer
---@field elevenlabs_agent_id? string
---@field elevenlabs_data? any
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field folder_path? string
---@field frequency? integer
---@field mock_tool_names? string[]
---@field mode? string
---@field name? string
---@field outbound_phone_number? string
---@field personality_id? cekura.Id
---@field personality_ids? cekura.Id[]
---@field project_id? cekura.Id
---@field scenarios? cekura.Id[]
---@field tags? string[]
---@field test_profile_id? cekura.Id
---@field test_profile_ids? cekura.Id[]

--- The result of scenarios.run_elevenlabs: the result: passed, total_runs_count, success_runs_count, failed_runs_count,
--- status, runs, …
---@class cekura.Scenarios.RunElevenlabsResult : cekura.JobResult
---@field passed? boolean
---@field total_runs_count? integer
---@field success_runs_count? integer
---@field failed_runs_count? integer
---@field status? string
---@field runs? table

--- A job of the kind scenarios.run_elevenlabs.
---@class cekura.Scenarios.RunElevenlabsJob : cekura.Job
---@field result? cekura.Scenarios.RunElevenlabsResult
local ScenariosRunElevenlabsJob = {}

--- Waits until the job has ended.
---@param options? cekura.WaitOptions
---@return cekura.Scenarios.RunElevenlabsResult? result
---@return cekura.Error? err
function ScenariosRunElevenlabsJob:wait(options) end

--- Iterates over the changes of the job, its end included.
---@param options? cekura.WaitOptions
---@return fun(): cekura.Scenarios.RunElevenlabsJob?
function ScenariosRunElevenlabsJob:updates(options) end

--- The result of scenarios.run_ello: the result: passed, total_runs_count, success_runs_count, failed_runs_count,
--- status, runs, …
---@class cekura.Scenarios.RunElloResult : cekura.JobResult
---@field passed? boolean
---@field total_runs_count? integer
---@field success_runs_count? integer
---@field failed_runs_count? integer
---@field status? string
---@field runs? table

--- A job of the kind scenarios.run_ello.
---@class cekura.Scenarios.RunElloJob : cekura.Job
---@field result? cekura.Scenarios.RunElloResult
local ScenariosRunElloJob = {}

--- Waits until the job has ended.
---@param options? cekura.WaitOptions
---@return cekura.Scenarios.RunElloResult? result
---@return cekura.Error? err
function ScenariosRunElloJob:wait(options) end

--- Iterates over the changes of the job, its end included.
---@param options? cekura.WaitOptions
---@return fun(): cekura.Scenarios.RunElloJob?
function ScenariosRunElloJob:updates(options) end

--- What the start of scenarios.run_email takes.
---@class cekura.Scenarios.RunEmailParams
---@field frequency integer
---@field scenarios cekura.Id[]
---@field agent_email? string
---@field agent_id? cekura.Id
---@field extra? table<string, any> further parameters, which are sent unchecked

--- The result of scenarios.run_email: the result: passed, total_runs_count, success_runs_count, failed_runs_count,
--- status, runs, …
---@class cekura.Scenarios.RunEmailResult : cekura.JobResult
---@field passed? boolean
---@field total_runs_count? integer
---@field success_runs_count? integer
---@field failed_runs_count? integer
---@field status? string
---@field runs? table

--- A job of the kind scenarios.run_email.
---@class cekura.Scenarios.RunEmailJob : cekura.Job
---@field result? cekura.Scenarios.RunEmailResult
local ScenariosRunEmailJob = {}

--- Waits until the job has ended.
---@param options? cekura.WaitOptions
---@return cekura.Scenarios.RunEmailResult? result
---@return cekura.Error? err
function ScenariosRunEmailJob:wait(options) end

--- Iterates over the changes of the job, its end included.
---@param options? cekura.WaitOptions
---@return fun(): cekura.Scenarios.RunEmailJob?
function ScenariosRunEmailJob:updates(options) end

--- The result of scenarios.run_jotform: the result: passed, total_runs_count, success_runs_count, failed_runs_count,
--- status, runs, …
---@class cekura.Scenarios.RunJotformResult : cekura.JobResult
---@field passed? boolean
---@field total_runs_count? integer
---@field success_runs_count? integer
---@field failed_runs_count? integer
---@field status? string
---@field runs? table

--- A job of the kind scenarios.run_jotform.
---@class cekura.Scenarios.RunJotformJob : cekura.Job
---@field result? cekura.Scenarios.RunJotformResult
local ScenariosRunJotformJob = {}

--- Waits until the job has ended.
---@param options? cekura.WaitOptions
---@return cekura.Scenarios.RunJotformResult? result
---@return cekura.Error? err
function ScenariosRunJotformJob:wait(options) end

--- Iterates over the changes of the job, its end included.
---@param options? cekura.WaitOptions
---@return fun(): cekura.Scenarios.RunJotformJob?
function ScenariosRunJotformJob:updates(options) end

--- What the start of scenarios.run_json takes.
---@class cekura.Scenarios.RunJsonParams
---@field agent_id? cekura.Id
---@field channel? string
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field livekit_data? table<string, any>
---@field name? string
---@field pipecat_data? table<string, any>
---@field spec? any

--- The result of scenarios.run_json: the result: passed, total_runs_count, success_runs_count, failed_runs_count,
--- status, runs, …
---@class cekura.Scenarios.RunJsonResult : cekura.JobResult
---@field passed? boolean
---@field total_runs_count? integer
---@field success_runs_count? integer
---@field failed_runs_count? integer
---@field status? string
---@field runs? table

--- A job of the kind scenarios.run_json.
---@class cekura.Scenarios.RunJsonJob : cekura.Job
---@field result? cekura.Scenarios.RunJsonResult
local ScenariosRunJsonJob = {}

--- Waits until the job has ended.
---@param options? cekura.WaitOptions
---@return cekura.Scenarios.RunJsonResult? result
---@return cekura.Error? err
function ScenariosRunJsonJob:wait(options) end

--- Iterates over the changes of the job, its end included.
---@param options? cekura.WaitOptions
---@return fun(): cekura.Scenarios.RunJsonJob?
function ScenariosRunJsonJob:updates(options) end

--- The result of scenarios.run_livekit: the result: passed, total_runs_count, success_runs_count, failed_runs_count,
--- status, runs, …
---@class cekura.Scenarios.RunLivekitResult : cekura.JobResult
---@field passed? boolean
---@field total_runs_count? integer
---@field success_runs_count? integer
---@field failed_runs_count? integer
---@field status? string
---@field runs? table

--- A job of the kind scenarios.run_livekit.
---@class cekura.Scenarios.RunLivekitJob : cekura.Job
---@field result? cekura.Scenarios.RunLivekitResult
local ScenariosRunLivekitJob = {}

--- Waits until the job has ended.
---@param options? cekura.WaitOptions
---@return cekura.Scenarios.RunLivekitResult? result
---@return cekura.Error? err
function ScenariosRunLivekitJob:wait(options) end

--- Iterates over the changes of the job, its end included.
---@param options? cekura.WaitOptions
---@return fun(): cekura.Scenarios.RunLivekitJob?
function ScenariosRunLivekitJob:updates(options) end

--- The result of scenarios.run_livekit_chat: the result: passed, total_runs_count, success_runs_count,
--- failed_runs_count, status, runs, …
---@class cekura.Scenarios.RunLivekitChatResult : cekura.JobResult
---@field passed? boolean
---@field total_runs_count? integer
---@field success_runs_count? integer
---@field failed_runs_count? integer
---@field status? string
---@field runs? table

--- A job of the kind scenarios.run_livekit_chat.
---@class cekura.Scenarios.RunLivekitChatJob : cekura.Job
---@field result? cekura.Scenarios.RunLivekitChatResult
local ScenariosRunLivekitChatJob = {}

--- Waits until the job has ended.
---@param options? cekura.WaitOptions
---@return cekura.Scenarios.RunLivekitChatResult? result
---@return cekura.Error? err
function ScenariosRunLivekitChatJob:wait(options) end

--- Iterates over the changes of the job, its end included.
---@param options? cekura.WaitOptions
---@return fun(): cekura.Scenarios.RunLivekitChatJob?
function ScenariosRunLivekitChatJob:updates(options) end

--- What the start of scenarios.run_livekit_v2 takes.
---@class cekura.Scenarios.RunLivekitV2Params
---@field scenarios any[]
---@field agent? cekura.Id
---@field concurrency_limit? integer
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field frequency? integer
---@field livekit_data? any
---@field mock_tool_names? string[]
---@field name? string
---@field personality_id? cekura.Id
---@field personality_ids? cekura.Id[]
---@field test_profile_id? cekura.Id
---@field test_profile_ids? cekura.Id[]

--- The result of scenarios.run_livekit_v2: the result: passed, total_runs_count, success_runs_count, failed_runs_count,
--- status, runs, …
---@class cekura.Scenarios.RunLivekitV2Result : cekura.JobResult
---@field passed? boolean
---@field total_runs_count? integer
---@field success_runs_count? integer
---@field failed_runs_count? integer
---@field status? string
---@field runs? table

--- A job of the kind scenarios.run_livekit_v2.
---@class cekura.Scenarios.RunLivekitV2Job : cekura.Job
---@field result? cekura.Scenarios.RunLivekitV2Result
local ScenariosRunLivekitV2Job = {}

--- Waits until the job has ended.
---@param options? cekura.WaitOptions
---@return cekura.Scenarios.RunLivekitV2Result? result
---@return cekura.Error? err
function ScenariosRunLivekitV2Job:wait(options) end

--- Iterates over the changes of the job, its end included.
---@param options? cekura.WaitOptions
---@return fun(): cekura.Scenarios.RunLivekitV2Job?
function ScenariosRunLivekitV2Job:updates(options) end

--- What the start of scenarios.run_pipecat takes.
---@class cekura.Scenarios.RunPipecatParams
---@field scenarios any[]
---@field agent? cekura.Id
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field mock_tool_names? string[]

--- The result of scenarios.run_pipecat: the result: passed, total_runs_count, success_runs_count, failed_runs_count,
--- status, runs, …
---@class cekura.Scenarios.RunPipecatResult : cekura.JobResult
---@field passed? boolean
---@field total_runs_count? integer
---@field success_runs_count? integer
---@field failed_runs_count? integer
---@field status? string
---@field runs? table

--- A job of the kind scenarios.run_pipecat.
---@class cekura.Scenarios.RunPipecatJob : cekura.Job
---@field result? cekura.Scenarios.RunPipecatResult
local ScenariosRunPipecatJob = {}

--- Waits until the job has ended.
---@param options? cekura.WaitOptions
---@return cekura.Scenarios.RunPipecatResult? result
---@return cekura.Error? err
function ScenariosRunPipecatJob:wait(options) end

--- Iterates over the changes of the job, its end included.
---@param options? cekura.WaitOptions
---@return fun(): cekura.Scenarios.RunPipecatJob?
function ScenariosRunPipecatJob:updates(options) end

--- What the start of scenarios.run_pipecat_v2 takes.
---@class cekura.Scenarios.RunPipecatV2Params
---@field scenarios any[]
---@field concurrency_limit? integer
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field frequency? integer
---@field mock_tool_names? string[]
---@field name? string
---@field personality_id? cekura.Id
---@field personality_ids? cekura.Id[]
---@field pipecat_data? any
---@field test_profile_id? cekura.Id
---@field test_profile_ids? cekura.Id[]

--- The result of scenarios.run_pipecat_v2: the result: passed, total_runs_count, success_runs_count, failed_runs_count,
--- status, runs, …
---@class cekura.Scenarios.RunPipecatV2Result : cekura.JobResult
---@field passed? boolean
---@field total_runs_count? integer
---@field success_runs_count? integer
---@field failed_runs_count? integer
---@field status? string
---@field runs? table

--- A job of the kind scenarios.run_pipecat_v2.
---@class cekura.Scenarios.RunPipecatV2Job : cekura.Job
---@field result? cekura.Scenarios.RunPipecatV2Result
local ScenariosRunPipecatV2Job = {}

--- Waits until the job has ended.
---@param options? cekura.WaitOptions
---@return cekura.Scenarios.RunPipecatV2Result? result
---@return cekura.Error? err
function ScenariosRunPipecatV2Job:wait(options) end

--- Iterates over the changes of the job, its end included.
---@param options? cekura.WaitOptions
---@return fun(): cekura.Scenarios.RunPipecatV2Job?
function ScenariosRunPipecatV2Job:updates(options) end

--- What the start of scenarios.run_retell_webrtc takes.
---@class cekura.Scenarios.RunRetellWebrtcParams
---@field scenarios cekura.Id[]
---@field agent_id? cekura.Id
---@field concurrency_limit? integer
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field frequency? integer
---@field mock_tool_names? string[]
---@field name? string
---@field project_id? cekura.Id
---@field retell_agent_id? string

--- The result of scenarios.run_retell_webrtc: the result: passed, total_runs_count, success_runs_count,
--- failed_runs_count, status, runs, …
---@class cekura.Scenarios.RunRetellWebrtcResult : cekura.JobResult
---@field passed? boolean
---@field total_runs_count? integer
---@field success_runs_count? integer
---@field failed_runs_count? integer
---@field status? string
---@field runs? table

--- A job of the kind scenarios.run_retell_webrtc.
---@class cekura.Scenarios.RunRetellWebrtcJob : cekura.Job
---@field result? cekura.Scenarios.RunRetellWebrtcResult
local ScenariosRunRetellWebrtcJob = {}

--- Waits until the job has ended.
---@param options? cekura.WaitOptions
---@return cekura.Scenarios.RunRetellWebrtcResult? result
---@return cekura.Error? err
function ScenariosRunRetellWebrtcJob:wait(options) end

--- Iterates over the changes of the job, its end included.
---@param options? cekura.WaitOptions
---@return fun(): cekura.Scenarios.RunRetellWebrtcJob?
function ScenariosRunRetellWebrtcJob:updates(options) end

--- What the start of scenarios.run_sip takes.
---@class cekura.Scenarios.RunSipParams
---@field agent_id? cekura.Id
---@field agent_number? string
---@field assistant_id? cekura.Id
---@field concurrency_limit? integer
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field folder_path? string
---@field frequency? integer
---@field mock_tool_names? string[]
---@field mode? string
---@field name? string
---@field outbound_phone_number? string
---@field personality_id? cekura.Id
---@field personality_ids? cekura.Id[]
---@field project_id? cekura.Id
---@field scenarios? cekura.Id[]
---@field sip_endpoint? string
---@field tags? string[]
---@field test_profile_id? cekura.Id
---@field test_profile_ids? cekura.Id[]

--- The result of scenarios.run_sip: the result: passed, total_runs_count, success_runs_count, failed_runs_count,
--- status, runs, …
---@class cekura.Scenarios.RunSipResult : cekura.JobResult
---@field passed? boolean
---@field total_runs_count? integer
---@field success_runs_count? integer
---@field failed_runs_count? integer
---@field status? string
---@field runs? table

--- A job of the kind scenarios.run_sip.
---@class cekura.Scenarios.RunSipJob : cekura.Job
---@field result? cekura.Scenarios.RunSipResult
local ScenariosRunSipJob = {}

--- Waits until the job has ended.
---@param options? cekura.WaitOptions
---@return cekura.Scenarios.RunSipResult? result
---@return cekura.Error? err
function ScenariosRunSipJob:wait(options) end

--- Iterates over the changes of the job, its end included.
---@param options? cekura.WaitOptions
---@return fun(): cekura.Scenarios.RunSipJob?
function ScenariosRunSipJob:updates(options) end

--- What the start of scenarios.run_text takes.
---@class cekura.Scenarios.RunTextParams
---@field agent_id? cekura.Id
---@field agent_number? string
---@field assistant_id? cekura.Id
---@field concurrency_limit? integer
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field folder_path? string
---@field frequency? integer
---@field mock_tool_names? string[]
---@field name? string
---@field outbound_phone_number? string
---@field personality_ids? cekura.Id[]
---@field project_id? cekura.Id
---@field scenarios? cekura.Id[]
---@field tags? string[]
---@field test_profile_ids? cekura.Id[]
---@field websocket_headers? table<string, any>
---@field websocket_url? string

--- The result of scenarios.run_text: the result: passed, total_runs_count, success_runs_count, failed_runs_count,
--- status, runs, …
---@class cekura.Scenarios.RunTextResult : cekura.JobResult
---@field passed? boolean
---@field total_runs_count? integer
---@field success_runs_count? integer
---@field failed_runs_count? integer
---@field status? string
---@field runs? table

--- A job of the kind scenarios.run_text.
---@class cekura.Scenarios.RunTextJob : cekura.Job
---@field result? cekura.Scenarios.RunTextResult
local ScenariosRunTextJob = {}

--- Waits until the job has ended.
---@param options? cekura.WaitOptions
---@return cekura.Scenarios.RunTextResult? result
---@return cekura.Error? err
function ScenariosRunTextJob:wait(options) end

--- Iterates over the changes of the job, its end included.
---@param options? cekura.WaitOptions
---@return fun(): cekura.Scenarios.RunTextJob?
function ScenariosRunTextJob:updates(options) end

--- What the start of scenarios.run_vapi_webrtc takes.
---@class cekura.Scenarios.RunVapiWebrtcParams
---@field scenarios cekura.Id[]
---@field vapi_assistant_id string
---@field agent_id? cekura.Id
---@field concurrency_limit? integer
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field frequency? integer
---@field mock_tool_names? string[]
---@field name? string
---@field project_id? cekura.Id

--- The result of scenarios.run_vapi_webrtc: the result: passed, total_runs_count, success_runs_count,
--- failed_runs_count, status, runs, …
---@class cekura.Scenarios.RunVapiWebrtcResult : cekura.JobResult
---@field passed? boolean
---@field total_runs_count? integer
---@field success_runs_count? integer
---@field failed_runs_count? integer
---@field status? string
---@field runs? table

--- A job of the kind scenarios.run_vapi_webrtc.
---@class cekura.Scenarios.RunVapiWebrtcJob : cekura.Job
---@field result? cekura.Scenarios.RunVapiWebrtcResult
local ScenariosRunVapiWebrtcJob = {}

--- Waits until the job has ended.
---@param options? cekura.WaitOptions
---@return cekura.Scenarios.RunVapiWebrtcResult? result
---@return cekura.Error? err
function ScenariosRunVapiWebrtcJob:wait(options) end

--- Iterates over the changes of the job, its end included.
---@param options? cekura.WaitOptions
---@return fun(): cekura.Scenarios.RunVapiWebrtcJob?
function ScenariosRunVapiWebrtcJob:updates(options) end

--- What the start of scenarios.run_websocket takes.
---@class cekura.Scenarios.RunWebsocketParams
---@field frequency integer
---@field scenarios any[]
---@field agent? cekura.Id
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field mock_tool_names? string[]

--- The result of scenarios.run_websocket: the result: passed, total_runs_count, success_runs_count, failed_runs_count,
--- status, runs, …
---@class cekura.Scenarios.RunWebsocketResult : cekura.JobResult
---@field passed? boolean
---@field total_runs_count? integer
---@field success_runs_count? integer
---@field failed_runs_count? integer
---@field status? string
---@field runs? table

--- A job of the kind scenarios.run_websocket.
---@class cekura.Scenarios.RunWebsocketJob : cekura.Job
---@field result? cekura.Scenarios.RunWebsocketResult
local ScenariosRunWebsocketJob = {}

--- Waits until the job has ended.
---@param options? cekura.WaitOptions
---@return cekura.Scenarios.RunWebsocketResult? result
---@return cekura.Error? err
function ScenariosRunWebsocketJob:wait(options) end

--- Iterates over the changes of the job, its end included.
---@param options? cekura.WaitOptions
---@return fun(): cekura.Scenarios.RunWebsocketJob?
function ScenariosRunWebsocketJob:updates(options) end

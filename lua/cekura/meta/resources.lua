---@meta cekura.meta.resources
-- Made by `make generate`. For editors: no program requires it.

--- What agents:create takes.
---@class cekura.Agents.CreateParams
---@field agent_speaks_first? boolean
---@field description? string
---@field dynamic_variables? any[]
---@field email_id? string
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field knowledge_base_files? any[]
---@field language? string
---@field mock_tools? any[]
---@field mock_tools_enabled? boolean
---@field name? string
---@field predefined_metrics? any
---@field project? integer|string
---@field provider? table<string, any>
---@field telephony? table<string, any>
---@field webhook_secret? string
---@field webhook_url? string

--- What agents:delete takes.
---@class cekura.Agents.DeleteParams
---@field delete_related? boolean
---@field extra? table<string, any> further parameters, which are sent unchecked

--- What agents:disable_personalities takes.
---@class cekura.Agents.DisablePersonalitiesParams
---@field personalities any
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field language? string

--- What agents:duplicate takes.
---@class cekura.Agents.DuplicateParams
---@field copy_scenarios? boolean
---@field extra? table<string, any> further parameters, which are sent unchecked

--- What agents:enable_personalities takes.
---@class cekura.Agents.EnablePersonalitiesParams
---@field personalities any
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field language? string
---@field page? integer|string
---@field page_size? integer|string

--- What agents:list takes.
---@class cekura.Agents.ListParams
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field organization_id? cekura.Id
---@field page? integer|string
---@field page_size? integer|string
---@field project_id? cekura.Id
---@field q? string

--- What agents:personalities takes.
---@class cekura.Agents.PersonalitiesParams
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field page? integer|string
---@field page_size? integer|string

--- What agents:replace takes.
---@class cekura.Agents.ReplaceParams
---@field agent_speaks_first? boolean
---@field description? string
---@field dynamic_variables? any[]
---@field email_id? string
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field knowledge_base_files? any[]
---@field language? string
---@field mock_tools? any[]
---@field mock_tools_enabled? boolean
---@field name? string
---@field predefined_metrics? any
---@field project? integer|string
---@field provider? table<string, any>
---@field telephony? table<string, any>
---@field webhook_secret? string
---@field webhook_url? string

--- What agents:update takes.
---@class cekura.Agents.UpdateParams
---@field agent_speaks_first? boolean
---@field description? string
---@field dynamic_variables? any[]
---@field email_id? string
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field knowledge_base_files? any[]
---@field language? string
---@field mock_tools? any[]
---@field mock_tools_enabled? boolean
---@field name? string
---@field predefined_metrics? any
---@field project? integer|string
---@field provider? table<string, any>
---@field telephony? table<string, any>
---@field webhook_secret? string
---@field webhook_url? string

--- What agents:upload_knowledge_base takes.
---@class cekura.Agents.UploadKnowledgeBaseParams
---@field files string|cekura.FormFile|(string|cekura.FormFile)[]
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field page? integer|string
---@field page_size? integer|string

--- `client.agents`
---@class cekura.Agents
local Agents = {}

--- Starts a job of the kind agents.auto_fetch: POST /test_framework/v2/aiagents/{agent_id}/auto-fetch/.
--- The result has agent_id, current_stage, stages.
--- With the option `direct`: POST /test_framework/v3/aiagents/{agent_id}/auto-fetch/.
--- Note: client:job() needs the option agent_id.
---@param params table<string, any>
---@param options? cekura.StartOptions
---@return cekura.Agents.AutoFetchJob? job
---@return cekura.Error? err
function Agents:auto_fetch(params, options) end

--- POST /test_framework/v2/aiagents/
---@param params? cekura.Agents.CreateParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function Agents:create(params, options) end

--- DELETE /test_framework/v2/aiagents/{id}/
---@param id cekura.Id
---@param params? cekura.Agents.DeleteParams
---@param options? cekura.Timeout
---@return true?
---@return cekura.Error? err
function Agents:delete(id, params, options) end

--- POST /test_framework/v2/aiagents/{id}/disable_personalities/
---@param id cekura.Id
---@param params cekura.Agents.DisablePersonalitiesParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function Agents:disable_personalities(id, params, options) end

--- POST /test_framework/v2/aiagents/{id}/duplicate/
---@param id cekura.Id
---@param params? cekura.Agents.DuplicateParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function Agents:duplicate(id, params, options) end

--- GET /test_framework/v2/aiagents/
--- Iterates over the records of all pages; it raises what goes wrong.
---@param params? cekura.Agents.ListParams
---@param options? cekura.Timeout
---@return cekura.Each
function Agents:each(params, options) end

--- POST /test_framework/v2/aiagents/{id}/enable_personalities/
---@param id cekura.Id
---@param params cekura.Agents.EnablePersonalitiesParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function Agents:enable_personalities(id, params, options) end

--- GET /test_framework/v2/aiagents/{id}/
---@param id cekura.Id
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function Agents:get(id, options) end

--- Starts a job of the kind agents.improvement_session: POST /observability/v1/agent-improvement-sessions/.
--- The result has the session: proposal_summary, metric_delta, …
--- Note: what a start takes is not documented, nor how its question is answered.
---@param params table<string, any>
---@param options? cekura.StartOptions
---@return cekura.Agents.ImprovementSessionJob? job
---@return cekura.Error? err
function Agents:improvement_session(params, options) end

--- GET /test_framework/v2/aiagents/
---@param params? cekura.Agents.ListParams
---@param options? cekura.Timeout
---@return cekura.Page?
---@return cekura.Error? err
function Agents:list(params, options) end

--- GET /test_framework/v2/aiagents/{id}/personalities/
---@param id cekura.Id
---@param params? cekura.Agents.PersonalitiesParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function Agents:personalities(id, params, options) end

--- PUT /test_framework/v2/aiagents/{id}/
---@param id cekura.Id
---@param params cekura.Agents.ReplaceParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function Agents:replace(id, params, options) end

--- PATCH /test_framework/v2/aiagents/{id}/
---@param id cekura.Id
---@param params cekura.Agents.UpdateParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function Agents:update(id, params, options) end

--- POST /test_framework/v2/aiagents/{id}/upload_knowledge_base/
---@param id cekura.Id
---@param params cekura.Agents.UploadKnowledgeBaseParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function Agents:upload_knowledge_base(id, params, options) end

--- What alerts:create takes.
---@class cekura.Alerts.CreateParams
---@field name string
---@field project integer|string
---@field source_type string
---@field enabled? boolean
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field notifications? any
---@field preset? string
---@field source? any
---@field source_id? cekura.Id
---@field threshold? any

--- What alerts:list takes.
---@class cekura.Alerts.ListParams
---@field enabled? boolean
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field ordering? string
---@field project_id? cekura.Id
---@field search? string
---@field source_type? string

--- What alerts:review takes.
---@class cekura.Alerts.ReviewParams
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field project_id? cekura.Id

--- What alerts:update takes.
---@class cekura.Alerts.UpdateParams
---@field enabled? boolean
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field name? string
---@field notifications? any
---@field preset? string
---@field source? any
---@field threshold? any

--- `client.alerts`
---@class cekura.Alerts
local Alerts = {}

--- POST /observability/v1/alerts/
---@param params cekura.Alerts.CreateParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function Alerts:create(params, options) end

--- DELETE /observability/v1/alerts/{id}/
---@param id cekura.Id
---@param options? cekura.Timeout
---@return true?
---@return cekura.Error? err
function Alerts:delete(id, options) end

--- GET /observability/v1/alerts/
--- Iterates over the records of all pages; it raises what goes wrong.
---@param params? cekura.Alerts.ListParams
---@param options? cekura.Timeout
---@return cekura.Each
function Alerts:each(params, options) end

--- GET /observability/v1/alerts/{id}/
---@param id cekura.Id
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function Alerts:get(id, options) end

--- GET /observability/v1/alerts/
---@param params? cekura.Alerts.ListParams
---@param options? cekura.Timeout
---@return cekura.Page?
---@return cekura.Error? err
function Alerts:list(params, options) end

--- GET /observability/v1/alerts/review/
---@param params? cekura.Alerts.ReviewParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function Alerts:review(params, options) end

--- Starts a job of the kind alerts.summarize: POST /observability/v1/alerts/{alert_id}/summarize/.
--- The result has what the service says.
--- With the option `direct`: POST /observability/v3/alerts/{alert_id}/summarize/.
--- Note: within an hour the same start gives the same job.
---@param params table<string, any>
---@param options? cekura.StartOptions
---@return cekura.Alerts.SummarizeJob? job
---@return cekura.Error? err
function Alerts:summarize(params, options) end

--- PATCH /observability/v1/alerts/{id}/
---@param id cekura.Id
---@param params cekura.Alerts.UpdateParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function Alerts:update(id, params, options) end

--- What billing:info takes.
---@class cekura.Billing.InfoParams
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field organization_id? cekura.Id

--- `client.billing`
---@class cekura.Billing
local Billing = {}

--- GET /test_framework/billing/info/
---@param params? cekura.Billing.InfoParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function Billing:info(params, options) end

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
--- With the option `direct`: POST /observability/v3/call-logs/create_scenarios/.
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
--- Cekura removed the endpoint from its documentation on 2026-06-30.
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
---@return cekura.Calls.Page? page
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

--- What critical_metric_scenarios:list takes.
---@class cekura.CriticalMetricScenarios.ListParams
---@field agent_id? cekura.Id
---@field category_id? cekura.Id
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field metric_id? cekura.Id
---@field page? integer|string
---@field page_size? integer|string

--- What critical_metric_scenarios:update takes.
---@class cekura.CriticalMetricScenarios.UpdateParams
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field priority? string

--- `client.critical_metric_scenarios`
---@class cekura.CriticalMetricScenarios
local CriticalMetricScenarios = {}

--- GET /test_framework/v1/critical-metric-scenarios/
--- Iterates over the records of all pages; it raises what goes wrong.
---@param params? cekura.CriticalMetricScenarios.ListParams
---@param options? cekura.Timeout
---@return cekura.Each
function CriticalMetricScenarios:each(params, options) end

--- GET /test_framework/v1/critical-metric-scenarios/
---@param params? cekura.CriticalMetricScenarios.ListParams
---@param options? cekura.Timeout
---@return cekura.Page?
---@return cekura.Error? err
function CriticalMetricScenarios:list(params, options) end

--- PATCH /test_framework/v1/critical-metric-scenarios/{id}/
---@param id cekura.Id
---@param params cekura.CriticalMetricScenarios.UpdateParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function CriticalMetricScenarios:update(id, params, options) end

--- What cron_jobs:create takes.
---@class cekura.CronJobs.CreateParams
---@field crontab_expression string
---@field agent? integer|string
---@field execution_mode? string
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field name? string
---@field personalities? any[]
---@field personality? integer|string
---@field run_as_text? boolean
---@field scenarios? any[]
---@field tags? any[]
---@field timezone? string

--- What cron_jobs:list takes.
---@class cekura.CronJobs.ListParams
---@field agent_id? string
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field organization_id? cekura.Id
---@field project_id? string

--- What cron_jobs:update takes.
---@class cekura.CronJobs.UpdateParams
---@field agent? integer|string
---@field crontab_expression? string
---@field execution_mode? string
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field name? string
---@field personalities? any[]
---@field personality? integer|string
---@field run_as_text? boolean
---@field scenarios? any[]
---@field tags? any[]
---@field timezone? string

--- `client.cron_jobs`
---@class cekura.CronJobs
local CronJobs = {}

--- POST /schedules/v1/cron-jobs/
---@param params cekura.CronJobs.CreateParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function CronJobs:create(params, options) end

--- DELETE /schedules/v1/cron-jobs/{id}/
---@param id cekura.Id
---@param options? cekura.Timeout
---@return true?
---@return cekura.Error? err
function CronJobs:delete(id, options) end

--- GET /schedules/v1/cron-jobs/
--- Iterates over the records of all pages; it raises what goes wrong.
---@param params? cekura.CronJobs.ListParams
---@param options? cekura.Timeout
---@return cekura.Each
function CronJobs:each(params, options) end

--- GET /schedules/v1/cron-jobs/{id}/
---@param id cekura.Id
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function CronJobs:get(id, options) end

--- GET /schedules/v1/cron-jobs/
---@param params? cekura.CronJobs.ListParams
---@param options? cekura.Timeout
---@return cekura.Page?
---@return cekura.Error? err
function CronJobs:list(params, options) end

--- PATCH /schedules/v1/cron-jobs/{id}/
---@param id cekura.Id
---@param params cekura.CronJobs.UpdateParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function CronJobs:update(id, params, options) end

--- What dashboard_widgets:bulk_data takes.
---@class cekura.DashboardWidgets.BulkDataParams
---@field widget_ids any[]
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field filters? table<string, any>
---@field page? integer|string
---@field page_size? integer|string

--- What dashboard_widgets:create takes.
---@class cekura.DashboardWidgets.CreateParams
---@field chart_type string
---@field aggregation_function? string
---@field dashboard? integer|string
---@field data_type? string
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field field? string
---@field filters? table<string, any>
---@field group_by? any
---@field metadata? any
---@field metric? integer|string
---@field name? string
---@field time_period? string

--- What dashboard_widgets:data takes.
---@class cekura.DashboardWidgets.DataParams
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field filters? table<string, any>

--- What dashboard_widgets:list takes.
---@class cekura.DashboardWidgets.ListParams
---@field dashboard_id? cekura.Id
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field page? integer|string
---@field page_size? integer|string

--- What dashboard_widgets:preview_data takes.
---@class cekura.DashboardWidgets.PreviewDataParams
---@field chart_type string
---@field aggregation_function? string
---@field dashboard? integer|string
---@field data_type? string
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field field? string
---@field filters? table<string, any>
---@field group_by? any
---@field metadata? any
---@field metric? integer|string
---@field name? string
---@field time_period? string

--- What dashboard_widgets:update takes.
---@class cekura.DashboardWidgets.UpdateParams
---@field aggregation_function? string
---@field chart_type? string
---@field dashboard? integer|string
---@field data_type? string
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field field? string
---@field filters? table<string, any>
---@field group_by? any
---@field metadata? any
---@field metric? integer|string
---@field name? string
---@field time_period? string

--- `client.dashboard_widgets`
---@class cekura.DashboardWidgets
local DashboardWidgets = {}

--- POST /dashboards/widgets/bulk_data/
---@param params cekura.DashboardWidgets.BulkDataParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function DashboardWidgets:bulk_data(params, options) end

--- POST /dashboards/widgets/
---@param params cekura.DashboardWidgets.CreateParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function DashboardWidgets:create(params, options) end

--- GET /dashboards/widgets/{id}/data/
---@param id cekura.Id
---@param params? cekura.DashboardWidgets.DataParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function DashboardWidgets:data(id, params, options) end

--- DELETE /dashboards/widgets/{id}/
---@param id cekura.Id
---@param options? cekura.Timeout
---@return true?
---@return cekura.Error? err
function DashboardWidgets:delete(id, options) end

--- GET /dashboards/widgets/
--- Iterates over the records of all pages; it raises what goes wrong.
---@param params? cekura.DashboardWidgets.ListParams
---@param options? cekura.Timeout
---@return cekura.Each
function DashboardWidgets:each(params, options) end

--- GET /dashboards/widgets/{id}/
---@param id cekura.Id
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function DashboardWidgets:get(id, options) end

--- GET /dashboards/widgets/
---@param params? cekura.DashboardWidgets.ListParams
---@param options? cekura.Timeout
---@return cekura.Page?
---@return cekura.Error? err
function DashboardWidgets:list(params, options) end

--- POST /dashboards/widgets/preview_data/
---@param params cekura.DashboardWidgets.PreviewDataParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function DashboardWidgets:preview_data(params, options) end

--- PATCH /dashboards/widgets/{id}/
---@param id cekura.Id
---@param params cekura.DashboardWidgets.UpdateParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function DashboardWidgets:update(id, params, options) end

--- What dashboards:bulk_widgets takes.
---@class cekura.Dashboards.BulkWidgetsParams
---@field create? any[]
---@field delete? any[]
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field update? any[]

--- What dashboards:create takes.
---@class cekura.Dashboards.CreateParams
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field filters? table<string, any>
---@field name? string
---@field project? integer|string

--- What dashboards:duplicate takes.
---@class cekura.Dashboards.DuplicateParams
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field name? string

--- What dashboards:list takes.
---@class cekura.Dashboards.ListParams
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field page? integer|string
---@field page_size? integer|string
---@field project_id? cekura.Id

--- What dashboards:update takes.
---@class cekura.Dashboards.UpdateParams
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field filters? table<string, any>
---@field name? string
---@field project? integer|string

--- `client.dashboards`
---@class cekura.Dashboards
local Dashboards = {}

--- POST /dashboards/dashboards/{id}/bulk_widgets/
---@param id cekura.Id
---@param params? cekura.Dashboards.BulkWidgetsParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function Dashboards:bulk_widgets(id, params, options) end

--- POST /dashboards/dashboards/
---@param params? cekura.Dashboards.CreateParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function Dashboards:create(params, options) end

--- DELETE /dashboards/dashboards/{id}/
---@param id cekura.Id
---@param options? cekura.Timeout
---@return true?
---@return cekura.Error? err
function Dashboards:delete(id, options) end

--- POST /dashboards/dashboards/{id}/duplicate/
---@param id cekura.Id
---@param params? cekura.Dashboards.DuplicateParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function Dashboards:duplicate(id, params, options) end

--- GET /dashboards/dashboards/
--- Iterates over the records of all pages; it raises what goes wrong.
---@param params? cekura.Dashboards.ListParams
---@param options? cekura.Timeout
---@return cekura.Each
function Dashboards:each(params, options) end

--- GET /dashboards/dashboards/{id}/
---@param id cekura.Id
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function Dashboards:get(id, options) end

--- GET /dashboards/dashboards/
---@param params? cekura.Dashboards.ListParams
---@param options? cekura.Timeout
---@return cekura.Page?
---@return cekura.Error? err
function Dashboards:list(params, options) end

--- PATCH /dashboards/dashboards/{id}/
---@param id cekura.Id
---@param params cekura.Dashboards.UpdateParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function Dashboards:update(id, params, options) end

--- What deep_research_insights:dismiss_mode takes.
---@class cekura.DeepResearchInsights.DismissModeParams
---@field mode_title string
---@field project integer|string
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field insight? integer|string
---@field mode_details? string
---@field mode_severity? string
---@field note? string

--- What deep_research_insights:pricing takes.
---@class cekura.DeepResearchInsights.PricingParams
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field project? integer|string

--- `client.deep_research_insights`
---@class cekura.DeepResearchInsights
local DeepResearchInsights = {}

--- POST /observability/v1/deep-research-insights/dismiss_mode/
---@param params cekura.DeepResearchInsights.DismissModeParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function DeepResearchInsights:dismiss_mode(params, options) end

--- GET /observability/v1/deep-research-insights/pricing/
---@param params? cekura.DeepResearchInsights.PricingParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function DeepResearchInsights:pricing(params, options) end

--- What failure_mode_insights:available_dates takes.
---@class cekura.FailureModeInsights.AvailableDatesParams
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field project? integer|string

--- What failure_mode_insights:bulk_generate takes.
---@class cekura.FailureModeInsights.BulkGenerateParams
---@field project integer|string
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field metric_names? any[]

--- What failure_mode_insights:categories takes.
---@class cekura.FailureModeInsights.CategoriesParams
---@field agent_ids? string|(string|number)[]
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field project? integer|string

--- What failure_mode_insights:categories_fix_metric takes.
---@class cekura.FailureModeInsights.CategoriesFixMetricParams
---@field failure_mode_index integer|string
---@field expected_value? any
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field feedback? string

--- What failure_mode_insights:fix_metric takes.
---@class cekura.FailureModeInsights.FixMetricParams
---@field failure_mode_index integer|string
---@field expected_value? any
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field feedback? string

--- What failure_mode_insights:generate_scenario takes.
---@class cekura.FailureModeInsights.GenerateScenarioParams
---@field agent integer|string
---@field failure_mode_index integer|string
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field redact_transcripts? boolean

--- What failure_mode_insights:list takes.
---@class cekura.FailureModeInsights.ListParams
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field project? integer|string

--- What failure_mode_insights:pricing takes.
---@class cekura.FailureModeInsights.PricingParams
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field project? integer|string

--- What failure_mode_insights:reproduce takes.
---@class cekura.FailureModeInsights.ReproduceParams
---@field agent integer|string
---@field failure_mode_index integer|string
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field max_attempts? integer|string
---@field redact_transcripts? boolean

--- `client.failure_mode_insights`
---@class cekura.FailureModeInsights
local FailureModeInsights = {}

--- GET /observability/v1/metric-failure-mode-insights/available_dates/
---@param params? cekura.FailureModeInsights.AvailableDatesParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function FailureModeInsights:available_dates(params, options) end

--- POST /observability/v1/metric-failure-mode-insights/bulk_generate/
---@param params cekura.FailureModeInsights.BulkGenerateParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function FailureModeInsights:bulk_generate(params, options) end

--- GET /observability/v1/metric-failure-mode-insights/categories/
---@param params? cekura.FailureModeInsights.CategoriesParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function FailureModeInsights:categories(params, options) end

--- DELETE /observability/v1/metric-failure-mode-insights/categories/{category_slug}/delete/
---@param category_slug cekura.Id
---@param options? cekura.Timeout
---@return true?
---@return cekura.Error? err
function FailureModeInsights:categories_delete(category_slug, options) end

--- POST /observability/v1/metric-failure-mode-insights/categories/{category_slug}/fix-metric/
---@param category_slug cekura.Id
---@param params cekura.FailureModeInsights.CategoriesFixMetricParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function FailureModeInsights:categories_fix_metric(category_slug, params, options) end

--- DELETE /observability/v1/metric-failure-mode-insights/{id}/
---@param id cekura.Id
---@param options? cekura.Timeout
---@return true?
---@return cekura.Error? err
function FailureModeInsights:delete(id, options) end

--- GET /observability/v1/metric-failure-mode-insights/
--- Iterates over the records of all pages; it raises what goes wrong.
---@param params? cekura.FailureModeInsights.ListParams
---@param options? cekura.Timeout
---@return cekura.Each
function FailureModeInsights:each(params, options) end

--- GET /observability/v1/metric-failure-mode-insights/{id}/failure-mode-agents/
---@param id cekura.Id
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function FailureModeInsights:failure_mode_agents(id, options) end

--- POST /observability/v1/metric-failure-mode-insights/{id}/fix-metric/
---@param id cekura.Id
---@param params cekura.FailureModeInsights.FixMetricParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function FailureModeInsights:fix_metric(id, params, options) end

--- POST /observability/v1/metric-failure-mode-insights/{id}/generate-scenario/
---@param id cekura.Id
---@param params cekura.FailureModeInsights.GenerateScenarioParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function FailureModeInsights:generate_scenario(id, params, options) end

--- GET /observability/v1/metric-failure-mode-insights/{id}/
---@param id cekura.Id
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function FailureModeInsights:get(id, options) end

--- GET /observability/v1/metric-failure-mode-insights/
---@param params? cekura.FailureModeInsights.ListParams
---@param options? cekura.Timeout
---@return cekura.Page?
---@return cekura.Error? err
function FailureModeInsights:list(params, options) end

--- GET /observability/v1/metric-failure-mode-insights/pricing/
---@param params? cekura.FailureModeInsights.PricingParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function FailureModeInsights:pricing(params, options) end

--- POST /observability/v1/metric-failure-mode-insights/{id}/reproduce/
---@param id cekura.Id
---@param params cekura.FailureModeInsights.ReproduceParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function FailureModeInsights:reproduce(id, params, options) end

--- What insight_reproduction_sessions:list takes.
---@class cekura.InsightReproductionSessions.ListParams
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field project? integer|string

--- `client.insight_reproduction_sessions`
---@class cekura.InsightReproductionSessions
local InsightReproductionSessions = {}

--- GET /observability/v1/insight-reproduction-sessions/
--- Iterates over the records of all pages; it raises what goes wrong.
---@param params? cekura.InsightReproductionSessions.ListParams
---@param options? cekura.Timeout
---@return cekura.Each
function InsightReproductionSessions:each(params, options) end

--- GET /observability/v1/insight-reproduction-sessions/{id}/
---@param id cekura.Id
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function InsightReproductionSessions:get(id, options) end

--- GET /observability/v1/insight-reproduction-sessions/
---@param params? cekura.InsightReproductionSessions.ListParams
---@param options? cekura.Timeout
---@return cekura.Page?
---@return cekura.Error? err
function InsightReproductionSessions:list(params, options) end

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

--- What metric_reviews:update takes.
---@class cekura.MetricReviews.UpdateParams
---@field expected_value? any
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field feedback? string
---@field id? cekura.Id

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

--- PATCH /test_framework/metric-reviews/{id}/
---@param id cekura.Id
---@param params cekura.MetricReviews.UpdateParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function MetricReviews:update(id, params, options) end

--- What metrics:bulk_create takes, for each of a list.
---@class cekura.Metrics.BulkCreateParams
---@field assistant_id string
---@field audio_enabled boolean
---@field configuration table<string, any>
---@field description string
---@field display_order integer|string
---@field eval_type string
---@field name string
---@field project integer|string
---@field prompt string
---@field type string
---@field add_to_new_agents? boolean
---@field agents? any[]
---@field custom_code? string
---@field enum_values? any[]
---@field evaluation_trigger? string
---@field evaluation_trigger_custom_code? string
---@field evaluation_trigger_prompt? string
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field observability_enabled? boolean
---@field sampling_enabled? boolean
---@field simulation_enabled? boolean
---@field trigger_type? string

--- What metrics:create takes.
---@class cekura.Metrics.CreateParams
---@field name string
---@field add_to_new_agents? boolean
---@field add_to_rubric? boolean
---@field agent? integer|string
---@field agents? any[]
---@field alert_enabled? boolean
---@field alert_filters? any
---@field alert_type? string
---@field apply_to_all_agents? boolean
---@field assistant_id? string
---@field audio_enabled? boolean
---@field configuration? any
---@field custom_code? string
---@field description? string
---@field display_order? integer|string
---@field enum_values? any[]
---@field eval_type? string
---@field evaluation_trigger? string
---@field evaluation_trigger_custom_code? string
---@field evaluation_trigger_program? any
---@field evaluation_trigger_prompt? string
---@field evaluation_trigger_variables? any[]
---@field ewma_alpha? number
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field kb_file_ids? any
---@field llm_provider? string
---@field metric_description_program? any
---@field metric_description_variables? any[]
---@field observability_enabled? boolean
---@field priority_assignment_prompt? string
---@field project? integer|string
---@field prompt? string
---@field relevance_llm_provider? string
---@field sampling_enabled? boolean
---@field scenarios? any
---@field significant_change_alert_direction? string
---@field significant_change_alert_status? string
---@field simulation_enabled? boolean
---@field slack_channel_id? string
---@field slack_workspace? integer|string
---@field slug? string
---@field std_multiplier? number
---@field trigger_type? string
---@field type? string
---@field window_size? integer|string

--- What metrics:generate_clean_description takes.
---@class cekura.Metrics.GenerateCleanDescriptionParams
---@field eval_type string
---@field name string
---@field add_to_new_agents? boolean
---@field agents? any[]
---@field alert_enabled? boolean
---@field alert_filters? any
---@field alert_type? string
---@field audio_enabled? boolean
---@field configuration? any
---@field custom_code? string
---@field description? string
---@field enum_values? any
---@field evaluation_trigger? string
---@field evaluation_trigger_custom_code? string
---@field evaluation_trigger_prompt? string
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field function_name? string
---@field observability_enabled? boolean
---@field priority_assignment_prompt? string
---@field project? integer|string
---@field prompt? string
---@field sampling_enabled? boolean
---@field scenarios? any
---@field significant_change_alert_direction? string
---@field significant_change_alert_status? string
---@field simulation_enabled? boolean
---@field slack_channel_id? string
---@field slack_workspace? integer|string
---@field slug? string
---@field trigger_type? string
---@field type? string
---@field vocera_defined_metric_code? string

--- What metrics:generate_evaluation_trigger takes.
---@class cekura.Metrics.GenerateEvaluationTriggerParams
---@field eval_type string
---@field name string
---@field add_to_new_agents? boolean
---@field agents? any[]
---@field alert_enabled? boolean
---@field alert_filters? any
---@field alert_type? string
---@field audio_enabled? boolean
---@field configuration? any
---@field custom_code? string
---@field description? string
---@field enum_values? any
---@field evaluation_trigger? string
---@field evaluation_trigger_custom_code? string
---@field evaluation_trigger_prompt? string
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field function_name? string
---@field observability_enabled? boolean
---@field priority_assignment_prompt? string
---@field project? integer|string
---@field prompt? string
---@field sampling_enabled? boolean
---@field scenarios? any
---@field significant_change_alert_direction? string
---@field significant_change_alert_status? string
---@field simulation_enabled? boolean
---@field slack_channel_id? string
---@field slack_workspace? integer|string
---@field slug? string
---@field trigger_type? string
---@field type? string
---@field vocera_defined_metric_code? string

--- What metrics:list takes.
---@class cekura.Metrics.ListParams
---@field agent_id? cekura.Id
---@field agents? string|(string|number)[]
---@field assistant_id? string
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field filters? table<string, any>
---@field include_scores? boolean
---@field project_id? cekura.Id
---@field slug? string

--- What metrics:update takes.
---@class cekura.Metrics.UpdateParams
---@field add_to_new_agents? boolean
---@field add_to_rubric? boolean
---@field agent? integer|string
---@field agents? any[]
---@field alert_enabled? boolean
---@field alert_filters? any
---@field alert_type? string
---@field apply_to_all_agents? boolean
---@field assistant_id? string
---@field audio_enabled? boolean
---@field configuration? any
---@field custom_code? string
---@field description? string
---@field display_order? integer|string
---@field enum_values? any[]
---@field eval_type? string
---@field evaluation_trigger? string
---@field evaluation_trigger_custom_code? string
---@field evaluation_trigger_program? any
---@field evaluation_trigger_prompt? string
---@field evaluation_trigger_variables? any[]
---@field ewma_alpha? number
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field kb_file_ids? any
---@field llm_provider? string
---@field metric_description_program? any
---@field metric_description_variables? any[]
---@field name? string
---@field observability_enabled? boolean
---@field priority_assignment_prompt? string
---@field project? integer|string
---@field prompt? string
---@field relevance_llm_provider? string
---@field sampling_enabled? boolean
---@field scenarios? any
---@field significant_change_alert_direction? string
---@field significant_change_alert_status? string
---@field simulation_enabled? boolean
---@field slack_channel_id? string
---@field slack_workspace? integer|string
---@field slug? string
---@field std_multiplier? number
---@field trigger_type? string
---@field type? string
---@field window_size? integer|string

--- `client.metrics`
---@class cekura.Metrics
local Metrics = {}

--- POST /test_framework/v2/metrics/bulk_create/
---@param params cekura.Metrics.BulkCreateParams[]
---@param options? cekura.Timeout
---@return cekura.Page?
---@return cekura.Error? err
function Metrics:bulk_create(params, options) end

--- Starts a job of the kind metrics.clean_description: POST /test_framework/v1/metrics/generate_clean_description_bg/.
--- The result has clean_description, thinking.
--- With the option `direct`: POST /test_framework/v3/metrics/generate_clean_description/.
--- Note: eval_type is boolean, numeric, rating or enum.
---@param params cekura.Metrics.CleanDescriptionParams
---@param options? cekura.StartOptions
---@return cekura.Metrics.CleanDescriptionJob? job
---@return cekura.Error? err
function Metrics:clean_description(params, options) end

--- POST /test_framework/v2/metrics/
---@param params cekura.Metrics.CreateParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function Metrics:create(params, options) end

--- DELETE /test_framework/v2/metrics/{id}/
---@param id cekura.Id
---@param options? cekura.Timeout
---@return true?
---@return cekura.Error? err
function Metrics:delete(id, options) end

--- GET /test_framework/v2/metrics/
--- Iterates over the records of all pages; it raises what goes wrong.
---@param params? cekura.Metrics.ListParams
---@param options? cekura.Timeout
---@return cekura.Each
function Metrics:each(params, options) end

--- Starts a job of the kind metrics.generate: POST /test_framework/v1/metrics/generate_metrics/.
--- The result has metrics (or generated_metrics).
--- With the option `direct`: POST /test_framework/v3/metrics/generate_metrics/.
--- Note: nothing is saved; the agent needs a description of at least 100 characters.
---@param params? cekura.Metrics.GenerateParams
---@param options? cekura.StartOptions
---@return cekura.Metrics.GenerateJob? job
---@return cekura.Error? err
function Metrics:generate(params, options) end

--- POST /test_framework/v2/metrics/generate_clean_description/
---@param params cekura.Metrics.GenerateCleanDescriptionParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function Metrics:generate_clean_description(params, options) end

--- POST /test_framework/v2/metrics/generate_evaluation_trigger/
---@param params cekura.Metrics.GenerateEvaluationTriggerParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function Metrics:generate_evaluation_trigger(params, options) end

--- GET /test_framework/v2/metrics/{id}/
---@param id cekura.Id
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function Metrics:get(id, options) end

--- GET /test_framework/v2/metrics/
---@param params? cekura.Metrics.ListParams
---@param options? cekura.Timeout
---@return cekura.Page?
---@return cekura.Error? err
function Metrics:list(params, options) end

--- Starts a job of the kind metrics.preview: POST /test_framework/v1/metrics/preview/.
--- The result has results, completed, total.
--- With the option `direct`: POST /test_framework/v3/metrics/preview/.
--- Note: call_log_ids or run_ids, at most 10.
---@param params cekura.Metrics.PreviewParams
---@param options? cekura.StartOptions
---@return cekura.Metrics.PreviewJob? job
---@return cekura.Error? err
function Metrics:preview(params, options) end

--- Starts a job of the kind metrics.run_reviews: POST /test_framework/v1/metrics/{metric_id}/run_reviews/.
--- The result has output (a list), metric, reviews_list, failed_reviews_list, completed_reviews, failed_reviews,
--- total_reviews.
--- With the option `direct`: POST /test_framework/v3/metrics/{metric_id}/run_reviews/.
---@param params? cekura.Metrics.RunReviewsParams
---@param options? cekura.StartOptions
---@return cekura.Metrics.RunReviewsJob? job
---@return cekura.Error? err
function Metrics:run_reviews(params, options) end

--- Starts a job of the kind metrics.simplify_prompt: POST /test_framework/v1/metrics/simplify_prompt/.
--- The result has simplified_prompt, original_prompt, skipped_simplification.
--- With the option `direct`: POST /test_framework/v3/metrics/simplify_prompt/.
--- Note: the start may answer with the result itself.
---@param params cekura.Metrics.SimplifyPromptParams
---@param options? cekura.StartOptions
---@return cekura.Metrics.SimplifyPromptJob? job
---@return cekura.Error? err
function Metrics:simplify_prompt(params, options) end

--- PATCH /test_framework/v2/metrics/{id}/
---@param id cekura.Id
---@param params cekura.Metrics.UpdateParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function Metrics:update(id, params, options) end

--- What organizations:list takes.
---@class cekura.Organizations.ListParams
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field page? integer|string
---@field page_size? integer|string
---@field search? string

--- `client.organizations`
---@class cekura.Organizations
local Organizations = {}

--- GET /user/v2/organizations/
--- Iterates over the records of all pages; it raises what goes wrong.
---@param params? cekura.Organizations.ListParams
---@param options? cekura.Timeout
---@return cekura.Each
function Organizations:each(params, options) end

--- GET /user/v2/organizations/
---@param params? cekura.Organizations.ListParams
---@param options? cekura.Timeout
---@return cekura.Page?
---@return cekura.Error? err
function Organizations:list(params, options) end

--- What personalities:create takes.
---@class cekura.Personalities.CreateParams
---@field background_noise string
---@field name string
---@field voice_model string
---@field accent? string
---@field background_sound_volume? string
---@field end_call_enabled? boolean
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field generation_config? string
---@field interruption_level? string
---@field language? string
---@field message_plan? string
---@field network_simulation? string
---@field project? integer|string
---@field prompt? string
---@field provider? string
---@field speed? string
---@field start_speaking_plan? string
---@field stop_speaking_plan? string
---@field voice_id? string

--- What personalities:fork takes.
---@class cekura.Personalities.ForkParams
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field project_id? cekura.Id
---@field prompt? string

--- What personalities:list takes.
---@class cekura.Personalities.ListParams
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field language? string
---@field project_id? cekura.Id

--- What personalities:update takes.
---@class cekura.Personalities.UpdateParams
---@field accent? string
---@field background_noise? string
---@field background_sound_volume? string
---@field end_call_enabled? boolean
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field generation_config? string
---@field interruption_level? string
---@field language? string
---@field message_plan? string
---@field name? string
---@field network_simulation? string
---@field project? integer|string
---@field prompt? string
---@field provider? string
---@field speed? string
---@field start_speaking_plan? string
---@field stop_speaking_plan? string
---@field voice_id? string
---@field voice_model? string

--- `client.personalities`
---@class cekura.Personalities
local Personalities = {}

--- POST /test_framework/v1/personalities/
---@param params cekura.Personalities.CreateParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function Personalities:create(params, options) end

--- GET /test_framework/v1/personalities/
--- Iterates over the records of all pages; it raises what goes wrong.
---@param params? cekura.Personalities.ListParams
---@param options? cekura.Timeout
---@return cekura.Each
function Personalities:each(params, options) end

--- POST /test_framework/v1/personalities/{id}/fork/
---@param id cekura.Id
---@param params? cekura.Personalities.ForkParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function Personalities:fork(id, params, options) end

--- GET /test_framework/v1/personalities/{id}/
---@param id cekura.Id
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function Personalities:get(id, options) end

--- GET /test_framework/v1/personalities/
---@param params? cekura.Personalities.ListParams
---@param options? cekura.Timeout
---@return cekura.Page?
---@return cekura.Error? err
function Personalities:list(params, options) end

--- PATCH /test_framework/v1/personalities/{id}/
---@param id cekura.Id
---@param params cekura.Personalities.UpdateParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function Personalities:update(id, params, options) end

--- What phone_numbers:inbound takes.
---@class cekura.PhoneNumbers.InboundParams
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field organization_id? cekura.Id

--- `client.phone_numbers`
---@class cekura.PhoneNumbers
local PhoneNumbers = {}

--- GET /test_framework/v1/phone-numbers/inbound/
---@param params? cekura.PhoneNumbers.InboundParams
---@param options? cekura.Timeout
---@return cekura.Page?
---@return cekura.Error? err
function PhoneNumbers:inbound(params, options) end

--- What predefined_metrics:copy takes.
---@class cekura.PredefinedMetrics.CopyParams
---@field agent_id? cekura.Id
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field metric_codes? any[]
---@field predefined_metric_ids? any[]
---@field project_id? cekura.Id
---@field scenarios? any[]

--- `client.predefined_metrics`
---@class cekura.PredefinedMetrics
local PredefinedMetrics = {}

--- POST /test_framework/v1/predefined-metrics/copy/
---@param params? cekura.PredefinedMetrics.CopyParams
---@param options? cekura.Timeout
---@return cekura.Page?
---@return cekura.Error? err
function PredefinedMetrics:copy(params, options) end

--- GET /test_framework/v1/predefined-metrics/
--- Iterates over the records of all pages; it raises what goes wrong.
---@param params? table
---@param options? cekura.Timeout
---@return cekura.Each
function PredefinedMetrics:each(params, options) end

--- GET /test_framework/v1/predefined-metrics/
---@param params? table
---@param options? cekura.Timeout
---@return cekura.Page?
---@return cekura.Error? err
function PredefinedMetrics:list(params, options) end

--- What projects:create takes.
---@class cekura.Projects.CreateParams
---@field name string
---@field daily_report_ai_summary_enabled? boolean
---@field daily_report_dashboard_ids? any[]
---@field elevenlabs_api_key? string
---@field enable_client_side_testing? boolean
---@field end_call_enabled? boolean
---@field evaluate_relevant_metrics_enabled? boolean
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field forward_retell_webhook? boolean
---@field forward_vapi_webhook? boolean
---@field frequent_calls_cooldown? integer|string
---@field frequent_calls_threshold? integer|string
---@field frequent_calls_time_period? integer|string
---@field generate_scenario_auto_assign_numbers_enabled? boolean
---@field is_deleted? boolean
---@field is_send_emails_enabled? boolean
---@field livekit_api_key? string
---@field max_call_duration? integer|string
---@field max_messages_chat_runs_limit? integer|string
---@field min_call_duration? integer|string
---@field no_calls_notify_time_period? any
---@field notify_call_log_webhook_failed? boolean
---@field notify_call_log_webhook_success? boolean
---@field notify_cron_failure? boolean
---@field notify_cron_success? boolean
---@field notify_cronjob_webhook_error? boolean
---@field notify_cronjob_webhook_failed? boolean
---@field notify_cronjob_webhook_success? boolean
---@field notify_daily_report? boolean
---@field notify_daily_report_no_calls? boolean
---@field notify_daily_report_webhook? boolean
---@field notify_frequent_calls_for_number? boolean
---@field notify_no_calls? boolean
---@field notify_pre_run_webhook? boolean
---@field notify_result_webhook_error? boolean
---@field notify_result_webhook_failed? boolean
---@field notify_result_webhook_success? boolean
---@field notify_results_completion? boolean
---@field organization_id? cekura.Id
---@field outbound_timeout? integer|string
---@field pipecat_api_key? string
---@field retell_api_key? string
---@field rubric_config? any
---@field sample_rate? number
---@field should_show_powered_by? boolean
---@field syntflow_api_key? string
---@field timezone? string
---@field use_provider_transcript? boolean
---@field vapi_api_key? string
---@field webhook_secret? string
---@field webhook_url? string

--- What projects:disable_personalities takes.
---@class cekura.Projects.DisablePersonalitiesParams
---@field personalities any
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field language? string

--- What projects:enable_personalities takes.
---@class cekura.Projects.EnablePersonalitiesParams
---@field personalities any
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field language? string

--- What projects:list takes.
---@class cekura.Projects.ListParams
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field organization_id? cekura.Id
---@field project_id? cekura.Id

--- What projects:update takes.
---@class cekura.Projects.UpdateParams
---@field daily_report_ai_summary_enabled? boolean
---@field daily_report_dashboard_ids? any[]
---@field elevenlabs_api_key? string
---@field enable_client_side_testing? boolean
---@field end_call_enabled? boolean
---@field evaluate_relevant_metrics_enabled? boolean
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field forward_retell_webhook? boolean
---@field forward_vapi_webhook? boolean
---@field frequent_calls_cooldown? integer|string
---@field frequent_calls_threshold? integer|string
---@field frequent_calls_time_period? integer|string
---@field generate_scenario_auto_assign_numbers_enabled? boolean
---@field is_deleted? boolean
---@field is_send_emails_enabled? boolean
---@field livekit_api_key? string
---@field max_call_duration? integer|string
---@field max_messages_chat_runs_limit? integer|string
---@field min_call_duration? integer|string
---@field name? string
---@field no_calls_notify_time_period? any
---@field notify_call_log_webhook_failed? boolean
---@field notify_call_log_webhook_success? boolean
---@field notify_cron_failure? boolean
---@field notify_cron_success? boolean
---@field notify_cronjob_webhook_error? boolean
---@field notify_cronjob_webhook_failed? boolean
---@field notify_cronjob_webhook_success? boolean
---@field notify_daily_report? boolean
---@field notify_daily_report_no_calls? boolean
---@field notify_daily_report_webhook? boolean
---@field notify_frequent_calls_for_number? boolean
---@field notify_no_calls? boolean
---@field notify_pre_run_webhook? boolean
---@field notify_result_webhook_error? boolean
---@field notify_result_webhook_failed? boolean
---@field notify_result_webhook_success? boolean
---@field notify_results_completion? boolean
---@field organization_id? cekura.Id
---@field outbound_timeout? integer|string
---@field pipecat_api_key? string
---@field retell_api_key? string
---@field rubric_config? any
---@field sample_rate? number
---@field should_show_powered_by? boolean
---@field syntflow_api_key? string
---@field timezone? string
---@field use_provider_transcript? boolean
---@field vapi_api_key? string
---@field webhook_secret? string
---@field webhook_url? string

--- `client.projects`
---@class cekura.Projects
local Projects = {}

--- POST /user/v1/projects/
---@param params cekura.Projects.CreateParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function Projects:create(params, options) end

--- DELETE /user/v1/projects/{id}/
---@param id cekura.Id
---@param options? cekura.Timeout
---@return true?
---@return cekura.Error? err
function Projects:delete(id, options) end

--- POST /user/v1/projects/{id}/disable_personalities/
---@param id cekura.Id
---@param params cekura.Projects.DisablePersonalitiesParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function Projects:disable_personalities(id, params, options) end

--- GET /user/v1/projects/
--- Iterates over the records of all pages; it raises what goes wrong.
---@param params? cekura.Projects.ListParams
---@param options? cekura.Timeout
---@return cekura.Each
function Projects:each(params, options) end

--- POST /user/v1/projects/{id}/enable_personalities/
---@param id cekura.Id
---@param params cekura.Projects.EnablePersonalitiesParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function Projects:enable_personalities(id, params, options) end

--- GET /user/v1/projects/{id}/
---@param id cekura.Id
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function Projects:get(id, options) end

--- GET /user/v1/projects/
---@param params? cekura.Projects.ListParams
---@param options? cekura.Timeout
---@return cekura.Page?
---@return cekura.Error? err
function Projects:list(params, options) end

--- Starts a job of the kind projects.preview_daily_report: POST /user/v1/projects/{project_id}/preview_daily_report/.
--- The result has file_url.
--- Note: within 15 minutes the same start answers with the result itself.
---@param params table<string, any>
---@param options? cekura.StartOptions
---@return cekura.Projects.PreviewDailyReportJob? job
---@return cekura.Error? err
function Projects:preview_daily_report(params, options) end

--- PATCH /user/v1/projects/{id}/
---@param id cekura.Id
---@param params cekura.Projects.UpdateParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function Projects:update(id, params, options) end

--- What results:create_shareable_link_token takes.
---@class cekura.Results.CreateShareableLinkTokenParams
---@field expire_at? number|string
---@field extra? table<string, any> further parameters, which are sent unchecked

--- What results:delete_runs takes.
---@class cekura.Results.DeleteRunsParams
---@field run_ids any[]
---@field extra? table<string, any> further parameters, which are sent unchecked

--- What results:evaluate_metrics takes.
---@class cekura.Results.EvaluateMetricsParams
---@field metric_ids any[]
---@field run_ids any[]
---@field extra? table<string, any> further parameters, which are sent unchecked

--- What results:list takes.
---@class cekura.Results.ListParams
---@field agent_id? cekura.Id
---@field assistant_id? string
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field page? integer|string
---@field page_size? integer|string
---@field project_id? cekura.Id
---@field scenarios? string|(string|number)[]
---@field search? string

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

--- POST /test_framework/v2/results/{id}/create_shareable_link_token/
---@param id cekura.Id
---@param params? cekura.Results.CreateShareableLinkTokenParams
---@param options? cekura.Timeout
---@return cekura.Result?
---@return cekura.Error? err
function Results:create_shareable_link_token(id, params, options) end

--- POST /test_framework/v2/results/{id}/delete_runs/
---@param id cekura.Id
---@param params cekura.Results.DeleteRunsParams
---@param options? cekura.Timeout
---@return true?
---@return cekura.Error? err
function Results:delete_runs(id, params, options) end

--- GET /test_framework/v2/results/
--- Iterates over the records of all pages; it raises what goes wrong.
---@param params? cekura.Results.ListParams
---@param options? cekura.Timeout
---@return cekura.Each
function Results:each(params, options) end

--- POST /test_framework/v2/results/{id}/end_calls/
---@param id cekura.Id
---@param options? cekura.Timeout
---@return true?
---@return cekura.Error? err
function Results:end_calls(id, options) end

--- POST /test_framework/v2/results/{id}/evaluate_metrics/
---@param id cekura.Id
---@param params cekura.Results.EvaluateMetricsParams
---@param options? cekura.Timeout
---@return cekura.Result?
---@return cekura.Error? err
function Results:evaluate_metrics(id, params, options) end

--- GET /test_framework/v2/results/{id}/
---@param id cekura.Id
---@param options? cekura.Timeout
---@return cekura.Result?
---@return cekura.Error? err
function Results:get(id, options) end

--- GET /test_framework/v2/results/
---@param params? cekura.Results.ListParams
---@param options? cekura.Timeout
---@return cekura.Page?
---@return cekura.Error? err
function Results:list(params, options) end

--- POST /test_framework/v2/results/{id}/rerun/
---@param id cekura.Id
---@param options? cekura.Timeout
---@return cekura.Result?
---@return cekura.Error? err
function Results:rerun(id, options) end

--- Starts a job of the kind results.run: POST /test_framework/v1/scenarios/run_scenarios/.
--- The result has the result: passed, total_runs_count, success_runs_count, failed_runs_count, status, runs, …
--- Note: takes scenarios, tags or a folder_path; their number × frequency × personalities × test profiles is that of
--- the calls, each of which costs credits.
---@param params? cekura.Results.RunParams
---@param options? cekura.StartOptions
---@return cekura.Results.RunJob? job
---@return cekura.Error? err
function Results:run(params, options) end

--- What runs:bulk takes.
---@class cekura.Runs.BulkParams
---@field run_ids string|(string|number)[]
---@field agent_id? cekura.Id
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field project_id? cekura.Id
---@field result_id? cekura.Id

--- What runs:mark_metric_vote takes.
---@class cekura.Runs.MarkMetricVoteParams
---@field expected_value any
---@field metric_id cekura.Id
---@field thumbs_up boolean
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field feedback? string

--- `client.runs`
---@class cekura.Runs
local Runs = {}

--- GET /test_framework/v2/runs/bulk/
---@param params cekura.Runs.BulkParams
---@param options? cekura.Timeout
---@return cekura.Page?
---@return cekura.Error? err
function Runs:bulk(params, options) end

--- POST /test_framework/v2/runs/{id}/end_call/
---@param id cekura.Id
---@param options? cekura.Timeout
---@return true?
---@return cekura.Error? err
function Runs:end_call(id, options) end

--- Starts a job of the kind runs.expected_outcome: POST /test_framework/v1/runs/{run_id}/run_expected_outcome_bg/.
--- The result has what the service says.
---@param params table<string, any>
---@param options? cekura.StartOptions
---@return cekura.Runs.ExpectedOutcomeJob? job
---@return cekura.Error? err
function Runs:expected_outcome(params, options) end

--- GET /test_framework/v2/runs/{id}/
---@param id cekura.Id
---@param options? cekura.Timeout
---@return cekura.Run?
---@return cekura.Error? err
function Runs:get(id, options) end

--- Starts a job of the kind runs.improve_prompt: POST /test_framework/v1/runs/improve_prompt_bg/.
--- The result has improved_prompt, summary_of_changes.
--- Note: at most 3 runs.
--- Cekura removed the endpoint from its documentation on 2026-06-30.
---@param params cekura.Runs.ImprovePromptParams
---@param options? cekura.StartOptions
---@return cekura.Runs.ImprovePromptJob? job
---@return cekura.Error? err
function Runs:improve_prompt(params, options) end

--- POST /test_framework/v2/runs/{id}/mark_metric_vote/
---@param id cekura.Id
---@param params cekura.Runs.MarkMetricVoteParams
---@param options? cekura.Timeout
---@return cekura.Run?
---@return cekura.Error? err
function Runs:mark_metric_vote(id, params, options) end

--- GET /test_framework/v1/runs/{id}/trace/
---@param id cekura.Id
---@param options? cekura.Timeout
---@return cekura.Run?
---@return cekura.Error? err
function Runs:trace(id, options) end

--- What scenario_improvement_sessions:create takes.
---@class cekura.ScenarioImprovementSessions.CreateParams
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field project? integer|string
---@field scenario_selection? any
---@field title? string

--- What scenario_improvement_sessions:list takes.
---@class cekura.ScenarioImprovementSessions.ListParams
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field project_id? cekura.Id

--- What scenario_improvement_sessions:update takes.
---@class cekura.ScenarioImprovementSessions.UpdateParams
---@field conversation_history? any
---@field created_by? integer|string
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field project? integer|string
---@field scenario_ids? any
---@field status? string
---@field title? string

--- `client.scenario_improvement_sessions`
---@class cekura.ScenarioImprovementSessions
local ScenarioImprovementSessions = {}

--- POST /test_framework/v1/scenario-improvement-sessions/
---@param params? cekura.ScenarioImprovementSessions.CreateParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function ScenarioImprovementSessions:create(params, options) end

--- GET /test_framework/v1/scenario-improvement-sessions/
--- Iterates over the records of all pages; it raises what goes wrong.
---@param params? cekura.ScenarioImprovementSessions.ListParams
---@param options? cekura.Timeout
---@return cekura.Each
function ScenarioImprovementSessions:each(params, options) end

--- GET /test_framework/v1/scenario-improvement-sessions/{id}/
---@param id cekura.Id
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function ScenarioImprovementSessions:get(id, options) end

--- GET /test_framework/v1/scenario-improvement-sessions/
---@param params? cekura.ScenarioImprovementSessions.ListParams
---@param options? cekura.Timeout
---@return cekura.Page?
---@return cekura.Error? err
function ScenarioImprovementSessions:list(params, options) end

--- PATCH /test_framework/v1/scenario-improvement-sessions/{id}/
---@param id cekura.Id
---@param params cekura.ScenarioImprovementSessions.UpdateParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function ScenarioImprovementSessions:update(id, params, options) end

--- What scenarios:adv_update takes.
---@class cekura.Scenarios.AdvUpdateParams
---@field scenarios any[]
---@field agent? integer|string
---@field append_instruction? string
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field first_message? string
---@field folder_path? string
---@field inbound_phone_number? integer|string
---@field max_duration? integer|string
---@field metric_ids_to_add? any[]
---@field metric_ids_to_remove? any[]
---@field personality? integer|string
---@field phone_number? integer|string
---@field project? integer|string
---@field test_profile? integer|string
---@field tool_ids_to_add? any[]
---@field tool_ids_to_remove? any[]

--- What scenarios:create takes.
---@class cekura.Scenarios.CreateParams
---@field name string
---@field personality integer|string
---@field agent? integer|string
---@field assistant_id? string
---@field conditional_actions? table<string, any>
---@field expected_outcome_prompt? string
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field first_message? string
---@field folder_path? string
---@field generated_mock_tool_entries? any
---@field inbound_phone_number? integer|string
---@field instructions? string
---@field max_duration? integer|string
---@field metrics? any[]
---@field phone_number? integer|string
---@field project? integer|string
---@field scenario_language? string
---@field scenario_type? string
---@field tags? any[]
---@field test_profile? integer|string
---@field tool_ids? any[]

--- What scenarios:create_folder takes.
---@class cekura.Scenarios.CreateFolderParams
---@field name string
---@field project_id cekura.Id
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field parent_path? string

--- What scenarios:delete_folder takes.
---@class cekura.Scenarios.DeleteFolderParams
---@field path string
---@field project_id cekura.Id
---@field extra? table<string, any> further parameters, which are sent unchecked

--- What scenarios:delete_scenarios takes.
---@class cekura.Scenarios.DeleteScenariosParams
---@field scenarios any[]
---@field agent_id? cekura.Id
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field project_id? cekura.Id

--- What scenarios:duplicate takes.
---@class cekura.Scenarios.DuplicateParams
---@field copy_to_project integer|string
---@field project integer|string
---@field scenarios any[]
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field folder_path? string
---@field page? integer|string
---@field page_size? integer|string
---@field scenario_agent? integer|string

--- What scenarios:folders takes.
---@class cekura.Scenarios.FoldersParams
---@field project_id cekura.Id
---@field agent_id? cekura.Id
---@field assistant_id? string
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field page? integer|string
---@field page_size? integer|string
---@field parent_path? string
---@field search? string

--- What scenarios:json_schema takes.
---@class cekura.Scenarios.JsonSchemaParams
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field version? string

--- What scenarios:list takes.
---@class cekura.Scenarios.ListParams
---@field agent_id? cekura.Id
---@field assistant_id? string
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field folder_path? string
---@field page? integer|string
---@field page_size? integer|string
---@field project_id? cekura.Id
---@field tag_filter_type? string
---@field tags? string|(string|number)[]

--- What scenarios:move_folder takes.
---@class cekura.Scenarios.MoveFolderParams
---@field path string
---@field project_id cekura.Id
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field new_parent_path? string

--- What scenarios:rename_folder takes.
---@class cekura.Scenarios.RenameFolderParams
---@field name string
---@field path string
---@field project_id cekura.Id
---@field extra? table<string, any> further parameters, which are sent unchecked

--- What scenarios:update takes.
---@class cekura.Scenarios.UpdateParams
---@field agent? integer|string
---@field assistant_id? string
---@field conditional_actions? table<string, any>
---@field expected_outcome_prompt? string
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field first_message? string
---@field folder_path? string
---@field generated_mock_tool_entries? any
---@field inbound_phone_number? integer|string
---@field instructions? string
---@field max_duration? integer|string
---@field metrics? any[]
---@field name? string
---@field personality? integer|string
---@field phone_number? integer|string
---@field project? integer|string
---@field scenario_language? string
---@field scenario_type? string
---@field tags? any[]
---@field test_profile? integer|string
---@field tool_ids? any[]

--- What scenarios:update_scenario_with_transcript takes.
---@class cekura.Scenarios.UpdateScenarioWithTranscriptParams
---@field personality integer|string
---@field agent? integer|string
---@field assistant_id? string
---@field conditional_actions? any
---@field expected_outcome_prompt? string
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field first_message? string
---@field folder_path? string
---@field generated_mock_tool_entries? any
---@field inbound_phone_number? integer|string
---@field information_fields? any
---@field instructions? string
---@field is_predefined? boolean
---@field max_duration? integer|string
---@field metrics? any
---@field name? string
---@field project? integer|string
---@field scenario_language? string
---@field scenario_type? string
---@field simulation_description? string
---@field suite_type? string
---@field tags? any
---@field test_profile? integer|string
---@field tool_ids? any

--- `client.scenarios`
---@class cekura.Scenarios
local Scenarios = {}

--- POST /test_framework/v1/scenarios/adv_update/
---@param params cekura.Scenarios.AdvUpdateParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function Scenarios:adv_update(params, options) end

--- Starts a job of the kind scenarios.agent: POST /test_framework/v1/scenarios/scenario-agent/.
--- The result has result (what the agent has clarified), session_id, mode.
--- Note: an answer is another start in the same session (inferred), and makes another job.
---@param params? cekura.Scenarios.AgentParams
---@param options? cekura.StartOptions
---@return cekura.Scenarios.AgentJob? job
---@return cekura.Error? err
function Scenarios:agent(params, options) end

--- POST /test_framework/v1/scenarios/
---@param params cekura.Scenarios.CreateParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function Scenarios:create(params, options) end

--- POST /test_framework/v1/scenarios/create_folder/
---@param params cekura.Scenarios.CreateFolderParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function Scenarios:create_folder(params, options) end

--- DELETE /test_framework/v1/scenarios/{id}/
---@param id cekura.Id
---@param options? cekura.Timeout
---@return true?
---@return cekura.Error? err
function Scenarios:delete(id, options) end

--- POST /test_framework/v1/scenarios/delete_folder/
---@param params cekura.Scenarios.DeleteFolderParams
---@param options? cekura.Timeout
---@return true?
---@return cekura.Error? err
function Scenarios:delete_folder(params, options) end

--- POST /test_framework/v1/scenarios/delete_scenarios/
---@param params cekura.Scenarios.DeleteScenariosParams
---@param options? cekura.Timeout
---@return true?
---@return cekura.Error? err
function Scenarios:delete_scenarios(params, options) end

--- POST /test_framework/v1/scenarios/duplicate/
---@param params cekura.Scenarios.DuplicateParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function Scenarios:duplicate(params, options) end

--- GET /test_framework/v1/scenarios/
--- Iterates over the records of all pages; it raises what goes wrong.
---@param params? cekura.Scenarios.ListParams
---@param options? cekura.Timeout
---@return cekura.Each
function Scenarios:each(params, options) end

--- GET /test_framework/v1/scenarios/folders/
---@param params cekura.Scenarios.FoldersParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function Scenarios:folders(params, options) end

--- Starts a job of the kind scenarios.from_transcript: POST /test_framework/v1/scenarios/create-from-transcript-bg/.
--- The result has scenario_id, scenario.
--- With the option `direct`: POST /test_framework/v3/scenarios/create-from-transcript/.
--- Note: roles are those of the cekura format; the agent is `agent`, not `agent_id`.
---@param params cekura.Scenarios.FromTranscriptParams
---@param options? cekura.StartOptions
---@return cekura.Scenarios.FromTranscriptJob? job
---@return cekura.Error? err
function Scenarios:from_transcript(params, options) end

--- Starts a job of the kind scenarios.generate: POST /test_framework/v1/scenarios/generate-bg/.
--- The result has scenarios_list, completed_scenarios, failed_scenarios, total_scenarios.
--- With the option `direct`: POST /test_framework/v3/scenarios/generate/.
--- Note: may ask (`pending_clarification`); an answer has at most 10000 characters.
---@param params cekura.Scenarios.GenerateParams
---@param options? cekura.StartOptions
---@return cekura.Scenarios.GenerateJob? job
---@return cekura.Error? err
function Scenarios:generate(params, options) end

--- Starts a job of the kind scenarios.generate_instructions: POST /test_framework/v1/scenarios/generate-instructions/.
--- The result has instructions, expected_outcome_prompt.
--- With the option `direct`: POST /test_framework/v3/scenarios/generate-instructions/.
--- Note: what a start takes is not documented.
---@param params table<string, any>
---@param options? cekura.StartOptions
---@return cekura.Scenarios.GenerateInstructionsJob? job
---@return cekura.Error? err
function Scenarios:generate_instructions(params, options) end

--- GET /test_framework/v1/scenarios/{id}/
---@param id cekura.Id
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function Scenarios:get(id, options) end

--- Starts a job of the kind scenarios.instructions: POST /test_framework/v1/scenarios/improve_instructions/.
--- The result has what the service says.
--- With the option `direct`: POST /test_framework/v3/scenarios/improve_instructions/.
---@param params cekura.Scenarios.InstructionsParams
---@param options? cekura.StartOptions
---@return cekura.Scenarios.InstructionsJob? job
---@return cekura.Error? err
function Scenarios:instructions(params, options) end

--- GET /test_framework/v1/scenarios/json_schema/
---@param params? cekura.Scenarios.JsonSchemaParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function Scenarios:json_schema(params, options) end

--- GET /test_framework/v1/scenarios/
---@param params? cekura.Scenarios.ListParams
---@param options? cekura.Timeout
---@return cekura.Page?
---@return cekura.Error? err
function Scenarios:list(params, options) end

--- POST /test_framework/v1/scenarios/move_folder/
---@param params cekura.Scenarios.MoveFolderParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function Scenarios:move_folder(params, options) end

--- POST /test_framework/v1/scenarios/rename_folder/
---@param params cekura.Scenarios.RenameFolderParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function Scenarios:rename_folder(params, options) end

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

--- PATCH /test_framework/v1/scenarios/{id}/
---@param id cekura.Id
---@param params cekura.Scenarios.UpdateParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function Scenarios:update(id, params, options) end

--- POST /test_framework/v1/scenarios/{id}/update_scenario_with_transcript/
---@param id cekura.Id
---@param params cekura.Scenarios.UpdateScenarioWithTranscriptParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function Scenarios:update_scenario_with_transcript(id, params, options) end

--- What slack_workspaces:list takes.
---@class cekura.SlackWorkspaces.ListParams
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field project_id? cekura.Id

--- `client.slack_workspaces`
---@class cekura.SlackWorkspaces
local SlackWorkspaces = {}

--- GET /slack/slack-workspaces/
--- Iterates over the records of all pages; it raises what goes wrong.
---@param params? cekura.SlackWorkspaces.ListParams
---@param options? cekura.Timeout
---@return cekura.Each
function SlackWorkspaces:each(params, options) end

--- GET /slack/slack-workspaces/
---@param params? cekura.SlackWorkspaces.ListParams
---@param options? cekura.Timeout
---@return cekura.Page?
---@return cekura.Error? err
function SlackWorkspaces:list(params, options) end

--- What test_profiles:create takes.
---@class cekura.TestProfiles.CreateParams
---@field name string
---@field agent? integer|string
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field information? table<string, any>
---@field project? integer|string

--- What test_profiles:list takes.
---@class cekura.TestProfiles.ListParams
---@field agent_id? cekura.Id
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field project_id? cekura.Id

--- What test_profiles:update takes.
---@class cekura.TestProfiles.UpdateParams
---@field agent? integer|string
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field information? table<string, any>
---@field name? string
---@field project? integer|string

--- `client.test_profiles`
---@class cekura.TestProfiles
local TestProfiles = {}

--- POST /test_framework/v1/test-profiles/
---@param params cekura.TestProfiles.CreateParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function TestProfiles:create(params, options) end

--- DELETE /test_framework/v1/test-profiles/{id}/
---@param id cekura.Id
---@param options? cekura.Timeout
---@return true?
---@return cekura.Error? err
function TestProfiles:delete(id, options) end

--- GET /test_framework/v1/test-profiles/
--- Iterates over the records of all pages; it raises what goes wrong.
---@param params? cekura.TestProfiles.ListParams
---@param options? cekura.Timeout
---@return cekura.Each
function TestProfiles:each(params, options) end

--- GET /test_framework/v1/test-profiles/{id}/
---@param id cekura.Id
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function TestProfiles:get(id, options) end

--- GET /test_framework/v1/test-profiles/
---@param params? cekura.TestProfiles.ListParams
---@param options? cekura.Timeout
---@return cekura.Page?
---@return cekura.Error? err
function TestProfiles:list(params, options) end

--- PATCH /test_framework/v1/test-profiles/{id}/
---@param id cekura.Id
---@param params cekura.TestProfiles.UpdateParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function TestProfiles:update(id, params, options) end

--- What test_sets:create_from_call_log takes.
---@class cekura.TestSets.CreateFromCallLogParams
---@field call_log_id cekura.Id
---@field metrics any[]
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field name? string
---@field project? integer|string

--- What test_sets:create_from_run takes.
---@class cekura.TestSets.CreateFromRunParams
---@field metrics any[]
---@field run_id cekura.Id
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field name? string
---@field project? integer|string

--- `client.test_sets`
---@class cekura.TestSets
local TestSets = {}

--- POST /test_framework/test-sets/create_from_call_log/
---@param params cekura.TestSets.CreateFromCallLogParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function TestSets:create_from_call_log(params, options) end

--- POST /test_framework/test-sets/create_from_run/
---@param params cekura.TestSets.CreateFromRunParams
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function TestSets:create_from_run(params, options) end

--- What tools:list takes.
---@class cekura.Tools.ListParams
---@field agent_id? cekura.Id
---@field extra? table<string, any> further parameters, which are sent unchecked
---@field page? integer|string
---@field page_size? integer|string
---@field project_id? cekura.Id
---@field search? string

--- `client.tools`
---@class cekura.Tools
local Tools = {}

--- GET /test_framework/v1/tools/
--- Iterates over the records of all pages; it raises what goes wrong.
---@param params? cekura.Tools.ListParams
---@param options? cekura.Timeout
---@return cekura.Each
function Tools:each(params, options) end

--- GET /test_framework/v1/tools/{id}/
---@param id cekura.Id
---@param options? cekura.Timeout
---@return cekura.Record?
---@return cekura.Error? err
function Tools:get(id, options) end

--- GET /test_framework/v1/tools/
---@param params? cekura.Tools.ListParams
---@param options? cekura.Timeout
---@return cekura.Page?
---@return cekura.Error? err
function Tools:list(params, options) end

---@class cekura.Client
---@field agents cekura.Agents
---@field alerts cekura.Alerts
---@field billing cekura.Billing
---@field calls cekura.Calls
---@field critical_metric_scenarios cekura.CriticalMetricScenarios
---@field cron_jobs cekura.CronJobs
---@field dashboard_widgets cekura.DashboardWidgets
---@field dashboards cekura.Dashboards
---@field deep_research_insights cekura.DeepResearchInsights
---@field failure_mode_insights cekura.FailureModeInsights
---@field insight_reproduction_sessions cekura.InsightReproductionSessions
---@field insights cekura.Insights
---@field metric_reviews cekura.MetricReviews
---@field metrics cekura.Metrics
---@field organizations cekura.Organizations
---@field personalities cekura.Personalities
---@field phone_numbers cekura.PhoneNumbers
---@field predefined_metrics cekura.PredefinedMetrics
---@field projects cekura.Projects
---@field results cekura.Results
---@field runs cekura.Runs
---@field scenario_improvement_sessions cekura.ScenarioImprovementSessions
---@field scenarios cekura.Scenarios
---@field slack_workspaces cekura.SlackWorkspaces
---@field test_profiles cekura.TestProfiles
---@field test_sets cekura.TestSets
---@field tools cekura.Tools

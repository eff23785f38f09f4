--- What Prism refuses although the request is right, because the document is wrong, or Prism misreads the request:
-- violations by "METHOD /path/" as the module has it, each with the evidence. At most 30.

local DEFAULT = "the schema is the generator's default, that of the record; the words describe another body"

return {
  ["POST /observability/v1/alerts/{alert_id}/summarize/"] = {
    ["Request body must have required property 'name'"] = DEFAULT,
    ["Request body must have required property 'project'"] = DEFAULT,
    ["Request body must have required property 'source_type'"] = DEFAULT,
  },
  ["POST /test_framework/metric-reviews/process_feedbacks_cancel/"] = {
    ["Request body must have required property 'id'"] = DEFAULT,
  },
  ["POST /test_framework/metric-reviews/process_feedbacks_answer/"] = {
    ["Request body must have required property 'id'"] = DEFAULT,
  },
  ["POST /observability/v1/call-logs/rerun_evaluation/"] = {
    ["Request body must have required property 'assistant_id'"] =
      "agent_id and assistant_id are both required, and the words forbid to give both",
  },
  ["POST /test_framework/v1/scenarios/cancel-agent/"] = {
    ["Supported content types: properties,required,type"] =
      "the parts of the schema stand where the content types belong",
  },
  ["POST /user/v1/projects/{project_id}/preview_daily_report/"] = {
    ["Request body must have required property 'name'"] = DEFAULT,
  },
  ["POST /test_framework/v2/aiagents/{id}/upload_knowledge_base/"] = {
    ["Request body property files must be array"] =
      "Prism 5.14.2 keeps the last part of each name of a form as a text, so no form has a list for it",
  },
  ["POST /test_framework/v2/aiagents/{agent_id}/auto-fetch/"] = {
    ["No supported content types, but request included a non-empty body"] =
      "no body is declared; an empty object is what other starts without parameters take",
  },
}

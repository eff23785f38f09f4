--- The kinds of job, as data. A new kind is one more row.
--
--   start       method and path of the request that starts one
--   poll        method and path of the request that asks for its progress
--   id          the name of its id, in the answer to the start and in the query of the poll
--   poll_scope  which of agent_id, project_id and assistant_id the poll takes
--   params      what the start takes: name to { the check (cekura.check), required = true };
--               what is not listed is sent as it is
--   one_of      params of which just one may be given, and one must be unless `unless_list` is a list
--   output      the member of the answer's `output` that makes it usable
--   healthy     words in an `error` that tell a healthy end: there was nothing to do
--   call_log    true: the answer may have the shape of a call log
--   withdrawn   when the service took the endpoint out of its documents; told with `gone`
--   interval    seconds: the usual pause between two polls
--   timeout     seconds: how long a wait lasts if its caller does not say

local kinds = {}

-- The improve-prompt family. Cekura took it out of its documents on 2026-06-30, and out of the
-- service by what the commits say; whether the service still answers was not tested. If it does not,
-- a start gives an error of kind "gone" that names the endpoint. The shapes are those that clients
-- have seen: the documents gave the generator's default, a call log, for requests and answers alike.
local IMPROVE_PROMPT_WITHDRAWN = "2026-06-30"

local function improve_prompt(declaration)
  declaration.id = "progress_id"
  declaration.output = "improved_prompt"
  declaration.healthy = { "no issues" }
  declaration.call_log = true
  declaration.withdrawn = IMPROVE_PROMPT_WITHDRAWN
  declaration.interval = 5
  declaration.timeout = 150
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
  },
  -- The agent tells which call logs "all" and a number mean; a list says so itself.
  one_of = { "agent_id", "assistant_id", unless_list = "call_logs" },
}

kinds["runs.improve_prompt"] = improve_prompt {
  start = "POST /test_framework/v1/runs/improve_prompt_bg/",
  poll = "GET /test_framework/v1/runs/improve_prompt_progress/",
  params = {
    prompt = { "text", required = true },
    run_ids = { "ids", required = true },
    category_ids = { "ids" },
    workflow_metric_ids = { "ids" },
  },
}

return kinds

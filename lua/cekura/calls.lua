--- client.calls: call logs.

local encode = require "cekura.encode"
local job = require "cekura.job"
local kinds = require "cekura.kinds"
local read_params = require "cekura.params"
local request = require "cekura.request"
local response = require "cekura.response"

---@class cekura.Calls
local calls = {}

local ISSUES_PATH = "/observability/v1/call-logs/improve_prompt_issues/"

local ISSUES_PARAMS = {
  agent_id = { "id" },
  assistant_id = { "id" },
  call_logs = { "selection", required = true },
}

--- Lists the issues that a prompt improvement has found, once it has completed. Withdrawn together
-- with the improvement: an error of kind "gone" then names the endpoint.
---@param client cekura.Client
---@param params { call_logs: integer[]|"all"|integer, agent_id: any, assistant_id: any } as they are sent
---@return table? issues the answer, decoded
---@return cekura.Error? err
function calls.improve_prompt_issues(client, params)
  params = read_params("calls.improve_prompt_issues", ISSUES_PARAMS, params)
  local reply, err = request.send(client, "POST", ISSUES_PATH, { "Content-Type: application/json" },
    encode(params, "calls.improve_prompt_issues"))
  if not reply then
    return nil, job.mark_gone(err, kinds["calls.improve_prompt"])
  end
  local issues
  issues, err = reply:json()
  if not err and type(issues) ~= "table" then
    return nil, response.protocol_error(reply, "the answer is neither an object nor a list")
  end
  return issues, err
end

return calls

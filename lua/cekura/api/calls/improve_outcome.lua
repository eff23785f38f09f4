--- What a prompt improvement that has ended means: a new prompt, or nothing to do.

local described = require "cekura.described"
local errors = require "cekura.errors"

---@class cekura.Improvement
---@field state string "succeeded" or "nothing_to_do"
---@field improved_prompt? string nil: there was nothing to do
---@field summary_of_changes? string
---@field reason? string why there was nothing to do
---@field call_log cekura.CallLog the call, evaluated

local Improvement = described("cekura.improvement", function(improvement)
  return improvement.state
end)

--- Reads the result of an improvement's job.
---@param job cekura.Job
---@param result table of the job
---@param call cekura.CallLog
---@param is_as_before fun(prompt: string): boolean whether a prompt is the one that was to be improved
---@return cekura.Improvement? improvement, cekura.Error? err
local function improve_outcome(job, result, call, is_as_before)
  local improvement = { state = job.state, call_log = call }
  for name, value in pairs(result) do
    improvement[name] = improvement[name] or value
  end
  if improvement.state == "succeeded" and not improvement.improved_prompt then
    return nil, errors.new("protocol", "the improvement ended with a call log and no prompt", { job = job })
  elseif improvement.improved_prompt and is_as_before(improvement.improved_prompt) then
    improvement = { state = "nothing_to_do", reason = "the prompt came back as it was", call_log = call }
  end
  return setmetatable(improvement, Improvement)
end

return improve_outcome

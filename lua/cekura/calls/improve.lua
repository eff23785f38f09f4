--- The improvement loop around one call: its evaluation, a prompt improvement from it, the new prompt.

local check = require "cekura.check"
local core = require "cekura.core"
local errors = require "cekura.errors"
local kinds = require "cekura.kinds"
local pages = require "cekura.calls.pages"
local params = require "cekura.params"

local improve = {}

-- An evaluation and an improvement, by the time that each is usually given.
local TIMEOUT = 450

-- How long a call may take to be known after it ended is not documented: it is looked for this often.
local LOOK_EVERY = 5

local OPTIONS = { call_id = true, id = true, timeout = true, interval = true, on_progress = true }

-- Seconds for one request: as long as usual, and no longer than is left.
local function within(client, left)
  return math.max(0.001, math.min(core.fields(client)._timeout, left()))
end

-- The id of the record of a call, which may not be there yet.
local function find_record(client, given, left)
  if given.id ~= nil or type(given.call_id) == "number" then
    return given.id or given.call_id
  end
  while left() > 0 do
    local page, err = pages.list(client, { agent_id = given.agent_id, filters = { "call_id", "eq", given.call_id } },
      { timeout = within(client, left) })
    for _, call in ipairs(page and page.results or {}) do
      if call:get "call_id" == given.call_id and call:get "id" ~= nil then
        return call:get "id"
      end
    end
    if not page and left() > 0 then
      return nil, err
    end
    core.fields(client)._loop.sleep(math.min(math.max(0, left()), given.interval or LOOK_EVERY))
  end
  return nil, errors.new("timeout", ("there is no call %s after %g s"):format(given.call_id, given.timeout or TIMEOUT))
end

local function check_given(given)
  check.table("self_improve: params", given)
  check.text("self_improve: prompt", given.prompt)
  check.id("self_improve: " .. (given.id ~= nil and "id" or "call_id"), given.id ~= nil and given.id or given.call_id)
  if given.agent_id ~= nil then
    check.id("self_improve: agent_id", given.agent_id)
  end
  check.seconds("self_improve: timeout", given.timeout)
  check.seconds("self_improve: interval", given.interval)
  check.callback("self_improve: on_progress", given.on_progress)
end

-- What the improvement is started with, but for the call; checked now, and not when the evaluation is paid for.
local function start_of(given)
  local start = {}
  if given.call_logs ~= nil then
    errors.misuse "self_improve: call_logs: it is the call that is named"
  end
  for name, value in pairs(given) do
    if not OPTIONS[name] then
      start[name] = value
    end
  end
  start.call_logs = { 1 }
  params.read("self_improve", kinds["calls.improve_prompt"], start)
  return start
end

---@class cekura.Improvement
---@field state string "succeeded" or "nothing_to_do"
---@field improved_prompt? string nil: there was nothing to do
---@field summary_of_changes? string
---@field reason? string why there was nothing to do
---@field call_log cekura.CallLog the call, evaluated

--- What an improvement that has ended gives.
---@param job cekura.Job
---@param result table of the job
---@param call cekura.CallLog
---@param is_as_before fun(prompt: string): boolean whether a prompt is the one that was to be improved
---@return cekura.Improvement? improvement, cekura.Error? err
function improve.outcome(job, result, call, is_as_before)
  local improvement = { state = job.state, call_log = call }
  for name, value in pairs(result) do
    improvement[name] = improvement[name] or value
  end
  if improvement.state == "succeeded" and not improvement.improved_prompt then
    return nil, errors.new("protocol", "the improvement ended with a call log and no prompt", { job = job })
  elseif improvement.improved_prompt and is_as_before(improvement.improved_prompt) then
    return { state = "nothing_to_do", reason = "the prompt came back as it was", call_log = call }
  end
  return improvement
end

--- Waits until a call is evaluated, has the agent's prompt improved from it, and waits for that. A prompt that
-- comes back as it was is nothing to do. Nothing is changed in the service.
---@param client cekura.Client
---@param given { agent_id: any, call_id: string|integer?, id: integer|string?, prompt: string, timeout: number?,
---interval: number?, on_progress: function? } call_id: the provider's, a string, of a call of the last 30 days; a
---number, and `id`, is that of the record. timeout (seconds, 450) is one for all of it; interval and on_progress are
---those of both jobs' waits. What else there is goes to the start of the improvement
---@return cekura.Improvement? improvement, cekura.Error? err
function improve.self_improve(client, given)
  check_given(given)
  local start = start_of(given)
  local deadline = core.now() + (given.timeout or TIMEOUT)
  local function left()
    return deadline - core.now()
  end
  local function wait(job)
    return job:wait { timeout = math.max(0, left()), interval = given.interval, on_progress = given.on_progress }
  end

  local id, err = find_record(client, given, left)
  if not id then
    return nil, err
  end
  local job, call, result
  job, err = client:job("calls.evaluation", id)
  if job then
    call, err = wait(job)
  end
  if not call then
    return nil, err
  end

  start.call_logs = { call:get "id" }
  job, err = client:start("calls.improve_prompt", start, { timeout = within(client, left) })
  if job then
    result, err = wait(job)
  end
  if not result then
    return nil, err
  end
  return improve.outcome(job, result, call, function(prompt)
    return prompt == given.prompt
  end)
end

return improve

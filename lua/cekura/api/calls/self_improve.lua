--- calls:self_improve: the loop around one call. Its evaluation, a prompt improvement from it, the new prompt.

local check = require "cekura.check"
local core = require "cekura.core"
local errors = require "cekura.errors"
local improve_outcome = require "cekura.api.calls.improve_outcome"
local kinds = require "cekura.api.kinds"
local params = require "cekura.api.params"
local selection = require "cekura.job.selection"
local show = require "cekura.show"

-- Seconds for an evaluation and an improvement, from their usual durations.
local TIMEOUT = 450

-- How long after its end a call appears at the service is not documented: seconds to search for it, and between tries.
local APPEAR_WITHIN, SEARCH_EVERY = 60, 5

local OPTIONS = { call_id = true, id = true, timeout = true, interval = true, on_progress = true, appear_within = true }

-- ---- the call ----

-- Seconds for one request: the usual timeout, or the time left if that is less.
local function within(client, left)
  return math.max(0.001, math.min(core.fields(client)._timeout, left()))
end

local function record_id(given)
  return given.id or type(given.call_id) == "number" and given.call_id or nil
end

local function no_call(given, cause)
  local message = show.format("there is no call %s", record_id(given) or given.call_id)
  return errors.new("not_found", message, { cause = cause })
end

-- The id of the record of a call that is known by the provider's id, and whether its evaluation is done.
local function find_record(client, given, left)
  local page, err = client.calls:list({ agent_id = given.agent_id, filters = { "call_id", "eq", given.call_id } },
    { timeout = within(client, left) })
  for _, call in ipairs(page and page.results or {}) do
    if call:get "call_id" == given.call_id and call:get "id" ~= nil then
      return call:get "id", call:evaluated()
    end
  end
  if page or left() <= 0 and err.kind ~= "cancelled" then
    err = no_call(given, err)
  end
  return nil, false, err
end

local function wait(job, given, left, on_progress)
  return job:wait { timeout = math.max(0, left()), interval = given.interval, on_progress = on_progress }
end

-- Searches for the call once, and waits for its evaluation. An error of kind "not_found": the service does not know it.
local function search(client, given, left)
  local id, is_evaluated, job, call, err = record_id(given), false, nil, nil, nil
  if id == nil then
    id, is_evaluated, err = find_record(client, given, left)
  end
  if id ~= nil then
    job, err = client:job("calls.evaluation", id)
  end
  if job then
    if is_evaluated then -- so the first poll brings the end, and is to bring the whole record
      selection.ask(job, core.fields(job), selection.WHOLE)
    end
    call, err = wait(job, given, left, given.on_progress and function(evaluation)
      if evaluation.state ~= "gone" or evaluation.status then -- else the search has found no call
        given.on_progress(evaluation)
      end
    end)
  end
  if not call and err.kind == "gone" and job.status == nil then
    err = no_call(given, err)
  end
  return call, err
end

-- Searches until the call is there, and returns it when it is evaluated.
local function find_call(client, given, left)
  local began, searches = core.now(), 0
  local appear_within = given.appear_within or APPEAR_WITHIN
  local rest
  repeat
    local call, err = search(client, given, left)
    if call or err.kind ~= "not_found" then
      return call, err
    end
    searches = searches + 1
    if given.on_progress then
      given.on_progress { kind = "calls.evaluation", state = "pending", status = "not_found", polls = searches,
        elapsed = core.now() - began, error = err }
    end
    rest = math.min(left(), began + appear_within - core.now())
    if rest <= 0 and left() > 0 then
      err.message = ("%s: %d searches within %g s found none"):format(err.message, searches, appear_within)
      return nil, err
    elseif rest > 0 then
      local interval = given.interval ~= "adaptive" and given.interval or SEARCH_EVERY
      core.fields(client)._loop.sleep(math.min(rest, core.quickened(client, interval)))
    end
  until left() <= 0
  return nil, errors.new("timeout", show.format("there is no call %s after %g s", record_id(given) or given.call_id,
    given.timeout or TIMEOUT))
end

-- ---- parameters ----

-- The parameters, checked; a copy.
local function read_given(given, options)
  local copy = {}
  for name, value in pairs(check.table("self_improve: params", given)) do
    copy[name] = value
  end
  check.text("self_improve: prompt", given.prompt)
  check.id("self_improve: " .. (given.id ~= nil and "id" or "call_id"), given.id ~= nil and given.id or given.call_id)
  check.seconds("self_improve: timeout", given.timeout)
  if given.appear_within ~= 0 then
    check.seconds("self_improve: appear_within", given.appear_within)
  end
  check.interval("self_improve: interval", given.interval)
  check.callback("self_improve: on_progress", given.on_progress)
  local timeout = check.timeout(options)
  if timeout and given.timeout ~= nil then
    errors.misuse "self_improve: timeout: it is given twice, among the parameters and after them"
  end
  copy.timeout = timeout or given.timeout
  return copy
end

-- The parameters of the improvement's start, with a placeholder for the call; checked before the evaluation is charged.
local function start_of(given)
  local start = {}
  if given.call_logs ~= nil then
    errors.misuse "self_improve: call_logs: the call is named by call_id or id"
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

-- ---- the method ----

---@class cekura.SelfImprove the parameters of calls:self_improve. All others go to the start of the improvement
---@field agent_id? cekura.Id
---@field call_id? string|integer the provider's, a string, of a call of the last 30 days; a number is the id of the
---record
---@field id? cekura.Id of the record
---@field prompt string the agent's
---@field timeout? number seconds for all of it (450)
---@field interval? number|"adaptive" seconds: of the waits of both jobs, and of the search for a call that the service
---does not know yet (5)
---@field on_progress? fun(job: cekura.Job|table) of the waits of both jobs; also called after each search that found no
---call, with a table that has the fields kind, state ("pending"), status ("not_found"), polls (the number of searches),
---elapsed and error
---@field appear_within? number seconds within which the search must find the call (60)
---@field extra? table<string, any> further parameters of the start, which are sent unchecked
---@field [string] any parameters of the start

--- Waits until a call is evaluated, starts an improvement of the agent's prompt from it, and waits for the result. An
--- unchanged prompt means that there was nothing to do. Nothing is changed in the service.
---@param client cekura.Client
---@param given cekura.SelfImprove
---@param options? { timeout: number? } the same as `timeout` of `given`
---@return cekura.Improvement? improvement
---@return cekura.Error? err of kind "not_found": the call did not appear in time
local function self_improve(client, given, options)
  given = read_given(given, options)
  local start = start_of(given)
  local deadline = core.now() + (given.timeout or TIMEOUT)
  local function left()
    return deadline - core.now()
  end

  local call, err = find_call(client, given, left)
  if not call then
    return nil, err
  end
  local job, result
  start.call_logs = { call:get "id" }
  job, err = client:start("calls.improve_prompt", start, { timeout = within(client, left) })
  if job then
    result, err = wait(job, given, left, given.on_progress)
  end
  if not result then
    return nil, err
  end
  return improve_outcome(job, result, call, function(prompt)
    return prompt == given.prompt
  end)
end

return self_improve

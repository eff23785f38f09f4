--- An improvement: started once, waited for, and handed to its handler. What must be known after a restart is saved at
-- each step: the intent before the start is sent, and the token right after it.

local call_log = require "cekura.records.call_log"
local core = require "cekura.core"
local encode = require "cekura.http.encode"
local errors = require "cekura.errors"
local show = require "cekura.show"
local improve_outcome = require "cekura.api.calls.improve_outcome"
local job_status = require "cekura.job.status"
local token = require "cekura.job.token"
local watch_state = require "cekura.watch.state"

local improvement = {}

-- Seconds that an improvement may take, from its start.
local TIMEOUT = 600

-- Seconds that a resumed job is waited for at least: it may have ended while no watch ran.
local LEAST_WAIT = 60

-- Errors that say nothing about the job, which is waited for again later.
local TRANSIENT = { auth = true, tls = true, network = true, rate_limited = true, server = true, cancelled = true,
  closed = true }

-- Saved in place of the prompt, which may be long.
local function sum_of(prompt)
  return #prompt .. "-" .. token.checksum(prompt)
end

-- ---- the end ----

-- Removes the improvement, or keeps it for the next watch if its job has not ended.
local function remove(work)
  local item = work.item
  if item.token and work.job and not job_status.is_end(work.job.state) then
    work.state:give_up(item)
  else
    work.state:remove(item)
  end
end

-- Calls the handler of the outcome and removes the improvement.
local function conclude(work, name, counter, ...)
  if not work:may_proceed() then
    return nil
  end
  work.busy = true
  local _, interrupted = work:call(name, ...)
  work.busy = false
  if interrupted then
    return nil, interrupted
  end
  remove(work)
  work.watch.report:count(counter)
  work:save()
  return true
end

local function fail(work, err, call)
  if work.item.given_up then -- its failure was reported before
    if work:may_proceed() then
      remove(work)
      work:save()
    end
    return true
  end
  if not work.entry.on_failed and work:may_proceed() then
    work.watch.report:problem(err, work.entry.path)
  end
  return conclude(work, "on_failed", "failed", err, call, work.entry.given)
end

-- The record for the handlers. One that was deleted, or cannot be read, consists of its id alone.
local function find_call(work)
  local watch, item = work.watch, work.item
  local call, err = watch.calls[item], nil
  if not call then
    call, err = work:retry(LEAST_WAIT, function()
      return watch.client.calls:get(item.call)
    end)
    if not call and not TRANSIENT[err.kind] and err.kind ~= "timeout" then
      local id = tonumber(item.call) and item.call:match "^%d+$" or encode({ item.call }, "id"):sub(2, -2)
      call = call_log.read(('{"id":%s}'):format(id))
    end
    watch.calls[item] = call
  end
  return call, err
end

-- ---- the start ----

-- The prompt as it is now; or nil, an error, and whether that only interrupted the function that returns the prompt.
local function find_prompt(work, call)
  local entry = work.entry
  local prompt, interrupted = entry.prompt, nil
  if type(prompt) ~= "string" then
    prompt, interrupted = work:call("prompt", entry.agent_id or call:get "agent", call, entry.given)
  end
  if interrupted then
    return nil, interrupted, true
  elseif type(prompt) ~= "string" or not core.is_utf8(prompt) then
    return nil, errors.new("config",
      show.format("%s.prompt: a text expected, in UTF-8, got %s", entry.path, show.type(prompt)))
  end
  return prompt
end

-- Whether the service certainly has not processed the start.
local function was_not_processed(err)
  return err.sent == false or err.kind == "rate_limited" or err.kind == "auth"
    or err.status == 503 and err.retry_after ~= nil
end

-- Nothing was started. The write need not have ended when the improvement is tried again: until then it counts as
-- being started.
local function withdraw(work, err)
  work.item.state = "wanted"
  work.uncount()
  work.watch.persistence:request_write(work.state)
  return nil, err
end

-- The start may have been processed, and a later watch is to know what cut it off.
local function cut(work, err)
  work.item.cut = err.kind == "closed" and "its client was closed" or "its task was cancelled"
  work.watch.persistence:request_write(work.state)
  return nil, err
end

-- Starts the job. Returns it; or nil, an error, and whether the improvement has failed by that.
local function start(work, call)
  local watch, item = work.watch, work.item
  local prompt, err, interrupted = find_prompt(work, call)
  if not prompt then
    work.uncount()
    return nil, err, not interrupted
  elseif work:is_over() then -- so no intent is written: a process that ends now would leave it behind
    work.uncount()
    return nil
  end
  work.busy = true
  watch_state.update_item(item, { state = "starting", prompt_sum = sum_of(prompt) })
  if not work:save() or not work:may_proceed() then -- a failed write was reported
    return withdraw(work)
  end
  local job
  job, err = watch.client:start("calls.improve_prompt",
    { agent_id = work.entry.agent_id, call_logs = { call:get "id" }, prompt = prompt })
  if job then
    watch.report:count "started"
    local text = job:token()
    if text then -- else the job ended with its start
      watch_state.update_item(item, { state = "running", token = text })
      work:save()
    end
    return job
  elseif was_not_processed(err) then
    return withdraw(work, err)
  elseif err.kind == "cancelled" or err.kind == "closed" then
    return cut(work, err)
  end
  return nil, err, true
end

-- Resumes the job that was started before, maybe by another process. Returns the same as start().
local function resume(work)
  local item = work.item
  if item.state == "starting" then
    return nil, errors.new("unknown_outcome", ("the improvement from call %s was being started when %s: whether "
      .. "it was started is unknown"):format(item.call, item.cut)), true
  end
  local job, err = work.watch.client:resume(item.token)
  if job then
    job:poll() -- a job that has ended is handled, however long ago that was
  end
  return job, err, err and err.kind ~= "closed"
end

-- ---- the whole ----

-- Waits for the job and calls the handler of its outcome.
local function wait_for_outcome(work, call, seconds)
  local job, given = work.job, work.entry.given
  local result, err = work:retry(seconds, function(left)
    return job:wait { timeout = left }
  end)
  local outcome
  if result then
    outcome, err = improve_outcome(job, result, call, function(prompt)
      return sum_of(prompt) == work.item.prompt_sum
    end)
  end
  if outcome and outcome.state == "nothing_to_do" then
    return conclude(work, "on_nothing_to_do", "nothing_to_do", outcome, call, given)
  elseif outcome then
    return conclude(work, "on_improved", "improved", outcome, call, given)
  elseif TRANSIENT[err.kind] then
    return nil, err
  end
  return fail(work, err, call)
end

--- Makes an improvement, in a task.
---@param work cekura.watch.Work
---@return boolean? ok, cekura.Error? err nil: it is to be tried again
function improvement.run(work)
  local call, err = find_call(work)
  if not call then
    return nil, err
  end
  local is_new = work.item.state == "wanted"
  local job, has_failed
  job, err, has_failed = (is_new and start or resume)(work, call)
  work.busy = false
  if not job and has_failed then
    return fail(work, err, call)
  elseif not job then
    return nil, err
  elseif work:is_over() and work.item.token then -- stopped while it was being started
    return true
  end
  work.job = job
  local seconds = (work.entry.timeout or TIMEOUT) - job.elapsed
  return wait_for_outcome(work, call, math.max(seconds, is_new and 0 or LEAST_WAIT))
end

return improvement

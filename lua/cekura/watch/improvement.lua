--- One improvement of a watch: started once, waited for, and told of. What is to be known after a restart is kept at
-- each step: the intent before the start is sent, the token right after it.

local call_log = require "cekura.records.call_log"
local core = require "cekura.core"
local encode = require "cekura.http.encode"
local errors = require "cekura.errors"
local improve = require "cekura.api.calls.improve"
local job_status = require "cekura.job.status"
local kept_state = require "cekura.watch.state"
local token = require "cekura.job.token"

local improvement = {}

-- Seconds that one may take, from its start.
local TIMEOUT = 600

-- Seconds that a job which was taken up is waited for at least: it may have ended while nobody looked.
local LEAST_WAIT = 60

-- What says nothing about the job: it is waited for again later.
local PASSING = { auth = true, tls = true, network = true, rate_limited = true, server = true, cancelled = true,
  closed = true }

-- Kept in place of the prompt, which may be long.
local function sum_of(prompt)
  return #prompt .. "-" .. token.checksum(prompt)
end

-- Forgets the improvement. One whose job has not ended is kept, for the next watch to see whether it has.
local function forget(work)
  local item = work.item
  if item.token and work.job and not job_status.is_end(work.job.state) then
    kept_state.give_up(work.state, item)
  else
    kept_state.remove(work.state, item)
  end
end

-- Forgets the improvement, once its handler was called.
local function conclude(work, handler, counter, ...)
  local watch = work.watch
  if not work:may_go_on() then
    return nil, errors.new("closed", "the watch has ended")
  end
  work.busy = true
  local _, interrupted = watch:call(work.entry, handler, ...)
  work.busy = false
  if interrupted then
    return nil, interrupted
  end
  forget(work)
  watch:count(counter)
  watch.kept:save(work.state)
  return true
end

local function fail(work, err, call)
  if work.item.given_up then -- then it was told
    if work:may_go_on() then
      forget(work)
      work.watch.kept:save(work.state)
    end
    return true
  end
  if not work.entry.on_failed and work:may_go_on() then
    work.watch:problem(err, work.entry.path)
  end
  return conclude(work, "on_failed", "failed", err, call, work.entry.given)
end

-- The call, for the handlers. One that is there no longer, or cannot be read, is a record of its id alone.
local function find_call(work)
  local watch, item = work.watch, work.item
  local call, err = watch.calls[item], nil
  if not call then
    call, err = work:ask_on(LEAST_WAIT, function()
      return watch.client.calls:get(item.call)
    end)
    if not call and not PASSING[err.kind] and err.kind ~= "timeout" then
      local id = tonumber(item.call) and item.call:match "^%d+$" or encode({ item.call }, "id"):sub(2, -2)
      call = call_log.read(('{"id":%s}'):format(id))
    end
    watch.calls[item] = call
  end
  return call, err
end

-- ---- the start ----

-- The prompt as it is now; nil and an error that cannot be helped, or the one that interrupted its function.
local function find_prompt(work, call)
  local entry = work.entry
  local prompt, interrupted = entry.prompt, nil
  if type(prompt) ~= "string" then
    prompt, interrupted = work.watch:call(entry, "prompt", entry.agent_id or call:get "agent", call, entry.given)
  end
  if interrupted then
    return nil, interrupted, true
  elseif type(prompt) ~= "string" or not core.is_utf8(prompt) then
    return nil, errors.new("config", ("%s.prompt: a text expected, in UTF-8, got %s"):format(entry.path, type(prompt)))
  end
  return prompt
end

-- Whether the service certainly has not processed the start.
local function was_not_processed(err)
  return err.sent == false or err.kind == "rate_limited" or err.kind == "auth"
    or err.status == 503 and err.retry_after ~= nil
end

-- The write need not have ended when the improvement is tried again: until then it counts as being started.
local function keep_wanted(work, err)
  work.item.state = "wanted"
  work.take_back()
  work.watch.kept:note(work.state)
  return nil, err
end

-- It may have been processed, and a later watch is to know by what it was cut off.
local function keep_cut(work, err)
  work.item.cut = err.kind == "closed" and "its client was closed" or "its task was cancelled"
  work.watch.kept:note(work.state)
  return nil, err
end

-- Returns the job; nil and an error, and whether that ends it.
local function start(work, call)
  local watch, item = work.watch, work.item
  local prompt, err, interrupted = find_prompt(work, call)
  if not prompt then
    work.take_back()
    return nil, err, not interrupted
  end
  work.busy = true
  kept_state.change(item, { state = "starting", prompt_sum = sum_of(prompt) })
  if not watch.kept:save(work.state) or not work:may_go_on() then -- why not was told
    return keep_wanted(work)
  end
  local job
  job, err = watch.client:start("calls.improve_prompt",
    { agent_id = work.entry.agent_id, call_logs = { call:get "id" }, prompt = prompt })
  if job then
    watch:count "started"
    local text = job:token()
    if text then -- else it ended in its start
      kept_state.change(item, { state = "running", token = text })
      watch.kept:save(work.state)
    end
    work.busy = false
    return job
  elseif was_not_processed(err) then
    return keep_wanted(work, err)
  end
  if err.kind == "cancelled" or err.kind == "closed" then
    return keep_cut(work, err)
  end
  return nil, err, true
end

-- The job as it was started before, maybe by another process; nil, an error, and whether that ends it.
local function take_up(work)
  local item = work.item
  if item.state == "starting" then
    return nil, errors.new("unknown_outcome", ("the improvement from call %s was being started when %s: it may have "
      .. "been, or not"):format(item.call, item.cut)), true
  end
  local job, err = work.watch.client:resume(item.token)
  if job then
    job:poll() -- one that has ended is told of, however long ago that was
  end
  return job, err, err and err.kind ~= "closed"
end

--- Makes one improvement. Runs as a task of its own.
---@param work cekura.watch.Work
---@return boolean? ok, cekura.Error? err nil: it is to be tried again
function improvement.run(work)
  local call, err = find_call(work)
  if not call then
    return nil, err
  end
  local is_new = work.item.state == "wanted"
  local job, over
  job, err, over = (is_new and start or take_up)(work, call)
  work.busy = false
  if not job then
    if over then
      return fail(work, err, call)
    end
    return nil, err
  elseif work:is_over() and work.item.token then -- stopped while it was being started
    return true
  end
  work.job = job
  local time = math.max((work.entry.timeout or TIMEOUT) - job.elapsed, is_new and 0 or LEAST_WAIT)
  local result
  result, err = work:ask_on(time, function(left)
    return job:wait { timeout = left }
  end)
  local outcome
  if result then
    outcome, err = improve.outcome(job, result, call, function(prompt)
      return sum_of(prompt) == work.item.prompt_sum
    end)
  end
  if not outcome then
    if PASSING[err.kind] then
      return nil, err
    end
    return fail(work, err, call)
  elseif outcome.state == "nothing_to_do" then
    return conclude(work, "on_nothing_to_do", "nothing_to_do", outcome, call, work.entry.given)
  end
  return conclude(work, "on_improved", "improved", outcome, call, work.entry.given)
end

return improvement

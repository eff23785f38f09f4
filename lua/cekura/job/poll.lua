--- Polls of a job, by the engine's schedule or by job:poll(). Transient errors do not end the polling, nor do a few bad
-- answers in a row.

local atomic = require "cekura.loop.atomic"
local check = require "cekura.check"
local core = require "cekura.core"
local interpret = require "cekura.job.interpret"
local path = require "cekura.job.path"
local request = require "cekura.http.request"
local response = require "cekura.http.response"
local selection = require "cekura.job.selection"
local state = require "cekura.job.state"
local status = require "cekura.job.status"
local subscription = require "cekura.job.subscription"

local poll, change = {}, state.set

-- Seconds after the answer to a start during which some servers of the service may not know the job yet.
local GRACE = 15

local function is_early(self, err)
  local started = err.status == 404 and core.started_here_at(self)
  return started and core.now() < started + GRACE
end

-- Counts a bad answer. Returns whether the limit is reached: a single bad answer, such as a proxy's page, must not end
-- paid work.
local function is_one_too_many(self, fields)
  fields._bad_answers = fields._bad_answers + 1
  core.force_update(self) -- the next good answer resets the count, even if it equals the last one
  return fields._bad_answers >= core.fields(fields._client)._retries
end

-- Takes in the reply to a poll: see take(), below. Returns `is_bad` as the last: it holds no JSON object.
local function take_reply(self, fields, asked, reply)
  local meaning, err = interpret.reply(fields._declaration, fields._evaluation_mark, reply)
  if not meaning then
    return err, nil, nil, true
  end
  change(fields, "_bad_answers", 0)
  if selection.suffices(fields, asked, meaning) then
    change(fields, "_selected_end", false)
    return state.take_answer(self, fields, meaning)
  end
  change(fields, "_selected_end", status.is_end(meaning.state))
  state.learn(self, meaning.state)
  return nil, nil, selection.of_result(fields)
end

-- Takes in the reply or the error of a poll. `asked`: see cekura.job.selection; `is_bad`: see request.read(). Returns
-- `stop`, an error that ends the waits for the job, since another poll does not help, or not now; `failure`, an error
-- if the poll brought no answer that could be taken in; and what the later polls are to ask for, if that changes.
local function take(self, asked, reply, err, is_bad)
  local fields = core.fields(self)
  if reply then
    local stop, failure, wish
    stop, failure, wish, is_bad = take_reply(self, fields, asked, reply)
    if not is_bad then
      return stop, failure, wish
    end
    err = stop
  elseif selection.is_refused(fields, asked, err) then
    selection.switch_off(self, fields, err)
    err.job = self
    return nil, err, selection.WHOLE
  end
  local early = is_early(self, err)
  -- On a poll, 404 and 410 mean that the service does not know the job.
  err = state.mark_gone(err, fields._declaration, self)
  err.job = self
  if early or is_bad and not is_one_too_many(self, fields) then
    return nil, err
  elseif err.kind == "gone" and fields._selected_end then -- forgotten since, and not unknown
    return state.take_reply(self, fields, response.new(fields._client, "GET", path.of(fields),
      { status = 200, _head = "", body = core.answer(self) }))
  end
  fields.error = err
  if err.kind == "gone" then
    state.change(self, fields, "gone")
  end
  return err, err
end

-- Resets the count of bad answers last: after a failed allocation the same update is processed again, and must stop
-- again.
local function notify(self, fields, stop)
  subscription.notify(self, stop)
  if stop then
    change(fields, "_bad_answers", 0)
  end
end

-- The results of request.read().
local function read_update(self, fields, outcome)
  if outcome == true then
    return response.of_update(self)
  end
  return request.read(fields._client, "GET", path.of(fields), outcome)
end

--- Processes the update of a job that the engine lists. cekura.loop.dispatch calls it.
---@param self cekura.Job
function poll.on_update(self)
  local fields = core.fields(self)
  local settle = core.accept_update
  local outcome = core.update(self) -- nil: the job was no longer watched when its last poll ended
  if status.is_end(fields.state) then
    subscription.notify(self)
  elseif outcome then
    local stop, failure, wish = take(self, fields._asked, read_update(self, fields, outcome))
    notify(self, fields, stop)
    if wish then -- last: after a lack of memory the same update is taken in again
      selection.ask(self, fields, wish)
    end
    settle = failure and core.reject_update or settle
  end
  settle(fields._client, self)
end

local take_requested = atomic(function(self, asked, reply, err, is_bad)
  local fields = core.fields(self)
  if status.is_end(fields.state) then -- cancelled, or ended by another poll, meanwhile
    if fields.error and fields.error.kind == "cancelled" then
      return nil, fields.error
    elseif err and err.kind == "cancelled" then -- of the task, whose wait has to end with it
      return nil, err
    end
    return self
  end
  local stop, failure, wish = take(self, asked, reply, err, is_bad)
  if reply or err.attempts and err.attempts > 0 then -- there was a request
    if reply or err.status then
      core.postpone(self, (reply and reply._retry_after) or err and err.retry_after)
    end
    if reply and not failure then
      core.set_answer(self, reply.body)
    else
      core.count_poll(self)
    end
  end
  if wish then
    selection.ask(self, fields, wish)
  end
  fields.error = failure or fields.error
  if not (reply or is_bad) then -- an error of this request alone: other waiters have polls of their own
    stop = nil
  end
  notify(self, fields, stop)
  subscription.reraise(fields)
  failure = failure or stop and stop.kind == "protocol" and stop
  if failure then
    return nil, failure
  end
  return self
end)

--- job:poll(): polls the job once, now, by one request that is not repeated. A job that has ended is not polled. A bad
-- answer leaves the job as it is, and counts in the row of its waiters, too. The request asks for all that the result
-- is to hold, the whole record or the job's `fields`, so that it may bring the end.
---@param self cekura.Job
---@param options? { timeout: number? } seconds
---@return cekura.Job? job with updated fields
---@return cekura.Error? err
function poll.now(self, options)
  local fields, timeout = core.fields(self), check.timeout(options)
  if fields._operation then
    return self
  elseif status.is_end(fields.state) then
    if fields.state == "gone" then
      return nil, fields.error
    end
    return self
  end
  local asked = selection.of_result(fields)
  return take_requested(self, asked, request.poll(fields._client,
    { path = path.of(fields, asked), timeout = timeout, owner = fields, endpoint = fields._endpoint }))
end

--- The last error that did not end the polling; nil if there is none.
---@param self cekura.Job
---@return cekura.Error?
function poll.last_error(self)
  local fields = core.fields(self)
  local outcome = core.last_error(self) -- a direct job has none
  if not outcome then
    return nil
  end
  local reply, err = request.read(fields._client, "GET", path.of(fields), outcome)
  if reply then
    err = select(2, interpret.reply(fields._declaration, fields._evaluation_mark, reply))
  end
  return state.mark_gone(err, fields._declaration, self)
end

return poll

--- Waiting for jobs: job:wait(), job:updates(), cekura.each() and cekura.all().

local check = require "cekura.check"
local core = require "cekura.core"
local described = require "cekura.described"
local errors = require "cekura.errors"
local path = require "cekura.job.path"
local poll = require "cekura.job.poll"
local selection = require "cekura.http.selection"
local show = require "cekura.show"
local state = require "cekura.job.state"
local status = require "cekura.job.status"
local subscription = require "cekura.job.subscription"
local yields = require "cekura.loop.yieldable"

local wait = {}

local GOOD_ENDS = { succeeded = true, nothing_to_do = true }

-- The timeout of a wait without the option. A direct job has only the deadline of its request.
local function usual_timeout(fields)
  return fields._operation and math.huge or fields._declaration.timeout
end

-- The results of wait() for a job that has ended. A job that failed may have a result, too.
local function outcome(fields)
  if GOOD_ENDS[fields.state] then
    return fields.result
  end
  return nil, fields.error
end

local WAIT_OPTIONS = { timeout = true, interval = true, on_progress = true, fields = true }

-- Returns the options one by one: a table of them would stay for as long as the wait.
local function wait_options(options, default_timeout)
  options = check.options("options", options, WAIT_OPTIONS)
  return options.timeout == 0 and 0 or check.seconds("timeout", options.timeout) or default_timeout,
    check.interval("interval", options.interval), selection.check("fields", options.fields),
    check.callback("on_progress", options.on_progress)
end

-- Where a coroutine cannot yield across pcall, the collector closes the subscription after an error of on_progress.
local protected = yields and pcall or function(fn, ...)
  fn(...)
  return true
end

local function report(subscribed, on_progress, self)
  local ok, raised = protected(on_progress, self)
  if not ok then
    subscribed:close()
    error(raised, 0)
  end
end

-- The error of a wait that ends before the job does: `stop`, which ended its polls, or `why` as in subscription:next().
local function give_up(self, stop, why, timeout)
  if stop then
    return stop
  elseif why == "cancelled" then
    return errors.new("cancelled", "the task was cancelled", { job = self })
  elseif why == "closing" then
    return errors.new("closed", "the host is ending; the job goes on, and its token resumes it", { job = self })
  end
  local fields = core.fields(self)
  if fields.error and fields.error.kind == "needs_input" then -- as in settled(), below
    return fields.error
  end
  local cause = poll.last_error(self)
  local err = state.error(self, "timeout", ("not done after %g s%s"):format(timeout,
    cause and "; the last error: " .. cause.message or ""))
  err.cause, err.method, err.path = cause, fields._method, path.of(fields)
  fields.error = err
  return err
end

-- The results of a wait that has ended; the last three as in give_up().
local function settled(self, stop, why, timeout)
  local fields = core.fields(self)
  if status.is_end(fields.state) then
    return outcome(fields)
  end
  return nil, give_up(self, stop, why, timeout)
end

-- Waits until a job has ended.
local function wait_for(subscribed, self, timeout, on_progress)
  local deadline = core.now() + timeout
  local job, changed
  repeat
    job, changed = subscribed:next(deadline)
    if job and changed and on_progress then
      report(subscribed, on_progress, self)
    end
  until not job or subscribed.stop or status.is_end(core.fields(self).state)
  subscribed:close()
  return settled(self, subscribed.stop, changed, timeout)
end

-- Returns an iterator over `job, result, err` for the jobs of a subscription, in the order in which they are settled,
-- with the unfinished ones last.
---@param timeout number seconds: one deadline for all jobs
---@param polled_timeout? number that of the jobs that are polled, once only these are left
local function follow(subscribed, jobs, timeout, polled_timeout, on_progress)
  local began, given_up = core.now(), nil
  local left, place, direct = #jobs, 0, 0
  for _, each in ipairs(jobs) do
    direct = direct + (core.fields(each)._operation and 1 or 0)
  end

  local function settle(self, why)
    local result, err = settled(self, subscribed.stops[self], why, timeout)
    left = left - 1
    direct = direct - (core.fields(self)._operation and 1 or 0)
    if direct == 0 and polled_timeout then
      timeout = polled_timeout
    end
    subscribed:close(self)
    return self, result, err
  end

  return function()
    while left > 0 and not given_up do
      local self, changed = subscribed:next(began + timeout)
      if not self then
        given_up = changed
      elseif not subscribed.closed[self] then
        if changed and on_progress then
          report(subscribed, on_progress, self)
        end
        if status.is_end(core.fields(self).state) or subscribed.stops[self] then
          return settle(self)
        end
      end
    end
    while place < #jobs do
      place = place + 1
      if not subscribed.closed[jobs[place]] then
        return settle(jobs[place], given_up)
      end
    end
  end
end

---@class cekura.WaitOptions
---@field timeout? number seconds; nil: the default of the kind
---@field interval? number|"adaptive" seconds: every pause, plus or minus a tenth; "adaptive": the polls come when the
---job is likely to have ended, by the durations of earlier jobs of its kind; nil: the kind's schedule
---@field on_progress? fun(job: cekura.Job) called after each change of status or progress, in the waiter
---@field fields? string[] what the result is to hold at least, where the kind's polls take a selection: members, or
---all but those with a "-" before them; nil: the job's `fields`, else the whole record. A job that has ended keeps its
---result

--- job:wait(): waits until the job has ended.
---@param self cekura.Job
---@param options? cekura.WaitOptions
---@return cekura.JobResult|table|cekura.CallLog|nil result of a job that has succeeded, or had nothing to do
---@return cekura.Error? err
function wait.one(self, options)
  local fields = core.fields(self)
  local timeout, interval, wanted, on_progress = wait_options(options, usual_timeout(fields))
  if status.is_end(fields.state) then
    subscription.reraise(fields)
    return outcome(fields)
  end
  return wait_for(subscription.to_one(self, interval, wanted, on_progress ~= nil), self, timeout, on_progress)
end

--- job:updates(): iterates over the changes of the job, its end included. Stops when polling does, with `error` set.
---@param self cekura.Job
---@param options? cekura.WaitOptions
---@return fun(): cekura.Job?
function wait.updates(self, options)
  local fields = core.fields(self)
  local timeout, interval, wanted, on_progress = wait_options(options, usual_timeout(fields))
  local subscribed, deadline = subscription.to_one(self, interval, wanted, true), core.now() + timeout
  local guard = core.guard(function()
    subscribed:close()
  end)
  local over = false
  local function next_change()
    while guard and not over do
      local changed, how = subscribed:next(deadline)
      local ended = status.is_end(fields.state)
      over = ended or not changed or subscribed.stop ~= nil
      if over and not ended then
        fields.error = give_up(self, subscribed.stop, how, timeout)
      end
      if over then
        subscribed:close()
      end
      if ended or changed and how then
        if on_progress then
          report(subscribed, on_progress, self)
        end
        return self
      end
    end
  end
  return next_change, nil, nil, guard
end

-- ---- many ----

-- Two copies of the list, which the program may change during the wait: one with each job once, and one unchanged. They
-- are the same table unless a job is in the list twice.
local function check_jobs(jobs)
  check.table("jobs", jobs)
  local each_once, list, seen = {}, {}, {}
  for index, value in ipairs(jobs) do
    list[index] = value
    if core.type(value) ~= "job" then
      errors.misuse("jobs[%d]: job expected, got %s", index, show.type(value))
    end
    if not seen[value] then
      seen[value] = true
      each_once[#each_once + 1] = value
    end
  end
  for key in pairs(jobs) do
    if type(key) == "number" and list[key] == nil then -- a job that could not be started has left a hole
      errors.misuse("jobs[%d]: job expected, got nothing", #list + 1)
    end
  end
  return #each_once == #list and list or each_once, list
end

-- How long a list is waited for, and how long those of its jobs that are polled.
local function longest_timeouts(jobs)
  local longest, polled = 1, 1
  for _, self in ipairs(jobs) do
    local timeout = usual_timeout(core.fields(self))
    longest = math.max(longest, timeout)
    polled = timeout < math.huge and math.max(polled, timeout) or polled
  end
  return longest, polled
end

-- Iterates over a list that has each job once.
local function iterate(jobs, options)
  local usual, polled = longest_timeouts(jobs)
  local timeout, interval, wanted, on_progress = wait_options(options, usual)
  if #jobs == 0 then
    return function() end
  end
  -- The direct jobs, which end by themselves, are waited for without a deadline. Those that are polled may never end.
  local is_usual = options == nil or options.timeout == nil
  local polled_timeout = is_usual and timeout == math.huge and polled or nil
  local next_settled, subscribed
  -- A `break` ends the polling: Lua 5.4 and newer close the guard at once, others when the iterator is collected.
  local guard = core.guard(function()
    if subscribed then
      subscribed:close()
    end
  end)
  subscribed = subscription.to_many(jobs, interval, wanted, on_progress ~= nil)
  next_settled = follow(subscribed, jobs, timeout, polled_timeout, on_progress)
  return function()
    if guard then
      local self, result, err = next_settled() -- no tail call: Lua 5.1 would lose the frame that iterates
      return self, result, err
    end
  end, nil, nil, guard
end

--- Iterates over jobs in the order in which they finish. Those that are not done in time come last.
---@param jobs cekura.Job[] of one client or of several
---@param options? cekura.WaitOptions `timeout` is one deadline for all
---@return fun(): cekura.Job?, table?, cekura.Error?
function wait.each(jobs, options)
  return iterate((check_jobs(jobs)), options)
end

---@class cekura.JobOutcome
---@field job cekura.Job
---@field result? cekura.JobResult|table|cekura.CallLog
---@field err? cekura.Error
local Outcome = described("cekura.outcome", function(ended)
  return show.format("%s: %s", tostring(ended.job), tostring(ended.err or ended.result))
end)

--- Waits for all jobs.
---@param jobs cekura.Job[]
---@param options? cekura.WaitOptions `timeout` is one deadline for all
---@return cekura.JobOutcome[] list in the order given
function wait.all(jobs, options)
  local each_once, list = check_jobs(jobs)
  local outcomes = {}
  local next_settled = iterate(each_once, options) -- called, not iterated over: Lua 5.1 could not wait in it
  local self, result, err = next_settled()
  while self do
    outcomes[self] = setmetatable({ job = self, result = result, err = err }, Outcome)
    self, result, err = next_settled()
  end
  local ended = setmetatable({}, core.array_mt)
  for index, each in ipairs(list) do
    ended[index] = outcomes[each]
  end
  return ended
end

return wait

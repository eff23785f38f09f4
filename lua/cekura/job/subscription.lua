--- Subscriptions to the changes of jobs, on which wait, updates, all and each are built.
-- A subscription is registered with each of its jobs, which notify it of every change. A job is polled only while it
-- has a subscription and a task waits in subscription:next(). While the program handles a change, there are no polls,
-- so it sees every change. The subscription to a single job is registered only while next() waits.

local atomic = require "cekura.loop.atomic"
local core = require "cekura.core"
local errors = require "cekura.errors"
local status = require "cekura.job.status"
local yields = require "cekura.loop.yieldable"

local subscription = {}
subscription.__index = subscription

-- The shortest interval of the subscriptions; nil: the kind's schedule.
local function shortest_interval(subscriptions)
  local shortest
  for other in pairs(subscriptions) do
    if other.interval and (not shortest or other.interval < shortest) then
      shortest = other.interval
    end
  end
  return shortest
end

local function enqueue(self, job)
  if self.queued[job] then
    return
  end
  self.queue[self.last + 1] = job
  self.queued[job] = true
  self.last = self.last + 1
end

-- Makes the engine poll the job at the interval of its subscriptions. They alone determine whether it is watched.
local function watch(job, fields)
  if fields._operation then
    return -- a direct job: its request ends by itself
  elseif next(fields._subscriptions) == nil then
    core.unwatch(fields._client, job)
  elseif not status.is_end(fields.state) then
    core.watch(fields._client, job,
      shortest_interval(fields._subscriptions) or core.fields(fields._client)._interval)
  end
end

local function unregister(self, job)
  local fields = core.fields(job)
  if fields._subscriptions[self] then
    fields._subscriptions[self] = nil
    watch(job, fields)
  end
end

local function register(self, job)
  local fields = core.fields(job)
  if status.is_end(fields.state) then
    enqueue(self, job)
    return
  end
  if core.is_closed(fields._client) then
    self.stopped[job] = errors.new("closed", "the client is closed", { job = job, sent = false })
    enqueue(self, job)
    return
  end
  fields._subscriptions[self] = true
  local ok, raised = pcall(watch, job, fields)
  if not ok then
    unregister(self, job)
    error(raised, 0)
  end
end

--- Raises the error that an event handler raised about a job, once: in the task that waits for the job.
---@param owner table the job's private fields, or the owner of a request
function subscription.reraise(owner)
  local raised = owner._raised
  if raised then
    owner._raised = nil
    error(raised[1], 0)
  end
end

---@class cekura.Subscription

--- Gives it another timeout, from its beginning.
---@param timeout number seconds
function subscription:set_timeout(timeout)
  self.deadline, self.timeout = self.began + timeout, timeout
end

--- Subscribes to jobs.
---@param jobs cekura.Job[] each once
---@param timeout number seconds: one deadline for all jobs
---@param interval? number seconds
---@param fields? string[] what the results are to hold
subscription.new = atomic(function(jobs, timeout, interval, fields)
  local self = setmetatable({
    jobs = jobs,
    interval = interval,
    fields = fields,
    began = core.now(),
    deadline = core.now() + timeout,
    timeout = timeout,
    queue = {}, first = 1, last = 0,
    queued = {},  -- the jobs in the queue
    seen = {},    -- job to its version when next() last gave it
    stopped = {}, -- job to the error that ended its polls
    clients = {}, -- of the jobs; true: the client counts the waiter
    waiter = false, -- of the task in next()
  }, subscription)
  for _, job in ipairs(jobs) do
    local job_fields = core.fields(job)
    self.clients[job_fields._client] = false
    self.seen[job] = job_fields._version
    if not status.is_end(job_fields.state) then
      job_fields.error = nil
      if not job_fields._operation then
        core.forget_error(job)
      end
    end
  end
  for _, job in ipairs(#jobs > 1 and jobs or {}) do
    local ok, raised = pcall(register, self, job)
    if not ok then
      self:close()
      error(raised, 0)
    end
  end
  return self
end)

-- Sets the waiter of the task in next(); false: none. A client polls while a subscription to one of its jobs has one.
local function set_waiter(self, waiter)
  local waits = waiter ~= false
  for client, waited in pairs(self.clients) do
    if waits ~= waited then
      core.wait_for_polls(client, waits and 1 or -1)
      self.clients[client] = waits
    end
  end
  self.waiter = waiter
end

-- Not a closure: when a host ends a coroutine, closures lose the variables that they share with it.
local function on_lost(waiter)
  local self = waiter.subscription
  set_waiter(self, false)
  self:close()
end

local protected = yields and pcall or function(fn, ...)
  return true, fn(...)
end

-- Seconds. Some hosts do not accept an infinite time.
local LONGEST_PARK = 3600

local function park(self, waiter)
  local why = "woken"
  while self.first > self.last and why == "woken" do -- a job may have changed while the loop made the waiter
    local left = math.max(0, self.deadline - core.now())
    why = waiter:park(math.min(left, LONGEST_PARK), true)
    if why == "timeout" and left > LONGEST_PARK then
      why = "woken"
    end
  end
  return why
end

local function enter(self, waiter)
  if waiter then
    waiter.subscription = self
    waiter.on_lost = on_lost
    set_waiter(self, waiter)
  end
  if #self.jobs == 1 then
    register(self, self.jobs[1])
  end
end

-- Undoes enter(), even if it failed halfway.
local function leave(self, waiter)
  if waiter then
    waiter.on_lost, waiter.subscription = nil, nil
    set_waiter(self, false)
  end
  if #self.jobs == 1 then
    unregister(self, self.jobs[1])
  end
end

local begin_next = atomic(function(self, waiter)
  local ok, raised = pcall(enter, self, waiter)
  if not ok then -- no memory
    leave(self, waiter)
    error(raised, 0)
  end
end)

local function take(self)
  local job = self.queue[self.first]
  self.queue[self.first] = nil
  self.first = self.first + 1
  self.queued[job] = nil
  local fields = core.fields(job)
  subscription.reraise(fields)
  local changed = self.seen[job] ~= fields._version
  self.seen[job] = fields._version
  return job, changed
end

-- Queues the jobs that have ended without having notified the subscription yet: the client's event handler is called
-- first, and may wait, or block until the deadline has passed.
local function enqueue_ended(self)
  for _, job in ipairs(self.jobs) do
    local fields = core.fields(job)
    if fields._subscriptions[self] and status.is_end(fields.state) then
      enqueue(self, job)
    end
  end
end

local end_next = atomic(function(self, waiter, ok, why)
  if waiter and ok and why ~= "woken" then
    local queued, raised = pcall(enqueue_ended, self)
    if not queued then
      ok, why = false, raised
    end
  end
  leave(self, waiter)
  if not ok then -- this host cannot wait here, or no memory
    self:close()
    error(why, 0)
  end
  if self.first > self.last then
    return nil, why
  end
  if waiter then
    waiter:defer_cancel()
  end
  return take(self)
end)

--- Waits for the next job that has changed, has ended or cannot be polled. An error that an event handler raised about
-- that job is raised here.
---@return cekura.Job? job nil: no job has changed in time
---@return boolean|string changed its state, status or progress has changed; without a job the reason: "timeout",
---"cancelled", "closing"
function subscription:next()
  local waiter
  if self.first > self.last then
    local client = core.fields(self.jobs[1])._client
    waiter = core.fields(client)._loop.waiter() -- raises where code cannot wait, before anything is registered
  end
  begin_next(self, waiter)
  local ok, why = true, nil
  if waiter then
    ok, why = protected(park, self, waiter)
  end
  return end_next(self, waiter, ok, why)
end

--- Ends the subscription to one job, or to all.
subscription.close = atomic(function(self, job)
  for _, each in ipairs(job and { job } or self.jobs) do
    unregister(self, each)
  end
end)

--- Notifies the subscriptions to a job that it has changed or ended, that an event handler has raised an error, or that
-- `stop`, an error, ends their waits. After a failed allocation it can be called again, because the subscriptions are
-- dropped last.
---@param job cekura.Job
---@param stop? cekura.Error
subscription.notify = atomic(function(job, stop)
  local fields = core.fields(job)
  local subscriptions = {}
  for self in pairs(fields._subscriptions) do
    subscriptions[#subscriptions + 1] = self
  end
  if stop and not fields._operation then -- so that the same answer stops later waiters, too
    core.force_update(job)
  end
  for _, self in ipairs(subscriptions) do
    self.stopped[job] = stop
    enqueue(self, job)
    if self.waiter then
      self.waiter:wake()
    end
  end
  if stop or status.is_end(fields.state) then
    local none = {} -- allocated first: unwatching releases the job's anchor, and nothing may fail after that
    core.unwatch(fields._client, job)
    fields._subscriptions = none
  end
end)

return subscription

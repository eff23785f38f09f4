--- Subscriptions to the changes of jobs, on which wait, updates, all and each are built.
-- A subscription is registered with each of its jobs, which notify it of every change that it follows. A job is polled
-- only while it has a subscription and a task waits in subscription:next(). While the program handles a change, there
-- are no polls for that subscription, so it sees every change, unless another wait has the job polled meanwhile.
--
-- There are two kinds: to one job, registered only while next() waits, and to a list of jobs. A program may have many
-- of either kind's jobs, so a subscription has little of its own for each. Most wait for the end alone, and are not
-- notified of other changes: their tasks sleep on.

local atomic = require "cekura.loop.atomic"
local core = require "cekura.core"
local errors = require "cekura.errors"
local status = require "cekura.job.status"
local yields = require "cekura.loop.yieldable"

local subscription = {}

---@class cekura.Subscription
---@field interval? number|"adaptive" seconds
---@field fields? string[] what the results are to hold
---@field follows boolean next() returns for each change; false: only for an end, or an error
---@field waiter table|false of the task in next()
---@field ready boolean next() has a job to return
local Subscription = {}

-- ---- the subscriptions of a job ----

-- A job has none (false), one, or a list of at least two.
local function list_of(fields)
  local held = fields._subscriptions
  if not held then
    return {}
  end
  return held[1] and held or { held }
end

--- The subscriptions of a job, as a list that is not to be changed.
---@param fields cekura.JobFields
---@return cekura.Subscription[]
subscription.of = list_of

local function is_registered(fields, self)
  local held = fields._subscriptions
  if held == self or not held then
    return held == self
  end
  for _, each in ipairs(held) do
    if each == self then
      return true
    end
  end
  return false
end

local function add(fields, self)
  if not fields._subscriptions then
    fields._subscriptions = self
  elseif not is_registered(fields, self) then
    local longer = { self }
    for place, each in ipairs(list_of(fields)) do
      longer[place + 1] = each
    end
    fields._subscriptions = longer
  end
end

-- Needs no memory.
local function remove(fields, self)
  local held = fields._subscriptions
  if held == self then
    fields._subscriptions = false
    return
  end
  for place = #held, 1, -1 do
    if held[place] == self then
      held[place] = held[#held]
      held[#held] = nil
    end
  end
  if not held[2] then
    fields._subscriptions = held[1]
  end
end

-- The shortest interval of a job's subscriptions, else "adaptive"; nil: none has an interval.
local function interval_of(fields)
  local held, shortest, adaptive = fields._subscriptions, nil, nil
  if not held[1] then
    return held.interval
  end
  for _, each in ipairs(held) do
    if each.interval == "adaptive" then
      adaptive = each.interval
    elseif each.interval and (not shortest or each.interval < shortest) then
      shortest = each.interval
    end
  end
  return shortest or adaptive
end

-- Makes the engine poll the job at the interval of its subscriptions. They alone determine whether it is watched.
local function watch(job, fields)
  if fields._operation then
    return -- a direct job: its request ends by itself
  elseif not fields._subscriptions then
    core.unwatch(fields._client, job)
  elseif not status.is_end(fields.state) then
    core.watch(fields._client, job, interval_of(fields) or core.fields(fields._client)._interval)
  end
end

local function unregister(self, job)
  local fields = core.fields(job)
  if is_registered(fields, self) then
    remove(fields, self)
    watch(job, fields)
  end
end

-- If it raises, for want of memory, the caller calls unregister(). It is called from deep inside a wait, so it
-- ends in tail calls: the stack of a coroutine grows, and hardly shrinks.
local function register(self, job)
  local fields = core.fields(job)
  if status.is_end(fields.state) then
    return self:put(job, false)
  elseif core.is_closed(fields._client) then
    return self:put(job, false, errors.new("closed", "the client is closed", { job = job, sent = false }))
  end
  add(fields, self)
  return watch(job, fields)
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

--- Notes that a job has changed, for its next notification. Where all its waits are for its end, there is none before.
---@param fields cekura.JobFields
function subscription.note_change(fields)
  local held = fields._subscriptions
  local is_followed = not held or held[1] or held.follows
  if is_followed and not fields._changed then
    fields._changed = true
  end
end

local function notify_one(self, job, changed, stop)
  self:put(job, changed, stop)
  if self.waiter then
    self.waiter:wake()
  end
end

-- Notifies those that follow the changes of a job, or all.
local function notify_each(job, fields, all, stop)
  local held = fields._subscriptions
  if held and not held[1] then
    if all or held.follows then
      notify_one(held, job, fields._changed, stop)
    end
    return
  end
  for _, self in ipairs(held or {}) do
    if all or self.follows then
      notify_one(self, job, fields._changed, stop)
    end
  end
end

--- Notifies the subscriptions to a job that it has changed or ended, that an event handler has raised an error, or that
-- `stop`, an error, ends their waits. After a failed allocation it can be called again, because the subscriptions are
-- dropped last.
---@param job cekura.Job
---@param stop? cekura.Error
subscription.notify = atomic(function(job, stop)
  local fields = core.fields(job)
  if stop and not fields._operation then -- so that the same answer stops later waiters, too
    core.force_update(job)
  end
  local is_over = stop or status.is_end(fields.state)
  notify_each(job, fields, is_over or fields._raised, stop)
  if fields._subscriptions then
    if fields._changed then
      fields._changed = false
    end
    fields._subscriptions = not is_over and fields._subscriptions
  end
  if is_over then
    core.unwatch(fields._client, job) -- last: it releases the job's anchor, and nothing may fail after that
  end
end)

-- What a new wait forgets.
local function forget_past(job)
  local fields = core.fields(job)
  if fields._changed and not fields._subscriptions then
    fields._changed = false
  end
  if status.is_end(fields.state) then
    return
  elseif fields.error then
    fields.error = nil
  end
  if not fields._operation then
    core.forget_error(job)
  end
end

-- ---- waiting ----

-- Called as on_lost() of its waiter: when a host ends a coroutine, closures lose the variables that they share with it.
local function on_lost(self)
  self:set_waiter(false)
  self:close()
end

local function enter(self, waiter)
  if waiter then
    waiter.on_lost = self
    self:set_waiter(waiter)
  end
  return self:begin()
end

-- Undoes enter(), even if it failed halfway.
local function leave(self, waiter)
  if waiter then
    waiter.on_lost = nil
    self:set_waiter(false)
  end
  self:finish()
end

local begin_next = atomic(function(self, waiter)
  local ok, raised = pcall(enter, self, waiter)
  if not ok then -- no memory
    leave(self, waiter)
    error(raised, 0)
  end
end)

-- The client's event handler is called before a job that has ended notifies its subscriptions, and may wait, or block
-- until the deadline has passed.
local function put_if_ended(self, job)
  local fields = core.fields(job)
  if is_registered(fields, self) and status.is_end(fields.state) then
    self:put(job, true)
  end
end

local end_next = atomic(function(self, waiter, ok, why)
  if waiter and ok and why ~= "woken" then
    local put, raised = pcall(self.put_ended, self)
    if not put then
      ok, why = false, raised
    end
  end
  leave(self, waiter)
  if not ok then -- this host cannot wait here, or no memory
    self:close()
    error(why, 0)
  end
  if not self.ready then
    return nil, why
  end
  if waiter then
    waiter:defer_cancel()
  end
  return self:take()
end)

local protected = yields and pcall or function(fn, ...)
  return true, fn(...)
end

-- Seconds. Some hosts do not accept an infinite time.
local LONGEST_PARK = 3600

--- Waits for the next job that has ended or cannot be polled; or has changed, if the subscription follows changes. An
-- error that an event handler raised about that job is raised here.
---@return cekura.Job? job nil: no job has changed in time
---@return boolean|string changed its state, status or progress has changed; without a job the reason: "timeout",
---"cancelled", "closing"
---@param deadline number by core.now()
function Subscription:next(deadline)
  local waiter
  if not self.ready then
    local client = core.fields(self.job)._client
    waiter = core.fields(client)._loop.waiter() -- raises where code cannot wait, before anything is registered
  end
  begin_next(self, waiter)
  local ok, why = true, "woken"
  while ok and why == "woken" and not self.ready do -- a job may have changed while the loop made the waiter
    local left = math.max(0, deadline - core.now())
    ok, why = protected(waiter.park, waiter, math.min(left, LONGEST_PARK), true)
    if why == "timeout" and left > LONGEST_PARK then
      why = "woken"
    end
  end
  return end_next(self, waiter, ok, why)
end

-- ---- to one job ----

---@class cekura.OneSubscription: cekura.Subscription
---@field job cekura.Job
---@field changed boolean since next() returned it, where it follows changes
---@field stop? cekura.Error that ended its polls
local One = setmetatable({ follows = false, changed = false }, { __index = Subscription })
One.__index, One.__call = One, on_lost

--- Subscribes to a job.
---@param job cekura.Job
---@param interval? number|"adaptive" seconds
---@param wanted? string[] what the result is to hold
---@param follows boolean
---@return cekura.OneSubscription
subscription.to_one = atomic(function(job, interval, wanted, follows)
  local self = setmetatable({ job = job, ready = false, waiter = false, interval = interval }, One)
  if wanted then
    self.fields = wanted
  end
  if follows then
    self.follows, self.changed = true, false
  end
  forget_past(job)
  return self
end)

function One:put(_, changed, stop)
  if self.stop ~= stop then
    self.stop = stop
  end
  if self.follows then
    self.changed = self.changed or changed
  end
  self.ready = true
end

function One:take()
  local changed = self.changed
  self.ready = false
  if changed then
    self.changed = false
  end
  subscription.reraise(core.fields(self.job))
  return self.job, changed
end

function One:put_ended()
  put_if_ended(self, self.job)
end

-- A client polls while a subscription to one of its jobs has a waiter.
function One:set_waiter(waiter)
  if (waiter ~= false) ~= (self.waiter ~= false) then
    core.wait_for_polls(core.fields(self.job)._client, waiter and 1 or -1)
  end
  self.waiter = waiter
end

function One:begin()
  return register(self, self.job)
end

function One:finish()
  unregister(self, self.job)
end

--- Ends the subscription.
function One:close()
  unregister(self, self.job)
end

-- ---- to many jobs ----

---@class cekura.ManySubscription: cekura.Subscription
---@field job cekura.Job the first
---@field jobs cekura.Job[]
---@field closed table<cekura.Job, true> the jobs that it subscribes to no more
---@field stops table<cekura.Job, cekura.Error> that ended their polls
---@field queue table<integer, cekura.Job> from `first` to `last`: the jobs that next() returns
---@field queued table<cekura.Job, boolean> whether they have changed
---@field clients table<cekura.Client, boolean> of the jobs; true: it counts the waiter
local Many = setmetatable({}, { __index = Subscription })
Many.__index, Many.__call = Many, on_lost

--- Subscribes to jobs.
---@param jobs cekura.Job[] at least one, each once
---@param interval? number|"adaptive" seconds
---@param wanted? string[] what the results are to hold
---@param follows boolean
---@return cekura.ManySubscription
subscription.to_many = atomic(function(jobs, interval, wanted, follows)
  local self = setmetatable({ job = jobs[1], jobs = jobs, closed = {}, stops = {}, queue = {}, first = 1, last = 0,
    queued = {}, clients = {}, ready = false, waiter = false, interval = interval, fields = wanted,
    follows = follows }, Many)
  for _, job in ipairs(jobs) do
    self.clients[core.fields(job)._client] = false
    forget_past(job)
  end
  for _, job in ipairs(jobs) do
    local ok, raised = pcall(register, self, job)
    if not ok then
      self:close()
      error(raised, 0)
    end
  end
  return self
end)

function Many:put(job, changed, stop)
  self.stops[job] = stop
  if self.queued[job] == nil then
    self.queue[self.last + 1] = job
    self.queued[job] = changed
    self.last = self.last + 1
    self.ready = true
  end
  self.queued[job] = self.queued[job] or changed
end

function Many:take()
  local job = self.queue[self.first]
  local changed = self.queued[job]
  self.queue[self.first] = nil
  self.first = self.first + 1
  self.queued[job] = nil
  self.ready = self.first <= self.last
  subscription.reraise(core.fields(job))
  return job, changed
end

function Many:put_ended()
  for _, job in ipairs(self.jobs) do
    if not self.closed[job] then
      put_if_ended(self, job)
    end
  end
end

function Many:set_waiter(waiter)
  local waits = waiter ~= false
  for client, waited in pairs(self.clients) do
    if waits ~= waited then
      core.wait_for_polls(client, waits and 1 or -1)
      self.clients[client] = waits
    end
  end
  self.waiter = waiter
end

-- It is registered all the time.
local function nothing() end
Many.begin, Many.finish = nothing, nothing

--- Ends the subscription to one job, or to all.
---@param job? cekura.Job
Many.close = atomic(function(self, job)
  for _, each in ipairs(job and { job } or self.jobs) do
    if not self.closed[each] then
      unregister(self, each)
      self.closed[each] = job and true
    end
  end
end)

return subscription

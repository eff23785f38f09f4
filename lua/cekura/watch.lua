--- Waiting for jobs: what wait, updates, all and each are made of.
-- A watch is registered with each of its jobs, and told of every change. A job that somebody watches
-- is polled by the engine; when its last watch goes, polling stops.

local core = require "cekura.core"
local errors = require "cekura.errors"

local watch = {}
watch.__index = watch

-- The shortest interval that a watch of this job asks for; nil: the kind's schedule.
local function shortest_interval(watches)
  local shortest
  for other in pairs(watches) do
    if other.interval and (not shortest or other.interval < shortest) then
      shortest = other.interval
    end
  end
  return shortest
end

local function told(self, job)
  if self.queued[job] then
    return
  end
  self.queued[job] = true
  self.last = self.last + 1
  self.queue[self.last] = job
end

local function register(self, job)
  local fields = core.fields(job)
  self.seen[job] = fields._version
  if fields._ended then
    told(self, job)
    return
  end
  if core.is_closed(fields._client) then
    self.stopped[job] = errors.new("closed", "the client is closed", { job = job })
    told(self, job)
    return
  end
  fields.error = nil
  fields._watches[self] = true
  core.watch(fields._client, job, shortest_interval(fields._watches))
end

local function unregister(self, job)
  local fields = core.fields(job)
  if not fields._watches[self] then
    return
  end
  fields._watches[self] = nil
  if next(fields._watches) == nil then
    core.unwatch(fields._client, job)
  elseif not fields._ended then
    core.watch(fields._client, job, shortest_interval(fields._watches))
  end
end

--- Raises what an event handler raised about the job, once: whoever waits for it is to hear of it.
function watch.raise_kept(job)
  local fields = core.fields(job)
  local raised = fields._raised
  if raised then
    fields._raised = nil
    error(raised[1], 0)
  end
end

--- Begins to watch jobs.
---@param jobs cekura.Job[] each once
---@param timeout number seconds, for all of them together
---@param interval? number seconds
function watch.new(jobs, timeout, interval)
  local self = setmetatable({
    jobs = jobs,
    interval = interval,
    deadline = core.now() + timeout,
    timeout = timeout,
    queue = {}, first = 1, last = 0,
    queued = {},  -- jobs that are in the queue
    seen = {},    -- job to the version of it that was last looked at
    stopped = {}, -- job to the error that ended polling it
  }, watch)
  for _, job in ipairs(jobs) do
    register(self, job)
  end
  return self
end

--- The next job that has changed, has ended or cannot be polled; nil and the reason ("timeout",
-- "cancelled") when there is none in time. What an event handler raised for a job is raised here.
---@return cekura.Job? job, boolean|string changed its status or progress is another
function watch:next()
  if self.first > self.last then
    local loop = core.fields(self.jobs[1])._loop
    self.loop, self.waiter = loop, loop.waiter()
    local why
    repeat
      why = loop.park(self.waiter, math.max(0, self.deadline - core.now()))
    until self.first <= self.last or why ~= "woken"
    self.waiter = nil
    if self.first > self.last then
      return nil, why
    end
  end
  local job = self.queue[self.first]
  self.queue[self.first] = nil
  self.first = self.first + 1
  self.queued[job] = nil
  watch.raise_kept(job)
  local fields = core.fields(job)
  local changed = self.seen[job] ~= fields._version
  self.seen[job] = fields._version
  return job, changed
end

--- Ends the watch of one job, or of all.
function watch:close(job)
  for _, each in ipairs(job and { job } or self.jobs) do
    unregister(self, each)
  end
end

--- Tells all who watch a job that something about it is new. With `stop`, an error, they wait for it
-- no longer.
function watch.tell(job, stop)
  local fields = core.fields(job)
  local watches = {}
  for self in pairs(fields._watches) do
    watches[#watches + 1] = self
  end
  if stop or fields._ended then
    fields._watches = {}
    core.unwatch(fields._client, job)
  end
  for _, self in ipairs(watches) do
    self.stopped[job] = stop
    told(self, job)
    if self.waiter then
      self.loop.wake(self.waiter)
    end
  end
end

return watch

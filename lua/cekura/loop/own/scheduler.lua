--- The own loop's tasks: which are ready, which one runs, and which become due.

local clients = require "cekura.loop.clients"
local core = require "cekura.core"
local kill = require "cekura.loop.own.kill"
local queue = require "cekura.loop.queue"
local task = require "cekura.loop.task"
local timers = require "cekura.loop.timers"

local scheduler = {
  -- What a task yields to park; any other yield is the program's, and only lets other tasks run first.
  PARK = {},
  -- Tasks that are to be resumed.
  ready = queue.new(),
  -- Waiters whose time ends: tasks, and plain code.
  deadlines = timers.new(),
  -- Seconds. A loop that has run tasks for so long lets others have their turn, and then goes on.
  SLICE = 0.0005,
}

local PARK, ready, deadlines = scheduler.PARK, scheduler.ready, scheduler.deadlines

-- The tasks by coroutine: nothing else may hold one that is parked.
local alive = {} -- luacheck: ignore 241
local current -- the task that is running
local resuming = false -- the task that runs now: removed from `ready`, and not yet parked, ready again or done
local depth = 0 -- the number of nested drives and steps
local failed = queue.new() -- tasks that have failed since the last report

--- The running task; nil: plain code runs, or a coroutine of the host's.
---@return cekura.Task?
function scheduler.current()
  return current
end

--- Whether a coroutine is a task of this loop.
function scheduler.is_task(co)
  return alive[co] ~= nil
end

-- ---- due work ----

--- Seconds until this loop has something to do; nil: only when a client has.
---@return number?
function scheduler.next_due()
  return ready.first and 0 or deadlines:seconds_left(core.now())
end

--- Seconds, longer than any wait: a host whose loop ends when nothing but descriptors is left to watch goes on for
-- waits without an end.
scheduler.LONGEST_WAIT = 30 * 86400

---@class cekura.loop.Outer the loop that this one is embedded in
---@field waiter fun(): table of the coroutine that calls: a task, or one of the host's
---@field next_due fun(): number? seconds until a coroutine of the host's is to be resumed
---@field notify fun(seconds: number?) when own.run_due() is to be called next; nil: not before the next notification
---@field log fun(message: string)

--- The outer loop, see cekura.loop.own.embed().
---@type cekura.loop.Outer
scheduler.outer = nil

--- Sets the alarms of all clients, and notifies the outer loop, for the work that is due next. The alarms also make
-- a host that only watches descriptors run tasks and resume coroutines, even if the allocation of a timer has failed.
-- Code that yields to the host, and not to this loop, calls this first, so that its requests are sent.
function scheduler.rearm()
  if depth > 0 then
    return
  end
  local seconds = clients.earlier(scheduler.next_due(), scheduler.outer.next_due())
  clients.set_alarms(seconds)
  scheduler.outer.notify(seconds or next(alive) and scheduler.LONGEST_WAIT or nil)
end

-- ---- running tasks ----

-- Nothing holds the coroutine any more: it is collected, wherever it waits.
local function abandon(self)
  alive[self.co] = nil
  deadlines:remove(self)
  self.co = false
end

-- Seconds for which a cancelled task may yield by itself, and neither wait nor end.
local GRACE = 1

local function yielded(self)
  if self.cancelled then
    self.grace_ends = self.grace_ends or core.now() + GRACE
    if core.now() > self.grace_ends then
      task.finish(self, false)
      return abandon(self)
    end
  end
  ready:put(self)
end

-- Takes in what the task did when it was resumed; `before` ran before it.
local function resumed(self, before, co, ok, ...)
  current = before
  if (...) == PARK and self.state ~= "done" then
    if self.reason then -- it was woken before it yielded
      ready:put(self)
    else
      self.state = "parked"
    end
  elseif coroutine.status(co) == "dead" then
    if not ok then
      local traced, traceback = pcall(debug.traceback, co)
      self.traceback = traced and traceback
    end
    kill.restore_hook(self)
    abandon(self)
    return task.finish(self, ok, ...)
  elseif self.state == "done" then
    return abandon(self)
  else
    return yielded(self)
  end
end

-- What the coroutine of a task runs.
local function body()
  return task.call(current)
end

-- The coroutine is made only now, so that of many tasks that are spawned at once, each can use the memory that the
-- stack of the one before it has outgrown.
local function begin(self)
  local co = self.co or coroutine.create(body)
  self.co, alive[co] = co, self
  task.begin(self)
  return co
end

local function resume(self)
  local co = self.co
  if self.state == "done" then
    return task.settle(self), co and abandon(self)
  elseif self.state == "unbegun" then
    co = begin(self)
  end
  if self.state == "interrupted" and coroutine.status(co) == "dead" then -- its results were lost with the turn
    abandon(self)
    return task.finish(self, false, "not enough memory")
  end
  local before = current
  current = self
  self.state = "running"
  if self.on_lost and coroutine.status(co) == "dead" then
    self:on_lost() -- it was killed while it waited: by coroutine.close(), say
  end
  resumed(self, before, co, coroutine.resume(co))
end

local function report_failed()
  local self = failed:take(failed.last_ticket)
  while self do
    task.report(self)
    self = failed:take(failed.last_ticket)
  end
end

-- Runs the tasks that are ready now: the first one, and others until that time. A task may wait in a coroutine that it
-- has made, as plain code does: then this function is called again, inside.
local function run_ready(ends_at)
  local last, outer = ready.last_ticket, resuming
  resuming = ready:take(last)
  while resuming do
    resume(resuming)
    resuming = core.now() < ends_at and ready:take(last)
  end
  resuming = outer
  report_failed()
end

local function expire(waiter)
  waiter.reason = "timeout"
  if waiter.co then -- a task
    waiter.state = "ready"
    ready:put(waiter)
  end
end

--- Ends the waits whose time is over, and runs tasks that are ready. To be called by protected().
---@param ends_at? number by core.now(): when no further task is run; nil: after a slice
function scheduler.run_due(ends_at)
  clients.fire(deadlines, expire)
  run_ready(ends_at or core.now() + scheduler.SLICE)
end

local function deeper(fn, ...)
  depth = depth + 1
  return fn(...)
end

--- Calls a function that runs tasks. A task whose turn was cut short because memory ran out gets another turn.
---@return boolean ok, any raised
function scheduler.protected(fn, ...)
  local outer_depth, outer, caller = depth, resuming, current
  local ok, raised = core.try(deeper, fn, ...)
  depth, current = outer_depth, caller
  if resuming ~= outer then
    if resuming.state == "running" then
      resuming.state = "interrupted"
    end
    ready:put(resuming)
    resuming = outer
  end
  return ok, raised
end

--- Has the task run when the code that launches it waits.
---@param self cekura.Task
function scheduler.launch(self)
  ready:put(self)
  scheduler.rearm()
end

--- Has the task reported once the tasks that are ready have had their turn.
---@param self cekura.Task
function scheduler.failed(self)
  failed:put(self)
end

return scheduler

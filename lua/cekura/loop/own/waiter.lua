--- Waiting in the own loop: tasks yield to it; plain code, and coroutines that the program has made, run it meanwhile.

local atomic = require "cekura.loop.atomic"
local c_boundary = require "cekura.loop.c_boundary"
local clients = require "cekura.loop.clients"
local core = require "cekura.core"
local kill = require "cekura.loop.own.kill"
local scheduler = require "cekura.loop.own.scheduler"
local task = require "cekura.loop.task"
local tasks = require "cekura.loop.tasks"
local yields = require "cekura.loop.yieldable"

local waiter = {}

local running, yield = coroutine.running, coroutine.yield
local PARK, ready, deadlines = scheduler.PARK, scheduler.ready, scheduler.deadlines

-- ---- tasks ----

--- The methods of a task as a waiter.
local Task = { defer_cancel = task.defer_cancel }
waiter.Task = Task

Task.wake = atomic(function(self)
  if self.nested then -- a coroutine that the task has made waits, as plain code
    self.nested.reason = "woken"
  end
  if self.reason == "timeout" and self.state == "ready" then
    return -- it runs soon
  end
  self.reason = "woken"
  if self.state == "parked" then
    ready:put(self) -- first: where this raises, for want of memory, the task keeps its deadline
    if self._timer then
      deadlines:remove(self)
    end
    self.state = "ready"
    scheduler.rearm()
  end
end)

-- Returns why there is nothing to wait for; nil: there is.
local begin_wait = atomic(function(self, seconds)
  if self.cancelled and task.take_cancel(self) then
    return "cancelled"
  elseif self.reason then
    local reason = self.reason
    self.reason = false
    return reason
  end
  deadlines:remove(self) -- where an earlier wait has left it that raised
  if seconds then
    deadlines:insert(self, core.now() + seconds)
  end
end)

local end_wait = atomic(function(self)
  deadlines:remove(self)
  local reason = self.reason
  self.reason = false
  return self.cancelled and task.take_cancel(self) and "cancelled" or reason or "woken"
end)

-- The scheduler parks the task once it has yielded: other tasks may run, and wake it, before.
function Task:park(seconds)
  if seconds or self.cancelled or self.reason or self._timer then
    local reason = begin_wait(self, seconds)
    if reason then
      return reason
    end
  end
  yield(PARK)
  if seconds or self.cancelled then
    return end_wait(self)
  end
  self.reason = false
  return "woken"
end

-- ---- plain code ----

local Plain = {}
Plain.__index = Plain

-- `of_task` is the task that has made the coroutine which waits, or false.
local function new_plain(of_task)
  return setmetatable({ reason = false, task = of_task }, Plain)
end

function Plain:wake()
  self.reason = "woken"
end

function Plain:defer_cancel()
  if self.task then
    task.defer_cancel(self.task)
  end
end

-- Runs everything until the waiter has been woken.
local function drive(self)
  while true do
    scheduler.run_due(math.huge)
    if self.reason then
      return clients.settle() -- plain code may not wait again for long: the requests of the tasks are sent before
    end
    if not clients.run(scheduler.next_due()) then
      error("cekura: everything waits, and nothing is left that could wake it", 0)
    end
  end
end

function Plain:park(seconds)
  local of_task = self.task
  if of_task and task.take_cancel(of_task) then
    return "cancelled"
  end
  if seconds then
    deadlines:insert(self, core.now() + seconds)
  end
  local before = of_task and of_task.nested
  if of_task then
    of_task.nested = self
  end
  local ok, raised = scheduler.protected(drive, self)
  deadlines:remove(self)
  if of_task then
    of_task.nested = before
  end
  scheduler.rearm()
  if not ok then
    error(raised, 0)
  end
  local reason = self.reason
  self.reason = false
  return of_task and task.take_cancel(of_task) and "cancelled" or reason
end

-- ---- tasks that count as ended ----

-- Seconds for each wait of a task that cannot be ended, so that an endless loop does not use the processor.
local PAUSE = 1

-- A wait of such a task in a coroutine that it has made, or where Lua 5.1 cannot yield.
local function refuse(ended)
  if ended.co and not ended.killed then
    kill.task(ended)
  else
    new_plain(false):park(PAUSE)
  end
  task.raise_cancelled()
end

-- Where the coroutine of such a task waits for good.
local function stay(ended)
  if c_boundary.is_above() then
    refuse(ended)
  end
  while true do
    coroutine.yield(PARK)
  end
end

--- The running task, if its own code calls; nil: a coroutine that it has made calls, or plain code. Code that cannot
-- wait is refused here, before it has begun anything that it would have to wait for.
---@return cekura.Task?
function waiter.of_task()
  local current = scheduler.current()
  if not current or running() ~= current.co then
    return nil
  end
  tasks.check()
  if (current.cancel_reported or current.state == "done") and task.check_cancel(current) then
    return stay(current)
  elseif not yields then
    c_boundary.check()
  end
  return current
end

--- The waiter of the code that calls.
---@return table
function waiter.new()
  local of_task = waiter.of_task()
  if of_task then
    return of_task
  end
  tasks.check()
  local current = scheduler.current()
  if current and task.check_cancel(current) then
    return refuse(current)
  end
  return new_plain(current or false)
end

return waiter

--- Waiting in a thread of the host's: the thread waits for a signal, in slices, while a pump steps the engine.

local atomic = require "cekura.loop.atomic"
local c_boundary = require "cekura.loop.c_boundary"
local core = require "cekura.core"
local own = require "cekura.loop.own"
local scheduler = require "cekura.loop.own.scheduler"
local task = require "cekura.loop.task"
local tasks = require "cekura.loop.tasks"

-- Seconds that a wait is sliced into, so that the end of the host, and of a pump, is seen; and where no pump runs, so
-- that each waiter steps by itself.
local SLICE, WITHOUT_PUMP = 2, 0.005

-- Seconds that a wait takes at least, if nothing wakes it. A host does not yield for no time, and a program that waits
-- so lets others have their turns.
local LEAST = 0.001

--- A waiter; a task has these methods, too. Its field `threads` has the adapter's parts: host, parked, pumps, tasks.
local Waiter = { defer_cancel = task.defer_cancel }
Waiter.__index = Waiter

local waiter = { Waiter = Waiter }

--- The waiter of the thread that calls. Code that cannot wait is refused here.
function waiter.new(threads)
  local host, current = threads.host, threads.tasks:current()
  tasks.check()
  if not current and host.is_plain and host.is_plain() then
    return own.waiter()
  elseif threads.pumps:is_stepping() then
    error("cekura: an event handler cannot wait: have cekura.spawn start a task that does", 0)
  elseif current and task.check_cancel(current) then
    threads.tasks:leave(current)
  end
  host.here()
  c_boundary.check()
  return current or setmetatable({ signal = host.signal(), threads = threads, reason = false }, Waiter)
end

Waiter.wake = atomic(function(self)
  if not self.reason then
    self.reason = "woken"
    self.threads.parked:notify(self)
  end
end)

local function is_closing(host, idle)
  return idle and host.is_closing and host.is_closing()
end

-- Returns the seconds to wait now; nil: the waiter was woken.
local begin_slice = atomic(function(self)
  local slice = self.threads.pumps:drive() and SLICE or WITHOUT_PUMP
  if self.reason then
    return nil
  end
  self.threads.parked:add(self)
  return slice
end)

local end_slice = atomic(function(self)
  self.threads.parked:remove(self)
  self.threads.parked:end_lost()
  tasks.check()
end)

-- Yields until the waiter is woken or the time is over.
local function wait(self, seconds, idle)
  local host = self.threads.host
  local began, waited = core.now(), 0
  while not self.reason and not is_closing(host, idle) and waited < seconds do
    local slice = begin_slice(self)
    if slice then
      host.wait(self.signal, math.min(slice, seconds - waited), waited)
      end_slice(self)
    end
    waited = core.now() - began
  end
  if not self.reason then
    self.threads.pumps:catch_up()
  end
end

local end_wait = atomic(function(self, otherwise)
  local reason = self.reason or otherwise
  self.reason = false
  return task.take_cancel(self) and "cancelled" or reason
end)

function Waiter:park(seconds, idle)
  if task.take_cancel(self) then
    return "cancelled"
  end
  wait(self, math.max(seconds or scheduler.LONGEST_WAIT, LEAST), idle)
  return end_wait(self, is_closing(self.threads.host, idle) and "closing" or "timeout")
end

return waiter

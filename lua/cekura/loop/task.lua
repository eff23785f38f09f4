--- A task: a function that runs beside others, and can be joined and cancelled. A task is a waiter of its loop's kind.

local atomic = require "cekura.loop.atomic"
local check = require "cekura.check"
local errors = require "cekura.errors"
local show = require "cekura.show"
local unbegun = require "cekura.loop.unbegun"

local unpack = table.unpack or unpack -- luacheck: ignore 143

local task = {}

--- The fields of a task, which are private. Those of its place in a queue and in a heap of timers are in
-- cekura.loop.queue and cekura.loop.timers; `missed` is owned by cekura.loop.threads.parked.
---@class cekura.TaskFields
---@field loop table see cekura.loop.tasks
---@field group? table|false see cekura.loop.task_group; false: it is in none; nil: it has ended, and its waiters are
---woken
---@field state string "unbegun", "running" or "done"; in the own loop also "parked", "ready" to be resumed, or
---"interrupted": memory ran out in its turn
---@field joiners table[] the waiters in join()
---@field joined boolean join() has returned how it ended: then nothing else reports its error
---@field values table|false its function and the arguments, until it begins; false: it runs; once it has ended, true
---and what its function returned, or false and the error
---@field traceback string|false
---@field cancelled boolean
---@field cancel_reported boolean a wait has reported that
---@field cancel_raised boolean the wait after that has raised it
---@field reason string|false why its wait ends, "woken" or "timeout"; false: it does not yet
---@field on_lost (fun(waiter: table))|false see cekura.loop; owned by cekura.job.subscription
---@field co thread|false in the own loop: its coroutine; false: it has not begun, or has ended
---@field nested table|false in the own loop: the waiter of a coroutine that it has made, and that waits
---@field grace_ends number|false in the own loop: until when it may yield after it was cancelled
---@field killed table|false owned by cekura.loop.own.kill: the hook that there was before
---@field threads table|false in threads: the parts of the adapter
---@field signal any in threads: what its thread waits for
---@field leave function|false in threads: ends its thread
---@field scope any in threads: see cekura.loop.threads

---@class cekura.Task
---@field private park function for loops
---@field private wake function for loops
---@field private defer_cancel function for loops
local Task = {}

local function cancelled()
  return errors.new("cancelled", "the task was cancelled")
end

--- Raises the error of a cancelled task's waits.
function task.raise_cancelled()
  error(cancelled(), 0)
end

-- ---- the end ----

local function pack(...)
  return { n = select("#", ...), ... }
end

-- The results of a task whose end cannot be stored for lack of memory.
local NO_MEMORY = { n = 2, false, "not enough memory" }

-- The joiners of a task that nothing joins. It is never changed.
local NOBODY = {}

-- The main task of a run cancels the others, and the run raises its error.
local function fail(self, group)
  if group and self == group.main then
    group:cancel()
  elseif #self.joiners == 0 then
    if group then
      group:keep_failed(self)
    end
    self.loop.failed(self)
  end
end

--- Wakes the waiters of a finished task. If memory runs out halfway, it can be called again, since the group is
-- dropped last. Does nothing once all of them have been woken.
---@param self cekura.Task
function task.settle(self)
  local group = self.group
  if group == nil then
    return
  end
  if group then
    group:remove(self)
  end
  if not self.values[1] and not self.cancelled then
    fail(self, group)
  end
  for _, joiner in ipairs(self.joiners) do
    joiner:wake()
  end
  if group and group.count == 0 then
    group.waiter:wake()
  end
  if self.joiners ~= NOBODY then
    self.joiners = NOBODY
  end
  self.group = nil
end

--- Records how a task ended: true and what its function returned, or false and what it raised. Its waiters are woken in
-- any case. Does nothing for a task that has ended.
---@param self cekura.Task
---@param ok boolean
function task.finish(self, ok, ...)
  if self.state == "done" then
    return
  end
  local packed, values = pcall(pack, ok, ...)
  local has_begun = self.state ~= "unbegun"
  self.state, self.values = "done", packed and values or NO_MEMORY
  if not has_begun then
    unbegun.remove(self)
  end
  task.settle(self)
end

--- Logs the error of a task, with its traceback.
---@param self cekura.Task
---@param what string in words, that it has
function task.log(self, what)
  local traceback = self.traceback and "\n" .. self.traceback or ""
  self.loop.log(("cekura: %s: %s%s"):format(what, show.raised(self.values[2]), traceback))
end

--- Logs the error of a task, unless it was joined meanwhile.
---@param self cekura.Task
function task.report(self)
  if not self.joined then
    task.log(self, "a task raised, and was not joined")
  end
end

-- ---- the beginning ----

-- The fields that change where a task is woken, resumed or ended exist from the beginning, because adding one later
-- allocates memory, which may fail. The others are in the prototype until they are set. A table grows by doubling: this
-- one has room for eight, these and `on_lost`.
local function new_object(loop, group, called)
  return setmetatable({ group = group or false, state = "unbegun", values = called, co = false, reason = false,
    following = false, _timer = false }, loop.task_metatable)
end

--- Makes a task and launches it. In a group that is being cancelled, the task ends before it begins.
---@param loop table see cekura.loop.tasks
---@param group? table see cekura.loop.task_group
---@param ... any its function, and the arguments
task.start = atomic(function(loop, group, ...)
  local self = new_object(loop, group, pack(...))
  if group and group.over then
    self.group, self.cancelled = false, true
    task.finish(self, false)
    return self
  end
  unbegun.add(self)
  if group then
    group:add(self)
  end
  local launched, raised = pcall(loop.launch, self)
  if not launched then -- the host can start no more
    unbegun.remove(self)
    if group then
      group:remove(self)
    end
    error(raised, 0)
  end
  return self
end)

--- Whether the task is to run now, and has not begun already.
---@param self cekura.Task
---@return boolean
task.begin = atomic(function(self)
  if self.state ~= "unbegun" then
    return false
  end
  unbegun.remove(self)
  self.state = "running"
  return true
end)

--- Runs the function of a task that has begun. Loops call this in its coroutine or thread.
---@param self cekura.Task
---@return any ...
function task.call(self)
  local called = self.values
  local fn = called[1]
  self.values = false
  return fn(unpack(called, 2, called.n))
end

-- ---- cancelling ----

--- Whether the task was cancelled and no wait has reported it yet. The current wait reports it, once: its caller may
-- have things to end before it returns.
---@param self cekura.Task|table any waiter
---@return boolean
function task.take_cancel(self)
  if not self.cancelled or self.cancel_reported then
    return false
  end
  self.cancel_reported = true
  return true
end

--- Leaves the cancellation to the next wait, if the current one has reported it: what that waited for has happened.
---@param self cekura.Task|table any waiter
function task.defer_cancel(self)
  if self.cancel_reported then
    self.cancel_reported = false
  end
end

local end_cancelled = atomic(function(self)
  if not self.cancel_raised then
    self.cancel_raised = true
    task.raise_cancelled()
  end
  task.finish(self, false, cancelled())
end)

--- For loops, where a wait begins: raises in the first wait after the one that reported the cancellation. At any later
-- wait the task counts as ended, and the loop abandons it.
---@param self cekura.Task
---@return boolean is_over
function task.check_cancel(self)
  if self.cancel_reported then
    end_cancelled(self)
    return true
  end
  return self.state == "done"
end

-- ---- for programs ----

--- What join() and cekura.run() return for a task that has ended.
---@param self cekura.Task
---@return any ...
function task.outcome(self)
  if self.cancelled then
    return nil, cancelled()
  elseif not self.values[1] then
    return nil, self.values[2], self.traceback or nil
  end
  return unpack(self.values, 2, self.values.n)
end

--- Whether what a task leaves to a run, its error or else its outcome, is a cancellation.
---@param self cekura.Task
---@return boolean
function task.ends_cancelled(self)
  local raised = not self.values[1] and self.values[2]
  if raised then
    return errors.is(raised) and raised.kind == "cancelled"
  end
  return self.cancelled
end

-- Returns whether there is still something to wait for.
local add_joiner = atomic(function(self, waiter)
  if self.state == "done" then
    return false
  end
  if self.joiners == NOBODY then
    self.joiners = {}
  end
  self.joiners[#self.joiners + 1] = waiter
  return true
end)

local remove_joiner = atomic(function(self, waiter)
  for place = #self.joiners, 1, -1 do
    if self.joiners[place] == waiter then
      table.remove(self.joiners, place)
    end
  end
end)

--- Waits until the task ends. Returns the results of its function; or nil, the error that it raised, and a traceback.
---@return any ...
function Task:join()
  local waiter = self.loop.waiter()
  if waiter == self then
    errors.misuse("a task cannot join itself")
  end
  if add_joiner(self, waiter) then
    local why
    repeat
      why = waiter:park()
    until why == "cancelled" or self.state == "done"
    remove_joiner(self, waiter)
    if why == "cancelled" and (self.state ~= "done" or self.cancelled) then
      return nil, cancelled()
    end
    waiter:defer_cancel()
  end
  self.joined = true
  return task.outcome(self)
end

--- Cancels the task. Its current wait returns nil and an error of kind "cancelled" (a sleep raises it), and its next
-- wait raises that error; at any later wait the task counts as ended. A wait whose answer has arrived returns it, and
-- leaves the cancellation to the next one. join() of the cancelled task returns nil and an error of that kind.
---@return boolean is_new false if the task had already ended or been cancelled
Task.cancel = atomic(function(self)
  if self.state == "done" or self.cancelled then
    return false
  end
  self.cancel_reported, self.cancel_raised = false, false -- allocates the places that its waits use
  self.cancelled = true
  if self.state == "unbegun" then
    task.finish(self, false)
  else
    self:wake()
  end
  return true
end)

local function to_string(self)
  local state = self.state ~= "unbegun" and self.state or "ready"
  return ("cekura.task (%s)"):format(self.cancelled and "cancelled" or state)
end

-- A set: each loop has one.
local metatables = setmetatable({}, { __mode = "k" })

check.methods("task", Task, function(value)
  return type(value) == "table" and metatables[getmetatable(value)]
end)

--- Makes the metatable of a loop's tasks.
---@param loop table see cekura.loop.tasks
function task.metatable(loop)
  local Waiter = loop.Waiter
  local metatable = { __name = "cekura.task", __tostring = to_string,
    __index = { join = Task.join, cancel = Task.cancel, park = Waiter.park, wake = Waiter.wake,
      defer_cancel = Waiter.defer_cancel, loop = loop, joiners = NOBODY, joined = false, traceback = false,
      cancelled = false, cancel_reported = false, cancel_raised = false, nested = false, grace_ends = false,
      killed = false, on_lost = false, signal = false, threads = false, leave = false, scope = false } }
  metatables[metatable] = true
  return metatable
end

return task

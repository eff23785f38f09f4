--- Tasks: functions that run beside each other, and can be joined and cancelled. How a task is run, and how it waits,
-- is its loop's matter:
--
--   waiter(), park(), wake()  as in every adapter, see cekura.loop
--   launch(task)              has task.body() run soon, in a coroutine of its own, and its outcome given to
--                             tasks.finish()
--   current()                 the task that calls; nil: nobody's
--
-- A task is a waiter, too: what it waits by is itself.

local core = require "cekura.core"
local errors = require "cekura.errors"

local unpack = table.unpack or unpack -- luacheck: ignore 143

local tasks = {}

---@class cekura.Task
local Task = { __name = "cekura.task" }
Task.__index = Task

local function cancelled()
  return errors.new("cancelled", "the task was cancelled")
end

-- ---- for loops ----

local function pack(...)
  return { n = select("#", ...), ... }
end

-- What a task has raised whose end there is no memory to keep.
local NO_MEMORY = { n = 1, "not enough memory" }

--- Takes in how a task ended: true and what its function returned, or false and what it raised. Whoever waits for it is
-- woken in any case.
---@param task cekura.Task
---@param ok boolean
function tasks.finish(task, ok, ...)
  local loop = task.loop
  local packed, values = pcall(pack, ...)
  task.state, task.body = "done", nil
  task.ok, task.values = packed and ok, packed and values or NO_MEMORY
  ok = task.ok
  local group = task.group
  if group and group.members[task] then
    group.count = group.count - 1
    group.members[task] = nil
    if not ok and not task.cancelled then
      task.failed_before, group.failed = group.failed, task
    end
    if group.count == 0 and group.waiter then
      loop.wake(group.waiter)
    end
  elseif not group and not ok and not task.cancelled and #task.joiners == 0 then
    loop.log("cekura: a task raised, and nobody joined it: " .. tostring(task.values[1]))
  end
  for _, joiner in ipairs(task.joiners) do
    loop.wake(joiner)
  end
end

--- Whether the task has been cancelled and was not told of it yet: it is told once, by the wait that it is in, which
-- may have things to end before it returns.
---@param task cekura.Task
---@return boolean?
function tasks.to_be_told(task)
  local news = task.cancelled and not task.told
  task.told = task.cancelled
  return news
end

--- Raises if the task has been told already: it may not wait any more.
---@param task cekura.Task
function tasks.check(task)
  if task.told then
    error(cancelled(), 0)
  end
end

-- ---- for programs ----

-- It has its fields from the beginning: to add one later takes memory, which there may not be.
local function start(loop, group, fn, ...)
  local arguments = pack(...)
  local task = setmetatable({ loop = loop, state = "ready", joiners = {}, group = group or false, why = false,
    cancelled = false, told = false, joined = false, ok = false, values = false, failed_before = false, co = false,
    turn = false, behind = false }, Task)
  function task.body()
    local given = arguments
    arguments = nil
    if not task.cancelled then -- before it ran
      return fn(unpack(given, 1, given.n))
    end
  end
  if group then
    group.members[task] = true
    group.count = group.count + 1
  end
  local launched, raised = pcall(loop.launch, task)
  if not launched then -- the host can start no more
    if group then
      group.members[task] = nil
      group.count = group.count - 1
    end
    error(raised, 0)
  end
  return task
end

local function outcome(task)
  if task.cancelled then
    return nil, cancelled()
  elseif not task.ok then
    return nil, task.values[1]
  end
  return unpack(task.values, 1, task.values.n)
end

--- Waits until the task is done, and returns what its function returned; nil and what it raised.
---@return any ...
function Task:join()
  local loop = self.loop
  local waiter = loop.waiter()
  if waiter == self then
    errors.misuse("a task cannot join itself")
  end
  self.joined = true
  while self.state ~= "done" do
    self.joiners[#self.joiners + 1] = waiter
    if loop.park(waiter) == "cancelled" then
      return nil, cancelled()
    end
  end
  return outcome(self)
end

--- Cancels the task: what it waits for gives nil and an error of kind "cancelled"; a sleep, and every
-- further wait, raises it. join() gives nil and that error.
---@return boolean whether it was still to be cancelled
function Task:cancel()
  if self.state == "done" or self.cancelled then
    return false
  end
  self.cancelled = true
  self.loop.wake(self)
  return true
end

function Task:__tostring()
  return ("cekura.task (%s)"):format(self.cancelled and "cancelled" or self.state)
end

local function wait_for_group(loop, group)
  local waiter = loop.waiter()
  group.waiter = waiter
  while group.count > 0 do
    if loop.park(waiter) == "cancelled" then
      for member in pairs(group.members) do
        member:cancel()
      end
    end
  end
end

--- Makes what a program starts tasks and waits with, for one loop.
---@param loop table
---@return function spawn, function run, function sleep
function tasks.of(loop)
  --- Starts a task: `fn(...)` runs when this one waits.
  local function spawn(fn, ...)
    local current = loop.current()
    return start(loop, current and current.group, fn, ...)
  end

  --- Runs `fn(...)` as a task until it and all that it spawned are done. Returns what it returned.
  local function run(fn, ...)
    loop.waiter() -- raises where nobody can wait, before anything is begun
    local group = { count = 0, failed = false, members = {}, waiter = false }
    local main = start(loop, group, fn, ...)
    main.joined = true
    wait_for_group(loop, group)
    if not main.ok then
      error(main.values[1], 0)
    end
    local first -- that nobody joined
    local task = group.failed
    while task do
      first = not task.joined and task or first
      task = task.failed_before
    end
    if first then
      error(first.values[1], 0)
    end
    return outcome(main)
  end

  --- Waits so many seconds. It has no result by which it could tell of a cancelled task, and often is all that a loop
  -- waits by: so it raises.
  local function sleep(seconds)
    local waiter = loop.waiter()
    local wake_at = core.now() + seconds
    local why
    repeat
      why = loop.park(waiter, math.max(0, wake_at - core.now()), true)
    until why ~= "woken"
    if why == "cancelled" then
      error(cancelled(), 0)
    elseif why == "closing" then
      error(errors.new("closed", "the host is ending"), 0)
    end
  end

  return spawn, run, sleep
end

return tasks

--- Tasks: functions that run beside each other, and can be joined and cancelled. How a task is run, and how it waits,
-- is its loop's matter:
--
--   waiter()                  as in every adapter, see cekura.loop
--   park, wake                a task's methods as a waiter
--   launch(task)              has the task run soon, in a coroutine of its own: tasks.begin(task), then task.body(),
--                             then tasks.finish() with its outcome. It may be called again for a task that has not
--                             begun, and does not yield
--   current()                 the task that calls; nil: none
--   failed(task)              has tasks.report(task) called once what runs now has had its turn
--   log(message)              where errors go that nothing else shows
--
-- A task is a waiter of its loop's kind: what it waits by is itself.

local atomic = require "cekura.loop.atomic"
local core = require "cekura.core"
local errors = require "cekura.errors"

local unpack = table.unpack or unpack -- luacheck: ignore 143

local tasks = {}

---@class cekura.Task
local Task = {}

local function cancelled()
  return errors.new("cancelled", "the task was cancelled")
end

-- ---- the end ----

local function pack(...)
  return { n = select("#", ...), ... }
end

-- What a task has raised whose end there is no memory to keep.
local NO_MEMORY = { n = 1, "not enough memory" }

-- The joiners of a task that has ended.
local NONE = {}

-- Ends what a run waits for: its tasks are cancelled, and those that they still spawn never begin.
local function cancel_group(group)
  group.over = true
  local members = {}
  for member in pairs(group.members) do
    members[#members + 1] = member
  end
  for _, member in ipairs(members) do
    member:cancel()
  end
end

-- Of the tasks that failed, a run keeps one: the first that nothing has joined.
local function fail(task, group)
  if group and task == group.main then
    cancel_group(group) -- run raises it
  elseif #task.joiners == 0 then
    if group and not (group.failed and not group.failed.joined) then
      group.failed = task
    end
    task.loop.failed(task)
  end
end

--- Wakes the waiters of a finished task. If memory runs out halfway, it can be called again, since the list of waiters
-- is dropped last. Does nothing once all of them have been woken.
---@param task cekura.Task
function tasks.settle(task)
  local group, joiners = task.group, task.joiners
  if joiners == NONE then
    return
  end
  if group and group.members[task] then
    group.members[task] = nil
    group.count = group.count - 1
  end
  if not task.ok and not task.cancelled then
    fail(task, group)
  end
  for _, joiner in ipairs(joiners) do
    joiner:wake()
  end
  if group and group.count == 0 and group.waiter then
    group.waiter:wake()
  end
  task.joiners, task.group = NONE, false
end

--- Takes in how a task ended: true and what its function returned, or false and what it raised. What waits for it is
-- woken in any case. Does nothing for a task that has ended.
---@param task cekura.Task
---@param ok boolean
function tasks.finish(task, ok, ...)
  if task.state == "done" then
    return
  end
  local packed, values = pcall(pack, ...)
  task.state, task.body = "done", nil
  task.ok, task.values = packed and ok, packed and values or NO_MEMORY
  tasks.unbegun[task] = nil
  tasks.settle(task)
end

local function text_of(value)
  local ok, text = pcall(tostring, value)
  return ok and text or ("%s (%s)"):format(type(value), tostring(text))
end

--- Logs what a task raised, unless it was joined meanwhile.
---@param task cekura.Task
function tasks.report(task)
  if not task.joined then
    local where = task.traceback and "\n" .. task.traceback or ""
    task.loop.log("cekura: a task raised, and nobody joined it: " .. text_of(task.values[1]) .. where)
  end
end

-- ---- the beginning ----

--- The tasks that have not begun.
tasks.unbegun = {}

-- Seconds. A host may drop what it was handed: after so many it is handed over again; and after so many, a program that
-- lets nothing run is told so. How often that is looked after.
local AGAIN, LATE, LOOK = 3, 5, 1

local look_at = 0

--- Whether the task is to run now, and has not begun already.
---@param task cekura.Task
---@return boolean
tasks.begin = atomic(function(task)
  if task.begun or task.state == "done" then
    return false
  end
  tasks.unbegun[task] = nil
  task.begun = true
  return true
end)

local function hand_over_again(task, now)
  task.handed_at = now
  local ok, raised = pcall(task.loop.launch, task)
  if not ok then
    task.loop.log("cekura: a task cannot be started: " .. text_of(raised))
  end
end

local function warn_late(late)
  for _, task in ipairs(late) do
    task.warned = true
  end
  if late[1] then
    late[1].loop.log(("cekura: spawned tasks have not begun after %d s: %d. The program lets none run: see cekura.run "
      .. "and cekura.step"):format(LATE, #late))
  end
end

-- Tasks whose threads the host has ended.
local lost = {}

--- Notes that the host has ended the thread of a task, for the next look_after(). Finalizers call this: when the state
-- ends, the host is gone before them, and nothing of it may be called.
---@param task cekura.Task
function tasks.lose(task)
  lost[task] = true
end

--- Looks after tasks that were spawned and have not begun, and after those that are lost. Every loop calls this
-- wherever a program comes by.
tasks.look_after = atomic(function()
  for task in pairs(lost) do
    lost[task] = nil
    tasks.finish(task, false, "the host has ended the task's thread")
  end
  local now = core.now()
  if next(tasks.unbegun) == nil or now < look_at then
    return
  end
  look_at = now + LOOK
  local again, late = {}, {}
  for task in pairs(tasks.unbegun) do
    if task.loop.hands_over and now - task.handed_at > AGAIN then
      again[#again + 1] = task
    end
    if not task.warned and now - task.spawned_at > LATE then
      late[#late + 1] = task
    end
  end
  warn_late(late)
  for _, task in ipairs(again) do
    hand_over_again(task, now)
  end
end)

-- When the state ends, the host's log may have ended before.
local function warn_at_end()
  local count = 0
  for task in pairs(tasks.unbegun) do
    count = count + (task.warned and 0 or 1)
  end
  if count > 0 then
    io.stderr:write(("cekura: spawned tasks never began: %d. The program ended before it let them run (cekura.run)\n")
      :format(count))
  end
end

tasks.guard = core.guard(warn_at_end)

-- ---- cancelling ----

--- Whether the task has been cancelled and was not told of it yet: it is told once, by the wait that it is in, which
-- may have things to end before it returns.
---@param task cekura.Task
---@return boolean?
function tasks.to_be_told(task)
  local news = task.cancelled and not task.told
  task.told = task.cancelled
  return news
end

--- For loops, where a task begins to wait: raises the first time after the task was told; later, the task counts as
-- ended, and the loop is to let it go.
---@param task cekura.Task
---@return boolean is_over
tasks.check = atomic(function(task)
  if not task.told then
    return task.state == "done"
  elseif not task.refused then
    task.refused = true
    error(cancelled(), 0)
  end
  tasks.finish(task, false, cancelled())
  return true
end)

--- Raises what a wait raises in a task that counts as ended, where a loop cannot let it go.
function tasks.refuse()
  error(cancelled(), 0)
end

-- ---- for programs ----

-- It has its fields from the beginning: to add one later takes memory, which there may not be.
local function new_task(loop, group)
  local now = core.now()
  return setmetatable({ loop = loop, state = "ready", joiners = {}, group = group, why = false, cancelled = false,
    told = false, refused = false, joined = false, ok = false, values = false, traceback = false, co = false,
    turn = false, behind = false, inner = false, begun = false, spawned_at = now, handed_at = now, warned = false,
    patience = false, interrupted = false, doomed = false, signal = false, threads = false,
    leave = false, scope = false }, loop.task_metatable)
end

local start = atomic(function(loop, group, fn, ...)
  local arguments = pack(...)
  local task = new_task(loop, group)
  if group and group.over then
    task.group, task.cancelled = false, true
    tasks.finish(task, false)
    return task
  end
  function task.body()
    local given = arguments
    arguments = nil
    return fn(unpack(given, 1, given.n))
  end
  tasks.unbegun[task] = true
  if group then
    group.members[task] = true
    group.count = group.count + 1
    group.main = group.main or task
  end
  local launched, raised = pcall(loop.launch, task)
  if not launched then -- the host can start no more
    tasks.unbegun[task] = nil
    if group then
      group.members[task] = nil
      group.count = group.count - 1
    end
    error(raised, 0)
  end
  return task
end)

local function outcome(task)
  if task.cancelled then
    return nil, cancelled()
  elseif not task.ok then
    return nil, task.values[1], task.traceback or nil
  end
  return unpack(task.values, 1, task.values.n)
end

-- Whether there is still something to wait for.
local enlist = atomic(function(task, waiter)
  if task.state == "done" then
    return false
  end
  task.joiners[#task.joiners + 1] = waiter
  return true
end)

local withdraw = atomic(function(task, waiter)
  for place = #task.joiners, 1, -1 do
    if task.joiners[place] == waiter then
      table.remove(task.joiners, place)
    end
  end
end)

--- Waits until the task is done, and returns what its function returned; nil, what it raised, and where.
---@return any ...
function Task:join()
  local waiter = self.loop.waiter()
  if waiter == self then
    errors.misuse("a task cannot join itself")
  end
  if enlist(self, waiter) then
    local why
    repeat
      why = waiter:park()
    until why == "cancelled" or self.state == "done"
    withdraw(self, waiter)
    if why == "cancelled" then
      return nil, cancelled()
    end
  end
  self.joined = true
  return outcome(self)
end

--- Cancels the task. What it waits for gives nil and an error of kind "cancelled" (a sleep raises it); its next wait
-- raises that error; at any later one it counts as ended. join() gives nil and that error.
---@return boolean whether it was still to be cancelled
Task.cancel = atomic(function(self)
  if self.state == "done" or self.cancelled then
    return false
  end
  self.cancelled = true
  if self.begun then
    self:wake()
  else
    tasks.finish(self, false)
  end
  return true
end)

local function task_tostring(task)
  return ("cekura.task (%s)"):format(task.cancelled and "cancelled" or task.state)
end

local function wait_for_group(group, waiter)
  group.waiter = waiter
  while group.count > 0 do
    if waiter:park() == "cancelled" then
      atomic(cancel_group)(group)
    end
  end
end

--- Makes what a program starts tasks and waits with, for one loop.
---@param loop table
---@return function spawn, function run, function sleep
function tasks.of(loop)
  loop.task_metatable = { __name = "cekura.task", __tostring = task_tostring,
    __index = { join = Task.join, cancel = Task.cancel, park = loop.park, wake = loop.wake } }

  --- Starts a task: `fn(...)` runs when this one waits.
  local function spawn(fn, ...)
    tasks.look_after()
    local current = loop.current()
    return start(loop, current and current.group, fn, ...)
  end

  --- Runs `fn(...)` as a task until it and all that it spawned are done. Returns what it returned. When it raises, the
  -- others are cancelled.
  local function run(fn, ...)
    local waiter = loop.waiter() -- raises where nothing can wait, before anything is begun
    local group = { count = 0, failed = false, members = {}, waiter = false, main = false, over = false }
    local main = start(loop, group, fn, ...)
    wait_for_group(group, waiter)
    if not main.ok and main.values.n > 0 then
      error(main.values[1], 0)
    end
    local failed = group.failed
    if failed and not failed.joined then
      error(failed.values[1], 0)
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
      why = waiter:park(math.max(0, wake_at - core.now()), true)
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

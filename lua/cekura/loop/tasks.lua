--- What a program starts tasks and waits with. A loop brings:
--
--   waiter()        see cekura.loop
--   Waiter          the methods park(), wake() and defer_cancel() of a task as a waiter
--   launch(task)    has the task run soon, in a new coroutine: task.begin(), then task.call(), then task.finish()
--                   with the outcome; see cekura.loop.task. It may be called again for a task that has not begun, and
--                   does not yield
--   relaunches      optional: a task that has not begun after a while is launched again
--   is_loading()    optional: whether the host loads programs, and runs none yet
--   current()       the running task; nil: none runs
--   failed(task)    calls task.report() once the running code has had its turn
--   log(message)    for errors that nothing else shows

local atomic = require "cekura.loop.atomic"
local core = require "cekura.core"
local errors = require "cekura.errors"
local task = require "cekura.loop.task"
local task_group = require "cekura.loop.task_group"
local unbegun = require "cekura.loop.unbegun"

local tasks = {}

-- Tasks whose threads the host has ended, and whether there are any.
local lost, any_lost = {}, false

--- Notes that the host has ended the thread of a task, for the next check(). Finalizers call this: when the Lua state
-- ends, the host is gone before them, and none of its functions may be called.
---@param lost_task cekura.Task
function tasks.lose(lost_task)
  lost[lost_task] = true
  any_lost = true
end

-- Finalizers may add tasks meanwhile.
local end_lost = atomic(function()
  local lost_task = next(lost)
  while lost_task do
    lost[lost_task] = nil
    task.finish(lost_task, false, "the host has ended the task's thread")
    lost_task = next(lost)
  end
  any_lost = false
end)

--- Ends tasks that are lost, and checks those that have not begun. Every loop calls this wherever a program calls it.
function tasks.check()
  if any_lost then
    end_lost()
  end
  if unbegun.tasks then
    unbegun.check()
  end
end

-- Starts a task: `fn(...)` runs when the caller waits.
local function spawn(loop, fn, ...)
  tasks.check()
  local current = loop.current()
  return task.start(loop, current and current.group, fn, ...)
end

-- Whether a pcall or xpcall of the running coroutine catches what is raised here.
local function is_caught()
  local level = 2
  local info = debug.getinfo(level, "f")
  while info do
    if info.func == pcall or info.func == xpcall then
      return true
    end
    level = level + 1
    info = debug.getinfo(level, "f")
  end
  return false
end

-- Raises the error of a run's main task. The program that prints an uncaught error prints the traceback of this
-- coroutine, so the task's traceback is logged here; not in a task, whose error may be joined.
local function raise(loop, main)
  if not loop.current() and not is_caught() then
    task.log(main, "the function of cekura.run raised")
  end
  error(main.values[2], 0)
end

-- The task whose error a run raises: the main one, or the first that failed and was not joined; nil: none.
local function failed_of(group)
  local main, failed = group.main, group.failed
  if not main.values[1] and main.values.n > 1 then
    return main
  end
  return failed and not failed.joined and failed or nil
end

-- Runs `fn(...)` as a task until it and all tasks that it spawned have ended, and returns its results. If it raises,
-- the others are cancelled.
local function run(loop, fn, ...)
  local group = task_group.new(loop.waiter()) -- raises where nothing can wait, before anything is begun
  local main = task.start(loop, group, fn, ...)
  group:wait()
  local failed = failed_of(group)
  if not task.ends_cancelled(failed or main) then
    group.waiter:defer_cancel()
  end
  if failed == main then
    raise(loop, main)
  elseif failed then
    error(failed.values[2], 0)
  end
  return task.outcome(main)
end

-- Waits so many seconds. It has no result that could report a cancelled task, and often is the only wait of a program's
-- loop: so it raises.
local function sleep(loop, seconds)
  local waiter = loop.waiter()
  local wake_at = core.now() + seconds
  local why
  repeat
    why = waiter:park(math.max(0, wake_at - core.now()), true)
  until why ~= "woken"
  if why == "cancelled" then
    task.raise_cancelled()
  elseif why == "closing" then
    error(errors.new("closed", "the host is ending"), 0)
  end
end

--- Makes the three functions for one loop.
---@param loop table
---@return function spawn, function run, function sleep
function tasks.of(loop)
  loop.task_metatable = task.metatable(loop)
  local function bind(fn)
    return function(...)
      return fn(loop, ...)
    end
  end
  return bind(spawn), bind(run), bind(sleep)
end

return tasks

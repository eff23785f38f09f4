--- Tasks in the threads of a host.

local atomic = require "cekura.loop.atomic"
local core = require "cekura.core"
local coroutine_call = require "cekura.loop.threads.coroutine_call"
local task = require "cekura.loop.task"
local tasks = require "cekura.loop.tasks"
local yields = require "cekura.loop.yieldable"

---@class cekura.loop.ThreadTasks
---@field threads table the adapter's parts
---@field host table
---@field by_coroutine table<thread, cekura.Task>
---@field checks_again boolean whether the host calls tasks.check() again and again
local ThreadTasks = {}
ThreadTasks.__index = ThreadTasks

-- Seconds between two checks for tasks that the host may have dropped.
local CHECK = 3

-- Seconds for each wait of a task that counts as ended, in a host that cannot end its thread.
local PAUSE = 1

local thread_tasks = {}

--- Makes the tasks of one host.
---@param threads table the adapter's parts, as waiters have them
---@return cekura.loop.ThreadTasks
function thread_tasks.new(threads)
  return setmetatable({ threads = threads, host = threads.host, by_coroutine = setmetatable({}, { __mode = "k" }),
    checks_again = false }, ThreadTasks)
end

--- The task whose thread calls; nil: none.
---@return cekura.Task?
function ThreadTasks:current()
  local current = self.by_coroutine[coroutine.running() or self] -- Lua 5.1's main program is no coroutine
  return current and (not self.host.scope or current.scope == self.host.scope()) and current or nil
end

--- Ends the thread of a task that counts as ended, where the host can; else raises after a pause.
---@param ended cekura.Task
function ThreadTasks:leave(ended)
  if ended.leave then
    ended.leave()
  end
  self.host.wait(self.host.signal(), PAUSE, 0)
  task.raise_cancelled()
end

-- ---- running ----

local function trace(failed, ...)
  local ok, traceback = pcall(debug.traceback, ...)
  failed.traceback = ok and traceback:gsub("^\n", "")
end

local function call_in_coroutine(self, called)
  local co = coroutine.create(task.call)
  self.by_coroutine[co] = called
  called.leave = coroutine_call.abandon
  local function ended(ok, ...)
    if not ok and coroutine.status(co) == "dead" then
      trace(called, co)
    end
    return ok, ...
  end
  return ended(coroutine_call.run(co, called))
end

local function call_here(self, called)
  self.by_coroutine[coroutine.running()] = called
  return xpcall(function()
    return task.call(called)
  end, function(raised)
    trace(called, "", 4)
    return raised
  end)
end

local finish = atomic(task.finish)

-- Runs a task in its thread. A host may have been given the task twice.
local function run(self, launched, leave)
  if not task.begin(launched) then
    return
  end
  local co = coroutine.running()
  -- Where the host ends the thread, its stack is collected.
  local lost = core.guard(function()
    if launched.state ~= "done" then
      tasks.lose(launched)
    end
  end)
  launched.scope = self.host.scope and self.host.scope()
  launched.leave = leave or false
  local in_coroutine = self.host.in_coroutine or not yields
  finish(launched, (in_coroutine and call_in_coroutine or call_here)(self, launched))
  self.by_coroutine[co] = nil
  core.spend(lost)
end

--- Has the host start a thread for the task.
---@param launched cekura.Task
function ThreadTasks:launch(launched)
  local host = self.host
  if not launched.signal then
    launched.signal, launched.threads = host.signal(), self.threads
  end
  host.start(function(leave)
    run(self, launched, leave)
  end)
  if host.every and not self.checks_again then
    self.checks_again = pcall(host.every, CHECK, tasks.check)
  end
end

--- Has the task reported once the running code has had its turn.
---@param failed cekura.Task
function ThreadTasks:failed(failed)
  local function report()
    task.report(failed)
  end
  if self.host.later then
    self.host.later(report)
  else
    report()
  end
end

return thread_tasks

--- Tasks that were spawned and have not begun: a host may drop them, or a program may never run its loop.

local atomic = require "cekura.loop.atomic"
local core = require "cekura.core"

local unbegun = {}

---@class cekura.loop.Unbegun tasks that were spawned at about the same time
---@field count integer of those that have not begun
---@field spawned_at number by core.now()
---@field launched_at number
---@field noticed boolean counted in the notice at the program's end
---@field warned boolean the warning that the tasks have not begun was written

--- The tasks; false: there are none. A table would keep the room that many tasks once needed, and each search for its
-- first entry would pass through it.
---@type table<cekura.Task, cekura.loop.Unbegun>|false
unbegun.tasks = false
local count = 0

---@type cekura.loop.Unbegun?
local latest

-- Seconds after which a task is launched again, where a host may have dropped it; after which the program is warned;
-- between two checks; and within which tasks count as spawned at the same time.
local RELAUNCH, LATE, PAUSE, SAME = 3, 5, 1, 0.1

-- A task runs while plain code waits, which a program whose host has a loop of another kind may never do.
local REMEDY = "nothing here runs tasks: call cekura.run, or cekura.step on each tick of the host (docs/hosts.md)"
local RELAUNCHED = "the host has not run them, so they are launched again"

-- Written when the Lua state ends, or the process: the host's log may have ended before.
local notice = core.notice("cekura: spawned tasks never began: ", ". The program has ended, and " .. REMEDY)

local next_check = 0

-- The record for a task that is spawned now.
local function current_record(noticed)
  local now = core.now()
  if not latest or now - latest.spawned_at > SAME or latest.warned or latest.noticed ~= noticed then
    latest = { count = 0, spawned_at = now, launched_at = now, noticed = noticed, warned = false }
  end
  return latest
end

--- Adds a task. One that is spawned while its host still loads programs counts from when the host runs: loading may be
-- all that happens, as where a configuration is only checked.
---@param task cekura.Task
unbegun.add = atomic(function(task)
  local record = current_record(not (task.loop.is_loading and task.loop.is_loading()))
  unbegun.tasks = unbegun.tasks or {}
  unbegun.tasks[task] = record
  record.count, count = record.count + 1, count + 1
  if record.noticed then
    core.count(notice, 1)
  end
end)

--- Removes a task that begins or has ended.
---@param task cekura.Task
unbegun.remove = atomic(function(task)
  local record = unbegun.tasks and unbegun.tasks[task]
  if not record then
    return
  end
  unbegun.tasks[task] = nil
  record.count, count = record.count - 1, count - 1
  if count == 0 then
    unbegun.tasks = false
  end
  if record.noticed then
    core.count(notice, -1)
  end
end)

local function relaunch(task, now)
  unbegun.tasks[task].launched_at = now
  local ok, raised = pcall(task.loop.launch, task)
  if not ok then
    task.loop.log("cekura: a task cannot be started: " .. tostring(raised))
  end
end

local function warn(late)
  for _, task in ipairs(late) do
    local record = unbegun.tasks[task]
    if record.noticed then
      core.count(notice, -record.count)
    end
    record.warned, record.noticed = true, false
  end
  if late[1] then
    local loop = late[1].loop
    loop.log(("cekura: spawned tasks have not begun after %d s: %d; %s"):format(LATE, #late,
      loop.relaunches and RELAUNCHED or REMEDY))
  end
end

--- Launches again what a host may have dropped, and warns once of tasks that are late. Every public function calls
-- this, and the loops where they wait; while there are no such tasks, `tasks` is false, and they do without.
unbegun.check = atomic(function()
  local now = core.now()
  if now < next_check then
    return
  end
  next_check = now + PAUSE
  local dropped, late = {}, {}
  for task, record in pairs(unbegun.tasks or {}) do
    if task.loop.relaunches and now - record.launched_at > RELAUNCH then
      dropped[#dropped + 1] = task
    end
    if not record.warned and now - record.spawned_at > LATE then
      late[#late + 1] = task
    end
  end
  warn(late)
  for _, task in ipairs(dropped) do
    relaunch(task, now)
  end
end)

--- Has each of the functions check first.
---@param functions table<string, function> functions of the public module, or methods
function unbegun.check_in(functions)
  for name, fn in pairs(functions) do
    if type(fn) == "function" then
      functions[name] = function(...)
        if unbegun.tasks then
          unbegun.check()
        end
        return fn(...)
      end
    end
  end
end

return unbegun

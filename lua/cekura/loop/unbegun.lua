--- Tasks that were spawned and have not begun: a host may drop them, or a program may never run its loop.

local atomic = require "cekura.loop.atomic"
local core = require "cekura.core"

local unbegun = {}

---@class cekura.loop.Unbegun
---@field spawned_at number by core.now()
---@field launched_at number
---@field noticed boolean counted in the notice at the program's end
---@field warned boolean the warning that the task has not begun was written

--- The tasks, and how many they are: to ask whether there are any costs no call.
---@type table<cekura.Task, cekura.loop.Unbegun>
unbegun.tasks, unbegun.count = {}, 0

-- Seconds after which a task is launched again, where a host may have dropped it; after which the program is warned;
-- and between two checks.
local RELAUNCH, LATE, PAUSE = 3, 5, 1

-- A task runs while plain code waits, which a program whose host has a loop of another kind may never do.
local REMEDY = "nothing here runs tasks: call cekura.run, or cekura.step on each tick of the host (docs/hosts.md)"
local RELAUNCHED = "the host has not run them, so they are launched again"

-- Written when the Lua state ends, or the process: the host's log may have ended before.
local notice = core.notice("cekura: spawned tasks never began: ", ". The program has ended, and " .. REMEDY)

local next_check = 0

--- Adds a task. One that is spawned while its host still loads programs counts from when the host runs: loading may be
-- all that happens, as where a configuration is only checked.
---@param task cekura.Task
unbegun.add = atomic(function(task)
  local now = core.now()
  local record = { spawned_at = now, launched_at = now, noticed = false, warned = false }
  unbegun.tasks[task] = record
  unbegun.count = unbegun.count + 1
  if not (task.loop.is_loading and task.loop.is_loading()) then
    core.count(notice, 1)
    record.noticed = true
  end
end)

-- To be called by an atomic function.
local function forget_notice(record)
  if record.noticed then
    record.noticed = false
    core.count(notice, -1)
  end
end

--- Removes a task that begins or has ended.
---@param task cekura.Task
unbegun.remove = atomic(function(task)
  local record = unbegun.tasks[task]
  if record then
    unbegun.tasks[task], unbegun.count = nil, unbegun.count - 1
    forget_notice(record)
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
    unbegun.tasks[task].warned = true
    forget_notice(unbegun.tasks[task])
  end
  if late[1] then
    local loop = late[1].loop
    loop.log(("cekura: spawned tasks have not begun after %d s: %d; %s"):format(LATE, #late,
      loop.relaunches and RELAUNCHED or REMEDY))
  end
end

--- Launches again what a host may have dropped, and warns once of tasks that are late. Every public function calls
-- this, and the loops where they wait; while there are no such tasks, `count` is 0, and they do without.
unbegun.check = atomic(function()
  local now = core.now()
  if now < next_check then
    return
  end
  next_check = now + PAUSE
  local dropped, late = {}, {}
  for task, record in pairs(unbegun.tasks) do
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
        if unbegun.count > 0 then
          unbegun.check()
        end
        return fn(...)
      end
    end
  end
end

return unbegun

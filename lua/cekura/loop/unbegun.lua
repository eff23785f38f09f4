--- Tasks that were spawned and have not begun: a host may drop what it was given, and a program may let nothing run.

local core = require "cekura.core"

local unbegun = {}

--- The tasks.
unbegun.tasks = {}

-- Seconds after which a task is launched again, where a host may have dropped it; after which the program is warned;
-- and between two checks.
local RELAUNCH, LATE, PAUSE = 3, 5, 1

local next_check = 0

local function relaunch(task, now)
  task.launched_at = now
  local ok, raised = pcall(task.loop.launch, task)
  if not ok then
    task.loop.log("cekura: a task cannot be started: " .. tostring(raised))
  end
end

local function warn(late)
  for _, task in ipairs(late) do
    task.warned = true
  end
  if late[1] then
    late[1].loop.log(("cekura: spawned tasks have not begun after %d s: %d. The program lets none run: see cekura.run "
      .. "and cekura.step"):format(LATE, #late))
  end
end

--- Launches again what a host may have dropped, and warns once of tasks that are late.
function unbegun.check()
  local now = core.now()
  if next(unbegun.tasks) == nil or now < next_check then
    return
  end
  next_check = now + PAUSE
  local dropped, late = {}, {}
  for task in pairs(unbegun.tasks) do
    if task.loop.relaunches and now - task.launched_at > RELAUNCH then
      dropped[#dropped + 1] = task
    end
    if not task.warned and now - task.spawned_at > LATE then
      late[#late + 1] = task
    end
  end
  warn(late)
  for _, task in ipairs(dropped) do
    relaunch(task, now)
  end
end

-- When the Lua state ends, the host's log may have ended before it.
local function warn_at_end()
  local count = 0
  for task in pairs(unbegun.tasks) do
    count = count + (task.warned and 0 or 1)
  end
  if count > 0 then
    io.stderr:write(("cekura: spawned tasks never began: %d. The program ended before it let them run (cekura.run)\n")
      :format(count))
  end
end

unbegun.guard = core.guard(warn_at_end)

return unbegun

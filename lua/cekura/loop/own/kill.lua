--- Ends a task whose code goes on although it counts as ended: every instruction of its coroutine raises, also where
-- the code catches that.

local task = require "cekura.loop.task"

local kill = {}

--- Kills the task's coroutine. LuaJIT has one hook for all coroutines, so it checks which one runs.
---@param killed cekura.Task
function kill.task(killed)
  local co = killed.co
  killed.killed = { debug.gethook() }
  debug.sethook(co, function()
    if coroutine.running() == co then
      task.raise_cancelled()
    end
  end, "", 1)
end

--- Puts back the hook that LuaJIT had before, once the coroutine is dead.
---@param killed cekura.Task
function kill.restore_hook(killed)
  if killed.killed and rawget(_G, "jit") then
    debug.sethook(killed.killed[1], killed.killed[2], killed.killed[3])
  end
end

return kill

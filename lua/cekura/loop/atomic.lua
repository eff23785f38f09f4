--- Functions that a host cannot interrupt. HAProxy, for one, has a hook that yields between any two instructions, and
-- then runs other tasks of the same Lua state. So shared data that changes in more than one step is changed by a
-- function made here: it runs to its end before anything else does. It must not wait, nor call a function that does.

local core = require "cekura.core"

-- Before Lua 5.2, and in LuaJIT, no hook can yield.
local HOOKS_YIELD = _VERSION ~= "Lua 5.1"

---@generic F: function
---@param fn F
---@return F
local function atomic(fn)
  return HOOKS_YIELD and core.atomic(fn) or fn
end

return atomic

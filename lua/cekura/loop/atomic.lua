--- A host may interrupt Lua between any two instructions, by a hook that yields, and run other tasks of the same state
-- meanwhile, as HAProxy does. So what is changed in more than one step, and is looked at by others, is changed by a
-- function that was made here: it runs to its end before anything else does. Such a function never waits; what it
-- calls may not, either.

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

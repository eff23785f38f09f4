--- Calls of functions that wait, in a new coroutine: the caller yields the values that it yields.

local yields = require "cekura.loop.yieldable"

local coroutine_call = {}

-- What a coroutine yields that is abandoned.
local ABANDONED = {}

local function relay(co, ok, ...)
  if coroutine.status(co) == "dead" then
    return ok, ...
  elseif (...) == ABANDONED then
    return false
  end
  return relay(co, coroutine.resume(co, coroutine.yield(...)))
end

--- Runs a coroutine to its end, or until it is abandoned.
---@param co thread
---@return boolean ok, any ...
function coroutine_call.run(co, ...)
  return relay(co, coroutine.resume(co, ...))
end

--- pcall(), also where Lua cannot yield across it.
coroutine_call.protected = yields and pcall or function(fn, ...)
  return coroutine_call.run(coroutine.create(fn), ...)
end

--- Abandons the coroutine that calls: never returns.
function coroutine_call.abandon()
  while true do
    coroutine.yield(ABANDONED)
  end
end

return coroutine_call

--- Time in specs without a stopwatch. A machine may stop any process for seconds, so no spec asserts how soon something
-- happens. Specs assert the order of events, and wait for what must happen.
--
-- spec/engine/deadline_test.c asserts exact deadlines, with a clock that it moves.

local cekura = require "cekura"
local core = require "cekura.core"

local patience = {}

-- Seconds after which something counts as hung.
local LIMIT = 60

local function pack(...)
  return { n = select("#", ...), ... }
end

local unpack = table.unpack or unpack

--- Runs a function beside a bare timer of this process, and raises if the timer fires first. Choose a time far longer
--- than the function takes, and far shorter than it would take if it failed.
---@param seconds number
---@param fn fun(...): any runs as a task, with the further arguments
---@return any ... what fn returns
function patience.before_timer(seconds, fn, ...)
  local results, raised, late
  cekura.run(function(...)
    local task = cekura.spawn(function(...)
      results = pack(fn(...))
    end, ...)
    local timer = cekura.spawn(function()
      cekura.sleep(seconds)
      late = true
      task:cancel()
    end)
    raised = select(2, task:join())
    timer:cancel()
  end, ...)
  if late then
    error(("a timer of %g s fired first"):format(seconds), 2)
  elseif not results then
    error(raised, 0)
  end
  return unpack(results, 1, results.n)
end

--- Waits in a task until a function returns a true value, and returns that value. Raises if it never does.
---@param condition fun(): any called repeatedly
function patience.eventually(condition)
  local limit = core.now() + LIMIT
  while core.now() < limit do
    local value = condition()
    if value then
      return value
    end
    cekura.sleep(0.005)
  end
  error("the condition never became true", 2)
end

--- Waits until a client has nothing in flight. A poll may be in flight after its last waiter has left.
function patience.until_idle(client)
  patience.eventually(function() return client:stats().in_flight == 0 end)
end

--- Calls a function with a time, and again with twice the time, until it returns a true value, and returns that value.
--- Use it for what must happen before a deadline, on a machine of any speed. Raises if no time is enough.
---@param seconds number the first span
---@param attempt fun(seconds: number): any
function patience.with_enough_time(seconds, attempt)
  while seconds < LIMIT do
    local value = attempt(seconds)
    if value then
      return value
    end
    seconds = seconds * 2
  end
  error("no time was long enough", 2)
end

return patience

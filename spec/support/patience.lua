--- Time in specs, without a stopwatch: a machine may stop any process for seconds, so no spec asserts how soon
-- something happens. It asserts what comes first, and waits for what has to come.
--
-- What an exact deadline is, spec/engine/deadline_test.c asserts, by a clock of its own.

local cekura = require "cekura"
local core = require "cekura.core"

local patience = {}

-- Seconds after which something hangs.
local LIMIT = 60

local function pack(...)
  return { n = select("#", ...), ... }
end

local unpack = table.unpack or unpack

--- Runs a function beside a bare timer of this process, and raises if the timer goes off first. The span is to be far
--- above what the function takes, and far below what it would take if it were wrong.
---@param seconds number
---@param fn fun(...): any runs as a task; more arguments are its own
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
    error(("a timer of %g s went off first"):format(seconds), 2)
  elseif not results then
    error(raised, 0)
  end
  return unpack(results, 1, results.n)
end

--- Waits, as a task does, until a function returns something true, and returns that. Raises if it never does.
---@param condition fun(): any asked again and again
function patience.eventually(condition)
  local limit = core.now() + LIMIT
  while core.now() < limit do
    local value = condition()
    if value then
      return value
    end
    cekura.sleep(0.005)
  end
  error("it never came", 2)
end

--- Waits until a client has nothing in flight: a poll that nobody waits for any more may still be on its way.
function patience.until_idle(client)
  patience.eventually(function() return client:stats().in_flight == 0 end)
end

--- Calls a function with a span, and again with twice the span, until it returns something true, and returns that: for
--- what has to happen before a deadline passes, on a machine of whatever speed. Raises if no span is enough.
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
  error("no time was enough", 2)
end

return patience

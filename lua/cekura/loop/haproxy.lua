--- HAProxy: a wait yields the task, service or action that calls. `loop = "haproxy"`; inside HAProxy `"auto"` finds it.
-- HAProxy can watch no descriptor of others, and has nothing by which one of its coroutines could wake another: so
-- the pump, and whoever waits, sleep and look again.

local core = require "cekura.core"
local errors = require "cekura.errors"
local threads = require "cekura.loop.threads"

local haproxy = rawget(_G, "core")

local host = { linger = 0.1 }

local function sleep(seconds)
  haproxy.msleep(math.max(1, math.ceil(seconds * 1000)))
end

-- Seconds. Who waits looks again after a tenth of the time that he has waited already; and is gone when he has not
-- looked for so long.
local FIRST_TICK, LAST_TICK, LOST = 0.001, 0.2, 3

-- Tasks begin when HAProxy has loaded its configuration, has forked, and runs.
local running = false
haproxy.register_task(function()
  running = true
end)

local function is_running()
  running = running or core.has_extra_space()
  return running
end

-- In a coroutine that is not HAProxy's own, its functions do not wait, and register_task crashes.
local function check_coroutine()
  if is_running() and not core.has_extra_space() then
    errors.misuse "HAProxy lets only its own tasks, services and actions wait, and start tasks: not coroutines in them"
  end
end

-- Nothing tells a fetch or a converter. There, HAProxy ends a function that sleeps, and says so in its log: better
-- now than when something is begun. Not for 0 ms: HAProxy 3.0 then runs an action's stream again and again, and never
-- the action, until its watchdog aborts the process.
function host.here()
  if not is_running() then
    errors.misuse "nothing can wait while HAProxy loads: have a task of cekura.spawn do it, which begins when it runs"
  end
  check_coroutine()
  sleep(0)
end

function host.signal()
  return {}
end

function host.wait(signal, seconds, waited)
  local began = core.now()
  local passed = 0
  while not signal.notified and passed < seconds do
    local tick = math.max(FIRST_TICK, math.min((waited + passed) / 10, LAST_TICK))
    sleep(math.min(tick, seconds - passed))
    signal.quiet_since = nil
    passed = core.now() - began
  end
  signal.notified = false
end

function host.notify(signal)
  signal.notified = true
end

-- HAProxy may end who waits, and tells nobody. It may as well have been held up itself: so the time counts from when
-- somebody first looked in vain.
function host.is_lost(signal)
  signal.quiet_since = signal.quiet_since or core.now()
  return core.now() - signal.quiet_since > LOST
end

function host.is_closing()
  return haproxy.get_info().Stopping == 1
end

function host.log(message)
  haproxy.log(haproxy.err, message)
end

function host.start(fn)
  check_coroutine()
  haproxy.register_task(fn)
end

host.start_pump = host.start

-- HAProxy interrupts what has started a task, and may be about to join it.
local LATER = 0.05

function host.later(fn)
  haproxy.register_task(function()
    sleep(LATER)
    fn()
  end)
end

host.watch = threads.ticks(sleep)

local adapter = threads.new("haproxy", host)

--- While HAProxy loads: calls the function, in a task, once it runs. Returns whether it does.
---@param fn function
---@return boolean
function adapter.defer(fn)
  if is_running() then
    return false
  end
  haproxy.register_task(fn)
  return true
end

-- What is made while HAProxy loads is of no use in the processes that it forks then.
local attach = adapter.attach
function adapter.attach(client)
  if not is_running() then
    errors.misuse "a client is made when HAProxy runs: in a task of cekura.spawn, or when it is first needed"
  end
  attach(client)
end

return adapter

--- HAProxy: a wait yields the task, service or action that calls. `loop = "haproxy"`; inside HAProxy `"auto"` finds it.
-- HAProxy watches only its own descriptors, and none of its coroutines can wake another: so the pump, and threads that
-- wait, sleep and check again.

local core = require "cekura.core"
local errors = require "cekura.errors"
local threads = require "cekura.loop.threads"

local haproxy = rawget(_G, "core")

local host = { linger = 0.1 }

local function sleep(seconds)
  haproxy.msleep(math.max(1, math.ceil(seconds * 1000)))
end

-- Seconds. A thread that waits checks again after a tenth of the time that it has waited already, and counts as lost
-- when it has not checked for so long.
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

function host.is_loading()
  return not is_running()
end

-- In a coroutine that HAProxy has not made, its functions do not wait, and register_task crashes.
local function check_coroutine()
  if is_running() and not core.has_extra_space() then
    errors.misuse "HAProxy lets only its own tasks, services and actions wait, and start tasks: not coroutines in them"
  end
end

-- Fetches and converters cannot wait, and cannot be detected. HAProxy ends a function that sleeps there, and logs that:
-- better now than after something was begun. Not for 0 ms: HAProxy 3.0 then runs an action's stream again and again,
-- and never the action, until its watchdog aborts the process.
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

-- HAProxy may end a thread that waits, without a notification. Or HAProxy itself was blocked: so the time counts from
-- the first scan that missed the thread.
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

-- HAProxy may interrupt the code that has started a task, before it joins the task.
local LATER = 0.05

function host.later(fn)
  haproxy.register_task(function()
    sleep(LATER)
    fn()
  end)
end

host.watch = threads.ticks(sleep)

local adapter = threads.new("haproxy", host)

--- While HAProxy loads: calls the function, in a task, once HAProxy runs. Returns whether it will.
---@param fn function
---@return boolean
function adapter.defer(fn)
  if is_running() then
    return false
  end
  haproxy.register_task(fn)
  return true
end

-- A client that is made while HAProxy loads cannot be used in the processes that HAProxy then forks.
local attach = adapter.attach
function adapter.attach(client)
  if not is_running() then
    errors.misuse "a client is made when HAProxy runs: in a task of cekura.spawn, or when it is first needed"
  end
  attach(client)
end

return adapter

--- nginx and OpenResty: a wait yields the calling request or timer. `loop = "ngx"`; inside nginx `"auto"` detects it.
-- Stock nginx watches only the descriptors of its own sockets, so a thread (src/engine/bridge.h) steps the engine, and
-- notifies the pump over such a socket. A cosocket belongs to the request that made it, so the pump runs in a timer.

local core = require "cekura.core"
local errors = require "cekura.errors"
local semaphore = require "ngx.semaphore"
local threads = require "cekura.loop.threads"

local ngx = ngx -- luacheck: ignore 113

local host = { linger = 0.1 }

local YIELDS = { rewrite = true, server_rewrite = true, access = true, content = true, timer = true,
  ssl_cert = true, preread = true }

function host.here()
  local phase = ngx.get_phase()
  if not YIELDS[phase] then
    errors.misuse("nginx cannot wait in %s_by_lua: have a task of cekura.spawn do it, in a timer", phase)
  end
end

function host.signal()
  return assert(semaphore.new())
end

function host.wait(signal, seconds)
  return signal:wait(seconds)
end

function host.notify(signal)
  signal:post(1)
end

-- nginx counts the threads that wait for a semaphore, without those that it has ended: in a request whose client has
-- disconnected, for one.
function host.is_lost(signal)
  return signal:count() >= 0
end

function host.is_closing()
  return ngx.worker.exiting()
end

-- nginx uses a coroutine again for other requests, also one that it has ended. The function at the bottom of its stack
-- differs.
function host.scope()
  local level = 1
  while debug.getinfo(level + 1, "l") do
    level = level + 1
  end
  return debug.getinfo(level, "f").func
end

function host.log(message)
  ngx.log(ngx.ERR, message)
end

function host.start_pump(fn)
  local started, fault = ngx.timer.at(0, fn)
  if not started then
    host.log("cekura: no timer: " .. fault)
  end
end

-- When more timers are to run than lua_max_running_timers, 256 by default, nginx drops them, and only logs that. A
-- configuration with less than this loses tasks.
local MANY_TIMERS = 128

-- Seconds; longer than any wait.
local LONG = 86400

-- Runs fn(leave) in another thread, and kills that when it leaves: only the parent of a thread can.
local function run_in_thread(fn)
  local ended, is_over, has_left = host.signal(), false, false
  local thread = ngx.thread.spawn(function()
    local ok, raised = pcall(fn, function()
      has_left = true
      ended:post(1)
      while true do
        host.signal():wait(LONG)
      end
    end)
    is_over = true
    ended:post(1)
    if not ok then
      host.log("cekura: " .. tostring(raised))
    end
  end)
  while not is_over and not has_left do
    ended:wait(LONG)
  end
  if not is_over then
    ngx.thread.kill(thread)
  end
end

-- There are no timers there.
local STARTS_NOTHING = { init = true, exit_worker = true }

-- In a request, a task is a thread of it, and ends with it. Elsewhere each task has a timer: nginx frees a thread's
-- memory at the end of the timer or request that started it, and a timer may run for weeks.
function host.start(fn)
  local phase = ngx.get_phase()
  if STARTS_NOTHING[phase] then
    errors.misuse("nginx starts no task in %s_by_lua", phase)
  end
  local timers = ngx.timer.running_count() + ngx.timer.pending_count()
  if not YIELDS[phase] or phase == "timer" and timers < MANY_TIMERS then
    assert(ngx.timer.at(0, function() run_in_thread(fn) end))
  else
    ngx.thread.spawn(function()
      coroutine.yield(coroutine.running()) -- the code that started it runs first
      run_in_thread(fn)
    end)
  end
end

-- nginx drops a timer that is due while no connection is free, except one of these.
function host.every(seconds, fn)
  assert(ngx.timer.every(seconds, function() fn() end))
end

-- ---- the two ways to watch the engine ----

local ticks = threads.ticks(ngx.sleep)

-- Milliseconds. The pump sets the engine's alarm, so a byte comes at least twice a second: this is never reached.
local SILENCE = 60000

local function connect(bridge)
  local socket = ngx.socket.tcp()
  socket:settimeouts(1000, 1000, SILENCE)
  local connected, fault = socket:connect("unix:" .. core.bridge_path(bridge))
  if connected then
    connected, fault = core.bridge_accept(bridge)
  end
  return connected and socket, fault
end

local function by_thread(client)
  local bridge, fault = core.bridge(client)
  local socket
  if bridge then
    socket, fault = connect(bridge)
  end
  if bridge and not socket then
    core.bridge_close(bridge)
  end
  if not socket then
    host.log("cekura: the engine is polled every 1 to 20 ms, since no thread can watch it: " .. fault)
    return ticks(client)
  end
  local stopped = false
  local function stop() -- closes the other end: nginx may be waiting at its own
    stopped = true
    core.bridge_close(bridge)
  end
  local tick -- once the thread is lost
  return function()
    if tick then
      return tick()
    elseif stopped or not core.bridge_arm(bridge) then
      return
    end
    local byte, why = socket:receive(1)
    if not byte and why ~= "timeout" and not stopped then
      host.log("cekura: the thread that watches the engine is lost: " .. why)
      core.bridge_close(bridge)
      tick = ticks(client)
    end
  end, stop
end

function host.watch(client)
  return (core.fields(client)._ticks and ticks or by_thread)(client)
end

local adapter = threads.new("ngx", host)

-- In init_by_lua the workers are not forked yet: each would inherit a client that it cannot use.
local attach = adapter.attach
function adapter.attach(client)
  if ngx.get_phase() == "init" then
    errors.misuse "a client is made in the worker that uses it: in init_worker_by_lua, or when it is first needed"
  end
  attach(client)
end

return adapter

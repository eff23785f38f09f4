--- Adapters for hosts that have threads of their own: coroutines which the host resumes, each when what it waits for
-- has come. Who waits for a request or a job waits in his thread for a signal; a thread beside them, the pump, goes on
-- as long as the engine has something to do, steps it, and so has the signals given. What a host has to bring:
--
--   here()                raises where there can be no waiting; may yield
--   is_plain()            optional: whether it is none of its threads that calls, but code whose wait may block it
--   signal() -> s         something that one thread waits for
--   wait(s, seconds, waited)
--                         yields until it is notified, or so long; he who waits has waited so many seconds already
--   notify(s)             from wherever Lua runs
--   start(fn)             runs fn() in a thread, once whoever started it waits
--   start_pump(fn)        the same, for a thread that is to outlive the one that calls
--   watch(client)         for the pump: returns a function that waits until client:pollfd() is readable, or, where
--                         something else steps the client, until something has come of it, and may return earlier; and
--                         optionally one that ends it, also while the other waits. `ticks` makes one for hosts that
--                         cannot watch a descriptor
--   linger                optional: seconds that a pump stays after its last work, where its start is dear
--   is_closing()          optional: whether the host is ending, and only waits for what still runs
--   is_gone(s)            optional: whether the thread that waited for it was ended by the host
--   whole(fn, ...)        optional: calls the function, where the host might let others run in the midst of it
--   scope()               optional: something that is another for threads that may get each other's coroutine
--   log(message)          where errors go that nobody else hears of

local advance = require "cekura.advance"
local core = require "cekura.core"
local own = require "cekura.loop.own"
local tasks = require "cekura.loop.tasks"
local yields = require "cekura.yields"

local threads = {}

-- Where a coroutine cannot yield across pcall, another coroutine does its part.
local protected = pcall
if not yields then
  local function relay(co, ok, ...)
    if coroutine.status(co) == "dead" then
      return ok, ...
    end
    return relay(co, coroutine.resume(co, coroutine.yield(...)))
  end
  protected = function(fn, ...)
    local co = coroutine.create(fn)
    return relay(co, coroutine.resume(co, ...))
  end
end

-- Seconds. Waiting is sliced, so that the end of the host, and of a pump, is seen. As long as no pump runs, each waiter
-- steps by itself. A pump looks so often after those who are gone, and is thought lost when it does not.
local SLICE, WITHOUT_PUMP, BEAT, LOST = 2, 0.005, 0.5, 3

local FIRST_TICK, LAST_TICK = 0.001, 0.02

local function call(fn, ...)
  return fn(...)
end

--- Makes a host's watch() for one that can sleep, and no more: it looks again and again, after pauses of 1 ms that
-- grow to 20 ms as long as nothing happens.
---@param sleep fun(seconds: number)
---@return fun(client: cekura.Client): fun()
function threads.ticks(sleep)
  return function(client)
    return function()
      local pause = FIRST_TICK
      while not core.is_closed(client) and core.due(client) ~= 0 and not core.wait({ client }, 0) do
        sleep(pause)
        pause = math.min(2 * pause, LAST_TICK)
      end
    end
  end
end

--- Makes the adapter of a host.
---@param name string
---@param host table
---@return table adapter in the shape that is described in cekura.loop
function threads.new(name, host)
  local adapter = { name = name, park = own.park, wake = own.wake, attach = own.attach, step = own.step,
    timeout = own.timeout, log = host.log }
  local linger, whole = host.linger or 0, host.whole or call

  local pumps = setmetatable({}, { __mode = "k" }) -- by client
  local parked = setmetatable({}, { __mode = "k" })
  local stepping -- the coroutine that steps
  local looked = 0 -- when somebody last looked after those who are gone
  local task_of = setmetatable({}, { __mode = "k" }) -- by coroutine

  -- ---- stepping ----

  -- What is called from a step, an event handler, runs on behalf of whoever happens to step. One that lets the host
  -- yield, which it should not, must not keep others from waiting meanwhile.
  local function step(client)
    stepping = coroutine.running()
    local ok, raised = pcall(host.is_plain and own.step or advance, client)
    stepping = nil
    if not ok then
      host.log("cekura: " .. tostring(raised))
    end
    return ok
  end

  local function let_go(waiter)
    parked[waiter] = nil
    if waiter.on_gone then
      waiter:on_gone()
    end
    if waiter.body then -- a task
      waiter.cancelled = true
      tasks.finish(waiter, false)
    end
  end

  -- Whoever has been woken is not back yet, so he is gone only when he is missed twice.
  local function look_after_gone()
    if not host.is_gone or core.now() - looked < BEAT then
      return
    end
    looked = core.now()
    for waiter in pairs(parked) do
      local is_gone = host.is_gone(waiter.signal)
      if is_gone and waiter.missed then
        let_go(waiter)
      end
      waiter.missed = is_gone
    end
  end

  -- Until there is nothing to do any more, or another has taken over.
  local function pump(client, state)
    local wait, stop = host.watch(client)
    state.stop, state.running = stop, true
    while pumps[client] == state and not core.is_closed(client) do
      local now = core.now()
      state.beat = now
      if core.is_busy(client) then
        state.used = now
      elseif now - state.used >= linger then
        break
      end
      core.alarm(client, state.used == now and BEAT or linger)
      wait()
      if not whole(step, client) then -- what hinders it may last
        host.wait(host.signal(), BEAT, 0)
      end
      whole(look_after_gone)
    end
    if stop then
      stop()
    end
  end

  local function notify_all()
    for waiter in pairs(parked) do
      host.notify(waiter.signal)
    end
  end

  local function start_pump(client)
    local lost = pumps[client]
    local state = { beat = core.now(), used = core.now() }
    pumps[client] = state
    if lost and lost.stop then
      lost.stop()
    end
    host.start_pump(function()
      local ok, raised = protected(pump, client, state)
      if pumps[client] == state then
        pumps[client] = nil
      end
      if not ok then
        host.log("cekura: " .. tostring(raised))
      end
      whole(notify_all) -- one of them starts another, if it is needed
    end)
    return state
  end

  -- Sends what was asked for, and has a pump go on with it. Returns whether one runs.
  local function drive()
    local driven = true
    for _, client in ipairs(own.clients()) do
      if core.due(client) == 0 then
        step(client)
      end
      if core.is_busy(client) then
        local state = pumps[client]
        if not state or core.now() - state.beat > LOST then
          state = start_pump(client)
        end
        state.used = core.now()
        driven = driven and state.running
      end
    end
    return driven
  end

  -- ---- waiting ----

  local function current()
    local task = task_of[coroutine.running() or adapter] -- Lua 5.1's main program is no coroutine
    return task and (not host.scope or task.scope == host.scope()) and task or nil
  end

  -- How a thread of the host's is parked and woken; own.park() and own.wake() come here for it.
  local side = {}

  function adapter.waiter()
    local task = current()
    if not task and host.is_plain and host.is_plain() then
      return own.waiter()
    elseif stepping and stepping == coroutine.running() then
      error("cekura: an event handler cannot wait: have cekura.spawn start a task that does", 0)
    elseif task then
      tasks.check(task)
    end
    host.here()
    own.check_yield()
    return task or { signal = host.signal(), host = side, why = false }
  end

  function side.wake(waiter)
    if not waiter.why then
      waiter.why = "woken"
      if parked[waiter] then
        host.notify(waiter.signal)
      end
    end
  end

  local function is_closing(idle)
    return idle and host.is_closing and host.is_closing()
  end

  -- Yields until the waiter is woken or the time is over, and looks up now and then.
  local function wait(waiter, seconds, idle)
    local began, waited = core.now(), 0
    while not waiter.why and not is_closing(idle) and waited < seconds do
      local slice = whole(drive) and SLICE or WITHOUT_PUMP
      if not waiter.why then
        parked[waiter] = true
        host.wait(waiter.signal, math.min(slice, seconds - waited), waited)
        parked[waiter], waiter.missed = nil, nil
        whole(look_after_gone)
      end
      waited = core.now() - began
    end
  end

  function side.park(waiter, seconds, idle)
    if tasks.to_be_told(waiter) then
      return "cancelled"
    end
    wait(waiter, seconds or own.VERY_LONG, idle)
    local why = waiter.why or is_closing(idle) and "closing" or "timeout"
    waiter.why = nil
    return tasks.to_be_told(waiter) and "cancelled" or why
  end

  -- ---- tasks ----

  local function run_task(task)
    local co
    local function ended(...)
      task_of[co] = nil
      whole(tasks.finish, task, ...)
    end
    ended(protected(function()
      co = coroutine.running()
      task_of[co] = task
      task.scope = host.scope and host.scope()
      task.state = "running"
      return task.body()
    end))
  end

  local spawn, run
  spawn, run, adapter.sleep = tasks.of {
    waiter = adapter.waiter,
    park = own.park,
    wake = own.wake,
    log = host.log,
    current = current,
    launch = function(task)
      task.signal, task.host = host.signal(), side
      host.start(function()
        run_task(task)
      end)
    end,
  }

  -- Without a thread of the host's, there is the own loop.
  local function either(fn, own_fn)
    return function(...)
      local plain = host.is_plain and not current() and host.is_plain()
      return (plain and own_fn or fn)(...)
    end
  end

  adapter.spawn, adapter.run = either(spawn, own.spawn), either(run, own.run)

  -- ---- clients ----

  function adapter.detach(client)
    own.detach(client)
    local state = pumps[client]
    if state and state.stop then
      state.stop()
    end
  end

  return adapter
end

return threads

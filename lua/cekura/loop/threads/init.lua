--- Adapters for hosts that have threads: coroutines that the host resumes, each once its wait is over. The
-- waiter of a request or a job waits in its thread for a signal. Another thread, the pump, runs as long as the engine
-- has something to do, and steps it, which notifies the signals. A host brings:
--
--   here()                raises where there can be no waiting; may yield
--   is_plain()            optional: whether plain code calls, whose wait may block the host, and not one of its threads
--   signal() -> s         something that one thread waits for
--   wait(s, seconds, waited)
--                         yields until s is notified, or so long; the waiter has waited so many seconds already
--   notify(s)             from wherever Lua runs
--   start(fn)             runs fn(leave) in a thread, once the code that starts it waits; does not yield. leave(),
--                         where the host can end a thread that waits: ends the thread that calls it, and never returns
--   in_coroutine          optional: a thread may wait in a coroutine that it has made, which yields to it; then there
--                         is a leave() for each
--   start_pump(fn)        runs fn() in a thread that is to outlive the one that calls
--   every(seconds, fn)    optional, for a host that drops what start() was given: calls fn() again and again
--   watch(client)         for the pump: returns a function that waits until client:pollfd() is readable, or, where
--                         something else steps the client, until that has had an effect, and may return earlier; and
--                         optionally one that ends it, also while the other waits. `ticks` makes one for hosts that
--                         cannot watch a descriptor
--   linger                optional: seconds that a pump stays after its last work, where it is expensive to start
--   is_loading()          optional: whether the host loads programs, and runs none yet
--   is_closing()          optional: whether the host is ending, and only waits for what still runs
--   is_lost(s)            optional: whether the thread that waited for s was ended by the host
--   later(fn)             optional: calls fn() once the running code has had its turn
--   scope()               optional: a value that differs between threads that may get each other's coroutine
--   log(message)          where errors go that nothing else shows

local adapter = require "cekura.loop.adapter"
local clients = require "cekura.loop.clients"
local core = require "cekura.core"
local own = require "cekura.loop.own"
local parked = require "cekura.loop.threads.parked"
local pumps = require "cekura.loop.threads.pumps"
local tasks = require "cekura.loop.tasks"
local thread_tasks = require "cekura.loop.threads.tasks"
local waiter = require "cekura.loop.threads.waiter"

---@class cekura.loop.ThreadHost the functions of a host; the source of cekura.loop.threads documents each
---@field here fun()
---@field is_plain? fun(): boolean
---@field signal fun(): any
---@field wait fun(signal: any, seconds: number, waited: number)
---@field notify fun(signal: any)
---@field start fun(fn: fun(leave: fun()?))
---@field in_coroutine? boolean
---@field start_pump fun(fn: fun())
---@field every? fun(seconds: number, fn: fun())
---@field watch fun(client: cekura.Client): fun(), fun()?
---@field linger? number
---@field is_closing? fun(): boolean
---@field is_lost? fun(signal: any): boolean
---@field later? fun(fn: fun())
---@field scope? fun(): any
---@field log fun(message: string)

---@class cekura.loop.threads adapters for hosts that have threads
local threads = {}

-- Seconds.
local FIRST_TICK, LAST_TICK = 0.001, 0.02

--- Makes a host's watch() for a host that can sleep, and no more: the pump checks again and again, after pauses of 1 ms
-- that grow to 20 ms as long as nothing happens.
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

-- What an adapter consists of.
local function new_parts(host)
  local parts = { host = host, parked = parked.new(host) }
  parts.pumps, parts.tasks = pumps.new(host, parts.parked), thread_tasks.new(parts)
  return parts
end

local function bind(object, method)
  return function(...)
    return method(object, ...)
  end
end

-- Where no thread of the host's calls, the function of the own loop.
local function either(parts, fn, own_fn)
  local is_plain = parts.host.is_plain
  return is_plain and function(...)
    return (not parts.tasks:current() and is_plain() and own_fn or fn)(...)
  end or fn
end

--- Makes the adapter of a host.
---@param name string
---@param host cekura.loop.ThreadHost
---@return cekura.Loop loop
function threads.new(name, host)
  local parts = new_parts(host)
  local in_threads = parts.tasks
  local loop = adapter.new { name = name, waiter = bind(parts, waiter.new), attach = clients.attach, step = own.step,
    timeout = own.timeout, log = host.log }
  local spawn, run
  spawn, run, loop.sleep = tasks.of { Waiter = waiter.Waiter, waiter = loop.waiter, log = host.log, relaunches = true,
    is_loading = host.is_loading, current = bind(in_threads, in_threads.current),
    launch = bind(in_threads, in_threads.launch), failed = bind(in_threads, in_threads.failed) }
  loop.spawn, loop.run = either(parts, spawn, own.spawn), either(parts, run, own.run)

  function loop.detach(client)
    clients.detach(client)
    parts.pumps:stop(client)
  end

  return loop
end

return threads

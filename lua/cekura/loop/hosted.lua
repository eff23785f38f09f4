--- The own loop inside a host that has a loop: tasks run when the host's loop calls back, and a coroutine of the host's
-- waits by yielding to it. What differs from host to host is one function:
--
--   watch(fd, callback)       calls back whenever the descriptor is readable; returns a function that ends it
--
-- And where the host has its own ways, up to three more:
--
--   after(seconds, callback)  calls back once; returns a function that cancels it, also when it is too late. Without
--                             it, the alarm of a client's descriptor serves: time passes only while a client is open
--   suspension()              for the coroutine that calls: a function that suspends it and one that resumes it, each
--                             called once at most; nil: they are coroutine.yield() and coroutine.resume()
--   log(message)              where errors go that nothing else shows; without it, to standard error
--
-- Plain code, which is in no coroutine, cannot yield: its wait blocks just that call, as in the own loop.

local adapter = require "cekura.loop.adapter"
local atomic = require "cekura.loop.atomic"
local c_boundary = require "cekura.loop.c_boundary"
local clients = require "cekura.loop.clients"
local core = require "cekura.core"
local own = require "cekura.loop.own"
local queue = require "cekura.loop.queue"
local scheduler = require "cekura.loop.own.scheduler"
local timers = require "cekura.loop.timers"

---@class cekura.loop.hosted adapters for hosts that have a loop with callbacks
local hosted = {}

---@class cekura.Host a host's loop, for cekura.new { loop = … }
---@field watch fun(fd: integer, callback: function): function calls back whenever the descriptor is readable; returns a
---function that ends it
---@field after? fun(seconds: number, callback: function): function calls back once; returns a function that cancels it
---@field suspension? fun(): function?, function? for the coroutine that calls: how it is suspended, and resumed
---@field log? fun(message: string) where errors go that nothing else shows
---@field name? string for error messages

-- ---- coroutines that are to be resumed ----

-- Waiters that have been woken, or whose deadline has passed. The code that wakes a waiter has more to do, so the
-- host's next callback resumes the coroutine, outside any other work of this module: it may do anything, even run the
-- host's loop.
local woken, deadlines = queue.new(), timers.new()

local function expire(waiter)
  waiter.reason = waiter.reason or "timeout"
  woken:put(waiter)
end

local resuming = false -- the waiter that was removed from `woken` last; it may not have been resumed yet

-- Puts a waiter back that could not be resumed because memory ran out: the next callback resumes it.
local function keep_resuming()
  if resuming and resuming.parked then
    woken:put(resuming)
  end
  resuming = false
end

local function resume(waiter)
  resuming = waiter
  local ok, raised = pcall(waiter.resume)
  if not ok then
    if raised ~= "not enough memory" then
      waiter.parked = false -- the coroutine is dead
    end
    keep_resuming()
    error(raised, 0) -- in the host, whose coroutine it is
  end
  resuming = false
end

-- Resumes those that are woken now, of many only those that fit into a slice.
local function resume_woken()
  local last, ends_at = woken.last_ticket, core.now() + scheduler.SLICE
  local waiter = woken:take(last)
  if not waiter then
    return
  end
  while waiter do
    if waiter.parked then
      resume(waiter)
    end
    waiter = core.now() < ends_at and woken:take(last)
  end
  scheduler.rearm()
end

-- The body of the host's callbacks; `work` runs the tasks.
local function serve(work, ...)
  keep_resuming()
  clients.fire(deadlines, expire)
  work(...)
  resume_woken()
end

-- Seconds until a coroutine of the host's is to be resumed; nil: none is.
local function next_due()
  return woken.first and 0 or deadlines:seconds_left(core.now())
end

-- ---- the timer ----

-- Seconds. A timer that is late by so much is one that the host has dropped; one that is early by so little is on time.
local DROPPED, ON_TIME = 3, 0.0001

local function nothing() end

-- Whether the alarm of the client's descriptor has that host call back.
local function is_watched(client, host)
  return core.fields(client)._watching == host and not core.is_closed(client)
end

-- Seconds. While a client is watched, its alarm has the host call back, and a timer at the same time would have it call
-- back twice in a row. So the timer follows, in case the client has been collected by then.
local BEHIND = 0.2

-- Makes the function that sets the one timer that the loop has in the host. The alarms of the clients are set to the
-- same time, so a host without timers needs none.
local function new_timer(host)
  if not host.after then
    return nothing
  end
  local cancel, fires_at = nil, 0
  local function fire()
    cancel = nil
    serve(own.run_due)
  end
  return function(seconds)
    local now = core.now()
    if seconds and clients.some(is_watched, host) then
      seconds = seconds + BEHIND
    end
    local is_set = cancel and now - fires_at < DROPPED
    if is_set and seconds and now + seconds > fires_at - ON_TIME then
      return
    end
    if cancel then
      cancel()
      cancel = nil
    end
    if seconds then
      fires_at = now + seconds
      cancel = host.after(seconds, fire)
    end
  end
end

-- ---- waiting ----

-- A coroutine of the host's that waits.
local Waiter = {}
Waiter.__index = Waiter

-- Only from Lua 5.3 on: older versions cannot detect that a coroutine cannot yield.
local is_yieldable = coroutine.isyieldable or function()
  return true
end

-- Whether a coroutine of the host's calls: neither a task of the own loop, nor plain code. A host may call plain code
-- in a coroutine, too, which then cannot yield.
local function is_host_coroutine()
  local co, is_main = coroutine.running()
  return co and not is_main and is_yieldable() and not scheduler.is_task(co)
end

local function new_waiter(host)
  if not is_host_coroutine() then
    return own.waiter()
  end
  c_boundary.check()
  return setmetatable({ host = host, reason = false, parked = false, resume = false,
    following = false }, Waiter)
end

Waiter.wake = atomic(function(self)
  self.reason = "woken"
  if self.parked then
    woken:put(self)
    scheduler.rearm()
  end
end)

-- The functions that suspend and resume the coroutine that calls.
local function suspension(host)
  local suspend, resume_caller
  if host.suspension then
    suspend, resume_caller = host.suspension()
  end
  if suspend then
    return suspend, resume_caller
  end
  local co = coroutine.running()
  return coroutine.yield, function()
    local ok, raised = coroutine.resume(co)
    if not ok then
      error(raised, 0) -- in the host, whose coroutine it is
    end
  end
end

-- Only a task can be cancelled.
function Waiter.defer_cancel() end

function Waiter:park(seconds)
  if not self.reason then
    local suspend, resume_caller = suspension(self.host)
    deadlines:insert(self, core.now() + (seconds or scheduler.LONGEST_WAIT))
    self.parked, self.resume = true, resume_caller
    scheduler.rearm()
    suspend()
    self.parked = false
    deadlines:remove(self)
  end
  local reason = self.reason
  self.reason = false
  return reason or "woken" -- something else has resumed the coroutine: callers check what they wait for
end

-- ---- the adapter ----

local function watch(host, client)
  local weak, fields = setmetatable({ client = client }, { __mode = "v" }), core.fields(client)
  -- The descriptor ends with the client; the host forgets it before.
  fields._unwatch = core.guard(host.watch(client:pollfd(), function()
    if weak.client then
      serve(own.step, weak.client)
    end
  end))
  fields._watching = host
end

local function attach(host, client)
  clients.attach(client)
  watch(host, client)
end

-- The client may have been attached to the own loop.
local function adopt(host)
  for _, client in ipairs(clients.list()) do
    if not core.fields(client)._unwatch then
      watch(host, client)
    end
  end
end

local function detach(client)
  clients.detach(client)
  local fields = core.fields(client)
  if fields._unwatch then
    core.spend(fields._unwatch)
    fields._unwatch, fields._watching = nil, nil
    pcall(scheduler.rearm) -- the timer is as late as it was behind the client's alarm, if the host cannot set it now
  end
end

--- Makes the adapter of a host.
---@param name string
---@param host cekura.Host
---@return cekura.Loop loop
function hosted.new(name, host)
  local function waiter()
    return new_waiter(host)
  end
  local log = host.log or own.log
  own.embed { waiter = waiter, next_due = next_due, notify = new_timer(host), log = log }
  return adapter.new { name = name, waiter = waiter, spawn = own.spawn, run = own.run, sleep = own.sleep,
    timeout = own.timeout, step = own.step, log = log, detach = detach, attach = function(client)
      attach(host, client)
    end, adopt = function()
      adopt(host)
    end }
end

return hosted

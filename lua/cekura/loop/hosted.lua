--- The own loop inside a host that has one itself: its tasks run when the host's loop lets them, and a coroutine of
-- the host's waits by yielding to it. What differs from host to host are two functions:
--
--   watch(fd, callback)       calls back whenever the descriptor is readable; returns a function that ends it
--   after(seconds, callback)  calls back once; returns a function that calls it off, also when it is too late
--
-- And where the host has its own ways, two more:
--
--   suspension()              for the coroutine that calls: a function that suspends it and one that resumes it, each
--                             called once at most; nil: they are coroutine.yield() and coroutine.resume()
--   log(message)              where errors go that nobody else hears of; without it, to standard error
--
-- Plain code, which is in no coroutine, cannot yield: its wait blocks just that call, as in the own loop.

local core = require "cekura.core"
local adapter = require "cekura.loop.adapter"
local own = require "cekura.loop.own"
local queue = require "cekura.loop.queue"
local timers = require "cekura.loop.timers"

local hosted = {}

---@class cekura.Host
---@field watch fun(fd: integer, callback: function): function
---@field after fun(seconds: number, callback: function): function
---@field suspension? fun(): function?, function?
---@field log? fun(message: string)

-- Whether a coroutine of the host's calls: neither a task of the own loop, nor plain code.
local function is_host_coroutine()
  local co, is_main = coroutine.running()
  return co and not is_main and not own.is_task(co)
end

local function plain_suspension()
  local co = coroutine.running()
  return coroutine.yield, function()
    local ok, raised = coroutine.resume(co)
    if not ok then
      error(raised, 0) -- to the host, whose coroutine it is
    end
  end
end

-- Coroutines of hosts that have been woken, or whose time is over. What wakes one has things to do yet, so it is
-- resumed from the host's next callback; and there with nothing else begun, since it may do whatever a program does:
-- run its host's loop, too.
local woken, deadlines = queue.new(), timers.new()

local function fire_deadlines()
  local now, at = core.now(), deadlines:due()
  if at and at <= now then
    own.catch_up()
    local waiter = deadlines:pop(now)
    while waiter do
      waiter.why = waiter.why or "timeout"
      woken:put(waiter)
      waiter = deadlines:pop(now)
    end
  end
end

local resuming = false -- the waiter that was taken from `woken` last; it may not have been resumed yet

-- Puts a waiter back that could not be resumed because memory ran out: the next callback resumes it.
local function keep_resuming()
  if resuming and resuming.parked then
    woken:put(resuming)
  end
  resuming = false
end

local function resume_woken()
  local last = woken.turns
  local waiter = woken:take(last)
  if not waiter then
    return
  end
  while waiter do
    if waiter.parked then
      resuming = waiter
      local ok, raised = pcall(waiter.resume)
      if not ok then
        if raised ~= "not enough memory" then
          waiter.parked = false -- the coroutine is dead
        end
        keep_resuming()
        error(raised, 0) -- to the host, whose coroutine it is
      end
      resuming = false
    end
    waiter = woken:take(last)
  end
  own.tell_hosts()
end

-- What the host calls back for; `work` runs the tasks.
local function serve(work, ...)
  keep_resuming()
  fire_deadlines()
  work(...)
  resume_woken()
end

-- Seconds until a coroutine of the host's is to be resumed; nil: none is.
local function next_due()
  if woken.first then
    return 0
  end
  local at = deadlines:due()
  return at and math.max(0, at - core.now())
end

-- ---- the one timer of the host's ----

-- Seconds. A timer that is late by so much is one that the host has dropped; one that is early by so little is on time.
local DROPPED, ON_TIME = 3, 0.0001

local function new_timer(host)
  local call_off, told_at = nil, 0
  local function on_time()
    call_off = nil
    serve(own.turn)
  end
  return function(seconds)
    local now = core.now()
    local is_set = call_off and now - told_at < DROPPED
    if is_set and seconds and now + seconds > told_at - ON_TIME then
      return
    end
    if call_off then
      call_off()
      call_off = nil
    end
    if seconds then
      told_at = now + seconds
      call_off = host.after(seconds, on_time)
    end
  end
end

-- ---- waiting ----

-- A coroutine of the host's that waits.
local Waiter = {}
Waiter.__index = Waiter

local function new_waiter(host)
  return setmetatable({ host = host, why = false, parked = false, resume = false, turn = false, behind = false },
    Waiter)
end

function Waiter:wake()
  self.why = "woken"
  if self.parked then
    woken:put(self)
    own.tell_hosts()
  end
end

function Waiter:park(seconds)
  if not self.why then
    local suspend, resume_caller
    if self.host.suspension then
      suspend, resume_caller = self.host.suspension()
    end
    if not suspend then
      suspend, resume_caller = plain_suspension()
    end
    deadlines:insert(self, core.now() + (seconds or own.VERY_LONG))
    self.parked, self.resume = true, resume_caller
    own.tell_hosts()
    suspend()
    self.parked = false
    deadlines:remove(self)
  end
  local why = self.why
  self.why = false
  return why or "woken" -- something else has resumed the coroutine: callers check what they wait for
end

--- Makes the adapter of a host.
---@param name string
---@param host cekura.Host
---@return table adapter in the shape that is described in cekura.loop
function hosted.new(name, host)
  local loop = adapter.new { name = name, spawn = own.spawn, run = own.run, sleep = own.sleep, timeout = own.timeout,
    step = own.step, next_due = next_due, log = host.log or own.log }

  function loop.waiter()
    if not is_host_coroutine() then
      return own.waiter()
    end
    own.check_yield()
    return new_waiter(host)
  end

  own.live_in(loop, new_timer(host))

  function loop.attach(client)
    own.attach(client)
    local weak = setmetatable({ client = client }, { __mode = "v" })
    -- The descriptor ends with the client; before that, the host is to have forgotten it.
    core.fields(client)._unwatch = core.guard(host.watch(client:pollfd(), function()
      if weak.client then
        serve(own.step, weak.client)
      end
    end))
  end

  function loop.detach(client)
    own.detach(client)
    local fields = core.fields(client)
    if fields._unwatch then
      core.spend(fields._unwatch)
      fields._unwatch = nil
    end
  end

  return loop
end

return hosted

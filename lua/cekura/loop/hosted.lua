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
local own = require "cekura.loop.own"
local queue = require "cekura.queue"

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

-- Coroutines of hosts that have been woken. Whoever wakes one has things to do yet, so it is resumed from the host's
-- next callback; and there with nothing else begun, since it may do whatever a program does: run its host's loop, too.
local woken = queue.new()

local function resume(waiter, why)
  waiter.parked, waiter.why = false, why
  waiter.resume()
end

local function resume_woken()
  local last = woken.turns
  local waiter = woken:take(last)
  if not waiter then
    return
  end
  while waiter do
    if waiter.parked then
      resume(waiter, "woken")
    end
    waiter = woken:take(last)
  end
  own.tell_hosts()
end

--- Makes the adapter of a host.
---@param name string
---@param host cekura.Host
---@return table adapter in the shape that is described in cekura.loop
function hosted.new(name, host)
  local adapter = { name = name, park = own.park, wake = own.wake, spawn = own.spawn, run = own.run,
    sleep = own.sleep, timeout = own.timeout, step = own.step, log = host.log or own.log }

  function adapter.has_woken()
    return woken.first ~= false
  end

  local call_off

  local function on_time()
    call_off = nil
    own.turn()
    resume_woken()
  end

  own.live_in(adapter, function(seconds)
    if call_off then
      call_off()
      call_off = nil
    end
    if seconds then
      call_off = host.after(seconds, on_time)
    end
  end)

  function adapter.attach(client)
    own.attach(client)
    local weak = setmetatable({ client = client }, { __mode = "v" })
    -- The descriptor ends with the client; before that, the host is to have forgotten it.
    core.fields(client)._unwatch = core.guard(host.watch(client:pollfd(), function()
      if weak.client then
        own.step(weak.client)
      end
      resume_woken()
    end))
  end

  function adapter.detach(client)
    own.detach(client)
    local fields = core.fields(client)
    if fields._unwatch then
      core.spend(fields._unwatch)
      fields._unwatch = nil
    end
  end

  -- How a coroutine of the host's is parked and woken; own.park() and own.wake() come here for it.
  local side = {}

  function adapter.waiter()
    if not is_host_coroutine() then
      return own.waiter()
    end
    own.check_yield()
    return { host = side, why = false, parked = false, resume = false, turn = false, behind = false }
  end

  function side.wake(waiter)
    waiter.why = "woken"
    if waiter.parked then
      woken:put(waiter)
      own.tell_hosts()
    end
  end

  function side.park(waiter, seconds)
    if not waiter.why then
      own.tell_hosts()
      local suspend, resume_caller
      if host.suspension then
        suspend, resume_caller = host.suspension()
      end
      if not suspend then
        suspend, resume_caller = plain_suspension()
      end
      local stop = host.after(seconds or own.VERY_LONG, function()
        if waiter.parked and not waiter.turn then
          resume(waiter, "timeout")
        end
      end)
      waiter.parked, waiter.resume = true, resume_caller
      suspend()
      waiter.parked = false
      stop()
    end
    local why = waiter.why
    waiter.why = false
    return why or "woken" -- somebody else has resumed the coroutine: whoever waits looks again
  end

  return adapter
end

return hosted

--- The waiters whose threads wait in the host, and those that are lost: the host has ended their threads.

local atomic = require "cekura.loop.atomic"
local core = require "cekura.core"
local task = require "cekura.loop.task"

local Parked = {}
Parked.__index = Parked

-- Seconds between two scans for lost waiters.
local PAUSE = 0.5

local parked = {}

--- Makes the set of one host.
---@param host table see cekura.loop.threads
function parked.new(host)
  return setmetatable({ host = host, waiters = setmetatable({}, { __mode = "k" }), scanned_at = 0 }, Parked)
end

function Parked:add(waiter)
  self.waiters[waiter] = true
end

function Parked:remove(waiter)
  self.waiters[waiter], waiter.missed = nil, nil
end

--- Notifies the thread of a waiter, if it waits.
function Parked:notify(waiter)
  if self.waiters[waiter] then
    self.host.notify(waiter.signal)
  end
end

--- Notifies all threads that wait.
Parked.notify_all = atomic(function(self)
  for waiter in pairs(self.waiters) do
    self.host.notify(waiter.signal)
  end
end)

local function end_lost(waiter)
  if waiter.on_lost then
    waiter:on_lost()
  end
  if waiter.state then -- a task
    waiter.cancelled = true
    task.finish(waiter, false)
  end
end

--- Ends the waits of lost waiters. A woken waiter may not have run yet, so it counts as lost only after two misses.
Parked.end_lost = atomic(function(self)
  local is_lost = self.host.is_lost
  if not is_lost or core.now() - self.scanned_at < PAUSE then
    return
  end
  self.scanned_at = core.now()
  local lost = {}
  for waiter in pairs(self.waiters) do
    local missing = is_lost(waiter.signal)
    if missing and waiter.missed then
      lost[#lost + 1] = waiter
    end
    waiter.missed = missing
  end
  for _, waiter in ipairs(lost) do
    self.waiters[waiter] = nil
    end_lost(waiter)
  end
end)

return parked

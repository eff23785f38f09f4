--- The pumps: threads of the host, one for each client that is busy. A pump waits until the engine has something to do,
-- and steps it, which wakes the waiters.

local atomic = require "cekura.loop.atomic"
local clients = require "cekura.loop.clients"
local core = require "cekura.core"
local coroutine_call = require "cekura.loop.threads.coroutine_call"
local dispatch = require "cekura.loop.dispatch"
local own = require "cekura.loop.own"
local tasks = require "cekura.loop.tasks"

---@class cekura.loop.Pumps
---@field host table
---@field parked table the waiters that wait
---@field linger number seconds
---@field running table<cekura.Client, table>
---@field stepping? thread the coroutine that steps
local Pumps = {}
Pumps.__index = Pumps

-- Seconds. A pump steps at least so often, and counts as lost when it has not for so long.
local BEAT, LOST = 0.5, 3

local pumps = {}

--- Makes the pumps of one host.
---@param host table see cekura.loop.threads
---@param parked table see cekura.loop.threads.parked
---@return cekura.loop.Pumps
function pumps.new(host, parked)
  return setmetatable({ host = host, parked = parked, linger = host.linger or 0,
    running = setmetatable({}, { __mode = "k" }) }, Pumps)
end

--- Steps a client; returns whether that raised nothing. An event handler that is called from a step runs in whichever
-- thread steps. One that lets the host yield, which it should not, must not keep other threads from waiting meanwhile.
Pumps.step = atomic(function(self, client)
  self.stepping = coroutine.running()
  local ok, raised = pcall(self.host.is_plain and own.step or dispatch, client)
  self.stepping = nil
  if not ok then
    self.host.log("cekura: " .. tostring(raised))
  end
  return ok
end)

--- Whether the coroutine that calls is in a step: an event handler.
function Pumps:is_stepping()
  return self.stepping and self.stepping == coroutine.running()
end

--- Processes the answers that have arrived.
Pumps.catch_up = atomic(function(self)
  clients.catch_up(function(client)
    self:step(client)
  end)
end)

-- Pumps until there is nothing left to do, or another pump has replaced this one.
local function run(self, client, pump)
  local host = self.host
  local wait, stop = host.watch(client)
  pump.stop, pump.has_begun = stop, true
  while self.running[client] == pump and not core.is_closed(client) do
    local now = core.now()
    pump.beat_at = now
    if core.is_busy(client) then
      pump.used_at = now
    elseif now - pump.used_at >= self.linger then
      break
    end
    core.alarm(client, pump.used_at == now and BEAT or self.linger)
    wait()
    if not self:step(client) then -- the cause may last
      host.wait(host.signal(), BEAT, 0)
    end
    self.parked:end_lost()
    tasks.check()
  end
  if stop then
    stop()
  end
end

local start = atomic(function(self, client)
  local lost = self.running[client]
  local pump = { beat_at = core.now(), used_at = core.now() }
  self.running[client] = pump
  if lost and lost.stop then
    lost.stop()
  end
  self.host.start_pump(function()
    local ok, raised = coroutine_call.protected(run, self, client, pump)
    if self.running[client] == pump then
      self.running[client] = nil
    end
    if not ok then
      self.host.log("cekura: " .. tostring(raised))
    end
    self.parked:notify_all() -- one of them starts another pump, if it is needed
  end)
  return pump
end)

--- Sends the queued requests, and starts a pump for each busy client. Returns whether all pumps have begun.
---@return boolean
function Pumps:drive()
  local driven = true
  for _, client in ipairs(clients.list()) do
    if core.due(client) == 0 then
      self:step(client)
    end
    if core.is_busy(client) then
      local pump = self.running[client]
      if not pump or core.now() - pump.beat_at > LOST then
        pump = start(self, client)
      end
      pump.used_at = core.now()
      driven = driven and pump.has_begun
    end
  end
  return driven
end

--- Stops the pump of a client that is being closed.
function Pumps:stop(client)
  local pump = self.running[client]
  if pump and pump.stop then
    pump.stop()
  end
end

return pumps

--- The open clients: their steps, and the waits for all of them together.

local atomic = require "cekura.loop.atomic"
local core = require "cekura.core"
local dispatch = require "cekura.loop.dispatch"
local tasks = require "cekura.loop.tasks"

local clients = {}

-- Each client at its own place. Weak by value, not by key: a key that is being finalized is still found, a value is
-- not.
--
-- The loops over it call next(), because a `for` with pairs() that LuaJIT has compiled may never end in a finalizer,
-- which runs while the state is closed: LuaJIT 2.1 of January 2023 (Debian 12) leaves and enters it again without end.
local open, last_place = setmetatable({}, { __mode = "v" }), 0

--- Adds a client.
clients.attach = atomic(function(client)
  tasks.check()
  last_place = last_place + 1
  open[last_place] = client
  core.fields(client)._place = last_place
end)

--- Removes a client that is being closed. May be called again.
clients.detach = atomic(function(client)
  local fields = core.fields(client)
  if fields._place then
    open[fields._place] = nil
    fields._place = nil
  end
end)

--- All clients that are not closed, as a list: while a caller iterates over it, clients may come and go.
---@return cekura.Client[]
function clients.list()
  local list = {}
  local place, client = next(open)
  while place do
    list[#list + 1] = client
    place, client = next(open, place)
  end
  return list
end

--- Whether the function returns a true value for one of them.
---@param is fun(client: cekura.Client, ...): any
---@param ... any
---@return boolean
function clients.some(is, ...)
  local place, client = next(open)
  while place do
    if is(client, ...) then
      return true
    end
    place, client = next(open, place)
  end
  return false
end

--- Dispatches, across a C function: an event handler that yielded out of it would stop everything else.
---@param client cekura.Client
---@param seconds? number see cekura.loop.dispatch
function clients.step(client, seconds)
  core.uninterrupted(dispatch, client, seconds)
end

-- How many steps are made before a deadline counts, although more has arrived.
local STEPS = 64

--- Processes the answers that have arrived.
---@param step fun(client: cekura.Client)
function clients.catch_up(step)
  for _, client in ipairs(clients.list()) do
    local steps = 0
    while core.is_busy(client) and steps < STEPS and (steps == 0 or core.due(client) == 0) do
      step(client)
      steps = steps + 1
    end
  end
end

local function is_due(client)
  return core.due(client) == 0 or core.wait({ client }, 0)
end

--- Steps each client until it can only wait: a connection that is made at once carries its request at once.
function clients.settle()
  for _, client in ipairs(clients.list()) do
    local steps = 0
    while core.is_busy(client) and steps < STEPS and is_due(client) do
      clients.step(client)
      steps = steps + 1
    end
  end
end

--- Calls `expire` with each waiter whose deadline has passed. Answers that have arrived are processed first, because
-- the program may have been busy past the deadline.
---@param deadlines table see cekura.loop.timers
---@param expire fun(waiter: table)
function clients.fire(deadlines, expire)
  local now = core.now()
  if deadlines:seconds_left(now) ~= 0 then
    return
  end
  clients.catch_up(clients.step)
  local waiter = deadlines:pop(now)
  while waiter do
    expire(waiter)
    waiter = deadlines:pop(now)
  end
end

--- The earlier of two times; nil: never.
---@param a? number
---@param b? number
---@return number?
function clients.earlier(a, b)
  return a and b and math.min(a, b) or a or b
end

--- Seconds until a client, or the caller's own work, is due; nil: no work is pending.
---@param seconds? number
---@return number?
function clients.next_due(seconds)
  for _, client in ipairs(clients.list()) do
    seconds = clients.earlier(seconds, core.due(client))
  end
  return seconds
end

--- Has every client's descriptor become readable after so many seconds, too; nil: not for that.
---@param seconds? number
function clients.set_alarms(seconds)
  local place, client = next(open)
  while place do
    core.alarm(client, seconds)
    place, client = next(open, place)
  end
end

-- The clients that have something to do, or wait for answers.
local function busy_clients()
  local busy = {}
  local place, client = next(open)
  while place do
    if core.is_busy(client) then
      busy[#busy + 1] = client
    end
    place, client = next(open, place)
  end
  return busy
end

-- Steps several clients until one of them has something for Lua.
local function step_all(busy, seconds)
  for _, client in ipairs(busy) do
    core.alarm(client) -- this wait knows the time that it was set to
  end
  core.step_all(busy, seconds)
  for _, client in ipairs(busy) do
    clients.step(client)
  end
end

--- Steps the clients, and blocks meanwhile, until one of them has something for Lua, or so long. Returns false if there
-- is nothing to wait for.
---@param seconds? number
---@return boolean
function clients.run(seconds)
  local busy = busy_clients()
  if #busy == 1 then
    clients.step(busy[1], seconds or math.huge)
  elseif #busy > 1 then
    step_all(busy, seconds)
  elseif seconds then
    core.wait(busy, seconds)
  else
    return false
  end
  return true
end

--- Blocks until a client has something to do, or so long.
---@param seconds number
function clients.wait(seconds)
  local busy = busy_clients()
  for _, client in ipairs(busy) do
    core.alarm(client)
    seconds = math.min(seconds, core.due(client) or seconds)
  end
  core.wait(busy, seconds)
end

return clients

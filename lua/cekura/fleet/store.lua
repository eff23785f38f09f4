--- The store of a watch in Redis, for watches on many hosts; see cekura.watch.store for what a store is.
--
-- A store is one hash, whose name is PREFIX .. "store:" .. NAME, so each of its steps is one command or one script:
--
--   text              what the watch has written
--   bad, bad.2, …     texts that could not be read, and were set aside
--   holder, epoch     the watch that acquired the store last, until it releases it
--   ends              when its lease is over, in milliseconds by the server's clock
--   written           the number of the last write in this epoch
--
-- The holder and its epoch are the fencing token of every step: a step whose token is not that of the store does
-- nothing. The holder is a random id of one watch. The epoch counts how often that watch has lost the store, so what it
-- has sent before, and a broken connection may deliver at any time, does nothing afterwards. Within an epoch the number
-- of a write keeps an older one, or a repeated one, from replacing a newer one. So a step can be repeated until its
-- reply arrives.
--
-- The server's clock decides when another watch may acquire the store. The holder counts its lease from before it has
-- sent the renewal, by its own monotonic clock, so to the holder the lease is over earlier than to the server.

local core = require "cekura.core"
local errors = require "cekura.errors"
local script = require "cekura.fleet.script"

local unpack = table.unpack or unpack -- luacheck: ignore 143

local store = {}

-- ---- what runs in the server ----

local PRELUDE = [[
local KEY, id, epoch = KEYS[1], ARGV[1], tonumber(ARGV[2])
local fields = redis.call("HMGET", KEY, "holder", "epoch", "ends", "written")
local holder, held, ends, written = fields[1], tonumber(fields[2]), tonumber(fields[3]), tonumber(fields[4])
local has_lease = holder == id and held == epoch

local function lease_of(milliseconds)
  local time = redis.call("TIME")
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  return now, ("%.0f"):format(now + milliseconds)
end
]]

local function define(text)
  return script.new(PRELUDE .. text)
end

-- Arguments of all: the id, the epoch.

-- Acquires the store. Further argument: the lease in milliseconds. Returns 0 if another watch has it.
local take = define [[
local now, lease_ends = lease_of(ARGV[3])
local is_own = holder == id and held <= epoch
if holder and not is_own and ends > now then
  return 0
end
redis.call("HSET", KEY, "holder", id, "epoch", epoch, "ends", lease_ends, "written", has_lease and written or 0)
return 1
]]

-- Renews the lease. Further argument: the lease in milliseconds. Returns 0 if the lease is lost, which it is not if it
-- is over and no watch has acquired the store since.
local renew = define [[
if not has_lease then
  return 0
end
local _, lease_ends = lease_of(ARGV[3])
redis.call("HSET", KEY, "ends", lease_ends)
return 1
]]

-- Writes. Further arguments: the number of the write, the text. Returns 0 if the lease is lost.
local write = define [[
if not has_lease then
  return 0
end
if tonumber(ARGV[3]) > written then
  redis.call("HSET", KEY, "text", ARGV[4], "written", ARGV[3])
end
return 1
]]

-- Sets the text aside. Returns the name of its field; 0 if the lease is lost.
local set_aside = define [[
if not has_lease then
  return 0
end
local place, number = "bad", 1
while redis.call("HEXISTS", KEY, place) == 1 do
  number = number + 1
  place = "bad." .. number
end
redis.call("HSET", KEY, place, redis.call("HGET", KEY, "text"))
redis.call("HDEL", KEY, "text")
return place
]]

-- Releases the store.
local release = define [[
if has_lease then
  redis.call("HDEL", KEY, "holder", "epoch", "ends", "written")
end
return 1
]]

-- ---- operations ----

---@class cekura.fleet.Operation: cekura.watch.Operation
---@field deadline? number when it is given up
---@field ends_by? number when it counts as ended, from the first look after the deadline on
---@field task table
---@field has_ended? boolean
---@field value? any
---@field fault? any
local Operation = {}
Operation.__index = Operation

-- Seconds beyond the deadline for what a process that was frozen has missed.
local LAST_LOOK = 0.5

function Operation:is_done()
  if self.has_ended or self.task.state == "done" then
    return true
  elseif not self.deadline or core.now() < self.deadline then
    return false
  end
  self.ends_by = self.ends_by or core.now() + LAST_LOOK
  return core.now() >= self.ends_by
end

function Operation:result()
  if self.has_ended then
    return self.value, self.fault
  elseif self.task.state == "done" then
    return nil, errors.new("cancelled", "the task was cancelled")
  end
  return nil, errors.new("network", "the server does not answer")
end

-- Runs a function in a task, because commands wait. The function returns what the operation results in. A server that
-- is away is one fault, whether a connection or a deadline shows that, so a watch reports it once.
local function begin(loop, deadline, fn)
  local self = setmetatable({ deadline = deadline }, Operation)
  local spawned, task = pcall(loop.spawn, function()
    local value, fault = fn()
    if fault and fault.kind == "timeout" then
      fault.kind = "network"
    end
    self.value, self.fault, self.has_ended = value, fault, true
  end)
  if not spawned then -- the host can start no more
    self.fault, self.has_ended = task, true
  end
  self.task = task
  return self
end

-- Errors after which a step may succeed if it is repeated: the server is away, or being started.
local TRANSIENT = { network = true, timeout = true, server = true }

-- Seconds between two attempts. The connection has its own pauses before it is made again.
local PAUSE = 0.2

-- Repeats a step until it has a reply, or the time is over, or the task or the host ends.
local function repeated(loop, deadline, step)
  local reply, err = step()
  while err and TRANSIENT[err.kind] and core.now() + PAUSE < deadline do
    local why = loop.waiter():park(PAUSE, true)
    if why == "cancelled" or why == "closing" then
      break
    end
    reply, err = step()
  end
  return reply, err
end

-- ---- the store of one watch ----

---@class cekura.fleet.Store
---@field redis cekura.Redis
---@field loop table
---@field key string
---@field lease number seconds
---@field id string no two watches have the same
---@field epoch integer
---@field number integer of the last write in this epoch
---@field held_until? number
local Store = {}
Store.__index = Store

function Store:is_held()
  return self.held_until ~= nil and core.now() < self.held_until
end

-- What was sent so far does nothing any more, if the store is acquired again.
local function lose(self)
  self.held_until, self.epoch, self.number = nil, self.epoch + 1, 0
end

-- A command without a reply took so many seconds longer than it may: the process was frozen meanwhile, and has perhaps
-- not sent it.
local FROZEN = 0.2

-- The function that runs a script in this epoch.
local function step_of(self, of, ...)
  local epoch, arguments = self.epoch, { n = select("#", ...), ... }
  local function run()
    return of:run(self.redis, self.key, self.id, epoch, unpack(arguments, 1, arguments.n))
  end
  return function()
    local begun = core.now()
    local reply, err = run()
    if err and err.kind == "timeout" and core.now() - begun > self.redis._timeout + FROZEN then
      return run()
    end
    return reply, err
  end
end

local function milliseconds(seconds)
  return math.ceil(1000 * seconds)
end

-- Begins to acquire the store, once.
local function begin_take(self)
  local step, epoch, begun = step_of(self, take, milliseconds(self.lease)), self.epoch, core.now()
  return begin(self.loop, nil, function()
    local reply, err = step()
    if reply ~= 1 or epoch ~= self.epoch or core.now() >= begun + self.lease then
      return nil, err
    end
    self.held_until = begun + self.lease
    return "taken"
  end)
end

-- Begins to renew the lease, and to repeat that until the lease is over.
local function begin_renew(self)
  local epoch, deadline, begun = self.epoch, self.held_until, nil
  local step = step_of(self, renew, milliseconds(self.lease))
  return begin(self.loop, deadline, function()
    local reply, err = repeated(self.loop, deadline, function()
      begun = core.now()
      return step()
    end)
    if epoch ~= self.epoch then
      return nil, err
    elseif reply ~= 1 or not self:is_held() then
      lose(self)
      return nil, err
    end
    self.held_until = begun + self.lease
    return "renewed"
  end)
end

function Store:acquire()
  if self.held_until and not self:is_held() then
    lose(self)
  end
  return (self.held_until and begin_renew or begin_take)(self)
end

-- Seconds that the end of a watch waits for a release: what is not released is so when the lease is over.
local RELEASE_WAIT = 2

function Store:release()
  local step = step_of(self, release)
  lose(self)
  return begin(self.loop, core.now() + RELEASE_WAIT, step)
end

function Store:read()
  return begin(self.loop, nil, function()
    local text, err = self.redis:command("HGET", self.key, "text")
    if err then
      return nil, err
    end
    return true, text or nil
  end)
end

-- Gives up after a lease, so that a fault that stays is reported.
function Store:write(text)
  if not self:is_held() then
    return setmetatable({ has_ended = true }, Operation)
  end
  self.number = self.number + 1
  local step, deadline = step_of(self, write, self.number, text), core.now() + self.lease
  return begin(self.loop, deadline, function()
    local reply, err = repeated(self.loop, deadline, step)
    return reply == 1 or nil, err
  end)
end

function Store:set_aside()
  local step = step_of(self, set_aside)
  return begin(self.loop, nil, function()
    local field, err = step()
    if err or field == 0 then
      return nil, err
    end
    return ("the field %s of %s"):format(field, self.key)
  end)
end

-- ---- what a program has ----

---@class cekura.fleet.Place a store, of all watches that it is given to
---@field private open_store fun(self: cekura.fleet.Place, lease: number): cekura.fleet.Store for one of them

--- Makes a store for `cekura.watch { store = … }`. Every watch with a store of that name, in whatever process, has the
-- same one.
---@param redis cekura.Redis its loop must be that of the watch
---@param prefix string "cekura:{NAME}:" of the fleet
---@param name string
---@return cekura.fleet.Place
function store.new(redis, prefix, name)
  return { open_store = function(_, lease)
    return setmetatable({ redis = redis, loop = core.fields(redis._client)._loop, key = prefix .. "store:" .. name,
      lease = lease, id = core.random_hex(), epoch = 1, number = 0 }, Store)
  end }
end

return store

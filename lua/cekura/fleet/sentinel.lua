--- A Redis server that Redis Sentinel names: the master of a group, which another server becomes when it fails.
--
-- What a sentinel says may be old, so a server is asked for its role before it is used: as Redis's guide for clients of
-- Sentinel has it.

local core = require "cekura.core"
local errors = require "cekura.errors"
local protected = require "cekura.loop.protected"
local link = require "cekura.fleet.link"
local show = require "cekura.show"

---@class cekura.fleet.Sentinel
---@field client cekura.Client
---@field address cekura.fleet.RedisAddress
---@field options table for link.new()
---@field sentinels cekura.fleet.Link[] the one that answered last comes first
---@field master cekura.fleet.Link|false the last server that was one
---@field left table<cekura.fleet.Link, true> weak: former masters, on which commands may still wait
---@field is_asking boolean
local Sentinel = {}
Sentinel.__index = Sentinel

local sentinel = {}

-- Seconds for the answer of a sentinel, or of a server about its role; between two rounds.
local ANSWER, PAUSE = 1, 0.25

--- Makes one.
---@param client cekura.Client
---@param address cekura.fleet.RedisAddress
---@param options table connect_timeout, ca_file
---@return cekura.fleet.Sentinel? sentinel, cekura.Error? err of kind "config"
function sentinel.new(client, address, options)
  local self = setmetatable({ client = client, address = address, sentinels = {}, master = false, is_asking = false,
    options = options, left = setmetatable({}, { __mode = "k" }) }, Sentinel)
  for index, each in ipairs(address.sentinels) do
    local made, err = link.new(client, each, options)
    if not made then
      return nil, err
    end
    self.sentinels[index] = made
  end
  return self
end

-- ---- the master ----

local function forget(self, master)
  if self.master == master then
    self.master = false
  end
  self.left[master] = true
end

-- A connection to the server that a sentinel names, with the login.
local function connect(self, named)
  local address = self.address
  return link.new(self.client, { host = named[1], port = tonumber(named[2]), user = address.user,
    password = address.password, database = address.database,
    where = ("%s at %s:%s"):format(address.master, named[1], named[2]) }, self.options)
end

-- The server that a sentinel names, once it has said that it is a master; nil and an error.
local function ask(self, asked, deadline)
  local function left()
    return math.max(0.001, math.min(ANSWER, deadline - core.now()))
  end
  local name = self.address.master
  local named, err = asked:command({ "SENTINEL", "get-master-addr-by-name", name }, left())
  if not named then
    return nil, err or errors.new("config", show.format("%s knows no master %s", asked.where, name))
  end
  local made, role
  made, err = connect(self, named)
  if not made then
    return nil, err
  end
  role, err = made:command({ "ROLE" }, left())
  if not role then
    return nil, err
  elseif role[1] ~= "master" then
    return nil, errors.new("network", show.format("%s is a %s", made.where, role[1]))
  end
  return made
end

-- Asks each sentinel once.
local function ask_all(self, deadline)
  local err
  for index = 1, #self.sentinels do
    local asked = self.sentinels[index]
    local master
    master, err = ask(self, asked, deadline)
    if self.master then -- another task has found it
      return self.master
    elseif master then
      table.remove(self.sentinels, index)
      table.insert(self.sentinels, 1, asked)
      self.master = master
      return master
    elseif err.kind == "cancelled" or err.kind == "closed" or err.kind == "auth" or core.now() >= deadline then
      return nil, err
    end
  end
  return nil, err
end

-- The master, which is asked for if there is no connection to it; nil and an error.
local function find(self, deadline)
  local master = self.master
  if master and master:is_up() then
    return master
  elseif master then
    forget(self, master)
  end
  local err
  master, err = ask_all(self, deadline)
  while not master and err.kind ~= "cancelled" and err.kind ~= "closed" and err.kind ~= "auth" do
    if core.now() + PAUSE >= deadline then
      return nil, errors.new("timeout", show.format("%s: no master in time: %s", self.address.where, err.message),
        { sent = false })
    end
    core.fields(self.client)._loop.sleep(PAUSE)
    master, err = ask_all(self, deadline)
  end
  return master, err
end

-- ---- commands ----

-- After these errors the server may be a master no longer.
local CODES = { READONLY = true, UNBLOCKED = true, MASTERDOWN = true }
local KINDS = { network = true, timeout = true, protocol = true }

local function check_end(self, master, err, code)
  if err and (KINDS[err.kind] or CODES[code]) then
    forget(self, master)
  end
end

--- As Link:command() of the master. After an error of the connection, and one that a replica replies, the next command
-- asks for the master again.
function Sentinel:command(words, timeout)
  local deadline = core.now() + timeout
  local master, err = find(self, deadline)
  if not master then
    return nil, err
  end
  local reply, code
  reply, err, code = master:command(words, math.max(0.001, deadline - core.now()))
  check_end(self, master, err, code)
  return reply, err, code
end

--- As Link:send() of the master. If none is known, it cannot be sent, and a task asks for it.
function Sentinel:send(words, timeout, on_end)
  local master = self.master
  if master and master:is_up() then
    return master:send(words, timeout, function(reply, err, code)
      check_end(self, master, err, code)
      on_end(reply, err, code)
    end)
  end
  if not self.is_asking then
    self.is_asking = true
    core.fields(self.client)._loop.spawn(function()
      protected(core.fields(self.client)._loop, "sentinel", find, self, core.now() + timeout)
      self.is_asking = false
    end)
  end
  return errors.new("network", show.format("%s: %s: the master is not known", self.address.where, words[1]),
    { sent = false })
end

--- Closes all connections, whose commands end.
function Sentinel:close()
  for _, each in ipairs(self.sentinels) do
    each:close()
  end
  for each in pairs(self.left) do
    each:close()
  end
  if self.master then
    self.master:close()
  end
end

return sentinel

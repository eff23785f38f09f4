--- A Redis server with two replicas, and three sentinels that replace it by one of them when it dies.

local cekura = require "cekura"
local file = require "spec.support.file"
local patience = require "spec.support.patience"
local process = require "spec.support.process"
local redis_server = require "spec.support.redis_server"

local redis_sentinels = {}
redis_sentinels.__index = redis_sentinels

local CONFIG = [[
port %d
bind 127.0.0.1
dir %s
sentinel monitor main 127.0.0.1 %d 2
sentinel down-after-milliseconds main 1500
sentinel failover-timeout main 3000
]]

local function start_sentinel(master)
  local port = process.free_port()
  local made = process.start(redis_server.PROGRAM .. " sentinel.conf --sentinel", function(started)
    return started:output():find("+monitor", 1, true)
  end, function(dir)
    file.write(dir .. "/sentinel.conf", CONFIG:format(port, dir, master.port))
  end)
  made.port = port
  return made
end

-- A failover needs sentinels that know each other, and the replicas.
local function await_knowledge(sentinel)
  local direct = cekura.assert(cekura.redis.new("redis://127.0.0.1:" .. sentinel.port))
  patience.eventually(function()
    local known = direct:command("SENTINEL", "MASTER", "main")
    local fields = {}
    for place = 1, #known, 2 do
      fields[known[place]] = known[place + 1]
    end
    return fields["num-slaves"] == "2" and fields["num-other-sentinels"] == "2" and fields.flags == "master"
  end)
  direct:close()
end

--- Starts them. The first of `servers` is the master.
---@return table group servers, sentinels, url
function redis_sentinels.start()
  local self = setmetatable({ servers = { redis_server.start() }, sentinels = {} }, redis_sentinels)
  for index = 2, 3 do
    self.servers[index] = redis_server.start(("--replicaof 127.0.0.1 %d --repl-diskless-sync-delay 0"):format(
      self.servers[1].port))
  end
  local hosts = {}
  for index = 1, 3 do
    self.sentinels[index] = start_sentinel(self.servers[1])
    hosts[index] = "127.0.0.1:" .. self.sentinels[index].port
  end
  self.url = ("redis+sentinel://%s/main"):format(table.concat(hosts, ","))
  for _, sentinel in ipairs(self.sentinels) do
    await_knowledge(sentinel)
  end
  return self
end

--- The servers that say that they are the master.
function redis_sentinels:masters()
  local found = {}
  for _, server in ipairs(self.servers) do
    if server:is_running() and not server.is_stopped then
      local direct = cekura.assert(cekura.redis.new(server.url, { timeout = 1 }))
      local role = direct:command "ROLE"
      direct:close()
      found[#found + 1] = role and role[1] == "master" and server or nil
    end
  end
  return found
end

--- Waits until the replicas have what the master has now.
function redis_sentinels:await_replicas()
  local direct = cekura.assert(cekura.redis.new(self.servers[1].url))
  direct:command("SET", "replicated", "1")
  patience.eventually(function()
    return direct:command("WAIT", 2, 1000) == 2
  end)
  direct:close()
end

--- Ends them.
function redis_sentinels:stop()
  for _, list in ipairs { self.sentinels, self.servers } do
    for index, each in ipairs(list) do
      each:stop "KILL"
      list[index] = nil
    end
  end
end

return redis_sentinels

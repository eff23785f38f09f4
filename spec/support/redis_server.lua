--- Runs a Redis server on a free port of the loopback interface, and on a Unix socket in its folder.

local process = require "spec.support.process"

local redis_server = setmetatable({}, { __index = process })
redis_server.__index = redis_server

--- Starts one that keeps nothing on disk.
---@param options? string further options of the command
---@param port? integer
---@return table server dir, pid, port, url
function redis_server.start(options, port)
  port = port or process.free_port()
  local command = ("redis-server --bind 127.0.0.1 --port %d --unixsocket socket --save '' --appendonly no %s"):format(
    port, options or "")
  local self = process.start(command, function(started)
    return started:output():find("eady to accept connections", 1, true)
  end)
  self.port, self.url = port, ("redis://127.0.0.1:%d"):format(port)
  return setmetatable(self, redis_server)
end

--- Sends a signal.
function redis_server:signal(name)
  os.execute(("kill -%s %d"):format(name, self.pid))
end

return redis_server

--- Runs a Redis server on a free port of the loopback interface, and on a Unix socket in its folder.

local process = require "spec.support.process"
local shell = require "spec.support.shell"

local redis_server = setmetatable({}, { __index = process })
redis_server.__index = redis_server

-- Its program: redis-server, or the one that the variable REDIS_SERVER names, such as valkey-server.
local PROGRAM = os.getenv "REDIS_SERVER" or "redis-server"

redis_server.PROGRAM = PROGRAM

--- Starts one that keeps nothing on disk.
---@param options? string further options of the command
---@param port? integer
---@return table server dir, pid, port, url
function redis_server.start(options, port)
  port = port or process.free_port()
  local command = ("%s --bind 127.0.0.1 --port %d --unixsocket socket --save '' --appendonly no %s"):format(PROGRAM,
    port, options or "")
  local self = process.start(command, function(started)
    return started:output():find("eady to accept connections", 1, true)
  end)
  self.port, self.url = port, ("redis://127.0.0.1:%d"):format(port)
  return setmetatable(self, redis_server)
end

--- Sends a command by the server's own client.
---@param words string as a shell reads them
---@return string reply as that writes it
function redis_server:cli(words)
  local program = PROGRAM:gsub("server$", "cli")
  return (shell(("%s -p %d %s"):format(program, self.port, words)):gsub("\n$", ""))
end

return redis_server

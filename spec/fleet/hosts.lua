--- The workers of the fleet's proof: processes with Lua's own loop, an nginx and an HAProxy. Each can be killed, and
-- started again.

local file = require "spec.support.file"
local nginx = require "spec.support.nginx"
local process = require "spec.support.process"
local shell = require "spec.support.shell"

local HERE = shell "pwd":match "[^\n]+"

local hosts = {}

-- The Lua that runs in each host.
local function code(host, given)
  local members = { ("host = %q"):format(host) }
  for name, value in pairs(given) do
    members[#members + 1] = ("%s = %s"):format(name, type(value) == "string" and ("%q"):format(value) or value)
  end
  return ("require 'spec.fleet.work' { %s }"):format(table.concat(members, ", "))
end

-- ---- Lua's own loop ----

local own = {}
own.__index = own

--- Runs Lua in a process with Lua's own loop, in a task.
---@param text string
---@return table process
function hosts.run(text)
  local lua = os.getenv "CEKURA_LUA" or "lua5.4"
  local command = ("LUA_PATH='%s/?.lua;%s/lua/?.lua;%s/lua/?/init.lua;;' LUA_CPATH='%s/build/%s/?.so;;' %s program")
    :format(HERE, HERE, HERE, HERE, lua, lua)
  return process.start(command, function(started)
    return started:output():find "runs"
  end, function(dir)
    file.write(dir .. "/program", ("require 'cekura'.run(function() print 'runs' io.stdout:flush() %s end)"):format(
      text))
  end)
end

function own:start()
  self.process = hosts.run(code(self.name, self.given))
end

function own:pid()
  return self.process.pid
end

function own:kill()
  self.process:stop "KILL"
end

-- ---- HAProxy ----

local HAPROXY = [[
global
  lua-prepend-path HERE/?.lua
  lua-prepend-path HERE/lua/?.lua
  lua-prepend-path HERE/lua/?/init.lua
  lua-prepend-path HERE/build/LUA/?.so cpath
  lua-load app.lua
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend main
  bind 127.0.0.1:PORT
]]

local haproxy = setmetatable({}, { __index = own })
haproxy.__index = haproxy

function haproxy:start()
  local port = process.free_port()
  local version = shell "haproxy -vv":match "Built with Lua version : Lua (%d%.%d)"
  self.process = process.start("haproxy -db -f haproxy.cfg", function()
    return process.listens(port)
  end, function(dir)
    file.write(dir .. "/app.lua", code(self.name, self.given))
    file.write(dir .. "/haproxy.cfg", (HAPROXY:gsub("%u%u%u+", { HERE = HERE, LUA = "lua" .. version, PORT = port })))
  end)
end

-- ---- nginx, whose master replaces a worker that was killed ----

local in_nginx = {}
in_nginx.__index = in_nginx

function in_nginx:start()
  if not self.nginx then
    self.nginx = nginx.start(nginx.config(("init_worker_by_lua_block { %s } server { listen 127.0.0.1:@PORT@; }")
      :format(code(self.name, self.given))))
  end
end

function in_nginx:pid()
  return tonumber(process.eventually(function()
    return self.nginx:workers()[1]
  end))
end

function in_nginx:kill()
  local pid = self:pid()
  os.execute(("kill -KILL %d"):format(pid))
  process.eventually(function()
    local now = self.nginx:workers()[1]
    return now and tonumber(now) ~= pid
  end)
end

function in_nginx:stop()
  self.nginx:stop()
  self.nginx = nil
end

function own:stop()
  self.process:stop()
end

local KINDS = { own = own, nginx = in_nginx, haproxy = haproxy }

--- Starts a worker.
---@param kind "own"|"nginx"|"haproxy"
---@param name string
---@param given fleet.Work without the host
---@return table host with pid(), kill(), start() after kill(), stop()
function hosts.start(kind, name, given)
  local host = setmetatable({ name = name, given = given }, KINDS[kind])
  host:start()
  return host
end

return hosts

--- Runs nginx with a configuration, on a free port of the loopback interface.

local file = require "spec.support.file"
local process = require "spec.support.process"
local shell = require "spec.support.shell"

local HERE = shell("pwd"):gsub("%s+$", "")

-- The beginning of a configuration whose Lua finds the build of this checkout.
local FRAME = [[
load_module /usr/lib/nginx/modules/ndk_http_module.so;
load_module /usr/lib/nginx/modules/ngx_http_lua_module.so;
user root;
worker_processes 1;
pid @DIR@/nginx.pid;
error_log @DIR@/error.log notice;
events { worker_connections 2048; }
http {
  access_log off;
  client_body_temp_path @DIR@/body; proxy_temp_path @DIR@/proxy; fastcgi_temp_path @DIR@/fastcgi;
  uwsgi_temp_path @DIR@/uwsgi; scgi_temp_path @DIR@/scgi;
  lua_package_path "@DIR@/?.lua;HERE/?.lua;HERE/lua/?.lua;HERE/lua/?/init.lua;;";
  lua_package_cpath "HERE/build/luajit/?.so;;";
  BLOCK
}
]]

local nginx = setmetatable({}, { __index = process })
nginx.__index = nginx

--- A configuration for start(): one worker, with access to this module.
---@param block string the content of its http block
---@return string
function nginx.config(block)
  return (FRAME:gsub("HERE", HERE):gsub("BLOCK", function() return block end))
end

--- The configuration of an example for start(): its Lua finds the build of this checkout, after the files in @DIR@.
---@param folder string
---@param environment table<string, string> the variables that its workers have, of those that it names
---@return string
function nginx.example(folder, environment)
  local path = ("@DIR@/?.lua;HERE/%s/?.lua;HERE/lua/?.lua;HERE/lua/?/init.lua;;"):format(folder)
  local frame = FRAME:match "(user root;.-)worker_processes" .. FRAME:match "(pid .-)events"
  local config = file.read(folder .. "/nginx.conf")
    :gsub("listen 127.0.0.1:8080", "listen 127.0.0.1:@PORT@")
    :gsub("lua_package_path [^;]*;[^\n]*\n", ('lua_package_path "%s"; lua_package_cpath "HERE/build/luajit/?.so;;";\n')
      :format(path))
    :gsub("env ([%u_]+);", function(name)
      return environment[name] and ("env %s=%s;"):format(name, environment[name]) or ""
    end)
    :gsub("\nevents ", function(text) return "\n" .. frame .. text end)
    :gsub("http {\n", function(text) return text .. FRAME:match "(client_body_temp_path.-)lua_package_path" end)
  return (config:gsub("HERE", HERE))
end

--- Starts nginx, which must write its errors to @DIR@/error.log and its process id to @DIR@/nginx.pid.
---@param config string in which @DIR@ stands for a new folder, and @PORT@ and @NEXT@ for two ports
---@param prepare? fun(dir: string) writes the files that the configuration needs into that folder
---@param port? integer the first of the two; a free one if nil
---@return table nginx dir, port, url
function nginx.start(config, prepare, port)
  port = port or process.free_port()
  local self = process.start("nginx -p . -c nginx.conf -g 'daemon off;'", function(started)
    return process.listens(port) and (file.read(started.dir .. "/nginx.pid") or "") ~= ""
  end, function(dir)
    if prepare then
      prepare(dir)
    end
    file.write(dir .. "/nginx.conf", (config:gsub("@(%u+)@", { DIR = dir, PORT = port, NEXT = port + 1 })))
  end)
  self.port, self.url = port, "http://127.0.0.1:" .. port
  return setmetatable(self, nginx)
end

--- The content of the error log.
---@return string
function nginx:log()
  return file.read(self.dir .. "/error.log")
end

--- The process ids of the workers.
---@return string[]
function nginx:workers()
  local list = {}
  for pid in file.read(("/proc/%d/task/%d/children"):format(self.pid, self.pid)):gmatch "%d+" do
    list[#list + 1] = pid
  end
  return list
end

--- Reloads the configuration.
function nginx:reload()
  shell(("kill -HUP %d"):format(self.pid))
end

return nginx

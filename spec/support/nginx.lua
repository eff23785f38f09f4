--- Runs an nginx with a configuration, on a free port of the loopback interface.

local shell = require "spec.support.shell"

local nginx = {}
nginx.__index = nginx

local function read(path)
  local file = io.open(path, "rb")
  local text = file and file:read "*a" or ""
  if file then
    file:close()
  end
  return text
end

-- Below those that the system gives to outgoing connections.
local function random_port()
  local bytes = assert(io.open("/dev/urandom", "rb"))
  local a, b = bytes:read(2):byte(1, 2)
  bytes:close()
  return 20000 + (a * 256 + b) % 12000
end

--- Starts one.
---@param config string in which @DIR@ stands for a directory of its own, @PORT@ for the port, @NEXT@ for the one after it
---@param prepare? fun(dir: string) called before the first start
---@return table nginx dir, port, url
function nginx.start(config, prepare)
  local dir = shell("mktemp -d"):gsub("%s+$", "")
  if prepare then
    prepare(dir)
  end
  local output
  for _ = 1, 20 do
    local port = random_port()
    local file = assert(io.open(dir .. "/nginx.conf", "wb"))
    file:write((config:gsub("@(%u+)@", { DIR = dir, PORT = port, NEXT = port + 1 })))
    file:close()
    local status
    output, status = shell(("nginx -p %s -c nginx.conf"):format(dir))
    if status == 0 then
      return setmetatable({ dir = dir, port = port, url = "http://127.0.0.1:" .. port }, nginx)
    elseif not output:find("Address already in use", 1, true) then
      break
    end
  end
  local log = read(dir .. "/error.log")
  shell("rm -rf " .. dir)
  error("nginx does not start: " .. output .. log)
end

--- The error log.
---@return string
function nginx:log()
  return read(self.dir .. "/error.log")
end

--- The process ids of the workers.
---@return string[]
function nginx:workers()
  local list = {}
  for pid in shell(("p=$(cat %s/nginx.pid); cat /proc/$p/task/$p/children"):format(self.dir)):gmatch "%d+" do
    list[#list + 1] = pid
  end
  return list
end

--- "reload", "quit", …
function nginx:signal(name)
  return shell(("nginx -p %s -c nginx.conf -s %s"):format(self.dir, name))
end

--- Ends it, whatever it is at.
function nginx:stop()
  shell(([[cd %s && if p=$(cat nginx.pid 2>/dev/null); then kill $p; i=0
    while kill -0 $p 2>/dev/null && [ $i -lt 250 ]; do sleep 0.02; i=$((i + 1)); done; kill -9 $p 2>/dev/null; fi
    rm -rf %s]]):format(self.dir, self.dir))
end

return nginx

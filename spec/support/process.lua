--- Runs a program in the background: the server that a spec has to do with. It ends with stop(), or else with the
-- process that started it, however that ends.

local file = require "spec.support.file"
local shell = require "spec.support.shell"

local process = {}
process.__index = process

-- Seconds that a program may take to become ready, or to end; a busy machine is slow.
local LIMIT = 120

-- The program's parent: keeps its exit status, and ends it when the owner is gone. It has a session of its own, because
-- whoever ends the owner may mean all of its group.
local SUPERVISOR = [[
exec env %s >>output 2>&1 </dev/null &
pid=$!
echo $pid >pid
{
  while kill -0 %s; do sleep 0.5; done
  kill $pid; sleep 3; kill -KILL $pid
} &
wait $pid
echo $? >ended
mv ended status
kill $!
kill -0 %s || rm -rf "$PWD"
]]

--- Waits until the function returns something true, and returns that; nil if it does not in time.
---@param condition fun(): any
function process.eventually(condition)
  for _ = 1, LIMIT * 50 do
    local value = condition()
    if value then
      return value
    end
    os.execute "sleep 0.02"
  end
end

--- A port of the loopback interface that is free, and so is the next one. Specs that run at the same time draw from
-- ranges of their own (CEKURA_PORTS); all of them lie below the ports that Linux gives to outgoing connections.
---@return integer
function process.free_port()
  local taken = (file.read "/proc/net/tcp" or "") .. (file.read "/proc/net/tcp6" or "")
  local first, last = (os.getenv "CEKURA_PORTS" or "20000 31999"):match "(%d+) (%d+)"
  first, last = tonumber(first), tonumber(last)
  local source = assert(io.open("/dev/urandom", "rb"))
  local function is_free(port)
    return not taken:find((":%04X "):format(port), 1, true)
  end
  local port
  repeat
    local a, b = source:read(2):byte(1, 2)
    port = first + (a * 256 + b) % (last - first)
  until is_free(port) and is_free(port + 1)
  source:close()
  return port
end

--- Whether somebody listens on a port of 127.0.0.1.
---@param port integer
function process.listens(port)
  return file.read "/proc/net/tcp":find(("0100007F:%04X 00000000:0000 0A"):format(port), 1, true) ~= nil
end

--- Starts a program and waits until it is ready.
---@param command string one program with its arguments, as a shell reads them; NAME=value may stand before it; it
---starts in a private directory, and is to stay in the foreground
---@param is_ready fun(self: table): any asked again and again; true: it is
---@param prepare? fun(dir: string) puts into that directory what the program needs
---@return table process with `pid` and `dir`, the private directory
function process.start(command, is_ready, prepare)
  local self = setmetatable({ dir = shell "mktemp -d":match "%S+" }, process)
  if prepare then
    prepare(self.dir)
  end
  local owner = file.read "/proc/self/stat":match "^%d+"
  file.write(self.dir .. "/supervisor", SUPERVISOR:format(command, owner, owner))
  os.execute(("cd %s && setsid sh supervisor >/dev/null 2>&1 </dev/null &"):format(self.dir))
  self.pid = process.eventually(function()
    return tonumber(file.read(self.dir .. "/pid"))
  end)
  if not process.eventually(function() return not self:is_running() or is_ready(self) end) or not self:is_running() then
    self:stop()
    error("does not get ready: " .. command .. "\n" .. self:output())
  end
  return self
end

function process:is_running()
  return not self.stopped and not file.read(self.dir .. "/status")
end

--- What it wrote so far, both streams.
---@return string
function process:output()
  return self.stopped or file.read(self.dir .. "/output") or ""
end

--- Waits until the output has that plain text; raises if it does not come.
function process:wait_for(text)
  if not process.eventually(function() return self:output():find(text, 1, true) end) then
    error(("%q is not in the output:\n%s"):format(text, self:output()))
  end
end

--- Ends it, and removes its directory; output() still tells what it wrote. May be called again. Raises if the
-- simulator's key is in that.
---@param signal? string "TERM" if nil
---@return integer? status its exit status; nil: it did not end by itself, or has been stopped before
function process:stop(signal)
  if self.stopped then
    return nil
  end
  local status = self.dir .. "/status"
  if not file.read(status) then
    os.execute(("kill -%s %d"):format(signal or "TERM", self.pid))
  end
  local ended = process.eventually(function() return file.read(status) end)
  if not ended then
    os.execute(("kill -KILL %d"):format(self.pid))
    process.eventually(function() return file.read(status) end)
  end
  self.stopped = self:output()
  shell("rm -rf " .. self.dir)
  assert(not self.stopped:find("sim-key", 1, true), "the key is in what it wrote")
  return ended and tonumber(ended)
end

return process

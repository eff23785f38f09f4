--- Runs a program in the background, such as a server for a spec. The program ends with stop(), or with the process
-- that started it, however that ends.

local core = require "cekura.core"
local file = require "spec.support.file"
local shell = require "spec.support.shell"

local process = {}
process.__index = process

-- Seconds that a program may take to become ready or to end, even on a busy machine.
local LIMIT = 120

-- The parent of the program: stores its exit status, and ends it when the owner has ended. It has a separate session,
-- because a signal to the owner may go to its whole process group.
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

--- Waits until the function returns a true value, and returns that value; returns nil if it takes too long.
---@param condition fun(): any
function process.comes_true(condition)
  for _ = 1, LIMIT * 50 do
    local value = condition()
    if value then
      return value
    end
    core.wait({}, 0.02) -- for no client
  end
end

--- The same, but raises if it takes too long.
---@param condition fun(): any
function process.eventually(condition)
  return process.comes_true(condition) or error("the condition never became true", 2)
end

--- A free port of the loopback interface, whose successor is free as well. Specs that run at the same time use separate
-- ranges of ports (CEKURA_PORTS), all below those that Linux gives to outgoing connections.
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

--- Whether a process listens on a port of 127.0.0.1.
---@param port integer
function process.listens(port)
  return file.read "/proc/net/tcp":find(("0100007F:%04X 00000000:0000 0A"):format(port), 1, true) ~= nil
end

--- Starts a program and waits until it is ready. A program that has already ended by then was ready nevertheless.
---@param command string one program with its arguments, as a shell reads them, perhaps after NAME=value; the program
---starts in a private folder and must stay in the foreground
---@param is_ready fun(self: table): any called repeatedly until it returns a true value
---@param prepare? fun(dir: string) writes the files that the program needs into that folder
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
  local ready
  process.comes_true(function()
    local running = self:is_running() -- asked first: what a program wrote before it ended counts
    ready = is_ready(self)
    return ready or not running
  end)
  if not ready then
    self:stop()
    error("the program did not become ready: " .. command .. "\n" .. self:output())
  end
  return self
end

function process:is_running()
  return not self.stopped and not file.read(self.dir .. "/status")
end

--- The output so far, of both streams.
---@return string
function process:output()
  return self.stopped or file.read(self.dir .. "/output") or ""
end

--- Waits until the output contains a plain text; raises if that takes too long.
function process:wait_for(text)
  if not process.comes_true(function() return self:output():find(text, 1, true) end) then
    error(("%q is not in the output:\n%s"):format(text, self:output()))
  end
end

--- Sends a signal.
function process:signal(name)
  os.execute(("kill -%s %d"):format(name, self.pid))
end

--- Ends the program and removes its folder; output() still works. May be called again. Raises if the
-- output contains the key of the simulator.
---@param signal? string "TERM" if nil
---@return integer? status its exit status; nil if a signal ended it, or if it was stopped before
function process:stop(signal)
  if self.stopped then
    return nil
  end
  local status = self.dir .. "/status"
  if not file.read(status) then
    os.execute(("kill -%s %d"):format(signal or "TERM", self.pid))
  end
  local ended = process.comes_true(function() return file.read(status) end)
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

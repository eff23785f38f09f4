--- A machine on which the commands of a page run as they are; see machine/run. It needs root, and namespaces.

local file = require "spec.support.file"
local process = require "spec.support.process"
local shell = require "spec.support.shell"

local machine = setmetatable({}, { __index = process })
machine.__index = machine

local HERE = shell "pwd":match "[^\n]+"
local LUA = os.getenv "CEKURA_LUA" or "lua5.4"

-- root's, after it has logged in. What is compiled there need not be fast.
local ENVIRONMENT = "env -i HOME=/root LANG=C.UTF-8 CFLAGS=-O0 "
  .. "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

-- A command of a session: it begins where the one before has ended, in its folder and with its environment.
local COMMAND = [[
cd /root/cekura
[ ! -e /run/session ] || . /run/session
set -e
%s
{ export -p; echo "cd '$PWD'"; } >/run/session
]]

--- Starts one that has these packages, and those that they depend on, and no others. Raises where there can be none.
---@param packages string[]
---@return table machine
function machine.start(packages)
  local output, status = shell "unshare --mount --net --pid --fork --mount-proc true"
  if status ~= 0 then
    error("This runs in namespaces, which cannot be had here: it needs root, and CAP_SYS_ADMIN in a container.\n"
      .. output, 0)
  end
  local self = process.start(("%s/spec/support/machine/run %s %s %s"):format(HERE, LUA, HERE,
    table.concat(packages, " ")), function(started)
    return started:output():find("ready\n", 1, true)
  end)
  local inside = file.read(("/proc/%d/task/%d/children"):format(self.pid, self.pid)):match "%d+"
  self.root = ("/proc/%s/root%s/root"):format(inside, self.dir) -- its files, as seen from here
  self.enter = ("nsenter --target %s --mount --net --pid --root chroot %s/root %s"):format(
    inside, self.dir, ENVIRONMENT)
  return setmetatable(self, machine)
end

--- Runs a piece of a shell session, as root in the checkout.
---@param code string
---@return string output
---@return integer status 124: it did not end
---@return string errors the other stream
function machine:type(code)
  self.typed = (self.typed or 0) + 1 -- what an earlier command has left running writes to its own files
  local output, errors = "/run/output" .. self.typed, "/run/errors" .. self.typed
  file.write(self.root .. "/run/command", COMMAND:format(code))
  local failure, status = shell(("%s timeout 300 sh -c 'sh /run/command >%s 2>%s </dev/null'"):format(
    self.enter, output, errors))
  return file.read(self.root .. output), status, file.read(self.root .. errors) .. failure
end

--- Writes a file, with its folders.
---@param path string absolute, or relative to the home folder (~/) or the checkout
---@param text string
function machine:write(path, text)
  path = path:gsub("^~", "/root"):gsub("^[^/]", "/root/cekura/%0")
  self:type("mkdir -p " .. path:match "^(.*)/")
  file.write(self.root .. path, text)
end

--- Ends it, and all that runs there.
function machine:stop()
  process.stop(self, "KILL")
end

return machine

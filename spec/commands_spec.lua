--- The commands of all pages run as they stand there, in a copy of the checkout. They see the system's own files, but
-- what they install in /usr/local is gone afterwards, and apt knows no package but those that are installed.
-- spec/pages_spec.lua runs the Lua blocks.

local file = require "spec.support.file"
local pages = require "spec.support.pages"
local process = require "spec.support.process"
local shell = require "spec.support.shell"
local shown = require "spec.support.shown"
local simulator = require "spec.support.simulator"

-- What is mounted over the system's files, and a copy of the checkout with what is built of it.
local APART = [[
mount -t tmpfs tmpfs /usr/local
for folder in /var/lib/apt /var/cache/apt /var/log/apt /etc/apt/sources.list.d; do mount -t tmpfs tmpfs $folder; done
[ ! -e /etc/apt/sources.list ] || mount --bind /dev/null /etc/apt/sources.list
mkdir home checkout
cd %s
find . -mindepth 1 -maxdepth 1 ! -name build ! -name .git -exec cp -a {} "$OLDPWD/checkout" \;
mkdir "$OLDPWD/checkout/build"
for folder in engine text file lua5.4 luajit; do
  [ ! -e build/$folder ] || cp -a build/$folder "$OLDPWD/checkout/build"
done
touch "$OLDPWD/ready"
exec sleep infinity]]

local function apart()
  local here = shell "pwd":match "[^\n]+"
  return process.start("unshare --mount sh -eu apart", function(self)
    return file.read(self.dir .. "/ready")
  end, function(dir)
    file.write(dir .. "/apart", APART:format(here))
  end)
end

-- Runs a command there, with nothing of this process's environment but the way to the simulator. What it compiles need
-- not be fast.
local function run(place, server, command, expected)
  local ports = os.getenv "CEKURA_PORTS"
  local inside = ("env -i %s HOME=%s/home PATH=$PATH LC_ALL=C.UTF-8 CFLAGS=-O0 CEKURA_API_URL=%s CEKURA_API_KEY=%s "
    .. "sh -eu block"):format(ports and ("CEKURA_PORTS=\"%s\""):format(ports) or "", place.dir, server.url, server.key)
  return shown.run(("cp block %s/checkout/block; exec nsenter -t %d -m -r -w sh -c 'cd %s/checkout; exec %s'"):format(
    place.dir, place.pid, place.dir, inside), expected, function(dir)
    file.write(dir .. "/block", command)
  end)
end

-- The commands of a page; after the first, also its Lua blocks that begin with the name of a file, which run with what
-- the commands have installed.
local function commands_of(path)
  local list = {}
  for _, block in ipairs(pages.blocks(path)) do
    local runner = pages.runner(path, block)
    block.file = runner == "spec/pages_spec.lua" and list[1] and block.code:match "^%-%- ([%w_]+%.lua)\n"
    if runner == "spec/commands_spec.lua" or block.file then
      list[#list + 1] = block
    end
  end
  return list
end

local function describe_commands(path, commands)
  describe("the commands of " .. path, function()
    local server = simulator.during(setup, teardown)
    local place

    setup(function()
      place = apart()
    end)

    teardown(function()
      place:stop()
    end)

    for _, block in ipairs(commands) do
      local name = block.file and "lua5.4 " .. block.file or block.code:match "[^\n]*"
      it(("at line %d run: %s"):format(block.line, name), function()
        local command = block.code
        if block.file then
          file.write(("%s/checkout/%s"):format(place.dir, block.file), block.code)
          command = "lua5.4 " .. block.file
        end
        local output, fault = run(place, server, command, block.output)
        assert.is_nil(fault, fault and fault .. ":\n" .. output)
      end)
    end
  end)
end

for _, path in ipairs(pages.list()) do
  local commands = commands_of(path)
  if commands[1] then
    describe_commands(path, commands)
  end
end

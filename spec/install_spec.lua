--- The files of an installation, and that it works without the checkout.

local shell = require "spec.support.shell"
local simulator = require "spec.support.simulator"

local lua = os.getenv "CEKURA_LUA" or "lua5.4"
local abi = lua == "luajit" and "5.1" or lua:match "%d%.%d"

local function files_below(dir)
  return (shell(("cd %s && find . -name '*.lua' -o -name '*.so' | sort"):format(dir)))
end

describe("an installation", function()
  local server = simulator.during(setup, teardown)
  local dir

  before_each(function()
    dir = shell "mktemp -d":gsub("%s", "")
  end)

  after_each(function()
    shell("rm -rf " .. dir)
  end)

  local function assert_works(share, lib)
    local file = dir .. "/try.lua"
    local handle = assert(io.open(file, "w"))
    handle:write [[
      local cekura = require "cekura"
      local client = cekura.assert(cekura.new())
      local job = cekura.assert(client.calls:improve_prompt { call_logs = { 1 }, prompt = "x" })
      print(cekura._VERSION, cekura.assert(job:wait { interval = 0.02 }).improved_prompt ~= nil)
    ]]
    handle:close()
    local paths = ("LUA_PATH='%s/?.lua;%s/?/init.lua' LUA_CPATH='%s/?.so;;'"):format(share, share, lib)
    local output, status = shell(("cd %s && %s CEKURA_API_URL=%s CEKURA_API_KEY=%s %s try.lua"):format(
      dir, paths, server.url, server.key, lua))
    assert.equal(require "cekura.version" .. "\ttrue\n", output)
    assert.equal(0, status)
  end

  it("by make has its files where this Lua looks for them, and works, even over an earlier version", function()
    local old = dir .. "/opt/x/share/lua/" .. abi .. "/cekura" -- that version had job.lua instead of job/init.lua
    shell(("mkdir -p %s && echo 'error \"old\"' > %s/job.lua"):format(old, old))
    local output, status = shell(("make --no-print-directory -s install LUA=%s PREFIX=/opt/x DESTDIR=%s"):format(
      lua, dir))
    assert.equal(0, status, output)
    local share, lib = dir .. "/opt/x/share/lua/" .. abi, dir .. "/opt/x/lib/lua/" .. abi
    assert.equal(files_below "lua", files_below(share))
    assert.equal("./cekura/core.so\n", files_below(lib))
    assert_works(share, lib)
  end)

  if lua ~= "luajit" then -- Debian's luarocks does not support LuaJIT
    it("by luarocks has the same files, and works", function()
      -- luarocks works in a copy of the checkout, so that it leaves nothing in this one.
      local output, status = shell(([[
        mkdir %s/source && cp -r Makefile *.rockspec README.md LICENSE src lua %s/source/ && cd %s/source &&
        luarocks --lua-version=%s --tree=%s/rocks make --deps-mode=none]]):format(dir, dir, dir, abi, dir))
      assert.equal(0, status, output)
      assert.is_nil(output:find("error", 1, true), output) -- a clean build has nothing to complain about
      local share, lib = dir .. "/rocks/share/lua/" .. abi, dir .. "/rocks/lib/lua/" .. abi
      assert.equal(files_below "lua", files_below(share))
      assert.equal("./cekura/core.so\n", files_below(lib))
      assert_works(share, lib)
    end)
  end
end)

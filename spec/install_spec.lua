--- The files of an installation, that it works without the checkout, and that nothing of it stays.

local file = require "spec.support.file"
local run = require "spec.support.succeed"
local shell = require "spec.support.shell"
local simulator = require "spec.support.simulator"

local lua = os.getenv "CEKURA_LUA" or "lua5.4"
local abi = lua == "luajit" and "5.1" or lua:match "%d%.%d"
local version = require "cekura.version"
local ROCK = "cekura-" .. version .. "-1"

local function modules_below(dir)
  return (shell(("cd %s && find . -name '*.lua' -o -name '*.so' | sort"):format(dir)))
end

-- Everything below a folder, with its kind.
local function tree_of(dir)
  return (shell(("cd %s && find . -printf '%%P %%y %%m\\n' | sort"):format(dir)))
end

local function exists(path)
  return select(2, shell("test -e " .. path)) == 0
end

-- Whether make has the library of connections to Redis to install, and luarocks builds it.
local WAS_BUILT, IS_BUILT = exists("build/" .. lua .. "/cekura/redis.so"), exists "/usr/include/hiredis/async.h"

describe("an installation", function()
  local server = simulator.during(setup, teardown)
  local dir
  local stage -- not that of the checkout, which another spec copies meanwhile

  setup(function()
    stage = shell "mktemp -d":gsub("%s", "")
  end)

  teardown(function()
    shell("rm -rf " .. stage)
  end)

  before_each(function()
    dir = shell "mktemp -d":gsub("%s", "")
  end)

  after_each(function()
    shell("rm -rf " .. dir)
  end)

  local function make(goal, variables)
    return run("make --no-print-directory -s %s LUA=%s STAGE=%s %s", goal, lua, stage, variables)
  end

  -- With the library of connections to Redis, or without it.
  local function assert_works(share, lib, has_redis)
    assert.equal("./cekura/core.so\n" .. (has_redis and "./cekura/redis.so\n" or "") .. "./cekura/simulator.so\n",
      modules_below(lib))
    file.write(dir .. "/try.lua", [[
      local cekura = require "cekura"
      local client = cekura.assert(cekura.new())
      local job = cekura.assert(client.calls:improve_prompt { call_logs = { 1 }, prompt = "x" })
      print(cekura._VERSION, cekura.assert(job:wait { interval = 0.02 }).improved_prompt ~= nil)
      local redis, err = cekura.redis.new "redis://127.0.0.1"
      print(redis or err.kind)
    ]])
    local paths = ("LUA_PATH='%s/?.lua;%s/?/init.lua' LUA_CPATH='%s/?.so;;'"):format(share, share, lib)
    local redis = has_redis and "redis redis://127.0.0.1:6379" or "config"
    local output = run("cd %s && %s CEKURA_API_URL=%s CEKURA_API_KEY=%s %s try.lua", dir, paths, server.url, server.key,
      lua)
    assert.equal(("%s\ttrue\n%s\n"):format(version, redis), output)
  end

  it("by make has its files where this Lua looks for them, and works, even over an earlier version", function()
    local old = dir .. "/opt/x/share/lua/" .. abi .. "/cekura" -- that version had job.lua instead of job/init.lua
    run("mkdir -p %s && echo 'error \"old\"' > %s/job.lua", old, old)
    make("install", "PREFIX=/opt/x DESTDIR=" .. dir)
    local share, lib = dir .. "/opt/x/share/lua/" .. abi, dir .. "/opt/x/lib/lua/" .. abi
    assert.equal(modules_below "lua", modules_below(share))
    assert_works(share, lib, WAS_BUILT)
  end)

  it("by make has the command, its man page and completions, the pages and the licence", function()
    make("install", ("PREFIX=%s/opt"):format(dir))
    -- The command finds the modules beside it, whatever else there is.
    assert.truthy(run("cd / && env -u LUA_PATH -u LUA_CPATH %s/opt/bin/cekura-lua version", dir):find(version, 1, true))
    assert.equal("#!/usr/bin/env " .. lua, (run("head -n 1 %s/opt/bin/cekura-lua", dir):match "[^\n]*"))
    for _, path in ipairs { "man/man1/cekura-lua.1", "bash-completion/completions/cekura-lua",
      "zsh/site-functions/_cekura-lua", "fish/vendor_completions.d/cekura-lua.fish", "doc/cekura-lua/LICENSE",
      "doc/cekura-lua/README.md", "doc/cekura-lua/examples/nginx/nginx.conf", "doc/cekura-lua/docs/api/README.md" } do
      assert.truthy(#(file.read(dir .. "/opt/share/" .. path) or "") > 0, path)
    end
    assert.equal("", run("find %s/opt -name '*.html'", dir))
    assert.equal("", run("find %s/opt ! -perm -a+r -o -type d ! -perm -a+x", dir))
  end)

  it("by make goes on without argparse, and says what is missing", function()
    file.write(dir .. "/" .. lua, ([[#!/bin/sh
      exec %s -e 'package.preload.argparse = function() error "none" end' "$@"]]):format(run("command -v %s", lua):match
      "[^\n]*"))
    run("chmod 755 %s/%s", dir, lua)
    local output = run("PATH=%s:$PATH make --no-print-directory -s install LUA=%s STAGE=%s DESTDIR=%s/root", dir, lua,
      stage, dir)
    assert.equal(lua .. " finds no argparse (Debian's package lua-argparse), which the command cekura-lua needs. "
      .. "Its man page and completions are not installed: install argparse, and repeat this.\n", output)
    assert.is_nil(file.read(dir .. "/root/usr/local/share/man/man1/cekura-lua.1"))
    assert_works(dir .. "/root/usr/local/share/lua/" .. abi, dir .. "/root/usr/local/lib/lua/" .. abi, WAS_BUILT)
  end)

  it("is removed by make uninstall, with nothing else", function()
    run("mkdir -p %s/usr/local/bin %s/usr/local/share/man && touch %s/usr/local/bin/mine", dir, dir, dir)
    local before, place = tree_of(dir), "DESTDIR=" .. dir
    make("install", place)
    make("install", place) -- again
    make("uninstall", place)
    assert.equal(before, tree_of(dir))
    assert.equal(("There is no installation for %s in %s/usr/local. Give the LUA and PREFIX of the installation.\n")
      :format(lua, dir), make("uninstall", place))
    assert.equal(before, tree_of(dir))
  end)

  it("leaves the files of others in its folders", function()
    make("install", "PREFIX=/x DESTDIR=" .. dir)
    local mine = ("%s/x/share/lua/%s/cekura/mine.lua"):format(dir, abi)
    file.write(mine, "return 1\n")
    make("uninstall", "PREFIX=/x DESTDIR=" .. dir)
    assert.equal(mine .. "\n", run("find %s -type f", dir))
  end)

  it("by luarocks has the same files, and works", function()
    -- No network, so that nothing can be fetched. The simulator of spec/smoke.lua needs loopback.
    local rocks = ("env -u LUA_PATH -u LUA_CPATH CFLAGS=-O0 LUAROCKS_CONFIG=%s/tools/luarocks.lua LUA=%s "):format(
      shell "pwd":match "[^\n]+", lua) .. "unshare --net sh -c 'ip link set lo up; exec luarocks --lua-version=" .. abi
    run("make --no-print-directory -s dist LUA=%s BUILD=%s/dist && tar xzf %s/dist/cekura-%s.tar.gz -C %s", lua, dir,
      dir, version, dir)
    local source = ("%s/cekura-%s"):format(dir, version)

    local output = run("cd %s && %s --tree=%s/made make %s.rockspec'", source, rocks, dir, ROCK)
    assert.is_nil(output:find("error", 1, true), output) -- a clean build has nothing to complain about
    local share, lib = dir .. "/made/share/lua/" .. abi, dir .. "/made/lib/lua/" .. abi
    assert.equal(modules_below "lua", modules_below(share))
    assert_works(share, lib, IS_BUILT)

    output = run("cd %s && %s test %s.rockspec'", source, rocks, ROCK)
    assert.truthy(output:find "ok\ta prompt improvement", output)
    assert.truthy(output:find ", 0 failed\n", output)

    run("cd %s/dist && %s pack %s.rockspec'", dir, rocks, ROCK)
    run("cd %s/dist && %s --tree=%s/rocks install %s.src.rock'", dir, rocks, dir, ROCK)
    output = run("cd / && env -u LUA_PATH -u LUA_CPATH %s/rocks/bin/cekura-lua version", dir)
    assert.truthy(output:find(version, 1, true), output)
    assert.truthy(run("cat %s/rocks/bin/cekura-lua", dir):find("/" .. lua .. "'", 1, true))
    run("cd / && %s --tree=%s/rocks remove cekura'", rocks, dir)
    assert.equal("", run("find %s/rocks -name '*cekura*'", dir))
  end)
end)

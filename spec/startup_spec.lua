--- Where the modules of the library come from: the core contains them, compiled, and the files serve a Lua that refuses
-- them.

local file = require "spec.support.file"
local shell = require "spec.support.shell"

local lua = os.getenv "CEKURA_LUA" or "lua5.4"
local build = os.getenv "CEKURA_BUILD" or "build"

describe("the library", function()
  local dir

  setup(function()
    dir = shell "mktemp -d":match "%S+"
    -- `alone` has the files that lead to the core, and no others.
    local output, status = shell(([[
      cp -r lua %s/all && mkdir -p %s/alone/cekura && cp lua/cekura/init.lua lua/cekura/version.lua %s/alone/cekura]])
      :format(dir, dir, dir))
    assert.equal(0, status, output)
  end)

  teardown(function()
    shell("rm -rf " .. dir)
  end)

  -- Runs a program with one of the folders of Lua files, and a core.
  local function run(files, core, program)
    return file.temporary(program, function(path)
      return shell(("LUA_PATH='%s/%s/?.lua;%s/%s/?/init.lua' LUA_CPATH='%s/%s/?.so;;' %s %s"):format(
        dir, files, dir, files, core, lua, lua, path))
    end)
  end

  -- Prints where the function cekura.new comes from, and whether the parts of cekura.watch, the reader of TOML and
  -- cekura.redis are loaded.
  local ORIGINS = [[
    local cekura = require "cekura"
    local new = require "cekura.client".new
    print((debug.getinfo(new, "S").source:gsub("^@.*/(%a+/cekura/)", "%1")))
    print(package.loaded["cekura.watch.supervisor"] ~= nil, package.loaded["cekura.client.toml"] ~= nil,
      package.loaded["cekura.fleet.redis"] ~= nil)
  ]]

  describe("of a core", function()
    it("is loaded without its files, which may be gone", function()
      assert.equal("@lua/cekura/client/init.lua\nfalse\tfalse\tfalse\n", (run("alone", build, ORIGINS)))
    end)

    it("has all modules", function()
      local output, status = run("alone", build, ([[
        require "cekura.core"
        package.preload.argparse = function() return function() end end
        for path in io.popen ("cd '%s/all' && find cekura -name '*.lua' ! -path 'cekura/meta/*'"
          .. " ! -path 'cekura/simulator/*' ! -path 'cekura/testing/*'"):lines() do
          local name = path:gsub("/init%%.lua$", ""):gsub("%%.lua$", ""):gsub("/", ".")
          local is_adapter = name:find "^cekura%%.loop%%."
          if not is_adapter then require(name) end
          assert(package.preload[name] or name == "cekura" or name == "cekura.version", name)
        end
      ]]):format(dir))
      assert.equal("", output)
      assert.equal(0, status)
    end)

    it("loads the modules that few programs use when they are used", function()
      file.write(dir .. "/config.toml", "timeout = ,\n")
      assert.equal("agents: there is no entry\tconfig\ttrue\ttrue\nconfig\ttrue\n", (run("alone", build, ([[
        local cekura = require "cekura"
        local fault
        cekura.watch { client = {}, on_error = function(err) fault = err.message:match "agents: [%%l ]+%%l" end }
        local _, err = cekura.new { api_key = "k", config_file = %q }
        print(fault, err.kind, package.loaded["cekura.watch.supervisor"] ~= nil,
          package.loaded["cekura.client.toml"] ~= nil)
        _, err = cekura.redis.new "nowhere"
        print(err.kind, package.loaded["cekura.fleet.redis"] ~= nil)
      ]]):format(dir .. "/config.toml"))))
    end)

    it("is loaded again after a program has unloaded it", function()
      assert.equal("true\tfalse\ttrue\n", (run("alone", build, [[
        local cekura, core = require "cekura", require "cekura.core"
        for name in pairs(package.loaded) do
          if name:find "^cekura" then package.loaded[name] = nil end
        end
        local again = require "cekura"
        print(type(again.new) == "function", again == cekura, require "cekura.core" == core)
      ]])))
    end)

    it("leaves a program its own modules", function()
      assert.equal("mine\tmine\n", (run("alone", build, [[
        local function mine() return "mine" end
        package.preload["cekura.diff"], package.loaded["cekura.words"] = mine, "mine"
        print(require "cekura".diff, require "cekura.words")
      ]])))
    end)

    it("is loaded in a program with other searchers", function()
      assert.equal("function\n", (run("alone", build, [[
        local searchers = package.searchers or package.loaders
        table.insert(searchers, 2, function(name) return "\n\tno " .. name end)
        print(type(require "cekura".new))
      ]])))
    end)

    it("has its files and lines in tracebacks", function()
      local output = run("alone", build, [[
        require "cekura.core"
        local _, trace = xpcall(function() require "cekura.words".split(nil) end, debug.traceback)
        print(trace)
      ]])
      local path, line = output:match "^(lua/cekura/words%.lua):(%d+): "
      assert.truthy(path, output)
      assert.truthy(output:find("\n\t" .. path .. ":" .. line .. ": in ", 1, true), output)
      local count = 0
      for text in io.lines(path) do
        count = count + 1
        if count == tonumber(line) then
          assert.truthy(text:find "text", text)
        end
      end
    end)

    it("raises at the program's line", function()
      assert.truthy((run("alone", build, "local cekura = require 'cekura'\n\ncekura.sleep 'x'")):find
        "%S+:3: cekura: seconds: a number")
    end)
  end)

  -- A core of this build that is linked again, with precompilers of the test's own.
  local function build_with(name, precompiler)
    local target = dir .. "/" .. name
    if precompiler then
      file.write(target .. ".sh", ("#!/bin/sh\n[ $1 = -v ] || %s \"$@\" | %s\n"):format(lua, precompiler))
      shell("chmod 755 " .. target .. ".sh")
    end
    local output, status = shell(([[
      lua=%s target=%s
      mkdir $target && (cd ${CEKURA_BUILD:-build} && cp -a --parents -t $target engine text file headers $lua) &&
      rm $target/$lua/modules.inc &&
      env -u MAKEFLAGS make --no-print-directory -s LUA=$lua BUILD=$target PRECOMPILERS=$target.sh]]):format(lua,
      target))
    assert.equal(0, status, output)
    return target, output
  end

  for what, precompiler in pairs {
    ["with bytecode that this Lua refuses"] = [[sed 's/"\\033L/"\\033X/']],
    ["compiled by another Lua"] = [[sed 's/^{ "[^"]*"/{ "another"/']],
    ["that no Lua has compiled"] = false,
  } do
    it("of a core " .. what .. " is loaded from its files, all at once", function()
      local name = what:gsub(" ", "_")
      local core, output = build_with(name, precompiler)
      local missing = ("%s/%s.sh cannot be run, so it will load the Lua files of the library.\n"):format(dir, name)
      assert.equal(precompiler and "" or missing, output)
      assert.equal("all/cekura/client/init.lua\ntrue\ttrue\ttrue\n", (run("all", core, ORIGINS)))
      local failed, status = run("alone", core, ORIGINS)
      assert.equal(1, status)
      assert.truthy(failed:find("module 'cekura.public' not found", 1, true), failed)
    end)
  end
end)

describe("spec/env", function()
  it("refuses a core that is older than a Lua file", function()
    local output, status = shell [[
      dir=$(mktemp -d) && cp -r --parents -t $dir spec/env lua && cd $dir
      mkdir -p build/luax/cekura && touch -d '1 hour' build/luax/cekura/core.so
      touch -d '2 hours' lua/cekura/meta/*.lua lua/cekura/simulator/*.lua lua/cekura/testing/*.lua lua/cekura/init.lua
      spec/env luax echo new; echo $?
      touch -d '2 hours' lua/cekura/loop/own/init.lua
      spec/env luax echo old; echo $?; rm -rf $dir]]
    assert.equal(0, status)
    assert.equal("new\n0\nlua/cekura/loop/own/init.lua has changed since it was compiled into the core: "
      .. "run 'make LUA=luax'.\n2\n", output)
  end)
end)

--- The version has one place, and a core refuses the Lua files of another version.

local file = require "spec.support.file"
local shell = require "spec.support.shell"

local lua = os.getenv "CEKURA_LUA" or "lua5.4"
local version = require "cekura.version"

describe("a version", function()
  local dir

  setup(function()
    dir = shell "mktemp -d":match "%S+"
    -- The objects of this build are taken, except for the one that has the version.
    local output, status = shell(([[
      lua=%s dir=%s
      (cd ${CEKURA_BUILD:-build} && cp -a --parents -t $dir engine text file $lua) && rm $dir/$lua/binding/version.o &&
      cp -r lua $dir/files && make --no-print-directory -s LUA=$lua BUILD=$dir VERSION=0.0.9]]):format(lua, dir))
    assert.equal(0, status, output)
  end)

  teardown(function()
    shell("rm -rf " .. dir)
  end)

  -- Runs a program with the Lua files of a folder and the core of a build.
  local function run(files, core, program)
    return shell(("LUA_PATH='%s/?.lua;%s/?/init.lua' LUA_CPATH='%s/%s/?.so;;' %s -e '%s'"):format(
      files, files, core, lua, lua, program))
  end

  it("other than that of the Lua files is refused by the core, which names both and their paths", function()
    local output, status = run(dir .. "/files", dir, 'require "cekura"')
    assert.equal(1, status)
    assert.truthy(output:find(("the core of cekura has version 0.0.9 (%s/%s/cekura/core.so), "):format(
      dir, lua), 1, true), output)
    assert.truthy(output:find(("but the Lua files have version %s (%s/files/cekura/"):format(version, dir), 1, true),
      output)
    assert.truthy(output:find "%.lua%): install both from the same release\n", output)
  end)

  it("that is newer in the Lua files is refused as well, and so is none", function()
    local build = os.getenv "CEKURA_BUILD" or "build"
    for text, named in pairs { ['return "0.2.0"'] = "0.2.0", ["return nil"] = "?", ["return {}"] = "?" } do
      file.write(dir .. "/files/cekura/version.lua", text .. "\n")
      local output, status = run(dir .. "/files", build, 'require "cekura"')
      assert.equal(1, status)
      assert.truthy(output:find("has version " .. version .. " (", 1, true), output)
      assert.truthy(output:find("but the Lua files have version " .. named .. " (", 1, true), output)
    end
    file.write(dir .. "/files/cekura/version.lua", ('return "%s"\n'):format(version))
    assert.equal("cekura " .. version .. "\n", (run(dir .. "/files", build, 'print(tostring(require "cekura"))')))
  end)

  it("is refused again if a program goes on", function()
    local output = run(dir .. "/files", dir, [[
      for _ = 1, 2 do print((pcall(require, "cekura.core"))) end print((pcall(require, "cekura")))]])
    assert.equal("false\nfalse\nfalse\n", output)
  end)

  it("is compiled in again when it changes", function()
    file.write(dir .. "/files/cekura/version.lua", 'return "0.0.9"\n')
    assert.equal("cekura 0.0.9\n", (run(dir .. "/files", dir, 'print(tostring(require "cekura"))')))
    assert.truthy((shell(("make -n LUA=%s -W lua/cekura/version.lua"):format(lua))):find "CEKURA_VERSION")
  end)
end)

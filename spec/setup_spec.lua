--- What tools/setup installs and removes where several Luas and versions have files.

local file = require "spec.support.file"
local run = require "spec.support.succeed"
local shell = require "spec.support.shell"

describe("tools/setup", function()
  local dir

  before_each(function()
    dir = shell "mktemp -d":match "%S+"
  end)

  after_each(function()
    shell("rm -rf " .. dir)
  end)

  -- Writes an installation's files, each with the text of its version.
  local function write_stage(name, version, paths)
    run("rm -rf %s/%s", dir, name)
    for _, path in ipairs(paths) do
      run("install -D -m 644 /dev/null %s/%s/%s", dir, name, path)
      file.write(("%s/%s/%s"):format(dir, name, path), version)
    end
  end

  local function setup_files(goal, lua)
    return run("LUA=%s STAGE=%s/%s PREFIX=/usr/local DESTDIR=%s/root tools/setup %s", lua, dir, lua, dir, goal)
  end

  local function installed()
    return run("cd %s/root/usr/local && find . -type f ! -path './share/cekura-lua/*' -printf '%%P\\n' | sort", dir)
  end

  local function content(path)
    return file.read(dir .. "/root/usr/local/" .. path)
  end

  local COMMAND, MODULE, CORE = "bin/cekura-lua", "share/lua/5.1/cekura/init.lua", "lib/lua/5.1/cekura/core.so"

  it("leaves a file while the installation for another Lua has it", function()
    write_stage("lua5.1", "5.1", { MODULE, CORE })
    write_stage("luajit", "jit", { MODULE, CORE, "share/lua/5.1/cekura/jit.lua" })
    setup_files("install", "lua5.1")
    setup_files("install", "luajit")
    assert.equal("jit", content(MODULE))
    setup_files("uninstall", "luajit")
    assert.equal("jit", content(CORE))
    assert.is_nil(content "share/lua/5.1/cekura/jit.lua")
    setup_files("uninstall", "lua5.1")
    assert.equal("", run("find %s/root -mindepth 1", dir))
  end)

  it("lets the command run on a Lua that is left", function()
    for _, lua in ipairs { "lua5.1", "lua5.4", "luajit" } do
      write_stage(lua, "#!/usr/bin/env " .. lua .. "\nrest\n", { COMMAND })
      setup_files("install", lua)
    end
    setup_files("uninstall", "lua5.1")
    assert.equal("#!/usr/bin/env luajit\nrest\n", content(COMMAND)) -- the last one that was installed
    setup_files("uninstall", "luajit")
    assert.equal("#!/usr/bin/env lua5.4\nrest\n", content(COMMAND))
    setup_files("uninstall", "lua5.4")
    assert.is_nil(content(COMMAND))
  end)

  it("removes what an earlier version had, and its folders", function()
    write_stage("lua5.4", "1", { "share/lua/5.4/cekura/a.lua", "share/lua/5.4/cekura/old/b.lua" })
    setup_files("install", "lua5.4")
    file.write(dir .. "/root/usr/local/share/lua/5.4/mine.lua", "mine")
    write_stage("lua5.4", "2", { "share/lua/5.4/cekura/a.lua", "share/lua/5.4/cekura/c/init.lua" })
    setup_files("install", "lua5.4")
    assert.equal("2", content "share/lua/5.4/cekura/a.lua")
    assert.is_nil(content "share/lua/5.4/cekura/old/b.lua")
    assert.equal("", run("find %s/root -name old", dir))
    setup_files("uninstall", "lua5.4")
    assert.equal("share/lua/5.4/mine.lua\n", installed())
  end)

  it("removes what an interrupted installation has left", function()
    write_stage("lua5.4", "1", { "share/lua/5.4/cekura/a.lua", "share/lua/5.4/cekura/z.lua" })
    run("mkdir -p %s/root/usr/local/share/lua/5.4/cekura/z.lua", dir) -- cp fails at a folder
    local _, status = shell(("LUA=lua5.4 STAGE=%s/lua5.4 PREFIX=/usr/local DESTDIR=%s/root tools/setup install"):format(
      dir, dir))
    assert.equal(1, status)
    run("rmdir %s/root/usr/local/share/lua/5.4/cekura/z.lua", dir)
    setup_files("uninstall", "lua5.4")
    assert.equal("", installed())
  end)

  it("replaces a file, and does not write into it, since a process may have mapped it", function()
    write_stage("lua5.4", "1", { CORE })
    setup_files("install", "lua5.4")
    local mapped = assert(io.open(dir .. "/root/usr/local/" .. CORE))
    write_stage("lua5.4", "2", { CORE })
    setup_files("install", "lua5.4")
    assert.equal("1", mapped:read "*a")
    mapped:close()
    assert.equal("2", content(CORE))
  end)

  it("takes an interpreter by its path", function()
    write_stage("lua5.4", "#!/opt/bin/lua\n", { COMMAND })
    run("LUA=/opt/bin/lua STAGE=%s/lua5.4 PREFIX=/usr/local DESTDIR=%s/root tools/setup install", dir, dir)
    setup_files("install", "lua5.4")
    run("sed -i '1s|.*|#!/usr/bin/env lua5.4|' %s/root/usr/local/%s", dir, COMMAND)
    setup_files("uninstall", "lua5.4")
    assert.equal("#!/opt/bin/lua\n", content(COMMAND))
  end)

  it("changes nothing where it cannot write, and names the remedy", function()
    write_stage("lua5.4", "1", { COMMAND })
    run("cp tools/setup %s && mkdir -p %s/root/usr/local && chmod 755 %s && chmod 555 %s/root/usr/local", dir, dir, dir,
      dir)
    local as_user = shell "id -u" == "0\n" and "setpriv --reuid=65534 --clear-groups " or ""
    local output, status = shell(("cd %s && LUA=lua5.4 STAGE=lua5.4 PREFIX=/usr/local DESTDIR=%s/root %s./setup "
      .. "install"):format(dir, dir, as_user))
    assert.equal(1, status)
    assert.equal(dir .. "/root/usr/local cannot be written. Run this as root, or give a PREFIX of your own, such as "
      .. "PREFIX=$HOME/.local.\n", output)
    assert.equal("", installed())
  end)

  it("refuses other words", function()
    local output, status = shell "tools/setup remove"
    assert.equal(2, status)
    assert.truthy(output:find "^usage: ")
  end)
end)

-- The packages that .ci/install installs on each release of Debian, and the chroots of .ci/debian. Programs at the
-- beginning of PATH replace apt, dpkg and debootstrap.

local file = require "spec.support.file"
local shell = require "spec.support.shell"

local dir

local function stand_in(name, script)
  file.write(dir .. "/" .. name, "#!/bin/sh\n" .. script .. "\n")
  shell(("chmod 755 %s/%s"):format(dir, name))
end

-- dpkg-query -W -f FORMAT NAME...
local ALL_INSTALLED = [[shift 3; printf 'installed %s\n' "$@"]]

before_each(function()
  dir = shell "mktemp -d":gsub("%s", "")
end)

after_each(function()
  shell("rm -rf " .. dir)
end)

describe("the list of packages", function()
  -- Simulates a release with nothing installed, and a user who is not root. apt knows every name but those in
  -- `unknown`, and its busted supports `luas`.
  local function release(unknown, luas)
    local provided = luas:gsub("%S+", "lua%0-busted"):gsub(" ", ", ")
    stand_in("id", "echo 1000")
    stand_in("dpkg-query", "exit 1")
    stand_in("apt-get", "echo apt-get is called; exit 1")
    stand_in("apt-cache", ([[
      case "$1 $2" in
        show*) echo "Provides: %s" ;;
        *) shift; for name; do
          echo "$name:"
          case " %s " in *" $name "*) echo "  Candidate: (none)" ;; *) echo "  Candidate: 1.0-1" ;; esac
        done ;;
      esac]]):format(provided, unknown))
  end

  -- The packages that a goal lacks, in order and as a set.
  local function lacking(goal)
    local output, status = shell(("PATH=%s:$PATH LUA= .ci/install %s"):format(dir, goal))
    assert.equal(1, status)
    local names, set = output:match "^Missing packages, to be installed by root: ([^\n]*)\n$", {}
    for name in names:gmatch "%S+" do
      set[name] = true
    end
    return names, set
  end

  local function luas()
    return (shell(("PATH=%s:$PATH .ci/install luas"):format(dir)):gsub("\n", " "))
  end

  local BOOKWORM = { "lua5.5 liblua5.5-dev", "5.1 5.2 5.3 5.4" }
  local TRIXIE = { "lua5.5 liblua5.5-dev luajit2 libluajit2-5.1-dev", "5.1 5.2 5.3 5.4" }
  local SID = { "luajit2 libluajit2-5.1-dev", "5.1 5.3 5.4 5.5" }

  it("has the release's LuaJIT", function()
    for _, goal in ipairs { "test", "hosts", "check-memory" } do
      release(BOOKWORM[1], BOOKWORM[2])
      local _, set = lacking(goal)
      assert.truthy(set.luajit2 and set["libluajit2-5.1-dev"])
      assert.falsy(set.luajit or set["libluajit-5.1-dev"])
      for _, later in ipairs { TRIXIE, SID } do
        release(later[1], later[2])
        set = select(2, lacking(goal))
        assert.truthy(set.luajit and set["libluajit-5.1-dev"])
        assert.falsy(set.luajit2 or set["libluajit2-5.1-dev"])
      end
    end
  end)

  it("has the Luas that the release's busted supports", function()
    release(BOOKWORM[1], BOOKWORM[2])
    assert.equal("lua5.1 lua5.2 lua5.3 lua5.4 luajit ", luas())
    local _, set = lacking "test"
    assert.truthy(set["liblua5.1-0-dev"] and set["lua5.2"] and set["liblua5.4-dev"])
    assert.is_nil(set["lua5.5"])
    release(SID[1], SID[2])
    assert.equal("lua5.1 lua5.3 lua5.4 lua5.5 luajit ", luas())
    _, set = lacking "test"
    assert.truthy(set["lua5.5"] and set["liblua5.5-dev"])
    assert.is_nil(set["lua5.2"])
  end)

  it("has no name that the release lacks, unless the user asked for it", function()
    for _, each in ipairs { BOOKWORM, TRIXIE, SID } do
      release(each[1], each[2])
      for _, goal in ipairs { "demo", "test", "hosts", "lint", "bench", "fuzz", "chaos", "fleet", "check-memory",
        "deb", "debian" } do
        for name in lacking(goal):gmatch "%S+" do
          assert.falsy((" " .. each[1] .. " "):find(" " .. name .. " ", 1, true), goal .. ": " .. name)
        end
      end
    end
  end)

  it("leaves out what only some releases have, and says so", function()
    release("lua-curl tarantool", "5.4")
    local output, status = shell(("PATH=%s:$PATH .ci/install bench"):format(dir))
    assert.equal(1, status)
    local names = output:match "Missing packages, to be installed by root: ([^\n]*)\n$"
    assert.truthy(names:find " lua%-http ")
    assert.falsy(names:find "lua%-curl" or names:find "tarantool")
    assert.truthy(output:find "Not in this release of Debian: lua%-curl\n")
  end)

  it("is empty if everything is installed", function()
    release("", "5.4")
    stand_in("dpkg-query", ALL_INSTALLED)
    for _, goal in ipairs { "demo", "test", "lint", "bench", "check-memory" } do
      local output, status = shell(("PATH=%s:$PATH .ci/install %s"):format(dir, goal))
      assert.equal("", output)
      assert.equal(0, status)
    end
  end)

  it("has each goal that the Makefile uses, and refuses others", function()
    release("", "5.4")
    for goal in file.read "Makefile":gmatch "%.ci/install ([%w-]+)[\n)]" do
      local _, status = shell(("PATH=%s:$PATH .ci/install %s"):format(dir, goal))
      assert.equal(goal == "luas" and 0 or 1, status, goal)
    end
    local output, status = shell ".ci/install everything"
    assert.equal(2, status)
    assert.truthy(output:find "^usage: ")
  end)
end)

describe("a chroot", function()
  local function make_test_debian(suite)
    return shell(("CEKURA_DEBIAN=%s/chroots PATH=%s:$PATH .ci/debian %s"):format(dir, dir, suite))
  end

  before_each(function()
    stand_in("dpkg-query", ALL_INSTALLED)
  end)

  it("is named by a suite, not by a path", function()
    for _, suite in ipairs { "''", "..", "../trixie", ".", "--help", "a/b", "'a b'" } do
      local output, status = make_test_debian(suite)
      assert.equal(2, status, output)
      assert.truthy(output:find "^usage: ")
    end
  end)

  it("needs root", function()
    stand_in("id", "echo 1000")
    for _, script in ipairs { ".ci/debian", ".ci/deb" } do
      local output, status = shell(("PATH=%s:$PATH %s trixie"):format(dir, script))
      assert.equal("Only root can make and enter a chroot.\n", output)
      assert.equal(1, status)
    end
  end)

  it("that could not be made is removed, and not used later", function()
    stand_in("debootstrap", [[
      root=$(echo "$*" | tr ' ' '\n' | grep '\.part$')
      [ ! -e "$root" ] || echo "$root is there"
      mkdir -p "$root/etc"; echo "E: no such mirror"; exit 1]])
    for _ = 1, 2 do
      local output, status = make_test_debian "trixie"
      assert.equal(("Making a chroot of trixie in %s/chroots/trixie\nE: no such mirror\n"):format(dir), output)
      assert.equal(1, status)
    end
  end)

  it("that is being made is given up when the script ends, even by SIGKILL", function()
    stand_in("debootstrap", ("exec 8>%s/held; flock 8; touch %s/begun; sleep 60"):format(dir, dir))
    local output, status = shell(([[
      CEKURA_DEBIAN=%s/chroots PATH=%s:$PATH .ci/debian trixie >/dev/null 2>&1 &
      while [ ! -e %s/begun ]; do sleep 0.05; done
      kill -9 $!
      timeout 30 flock %s/held ls %s/chroots]]):format(dir, dir, dir, dir, dir))
    assert.equal(0, status, output)
    assert.is_nil(output:find "trixie\n", output)
  end)
end)

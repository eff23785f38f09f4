-- What `make` says where it cannot build.

local file = require "spec.support.file"
local shell = require "spec.support.shell"

describe("make", function()
  local dir

  before_each(function()
    dir = shell "mktemp -d":match "%S+"
  end)

  after_each(function()
    shell("rm -rf " .. dir)
  end)

  local function refusal(variables)
    shell(("rm -rf %s/b"):format(dir))
    local output, status = shell(("env -u MAKEFLAGS -u LUA make --no-print-directory BUILD=%s/b %s 2>&1"):format(dir,
      variables))
    assert.equal(2, status, output)
    return output
  end

  it("with an unknown Lua says what to type, and compiles nothing", function()
    for given, typed in pairs { ["5.4"] = "lua5.4", ["5.1"] = "lua5.1", jit = "luajit" } do
      local output = refusal("LUA=" .. given)
      assert.truthy(output:find("type `make LUA=" .. typed .. "`", 1, true), output)
      assert.equal(1, select(2, output:gsub("\n", "")))
    end
    assert.truthy(refusal "LUA=lua9":find("LUA=lua9 is unknown. The Luas are lua5.1 ", 1, true))
    assert.equal("", (shell("ls " .. dir)))
  end)

  it("without a header, or a compiler, names the package", function()
    for name, header in pairs { without_curl = "curl.h", without_zlib = "zlib.h" } do
      file.write(dir .. "/" .. name, ("#!/bin/sh\nread line\ncase $line in *%s*) exit 1 ;; esac\n"):format(header))
      shell(("chmod 755 %s/%s"):format(dir, name))
    end
    for variables, words in pairs {
      ["LUA=lua5.4 LUA_INCDIR=/nonexistent"] = "lua.h of lua5.4 is missing[^\n]*apt%-get install liblua5.4%-dev\n",
      ["LUA=lua5.1 LUA_INCDIR=/nonexistent"] = "lua.h of lua5.1 is missing[^\n]*apt%-get install liblua5.1%-0%-dev\n",
      ["LUA=luajit LUA_INCDIR=/nonexistent"] = "lua.h of luajit is missing[^\n]* libluajit2?%-5.1%-dev\n",
      [("CC=%s/without_curl"):format(dir)] = "curl/curl.h is missing[^\n]*apt%-get install libcurl4%-openssl%-dev\n",
      [("CC=%s/without_zlib"):format(dir)] = "zlib.h is missing[^\n]*apt%-get install zlib1g%-dev\n",
      ["CC=nocc"] = "There is no compiler nocc%. On Debian: apt%-get install gcc\n",
    } do
      local output = refusal(variables)
      assert.truthy(output:find(words), output)
      assert.is_nil(output:find("error:", 1, true), output) -- of a compiler
    end
  end)

  it("builds without any other message", function()
    local output, status = shell(("env -u MAKEFLAGS make -s -j2 LUA=%s BUILD=%s/b CFLAGS=-O0 2>&1"):format(
      os.getenv "CEKURA_LUA" or "lua5.4", dir))
    assert.equal(0, status)
    assert.equal("", output)
  end)
end)

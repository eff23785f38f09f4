--- docs/testing-a-program.md, followed from its first line to its last: its Lua blocks become files, and its commands
-- print what the page shows. Its `lua5.4` and `busted` are those of the Lua under test.

local blocks = require "spec.support.blocks"
local file = require "spec.support.file"
local shell = require "spec.support.shell"
local shown = require "spec.support.shown"

local PAGE = "docs/testing-a-program.md"

local lua = os.getenv "CEKURA_LUA" or "lua5.4"
local HERE = shell "pwd":match "[^\n]+"
local INTERPRETER = shell("command -v " .. lua):match "[^\n]+"

-- What the page finds in PATH.
local PROGRAMS = {
  ["lua5.4"] = ("exec %s \"$@\""):format(INTERPRETER),
  busted = ("exec %s /usr/bin/busted \"$@\""):format(INTERPRETER),
  ["cekura-lua"] = ("exec %s %s/bin/cekura-lua \"$@\""):format(INTERPRETER, HERE),
}

describe("the guide", function()
  local dir

  setup(function()
    dir = shell "mktemp -d":match "%S+"
    shell(("mkdir %s/bin"):format(dir))
    for name, command in pairs(PROGRAMS) do
      file.write(dir .. "/bin/" .. name, "#!/bin/sh\n" .. command .. "\n")
    end
    shell(("chmod +x %s/bin/*"):format(dir))
  end)

  teardown(function()
    shell("rm -rf " .. dir)
  end)

  -- Nothing of this process's environment leads to a service.
  local function run(code, expected)
    local environment = ("env -i LC_ALL=C.UTF-8 HOME=%s PATH=%s/bin:$PATH "):format(dir, dir)
      .. ("LUA_PATH='%s/lua/?.lua;%s/lua/?/init.lua;;' LUA_CPATH='%s/build/%s/?.so;;'"):format(HERE, HERE, HERE, lua)
    file.write(dir .. "/block", code)
    return shown.run(("cd %s && exec %s sh -eu block"):format(dir, environment), expected)
  end

  it("is right in every line", function()
    local page, commands = blocks(PAGE), 0
    for index, block in ipairs(page) do
      if block.language == "lua" then
        file.write(dir .. "/" .. block.code:match "^%-%- (%S+)\n", block.code)
      elseif block.language == "sh" then
        local after = page[index + 1]
        local output, fault = run(block.code, after and after.language == "text" and after.code or "")
        assert.is_nil(fault, fault and ("line %d: %s:\n%s"):format(block.line, fault, output))
        commands = commands + 1
      end
    end
    assert.equal(3, commands)
  end)

  it("would notice an error in its program", function()
    local broken, count = file.read(dir .. "/regressions.lua"):gsub('"failure"', '"success"')
    assert.equal(1, count)
    file.write(dir .. "/regressions.lua", broken)
    local output = run("busted -o TAP regressions_spec.lua || true")
    assert.truthy(output:find("not ok 1", 1, true), output)
    output = run "cekura-lua sim --speed 100 -- sh my-test.sh && echo passed || true"
    assert.is_nil(output:find("passed", 1, true), output)
  end)
end)

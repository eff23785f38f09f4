--- Every code block of the README is run.

local file = require "spec.support.file"
local kinds_table = require "spec.support.kinds_table"
local options_table = require "spec.support.options_table"
local shell = require "spec.support.shell"
local simulator = require "spec.support.simulator"

local lua = os.getenv "CEKURA_LUA" or "lua5.4"

local function blocks(path)
  local found = {}
  for language, code in file.read(path):gmatch "\n```(%w*)\n(.-)\n```" do
    found[#found + 1] = { language = language, code = code }
  end
  return found
end

describe("the README", function()
  local server = simulator.during(setup, teardown)

  local lua_blocks = {}
  for _, block in ipairs(blocks "README.md") do
    if block.language == "lua" then
      lua_blocks[#lua_blocks + 1] = block.code
    end
  end

  it("has the examples that are run here", function()
    assert.equal(14, #lua_blocks)
  end)

  it("has the table of the kinds as they are; `make generate` writes it", function()
    local text = file.read "README.md"
    assert.equal(kinds_table.put(text), text)
  end)

  it("has the table of the options as they are; `make generate` writes it", function()
    local text = file.read "README.md"
    assert.equal(options_table.put(text), text)
  end)

  for index, code in ipairs(lua_blocks) do
    it(("has a Lua block %d that runs"):format(index), function()
      local module = code:match 'require "(luv)"' or code:match 'require "(cqueues)"' or code:match 'require "(socket)"'
      if lua == "lua5.5" and module and not pcall(require, module) then
        pending(("Debian has no %s for Lua 5.5"):format(module))
      end
      local gone = code:find("No longer offered", 1, true)
      if gone then
        server:script("/observability/v1/call-logs/improve_prompt_bg/", { { status = 404 } })
      else
        server:reset()
      end
      local output, status = file.temporary(code, function(path)
        return shell(("CEKURA_API_URL=%s CEKURA_API_KEY=%s timeout 60 %s %s"):format(server.url, server.key, lua, path))
      end)
      assert.equal(0, status, output)
      if gone then
        assert.equal("No longer offered: /observability/v1/call-logs/improve_prompt_bg/\n", output)
      elseif code:find("improve_prompt", 1, true) then
        assert.truthy(output:find("offer to transfer the call", 1, true), output)
      end
    end)
  end

  it("requires no module of this one's but the public ones, nor does an example", function()
    local public = { cekura = true, ["cekura.testing"] = true, ["cekura.fleet"] = true }
    local texts, required = { table.concat(lua_blocks, "\n") }, 0
    for path in shell "find examples -type f":gmatch "[^\n]+" do
      texts[#texts + 1] = file.read(path)
    end
    for _, text in ipairs(texts) do
      for name in text:gmatch "require%s*%(?%s*[\"']([^\"']+)[\"']" do
        if name:find "^cekura" then
          required = required + 1
          assert.is_true(public[name], name)
        end
      end
    end
    assert.is_true(required > #lua_blocks, required)
  end)

  -- How each command line is tried. What runs this spec is not run by it.
  local commands = {
    ["make demo"] = "make --no-print-directory demo LUA=" .. lua,
    ["make test"] = false,
    ["make LUA=lua5.4"] = "make --no-print-directory -s LUA=" .. lua,
    ["make install LUA=lua5.4 PREFIX=/usr/local"] = ("d=$(mktemp -d) && make --no-print-directory -s install LUA=%s "
      .. "PREFIX=/usr/local DESTDIR=$d; rm -rf $d"):format(lua),
    ["luarocks make --deps-mode=none"] = false, -- spec/install_spec.lua
  }

  for _, block in ipairs(blocks "README.md") do
    if block.language == "sh" then
      for line in block.code:gmatch "[^\n]+" do
        local command = line:gsub("%s*#.*$", "")
        it("has the command " .. command .. ", which works", function()
          local how = commands[command]
          assert.is_not_nil(how, "nobody tries this command")
          if how then
            local output, status = shell(how)
            assert.equal(0, status, output)
            if command == "make demo" then
              assert.truthy(output:find "\nImproved prompt: %S", output)
              assert.truthy(output:find "\nSummary of changes: %S", output)
            end
          end
        end)
      end
    end
  end
end)

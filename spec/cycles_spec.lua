--- Starts jobs and closes clients repeatedly, and checks that nothing grows. `make cycles` does so 100,000 times.

local shell = require "spec.support.shell"

local lua = os.getenv "CEKURA_LUA" or "lua5.4"

describe("starting and closing 2,000 times", function()
  it("changes neither memory nor descriptors nor threads", function()
    local output, status = shell("timeout 300 make --no-print-directory -s cycles CYCLES=2000 LUA=" .. lua)
    assert.equal(0, status, output)
    for _, name in ipairs { "allocated, KB", "resident, KB", "of Lua, KB", "descriptors", "threads", "open clients" } do
      assert.truthy(output:find("\n" .. name .. " +%d+ +%d+ +%d+"), output)
    end
  end)
end)

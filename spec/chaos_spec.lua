--- The fault table, each fault once and with time for a busy machine; `make chaos` runs each a hundred times.

local shell = require "spec.support.shell"

local lua = os.getenv "CEKURA_LUA" or "lua5.4"

describe("faults on the wire", function()
  it("end as the table says, nothing done twice, late or lost", function()
    local output, status = shell("CHAOS_STRETCH=4 CHAOS_GRACE=1 make --no-print-directory -s chaos CHAOS_RUNS=1 LUA="
      .. lua)
    assert.equal(0, status, output)
    assert.truthy(output:find "%d%d faults, 0 of them wrong", output)
  end)
end)

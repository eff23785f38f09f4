--- An outbox whose writers, sender, disk and service fail: `make outbox-proof` with fewer faults.

local shell = require "spec.support.shell"

local lua = os.getenv "CEKURA_LUA" or "lua5.4"

describe("an outbox whose writers, sender, disk and service fail", function()
  it("loses no call", function()
    local output, status = shell("OUTBOX_WRITER=5 OUTBOX_SENDER=5 OUTBOX_FULL=2 OUTBOX_AWAY=2 OUTBOX_TORN=3 "
      .. "spec/outbox/run " .. lua .. " spec/outbox/proof.lua")
    assert.equal(0, status, output)
    assert.truthy(output:find "\nright\n", output)
  end)
end)

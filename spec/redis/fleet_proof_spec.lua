--- A fleet whose workers, Redis and service fail: `make fleet-proof` with fewer jobs and faults.

local shell = require "spec.support.shell"

local lua = os.getenv "CEKURA_LUA" or "lua5.4"

describe("a fleet whose workers, Redis and service fail", function()
  it("loses no job, and has none started twice", function()
    local output, status = shell("FLEET_JOBS=300 FLEET_SECONDS=24 FLEET_WORKER=5 FLEET_REDIS=1 FLEET_PAUSE=1 "
      .. "FLEET_SERVICE=1 make --no-print-directory -s fleet-proof FLEET=always LUA=" .. lua)
    assert.equal(0, status, output)
    assert.truthy(output:find "\nright\n", output)
  end)
end)

--- Runs each fault of the fault table once, with more time for a busy machine. `make chaos` runs each a hundred times.

local shell = require "spec.support.shell"

local lua = os.getenv "CEKURA_LUA" or "lua5.4"

-- The rows that fail, with the reasons, and the last line; the whole output if no row fails.
local function failures(output)
  local found, row, last = {}, nil, nil
  for line in output:gmatch "[^\n]+" do
    if line:find "^    " then
      found[#found + 1], row = row, nil
      found[#found + 1] = line
    else
      row = line
    end
    last = line
  end
  found[#found + 1] = found[1] and last
  return found[1] and table.concat(found, "\n") or output
end

describe("faults on the wire", function()
  it("end as the fault table says, and nothing is processed twice, late or lost", function()
    local output, status = shell("CHAOS_STRETCH=8 CHAOS_GRACE=1 make --no-print-directory -s chaos CHAOS_RUNS=1 LUA="
      .. lua)
    assert.equal(0, status, failures(output))
    assert.truthy(output:find "%d%d faults, 0 of them wrong", output)
  end)
end)

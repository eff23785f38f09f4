--- The fault table, each fault once and with time for a busy machine; `make chaos` runs each a hundred times.

local shell = require "spec.support.shell"

local lua = os.getenv "CEKURA_LUA" or "lua5.4"

-- The rows that are wrong, with what is wrong about them, and the last line; all of the output if there are none.
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
  it("end as the table says, nothing done twice, late or lost", function()
    local output, status = shell("CHAOS_STRETCH=8 CHAOS_GRACE=1 make --no-print-directory -s chaos CHAOS_RUNS=1 LUA="
      .. lua)
    assert.equal(0, status, failures(output))
    assert.truthy(output:find "%d%d faults, 0 of them wrong", output)
  end)
end)

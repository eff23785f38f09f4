local count = require "spec.bench.support.count"
local report = require "spec.bench.support.report"
local server = require "spec.bench.support.server"
local sides = require "spec.bench.support.sides"

local case = {
  title = "Instructions of a request",
  about = [[
By callgrind, without the kernel's: 4,000 requests less 2,000, divided. 16 in flight, static answers of 189 bytes. The
clock is slowed as callgrind slows the program, so that a slice of time has as much work as without it.]],
  ratio = "over bare",
}

function case.run()
  local host = server.start()
  local bare
  for _, side in ipairs(sides.with()) do
    local each = count.instructions(side, host.url .. "/static/", 16)
    bare = bare or each
    report.add { what = "a request", side = side.name, value = each, unit = "instructions", ratio = each / bare }
    if side ~= sides.bare then
      report.goal("instructions " .. side.name:match "%S+$", each / bare)
    end
  end
  host:stop()
end

return case

--- Instructions of a request: 16 in flight, a static answer of 189 bytes.

local count = require "spec.bench.support.count"
local report = require "spec.bench.support.report"
local server = require "spec.bench.support.server"
local sides = require "spec.bench.support.sides"

return function()
  local host = server.start()
  local bare
  for _, side in ipairs { sides.bare, sides.own[1], sides.own[2] } do
    local each = count.instructions(side, host.url .. "/static/", 16)
    bare = bare or each
    report.add { what = "instructions of a request", side = side.name, value = each, unit = "instructions",
      ratio = each / bare, of = "times bare libcurl's" }
  end
  host:stop()
end

--- Requests: a GET with a static answer of 189 bytes, so many in flight all the time.

local report = require "spec.bench.support.report"
local server = require "spec.bench.support.server"
local sides = require "spec.bench.support.sides"
local turns = require "spec.bench.support.turns"

return function()
  local host = server.start()
  local all = { sides.bare, sides.own[1], sides.own[2] }
  for _, in_flight in ipairs { 1, 16, 64 } do
    local request = { url = host.url .. "/static/", count = turns.amount(20000), in_flight = in_flight }
    local times = turns.run(all, function(side)
      return (sides.send(side, request))
    end)
    for index, side in ipairs(all) do
      report.add { what = in_flight .. " in flight", side = side.name, value = turns.median(times[index]),
        unit = "µs", ratio = turns.ratio(times[1], times[index]), of = "of the rate of bare libcurl" }
    end
  end
  host:stop()
end

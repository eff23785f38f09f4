local report = require "spec.bench.support.report"
local server = require "spec.bench.support.server"
local sides = require "spec.bench.support.sides"
local turns = require "spec.bench.support.turns"

local case = {
  title = "A slow server",
  about = [[
Each answer takes 0.3 s, as long as a real service may. The figure is the processor time of a request; the rate is
compared with that of a client which costs nothing.]],
  ratio = "processor time over bare",
}

local ANSWER = 0.3e6 -- microseconds

local function measure(in_flight, list, url)
  local measured = sides.measure(list, { url = url, count = 5 * in_flight, in_flight = in_flight, whole = true })
  for _, each in ipairs(measured) do
    report.add { what = in_flight .. " in flight", side = each.side.name, figures = each.processor, unit = "µs",
      ratio = turns.ratio(each.processor, measured[1].processor),
      remark = ("rate %.2f"):format(ANSWER / in_flight / turns.median(each.wall)) }
  end
end

function case.run()
  local host = server.start()
  measure(200, sides.with(sides.concurrent), host.url .. "/slow/")
  measure(1000, sides.with(), host.url .. "/slow/")
  host:stop()
end

return case

local plot = require "spec.bench.support.plot"
local report = require "spec.bench.support.report"
local server = require "spec.bench.support.server"
local sides = require "spec.bench.support.sides"
local turns = require "spec.bench.support.turns"

local case = {
  title = "Requests",
  about = [[
A GET whose answer is static and has 189 bytes; so many in flight all the time, on connections that are kept, except
LuaSocket's. wrk shows what the server can do.]],
  ratio = "rate over bare",
}

-- Requests a second, for the plot.
local rates = {}

local function measure(in_flight, list, url)
  local measured = sides.measure(list, { url = url, count = 20000, in_flight = in_flight })
  local bare = measured[1].wall
  for _, each in ipairs(measured) do
    local ratio, name = turns.ratio(bare, each.wall), each.side.name
    report.add { what = in_flight .. " in flight", side = name, figures = each.wall, unit = "µs", ratio = ratio,
      remark = each.processor[1] and ("processor %s µs"):format(report.number(turns.median(each.processor))) }
    rates[#rates + 1] = { name = name, in_flight = in_flight, rate = 1e6 / turns.median(each.wall) }
    local lua = name:match "^cekura, (.*)"
    if lua and in_flight > 1 then
      report.goal(("rate %d %s"):format(in_flight, lua), ratio)
    end
  end
end

local function draw(path)
  local groups, by_name = {}, {}
  for _, each in ipairs(rates) do
    if not by_name[each.name] then
      by_name[each.name] = { each.name, "nan", "nan", "nan" }
      groups[#groups + 1] = by_name[each.name]
    end
    by_name[each.name][each.in_flight == 1 and 2 or each.in_flight == 16 and 3 or 4] = each.rate
  end
  plot.bars(path, { title = "Requests of 189 bytes", unit = "requests a second",
    names = { "1 in flight", "16 in flight", "64 in flight" }, groups = groups })
end

function case.run()
  local host = server.start()
  local url = host.url .. "/static/"
  measure(1, sides.with(sides.alone, sides.concurrent, { sides.wrk }), url)
  measure(16, sides.with(sides.concurrent, { sides.wrk }), url)
  measure(64, sides.with(sides.concurrent, { sides.wrk }), url)
  report.plot("request", draw)
  host:stop()
end

return case

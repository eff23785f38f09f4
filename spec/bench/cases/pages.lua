local call_logs = require "spec.bench.support.call_logs"
local report = require "spec.bench.support.report"
local server = require "spec.bench.support.server"
local sides = require "spec.bench.support.sides"
local turns = require "spec.bench.support.turns"

local case = {
  title = "A page of call logs",
  about = [[
A page of 100 call logs of 20 to 50 KB, fetched and read one at a time: id, status and duration of each, or, by
`totable()`, all. The others decode all of it anyway: by lua-cjson, Tarantool's or Python's own decoder.]],
  ratio = "over three fields",
}

local function own(lua, what)
  return { name = ("cekura, %s, %s"):format(lua, what == "all" and "all fields" or "three fields"),
    environment = "spec/env " .. lua, program = ("%s spec/bench/sides/page.lua %s"):format(lua, what) }
end

function case.run()
  local host = server.start(call_logs(100, 1))
  local list = { own("lua5.4", "fields"), own("lua5.4", "all"), own("luajit", "fields"), own("luajit", "all") }
  for _, side in ipairs(sides.installed(sides.alone, sides.concurrent)) do
    if side.reads_pages then
      list[#list + 1] = side
    end
  end
  local measured = sides.measure(list, { url = host.url .. "/page/", count = 30, in_flight = 1, page = true,
    whole = true })
  for _, each in ipairs(measured) do
    report.add { what = "a page", side = each.side.name, figures = each.wall, unit = "µs",
      ratio = turns.ratio(each.wall, measured[1].wall),
      remark = ("processor %s µs"):format(report.number(turns.median(each.processor))) }
  end
  host:stop()
end

return case

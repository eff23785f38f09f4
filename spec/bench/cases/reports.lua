local own = require "spec.bench.support.own"
local report = require "spec.bench.support.report"
local simulator = require "spec.support.simulator"
local turns = require "spec.bench.support.turns"

local case = {
  title = "Reports of many calls",
  about = [[
`calls report --agent-id 2142 --from 30d --html … --csv …` over calls of 30 days with four metrics, in pages of 200. The
memory is that of the process at most. The simulator, which sorts all its calls for each page, takes most of the
time.]],
}

function case.run()
  for _, count in ipairs { 1000, 10000, 30000 } do
    count = turns.amount(count)
    local server = simulator.start()
    local now = os.time()
    server:admin("POST", "call_logs/", { count = count, from = now - 29 * 86400, to = now - 60 })
    for _, lua in ipairs { "lua5.4", "luajit" } do
      local what, side = ("%d calls"):format(count), "cekura, " .. lua
      local seconds, processor, memory, size = own.figures(lua, "report", server.url)
      report.add { what = what .. ", memory", side = side, value = memory, unit = "MB",
        remark = ("a page of %s KB"):format(report.number(size)) }
      report.add { what = what .. ", time", side = side, value = seconds, unit = "s",
        remark = ("processor %s s"):format(report.number(processor)) }
    end
    server:stop()
  end
end

return case

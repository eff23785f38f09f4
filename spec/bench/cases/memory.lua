local own = require "spec.bench.support.own"
local plot = require "spec.bench.support.plot"
local report = require "spec.bench.support.report"
local server = require "spec.bench.support.server"
local turns = require "spec.bench.support.turns"

local case = {
  title = "Memory of a waiting job",
  about = [[
The resident memory of each of 10,000 waiting jobs that have been polled once: the job and its answer of 189 bytes,
with a URL of 130 bytes. Some of the 10,000 are awaited together, or each by a task of its own. The first row is a
job that nothing waits for, the last a task that only sleeps.]],
}

local WAYS = { "job", "all", "each", "task", "sleep" }

function case.run()
  local host, groups = server.start(), {}
  for index, lua in ipairs(own.luas) do
    local figures = turns.run(WAYS, function(way)
      return (own.figures(lua, "waiting_memory", host.url .. "/static", way, turns.amount(10000)))
    end)
    for place, way in ipairs(WAYS) do
      local kilobytes = turns.median(figures[place])
      report.add { what = way, side = "cekura, " .. lua, figures = figures[place], unit = "KB" }
      groups[place] = groups[place] or { way }
      groups[place][index + 1] = kilobytes
      if way == "all" or way == "task" then
        report.goal(("memory %s %s"):format(way, lua), kilobytes)
      end
    end
  end
  host:stop()
  report.plot("memory", function(path)
    plot.bars(path, { title = "Resident memory of a waiting job", unit = "KB", names = own.luas, groups = groups })
  end)
end

return case

local own = require "spec.bench.support.own"
local plot = require "spec.bench.support.plot"
local report = require "spec.bench.support.report"
local server = require "spec.bench.support.server"
local turns = require "spec.bench.support.turns"

local case = {
  title = "Memory of a waiting job",
  about = [[
The resident memory of each of 10,000 waiting jobs that have been polled once: the job and its answer of 189 bytes,
with a URL of 130 bytes. All are awaited together, or each by a task of its own. The first row is a job that nothing
waits for, the last a task that only sleeps.]],
}

local WAYS = {
  { "job", "nothing waits" }, { "all", "cekura.all" }, { "each", "cekura.each" }, { "task", "a task for each job" },
  { "sleep", "a task that sleeps" },
}

function case.run()
  local host, groups = server.start(), {}
  for index, lua in ipairs(own.luas) do
    local figures = turns.run(WAYS, function(way)
      return (own.figures(lua, "waiting_memory", host.url .. "/static", way[1], turns.amount(10000)))
    end)
    for place, way in ipairs(WAYS) do
      local kilobytes = turns.median(figures[place])
      report.add { what = way[2], side = "cekura, " .. lua, figures = figures[place], unit = "KB" }
      groups[place] = groups[place] or { way[2] }
      groups[place][index + 1] = kilobytes
      if way[1] == "all" or way[1] == "task" then
        report.goal(("memory %s %s"):format(way[1], lua), kilobytes)
      end
    end
  end
  host:stop()
  report.plot("memory", function(path)
    plot.bars(path, { title = "Resident memory of a waiting job", unit = "KB", names = own.luas, groups = groups })
  end)
end

return case

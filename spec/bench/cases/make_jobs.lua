local own = require "spec.bench.support.own"
local report = require "spec.bench.support.report"
local turns = require "spec.bench.support.turns"

local case = {
  title = "Making jobs",
  about = [[
Processor time of making each of 20,000 jobs that are kept, by ids that are consecutive numbers or random texts. The
polls of the first kind ask for a selection of fields, so their URLs do not end with the id.]],
}

function case.run()
  for _, kind in ipairs { "calls.improve_prompt", "calls.create_scenarios" } do
    for _, ids in ipairs { "numbers", "random" } do
      local figures = turns.run(own.luas, function(lua)
        return (own.figures(lua, "make_jobs", kind, ids, turns.amount(20000)))
      end)
      for index, lua in ipairs(own.luas) do
        report.add { what = ("%s, ids: %s"):format(kind, ids), side = "cekura, " .. lua, figures = figures[index],
          unit = "µs" }
      end
    end
  end
end

return case

local prosody = require "spec.bench.support.prosody"
local report = require "spec.bench.support.report"
local server = require "spec.bench.support.server"
local turns = require "spec.bench.support.turns"

local case = {
  title = "Prosody",
  about = [[
300 jobs in a Prosody, polled every second, each awaited by a task; a timer of 10 ms runs beside them, and in a
Prosody without the module. The longest delay of the timer, and the longest step of the module, in milliseconds.]],
  ratio = "over without",
}

local SIDES = {
  { name = "without the module", jobs = 0, answers = "static" },
  { name = "300 jobs, static answers", jobs = 300, answers = "static" },
  { name = "300 jobs, changing answers", jobs = 300, answers = "changing" },
}

function case.run()
  local host = server.start()
  local steps = {}
  local delays = turns.run(SIDES, function(side, round, index)
    local delay, step = prosody(host.url .. "/" .. side.answers, side.jobs, turns.quick and 1 or 4)
    steps[index] = steps[index] or {}
    steps[index][round] = step
    return delay
  end)
  host:stop()
  for index, side in ipairs(SIDES) do
    report.add { what = "longest delay of a timer", side = side.name, figures = delays[index], unit = "ms",
      ratio = turns.ratio(delays[index], delays[1]) }
    if side.jobs > 0 then
      report.add { what = "longest step", side = side.name, figures = steps[index], unit = "ms" }
      report.goal("prosody step " .. side.answers, turns.median(steps[index]))
      report.goal("prosody delay " .. side.answers, turns.ratio(delays[index], delays[1]))
    end
  end
end

return case

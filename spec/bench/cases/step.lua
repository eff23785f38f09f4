local own = require "spec.bench.support.own"
local report = require "spec.bench.support.report"
local server = require "spec.bench.support.server"
local turns = require "spec.bench.support.turns"

local case = {
  title = "The longest step",
  about = [[
`client:stats().longest_step` of clients with 10,000 polls a second, from their first poll on, when all jobs are due
at once. Beside each, in the same seconds, the longest delay of a timer of a millisecond in a process that does
nothing else.]],
  ratio = "over the timer",
}

local SIDES = {
  { lua = "lua5.4", jobs = 1000, interval = 0.1, seconds = 4 },
  { lua = "luajit", jobs = 1000, interval = 0.1, seconds = 4 },
  { lua = "lua5.4", jobs = 10000, interval = 1, seconds = 4 },
  { lua = "lua5.4", jobs = 100000, interval = 10, seconds = 8 },
}

function case.run()
  local host = server.start()
  local delays, polls = {}, {}
  local figures = turns.run(SIDES, function(side, round, index)
    local step, delay, rate = own.figures(side.lua, "longest_step", host.url .. "/static", turns.amount(side.jobs),
      turns.quick and side.interval / 10 or side.interval, turns.quick and 1 or side.seconds)
    delays[index], polls[index] = delays[index] or {}, polls[index] or {}
    delays[index][round], polls[index][round] = delay, rate
    return step
  end)
  host:stop()
  for index, side in ipairs(SIDES) do
    report.add { what = ("%d jobs, every %g s"):format(side.jobs, side.interval), side = "cekura, " .. side.lua,
      figures = figures[index], unit = "ms", ratio = turns.ratio(figures[index], delays[index]),
      remark = ("the timer %s ms; %.0f polls a second"):format(report.number(turns.median(delays[index])),
        turns.median(polls[index])) }
  end
  report.goal("step", turns.median(figures[1]))
  report.goal("step timer", turns.ratio(figures[1], delays[1]))
end

return case

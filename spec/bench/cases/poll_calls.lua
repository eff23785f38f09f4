local own = require "spec.bench.support.own"
local report = require "spec.bench.support.report"
local server = require "spec.bench.support.server"
local turns = require "spec.bench.support.turns"

local case = {
  title = "Lua calls of a poll",
  about = [[
The functions, of Lua and of C, that Lua calls for a poll which changes nothing, on the own loop, counted by
`debug.sethook`.]],
}

function case.run()
  local host = server.start()
  for _, side in ipairs { { jobs = 1, interval = 0.01 }, { jobs = 200, interval = 1 } } do
    for _, lua in ipairs(own.luas) do
      local calls = own.figures(lua, "poll_calls", host.url .. "/static", side.jobs, side.interval,
        turns.quick and 1 or 2)
      report.add { what = ("%d jobs, every %g s"):format(side.jobs, side.interval), side = "cekura, " .. lua,
        value = calls, unit = "calls" }
      if lua == "lua5.4" then
        report.goal("calls " .. side.jobs, calls)
      end
    end
  end
  host:stop()
end

return case

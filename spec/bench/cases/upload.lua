local own = require "spec.bench.support.own"
local report = require "spec.bench.support.report"
local simulator = require "spec.support.simulator"
local turns = require "spec.bench.support.turns"

local case = {
  title = "Uploads",
  about = [[
The resident memory, at most, of a program that uploads a file of 200 MB in a form: before, and then; and its longest
step.]],
}

function case.run()
  local server = simulator.start { nginx = true }
  local before, after, step = own.figures("lua5.4", "upload", server.url, turns.amount(200))
  server:stop()
  report.add { what = "memory before", side = "cekura, lua5.4", value = before, unit = "MB" }
  report.add { what = "memory then", side = "cekura, lua5.4", value = after, unit = "MB" }
  report.add { what = "longest step", side = "cekura, lua5.4", value = step, unit = "ms" }
end

return case

--- Runs a program that compares this module with lua-cjson for several contents, on both Luas, and reports each line.

local own = require "spec.bench.support.own"
local plot = require "spec.bench.support.plot"
local report = require "spec.bench.support.report"
local turns = require "spec.bench.support.turns"

local GOALS = { totable = "totable", encode = "encoding" }

---@param program string "totable" or "encode"
---@param main string the content that its goal is about
---@param figure fun(times: number): number the figure to report, from our time over that of lua-cjson
---@param worse fun(a: number, b: number): number
return function(program, main, figure, worse)
  local groups, worst = {}, nil
  for index, lua in ipairs(own.luas) do
    for place, line in ipairs(own.lines(lua, program, turns.rounds)) do
      local ratio = figure(tonumber(line[4]))
      report.add { what = line[1], side = "cekura, " .. lua, value = tonumber(line[2]), unit = "µs", ratio = ratio,
        remark = ("lua-cjson %s µs"):format(report.number(tonumber(line[3]))) }
      groups[place] = groups[place] or { line[1] }
      groups[place][index + 1] = ratio
      worst = worse(worst or ratio, ratio)
      if line[1] == main then
        report.goal(GOALS[program] .. " " .. lua, ratio)
      end
    end
  end
  report.goal(GOALS[program] .. " slowest", worst)
  report.plot(program, function(path)
    plot.bars(path, { title = "lua-cjson is 1", unit = "ratio", names = own.luas, groups = groups })
  end)
end

-- The parts of `make bench` that condense and write figures. That it measures is seen when it runs.

if (os.getenv "CEKURA_LUA" or "lua5.4") ~= "lua5.4" then
  return
end

local file = require "spec.support.file"
local goals = require "spec.bench.goals"
local report = require "spec.bench.support.report"
local shell = require "spec.support.shell"
local turns = require "spec.bench.support.turns"

describe("a comparison", function()
  it("runs the sides in turn", function()
    local order = {}
    local figures = turns.run({ "a", "b" }, function(side, round)
      order[#order + 1] = side .. round
      return #order
    end)
    assert.equal("a1 b1 a2 b2 a3 b3 a4 b4 a5 b5", table.concat(order, " "))
    assert.same({ { 1, 3, 5, 7, 9 }, { 2, 4, 6, 8, 10 } }, figures)
  end)

  it("has medians, and the median of the rounds' ratios", function()
    local figures = { 9, 1, 5 }
    assert.equal(5, turns.median(figures))
    assert.equal(9, figures[1])
    assert.equal(3, turns.median { 1, 2, 4, 9 })
    assert.equal(2, turns.ratio({ 2, 30, 8 }, { 1, 10, 8 })) -- of 2, 3 and 1
  end)
end)

it("the report has each row, and says which goals are reached", function()
  local lines = print
  _G.print = function() end -- luacheck: ignore
  report.begin("memory", { title = "A case", about = "About it.", ratio = "over bare" })
  report.add { what = "a, b", side = "one", figures = { 3, 1, 2 }, unit = "KB", ratio = 0.5, remark = 'a "remark"' }
  report.goal(goals[1].key, goals[1].least)
  report.goal(goals[2].key, goals[2].least - 0.1)
  _G.print = lines -- luacheck: ignore
  local dir = shell "mktemp -d":match "%S+"
  report.write(dir)
  local text, values = file.read(dir .. "/RESULTS.md"), file.read(dir .. "/RESULTS.csv")
  shell("rm -rf " .. dir)
  assert.truthy(text:find("| a, b | one | 2.00 KB | 1.00 to 3.00 | 0.500 | a \"remark\" |", 1, true))
  assert.truthy(text:find("| 0.900 | ≥ 0.9 | yes |", 1, true))
  assert.truthy(text:find("| 0.800 | ≥ 0.9 | no |", 1, true))
  assert.truthy(text:find("| not measured | ≥ 0.9 |  |", 1, true))
  assert.equal('case,what,side,median,least,most,unit,ratio,remark\nmemory,"a, b",one,2,1,3,KB,0.5,"a ""remark"""\n',
    values)
end)

it("each case says what it measures", function()
  for name in shell "ls spec/bench/cases":gmatch "([%w_]+)%.lua" do
    local case = require("spec.bench.cases." .. name)
    assert.truthy(case.title and case.about:find "%.$" and case.run, name)
  end
end)

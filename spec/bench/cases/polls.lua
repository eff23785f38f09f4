local own = require "spec.bench.support.own"
local plot = require "spec.bench.support.plot"
local report = require "spec.bench.support.report"
local server = require "spec.bench.support.server"
local sides = require "spec.bench.support.sides"
local turns = require "spec.bench.support.turns"

local case = {
  title = "Polls",
  about = [[
Processor time of a poll of waiting jobs, which are polled as fast as that goes, 16 at a time; beside a request of
the bare loop. The answers have 189 bytes, and are always the same or differ each time.]],
  ratio = "over bare",
}

local JOBS = { 100, 1000, 10000, 100000 }

-- All but one of those that take long.
local function is_measured(lua, answers, jobs)
  return lua == "lua5.4" or answers == "static" or jobs < 100000
end

-- The sides: the bare loop, and a number of jobs on a Lua with a kind of answers.
local function list_sides()
  local list = { { what = "a request", name = sides.bare.name } }
  for _, lua in ipairs(own.luas) do
    for _, answers in ipairs { "static", "changing" } do
      for _, jobs in ipairs(JOBS) do
        if is_measured(lua, answers, jobs) then
          list[#list + 1] = { what = ("%d jobs, %s answers"):format(jobs, answers), name = "cekura, " .. lua, lua = lua,
            answers = answers, jobs = jobs }
        end
      end
    end
  end
  return list
end

local function find(list, lua, answers, jobs)
  for index, side in ipairs(list) do
    if side.lua == lua and side.answers == answers and side.jobs == jobs then
      return index
    end
  end
end

local function draw(path, list, figures)
  local points, names = {}, { sides.bare.name }
  for place, jobs in ipairs(JOBS) do
    points[place] = { jobs, turns.median(figures[1]) }
    for _, lua in ipairs(own.luas) do
      for _, answers in ipairs { "static", "changing" } do
        names[#points[place]] = lua .. ", " .. answers .. " answers"
        local index = find(list, lua, answers, jobs)
        table.insert(points[place], index and turns.median(figures[index]) or "nan")
      end
    end
  end
  plot.lines(path, { title = "Processor time of a poll", over = "waiting jobs", unit = "µs", names = names,
    points = points })
end

function case.run()
  local host, list = server.start(), list_sides()
  local figures = turns.run(list, function(side)
    if not side.lua then
      return select(2, sides.send(sides.bare, { url = host.url .. "/static/", count = turns.amount(20000),
        in_flight = 16 }))
    end
    return (own.figures(side.lua, "polls", host.url .. "/" .. side.answers, turns.amount(side.jobs),
      turns.amount(20000)))
  end)
  host:stop()
  for index, side in ipairs(list) do
    report.add { what = side.what, side = side.name, figures = figures[index], unit = "µs",
      ratio = turns.ratio(figures[index], figures[1]) }
  end
  local many, some = find(list, "lua5.4", "static", 100000), find(list, "lua5.4", "static", 1000)
  report.goal("polls 100000", turns.ratio(figures[many], figures[some]))
  report.goal("polls bare", turns.ratio(figures[some], figures[1]))
  report.plot("polls", function(path) draw(path, list, figures) end)
end

return case

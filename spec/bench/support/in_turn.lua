--- Compares two functions of one process: the measuring programs of this module beside lua-cjson.

local in_turn = {}

local ROUND = 0.05 -- processor seconds of one side in a round, at least

local function run(fn, values, times)
  collectgarbage()
  local begun = os.clock()
  for _ = 1, times do
    for index = 1, #values do
      fn(values[index])
    end
  end
  return (os.clock() - begun) / times / #values
end

local function median(figures)
  table.sort(figures)
  return figures[math.ceil(#figures / 2)]
end

--- Calls the functions in turn, each often enough, and prints a line of fields with tabs between them: the name, our
-- microseconds for a value, theirs, and the median of the rounds' ratios. The time is the processor's and includes
-- garbage collection.
---@param name string
---@param values table[]|string[]
---@param ours fun(value: any)
---@param theirs fun(value: any)
---@param rounds integer
function in_turn.compare(name, values, ours, theirs, rounds)
  local our_times, their_times, ratios = {}, {}, {}
  local times = math.ceil(ROUND / (run(theirs, values, 1) * #values))
  for round = 1, rounds do
    if round % 2 == 0 then
      our_times[round], their_times[round] = run(ours, values, times), run(theirs, values, times)
    else
      their_times[round], our_times[round] = run(theirs, values, times), run(ours, values, times)
    end
    ratios[round] = our_times[round] / their_times[round]
  end
  print(("%s\t%.2f\t%.2f\t%.3f"):format(name, median(our_times) * 1e6, median(their_times) * 1e6, median(ratios)))
end

return in_turn

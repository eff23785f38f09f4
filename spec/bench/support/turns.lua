--- Runs several sides of a comparison in turn, so that all of them see the same machine, and condenses the figures.

local turns = {}

--- ROUNDS and QUICK, of the environment: how many rounds, and whether each side does a tenth of its work, for a look.
turns.quick = (os.getenv "QUICK" or "") ~= ""
turns.rounds = tonumber(os.getenv "ROUNDS") or turns.quick and 1 or 5

--- An amount of work: all of it, or a tenth of it.
---@param count number
---@return integer
function turns.amount(count)
  return math.ceil(turns.quick and count / 10 or count)
end

--- The median of a list, which stays as it is.
---@param figures number[]
---@return number
function turns.median(figures)
  local sorted = { table.unpack(figures) }
  table.sort(sorted)
  local middle = (#sorted + 1) / 2
  return (sorted[math.floor(middle)] + sorted[math.ceil(middle)]) / 2
end

--- Measures each side once in each round.
---@generic T
---@param sides T[]
---@param measure fun(side: T, round: integer, index: integer): number?
---@return number[][] figures for each side those of the rounds
function turns.run(sides, measure)
  local figures = {}
  for round = 1, turns.rounds do
    for index, side in ipairs(sides) do
      figures[index] = figures[index] or {}
      figures[index][round] = measure(side, round, index)
    end
  end
  return figures
end

--- The median of the rounds' ratios of two sides.
---@param over number[]
---@param under number[]
---@return number
function turns.ratio(over, under)
  local ratios = {}
  for round = 1, #over do
    ratios[round] = over[round] / under[round]
  end
  return turns.median(ratios)
end

return turns

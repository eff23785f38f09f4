--- Which metrics fail in the same call. For each pair of metrics there are four numbers, of the calls in which both
-- have a verdict: these calls, those in which both failed, and those in which each of them failed.

local together = {}

---@class cekura.report.Together
---@field most integer the most metrics; they are numbered from 1
---@field private counts table<string, table<integer, integer>> by the numbers of both, the smaller one first
local Together = {}
Together.__index = Together

---@class cekura.report.Pair
---@field first integer the numbers of the metrics
---@field second integer
---@field judged integer
---@field both integer
---@field first_failed integer
---@field second_failed integer
---@field expected number in how many calls both would have failed, if neither depended on the other

---@param most integer
---@return cekura.report.Together
function together.new(most)
  return setmetatable({ most = most, counts = { judged = {}, both = {}, first = {}, second = {} } }, Together)
end

local function increase(counts, key)
  counts[key] = (counts[key] or 0) + 1
end

--- Adds the verdicts of a call.
---@param verdicts { number: integer, passed: boolean }[]
function Together:add(verdicts)
  table.sort(verdicts, function(a, b)
    return a.number < b.number
  end)
  local counts = self.counts
  for place, one in ipairs(verdicts) do
    local base = (one.number - 1) * self.most
    for after = place + 1, #verdicts do
      local other = verdicts[after]
      local key = base + other.number
      if one.number ~= other.number then
        increase(counts.judged, key)
        if not one.passed then
          increase(counts.first, key)
        end
        if not other.passed then
          increase(counts.second, key)
          if not one.passed then
            increase(counts.both, key)
          end
        end
      end
    end
  end
end

--- The numbers of two metrics.
---@param first integer
---@param second integer another one
---@return cekura.report.Pair
function Together:pair(first, second)
  local counts = self.counts
  local key = (math.min(first, second) - 1) * self.most + math.max(first, second)
  local ours, theirs = counts.first[key] or 0, counts.second[key] or 0
  if first > second then
    ours, theirs = theirs, ours
  end
  local judged = counts.judged[key] or 0
  return { first = first, second = second, judged = judged, both = counts.both[key] or 0, first_failed = ours,
    second_failed = theirs, expected = judged > 0 and ours * theirs / judged or 0 }
end

--- The pairs that failed together in at least so many calls, those first that did so most often beyond what is
--- expected.
---@param least integer
---@return cekura.report.Pair[]
function Together:pairs(least)
  local found = {}
  for key, both in pairs(self.counts.both) do
    if both >= least then
      found[#found + 1] = self:pair(math.floor((key - 1) / self.most) + 1, (key - 1) % self.most + 1)
    end
  end
  table.sort(found, function(a, b)
    local one, other = a.both - a.expected, b.both - b.expected
    if one ~= other then
      return one > other
    end
    return a.first < b.first or a.first == b.first and a.second < b.second
  end)
  return found
end

return together

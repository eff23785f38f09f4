--- How long many calls lasted, in a grid whose cells grow with the duration, as the grid of the engine does
-- (src/engine/cells.h). A cell knows the number and the sum of its durations, so a percentile is off by at most a
-- cell's width, and exact where the durations are whole seconds below 50.

local durations = {}

local GROWTH = 1.02 -- the end of a cell over its beginning

local LONGEST = 30 * 86400 -- seconds; longer ones share the last cell

local function cell_of(seconds)
  return seconds < 1 and -1 or math.floor(math.log(math.min(seconds, LONGEST)) / math.log(GROWTH))
end

local LAST = cell_of(LONGEST)

---@class cekura.report.Durations
---@field count integer
---@field longest number
---@field private counts table<integer, integer>
---@field private sums table<integer, number>
local Durations = {}
Durations.__index = Durations

---@return cekura.report.Durations
function durations.new()
  return setmetatable({ count = 0, longest = 0, counts = {}, sums = {} }, Durations)
end

---@param seconds number
function Durations:add(seconds)
  local cell = cell_of(seconds)
  self.count, self.longest = self.count + 1, math.max(self.longest, seconds)
  self.counts[cell] = (self.counts[cell] or 0) + 1
  self.sums[cell] = (self.sums[cell] or 0) + seconds
end

-- Iterates over the cells with durations: the mean of a cell, and their number.
local function cells(self)
  local cell = -2
  return function()
    repeat
      cell = cell + 1
      if cell > LAST then
        return nil
      end
    until self.counts[cell]
    return self.sums[cell] / self.counts[cell], self.counts[cell]
  end
end

--- The duration that this share of the calls does not exceed.
---@param share number above 0, at most 1
---@return number? seconds nil: there is none
function Durations:percentile(share)
  local rank, before = math.max(1, math.ceil(share * self.count)), 0
  for mean, count in cells(self) do
    before = before + count
    if before >= rank then
      return mean
    end
  end
end

-- The widths of a bin, in seconds.
local WIDTHS = { 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400 }

local MOST_BINS = 16

--- The numbers of calls in bins of one width, which is such that 99 % of the calls are in few bins.
---@return integer[] bins the last one has all longer calls, too
---@return integer width seconds
function Durations:histogram()
  local bins, most, width = {}, self:percentile(0.99) or 0, WIDTHS[#WIDTHS]
  for place = #WIDTHS, 1, -1 do
    width = most < WIDTHS[place] * MOST_BINS and WIDTHS[place] or width
  end
  local last = math.min(math.floor(most / width), MOST_BINS - 1) + 1
  for place = 1, self.count > 0 and last or 0 do
    bins[place] = 0
  end
  for mean, count in cells(self) do
    local place = math.min(math.floor(mean / width) + 1, last)
    bins[place] = bins[place] + count
  end
  return bins, width
end

return durations

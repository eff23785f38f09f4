--- The numbers of many calls: by day, by metric, by duration and by ended reason. A call is counted and forgotten, so
-- the memory does not grow with the number of calls; it is bounded by the days of the period and by the limits below.

local conversation = require "cekura.records.conversation"
local counter = require "cekura.report.period.counter"
local durations = require "cekura.report.period.durations"
local evaluation = require "cekura.records.evaluation"
local metric = require "cekura.records.metric"
local times = require "cekura.records.times"
local together = require "cekura.report.period.together"

local tally = {
  FIELDS = { "timestamp", "status", "success", "duration", "call_ended_reason", "metrics" }, -- of a call log
  MOST_METRICS = 100, -- results of further ones are only counted
  MOST_REASONS = 200, -- further ones count as one
  MOST_STATUSES = 20,
  MOST_IDS = 20, -- of calls without an evaluation
}

local DAY = 86400

local LONGEST_NAME = 200 -- bytes

---@class cekura.report.Tally
---@field from number seconds since the epoch, as `to`
---@field to number
---@field first_day integer days since the epoch
---@field days integer
---@field whole_days integer without the last one, of which only the midnight is in the period
---@field calls integer
---@field evaluated integer
---@field passed integer
---@field failed integer
---@field by_day table<string, table<integer, integer>> calls, evaluated, passed and failed, by the number of the day,
---and of those without one by 0
---@field undated integer calls without a time in the period
---@field metrics cekura.report.TalliedMetric[]
---@field other_results integer of metrics beyond the limit
---@field together cekura.report.Together
---@field durations cekura.report.Durations
---@field reasons cekura.report.Counter
---@field statuses cekura.report.Counter of calls without an evaluation
---@field ids string[] of some of them
local Tally = {}
Tally.__index = Tally

---@class cekura.report.TalliedMetric
---@field id? string
---@field name string
---@field number integer
---@field passed integer
---@field failed integer
---@field passed_on table<integer, integer> by the number of the day, as above
---@field failed_on table<integer, integer>
---@field results integer without a verdict
---@field sum number of the scores among these
---@field scores integer

---@param period { from: number, to: number, redact: fun(text: string): string }
---@return cekura.report.Tally
function tally.new(period)
  local first = math.floor(period.from / DAY)
  local days = math.max(first, math.ceil(period.to / DAY) - 1) - first + 1
  local self = setmetatable({
    from = period.from, to = period.to, redact = period.redact, first_day = first,
    days = days, whole_days = days,
    calls = 0, evaluated = 0, passed = 0, failed = 0, by_day = {}, undated = 0,
    metrics = {}, by_key = {}, other_results = 0, together = together.new(tally.MOST_METRICS),
    durations = durations.new(), reasons = counter.new(tally.MOST_REASONS),
    statuses = counter.new(tally.MOST_STATUSES), ids = {},
  }, Tally)
  for _, what in ipairs { "calls", "evaluated", "passed", "failed" } do
    self.by_day[what] = {}
    for day = 1, self.days do
      self.by_day[what][day] = 0
    end
  end
  return self
end

-- The period includes its end. Where that is a midnight, its day is one of the period once a call has that time.
local function add_last_day(self)
  self.days = self.days + 1
  for _, counts in pairs(self.by_day) do
    counts[self.days] = 0
  end
end

--- The date of a day.
---@param day integer from 1
---@return string
function Tally:date(day)
  return times.text((self.first_day + day - 1) * DAY):sub(1, 10)
end

-- A text of the service as a name: without the key, cut between two characters.
local function name_of(self, value)
  local name = self.redact(conversation.as_text(value))
  if #name > LONGEST_NAME then
    name = name:sub(1, LONGEST_NAME):gsub("[\192-\255][\128-\191]*$", "") .. "…"
  end
  return name
end

-- The number of the day of a call; nil: it has none in the period.
local function day_of(self, call)
  local time = times.epoch(call:get "timestamp")
  local day = time and math.floor(time / DAY) - self.first_day + 1
  if not day or day < 1 or day > self.whole_days and time ~= self.to then
    return nil
  elseif day > self.days then
    add_last_day(self)
  end
  return day
end

local function add_one(counts, day)
  counts[day or 0] = (counts[day or 0] or 0) + 1
end

local function count(self, what, day)
  self[what] = self[what] + 1
  add_one(self.by_day[what], day)
end

-- The metric of a result; nil: there are too many.
local function metric_of(self, result)
  local key = result.id ~= nil and conversation.as_text(result.id) or result.name ~= nil and "name " .. name_of(self,
    result.name) or "?"
  local found = self.by_key[key]
  if not found and #self.metrics < tally.MOST_METRICS and #key <= 2 * LONGEST_NAME then
    found = { id = result.id ~= nil and name_of(self, result.id) or nil, number = #self.metrics + 1, passed = 0,
      failed = 0, passed_on = {}, failed_on = {}, results = 0, sum = 0.0, scores = 0, -- a sum of integers would wrap
      name = name_of(self, result.name ~= nil and result.name or result.id ~= nil and result.id or "?") }
    self.metrics[found.number], self.by_key[key] = found, found
  end
  return found
end

local function add_result(found, result, day)
  local passed = result.passed
  if passed == nil then
    found.results = found.results + 1
    if type(result.score) == "number" then
      found.sum, found.scores = found.sum + result.score, found.scores + 1
    end
    return nil
  end
  local what = passed and "passed" or "failed"
  found[what] = found[what] + 1
  add_one(found[what .. "_on"], day)
  return { number = found.number, passed = passed }
end

-- A metric counts once in a call, by its first result.
local function add_metrics(self, call, day)
  local verdicts, is_counted = {}, {}
  for _, result in ipairs(metric.of_call(call)) do
    local found = metric_of(self, result)
    if not found then
      self.other_results = self.other_results + 1
    elseif not is_counted[found] then
      is_counted[found] = true
      verdicts[#verdicts + 1] = add_result(found, result, day)
    end
  end
  self.together:add(verdicts)
end

local function add_without_evaluation(self, call)
  local status, id = call:get "status", call:get "id"
  self.statuses:add(status ~= nil and name_of(self, status) or "")
  if #self.ids < tally.MOST_IDS and id ~= nil then
    self.ids[#self.ids + 1] = name_of(self, id)
  end
end

--- Counts a call.
---@param call cekura.CallLog with the fields of tally.FIELDS
---@return integer? day its number; nil: it has no time in the period
function Tally:add(call)
  local day, success = day_of(self, call), call:get "success"
  count(self, "calls", day)
  self.undated = self.undated + (day and 0 or 1)
  if evaluation.is_done(call) then
    count(self, "evaluated", day)
    if type(success) == "boolean" then
      count(self, success and "passed" or "failed", day)
    end
    add_metrics(self, call, day)
  else
    add_without_evaluation(self, call)
  end
  local seconds = call:seconds()
  if seconds then
    self.durations:add(seconds)
  end
  local reason = call:get "call_ended_reason"
  self.reasons:add(reason ~= nil and name_of(self, reason) or "")
  return day
end

-- ---- names ----

--- The name of a metric, with its id where others have the same name: agents often have metrics of one name.
---@param of cekura.report.TalliedMetric
---@return string
function Tally:title(of)
  for _, each in ipairs(self.metrics) do
    if each ~= of and each.name == of.name and of.id then
      return ("%s (%s)"):format(of.name, of.id)
    end
  end
  return of.name
end

-- ---- in order ----

--- The metrics that have verdicts, the worst first: by the rate of passes, as if each metric had one more pass and one
--- more failure, so that few calls weigh little.
---@return cekura.report.TalliedMetric[]
function Tally:judged()
  local found = {}
  for _, each in ipairs(self.metrics) do
    if each.passed + each.failed > 0 then
      found[#found + 1] = each
    end
  end
  table.sort(found, function(a, b)
    local one, other = (a.passed + 1) / (a.passed + a.failed + 2), (b.passed + 1) / (b.passed + b.failed + 2)
    return one < other or one == other and a.number < b.number
  end)
  return found
end

return tally

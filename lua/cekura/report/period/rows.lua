--- The numbers of a period for other programs, a row each.

local calls = require "cekura.report.period.calls"
local failures = require "cekura.report.period.failures"

---@class cekura.report.Row a number, and what it is of: the texts that are missing do not apply
---@field figure string
---@field day? string
---@field metric_id? string
---@field metric? string
---@field other_metric_id? string
---@field other_metric? string
---@field name? string
---@field measure string
---@field value number

-- Adds rows. `where` has their texts, `measures` numbers by their names in pairs.
local function add(rows, where, measures)
  for _, pair in ipairs(measures) do
    if pair[2] then
      local row = { measure = pair[1], value = pair[2] }
      for name, text in pairs(where) do
        row[name] = text
      end
      rows[#rows + 1] = row
    end
  end
end

-- Adds the rows of all days, and those of what has no day: the numbers of the period are their sums.
local function add_days(rows, tally)
  local by_day = tally.by_day
  local function add_day(where, day)
    add(rows, where, { { "calls", by_day.calls[day] }, { "evaluated", by_day.evaluated[day] or 0 },
      { "passed", by_day.passed[day] or 0 }, { "failed", by_day.failed[day] or 0 } })
  end
  for day = 1, tally.days do
    add_day({ figure = "calls", day = tally:date(day) }, day)
  end
  if tally.undated > 0 then
    add_day({ figure = "calls_without_day" }, 0)
  end
end

local function add_metrics(rows, tally)
  for _, each in ipairs(tally.metrics) do
    local where = { figure = "metric", metric_id = each.id, metric = each.name }
    add(rows, where, { { "passed", each.passed }, { "failed", each.failed }, { "without_verdict", each.results },
      { "mean_score", each.scores > 0 and each.sum / each.scores } })
    local function add_day(figure, date, day)
      local passed, failed = each.passed_on[day] or 0, each.failed_on[day] or 0
      if passed + failed > 0 then
        where.figure, where.day = figure, date
        add(rows, where, { { "passed", passed }, { "failed", failed } })
      end
    end
    for day = 1, tally.days do
      add_day("metric", tally:date(day), day)
    end
    add_day("metric_without_day", nil, 0)
  end
end

local function add_pairs(rows, tally)
  for _, pair in ipairs(tally.together:pairs(failures.LEAST)) do
    local one, other = tally.metrics[pair.first], tally.metrics[pair.second]
    add(rows, { figure = "failed_together", metric_id = one.id, metric = one.name, other_metric_id = other.id,
      other_metric = other.name }, { { "judged", pair.judged }, { "both_failed", pair.both },
      { "metric_failed", pair.first_failed }, { "other_metric_failed", pair.second_failed },
      { "factor", failures.factor(pair) } })
  end
end

local function add_durations(rows, tally)
  local durations, measures = tally.durations, { { "calls", tally.durations.count } }
  for _, row in ipairs(calls.PERCENTILES) do
    measures[#measures + 1] = { row.name, durations:percentile(row.share) }
  end
  measures[#measures + 1] = { "longest", durations.count > 0 and durations.longest }
  add(rows, { figure = "seconds" }, measures)
  local bins, width = durations:histogram()
  for place, count in ipairs(bins) do
    add(rows, { figure = "seconds_from", name = ("%.14g"):format((place - 1) * width) }, { { "calls", count } })
  end
end

local function add_names(rows, figure, counted)
  local names, rest = counted:rows()
  for _, row in ipairs(names) do
    add(rows, { figure = figure, name = row.name }, { { "calls", row.count } })
  end
  add(rows, { figure = figure .. "_others" }, { { "calls", rest > 0 and rest } })
end

--- The numbers.
---@param tally cekura.report.Tally
---@return cekura.report.Row[]
return function(tally)
  local rows = {}
  add(rows, { figure = "calls" }, { { "calls", tally.calls }, { "evaluated", tally.evaluated },
    { "passed", tally.passed }, { "failed", tally.failed }, { "without_day", tally.undated } })
  add_days(rows, tally)
  add_metrics(rows, tally)
  add_pairs(rows, tally)
  add_durations(rows, tally)
  add_names(rows, "ended_reason", tally.reasons)
  add_names(rows, "not_evaluated", tally.statuses)
  return rows
end

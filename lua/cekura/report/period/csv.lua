--- The numbers of a period for other programs: comma-separated values (RFC 4180), a line for each number.

local calls = require "cekura.report.period.calls"
local failures = require "cekura.report.period.failures"
local html = require "cekura.report.html"

local COLUMNS = { "figure", "day", "metric_id", "metric", "other_metric_id", "other_metric", "name", "measure",
  "value" }

-- A text as a field. A spreadsheet would take one that begins with =, +, -, @ or a control character for a formula, so
-- an apostrophe precedes it.
local function field(text)
  if text:find "^%s*[=+@-]" or text:find "^[%c]" then
    text = "'" .. text
  end
  return text:find "[\",\r\n]" and '"' .. text:gsub('"', '""') .. '"' or text
end

local function number(value)
  return value < 0 and "-" .. html.decimal(-value, 6) or html.decimal(value, 6)
end

-- Adds lines. `where` has the texts of columns by their names, `measures` numbers by theirs in pairs.
local function add(lines, where, measures)
  local cells = {}
  for place, name in ipairs(COLUMNS) do
    cells[place] = field(where[name] or "")
  end
  for _, row in ipairs(measures) do
    if row[2] then
      cells[#COLUMNS - 1], cells[#COLUMNS] = row[1], number(row[2])
      lines[#lines + 1] = table.concat(cells, ",")
    end
  end
end

-- Adds the lines of all days, and those of what has no day: the numbers of the period are their sums.
local function add_days(lines, tally)
  local by_day = tally.by_day
  local function add_day(where, day)
    add(lines, where, { { "calls", by_day.calls[day] }, { "evaluated", by_day.evaluated[day] or 0 },
      { "passed", by_day.passed[day] or 0 }, { "failed", by_day.failed[day] or 0 } })
  end
  for day = 1, tally.days do
    add_day({ figure = "calls", day = tally:date(day) }, day)
  end
  if tally.undated > 0 then
    add_day({ figure = "calls_without_day" }, 0)
  end
end

local function add_metrics(lines, tally)
  for _, each in ipairs(tally.metrics) do
    local where = { figure = "metric", metric_id = each.id, metric = each.name }
    add(lines, where, { { "passed", each.passed }, { "failed", each.failed }, { "without_verdict", each.results },
      { "mean_score", each.scores > 0 and each.sum / each.scores } })
    local function add_day(figure, date, day)
      local passed, failed = each.passed_on[day] or 0, each.failed_on[day] or 0
      if passed + failed > 0 then
        where.figure, where.day = figure, date
        add(lines, where, { { "passed", passed }, { "failed", failed } })
      end
    end
    for day = 1, tally.days do
      add_day("metric", tally:date(day), day)
    end
    add_day("metric_without_day", nil, 0)
  end
end

local function add_pairs(lines, tally)
  for _, pair in ipairs(tally.together:pairs(failures.LEAST)) do
    local one, other = tally.metrics[pair.first], tally.metrics[pair.second]
    add(lines, { figure = "failed_together", metric_id = one.id, metric = one.name, other_metric_id = other.id,
      other_metric = other.name }, { { "judged", pair.judged }, { "both_failed", pair.both },
      { "metric_failed", pair.first_failed }, { "other_metric_failed", pair.second_failed },
      { "factor", failures.factor(pair) } })
  end
end

local function add_durations(lines, tally)
  local durations, measures = tally.durations, { { "calls", tally.durations.count } }
  for _, row in ipairs(calls.PERCENTILES) do
    measures[#measures + 1] = { row.name, durations:percentile(row.share) }
  end
  measures[#measures + 1] = { "longest", durations.count > 0 and durations.longest }
  add(lines, { figure = "seconds" }, measures)
  local bins, width = durations:histogram()
  for place, count in ipairs(bins) do
    add(lines, { figure = "seconds_from", name = number((place - 1) * width) }, { { "calls", count } })
  end
end

local function add_names(lines, figure, counted)
  local rows, rest = counted:rows()
  for _, row in ipairs(rows) do
    add(lines, { figure = figure, name = row.name }, { { "calls", row.count } })
  end
  add(lines, { figure = figure .. "_others" }, { { "calls", rest > 0 and rest } })
end

--- The numbers.
---@param tally cekura.report.Tally
---@return string
return function(tally)
  local lines = { table.concat(COLUMNS, ",") }
  add(lines, { figure = "calls" }, { { "calls", tally.calls }, { "evaluated", tally.evaluated },
    { "passed", tally.passed }, { "failed", tally.failed }, { "without_day", tally.undated } })
  add_days(lines, tally)
  add_metrics(lines, tally)
  add_pairs(lines, tally)
  add_durations(lines, tally)
  add_names(lines, "ended_reason", tally.reasons)
  add_names(lines, "not_evaluated", tally.statuses)
  return table.concat(lines, "\r\n") .. "\r\n"
end

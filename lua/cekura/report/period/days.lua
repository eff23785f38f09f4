--- The days of a period as columns of charts and rows of tables: each of them, or several together in a long period.

local charts = require "cekura.report.period.charts"
local tables = require "cekura.report.tables"

local days = {}

local MOST_COLUMNS = 92 -- of a chart

---@class cekura.report.Span
---@field from integer the number of its first day
---@field to integer
---@field label string

--- The spans of a period, and how many days each has (the last one may have fewer).
---@param tally cekura.report.Tally
---@return cekura.report.Span[] spans, integer length
function days.spans(tally)
  local spans, length = {}, math.ceil(tally.days / MOST_COLUMNS)
  for from = 1, tally.days, length do
    local to = math.min(from + length - 1, tally.days)
    spans[#spans + 1] = { from = from, to = to,
      label = tally:date(from) .. (to > from and " to " .. tally:date(to) or "") }
  end
  return spans, length
end

--- What the days of a span have.
---@param values table<integer, integer> by the number of the day
---@param span cekura.report.Span
---@return integer
function days.sum(values, span)
  local sum = 0
  for day = span.from, span.to do
    sum = sum + (values[day] or 0)
  end
  return sum
end

--- The labels below a chart of the period.
---@param tally cekura.report.Tally
---@return string[]
function days.labels(tally)
  return { tally:date(1), tally.days > 1 and tally:date(tally.days) or nil }
end

--- What a column of a chart stands for.
---@param length integer days
---@return string
function days.column(length)
  return length == 1 and "a day" or ("%d days"):format(length)
end

-- The numbers of a span.
local function row_of(tally, span)
  local row = { span = span }
  for what, values in pairs(tally.by_day) do
    row[what] = days.sum(values, span)
  end
  return row
end

-- The numbers of each span, and the largest number of calls of one.
local function read(tally, spans)
  local rows, most = {}, 1
  for place, span in ipairs(spans) do
    rows[place] = row_of(tally, span)
    most = math.max(most, rows[place].calls)
  end
  return rows, most
end

local function add_cells(cells, row)
  if row.calls > 0 then
    cells[#cells + 1] = { row.span.label, row.calls, row.evaluated, row.passed,
      tables.percent(row.passed, row.passed + row.failed) }
  end
end

local LEGEND = '<ul class="legend"><li><svg width="12" height="12" aria-hidden="true"><rect class="down" width="12" '
  .. 'height="12"/></svg>Failed</li><li><svg width="12" height="12" aria-hidden="true"><rect class="up" width="12" '
  .. 'height="12"/></svg>Passed, below</li><li><svg width="12" height="12" aria-hidden="true"><rect class="other" '
  .. 'width="12" height="12"/></svg>Without a verdict, above</li></ul>'

--- The calls by day, as a section of the page.
---@param tally cekura.report.Tally
---@return string
function days.section(tally)
  local spans, length = days.spans(tally)
  local rows, most = read(tally, spans)
  local up, down, other, cells, busiest = {}, {}, {}, {}, rows[1]
  for place, row in ipairs(rows) do
    up[place], down[place] = row.passed / most, row.failed / most
    other[place] = (row.calls - row.passed - row.failed) / most
    busiest = row.calls > busiest.calls and row or busiest
    add_cells(cells, row)
  end
  add_cells(cells, row_of(tally, { from = 0, to = 0, label = "Without a day" }))
  local chart = charts.columns { title = "Calls by day", description = "The table below has the numbers.",
    height = 140, count = #rows, labels = days.labels(tally), layers = { { class = "up", heights = up },
    { class = "down", heights = down }, { class = "other", heights = other } } }
  local caption = ("A column is %s. The highest one has %d %s: %s."):format(days.column(length), busiest.calls,
    busiest.calls == 1 and "call" or "calls", busiest.span.label)
  local content = "<p>There is no call in the period.</p>"
  if cells[1] then
    content = ("<figure>%s<figcaption>%s<p>%s</p></figcaption></figure>%s"):format(chart, LEGEND, caption,
      tables.folded("As a table", "Calls by day, in UTC", { "Day", "Calls", "Evaluated", "Passed", "Rate" }, cells))
  end
  return ('<section class="days" aria-labelledby="days"><h2 id="days">Calls by day</h2>%s</section>\n'):format(content)
end

return days

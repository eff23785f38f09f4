--- The metrics of a period, the worst first: how many calls passed each, day by day.

local charts = require "cekura.report.period.charts"
local days = require "cekura.report.period.days"
local html = require "cekura.report.html"
local tables = require "cekura.report.tables"

local FEW = 5 -- with fewer verdicts on a day, its column is pale

-- The columns and the rows of the table of a metric.
local function read(metric, spans)
  local layers = { { class = "up", heights = {} }, { class = "down", heights = {} },
    { class = "up few", heights = {} }, { class = "down few", heights = {} } }
  local rows = {}
  for place, span in ipairs(spans) do
    local passed, failed = days.sum(metric.passed_on, span), days.sum(metric.failed_on, span)
    local all = passed + failed
    local first = all < FEW and 3 or 1
    if all > 0 then
      layers[first].heights[place], layers[first + 1].heights[place] = passed / all, failed / all
      rows[#rows + 1] = { span.label, passed, all, tables.percent(passed, all) }
    end
  end
  return layers, rows
end

local function item(tally, metric, spans)
  local title, all = tally:title(metric), metric.passed + metric.failed
  local name = html.escape(title)
  local layers, rows = read(metric, spans)
  local rate = ("%s passed (%d of %d)"):format(tables.percent(metric.passed, all), metric.passed, all)
  local content = "<p>No verdict has a day.</p>"
  if rows[1] then
    content = charts.columns { title = "Pass rate by day: " .. title,
      description = rate .. ". The table below has the numbers.", height = 44, count = #spans, layers = layers,
      labels = days.labels(tally) }
      .. tables.folded("As a table", name .. ", by day", { "Day", "Passed", "Of", "Rate" }, rows)
  end
  return ('<li><h3>%s</h3><p>%s</p>%s</li>'):format(name, rate, content)
end

-- Metrics that have results without a verdict.
local function unjudged(tally)
  local rows = {}
  for _, each in ipairs(tally.metrics) do
    if each.results > 0 then
      local mean = each.scores > 0 and each.sum / each.scores
      rows[#rows + 1] = { html.escape(tally:title(each)), each.results,
        mean and (mean < 0 and "−" or "") .. html.decimal(math.abs(mean), 2) or "–" }
    end
  end
  return rows[1] and "<h3>Results without a verdict</h3>" .. tables.html("Metrics that give a number or a word",
    { "Metric", "Results", "Mean" }, rows) or ""
end

local LEGEND = '<ul class="legend"><li><svg width="12" height="12" aria-hidden="true"><rect class="down" width="12" '
  .. 'height="12"/></svg>Failed, above</li><li><svg width="12" height="12" aria-hidden="true"><rect class="up" '
  .. 'width="12" height="12"/></svg>Passed, below</li><li><svg width="12" height="12" aria-hidden="true"><rect '
  .. 'class="down few" width="12" height="12"/></svg>Pale: fewer than %d calls</li></ul>'

local ABOUT = "<p>The worst metric comes first, as if each metric had one more pass and one more failure, so that few "
  .. "calls weigh little. A column is %s; it is as high for few calls as for many.</p>"

--- The metrics as a section of the page.
---@param tally cekura.report.Tally
---@return string
return function(tally)
  local spans, length = days.spans(tally)
  local items = {}
  for place, metric in ipairs(tally:judged()) do
    items[place] = item(tally, metric, spans)
  end
  local content = tally.evaluated == 0 and "<p>No call is evaluated.</p>" or "<p>No metric has a verdict.</p>"
  if items[1] then
    content = ABOUT:format(days.column(length)) .. LEGEND:format(FEW) .. '<ol class="plain rates">'
      .. table.concat(items, "\n") .. "</ol>"
  end
  return ('<section class="metrics" aria-labelledby="metrics"><h2 id="metrics" tabindex="-1">Metrics</h2>%s%s'
    .. '</section>\n'):format(content, unjudged(tally))
end

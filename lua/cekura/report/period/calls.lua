--- What the calls of a period were like: how long they lasted, why they ended, and which have no evaluation.

local charts = require "cekura.report.period.charts"
local html = require "cekura.report.html"
local tables = require "cekura.report.tables"

local calls = {}

local MOST_REASONS = 15 -- that are shown

-- ---- durations ----

--- The percentiles that are shown.
calls.PERCENTILES = { { name = "median", title = "Median", share = 0.5 }, { name = "p90", title = "90th percentile",
  share = 0.9 }, { name = "p99", title = "99th percentile", share = 0.99 } }

-- "0:10": a limit of a bin.
local function limit(seconds)
  return html.clock(seconds)
end

local function histogram(durations)
  local bins, width = durations:histogram()
  local most, heights, rows, marks = 1, {}, {}, {}
  for _, count in ipairs(bins) do
    most = math.max(most, count)
  end
  for place, count in ipairs(bins) do
    heights[place] = count / most
    local is_open = place == #bins and durations.longest >= place * width
    rows[place] = { is_open and limit((place - 1) * width) .. " or more" or ("%s to %s"):format(
      limit((place - 1) * width), limit(place * width)), count, tables.percent(count, durations.count) }
  end
  for place, row in ipairs(calls.PERCENTILES) do
    marks[place] = { at = math.min(1, durations:percentile(row.share) / width / #bins), text = row.title }
  end
  local is_open = durations.longest >= #bins * width
  local chart = charts.columns { title = "Durations", description = "The numbers are below.", height = 110, top = 48,
    count = #bins, marks = marks, layers = { { class = "up", heights = heights } },
    labels = { "0:00", limit(#bins * width) .. (is_open and " and more" or "") } }
  return ("<figure>%s<figcaption><p>A column is %s.</p></figcaption></figure>%s"):format(chart, html.duration(width),
    tables.folded("As a table", "Calls by duration", { "Duration", "Calls", "Part" }, rows))
end

--- The durations as a section of the page.
---@param tally cekura.report.Tally
---@return string
function calls.durations(tally)
  local durations, content = tally.durations, "<p>No call has a duration.</p>"
  if durations.count > 0 then
    local items = {}
    for place, row in ipairs(calls.PERCENTILES) do
      items[place] = ("<dt>%s</dt><dd>%s</dd>"):format(row.title, html.duration(durations:percentile(row.share)))
    end
    items[#items + 1] = ("<dt>Longest</dt><dd>%s</dd>"):format(html.duration(durations.longest))
    local without = tally.calls - durations.count
    items[#items + 1] = without > 0 and ("<dt>Calls without one</dt><dd>%d</dd>"):format(without) or nil
    content = histogram(durations) .. "<dl>" .. table.concat(items) .. "</dl>"
  end
  return ('<section aria-labelledby="lengths"><h2 id="lengths">Durations</h2>%s</section>\n'):format(
    content)
end

-- ---- lists ----

-- The most frequent names of a counter, with bars. `empty` stands for an empty name.
local function bars(caption, heading, counted, empty)
  local shown, rest = counted:rows(MOST_REASONS)
  local largest, rows = math.max(rest, shown[1] and shown[1].count or 1), {}
  if rest > 0 then
    shown[#shown + 1] = { rest = true, count = rest }
  end
  for place, row in ipairs(shown) do
    local name = row.rest and "<em>All others</em>" or row.name == "" and "<em>" .. empty .. "</em>"
      or html.escape(row.name)
    rows[place] = { name, row.count, tables.percent(row.count, counted.total), charts.bar(row.count / largest) }
  end
  return (tables.html(caption, { heading, "Calls", "Part", '<span class="hidden">Bar</span>' }, rows)
    :gsub("<table>", '<table class="bars">', 1))
end

--- The ended reasons as a section of the page.
---@param tally cekura.report.Tally
---@return string
function calls.reasons(tally)
  return ('<section aria-labelledby="reasons"><h2 id="reasons">Ended reasons</h2>%s</section>\n'):format(
    tally.calls == 0 and "<p>There is no call in the period.</p>"
      or bars("Calls by ended reason", "Reason", tally.reasons, "None given"))
end

--- The calls without an evaluation as a section of the page.
---@param tally cekura.report.Tally
---@return string
function calls.unevaluated(tally)
  local count, content = tally.calls - tally.evaluated, "<p>All calls are evaluated.</p>"
  if tally.calls == 0 then
    content = "<p>There is no call in the period.</p>"
  elseif count > 0 then
    local ids = {}
    for place, id in ipairs(tally.ids) do
      ids[place] = html.escape(id)
    end
    content = bars("Calls without an evaluation, by status", "Status", tally.statuses, "No status")
      .. (ids[1] and ("<p>%s: %s.</p>"):format(count > #ids and "The ids of the latest" or "Their ids",
        table.concat(ids, ", ")) or "")
  end
  return ('<section aria-labelledby="unevaluated"><h2 id="unevaluated">Calls without an evaluation'
    .. '</h2>%s</section>\n'):format(content)
end

return calls

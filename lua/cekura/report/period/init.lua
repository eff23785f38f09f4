--- The report of the calls of a period: a self-contained page of HTML without a script. Everything from the service is
-- escaped. cekura.report.period.csv has the same numbers for other programs.

local calls = require "cekura.report.period.calls"
local days = require "cekura.report.period.days"
local failures = require "cekura.report.period.failures"
local frame = require "cekura.report.frame"
local html = require "cekura.report.html"
local rates = require "cekura.report.period.rates"
local tables = require "cekura.report.tables"
local tally = require "cekura.report.period.tally"
local times = require "cekura.records.times"

local period = {}

---@class cekura.report.About what the report is about, in plain text
---@field title string
---@field facts string[][] name and value, of the filter

local function minute(seconds)
  return (times.text(seconds):sub(1, 16):gsub("T", " "))
end

local function tiles(numbers)
  local judged, items = numbers.passed + numbers.failed, {}
  local median = numbers.durations:percentile(0.5)
  for place, row in ipairs {
    { "Calls", numbers.calls },
    { "Evaluated", numbers.evaluated, numbers.calls > 0 and tables.percent(numbers.evaluated,
      numbers.calls) .. " of the calls" },
    { "Passed", tables.percent(numbers.passed, judged), judged > 0 and ("%d of %d verdicts"):format(numbers.passed,
      judged) },
    { "Median duration", median and html.duration(median) or "–" },
  } do
    items[place] = ("<div><dt>%s</dt><dd><strong>%s</strong>%s</dd></div>"):format(row[1], row[2],
      row[3] and ' <span class="soft">' .. row[3] .. "</span>" or "")
  end
  return '<dl class="tiles">' .. table.concat(items) .. "</dl>"
end

local function overview(numbers, about)
  local items = { ("<dt>Period</dt><dd>%s to %s, UTC</dd>"):format(minute(numbers.from), minute(numbers.to)) }
  for _, fact in ipairs(about.facts) do
    items[#items + 1] = ("<dt>%s</dt><dd>%s</dd>"):format(html.escape(fact[1]), html.escape(fact[2]))
  end
  return ('<section class="overview" aria-labelledby="overview"><h2 id="overview">Overview</h2>%s<dl>%s</dl>'
    .. '</section>\n'):format(tiles(numbers), table.concat(items))
end

-- What a reader has to know about the numbers.
local function notes(numbers)
  local items = {
    "Days are those of UTC.",
    "A call counts as passed by the verdict of the service; a call without a verdict is neither passed nor failed.",
    "Metrics count in evaluated calls. The rate of a metric leaves out calls to which it gave no verdict.",
    "Percentiles are within 2\194\160% of the exact ones.",
    numbers.undated > 0 and ("Calls without a time in the period, which are on no day: %d."):format(numbers.undated)
      or false,
    numbers.other_results > 0 and ("Results of further metrics, which are not shown: %d. The report follows the first "
      .. "%d metrics."):format(numbers.other_results, tally.MOST_METRICS) or false,
    numbers.reasons.others > 0 and ("The report distinguishes %d ended reasons; further ones are among all others.")
      :format(tally.MOST_REASONS) or false,
  }
  local shown = {}
  for _, text in ipairs(items) do
    shown[#shown + 1] = text and "<li>" .. text .. "</li>" or nil
  end
  return ('<section class="notes" aria-labelledby="notes"><h2 id="notes">About the numbers</h2><ul>%s</ul></section>\n')
    :format(table.concat(shown))
end

--- The page.
---@param numbers cekura.report.Tally
---@param about cekura.report.About
---@return string
function period.html(numbers, about)
  local sections = { overview(numbers, about), rates(numbers), failures.section(numbers), days.section(numbers),
    calls.durations(numbers), calls.reasons(numbers), calls.unevaluated(numbers), notes(numbers) }
  return frame { kind = "period", title = about.title, skip = "metrics", head = "", content = table.concat(sections) }
end

return period

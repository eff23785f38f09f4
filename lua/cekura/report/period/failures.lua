--- Failures that come together: metrics that fail in the same call, as a matrix of the worst ones, and as a list of
-- pairs.

local charts = require "cekura.report.period.charts"
local html = require "cekura.report.html"
local tables = require "cekura.report.tables"

local failures = {
  LEAST = 2, -- calls in which a pair failed
  ENOUGH = 5, -- calls, also expected ones, for a factor
}

local MOST_PAIRS, MOST_IN_MATRIX = 20, 10

--- How many times as often two metrics failed together as they would, if neither depended on the other; nil: there are
--- too few calls to tell.
---@param pair cekura.report.Pair
---@return number?
function failures.factor(pair)
  return pair.both >= failures.ENOUGH and pair.expected >= 1 and pair.both / pair.expected or nil
end

-- The metrics that failed, those first that failed most often.
local function worst(tally)
  local found = {}
  for _, each in ipairs(tally.metrics) do
    found[#found + 1] = each.failed > 0 and each or nil
  end
  table.sort(found, function(a, b)
    return a.failed > b.failed or a.failed == b.failed and a.number < b.number
  end)
  for place = #found, MOST_IN_MATRIX + 1, -1 do
    found[place] = nil
  end
  return found
end

local function matrix(tally)
  local metrics, names = worst(tally), {}
  for place, each in ipairs(metrics) do
    names[place] = "<li>" .. html.escape(tally:title(each)) .. "</li>"
  end
  return ('<figure class="together"><ol>%s</ol><div>%s<figcaption><p>The calls in which both metrics failed; in the '
    .. 'diagonal, those in which the metric did. The redder, the larger the part of the failures of the row&#39;s '
    .. 'metric.%s</p></figcaption></div></figure>'):format(table.concat(names), charts.matrix {
    title = "Failures that come together", size = #metrics,
    description = "The rows and columns are the metrics of the list above. The table below has the pairs in words.",
    cell = function(row, column)
      if row == column then
        return metrics[row].failed
      end
      local pair = tally.together:pair(metrics[row].number, metrics[column].number)
      return pair.both, pair.first_failed > 0 and pair.both / pair.first_failed or 0
    end }, #metrics == MOST_IN_MATRIX and " Only the metrics that failed most often are shown." or "")
end

-- A pair in words. The metric that failed more often comes first.
local function in_words(tally, pair)
  local one, other = pair.first, pair.second
  local ours, theirs = pair.first_failed, pair.second_failed
  if theirs > ours then
    one, other, ours, theirs = other, one, theirs, ours
  end
  return ('%s <span class="soft">and</span> %s <span class="soft part">in %s of the failures of the first, %s of the '
    .. 'second</span>'):format(html.escape(tally:title(tally.metrics[one])),
    html.escape(tally:title(tally.metrics[other])), tables.percent(pair.both, ours),
    tables.percent(pair.both, theirs))
end

local function rows_of(tally, pairs_found)
  local rows = {}
  for place = 1, math.min(#pairs_found, MOST_PAIRS) do
    local pair = pairs_found[place]
    local factor = failures.factor(pair)
    rows[place] = { in_words(tally, pair), pair.both, factor and html.decimal(factor, 1) or "too few" }
  end
  return rows
end

local ABOUT = "<p>The last column compares with how often both would fail if they had nothing to do with each other: 1 "
  .. "is chance. It needs %d calls. That two metrics fail together does not say that one causes the other.</p>"

--- The failures that come together, as a section of the page.
---@param tally cekura.report.Tally
---@return string
function failures.section(tally)
  local found = tally.together:pairs(failures.LEAST)
  while found[1] and found[#found].both <= found[#found].expected do
    found[#found] = nil
  end
  local content = ("<p>No two metrics failed together in %d calls or more, and more often than by chance.</p>"):format(
    failures.LEAST)
  if found[1] then
    content = matrix(tally) .. tables.html(("Pairs that failed together, those first that did so most often beyond "
      .. "chance%s"):format(#found > MOST_PAIRS and (" (%d of %d)"):format(MOST_PAIRS, #found) or ""),
      { "Metrics", "Calls", "×\194\160expected" }, rows_of(tally, found)) .. ABOUT:format(failures.ENOUGH)
  end
  return ('<section class="failures" aria-labelledby="failures"><h2 id="failures">Failures that come together</h2>%s'
    .. '</section>\n'):format(content)
end

return failures

--- The numbers of many calls, computed by hand, and the page and the table of them.
-- spec/hosts/report_page_spec.lua opens such pages in a browser.

local attacks = require "spec.support.report_cases".ATTACKS
local cases = require "spec.support.period_cases"
local as_csv = require "cekura.report.period.csv"
local decimal_comma = require "spec.support.decimal_comma"
local durations = require "cekura.report.period.durations"
local harmless_page = require "spec.support.harmless_page"
local rows_of_numbers = require "cekura.report.period.rows"
local tally = require "cekura.report.period.tally"

local all, texts = harmless_page.all, harmless_page.texts
local call, metric = cases.call, cases.metric

local function csv(numbers)
  return as_csv(rows_of_numbers(numbers))
end

local function check(page)
  local elements = harmless_page.check(page, false)
  harmless_page.check_structure(elements)
  return elements
end

-- The cells of each row of the table with a caption.
local function rows_of(page, caption)
  local content = page:match("<caption>" .. caption:gsub("%p", "%%%0") .. "</caption>(.-)</table>")
  local rows = {}
  for row in (content or ""):match "<tbody>(.*)</tbody>":gmatch "<tr>(.-)</tr>" do
    local cells = {}
    for cell in row:gmatch "<t[hd][^>]*>(.-)</t[hd]>" do
      cells[#cells + 1] = cell:gsub("<svg.*", ""):gsub("<[^>]*>", ""):gsub("\194\160", " ")
    end
    rows[#rows + 1] = cells
  end
  return rows
end

local function lines_of(text)
  local lines = {}
  for line in text:gmatch "([^\r\n]*)\r\n" do
    lines[#lines + 1] = line
  end
  return lines
end

-- The value of a line of the table; nil: there is none.
local function value(lines, beginning)
  for _, line in ipairs(lines) do
    if line:sub(1, #beginning + 1) == beginning .. "," then
      return line:sub(#beginning + 2)
    end
  end
end

-- Three days. Day 1: three calls; day 2: two; day 3: none that is evaluated.
local A, B = "Greeting", "Goodbye"
local FIXTURE = {
  call(1, true, { metric(1, A, true), metric(2, B, true) }, { duration = "00:10" }),
  call(1, false, { metric(1, A, false), metric(2, B, false) }, { duration = "00:20" }),
  call(1, false, { metric(1, A, false), metric(2, B, false) }, { duration = "00:30", call_ended_reason = "silence" }),
  call(2, false, { metric(1, A, true), metric(2, B, false) }, { duration = "00:40" }),
  call(2, true, { metric(1, A, true), { id = 3, name = "Seconds", eval_type = "numeric", score = 3 } },
    { duration = "10:00" }),
  call(3, nil, nil, { id = 77, duration = false, call_ended_reason = "" }),
}

describe("the numbers of a period", function()
  it("are counted by day, and by metric and day", function()
    local numbers = cases.tally(FIXTURE, 3)
    assert.same({ 6, 5, 2, 3, 0 }, { numbers.calls, numbers.evaluated, numbers.passed, numbers.failed,
      numbers.undated })
    assert.same({ calls = { 3, 2, 1 }, evaluated = { 3, 2, 0 }, passed = { 1, 1, 0 }, failed = { 2, 1, 0 } },
      numbers.by_day)
    local greeting, goodbye, seconds = numbers.metrics[1], numbers.metrics[2], numbers.metrics[3]
    assert.same({ 3, 2, { 1, 2 }, { 2 } }, { greeting.passed, greeting.failed, greeting.passed_on,
      greeting.failed_on })
    assert.same({ 1, 3, { 1 }, { 2, 1 } }, { goodbye.passed, goodbye.failed, goodbye.passed_on, goodbye.failed_on })
    assert.same({ 0, 0, 1, 3 }, { seconds.passed, seconds.failed, seconds.results, seconds.sum })
    local worst = numbers:judged()
    assert.same({ B, A }, { worst[1].name, worst[2].name })
    assert.equal(2, #worst)
  end)

  it("have the failures that come together, of the calls in which both metrics have a verdict", function()
    local pair = cases.tally(FIXTURE, 3).together:pair(1, 2)
    assert.same({ first = 1, second = 2, judged = 4, both = 2, first_failed = 2, second_failed = 3, expected = 1.5 },
      pair)
    pair = cases.tally(FIXTURE, 3).together:pair(2, 1)
    assert.same({ 3, 2 }, { pair.first_failed, pair.second_failed })
  end)

  it("rank a metric that failed in one of one call after one that failed often", function()
    local calls = { call(1, false, { metric(1, "Rare", false) }) }
    for number = 1, 20 do
      calls[#calls + 1] = call(1, true, { metric(2, "Often", number % 10 == 0), metric(3, "Half", number % 2 == 0) })
    end
    local names = {}
    for place, each in ipairs(cases.tally(calls, 1):judged()) do
      names[place] = each.name
    end
    assert.same({ "Often", "Rare", "Half" }, names)
  end)

  it("count no call on a day that has no time in the period, but as one without a day", function()
    local numbers = cases.tally({ call(0, true), call(4, true), call(1, true, nil, { timestamp = "soon" }),
      call(3, true) }, 3)
    assert.same({ 4, 3, { [0] = 3, 0, 0, 1 } }, { numbers.calls, numbers.undated, numbers.by_day.calls })
  end)

  it("have a day for a call at the very end of the period, and none without one", function()
    local last = { call(3, true, { metric(1, A, true) }, { timestamp = "2026-11-04T00:00:00Z" }) }
    local numbers = cases.tally(last, 3)
    assert.same({ 4, 0, { 0, 0, 0, 1 } }, { numbers.days, numbers.undated, numbers.by_day.calls })
    assert.equal("2026-11-04", numbers:date(4))
    assert.equal(1, numbers.metrics[1].passed_on[4])
    assert.equal(3, cases.tally({ call(3, true) }, 3).days)
    assert.equal(1, cases.tally({ call(3, true, nil, { timestamp = "2026-11-04T00:00:00.5Z" }) }, 3).undated)
  end)

  -- What the table says for the whole period, and the sum of what it says for each day and for none.
  local function sums(text, figure, measure)
    local whole, parts = 0, 0
    for _, line in ipairs(lines_of(text)) do
      local name, day, found, number = line:match "^([%a_]+),([%d-]*),.*,([%a_]+),(%d+)$"
      if found == measure and name == figure and day == "" then
        whole = whole + number
      elseif found == measure and (name == figure or name == figure .. "_without_day") then
        parts = parts + number
      end
    end
    return whole, parts
  end

  it("agree with those of the days, whenever the calls were", function()
    local times = { "2026-10-31T23:59:59Z", "2026-11-01T00:00:00Z", "2026-11-03T23:59:60Z", "2026-11-04T00:00:00Z",
      "2026-11-04T00:00:01Z", "2026-11-02T23:00:00-02:00", "soon", false }
    local calls = {}
    for _, time in ipairs(times) do
      calls[#calls + 1] = call(1, true, { metric(1, A, true), metric(2, B, false) }, { timestamp = time })
      calls[#calls + 1] = call(1, false, { metric(1, A, false) }, { timestamp = time })
      calls[#calls + 1] = call(1, nil, nil, { timestamp = time })
    end
    local numbers = cases.tally(calls, 3)
    assert.equal(12, numbers.undated)
    local text = csv(numbers)
    for figure, measures in pairs { calls = { calls = 24, evaluated = 16, passed = 8, failed = 8 },
      metric = { passed = 8, failed = 16 } } do
      for measure, expected in pairs(measures) do
        assert.same({ expected, expected }, { sums(text, figure, measure) }, measure)
      end
    end
    local page = cases.page(calls, 3)
    check(page)
    assert.same({ { "2026-11-01", "3", "2", "1", "50 %" }, { "2026-11-03", "3", "2", "1", "50 %" },
      { "2026-11-04", "6", "4", "2", "50 %" }, { "Without a day", "12", "8", "4", "50 %" } },
      rows_of(page, "Calls by day, in UTC"))
  end)

  it("have percentiles by rank, exact for whole seconds below 50 and else within 2 %", function()
    local few = durations.new()
    assert.is_nil(few:percentile(0.5))
    for _, seconds in ipairs { 0, 3, 7, 49, 48, 12, 12, 31, 5, 600 } do
      few:add(seconds)
    end
    assert.same({ 12, 49, 600, 600 }, { few:percentile(0.5), few:percentile(0.9), few:percentile(0.99), few.longest })
    local many = durations.new()
    for seconds = 1, 5000 do
      many:add(seconds)
    end
    for _, share in ipairs { 0.01, 0.5, 0.9, 0.99, 1 } do
      local exact = share * 5000
      assert.is_true(math.abs(many:percentile(share) - exact) <= 0.02 * exact, share)
    end
  end)

  it("have durations in bins of one width, the last of which has all longer ones", function()
    local some = durations.new()
    assert.same({}, (some:histogram()))
    for _ = 1, 40 do
      some:add(5)
      some:add(12)
      some:add(13)
      some:add(75)
    end
    some:add(86400 * 365)
    assert.same({ { 0, 40, 80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 41 }, 5 }, { some:histogram() })
  end)

  it("have numbers of any size", function()
    local calls = { call(1, true, nil, { duration = 1e300 }) }
    for number = 1, 10 do
      calls[1 + number] = call(1, true, { { id = 1, name = "Nanoseconds", eval_type = "numeric", score = 2 ^ 60 } })
    end
    local page = cases.page(calls, 1)
    check(page)
    assert.same({ { "Nanoseconds", "10", "1152921504606846976" } },
      rows_of(page, "Metrics that give a number or a word"))
  end)

  it("count a metric once in a call that has it twice", function()
    local twice = { metric(1, A, false), metric(2, B, false), metric(1, A, false), metric(2, B, true) }
    local numbers = cases.tally({ call(1, false, twice), call(1, false, twice) }, 1)
    assert.same({ 2, 2, 0 }, { numbers.metrics[1].failed, numbers.metrics[2].failed, numbers.metrics[2].passed })
    local pair = numbers.together:pair(1, 2)
    assert.same({ 2, 2, 2, 2 }, { pair.judged, pair.both, pair.first_failed, pair.second_failed })
  end)

  it("have limits, and say what is beyond them", function()
    local calls = {}
    for number = 1, 300 do
      calls[number] = call(1, true, { metric(number, "Metric " .. number, true) },
        { call_ended_reason = "reason " .. number })
      calls[300 + number] = call(1, nil, nil, { id = number, status = "word " .. number })
    end
    local numbers = cases.tally(calls, 1)
    assert.same({ 100, 200, 200, 20 }, { #numbers.metrics, numbers.other_results, numbers.reasons.count, #numbers.ids })
    assert.same({ 400, 280 }, { numbers.reasons.others, numbers.statuses.others })
    local page = cases.page(calls, 1)
    check(page)
    assert.truthy(page:find("Results of further metrics, which are not shown: 200.", 1, true))
    assert.truthy(page:find("The report distinguishes 200 ended reasons", 1, true))
    local rows = rows_of(page, "Calls by ended reason")
    assert.equal(16, #rows)
    assert.same({ "All others", "585" }, { rows[16][1], rows[16][2] })
  end)

  it("need memory for days, metrics and names, not for calls", function()
    local one = cases.many(5, 6, 100)
    local numbers = cases.tally(one, 5)
    local jit = rawget(_G, "jit")
    if jit then -- what it compiles counts as memory, and when it compiles is left to chance
      jit.off()
      finally(jit.on)
    end
    -- In KB. The tables of all that runs take their sizes in the first rounds.
    local function after(rounds)
      for _ = 1, rounds do
        for _, fields in ipairs(one) do
          numbers:add(assert(require "cekura".call_log(require "cekura.http.encode"(fields, "call"))))
        end
      end
      collectgarbage()
      collectgarbage()
      return collectgarbage "count"
    end
    -- The number of calls doubles in either span, as would a table of them. The table of Lua's own strings may do so in
    -- one of the two.
    local first, second, third = after(10), after(20), after(30)
    local least = math.min((second - first) / 20, (third - second) / 30) * 1024 / #one
    assert.is_true(least < 4, least .. " bytes a call")
    assert.equal(61 * #one, numbers.calls)
  end)
end)

describe("the page of a period", function()
  it("shows the numbers, the worst metric first", function()
    local page = cases.page(FIXTURE, 3)
    local elements = check(page)
    assert.same({ "6", "5", "40\194\160%", "0:30" }, (function()
      local strong = texts(elements, "strong")
      strong[4] = strong[4]:gsub("^30 s$", "0:30")
      return strong
    end)())
    assert.same({ B, A, "Results without a verdict" }, texts(elements, "h3"))
    assert.same({ { "2026-11-01", "1", "3", "33.3 %" }, { "2026-11-02", "0", "1", "0 %" } },
      rows_of(page, B .. ", by day"))
    assert.same({ { "2026-11-01", "3", "3", "1", "33.3 %" }, { "2026-11-02", "2", "2", "1", "50 %" },
      { "2026-11-03", "1", "0", "0", "–" } }, rows_of(page, "Calls by day, in UTC"))
    assert.same({ { "customer-ended-call", "4", "66.7 %", "" }, { "None given", "1", "16.7 %", "" },
      { "silence", "1", "16.7 %", "" } }, rows_of(page, "Calls by ended reason"))
    assert.same({ { "Seconds", "1", "3" } }, rows_of(page, "Metrics that give a number or a word"))
    assert.truthy(page:find("<p>Their ids: 77.</p>", 1, true))
    assert.truthy(page:find("2026-11-01 00:00 to 2026-11-04 00:00, UTC", 1, true))
  end)

  it("draws a column for each day, as high as its part passed, pale with few calls", function()
    local elements = check(cases.page(FIXTURE, 3))
    local paths = all(elements, "path")
    assert.same({ "up few", "M1 100V66.7h8V100z" }, { paths[1].attributes.class, paths[1].attributes.d })
    assert.same({ "down few", "M1 66.7V0h8V66.7zM11 100V0h8V100z" }, { paths[2].attributes.class,
      paths[2].attributes.d })
    local calls = {}
    for number = 1, 5 do
      calls[number] = call(1, true, { metric(1, A, number > 1) })
    end
    paths = all(check(cases.page(calls, 1)), "path")
    assert.same({ "up", "M1 100V20h8V100z" }, { paths[1].attributes.class, paths[1].attributes.d })
  end)

  it("shows pairs with a factor only where there are enough calls, and only beyond chance", function()
    local page = cases.page(FIXTURE, 3)
    local about = " in 66.7 % of the failures of the first, 100 % of the second"
    assert.same({ { B .. " and " .. A .. about, "2", "too few" } },
      rows_of(page, "Pairs that failed together, those first that did so most often beyond chance"))
    local calls = {}
    for number = 1, 40 do -- A fails in ten, B in the same ten and ten others, C in every second
      calls[number] = call(1, false, { metric(1, A, number > 10), metric(2, B, number > 20),
        metric(3, "C", number % 2 == 0) })
    end
    page = cases.page(calls, 1)
    assert.same({ { B .. " and " .. A .. " in 50 % of the failures of the first, 100 % of the second", "10", "2" } },
      rows_of(page, "Pairs that failed together, those first that did so most often beyond chance"))
    local numbers = texts(check(page), "text", { class = "number" })
    assert.same({ "20", "10", "10", "10", "20", "5", "10", "5", "10" }, numbers)
  end)

  it("tells metrics of one name apart by their ids", function()
    local calls = { call(1, false, { metric(7, A, false), metric(8, A, false), metric(9, B, true),
      { id = 10, name = A, eval_type = "numeric", score = 1 } }) }
    calls[2], calls[3] = calls[1], call(1, true, { metric(7, A, true), metric(8, A, true) })
    local page = cases.page(calls, 1)
    assert.same({ "Greeting (7)", "Greeting (8)", B, "Results without a verdict" }, texts(check(page), "h3"))
    assert.same({ { "Greeting (10)", "2", "1" } }, rows_of(page, "Metrics that give a number or a word"))
    assert.truthy(page:find("<ol><li>Greeting (7)</li><li>Greeting (8)</li></ol>", 1, true))
    assert.truthy(page:find('Greeting (7) <span class="soft">and</span> Greeting (8) <span', 1, true))
    assert.truthy(csv(cases.tally(calls, 1)):find("\r\nmetric,,7,Greeting,", 1, true))
  end)

  it("says so where there is nothing", function()
    local page = cases.page({}, 7)
    check(page)
    for _, text in ipairs { "No call is evaluated.", "No call has a duration.", "There is no call in the period." } do
      assert.truthy(page:find(text, 1, true), text)
    end
    page = cases.page({ call(1), call(2) }, 7)
    check(page)
    assert.truthy(page:find("No call is evaluated.", 1, true))
    assert.same({ { "evaluating", "2", "100 %", "" } }, rows_of(page, "Calls without an evaluation, by status"))
    page = cases.page({ call(1, true) }, 7)
    check(page)
    assert.truthy(page:find("No metric has a verdict.", 1, true))
    assert.truthy(page:find("All calls are evaluated.", 1, true))
  end)

  it("has at most 92 columns: several days share one", function()
    local page = cases.page(cases.many(365, 2, 3), 365)
    local elements = check(page)
    assert.truthy(page:find("A column is 4 days", 1, true))
    assert.equal("2026-11-01 to 2026-11-04", rows_of(page, "Calls by day, in UTC")[1][1])
    for _, path in ipairs(all(elements, "path")) do
      assert.is_true(select(2, path.attributes.d:gsub("M", "")) <= 92)
    end
    assert.equal("2026-11-01", texts(elements, "text", { class = "clock" })[1])
  end)

  it("escapes each text of the service, wherever it is", function()
    local function page_of(attack)
      local calls = {}
      for number = 1, 3 do
        calls[number] = call(1, false, { metric("1" .. attack, "A" .. attack, false),
          metric(2, "B" .. attack, false), { id = 3, name = "C" .. attack, value = "x" .. attack } },
          { call_ended_reason = "why" .. attack })
        calls[3 + number] = call(1, nil, nil, { id = "id" .. attack, status = "word" .. attack })
        calls[6 + number] = call(1, true, { metric("1" .. attack, "A" .. attack, true),
          metric(2, "B" .. attack, true) })
      end
      return cases.page(calls, 1, { title = "Calls of x" .. attack, facts = { { "Agent" .. attack, "2" .. attack } } })
    end
    local plain = #check(page_of "")
    for _, attack in ipairs(attacks) do
      local elements = check(page_of(attack))
      assert.equal(plain, #elements, attack)
      local text, shown = table.concat(texts(elements), "\n"), attack:gsub("[%z\27]", "\239\191\189")
        :gsub("\226\128\174", "\239\191\189")
      for _, name in ipairs { "A", "B", "C", "why", "id", "word", "Agent", "2", "Calls of x" } do
        assert.truthy(text:find(name .. shown, 1, true), name .. attack)
      end
    end
  end)

  it("is the same in every locale", function()
    local found = decimal_comma(function()
      return cases.page(FIXTURE, 3) .. csv(cases.tally(FIXTURE, 3))
    end)
    if found then
      assert.equal(cases.page(FIXTURE, 3) .. csv(cases.tally(FIXTURE, 3)), found[1])
    end
  end)

  it("cuts long names between characters, and has no secret", function()
    local numbers = cases.tally({ call(1, true, { metric(1, ("é"):rep(150) .. "x", true) },
      { call_ended_reason = "key-0123 was refused" }) }, 1, function(text)
        return (text:gsub("key%-0123", "***"))
      end)
    assert.equal(("é"):rep(99) .. "…", numbers.metrics[1].name)
    assert.equal("*** was refused", numbers.reasons:rows()[1].name)
  end)
end)

describe("the table of a period", function()
  it("has a line for each number", function()
    local lines = lines_of(csv(cases.tally(FIXTURE, 3)))
    assert.equal("figure,day,metric_id,metric,other_metric_id,other_metric,name,measure,value", lines[1])
    for beginning, expected in pairs {
      ["calls,,,,,,,calls"] = "6", ["calls,,,,,,,evaluated"] = "5", ["calls,2026-11-02,,,,,,failed"] = "1",
      ["calls,2026-11-03,,,,,,calls"] = "1", ["metric,,1,Greeting,,,,passed"] = "3",
      ["metric,2026-11-01,2,Goodbye,,,,failed"] = "2", ["metric,,3,Seconds,,,,mean_score"] = "3",
      ["failed_together,,1,Greeting,2,Goodbye,,both_failed"] = "2",
      ["failed_together,,1,Greeting,2,Goodbye,,judged"] = "4", ["seconds,,,,,,,median"] = "30",
      ["seconds,,,,,,,longest"] = "600", ["ended_reason,,,,,,customer-ended-call,calls"] = "4",
      ["ended_reason,,,,,,,calls"] = "1", ["not_evaluated,,,,,,evaluating,calls"] = "1",
    } do
      assert.equal(expected, value(lines, beginning), beginning)
    end
    assert.is_nil(value(lines, "failed_together,,1,Greeting,2,Goodbye,,factor"))
    for _, line in ipairs(lines) do
      assert.equal(8, select(2, line:gsub(",", "")), line)
    end
  end)

  it("quotes texts, and has no formulas", function()
    for given, expected in pairs {
      ["a,b"] = '"a,b"', ['say "x"'] = '"say ""x"""', ["two\nlines"] = '"two\nlines"', ["=1+1"] = "'=1+1",
      ["+1"] = "'+1", ["-1"] = "'-1", ["@x"] = "'@x", ["\t=1"] = "'\t=1", ["\r=1"] = "\"'\r=1\"", [" =1"] = "' =1",
      ['=HYPERLINK("x")'] = '"\'=HYPERLINK(""x"")"', ["a=b"] = "a=b", ["é"] = "é",
    } do
      local text = csv(cases.tally({ call(1, true, nil, { call_ended_reason = given }) }, 1))
      assert.truthy(text:find("\r\nended_reason,,,,,," .. expected .. ",calls,1\r\n", 1, true), text)
    end
  end)

  it("is whole for an empty period", function()
    local lines = lines_of(csv(cases.tally({}, 2)))
    assert.equal("0", value(lines, "calls,,,,,,,calls"))
    assert.equal("0", value(lines, "calls,2026-11-02,,,,,,calls"))
    assert.equal("seconds,,,,,,,calls,0", lines[#lines])
  end)
end)

it("asks for the fields that it reads", function()
  local read, known = {}, {}
  local numbers = tally.new { from = cases.FROM, to = cases.FROM + 86400, redact = function(text) return text end }
  for _, name in ipairs(tally.FIELDS) do
    known[name] = true
  end
  for _, fields in ipairs { FIXTURE[1], FIXTURE[6] } do
    local record = setmetatable({ get = function(_, name)
      read[name] = true
      return fields[name]
    end, seconds = function() return 1 end }, {})
    numbers:add(record)
  end
  for name in pairs(read) do
    assert.is_true(known[name] or name == "id" or name == "evaluation", name)
  end
end)

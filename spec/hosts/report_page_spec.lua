--- Reports in headless Chromium, at 320 and 1,600 pixels, light and dark: no text of the service runs as a script, and
-- axe-core finds nothing wrong. With PICTURES=DIRECTORY in the environment, pictures are written to that directory.

local browser = require "spec.support.browser"
local cases = require "spec.support.report_cases"
local cekura = require "cekura"
local changes = require "cekura.report.changes"
local core = require "cekura.core"
local encode = require "cekura.http.encode"
local file = require "spec.support.file"
local periods = require "spec.support.period_cases"
local process = require "spec.support.process"
local shell = require "spec.support.shell"

local function report(json)
  return cekura.report(cekura.assert(cekura.call_log(json)))
end

-- A call of 15 minutes, with long words, and without a recording.
local function long_call()
  local turns = {}
  for number = 1, 150 do
    turns[number] = { role = number % 2 == 0 and "user" or "assistant", content = ("word"):rep(number % 50 + 1),
      start_time = number * 6, end_time = number * 6 + 5 }
  end
  return encode({ id = 1, success = true, transcript_object = turns, call_id = ("x"):rep(100) }, "call")
end

describe("a report in a browser", function()
  local dir

  setup(function()
    browser.install()
    dir = shell "mktemp -d":match "%S+"
  end)
  teardown(function()
    shell("rm -rf " .. dir)
  end)

  -- The judgements of pages, by their names.
  local function judge(pages)
    local paths = {}
    for name, page in pairs(pages) do
      paths[#paths + 1] = ("%s/%s.html"):format(dir, name)
      file.write(paths[#paths], page)
    end
    table.sort(paths)
    return browser.run("judge " .. table.concat(paths, " "))
  end

  -- Asserts that pages run no text of the service as a script, ask for nothing but recordings, are accessible, and fit.
  local function assert_good(pages)
    local backs = {}
    for _, judgement in ipairs(judge(pages)) do
      local name = ("%s at %d, %s: "):format(judgement.page, judgement.width, judgement.scheme)
      assert.is_false(judgement.broken, name)
      assert.equal(0, judgement.dialogs, name)
      assert.same({}, judgement.violations, name)
      assert.same({}, judgement.errors, name)
      assert.is_true(judgement.overflow <= 0, name .. judgement.overflow)
      assert.is_true(judgement.passes > 15, name)
      for _, url in ipairs(judgement.requests) do
        assert.truthy(url:find "^https://recordings%.example/", url)
      end
      backs[judgement.scheme] = judgement.back
    end
    assert.not_equal(backs.light, backs.dark)
  end

  local attacks = table.concat(cases.ATTACKS, " ")

  it("runs no text of the service as a script, and is accessible", function()
    assert_good { whole = report(cases.call()), long = report(long_call()), empty = report '{"id":1}',
      attacked = report(cases.call(function(text)
        return attacks .. text
      end)) }
  end)

  it("of a period is so, too, with many metrics and days, and with none", function()
    local calls = {} -- with each attack by itself, since a name is cut
    for _, passed in ipairs { false, false, true } do
      local metrics = {}
      for number, attack in ipairs(cases.ATTACKS) do
        metrics[number] = periods.metric(number, attack, passed)
        metrics[#cases.ATTACKS + number] = { id = 20 + number, name = attack, value = attack }
        calls[#calls + 1] = periods.call(1, nil, nil, { id = attack, status = attack, call_ended_reason = attack })
      end
      calls[#calls + 1] = periods.call(1, passed, setmetatable(metrics, core.array_mt))
    end
    assert_good { ["period-many"] = periods.page(periods.many(60, 40, 10), 60),
      ["period-month"] = periods.page(periods.many(30, 6, 40), 30),
      ["period-year"] = periods.page(periods.many(365, 4, 3), 365),
      ["period-day"] = periods.page(periods.many(1, 6, 80), 1), ["period-empty"] = periods.page({}, 7),
      ["period-one"] = periods.page({ periods.call(2, false, { periods.metric(1, "A", false) }) }, 3),
      ["period-attacked"] = periods.page(calls, 3, { title = attacks, facts = { { attacks, attacks } } }) }
  end)

  it("of the changes of a prompt is so, too", function()
    local old, new = {}, {}
    for number = 1, 60 do
      old[number] = ("- Rule %d: when the caller asks about point %d, answer in one sentence.\n"):format(number, number)
      new[number] = number % 9 == 0 and "" or old[number]:gsub("one sentence", number % 13 == 0 and "short" or "%0")
    end
    assert_good { changes = changes { old = table.concat(old), new = table.concat(new), summary = "Shorter." },
      ["changes-none"] = changes { old = "a\n", new = "a\n" }, ["changes-long"] = changes { old = ("x"):rep(5000),
        new = ("word "):rep(2000) },
      ["changes-attacked"] = changes { old = attacks .. "\n" .. attacks .. "\nx", new = attacks .. " y\n" .. attacks,
        summary = attacks } }
  end)

  it("would be found wrong, if it were", function()
    local attack = '<img src="data:," onerror="window.broken = 1"><div style="width:3000px">x</div>'
    local judgements = judge { wrong = ('<!DOCTYPE html><html><title>x</title><body>%s'):format(attack) }
    for _, judgement in ipairs(judgements) do
      assert.is_true(judgement.broken)
      assert.is_true(judgement.overflow > 0)
      assert.truthy(table.concat(judgement.violations, " "):find "html%-has%-lang")
    end
    -- The policy holds where the escape would fail.
    judgements = judge { escape = (report(cases.call()):gsub("Lakeside Dental receptionist",
      "<script>window.broken = 1</script><img src='data:,' onerror='window.broken = 1'>")) }
    for _, judgement in ipairs(judgements) do
      assert.is_false(judgement.broken)
      assert.truthy(table.concat(judgement.errors, " "):find "Content Security Policy")
    end
  end)

  it("plays the recording from a turn, by mouse and keys, and shows where it is", function()
    local port = process.free_port()
    local url = ("http://127.0.0.1:%d/"):format(port)
    file.write(dir .. "/play.html", report(cases.call(nil, url .. "call.wav")))
    file.write(dir .. "/play-broken.html", report(cases.call(nil, url .. "missing")))
    local seen = browser.run(("play %s/play.html %d"):format(dir, port))
    assert.same({ turns = { "turn-5" }, playhead = "visible", url = "play.html" }, seen.clicked)
    assert.same({ turns = { "turn-8" }, playhead = "visible", url = "play.html" }, seen.entered)
    assert.same({ "turn-6" }, seen.pointed.turns)
    assert.equal("play.html#turn-5", seen.linked.url)
    assert.equal("The recording cannot be played here.", seen.status)
  end)
end)

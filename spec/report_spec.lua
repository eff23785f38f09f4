--- The report of one call as HTML. spec/hosts/report_page_spec.lua opens it in a browser.

local cases = require "spec.support.report_cases"
local cekura = require "cekura"
local decimal_comma = require "spec.support.decimal_comma"
local encode = require "cekura.http.encode"
local file = require "spec.support.file"
local harmless_page = require "spec.support.harmless_page"
local html = require "cekura.report.html"
local html_reader = require "spec.support.html_reader"
local policy = require "cekura.report.policy"
local script = require "cekura.report.script"
local shell = require "spec.support.shell"
local simulator = require "spec.support.simulator"
local style = require "cekura.report.style"

local function report(json)
  return cekura.report(cekura.assert(cekura.call_log(json)))
end

local function report_of(fields)
  return report(encode(fields, "call"))
end

local all, texts = harmless_page.all, harmless_page.texts

local function assert_is_harmless(page)
  return harmless_page.check(page, true)
end

describe("the report of a call", function()
  it("has the policy of its style and its script, whose checksums are right", function()
    local function checksum(text)
      return file.temporary(text, function(path)
        return "sha256-" .. shell(("openssl dgst -sha256 -binary %s | base64"):format(path)):match "%S+"
      end)
    end
    assert.equal(("default-src 'none'; style-src '%s'; script-src '%s'; media-src 'none'; base-uri 'none'; "
      .. "form-action 'none'"):format(checksum(style), checksum(script)), policy(true))
    assert.equal((policy(true):gsub("script%-src 'sha256[^;]+;", "script-src 'none';")), policy())
    local metas = all(html_reader.read(report(cases.call())), "meta", { ["http-equiv"] = "Content-Security-Policy" })
    assert.equal(policy(true, "https://recordings.example"), metas[1].attributes.content)
  end)

  it("is well-formed, with unique ids, whose references exist, and headings in order", function()
    harmless_page.check_structure(assert_is_harmless(report(cases.call())))
  end)

  it("escapes each text of the service, wherever it is", function()
    local plain = #html_reader.read(report(cases.call()))
    for _, attack in ipairs(cases.ATTACKS) do
      local count = 0
      local elements = assert_is_harmless(report(cases.call(function(text)
        count = count + 1
        return text .. " (" .. count .. ") " .. attack
      end)))
      assert.equal(plain, #elements, attack)
      local all_text = table.concat(texts(elements), "\n")
      local shown = attack:gsub("[%z\27]", "\239\191\189"):gsub("\226\128\174", "\239\191\189")
      for number = 1, count do
        assert.truthy(all_text:find(("(%d) %s"):format(number, shown), 1, true), number .. attack)
      end
      assert.equal(30, count)
    end
  end)

  it("plays only recordings at a URL of http or https", function()
    for _, attack in ipairs(cases.ATTACKS) do
      assert.equal(0, #all(assert_is_harmless(report(cases.call(nil, attack))), "audio"), attack)
    end
    for _, row in ipairs {
      { "https://a.example/x.wav", "https://a.example" },
      { "HTTP://a.example:8080/x.wav?a=1&b=2", "http://a.example:8080" },
      { "https://a.example", "https://a.example" },
      { "https://a.example?x", "https://a.example" },
      { "https://a.example/x#t=3", "https://a.example", "https://a.example/x" },
      { "https://user:password@a.example/" }, { "https://a.example;script-src *" }, { "https://a.example:port/" },
      { "https://a.example/ b" }, { "https://a.example:/" }, { "https:///x" }, { "//a.example/x" },
      { "data:audio/wav," }, { "javascript://a.example/%0awindow.broken=1" }, { "file://a.example/x.wav" },
      { "https://a.example,https://*/" }, { "https://*/" }, { "https://a.example/\n" }, { "https://[::1]/" }, { "" },
      { 5 }, { false },
    } do
      local url, source = html.url(row[1])
      assert.equal(row[2] and (row[3] or row[1]), url)
      assert.equal(row[2], source)
    end
    assert.is_nil(html.url "https://a.example/?a=1&b='")
  end)

  it("shows the metrics with their explanations, failures first", function()
    local elements = html_reader.read(report(cases.call()))
    assert.same({ "Failed (1)", "Without a verdict (2)", "Passed (1)" }, texts(elements, "h3"))
    local names = texts(elements, "span", { class = "name" })
    assert.same({ "No medical advice", "Outcome", "Seconds to the first word", "Appointment confirmed" },
      { names[1], names[2], names[3], names[4] })
    local page = report(cases.call())
    assert.truthy(page:find("A painkiller, at <a href=\"#turn-5\" data-seek=\"14\">[00:14]</a>.", 1, true))
    assert.truthy(page:find("<p>Nothing was noted down.</p>", 1, true))
    assert.truthy(page:find("Advice beyond the role (critical)", 1, true))
    assert.truthy(page:find("</span>: abandoned</p>", 1, true))
  end)

  it("says so where there is nothing", function()
    local page = report_of { id = 7, status = "evaluating" }
    html_reader.read(page)
    for _, text in ipairs { "The call has no metrics: it has not been evaluated yet.", "The call has no transcript.",
      "The turns have no times.", "The record has no recording.", "No verdict" } do
      assert.truthy(page:find(text, 1, true), text)
    end
    assert.truthy(report_of { success = true, status = "success" }:find("The call has no metrics.", 1, true))
    assert.truthy(report_of {}:find("<h1>Call without an id</h1>", 1, true))
  end)

  it("draws a lane for each side, tools, silences, overlaps and the point of dropoff", function()
    local elements = html_reader.read(report(cases.call()))
    local function count(name, class)
      return #all(elements, name, { class = class })
    end
    assert.same({ 3, 2, 1 }, { count("rect", "bar lane-1"), count("rect", "bar lane-2"), count("rect", "bar lane-3") })
    assert.same({ 1 + 1, 1 + 1 }, { count("circle", "tool"), count("circle", "tool result") }) -- with the legend
    assert.same({ 4, 1 + 1, 1 + 1 }, { count("rect", "silence"), count("rect", "overlap"), count("line", "dropoff") })
    local bar = all(elements, "rect", { class = "bar lane-2" })[1].attributes
    assert.same({ "3.857%", "6.429%" }, { bar.x, bar.width }) -- 2.7 s and 4.5 s of 70 s
    assert.equal("80%", all(elements, "line", { class = "dropoff" })[1].attributes.x1)
    assert.equal("6 turns, 1 tool call, 1 overlap, 4 silences of 2 s or more, the longest of 14 s in a call of 1:10.",
      all(elements, "p", { id = "timeline-summary" })[1].text)
  end)

  it("has the transcript in words, with silences in between", function()
    local order = {}
    for _, element in ipairs(html_reader.read(report(cases.call()))) do
      if element.name == "li" and (element.attributes.class or ""):find "^note" then
        order[#order + 1] = element.text
      elseif (element.attributes.id or ""):find "^turn%-" then
        order[#order + 1] = element.attributes.id .. " " .. element.attributes["data-at"]
      end
    end
    assert.same({ "turn-1 0.4", "turn-2 2.7", "Silence of 7.3 s, from 0:07 to 0:14", "turn-3 7.4", "turn-4 8.1",
      "turn-5 14.5", "turn-6 23.3", "Silence of 13.3 s, from 0:24 to 0:38", "turn-7 38.1",
      "Silence of 8 s, from 0:44 to 0:52", "turn-8 52", "Silence of 14 s, from 0:56 to 1:10",
      " before the insurance was asked for" }, order)
    assert.truthy(report(cases.call()):find(
      '<a href="https://recordings.example/sess-1.wav#t=2.7" data-seek="2.7" aria-label="Play from 0:02">0:02</a>', 1,
      true))
  end)

  it("has the turns of a text transcript, whose ends are unknown, and many roles in four lanes", function()
    local page = report_of { id = 1, duration = "00:20", transcript = "[00:01] A: Hello.\n[00:05] B: Yes?" }
    html_reader.read(page)
    assert.truthy(page:find("The turns have no ends: each bar ends where the next begins.", 1, true))
    local turns = {}
    for number = 1, 9 do
      turns[number] = { role = "Role " .. number, content = "x", start_time = number, end_time = number + 1 }
    end
    local elements = html_reader.read(report_of { id = 1, transcript_object = turns })
    local labels = {}
    for _, element in ipairs(elements) do
      if element.name == "li" and next(element.attributes) == nil and not element.text:find "Silence" then
        labels[#labels + 1] = element.text
      end
    end
    assert.same({ "Role 1", "Role 2", "Role 3", "Others" }, labels)
  end)

  it("draws a long call as several strips, with what reaches from one into the next in both", function()
    local elements = html_reader.read(report_of { id = 1, duration = "20:00", transcript_object = {
      { role = "user", content = "x", start_time = 10, end_time = 20 },
      { role = "user", content = "x", start_time = 295, end_time = 305 },
      { role = "Function Call", start_time = 300, data = { name = "f" } },
      { role = "Function Call Result", start_time = 1200, data = { result = "r" } },
    }, dropoff_point = "early" })
    local strips = all(elements, "svg", { class = "timeline" })
    assert.equal(4, #strips)
    for index, strip in ipairs(strips) do
      assert.same({ tostring((index - 1) * 300), tostring(index * 300) },
        { strip.attributes["data-from"], strip.attributes["data-to"] })
    end
    local bars = all(elements, "rect", { class = "bar lane-1" })
    assert.same({ "98.333%", "1.667%" }, { bars[2].attributes.x, bars[2].attributes.width })
    assert.same({ "0%", "1.667%" }, { bars[3].attributes.x, bars[3].attributes.width })
    assert.equal(3, #bars)
    assert.equal("0%", all(elements, "circle", { class = "tool" })[1].attributes.cx)
    assert.equal("100%", all(elements, "circle", { class = "tool result" })[1].attributes.cx)
    assert.equal(1 + 1, #all(elements, "circle", { class = "tool" }))
    elements = html_reader.read(report_of { duration = "99999:00", transcript = "[00:01] A: Hello." })
    assert.equal(24, #all(elements, "svg", { class = "timeline" }))
  end)

  it("ends with the last turn where the duration is a date, or otherwise none of a call", function()
    for _, duration in ipairs { 2e9, 1e7, "999999:59:59" } do
      local page = report_of { duration = duration, transcript_object = {
        { role = "user", content = "x", start_time = 1, end_time = 2 } } }
      assert.truthy(page:find("in a call of 0:02.", 1, true), duration)
    end
  end)

  it("is the same in every locale", function()
    local found = decimal_comma(function()
      return report(cases.call())
    end)
    if found then
      assert.equal(report(cases.call()), found[1])
    end
  end)

  it("reads runs of a result, too, and refuses anything else", function()
    local server = simulator.start()
    finally(function()
      server:stop()
    end)
    server:script("/test_framework/v2/results/7/", { { body = '{"id":7,"runs":[{"id":8,"status":"completed"}]}' } })
    local client = server:client()
    local run = cekura.assert(client.results:get(7)):runs()()
    assert.truthy(cekura.report(run):find("<h1>Run 8</h1>", 1, true))
    client:close()
    for _, row in ipairs { { nil, "got nothing" }, { {}, "got table" }, { cekura.record "{}", "got record" } } do
      local ok, message = pcall(cekura.report, row[1])
      assert.is_false(ok)
      assert.truthy(message:find("call: a call log or a run expected, " .. row[2], 1, true), message)
    end
  end)

  it("has no key, though the service repeats it", function()
    local server = simulator.start()
    finally(function()
      server:stop()
    end)
    server:script("/observability/v2/call-logs/7/", { { body = cases.call(function(text)
      return text .. " key-0123456789&"
    end, "https://recordings.example/?key=key-0123456789&") } })
    local client = server:client { api_key = "key-0123456789&" }
    local page = cekura.report(cekura.assert(client.calls:get(7)))
    client:close()
    assert.falsy(page:find("key-0123456789", 1, true))
  end)
end)

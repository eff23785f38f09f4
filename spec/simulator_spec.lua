--- The simulated service without a network: its answers are valid by the official document, records can be made and
-- read, and scripts are checked.

local admin = require "cekura.simulator.admin"
local api = require "cekura.simulator.api"
local cekura = require "cekura"
local CASES = require "spec.support.kind_cases"
local file = require "spec.support.file"
local json = require "cekura.simulator.json"
local kinds = require "cekura.api.kinds"
local openapi = require "cekura.simulator.openapi"
local regex = require "cekura.simulator.regex"
local samples = require "cekura.simulator.samples"
local shell = require "spec.support.shell"
local sorted_keys = require "spec.support.sorted_keys"
local uri = require "cekura.simulator.uri"

-- What the service is known or described to answer although the document has another schema for it: the faults by
-- operation, each with the reason.
local DEFAULT = "the schema is the generator's default, that of the record; the words describe another answer"
local UNTYPED = "a member without a type in the service's source, which the generator calls a string"
local NO_MODEL = "the document has one schema for metrics of all kinds and both formats"
local TURNS = "the turns of calls that the service was seen to send"
local OTHERWISE = {
  ["GET /observability/v2/call-logs/"] = {
    evaluation = UNTYPED, transcript_object = UNTYPED, enum = NO_MODEL, score = NO_MODEL,
    value = NO_MODEL, type = NO_MODEL, count = "the service leaves it out unless it is asked for",
    status = "the words name evaluating, too",
  },
  ["GET /observability/v2/call-logs/{id}/"] = {
    enum = NO_MODEL, score = NO_MODEL, value = NO_MODEL, type = NO_MODEL, timestamp = TURNS, content = TURNS,
  },
  ["PATCH /observability/v2/call-logs/{id}/"] = {
    enum = NO_MODEL, score = NO_MODEL, value = NO_MODEL, type = NO_MODEL,
  },
  ["POST /observability/v2/call-logs/evaluate_metrics/"] = {
    evaluation = UNTYPED, transcript_object = UNTYPED, enum = NO_MODEL, score = NO_MODEL, value = NO_MODEL,
    type = NO_MODEL,
  },
  ["POST /observability/v1/call-logs/rerun_evaluation/"] = {
    enum = NO_MODEL, score = NO_MODEL, value = NO_MODEL, explanation = "a plain text in the older format",
    timestamp = TURNS, content = TURNS,
  },
  ["POST /observability/v1/observe/"] = { evaluation = UNTYPED, transcript_object = UNTYPED,
    status = "a record that is sent is evaluating" },
  ["POST /observability/v1/alerts/{id}/summarize/"] = { name = DEFAULT, project = DEFAULT, source_type = DEFAULT },
  ["GET /observability/v1/alerts/summarize_progress/"] = { name = DEFAULT, project = DEFAULT, source_type = DEFAULT },
  ["POST /user/v1/projects/{id}/preview_daily_report/"] = { name = DEFAULT },
  ["GET /test_framework/v2/aiagents/{id}/auto-fetch-progress/"] = { status = "the words name queued, too" },
  ["GET /test_framework/metric-reviews/process_feedbacks_progress/"] = { improved_evaluation_trigger = DEFAULT,
    improved_metric_description = DEFAULT },
  ["GET /test_framework/v1/runs/run_expected_outcome_progress/"] = { status = DEFAULT },
  ["POST /test_framework/v1/scenarios/generate-instructions/"] = { personality = DEFAULT },
  ["GET /test_framework/v1/scenarios/instructions-progress/"] = { personality = DEFAULT },
  ["POST /test_framework/v1/results/{id}/ask_about_failures/"] = { status = "202 in newer documents" },
  ["GET /observability/v1/deep-research-insights/{id}/"] = { failure_modes = UNTYPED },
  ["GET /test_framework/v2/results/{id}/"] = {
    completed_runs_count = UNTYPED, failed_runs_count = UNTYPED, is_cronjob = UNTYPED, success_runs_count = UNTYPED,
    met_expected_outcome_count = UNTYPED, total_expected_outcome_count = UNTYPED, total_runs_count = UNTYPED,
  },
}
for _, channel in ipairs { "ello", "jotform", "livekit", "livekit_chat" } do
  OTHERWISE[("POST /test_framework/v1/scenarios/run_scenarios_%s/"):format(channel)] = { personality = DEFAULT }
end

-- The paths of progress that the document lacks, and has another path for that they would match.
local UNDOCUMENTED = { improve_prompt_progress = true, ["failure-analysis-progress"] = true,
  preview_daily_report_progress = true }

local function ask(method, target, body, more)
  local path, query = uri.split(target)
  local headers = { ["x-cekura-api-key"] = "sim-key", ["content-type"] = "application/json" }
  for name, value in pairs(more or {}) do
    headers[name] = value
  end
  return api.answer { method = method, path = path, uri = target, query = query, headers = headers, at = 0,
    body = type(body) == "table" and json.encode(body) or body }
end

-- The value of an answer with that status.
local function value_of(reply, status)
  assert.equal(status or 200, reply.status, reply.body)
  return json.decode(reply.body)
end

-- What is wrong with an answer by the document, beside what is known.
local used = {}

local function faults_of(method, target, reply)
  local path = uri.split(target)
  local operation = openapi.find(method, path)
  if not operation or UNDOCUMENTED[path:match "([^/]+)/$"] then
    return {}
  end
  local left, endpoint = {}, method .. " " .. operation.path
  local known = OTHERWISE[endpoint] or {}
  local body = reply.body ~= "" and json.decode(reply.body) or nil
  for _, fault in ipairs(openapi.answer_faults(operation, reply.status, body)) do
    local name = fault:match "^([^:]*):":match "([%w_]*)[%[%]%d]*$"
    left[#left + 1] = not known[name] and endpoint .. ": " .. fault or nil
    used[endpoint .. " " .. tostring(name)] = true
  end
  return left
end

local function ask_validly(method, target, ...)
  local reply = ask(method, target, ...)
  assert.same({}, faults_of(method, target, reply))
  return reply
end

before_each(function()
  admin.reset()
end)

describe("an operation", function()
  -- What a sample of the request lacks.
  local BODIES = {
    ["calls.evaluate_metrics"] = { call_logs = { 5181749 }, metrics = { 501 }, agent_id = 2142 },
    ["calls.send"] = { call_id = "x", agent = 2142, transcript_type = "vapi", transcript_json = json.list() },
  }
  -- The starts of the records that an operation needs.
  local RESULT = { "/test_framework/v2/scenarios/run_scenarios/", { agent_id = 2142, scenarios = { 1 } } }
  local INSIGHT = { "/observability/v1/metric-failure-mode-insights/generate/",
    { project = 310, metric_name = "x", metric = 502 } }
  local BEFORE = { ["results.get"] = RESULT, ["results.end_calls"] = RESULT, ["failure_mode_insights.get"] = INSIGHT }

  for _, operation in ipairs(cekura.operations()) do
    local name = operation.resource .. "." .. operation.name
    it(name .. " has a valid answer", function()
      local id = "5181749"
      if BEFORE[name] then
        local started = ask("POST", BEFORE[name][1], BEFORE[name][2])
        id = ("%d"):format(json.decode(started.body).id)
      end
      local path = operation.path:gsub("{id}", id):gsub("{[^}]*}", "late-answers")
      local query, body = samples.request(assert(openapi.find(operation.method, path)))
      for key, value in pairs(query) do
        query[key] = type(value) == "table" and json.encode(value) or value
      end
      local arguments = uri.encode_query(name == "calls.list" and {} or query)
      local reply = ask_validly(operation.method, path .. "?" .. arguments, BODIES[name] or body)
      assert.is_true(reply.status < 300, reply.body)
      local answer = reply.body ~= "" and json.decode(reply.body) or nil
      if operation.paged then
        assert.is_table(answer.results)
      elseif operation.method == "GET" and operation.path:find "{id}/$" then
        assert.equal(tonumber(id), answer.id)
      end
    end)
  end

  it("that lists has the library's pages", function()
    assert.equal(json.null, value_of(ask("GET", "/test_framework/v2/aiagents/")).next)
    assert.equal(2, value_of(ask("GET", "/test_framework/v2/aiagents/7/personalities/")).count + 1)
  end)

  it("answers with the id that was asked for", function()
    assert.equal(7, value_of(ask("GET", "/test_framework/v2/aiagents/7/")).id)
    assert.equal(7, value_of(ask("PATCH", "/test_framework/v2/aiagents/7/", { name = "Anna" })).id)
    assert.equal("Anna", value_of(ask("GET", "/test_framework/v2/aiagents/7/")).name)
  end)

  it("that creates a record makes one that can be read, listed, changed, copied and deleted", function()
    local path = "/dashboards/dashboards/"
    local made = value_of(ask_validly("POST", path, { name = "Nights", project = 310 }), 201)
    local other = value_of(ask_validly("POST", path, { name = "Days", project = 310 }), 201)
    assert.equal("Nights", made.name)
    assert.are_not.equal(made.id, other.id)
    local own = ("%s%d/"):format(path, made.id)
    assert.equal("Nights", value_of(ask_validly("GET", own)).name)
    assert.equal("Late", value_of(ask_validly("PATCH", own, { name = "Late" })).name)
    local listed = value_of(ask_validly("GET", path)).results
    assert.equal(2, #listed)
    assert.equal("Days", listed[1].name)
    assert.equal("Late", listed[2].name)
    local copy = value_of(ask_validly("POST", own .. "duplicate/"), 201)
    assert.equal("Late", copy.name)
    assert.is_true(copy.id > other.id)
    value_of(ask_validly("DELETE", own), 204)
    value_of(ask("GET", own), 404)
    value_of(ask("DELETE", own), 404)
    assert.equal(2, #value_of(ask_validly("GET", path)).results)
    admin.reset()
    assert.equal(made.id, value_of(ask("GET", own)).id)
  end)

  it("that lists has the work that was started", function()
    local started = value_of(ask("POST", "/test_framework/v2/scenarios/run_scenarios/", { scenarios = { 1 } }), 201)
    local listed = value_of(ask_validly("GET", "/test_framework/v2/results/")).results
    assert.same({ 1, started.id, "in_progress" }, { #listed, listed[1].id, listed[1].status })
  end)

  it("has the same records in each version of its path", function()
    local made = value_of(ask("POST", "/test_framework/v2/metrics/", samples.answer(
      openapi.content_schema(openapi.find("POST", "/test_framework/v2/metrics/").declared.requestBody.content))), 201)
    assert.equal(made.id, value_of(ask("GET", "/test_framework/v2/metrics/"))[1].id)
  end)

  it("is refused by the document's faults, and these are remembered", function()
    local reply = ask("POST", "/user/v1/projects/", { nme = "Nights" })
    assert.equal('{"name":["is required"]}', reply.body)
    assert.equal(400, reply.status)
    assert.equal("POST /user/v1/projects/", admin.memory().faults[1].endpoint)
    assert.equal("body.name: is required", admin.memory().faults[1].fault)
  end)
end)

describe("a kind of job", function()
  -- The target of the polls of a job that the start has answered so.
  local function poll_of(name, answer)
    local case, declared = CASES[name], kinds[name]
    if not declared.poll then
      return nil
    end
    local id_name = declared.id or "progress_id"
    local id = answer[id_name] or answer.id or answer[1].id
    local path = (case.poll or declared.poll:match " (.*)$"):gsub("{version}", "v2")
      :gsub("{id}", function() return ("%d"):format(id) end)
    return case.polls_a_record and path or ("%s?%s=%s"):format(path, id_name, id)
  end

  for _, name in ipairs(sorted_keys(kinds)) do
    local lives = sorted_keys(CASES[name].ends)
    table.insert(lives, 1, "completed")
    for _, life in ipairs(lives) do
      it(name .. " has valid answers with life=" .. life, function()
        local method, path = kinds[name].start:match "^(%S+) (%S+)$"
        local reply = ask_validly(method, CASES[name].path or path:gsub("{version}", "v2"), CASES[name][2],
          { ["x-simulate"] = "polls=2; life=" .. life })
        assert.is_true(reply.status < 300, reply.body)
        local poll = poll_of(name, json.decode(reply.body))
        for _ = 1, poll and 4 or 0 do
          value_of(ask_validly("GET", poll))
        end
      end)
    end
  end
end)

it("another schema than the document's is answered only where that is listed", function()
  for endpoint, members in pairs(OTHERWISE) do
    for name in pairs(members) do
      assert.is_true(used[endpoint .. " " .. name], endpoint .. " " .. name)
    end
  end
end)

describe("a script", function()
  it("answers requests to a path, or only those of a method", function()
    admin.script { path = "/echo/", replies = { { status = 500 }, { body = { ids = json.list() } } } }
    admin.script { path = "POST /echo/", replies = { { status = 503, headers = { ["Retry-After"] = 1 } } } }
    assert.equal("1", ask("POST", "/echo/").headers["Retry-After"])
    assert.equal(500, ask("GET", "/echo/").status)
    for _ = 1, 2 do
      local reply = ask("GET", "/echo/")
      assert.equal('{"ids":[]}', reply.body)
      assert.equal("application/json", reply.headers["Content-Type"])
    end
    admin.script { path = "/echo/", replies = { { pass = true } } }
    assert.equal("GET", value_of(ask("GET", "/echo/")).method)
  end)

  it("has its bodies as bytes", function()
    local path = os.tmpname()
    file.write(path, "bytes of a file")
    admin.script { path = "/x/", replies = { { size = 3 }, { file = path }, { file = path, raw = true },
      { body = "text", headers = { ["content-type"] = "text/plain" }, cut = 2, delay = 1 }, { limit = 0 } } }
    assert.equal("xxx", ask("GET", "/x/").body)
    assert.equal("bytes of a file", ask("GET", "/x/").body)
    assert.equal("bytes of a file", ask("GET", "/x/").raw)
    local reply = ask("GET", "/x/")
    assert.same({ "text", { ["content-type"] = "text/plain" }, 2, 1 },
      { reply.body, reply.headers, reply.cut, reply.delay })
    assert.equal(429, ask("GET", "/x/").status)
    os.remove(path)
  end)

  it("has no files in scripts that come over HTTP, which anybody on the machine may send", function()
    local reply = ask("POST", "/_sim/script/", { path = "/x/", replies = { {}, { file = "/etc/hostname" } } })
    assert.equal(400, reply.status)
    assert.equal(404, ask("GET", "/x/").status)
  end)

  it("holds a reply until its name is released, or until a reset", function()
    admin.script { path = "/x/", replies = { { hold = "gate" } } }
    local reply = ask("GET", "/x/")
    assert.is_true(api.waits(reply))
    admin.release { name = "gate" }
    assert.is_false(api.waits(reply))
    admin.reset()
    assert.same({ false, true }, { api.waits(reply) })
  end)

  it("is refused if a reply of it is wrong", function()
    for _, case in ipairs {
      { "/x/", "no list", "The replies are no list." }, { "/x/", { status = 200 }, "The replies are no list." },
      { "/x/", { {}, { stats = 503 } }, "Reply 2 has the unknown member stats." },
      { "/x/", { { status = "503" } }, "Reply 1 has another status than a status from 200 to 999." },
      { "/x/", { { headers = { "a" } } }, "Reply 1 has another headers than a table of names and texts." },
      { "/x/", { { delay = -1 } }, "Reply 1 has another delay than seconds." },
      { "/x/", { 503 }, "Reply 1 is no table." }, { "x", {}, "A path is missing." }, { nil, {}, "A path is missing." },
    } do
      assert.same({ n = 2, nil, case[3] }, { n = 2, admin.script { path = case[1], replies = case[2] } })
    end
    local reply = ask("POST", "/_sim/script/", { path = "/x/", replies = { { stats = 503 } } })
    assert.equal(400, reply.status)
    assert.equal('{"detail":"Reply 1 has the unknown member stats."}', reply.body)
  end)
end)

describe("the requests", function()
  it("are listed, by method and path, with the value of a body that is JSON", function()
    ask("POST", "/echo/one/?a=1&a=2&b=x%20y", '{"big":9007199254740993,"list":[],"none":null}')
    ask("GET", "/echo/one/")
    ask("POST", "/echo/two/", "plain")
    local first = admin.requests()[1]
    assert.same({ "POST", "/echo/one/", { a = { "1", "2" }, b = "x y" } }, { first.method, first.path, first.query })
    assert.equal("sim-key", first.headers["x-cekura-api-key"])
    assert.equal("9007199254740993", first.json.big.text)
    assert.equal(json.null, first.json.none)
    assert.equal(1, #admin.requests { method = "GET" })
    assert.equal(2, #admin.requests { path = "/echo/one/" })
    assert.equal("plain", admin.requests({ method = "POST", path = "/echo/two/" })[1].body)
    assert.is_nil(admin.requests({ path = "/echo/two/" })[1].json)
  end)

  it("are listed over HTTP, whatever bytes they have", function()
    ask("POST", "/echo/", "caf\195\169")
    ask("POST", "/echo/", "caf\233")
    local listed = value_of(ask("GET", "/_sim/requests/?method=POST")).requests
    assert.same({ "caf\195\169", "caf?" }, { listed[1].body, listed[2].body })
    assert.equal("caf\233", admin.requests()[2].body)
    assert.equal("[]", json.encode(value_of(ask("GET", "/_sim/requests/?path=/x/")).requests))
  end)

  it("need the key", function()
    admin.key { key = "another" }
    assert.equal(401, ask("GET", "/observability/v2/call-logs/").status)
    assert.equal(404, ask("GET", "/_sim/other/").status)
    assert.equal(400, ask("CONNECT", "localhost:1").status)
  end)
end)

describe("the document", function()
  local LUA = os.getenv "CEKURA_LUA" or "lua5.4"

  it("is what `make generate` writes", function()
    assert.is_true(file.read "lua/cekura/simulator/document.lua" == shell(LUA .. " tools/simulator_document.lua"),
      "run make generate")
  end)

  it("has all of spec/api/openapi.json", function()
    local whole, document = json.decode(file.read "spec/api/openapi.json"), require "cekura.simulator.document"
    assert.same(sorted_keys(whole.components.schemas), sorted_keys(document.schemas))
    assert.same(sorted_keys(whole.paths), sorted_keys(document.paths))
    local text = json.encode(whole.components.schemas):gsub("#/components/schemas/", "")
    assert.is_true(#text > 100000)
    assert.is_true(text == json.encode(document.schemas))
  end)

  it("is loaded only for operations without a handler, and for faults", function()
    assert.equal("nil\tnil\ttable\n", (shell(LUA .. [[ -e '
      local api, name = require "cekura.simulator.api", "cekura.simulator.document"
      local function ask(path)
        local headers = { ["x-cekura-api-key"] = "sim-key" }
        api.answer { method = "GET", path = path, uri = path, query = {}, headers = headers }
        return type(package.loaded[name])
      end
      print(ask "/observability/v2/call-logs/5181749/", ask "/echo/", ask "/test_framework/v2/aiagents/")']])))
  end)
end)

describe("JSON", function()
  it("is read and written without loss", function()
    local text = '{"a":[],"b":{},"c":null,"d":-9007199254740993,"e":[1,-2,0.1,true,false,null,"é\\u0000\\"\\\\"]}'
    assert.equal(text, json.encode(json.decode(text)))
    assert.equal('"ä😀\\n/\239\191\189"', json.encode(json.decode [["\u00e4\ud83d\ude00\n\/\ud83d"]]))
    assert.equal("[1500,-0.5]", json.encode(json.decode " [ 1.5e3 , -5E-1 ] "))
    assert.equal("[null]", json.encode { 0 / 0 })
  end)

  for _, text in ipairs { "", "{", "[1,]", '{"a"}', '{"a":1,}', "01", "1.", ".5", "[1 2]", '"\1"', "nul", "{} x", '["a',
    '"\\x"', ("["):rep(300) } do
    it("is not " .. text:sub(1, 10):gsub("%c", "?"), function()
      assert.is_nil(json.decode(text))
    end)
  end
end)

describe("a regular expression", function()
  for _, case in ipairs {
    { "^\\+1555", "+15550100", true }, { "a|b$", "xxb", true }, { "a|b$", "xbx", false }, { "^(ab)+$", "abab", true },
    { "^(ab)+$", "aba", false }, { "^(a*)*$", "aaab", false }, { "[^a-c]+x", "dx", true },
    { "^[a-c]{2,3}$", "abca", false }, { "^[a-c]{2,}$", "abca", true }, { "^a{2}$", "aaa", false },
    { "a.*?c", "a..bc", true }, { "\\bfoo\\b", "a foo b", true },
    { "\\bfoo\\b", "afoo b", false }, { "^(?:x|yz)?w$", "yzw", true }, { "[]\\d]", "]", true }, { "\\.", "a", false },
    { "^\\w+\\s\\D$", "a_1 x", true }, { "", "", true },
  } do
    it(("%s %s %q"):format(case[1], case[3] and "matches" or "does not match", case[2]), function()
      assert.equal(case[3], assert(regex.compile(case[1]))(case[2]))
    end)
  end

  it("is refused if it is none", function()
    for _, pattern in ipairs { "(a", "a)", "[a", "*a", "\\q", "\\" } do
      assert.is_nil(regex.compile(pattern))
    end
  end)
end)

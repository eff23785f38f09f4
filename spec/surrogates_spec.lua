-- A text that was cut inside an emoji contains a lone surrogate, as an escape. All readers of JSON turn it into U+FFFD,
-- keep the rest, and do not change the bytes of a record.

local cekura = require "cekura"
local simulator = require "spec.support.simulator"

local CUT = "Sure \239\191\189" -- the value of [[Sure \ud83d]]

-- A call log with lone surrogates in texts, in names of members and in transcripts.
local CALL = [[{"id":7,"call_id":"c\ud83d-7","status":"success","agent_name":"Sure \ud83d","na\ude00me":1,
  "metadata":{"\ud83d":["\ude00\ud83d"],"note":"Sure \ud83d"},
  "transcript":"[00:01] Agent (\ud83d): Sure \ud83d\n[00:04] Caller: Bye","success":true,
  "transcript_object":[{"role":"Main Agent","content":"Sure \ud83d","start_time":1},
    {"role":"Caller","content":["Sure \ud83d","Bye"]}],
  "notes":"[{\"role\":\"a\",\"content\":\"Sure \\ud83d\"}]",
  "evaluation":{"metrics":[{"id":5,"name":"Sure \ud83d","score":5,"explanation":["Sure \ud83d"]}]}}]]

-- Checks that call log, wherever it came from.
local function check(call)
  assert.equal(CALL, call:json())
  assert.equal("c\239\191\189-7", call.call_id)
  assert.equal(CUT, call.agent_name)
  assert.equal(CUT, call:get "agent_name")
  assert.equal(1, call:get "na\239\191\189me")
  assert.equal(1, call:fields()["na\239\191\189me"])
  assert.equal(CUT, call.metadata.note)
  assert.equal("\239\191\189\239\191\189", call:totable().metadata["\239\191\189"][1])
  local contents = {}
  for turn in call:turns() do
    contents[#contents + 1] = turn.content
  end
  assert.same({ CUT, CUT .. "\nBye" }, contents)
  local first = call:turns "transcript"()
  assert.equal("Agent (\239\191\189)", first.role)
  assert.equal(CUT, first.content)
  assert.equal(CUT, call:turns "notes"().content)
  assert.same({ CUT }, call:metric(CUT).explanation)
  assert.is_true(call:evaluated())
end

describe("a lone surrogate", function()
  local server = simulator.during(setup, teardown)
  local client

  before_each(function()
    client = server:renew_client()
    server:reset()
  end)

  local function answers(path, body, status)
    server:script(path, { { status = status, body = body } })
  end

  it("is read in a record from a string", function()
    check(cekura.assert(cekura.call_log(CALL)))
  end)

  it("is read in a record, in a page and in all pages", function()
    answers("/observability/v2/call-logs/7/", CALL)
    check(cekura.assert(client.calls:get(7)))
    for _, page in ipairs { "[" .. CALL .. "]", '{"next":null,"cut":"Sure \\ud83d","results":[' .. CALL .. "]}" } do
      answers("/observability/v2/call-logs/", page)
      check(cekura.assert(client.calls:list()).results[1])
      local count = 0
      for call in client.calls:each() do
        check(call)
        count = count + 1
      end
      assert.equal(1, count)
    end
  end)

  it("is read in a webhook", function()
    local receive = client:webhook { secret = "x" }
    local event = cekura.assert(receive({ ["X-CEKURA-SECRET"] = "x" },
      '{"event_type":"call_log.completed","note":"Sure \\ud83d","data":' .. CALL .. "}"))
    check(event.call_log)
    event = cekura.assert(receive({ ["X-CEKURA-SECRET"] = "x" },
      '{"event_type":"result.completed","data":{"id":5,"name":"Sure \\ud83d"}}'))
    assert.equal(CUT, event.data.name)
  end)

  it("is read in a result, and in the error of a failed job", function()
    local poll = "/observability/v1/call-logs/improve_prompt_progress/"
    local body = [[{"status":"completed","output":{"improved_prompt":"Sure \ud83d","summary_of_changes":"\ude00"}}]]
    answers(poll, body)
    local job = client:job("calls.improve_prompt", "p-1")
    local result = cekura.assert(job:wait { interval = 0.01, timeout = 60 })
    assert.equal(CUT, result.improved_prompt)
    assert.equal("\239\191\189", result.summary_of_changes)
    assert.equal(body, job:json())

    answers(poll, [[{"status":"failed \ud83d","error":"Sure \ud83d"}]])
    job = client:job("calls.improve_prompt", "p-2")
    local _, err = job:wait { interval = 0.01, timeout = 60 }
    assert.equal("job_failed", err.kind)
    assert.truthy(err.message:find(CUT, 1, true))
    assert.equal("failed \239\191\189", job.status)
  end)

  it("is read in a record that a job waits for", function()
    answers("/observability/v2/call-logs/7/", CALL)
    check(cekura.assert(client:job("calls.evaluation", 7):wait { interval = 0.01, timeout = 60 }))
  end)

  it("is read in the answer to a start, and in the error of a refused start", function()
    local start = "/observability/v1/call-logs/improve_prompt_bg/"
    local params = { agent_id = 1, call_logs = { 7 }, prompt = "Be nice." }
    answers(start, [[{"progress_id":"p-3","message":"Sure \ud83d"}]])
    assert.equal("p-3", cekura.assert(client.calls:improve_prompt(params)).id)
    answers(start, [[{"prompt":["Sure \ud83d"]}]], 400)
    local _, err = client.calls:improve_prompt(params)
    assert.same({ CUT }, err.fields.prompt)
    answers("/any/", [[["Sure \ud83d"]] .. "]")
    assert.equal(CUT, cekura.assert(client:request("GET", "/any/")):json()[1])
  end)

  it("is sent as U+FFFD, a valid character", function()
    local call = cekura.assert(cekura.call_log(CALL))
    answers("/observability/v2/call-logs/7/", "{}")
    cekura.assert(client.calls:update(7, { metadata = call.metadata, feedback = call.agent_name }))
    local seen = server:requests()
    assert.equal(('{"feedback":"%s","metadata":{"note":"%s","%s":["%s%s"]}}'):format(CUT, CUT, "\239\191\189",
      "\239\191\189", "\239\191\189"), seen[#seen].body)
    answers("/observability/v1/observe/", '{"id":8}', 201)
    cekura.assert(client.calls:send { call_id = call.call_id, agent = 1, transcript_type = "cekura",
      transcript_json = { { role = "Main Agent", content = call:turns()().content, start_time = 0, end_time = 1 } } })
    seen = server:requests()
    assert.truthy(seen[#seen].body:find(CUT, 1, true))
    assert.truthy(seen[#seen].body:find("c\239\191\189-7", 1, true))
  end)

  it("in invalid UTF-8 bytes is still refused", function()
    for _, text in ipairs { '{"a":"\237\160\189"}', '{"a":"\237\184\128"}', '{"a":"\\ud83d\237\184\128"}',
      '{"a":"\\ud83"}', '{"a":"\240\159\152"}' } do
      local call, err = cekura.call_log(text)
      assert.is_nil(call)
      assert.equal("protocol", err.kind)
    end
  end)
end)

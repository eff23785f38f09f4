-- Polls that ask for the members that show the end, and the one request for what the result is to hold.

local cekura = require "cekura"
local core = require "cekura.core"
local evaluation = require "cekura.records.evaluation"
local kinds = require "cekura.api.kinds"
local patience = require "spec.support.patience"
local simulator = require "spec.support.simulator"
local token = require "cekura.job.token"
local uri = require "cekura.http.uri"

local CALL, ID = "/observability/v2/call-logs/5181751/", 5181751 -- is `evaluating` until it is evaluated again
local PROGRESS = "/observability/v1/call-logs/improve_prompt_progress/"
local SMALL = "{id,status,success,updated_at,evaluation}"
local SMALL_PROGRESS = "{status,output,error,improved_prompt,summary_of_changes}"

local QUICK = { interval = 0.01, timeout = 60 }

local function quick(fields, on_progress)
  return { interval = 0.01, timeout = 60, fields = fields, on_progress = on_progress }
end

describe("a poll with a selection", function()
  local server = simulator.during(setup, teardown)
  local client, events

  -- A client of the simulator with that header X-Simulate.
  local function renew(directives, options)
    events = {}
    local all = { headers = { ["X-Simulate"] = directives or "polls=2" }, on_event = function(event)
      events[#events + 1] = event
    end }
    for name, value in pairs(options or {}) do
      all[name] = value
    end
    client = server:renew_client(all)
    return client
  end

  before_each(function()
    server:reset()
    renew()
  end)

  -- What each GET of that path asked for: its selection, or "whole".
  local function asked(path)
    local list = {}
    for _, sent in ipairs(server:requests()) do
      if sent.method == "GET" and sent.path == path then
        local ql = sent.uri:match "[?&]ql=([^&]*)"
        list[#list + 1] = ql and uri.decode(ql) or "whole"
      end
    end
    return list
  end

  local function events_of(name)
    local found = {}
    for _, event in ipairs(events) do
      found[#found + 1] = event.name == name and event or nil
    end
    return found
  end

  -- The evaluation of a call, from its start.
  local function evaluate(options)
    return cekura.assert(client:start("calls.evaluation", { call_logs = { ID }, agent_id = 2142 }, options))
  end

  local function improve(options)
    return cekura.assert(client:start("calls.improve_prompt",
      { agent_id = 2142, call_logs = { 1, 2 }, prompt = "Be nice." }, options))
  end

  local function whole_call(status)
    return { id = ID, status = status or "success", success = true, updated_at = "2026-07-15T08:06:44Z",
      transcript = "[00:01] Main Agent: Hello.", call_id = "sess-3" }
  end

  local function small_call(status)
    return { id = ID, status = status or "success", success = true, updated_at = "2026-07-15T08:06:44Z" }
  end

  -- ---- the record of a call ----

  describe("of a call's evaluation", function()
    it("asks for what shows the end, and the whole record is fetched once, at the end", function()
      local job = evaluate()
      local result = cekura.assert(job:wait(QUICK))
      assert.same({ SMALL, SMALL, SMALL, "whole" }, asked(CALL))
      assert.equal(4, job.polls)
      assert.equal("call_log", core.type(result))
      assert.equal("sess-3", result.call_id)
      assert.truthy(result:evaluated())
      assert.truthy(result.transcript)
      assert.equal(job:json(), result:json())
      assert.equal(result, cekura.assert(job:wait(quick { "call_id" })))
      assert.equal(4, #asked(CALL))
    end)

    it("does so with api_version v1", function()
      renew("polls=2", { api_version = "v1" })
      local result = cekura.assert(evaluate():wait(QUICK))
      assert.equal("sess-3", result.call_id)
      assert.same({ SMALL, SMALL, SMALL, "whole" }, asked "/observability/v1/call-logs/5181751/")
    end)

    it("reports each change of the status once", function()
      local job, states = evaluate(), {}
      cekura.assert(job:wait(quick(nil, function()
        states[#states + 1] = job.state .. " " .. job.status
      end)))
      assert.same({ "running evaluating", "succeeded success" }, states)
    end)

    it("is the last request where it shows all that is asked for", function()
      local result = cekura.assert(evaluate():wait(quick { "status", "success" }))
      assert.same({ SMALL, SMALL, SMALL }, asked(CALL))
      assert.equal("success", result.status)
      assert.is_nil(result.transcript)
    end)

    for _, row in ipairs {
      { "wait", function(fields) return evaluate():wait(quick(fields)) end },
      { "job", function(fields)
        evaluate()
        return cekura.assert(client:job("calls.evaluation", ID, { fields = fields })):wait(QUICK)
      end },
      { "start", function(fields) return evaluate { fields = fields }:wait(QUICK) end },
      { "all", function(fields) return cekura.all({ evaluate() }, quick(fields))[1].result end },
      { "updates", function(fields)
        local job = evaluate()
        local next_change = job:updates(quick(fields))
        while next_change() do end
        return job.result
      end },
    } do
      it("is followed by one for the fields of " .. row[1], function()
        local result = cekura.assert(row[2] { "call_id", "status" })
        local sent = asked(CALL)
        assert.equal("{call_id,status,id,success,updated_at,evaluation}", sent[#sent])
        assert.equal(SMALL, sent[#sent - 1])
        assert.equal("sess-3", result.call_id)
        assert.is_nil(result.transcript)
      end)
    end

    it("is followed by one without some fields, which never leaves out what shows the end", function()
      local result = cekura.assert(evaluate():wait(quick { "-transcript", "-status", "-transcript_object" }))
      local sent = asked(CALL)
      assert.equal("{-transcript,-transcript_object}", sent[#sent])
      assert.equal("sess-3", result.call_id)
      assert.equal("success", result.status)
      assert.is_nil(result.transcript)
      server:reset()
      cekura.assert(evaluate():wait(quick { "-status" }))
      sent = asked(CALL)
      assert.equal("whole", sent[#sent])
    end)

    it("prefers the fields of the wait to those of the job", function()
      local result = cekura.assert(evaluate { fields = { "transcript" } }:wait(quick { "call_id" }))
      assert.equal("sess-3", result.call_id)
      assert.is_nil(result.transcript)
    end)

    it("serves waiters of different fields by one request for all of them", function()
      local job = evaluate()
      cekura.run(function()
        for _, fields in ipairs { { "call_id" }, { "metadata" }, { "status" } } do
          cekura.spawn(function()
            local result = cekura.assert(job:wait(quick(fields)))
            assert.equal("sess-3", result.call_id)
            assert.is_table(result.metadata)
            assert.is_nil(result.transcript)
          end)
        end
      end)
      local sent = asked(CALL)
      assert.equal(4, #sent)
      assert.truthy(sent[4]:find "call_id" and sent[4]:find "metadata" and sent[4]:find "evaluation")
    end)

    it("serves a waiter of the whole record beside one of some fields", function()
      local job = evaluate()
      cekura.run(function()
        cekura.spawn(function()
          cekura.assert(job:wait(quick { "call_id" }))
        end)
        assert.truthy(cekura.assert(job:wait(QUICK)).agent_name)
      end)
      assert.same({ SMALL, SMALL, SMALL, "whole" }, asked(CALL))
    end)

    it("goes on with the whole record if that does not show the end", function()
      server:script(CALL, { { body = small_call() }, { body = whole_call "evaluating" }, { body = whole_call() } })
      local job = cekura.assert(client:job("calls.evaluation", ID))
      assert.equal("sess-3", cekura.assert(job:wait(QUICK)).call_id)
      assert.same({ SMALL, "whole", "whole" }, asked(CALL))
    end)

    it("does not keep an end that the whole record has denied", function()
      server:script(CALL, { { body = small_call() }, { body = whole_call "evaluating" },
        { status = 404, body = { detail = "Not found." } } })
      local job = cekura.assert(client:job("calls.evaluation", ID))
      local _, err = job:wait(QUICK)
      assert.equal("gone", err.kind)
      assert.equal("gone", job.state)
    end)

    it("may come while a waiter that wants more has just begun to wait", function()
      server:script(CALL, { { hold = "poll", body = small_call() }, { body = whole_call() } })
      local job = cekura.assert(client:job("calls.evaluation", ID))
      cekura.run(function()
        cekura.spawn(function()
          cekura.assert(job:wait(quick { "status" }))
        end)
        server:wait_for(CALL)
        cekura.spawn(function()
          assert.equal("sess-3", cekura.assert(job:wait(quick { "call_id" })).call_id)
        end)
        cekura.sleep(0)
        server:release "poll"
      end)
      assert.equal(2, #asked(CALL))
    end)
  end)

  -- ---- faults at the end ----

  describe("whose last request", function()
    local function wait_with(...)
      server:script(CALL, { { body = small_call() }, ... })
      local job = cekura.assert(client:job("calls.evaluation", ID))
      return job, job:wait(QUICK)
    end

    for _, row in ipairs {
      { "a proxy's page", { body = "<html>" } },
      { "a redirect", { status = 302, headers = { Location = "/login/" } } },
      { "an empty body", { body = "" } },
      { "a 409", { status = 409, body = { detail = "Locked." } } },
      { "a 503", { status = 503, body = { detail = "Later." } } },
      { "a 429", { status = 429, headers = { ["Retry-After"] = "0" } } },
      { "a cut", { body = whole_call(), cut = 20 } },
      { "nothing", { drop = true } },
    } do
      it("brings " .. row[1] .. " is repeated", function()
        local _, result, err = wait_with(row[2], { body = whole_call() })
        assert.equal("sess-3", cekura.assert(result, err).call_id)
        assert.same({ SMALL, "whole", "whole" }, asked(CALL))
      end)
    end

    it("brings too many bad answers in a row ends the wait, and not the job", function()
      local job, result, err = wait_with({ body = "<html>" }, { body = "<html>" }, { body = "<html>" },
        { body = whole_call() })
      assert.is_nil(result)
      assert.equal("protocol", err.kind)
      assert.equal("sess-3", cekura.assert(job:wait(QUICK)).call_id)
    end)

    it("is forbidden ends the wait, and not the job", function()
      local job, result, err = wait_with({ status = 403, body = { detail = "No." } }, { body = whole_call() })
      assert.is_nil(result)
      assert.equal("auth", err.kind)
      assert.equal("sess-3", cekura.assert(job:wait(QUICK)).call_id)
      assert.same({ SMALL, "whole", "whole" }, asked(CALL))
    end)

    for _, code in ipairs { 404, 410 } do
      it("gets a " .. code .. " leaves the result as it was shown", function()
        local job, result, err = wait_with { status = code, body = { detail = "Not found." } }
        assert.equal("success", cekura.assert(result, err).status)
        assert.equal("succeeded", job.state)
        assert.is_nil(result.call_id)
        assert.equal(result, cekura.assert(job:wait(QUICK)))
        assert.equal(2, #asked(CALL))
      end)
    end

    it("was answered after the wait is made by the next wait", function()
      server:script(CALL, { { hold = "poll", body = small_call() }, { body = whole_call() } })
      local job = cekura.assert(client:job("calls.evaluation", ID))
      cekura.run(function()
        local task = cekura.spawn(function()
          job:wait(QUICK)
        end)
        server:wait_for(CALL)
        task:cancel()
        task:join()
        server:release "poll"
        patience.eventually(function() return job.polls == 1 end)
      end)
      assert.equal("sess-3", cekura.assert(job:wait(QUICK)).call_id)
      assert.same({ SMALL, "whole" }, asked(CALL))
    end)
  end)

  -- ---- services that know no selection ----

  describe("to a service that ignores it", function()
    it("needs no second request", function()
      renew "polls=2; ql=ignore"
      assert.equal("sess-3", cekura.assert(evaluate():wait(QUICK)).call_id)
      assert.same({ SMALL, SMALL, SMALL }, asked(CALL))
      assert.equal("sess-3", cekura.assert(evaluate():wait(quick { "call_id" })).call_id)
    end)
  end)

  describe("to a service that refuses it", function()
    before_each(function()
      renew "polls=2; ql=refuse"
    end)

    it("is repeated without, and so are all later polls of the client, after one event", function()
      local job = evaluate()
      assert.equal("sess-3", cekura.assert(job:wait { timeout = 60, interval = 0.01 }).call_id)
      assert.same({ SMALL, "whole", "whole" }, asked(CALL))
      local refused = events_of "selection_refused"
      assert.equal(1, #refused)
      assert.equal(job, refused[1].job)
      assert.equal(400, refused[1].status)
      assert.equal("GET", refused[1].method)
      assert.truthy(refused[1].message:find "No fields can be selected here")
      assert.is_nil(job.error)

      cekura.assert(evaluate():wait(quick { "call_id" }))
      cekura.assert(improve():wait(QUICK))
      assert.same({ "whole", "whole", "whole" }, asked(PROGRESS))
      assert.same({ SMALL, "whole", "whole", "whole", "whole", "whole" }, asked(CALL))
      assert.equal(1, #events_of "selection_refused")

      renew "polls=2"
      cekura.assert(evaluate():wait(QUICK))
      assert.equal(SMALL, asked(CALL)[7])
    end)

    it("is reported once, also for jobs that wait at the same time", function()
      local jobs = { evaluate() }
      for index = 2, 3 do
        jobs[index] = cekura.assert(client:job("calls.evaluation", ID))
      end
      for _, outcome in ipairs(cekura.all(jobs, QUICK)) do
        assert.equal("call_log", core.type(outcome.result))
      end
      assert.equal(1, #events_of "selection_refused")
    end)

    it("is not repeated by job:poll(), which returns the error", function()
      local job = cekura.assert(client:job("calls.evaluation", ID, { fields = { "call_id" } }))
      local _, err = job:poll()
      assert.equal("invalid", err.kind)
      assert.equal("pending", job.state)
      cekura.assert(job:poll())
      assert.same({ "{call_id,id,status,success,updated_at,evaluation}", "whole" }, asked(CALL))
    end)

    it("raises in the wait what the event handler raises", function()
      client = server:renew_client { headers = { ["X-Simulate"] = "polls=2; ql=refuse" }, on_event = function(event)
        if event.name == "selection_refused" then
          error "the handler's"
        end
      end }
      local job = evaluate()
      local ok, raised = pcall(job.wait, job, QUICK)
      assert.is_false(ok)
      assert.truthy(tostring(raised):find "the handler's")
      assert.equal("sess-3", cekura.assert(job:wait(QUICK)).call_id)
    end)
  end)

  for _, row in ipairs {
    { "names the parameter in a text", { detail = "Cannot parse the query parameter ql." }, true },
    { "names a member that was asked for", { "`updated_at` field is not found" }, true },
    { "names another parameter", { progress_id = { "Invalid." } }, false },
    { "names a longer parameter", { detail = "sql: no, q_ql: no, qls: no" }, false },
    { "says nothing", "", false },
  } do
    it("is " .. (row[3] and "" or "not ") .. "refused by a 400 that " .. row[1], function()
      server:script(CALL, { { status = 400, body = row[2] }, { body = whole_call() } })
      local job = cekura.assert(client:job("calls.evaluation", ID))
      local result, err = job:wait(QUICK)
      assert.equal(row[3], result ~= nil)
      assert.equal(row[3] and 1 or 0, #events_of "selection_refused")
      assert.equal(row[3] and 2 or 1, #asked(CALL))
      if not row[3] then
        assert.equal("invalid", err.kind)
      end
    end)
  end

  it("is not refused by another status than 400", function()
    server:script(CALL, { { status = 422, body = { ql = { "No." } } }, { body = whole_call() } })
    local _, err = cekura.assert(client:job("calls.evaluation", ID)):wait(QUICK)
    assert.equal("invalid", err.kind)
    assert.equal(0, #events_of "selection_refused")
  end)

  it("that is refused for an unknown field of the program's brings the whole record", function()
    local result = cekura.assert(evaluate():wait(quick { "colour" }))
    assert.equal("sess-3", result.call_id)
    assert.truthy(events_of("selection_refused")[1].message:find "colour")
  end)

  -- ---- progress ----

  describe("of a prompt improvement", function()
    it("is the last request where it brings the output", function()
      renew "polls=2; ql=select"
      local job = improve()
      local result = cekura.assert(job:wait(QUICK))
      assert.truthy(result.improved_prompt and result.summary_of_changes)
      assert.same({ SMALL_PROGRESS, SMALL_PROGRESS, SMALL_PROGRESS }, asked(PROGRESS))
    end)

    it("is the last request where there was nothing to do", function()
      renew "polls=2; ql=select; life=no_issues"
      assert.truthy(cekura.assert(improve():wait(QUICK)).reason:find "No issues")
      assert.equal(3, #asked(PROGRESS))
    end)

    it("is the last request where the service reports success without output", function()
      renew "polls=2; ql=select; life=empty"
      assert.equal("protocol", select(2, improve():wait(QUICK)).kind)
      assert.equal(3, #asked(PROGRESS))
    end)

    it("is followed by one for the whole answer where that has the shape of a call log", function()
      renew "polls=2; ql=select; life=call_log"
      local result = cekura.assert(improve():wait(QUICK))
      assert.equal("sess-1", result.call_log.call_id)
      assert.same({ SMALL_PROGRESS, SMALL_PROGRESS, SMALL_PROGRESS, "whole" }, asked(PROGRESS))
    end)

    local FLAT = { status = "completed", improved_prompt = "Be nicer." }
    local MORE = { status = "completed", improved_prompt = "Be nicer.", issues = { "one" } }

    it("is the last request where the output is at its top", function()
      server:script(PROGRESS, { { body = FLAT }, { body = MORE } })
      local result = cekura.assert(cekura.assert(client:job("calls.improve_prompt", "p")):wait(QUICK))
      assert.equal("Be nicer.", result.improved_prompt)
      assert.same({ SMALL_PROGRESS }, asked(PROGRESS))
    end)

    it("is followed by one for further members that are asked for", function()
      server:script(PROGRESS, { { body = FLAT }, { body = MORE } })
      local job = cekura.assert(client:job("calls.improve_prompt", "p", { fields = { "issues" } }))
      assert.same({ "one" }, cekura.assert(job:wait(QUICK)).issues)
      assert.equal(2, #asked(PROGRESS))
    end)

    it("keeps its result where the id is no longer known after it", function()
      server:script(PROGRESS, { { body = FLAT }, { status = 404, body = { detail = "Not found." } } })
      local job = cekura.assert(client:job("calls.improve_prompt", "p", { fields = { "issues" } }))
      assert.equal("Be nicer.", cekura.assert(job:wait(QUICK)).improved_prompt)
      assert.equal("succeeded", job.state)
      assert.equal(2, #asked(PROGRESS))
    end)

    it("is the last request where the job has failed", function()
      server:script(PROGRESS, { { body = { status = "failed", error = "no model" } } })
      local _, err = cekura.assert(client:job("calls.improve_prompt", "p")):wait(QUICK)
      assert.equal("job_failed", err.kind)
      assert.equal("no model", err.result.error)
      assert.same({ SMALL_PROGRESS }, asked(PROGRESS))
    end)
  end)

  -- ---- job:poll() ----

  describe("beside job:poll()", function()
    it("is not what that sends: one request for the whole record", function()
      local job = evaluate()
      for _ = 1, 3 do
        cekura.assert(job:poll())
      end
      assert.equal("succeeded", job.state)
      assert.equal("sess-3", job.result.call_id)
      assert.same({ "whole", "whole", "whole" }, asked(CALL))
    end)

    it("is not what that sends: one request for the job's fields", function()
      server:script(CALL, { { body = whole_call() } })
      local job = cekura.assert(client:job("calls.evaluation", ID, { fields = { "call_id" } }))
      cekura.assert(job:poll())
      assert.equal("sess-3", job.result.call_id)
      assert.same({ "{call_id,id,status,success,updated_at,evaluation}" }, asked(CALL))
    end)

    it("is not taken for the whole record where it was on its way", function()
      server:script(CALL, { { hold = "poll", body = small_call "success" },
        { status = 400, body = { ql = { "No." } } }, { body = whole_call() } })
      local job = cekura.assert(client:job("calls.evaluation", ID, { fields = { "call_id" } }))
      cekura.run(function()
        cekura.spawn(function()
          assert.equal("sess-3", cekura.assert(job:wait(QUICK)).call_id)
        end)
        server:wait_for(CALL)
        local _, err = job:poll() -- refused: from now on the whole record is asked for
        assert.equal("invalid", err.kind)
        server:release "poll"
      end)
      assert.equal("whole", asked(CALL)[3])
    end)
  end)

  -- ---- tokens and webhooks ----

  it("goes on from a token, with the job's fields", function()
    local text = evaluate { fields = { "call_id", "-x_1" } }:token()
    assert.same({ "call_id", "-x_1" }, token.read_job(text).origin.fields)
    text = evaluate { fields = { "call_id" } }:token()
    local result = cekura.assert(cekura.assert(renew():resume(text)):wait(QUICK))
    assert.equal("sess-3", result.call_id)
    assert.is_nil(result.transcript)
    for _, fields in ipairs { "a,,b", "a}", "", "a b" } do
      local _, err = client:resume(token.write { kind = "calls.evaluation", id = "5", base = server.url,
        fields = fields })
      assert.equal("config", err.kind)
    end
  end)

  describe("and a webhook", function()
    local function deliver(call)
      return cekura.assert(client:webhook { secret = "s" }({ ["X-CEKURA-SECRET"] = "s" },
        require "cekura.http.encode"({ event_type = "call_log.completed", data = call }, "event")))
    end

    local function waiting(fields)
      server:script(CALL, { { body = small_call "evaluating" } })
      local job, result = cekura.assert(client:job("calls.evaluation", ID)), nil
      cekura.run(function()
        cekura.spawn(function()
          result = cekura.assert(job:wait { interval = 3000, timeout = 60, fields = fields })
        end)
        patience.eventually(function() return job.polls == 1 end)
        server:script(CALL, { { body = whole_call() } })
        deliver(small_call())
      end)
      return result
    end

    it("ends the job at once", function()
      assert.equal("success", waiting().status)
      assert.same({ SMALL }, asked(CALL))
    end)

    it("has the fields fetched that it lacks", function()
      assert.equal("sess-3", waiting({ "call_id" }).call_id)
      assert.same({ SMALL, "{call_id,id,status,success,updated_at,evaluation}" }, asked(CALL))
    end)

    it("ends the job at once where it has the fields", function()
      assert.equal("success", waiting({ "status" }).status)
      assert.same({ SMALL }, asked(CALL))
    end)
  end)

  -- ---- kinds without one, and declared ones ----

  it("is not sent where the kind has none, and fields are accepted all the same", function()
    local job = cekura.assert(client.metrics:simplify_prompt({ original_prompt = "x" }, { fields = { "status" } }))
    assert.equal("Be brief and friendly.", cekura.assert(job:wait(quick { "status" })).simplified_prompt)
    assert.same({ "whole", "whole", "whole" }, asked "/test_framework/v1/metrics/simplify_prompt_progress/")
  end)

  it("is that of a declared kind", function()
    cekura.kind("shops.count", { poll = "GET /count/{id}/", id = "id",
      selection = { parameter = "only", poll = { "status" } } })
    server:script("/count/7/", { { body = { status = "running" } }, { body = { status = "done" } },
      { body = { status = "done", total = 3 } } })
    assert.equal(3, cekura.assert(client:job("shops.count", 7)):wait(QUICK).total)
    local sent = server:requests()
    assert.equal("/count/7/?only=%7Bstatus%7D", sent[1].uri)
    assert.equal("/count/7/?only=%7Bstatus%7D", sent[2].uri)
    assert.equal("/count/7/", sent[3].uri)
  end)

  it("is followed by one for the whole answer where it did not ask for the output, or for counts", function()
    cekura.kind("shops.draw", { poll = "GET /draw/", output = "url",
      selection = { parameter = "ql", poll = { "status" } } })
    server:script("/draw/", { { body = { status = "done" } }, { body = { status = "done", url = "u" } } })
    assert.equal("u", cekura.assert(client:job("shops.draw", 7)):wait(QUICK).url)
    cekura.kind("shops.drive", { poll = "GET /drive/",
      counters = { done = "d", failed = "f", success = "s", total = "t", runs = "runs" },
      selection = { parameter = "ql", poll = { "status", "output" } } })
    server:script("/drive/", { { body = { status = "done", output = { a = 1 } } },
      { body = { status = "done", output = { a = 1 }, d = 2, f = 0, s = 2, t = 2 } } })
    local result = cekura.assert(client:job("shops.drive", 7)):wait(QUICK)
    assert.equal(2, result.t)
    assert.is_true(result.passed)
  end)

  it("raises at the caller's line for fields that are none", function()
    for _, row in ipairs {
      { {}, "fields: there is no field in it" }, { "id", "fields: table expected, got string" },
      { { "a b" }, "fields%[1%]: the name of a field expected" }, { { 1 }, "fields%[1%]: string expected" },
    } do
      for _, call in ipairs {
        function() client:job("calls.evaluation", 1, { fields = row[1] }) end,
        function() client:start("metrics.preview", {}, { fields = row[1] }) end,
        function() client:job("calls.evaluation", 1):wait { fields = row[1] } end,
      } do
        local ok, message = pcall(call)
        assert.is_false(ok)
        assert.truthy(tostring(message):find(row[2]), message)
        assert.truthy(tostring(message):find "selection_spec.lua")
      end
    end
  end)

  it("is declared by its parameter and the members that show the end", function()
    for _, row in ipairs {
      { { parameter = "ql" }, "parameter and poll expected" }, { { poll = { "a" } }, "parameter and poll expected" },
      { { parameter = "", poll = { "a" } }, "parameter is empty" }, { { parameter = "ql", poll = {} }, "no field" },
      { { parameter = "ql", poll = { "-a" } }, "names of members" }, { { parameter = "ql", pol = { "a" } }, "poll" },
      { "ql", "table expected" },
    } do
      local ok, message = pcall(cekura.kind, "shops.sell", { poll = "GET /x/", selection = row[1] })
      assert.is_false(ok)
      assert.truthy(message:find("declaration.selection", 1, true) and message:find(row[2], 1, true), message)
    end
    local ok, message = pcall(cekura.kind, "shops.sell",
      { direct = "POST /x/", selection = { parameter = "ql", poll = { "a" } } })
    assert.is_false(ok)
    assert.truthy(message:find("selection needs poll", 1, true), message)
  end)
end)

describe("a record with the members that calls.evaluation asks for", function()
  local METRICS = { "null", '{"metrics":[]}', '{"metrics":[{"id":31,"name":"a","eval_type":"binary","passed":true}]}',
    '{"metrics":[{"id":31,"name":"a","eval_type":"binary","passed":false}]}' }
  local records, small = {}, {}
  for _, word in ipairs { "evaluating", "success", "reviewed_failure", "completed" } do
    for _, verdict in ipairs { "true", "false", "null" } do
      for _, metrics in ipairs(METRICS) do
        for _, time in ipairs { "2026-07-15T08:00:00Z", "2026-07-15T08:00:01Z" } do
          local all = { id = "5", status = ('"%s"'):format(word), success = verdict, evaluation = metrics,
            updated_at = ('"%s"'):format(time), transcript = '"[00:01] Main Agent: Hello."', metadata = "{}" }
          local some, whole = {}, {}
          for _, name in ipairs(kinds["calls.evaluation"].selection.poll) do
            some[#some + 1] = ('"%s":%s'):format(name, all[name])
          end
          for name, text in pairs(all) do
            whole[#whole + 1] = ('"%s":%s'):format(name, text)
          end
          records[#records + 1] = cekura.assert(cekura.call_log("{" .. table.concat(whole, ",") .. "}"))
          small[#small + 1] = cekura.assert(cekura.call_log("{" .. table.concat(some, ",") .. "}"))
        end
      end
    end
  end

  it("is as new as the whole record, whichever of the two the mark was made from", function()
    for before = 1, #records do
      local mark = evaluation.mark(records[before])
      assert.same(mark, evaluation.mark(small[before]))
      for after = 1, #records do
        assert.equal(evaluation.is_newer(records[after], mark), evaluation.is_newer(small[after], mark))
        if mark then
          assert.same(evaluation.next_mark(records[after], mark), evaluation.next_mark(small[after], mark))
        end
      end
    end
  end)
end)

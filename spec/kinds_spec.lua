-- Every kind of job from its start to each of its ends, against the simulator, and kinds that a program declares.

local cekura = require "cekura"
local core = require "cekura.core"
local CASES = require "spec.support.kind_cases"
local file = require "spec.support.file"
local kind_schema = require "cekura.api.kind_schema"
local kinds = require "cekura.api.kinds"
local patience = require "spec.support.patience"
local simulator = require "spec.support.simulator"
local sorted_keys = require "spec.support.sorted_keys"
local token = require "cekura.job.token"

local QUICK = { interval = 0.01, timeout = 60 }

describe("a kind of job", function()
  local server = simulator.during(setup, teardown)
  local client

  local function living(directives)
    if client then
      client:close()
    end
    client = server:client { headers = { ["X-Simulate"] = directives } }
    return client
  end

  before_each(function()
    server:reset()
  end)

  it("of every name is in CASES", function()
    assert.same(sorted_keys(kinds), sorted_keys(CASES))
  end)

  for _, name in ipairs(sorted_keys(kinds)) do
    local case, declared = CASES[name], kinds[name]
    local resource, method = name:match "^(.*)%.(.*)$"

    local function start(directives)
      return cekura.assert(living(directives)[resource][method](client[resource], case[1]))
    end

    describe(name, function()
      it("is started and polled, and returns its result", function()
        local job = start "polls=2"
        assert.equal(name, job.kind)
        assert.equal("pending", job.state)
        local states = {}
        local result = cekura.assert(job:wait { interval = 0.01, timeout = 60, on_progress = function()
          states[#states + 1] = job.state
        end })
        assert.equal("succeeded", job.state)
        assert.equal("succeeded", states[#states])
        assert.truthy(case[3] == true and next(result) or result[case[3]] ~= nil, "no " .. tostring(case[3]))
        assert.is_true(job.polls >= 2)

        local sent = server:requests()
        assert.equal(declared.start:match "^%u+", sent[1].method)
        assert.equal(case.path or declared.start:match " (.*)$", sent[1].path)
        assert.equal(case[2], sent[1].body)
        assert.equal("GET", sent[2].method)
        if case.polls_a_record then
          local path = declared.poll:match " (.*)$":gsub("{version}", "v2"):gsub("{id}", ("%.0f"):format(job.id))
          assert.equal(path, sent[2].path)
          local query = "?ql=%7Bid%2Cstatus%2Csuccess%2Cupdated_at%2Cevaluation%7D"
          assert.equal(path .. (declared.selection and query or ""),
            sent[2].uri)
        else
          assert.equal(case.poll or declared.poll:match " (.*)$", sent[2].path)
          assert.truthy(sent[2].uri:find(declared.id .. "=" .. job.id, 1, true))
        end
      end)

      for life, state in pairs(case.ends) do
        it("ends as " .. state .. " with life=" .. life, function()
          local job = start("polls=1; life=" .. life)
          local result, err = job:wait(QUICK)
          assert.equal(state, job.state)
          if state == "failed" or state == "cancelled" then
            assert.is_nil(result)
            assert.equal("job_" .. state, err.kind)
            assert.equal(job, err.job)
            assert.equal(job.result, err.result)
            for member, value in pairs(core.decode(job:json())) do -- these answers have no output
              assert.same(value, job.result[member], member)
            end
          else
            cekura.assert(result, err)
            assert.equal(state == "nothing_to_do", result.reason ~= nil)
          end
        end)
      end

      it("goes on while the service works, and is resumed from its token", function()
        local job = start "life=endless"
        patience.with_enough_time(0.1, function(seconds)
          assert.equal("timeout", select(2, job:wait { interval = 0.01, timeout = seconds }).kind)
          return job.polls > 2
        end)
        assert.truthy(job.state == "running" or job.state == "pending")
        for _ = 1, 2 do -- until the service's status no longer changes
          cekura.assert(job:poll())
        end
        local again = cekura.assert(client:resume(job:token()))
        assert.equal(name, again.kind)
        cekura.assert(again:poll())
        assert.equal(job.status, again.status)
        local seen = server:requests()
        assert.equal(seen[#seen - 1].uri, seen[#seen].uri)
      end)

      it("is gone if the service does not know its id", function()
        local path = declared.poll:match " (.*)$":gsub("{version}", "v2"):gsub("{agent_id}", "2142"):gsub("{id}", "99")
        server:script(path, { { status = 404, body = { detail = "Not found." } } })
        local job = cekura.assert(living(""):job(name, 99, case.options))
        local result, err = job:wait(QUICK)
        assert.is_nil(result)
        assert.equal("gone", err.kind)
        assert.equal("gone", job.state)
      end)

      it("returns the service's error if its start is refused", function()
        local path = case.path or declared.start:match " (.*)$"
        server:script(path, { { status = 400, body = { agent_id = { "Not yours." } } } })
        local job, err = living("")[resource][method](client[resource], case[1])
        assert.is_nil(job)
        assert.equal("invalid", err.kind)
        assert.same({ "Not yours." }, err.fields.agent_id)
      end)
    end)
  end

  describe("whose start", function()
    it("has a record in its path returns not_found for a missing record and gone for a missing endpoint", function()
      local path = "/observability/v1/alerts/9/summarize/"
      server:script(path, { { status = 404, body = { detail = "No Alert matches." } } })
      local _, err = living("").alerts:summarize { alert_id = 9 }
      assert.equal("not_found", err.kind)
      server:script(path, { { status = 404, body = "<!doctype html>" } })
      _, err = client.alerts:summarize { id = 9 }
      assert.equal("gone", err.kind)
      server:script("/test_framework/v1/metrics/preview/", { { status = 404, body = { detail = "Not found." } } })
      _, err = client.metrics:preview { metric_data = { name = "x" }, agent_id = 1 }
      assert.equal("gone", err.kind)
    end)

    it("lacks the record of its path raises at the caller's line", function()
      for kind, place in pairs { ["alerts.summarize"] = "alert_id", ["metrics.run_reviews"] = "metric_id",
        ["runs.expected_outcome"] = "run_id", ["agents.auto_fetch"] = "agent_id" } do
        local ok, message = pcall(function()
          return living(""):start(kind)
        end)
        assert.is_false(ok)
        assert.truthy(message:find("^spec/kinds_spec.lua:%d+: cekura: " .. kind:gsub("%p", "%%%0") .. ": " .. place
          .. " is missing"), message)
      end
    end)

    it("answers with the result has ended at once", function()
      local job = cekura.assert(living("life=inline").metrics:simplify_prompt { original_prompt = "Be nice." })
      assert.equal("succeeded", job.state)
      assert.is_nil(job.id)
      assert.truthy(cekura.assert(job:wait()).simplified_prompt)
      assert.equal(1, #server:requests())
    end)

    it("answers in the documented flat shape or in an envelope has the same result", function()
      for _, shape in ipairs { "shape=flat; polls=1", "polls=1" } do
        local job = cekura.assert(living(shape).metric_reviews:process_feedbacks { metric_id = 501 })
        assert.equal("string", type(cekura.assert(job:wait(QUICK)).improved_metric_description))
        assert.equal(shape == "polls=1" and "success" or nil, job.status)
      end
    end)

    it("answers that the work was skipped has nothing to do", function()
      server:script("/test_framework/v1/metrics/simplify_prompt/",
        { { body = { skipped_simplification = true, original_prompt = "Be nice." } } })
      local job = cekura.assert(living("").metrics:simplify_prompt { original_prompt = "Be nice." })
      assert.equal("nothing_to_do", job.state)
      assert.truthy(cekura.assert(job:wait()).reason)
    end)

    it("answers with the id inside a result has that id", function()
      server:script("/test_framework/v1/scenarios/run_scenarios/",
        { { status = 201, body = { result = { id = 77 } } } })
      assert.equal(77, cekura.assert(living("").results:run { agent_id = 1, scenarios = { 1 } }).id)
    end)

    it("answers without an id is a protocol error", function()
      server:script("/test_framework/v1/metrics/preview/", { { body = { status = "queued" } } })
      local _, err = living("").metrics:preview { metric_data = { name = "x" }, agent_id = 1 }
      assert.equal("protocol", err.kind)
      server:script("/observability/v1/call-logs/rerun_evaluation/", { { body = "[]" } })
      _, err = client.calls:evaluation { call_logs = { 1 }, agent_id = 1 }
      assert.equal("protocol", err.kind)
      server:script("/observability/v1/call-logs/rerun_evaluation/", { { body = '[{"status":"success"}]' } })
      _, err = client.calls:evaluation { call_logs = { 1 }, agent_id = 1 }
      assert.equal("protocol", err.kind)
    end)

    it("needs a project and is given none uses the client's project", function()
      client = server:client { project_id = 310 }
      cekura.assert(client.insights:deep_research {})
      cekura.assert(client.metrics:preview { metric_data = { name = "x", type = "basic", eval_type = "binary" },
        call_log_ids = { 5181749 } })
      local sent = server:requests()
      assert.equal('{"project":310}', sent[1].body)
      assert.truthy(sent[2].body:find('"project_id":310', 1, true))
    end)

    it("takes one call raises for several", function()
      local ok, message = pcall(function()
        return living("").calls:evaluation { call_logs = { 1, 2 }, agent_id = 1 }
      end)
      assert.is_false(ok)
      assert.truthy(message:find "call_logs: a list of one id expected, got 2", message)
    end)
  end)

  describe("whose poll has a scope", function()
    it("takes the scope from the options, from the start or from the client", function()
      client = server:client { project_id = 310 }
      local path = "/test_framework/v1/metrics/generate_metrics_progress/"
      local function polled(job)
        job:poll()
        local seen = server:requests()
        return seen[#seen].uri:sub(#path + 1)
      end
      assert.equal("?progress_id=p&project_id=310", polled(client:job("metrics.generate", "p")))
      assert.equal("?agent_id=5&assistant_id=a&progress_id=p&project_id=7",
        polled(client:job("metrics.generate", "p", { agent_id = 5, project_id = 7, assistant_id = "a" })))
      local job = cekura.assert(client.metrics:generate { agent_id = 2142 })
      assert.equal("?agent_id=2142&progress_id=" .. job.id, polled(job))
      assert.equal("?agent_id=2142&progress_id=" .. job.id, polled(client:resume(job:token())))
    end)

    it("in its path requires it", function()
      local ok, message = pcall(function()
        return living(""):job("agents.auto_fetch", "p")
      end)
      assert.is_false(ok)
      assert.truthy(message:find "agents.auto_fetch: agent_id is missing", message)
      -- The record of the start has priority over the options.
      local started = cekura.assert(client.agents:auto_fetch({ agent_id = 2142 }, { agent_id = 2143 }))
      assert.truthy(started:token():find("agent_id.2142", 1, true))
      local members = { kind = "agents.auto_fetch", id = "p", base = server.url, started = 1 }
      local job, err = client:resume(token.write(members))
      assert.is_nil(job)
      assert.equal("config", err.kind)
      members.agent_id = 5
      assert.truthy(client:resume(token.write(members)))
    end)
  end)

  describe("with counters", function()
    local PATH = "/observability/v1/call-logs/create_scenarios_progress/"

    local function answered(...)
      local replies = {}
      for index, body in ipairs { ... } do
        replies[index] = { body = body }
      end
      server:script(PATH, replies)
      return cekura.assert(living(""):job("calls.create_scenarios", "p"))
    end

    local function counts(completed, failed, total, list)
      return ('{"agent_id":1,"completed_scenarios":%d,"failed_scenarios":%d,"total_scenarios":%d%s}'):format(completed,
        failed, total, list or "")
    end

    it("has a progress, and is done when the counters add up", function()
      local job = answered(counts(0, 0, 0), counts(1, 0, 4), counts(2, 1, 4),
        counts(3, 1, 4, ',"scenarios_list":[{"id":1}],"errors":[{"call_log_id":3,"error":{"detail":"No transcript"}}]'))
      local seen = {}
      local result = cekura.assert(job:wait { interval = 0.01, on_progress = function()
        seen[#seen + 1] = job.progress
      end })
      assert.same({ 0.25, 0.75, 1 }, seen)
      assert.equal(1, result.scenarios_list[1].id)
      assert.equal("No transcript", result.errors[1].error.detail)
    end)

    it("is not done while all counters are 0, unless it has a list", function()
      local job = answered(counts(0, 0, 0), counts(0, 0, 0, ',"scenarios_list":[]'))
      assert.equal("timeout", select(2, job:wait { interval = 0.01, timeout = 0.1 }).kind)
      job = answered(counts(0, 0, 0, ',"scenarios_list":[{"id":1}]'))
      assert.truthy(job:wait(QUICK))
    end)

    it("has failed if all counters are 0 and there are errors", function()
      local job = answered(counts(0, 0, 0, ',"scenarios_list":[],"errors":[{"error":{"detail":"No transcript"}}]'))
      local _, err = job:wait(QUICK)
      assert.equal("job_failed", err.kind)
      assert.truthy(err.message:find "No transcript")
    end)

    it("has failed if everything failed", function()
      local job = answered(counts(0, 2, 2, ',"scenarios_list":[],"errors":[{"error":{"detail":"No transcript"}}]'))
      local _, err = job:wait(QUICK)
      assert.equal("job_failed", err.kind)
      assert.truthy(err.message:find "No transcript")
    end)
  end)

  describe("that asks a question", function()
    it("ends the wait with needs_input, takes an answer, and goes on", function()
      local job = cekura.assert(living("life=needs_input; polls=1").scenarios:generate { agent_id = 2142,
        num_scenarios = 2 })
      local _, err = job:wait(QUICK)
      assert.equal("needs_input", err.kind)
      assert.equal("needs_input", job.state)
      assert.equal("pending_clarification", job.status)
      assert.truthy(err.response:json().questions)
      assert.equal(job, cekura.assert(job:answer "Only bookings."))
      assert.equal("running", job.state)
      assert.is_nil(job.error)
      assert.truthy(cekura.assert(job:wait(QUICK)).scenarios_list)
      for _, each in ipairs(server:requests()) do
        if each.path:find "clarify" then
          assert.equal(('{"answer":"Only bookings.","progress_id":"%s"}'):format(job.id), each.body)
          return
        end
      end
      error "no answer was sent"
    end)

    it("may repeat the question once after the answer", function()
      local path = "/test_framework/v1/scenarios/generate-progress/"
      local asks, done = { body = { status = "pending_clarification" } }, { body = { total_scenarios = 1,
        completed_scenarios = 1, failed_scenarios = 0 } }
      server:script(path, { asks, asks, asks, done })
      server:script("/test_framework/v1/scenarios/generate-clarify-answer/", { { body = { progress_id = "p" } } })
      local job = cekura.assert(living(""):job("scenarios.generate", "p"))
      assert.equal("needs_input", select(2, job:wait(QUICK)).kind)
      cekura.assert(job:answer "Yes.")
      assert.truthy(job:wait(QUICK))
    end)

    it("asks again if the question is still there after several polls", function()
      local path = "/test_framework/v1/scenarios/generate-progress/"
      server:script(path, { { body = { status = "pending_clarification" } } })
      server:script("/test_framework/v1/scenarios/generate-clarify-answer/", { { body = { progress_id = "p" } } })
      local job = cekura.assert(living(""):job("scenarios.generate", "p"))
      for _ = 1, 3 do
        assert.equal("needs_input", select(2, job:wait(QUICK)).kind)
        cekura.assert(job:answer "Yes.")
      end
    end)

    it("does not ask again because of a poll that was sent before the answer", function()
      local path = "/test_framework/v1/scenarios/generate-progress/"
      local asks = { body = { status = "pending_clarification" } }
      server:script(path, { asks, { hold = "poll", body = asks.body }, { body = { total_scenarios = 1,
        completed_scenarios = 1, failed_scenarios = 0 } } })
      server:script("/test_framework/v1/scenarios/generate-clarify-answer/", { { body = { progress_id = "p" } } })
      local job = cekura.assert(living(""):job("scenarios.generate", "p"))
      assert.equal("needs_input", select(2, job:wait(QUICK)).kind)
      local result = cekura.run(function()
        local waiting = cekura.spawn(function()
          return job:wait(QUICK)
        end)
        server:wait_for(path, 2)
        cekura.assert(job:answer "Yes.")
        server:release "poll"
        return cekura.assert(waiting:join())
      end)
      assert.truthy(result)
    end)

    it("keeps its end if that comes while the answer is sent", function()
      local answers = "/test_framework/v1/scenarios/generate-clarify-answer/"
      server:script("/test_framework/v1/scenarios/generate-progress/", {
        { body = { status = "pending_clarification" } },
        { body = { total_scenarios = 1, completed_scenarios = 1, failed_scenarios = 0 } },
      })
      for index, ending in ipairs { "cancelled", "succeeded" } do
        server:script(answers, { { hold = ending, body = { progress_id = "p" } } })
        local job = cekura.assert(living(""):job("scenarios.generate", "p"))
        if ending == "cancelled" then
          assert.equal("needs_input", select(2, job:wait(QUICK)).kind)
        end
        cekura.run(function()
          local answering = cekura.spawn(function()
            return job:answer "Yes."
          end)
          server:wait_for(answers, index)
          if ending == "cancelled" then
            job:cancel()
          else
            cekura.assert(job:poll())
          end
          server:release(ending)
          local answered, err = answering:join()
          assert.equal(ending == "succeeded" and job or nil, answered)
          assert.equal(ending == "cancelled" and "cancelled" or nil, err and err.kind)
        end)
        assert.equal(ending, job.state)
        local result, err = job:wait()
        assert.is_true((result ~= nil) == (ending == "succeeded"))
        assert.is_true((err ~= nil) == (ending == "cancelled"))
      end
    end)

    it("polls before it sends an answer that needs data from the poll", function()
      local job = cekura.assert(living("life=needs_input; polls=1").scenarios:agent { agent_id = 2142 })
      local same = cekura.assert(client:resume(job:token()))
      cekura.assert(same:answer "Only bookings.")
      local sent = server:requests()
      assert.truthy(sent[#sent].body:find '"session_id":%d+')
      assert.equal("POST", sent[#sent - 1].method) -- the token has the data

      same = cekura.assert(client:job("scenarios.agent", job.id, { agent_id = 2142 }))
      cekura.assert(same:answer "Only bookings.")
      sent = server:requests()
      assert.truthy(sent[#sent].body:find '"session_id":%d+')
      assert.equal("GET", sent[#sent - 1].method) -- the poll had the data

      server:script("/test_framework/v1/scenarios/scenario-agent-progress/", { { body = { status = "queued" } } })
      local answered, err = client:job("scenarios.agent", "p"):answer "x"
      assert.is_nil(answered)
      assert.equal("invalid", err.kind)
      assert.truthy(err.message:find "session_id")
    end)

    it("returns another job from answer() if the service starts one", function()
      local job = cekura.assert(living("life=needs_input; polls=1").scenarios:agent { agent_id = 2142 })
      assert.equal("needs_input", select(2, job:wait(QUICK)).kind)
      local other = cekura.assert(job:answer "Only bookings.")
      assert.are_not_equal(job.id, other.id)
      assert.equal("scenarios.agent", other.kind)
      local sent = server:requests()
      assert.truthy(sent[#sent].body:find '^{"agent_id":2142,"session_id":%d+,"user_message":"Only bookings."}$',
        sent[#sent].body)
    end)

    it("may ask by a member beside the status", function()
      local job = cekura.assert(living("life=needs_input; polls=1").agents:improvement_session())
      local _, err = job:wait(QUICK)
      assert.equal("needs_input", err.kind)
      assert.equal("running", job.status)
    end)

    it("refuses an answer after its end, and raises for one of a kind that never asks", function()
      local job = cekura.assert(living("polls=1").scenarios:generate { agent_id = 2142, num_scenarios = 2 })
      cekura.assert(job:wait(QUICK))
      local again, err = job:answer "late"
      assert.is_nil(again)
      assert.equal("invalid", err.kind)
      local ok, message = pcall(function()
        return client:job("metrics.preview", "p"):answer "what?"
      end)
      assert.is_false(ok)
      assert.truthy(message:find "^spec/kinds_spec.lua:%d+: cekura: metrics.preview: this kind of job accepts no")
      ok, message = pcall(function()
        return client:job("scenarios.generate", "p"):answer(5)
      end)
      assert.is_false(ok)
      assert.truthy(message:find "text: string expected, got number", message)
    end)

    it("returns the service's error for an answer, and can be answered again", function()
      server:script("/test_framework/v1/scenarios/generate-clarify-answer/",
        { { status = 400, body = { answer = { "Too long." } } } })
      local job = cekura.assert(living("life=needs_input; polls=1").scenarios:generate { agent_id = 2142,
        num_scenarios = 2 })
      assert.equal("needs_input", select(2, job:wait(QUICK)).kind)
      local again, err = job:answer "x"
      assert.is_nil(again)
      assert.equal("invalid", err.kind)
      assert.same({ "Too long." }, err.fields.answer)
      assert.equal("needs_input", job.state)
    end)
  end)

  describe("that the service can cancel", function()
    local function cancelled(name, params, path, body)
      local resource, method = name:match "^(.*)%.(.*)$"
      local job = cekura.assert(living("life=endless")[resource][method](client[resource], params))
      local ok, where = job:cancel()
      assert.is_true(ok)
      assert.equal("service", where)
      assert.equal("cancelled", job.state)
      local sent = server:requests()
      assert.equal("POST", sent[#sent].method)
      assert.truthy(sent[#sent].path:find("^" .. path .. "$"), sent[#sent].path)
      assert.equal(body and body(job), sent[#sent].body)
      local _, err = job:wait()
      assert.equal("cancelled", err.kind)
      assert.same({ true, "local" }, { job:cancel() })
      assert.equal(#sent, #server:requests())
    end

    it("is cancelled in the service", function()
      cancelled("metric_reviews.process_feedbacks", { metric_id = 501 },
        "/test_framework/metric%-reviews/process_feedbacks_cancel/", function(job)
          return ('{"progress_id":"%s"}'):format(job.id)
        end)
      cancelled("results.run", { agent_id = 2142, scenarios = { 1 } }, "/test_framework/v1/results/%d+/end_calls/")
      cancelled("agents.improvement_session", {}, "/observability/v1/agent%-improvement%-sessions/%d+/cancel/")
    end)

    it("is cancelled with the data of its start", function()
      local job = cekura.assert(living("life=endless").scenarios:agent { agent_id = 2142 })
      assert.same({ true, "service" }, { job:cancel() })
      local sent = server:requests()
      assert.truthy(sent[#sent].body:find '^{"session_id":%d+}$')
      -- A job from its id alone does not have that data.
      job = cekura.assert(client:job("scenarios.agent", "p"))
      assert.same({ true, "local" }, { job:cancel() })
    end)

    it("is cancelled locally if the service refuses, and says why the service goes on", function()
      server:script("/test_framework/metric-reviews/process_feedbacks_cancel/",
        { { status = 409, body = { detail = "Already over." } } })
      local job = cekura.assert(living("life=endless").metric_reviews:process_feedbacks { metric_id = 501 })
      local waited
      local ok, where, err = cekura.run(function()
        local waiting = cekura.spawn(function()
          waited = select(2, job:wait { interval = 0.01 })
        end)
        cekura.sleep(0.01)
        local ok, where, err = job:cancel()
        waiting:join()
        return ok, where, err
      end)
      assert.equal(waited, job.error)
      assert.is_true(ok)
      assert.equal("local", where)
      assert.equal("invalid", err.kind)
      assert.equal("cancelled", job.state)
      assert.truthy(job.error.message:find "the service goes on")
    end)
  end)
end)

describe("a kind that a program declares", function()
  local server = simulator.during(setup, teardown)

  it("adds a method to its resource at once, also in existing clients", function()
    local client = server:client()
    assert.is_nil(client.widgets)
    cekura.kind("widgets.build", {
      start = "POST /widgets/{shop_id}/build/", poll = "GET /widgets/progress/", id = "task", output = "url",
      params = { shop_id = { "id", required = true }, parts = { "ids", required = true } },
      statuses = { polished = "nothing_to_do", ["sent-back now"] = "cancelled" }, interval = 0.01, timeout = 60,
    })
    server:script("/widgets/7/build/", { { body = { task = "t-1" } } })
    server:script("/widgets/progress/",
      { { body = { status = "sawing" } }, { body = { output = { url = "w.example" } } } })
    local job = cekura.assert(client.widgets:build { shop_id = 7, parts = {} })
    assert.equal("widgets.build", job.kind)
    assert.equal("w.example", cekura.assert(job:wait()).url)
    local sent = server:requests()
    assert.equal('{"parts":[]}', sent[1].body)
    assert.equal("/widgets/progress/?task=t-1", sent[2].uri)
    server:script("/widgets/progress/", { { body = { status = "Polished" } } })
    job = cekura.assert(server:client():job("widgets.build", "t-2"))
    assert.equal("the service says: polished", cekura.assert(job:wait()).reason)
    assert.equal("nothing_to_do", job.state)
    server:script("/widgets/progress/", { { body = { status = " Sent back NOW" } } })
    job = cekura.assert(server:client():job("widgets.build", "t-3"))
    assert.equal("job_cancelled", select(2, job:wait()).kind)
    assert.has_error(function()
      client.widgets:build { shop_id = 7 }
    end)
  end)

  it("needs only a poll, and may be declared again", function()
    cekura.kind("widgets.polish", { poll = "GET /nowhere/" })
    cekura.kind("widgets.polish", { poll = "GET /polish/" })
    local client = server:client()
    server:script("/polish/", { { body = { status = "completed", shine = 3 } } })
    local job = cekura.assert(client:job("widgets.polish", "t-3"))
    assert.equal(3, cekura.assert(job:wait()).shine)
    assert.truthy(server:requests()[#server:requests()].uri:find("?progress_id=t-3", 1, true))
    local ok, message = pcall(function()
      return client:start("widgets.polish", {})
    end)
    assert.is_false(ok)
    assert.truthy(message:find "cannot be started here")
  end)

  it("is checked at the caller's line when it is declared", function()
    local GOOD = { poll = "GET /x/" }
    local function refused(pattern, name, declaration)
      local ok, message = pcall(function()
        return cekura.kind(name, declaration)
      end)
      assert.is_false(ok)
      assert.truthy(message:find("^spec/kinds_spec.lua:%d+: cekura: "), message)
      assert.truthy(message:find(pattern), message)
      assert.is_nil(name ~= "calls.improve_prompt" and kinds[name] or nil)
    end
    refused("name: ", nil, GOOD)
    refused("name: \"resource.name\" expected", "build", GOOD)
    refused("name: \"resource.name\" expected", "a.b.c", GOOD)
    refused("comes with the module", "calls.improve_prompt", GOOD)
    refused("declaration: table expected", "gadgets.a", nil)
    refused("declaration: poll is missing", "gadgets.a", {})
    for pattern, member in pairs {
      ["there is no member pol"] = { "pol", "GET /x/" },
      ["poll: \"GET /path/\" expected"] = { "poll", "POST /x/" },
      ["start: \"POST /path/\" expected"] = { "start", "/x/" },
      ["start: \"POST /path/\" expected, got \"POST /x/{a\""] = { "start", "POST /x/{a" },
      ["id: string expected"] = { "id", 5 },
      ["output is empty"] = { "output", "" },
      ["interval: a number of seconds above 0"] = { "interval", 0 },
      ["timeout: number of seconds"] = { "timeout", "5" },
      ["params.a: there is no check colour"] = { "params", { a = { "colour" } } },
      ["one_of: at least two names"] = { "one_of", { "a" } },
      ["statuses.done: there is no state finished"] = { "statuses", { done = "finished" } },
      ["statuses: words are in lower case"] = { "statuses", { Done = "succeeded" } },
      ["statuses: out.of is %l+ and %l+"] = { "statuses", { ["out of"] = "succeeded", ["out-of"] = "failed" } },
      ["counters: runs, success and failed"] = { "counters", { done = "a", total = "b", runs = "c" } },
      ["counters: there is no member all"] = { "counters", { done = "a", total = "b", all = "c" } },
      ["counters: done and total expected"] = { "counters", { done = "a" } },
      ["cancel%[1%]: \"POST /path/\" expected"] = { "cancel", {} },
      ["answer.text: string expected"] = { "answer", { "POST /x/" } },
      ["start: \"POST /path/\" expected, got \"FETCH /x/\""] = { "start", "FETCH /x/" },
      ["start: \"POST /path/\" expected, got \"POST //evil/x\""] = { "start", "POST //evil/x" },
      ["poll: there is no value for {shop}"] = { "poll", "GET /x/{shop}/" },
      ["cancel%[1%]: there is no value for {shop}"] = { "cancel", { "POST /x/{shop}/" } },
      ["poll_scope: there is no scope shop"] = { "poll_scope", { "shop" } },
      ["params.a.required: boolean expected"] = { "params", { a = { "id", required = "yes" } } },
      ["params.n: there is no check count"] = { "params", { n = { "count" } } },
      ["output%[1%]: string expected"] = { "output", { 5 } },
      ["benign_errors%[1%]: string expected"] = { "benign_errors", { 5 } },
      ["record: \"call_log\" expected"] = { "record", "run" },
      ["list needs record"] = { "list", true },
    } do
      local declaration = { poll = "GET /x/" }
      declaration[member[1]] = member[2]
      refused(pattern, "gadgets.a", declaration)
    end
    refused("client.calls.get exists already", "calls.get", GOOD)
    refused("client.request exists already", "request.foo", GOOD)
  end)

  it("may be polled with a call log outside a list", function()
    cekura.kind("shops.observe", { start = "POST /observability/v1/observe/", id = "id", record = "call_log",
      poll = "GET /observability/{version}/call-logs/{id}/", event = "call_log", interval = 0.01, timeout = 60 })
    local job = cekura.assert(server:client().shops:observe { call_id = "shop-1", agent = 2142 })
    assert.is_true(cekura.assert(job:wait()):evaluated())
    cekura.kind("shops.visit", { start = "POST /x/", poll = "GET /x/{agent_id}/" })
    local before = #server:requests()
    local ok, message = pcall(function()
      return server:client().shops:visit {}
    end)
    assert.is_false(ok)
    assert.truthy(message:find "shops.visit: agent_id is missing", message)
    assert.equal(before, #server:requests()) -- checked before the start is sent
  end)

  it("may have an output of several members", function()
    cekura.kind("shops.paint", { poll = "GET /paint/", output = { "colour", "recipe" } })
    for _, body in ipairs { '{"colour":"red"}', '{"status":"success","output":{"recipe":{"a":1}}}' } do
      server:script("/paint/", { { body = body } })
      assert.truthy(cekura.assert(server:client():job("shops.paint", "p")):wait())
    end
    server:script("/paint/", { { body = '{"status":"success","output":{"recipe":{},"colour":""}}' } })
    local _, err = cekura.assert(server:client():job("shops.paint", "p")):wait()
    assert.equal("protocol", err.kind)
    assert.truthy(err.message:find "colour or recipe")
  end)

  it("has the same shape as the built-in kinds", function()
    for name, declaration in pairs(kinds) do
      assert.same(declaration, kind_schema.read(declaration), name) -- all members are already in their final form
    end
  end)

  it("has its status words normalized, in a copy of the program's table", function()
    local statuses = { ["sent-back now"] = "cancelled" }
    cekura.kind("shops.return", { poll = "GET /return/", statuses = statuses })
    assert.same({ ["sent-back now"] = "cancelled" }, statuses)
    statuses["sent-back now"] = "succeeded"
    assert.same({ sent_back_now = "cancelled" }, kinds["shops.return"].statuses)
  end)
end)

describe("the members of a declaration", function()
  -- The public names.
  local MEMBERS = { "start", "direct", "poll", "id", "params", "one_of", "list", "poll_scope", "selection", "record",
    "event", "output", "statuses", "input_member", "counters", "benign_errors", "skipped_member", "carry", "call_log",
    "cancel", "answer", "withdrawn", "interval", "timeout", "returns", "evidence", "note" }
  table.sort(MEMBERS)

  it("are those that kind_schema checks", function()
    assert.same(MEMBERS, sorted_keys(kind_schema.members))
  end)

  it("are those that kinds.lua describes", function()
    local described = {}
    for name in file.read("lua/cekura/api/kinds.lua"):match("^(.-)\n\n"):gmatch "\n%-%-   ([%w_]+)  +%S" do
      described[#described + 1] = name
    end
    table.sort(described)
    assert.same(MEMBERS, described)
  end)

  it("have no other names: the hint suggests a member with the same meaning, even if the spelling is far", function()
    for former, hint in pairs { sure = "evidence", gives = "returns", waits = "input_member", healthy = "benign_errors",
      keep = "carry", words = "statuses", skipped = "skipped_member", ["cancel.with"] = "body",
      ["answer.may"] = "optional", ["counters.totals"] = "total", pol = "poll" } do
      local holder, name = former:match "^(%l+)%.(%l+)$"
      local inner = { [name or former] = { "a" } }
      local ok, message = pcall(kind_schema.read, holder and { poll = "GET /x/", [holder] = inner } or inner)
      assert.is_false(ok)
      assert.truthy(message:find(("there is no member %s (did you mean %s?)"):format(name or former, hint), 1, true),
        message)
    end
  end)
end)

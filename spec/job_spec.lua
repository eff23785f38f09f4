local cekura = require "cekura"
local core = require "cekura.core"
local patience = require "spec.support.patience"
local simulator = require "spec.support.simulator"

local START = "/observability/v1/call-logs/improve_prompt_bg/"
local POLL = "/observability/v1/call-logs/improve_prompt_progress/"

describe("a job:", function()
  local server = simulator.during(setup, teardown)
  local client

  before_each(function()
    client = server:renew_client()
    server:reset()
  end)

  local function living(life, polls)
    client = server:renew_client { headers = { ["X-Simulate"] = ("life=%s; polls=%d"):format(life, polls or 1) } }
  end

  local function start(params)
    params = params or {}
    params.agent_id = params.agent_id or 2142
    params.call_logs = params.call_logs or { 101, 102 }
    params.prompt = params.prompt or "Be nice."
    return client.calls:improve_prompt(params)
  end

  local function polled_answers(...)
    local replies = {}
    for index, body in ipairs { ... } do
      replies[index] = { body = body }
    end
    server:script(POLL, replies)
  end

  describe("its start", function()
    it("sends agent, call logs and prompt as the service's clients do, and returns a pending job", function()
      local before = core.now()
      local job = cekura.assert(start())
      local sent = server:requests()[1]
      assert.equal("POST", sent.method)
      assert.equal(START, sent.path)
      assert.equal('{"agent_id":2142,"call_logs":[101,102],"prompt":"Be nice."}', sent.body)
      assert.equal("application/json", sent.headers["content-type"])
      assert.equal("calls.improve_prompt", job.kind)
      assert.equal("pending", job.state)
      assert.is_nil(job.status)
      assert.is_nil(job.progress)
      assert.is_nil(job.result)
      assert.is_nil(job.error)
      assert.is_nil(job:json())
      assert.equal(0, job.polls)
      local elapsed = job.elapsed
      assert.is_true(elapsed >= 0 and elapsed <= core.now() - before)
      assert.equal("string", type(job.id))
      assert.equal("cekura.job (calls.improve_prompt " .. job.id .. ": pending)", tostring(job))
    end)

    it("takes all call logs or the first so many, an assistant instead of an agent, and an id as a string", function()
      cekura.assert(client.calls:improve_prompt { agent_id = "2142", call_logs = "all", prompt = "x" })
      cekura.assert(client.calls:improve_prompt { assistant_id = "asst_1", call_logs = { first = 10 }, prompt = "x" })
      cekura.assert(client.calls:improve_prompt { call_logs = { 1 }, prompt = "x", category_ids = { 3 } })
      local seen = server:requests()
      assert.equal('{"agent_id":"2142","call_logs":"all","prompt":"x"}', seen[1].body)
      assert.equal('{"assistant_id":"asst_1","call_logs":10,"prompt":"x"}', seen[2].body)
      assert.equal('{"call_logs":[1],"category_ids":[3],"prompt":"x"}', seen[3].body)
    end)

    it("works for runs, and with the name of the kind", function()
      local job = cekura.assert(client.runs:improve_prompt { run_ids = { 7 }, prompt = "x" })
      assert.equal("runs.improve_prompt", job.kind)
      assert.equal("/test_framework/v1/runs/improve_prompt_bg/", server:requests()[1].path)
      assert.truthy(cekura.assert(job:wait { interval = 0.01 }).improved_prompt)
      job = cekura.assert(client:start("calls.improve_prompt", { call_logs = { 1 }, prompt = "x" }))
      assert.equal("calls.improve_prompt", job.kind)
    end)

    it("raises at the caller's line for a missing or mistyped parameter, and names it", function()
      local function refused(pattern, params)
        local ok, message = pcall(function()
          return client.calls:improve_prompt(params)
        end)
        assert.is_false(ok)
        assert.truthy(message:find "^spec/job_spec.lua:%d+: cekura: calls.improve_prompt[:.]", message)
        assert.truthy(message:find(pattern), message)
      end
      refused("params: table expected", nil)
      refused("prompt is missing", { agent_id = 1, call_logs = { 1 } })
      refused("call_logs is missing", { agent_id = 1, prompt = "x" })
      refused("agent_id or assistant_id is missing", { call_logs = "all", prompt = "x" })
      refused("agent_id or assistant_id is missing", { call_logs = { first = 5 }, prompt = "x" })
      refused("call_logs: a list of ids", { call_logs = 12, prompt = "x" })
      refused("call_logs: there is no id in it", { call_logs = {}, prompt = "x" })
      refused("did you mean category_ids", { call_logs = { 1 }, prompt = "x", catgory_ids = { 1 } })
      refused("exclude each other", { agent_id = 1, assistant_id = "a", call_logs = { 1 }, prompt = "x" })
      refused("prompt: string expected, got number", { agent_id = 1, call_logs = { 1 }, prompt = 5 })
      refused("call_logs: ", { agent_id = 1, call_logs = "some", prompt = "x" })
      refused("call_logs: ", { agent_id = 1, call_logs = 0, prompt = "x" })
      refused("call_logs: ", { agent_id = 1, call_logs = 1.5, prompt = "x" })
      refused("call_logs%[2%]: ", { agent_id = 1, call_logs = { 1, {} }, prompt = "x" })
      refused("agent_id: ", { agent_id = {}, call_logs = { 1 }, prompt = "x" })
      refused("agent_id: ", { agent_id = "", call_logs = { 1 }, prompt = "x" })
      refused("prompt: the text is not valid UTF%-8", { agent_id = 1, call_logs = { 1 }, prompt = "\255" })
      local ok, message = pcall(client.start, client, "calls.improve", {})
      assert.is_false(ok)
      assert.truthy(message:find "kind: there is no kind")
      assert.same({}, server:requests())
    end)

    it("leaves the caller's tables unchanged", function()
      local logs = { 101 }
      local params = { agent_id = 1, call_logs = logs, prompt = "x" }
      cekura.assert(client.calls:improve_prompt(params))
      assert.is_nil(getmetatable(logs))
      assert.same({ agent_id = 1, call_logs = { 101 }, prompt = "x" }, params)
      assert.equal(logs, params.call_logs)
    end)

    it("returns the service's messages about each field", function()
      local job, err = start { call_logs = { first = 41 } }
      assert.is_nil(job)
      assert.equal("invalid", err.kind)
      assert.same({ call_logs = { "Maximum length is 40" } }, err.fields)
    end)

    for _, status in ipairs { 404, 410 } do
      it(("returns gone for a %d, and names the endpoint"):format(status), function()
        server:script(START, { { status = status, body = { detail = "Not found." } } })
        local job, err = start()
        assert.is_nil(job)
        assert.equal("gone", err.kind)
        assert.equal(status, err.status)
        assert.equal(START, err.path)
        assert.truthy(tostring(err):find(START, 1, true))
        assert.truthy(tostring(err):find(server.url, 1, true))
        assert.falsy(tostring(err):find("2026-06-30", 1, true))
      end)
    end

    it("says that the endpoint was withdrawn, unless something else may explain the answer", function()
      local elsewhere = server:client { base_url = server.url .. "/prefix" }
      finally(function()
        elsewhere:close()
      end)
      local function says_so(of, kind, path, params)
        server:script(path, { { status = 404, body = "<!doctype html>" } })
        local _, err = of:start(kind, params)
        assert.equal("gone", err.kind)
        assert.truthy(tostring(err):find(server.url, 1, true))
        return tostring(err):find("2026-06-30", 1, true) ~= nil
      end
      local params = { agent_id = 1, call_logs = { 1 }, prompt = "x" }
      assert.is_true(says_so(client, "calls.improve_prompt", START, params))
      assert.is_false(says_so(elsewhere, "calls.improve_prompt", "/prefix" .. START, params)) -- the prefix may be wrong
      assert.is_false(says_so(client, "calls.create_scenarios", "/observability/v1/call-logs/create_scenarios/",
        { agent_id = 1, call_logs = { 1 } }))
    end)

    it("says of an unknown job that its id may be wrong, and nothing of an endpoint that has started one", function()
      server:script(POLL, { { status = 404, body = "<!doctype html>" } })
      local known = cekura.assert(client:job("calls.improve_prompt", "other"))
      assert.truthy(tostring(select(2, known:poll())):find(
        "; the service does not know the job, or removed this endpoint from its documentation on 2026-06-30", 1, true))
      local started = cekura.assert(start())
      local _, err = started:poll()
      assert.equal("gone", err.kind)
      assert.falsy(tostring(err):find("2026-06-30", 1, true))
    end)

    for name, body in pairs {
      ["an empty answer"] = "", ["a page of HTML"] = "<html>", ["a list"] = "[]", ["a JSON string"] = '"progress_id"',
      ["an answer cut short"] = '{"progress_id": "5f', ["an answer without an id"] = '{"status":"queued"}',
      ["an empty id"] = '{"progress_id":""}',
    } do
      it("returns protocol for " .. name, function()
        server:script(START, { { body = body } })
        local job, err = start()
        assert.is_nil(job)
        assert.equal("protocol", err.kind)
        assert.equal(200, err.status)
        assert.is_true(err.sent)
        assert.truthy(tostring(err):find(body, 1, true))
      end)
    end

    it("accepts any 2xx, and an id that is a number", function()
      server:script(START, { { status = 202, body = { progress_id = 12345 } } })
      assert.equal(12345, cekura.assert(start()).id)
    end)

    it("returns a finished job if the answer contains the result", function()
      living "inline"
      local job = cekura.assert(start())
      assert.is_nil(job.id)
      assert.equal("succeeded", job.state)
      assert.truthy(job.result.improved_prompt:find "^Be nice")
      assert.equal(job.result, cekura.assert(job:wait()))
      assert.equal(job, cekura.assert(job:poll()))
      assert.truthy(job:json():find "improved_prompt")
      local token, err = job:token()
      assert.is_nil(token)
      assert.equal("config", err.kind)
      assert.equal(1, #server:requests())
      assert.same({ true, "local" }, { job:cancel() })
      assert.equal("succeeded", job.state)
    end)
  end)

  describe("wait()", function()
    it("returns the result, and calls on_progress for every change", function()
      local job = cekura.assert(start())
      local told = {}
      local result = cekura.assert(job:wait { interval = 0.02, on_progress = function(changed)
        assert.equal(job, changed)
        told[#told + 1] = changed.status
      end })
      assert.same({ "queued", "processing", "completed" }, told)
      assert.truthy(result.improved_prompt:find "^Be nice")
      assert.truthy(result.summary_of_changes:find "2 call logs")
      assert.equal("succeeded", job.state)
      assert.equal("completed", job.status)
      assert.equal(result, job.result)
      assert.equal(3, job.polls)
      local selection = "&ql=%7Bstatus%2Coutput%2Cerror%2Cimproved_prompt%2Csummary_of_changes%7D"
      assert.equal(POLL .. "?progress_id=" .. job.id .. selection, server:requests()[2].uri)
      local elapsed = job.elapsed
      core.wait({}, 0.01)
      assert.equal(elapsed, job.elapsed)
    end)

    it("returns the same outcome again without a request", function()
      local job = cekura.assert(start())
      local result = cekura.assert(job:wait { interval = 0.01 })
      local before = #server:requests()
      assert.equal(result, job:wait())
      assert.equal(job, job:poll())
      assert.equal(before, #server:requests())
    end)

    it("calls on_progress once for each change, not for each poll", function()
      polled_answers({ status = "queued" }, { status = "queued" }, { status = "processing" }, { status = "processing" },
        { status = "processing", completed_count = 1, total = 4 },
        { status = "completed", output = { improved_prompt = "y" } })
      local job = cekura.assert(start())
      local told = {}
      cekura.assert(job:wait { interval = 0.01, on_progress = function()
        told[#told + 1] = ("%s %s"):format(job.status, tostring(job.progress))
      end })
      assert.same({ "queued nil", "processing nil", "processing 0.25", "completed nil" }, told)
      assert.equal(6, job.polls)
    end)

    if _VERSION ~= "Lua 5.1" or rawget(_G, "jit") then -- Lua 5.1 cannot wait in on_progress
      it("calls on_progress for every change, however long each call takes", function()
        polled_answers({ status = "a" }, { status = "b" }, { status = "c" },
          { status = "completed", output = { improved_prompt = "y" } })
        local job, told = cekura.assert(start()), {}
        cekura.assert(job:wait { interval = 0.01, on_progress = function()
          told[#told + 1] = job.status
          cekura.sleep(0.05)
        end })
        assert.same({ "a", "b", "c", "completed" }, told)
      end)
    end

    it("keeps the last error as the cause, even if a later poll succeeds", function()
      local job, err
      patience.with_enough_time(0.15, function(seconds)
        server:script(POLL, { { status = 503 }, { body = { status = "processing" } } })
        job = cekura.assert(start())
        err = select(2, job:wait { timeout = seconds, interval = 0.02 })
        return job.polls >= 2
      end)
      assert.equal("timeout", err.kind)
      assert.equal("server", err.cause.kind)
      err = select(2, job:wait { timeout = 0.05, interval = 0.02 })
      assert.is_nil(err.cause) -- this wait met no error
    end)

    it("times out at once with a timeout of 0", function()
      local job = cekura.assert(start())
      assert.equal("timeout", select(2, job:wait { timeout = 0 }).kind)
    end)

    it("re-raises the error of on_progress, and stops polling", function()
      living("endless")
      local job = cekura.assert(start())
      local ok, message = pcall(job.wait, job, { interval = 0.01, on_progress = function()
        error "boom"
      end })
      assert.is_false(ok)
      assert.truthy(tostring(message):find "boom")
      local before = job.polls
      if _VERSION ~= "Lua 5.1" or rawget(_G, "jit") then
        cekura.sleep(0.1)
        assert.is_true(job.polls <= before + 1)
      end
    end)

    it("runs no Lua for a poll without a change", function()
      polled_answers { status = "processing" }
      local job = cekura.assert(start())
      local fields, looked = core.fields(client), 0
      local on_update = fields._on_update
      fields._on_update = function(...)
        looked = looked + 1
        return on_update(...)
      end
      cekura.run(function()
        local waiting = cekura.spawn(job.wait, job, { interval = 0.01 })
        patience.eventually(function() return job.polls > 5 end)
        assert.equal(1, looked)
        waiting:cancel()
      end)
    end)

    it("polls at the shortest of the intervals that its callers ask for", function()
      polled_answers { status = "processing" }
      local job = cekura.assert(start())
      cekura.run(function()
        local waiting = {}
        for index, interval in ipairs { 600, 0.01, 600 } do
          waiting[index] = cekura.spawn(job.wait, job, { interval = interval })
        end
        patience.eventually(function() return job.polls > 3 end)
        for _, task in ipairs(waiting) do
          task:cancel()
        end
      end)
    end)

    it("returns nothing_to_do if there are no issues, whatever the status is", function()
      living "no_issues"
      local job = cekura.assert(start())
      local result = cekura.assert(job:wait { interval = 0.01 })
      assert.is_nil(result.improved_prompt)
      assert.equal("No issues found in the given call logs.", result.reason)
      assert.equal("nothing_to_do", job.state)
      assert.is_nil(job.error)
    end)

    it("returns job_failed with the service's message", function()
      living "failed"
      local job = cekura.assert(start())
      local result, err = job:wait { interval = 0.01 }
      assert.is_nil(result)
      assert.equal("job_failed", err.kind)
      assert.truthy(tostring(err):find "The model gave no answer")
      assert.equal(job, err.job)
      assert.equal(err, job.error)
      assert.equal("failed", job.state)
      assert.equal(err, select(2, job:wait()))
      assert.equal("failed", job.result.status)
      assert.equal(job.result, err.result)
    end)

    it("returns the error of a failed, cancelled or timed-out job, with the answer in err.result", function()
      for word, kind in pairs { failed = "job_failed", cancelled = "job_cancelled", timed_out = "job_failed" } do
        polled_answers('{"status":"processing","output":{"issues":[1]}}',
          ('{"status":"%s","output":{"issues":[1,2]},"errors":["a","b"]}'):format(word))
        local jobs = {}
        for index = 1, 4 do
          jobs[index] = client:job("calls.improve_prompt", "p-" .. word .. index)
        end
        cekura.assert(jobs[1]:poll())
        assert.is_nil(jobs[1].result)
        local function check(job, result, err)
          assert.is_nil(result)
          assert.equal(kind, err.kind)
          assert.truthy(err.message:find "a; b")
          assert.equal(job.error, err)
          assert.same({ issues = { 1, 2 } }, err.result)
          assert.equal(job.result, err.result)
        end
        check(jobs[1], jobs[1]:wait { interval = 0.01, timeout = 60 })
        check(jobs[1], jobs[1]:wait())
        local outcome = cekura.all({ jobs[2] }, { interval = 0.01, timeout = 60 })[1]
        check(jobs[2], outcome.result, outcome.err)
        for job, result, err in cekura.each({ jobs[3] }, { interval = 0.01, timeout = 60 }) do
          check(job, result, err)
        end
        for job in jobs[4]:updates { interval = 0.01, timeout = 60 } do
          assert.equal(job.state ~= "running", job.result ~= nil)
        end
        check(jobs[4], jobs[4]:wait())
      end
    end)

    it("keeps all members of a failed answer in err.result, also those that other results use", function()
      polled_answers '{"status":"failed","call_log":5,"improved_prompt":null,"reason":"x"}'
      local _, err = client:job("calls.improve_prompt", "p"):wait { interval = 0.01, timeout = 60 }
      assert.same({ status = "failed", call_log = 5, reason = "x" }, err.result)
    end)

    it("leaves no result after a local cancel", function()
      polled_answers '{"status":"processing","output":{"issues":[1]}}'
      local job = client:job("calls.improve_prompt", "p")
      cekura.assert(job:poll())
      job:cancel()
      assert.is_nil(job.result)
      assert.is_nil(job.error.result)
    end)

    it("returns job_cancelled when the service cancels the job", function()
      living "cancelled"
      local job = cekura.assert(start())
      local _, err = job:wait { interval = 0.01 }
      assert.equal("job_cancelled", err.kind)
      assert.equal("cancelled", job.state)
    end)

    it("returns needs_input when the job needs input", function()
      living "needs_input"
      local job = cekura.assert(start())
      local _, err = job:wait { interval = 0.01 }
      assert.equal("needs_input", err.kind)
      assert.equal("needs_input", job.state)
    end)

    -- The second wait took the repeated answer for an unchanged one, and went on to its deadline.
    it("returns again at the answer that ended the previous wait without ending the job", function()
      for life, kind in pairs { needs_input = "needs_input", empty = "protocol" } do
        living(life)
        local job = cekura.assert(start())
        for _ = 1, 3 do
          assert.equal(kind, select(2, job:wait { interval = 0.01, timeout = 60 }).kind)
        end
        local polled, err = job:poll()
        assert.equal(kind == "protocol" and "protocol" or "needs_input", polled and polled.state or err.kind)
        assert.equal(kind, select(2, job:wait { interval = 0.01, timeout = 60 }).kind)
      end
    end)

    it("returns protocol for a success without output, and a later wait may succeed", function()
      polled_answers({ status = "completed" }, { status = "completed", output = { improved_prompt = "y" } })
      local job = cekura.assert(start())
      local _, err = job:wait { interval = 0.01 }
      assert.equal("protocol", err.kind)
      assert.truthy(tostring(err):find("completed", 1, true))
      assert.equal("y", cekura.assert(job:wait { interval = 0.01 }).improved_prompt)
    end)

    it("accepts an answer in the shape of a call log", function()
      living "call_log"
      local job = cekura.assert(start())
      local told = {}
      local result = cekura.assert(job:wait { interval = 0.01, on_progress = function()
        told[#told + 1] = job.status
      end })
      assert.same({ "evaluating", "success" }, told)
      assert.equal("call_log", core.type(result.call_log))
      assert.equal(5181749, result.call_log.id)
      assert.equal(job:json(), result.call_log:json())
      assert.is_nil(result.improved_prompt)
    end)

    for _, status in ipairs { 404, 410 } do
      it(("returns gone for a poll that gets a %d, and the job has ended"):format(status), function()
        server:script(POLL, { { status = status, body = { detail = "Not found." } } })
        local job = cekura.assert(client:job("calls.improve_prompt", "known"))
        local _, err = job:wait { interval = 0.01 }
        assert.equal("gone", err.kind)
        assert.equal("gone", job.state)
        assert.truthy(tostring(err):find(POLL, 1, true))
        local before = #server:requests()
        assert.equal(err, select(2, job:wait()))
        assert.equal(err, select(2, job:poll()))
        assert.equal(before, #server:requests())
      end)
    end

    for status, kind in pairs { [401] = "auth", [403] = "auth", [400] = "invalid", [422] = "invalid" } do
      it(("returns %s for a poll that gets a %d, and a later wait may succeed"):format(kind, status), function()
        server:script(POLL, { { status = status }, { pass = true } })
        local job = cekura.assert(start())
        local _, err = job:wait { interval = 0.01 }
        assert.equal(kind, err.kind)
        assert.equal(job, err.job)
        assert.equal("pending", job.state)
        assert.truthy(cekura.assert(job:wait { interval = 0.01 }).improved_prompt)
      end)
    end

    it("polls on through 5xx, 429, truncated and missing answers", function()
      server:script(POLL, {
        { status = 500 }, { status = 503 }, { status = 429, headers = { ["Retry-After"] = "0" } }, { drop = true },
        { status = 200, body = { status = "queued" }, cut = 5 }, { pass = true },
      })
      local job = cekura.assert(start())
      local result = cekura.assert(job:wait { interval = 0.02 })
      assert.truthy(result.improved_prompt)
      assert.is_true(job.polls >= 7) -- libcurl itself retries when a stale connection is dropped
    end)

    it("times out at its deadline with the last error as the cause, and a later wait may succeed", function()
      server:script(POLL, { { status = 503, body = { detail = "Down." } } })
      local job = cekura.assert(start())
      local result, err
      patience.with_enough_time(0.25, function(seconds)
        local began = core.now()
        result, err = patience.before_timer(60, job.wait, job, { timeout = seconds, interval = 0.05 })
        assert.is_true(core.now() - began >= seconds)
        return job.polls > 0
      end)
      assert.is_nil(result)
      assert.equal("timeout", err.kind)
      assert.equal("server", err.cause.kind)
      assert.equal(503, err.cause.status)
      assert.truthy(tostring(err):find "Down%.")
      assert.equal(job, err.job)
      assert.equal("pending", job.state)
      server:script(POLL, {})
      assert.truthy(cekura.assert(job:wait { interval = 0.01 }).improved_prompt)
    end)

    it("times out at its deadline while the server is silent", function()
      client = server:renew_client { timeout = 120 }
      server:script(POLL, { { delay = 600 } })
      local job = cekura.assert(start())
      local _, err = patience.before_timer(60, job.wait, job, { timeout = 0.2, interval = 0.01 })
      assert.equal("timeout", err.kind)
    end)

    it("sends polls only while it runs", function()
      living "endless"
      local job = cekura.assert(start())
      cekura.sleep(0.05)
      assert.equal(0, job.polls)
      patience.with_enough_time(0.1, function(seconds)
        job:wait { timeout = seconds, interval = 0.01 }
        return job.polls > 1
      end)
      patience.until_idle(client)
      local before = job.polls
      cekura.sleep(0.1)
      assert.equal(before, job.polls)
    end)

    it("leaves no waiter behind when it raises in a cancelled task", function()
      living "endless"
      local left, other = cekura.assert(start()), cekura.assert(start())
      local before
      cekura.run(function()
        local task = cekura.spawn(function()
          assert.equal("cancelled", select(2, left:wait { interval = 0.01 }).kind)
          left:wait { interval = 0.01 } -- raises: the task was cancelled
          error "it waited"
        end)
        cekura.sleep(0.05)
        task:cancel()
        assert.equal("cancelled", select(2, task:join()).kind)
        patience.until_idle(client)
        before = left.polls
        local waiting = cekura.spawn(other.wait, other, { interval = 0.02 })
        patience.eventually(function() return other.polls > 3 end)
        waiting:cancel()
      end)
      assert.equal(before, left.polls)
    end)

    it("may be called by several tasks for one job", function()
      local job = cekura.assert(start())
      local results = {}
      cekura.run(function()
        for index = 1, 3 do
          cekura.spawn(function()
            results[index] = cekura.assert(job:wait { interval = 0.02 })
          end)
        end
      end)
      assert.equal(results[1], results[2])
      assert.equal(results[1], results[3])
      assert.equal(3, job.polls)
    end)

    it("raises for an invalid option", function()
      local job = cekura.assert(start())
      for name, value in pairs { timeout = "1", interval = 0, on_progress = 5 } do
        local ok, message = pcall(job.wait, job, { [name] = value })
        assert.is_false(ok)
        assert.truthy(message:find(name, 1, true))
      end
    end)
  end)

  describe("poll()", function()
    it("sends one request and updates the fields", function()
      local job = cekura.assert(start())
      assert.equal(job, cekura.assert(job:poll()))
      assert.equal("queued", job.status)
      assert.equal("pending", job.state)
      assert.equal(1, job.polls)
      assert.truthy(job:json():find '"queued"')
      cekura.assert(job:poll())
      assert.equal("running", job.state)
      cekura.assert(job:poll())
      assert.equal("succeeded", job.state)
      assert.truthy(job.result.improved_prompt)
      assert.equal(4, #server:requests())
    end)

    it("returns the error of a failed request, and the next poll may succeed", function()
      server:script(POLL, { { status = 401, body = { detail = "No." } }, { pass = true } })
      local job = cekura.assert(start())
      local polled, err = job:poll()
      assert.is_nil(polled)
      assert.equal("auth", err.kind)
      assert.equal(job, err.job)
      assert.equal(job, cekura.assert(job:poll()))
      assert.is_nil(job.error)
    end)

    it("counts as a poll even if it fails", function()
      server:script(POLL, { { status = 503 } })
      client = server:renew_client { retries = 0 }
      local job = cekura.assert(client:job("calls.improve_prompt", "p"))
      assert.equal("server", select(2, job:poll()).kind)
      assert.equal(1, job.polls)
    end)

    it("returns at once when the job is cancelled", function()
      client = server:renew_client { timeout = 120 }
      server:script(POLL, { { delay = 600 } })
      local job = cekura.assert(start())
      patience.before_timer(60, function()
        local polling = cekura.spawn(job.poll, job)
        server:wait_for(POLL)
        job:cancel()
        local polled, err = polling:join()
        assert.is_nil(polled)
        assert.equal("cancelled", err.kind)
      end)
    end)

    it("wakes the waiters of the job", function()
      local job = cekura.assert(start())
      cekura.run(function()
        local waiting = cekura.spawn(job.wait, job, { interval = 600 })
        cekura.sleep(0.01)
        for _ = 1, 3 do
          cekura.assert(job:poll())
        end
        assert.truthy(cekura.assert(waiting:join()).improved_prompt)
      end)
      assert.equal(3, job.polls)
    end)
  end)

  describe("updates()", function()
    it("yields the job once for each change, the end included", function()
      local job = cekura.assert(start())
      local seen = {}
      local next_change = job:updates { interval = 0.01 }
      local changed = next_change()
      while changed do
        assert.equal(job, changed)
        seen[#seen + 1] = job.status
        changed = next_change()
      end
      assert.same({ "queued", "processing", "completed" }, seen)
      assert.is_nil(job.error)
      assert.is_nil(next_change())
    end)

    it("works in a for loop", function()
      local job, count = cekura.assert(start()), 0
      for changed in job:updates { interval = 0.01 } do
        assert.equal(job, changed)
        count = count + 1
      end
      assert.equal(3, count)
    end)

    it("ends when polling does, and sets job.error", function()
      living "endless"
      local job, seen = cekura.assert(start()), {}
      patience.with_enough_time(0.1, function(seconds)
        for changed in job:updates { interval = 0.01, timeout = seconds } do
          seen[#seen + 1] = changed.status
        end
        return job.polls > 2
      end)
      assert.same({ "queued", "processing" }, { seen[1], seen[#seen] })
      assert.equal("timeout", job.error.kind)
      assert.equal("running", job.state)
      server:script(POLL, { { status = 401 } })
      for _ in job:updates { interval = 0.01 } do
        error "there was no change"
      end
      assert.equal("auth", job.error.kind)
    end)

    it("polls only while it waits for the next change", function()
      living "endless"
      local job = cekura.assert(start())
      local next_change = job:updates { interval = 0.01 }
      assert.equal(job, (next_change()))
      local before = job.polls
      cekura.sleep(0.1)
      assert.equal(before, job.polls)
      assert.equal(job, (next_change()))
    end)

    it("yields every change, however long the loop's body takes", function()
      polled_answers({ status = "a" }, { status = "b" }, { status = "c" },
        { status = "completed", output = { improved_prompt = "y" } })
      local job, seen = cekura.assert(start()), {}
      local next_change = job:updates { interval = 0.01 }
      local changed = next_change()
      while changed do
        seen[#seen + 1] = job.status
        cekura.sleep(0.05)
        changed = next_change()
      end
      assert.same({ "a", "b", "c", "completed" }, seen)
    end)
  end)

  describe("cancel()", function()
    it("stops polling, and the token still works", function()
      living "endless"
      local job = cekura.assert(start())
      local token = cekura.assert(job:token())
      cekura.run(function()
        local waiting = cekura.spawn(job.wait, job, { interval = 0.01 })
        patience.eventually(function() return job.polls > 0 end)
        assert.same({ true, "local" }, { job:cancel() })
        local result, err = waiting:join()
        assert.is_nil(result)
        assert.equal("cancelled", err.kind)
      end)
      assert.equal("cancelled", job.state)
      assert.equal("cancelled", select(2, job:wait()).kind)
      assert.same({ true, "local" }, { job:cancel() })
      local again = cekura.assert(client:resume(token))
      cekura.assert(again:poll())
      assert.equal("running", again.state)
    end)
  end)

  describe("a job from an id or a token", function()
    it("is polled at once with its id, whatever bytes that contains", function()
      local job = cekura.assert(start())
      local known = cekura.assert(client:job("calls.improve_prompt", job.id))
      assert.equal(1, #server:requests())
      server:script(POLL, { { body = { status = "completed", output = { improved_prompt = "y" } } } })
      cekura.assert(patience.before_timer(60, known.wait, known, { interval = 600, timeout = 3600 }))
      assert.equal(1, known.polls)
      server:script(POLL, {})

      local odd = cekura.assert(client:job("calls.improve_prompt", "a/../b?c=d&e#\r\n ü"))
      local _, err = odd:poll()
      assert.equal("gone", err.kind)
      local seen = server:requests()
      assert.equal(POLL .. "?progress_id=a%2F..%2Fb%3Fc%3Dd%26e%23%0D%0A%20%C3%BC", seen[#seen].uri)
    end)

    it("is resumed from its token by another client", function()
      local job = cekura.assert(start())
      local token = cekura.assert(job:token())
      assert.is_nil(token:find("sim-key", 1, true))
      local other = server:client()
      local taken = cekura.assert(other:resume(token))
      assert.equal(job.id, taken.id)
      assert.equal(job.kind, taken.kind)
      assert.truthy(cekura.assert(taken:wait { interval = 0.01 }).improved_prompt)
      other:close()
    end)

    it("is not resumed from a token that is malformed, changed or for another base URL", function()
      local token = cekura.assert(cekura.assert(start()):token())
      for _, bad in ipairs { "", "x", token:sub(1, -2), token .. "0", (token:gsub("2142", "2143")) } do
        local job, err = client:resume(bad)
        assert.is_nil(job)
        assert.equal("config", err.kind)
      end
      local other = cekura.assert(cekura.new { api_key = "k", base_url = server.url .. "/prefix", config_file = false })
      local job, err = other:resume(token)
      assert.is_nil(job)
      assert.equal("config", err.kind)
      assert.truthy(tostring(err):find "another base URL")
      other:close()
    end)
  end)

  describe("a list of jobs", function()
    local function start_many(count)
      local jobs = {}
      for index = 1, count do
        jobs[index] = cekura.assert(start())
      end
      return jobs
    end

    it("is waited for by all, which returns the outcomes in order", function()
      local jobs = start_many(5)
      local outcomes = cekura.all(jobs, { interval = 0.02 })
      assert.equal(5, #outcomes)
      for index, outcome in ipairs(outcomes) do
        assert.equal(jobs[index], outcome.job)
        assert.truthy(outcome.result.improved_prompt)
        assert.is_nil(outcome.err)
      end
    end)

    it("is iterated over by each in the order of completion, even across clients", function()
      local slow = server:client { headers = { ["X-Simulate"] = "polls=40" } }
      local failing = server:client { headers = { ["X-Simulate"] = "life=failed; polls=20" } }
      local params = { call_logs = { 1 }, prompt = "x" }
      local jobs = {
        cekura.assert(slow.calls:improve_prompt(params)), cekura.assert(failing.calls:improve_prompt(params)),
        cekura.assert(client.calls:improve_prompt(params)),
      }
      local order = {}
      for job, result, err in cekura.each(jobs, { interval = 0.02 }) do
        order[#order + 1] = job
        assert.equal(job == jobs[2], result == nil)
        assert.equal(job == jobs[2] and "job_failed" or nil, err and err.kind)
      end
      assert.same({ jobs[3], jobs[2], jobs[1] }, order)
      slow:close()
      failing:close()
    end)

    it("has one deadline, after which all remaining jobs time out", function()
      local endless = server:client { headers = { ["X-Simulate"] = "life=endless" } }
      local stuck = cekura.assert(endless.calls:improve_prompt { call_logs = { 1 }, prompt = "x" })
      local jobs, outcomes = { stuck, start_many(1)[1], stuck }, nil
      patience.with_enough_time(0.3, function(seconds)
        outcomes = cekura.all(jobs, { interval = 0.02, timeout = seconds })
        return outcomes[2].result
      end)
      assert.equal("timeout", outcomes[1].err.kind)
      assert.equal(outcomes[1], outcomes[3])
      for index = 1, 200 do -- a deadline for each would take a hundred seconds in all
        jobs[index] = cekura.assert(endless:job("calls.improve_prompt", stuck.id))
      end
      outcomes = patience.before_timer(30, cekura.all, jobs, { interval = 0.2, timeout = 0.5 })
      assert.equal("timeout", outcomes[200].err.kind)
      endless:close()
    end)

    it("is polled only while each waits for the next completion", function()
      local endless = server:client { headers = { ["X-Simulate"] = "life=endless" } }
      local stuck = cekura.assert(endless.calls:improve_prompt { call_logs = { 1 }, prompt = "x" })
      local next_settled = cekura.each({ stuck, start_many(1)[1] }, { interval = 0.01 })
      assert.truthy((next_settled()))
      patience.until_idle(endless) -- one poll may be in flight
      local before = stuck.polls
      cekura.sleep(0.1)
      assert.equal(before, stuck.polls)
      endless:close()
    end)

    it("may be empty, or contain only jobs that have ended", function()
      assert.same({}, cekura.all {})
      assert.is_nil(cekura.each({})())
      local jobs = start_many(1)
      cekura.assert(jobs[1]:wait { interval = 0.01 })
      local before = #server:requests()
      assert.equal(jobs[1].result, cekura.all(jobs)[1].result)
      assert.equal(before, #server:requests())
    end)

    it("calls on_progress for every change", function()
      local told = 0
      cekura.all(start_many(3), { interval = 0.02, on_progress = function()
        told = told + 1
      end })
      assert.equal(9, told)
    end)

    it("is copied, so changes to the table have no effect", function()
      local jobs = start_many(3)
      local first, second, third = jobs[1], jobs[2], jobs[3]
      local other = start_many(1)[1]
      local outcomes = cekura.all(jobs, { interval = 0.01, on_progress = function()
        jobs[1], jobs[2], jobs[3] = other, nil, nil
      end })
      assert.equal(3, #outcomes)
      for index, job in ipairs { first, second, third } do
        assert.equal(job, outcomes[index].job)
        assert.truthy(outcomes[index].result)
      end
      local twice = { first, other, first }
      local next_settled = cekura.each(twice, { interval = 0.01 })
      twice[1], twice[2], twice[3] = "nothing", third, nil
      assert.equal(first, (next_settled()))
      assert.equal(other, (next_settled()))
      assert.is_nil((next_settled()))
      assert.equal(0, third.polls - 3)
    end)

    it("must contain jobs: the error names the place of another value", function()
      local ok, message = pcall(cekura.all, { {} })
      assert.is_false(ok)
      assert.truthy(message:find("jobs[1]: job expected, got table", 1, true))
    end)

    it("of a hundred is polled with at most max_in_flight requests in flight", function()
      client = server:renew_client { max_in_flight = 4 }
      local outcomes = cekura.all(start_many(100), { interval = 0.05 })
      for _, outcome in ipairs(outcomes) do
        assert.truthy(outcome.result)
      end
      assert.is_true(client:stats().max_in_flight <= 4)
      assert.equal(100, client:stats().jobs)
    end)
  end)

  it("raises for answer, because this kind takes none", function()
    local ok, message = pcall(function()
      return cekura.assert(start()):answer "yes"
    end)
    assert.is_false(ok)
    assert.truthy(message:find "job_spec.lua:%d+: cekura: calls.improve_prompt: this kind of job accepts no answer")
  end)

  it("has only the documented fields, and they are read-only", function()
    local job = cekura.assert(start())
    assert.is_false((pcall(function()
      job.status = "completed"
    end)))
    assert.is_nil(job.nothing)
    assert.is_nil(job._client)
    assert.is_nil(job[1])
  end)

  it("may be collected while its poll is in flight", function()
    server:script(POLL, { { delay = 0.05, body = { status = "queued" } } })
    do
      local job = cekura.assert(start())
      job:wait { timeout = 0.02, interval = 0.001 }
    end
    collectgarbage()
    collectgarbage()
    cekura.sleep(0.1)
    assert.equal(200, cekura.assert(client:request("GET", "/echo/")).status)
  end)

  -- Such jobs stayed until the client was collected.
  it("that is dropped while its poll is in flight is collected after the poll", function()
    local queued = { status = "queued" }
    local seen = setmetatable({}, { __mode = "v" })
    local function give_up_some()
      for index = 1, 4 do
        server:script(POLL, { { body = queued }, { hold = "second", body = queued } })
        local job = cekura.assert(start())
        seen[index] = job
        patience.with_enough_time(0.03, function(seconds)
          job:wait { timeout = seconds, interval = 0.001 }
          return server:count(POLL) == 2 * index
        end)
        assert.equal(1, job.polls)
        if index > 2 then
          job:cancel()
        end
      end
    end
    give_up_some()
    collectgarbage()
    assert.truthy(next(seen))
    server:release "second"
    if rawget(_G, "jit") then
      _G.jit.flush() -- a compiled trace keeps its objects alive
    end
    patience.eventually(function()
      collectgarbage()
      return next(seen) == nil
    end)
  end)

  -- The time in the queue was taken from each request's timeout.
  it("is polled with its whole timeout, however long the queue is", function()
    client = server:renew_client { max_in_flight = 2, timeout = 3 }
    local jobs = {}
    for index = 1, 24 do
      jobs[index] = cekura.assert(start())
    end
    server:script(POLL, { { delay = 0.4, body = { status = "completed", output = { improved_prompt = "y" } } } })
    for _, outcome in ipairs(cekura.all(jobs, { interval = 0.01, timeout = 60 })) do
      assert.is_nil(outcome.err)
      assert.equal(1, outcome.job.polls)
    end
    assert.equal(48, client:stats().requests)
  end)

  it("returns closed without an old answer when its client is closed between two polls", function()
    polled_answers { status = "processing" }
    local job = cekura.assert(client:job("calls.improve_prompt", "known"))
    cekura.run(function()
      local waiting = cekura.spawn(job.wait, job, { interval = 600, timeout = 3600 })
      patience.eventually(function() return job.polls == 1 end)
      client:close()
      local result, err = waiting:join()
      assert.is_nil(result)
      assert.equal("closed", err.kind)
      assert.equal(job, err.job)
      assert.is_nil(err.status)
      assert.is_nil(err.response)
      assert.is_false(err.sent)
    end)
    assert.equal(1, job.polls)
    assert.equal("closed", select(2, job:wait()).kind)
    assert.equal("closed", select(2, job:poll()).kind)
  end)

  it("returns its issues from calls:improve_prompt_issues", function()
    local issues = cekura.assert(client.calls:improve_prompt_issues { agent_id = 1, call_logs = { 5 } })
    assert.equal("The date was not confirmed", issues.issues[1].title)
    assert.equal(5, issues.issues[1].call_logs[1])
    server:script("/observability/v1/call-logs/improve_prompt_issues/", { { status = 404 } })
    local _, err = client.calls:improve_prompt_issues { agent_id = 1, call_logs = { 5 } }
    assert.equal("gone", err.kind)
    assert.truthy(tostring(err):find("improve_prompt_issues", 1, true))
    local ok, message = pcall(client.calls.improve_prompt_issues, client.calls, { agent_id = 1 })
    assert.is_false(ok)
    assert.truthy(message:find "call_logs is missing")
  end)
end)

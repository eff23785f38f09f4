--- The cancellation of a task that waits: the current wait reports it, or, if that wait ends otherwise, the next one.

local cekura = require "cekura"
local core = require "cekura.core"
local file = require "spec.support.file"
local own = require "cekura.loop.own"
local simulator = require "spec.support.simulator"

local PARAMS = { call_logs = { 1 }, prompt = "x" }

local puc_5_1 = _VERSION == "Lua 5.1" and not rawget(_G, "jit")

local function pack(...)
  return { n = select("#", ...), ... }
end

describe("the cancellation of a task", function()
  local server = simulator.during(setup, teardown)
  local client, on_event

  before_each(function()
    server:reset()
    server:script("/stuck/", { { delay = 600 } })
    on_event = function() end
    client = server:client { headers = { ["X-Simulate"] = "polls=1" }, on_event = function(event)
      on_event(event)
    end }
  end)

  after_each(function()
    client:close()
  end)

  local function start()
    return cekura.assert(client.calls:improve_prompt(PARAMS))
  end

  local function echo()
    return client:request("GET", "/echo/")
  end

  -- Runs a function in a task, which gets a function that cancels the task, and then `after`. Returns the results of
  -- the former, packed.
  local function run(wait, after)
    local task, results
    task = cekura.spawn(function()
      results = pack(wait(function()
        assert.is_true(task:cancel())
      end))
      after()
    end)
    task:join()
    assert.truthy(results, "the wait raised")
    assert.equal(0, server:count "/echo/")
    return results
  end

  -- What a wait that begins now raises. It does not yield.
  local function raised_next()
    local ok, raised = pcall(echo)
    return not ok and raised.kind
  end

  -- Checks that a wait ends otherwise, the next one returns the cancellation, and the one after that raises it. Returns
  -- the results of the first.
  local function left_by(wait)
    local second, third
    local results = run(wait, function()
      second = pack(echo())
      third = raised_next()
    end)
    assert.truthy(second, "the next wait raised")
    assert.same({ nil, "cancelled" }, { second[1], second[2] and second[2].kind })
    assert.equal("cancelled", third)
    return (table.unpack or unpack)(results, 1, results.n) -- luacheck: ignore 143
  end

  -- Checks that a wait returns the cancellation, and the next one raises it.
  local function returned_by(wait)
    local second
    local results = run(wait, function()
      second = raised_next()
    end)
    assert.same({ nil, "cancelled" }, { results[1], results[2] and results[2].kind })
    assert.equal("cancelled", second)
  end

  -- Has an event of that name call a function, once; `is_it(event)` chooses the event.
  local function at(name, fn, is_it)
    on_event = function(event)
      if event.name == name and (not is_it or is_it(event)) then
        on_event = function() end
        fn(event)
      end
    end
  end

  local function has_succeeded(event)
    return event.state == "succeeded"
  end

  describe("is left to the next wait by one that returns", function()
    it("the answer to a request", function()
      local call, err = left_by(function(cancel)
        at("request_finished", cancel)
        return client.calls:get(5181749)
      end)
      assert.is_nil(err)
      assert.equal(5181749, call.id)
    end)

    -- The event is handled before the task is woken.
    it("the answer to a request, even if the task runs before the answer is handed to it", function()
      local call, err = left_by(function(cancel)
        at("request_finished", function()
          cancel()
          cekura.sleep(0)
        end)
        return client.calls:get(5181749)
      end)
      assert.is_nil(err)
      assert.equal(5181749, call.id)
    end)

    it("the answer to a request of a coroutine that it has made", function()
      local call, err = left_by(function(cancel)
        at("request_finished", cancel)
        return coroutine.wrap(function()
          return client.calls:get(5181749)
        end)()
      end)
      assert.is_nil(err)
      assert.equal(5181749, call.id)
    end)

    it("the error of a request that failed", function()
      local call, err = left_by(function(cancel)
        at("request_finished", cancel)
        return client.calls:get(1)
      end)
      assert.is_nil(call)
      assert.equal("not_found", err.kind)
    end)

    it("the job of a start", function()
      local job, err = left_by(function(cancel)
        at("request_finished", cancel)
        return client.calls:improve_prompt(PARAMS)
      end)
      assert.is_nil(err)
      assert.truthy(job.id)
    end)

    it("the result of a job", function()
      local job = start()
      local result, err = left_by(function(cancel)
        at("job_changed", cancel, has_succeeded)
        return job:wait { interval = 0.01 }
      end)
      assert.is_nil(err)
      assert.truthy(result.improved_prompt)
    end)

    it("the result of a job, even if the task runs before it is notified", function()
      local job = start()
      local result, err = left_by(function(cancel)
        at("job_changed", function()
          cancel()
          cekura.sleep(0)
        end, has_succeeded)
        return job:wait { interval = 0.01 }
      end)
      assert.is_nil(err)
      assert.truthy(result.improved_prompt)
    end)

    it("the end of a job in updates()", function()
      local job = start()
      local changed = left_by(function(cancel)
        local next_change = job:updates { interval = 0.01 }
        at("job_changed", function()
          cancel()
          cekura.sleep(0)
        end, has_succeeded)
        local seen
        repeat
          seen = next_change()
        until not seen or seen.state == "succeeded"
        return seen
      end)
      assert.equal(job, changed)
      assert.is_nil(job.error)
    end)

    it("the results of all jobs", function()
      local jobs = { start(), start() }
      local outcomes = left_by(function(cancel)
        local ended = 0
        at("job_changed", function()
          cancel()
          cekura.sleep(0)
        end, function(event)
          ended = ended + (has_succeeded(event) and 1 or 0)
          return ended == 2
        end)
        return cekura.all(jobs, { interval = 0.01 })
      end)
      for _, outcome in ipairs(outcomes) do
        assert.is_nil(outcome.err)
        assert.truthy(outcome.result)
      end
    end)

    -- A program's adapters, which are built on the own loop.
    for what, make in pairs {
      ["of functions"] = function()
        local adapter = {}
        for _, name in ipairs { "attach", "detach", "waiter", "park", "wake", "spawn", "sleep", "run", "step",
          "timeout" } do
          adapter[name] = own[name]
        end
        return adapter
      end,
      ["that extends another"] = function()
        return setmetatable({}, { __index = own })
      end,
      ["with waiters of its own"] = function()
        local adapter = {}
        function adapter.waiter()
          return { inner = own.waiter() }
        end
        for _, name in ipairs { "park", "wake", "defer_cancel" } do
          adapter[name] = function(waiter, ...)
            return own[name](waiter.inner, ...)
          end
        end
        return setmetatable(adapter, { __index = own })
      end,
    } do
      it("the answer to a request in a loop that is a table " .. what, function()
        client:close()
        client = server:client { loop = make(), on_event = function(event)
          on_event(event)
        end }
        local call, err = left_by(function(cancel)
          at("request_finished", cancel)
          return client.calls:get(5181749)
        end)
        assert.is_nil(err)
        assert.equal(5181749, call.id)
      end)
    end

    it("what a task returned that it joins", function()
      assert.equal(7, left_by(function(cancel)
        return cekura.spawn(function()
          cekura.sleep(0)
          cancel()
          return 7
        end):join()
      end))
    end)

    it("what a task raised that it joins", function()
      local value, raised = left_by(function(cancel)
        return cekura.spawn(function()
          cekura.sleep(0)
          cancel()
          error("mine", 0)
        end):join()
      end)
      assert.is_nil(value)
      assert.equal("mine", raised)
    end)

    it("what the function of a run returned, whose last task ends", function()
      assert.equal(7, left_by(function(cancel)
        return cekura.run(function()
          cekura.spawn(function()
            cekura.sleep(0)
            cancel()
          end)
          return 7
        end)
      end))
    end)

    it("what the function of a run returned, whose last task is cancelled by that", function()
      local kind
      assert.equal(7, left_by(function(cancel)
        return cekura.run(function()
          cekura.spawn(function()
            kind = select(2, client:request("GET", "/stuck/")).kind
          end)
          cekura.spawn(cancel)
          return 7
        end)
      end))
      assert.equal("cancelled", kind)
    end)
  end)

  if not puc_5_1 then -- it cannot wait in pcall
    describe("is left to the next wait by one that raises the error", function()
      it("of an event handler about its request", function()
        local ok, raised = left_by(function(cancel)
          at("request_finished", function()
            cancel()
            error("mine", 0)
          end)
          return pcall(client.request, client, "GET", "/observability/v2/call-logs/5181749/")
        end)
        assert.same({ false, "mine" }, { ok, raised })
      end)

      it("of an event handler about its request, which is then cancelled", function()
        local ok, raised = left_by(function(cancel)
          at("request_started", function()
            cancel()
            error("mine", 0)
          end)
          return pcall(client.request, client, "GET", "/stuck/")
        end)
        assert.same({ false, "mine" }, { ok, raised })
      end)

      it("of the function of a run, at its cancellation", function()
        local ok, raised = left_by(function(cancel)
          return pcall(cekura.run, function()
            cekura.spawn(cancel)
            client:request("GET", "/stuck/")
            error("mine", 0)
          end)
        end)
        assert.same({ false, "mine" }, { ok, raised })
      end)

      it("of a task of a run, before its last task is cancelled", function()
        local ok, raised = left_by(function(cancel)
          return pcall(cekura.run, function()
            cekura.spawn(client.request, client, "GET", "/stuck/")
            cekura.spawn(error, "mine", 0)
            cekura.spawn(cancel)
          end)
        end)
        assert.same({ false, "mine" }, { ok, raised })
      end)
    end)
  end

  describe("is returned", function()
    -- The job ends by a poll of the specification's while the task is in a request about it.
    local PROGRESS = "/test_framework/v1/scenarios/scenario-agent-progress/"
    local ENDED = { status = "completed", session_id = 5, output = { mode = "done" } }

    it("by a poll whose job has ended meanwhile", function()
      server:script(PROGRESS, { { hold = "first" }, { body = ENDED } })
      local job = cekura.assert(client:job("scenarios.agent", "p"))
      returned_by(function(cancel)
        cekura.spawn(function()
          server:wait_for(PROGRESS)
          cekura.assert(job:poll())
          assert.equal("succeeded", job.state)
          cancel()
        end)
        return job:poll()
      end)
    end)

    it("by an answer whose job has ended meanwhile", function()
      local answers = "/test_framework/v1/scenarios/scenario-agent/"
      server:script(answers, { { hold = "answer" } })
      server:script(PROGRESS, { { body = { status = "queued", session_id = 5 } }, { body = ENDED } })
      local job = cekura.assert(client:job("scenarios.agent", "p"))
      returned_by(function(cancel)
        cekura.spawn(function()
          server:wait_for(answers)
          cekura.assert(job:poll())
          assert.equal("succeeded", job.state)
          cancel()
        end)
        return job:answer "Yes."
      end)
    end)

    it("by an answer that is not sent yet, even if its values are known meanwhile", function()
      server:script(PROGRESS, { { hold = "first" }, { body = { status = "queued", session_id = 5 } } })
      local job = cekura.assert(client:job("scenarios.agent", "p"))
      returned_by(function(cancel)
        cekura.spawn(function()
          server:wait_for(PROGRESS)
          cekura.assert(job:poll())
          cancel()
        end)
        return job:answer "Yes."
      end)
    end)

    it("by self_improve(), even if its time is over, too", function()
      local seconds = 0.5
      server:script("/observability/v2/call-logs/", { { hold = "list" } })
      returned_by(function(cancel)
        local deadline = core.now() + seconds
        at("request_started", function()
          while core.now() <= deadline do end
          cancel()
        end)
        return client.calls:self_improve { agent_id = 2142, call_id = "sess-1", prompt = "x", timeout = seconds }
      end)
    end)

    it("by a request, even if the size of a file that it sends has changed", function()
      local path = os.tmpname()
      finally(function()
        os.remove(path)
      end)
      file.write(path, ("x"):rep(2 * 1024 * 1024))
      returned_by(function(cancel)
        at("request_started", function()
          file.write(path, "x")
          cancel()
        end)
        return client:request("POST", "/stuck/", { multipart = { a = { path = path } } })
      end)
    end)

    it("by a join of a task that is cancelled, too", function()
      returned_by(function(cancel)
        local other = cekura.spawn(echo)
        cekura.spawn(function()
          other:cancel()
          cancel()
        end)
        return other:join()
      end)
    end)
  end)
end)

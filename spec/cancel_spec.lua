--- The cancellation of a task that waits: the current wait reports it, or, if that wait ends otherwise, the next one.

local cekura = require "cekura"
local core = require "cekura.core"
local simulator = require "spec.support.simulator"

local PARAMS = { call_logs = { 1 }, prompt = "x" }

local puc_5_1 = _VERSION == "Lua 5.1" and not rawget(_G, "jit")

local function pack(...)
  return { n = select("#", ...), ... }
end

describe("a task that is cancelled at the moment when its wait ends", function()
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

  -- Runs `wait` in a task, which gets a function that cancels it, and two more waits after it. The first of them
  -- returns the cancellation, and the second raises it. Returns what `wait` returned.
  local function cancelled_in(wait)
    local task, results, second, third
    task = cekura.spawn(function()
      results = pack(wait(function()
        assert.is_true(task:cancel())
      end))
      second = pack(pcall(echo)) -- it does not yield
      third = pack(pcall(echo))
    end)
    task:join()
    assert.truthy(results, "the wait raised")
    assert.same({ 3, true, nil, "cancelled" }, { second.n, second[1], second[2], second[3] and second[3].kind })
    assert.same({ 2, false, "cancelled" }, { third.n, third[1], third[2].kind })
    assert.equal(0, server:count "/echo/")
    return (table.unpack or unpack)(results, 1, results.n) -- luacheck: ignore 143
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

  describe("gets", function()
    it("the answer to a request", function()
      local call, err = cancelled_in(function(cancel)
        at("request_finished", cancel)
        return client.calls:get(5181749)
      end)
      assert.is_nil(err)
      assert.equal(5181749, call.id)
    end)

    -- The event is handled before the task is woken.
    it("the answer to a request, even if the task runs before the answer is handed to it", function()
      local call, err = cancelled_in(function(cancel)
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
      local call, err = cancelled_in(function(cancel)
        at("request_finished", cancel)
        return coroutine.wrap(function()
          return client.calls:get(5181749)
        end)()
      end)
      assert.is_nil(err)
      assert.equal(5181749, call.id)
    end)

    it("the error of a request that failed", function()
      local call, err = cancelled_in(function(cancel)
        at("request_finished", cancel)
        return client.calls:get(1)
      end)
      assert.is_nil(call)
      assert.equal("not_found", err.kind)
    end)

    it("the job of a start", function()
      local job, err = cancelled_in(function(cancel)
        at("request_finished", cancel)
        return client.calls:improve_prompt(PARAMS)
      end)
      assert.is_nil(err)
      assert.truthy(job.id)
    end)

    it("the result of a job", function()
      local job = start()
      local result, err = cancelled_in(function(cancel)
        at("job_changed", cancel, has_succeeded)
        return job:wait { interval = 0.01 }
      end)
      assert.is_nil(err)
      assert.truthy(result.improved_prompt)
    end)

    it("the result of a job, even if the task runs before it is notified", function()
      local job = start()
      local result, err = cancelled_in(function(cancel)
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
      local changed = cancelled_in(function(cancel)
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
      local outcomes = cancelled_in(function(cancel)
        local ended = 0
        at("job_changed", cancel, function(event)
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

    it("what a task returned that it joins", function()
      assert.equal(7, cancelled_in(function(cancel)
        return cekura.spawn(function()
          cekura.sleep(0)
          cancel()
          return 7
        end):join()
      end))
    end)

    it("what a task raised that it joins", function()
      local value, raised = cancelled_in(function(cancel)
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
      assert.equal(7, cancelled_in(function(cancel)
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
      assert.equal(7, cancelled_in(function(cancel)
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
    describe("gets the error that is raised", function()
      it("by an event handler about its request", function()
        local ok, raised = cancelled_in(function(cancel)
          at("request_finished", function()
            cancel()
            error("mine", 0)
          end)
          return pcall(client.request, client, "GET", "/observability/v2/call-logs/5181749/")
        end)
        assert.same({ false, "mine" }, { ok, raised })
      end)

      it("by an event handler about its request, which is then cancelled", function()
        local ok, raised = cancelled_in(function(cancel)
          at("request_started", function()
            cancel()
            error("mine", 0)
          end)
          return pcall(client.request, client, "GET", "/stuck/")
        end)
        assert.same({ false, "mine" }, { ok, raised })
      end)

      it("by the function of a run, at its cancellation", function()
        local ok, raised = cancelled_in(function(cancel)
          return pcall(cekura.run, function()
            cekura.spawn(cancel)
            client:request("GET", "/stuck/")
            error("mine", 0)
          end)
        end)
        assert.same({ false, "mine" }, { ok, raised })
      end)

      it("by a task of a run, before its last task is cancelled", function()
        local ok, raised = cancelled_in(function(cancel)
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
end)

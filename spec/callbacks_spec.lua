--- What a program may do in a callback (an event handler, on_progress, the body of an iteration, a finalizer): close
-- the client, raise, start jobs, yield. Nothing else is affected.

local cekura = require "cekura"
local core = require "cekura.core"
local patience = require "spec.support.patience"
local simulator = require "spec.support.simulator"
local sorted_keys = require "spec.support.sorted_keys"

local PARAMS = { call_logs = { 1 }, prompt = "x" }
local POLL = "/observability/v1/call-logs/improve_prompt_progress/"

local puc_5_1 = _VERSION == "Lua 5.1" and not rawget(_G, "jit")

describe("a callback", function()
  local server = simulator.during(setup, teardown)
  local neighbour, client

  before_each(function()
    server:reset()
    neighbour = server:client()
  end)

  after_each(function()
    neighbour:close()
    if client then
      client:close()
    end
  end)

  -- Creates a client whose event handler calls `act` at the events of that name for which `applies` is true.
  local function handling(name, act, applies)
    client = server:client { on_event = function(event)
      if event.name == name and applies(event) then
        act(event)
      end
    end }
  end

  local function of_request(event)
    return event.path == "/x/"
  end

  local function of_job(event)
    return event.job ~= nil
  end

  local function start()
    return cekura.assert(client.calls:improve_prompt(PARAMS))
  end

  -- Each place calls `act` at least once, and returns what its waiter gets.
  local places = {
    ["an event handler, when a request starts"] = function(act)
      server:script("/x/", { { delay = 0.5, body = {} } }) -- else its answer may be there in the same step
      handling("request_started", act, of_request)
      return client:request("GET", "/x/")
    end,
    ["an event handler, when a request is retried"] = function(act)
      server:script("/x/", { { status = 503 }, { body = {} } })
      handling("request_retried", act, of_request)
      return client:request("GET", "/x/")
    end,
    ["an event handler, when a request finishes"] = function(act)
      server:script("/x/", { { body = {} } })
      handling("request_finished", act, of_request)
      return client:request("GET", "/x/")
    end,
    ["an event handler, when a poll starts"] = function(act)
      handling("request_started", act, of_job)
      return start():wait { interval = 0.01, timeout = 60 }
    end,
    ["an event handler, when a poll finishes"] = function(act)
      handling("request_finished", act, of_job)
      return start():wait { interval = 0.01, timeout = 60 }
    end,
    ["an event handler, when a job changes"] = function(act)
      handling("job_changed", act, of_job)
      return start():wait { interval = 0.01, timeout = 60 }
    end,
    ["on_progress of a wait"] = function(act)
      client = server:client()
      return start():wait { interval = 0.01, timeout = 60, on_progress = act }
    end,
    ["on_progress of updates()"] = function(act)
      client = server:client()
      local job = start()
      local next_change = job:updates { interval = 0.01, timeout = 60, on_progress = act }
      while next_change() do end
      return job.result, job.error
    end,
    ["on_progress of all()"] = function(act)
      client = server:client()
      local outcome = cekura.all({ start() }, { interval = 0.01, timeout = 60, on_progress = act })[1]
      return outcome.result, outcome.err
    end,
    ["the body of updates()"] = function(act)
      client = server:client()
      local job = start()
      local next_change = job:updates { interval = 0.01, timeout = 60 }
      while next_change() do
        act()
      end
      return job.result, job.error
    end,
  }

  local names = sorted_keys(places)

  -- Runs a place beside a task that waits for a job of another client, and a task that counts. Neither may be affected.
  -- Returns what pcall does.
  local function beside_others(place, act)
    local job = cekura.assert(neighbour.calls:improve_prompt(PARAMS))
    local other = cekura.spawn(function()
      return job:wait { interval = 0.02, timeout = 60 }
    end)
    local counter = cekura.spawn(function()
      for _ = 1, 5 do
        cekura.sleep(0.001)
      end
      return 5
    end)
    local outcome = { pcall(place, act) }
    assert.equal(5, counter:join())
    assert.truthy(cekura.assert(other:join()).improved_prompt)
    return outcome[1], outcome[2], outcome[3]
  end

  describe("that closes its client:", function()
    -- A response that has arrived is still returned.
    local kept = { ["an event handler, when a request finishes"] = true }

    for _, name in ipairs(names) do
      it(name, function()
        local ok, value, err = beside_others(places[name], function()
          client:close()
        end)
        assert.is_true(ok, tostring(value))
        if kept[name] then
          assert.equal(200, value.status)
        else
          assert.is_nil(value)
          assert.equal("closed", err.kind)
        end
        assert.equal("closed", select(2, client:request("GET", "/echo/")).kind)
        assert.equal(0, client:stats().in_flight)
      end)
    end

    it("the body of an iteration over call logs", function()
      client = server:client()
      local calls = client.calls:each { agent_id = 2142, page_size = 1 }
      assert.truthy((calls()))
      client:close()
      local ok, raised = pcall(calls)
      assert.is_false(ok)
      assert.equal("closed", raised.kind)
    end)

    -- One of the waits went on to its deadline.
    it("an event handler, for one of several changes that are waited for", function()
      handling("job_changed", function()
        client:close()
      end, of_job)
      local jobs = { start(), start(), start() }
      for _, outcome in ipairs(cekura.all(jobs, { interval = 0.01, timeout = 60 })) do
        assert.equal("closed", outcome.err.kind)
      end
    end)

    -- Each closing event was reported inside the previous one, which overflowed the C stack.
    it("an event handler, at any event, with hundreds of requests in flight", function()
      server:script("/slow/", { { delay = 600 } })
      local told = 0
      client = server:client { on_event = function(event)
        if event.name == "request_finished" then
          told = told + 1
          client:close()
        end
      end }
      local tasks = {}
      for index = 1, 400 do
        tasks[index] = cekura.spawn(client.request, client, "GET", "/slow/", { timeout = index == 1 and 2 or nil })
      end
      for index, task in ipairs(tasks) do
        local _, err = task:join()
        assert.equal(index == 1 and "timeout" or "closed", type(err) == "table" and err.kind or err)
      end
      assert.equal(400, told)
    end)
  end)

  describe("that raises:", function()
    local thrown = {}
    local function throw(value)
      return function()
        error(value, 0)
      end
    end

    for _, name in ipairs(names) do
      for what, value in pairs { ["a string"] = "boom", ["a table"] = thrown, ["an error value"] =
        setmetatable({ kind = "closed" }, {}), ["false"] = false, ["nil"] = throw } do
        if what == "nil" then
          value = nil
        end
        it(("%s, %s"):format(name, what), function()
          local ok, raised = beside_others(places[name], throw(value))
          assert.is_false(ok)
          assert.equal(select(2, pcall(throw(value))), raised) -- Lua 5.5 turns nil into a string
          assert.equal(200, cekura.assert(client:request("GET", "/echo/")).status) -- the client still works
        end)
      end
    end

    it("an event handler for one job, without effect on waiters of other jobs", function()
      local bad
      handling("job_changed", throw(thrown), function(event)
        return event.job == bad
      end)
      bad = start()
      local other = start()
      local waiting = cekura.spawn(other.wait, other, { interval = 0.01 })
      local ok, raised = pcall(bad.wait, bad, { interval = 0.01 })
      assert.is_false(ok)
      assert.equal(thrown, raised)
      assert.truthy(cekura.assert(waiting:join()).improved_prompt)
    end)

    it("an event handler for a job: each error is re-raised once before the result", function()
      handling("job_changed", throw(thrown), of_job)
      local job, raises = start(), 0
      local ok, value
      repeat
        ok, value = pcall(job.wait, job, { interval = 0.01 })
        raises = raises + (ok and 0 or 1)
      until ok or raises == 10
      assert.equal(3, raises)
      assert.truthy(value.improved_prompt)
    end)

    -- The error was lost, because the start had none and replaced it.
    it("an event handler for a job that its start has ended: the error is re-raised before the result", function()
      client = server:client { headers = { ["X-Simulate"] = "life=inline" }, on_event = function(event)
        if event.name == "job_changed" then
          error(thrown, 0)
        end
      end }
      local job = start()
      local ok, raised = pcall(job.wait, job)
      assert.is_false(ok)
      assert.equal(thrown, raised)
      assert.truthy(cekura.assert(job:wait()).improved_prompt)
      local next_job = cekura.each { start() }
      assert.equal(thrown, select(2, pcall(next_job)))
    end)

    it("on_progress, in its own wait only: another wait for the job returns the result", function()
      client = server:client()
      local job = start()
      local waiting = cekura.spawn(job.wait, job, { interval = 0.01 })
      assert.is_false((pcall(job.wait, job, { interval = 0.01, on_progress = throw(thrown) })))
      assert.truthy(cekura.assert(waiting:join()).improved_prompt)
    end)

    -- On Lua 5.1 and LuaJIT the error was written into another table.
    it("an event handler for a request that no call waits for: the error is dropped", function()
      local paths = {}
      server:script("/x/", { { delay = 600 } })
      handling("request_finished", function(event)
        paths[#paths + 1] = event.path
        error "boom"
      end, function(event)
        return event.outcome == "cancelled"
      end)
      local task = cekura.spawn(client.request, client, "GET", "/x/")
      cekura.sleep(0.05)
      task:cancel()
      assert.equal("cancelled", select(2, task:join()).kind)
      assert.equal(200, cekura.assert(client:request("GET", "/echo/")).status)
      assert.same({ "/x/" }, paths)
      assert.is_nil(rawget(_G, "_raised"))
      assert.is_nil(rawget(package, "_raised"))
    end)
  end)

  describe("that starts a job and a task:", function()
    for _, name in ipairs(names) do
      it(name, function()
        server:script("/x/", { { status = 503, headers = { ["Retry-After"] = "0" } }, { body = {} } })
        local job, task
        local ok, value = beside_others(places[name], function()
          if not task then
            task = cekura.spawn(function()
              job = cekura.assert(neighbour.calls:improve_prompt(PARAMS))
              return job:wait { interval = 0.01 }
            end)
          end
        end)
        assert.is_true(ok, tostring(value))
        assert.truthy(value)
        assert.truthy(cekura.assert(task:join()).improved_prompt)
        assert.equal("succeeded", job.state)
      end)

      it(name .. ", and waits for the job there", function()
        server:script("/x/", { { status = 503, headers = { ["Retry-After"] = "0" } }, { body = {} } })
        local result
        local ok, value = beside_others(places[name], function()
          if not result then
            result = true -- this job's events arrive here as well
            result = cekura.assert(cekura.assert(client.calls:improve_prompt(PARAMS)):wait { interval = 0.01 })
          end
        end)
        assert.is_true(ok, tostring(value))
        assert.truthy(value)
        patience.eventually(function() return result ~= true end) -- the place may end before the job
        assert.truthy(result.improved_prompt)
      end)
    end
  end)

  -- The timeouts of these waits replaced the job's outcome.
  describe("that waits until every other wait has timed out:", function()
    local ends = {
      completed = { "succeeded" }, failed = { "failed", "job_failed" }, cancelled = { "cancelled", "job_cancelled" },
      no_issues = { "nothing_to_do" }, needs_input = { "needs_input", "needs_input" },
    }

    -- The ways to wait for a job, each with a timeout; each returns a result or an error.
    local waits = {
      wait = function(job, seconds)
        return job:wait { interval = 0.01, timeout = seconds }
      end,
      all = function(job, seconds)
        local outcome = cekura.all({ job }, { interval = 0.01, timeout = seconds })[1]
        return outcome.result, outcome.err
      end,
      each = function(job, seconds)
        local other = cekura.assert(neighbour.calls:improve_prompt(PARAMS))
        local next_settled = cekura.each({ other, job }, { interval = 0.01, timeout = seconds })
        local settled, result, err = next_settled()
        while settled ~= job do
          settled, result, err = next_settled()
        end
        return result, err
      end,
      updates = function(job, seconds)
        local next_change, last = job:updates { interval = 0.01, timeout = seconds }, nil
        local changed = next_change()
        while changed do
          last = changed.state
          changed = next_change()
        end
        assert.equal(job.state == "needs_input" and "pending" or job.state, last)
        return not job.error and job.result or nil, job.error -- a failed job may have a result as well
      end,
    }

    for life, expected in pairs(ends) do
      for name, wait in pairs(waits) do
        it(("%s, of a job that ends as %s"):format(name, expected[1]), function()
          local job, result, err
          patience.with_enough_time(0.2, function(seconds)
            local told, in_time, ended = false, false, false
            client = server:client { headers = { ["X-Simulate"] = "polls=1; life=" .. life }, on_event = function(event)
              if event.name == "job_changed" and event.job.state == expected[1] then
                in_time = not told
                patience.eventually(function() return told end)
              end
            end }
            job = start()
            cekura.run(function()
              local waiting = cekura.spawn(function()
                result, err = wait(job, seconds)
                return true
              end)
              local _, raised = waiting:join()
              told, ended = true, raised == nil
              cekura.assert(ended, raised)
            end)
            client:close()
            return in_time and ended
          end)
          assert.equal(expected[1], job.state)
          assert.equal(expected[2], err and err.kind)
          assert.equal(expected[2] == nil, result ~= nil)
          if result then
            assert.equal(result, job.result)
          end
          assert.equal(err, job.error)
          if job.state ~= "needs_input" then
            local same_result, same_err = job:wait()
            assert.equal(result, same_result)
            assert.equal(err, same_err)
          end
        end)
      end
    end
  end)

  describe("that yields:", function()
    -- Such a yield left the step, and its waiters, half done.
    for _, name in ipairs(names) do
      if name:find "^an event handler" then
        it(name .. ", which raises in the task that waits", function()
          local co = coroutine.create(places[name])
          local ok, raised = coroutine.resume(co, coroutine.yield)
          assert.equal("dead", coroutine.status(co))
          assert.is_false(ok)
          assert.truthy(tostring(raised):find "attempt to yield", raised)
        end)
      elseif not puc_5_1 or name:find "^the body" then
        it(name .. ", which suspends the program's coroutine", function()
          local co = coroutine.create(places[name])
          local ok, first = coroutine.resume(co, function()
            coroutine.yield "out"
          end)
          assert.is_true(ok, first)
          local changes = 0
          while first == "out" do
            changes = changes + 1
            cekura.sleep(0.02)
            ok, first = coroutine.resume(co)
            assert.is_true(ok, first)
          end
          assert.equal(3, changes)
          assert.truthy(type(first) == "table" and first.improved_prompt)
        end)
      end
    end
  end)

  describe("in a finalizer, while its client is collected as well,", function()
    -- Returns an object whose finalizer calls fn with the object's table, and that table. The object that is created
    -- last is finalized first.
    local function finalized(fn)
      local own = {}
      if rawget(_G, "newproxy") then
        local object = newproxy(true) -- luacheck: ignore 113
        local meta = getmetatable(object)
        meta.own = own
        function meta.__gc()
          fn(own)
        end
        return object, own
      end
      return setmetatable(own, { __gc = fn }), own
    end

    local function collect()
      for _ = 1, 4 do
        collectgarbage()
      end
    end

    -- It raised "the client could not be made" in whatever code allocated memory.
    it("finds the client closed: close(), stats() and requests do not raise", function()
      local seen = {}
      local function make()
        local object, own = finalized(function(own)
          own.client:close()
          seen.stats = own.client:stats()
          seen.err = select(2, own.client:request("GET", "/echo/"))
          seen.cancelled = own.job:cancel()
          seen.text = tostring(own.client)
        end)
        own.client = server:client()
        own.job = cekura.assert(own.client.calls:improve_prompt(PARAMS))
        own.object = object
      end
      make()
      collect()
      assert.equal("closed", seen.err and seen.err.kind)
      assert.equal(0, seen.stats.in_flight)
      assert.is_true(seen.cancelled)
      assert.equal("cekura.client (closed)", seen.text)
    end)

    it("may close another client at any time", function()
      client = server:client()
      local job, closed = start(), false
      local function make()
        finalized(function()
          closed = true
          client:close()
        end)
      end
      local _, err = job:wait { interval = 0.01, timeout = 60, on_progress = function()
        make()
        collect()
      end }
      assert.is_true(closed)
      assert.equal("closed", err.kind)
    end)
  end)

  it("is not called for a poll that is answered after its client was closed", function()
    server:script(POLL, { { hold = "poll", body = { status = "queued" } } })
    client = server:client()
    local job, changes = start(), 0
    cekura.run(function()
      local waiting = cekura.spawn(job.wait, job, { interval = 0.01, on_progress = function()
        changes = changes + 1
      end })
      server:wait_for(POLL)
      client:close()
      assert.equal("closed", select(2, waiting:join()).kind)
      server:release "poll"
      cekura.sleep(0.2)
    end)
    assert.equal(0, changes)
    assert.equal("pending", job.state)
    assert.is_true(core.is_closed(client))
  end)
end)

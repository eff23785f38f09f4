local cekura = require "cekura"
local core = require "cekura.core"
local patience = require "spec.support.patience"
local shell = require "spec.support.shell"
local simulator = require "spec.support.simulator"

local puc_5_1 = _VERSION == "Lua 5.1" and not rawget(_G, "jit")

describe("the own loop:", function()
  describe("run()", function()
    it("passes arguments in and results out, including nils", function()
      assert.same({ n = 4, 3, nil, 1, nil }, (function(...)
        return { n = select("#", ...), ... }
      end)(cekura.run(function(a, b, c, d)
        return c, b, a, d
      end, 1, nil, 3, nil)))
    end)

    it("returns nothing for a function that returns nothing", function()
      assert.equal(0, select("#", cekura.run(function() end)))
      cekura.run(function()
        assert.equal(0, select("#", cekura.spawn(function() end):join()))
      end)
    end)

    it("raises the function's error unchanged", function()
      local thrown = {}
      local ok, raised = pcall(cekura.run, function()
        error(thrown)
      end)
      assert.is_false(ok)
      assert.equal(thrown, raised)
    end)

    it("waits for all tasks, also those that tasks spawned", function()
      local order = {}
      cekura.run(function()
        cekura.spawn(function()
          cekura.sleep(0.02)
          order[#order + 1] = "first"
          cekura.spawn(function()
            cekura.sleep(0.02)
            order[#order + 1] = "second"
          end)
        end)
        order[#order + 1] = "main"
      end)
      assert.same({ "main", "first", "second" }, order)
    end)

    it("raises the error of an unjoined task after all tasks have ended", function()
      local done = false
      local ok, raised = pcall(cekura.run, function()
        cekura.spawn(error, "boom", 0)
        cekura.spawn(function()
          cekura.sleep(0.02)
          done = true
        end)
      end)
      assert.is_false(ok)
      assert.equal("boom", raised)
      assert.is_true(done)
    end)

    it("does not raise the error of a joined task", function()
      assert.equal("boom", cekura.run(function()
        local _, raised = cekura.spawn(error, "boom", 0):join()
        return raised
      end))
    end)

    it("may be called inside a task", function()
      assert.equal(3, cekura.run(function()
        return 1 + cekura.run(function()
          cekura.sleep(0.01)
          return 2
        end)
      end))
    end)

    it("raises if everything waits for something that cannot happen", function()
      local ok, raised = pcall(cekura.run, function()
        local task
        local other = cekura.spawn(function()
          cekura.sleep(0.01)
          return task:join()
        end)
        task = cekura.spawn(function()
          return other:join()
        end)
      end)
      assert.is_false(ok)
      assert.truthy(tostring(raised):find "nothing is left that could wake it")
    end)

    it("raises for an argument that is not a function", function()
      for _, bad in ipairs { "run", "spawn" } do
        local ok, message = pcall(cekura[bad], 5)
        assert.is_false(ok)
        assert.truthy(message:find "fn: function expected, got number", message)
      end
      assert.is_false((pcall(cekura.run)))
      assert.is_false((pcall(cekura.sleep, -1)))
      assert.is_false((pcall(cekura.sleep, "1")))
    end)
  end)

  describe("a task", function()
    it("runs in turn with others", function()
      local order = {}
      cekura.run(function()
        for _, name in ipairs { "a", "b" } do
          cekura.spawn(function()
            for index = 1, 2 do
              order[#order + 1] = name .. index
              coroutine.yield() -- a yield of the program lets the other task run
            end
          end)
        end
      end)
      assert.same({ "a1", "b1", "a2", "b2" }, order)
    end)

    it("may be joined by several tasks, and again after its end", function()
      cekura.run(function()
        local task = cekura.spawn(function()
          cekura.sleep(0.01)
          return 1, nil, 3
        end)
        local seen = 0
        for _ = 1, 2 do
          cekura.spawn(function()
            local a, b, c = task:join()
            assert.same({ 1, 3 }, { a, c })
            assert.is_nil(b)
            seen = seen + 1
          end)
        end
        assert.equal(1, (task:join()))
        cekura.sleep(0)
        assert.equal(2, seen)
        assert.equal(1, (task:join()))
      end)
    end)

    it("that was spawned outside run continues during every wait", function()
      local done = false
      local task = cekura.spawn(function()
        cekura.sleep(0.01)
        done = true
        return "value"
      end)
      assert.is_false(done)
      cekura.sleep(0.05)
      assert.is_true(done)
      assert.equal("value", task:join())
    end)

    it("cannot join itself", function()
      local ok, message = pcall(cekura.run, function()
        local me
        me = cekura.spawn(function()
          cekura.sleep(0)
          me:join()
        end)
      end)
      assert.is_false(ok)
      assert.truthy(message:find "cannot join itself")
    end)

    it("that is cancelled ends at its sleep, and join returns cancelled", function()
      local reached = false
      cekura.run(function()
        local task = cekura.spawn(function()
          cekura.sleep(600)
          reached = true
        end)
        cekura.sleep(0.01)
        assert.is_true(task:cancel())
        local value, err = task:join()
        assert.is_nil(value)
        assert.equal("cancelled", err.kind)
        assert.is_false(task:cancel())
        assert.equal("cekura.task (cancelled)", tostring(task))
      end)
      assert.is_false(reached)
    end)

    it("that is cancelled in a nested run first lets that run end", function()
      local ended = 0
      cekura.run(function()
        local task = cekura.spawn(function()
          cekura.run(function()
            for _ = 1, 2 do
              cekura.spawn(function()
                coroutine.yield()
                local _, err = cekura.spawn(cekura.sleep, 600):join()
                ended = ended + (err.kind == "cancelled" and 1 or 0)
              end)
            end
          end)
        end)
        cekura.sleep(0.02)
        task:cancel()
        assert.equal("cancelled", select(2, task:join()).kind)
      end)
      assert.equal(2, ended)
    end)

    it("that is cancelled before it began never runs", function()
      local ran = false
      cekura.run(function()
        local task = cekura.spawn(function()
          ran = true
        end)
        task:cancel()
        assert.equal("cancelled", select(2, task:join()).kind)
      end)
      assert.is_false(ran)
    end)

    if not puc_5_1 then
      it("that goes on after its cancellation ends at its next wait", function()
        local rounds = 0
        cekura.run(function()
          local task = cekura.spawn(function()
            while rounds < 100 do
              pcall(cekura.sleep, 600)
              rounds = rounds + 1
              cekura.spawn(function() end):join()
            end
          end)
          cekura.sleep(0.005)
          task:cancel()
          task:join()
        end)
        assert.equal(1, rounds)
      end)
    end
  end)

  describe("sleep()", function()
    it("takes as long as asked in each of many tasks", function()
      local began = core.now()
      patience.before_timer(60, cekura.run, function()
        for _ = 1, 2000 do -- in sequence, they would take 200 s
          cekura.spawn(cekura.sleep, 0.1)
        end
      end)
      assert.is_true(core.now() - began >= 0.1)
    end)

    it("in plain code lets tasks run", function()
      local ticks = 0
      local task = cekura.spawn(function()
        while true do
          ticks = ticks + 1
          cekura.sleep(0.01)
        end
      end)
      patience.with_enough_time(0.1, function(seconds)
        cekura.sleep(seconds)
        return ticks >= 3
      end)
      task:cancel()
      task:join()
    end)
  end)

  describe("with a client", function()
    local server = simulator.during(setup, teardown)
    local client

    before_each(function()
      server:reset()
      server:script("/slow/", { { hold = "slow", body = {} } })
      client = server:client()
    end)

    after_each(function()
      client:close()
    end)

    it("has requests of several tasks in flight at once", function()
      cekura.run(function()
        for _ = 1, 10 do
          cekura.spawn(function()
            cekura.assert(client:request("GET", "/slow/"))
          end)
        end
        server:wait_for("/slow/", 10)
        server:release "slow"
      end)
      assert.equal(10, client:stats().max_in_flight)
    end)

    it("waits for several clients at once", function()
      local other = server:client()
      cekura.run(function()
        for _, each in ipairs { client, other, client, other } do
          cekura.spawn(function()
            cekura.assert(each:request("GET", "/slow/"))
          end)
        end
        server:wait_for("/slow/", 4)
        server:release "slow"
      end)
      other:close()
    end)

    it("lets tasks run while plain code, or a coroutine that is not a task, waits for a request", function()
      server:script("/slow/", { { hold = "first" }, { hold = "second" } })
      local ticks, holds = 0, { [5] = "first", [10] = "second" }
      local task = cekura.spawn(function()
        while true do
          ticks = ticks + 1
          if holds[ticks] then
            server:wait_for("/slow/", ticks / 5)
            server:release(holds[ticks])
          end
          cekura.sleep(0.01)
        end
      end)
      cekura.assert(client:request("GET", "/slow/"))
      local status = coroutine.wrap(function()
        return cekura.assert(client:request("GET", "/slow/")).status
      end)()
      assert.equal(200, status)
      task:cancel()
      task:join()
    end)

    -- All other tasks were lost.
    it("lets tasks wait in coroutines that are not tasks, several at once", function()
      local done = 0
      cekura.run(function()
        for _ = 1, 5 do
          cekura.spawn(function()
            for _ = 1, 3 do
              local response = coroutine.wrap(function()
                return cekura.assert(client:request("GET", "/echo/"))
              end)()
              assert.equal(200, response.status)
              cekura.sleep(0)
              client:step()
            end
            done = done + 1
          end)
        end
      end)
      assert.equal(5, done)
    end)

    for _, count in ipairs { 1, 2 } do
      it("runs no Lua while polls change nothing, with clients: " .. count, function()
        server:script("/observability/v1/call-logs/improve_prompt_progress/", { { body = { status = "processing" } } })
        local jobs, waiting, clients = {}, {}, {}
        for index = 1, count do
          clients[index] = server:client()
          jobs[index] = cekura.assert(clients[index]:job("calls.improve_prompt", "job-" .. index))
          waiting[index] = cekura.spawn(jobs[index].wait, jobs[index], { interval = 0.005 })
        end
        patience.eventually(function() return jobs[1].status and jobs[count].status end)
        patience.with_enough_time(0.5, function(seconds)
          local calls, polls = 0, jobs[1].polls
          debug.sethook(function() calls = calls + 1 end, "c")
          cekura.sleep(seconds)
          debug.sethook()
          return jobs[1].polls - polls > 3 * calls
        end)
        for index = 1, count do
          waiting[index]:cancel()
          clients[index]:close()
        end
        server:reset()
      end)
    end

    it("is interrupted by Ctrl-C while polls change nothing", function()
      server:script("/observability/v1/call-logs/improve_prompt_progress/", { { body = { status = "processing" } } })
      local program = [[
        local cekura = require "cekura"
        local client = cekura.assert(cekura.new { api_key = "sim-key", base_url = "URL", config_file = false })
        local job = cekura.assert(client:job("calls.improve_prompt", "1"))
        local pid = assert(io.popen("echo $PPID")):read "*n"
        os.execute(("(sleep 0.3; kill -INT %d) &"):format(pid))
        job:wait { interval = 0.001, timeout = 60 }
        print "not interrupted"
      ]]
      local output = shell(("timeout -s KILL 60 env --default-signal=INT %s -e '%s' 2>&1"):format(
        os.getenv "CEKURA_LUA" or "lua5.4", program:gsub("URL", server.url)))
      server:reset()
      assert.truthy(output:find "interrupted!")
      assert.is_nil(output:find "not interrupted")
    end)

    it("sends nothing for a task that goes on after its cancellation", function()
      local before = #server:requests()
      cekura.run(function()
        local task = cekura.spawn(function()
          client:request("GET", "/slow/")
          client:request("POST", "/echo/")
        end)
        server:wait_for "/slow/"
        task:cancel()
        task:join()
      end)
      local seen = server:requests()
      assert.equal(before + 1, #seen)
      assert.equal("/slow/", seen[#seen].path)
    end)

    it("cancels only the request of the cancelled task", function()
      cekura.run(function()
        local kinds = {}
        local doomed = cekura.spawn(function()
          local _, err = client:request("GET", "/slow/")
          kinds[1] = err.kind
        end)
        local other = cekura.spawn(client.request, client, "GET", "/slow/")
        server:wait_for("/slow/", 2)
        doomed:cancel()
        assert.equal("cancelled", select(2, doomed:join()).kind)
        assert.equal("cancelled", kinds[1])
        server:release "slow"
        assert.equal(200, cekura.assert(other:join()).status)
      end)
      assert.equal(0, client:stats().in_flight)
    end)

    if puc_5_1 then
      it("raises where Lua 5.1 cannot yield, and next() works there", function()
        local job = cekura.assert(client.calls:improve_prompt { call_logs = { 1 }, prompt = "x" })
        cekura.run(function()
          local ok, message = pcall(function()
            return job:wait { interval = 0.01 }
          end)
          assert.is_false(ok)
          assert.truthy(tostring(message):find "Lua 5.1 cannot wait inside pcall")
        end)
        local before = #server:requests()
        cekura.run(function()
          local ok, message = pcall(client.request, client, "POST", "/echo/")
          assert.is_false(ok)
          assert.truthy(tostring(message):find "Lua 5.1 cannot wait")
        end)
        assert.equal(before, #server:requests()) -- no request was sent for a wait that is impossible
        local ok, message = pcall(cekura.run, function()
          for _ in cekura.each({ job }, { interval = 0.01 }) do
            error "not reached"
          end
        end)
        assert.is_false(ok)
        assert.truthy(tostring(message):find "iterator of a `for`")
        cekura.run(function()
          local next_settled = cekura.each({ job }, { interval = 0.01 })
          assert.equal(job, (next_settled()))
          assert.is_nil((next_settled()))
        end)
      end)
    else
      it("waits inside pcall and iterators of a task", function()
        local job = cekura.assert(client.calls:improve_prompt { call_logs = { 1 }, prompt = "x" })
        local seen = 0
        cekura.run(function()
          for _, result in cekura.each({ job }, { interval = 0.01 }) do
            assert.truthy(result.improved_prompt)
            seen = seen + 1
          end
          assert.is_true((pcall(client.request, client, "GET", "/echo/")))
        end)
        assert.equal(1, seen)
      end)
    end

    -- A host that uses only pollfd, events, timeout and step. Nothing that it waits for takes a minute.
    local function host_loop(until_done, use_timeout)
      while not until_done() do
        assert.equal("r", client:events())
        assert.equal("number", type(client:pollfd()))
        local seconds = use_timeout and client:timeout()
        local readable = core.wait({ client }, seconds or 60)
        assert.is_true(readable or seconds and seconds < 60)
        client:step()
      end
    end

    -- Steps until there is nothing to do, so that a host may sleep.
    local function step_to_rest()
      patience.with_enough_time(0.1, function(seconds)
        local rests = not core.wait({ client }, seconds)
        client:step()
        return rests and not core.wait({ client }, 0.3)
      end)
    end

    for _, use_timeout in ipairs { true, false } do
      it("runs in a host that watches the descriptor" .. (use_timeout and " and the timeout" or " only"), function()
        local result, slept
        cekura.spawn(function()
          cekura.sleep(0.05)
          slept = true
          local job = cekura.assert(client.calls:improve_prompt { call_logs = { 1 }, prompt = "x" })
          result = cekura.assert(job:wait { interval = 0.02 })
        end)
        host_loop(function()
          return result
        end, use_timeout)
        assert.is_true(slept)
        assert.is_nil(client:timeout())
      end)
    end

    it("never blocks in step, and lets a host sleep while there is nothing to do", function()
      local done, response
      cekura.spawn(function()
        response = client:request("GET", "/slow/")
        done = true
      end)
      for _ = 1, 100 do
        client:step() -- returns, although the answer is held back
      end
      step_to_rest()
      assert.is_nil(done)
      server:release "slow"
      host_loop(function()
        return done
      end)
      assert.equal(200, response.status)
    end)

    -- An adapter that is a plain table of functions, with plain tables as waiters.
    local function table_of_functions()
      local own = require "cekura.loop.own"
      local waiters = {}
      local adapter = { attach = own.attach, detach = own.detach, spawn = own.spawn, sleep = own.sleep, run = own.run,
        step = own.step, timeout = own.timeout }
      function adapter.waiter()
        local waiter = { co = coroutine.running() }
        waiters[#waiters + 1] = waiter
        return waiter
      end
      function adapter.park(waiter, seconds)
        waiter.seconds = seconds
        while not waiter.woken do
          coroutine.yield()
        end
        waiter.woken = false
        return "woken"
      end
      function adapter.wake(waiter)
        waiter.woken = true
      end
      return adapter, waiters
    end

    it("waits by an adapter's waiter, park and wake", function()
      local adapter, waiters = table_of_functions()
      local other = server:client { loop = adapter, headers = { ["X-Simulate"] = "polls=1" } }
      local result
      local co = coroutine.create(function()
        local job = cekura.assert(other.calls:improve_prompt { call_logs = { 1 }, prompt = "x" })
        result = cekura.assert(job:wait { interval = 0.01, timeout = 60 })
      end)
      repeat
        assert(coroutine.resume(co))
        cekura.sleep(0.01)
      until result
      assert.is_true(#waiters >= 2) -- one of the start, one of the wait
      assert.is_nil(waiters[1].seconds)
      assert.is_true(waiters[#waiters].seconds > 0 and waiters[#waiters].seconds <= 60)
      for _, waiter in ipairs(waiters) do
        assert.equal(co, waiter.co)
        assert.is_nil(waiter.on_gone)
      end
      other:close()
    end)

    it("wakes a wait for a job's end once, however often the job changes before", function()
      local adapter = table_of_functions()
      local wake, wakes = adapter.wake, 0
      function adapter.wake(waiter)
        wakes = wakes + 1
        wake(waiter)
      end
      local other = server:client { loop = adapter }
      local job
      local co = coroutine.create(function()
        job = cekura.assert(other.calls:improve_prompt { call_logs = { 1 }, prompt = "x" })
        wakes = 0
        return cekura.assert(job:wait { interval = 0.01, timeout = 60 })
      end)
      repeat
        assert(coroutine.resume(co))
        cekura.sleep(0.01)
      until coroutine.status(co) == "dead"
      assert.equal(3, job.polls)
      assert.equal(1, wakes)
      other:close()
    end)

    it("ends a wait when its adapter reports the waiter as gone", function()
      local adapter, waiters = table_of_functions()
      local other = server:client { loop = adapter, headers = { ["X-Simulate"] = "life=endless" } }
      local co = coroutine.create(function()
        local job = cekura.assert(other.calls:improve_prompt { call_logs = { 1 }, prompt = "x" })
        job:wait { interval = 0.01, timeout = 60 }
      end)
      local last
      repeat
        assert(coroutine.resume(co))
        cekura.sleep(0.01)
        last = waiters[#waiters]
      until last.seconds
      local requests = other:stats().requests
      repeat
        cekura.sleep(0.01)
      until other:stats().requests > requests + 2
      last:on_gone() -- as if the program had ended the coroutine
      cekura.sleep(0.1) -- lets the request in flight end
      requests = other:stats().requests
      cekura.sleep(0.3)
      assert.equal(requests, other:stats().requests)
      other:close()
    end)

    -- The client counted a waiter for ever, and on_gone() was called for a wait that had never begun.
    for name, count in pairs { ["of one job"] = 1, ["of several clients' jobs"] = 2 } do
      it("leaves nothing behind after a wait " .. name .. " that ends as it begins, for want of memory", function()
        local adapter, waiters = table_of_functions()
        local clients, jobs = {}, {}
        local raised, iterator
        local co = coroutine.create(function()
          for index = 1, count do
            clients[index] = server:client { loop = adapter, headers = { ["X-Simulate"] = "life=endless" } }
            jobs[index] = cekura.assert(clients[index].calls:improve_prompt { call_logs = { 1 }, prompt = "x" })
          end
          iterator = cekura.each(jobs, { timeout = 60 })
          raised = select(2, pcall(iterator))
        end)
        local wait_for_polls = core.wait_for_polls
        local waiting, calls = {}, 0
        core.wait_for_polls = function(of, change)
          calls = calls + 1
          if calls == count then
            error("not enough memory", 0)
          end
          waiting[of] = (waiting[of] or 0) + change
          return wait_for_polls(of, change)
        end
        finally(function()
          core.wait_for_polls = wait_for_polls
        end)
        repeat
          assert(coroutine.resume(co))
          cekura.sleep(0.01)
        until raised
        assert.equal("not enough memory", raised)
        assert.is_true(calls >= count)
        for _, waits in pairs(waiting) do
          assert.equal(0, waits)
        end
        assert.is_nil(waiters[#waiters].on_gone)
        assert.is_nil(waiters[#waiters].subscription)
        assert.truthy(core.fields(jobs[1])._subscriptions)
        assert.is_function(iterator) -- not collected until here, which would end the subscription
        for _, each in ipairs(clients) do
          each:close()
        end
      end)
    end

    -- In a process of its own, since an adapter embeds the own loop for good.
    it("let a host call back once for what is due: by a client's descriptor, or by a timer if none is open", function()
      local output = shell(("timeout -s KILL 60 %s - <<'EOF'\n%s\nEOF"):format(os.getenv "CEKURA_LUA" or "lua5.4", [[
        local cekura, core = require "cekura", require "cekura.core"
        local timers, soonest, readable = {}, math.huge, nil
        local host = { after = function(seconds, callback)
          local timer = { at = core.now() + seconds, callback = callback }
          timers[timer], soonest = true, math.min(soonest, seconds)
          return function() timers[timer] = nil end
        end, watch = function(_, callback)
          readable = callback
          return function() readable = nil end
        end }
        local client = cekura.assert(cekura.new { api_key = "k", base_url = "http://127.0.0.1:1", config_file = false,
          loop = host })
        local function nap()
          local over = false
          cekura.spawn(function() cekura.sleep(0.005) over = true end)
          while not over do
            if readable and core.wait({ client }, 0) then
              readable()
            end
            for timer in pairs(timers) do
              if timer.at <= core.now() then
                timers[timer] = nil
                timer.callback()
                break
              end
            end
          end
        end
        nap()
        print(soonest > 0.1)
        client:close()
        nap()
        print(soonest < 0.01)
      ]]))
      assert.equal("true\ntrue\n", output)
    end)

    it("accepts a program's adapter, and raises for an invalid one", function()
      local own = require "cekura.loop.own"
      local parked = 0
      local adapter = setmetatable({ park = function(...)
        parked = parked + 1
        return own.park(...)
      end }, { __index = own })
      for name, fn in pairs(own) do
        adapter[name] = adapter[name] or fn
      end
      local other = server:client { loop = adapter }
      cekura.assert(other:request("GET", "/echo/"))
      assert.is_true(parked > 0)
      other:close()
      assert.is_false((pcall(cekura.new, { api_key = "k", loop = "nothing" })))
      local ok, message = pcall(cekura.new, { api_key = "k", loop = { waiter = print } })
      assert.is_false(ok)
      assert.truthy(message:find "loop: the adapter has no function park")
      ok, message = pcall(cekura.new, { api_key = "k", loop = "ngx" })
      assert.is_false(ok)
      assert.truthy(message:find "spec/loop_spec.lua:%d+: cekura: loop: there is no ngx here: %S")
    end)
  end)
end)

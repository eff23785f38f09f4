--- Tasks in large numbers and unusual states: cancelled anywhere, killed, never resumed, deeply nested.

local cekura = require "cekura"
local core = require "cekura.core"
local clients = require "cekura.loop.clients"
local own = require "cekura.loop.own"
local patience = require "spec.support.patience"
local simulator = require "spec.support.simulator"

local PARAMS = { call_logs = { 1 }, prompt = "x" }

local puc_5_1 = _VERSION == "Lua 5.1" and not rawget(_G, "jit")

local function collect()
  for _ = 1, 4 do
    collectgarbage()
  end
end

describe("tasks", function()
  local server = simulator.during(setup, teardown)
  local client, over

  before_each(function()
    server:reset()
    server:script("/stuck/", { { delay = 600 } })
    over = false
    client = server:client { timeout = 600, headers = { ["X-Simulate"] = "life=endless" } }
  end)

  after_each(function()
    client:close()
  end)

  local function start()
    return cekura.assert(client.calls:improve_prompt(PARAMS))
  end

  describe("may be cancelled", function()
    local function sleeper()
      cekura.sleep(600)
    end

    -- What each task does when it is cancelled, 0.05 s after its start.
    local states = {
      ["in a sleep"] = sleeper,
      ["in a request"] = function()
        client:request("GET", "/stuck/")
        return "ran on"
      end,
      ["in a queued request"] = function()
        for _ = 1, 20 do
          cekura.spawn(client.request, client, "GET", "/stuck/", { timeout = 0.3 })
        end
        coroutine.yield()
        client:request("GET", "/stuck/")
      end,
      ["in the wait for one job"] = function()
        start():wait { interval = 0.01 }
      end,
      ["in the wait for a list of jobs"] = function()
        cekura.all({ start(), start() }, { interval = 0.01 })
      end,
      ["between two updates"] = function()
        local next_change = start():updates { interval = 0.01 }
        while next_change() do
          cekura.sleep(0.01)
        end
      end,
      ["in a join"] = function()
        cekura.spawn(function()
          while not over do
            cekura.sleep(0.01)
          end
        end):join()
      end,
      ["in a nested run"] = function()
        cekura.run(function()
          cekura.spawn(sleeper)
          sleeper()
        end)
      end,
      ["in a plain yield"] = function()
        while true do
          coroutine.yield()
          cekura.sleep(0.001)
        end
      end,
      ["in a nested coroutine"] = function()
        coroutine.wrap(function()
          cekura.sleep(0.2)
        end)()
        cekura.sleep(600)
      end,
    }
    if not puc_5_1 then -- 5.1 cannot wait in on_progress, nor in pcall
      states["in on_progress"] = function()
        start():wait { interval = 0.01, on_progress = sleeper }
      end
      states["inside pcall"] = function()
        pcall(sleeper)
        sleeper()
      end
    end

    for name, fn in pairs(states) do
      it(name, function()
        local beside = 0
        patience.before_timer(60, cekura.run, function()
          local task = cekura.spawn(fn)
          local other = cekura.spawn(function()
            for _ = 1, 10 do
              cekura.sleep(0.01)
              beside = beside + 1
            end
          end)
          cekura.sleep(0.05)
          assert.is_true(task:cancel())
          assert.is_false(task:cancel())
          local value, err = task:join()
          assert.is_nil(value)
          assert.equal("cancelled", err.kind)
          assert.equal("cekura.task (cancelled)", tostring(task))
          other:join()
          over = true
        end)
        assert.equal(10, beside)
        patience.until_idle(client) -- a poll may be in flight
        local polls = client:stats().requests
        cekura.sleep(0.05)
        assert.equal(polls, client:stats().requests) -- no waiter is left, so there are no polls
      end)
    end

    it("by themselves", function()
      local task
      task = cekura.spawn(function()
        task:cancel()
        cekura.sleep(600)
      end)
      assert.equal("cancelled", select(2, task:join()).kind)
    end)

    it("by each other in a circle", function()
      local tasks, kinds = {}, {}
      for index = 1, 3 do
        tasks[index] = cekura.spawn(function()
          cekura.sleep(index == 2 and 600 or 0.01 * index)
          tasks[index % 3 + 1]:cancel()
          cekura.sleep(index == 1 and 600 or 0.05)
        end)
      end
      for index = 1, 3 do
        local _, err = tasks[index]:join()
        kinds[index] = err and err.kind or "done"
      end
      assert.same({ "cancelled", "cancelled", "done" }, kinds) -- the second cancelled nothing
    end)
  end)

  it("end and are collected, ten thousand of them", function()
    local done = 0
    local seen = setmetatable({}, { __mode = "k" })
    cekura.run(function()
      for index = 1, 10000 do
        local task = cekura.spawn(function()
          cekura.sleep(index % 7 * 0.001)
          if index % 100 == 0 then
            assert(cekura.assert(client:request("GET", "/echo/")).status == 200)
          end
          done = done + 1
        end)
        seen[task] = true
      end
    end)
    assert.equal(10000, done)
    collect()
    assert.is_nil(next(seen))
    assert.is_nil(own.timeout(client))
  end)

  it("run inside each other, 200 deep, each in a separate run", function()
    local function nest(depth)
      cekura.sleep(0)
      return depth == 0 and 0 or 1 + cekura.run(nest, depth - 1)
    end
    assert.equal(200, cekura.run(nest, 200))
  end)

  it("raise an error unchanged from 200 deep", function()
    local thrown = {}
    local function nest(depth)
      if depth == 0 then
        error(thrown)
      end
      cekura.spawn(cekura.sleep, 0.001)
      return cekura.run(nest, depth - 1)
    end
    local ok, raised = pcall(cekura.run, nest, 200)
    assert.is_false(ok)
    assert.equal(thrown, raised)
  end)

  it("may wait in nested coroutines and runs, 40 deep", function()
    local function nest(depth)
      return depth == 0 and 0 or 1 + coroutine.wrap(function()
        cekura.sleep(0.001)
        return cekura.run(nest, depth - 1)
      end)()
    end
    assert.equal(40, cekura.run(nest, 40))
  end)

  it("release a coroutine that is dropped inside its iteration, and its job is no longer polled", function()
    local job, seen = start(), setmetatable({}, { __mode = "k" })
    for _, iterate in ipairs {
      function()
        local next_change = job:updates { interval = 0.01 }
        while next_change() do
          coroutine.yield "out"
        end
      end,
      function()
        local next_settled = cekura.each({ start(), job, cekura.assert(client:job("calls.improve_prompt", "none")) },
          { interval = 0.01 })
        while next_settled() do
          coroutine.yield "out"
        end
      end,
    } do
      local co = coroutine.create(iterate)
      assert.same({ true, "out" }, { coroutine.resume(co) })
      seen[co] = true
    end
    collect()
    patience.until_idle(client)
    collect()
    assert.is_nil(next(seen))
    assert.is_false(core.fields(job)._subscriptions)
    local before = job.polls
    assert.equal("timeout", select(2, start():wait { timeout = 0.1, interval = 0.01 }).kind)
    assert.equal(before, job.polls)
  end)

  it("leave neither tasks nor a client alive in a coroutine that is never resumed", function()
    local seen = setmetatable({}, { __mode = "k" })
    local function leave()
      local lost = server:client()
      local co = coroutine.create(function()
        lost:request("GET", "/echo/")
        coroutine.yield()
        lost:request("GET", "/echo/")
      end)
      assert(coroutine.resume(co))
      seen[co], seen[lost] = true, true
    end
    leave()
    collect()
    assert.is_nil(next(seen))
  end)

  if coroutine.close then
    -- Its job was polled until the client was collected.
    it("end when coroutine.close() kills them, and their jobs are no longer polled", function()
      cekura.run(function()
        local job, co = start(), nil
        local task = cekura.spawn(function()
          co = coroutine.running()
          job:wait { interval = 0.01, timeout = 0.5 }
        end)
        patience.eventually(function() return job.polls > 0 end)
        coroutine.close(co)
        assert.is_nil((task:join()))
        patience.until_idle(client)
        local before = job.polls
        start():wait { timeout = 0.1, interval = 0.01 }
        assert.equal(before, job.polls)
      end)
    end)
  end
end)

describe("closed clients", function()
  local server = simulator.during(setup, teardown)

  it("are skipped by waits, even while they are referenced", function()
    local before, closed = #clients.list(), {}
    for index = 1, 5000 do
      closed[index] = server:client()
      closed[index]:close()
      closed[index]:close()
    end
    assert.equal(before, #clients.list())
    local open = server:client()
    assert.equal(before + 1, #clients.list())
    assert.equal(200, cekura.assert(open:request("GET", "/echo/")).status)
    open:close()
  end)
end)

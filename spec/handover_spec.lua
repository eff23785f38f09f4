--- Hosts that drop tasks and timers that they accepted: tasks still begin, once, and nothing waits for a task that is
-- lost. The hosts here consist of coroutines and a clock.

local cekura = require "cekura"
local core = require "cekura.core"
local hosted = require "cekura.loop.hosted"
local own = require "cekura.loop.own"
local simulator = require "spec.support.simulator"
local threads = require "cekura.loop.threads"
local unbegun = require "cekura.loop.unbegun"
local weak = require "spec.support.weak"

local puc_5_1 = _VERSION == "Lua 5.1" and not rawget(_G, "jit")

describe("a host with threads that drops a task", function()
  local loop, host, dropping, started, log

  local original = core.now
  local now = math.ceil(original()) -- never goes back in this file, and adds up without rounding

  before_each(function()
    log, started, dropping = {}, {}, 0
    core.now = function() return now end
    host = { here = function() end }
    function host.signal() return {} end
    function host.notify(signal) signal.notified = true end
    function host.wait(signal, seconds) -- yields until the signal is notified, or the time is over
      local until_then = now + seconds
      while not signal.notified and now < until_then do
        coroutine.yield()
      end
      signal.notified = false
    end
    function host.start(fn)
      if dropping > 0 then
        dropping = dropping - 1
      else
        started[#started + 1] = coroutine.create(fn)
      end
    end
    host.start_pump = host.start
    host.watch = function() return coroutine.yield end
    function host.log(message) log[#log + 1] = message end
    loop = threads.new("stub", host)
  end)

  after_each(function()
    core.now = original
    for task in pairs(unbegun.tasks or {}) do
      unbegun.remove(task)
    end
  end)

  -- Advances the host's clock, and runs its threads.
  local function go(seconds)
    for _ = 1, seconds * 8 do
      now = now + 0.125
      for place = 1, #started do
        local co = started[place]
        if co and coroutine.status(co) ~= "dead" then
          assert(coroutine.resume(co))
        end
      end
    end
  end

  local function in_thread(fn)
    started[#started + 1] = coroutine.create(fn)
  end

  it("gets the task again, and the task runs once", function()
    local runs, joined = 0, nil
    in_thread(function()
      dropping = 1
      local task = loop.spawn(function() runs = runs + 1 return "value" end)
      joined = task:join()
    end)
    go(1)
    assert.equal(0, runs)
    go(5)
    assert.equal(1, runs)
    assert.equal("value", joined)
    go(10)
    assert.equal(1, runs)
    assert.is_false(unbegun.tasks)
  end)

  it("gets the task again repeatedly, and warns once", function()
    local runs = 0
    in_thread(function()
      dropping = 4
      loop.spawn(function() runs = runs + 1 end):join()
    end)
    go(30)
    assert.equal(1, runs)
    assert.equal(1, #log)
    assert.truthy(log[1]:find("have not begun after 5 s: 1", 1, true))
  end)

  it("runs a task once if it was only late", function()
    local runs = 0
    in_thread(function()
      loop.spawn(function() runs = runs + 1 end):join()
    end)
    go(0.125) -- only the thread
    local late = table.remove(started)
    go(5)
    assert.equal(1, runs)
    started[#started + 1] = late
    go(5)
    assert.equal(1, runs)
  end)

  it("runs a task once if it was only late and the task is still running", function()
    local runs, joined = 0, nil
    in_thread(function()
      joined = loop.spawn(function()
        runs = runs + 1
        loop.sleep(20)
        return "value"
      end):join()
    end)
    go(0.125)
    local late = table.remove(started)
    go(6)
    started[#started + 1] = late
    go(20)
    assert.equal(1, runs)
    assert.equal("value", joined)
  end)

  it("delays neither run nor cancel by the dropped task", function()
    local ended, kind
    in_thread(function()
      dropping = 100
      local task = loop.spawn(print)
      task:cancel()
      kind = select(2, task:join()).kind
    end)
    go(1)
    assert.equal("cancelled", kind)
    dropping = 0
    in_thread(function()
      loop.run(function()
        local outer = coroutine.running()
        dropping = 1
        loop.spawn(print)
        ended = outer
      end)
      ended = "ended"
    end)
    go(1)
    assert.is_true(ended ~= "ended" and ended ~= nil)
    go(5)
    assert.equal("ended", ended)
  end)

  it("and ends a task's thread is detected when the thread's coroutine is collected", function()
    local value, err = "nothing", nil
    in_thread(function()
      local task = loop.spawn(function()
        loop.sleep(1e6)
      end)
      value, err = task:join()
    end)
    go(1)
    table.remove(started) -- the task's coroutine
    collectgarbage()
    collectgarbage()
    go(5)
    assert.is_nil(value)
    assert.equal("the host has ended the task's thread", err)
  end)

  local unless_5_1 = puc_5_1 and pending or it -- 5.1 cannot wait inside pcall

  unless_5_1("abandons a task that keeps waiting after its cancellation, or makes it pause", function()
    local rounds = 0
    local function stubborn()
      while true do
        pcall(loop.sleep, 0.1)
        rounds = rounds + 1
      end
    end
    local joined
    in_thread(function()
      local task = loop.spawn(stubborn)
      loop.sleep(1)
      rounds = 0
      task:cancel()
      joined = select(2, task:join()).kind
    end)
    go(3)
    assert.equal("cancelled", joined)
    rounds = 0
    go(20)
    assert.is_true(rounds >= 19 and rounds <= 21, rounds) -- it pauses for a second each time

    host.in_coroutine = true -- now the task can be killed
    local seen = weak.table()
    in_thread(function()
      local task = loop.spawn(function()
        seen[coroutine.running()] = true
        stubborn()
      end)
      loop.sleep(1)
      task:cancel()
      task:join()
    end)
    go(3)
    assert.equal(0, weak.count(seen))
  end)
end)

describe("a host with a loop that drops a timer", function()
  it("runs tasks by the client's descriptor, and sets another timer at the next call", function()
    local set, host = {}, {}
    function host.after(seconds, callback)
      local timer = { seconds = seconds, callback = callback }
      set[#set + 1] = timer
      return function() timer.callback = nil end
    end
    local readable
    function host.watch(_, callback)
      readable = callback
      return function() end
    end
    local adapter = hosted.new("stub", host)
    finally(function()
      own.embed(nil)
    end)
    local client = cekura.assert(cekura.new { api_key = "key", config_file = false, loop = adapter })
    local ran, slept = false, false
    adapter.spawn(function() ran = true end)
    coroutine.wrap(function()
      adapter.sleep(0.05)
      slept = true
    end)()
    assert.is_true(#set > 0) -- none of them ever fires
    local rounds = 0
    while not (ran and slept) and rounds < 1000 do
      rounds = rounds + 1
      if core.wait({ client }, 1) then
        readable()
      end
    end
    assert.is_true(ran)
    assert.is_true(slept)
    client:close()
  end)
end)

describe("a host whose coroutine cannot be resumed", function()
  it("gets the error once", function()
    local host = {}
    function host.after()
      return function() end
    end
    function host.watch(_, callback)
      host.readable = callback
      return function() end
    end
    function host.suspension()
      return coroutine.yield, function() error("it is dead", 0) end
    end
    local adapter = hosted.new("stub", host)
    finally(function()
      own.embed(nil)
    end)
    local client = cekura.assert(cekura.new { api_key = "key", config_file = false, loop = adapter })
    local waiter
    coroutine.wrap(function()
      waiter = adapter.waiter()
      adapter.park(waiter)
    end)()
    adapter.wake(waiter)
    assert.same({ false, "it is dead" }, { pcall(host.readable) })
    adapter.wake(waiter) -- a second wake-up of the same waiter
    assert.same({ true }, { pcall(host.readable) })
    client:close()
  end)
end)

describe("a host with a loop that runs out of memory", function()
  -- Two coroutines whose deadlines pass at once. Resuming the first raises `raised` before the coroutine runs.
  local function sleepers(raised)
    local timers, order, fails = {}, {}, 1
    local host = {}
    function host.after(_, callback)
      local timer = { callback = callback }
      timers[timer] = true
      return function() timers[timer] = nil end
    end
    function host.suspension()
      local co = coroutine.running()
      return coroutine.yield, function()
        if fails > 0 then
          fails = fails - 1
          error(raised, 0)
        end
        assert(coroutine.resume(co))
      end
    end
    local adapter = hosted.new("stub", host)
    finally(function()
      own.embed(nil)
    end)
    for number = 1, 2 do
      coroutine.wrap(function()
        adapter.sleep(0)
        order[#order + 1] = number
      end)()
    end
    return order, function()
      local timer = next(timers)
      timers[timer] = nil
      return pcall(timer.callback)
    end
  end

  it("resumes the coroutine later, and does not delay others", function()
    local order, fire = sleepers "not enough memory"
    local ok, raised = fire()
    assert.is_false(ok)
    assert.equal("not enough memory", raised)
    for _ = 1, 2 do
      if #order < 2 then
        assert.is_true(fire())
      end
    end
    assert.same({ 2, 1 }, order)
  end)

  it("does not resume a coroutine again that raised", function()
    local order, fire = sleepers "boom"
    assert.same({ false, "boom" }, { fire() })
    assert.is_true(fire())
    assert.same({ 2 }, order)
  end)
end)

describe("a waiter whose wake-up runs out of memory", function()
  local server = simulator.during(setup, teardown)
  local fails, client = 0, nil

  before_each(function()
    fails = 0
    local loop = setmetatable({}, { __index = own })
    function loop.wake(waiter)
      if fails > 0 then
        fails = fails - 1
        error("not enough memory", 0)
      end
      own.wake(waiter)
    end
    client = server:client { loop = loop, headers = { ["X-Simulate"] = "polls=1" } }
  end)

  after_each(function()
    client:close()
  end)

  -- Steps until `times` steps have failed.
  local function fail(times)
    fails = times
    local failed = 0
    while failed < times do
      local ok, raised = pcall(cekura.sleep, 0.01)
      if not ok then
        assert.equal("not enough memory", raised)
        failed = failed + 1
      end
    end
  end

  it("is woken by a later step: of a request", function()
    local task = cekura.spawn(client.request, client, "POST", "/echo/", { body = {} })
    fail(3)
    assert.equal(200, task:join().status)
  end)

  it("is woken by a later step: of a job with several waiters", function()
    local job = cekura.assert(client.calls:improve_prompt { call_logs = { 1 }, prompt = "x" })
    local tasks_of_it = {}
    for place = 1, 3 do
      tasks_of_it[place] = cekura.spawn(job.wait, job, { interval = 0.01, timeout = 60 })
    end
    fail(3)
    for _, task in ipairs(tasks_of_it) do
      local result = task:join()
      assert.truthy(result)
      assert.equal(job.result, result)
    end
  end)
end)

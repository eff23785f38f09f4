--- Which of a client's requests go first, and what happens when the service asks for a rest. spec/engine/fair_test.c,
-- hold_test.c and deadline_test.c check the times to the microsecond; here, the effect on programs.

local cekura = require "cekura"
local core = require "cekura.core"
local patience = require "spec.support.patience"
local simulator = require "spec.support.simulator"

local PROGRESS = "/observability/v1/call-logs/improve_prompt_progress/"
local START = "/observability/v1/call-logs/improve_prompt_bg/"

cekura.kind("fair.things", {
  start = "POST /things/",
  poll = "GET /things/{id}/",
  id = "thing_id",
  output = "thing",
  cancel = { "POST /things/{id}/cancel/" },
})

describe("fairness:", function()
  local server = simulator.during(setup, teardown)
  local client

  before_each(function()
    client = server:renew_client()
    server:reset()
  end)

  local function with(options)
    client = server:renew_client(options)
  end

  -- Runs `body` as a task beside waits for `count` jobs, none of which gets an answer.
  local function beside_jobs(count, body)
    server:script(PROGRESS, { { hold = "polls" } })
    local jobs = {}
    for index = 1, count do
      jobs[index] = cekura.assert(client:job("calls.improve_prompt", "job-" .. index))
    end
    cekura.run(function()
      local waiting = cekura.spawn(cekura.all, jobs, { interval = 0.01, timeout = 3600 })
      local polls = math.min(count, client:stats().max_in_flight)
      patience.eventually(function() return client:stats().in_flight > polls / 2 end)
      body(waiting)
      waiting:cancel()
    end)
  end

  it("a get and a start are answered while polls take all the places that polls may take", function()
    for _, places in ipairs { 2, 16 } do
      with { max_in_flight = places }
      beside_jobs(100, function()
        patience.eventually(function() return client:stats().in_flight == places - 1 end)
        server:script("/x/", { { body = {} } })
        patience.before_timer(60, function()
          cekura.assert(client:request("GET", "/x/", { timeout = 600 }))
          cekura.assert(client:start("calls.improve_prompt", { call_logs = { 1 }, prompt = "x" }, { timeout = 600 }))
        end)
        assert.equal(places - 1, client:stats().in_flight)
      end)
    end
  end)

  it("job:poll() goes before other polls", function()
    with { max_in_flight = 2 }
    server:script("/things/7/", { { body = { status = "processing" } } })
    beside_jobs(10, function()
      local job = cekura.assert(client:job("fair.things", "7"))
      cekura.assert(patience.before_timer(60, job.poll, job))
    end)
  end)

  -- With one place in flight, the order of arrival shows the priorities.
  it("a cancellation goes first, and polls do not starve", function()
    with { max_in_flight = 1 }
    server:script("/slow/", { { hold = "first", body = {} } })
    server:script("/x/", { { body = {} } })
    server:script("/things/7/cancel/", { { body = {} } })
    server:script("/things/7/", { { body = { status = "processing" } } })
    local cancelled = cekura.assert(client:job("fair.things", "7"))
    local polled = cekura.assert(client:job("fair.things", "8"))
    server:script("/things/8/", { { body = { thing = "done" } } })
    cekura.run(function()
      local slow = cekura.spawn(client.request, client, "GET", "/slow/", { timeout = 600 })
      server:wait_for "/slow/"
      local tasks = { cekura.spawn(polled.wait, polled, { timeout = 600 }) }
      for _ = 1, 8 do
        tasks[#tasks + 1] = cekura.spawn(client.request, client, "GET", "/x/", { timeout = 600 })
      end
      cekura.sleep(0.05) -- until they are queued
      tasks[#tasks + 1] = cekura.spawn(cancelled.cancel, cancelled)
      cekura.sleep(0.05)
      server:release "first"
      slow:join()
      for _, task in ipairs(tasks) do
        task:join()
      end
    end)
    local places = {}
    for index, request in ipairs(server:requests()) do
      places[request.path] = places[request.path] or index
    end
    assert.equal(2, places["/things/7/cancel/"])
    assert.is_true(places["/things/8/"] <= 6, places["/things/8/"]) -- of ten requests
  end)

  describe("after a 429", function()
    local HOUR = { { status = 429, headers = { ["Retry-After"] = "3600" } } }

    local function refuse(path)
      server:script(path, HOUR)
      local _, err = client:request("GET", path)
      assert.equal("rate_limited", err.kind)
      assert.equal(3600, err.retry_after)
      assert.is_true(err.sent)
      assert.equal(1, err.attempts)
    end

    local function assert_held(err)
      assert.equal("rate_limited", err.kind)
      assert.is_false(err.sent)
      assert.equal(0, err.attempts)
      assert.is_true(err.retry_after > 3000 and err.retry_after <= 3600)
    end

    it("the endpoint is held for as long as Retry-After asks, and other endpoints are not", function()
      refuse "/a/"
      for _, path in ipairs { "/a/", "/a/5181749/", "/a/123e4567-e89b-12d3-a456-426614174000/", "/a/?page=2" } do
        assert_held(select(2, client:request("GET", path, { timeout = 600 })))
      end
      server:script("/b/", { { body = {} } })
      cekura.assert(patience.before_timer(600, client.request, client, "GET", "/b/", { timeout = 1000 }))
      assert_held(select(2, client:request("GET", "/a/")))
      assert.equal(1, server:count "/a/")
    end)

    it("records of one kind are one endpoint, whatever their ids", function()
      server:script("/things/one/", HOUR)
      local one = cekura.assert(client:job("fair.things", "one"))
      local two = cekura.assert(client:job("fair.things", "two"))
      local _, err = one:poll()
      assert.equal("rate_limited", err.kind)
      assert_held(select(2, two:poll()))
      assert.equal(0, two.polls)
      assert.equal(0, server:count "/things/two/")
    end)

    it("records of one kind are one endpoint in a wait as well", function()
      server:script("/things/one/", HOUR)
      local one = cekura.assert(client:job("fair.things", "one"))
      local two = cekura.assert(client:job("fair.things", "two"))
      cekura.run(function()
        local waiting = cekura.spawn(one.wait, one, { timeout = 3600 })
        patience.eventually(function() return one.polls == 1 end)
        assert_held(select(2, two:poll()))
        waiting:cancel()
      end)
    end)

    it("a record and the job that waits for it are one endpoint", function()
      server:script("/observability/v2/call-logs/7/", HOUR)
      local _, err = client.calls:get(7)
      assert.equal("rate_limited", err.kind)
      assert_held(select(2, cekura.assert(client:job("calls.evaluation", 8)):poll()))
    end)

    it("a start and a poll are different endpoints", function()
      server:script(PROGRESS, { { status = 429, headers = { ["Retry-After"] = "1" } } })
      local job = cekura.assert(client:job("calls.improve_prompt", "known"))
      assert.equal("timeout", select(2, job:wait { timeout = 0.5, interval = 0.01 }).kind)
      cekura.assert(client:start("calls.improve_prompt", { call_logs = { 1 }, prompt = "x" }, { timeout = 600 }))
    end)
  end)

  describe("Retry-After", function()
    local RUNNING, DONE = { status = "processing" }, { improved_prompt = "Better." }

    local function later(seconds, body)
      return { body = body or RUNNING, headers = { ["Retry-After"] = tostring(seconds) } }
    end

    local function known()
      return cekura.assert(client:job("calls.improve_prompt", "known"))
    end

    local function assert_waits(job, seconds)
      local began = core.now()
      cekura.assert(job:wait { interval = 0.01, timeout = 3600 })
      assert.is_true(core.now() - began >= seconds)
    end

    it("of a successful poll postpones the next poll", function()
      server:script(PROGRESS, { later(1), { body = DONE } })
      local job = known()
      assert_waits(job, 1)
      assert.equal(2, job.polls)
    end)

    it("of an unchanged answer postpones the next poll as well", function()
      server:script(PROGRESS, { { body = RUNNING }, later(0.5), later(1), { body = DONE } })
      local job = known()
      assert_waits(job, 1)
      assert.equal(4, job.polls)
    end)

    it("as a date is relative to the answer's Date", function()
      local headers = { Date = "Sun, 06 Nov 1994 08:49:37 GMT", ["Retry-After"] = "Sun, 06 Nov 1994 08:49:38 GMT" }
      server:script(PROGRESS, { { body = RUNNING, headers = headers }, { body = DONE } })
      assert_waits(known(), 1)
    end)

    it("of job:poll() postpones the polls of a wait", function()
      server:script(PROGRESS, { later(1), { body = DONE } })
      local job = known()
      cekura.assert(job:poll())
      assert_waits(job, 0.9)
      server:script(PROGRESS, { { status = 503, headers = { ["Retry-After"] = "1" } }, { body = DONE } })
      job = known()
      with { retries = 0 }
      assert.equal("closed", select(2, job:poll()).kind)
      job = known()
      assert.equal("server", select(2, job:poll()).kind)
      assert_waits(job, 0.9)
    end)

    it("still holds after a job:poll() that gets no answer", function()
      server:script(PROGRESS, { later(2), { body = RUNNING, delay = 10 }, { body = DONE } })
      local job, began = known(), core.now()
      cekura.assert(job:poll())
      assert.equal("timeout", select(2, job:poll { timeout = 0.1 }).kind)
      cekura.assert(job:wait { interval = 0.01, timeout = 3600 })
      assert.is_true(core.now() - began >= 1.9)
    end)

    it("of a start postpones the first poll", function()
      server:script(START, { later(2, { progress_id = "p" }) })
      server:script(PROGRESS, { { body = DONE } })
      assert_waits(cekura.assert(client.calls:improve_prompt { call_logs = { 1 }, prompt = "x" }), 1.9)
    end)

    it("beyond the deadline of a wait times it out, and a later poll may succeed", function()
      server:script(PROGRESS, { later(3600), { body = DONE } })
      local job = known()
      local _, err = patience.before_timer(600, job.wait, job, { interval = 0.01, timeout = 0.3 })
      assert.equal("timeout", err.kind)
      assert.is_nil(err.cause)
      _, err = job:wait { interval = 0.01, timeout = 0.1 }
      assert.equal("timeout", err.kind)
      assert.equal(1, server:count(PROGRESS))
      assert.equal("Better.", cekura.assert(job:poll()).result.improved_prompt)
    end)
  end)
end)

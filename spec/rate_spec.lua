--- One of many clients of a service: how many requests it sends, and what it does after too many.

local cekura = require "cekura"
local patience = require "spec.support.patience"
local simulator = require "spec.support.simulator"

local PROGRESS = "/observability/v1/call-logs/improve_prompt_progress/"

describe("the rate of requests", function()
  local server = simulator.during(setup, teardown)
  local client

  before_each(function()
    server:reset()
  end)

  after_each(function()
    client:close()
  end)

  -- Runs `tasks` tasks that send `times` requests each. Returns the number of responses, and the last error.
  local function ask(tasks, times, method)
    local answered, last = 0, nil
    cekura.run(function()
      for _ = 1, tasks do
        cekura.spawn(function()
          for _ = 1, times do
            local response, err = client:request(method or "GET", "/x/")
            answered = answered + (response and 1 or 0)
            last = err or last
          end
        end)
      end
    end)
    return answered, last
  end

  it("finds the pace of the service after a 429, so few others follow", function()
    client = server:client()
    server:script("/x/", { { limit = 40, headers = { ["Retry-After"] = "0" } } })
    assert.equal(200, (ask(20, 10)))
    local stats = client:stats()
    -- Without a pace, the service would refuse all sixteen in flight again and again until the second is over.
    assert.is_true(stats.retries < 100, stats.retries)
    assert.equal(200 + stats.retries, stats.requests)
  end)

  it("is not lowered by one job that is refused again and again", function()
    client = server:client()
    server:script(PROGRESS, { { status = 429, headers = { ["Retry-After"] = "0" } } })
    server:script("/x/", { { body = {} } })
    local refused = cekura.assert(client:job("calls.improve_prompt", "refused"))
    cekura.run(function()
      local task = cekura.spawn(refused.wait, refused, { interval = 0.05, timeout = 600 })
      patience.eventually(function() return refused.polls > 10 end)
      assert.equal(30, (ask(1, 30))) -- spec/engine/deadline_test.c tests the speed
      task:cancel()
    end)
  end)

  it("has no limit while the service accepts all requests", function()
    client = server:client()
    server:script("/x/", { { body = {} } })
    assert.equal(400, (patience.before_timer(60, ask, 20, 20)))
    assert.equal(0, client:stats().retries)
  end)

  it("does not make an outage worse: at most a hundred requests are retried", function()
    client = server:client()
    server:script("/x/", { { status = 500, headers = {} } })
    local answered, err = ask(100, 3)
    assert.equal(0, answered)
    assert.equal("server", err.kind)
    assert.equal(1, err.attempts)
    assert.equal(100, client:stats().retries)
    assert.equal(400, #server:requests())
    assert.equal(0, client:stats().retry_quota)
  end)

  it("recovers when the outage is over", function()
    client = server:client()
    server:script("/x/", { { status = 500 } })
    ask(50, 2)
    assert.equal(0, client:stats().retry_quota)
    server:script("/x/", { { body = {} } })
    assert.equal(25, (ask(1, 25)))
    assert.equal(25, client:stats().retry_quota)
    server:script("/x/", { { status = 500 }, { body = {} } })
    local response = cekura.assert(client:request("GET", "/x/"))
    assert.equal(200, response.status)
    assert.equal(25, client:stats().retry_quota) -- the success returns what the retry took
  end)

  it("leaves polls alone in an outage: they go on at their interval", function()
    client = server:client()
    server:script("/x/", { { status = 500 } })
    ask(50, 2)
    local job = cekura.assert(client:job("calls.improve_prompt", "known"))
    server:script(PROGRESS, { { status = 500 }, { status = 500 }, { body = { improved_prompt = "Better." } } })
    local before = #server:requests()
    assert.equal("Better.", cekura.assert(job:wait { interval = 0.05 }).improved_prompt)
    assert.equal(3, #server:requests() - before)
  end)

  it("is shared fairly by all jobs", function()
    client = server:client { max_in_flight = 3 }
    server:script(PROGRESS, { { body = { status = "processing" }, delay = 0.005 } })
    local jobs = {}
    for index = 1, 40 do
      jobs[index] = cekura.assert(client:job("calls.improve_prompt", "job-" .. index))
    end
    cekura.run(function()
      local waiting = cekura.spawn(cekura.all, jobs, { interval = 0.01, timeout = 600 })
      patience.eventually(function() return client:stats().requests >= 20 * #jobs end)
      waiting:cancel()
    end)
    local least, most = math.huge, 0
    for _, job in ipairs(jobs) do
      least, most = math.min(least, job.polls), math.max(most, job.polls)
    end
    -- Others may overtake a job once or twice while its answer is delayed.
    assert.is_true(most - least <= most / 4, ("%d to %d polls"):format(least, most))
    assert.equal(2, client:stats().max_in_flight)
  end)
end)

-- Answers to a poll that say nothing about the job: a proxy's page, a lock, half an answer, an early 404. A single one
-- does not end a wait for paid work; too many in a row do.

local cekura = require "cekura"
local core = require "cekura.core"
local file = require "spec.support.file"
local patience = require "spec.support.patience"
local shell = require "spec.support.shell"
local simulator = require "spec.support.simulator"

local POLL = "/observability/v1/call-logs/improve_prompt_progress/"

local RUNNING = { body = { status = "processing", output = cekura.null } }
local DONE = { body = { status = "completed", output = { improved_prompt = "P" } } }
local PAGE = { body = "<html><title>502</title></html>" }

describe("an odd answer to a poll", function()
  local server = simulator.during(setup, teardown)
  local client
  local folder = shell "mktemp -d":gsub("%s+$", "")

  setup(function()
    file.write(folder .. "/whole", '{"status":"processing"}')
    shell(("cd %s && gzip -nk whole && head -c 20 whole.gz >cut.gz && gzip -nc whole.gz >twice.gz && "
      .. "{ head -c 31 whole.gz; printf xxxxxxxx; } >broken.gz"):format(folder))
  end)

  teardown(function()
    shell("rm -r " .. folder)
  end)

  before_each(function()
    client = server:renew_client()
    server:reset()
  end)

  local function with(options)
    client = server:renew_client(options)
  end

  local function start()
    return cekura.assert(client.calls:improve_prompt { agent_id = 2142, call_logs = { 101 }, prompt = "Be nice." })
  end

  local function answers(...)
    server:script(POLL, { ... })
  end

  local function wait(job, timeout)
    return job:wait { interval = 0.01, timeout = timeout or 60 }
  end

  local function encoded(name, coding)
    return { file = folder .. "/" .. name, headers = { ["Content-Encoding"] = coding } }
  end

  -- The name, the reply, and the kind of the error after too many. Each status comes with an empty body, a page and a
  -- reason.
  local ODD = {
    { "nothing", { body = "" }, "protocol" },
    { "a 204", { status = 204 }, "protocol" },
    { "blanks", { body = " \r\n\t" }, "protocol" },
    { "a page", PAGE, "protocol" },
    { "null", { body = "null" }, "protocol" },
    { "an empty list", { body = "[]" }, "protocol" },
    { "a list of one", { body = '[{"status":"completed"}]' }, "protocol" },
    { "true", { body = "true" }, "protocol" },
    { "a number", { body = "200" }, "protocol" },
    { "a string", { body = '"completed"' }, "protocol" },
    { "half an answer", { body = '{"status":"processi' }, "protocol" },
    { "an answer and more", { body = '{"status":"processing"} {}' }, "protocol" },
    { "a page with 201", { status = 201, body = PAGE.body }, "protocol" },
    { "less than the announced length", { body = '{"status":"processing"}', cut = 5 }, "protocol" },
    { "half a chunk", { raw = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{" }, "protocol" },
    { "bytes that are not HTTP", { raw = "processing\r\n\r\n" }, "protocol" },
    { "a malformed header", { raw = "HTTP/1.1 200 OK\r\n X: 1\r\nContent-Length: 2\r\n\r\n{}" }, "protocol" },
    { "truncated gzip", encoded("cut.gz", "gzip"), "protocol" },
    { "broken gzip", encoded("broken.gz", "gzip"), "protocol" },
    { "plain text labelled gzip", encoded("whole", "gzip"), "protocol" },
    { "an unknown coding", encoded("whole.gz", "br"), "protocol" },
  }
  for _, status in ipairs { 300, 301, 302, 303, 304, 307, 308, 408, 409, 423, 425 } do
    local kind = status < 400 and "protocol" or "invalid"
    for what, body in pairs { nothing = "", ["a page"] = PAGE.body, ["a reason"] = '{"detail":"Busy."}' } do
      local headers = status < 400 and { Location = "http://127.0.0.1:1/login" } or nil
      ODD[#ODD + 1] = { ("%d and %s"):format(status, what), { status = status, body = body, headers = headers }, kind }
    end
  end

  for _, row in ipairs(ODD) do
    local name, reply, kind = row[1], row[2], row[3]

    it(("does not end a wait if there are one or two: %s"):format(name), function()
      answers(RUNNING, reply, RUNNING, reply, reply, DONE)
      local job = start()
      assert.equal("P", cekura.assert(wait(job)).improved_prompt)
      assert.equal(6, job.polls)
      assert.is_nil(job.error)
    end)

    it(("ends a wait after `retries` in a row, and a later wait may succeed: %s"):format(name), function()
      answers(RUNNING, reply)
      local job = start()
      local result, err = wait(job)
      assert.is_nil(result)
      assert.equal(kind, err.kind)
      assert.equal(job, err.job)
      assert.equal(err, job.error)
      assert.equal(reply.status or err.status, err.status)
      assert.equal(4, job.polls)
      assert.equal(4, server:count(POLL))
      assert.equal("running", job.state)
      assert.equal("processing", job.status)
      assert.truthy(job:json():find "processing") -- the last valid answer
      answers(reply, reply, DONE)
      assert.equal("P", cekura.assert(wait(job)).improved_prompt)
    end)
  end

  it("is tolerated as often as `retries` says, but at least once", function()
    for retries, polls in pairs { [0] = 1, [1] = 1, [2] = 2, [5] = 5 } do
      with { retries = retries }
      for _, reply in ipairs { PAGE, { status = 409 }, { body = "", cut = 0 } } do
        answers(reply)
        local job = start()
        local _, err = wait(job)
        assert.equal(reply.status and "invalid" or "protocol", err.kind)
        assert.equal(polls, job.polls)
      end
    end
  end)

  it("counts together with other odd answers; the last one is the error", function()
    answers({ status = 408 }, PAGE, { status = 423, body = { detail = "Locked." } })
    local job = start()
    local _, err = wait(job)
    assert.same({ "invalid", 423, 3 }, { err.kind, err.status, job.polls })
    assert.truthy(tostring(err):find "Locked%.")
    answers({ status = 409 }, { status = 409 }, encoded("cut.gz", "gzip"))
    _, err = wait(job)
    assert.same({ "protocol", 200, 6 }, { err.kind, err.status, job.polls })
  end)

  it("counts across failures without an answer, which do not count", function()
    with { max_in_flight = 1 }
    answers(PAGE, { status = 503 }, { raw = "HTTP/1.1 200 OK\r\nX-" }, PAGE, { status = 500 },
      { status = 429, headers = { ["Retry-After"] = "0" } }, PAGE, DONE)
    local job = start()
    local _, err = wait(job)
    assert.equal("protocol", err.kind)
    assert.equal(7, job.polls)
  end)

  it("is not an error status with an unreadable body", function()
    with { retries = 0 }
    answers({ status = 503, body = PAGE.body, cut = 5 }, { status = 500, file = folder .. "/cut.gz",
      headers = { ["Content-Encoding"] = "gzip" } }, { status = 502, body = PAGE.body, headers = {
      ["Content-Encoding"] = "br" } }, DONE)
    local job = start()
    assert.equal("P", cekura.assert(wait(job)).improved_prompt)
    assert.equal(4, job.polls)
  end)

  it("counts from the beginning after a valid answer, even an unchanged one", function()
    answers(RUNNING, PAGE, PAGE, RUNNING, PAGE, PAGE, RUNNING, PAGE, PAGE, { body = {} }, PAGE, PAGE, DONE)
    assert.equal("P", cekura.assert(wait(start())).improved_prompt)
  end)

  it("is the cause of a wait's timeout", function()
    for _, row in ipairs { { PAGE, "protocol" }, { { status = 408 }, "invalid" }, { { status = 404 }, "gone" } } do
      local err
      patience.with_enough_time(0.1, function(seconds)
        answers(row[1], RUNNING)
        local job = start()
        err = select(2, wait(job, seconds))
        assert.equal(job, err.job)
        return job.polls > 1
      end)
      assert.equal("timeout", err.kind)
      assert.equal(row[2], err.cause.kind)
      assert.truthy(tostring(err):find(err.cause.message, 1, true))
    end
  end)

  it("postpones the next poll by its Retry-After", function()
    for _, reply in ipairs { { status = 409 }, { status = 302 }, { status = 404 } } do
      reply.headers = { ["Retry-After"] = "1" }
      answers(reply, DONE)
      local job, began = start(), core.now()
      assert.equal("P", cekura.assert(wait(job)).improved_prompt)
      assert.is_true(core.now() - began >= 1)
      assert.equal(2, job.polls)
    end
  end)

  it("does not call on_progress", function()
    answers(RUNNING, PAGE, RUNNING, PAGE, PAGE, RUNNING, DONE)
    local job, states = start(), {}
    cekura.assert(job:wait { interval = 0.01, timeout = 60, on_progress = function(changed)
      states[#states + 1] = changed.state
    end })
    assert.same({ "running", "succeeded" }, states)
    assert.equal(7, job.polls)
  end)

  it("is not an update, and does not end the iteration", function()
    answers(RUNNING, PAGE, { status = 425 }, DONE)
    local job, seen = start(), {}
    for changed in job:updates { interval = 0.01 } do
      seen[#seen + 1] = changed.status
    end
    assert.same({ "processing", "completed" }, seen)
    answers(RUNNING, { status = 425 })
    job, seen = start(), {}
    for changed in job:updates { interval = 0.01 } do
      seen[#seen + 1] = changed.status
    end
    assert.same({ "processing" }, seen)
    assert.equal("invalid", job.error.kind)
  end)

  it("counts separately for each job of a list", function()
    answers(PAGE)
    local bad = start()
    local token = bad:token()
    local life = server:client { headers = { ["X-Simulate"] = "polls=1" } }
    local good = cekura.assert(life.runs:improve_prompt { run_ids = { 7 }, prompt = "x" })
    local outcomes = cekura.all({ bad, good }, { interval = 0.01 })
    assert.equal("protocol", outcomes[1].err.kind)
    assert.truthy(outcomes[2].result)
    answers(PAGE, DONE)
    local again = cekura.assert(client:resume(token))
    for job, result in cekura.each({ good, again }, { interval = 0.01 }) do
      assert.truthy(result, job.id)
    end
    life:close()
  end)

  it("ends a wait at once if a repetition would cost as much: it is too large, or encoded more than once", function()
    with { max_response = 1000 }
    for _, reply in ipairs { { size = 2000 }, { size = 2000, chunked = true }, encoded("twice.gz", "gzip, gzip"),
      encoded("whole", "br, gzip"), { raw = "HTTP/1.1 200 OK\r\n" .. ("X-A: 1\r\n"):rep(5000) .. "\r\n" } } do
      answers(reply)
      local job = start()
      local _, err = wait(job)
      assert.same({ "protocol", 1, "pending" }, { err.kind, job.polls, job.state })
    end
  end)

  it("is returned by poll(), which leaves the job unchanged", function()
    answers(RUNNING, PAGE, { status = 409 }, RUNNING)
    local job = start()
    cekura.assert(job:poll())
    for _, kind in ipairs { "protocol", "invalid" } do
      local polled, err = job:poll()
      assert.is_nil(polled)
      assert.equal(kind, err.kind)
      assert.equal(job, err.job)
      assert.equal(err, job.error)
      assert.same({ "running", "processing" }, { job.state, job.status })
      assert.truthy(job:json():find "processing")
    end
    assert.equal(job, cekura.assert(job:poll()))
    assert.is_nil(job.error)
    assert.equal(4, job.polls)
  end)

  it("counts for a wait if poll() gets it", function()
    answers(PAGE, PAGE, PAGE, RUNNING)
    local job = start()
    cekura.run(function()
      local waiting = cekura.spawn(job.wait, job, { interval = 600, timeout = 60 })
      cekura.sleep(0.01)
      for _ = 1, 3 do
        assert.equal("protocol", select(2, job:poll()).kind)
      end
      assert.equal("protocol", select(2, waiting:join()).kind)
    end)
    assert.equal("pending", job.state)
  end)

  it("is not retried by poll(), nor are failures that other reads repeat", function()
    for _, reply in ipairs { { status = 503 }, { status = 408 }, { status = 429 }, { body = "{}", cut = 1 } } do
      server:reset()
      answers(reply, DONE)
      local _, err = start():poll()
      assert.equal(1, err.attempts)
      assert.equal(1, server:count(POLL))
    end
  end)

  it("does not disturb a webhook that comes meanwhile", function()
    local path = "/observability/v2/call-logs/5181751/"
    server:script(path, { PAGE })
    local receive = client:webhook { secret = "whs" }
    local job = cekura.assert(client:job("calls.evaluation", 5181751))
    cekura.run(function()
      local waiting = cekura.spawn(job.wait, job, { interval = 600, timeout = 60 })
      patience.eventually(function() return job.polls == 1 end)
      cekura.assert(receive({ ["X-CEKURA-SECRET"] = "whs" },
        '{"event_type":"call_log.completed","data":{"id":5181751,"status":"success"}}'))
      assert.equal("success", cekura.assert(waiting:join()).status)
    end)
  end)

  -- ---- jobs that the service does not know yet ----

  -- Advances the time of this process.
  local function later(seconds)
    local now = core.now
    function core.now() -- luacheck: ignore 122
      return now() + seconds
    end
    finally(function()
      core.now = now -- luacheck: ignore 122
    end)
  end

  local UNKNOWN = { status = 404, body = { detail = "Not found." } }

  it("may be a 404 shortly after the start, any number of times", function()
    answers(UNKNOWN, UNKNOWN, { status = 404, body = PAGE.body }, UNKNOWN, UNKNOWN, UNKNOWN, DONE)
    local job = start()
    assert.equal("gone", select(2, job:poll()).kind)
    assert.equal("pending", job.state)
    assert.equal("P", cekura.assert(wait(job)).improved_prompt)
    assert.equal(7, job.polls)
  end)

  it("may be a 404 shortly after the start, which counts for nothing", function()
    answers(PAGE, UNKNOWN, PAGE, UNKNOWN, PAGE, DONE)
    assert.equal("protocol", select(2, wait(start())).kind)
    with { retries = 0 }
    answers(UNKNOWN, UNKNOWN, DONE)
    assert.equal("P", cekura.assert(wait(start())).improved_prompt)
  end)

  it("is not a 404 later on: the job is gone at once", function()
    answers(UNKNOWN, DONE)
    local job = start()
    later(15)
    local _, err = wait(job)
    assert.same({ "gone", "gone", 1 }, { err.kind, job.state, job.polls })
    assert.equal("gone", select(2, wait(job)).kind)
  end)

  it("is not a 410, nor a 404 of a job that was not started here", function()
    answers({ status = 410 }, DONE)
    local job = start()
    local token = job:token()
    assert.equal("gone", select(2, wait(job)).kind)
    assert.equal("gone", job.state)
    for _, known in ipairs { cekura.assert(client:resume(token)), client:job("calls.improve_prompt", "p") } do
      answers(UNKNOWN, DONE)
      local _, err = wait(known)
      assert.same({ "gone", "gone", 1 }, { err.kind, known.state, known.polls })
    end
  end)
end)

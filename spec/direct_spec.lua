--- Direct jobs: one request that is answered when the work is done.

local cekura = require "cekura"
local core = require "cekura.core"
local patience = require "spec.support.patience"
local simulator = require "spec.support.simulator"

local PATH = "/test_framework/v3/metrics/simplify_prompt/"
local DONE = { body = '{"status":"completed","simplified_prompt":"Be nice."}' }

describe("a direct job", function()
  local server = simulator.during(setup, teardown)
  local client

  local function start(given)
    return cekura.assert(client:start("metrics.simplify_prompt", { original_prompt = "Be nice, be nice." },
      given or { direct = true }))
  end

  local function held(name)
    return { hold = name, body = DONE.body }
  end

  -- Until so many requests have reached the service.
  local function wait_for(count)
    cekura.run(function()
      server:wait_for(PATH, count)
    end)
  end

  before_each(function()
    server:reset()
    client = server:renew_client { max_direct = 2 }
  end)

  it("succeeds with the answer to its one request", function()
    server:script(PATH, { DONE })
    local job = start()
    assert.equal("metrics.simplify_prompt", job.kind)
    assert.equal("pending", job.state)
    assert.is_nil(job.id)
    local states = {}
    local result = cekura.assert(job:wait { on_progress = function()
      states[#states + 1] = job.state
    end })
    assert.equal("Be nice.", result.simplified_prompt)
    assert.equal("succeeded", states[#states])
    assert.equal(DONE.body, job:json())
    assert.equal(result, cekura.assert(job:wait()))
    local sent = server:requests()
    assert.equal(1, #sent)
    assert.equal("POST", sent[1].method)
    assert.equal('{"original_prompt":"Be nice, be nice."}', sent[1].body)
  end)

  it("is started by the method of its resource, too", function()
    server:script(PATH, { DONE })
    local job = cekura.assert(client.metrics:simplify_prompt({ original_prompt = "x" }, { direct = true }))
    assert.equal("Be nice.", cekura.assert(job:wait()).simplified_prompt)
  end)

  it("is running while its request is in flight, and each change is an update", function()
    server:script(PATH, { held "answer" })
    local job, states = start(), {}
    cekura.run(function()
      cekura.spawn(function()
        server:wait_for(PATH)
        server:release "answer"
      end)
      local next_change = job:updates() -- Lua 5.1 could not wait in a `for`
      while next_change() do
        states[#states + 1] = job.state
      end
    end)
    assert.same({ "running", "succeeded" }, states)
  end)

  it("has the state failed, and its result, when the service says so", function()
    server:script(PATH, { { body = '{"status":"failed","error":"no model","simplified_prompt":null}' } })
    local job = start()
    local result, err = job:wait()
    assert.is_nil(result)
    assert.equal("job_failed", err.kind)
    assert.equal("failed", job.state)
    assert.equal("no model", job.result.error)
    assert.equal(job.result, err.result)
  end)

  it("succeeds if its answer has no status", function()
    server:script("/test_framework/v3/scenarios/generate-instructions/", { { body = '{"instructions":"Call."}' } })
    local job = cekura.assert(client:start("scenarios.generate_instructions", {}, { direct = true }))
    assert.equal("Call.", cekura.assert(job:wait()).instructions)
    assert.equal("succeeded", job.state)
  end)

  it("waits in a queue that has no deadline while all places are taken", function()
    server:script(PATH, { held "one", held "two", held "three" })
    client = server:renew_client { max_direct = 2, timeout = 0.2 }
    local jobs = { start(), start(), start() }
    local _, err = jobs[3]:wait { timeout = 0.5 } -- longer than the client's timeout
    assert.equal("timeout", err.kind)
    assert.same({ "running", "running", "pending" }, { jobs[1].state, jobs[2].state, jobs[3].state })
    assert.equal(2, client:stats().direct)
    assert.equal(0, client:stats().in_flight)
    assert.equal(2, server:count(PATH))
    for _, name in ipairs { "one", "two", "three" } do
      server:release(name)
    end
    for _, ended in ipairs(cekura.all(jobs)) do
      assert.equal("Be nice.", cekura.assert(ended.result, ended.err).simplified_prompt)
    end
    assert.equal(0, client:stats().direct)
  end)

  it("occupies none of the places of other requests", function()
    server:script(PATH, { held "one" })
    client = server:renew_client { max_direct = 1, max_in_flight = 1 }
    local job = start()
    cekura.run(function()
      cekura.spawn(function()
        server:wait_for(PATH)
        assert.equal("running", job.state)
        cekura.assert(client.calls:get(5181749))
        server:release "one"
      end)
      cekura.assert(job:wait())
    end)
  end)

  it("goes on when a wait ends before it, and gives its result to the next", function()
    server:script(PATH, { held "answer" })
    local job = start()
    local _, err = job:wait { timeout = 0.05 }
    assert.equal("timeout", err.kind)
    assert.equal("POST", err.method)
    assert.equal(PATH, err.path)
    wait_for(1)
    server:release "answer"
    assert.equal("Be nice.", cekura.assert(job:wait()).simplified_prompt)
    assert.equal(1, server:count(PATH))
  end)

  it("takes part in all and each, beside jobs that are polled", function()
    server:script(PATH, { DONE })
    local polled = cekura.assert(client.metrics:simplify_prompt { original_prompt = "x" })
    local seen = {}
    for job, result, err in cekura.each({ start(), polled }, { interval = 0.01 }) do
      seen[job] = cekura.assert(result, err).simplified_prompt ~= nil
    end
    assert.is_true(seen[polled])
    assert.is_nil(next(seen, next(seen, next(seen))))
  end)

  it("is not polled", function()
    server:script(PATH, { held "answer" })
    local job = start()
    assert.equal(job, job:poll())
    assert.equal("pending", job.state)
    assert.equal(0, job.polls)
    assert.same({}, server:requests())
  end)

  it("has no token", function()
    server:script(PATH, { DONE })
    local job = start()
    for _ = 1, 2 do
      local token, err = job:token()
      assert.is_nil(token)
      assert.equal("config", err.kind)
      assert.truthy(err.message:find("direct job", 1, true))
      cekura.assert(job:wait())
    end
  end)

  it("sends nothing if it is cancelled while it is pending", function()
    client = server:renew_client { max_direct = 1 }
    server:script(PATH, { held "one", DONE })
    local first, second = start(), start()
    first:wait { timeout = 0.1 }
    assert.same({ true, "local" }, { second:cancel() })
    assert.equal("cancelled", second.state)
    assert.equal("cancelled", select(2, second:wait()).kind)
    server:release "one"
    cekura.assert(first:wait())
    assert.equal(1, server:count(PATH))
  end)

  it("loses its connection if it is cancelled while it is running", function()
    server:script(PATH, { held "one", DONE })
    local job = start()
    job:wait { timeout = 0.1 }
    assert.equal("running", job.state)
    assert.same({ true, "local" }, { job:cancel() })
    assert.equal("cancelled", job.state)
    assert.equal(0, client:stats().direct)
    cekura.assert(start():wait())
    local sent = server:requests()
    assert.not_equal(sent[1].connection, sent[#sent].connection)
  end)

  for what, reply in pairs {
    ["the service gave up"] = { status = 504, body = { detail = "did not finish within 15 minutes" } },
    ["the connection broke"] = { drop = true },
    ["the answer was cut"] = { cut = 10, body = DONE.body },
  } do
    it(("has an unknown outcome when %s, and is not sent again"):format(what), function()
      server:script(PATH, { reply, DONE })
      local job = start()
      local _, err = job:wait()
      assert.equal("unknown_outcome", err.kind)
      assert.truthy(err.message:find("it may still complete in the service", 1, true), err.message)
      assert.equal(job, err.job)
      assert.equal("failed", job.state)
      assert.equal(err, select(2, job:wait()))
      assert.equal(1, server:count(PATH))
    end)
  end

  it("names its own request in the error of a failure, as a job does that failed in its start", function()
    server:script(PATH, { { body = '{"status":"failed","error":"no model"}' } })
    local _, err = start():wait()
    assert.equal("POST", err.method)
    assert.equal(PATH, err.path)
    local path = "/test_framework/v1/metrics/simplify_prompt/"
    server:script(path, { { body = '{"status":"failed","error":"no model"}' } })
    _, err = start({}):wait()
    assert.equal("job_failed", err.kind)
    assert.equal("POST", err.method)
    assert.equal(path, err.path)
  end)

  it("has a result also if the answer repeats the key beside an unfinished status", function()
    local path = "/test_framework/v3/scenarios/generate-instructions/"
    server:script(path, { { body = ('{"status":"in_progress","instructions":"Call %s."}'):format(server.key) } })
    local job = cekura.assert(client:start("scenarios.generate_instructions", {}, { direct = true }))
    assert.equal("table", type(cekura.assert(job:wait())))
    assert.equal("succeeded", job.state)
  end)

  it("raises in the task that waits for it what an event handler raised", function()
    for _, name in ipairs { "request_started", "request_finished" } do
      server:script(PATH, { DONE })
      client = server:renew_client { on_event = function(event)
        if event.name == name then
          error("handler", 0)
        end
      end }
      local job = start()
      local ok, raised = pcall(job.wait, job)
      assert.is_false(ok, name)
      assert.equal("handler", raised)
      assert.equal("Be nice.", cekura.assert(job:wait()).simplified_prompt)
    end
  end)

  it("does not go back to pending", function()
    local path, states = "/test_framework/v3/scenarios/generate-instructions/", {}
    client = server:renew_client { on_event = function(event)
      if event.name == "job_changed" then
        states[#states + 1] = event.state
      end
    end }
    for _, body in ipairs { '{"status":"pending","instructions":"Call."}', '{"instructions":"Call."}' } do
      server:script(path, { { body = body } })
      states = {}
      cekura.assert(cekura.assert(client:start("scenarios.generate_instructions", {}, { direct = true })):wait())
      for index, state in ipairs(states) do
        assert.equal(index == #states and "succeeded" or "running", state)
      end
    end
  end)

  it("does not lend its missing deadline to the polled jobs beside it", function()
    server:script(PATH, { DONE })
    cekura.kind("echoes.brief", { start = "POST /brief/", poll = "GET /brief/", id = "progress_id", timeout = 0.2 })
    server:script("/brief/", { { body = '{"progress_id":"x"}' }, { body = '{"status":"running"}' } })
    local polled = cekura.assert(client:start("echoes.brief", {}))
    local ended = patience.before_timer(60, cekura.all, { start(), polled })
    assert.equal("Be nice.", ended[1].result.simplified_prompt)
    assert.equal("timeout", ended[2].err.kind)
  end)

  it("keeps neither its request nor its answer's copy once it has ended", function()
    server:script(PATH, { { body = '{"simplified_prompt":"' .. ("x"):rep(1000) .. '"}' } })
    local job = start()
    cekura.assert(job:wait())
    assert.is_nil(next(core.fields(job)._in_flight or {}))
    assert.not_equal("userdata", type(core.fields(job)._operation))
    assert.is_truthy(core.fields(job)._operation) -- it is direct still
  end)

  it("has the deadline of its options, from the moment when it is sent", function()
    server:script(PATH, { held "never" })
    local job = start { direct = true, timeout = 0.1 }
    local _, err = patience.before_timer(60, job.wait, job)
    assert.equal("unknown_outcome", err.kind)
    assert.equal("timeout", err.cause.kind)
  end)

  it("fails with the refusal of its request", function()
    server:script(PATH, { { status = 400, body = { original_prompt = { "Too long." } } } })
    local job = start()
    local _, err = job:wait()
    assert.equal("invalid", err.kind)
    assert.same({ "Too long." }, err.fields.original_prompt)
    assert.equal("failed", job.state)
    server:script(PATH, { { status = 404, body = "<!doctype html>" } })
    job = start()
    _, err = job:wait()
    assert.equal("gone", err.kind)
    assert.equal("gone", job.state)
  end)

  it("is sent again after a 429, as any start is", function()
    server:script(PATH, { { status = 429, headers = { ["Retry-After"] = "0" } }, DONE })
    assert.equal("Be nice.", cekura.assert(start():wait()).simplified_prompt)
    assert.equal(2, server:count(PATH))
  end)

  it("ends with its client", function()
    server:script(PATH, { held "never" })
    local job = start()
    local err
    cekura.run(function()
      cekura.spawn(function()
        server:wait_for(PATH)
        client:close()
      end)
      err = select(2, job:wait())
    end)
    assert.equal("closed", err.kind)
    assert.equal("closed", select(2, job:wait()).kind)
  end)

  it("is offered by some kinds only, and the others say so", function()
    local ok, message = pcall(function()
      return client:start("results.run", { scenarios = { 1 } }, { direct = true })
    end)
    assert.is_false(ok)
    assert.truthy(message:find("^spec/direct_spec.lua:%d+: .*results.run has no direct jobs"), message)
  end)

  it("is every job of a declared kind that has `direct` in place of `poll`", function()
    cekura.kind("echoes.direct", { direct = "POST /echoes/{place}/", params = { text = { "text" } } })
    server:script("/echoes/north/", { { body = '{"text":"hello"}' } })
    local job = cekura.assert(client.echoes:direct { place = "north", text = "hello" })
    assert.equal("hello", cekura.assert(job:wait()).text)
    assert.equal('{"text":"hello"}', server:requests()[1].body)
    local ok, message = pcall(function()
      return client:job("echoes.direct", 5)
    end)
    assert.is_false(ok)
    assert.truthy(message:find("has only direct jobs", 1, true), message)
  end)
end)

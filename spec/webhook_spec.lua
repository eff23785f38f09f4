-- client:webhook: events that the service sends.

local cekura = require "cekura"
local core = require "cekura.core"
local patience = require "spec.support.patience"
local simulator = require "spec.support.simulator"

local SECRET = "whs-1234"

describe("a webhook", function()
  local server = simulator.during(setup, teardown)
  local client, receive

  before_each(function()
    server:reset()
    client = server:client()
    receive = client:webhook { secret = SECRET }
  end)

  after_each(function()
    client:close()
  end)

  local function headers(key)
    return { ["X-CEKURA-SECRET"] = SECRET, ["X-CEKURA-IDEMPOTENCY-KEY"] = key }
  end

  -- The event that the service sends about a record after its evaluation.
  local function told(id)
    return cekura.assert(server.administrator:request("GET", "/_sim/webhook/", { query = { call_log_id = id } })).body
  end

  local function event_of(data, kind)
    return ('{"event_type":"%s","data":%s}'):format(kind or "call_log.completed", data)
  end

  describe("of a call log", function()
    it("returns the record, byte for byte", function()
      local data = '{"id": 95, "status": "success",  "big": 9007199254740993}'
      local event = cekura.assert(receive(headers(), event_of(data)))
      assert.equal("call_log.completed", event.type)
      assert.is_false(event.duplicate)
      assert.is_nil(event.data)
      assert.equal("call_log", core.type(event.call_log))
      assert.equal(data, event.call_log:json())
      assert.equal(95, event.call_log.id)
    end)

    it("reads its metrics, the same in both formats", function()
      local event = cekura.assert(receive(headers(), told(5181749)))
      local call = cekura.assert(client.calls:get(5181749))
      assert.is_true(event.call_log:evaluated())
      local count = 0
      for metric in call:metrics() do
        local other = event.call_log:metric(metric.name)
        assert.equal(metric.type, other.type)
        assert.equal(metric.score, other.score)
        assert.equal(metric.passed, other.passed)
        count = count + 1
      end
      assert.equal(6, count)
    end)

    it("returns a record that can wait for its next evaluation", function()
      local event = cekura.assert(receive(headers(), told(5181749)))
      cekura.assert(client.calls:rerun_evaluation { call_logs = { 5181749 }, agent_id = 2142 })
      assert.truthy(event.call_log:evaluation():wait { interval = 0.01 })
    end)
  end)

  it("with the bare type \"call_log\" is like any other event of a call log, even if a job waits for it", function()
    local job = client:job("calls.evaluation", 95)
    local event = cekura.assert(receive(headers(), event_of('{"id":95,"status":"evaluating"}', "call_log")))
    assert.equal("evaluating", event.call_log.status)
    assert.is_nil(event.data)
    assert.equal("pending", job.state)
    cekura.assert(receive(headers(), event_of('{"id":95,"status":"success"}', "call_log")))
    assert.equal("succeeded", job.state)
  end)

  it("of another type returns its data", function()
    local event = cekura.assert(receive(headers(),
      event_of('{"id":4,"runs":{"4":{"success":false}}}', "result.completed")))
    assert.equal("result.completed", event.type)
    assert.is_nil(event.call_log)
    assert.is_false(event.data.runs["4"].success)
    event = cekura.assert(receive(headers(), '{"event_type":"something.new"}'))
    assert.equal("something.new", event.type)
    assert.is_nil(event.data)
  end)

  it("about a result has it as a record, whose runs are records", function()
    local event = cekura.assert(receive(headers(), event_of([[{ "id": 4, "status": "completed", "runs": { "2": {
      "id": 301, "success": true, "transcript_object": [{ "role": "Testing Agent", "content": "Hello." }] } } }]],
      "result.completed")))
    assert.equal("completed", event.result.status)
    local runs = {}
    for run in event.result:runs() do
      runs[#runs + 1] = run.id
      assert.equal("Hello.", run:turns()().content)
    end
    assert.same({ 301 }, runs)
  end)

  it("before the calls of a run are dialled ends no job", function()
    local job = cekura.assert(client:job("results.run", 101))
    local event = cekura.assert(receive(headers(),
      event_of('{"result_id":101,"runs":{"1":{"id":301}}}', "result.pre_trigger")))
    assert.equal(101, event.data.result_id)
    assert.equal("pending", job.state)
    assert.is_false(event.duplicate)
  end)

  -- As each host gives them; the specs of the hosts send them by HTTP.
  local FORMS = {
    ["a table of names in any case"] = function(secret, key)
      return { ["x-Cekura-SECRET"] = secret, ["X-CEKURA-IDEMPOTENCY-KEY"] = key, [1] = "noise" }
    end,
    nginx = function(secret, key)
      return setmetatable({ ["x-cekura-secret"] = { secret, secret }, ["x-cekura-idempotency-key"] = key },
        { __index = function(given, name) return rawget(given, (name:lower():gsub("_", "-"))) end })
    end,
    HAProxy = function(secret, key)
      return { ["x-cekura-secret"] = { [0] = secret }, ["x-cekura-idempotency-key"] = { [0] = key, key } }
    end,
    Prosody = function(secret, key)
      return { x_cekura_secret = secret, x_cekura_idempotency_key = key }
    end,
    ["lua-http"] = function(secret, key)
      local values = { ["x-cekura-secret"] = { secret, secret }, ["x-cekura-idempotency-key"] = { key } }
      return setmetatable({}, { __index = { get = function(_, name)
        return (table.unpack or unpack)(values[name] or {}) -- luacheck: ignore 143
      end } })
    end,
    ["a metatable"] = function(secret, key)
      local values = { ["x-cekura-secret"] = secret, ["x-cekura-idempotency-key"] = key }
      return setmetatable({}, { __index = function(_, name) return values[name:lower()] end })
    end,
  }

  for host, form in pairs(FORMS) do
    it("finds its headers in the form of " .. host, function()
      assert.is_false(cekura.assert(receive(form(SECRET, "k"), event_of "{}")).duplicate)
      local event = cekura.assert(receive(form(SECRET, "k"), event_of "{}"))
      assert.is_true(event.duplicate)
      assert.equal("k", event.key)
      for _, wrong in ipairs { "whs-1235", "", SECRET .. "," .. SECRET } do
        local refused, err = receive(form(wrong, "k"), event_of "{}")
        assert.is_nil(refused)
        assert.equal("auth", err.kind)
      end
    end)
  end

  it("with two different secrets is refused, though one of them is right", function()
    for _, headers_given in ipairs {
      { ["X-Cekura-Secret"] = { SECRET, "other" } }, { ["X-Cekura-Secret"] = { "other", SECRET } },
      { ["x-cekura-secret"] = { [0] = SECRET, "other" } }, { ["x-cekura-secret"] = { [0] = "other", SECRET } },
      { ["X-CEKURA-SECRET"] = SECRET, ["x-cekura-secret"] = "other" }, { x_cekura_secret = SECRET,
        ["x-cekura-secret"] = "other" }, { ["x-cekura-secret"] = { SECRET, SECRET, "" } },
    } do
      local event, err = receive(headers_given, event_of "{}")
      assert.is_nil(event)
      assert.equal("auth", err.kind)
      assert.truthy(err.message:find("different values", 1, true))
    end
    assert.truthy(receive({ ["X-CEKURA-SECRET"] = SECRET, x_cekura_secret = { SECRET } }, event_of "{}"))
  end)

  it("with two different keys counts as one without", function()
    for _ = 1, 2 do
      local event = cekura.assert(receive({ ["x-cekura-secret"] = SECRET, ["x-cekura-idempotency-key"] = { "a", "b" } },
        event_of "{}"))
      assert.is_false(event.duplicate)
      assert.is_nil(event.key)
    end
  end)

  it("with a missing or wrong secret is refused, and the error shows neither secret", function()
    for _, wrong in ipairs { {}, { ["X-CEKURA-SECRET"] = "" }, { ["X-CEKURA-SECRET"] = "whs-1235" },
      { ["X-CEKURA-SECRET"] = "whs-123" }, { ["X-CEKURA-SECRET"] = SECRET .. "5" }, { ["X-CEKURA-SECRET"] = true },
      { ["X-CEKURA-SECRET"] = SECRET .. SECRET } } do
      local event, err = receive(wrong, event_of "{}")
      assert.is_nil(event)
      assert.equal("auth", err.kind)
      assert.is_nil(tostring(err):find(SECRET, 1, true))
      assert.is_nil(tostring(err):find("whs", 1, true))
    end
  end)

  it("that is not an event is refused", function()
    for _, body in ipairs { "", "[]", "{", "{}", '{"event_type":5,"data":{}}', '{"event_type":"call_log.completed"}',
      event_of "[]", event_of "null", event_of '"x"', event_of "{}" .. "x" } do
      local event, err = receive(headers "k", body)
      assert.is_nil(event)
      assert.equal("protocol", err.kind)
    end
    -- A refused event does not count as received.
    assert.is_false(cekura.assert(receive(headers "k", event_of "{}")).duplicate)
  end)

  it("that is repeated is recognized by its key, even in another function of the client", function()
    assert.is_false(cekura.assert(receive(headers "a", event_of "{}")).duplicate)
    assert.is_true(cekura.assert(receive(headers "a", event_of "{}")).duplicate)
    assert.is_false(cekura.assert(receive(headers "b", event_of "{}")).duplicate)
    assert.is_true(cekura.assert(client:webhook { secret = SECRET }(headers "b", event_of "{}")).duplicate)
    assert.is_false(cekura.assert(receive(headers(), event_of "{}")).duplicate)
    assert.is_false(cekura.assert(receive(headers(), event_of "{}")).duplicate) -- no key, so it cannot be recognized
    assert.is_false(cekura.assert(receive(headers "next", event_of "{}")).duplicate) -- not a stored key
    assert.equal("next", cekura.assert(receive(headers "next", event_of "{}")).key)
    for _ = 1, 2 do
      local event = cekura.assert(receive(headers "", event_of "{}")) -- an empty key does not count
      assert.is_false(event.duplicate)
      assert.is_nil(event.key)
    end
  end)

  it("is forgotten after 4096 others", function()
    for index = 1, 5000 do
      receive(headers("k" .. index), event_of "{}")
    end
    assert.is_true(cekura.assert(receive(headers "k5000", event_of "{}")).duplicate)
    assert.is_true(cekura.assert(receive(headers "k1000", event_of "{}")).duplicate)
    assert.is_false(cekura.assert(receive(headers "k100", event_of "{}")).duplicate)
  end)

  it("with a wrong secret is refused before its body is read", function()
    local event, err = receive({}, ("["):rep(1000000))
    assert.is_nil(event)
    assert.equal("auth", err.kind)
  end)

  it("beyond the limits of an answer's depth or size is refused", function()
    local small = server:client { max_response = 1000 }
    local take = small:webhook { secret = SECRET }
    local frame = #event_of '{"x":""}'
    assert.truthy(take(headers(), event_of('{"x":"' .. ("y"):rep(1000 - frame) .. '"}')))
    for _, body in ipairs { event_of('{"x":"' .. ("y"):rep(1001 - frame) .. '"}'),
      event_of(("["):rep(511) .. ("]"):rep(511), "x.y") .. (" "):rep(1000), event_of(("["):rep(600)) } do
      local event, err = take(headers(), body)
      assert.is_nil(event)
      assert.equal("protocol", err.kind)
      assert.is_true(#err.message < 200)
    end
    small:close()
    local event, err = receive(headers(), event_of(("["):rep(512) .. ("]"):rep(512), "x.y"))
    assert.is_nil(event)
    assert.equal("protocol", err.kind)
  end)

  it("with a key that is too long is not remembered", function()
    for length, known in pairs { [256] = true, [257] = false, [1000000] = false } do
      local key = ("k"):rep(length)
      assert.is_false(cekura.assert(receive(headers(key), event_of "{}")).duplicate)
      assert.equal(known, cekura.assert(receive(headers(key), event_of "{}")).duplicate)
    end
    local kept = core.fields(client)._webhook_keys
    for _, key in ipairs(kept.keys) do
      assert.is_true(#key <= 256)
    end
  end)

  it("whose values have unexpected types causes no error", function()
    local job = cekura.assert(client:job("calls.evaluation", 7))
    for _, data in ipairs { '{"id":"7","status":{}}', '{"id":{},"status":"success"}', '{"id":[7]}', '{"id":7.5}',
      '{"id":1e400,"status":"success"}', '{"id":true}', '{"id":null}', '{"__index":{"id":7},"status":"success"}',
      '{"id":8,"id":"count","status":"success"}' } do
      local event = cekura.assert(receive(headers(), event_of(data)))
      assert.equal("call_log", core.type(event.call_log))
      assert.is_false(event.duplicate)
    end
    for _, body in ipairs { event_of("[7]", "result.completed"), event_of("7", "result.completed"),
      event_of('{"id":{}}', "result."), event_of("{}", "."), event_of("{}", "call_log"), event_of("null", "x") } do
      cekura.assert(receive(headers(), body))
    end
    assert.equal("pending", job.state)
  end)

  it("whose secret differs in one byte or ends early is refused", function()
    for place = 1, #SECRET do
      local near = SECRET:sub(1, place - 1) .. "?" .. SECRET:sub(place + 1)
      assert.is_nil(receive({ ["X-CEKURA-SECRET"] = near }, event_of "{}"))
      assert.is_nil(receive({ ["X-CEKURA-SECRET"] = SECRET:sub(1, place - 1) }, event_of "{}"))
    end
  end)

  it("raises for a wrong argument at the caller's line", function()
    local ok, message = pcall(function()
      return receive(nil, "{}")
    end)
    assert.is_false(ok)
    assert.truthy(message:find "webhook_spec.lua:%d+: cekura: headers: table expected", message)
    ok, message = pcall(function()
      return receive({}, nil)
    end)
    assert.is_false(ok)
    assert.truthy(message:find "webhook_spec.lua:%d+: cekura: body: string expected", message)
    for pattern, options in pairs { ["secret: string expected"] = {}, ["secret: it is empty"] = { secret = "" },
      ["there is no option key"] = { secret = "x", key = "y" } } do
      ok, message = pcall(function()
        return client:webhook(options)
      end)
      assert.is_false(ok)
      assert.truthy(message:find "^spec/webhook_spec.lua:%d+: ")
      assert.truthy(message:find(pattern), message)
    end
  end)

  describe("ends at once", function()
    it("the job that waits for this evaluation", function()
      local job = cekura.assert(client:job("calls.evaluation", 5181751))
      local result, body
      patience.before_timer(60, cekura.run, function()
        local waiting = cekura.spawn(function()
          return job:wait { interval = 600, timeout = 3600 }
        end)
        while job.polls == 0 do
          cekura.sleep(0.01)
        end
        body = told(5181751)
        cekura.assert(receive(headers(), body))
        result = cekura.assert(waiting:join())
      end)
      assert.equal("succeeded", job.state)
      assert.equal(5181751, result.id)
      assert.is_true(result:evaluated())
      assert.equal(1, job.polls)
      assert.equal(job:json(), result:json())
      assert.truthy(body:find(job:json(), 1, true))
    end)

    it("a job without a waiter, and every job for the same record", function()
      local jobs = {}
      for index = 1, 3 do
        jobs[index] = cekura.assert(client:job("calls.evaluation", index < 3 and 5181751 or "5181751"))
      end
      local other = cekura.assert(client:job("calls.evaluation", 5181752))
      local foreign = cekura.assert(server:client():job("calls.evaluation", 5181751))
      local body = told(5181751)
      local before = #server:requests()
      cekura.assert(receive(headers(), body))
      for _, job in ipairs(jobs) do
        assert.equal("succeeded", job.state)
        assert.equal(5181751, cekura.assert(job:wait()).id)
      end
      assert.equal("pending", other.state)
      assert.equal("pending", foreign.state)
      assert.equal(before, #server:requests())
    end)

    it("no job for a call that is not evaluated, for a known evaluation, or for a repeated event", function()
      local job = cekura.assert(client:job("calls.evaluation", 5181751))
      cekura.assert(receive(headers(), event_of '{"id":5181751,"status":"evaluating"}'))
      assert.equal("pending", job.state)

      local call = cekura.assert(client.calls:get(5181749))
      local newer = call:evaluation()
      cekura.assert(receive(headers(), told(5181749)))
      assert.equal("pending", newer.state)

      cekura.assert(receive(headers "k", event_of '{"id":1,"status":"success"}'))
      local again = cekura.assert(client:job("calls.evaluation", 1))
      assert.is_true(cekura.assert(receive(headers "k", event_of '{"id":1,"status":"success"}')).duplicate)
      assert.equal("pending", again.state)
    end)

    it("the job whose record came from another operation without a time", function()
      local call = cekura.assert(client.calls:get(5181749))
      local newer = call:evaluation()
      cekura.assert(receive(headers(), event_of '{"id":5181749,"status":"failure"}'))
      assert.equal("succeeded", newer.state)
    end)

    it("the job that waits for the result of a run", function()
      local jobs = {}
      for index = 1, 2 do
        jobs[index] = cekura.assert(client.results:run { agent_id = 2142, scenarios = { index } })
      end
      receive(headers(), event_of(('{"id":%d,"status":"in_progress"}'):format(jobs[1].id), "result.updated"))
      assert.equal("pending", jobs[1].state)
      for _, job in ipairs(jobs) do
        local body = cekura.assert(server.administrator:request("GET", "/_sim/webhook/",
          { query = { result_id = job.id } })).body
        cekura.assert(receive(headers(), body))
        assert.equal("succeeded", job.state)
        assert.equal(job.id, cekura.assert(job:wait()).id)
        assert.truthy(body:find(job:json(), 1, true))
      end
      -- The id of a call log, or of another result, ends nothing.
      local job = cekura.assert(client:job("results.run", 5181749))
      receive(headers(), told(5181749))
      assert.equal("pending", job.state)
    end)

    -- The service sends the runs, but not the counts of a poll's answer.
    local RUNS = [[{"4":{"id":4,"success":true},"5":{"id":5,"success":false,"status":"completed"},
      "6":{"id":6,"success":false,"status":"timeout"}}]]
    local COUNTS = [["total_runs_count":3,"completed_runs_count":2,"success_runs_count":1,"failed_runs_count":1]]
    local RESULT = "/test_framework/v2/results/77/"

    it("the job of a run, with the same fields as a poll", function()
      local ended = {}
      for status, state in pairs { completed = "succeeded", failed = "failed", timeout = "failed",
        cancelled = "cancelled" } do
        server:script(RESULT, { { body = ('{"id":77,"status":"%s","runs":%s,%s}'):format(status, RUNS, COUNTS) } })
        local jobs = { client:job("results.run", 77), client:job("results.run", 77) }
        cekura.assert(jobs[1]:poll())
        cekura.assert(receive(headers(), event_of(('{"id":77,"status":"%s","runs":%s}'):format(status, RUNS),
          "result.completed")))
        for place, job in ipairs(jobs) do
          local result, err = job:wait()
          ended[place] = { job.state, job.status, job.progress, result, err and err.kind, err and err.message, err
            and err.result, job.result }
        end
        assert.same(ended[1], ended[2])
        assert.equal(state, jobs[2].state)
        assert.equal(0, jobs[2].polls)
        local result = jobs[2].result
        assert.same({ 3, 1, 1, false }, { result.total_runs_count, result.success_runs_count, result.failed_runs_count,
          result.passed })
      end
    end)

    it("nothing for a run without counts, and polls at once instead", function()
      for index, body in ipairs { '{"id":77,"status":"completed"}', '{"id":77,"status":"completed","runs":{}}',
        ('{"id":77,"status":"completed","total_runs_count":4,"runs":%s}'):format(RUNS) } do
        server:script(RESULT, { { body = '{"id":77,"status":"running"}' },
          { body = ('{"id":77,"status":"completed","runs":{},%s}'):format(COUNTS) } })
        local job = client:job("results.run", 77)
        local result = patience.before_timer(60, cekura.run, function()
          local waiting = cekura.spawn(function()
            return job:wait { interval = 600, timeout = 3600 }
          end)
          while job.polls == 0 do
            cekura.sleep(0.01)
          end
          cekura.assert(receive(headers(), event_of(body, "result.completed")))
          return cekura.assert(waiting:join())
        end)
        assert.equal(2 * index, server:count(RESULT))
        assert.equal(3, result.total_runs_count)
        assert.is_false(result.passed)
      end
    end)

    it("nothing for a run that has not ended, and polls only once", function()
      server:script(RESULT, { { body = '{"id":77,"status":"running"}' } })
      local job = client:job("results.run", 77)
      patience.before_timer(60, cekura.run, function()
        local waiting = cekura.spawn(function()
          return job:wait { interval = 600, timeout = 3600 }
        end)
        server:wait_for(RESULT, 1)
        cekura.assert(receive(headers(), event_of('{"id":77,"status":"completed"}', "result.completed")))
        server:wait_for(RESULT, 2)
        cekura.sleep(0.2)
        cekura.assert(receive(headers(), event_of(('{"id":77,"status":"completed","runs":%s}'):format(RUNS),
          "result.completed")))
        cekura.assert(waiting:join())
      end)
      assert.equal(2, server:count(RESULT))
    end)

    it("nothing while a poll is in flight, and polls once more after it or at the next wait", function()
      local running, completed = '{"id":77,"status":"running"}',
        ('{"id":77,"status":"completed","runs":{},%s}'):format(COUNTS)
      server:script(RESULT, { { body = running, hold = "poll" }, { body = completed } })
      local job = client:job("results.run", 77)
      patience.before_timer(60, cekura.run, function()
        local waiting = cekura.spawn(function()
          return job:wait { interval = 600, timeout = 3600 }
        end)
        server:wait_for(RESULT)
        cekura.assert(receive(headers(), event_of('{"id":77,"status":"completed"}', "result.completed")))
        server:release "poll"
        cekura.assert(waiting:join())
      end)
      assert.equal(2, job.polls)

      server:script(RESULT, { { body = running }, { body = completed } })
      job = client:job("results.run", 77)
      cekura.assert(job:poll())
      cekura.assert(receive(headers(), event_of('{"id":77,"status":"completed"}', "result.completed")))
      assert.equal("running", job.state)
      assert.is_false(patience.before_timer(60, cekura.run, function()
        return cekura.assert(job:wait { interval = 600, timeout = 3600 })
      end).passed)
    end)

    it("jobs whose end makes an event handler start other jobs for the record", function()
      local others, busy = {}, nil
      busy = server:client { on_event = function(event)
        if event.name == "job_changed" then
          for _ = 1, 20 do
            others[#others + 1] = busy:job("calls.evaluation", 5181751)
          end
        end
      end }
      local jobs = {}
      for index = 1, 5 do
        jobs[index] = busy:job("calls.evaluation", 5181751)
      end
      cekura.assert(busy:webhook { secret = SECRET }(headers(), told(5181751)))
      for _, job in ipairs(jobs) do
        assert.equal("succeeded", job.state)
      end
      assert.equal(100, #others)
      busy:close()
    end)

    it("a job in a host's loop, and client:timeout() becomes 0", function()
      local job = cekura.assert(client:job("calls.evaluation", 5181751))
      local done = false
      cekura.spawn(function()
        cekura.assert(job:wait { interval = 600, timeout = 3600 })
        done = true
      end)
      -- An interrupted task is due at once, and goes on in the next step.
      while job.polls == 0 or client:timeout() == 0 do
        core.wait({ client }, client:timeout())
        client:step()
      end
      local timeout = client:timeout()
      assert.is_true(timeout == nil or timeout > 60)
      cekura.assert(receive(headers(), told(5181751)))
      while client:timeout() == 0 do
        client:step()
      end
      assert.is_true(done)
    end)
  end)

  it("ignores jobs that were collected", function()
    local told_of = 0
    local busy = server:client { on_event = function(event)
      told_of = told_of + (event.name == "job_changed" and 1 or 0)
    end }
    local job = busy:job("calls.evaluation", 5181751)
    for _ = 1, 50 do
      busy:job("calls.evaluation", 5181751)
    end
    local body = told(5181751)
    collectgarbage()
    cekura.assert(busy:webhook { secret = SECRET }(headers(), body))
    assert.equal("succeeded", job.state)
    assert.equal(1, told_of)
    busy:close()
  end)

  it("keeps references neither to a job nor to its id", function()
    for index = 1, 200 do
      client:job("calls.evaluation", index)
    end
    collectgarbage()
    collectgarbage()
    assert.is_nil(next(core.fields(client)._by_record))
  end)
end)

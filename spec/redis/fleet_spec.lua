--- Fleets on a real Redis server: workers in processes of their own, which are killed, frozen and stopped.

local cekura = require "cekura"
local fleets = require "cekura.fleet"
local fleet_worker = require "spec.support.fleet_worker"
local nginx = require "spec.support.nginx"
local patience = require "spec.support.patience"
local process = require "spec.support.process"
local redis_server = require "spec.support.redis_server"
local shell = require "spec.support.shell"
local simulator = require "spec.support.simulator"

local lua = os.getenv "CEKURA_LUA" or "lua5.4"

local KIND = "calls.improve_prompt"
local START = "/observability/v1/call-logs/improve_prompt_bg/"
local POLL = "/observability/v1/call-logs/improve_prompt_progress/"
local PROGRESS = { body = { status = "processing" } }
local DONE = { body = { status = "completed", output = { improved_prompt = "better", summary_of_changes = "s" } } }

describe("a fleet", function()
  local service = simulator.during(setup, teardown)
  local redis, client, fleet
  local processes, made = {}, {}

  local function open(options)
    local given = { redis = redis.url, name = "jobs", client = client, lease = 1 }
    for name, value in pairs(options or {}) do
      given[name] = value or nil
    end
    local opened = cekura.assert(fleets.new(given))
    made[#made + 1] = opened
    return opened
  end

  local function start_worker(options)
    local worker = fleet_worker.start(redis, service, options)
    processes[#processes + 1] = worker
    return worker
  end

  local function submit(number, options)
    local params = { agent_id = 2142, call_logs = { 101 }, prompt = "prompt " .. (number or 1) }
    return cekura.assert(fleet:submit(KIND, params, options))
  end

  -- Waits until a worker has written a line that matches.
  local function wait_for(worker, pattern)
    local found
    assert.truthy(process.comes_true(function()
      found = worker:output():match(pattern)
      return found
    end), pattern .. " is not in:\n" .. worker:output())
    return found
  end

  local function lines(worker, pattern)
    local count = 0
    for line in worker:output():gmatch "[^\n]+" do
      count = count + (line:find(pattern) and 1 or 0)
    end
    return count
  end

  local function starts()
    return service:count(START)
  end

  local function redis_cli(words)
    return redis:cli(words)
  end

  local function keys()
    return redis_cli "keys '*'"
  end

  before_each(function()
    service:reset()
    redis = redis_server.start()
    client = service:client { interval = 0.05 }
    fleet = open()
  end)

  after_each(function()
    for index = #processes, 1, -1 do
      if processes[index]:is_running() then
        processes[index]:signal "CONT"
      end
      processes[index]:stop "KILL"
      processes[index] = nil
    end
    client:close()
    redis:signal "CONT"
    redis:stop "KILL"
  end)

  describe("has a task", function()
    it("done by a worker elsewhere, whose outcome everyone gets", function()
      service:script(POLL, { PROGRESS, DONE })
      local id = submit()
      assert.equal(1, fleet:stats().waiting)
      local worker = start_worker()
      local result = cekura.assert(fleet:result(id))
      assert.equal("better", result.improved_prompt)
      assert.equal("s", result.summary_of_changes)
      wait_for(worker, "result " .. id .. " better 1\n")
      assert.equal("better", open { client = false }:result(id).improved_prompt)
      process.eventually(function() return fleet:stats().running == 0 end)
      local stats = fleet:stats()
      assert.same({ 0, 0, 1, 0, 0, 0, 1 }, { stats.waiting, stats.running, stats.done, stats.failed, stats.unknown,
        stats.poisoned, stats.workers })
      assert.equal(1, starts())
    end)

    it("that failed, with the same error everywhere", function()
      service:script(POLL, { { body = { status = "failed", error = "no credits", output = { x = 1 } } } })
      local id = submit()
      local failed
      cekura.run(function()
        cekura.spawn(function()
          fleet:work { on_failed = function(err, task)
            failed = { err, task }
            fleet:stop()
          end }
        end)
        local result, err = open { client = false }:result(id)
        assert.is_nil(result)
        assert.equal("job_failed", err.kind)
        assert.truthy(err.message:find("no credits", 1, true))
        assert.equal(1, err.result.x)
      end)
      local err, task = failed[1], failed[2]
      assert.equal("job_failed", err.kind)
      assert.same({ id, KIND, 1, "prompt 1" }, { task.id, task.kind, task.attempts, task.params.prompt })
      assert.equal("failed", task.job.state)
    end)

    it("that the service refuses, with the fields that it names", function()
      service:script(START, { { status = 400, body = { prompt = { "Too short." } } } })
      local id = submit()
      start_worker()
      local result, err = fleet:result(id)
      assert.is_nil(result)
      assert.same({ "invalid", 400, { prompt = { "Too short." } } }, { err.kind, err.status, err.fields })
    end)

    it("only once for a key", function()
      local first = submit(1, { key = "a" })
      assert.equal(first, submit(2, { key = "a" }))
      assert.not_equal(first, submit(3, { key = "b" }))
      assert.equal(2, fleet:stats().waiting)
    end)

    it("that may have been added, as the error says, though Redis was away when the submission was repeated", function()
      submit()
      redis:signal "STOP"
      local id, err
      cekura.run(function()
        cekura.spawn(function()
          id, err = fleet:submit(KIND, { agent_id = 2142, call_logs = { 101 }, prompt = "p" })
        end)
        cekura.sleep(0.2)
        redis:stop "KILL"
      end)
      redis = redis_server.start()
      assert.is_nil(id)
      assert.is_true(err.sent)
    end)

    it("whose result has megabytes", function()
      local prompt = ("é\0\"x"):rep(500000)
      service:script(POLL, { { body = { status = "completed", output = { improved_prompt = prompt } } } })
      local id = submit()
      start_worker()
      local result = cekura.assert(fleet:result(id))
      assert.is_true(result.improved_prompt == prompt)
    end)

    it("for which many wait in one process, by one read", function()
      service:script(POLL, { DONE })
      local ids, waited = {}, 0
      cekura.run(function()
        for number = 1, 50 do
          ids[number] = submit(number)
          cekura.spawn(function()
            assert.equal("better", cekura.assert(fleet:result(ids[number])).improved_prompt)
            waited = waited + 1
          end)
        end
        cekura.sleep(0.2)
        assert.equal("1", redis_cli("client list"):match "cmd=xread" and select(2,
          redis_cli("client list"):gsub("cmd=xread", "")) .. "")
        start_worker()
      end)
      assert.equal(50, waited)
    end)

    it("of which a wait ends in time, or when it is cancelled, and the task goes on", function()
      local id = submit()
      local result, err = fleet:result(id, { timeout = 0.05 })
      assert.same({ nil, "timeout" }, { result, err.kind })
      cekura.run(function()
        local task = cekura.spawn(function()
          local _, cancelled = fleet:result(id)
          assert.equal("cancelled", cancelled.kind)
        end)
        cekura.sleep(0.05)
        task:cancel()
      end)
      result, err = fleet:result "none"
      assert.same({ nil, "not_found" }, { result, err.kind })
      assert.equal(1, fleet:stats().waiting)
    end)
  end)

  describe("refuses", function()
    it("what a client refuses to start, at the caller's line", function()
      assert.error_matches(function() fleet:submit("calls.improve_prom", {}) end, "kind.*calls.improve_prompt")
      assert.error_matches(function()
        fleet:submit(KIND, { agent_id = 1, prompt = "p", call_logs = {} })
      end, "call_logs")
      assert.error_matches(function() fleet:submit(KIND, nil, { kei = "x" }) end, "kei.*key")
      assert.error_matches(function() fleet:work { concurrency = 0 } end, "concurrency")
      assert.error_matches(function() fleets.new { redis = redis.url, name = "a b" } end, "name")
      assert.error_matches(function() fleets.new { redis = redis.url, name = "a", client = 1 } end, "client")
      assert.error_matches(function() open { client = false }:work() end, "without a client")
      assert.equal("0", redis_cli "exists 'cekura:{jobs}:counts'")
    end)

    it("a key of the API among the parameters", function()
      local other = cekura.new { api_key = "a long secret", base_url = service.url, config_file = false }
      local id, err = open { client = other }:submit(KIND,
        { agent_id = 1, call_logs = { 1 }, prompt = "it is a long secret!" })
      assert.same({ nil, "config" }, { id, err.kind })
      other:close()
      assert.is_nil(keys():find "task")
    end)

    it("a Redis Cluster, an old server and a wrong password", function()
      local port = process.free_port() -- its successor is free, too
      local cluster = redis_server.start("--cluster-enabled yes --cluster-port " .. port + 1, port)
      local refused, err = fleets.new { redis = cluster.url, name = "jobs" }
      cluster:stop "KILL"
      assert.same({ nil, "config" }, { refused, err.kind })
      assert.truthy(err.message:find("Cluster", 1, true))
      local guarded = redis_server.start "--requirepass secret"
      refused, err = fleets.new { redis = guarded.url, name = "jobs" }
      assert.same({ nil, "auth" }, { refused, err.kind })
      assert.truthy(fleets.new { redis = guarded.url:gsub("//", "//:secret@"), name = "jobs" })
      guarded:stop "KILL"
    end)

    it("workers of another service", function()
      cekura.run(function()
        cekura.spawn(fleet.work, fleet)
        cekura.sleep(0.1)
        local other = cekura.new { api_key = "x", base_url = "http://127.0.0.1:1", config_file = false }
        local ended, err = open { client = other }:work()
        assert.same({ nil, "config" }, { ended, err.kind })
        fleet:stop()
        other:close()
      end)
    end)
  end)

  describe("a worker that dies", function()
    it("while its job runs, leaves the job to others, which is not started again", function()
      service:script(POLL, { PROGRESS })
      local id = submit()
      local dead = start_worker()
      service:wait_for(POLL, 2)
      dead:stop "KILL"
      local other = start_worker()
      service:script(POLL, { DONE })
      assert.equal("better", cekura.assert(fleet:result(id)).improved_prompt)
      wait_for(other, "result " .. id .. " better 2\n")
      assert.equal(1, starts())
    end)

    it("between the intent and the token, leaves an unknown outcome, and nothing starts the job again", function()
      service:script(START, { { hold = "start", body = { progress_id = "p" } } })
      local id = submit()
      local dead = start_worker()
      service:wait_for(START)
      dead:stop "KILL"
      local other = start_worker()
      wait_for(other, "failed " .. id .. " unknown_outcome 2\n")
      local result, err = fleet:result(id)
      assert.same({ nil, "unknown_outcome", true }, { result, err.kind, err.sent })
      assert.equal(1, starts())
      assert.equal(1, fleet:stats().unknown)
    end)

    it("in its handler, has another call it", function()
      service:script(POLL, { DONE })
      local id = submit()
      local dead = start_worker "handler = function() cekura.sleep(1000) end"
      wait_for(dead, "result")
      dead:stop "KILL"
      local other = start_worker()
      wait_for(other, "result " .. id .. " better 2\n")
      assert.equal(1, starts())
      process.eventually(function() return fleet:stats().running == 0 end)
      assert.equal(1, fleet:stats().done)
    end)

    it("three times by the same task, has it poisoned", function()
      service:script(POLL, { DONE })
      local id = submit()
      for _ = 1, 3 do
        local worker = start_worker "handler = function() os.exit(1, false) end"
        wait_for(worker, "result")
        process.eventually(function() return not worker:is_running() end)
      end
      local other = start_worker()
      process.eventually(function() return fleet:stats().poisoned == 1 end)
      local stats = fleet:stats()
      assert.same({ 1, 0, 0 }, { stats.poisoned, stats.running, stats.waiting })
      assert.is_nil(other:output():find("result", 1, true))
      assert.truthy(redis_cli("xrange 'cekura:{jobs}:poisoned' - +"):find(id, 1, true))
      assert.equal("better", cekura.assert(fleet:result(id)).improved_prompt) -- the outcome was known
    end)
  end)

  describe("a worker that is frozen longer than its lease", function()
    it("finds its job with others, and its outcome is not recorded twice", function()
      service:script(POLL, { PROGRESS })
      local id = submit()
      local frozen = start_worker()
      service:wait_for(POLL, 2)
      frozen:signal "STOP"
      local other = start_worker()
      process.eventually(function() return redis_cli("hget 'cekura:{jobs}:task:" .. id .. "' attempts") == "2" end)
      frozen:signal "CONT"
      service:script(POLL, { DONE })
      wait_for(other, "result " .. id .. " better 2\n")
      assert.is_nil(frozen:output():find("result", 1, true))
      assert.equal(1, starts())
      -- It has a new lease, and takes other tasks.
      other:stop "KILL"
      local second = submit(2)
      wait_for(frozen, "result " .. second .. " better 1\n")
    end)
  end)

  describe("a handler that raises", function()
    it("is called again three times, and then has the task poisoned", function()
      service:script(POLL, { DONE })
      local id = submit()
      local worker = start_worker "handler = function() error 'handler broke' end"
      process.eventually(function() return fleet:stats().poisoned == 1 end)
      assert.equal(4, lines(worker, "^result " .. id))
      assert.equal(4, lines(worker, "^problem on_result .*handler broke"))
      assert.equal("better", cekura.assert(fleet:result(id)).improved_prompt)
      assert.equal(0, fleet:stats().running)
    end)

    it("an error with the API key, does not bring that into Redis", function()
      service:script(POLL, { DONE })
      local id = submit()
      cekura.run(function()
        cekura.spawn(fleet.work, fleet, { on_error = function() end, on_result = function()
          error("refused: " .. service.key)
        end })
        patience.eventually(function() return fleet:stats().poisoned == 1 end)
        fleet:stop()
      end)
      local poisoned = redis_cli "xrange 'cekura:{jobs}:poisoned' - +"
      assert.truthy(poisoned:find(id, 1, true))
      assert.truthy(poisoned:find("refused: ", 1, true))
      assert.is_nil(poisoned:find(service.key, 1, true))
    end)

    it("once, is called again, and that is all", function()
      service:script(POLL, { DONE })
      local id = submit()
      local worker = start_worker "handler = function() if not TIMES then TIMES = 1 error {} end end"
      process.eventually(function() return fleet:stats().running == 0 and fleet:stats().done == 1 end)
      assert.equal(2, lines(worker, "^result " .. id))
      assert.equal(0, fleet:stats().poisoned)
    end)
  end)

  describe("fleet:stop()", function()
    it("leaves the jobs that are waited for to others at once, and counts no death", function()
      service:script(POLL, { PROGRESS })
      local id = submit()
      for attempt = 1, 4 do
        local ended
        cekura.run(function()
          cekura.spawn(function()
            ended = fleet:work()
          end)
          patience.eventually(function()
            return redis_cli("hmget 'cekura:{jobs}:task:" .. id .. "' state attempts") == "running\n" .. attempt
          end)
          fleet:stop()
          fleet:stop()
        end)
        assert.is_true(ended)
      end
      service:script(POLL, { DONE })
      wait_for(start_worker(), "result " .. id .. " better 5\n")
      assert.equal(1, starts())
    end)

    it("completes a start that is under way, and a handler", function()
      service:script(START, { { delay = 0.5, body = { progress_id = "p" } } })
      local id = submit()
      cekura.run(function()
        cekura.spawn(fleet.work, fleet)
        patience.eventually(function() return starts() == 1 end)
        fleet:stop()
      end)
      assert.equal("running", redis_cli("hget 'cekura:{jobs}:task:" .. id .. "' state"))
      service:script(POLL, { DONE })
      local completed
      cekura.run(function()
        fleet:work { on_result = function()
          fleet:stop()
          cekura.sleep(0.3)
          completed = true
        end }
      end)
      assert.is_true(completed)
      assert.same({ 0, 1 }, { fleet:stats().running, fleet:stats().done })
    end)
  end)

  describe("while Redis is away", function()
    it("nothing is started, jobs are polled on, and outcomes are kept until it is back", function()
      service:script(POLL, { PROGRESS })
      local id = submit()
      local worker = start_worker "lease = 30"
      service:wait_for(POLL, 2)
      submit(2)
      service:wait_for(START, 2)
      redis:signal "STOP"
      local polls = service:count(POLL)
      service:wait_for(POLL, polls + 3)
      service:script(POLL, { DONE })
      cekura.sleep(0.5)
      assert.is_nil(worker:output():find("result", 1, true))
      redis:signal "CONT"
      wait_for(worker, "result " .. id .. " better 1\n")
      process.eventually(function() return fleet:stats().done == 2 end)
      assert.equal(2, starts())
    end)

    it("waits for outcomes go on", function()
      local dir = shell "mktemp -d":match "%S+"
      local options = "--appendonly yes --appendfsync always --dir " .. dir
      redis:stop "KILL"
      redis = redis_server.start(options, redis.port)
      service:script(POLL, { PROGRESS })
      local id = submit()
      start_worker "lease = 30"
      service:wait_for(POLL)
      local result
      local function both_read()
        return select(2, redis_cli("client list"):gsub("cmd=xread", "")) == 2
      end
      cekura.run(function()
        local waiting = cekura.spawn(function()
          result = fleet:result(id)
        end)
        patience.eventually(both_read)
        redis:stop "KILL"
        cekura.sleep(0.3)
        redis = redis_server.start(options, redis.port)
        patience.before_timer(40, function() patience.eventually(both_read) end)
        service:script(POLL, { DONE })
        waiting:join()
      end)
      assert.equal("better", result.improved_prompt)
      shell("rm -rf " .. dir)
    end)

    it("killed and started again, it goes on with all that it has acknowledged", function()
      local dir = shell "mktemp -d":match "%S+"
      local options = "--appendonly yes --appendfsync always --dir " .. dir
      redis:stop "KILL"
      redis = redis_server.start(options, redis.port)
      service:script(POLL, { PROGRESS })
      for number = 1, 5 do
        submit(number)
      end
      local worker = start_worker "lease = 30"
      service:wait_for(START, 5)
      redis:stop "KILL"
      service:script(POLL, { DONE })
      cekura.sleep(0.3)
      assert.is_nil(worker:output():find("result", 1, true))
      redis = redis_server.start(options, redis.port)
      process.eventually(function() return lines(worker, "^result") == 5 end)
      assert.equal(5, lines(worker, "^result"))
      assert.equal(5, starts())
      process.eventually(function() return fleet:stats().running == 0 end)
      assert.same({ 5, 0 }, { fleet:stats().done, fleet:stats().running })
      shell("rm -rf " .. dir)
    end)
  end)

  describe("the pace", function()
    -- The prompts in the order in which they were started.
    local function started()
      local order = {}
      for _, request in ipairs(service:requests()) do
        order[#order + 1] = request.path == START and request.body:match '"prompt":"([^"]*)"' or nil
      end
      return order
    end

    it("bounds how many run in the fleet", function()
      service:script(POLL, { PROGRESS })
      for number = 1, 10 do
        submit(number)
      end
      start_worker "rate = { in_flight = 3 }"
      start_worker "rate = { in_flight = 3 }"
      service:wait_for(START, 3)
      service:wait_for(POLL, service:count(POLL) + 20)
      assert.equal(3, starts())
      assert.same({ 7, 3 }, { fleet:stats().waiting, fleet:stats().running })
      service:script(POLL, { DONE })
      process.eventually(function() return fleet:stats().done == 10 end)
      assert.equal(10, starts())
    end)

    it("bounds the starts in a minute", function()
      service:script(POLL, { DONE })
      for number = 1, 4 do
        submit(number)
      end
      start_worker "rate = { starts_per_minute = 300 }"
      start_worker "rate = { starts_per_minute = 300 }"
      process.eventually(function() return fleet:stats().done == 4 end)
      local times = {}
      for _, request in ipairs(service:requests()) do
        times[#times + 1] = request.path == START and request.at or nil
      end
      assert.equal(4, starts())
      for index = 2, #times do
        assert.is_true(times[index] - times[index - 1] > 0.1)
      end
    end)

    it("slows all down after a 429 to one", function()
      service:script(START, { { status = 429, headers = { ["Retry-After"] = "3" } }, { pass = true } })
      service:script(POLL, { DONE })
      start_worker "rate = { starts_per_minute = 600 }"
      start_worker "rate = { starts_per_minute = 600 }"
      for number = 1, 20 do
        submit(number)
      end
      process.eventually(function() return next(fleet:stats().pace.held) end)
      process.eventually(function() return fleet:stats().done == 20 end)
      assert.equal(20, fleet:stats().done)
      local first, after = nil, 0
      for _, request in ipairs(service:requests()) do
        if request.path == START then
          first = first or request.at
          after = after + (request.at >= first + 3 and 1 or 0)
        end
      end
      assert.is_true(after >= 8, after) -- some are started before the other knows
    end)

    it("lets submitters and kinds take turns", function()
      service:script(POLL, { DONE })
      local other, third = open(), open { submitter = "third" }
      for number = 1, 5 do
        submit(number)
      end
      other:submit(KIND, { agent_id = 2142, call_logs = { 101 }, prompt = "other" })
      third:submit(KIND, { agent_id = 2142, call_logs = { 101 }, prompt = "third" })
      fleet:submit("runs.improve_prompt", { run_ids = { 101 }, prompt = "run" })
      start_worker "rate = { in_flight = 1 }"
      process.eventually(function() return fleet:stats().done + fleet:stats().failed == 8 end)
      local order = table.concat(started(), " ")
      local first_of_others = { order:find("other", 1, true), order:find("third", 1, true) }
      assert.is_true(first_of_others[1] < order:find("prompt 3", 1, true), order)
      assert.is_true(first_of_others[2] < order:find("prompt 3", 1, true), order)
    end)
  end)

  it("gives a task back once, however often that is repeated", function()
    local id = submit()
    local server = require "cekura.fleet.server"
    local function run(script, ...)
      return cekura.assert(fleet:_run(script, ...))
    end
    local function take()
      return run(server.take, "w.1", 1, 0, 0, 60, "", " ")[1][1]
    end
    run(server.join, "w.1", 60000, service.url)
    local first = take()
    assert.equal(1, run(server.give_back, id, "w.1", first[11]))
    local second = take()
    assert.equal(1, run(server.intend, id, "w.1"))
    assert.equal(0, run(server.give_back, id, "w.1", first[11]))
    assert.equal("intent", redis_cli("hget 'cekura:{jobs}:task:" .. id .. "' state"))
    assert.equal(1, run(server.give_back, id, "w.1", second[11]))
  end)

  it("sets right what Redis has forgotten", function()
    service:script(POLL, { PROGRESS })
    submit(1)
    local worker = start_worker "concurrency = 1"
    service:wait_for(POLL)
    local id = submit(2)
    -- A worker that has it, and does not know it; a count, and a turn.
    local name = redis_cli "zrange 'cekura:{jobs}:workers' 0 -1"
    local lane = redis_cli "smembers 'cekura:{jobs}:lanes'"
    assert.truthy(redis_cli(("xreadgroup group workers %s streams 'cekura:{jobs}:tasks:%s' '>'"):format(name,
      lane)):find(id, 1, true))
    redis_cli(("hset 'cekura:{jobs}:task:%s' worker %s state taken"):format(id, name))
    redis_cli "hset 'cekura:{jobs}:counts' running 50 waiting -7"
    local third = submit(3)
    redis_cli "del 'cekura:{jobs}:kinds'"
    service:script(POLL, { DONE })
    wait_for(worker, "result " .. id)
    wait_for(worker, "result " .. third)
    process.eventually(function() return fleet:stats().running == 0 end)
    assert.same({ 0, 0, 3 }, { fleet:stats().running, fleet:stats().waiting, fleet:stats().done })
  end)

  it("leaves kinds that a worker does not know to others", function()
    service:script(START, { { body = { progress_id = "p" } } })
    service:script(POLL, { DONE })
    cekura.kind("calls.improve_prompt_again", { start = "POST " .. START, poll = "GET " .. POLL, id = "progress_id",
      output = "improved_prompt", params = { agent_id = { "id" } } })
    local id = cekura.assert(fleet:submit("calls.improve_prompt_again", { agent_id = 2142 }))
    local worker = start_worker()
    wait_for(worker, "problem start.*improve_prompt_again")
    assert.equal(0, starts())
    local known = submit(1)
    wait_for(worker, "result " .. known)
    assert.same({ 1, 0 }, { fleet:stats().waiting, fleet:stats().running })
    local attempts
    cekura.run(function()
      fleet:work { on_result = function(_, task)
        attempts = task.id == id and task.attempts
        fleet:stop()
      end }
    end)
    assert.equal(1, attempts)
  end)

  it("leaves jobs of kinds that a worker does not know to others, when their worker dies or stops", function()
    service:script(START, { { body = { progress_id = "p" } } })
    service:script(POLL, { PROGRESS })
    cekura.kind("calls.improve_prompt_later", { start = "POST " .. START, poll = "GET " .. POLL, id = "progress_id",
      output = "improved_prompt", params = { agent_id = { "id" } } })
    local id = cekura.assert(fleet:submit("calls.improve_prompt_later", { agent_id = 2142 }))
    local better
    cekura.run(function()
      cekura.spawn(fleet.work, fleet)
      patience.eventually(function() return service:count(POLL) > 0 end)
      fleet:stop()
    end)
    local worker = start_worker()
    wait_for(worker, "problem start.*improve_prompt_later")
    local known = submit()
    service:script(POLL, { DONE })
    wait_for(worker, "result " .. known)
    cekura.run(function()
      fleet:work { on_result = function(result, task)
        better = task.id == id and result.improved_prompt
        fleet:stop()
      end }
    end)
    assert.equal("better", better)
    assert.is_nil(worker:output():find(id, 1, true))
    assert.equal(2, starts())
  end)

  it("keeps outcomes and keys so long, and nothing else of tasks that are over", function()
    service:script(POLL, { DONE })
    fleet = open { keep = 2 }
    local id = submit(1, { key = "a" })
    local worker = start_worker "keep = 2"
    wait_for(worker, "result " .. id)
    process.eventually(function() return not fleet:result(id, { timeout = 1 }) end)
    local _, err = fleet:result(id, { timeout = 1 })
    assert.equal("not_found", err.kind)
    local second = submit(1, { key = "a" })
    assert.not_equal(id, second)
    wait_for(worker, "result " .. second)
    process.eventually(function() return not keys():find(second, 1, true) end)
    worker:stop()
    for key in keys():gmatch "[^\n]+" do
      assert.truthy(key:find "^cekura:{jobs}:", key)
      assert.is_nil(key:find(second, 1, true), key)
      assert.is_nil(key:find("tasks:", 1, true), key)
    end
  end)

  it("has a start that the service has not processed tried again, by whoever is free", function()
    service:script(START, { { status = 429, headers = { ["Retry-After"] = "40" } }, { pass = true } })
    service:script(POLL, { DONE })
    local id = submit()
    local limited = start_worker()
    wait_for(limited, "problem start")
    process.eventually(function() return fleet:stats().running == 0 end)
    assert.equal(1, fleet:stats().waiting)
    limited:stop "KILL"
    wait_for(start_worker(), "result " .. id .. " better 1\n")
    assert.equal(2, starts())
  end)

  if lua == "luajit" then -- that of nginx
    it("keeps the lease of a worker of nginx that ends, until its handler is done", function()
      service:script(POLL, { DONE })
      service:script("/slow/", { { delay = 4, body = {} } })
      local host = nginx.start(nginx.config(([[
        init_worker_by_lua_block {
          local cekura = require "cekura"
          local client = cekura.assert(cekura.new { api_key = %q, base_url = %q, config_file = false, interval = 0.05 })
          local fleet = cekura.assert(require "cekura.fleet".new { redis = %q, name = "jobs", client = client,
            lease = 1 })
          cekura.spawn(function()
            fleet:work { on_result = function(result, task)
              ngx.log(ngx.NOTICE, "noted: begun ", task.attempts)
              client:request("GET", "/slow/")
              ngx.log(ngx.NOTICE, "noted: done ", task.attempts)
            end }
          end)
        }
        server { listen 127.0.0.1:@PORT@; }
      ]]):format(service.key, service.url, redis.url)))
      finally(function() host:stop() end)
      local id = submit()
      process.eventually(function() return host:log():find("noted: begun 1", 1, true) end)
      local other = start_worker()
      host:reload()
      process.eventually(function() return host:log():find("noted: done 1", 1, true) end)
      assert.truthy(host:log():find("noted: done 1", 1, true))
      process.eventually(function() return fleet:stats().running == 0 end)
      assert.is_nil(host:log():find("noted: begun 2", 1, true))
      assert.is_nil(other:output():find(id, 1, true))
    end)
  end

  it("has workers end whose key the service refuses, and their tasks go on elsewhere", function()
    service:script(START, { { status = 401, body = { detail = "Invalid key." } }, { pass = true } })
    service:script(POLL, { DONE })
    local id = submit()
    local ended, err = fleet:work()
    assert.same({ nil, "auth" }, { ended, err.kind })
    wait_for(start_worker(), "result " .. id .. " better 1\n")
  end)

  it("ends once it is empty", function()
    service:script(POLL, { DONE })
    for number = 1, 5 do
      submit(number)
    end
    assert.is_true(fleet:work { until_empty = true })
    assert.equal(5, fleet:stats().done)
  end)

  it("has others start their jobs while its direct jobs have all places", function()
    local path = "/test_framework/v3/scenarios/generate/"
    service:script(path, { { hold = "answer", body = { scenarios = {} } } })
    service:script(POLL, { DONE })
    for number = 1, 12 do
      fleet:submit("scenarios.generate", { agent_id = 2142, num_scenarios = number }, { options = { direct = true } })
    end
    local id = submit()
    local worker = start_worker()
    wait_for(worker, "result " .. id .. " better 1\n")
    assert.equal(8, service:count(path))
    local stats = fleet:stats()
    assert.same({ 4, 8 }, { stats.waiting, stats.running })
    service:release "answer"
    process.eventually(function() return fleet:stats().done == 13 end)
    assert.equal(12, service:count(path))
  end)

  -- How many tasks were taken while some seconds went by.
  local function taken_within(seconds)
    local function turns()
      return tonumber(redis_cli "get 'cekura:{jobs}:turn'")
    end
    local before = turns()
    cekura.sleep(seconds)
    return turns() - before
  end

  it("leaves direct jobs of kinds that a worker does not know to others, too", function()
    cekura.kind("scenarios.generate_again", { start = "POST " .. START, poll = "GET " .. POLL, id = "progress_id",
      direct = "POST " .. START, output = "scenarios", params = { agent_id = { "id" } } })
    cekura.assert(fleet:submit("scenarios.generate_again", { agent_id = 2142 }, { options = { direct = true } }))
    wait_for(start_worker(), "problem start.*generate_again")
    assert.is_true(taken_within(1) <= 2)
    assert.same({ 1, 0 }, { fleet:stats().waiting, fleet:stats().running })
  end)

  it("has a direct job that the service has not processed tried again, once its endpoint is free", function()
    local path = "/test_framework/v3/scenarios/generate/"
    service:script(path, { { status = 429, headers = { ["Retry-After"] = "40" } }, { body = { scenarios = {} } } })
    local id = cekura.assert(fleet:submit("scenarios.generate", { agent_id = 2142, num_scenarios = 1 },
      { options = { direct = true } }))
    local limited = start_worker "retries = 0"
    wait_for(limited, "problem start")
    assert.is_true(taken_within(1) <= 2)
    assert.same({ 1, 0 }, { fleet:stats().waiting, fleet:stats().running })
    limited:stop "KILL"
    redis_cli "del 'cekura:{jobs}:holds'"
    wait_for(start_worker(), "result " .. id)
    assert.equal(2, service:count(path))
  end)

  it("runs direct jobs, whose start has an unknown outcome if the worker dies", function()
    local path = "/test_framework/v3/scenarios/generate/"
    service:script(path, { { hold = "answer", body = { scenarios = {} } } })
    local id = cekura.assert(fleet:submit("scenarios.generate", { agent_id = 2142, num_scenarios = 1 },
      { options = { direct = true } }))
    local dead = start_worker()
    service:wait_for(path)
    dead:stop "KILL"
    wait_for(start_worker(), "failed " .. id .. " unknown_outcome 2\n")
    assert.equal(1, service:count(path))
  end)
end)

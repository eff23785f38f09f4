--- The commands `cekura-lua fleet`, with a real Redis server and the simulator.

local command = require "spec.support.command"
local connections = require "cekura.fleet.redis"
local core = require "cekura.core"
local file = require "spec.support.file"
local process = require "spec.support.process"
local redis_server = require "spec.support.redis_server"
local shell = require "spec.support.shell"
local simulator = require "spec.support.simulator"
local tmux = require "spec.support.tmux"

local START = "/test_framework/v1/scenarios/run_scenarios/"
local RESULT = "/test_framework/v2/results/9001/"
local SIMPLIFY = "/test_framework/v3/metrics/simplify_prompt/"
local SUBMIT = "fleet submit results.run --agent-id 2142 --tags smoke "
local DIRECT = "fleet submit metrics.simplify_prompt --original-prompt x --direct "
local SIMPLE = { status = "completed", simplified_prompt = "y" }
local PASSWORD = "pass-word"

describe("cekura-lua fleet", function()
  local server = simulator.during(setup, teardown)
  local redis, connection, dir, environment

  before_each(function()
    server:reset()
    server:script(SIMPLIFY, { { body = SIMPLE } })
    redis = redis_server.start("--requirepass " .. PASSWORD)
    redis.url = redis.url:gsub("//", "//:" .. PASSWORD .. "@")
    connection = assert(connections.new(redis.url))
    environment = ("CEKURA_REDIS=%s CEKURA_FLEET=nightly CEKURA_DEBUG=1"):format(redis.url)
    dir = shell "mktemp -d":match "%S+"
  end)

  after_each(function()
    connection:close()
    redis:stop "KILL"
    shell("rm -rf " .. dir)
  end)

  -- The messages on stderr, without the lines of CEKURA_DEBUG, which are there to show that no password is in them.
  local function messages(err)
    assert.is_nil(err:find(PASSWORD, 1, true), err)
    return (err:gsub("cekura%[%d+%] [^\n]*\n", ""))
  end

  local function run(arguments, ...)
    local out, err, status = command.run(server, arguments, environment, ...)
    assert.is_nil(out:find(PASSWORD, 1, true), out)
    return out, messages(err), status
  end

  -- Asserts an exit status, with what was written in the message.
  local function assert_status(expected, out, err, status)
    assert.equal(expected, status, out .. err)
    return out, err
  end

  local function decode_lines(text)
    local values = {}
    for line in text:gmatch "[^\n]+" do
      values[#values + 1] = assert(core.decode(line))
    end
    return values
  end

  local function last_line(text)
    return text:match "([^\n]*)\n$"
  end

  local function submit(arguments)
    return assert_status(0, run(arguments or SUBMIT)):match "^(%x+)\n$"
  end

  local function numbers()
    return decode_lines(assert_status(0, run "fleet status --json"))[1]
  end

  local function state(id)
    return decode_lines((run("fleet status --json " .. id)))[1].state
  end

  -- Runs a command line in the background until a condition is true. Returns a function that sends it a signal, if one
  -- is given, waits for its end, and returns what run() does; and the process.
  local function begin(arguments, is_ready)
    local words = ("%s %s %s %s"):format(command.environment(server), environment, command.program, arguments)
    local root = shell "pwd":match "%S+"
    file.write(dir .. "/program", ("cd %s && exec env %s >%s/out 2>%s/err"):format(root, words, dir, dir))
    local program = process.start("sh " .. dir .. "/program", is_ready)
    return function(signal)
      if not signal then
        assert(process.comes_true(function() return not program:is_running() end), "it goes on")
      end
      local status = program:stop(signal)
      return file.read(dir .. "/out"), messages(file.read(dir .. "/err")), status
    end, program
  end

  describe("submit", function()
    it("adds a task, and prints its id; with a key that was seen, the id of the first", function()
      local out, err = assert_status(0, run(SUBMIT .. "--key a"))
      local id = out:match "^(%x+)\n$"
      assert.equal("Submitted results.run. To wait for it:\ncekura-lua fleet result " .. id .. "\n", err)
      assert.equal(out, (assert_status(0, run(SUBMIT .. "--key a"))))
      assert.not_equal(id, submit())
      assert.same({ { id = id, kind = "results.run", key = "a" } },
        decode_lines((assert_status(0, run(SUBMIT .. "--key a --json")))))
      assert.equal(2, numbers().waiting)
      assert.equal(0, #server:requests())
    end)

    it("counts as one submitter, whatever process it is", function()
      submit()
      submit()
      local lanes = connection:command("SMEMBERS", "cekura:{nightly}:lanes")
      assert.equal(1, #lanes)
      assert.truthy(lanes[1]:find("^results%.run:" .. shell "id -u":match "%d+" .. "%."), lanes[1])
    end)

    it("adds a task for each line of a file, in order", function()
      file.write(dir .. "/tasks.jsonl", [[
{"kind":"results.run","params":{"agent_id":2142,"tags":["a"]},"key":"1"}

{"kind":"metrics.simplify_prompt","params":{"original_prompt":"x"},"options":{"direct":true}}
]])
      local out, err = assert_status(0, run(("fleet submit --from-file %s/tasks.jsonl"):format(dir)))
      assert.equal("", err)
      local first, second = out:match "^(%x+)\n(%x+)\n$"
      assert.equal("results.run", decode_lines((run("fleet status --json " .. first)))[1].kind)
      assert.equal("metrics.simplify_prompt", decode_lines((run("fleet status --json " .. second)))[1].kind)
      out = assert_status(0, run("fleet submit --from-file - --json", "<" .. dir .. "/tasks.jsonl"))
      assert.equal(first, decode_lines(out)[1].id)
      assert.equal(3, numbers().waiting)
    end)

    it("does nothing for a file without a task", function()
      local out, err = assert_status(0, run("fleet submit --from-file -"))
      assert.same({ "", "- has no tasks.\n" }, { out, err })
    end)

    it("submits nothing of a file that has a line which is no task", function()
      for line, message in pairs {
        ["{"] = "not valid JSON",
        ["5"] = "an object is expected",
        ['{"kind":"results.rum"}'] = "results.run",
        ['{"params":{}}'] = "kind",
        ['{"kind":"results.run","parms":{}}'] = "there is no member parms",
        ['{"kind":"results.run","params":5}'] = "params: an object expected",
        ['{"kind":"scenarios.generate","params":{"agent_id":1}}'] = "num_scenarios",
        ['{"kind":"results.run","params":{"agent_id":1},"options":{"direct":true}}'] = "no direct jobs",
      } do
        file.write(dir .. "/tasks", '{"kind":"results.run","params":{"agent_id":2142,"tags":["a"]}}\n' .. line .. "\n")
        local out, err = assert_status(2, run(("fleet submit --from-file %s/tasks"):format(dir)))
        assert.equal("", out)
        assert.truthy(err:find(dir .. "/tasks:2: ", 1, true), err)
        assert.truthy(err:find(message, 1, true), err)
      end
      assert.equal(0, numbers().waiting)
    end)

    it("with --wait, prints the result, and exits as jobs do", function()
      local stop = begin("fleet work", function() return numbers().workers == 1 end)
      local out = assert_status(0, run(DIRECT .. "--wait"))
      assert.truthy(out:find "simplified_prompt", out)
      out = assert_status(0, run(DIRECT .. "--wait --json --key k"))
      local task = decode_lines(out)[1]
      assert.same({ "done", "metrics.simplify_prompt", "succeeded" },
        { task.state, task.kind, task.job.state })
      assert.is_string(task.result.simplified_prompt)
      server:script(SIMPLIFY, { { status = 400, body = { original_prompt = { "no" } } } })
      local _, err = assert_status(1, run(DIRECT .. "--wait"))
      assert.truthy(err:find("original_prompt", 1, true), err)
      assert_status(130, stop "INT")
    end)

    it("refuses a task that holds the API key", function()
      environment = environment .. " CEKURA_API_KEY=another-key"
      local _, err = assert_status(4, run "fleet submit metrics.simplify_prompt --original-prompt another-key")
      assert.truthy(err:find("hold a secret", 1, true), err)
    end)

    it("needs no API key", function()
      environment = environment .. " CEKURA_API_KEY="
      submit()
      assert_status(0, run "fleet status")
      local _, err = assert_status(4, run "fleet work --until-empty")
      assert.truthy(err:find("no API key", 1, true), err)
    end)
  end)

  describe("result", function()
    it("ends with the timeout, and prints the command that resumes the wait", function()
      local id = submit()
      local out, err = assert_status(5, run("fleet result --timeout 0.2 " .. id))
      assert.equal("", out)
assert.equal("cekura-lua fleet result " .. id, last_line(err))
      local _
      _, err = assert_status(5, run(("fleet result --redis %s --fleet nightly --timeout 0.2 %s"):format(redis.url, id)))
      assert.equal(("cekura-lua fleet result --redis 'redis://***@127.0.0.1:%d' --fleet nightly %s"):format(redis.port,
        id), last_line(err))
      id = submit()
      local stop = begin("fleet result " .. id, function()
        return connection:command("EXISTS", "cekura:{nightly}:waiters:" .. id) == 1
      end)
      _, err = assert_status(130, stop "INT")
assert.equal("cekura-lua fleet result " .. id, last_line(err))
    end)

    it("prints the outcomes of several tasks, and exits with the most severe status", function()
      local first, second = submit(DIRECT), submit(DIRECT)
      server:script(SIMPLIFY, { { status = 400, body = { original_prompt = { "no" } } }, { body = SIMPLE } })
      local out = assert_status(0, run "fleet work --until-empty --concurrency 1")
      local failed = out:match "(%x+)\tmetrics.simplify_prompt\t\tfailed\t[^\n]*original_prompt"
      assert.truthy(failed == first or failed == second, out)
      assert.truthy(out:find("\tdone\t\n", 1, true), out)
      local done = failed == first and second or first
      local err
      out, err = assert_status(1, run(("fleet result %s %s"):format(first, second)))
      assert.truthy(out:find(done .. " metrics.simplify_prompt: done\n", 1, true), out)
      assert.truthy(out:find(failed .. " metrics.simplify_prompt: failed\n", 1, true), out)
      assert.truthy(err:find("original_prompt", 1, true), err)
      assert_status(0, run("fleet result " .. done))
      assert_status(6, run("fleet result 0123"))
    end)
  end)

  describe("work", function()
    it("prints a line for each outcome, with --json an object", function()
      local id = submit(DIRECT .. "--key k")
      local tasks = decode_lines((assert_status(0, run "fleet work --until-empty --json")))
      assert.equal(1, #tasks)
      assert.same({ id, "k", "metrics.simplify_prompt", "done" }, { tasks[1].id, tasks[1].key, tasks[1].kind,
        tasks[1].state })
      assert.is_string(tasks[1].result.simplified_prompt)
      server:script(SIMPLIFY, { { status = 400, body = { original_prompt = { "no" } } } })
      submit(DIRECT)
      local failed = decode_lines((assert_status(0, run "fleet work --until-empty --json")))[1]
      assert.equal("failed", failed.state)
      assert.equal("invalid", failed.error.kind)
    end)

    it("interrupted, leaves the tasks to other workers, and starts nothing twice", function()
      for signal, expected in pairs { INT = 130, TERM = 143 } do
        server:reset()
        server:script(RESULT, { { body = { id = 9001, status = "in_progress", runs = {} } } })
        local id = submit()
        local stop = begin("fleet work", function() return server:count(RESULT) > 0 end)
        local out, err = assert_status(expected, stop(signal))
        assert.equal("", out)
        assert.truthy(err:find("^Interrupted%."), err)
        assert.equal("running", state(id))
        assert.equal(0, numbers().workers)
        server:script(RESULT, { { pass = true } })
        out = assert_status(0, run "fleet work --until-empty")
        assert.equal(id .. "\tresults.run\t\tdone\t\n", out)
        assert.equal(1, server:count(START))
      end
    end)

    it("interrupted in a direct job, waits for its outcome", function()
      server:script(SIMPLIFY, { { hold = "answer", body = SIMPLE } })
      local id = submit(DIRECT)
      local ended, program = begin("fleet work", function() return server:count(SIMPLIFY) > 0 end)
      os.execute("kill -INT " .. program.pid)
      assert(process.eventually(function()
        return file.read(dir .. "/err"):find("Interrupted.", 1, true)
      end))
      server:release "answer"
      assert.equal(id .. "\tmetrics.simplify_prompt\t\tdone\t\n", (assert_status(130, ended())))
    end)

    it("delivers an outcome elsewhere that it could not print", function()
      local id = submit(DIRECT)
      local _, err = assert_status(2, run("fleet work", ">/dev/full"))
      assert.truthy(err:find("the output cannot be written", 1, true), err)
      local out = assert_status(0, run "fleet work --until-empty")
      assert.equal(id .. "\tmetrics.simplify_prompt\t\tdone\t\n", out)
      assert.equal(1, server:count(SIMPLIFY))
    end)

    it("killed in a start, leaves an unknown outcome", function()
      server:script(START, { { hold = "never", body = { id = 9001 } } })
      local id = submit()
      local stop = begin("fleet work --lease 0.5", function() return server:count(START) > 0 end)
      stop "KILL"
      local out = assert_status(0, run "fleet work --until-empty --lease 0.5")
      assert.truthy(out:find(id .. "\tresults.run\t\tunknown\t", 1, true), out)
      assert_status(7, run("fleet result " .. id))
      assert_status(7, run("fleet status " .. id))
      assert.equal(1, server:count(START))
    end)

    it("ends with the error of a key that the service refuses, or of another service", function()
      local id = submit()
      server:admin("POST", "key/", { key = "another" })
      local _, err = assert_status(4, run "fleet work")
      assert.truthy(err:find("auth", 1, true) or err:find("401", 1, true), err)
      assert.equal("waiting", state(id))
      environment = environment .. " CEKURA_API_URL=http://127.0.0.1:1"
      _, err = assert_status(4, run "fleet work")
      assert.truthy(err:find("base URL", 1, true), err)
    end)
  end)

  describe("status", function()
    it("shows the numbers, and the states of tasks", function()
      local id = submit()
      local out = assert_status(0, run "fleet status")
      assert.truthy(out:find "^waiting: +1\nrunning: +0\ndone: ", out)
      out = assert_status(0, run("fleet status " .. id))
      assert.equal(id .. " results.run waiting\n", out)
      assert_status(6, run "fleet status 0123")
    end)

    it("interrupted while the server does not answer, exits with 130", function()
      redis:signal "STOP"
      local stop = begin("fleet status", function()
        return file.read "/proc/net/tcp":find((":%04X 01 "):format(redis.port), 1, true)
      end)
      local out, err = assert_status(130, stop "INT")
      assert.same({ "", "Interrupted.\n" }, { out, err })
      redis:signal "CONT"
    end)
  end)

  describe("drain", function()
    it("works until no task is left", function()
      submit(DIRECT)
      local _
      local out, err = assert_status(0, run "fleet drain")
      assert.truthy(out:find("\tdone\t\n", 1, true), out)
      assert.truthy(last_line(err):find "^0 waiting, 0 running; 1 done", err)
      assert_status(3, run "fleet drain --exit-status")
      _, err = assert_status(0, run "fleet drain --quiet")
      assert.equal("", err)
    end)

    it("on a terminal, redraws the numbers below the outcomes", function()
      submit(DIRECT)
      submit(DIRECT)
      local terminal = tmux.start(("env %s %s %s fleet drain; echo \"status $?\""):format(command.environment(server),
        environment:gsub("CEKURA_DEBUG=1", ""), command.program))
      assert(process.comes_true(function() return terminal:screen():find("status 0", 1, true) end), terminal:screen())
      local lines = {}
      for line in terminal:screen():gmatch "[^\n]+" do
        lines[#lines + 1] = line:match "^ID" or line:match "done$" or line:match "; (2 done)," or line
      end
      terminal:stop()
      assert.same({ "ID", "done", "done", "2 done", "status 0" }, lines)
    end)

    it("with --no-work, waits for the workers of others", function()
      submit(DIRECT)
      local _, err = assert_status(5, run "fleet drain --no-work --timeout 0.2")
      assert.equal("cekura-lua fleet drain --no-work", last_line(err))
      local wait = begin("fleet drain --no-work", function()
        return (file.read(dir .. "/err") or ""):find("1 waiting", 1, true)
      end)
      assert_status(0, run "fleet work --until-empty")
      assert_status(0, wait())
      wait = begin("fleet drain --no-work", function() return true end)
      assert_status(0, wait())
    end)

    it("interrupted, leaves the tasks, and prints the command that resumes it", function()
      server:script(RESULT, { { body = { id = 9001, status = "in_progress", runs = {} } } })
      submit()
      local stop = begin("fleet drain", function() return server:count(RESULT) > 0 end)
      local _, err = assert_status(130, stop "INT")
      assert.equal("cekura-lua fleet drain", last_line(err))
      assert.equal(0, numbers().workers)
    end)
  end)

  it("exits with 4 for a wrong password or URL, and with 9 if the server is away", function()
    environment = ("timeout -k 5 60 env CEKURA_REDIS=redis://:%s-2@127.0.0.1:%d CEKURA_FLEET=f"):format(PASSWORD,
      redis.port)
    for _, arguments in ipairs { "fleet status", SUBMIT, "fleet drain --no-work", "fleet result 1", "fleet work" } do
      local _, err = assert_status(4, run(arguments))
      assert.truthy(err:find("WRONGPASS", 1, true), err)
    end
    environment = ("CEKURA_REDIS=rediss://:%s@127.0.0.1:x CEKURA_FLEET=f"):format(PASSWORD)
    assert_status(4, run "fleet status")
    environment = "CEKURA_REDIS=unix:///nowhere/socket CEKURA_FLEET=f"
    assert_status(9, run "fleet status")
  end)
end)

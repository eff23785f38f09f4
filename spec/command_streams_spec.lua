--- The streams of cekura-lua: closed, full and blocked ones, and signals that come while one blocks or before the
-- command has begun.

local cekura = require "cekura"
local command = require "spec.support.command"
local core = require "cekura.core"
local file = require "spec.support.file"
local process = require "spec.support.process"
local shell = require "spec.support.shell"
local simulator = require "spec.support.simulator"

local ROOT = shell "pwd":match "[^\n]+"

describe("the streams of cekura-lua", function()
  local server = simulator.during(setup, teardown)
  local dir

  before_each(function()
    server:reset()
    dir = shell "mktemp -d":gsub("%s", "")
  end)

  after_each(function()
    shell("rm -rf " .. dir)
  end)

  -- Runs a command line in the background until it sleeps, that is, blocks; sends it a signal, and returns what it
  -- wrote on stderr and its status.
  local function interrupted(signal, arguments, redirection)
    local script = "cd %s && mkfifo %s/pipe && exec 3<>%s/pipe && exec env %s %s %s %s 2>%s/err"
    file.write(dir .. "/program", script:format(ROOT, dir, dir, command.environment(server), command.program,
      arguments, redirection:format(dir), dir))
    local count = 0
    local program = process.start("sh " .. dir .. "/program", function(self)
      local stat = file.read(("/proc/%d/stat"):format(self.pid)) or ""
      count = stat:find "%(lua[^)]*%) S" and count + 1 or 0
      return count == 5
    end)
    local status = program:stop(signal)
    return file.read(dir .. "/err"), status
  end

  it("end with the status of the signal that comes while one of them blocks", function()
    for signal, expected in pairs { INT = 130, TERM = 143 } do
      for arguments, redirection in pairs {
        ["calls send --from-file -"] = "<%s/pipe",
        ["improve --agent-id 1 --call-logs all --prompt-file -"] = "<%s/pipe",
        ["completion bash"] = ">%s/pipe",
      } do
        local err, status = interrupted(signal, arguments, redirection)
        assert.equal("Interrupted.\n", err, arguments)
        assert.equal(expected, status, arguments)
        shell(("rm %s/pipe"):format(dir))
      end
    end
  end)

  -- Runs a command line to which a signal has come before it has begun. os.execute() ignores SIGINT meanwhile.
  local function interrupted_early(arguments)
    local early = ('package.cpath = "%s"; require "cekura.core".catch_signals(); os.execute "kill -TERM $PPID"'):format(
      package.cpath)
    return command.run(server, arguments, "LUA_INIT='" .. early .. "'")
  end

  it("say how a job is taken up, and start none, if the signal has come before the command has begun", function()
    server:script("/test_framework/v2/results/9001/", { { body = { id = 9001, status = "in_progress", runs = {} } } })
    for _, arguments in ipairs { "jobs watch results.run 9001", "results gate 9001 --json" } do
      local out, err, status = interrupted_early(arguments)
      assert.equal("", out)
      assert.equal(143, status, err)
      assert.truthy(err:find "\ncekura%-lua %l+ %l+ cekura2%.%S+\n$", err)
    end
    for _, arguments in ipairs { "start results.run --agent-id 2142 --tags smoke --wait", "calls delete 5181749",
      "improve --agent-id 2142 --call-logs all --prompt-file README.md" } do
      server:reset()
      local _, err, status = interrupted_early(arguments)
      assert.equal("Interrupted.\n", err)
      assert.equal(143, status)
      assert.equal(0, #server:requests())
    end
  end)

  it("are not mistaken for a connection if they are closed at the beginning", function()
    local out, err, status = command.run(server, "calls get 5181749 --fields id", nil, ">&-")
    assert.equal("", out)
    assert.equal("the output cannot be written: Bad file descriptor\n", err)
    assert.equal(2, status)
    out, err, status = command.run(server, "start results.run --agent-id 2142 --tags smoke --wait --interval 0.05",
      nil, "2>&- <&-")
    assert.equal("", err)
    assert.equal(0, status, out)
  end)

  it("that are full are a fault of every command, and of help", function()
    file.write(dir .. "/call.json", '{"call_id":"c","agent":2142,"transcript_json":[]}')
    file.write(dir .. "/prompt", "Be kind.")
    local improve = "improve --agent-id 2142 --call-logs 5181749 --interval 0.05 --prompt-file " .. dir .. "/prompt"
    local report = "calls report --agent-id 2142 --from 30d "
    for _, arguments in ipairs { "--help", "-h", "help", "help calls list", "calls --help", "start results.run -h",
      "version", "--version", "kinds", "kinds results.run", "completion bash", "config path", "auth status",
      "calls list --agent-id 2142", "calls get 5181749", "calls get 5181749 --transcript",
      "calls get 5181749 --metrics",
      "calls send --from-file " .. dir .. "/call.json", "calls evaluate 5181749", "calls report 5181749 --html -",
      report .. "--html -", report .. "--csv -", report .. "--json", improve, improve .. " --diff",
      improve .. " --diff --html -", (improve:gsub(" %-%-interval %S+", " --no-wait")),
      "jobs token results.run 9001", "jobs status results.run 9001",
      "request GET /observability/v2/call-logs/5181749/", "agents list --dry-run" } do
      for _, json in ipairs(arguments:find " %-$" and { "" } or { "", " --json" }) do
        local _, err, status = command.run(server, arguments .. json, nil, ">/dev/full")
        assert.equal(2, status, arguments .. json .. err)
        assert.truthy(err:find "the output cannot be written: No space left on device\n", arguments .. json .. err)
      end
    end
  end)

  it("that are full end a command that sends the calls of an outbox", function()
    local path = dir .. "/box"
    local box = cekura.assert(cekura.outbox { path = path })
    for index = 1, 3 do
      cekura.assert(box:put { call_id = "c" .. index, agent = 2142, transcript_json = {} })
    end
    box:close()
    server:script("/observability/v1/observe/", { { status = 400, body = { detail = "No." } } })
    for _, options in ipairs { "", " --until-empty" } do
      local _, err, status = command.run(server, "outbox run " .. path .. options, nil, ">/dev/full")
      assert.equal(2, status, err)
      assert.equal("the output cannot be written: No space left on device\n", err)
    end
    for _, arguments in ipairs { "status", "retry" } do
      local _, err, status = command.run(server, ("outbox %s %s"):format(arguments, path), nil, ">/dev/full")
      assert.equal(2, status, arguments .. err)
    end
  end)

  it("get the token of a job that was started even if one of them is full", function()
    local _, err, status = command.run(server, "start results.run --agent-id 2142 --tags smoke", nil, ">/dev/full")
    assert.equal(2, status)
    assert.truthy(err:find "\ncekura%-lua jobs watch cekura2%.%S+\nthe output cannot be written: ", err)
    local out
    out, _, status = command.run(server, "start results.run --agent-id 2142 --tags smoke", nil, "2>/dev/full")
    assert.equal(0, status)
    assert.truthy(out:find "^cekura2%.%S+\n$", out)
  end)

  it("get the token of each job whose result cannot be written", function()
    for _, arguments in ipairs { "start results.run --agent-id 2142 --tags smoke --wait --interval 0.05",
      "jobs watch results.run 9001 --interval 0.05", "jobs watch results.run 9001 --interval 0.05 --json" } do
      local _, err, status = command.run(server, arguments, nil, ">/dev/full")
      assert.equal(2, status, err)
      assert.truthy(err:find "be written: [^\n]*\nTo have the result:\ncekura%-lua jobs watch cekura2%.%S+\n$", err)
      local out, _, resumed = command.run(server, err:match "\ncekura%-lua (jobs watch %S+)\n$" .. " --json")
      assert.equal(0, resumed)
      assert.equal("succeeded", core.decode(out).state)
    end
  end)

  it("end a command that follows calls if the output cannot be written", function()
    local _, err, status = command.run(server, "calls tail --agent-id 2142 --from 30d --every 0.05", nil,
      ">/dev/full </dev/null")
    assert.equal("the output cannot be written: No space left on device\n", err)
    assert.equal(2, status)
  end)

  it("never get the key, which the service may repeat", function()
    server:script("/observability/v2/call-logs/5/", { { body = { id = 5, status = "success",
      call_ended_reason = "the key " .. server.key, transcript_object = { { role = server.key, content = server.key } },
      evaluation = { metrics = { { id = 1, name = server.key, passed = false } } } } } })
    for _, options in ipairs { "", "--json", "--transcript", "--metrics", "--transcript --json" } do
      local out = command.run(server, "calls get 5 " .. options) -- which raises if the key is there
      assert.truthy(out:find("[key]", 1, true), out)
    end
    assert.truthy(command.run(server, "request GET /observability/v2/call-logs/5/"):find("the key [key]", 1, true))
    server:script("/test_framework/v2/results/9001/", { { body = { id = 9001, status = "odd " .. server.key,
      runs = {} } } })
    for _, options in ipairs { "", "--json" } do
      assert.truthy(command.run(server, "jobs status results.run 9001 " .. options):find("odd [key]", 1, true))
    end
    command.run(server, "jobs watch results.run " .. server.key .. " --timeout 0.2")
    command.run(server, "jobs token results.run " .. server.key)
  end)
end)

--- The command cekura-lua sim: the simulated service alone, and beside a program.

local command = require "spec.support.command"
local core = require "cekura.core"
local file = require "spec.support.file"
local process = require "spec.support.process"
local shell = require "spec.support.shell"

local lua = os.getenv "CEKURA_LUA" or "lua5.4"

describe("cekura-lua sim", function()
  -- Runs it beside a program, which is a shell's script; returns what was written, and the exit status.
  local function beside(script, options, before)
    local output, status = file.temporary(script, function(path)
      return shell(("env %s timeout 100 %s sim %s -- sh %s"):format(before or "", command.program, options or "", path))
    end)
    return output, status
  end

  describe("with a program", function()
    it("sets its environment, and nothing else", function()
      local output, status = beside("env | grep -E 'CEKURA_|MINE' | sort", nil,
        "MINE=kept CEKURA_API_KEY=secret CEKURA_API_URL=https://api.cekura.ai CEKURA_LOOPBACK_SPEED=7")
      assert.equal(0, status)
      assert.truthy(output:find("^CEKURA_API_KEY=sim%-key\nCEKURA_API_URL=http://127%.0%.0%.1:%d+\n.*"
        .. "CEKURA_LOOPBACK_ONLY=1\n.*MINE=kept\n$"), output)
      assert.is_nil(output:find("SPEED", 1, true))
      assert.truthy(beside("env", "--speed 20"):find("\nCEKURA_LOOPBACK_SPEED=20\n", 1, true))
    end)

    it("serves it, whatever it is written in", function()
      assert.equal('{"detail":"Not found."}200', (beside [[
        curl -s -H "X-CEKURA-API-KEY: $CEKURA_API_KEY" $CEKURA_API_URL/observability/v2/call-logs/1/
        curl -s -o /dev/null -w '%{http_code}' -H "X-CEKURA-API-KEY: $CEKURA_API_KEY" \
          $CEKURA_API_URL/observability/v2/call-logs/5181749/]]))
    end)

    it("has clients of this module reach no other host, and be as fast as it is", function()
      local output, status = beside(([[exec %s -e '
        local cekura = require "cekura"
        print(cekura.new { base_url = "https://api.cekura.ai" })
        local client = cekura.assert(cekura.new { headers = { ["X-Simulate"] = "seconds=150" } })
        local job = cekura.assert(client.metrics:generate { agent_id = 2142 })
        print(job:wait { timeout = 100 } ~= nil, job.elapsed < 100)']]):format(lua), "--speed 150")
      assert.equal(0, status, output)
      assert.truthy(output:find("^nil\tcekura: config: .-CEKURA_LOOPBACK_ONLY.-\ntrue\ttrue\n$"), output)
    end)

    it("keeps programs from asking a proxy for it", function()
      local output = beside("echo $no_proxy/$NO_PROXY", nil, "http_proxy=http://127.0.0.1:1 NO_PROXY=example.org")
      assert.equal("example.org,127.0.0.1/example.org,127.0.0.1\n", output)
      assert.equal("/\n", (beside("echo $no_proxy/$NO_PROXY", nil, "-u NO_PROXY -u no_proxy")))
    end)

    it("exits as it does", function()
      assert.same({ "", 0 }, { beside "exit 0" })
      assert.same({ "", 7 }, { beside "exit 7" })
      assert.same({ "", 137 }, { beside "kill -KILL $$" })
      assert.same({ "", 143 }, { beside "kill -TERM $$" })
      local output, status = shell(command.program .. " sim -- /no/such/program")
      assert.same({ "/no/such/program: No such file or directory\n", 127 }, { output, status })
      output, status = shell(command.program .. " sim -- /etc/passwd")
      assert.same({ "/etc/passwd: Permission denied\n", 126 }, { output, status })
    end)

    it("passes its words and its streams on as they are", function()
      local output = shell(("echo in | %s sim -- sh -c 'cat; echo \"$@\"; echo err >&2' name -a --json -- '' 'x y'")
        :format(command.program))
      assert.equal("in\n-a --json --  x y\nerr\n", output)
    end)

    it("passes signals on, and waits for its end", function()
      local sim = process.start(("sh -c 'cd %s && exec spec/env %s %s sim -- sh -c "
        .. "\"trap \\\"echo got term; exit 3\\\" TERM; trap \\\"echo got int\\\" INT; trap \\\"echo got usr1\\\" USR1; "
        .. "echo ready; while :; do sleep 0.05; done\"'"):format(shell "pwd":match "%S+", lua, command.program),
        function(started) return started:output():find("ready", 1, true) end)
      sim:signal "INT"
      sim:wait_for "got int"
      sim:signal "USR1"
      sim:wait_for "got usr1"
      assert.equal(3, sim:stop "TERM")
      assert.truthy(sim:output():find "got term")
    end)

    it("leaves the signals of the program as it has found them", function()
      local output = beside [[grep -E '^Sig(Blk|Ign)' /proc/self/status; kill -INT $$; echo not reached]]
      assert.is_nil(output:find("not reached", 1, true))
      assert.equal(shell "grep -E '^Sig(Blk|Ign)' /proc/self/status", output)
    end)

    it("gives it no descriptors but the standard streams", function()
      assert.equal(shell "ls /proc/self/fd | wc -l", (beside "ls /proc/self/fd | wc -l"))
    end)
  end)

  describe("without a program", function()
    local function start(options)
      return process.start(("sh -c 'cd %s && exec spec/env %s %s sim %s'"):format(shell "pwd":match "%S+", lua,
        command.program, options), function(started)
        return started:output():find("key", 1, true)
      end)
    end

    -- stop() refuses an output with the key, which is what is printed here.
    local function stop(sim, signal)
      sim:signal(signal)
      assert.is_truthy(process.eventually(function() return file.read(sim.dir .. "/status") end))
      local status = file.read(sim.dir .. "/status")
      pcall(sim.stop, sim)
      return tonumber(status)
    end

    it("prints the variables, and serves until it is interrupted", function()
      local port = process.free_port()
      for signal, status in pairs { INT = 130, TERM = 143 } do
        local sim = start("--port " .. port)
        assert.equal("The simulator of the API runs until Ctrl-C. In another terminal, type:\n"
          .. ("export CEKURA_API_URL=http://127.0.0.1:%d\nexport CEKURA_API_KEY=sim-key\n"):format(port), sim:output())
        assert.equal("200", (shell(("curl -s -o /dev/null -w '%%{http_code}' 127.0.0.1:%d/echo/"):format(port))))
        assert.equal(status, stop(sim, signal))
      end
    end)

    it("prints them as JSON", function()
      local sim = start "--json"
      local printed = assert(core.decode(sim:output():match "{.*}"))
      assert.equal("sim-key", printed.api_key)
      assert.truthy(printed.url:find "^http://127%.0%.0%.1:%d+$")
      stop(sim, "TERM")
    end)
  end)

  it("refuses what it cannot do", function()
    local server = { url = "http://127.0.0.1:1", key = "no-such-key" }
    for arguments, expected in pairs {
      ["--port 70000"] = { 2, "port: a whole number from 0 to 65535 expected, got 70000" },
      ["--port -1"] = { 2, "port" },
      ["--port x"] = { 2, "--port: " },
      ["--speed 0"] = { 2, "--speed: " },
      ["--dry-run -- false"] = { 0, "Nothing is started: --dry-run." },
    } do
      local out, err, status = command.run(server, "sim " .. arguments)
      assert.same({ "", expected[1] }, { out, status }, err)
      assert.truthy(err:find(expected[2], 1, true), err)
    end
    local program = "sh -c \"echo \\$CEKURA_API_URL; exec sleep 60\""
    local sim = process.start(("sh -c 'cd %s && exec spec/env %s %s sim -- %s'"):format(shell "pwd":match "%S+", lua,
      command.program, program), function(started)
      return started:output():find "\n$"
    end)
    local port = sim:output():match "(%d+)\n$"
    local _, err, status = command.run(server, "sim --port " .. port)
    assert.same({ ("testing: port %s of 127.0.0.1: Address already in use\n"):format(port), 4 }, { err, status })
    sim:stop()
  end)
end)

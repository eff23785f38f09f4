--- cekura-lua outbox: what goes where, and each exit status.

local cekura = require "cekura"
local command = require "spec.support.command"
local core = require "cekura.core"
local file = require "spec.support.file"
local patience = require "spec.support.patience"
local shell = require "spec.support.shell"
local simulator = require "spec.support.simulator"

describe("cekura-lua outbox", function()
  local server = simulator.during(setup, teardown)
  local dir

  before_each(function()
    server:reset()
    dir = shell "mktemp -d":match "%S+"
  end)

  after_each(function()
    shell("rm -rf " .. dir)
  end)

  local function put(first, last, more)
    local box = cekura.assert(cekura.outbox { path = dir .. "/box" })
    for index = first, last do
      local call = { call_id = "c-" .. index, agent = 2142 }
      for name, value in pairs(more or {}) do
        call[name] = value
      end
      cekura.assert(box:put(call))
    end
    box:close()
  end

  local function run(arguments, ...)
    return command.run(server, "outbox " .. arguments:format(dir .. "/box"), ...)
  end

  it("sends, prints what is refused, and puts it back", function()
    put(1, 2)
    put(3, 3, { redact_fields = { "No\tField" } })
    local out, err, status, _ = run "run %s --until-empty"
    assert.equal(1, status, err)
    assert.truthy(out:find '^c%-3\tinvalid\t[^\n]*\n$', out)
    assert.truthy(err:find("2 sent, 1 refused.", 1, true), err)
    out, _, status = run "status %s --json"
    assert.equal(0, status)
    assert.same({ waiting = 0, bytes = 0, refused = 1, torn = 0 }, core.decode(out))
    out, _, status = run "retry %s --json"
    assert.equal(0, status)
    assert.same({ put_back = 1 }, core.decode(out))
    out, _, status = run "status %s"
    assert.equal(0, status)
    assert.truthy(out:find "waiting: 1\n.*oldest:  %d%d%d%d%-.* ago%)\nrefused: 0\n", out)
    out, _, status = run "run %s --until-empty --json"
    assert.equal(1, status)
    local refused = core.decode(out)
    assert.equal("c-3", refused.call_id)
    assert.equal("invalid", refused.kind)
    assert.equal(400, refused.status)
  end)

  it("prints nothing with --quiet, as it does from cron, unless a call is refused", function()
    put(1, 1)
    local out, err, status = run "run %s --until-empty --quiet"
    assert.same({ "", "", 0 }, { out, err, status })
    put(2, 2, { redact_fields = { "No Field" } })
    out, err, status = run "run %s --until-empty --quiet"
    assert.truthy(out:find "^c%-2\tinvalid\t")
    assert.same({ "", 1 }, { err, status })
  end)

  it("has the exit statuses of its errors", function()
    local _, err, status = run "status %s"
    assert.equal(2, status)
    assert.truthy(err:find("cannot be read", 1, true), err)
    assert.equal(2, (select(3, run "retry %s")))
    put(1, 1)
    _, err, status = run("run %s --until-empty", "CEKURA_API_KEY=wrong")
    assert.equal(4, status, err)
    assert.equal(0, (select(3, run "run %s --dry-run")))
    assert.truthy((run "status %s"):find "waiting: 1\n")
    file.write(dir .. "/file", "")
    assert.equal(2, (select(3, command.run(server, ("outbox run %s/file"):format(dir)))))
  end)

  it("ends in order at a signal, and what waits stays", function()
    server:script("/observability/v1/observe/", {
      { hold = "slow", status = 201, body = { id = 1, call_id = "c-1" } }, { status = 500 } })
    put(1, 2)
    shell(("{ %s %s outbox run %s/box >%s/out 2>&1; echo $? >%s/status; } >/dev/null 2>&1 & "):format(
      "env " .. command.environment(server), command.program, dir, dir, dir))
    server:wait_for "/observability/v1/observe/"
    local pid = shell(("cat /proc/locks | grep \":$(stat -c %%i %s/box/sender.lock) \""):format(dir))
      :match "WRITE (%d+)"
    shell(("kill -TERM %d; sleep 0.5"):format(pid))
    server:release "slow"
    patience.eventually(function() return (file.read(dir .. "/status") or ""):find "\n" end)
    assert.equal("143\n", file.read(dir .. "/status"))
    assert.truthy((run "status %s"):find "waiting: 1\n")
  end)
end)

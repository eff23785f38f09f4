--- The module in a real dnsdist, which only ticks: it calls maintenance() each second. Its Lua is LuaJIT.

local dns = require "spec.support.dns"
local file = require "spec.support.file"
local process = require "spec.support.process"
local shell = require "spec.support.shell"
local simulator = require "spec.support.simulator"

local PROGRESS = "/observability/v1/call-logs/improve_prompt_progress/"
local HERE = shell "pwd":match "%S+"

-- It asks nothing by itself.
local PRELUDE = [[
setSecurityPollSuffix("")
package.path = "HERE/lua/?.lua;HERE/lua/?/init.lua;" .. package.path
package.cpath = "HERE/build/luajit/?.so;" .. package.cpath
]]

describe("in dnsdist", function()
  local server = simulator.during(setup, teardown)
  local host, port

  before_each(function()
    server:reset()
    server:script(PROGRESS, { { body = { status = "processing" } } })
    port = process.free_port()
  end)

  after_each(function()
    host:stop()
  end)

  local function start(code)
    local command = ("LISTEN=127.0.0.1:%d CEKURA_API_URL=%s CEKURA_API_KEY=sim-key dnsdist --supervised "
      .. "--disable-syslog -C dnsdist.conf"):format(port, server.url)
    host = process.start(command, function()
      return dns.listens(port)
    end, function(dir)
      file.write(dir .. "/dnsdist.conf", (PRELUDE .. code):gsub("HERE", HERE))
    end)
  end

  local function ask(name)
    assert.equal(dns.REFUSED, dns.query(port, name))
  end

  it("examples/dnsdist improves a prompt in a task that maintenance() steps, while queries are answered", function()
    start [[dofile "HERE/examples/dnsdist/dnsdist.conf"]]
    ask "x.example"
    ask "improve.example"
    host:wait_for "Started "
    for _ = 1, 2 do
      local before = server:count(PROGRESS)
      assert.truthy(process.eventually(function() return server:count(PROGRESS) > before end))
      ask "x.example"
    end
    assert.is_nil(host:output():find("Improved", 1, true))
    server:script(PROGRESS, { { body = { status = "completed", improved_prompt = "Better." } } })
    host:wait_for "Improved prompt: Better."
  end)

  local WITHOUT_TICKS = [[
    local cekura = require "cekura"
    setLocal(os.getenv "LISTEN")
    addAction("spawn.example.", LuaAction(function()
      cekura.spawn(function() end)
      return DNSAction.Refused
    end))
    addAction(AllRule(), RCodeAction(DNSRCode.REFUSED))
  ]]

  it("warns of tasks that nothing steps, once", function()
    start(WITHOUT_TICKS)
    ask "spawn.example"
    os.execute "sleep 5.1"
    ask "spawn.example"
    host:wait_for "cekura: spawned tasks have not begun after 5 s: 1"
    ask "spawn.example"
    assert.equal(1, select(2, host:output():gsub("have not begun", "")))
  end)

  it("warns of none where maintenance() steps", function()
    start(WITHOUT_TICKS .. "function maintenance() cekura.step() end")
    ask "spawn.example"
    os.execute "sleep 5.1"
    ask "spawn.example"
    assert.is_nil(host:output():find("have not begun", 1, true))
  end)
end)

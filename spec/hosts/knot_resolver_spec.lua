--- The module in a real Knot Resolver, which has coroutines of cqueues and LuaJIT.

local dns = require "spec.support.dns"
local file = require "spec.support.file"
local process = require "spec.support.process"
local shell = require "spec.support.shell"
local simulator = require "spec.support.simulator"

local PROGRESS = "/observability/v1/call-logs/improve_prompt_progress/"
local HERE = shell "pwd":match "%S+"

-- This configuration refuses every query, and sends none.
local CONFIG = [[
package.path = "HERE/lua/?.lua;HERE/lua/?/init.lua;" .. package.path
package.cpath = "HERE/build/luajit/?.so;" .. package.cpath
for _, name in ipairs { "priming", "ta_update", "ta_signal_query", "detect_time_skew", "detect_time_jump" } do
  modules.unload(name)
end
cache.size = 4 * MB
net.listen("127.0.0.1", PORT)
policy.add(policy.all(policy.REFUSE))

local cekura = require "cekura"
worker.coroutine(function()
  local client = cekura.assert(cekura.new { api_key = "sim-key", base_url = "URL", config_file = false })
  BODY
end)
]]

describe("in Knot Resolver", function()
  local server = simulator.during(setup, teardown)
  local host, port

  before_each(function()
    server:reset()
    port = process.free_port()
  end)

  after_each(function()
    host:stop()
  end)

  local function start(body)
    host = process.start("kresd -n -q -c kresd.conf .", function()
      return dns.listens(port)
    end, function(dir)
      local values = { HERE = HERE, PORT = port, URL = server.url, BODY = body }
      file.write(dir .. "/kresd.conf", (CONFIG:gsub("%u+", values)))
    end)
  end

  it("waits for a job in a coroutine, while queries are answered", function()
    server:script(PROGRESS, { { body = { status = "processing" } } })
    start [[
      local job = cekura.assert(client.calls:improve_prompt { agent_id = 1, call_logs = { 1 }, prompt = "x" })
      print("started")
      print("improved: " .. cekura.assert(job:wait { interval = 0.02, timeout = 120 }).improved_prompt)
    ]]
    host:wait_for "started"
    for _ = 1, 3 do
      local before = #server:requests()
      assert.truthy(process.eventually(function() return #server:requests() > before + 3 end))
      assert.equal(dns.REFUSED, dns.query(port, "x.test"))
    end
    assert.is_nil(host:output():find("improved", 1, true))
    server:script(PROGRESS, { { body = { status = "completed", improved_prompt = "Better." } } })
    host:wait_for "improved: Better."
  end)

  it("runs tasks at once, and raises the error of a task in its join", function()
    start [[
      local long = cekura.spawn(function() cekura.sleep(0.3) return "long" end)
      local short = cekura.spawn(function() cekura.sleep(0.1) error("short", 0) end)
      print(select(2, short:join()), (long:join()))
    ]]
    host:wait_for "short\tlong"
  end)

  it("is stepped by nothing else", function()
    start "print(pcall(cekura.step))"
    host:wait_for "step: the loop of cqueues runs its clients and tasks"
  end)
end)

--- cekura.step() and cekura.sleep(0): programs that only tick. Each test is a process of its own, in which nothing but
-- the ticks can make anything happen.

local file = require "spec.support.file"
local shell = require "spec.support.shell"
local simulator = require "spec.support.simulator"

local lua = os.getenv "CEKURA_LUA" or "lua5.4"

local PRELUDE = [[
local cekura, core = require "cekura", require "cekura.core"
local URL, client = %q, nil
local function new()
  client = cekura.assert(cekura.new { api_key = "sim-key", base_url = URL, config_file = false })
  return client
end
]]

describe("a program that only ticks", function()
  local server = simulator.during(setup, teardown)

  before_each(function()
    server:reset()
    server:script("/slow/", { { delay = 600 } })
  end)

  local function run(code)
    return file.temporary(PRELUDE:format(server.url) .. code, function(path)
      return shell(("timeout 120 %s %s"):format(lua, path))
    end)
  end

  local function prints(expected, code)
    local output, status = run(code)
    assert.equal(expected, output)
    assert.equal(0, status)
  end

  -- A busy kernel may make a connection of loopback a moment later, which then takes one tick more: so any of a few
  -- attempts may show that one tick is enough.
  local function once(attempt)
    for _ = 1, 5 do
      if attempt() then
        return
      end
    end
    assert.truthy(attempt())
  end

  for _, tick in ipairs { "cekura.step()", "cekura.sleep(0)" } do
    it("sends the request of a task, also of a client that the task makes, in one " .. tick, function()
      once(function()
        prints("", ([[
          cekura.spawn(function() new():request("GET", "/slow/") end)
          TICK
          os.execute "sleep 0.2"
        ]]):gsub("TICK", tick))
        return server:count "/slow/" > 0
      end)
    end)

    it("takes in the answer, and goes on with the task, in one " .. tick, function()
      once(function()
        return run(([[
          local done
          new()
          cekura.spawn(function() done = client:request("GET", "/echo/").status end)
          TICK
          core.wait({ client }, 60)
          TICK
          print(done)
        ]]):gsub("TICK", tick)) == "200\n"
      end)
    end)
  end

  it("works on all clients and tasks in one step", function()
    once(function() return run [[
      local first, second, slept
      local one, two = new(), new()
      cekura.spawn(function() first = one:request("GET", "/echo/").status end)
      cekura.spawn(function() second = two:request("GET", "/echo/").status end)
      cekura.spawn(function() cekura.sleep(0.01) slept = true end)
      cekura.step()
      os.execute "sleep 0.1"
      core.wait({ one }, 60)
      core.wait({ two }, 60)
      cekura.step()
      print(first, second, slept)
    ]] == "200\t200\ttrue\n" end)
  end)

  it("learns when something is due, or that nothing is", function()
    prints("nil\n0\ntrue\nnil\n", [[
      print(cekura.step())
      cekura.spawn(function()
        cekura.spawn(function() cekura.sleep(1000) end)
      end)
      print(cekura.step()) -- the inner task is ready
      local seconds = cekura.step()
      print(seconds > 0 and seconds <= 1000)
      client = new()
      client:close()
      print((cekura.step() or 0) > 1000 or nil)
    ]])
  end)

  it("waits in the step for something to become due", function()
    prints("nil\ntrue\n200\n", [[
      local slept, answered
      cekura.spawn(function() cekura.sleep(0.05) slept = true end)
      cekura.step(60) -- the task is ready: nothing to wait for
      print(slept)
      cekura.step(60)
      print(slept)
      new()
      cekura.spawn(function() answered = client:request("GET", "/echo/").status end)
      while not answered do cekura.step(60) end
      print(answered)
    ]])
  end)

  it("waits no longer than it is asked to", function()
    prints("nil\ttrue\n", [[
      cekura.spawn(function() cekura.sleep(100000) end)
      cekura.step()
      local began = core.now()
      cekura.step(0.05)
      print(nil, core.now() - began >= 0.05)
    ]])
  end)

  it("may step in a task, and in an event handler", function()
    prints("true\ttrue\ttrue\n200\n", [[
      local in_task, in_handler, beside
      cekura.spawn(function()
        cekura.spawn(function() beside = true end)
        in_task = pcall(cekura.step)
      end)
      cekura.step()
      client = cekura.assert(cekura.new { api_key = "sim-key", base_url = URL, config_file = false,
        on_event = function() in_handler = pcall(cekura.step) end })
      client:request("GET", "/echo/")
      print(in_task, in_handler, beside)
      print(client:request("GET", "/echo/").status)
    ]])
  end)

  it("is refused where a host has a loop, and for what is no number of seconds", function()
    if not pcall(require, "cqueues") then
      pending "this Lua has no cqueues"
    end
    prints("false\ttrue\nfalse\ttrue\nfalse\ttrue\n", [[
      local controller = require "cqueues".new()
      controller:wrap(function()
        local ok, raised = pcall(cekura.step)
        print(ok, raised:find("step: the loop of cqueues runs its clients and tasks", 1, true) ~= nil or raised)
      end)
      assert(controller:loop())
      for _, seconds in ipairs { -1, "soon" } do
        local ok, raised = pcall(cekura.step, seconds)
        print(ok, raised:find("seconds: a number of at least 0 expected", 1, true) ~= nil or raised)
      end
    ]])
  end)
end)

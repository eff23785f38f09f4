--- The module in a Copas server. Debian's Copas, 1.2 for Lua 5.1 and 5.2, has neither timers nor a way to wake a
-- thread: examples/copas.lua describes it to the module without `after`.

local process = require "spec.support.process"
local shell = require "spec.support.shell"
local simulator = require "spec.support.simulator"
local socket = require "socket"

local lua = os.getenv "CEKURA_LUA" or "lua5.1"
local HERE = shell "pwd":match "%S+"

local PROGRESS = "/observability/v1/call-logs/improve_prompt_progress/"

describe("in Copas, examples/copas.lua", function()
  local server = simulator.during(setup, teardown)
  local host, port

  before_each(function()
    if not pcall(require, "coxpcall") then
      pending "Debian has no coxpcall for this Lua, which its Copas requires" -- Debian 13, Lua 5.2
    end
    server:reset()
    server:script(PROGRESS, { { body = { status = "running" } } })
    port = process.free_port()
  end)

  after_each(function()
    if host then
      host:stop()
      host = nil
    end
  end)

  local function start(key)
    local path = "LUA_PATH='HERE/lua/?.lua;HERE/lua/?/init.lua;;' LUA_CPATH='HERE/build/LUA/?.so;;'"
    host = process.start(("%s CEKURA_API_URL=%s CEKURA_API_KEY=%s %s HERE/examples/copas.lua %d 2142 101"):format(path,
      server.url, key or "sim-key", lua, port):gsub("HERE", HERE):gsub("LUA/", lua .. "/"), function()
      return process.listens(port)
    end)
  end

  local function connect(prompt)
    local peer = assert(socket.tcp())
    peer:settimeout(60)
    assert(peer:connect("127.0.0.1", port))
    peer:send(prompt .. "\n")
    return peer
  end

  it("has connections wait side by side, by the alarm of the client's descriptor", function()
    start()
    local first = connect "First."
    assert.truthy(process.eventually(function() return server:count(PROGRESS) > 1 end)) -- polled again: time passes
    local second = connect "Second."
    assert.truthy(process.eventually(function()
      return server:count "/observability/v1/call-logs/improve_prompt_bg/" == 2
    end))
    server:script(PROGRESS, { { body = { status = "completed", improved_prompt = "Better." } } })
    assert.equal("Better.", first:receive "*l")
    assert.equal("Better.", second:receive "*l")
    assert.equal("closed", select(2, first:receive "*l"))
    assert.equal("Better.", connect "Third.":receive "*l")
  end)

  it("answers with the error", function()
    start "another"
    assert.truthy(connect "First.":receive "*l":find("^cekura: auth: "))
  end)

  it("says how it is used", function()
    local command = ("spec/env %s %s examples/copas.lua "):format(lua, lua)
    assert.equal(2, select(2, shell(command)))
    assert.equal(0, select(2, shell(command .. "--help")))
  end)
end)

describe("a host without timers", function()
  local cekura = require "cekura"
  local core = require "cekura.core"
  local server = simulator.during(setup, teardown)

  it("lets a task sleep while a client is open", function()
    local readable, woken
    local client = server:client { loop = { watch = function(_, callback)
      readable = callback
      return function() end
    end } }
    cekura.spawn(function()
      cekura.sleep(0.05)
      woken = true
    end)
    assert.truthy(process.eventually(function()
      if core.wait({ client }, 0) then
        readable()
      end
      return woken
    end))
    client:close()
  end)

  it("has to watch, and its timers have to be a function", function()
    for loop, message in pairs {
      [{ after = print }] = "loop: the host has no function watch",
      [{ watch = print, after = 1 }] = "loop: after: function expected, got number",
    } do
      local ok, raised = pcall(cekura.new, { api_key = "k", config_file = false, loop = loop })
      assert.is_false(ok)
      assert.truthy(raised:find(message, 1, true), raised)
    end
  end)
end)

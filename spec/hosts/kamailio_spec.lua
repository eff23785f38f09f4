--- The module in a real Kamailio, by app_lua: a wait blocks the worker process that handles the message, and a timer
-- steps tasks. Its Lua is 5.1.

local file = require "spec.support.file"
local process = require "spec.support.process"
local shell = require "spec.support.shell"
local simulator = require "spec.support.simulator"
local socket = require "socket"

local PROGRESS = "/observability/v1/call-logs/improve_prompt_progress/"
local CALL = "/observability/v2/call-logs/101/"
local HERE = shell "pwd":match "%S+"

-- A request of SIP's (RFC 3261, section 11) from a port of this process.
local OPTIONS = table.concat({
  "OPTIONS sip:x@127.0.0.1 SIP/2.0", "Via: SIP/2.0/UDP 127.0.0.1:PORT;branch=z9hG4bK1", "Max-Forwards: 1",
  "From: <sip:a@127.0.0.1>;tag=1", "To: <sip:x@127.0.0.1>", "Call-ID: 1", "CSeq: 1 OPTIONS", "Content-Length: 0",
  "", "",
}, "\r\n")

describe("in Kamailio, examples/kamailio", function()
  local server = simulator.during(setup, teardown)
  local host, port

  before_each(function()
    server:reset()
    server:script(PROGRESS, { { body = { status = "processing" } } })
    server:script(CALL, { { body = { id = 101, status = "completed" } } })
    port = process.free_port()
    local path = ("LUA_PATH='%s/lua/?.lua;%s/lua/?/init.lua;;' LUA_CPATH='%s/build/lua5.1/?.so;;'"):format(HERE, HERE,
      HERE)
    local command = "%s CEKURA_API_URL=%s CEKURA_API_KEY=sim-key kamailio -DD -E -f kamailio.cfg -w . -Y . -P pid_file"
    host = process.start(command:format(path, server.url), function()
      return file.read "/proc/net/udp":find(("0100007F:%04X "):format(port), 1, true)
    end, function(dir)
      local config = file.read "examples/kamailio/kamailio.cfg"
      config = config:gsub("/etc/kamailio/cekura.lua", HERE .. "/examples/kamailio/cekura.lua")
      file.write(dir .. "/kamailio.cfg", (config:gsub(":5060", ":" .. port)))
    end)
  end)

  after_each(function()
    host:stop()
  end)

  -- The first line of the answer.
  local function ask()
    local peer = assert(socket.udp())
    peer:setpeername("127.0.0.1", port)
    peer:settimeout(60)
    peer:send((OPTIONS:gsub("PORT", (select(2, peer:getsockname())))))
    local answer = assert(peer:receive())
    peer:close()
    return answer:match "[^\r\n]*"
  end

  it("waits in a worker for what a request needs", function()
    assert.equal("SIP/2.0 200 completed", ask())
    server:script(CALL, { { status = 404, body = { detail = "Not found." } } })
    assert.equal("SIP/2.0 503 Service Unavailable", ask())
    host:wait_for "cekura: not_found: "
  end)

  it("runs a task in the process of the timer, while messages are answered", function()
    assert.truthy(process.eventually(function() return server:count(PROGRESS) > 1 end))
    assert.equal("SIP/2.0 200 completed", ask())
    assert.is_nil(host:output():find("Improved", 1, true))
    server:script(PROGRESS, { { body = { status = "completed", improved_prompt = "Better." } } })
    host:wait_for "Improved prompt: Better."
  end)
end)

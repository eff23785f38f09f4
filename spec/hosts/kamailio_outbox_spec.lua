--- Calls through a real Kamailio with examples/kamailio-outbox: at the end of each call a process of Kamailio puts a
-- call log into the outbox, and another one sends it.

local file = require "spec.support.file"
local process = require "spec.support.process"
local received = require "spec.support.received"
local shell = require "spec.support.shell"
local simulator = require "spec.support.simulator"
local sip = require "spec.support.sip"

local EXAMPLE = "examples/kamailio-outbox/"
local OBSERVE = "/observability/v1/observe/"
local HERE = shell "pwd":match "%S+"

local COMMAND = ("LUA_PATH='%s/lua/?.lua;%s/lua/?/init.lua;;' LUA_CPATH='%s/build/lua5.1/?.so;;'"):format(HERE, HERE,
  HERE) .. " CEKURA_API_URL=%s kamailio -DD -E -f kamailio.cfg -w . -Y . -P pid_file"

describe("in Kamailio, examples/kamailio-outbox", function()
  local agent = sip.agent()
  local server, port, outbox, host

  before_each(function()
    server = simulator.start()
    port = process.free_port()
    outbox = shell "mktemp -d":match "%S+" -- which outlives Kamailio
  end)

  after_each(function()
    if host then
      host:stop()
    end
    server:stop()
    shell("rm -rf " .. outbox)
    host = nil
  end)

  local function children()
    local pids = {}
    for pid in file.read(("/proc/%d/task/%d/children"):format(host.pid, host.pid)):gmatch "%d+" do
      pids[#pids + 1] = pid
    end
    return pids
  end

  local function is_sender(pid)
    return shell(("ls -l /proc/%s/fd"):format(pid)):find(outbox, 1, true) ~= nil
  end

  -- The process that sends: before the first call it alone has opened the outbox.
  local function sender()
    for _, pid in ipairs(children()) do
      if is_sender(pid) then
        return pid
      end
    end
  end

  local function write_key(dir, key)
    file.write(dir .. "/cekura.toml", ('api_key = "%s"\n'):format(key))
    shell(("chmod 600 %s/cekura.toml"):format(dir))
  end

  -- Kamailio loses SIGTERM for a process that it is starting, so it is ready when no process has been added for a
  -- while. `change` is called with the text of kamailio.cfg.
  local function start(key, change)
    local before, same = 0, 0
    host = process.start(COMMAND:format(server.url), function(started)
      host = started
      local now = #children()
      same = now == before and same + 1 or 0
      before = now
      return same > 5 and file.read "/proc/net/udp":find(("0100007F:%04X "):format(port), 1, true) and sender()
    end, function(dir)
      local values = {
        ["/etc/kamailio/calls.lua"] = dir .. "/calls.lua", ["/etc/kamailio/cekura.toml"] = dir .. "/cekura.toml",
        ["/var/lib/cekura/kamailio"] = outbox, [":5060"] = ":" .. port, [":5070"] = ":" .. agent.port,
        ["cekura.sleep(60)"] = "cekura.sleep(1)",
      }
      for _, name in ipairs { "kamailio.cfg", "calls.lua" } do
        local text = file.read(EXAMPLE .. name)
        for old, new in pairs(values) do
          text = text:gsub(old:gsub("%p", "%%%0"), new)
        end
        file.write(dir .. "/" .. name, name == "kamailio.cfg" and change and change(text) or text)
      end
      write_key(dir, key or server.key)
    end)
  end

  local function call(by_agent)
    local made = sip.call(port, agent)
    made:hang_up(by_agent)
    return made.id
  end

  local function calls(count)
    local ids = {}
    for index = 1, count do
      ids[index] = call()
    end
    return ids
  end

  it("sends who called whom, when, for how long, and who hung up", function()
    start()
    local began = os.time()
    local first, second = call(), call(true)
    received.expect(server, { first, second })
    local sent = received.calls(server)
    assert.equal(2142, sent[1].agent)
    assert.equal("+15550100", sent[1].customer_number)
    assert.equal("caller hung up", sent[1].call_ended_reason)
    assert.equal("agent hung up", sent[2].call_ended_reason)
    assert.equal("sip:+15550100@127.0.0.1", sent[1].metadata.from)
    assert.equal("sip:lakeside@127.0.0.1", sent[1].metadata.to)
    assert.equal(os.date("!%Y-%m-%dT%H", began), sent[1].timestamp:sub(1, 13))
    assert.is_true(sent[1].metadata.ring_seconds >= 0 and sent[1].metadata.talk_seconds > 0)
  end)

  it("sends a call whose BYE never comes, when the dialog module ends it", function()
    start(nil, function(config)
      return config .. '\nmodparam("dialog", "default_timeout", 1)\n'
    end)
    local made = sip.call(port, agent)
    received.expect(server, { made.id })
    assert.equal("timeout", received.calls(server)[1].call_ended_reason)
    assert.equal("sip:lakeside@127.0.0.1", received.calls(server)[1].metadata.to)
  end)

  it("answers a BYE, and the next call, before the service has answered", function()
    start()
    server:script(OBSERVE, { { hold = "call", status = 201, body = { id = 7000001 } } })
    local first = call()
    assert.truthy(process.eventually(function() return #received.calls(server) == 1 end))
    local second = call() -- each of these has its 200 for BYE, and the service has answered nothing
    assert.same({ first }, received.ids(server))
    server:release "call"
    received.expect(server, { first, second })
    server:release "call"
  end)

  it("answers 100 calls while the service is away, and sends each of them once it is back", function()
    local service_port = tonumber(server.url:match "%d+$")
    start()
    server:stop()
    local ids = calls(100)
    server = simulator.start { port = service_port }
    received.expect(server, ids)
  end)

  it("loses nothing when all of its processes are killed, and sends it after the next start", function()
    start()
    server:script(OBSERVE, { { hold = "call", status = 201, body = { id = 7000001 } } })
    local ids = calls(20)
    assert.truthy(process.eventually(function() return #received.calls(server) == 1 end))
    shell(("kill -KILL %d %s"):format(host.pid, table.concat(children(), " ")))
    process.eventually(function() return not host:is_running() end)
    host:stop()
    server:script(OBSERVE, { { pass = true } })
    start()
    table.insert(ids, 1, ids[1]) -- which the service had received, and not answered
    received.expect(server, ids)
  end)

  it("ends, with a status that has it started again, when the process that sends is killed", function()
    start()
    local killed = sender()
    local service_port = tonumber(server.url:match "%d+$")
    server:stop()
    local ids = calls(3)
    shell("kill -KILL " .. killed)
    assert.truthy(process.eventually(function() return not host:is_running() end))
    host:wait_for(("child process %s exited by a signal 9"):format(killed))
    assert.equal(1, host:stop())
    server = simulator.start { port = service_port }
    start()
    ids[4] = call()
    received.expect(server, ids)
  end)

  it("ends at once while a request is under way, or the service is away", function()
    start()
    server:script(OBSERVE, { { hold = "call" } })
    call()
    assert.truthy(process.eventually(function() return #received.calls(server) == 1 end))
    assert.equal(0, host:stop())
    server:stop()
    start()
    call()
    assert.equal(0, host:stop())
  end)

  it("says what the service refuses, and what the disk does not take, and goes on", function()
    start()
    server:script(OBSERVE, { { status = 400, body = { agent = { "There is no such agent." } } }, { pass = true } })
    local refused, accepted = call(), call()
    host:wait_for(("The call log %s is refused: cekura: invalid: "):format(refused))
    received.expect(server, { refused, accepted })
    host:stop()
    start()
    shell(("rm -r %s && touch %s"):format(outbox, outbox)) -- before any worker has opened it
    call()
    host:wait_for "The call log is lost: cekura: config: "
  end)

  it("goes on without a valid key, says that calls wait, and sends them once the key is right", function()
    start "another-key"
    local first = call()
    host:wait_for(("Call logs wait in %s: "):format(outbox))
    host:wait_for "cekura: auth: "
    local second = call()
    write_key(host.dir, server.key)
    assert.truthy(process.eventually(function() return received.ids(server)[#received.calls(server)] == second end))
    assert.equal(first, received.ids(server)[#received.calls(server) - 1])
  end)
end)

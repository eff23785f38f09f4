--- docs/at-the-end-of-a-call.md: the example of each server, in that server; those of FreeSWITCH and Asterisk, which
-- are not packaged, with stand-ins for what the servers provide.

local blocks = require "spec.support.blocks"
local cekura = require "cekura"
local command = require "spec.support.command"
local file = require "spec.support.file"
local nginx = require "spec.support.nginx"
local process = require "spec.support.process"
local received = require "spec.support.received"
local shell = require "spec.support.shell"
local simulator = require "spec.support.simulator"

local PAGE = "docs/at-the-end-of-a-call.md"
local OBSERVE = "/observability/v1/observe/"
local HERE = shell "pwd":match "%S+"
local LUA = os.getenv "CEKURA_LUA" or "lua5.4"
local HAPROXY = "lua" .. (shell "haproxy -vv":match "Built with Lua version : Lua (%d%.%d)" or "")

local MEDIA = "/media?call_id=%s&from=%%2B15550100"

-- The block of the page that is the file of that path, with some of its texts replaced.
local function file_of(name, replaced)
  for _, block in ipairs(blocks(PAGE)) do
    if block.code:sub(1, 100):find(" " .. name, 1, true) then
      local text = block.code
      for old, new in pairs(replaced) do
        assert(text:find(old, 1, true), old)
        text = text:gsub(old:gsub("%p", "%%%0"), (new:gsub("%%", "%%%%")))
      end
      return text
    end
  end
  error(name .. " is not on the page")
end

describe(PAGE, function()
  local server = simulator.during(setup, teardown)
  local dir, host, agent, client

  before_each(function()
    server:reset()
    dir = shell "mktemp -d":match "%S+"
  end)

  after_each(function()
    if client then
      client:close()
    end
    if host then
      host:stop()
    end
    if agent then
      agent:stop()
    end
    client, host, agent = nil, nil, nil
    shell("rm -rf " .. dir)
  end)

  -- A voice agent that answers at once.
  local function start_agent()
    agent = nginx.start(nginx.config "server { listen 127.0.0.1:@PORT@; location / { return 200 bye; } }")
  end

  local function call(id)
    local response = assert(client:request("GET", MEDIA:format(id)))
    assert.equal("bye", response.body)
  end

  -- The calls of a server end before the service has answered, and what waits in that directory survives what `kill`
  -- does to the server.
  local function try(directory, kill)
    server:script(OBSERVE, { { hold = "call", status = 201, body = { id = 7000001 } } })
    call "a"
    assert.truthy(process.eventually(function() return #received.calls(server) == 1 end))
    call "b" -- each of them ends, and the service has answered nothing
    assert.same({ "a" }, received.ids(server))
    local outbox = cekura.assert(cekura.outbox { path = directory })
    assert.truthy(process.eventually(function() return outbox:size() == 2 end)) -- it is put after the response
    outbox:close()
    server:script(OBSERVE, { { pass = true } }) -- the first request stays held
    kill()
    call "c"
    received.expect(server, { "a", "a", "b", "c" }) -- the first one again, whose answer was lost
    local sent = received.calls(server)[4]
    assert.equal(2142, sent.agent)
    assert.equal("+15550100", sent.customer_number)
    assert.is_true(sent.metadata.talk_seconds >= 0)
  end

  if LUA == "luajit" then
    it("has nginx's, of which one worker sends, and another one after it was killed", function()
      start_agent()
      local conf = nginx.config(file_of("/etc/nginx/conf.d/calls.conf", { ["127.0.0.1:8080"] = "127.0.0.1:@PORT@",
        ["127.0.0.1:8090"] = "127.0.0.1:" .. agent.port })):gsub("worker_processes 1", "worker_processes 3")
      local environment = "env CEKURA_API_KEY=%s;\nenv CEKURA_API_URL=%s;\n"
      host = nginx.start(environment:format(server.key, server.url) .. conf, function(its)
        file.write(its .. "/call_logs.lua", file_of("/usr/local/share/lua/5.1/call_logs.lua", {
          ["/var/lib/cekura/nginx"] = dir .. "/outbox",
        }))
      end)
      client = server:client { base_url = host.url }
      try(dir .. "/outbox", function()
        shell("kill -KILL " .. table.concat(host:workers(), " "))
        assert.truthy(process.eventually(function() return #host:workers() == 3 end))
      end)
      host:reload()
      call "d"
      received.expect(server, { "a", "a", "b", "c", "d" })
    end)
  end

  if LUA == HAPROXY then
    it("has HAProxy's, in a chroot and as another user", function()
      start_agent()
      shell(("mkdir %s/root %s/root/calls && chmod 755 %s && chown nobody %s/root/calls"):format(dir, dir, dir, dir))
      local port
      local paths = ("global\n  lua-prepend-path %s/lua/?.lua\n  lua-prepend-path %s/lua/?/init.lua\n"
        .. "  lua-prepend-path %s/build/%s/?.so cpath\n"):format(HERE, HERE, HERE, LUA)
      local function start()
        port = process.free_port()
        host = process.start("haproxy -db -f haproxy.cfg", function()
          return process.listens(port)
        end, function(its)
          file.write(its .. "/haproxy.cfg", (file_of("/etc/haproxy/haproxy.cfg", {
            ["/var/lib/haproxy"] = dir .. "/root",
            ["user haproxy"] = "user nobody", ["group haproxy"] = "group nogroup",
            ["your-api-key"] = server.key, ["http://127.0.0.1:8079"] = server.url,
            ["/etc/haproxy/call_logs.lua"] = its .. "/call_logs.lua", ["127.0.0.1:8080"] = "127.0.0.1:" .. port,
            ["127.0.0.1:8090"] = "127.0.0.1:" .. agent.port,
          }):gsub("global\n", paths)))
          file.write(its .. "/call_logs.lua", file_of("/etc/haproxy/call_logs.lua", {}))
        end)
        client = server:client { base_url = "http://127.0.0.1:" .. port }
      end
      start()
      try(dir .. "/root/calls", function()
        client:close()
        host:stop "KILL"
        start()
      end)
    end)
  end

  -- A program of the page, with the outbox of this test.
  local function program(name)
    return file_of(name, { ["/var/lib/cekura/calls"] = dir .. "/outbox" })
  end

  local function run(text, arguments)
    file.write(dir .. "/program.lua", text)
    local output, status = shell(("%s %s/program.lua %s"):format(LUA, dir, arguments or ""))
    assert.equal("", output)
    assert.equal(0, status)
  end

  -- Sends what is in the outbox, as the page does, and returns the one call that it was.
  local function send()
    local typed, printed
    for index, block in ipairs(blocks(PAGE)) do
      if block.code:find "^cekura%-lua" then
        typed, printed = block.code, blocks(PAGE)[index + 1].code
      end
    end
    local arguments = typed:match "^cekura%-lua ([^\n]*)":gsub("/var/lib/cekura/calls", dir .. "/outbox")
    assert.equal(printed, (command.run(server, arguments, nil, "2>&1 </dev/null")))
    assert.equal(1, #received.calls(server))
    return received.calls(server)[1]
  end

  it("has a script's, with what cron does", function()
    local arguments
    for _, block in ipairs(blocks(PAGE)) do
      arguments = arguments or block.code:match "^/usr/local/bin/call%-ended ([^\n]*)"
    end
    run(program "/usr/local/bin/call-ended", arguments)
    local sent = send()
    assert.equal("f3a1c9", sent.call_id)
    assert.equal("2026-09-10T00:26:42.500000Z", sent.timestamp)
    assert.equal(59.5, sent.metadata.talk_seconds)
  end)

  it("has FreeSWITCH's", function()
    run([[
      local variables = { uuid = "0-1", caller_id_number = "+15550100", start_epoch = "1789000000",
        answer_epoch = "1789000002", end_epoch = "1789000062", hangup_cause = "NORMAL_CLEARING" }
      env = { getHeader = function(_, name) return variables[name] end }
    ]] .. program "/usr/share/freeswitch/scripts/call_ended.lua")
    local sent = send()
    assert.equal("0-1", sent.call_id)
    assert.equal("NORMAL_CLEARING", sent.call_ended_reason)
    assert.equal(60, sent.metadata.talk_seconds)
  end)

  it("has Asterisk's", function()
    run([[
      local values = { UNIQUEID = "1789000000.7", num = "+15550100", start = "1789000000.000000",
        answer = "1789000002.500000", ["end"] = "1789000062.000000" }
      local function variable(_, name) return { get = function() return values[name] end } end
      channel = setmetatable({ UNIQUEID = variable(nil, "UNIQUEID") }, { __index = function()
        return function(name) return variable(nil, name) end
      end })
    ]] .. program "/etc/asterisk/extensions.lua" .. "extensions.agents.h()\n")
    local sent = send()
    assert.equal("1789000000.7", sent.call_id)
    assert.equal(2.5, sent.metadata.ring_seconds)
  end)
end)

--- cekura.testing: the simulated service in this process.

local cekura = require "cekura"
local core = require "cekura.core"
local file = require "spec.support.file"
local patience = require "spec.support.patience"
local process = require "spec.support.process"
local shell = require "spec.support.shell"
local testing = require "cekura.testing"

local lua = os.getenv "CEKURA_LUA" or "lua5.4"

local function port_of(service)
  return tonumber(service.url:match "%d+$")
end

describe("cekura.testing", function()
  local service, client

  before_each(function()
    service = cekura.assert(testing.start())
    client = cekura.assert(service:client { retries = 0 })
  end)

  after_each(function()
    client:close()
    service:stop()
  end)

  local function get(path)
    return client:request("GET", path)
  end

  -- Asserts that a call raises at its own line, with that message.
  local function raises(message, fn, ...)
    local ok, raised = pcall(fn, ...)
    assert.is_false(ok)
    assert.truthy(tostring(raised):find("spec/testing_spec.lua:%d+: cekura: "), raised)
    assert.truthy(tostring(raised):find(message, 1, true), raised)
  end

  describe("start", function()
    it("gives a service on a free port of the loopback interface, and of no other", function()
      assert.equal("http://127.0.0.1:" .. port_of(service), service.url)
      assert.equal("sim-key", service.key)
      assert.is_true(process.listens(port_of(service)))
      local everywhere = (":%04X 00000000:0000 0A"):format(port_of(service))
      local _, count = file.read "/proc/net/tcp":gsub(everywhere, "")
      assert.equal(1, count)
      assert.is_nil(file.read "/proc/net/tcp6":find(everywhere, 1, true))
    end)

    it("takes a port and a key", function()
      local port = process.free_port()
      local other = cekura.assert(testing.start { port = port, key = "another-key" })
      assert.same({ "http://127.0.0.1:" .. port, "another-key" }, { other.url, other.key })
      local good, bad = other:client(), other:client { api_key = "sim-key", retries = 0 }
      assert.equal(5181749, cekura.assert(good.calls:get(5181749)).id)
      assert.equal("auth", select(2, bad.calls:get(5181749)).kind)
      other:reset()
      assert.truthy(good.calls:get(5181749))
      good:close()
      bad:close()
      other:stop()
    end)

    it("takes a free port for 0", function()
      local other = cekura.assert(testing.start { port = 0 })
      assert.is_true(process.listens(port_of(other)))
      other:stop()
    end)

    it("gives an error of kind config if the port is taken", function()
      local none, err = testing.start { port = port_of(service) }
      assert.is_nil(none)
      assert.equal("cekura: config: testing: port " .. port_of(service) .. " of 127.0.0.1: Address already in use",
        tostring(err))
    end)

    it("checks its options", function()
      raises("options: there is no option prot (did you mean port?)", testing.start, { prot = 1 })
      raises("port: a whole number from 0 to 65535 expected, got -1", testing.start, { port = -1 })
      raises("speed: number of seconds expected, got string", testing.start, { speed = "fast" })
      raises("key: string expected, got number", testing.start, { key = 7 })
      raises("call it with a dot", testing.start, testing)
    end)

    it("runs any number of services, whose states are their own", function()
      local services = {}
      for index = 1, 20 do
        services[index] = cekura.assert(testing.start())
        services[index]:script("/x/", { { body = { index = index } } })
      end
      for index, each in ipairs(services) do
        local own = each:client()
        assert.equal(index, own:request("GET", "/x/"):json().index)
        assert.equal(1, #each:requests())
        own:close()
        each:stop()
      end
      assert.equal(0, #service:requests())
    end)
  end)

  describe("a client of the service", function()
    it("has nothing of the configuration, but the options that are given", function()
      local others = cekura.assert(service:client { retries = 0, headers = { ["X-Mine"] = "yes" } })
      others:request("GET", "/echo/")
      assert.equal("yes", service:requests()[1].headers["x-mine"])
      raises("options: there is no option retires (did you mean retries?)", service.client, service, { retires = 1 })
      others:close()
    end)

    it("keeps the service, which ends with it when nobody has either", function()
      local own = testing.start():client { retries = 0 }
      collectgarbage()
      collectgarbage()
      assert.equal(5181749, cekura.assert(own.calls:get(5181749)).id)
      local port = tonumber(own:request("GET", "/echo/"):json().headers.host:match "%d+$")
      own:close()
      own = nil -- luacheck: ignore 311
      for _ = 1, 5 do -- one after the other is garbage
        collectgarbage()
      end
      assert.is_false(process.listens(port))
    end)

    it("gets what the simulator answers", function()
      assert.equal("success", cekura.assert(client.calls:get(5181749)).status)
      local job = cekura.assert(client.metrics:generate { agent_id = 2142 })
      assert.truthy(job:wait { interval = 0.01 })
    end)
  end)

  describe("script", function()
    it("replies in order, and repeats the last reply", function()
      service:script("/x/", { { status = 503 }, { status = 404, body = "gone" }, { body = { n = 3 } } })
      assert.equal("server", select(2, get "/x/").kind)
      assert.equal("not_found", select(2, get "/x/").kind)
      assert.equal('{"n":3}', get "/x/".body)
      assert.equal('{"n":3}', get "/x/".body)
    end)

    it("sends status, headers and body as given", function()
      service:script("/x/", { { status = 201, headers = { ["X-Mine"] = "yes", ["Content-Type"] = "text/plain",
        Retry = 7 }, body = "\0\255 bytes" } })
      local reply = cekura.assert(get "/x/")
      assert.same({ 201, "\0\255 bytes" }, { reply.status, reply.body })
      assert.same({ "yes", "text/plain", "7" },
        { reply.headers["x-mine"], reply.headers["content-type"], reply.headers["retry"] })
    end)

    it("sends a table as the JSON that this module sends", function()
      service:script("/x/", { { body = { list = cekura.list {}, null = cekura.null, half = 0.5,
        deep = { { a = 1 } } } } })
      assert.equal('{"deep":[{"a":1}],"half":0.5,"list":[],"null":null}', get "/x/".body)
    end)

    it("serves one method, if the path begins with it, and else all", function()
      service:script("/x/", { { body = "any" } })
      service:script("POST /x/", { { body = "post" } })
      assert.equal("any", get "/x/".body)
      assert.equal("post", client:request("POST", "/x/").body)
    end)

    it("sends the content of a file", function()
      service:script("/x/", { { file = "LICENSE" }, { file = "no-such-file" } })
      assert.equal(file.read "LICENSE", get "/x/".body)
      local _, err = get "/x/"
      assert.equal(500, err.status)
      assert.truthy(err.response.body:find("no-such-file", 1, true))
    end)

    it("leaves the reply to the service with `pass`", function()
      service:script("/observability/v2/call-logs/5181749/", { { status = 500 }, { pass = true } })
      assert.is_nil(client.calls:get(5181749))
      assert.equal("success", cekura.assert(client.calls:get(5181749)).status)
    end)

    it("delays a reply, while others go on", function()
      service:script("/late/", { { delay = 0.5, body = "late" } })
      local order = {}
      cekura.run(function()
        for _, path in ipairs { "/late/", "/echo/" } do
          cekura.spawn(function()
            get(path)
            order[#order + 1] = path
          end)
        end
      end)
      assert.same({ "/echo/", "/late/" }, order)
    end)

    it("cuts and drops connections, and sends what is not HTTP", function()
      local cases = {
        { { body = ("x"):rep(100), cut = 10 }, "protocol" },
        { { drop = true }, "network" },
        { { raw = "SSH-2.0-OpenSSH_9.2\r\n" }, "protocol" },
      }
      for _, case in ipairs(cases) do
        service:script("/x/", { case[1] })
        local reply, err = get "/x/"
        assert.is_nil(reply)
        assert.equal(case[2], err.kind, tostring(err))
      end
      assert.truthy(get "/echo/")
    end)

    it("sends bodies in chunks, and slowly", function()
      service:script("/x/", { { body = ("y"):rep(100000), chunked = true }, { body = "slow", slow = 0.05 },
        { body = "", chunked = true }, { status = 204 } })
      local began = core.now()
      assert.equal(("y"):rep(100000), get "/x/".body)
      assert.equal("slow", get "/x/".body)
      assert.is_true(core.now() - began >= 0.15)
      assert.equal("", get "/x/".body)
      assert.equal(204, get "/x/".status)
    end)

    it("checks its replies, and names what is wrong", function()
      local cases = {
        { "replies[1]: there is no member statsu (did you mean status?)", { { statsu = 3 } } },
        { "replies[2].status: a whole number from 200 to 999 expected, got 7", { {}, { status = 7 } } },
        { "replies[1].delay: a number of at least 0 expected, got -1", { { delay = -1 } } },
        { 'replies[1].headers["X"]: string expected, got table', { { headers = { X = {} } } } },
        { "replies[1].body: table expected, got number", { { body = 5 } } },
        { "replies[1].body.f: ", { { body = { f = print } } } },
        { "replies[1].cut: a whole number from 0", { { cut = 1.5 } } },
        { "replies: at least one reply expected", {} },
        { "replies: a list expected, got a table with the key status", { status = 200 } },
        { "replies: table expected, got string", "x" },
      }
      for _, case in ipairs(cases) do
        raises(case[1], service.script, service, "/x/", case[2])
      end
      for _, path in ipairs { "x", "get /x/", "/x/?a=1", "GET /x/?a=1" } do
        raises('path: "/path/" or "METHOD /path/" without a query expected', service.script, service, path, { {} })
      end
      raises("self: service expected, got string; call it with a colon", service.script, "/x/", { {} })
    end)
  end)

  describe("a function that replies", function()
    it("runs in this Lua state, with its upvalues", function()
      local count = 0
      service:script("POST /x/", function(request)
        count = count + 1
        return { status = 201, body = { count = count, path = request.path, got = request.json.name } }
      end)
      for expected = 1, 3 do
        local reply = cekura.assert(client:request("POST", "/x/", { body = { name = "n" .. expected } }))
        assert.same({ 201, { count = expected, path = "/x/", got = "n" .. expected } }, { reply.status, reply:json() })
      end
      assert.equal(3, count)
    end)

    it("serves tasks and plain code, many requests at once", function()
      service:script("/x/", function(request)
        return { delay = request.query.slow and 0.2 or nil, body = request.query.n }
      end)
      local answers = {}
      cekura.run(function()
        for n = 1, 50 do
          cekura.spawn(function()
            answers[n] = get("/x/?n=" .. n .. (n % 10 == 0 and "&slow=1" or "")).body
          end)
        end
      end)
      for n = 1, 50 do
        assert.equal(tostring(n), answers[n])
      end
      assert.equal("51", get "/x/?n=51".body)
    end)

    it("may leave the reply to the service, or have the connection dropped", function()
      local wanted = { pass = true }
      service:script("/observability/v2/call-logs/5181749/", function() return wanted end)
      assert.equal("success", cekura.assert(client.calls:get(5181749)).status)
      wanted = { drop = true }
      assert.equal("network", select(2, client.calls:get(5181749)).kind)
    end)

    it("that raises, or returns something else, causes a 500 that says so", function()
      local count = 0
      for _, case in ipairs {
        { function() error "no such thing" end, "no such thing" },
        { function() error({}) end, "table" },
        { function() end, "the reply of the function: table expected, got nothing" },
        { function() return { stauts = 1 } end, "there is no member stauts (did you mean status?)" },
        { function() return { body = { print } } end, "the reply of the function.body[1]" },
      } do
        service:script("/x/", case[1])
        local reply, err = get "/x/"
        assert.is_nil(reply)
        assert.equal(500, err.status)
        assert.truthy(err.message:find("The function that replies to GET /x/ has failed: ", 1, true), err.message)
        assert.truthy(err.message:find(case[2], 1, true), err.message)
        count = count + 1
        assert.truthy(service:requests()[count].error:find(case[2], 1, true))
      end
    end)

    it("that cannot run, because the test is blocked, causes a 500 that says why", function()
      service:script("/x/", function() return {} end)
      local output = shell("curl -s " .. service.url .. "/x/")
      assert.truthy(output:find("did not run within 10 s", 1, true), output)
      assert.truthy(output:find("blocked, for instance by os.execute or io.popen", 1, true), output)
      assert.truthy(service:requests()[1].error:find("did not run within 10 s", 1, true))
      assert.truthy(get "/x/")
    end)

    it("gets no request that came before a reset", function()
      service:script("/f/", function() return { body = "old" } end)
      local output = os.tmpname()
      os.execute(("curl -s -o %s -w 'ended %%{http_code}' %s/f/ >%s.end 2>&1 &"):format(output, service.url, output))
      while not service:requests { path = "/f/" }[1] do
        os.execute "sleep 0.01" -- the function does not run meanwhile
      end
      service:reset()
      local paths = {}
      service:script("/g/", function(request)
        paths[#paths + 1] = request.path
        return { body = "new" }
      end)
      assert.equal("new", get "/g/".body)
      patience.eventually(function()
        return file.read(output .. ".end"):find "ended"
      end)
      assert.same({ "/g/" }, paths)
      assert.equal("ended 000", file.read(output .. ".end"))
      os.remove(output)
      os.remove(output .. ".end")
    end)

    it("leaves nothing due while it waits for requests", function()
      service:script("/f/", function() return { body = "made" } end)
      get "/f/"
      assert.is_nil(cekura.step())
    end)

    it("may stop the service", function()
      service:script("/stop/", function() service:stop() end)
      assert.equal("network", select(2, get "/stop/").kind)
    end)
  end)

  describe("requests", function()
    it("lists what came, with all that the request had", function()
      client:request("POST", "/x/y%20z/?a=1&b=2&b=3", { body = { n = 12345678901 }, headers = { ["X-Mine"] = "yes" } })
      local request = service:requests()[1]
      assert.same({ "POST", "/x/y z/", { a = "1", b = { "2", "3" } }, '{"n":12345678901}', { n = 12345678901 } },
        { request.method, request.path, request.query, request.body, request.json })
      assert.same({ "yes", "sim-key", "application/json" }, { request.headers["x-mine"],
        request.headers["x-cekura-api-key"], request.headers["content-type"] })
      assert.is_true(math.abs(request.at - os.time()) < 60)
      assert.is_nil(request.error)
    end)

    it("keeps bytes that are not UTF-8, and bodies that are not JSON", function()
      client:request("POST", "/x/", { body = "\0\255\r\n{" })
      assert.equal("\0\255\r\n{", service:requests()[1].body)
      assert.is_nil(service:requests()[1].json)
    end)

    it("filters by method and path", function()
      get "/a/"
      get "/b/"
      client:request("POST", "/a/")
      assert.equal(3, #service:requests())
      assert.equal(2, #service:requests { path = "/a/" })
      assert.equal(1, #service:requests { path = "/a/", method = "POST" })
      assert.equal(0, #service:requests { path = "/c/" })
      raises("filter: there is no option pth (did you mean path?)", service.requests, service, { pth = "/" })
      raises("path: string expected, got boolean", service.requests, service, { path = true })
    end)

    it("refuses a filter that no request can meet", function()
      raises('method: a method such as "GET" expected, got "get"', service.requests, service, { method = "get" })
      for _, path in ipairs { "GET /x/", "x", "/x/?a=1" } do
        raises(('path: "/path/" without a query expected, got %q'):format(path), service.requests, service,
          { path = path })
      end
    end)

    it("needs neither a loop nor a client, also in a request's event handler", function()
      local seen
      local own = service:client { on_event = function(event)
        if event.name == "request_finished" then
          seen = #service:requests()
        end
      end }
      own:request("GET", "/echo/")
      own:close()
      assert.equal(1, seen)
    end)
  end)

  describe("reset", function()
    it("forgets requests and scripts, and what they changed in the service", function()
      service:script("/x/", { { body = "scripted" } })
      service:script("/f/", function() return { body = "made" } end)
      cekura.assert(client.calls:delete(5181749))
      get "/x/"
      service:reset()
      assert.equal(0, #service:requests())
      assert.equal("not_found", select(2, get "/x/").kind)
      assert.equal("not_found", select(2, get "/f/").kind)
      assert.truthy(client.calls:get(5181749))
      service:script("/f/", function() return { body = "made again" } end)
      assert.equal("made again", get "/f/".body)
    end)
  end)

  describe("stop", function()
    it("frees the port, ends connections, and may be called again", function()
      local port, ended = port_of(service), nil
      service:script("/late/", { { delay = 3600 } })
      cekura.run(function()
        local task = cekura.spawn(function() ended = select(2, get "/late/") end)
        patience.eventually(function() return #service:requests() == 1 end)
        service:stop()
        task:join()
      end)
      assert.equal("network", ended.kind)
      service:stop()
      assert.equal("cekura.testing (stopped)", tostring(service))
      raises("service: it is stopped", service.requests, service)
      raises("service: it is stopped", function() service.speed = 2 end)
      local again = cekura.assert(testing.start { port = port })
      again:stop()
    end)

    it("ends with the variable, where Lua closes variables", function()
      local load = loadstring or load
      local closing = load [[local service <close> = ...]]
      if closing then
        closing(service)
        assert.equal("cekura.testing (stopped)", tostring(service))
      end
    end)

    it("ends with the Lua state, whatever is in flight, and with the process", function()
      for _, last in ipairs { "", "os.exit(0, true)", "os.exit(0)",
        "service = nil collectgarbage() collectgarbage()" } do
        local output, status = shell(([[timeout 60 %s -e '
          local testing, cekura = require "cekura.testing", require "cekura"
          local service = assert(testing.start())
          local client = assert(service:client())
          service:script("/late/", { { delay = 3600 } })
          service:script("/f/", function() return {} end)
          cekura.spawn(function() client:request("GET", "/late/") end)
          client:request("GET", "/f/")
          %s']]):format(lua, last))
        assert.same({ "", 0 }, { output, status }, last)
      end
    end)
  end)

  describe("speed", function()
    it("is that of its clients by each name of this address, and of no other address", function()
      local port = service.url:match "%d+$"
      local clients = {}
      for _, host in ipairs { "127.0.0.1", "localhost", "LOCALHOST", "[::1]", "127.0.0.2" } do
        clients[host] = cekura.assert(service:client { base_url = ("http://%s:%s/v"):format(host, port) })
      end
      service.speed = 50
      clients.later = cekura.assert(service:client { base_url = "http://localhost:" .. port })
      for host, expected in pairs { ["127.0.0.1"] = 2, localhost = 2, LOCALHOST = 2, later = 2, ["[::1]"] = 100,
        ["127.0.0.2"] = 100 } do
        assert.equal(expected, core.quickened(clients[host], 100), host)
        clients[host]:close()
      end
    end)

    it("ends a job of 150 s in about a second", function()
      service.speed = 150
      assert.equal(150, service.speed)
      local own = service:client { headers = { ["X-Simulate"] = "life=completed; seconds=150" } }
      patience.before_timer(30, function()
        local job = cekura.assert(own.metrics:generate { agent_id = 2142 })
        cekura.assert(job:wait())
        assert.is_true(job.elapsed >= 1)
        assert.is_true(job.polls > 5)
      end)
      own:close()
    end)

    it("divides the intervals of clients that there are already, and of clients of cekura.new()", function()
      local others = cekura.assert(cekura.new { base_url = service.url .. "/", api_key = "sim-key" })
      service.speed = 1000
      for _, each in ipairs { client, others } do
        patience.before_timer(30, function()
          local job = cekura.assert(each.metrics:generate { agent_id = 2142 })
          assert.truthy(job:wait { interval = 100 })
          assert.equal(3, job.polls)
        end)
      end
      local later = cekura.assert(cekura.new { base_url = service.url, api_key = "sim-key" })
      patience.before_timer(30, function()
        assert.truthy(later.metrics:generate({ agent_id = 2142 }):wait { interval = 100 })
      end)
      others:close()
      later:close()
    end)

    it("divides delays, pauses between tries, and what a 429 asks for, which the error still names", function()
      service.speed = 1000
      local own = service:client { retries = 3, timeout = 20 }
      service:script("/late/", { { delay = 100, body = "late" } })
      service:script("/busy/", { { status = 429, headers = { ["Retry-After"] = "300" } }, { body = "free" } })
      service:script("/always/", { { status = 429, headers = { ["Retry-After"] = "7" } } })
      patience.before_timer(30, function()
        assert.equal("late", own:request("GET", "/late/").body)
        assert.equal("free", own:request("GET", "/busy/").body)
        assert.equal(7, select(2, own:request("GET", "/always/")).retry_after)
      end)
      own:close()
    end)

    it("divides the time between the scans of a watch", function()
      service.speed = 1000
      local store = os.tmpname()
      os.remove(store)
      local watch = cekura.watch { client = client, every = 100, store = store,
        agents = { { agent_id = 2142, on_evaluated = function() end } } }
      cekura.run(function()
        local task = cekura.spawn(watch.wait, watch)
        patience.eventually(function()
          return #service:requests { path = "/observability/v2/call-logs/" } >= 3
        end)
        watch:stop()
        task:join()
      end)
      os.remove(store)
    end)

    it("divides no timeout, and no sleep of the program", function()
      service.speed = 1000
      local own = service:client { headers = { ["X-Simulate"] = "life=endless" } }
      local job = cekura.assert(own.metrics:generate { agent_id = 2142 })
      local began = core.now()
      assert.equal("timeout", select(2, job:wait { timeout = 0.3 }).kind)
      assert.is_true(core.now() - began >= 0.3)
      began = core.now()
      cekura.sleep(0.1)
      assert.is_true(core.now() - began >= 0.1)
      own:close()
    end)

    it("stays with a reset, and ends with the service", function()
      local port = port_of(service)
      service.speed = 50
      service:reset()
      assert.equal(50, service.speed)
      local speed = require "cekura.client.speed"
      assert.equal(50, speed.of(service.url))
      service:stop()
      assert.equal(1, speed.of("http://127.0.0.1:" .. port))
    end)

    it("is not that of an earlier service of the port, which was collected", function()
      local earlier = cekura.assert(testing.start { speed = 50 })
      local port = port_of(earlier)
      earlier = nil -- luacheck: ignore 311
      collectgarbage()
      collectgarbage()
      local later = cekura.assert(testing.start { port = port })
      assert.equal(1, later.speed)
      assert.equal(1, require("cekura.client.speed").of(later.url))
      later:stop()
    end)

    it("is checked, and is all that can be set", function()
      raises("speed: a number of seconds above 0 expected, got 0", function() service.speed = 0 end)
      raises("speed: a number above 0 expected, got nil", function() service.speed = nil end)
      raises("there is no member sped that can be set", function() service.sped = 2 end)
      raises("service: there is no stpo (did you mean stop?)", function() return service.stpo end)
    end)
  end)

  it("does not disturb the dates of the program", function()
    local done = os.tmpname()
    os.remove(done)
    os.execute(("(curl -s -o /dev/null '%s/echo/[1-2000]'; : >%s) &"):format(service.url, done))
    local wrong = 0
    repeat
      for _ = 1, 1000 do
        wrong = wrong + (os.date("!%Y", 0) == "1970" and 0 or 1)
      end
      local ended = io.open(done)
    until ended and ended:close()
    os.remove(done)
    assert.equal(2000, #service:requests())
    assert.equal(0, wrong)
  end)

  it("holds any number of requests", function()
    local own = service:client { max_in_flight = 200 }
    local function administer(action, body)
      cekura.assert(client:request("POST", "/_sim/" .. action .. "/", { body = body }))
    end
    administer("script", { path = "/held/", replies = { { hold = "gate" } } })
    local ended = 0
    cekura.run(function()
      for _ = 1, 200 do
        cekura.spawn(function()
          cekura.assert(own:request("GET", "/held/"))
          ended = ended + 1
        end)
      end
      patience.eventually(function() return #service:requests { path = "/held/" } == 200 end)
      assert.equal(0, ended)
      administer("release", { name = "gate" })
    end)
    assert.equal(200, ended)
    own:close()
  end)

  describe("in a process that forks", function()
    setup(function()
      local output, status = shell(("make --no-print-directory -s life LUA=%s BUILD=%s"):format(lua,
        os.getenv "CEKURA_BUILD" or "build"))
      assert.equal(0, status, output)
    end)

    it("belongs to the parent, and the child can do it no harm", function()
      local output, status = file.temporary([[
        io.stdout:setvbuf "no"
        local posix = require "spec.life.posix"
        local cekura, testing = require "cekura", require "cekura.testing"
        local service = assert(testing.start())
        local client = assert(service:client { retries = 0 })
        service:script("/f/", function() return { body = "made" } end)
        assert(client:request("GET", "/f/"))
        local pid = posix.fork()
        if pid == 0 then
          print(select(2, pcall(service.requests, service)))
          local own = assert(testing.start())
          local mine = assert(own:client())
          assert(mine:request("GET", "/echo/"))
          assert(#own:requests() == 1)
          service:stop()
          own:stop()
          posix.exit(0)
        end
        print(posix.wait(pid))
        assert(client:request("GET", "/f/").body == "made")
        print(#service:requests())
        pid = posix.fork()
        if pid == 0 then
          os.execute "sleep 2" -- has copies of all descriptors
          posix.exit(0)
        end
        service:script("/late/", { { delay = 3600 } })
        local err
        cekura.run(function()
          local task = cekura.spawn(function() err = select(2, client:request("GET", "/late/")) end)
          while #service:requests { path = "/late/" } == 0 do cekura.sleep(0.01) end
          service:stop()
          task:join()
        end)
        print(err.kind)
        print(testing.start { port = tonumber(service.url:match "%d+$") } ~= nil)
        posix.wait(pid)
      ]], function(path)
        return shell(("timeout 60 %s %s"):format(lua, path))
      end)
      assert.equal(0, status, output)
      local first, rest = output:match "^([^\n]*)\n(.*)$"
      assert.truthy(first:find("the server belongs to the process that has started it", 1, true), output)
      assert.equal("0\n2\nnetwork\ntrue\n", rest)
    end)
  end)
end)

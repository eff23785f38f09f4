--- The holds after a 429, which the clients of a service can share. spec/engine/holds_test.c checks the times to the
-- microsecond; here, the functions of the core, and the effect on programs.

local cekura = require "cekura"
local core = require "cekura.core"
local endpoint = require "cekura.http.endpoint"
local patience = require "spec.support.patience"
local simulator = require "spec.support.simulator"

local PROGRESS = "/observability/v1/call-logs/improve_prompt_progress/"
local START = "/observability/v1/call-logs/improve_prompt_bg/"

cekura.kind("holds.things", {
  start = "POST /agents/{agent_id}/things/",
  params = { agent_id = { "id", required = true } },
  poll = "GET /things/{id}/",
  id = "thing_id",
  output = "thing",
})

describe("the holds of a client", function()
  local server = simulator.during(setup, teardown)
  local clients = {}

  local function new_client(options)
    clients[#clients + 1] = server:client(options)
    return clients[#clients]
  end

  before_each(function()
    server:reset()
  end)

  after_each(function()
    for _, client in ipairs(clients) do
      client:close()
    end
    clients = {}
  end)

  -- What the requests to that path get.
  local function refuse(path, seconds, ...)
    server:script(path, { { status = 429, headers = { ["Retry-After"] = tostring(seconds) } }, ... })
  end

  -- The name of an endpoint of the simulator.
  local function name(method, path)
    return method .. "/" .. server.url:gsub("//", "/") .. path
  end

  -- A client whose request to that path was answered with 429.
  local function refused_client(path, seconds, ...)
    refuse(path, seconds, ...)
    local client = new_client { retries = 0 }
    assert.equal("rate_limited", select(2, client:request("GET", path)).kind)
    return client
  end

  -- The names in a list of holds, sorted.
  local function names(holds)
    local found = {}
    for index, hold in ipairs(holds) do
      found[index] = hold.endpoint
    end
    table.sort(found)
    return found
  end

  it("name the endpoints that answered 429 to a call, a start or a poll, and for how long", function()
    local client = refused_client("/x/17/", 3600)
    local holds, serial = core.holds(client)
    assert.same({ name("GET", "/x") }, names(holds))
    assert.is_true(holds[1].seconds > 3000 and holds[1].seconds <= 3600)
    assert.equal(1, serial)
    refuse(START, 3600)
    refuse(PROGRESS, 3600)
    local starter, poller = new_client { retries = 0 }, new_client()
    assert.is_nil(starter:start("calls.improve_prompt", { call_logs = { 1 }, agent_id = 1, prompt = "x" },
      { timeout = 600 }))
    assert.same({ name("POST", START:sub(1, -2)) }, names(core.holds(starter)))
    cekura.run(function()
      local waiting = cekura.spawn(function()
        cekura.assert(poller:job("calls.improve_prompt", "known")):wait { interval = 0.01, timeout = 3600 }
      end)
      patience.eventually(function() return #core.holds(poller) > 0 end)
      waiting:cancel()
    end)
    assert.same({ name("GET", PROGRESS:sub(1, -2)) }, names(core.holds(poller)))
  end)

  it("are the same text for clients with the same base URL, whatever the id", function()
    refuse("/things/first/", 3600)
    refuse("/things/second/", 3600)
    local found = {}
    cekura.run(function()
      for _, id in ipairs { "first", "second" } do
        local client = new_client()
        local waiting = cekura.spawn(function()
          cekura.assert(client:job("holds.things", id)):wait { interval = 0.01, timeout = 3600 }
        end)
        patience.eventually(function() return #core.holds(client) > 0 end)
        waiting:cancel()
        found[#found + 1] = core.holds(client)[1].endpoint
      end
    end)
    assert.same({ name("GET", "/things"), name("GET", "/things") }, found)
  end)

  it("are listed after a serial once, and again after a further 429", function()
    local client = refused_client("/x/", 0)
    local _, serial = core.holds(client)
    assert.same({}, (core.holds(client, serial)))
    refuse("/y/", 3600)
    client:request("GET", "/y/", { timeout = 600 })
    local holds, later = core.holds(client, serial)
    assert.same({ name("GET", "/y") }, names(holds))
    assert.is_true(later > serial)
    assert.same({}, (core.holds(client, later)))
    client:request("GET", "/x/", { timeout = 600 })
    holds = core.holds(client, later)
    assert.same({ name("GET", "/x") }, names(holds))
    assert.equal(0, holds[1].seconds)
    assert.same({ name("GET", "/x"), name("GET", "/y") }, names((core.holds(client, 0))))
    assert.same({ name("GET", "/y") }, names((core.holds(client)))) -- the other hold is over
  end)

  it("delay the requests of another client that takes them over, to their end", function()
    local first = refused_client("/x/", 2, { body = {} })
    local second = new_client()
    local hold = core.holds(first)[1]
    assert.equal(0, core.held(second, "GET", "/x/17/"))
    assert.is_true(core.hold(second, hold.endpoint, hold.seconds))
    assert.same({}, (core.holds(second)))
    cekura.run(function()
      local waiting = cekura.spawn(second.request, second, "GET", "/x/", { timeout = 600 })
      while true do
        local count = server:count "/x/"
        if core.held(second, "GET", "/x/17/") == 0 then
          break
        end
        assert.equal(1, count) -- that of the first client
        cekura.sleep(0.05)
      end
      assert.equal(200, waiting:join().status)
    end)
    assert.equal(2, server:count "/x/")
  end)

  it("let requests to other endpoints overtake, after a rest", function()
    local client = new_client()
    server:script("/x/", { { body = {} } })
    server:script("/y/", { { body = {} } })
    assert.is_true(core.hold(client, name("GET", "/z"), 0.1)) -- for which the client rests
    assert.is_true(core.hold(client, name("GET", "/x"), 1))
    assert.is_true(core.hold(client, name("GET", "/x"), 0)) -- does not shorten it
    cekura.run(function()
      for _, path in ipairs { "/x/", "/y/" } do
        cekura.spawn(client.request, client, "GET", path, { timeout = 600 })
      end
    end)
    local paths = {}
    for index, request in ipairs(server:requests()) do
      paths[index] = request.path
    end
    assert.same({ "/y/", "/x/" }, paths)
  end)

  it("end the requests that wait and cannot meet their deadlines", function()
    local client = new_client { max_in_flight = 1 }
    server:script("/y/", { { hold = "y", body = {} } })
    cekura.run(function()
      local first = cekura.spawn(client.request, client, "GET", "/y/", { timeout = 600 })
      local second = cekura.spawn(client.request, client, "GET", "/x/", { timeout = 600 })
      server:wait_for "/y/"
      assert.is_true(core.hold(client, name("GET", "/x"), 3600))
      local response, err = second:join()
      assert.is_nil(response)
      assert.equal("rate_limited", err.kind)
      server:release "y"
      first:join()
    end)
    assert.equal(0, server:count "/x/")
  end)

  it("can be seen before a start", function()
    local client, start = new_client(), "POST /agents/{agent_id}/things/"
    local method, path = endpoint.parse(start), endpoint.common_path(start)
    assert.equal(0, core.held(client, method, path))
    assert.is_true(core.hold(client, name("POST", "/agents/things"), 3600))
    assert.is_true(core.held(client, method, path) > 3000)
    assert.is_true(core.held(client, method, "/agents/17/things/") > 3000)
    assert.equal(0, core.held(client, "GET", path))
    assert.equal(0, core.held(client, method, "/things/"))
    local job, err = client:start("holds.things", { agent_id = 17 })
    assert.is_nil(job)
    assert.equal("rate_limited", err.kind)
    assert.is_false(err.sent)
    assert.equal(0, #server:requests())
  end)

  it("never contain a secret", function()
    local client = refused_client("/of/a-secret-key/", 3600)
    assert.same({ name("GET", "/of/a-secret-key") }, names(core.holds(client)))
    client = new_client { retries = 0, api_key = "a-secret-key" }
    assert.equal("rate_limited", select(2, client:request("GET", "/of/a-secret-key/")).kind)
    local holds, serial = core.holds(client)
    assert.same({}, holds)
    assert.equal(1, serial)
    assert.is_true(core.held(client, "GET", "/of/a-secret-key/") > 3000)
  end)

  it("are not taken from what is no name of an endpoint", function()
    local client = new_client()
    for _, wrong in ipairs { "", "x", "GET", "GET /x/", name("get", "/x"), name("GET", "/x/"), name("GET", "/x/17"),
      name("GET", "/x?y"), name("GET", "/x\0y"), name("GET", "/" .. ("x"):rep(5000)) } do
      assert.is_false(core.hold(client, wrong, 3600))
    end
    assert.has_error(function() core.hold(client, {}, 3600) end)
    assert.has_error(function() core.hold(client, name("GET", "/x"), "soon") end)
    assert.has_error(function() core.held(client, "GET") end)
    assert.has_error(function() core.holds(client, "x") end)
    server:script("/x/", { { body = {} } })
    cekura.assert(client:request("GET", "/x/"))
    assert.is_true(core.hold(client, name("GET", "/x"), math.huge))
    local left = core.held(client, "GET", "/x/")
    assert.is_true(left > 80000 and left <= 86400)
  end)

  it("are none of a closed client", function()
    local client = refused_client("/x/", 3600)
    client:close()
    assert.same({}, (core.holds(client)))
    assert.is_false(core.hold(client, name("GET", "/y"), 3600))
  end)
end)

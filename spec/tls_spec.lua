local cekura = require "cekura"
local simulator = require "spec.support.simulator"

describe("over https", function()
  local server = simulator.during(setup, teardown, { tls = true })

  local function client_of(url, options)
    options = options or {}
    options.base_url = url
    return server:client(options)
  end

  it("a client with the right CA works, and goes on working on a kept connection", function()
    local client = client_of(server.tls_url, { ca_file = server.ca_file })
    for _ = 1, 3 do
      cekura.assert(client:request("GET", "/echo/"))
    end
    local job = cekura.assert(client.calls:improve_prompt { call_logs = { 1 }, prompt = "x" })
    assert.truthy(cekura.assert(job:wait { interval = 0.02 }).improved_prompt)
    assert.equal(2, client:stats().connections) -- the start went out on one of its own
    client:close()
  end)

  -- libcurl would parse them in the first step that connects, for tens of milliseconds.
  it("certificates are loaded when the client is made, not in a step", function()
    local copy = os.tmpname()
    os.execute(("cp %s %s"):format(server.ca_file, copy))
    local client = client_of(server.tls_url, { ca_file = copy })
    os.remove(copy)
    cekura.assert(client:request("GET", "/echo/"))
    client:close()
  end)

  it("a certificate of an unknown CA is tls, at once, and nothing is sent", function()
    local client = client_of(server.tls_url)
    local response, err = client:request("GET", "/echo/")
    assert.is_nil(response)
    assert.equal("tls", err.kind)
    assert.is_false(err.sent)
    assert.equal(1, err.attempts)
    local _, start_err = client.calls:improve_prompt { call_logs = { 1 }, prompt = "x" }
    assert.equal("tls", start_err.kind)
    client:close()
  end)

  it("a certificate for another name is tls", function()
    local client = client_of(server.tls_url:gsub("localhost", "[::1]"), { ca_file = server.ca_file })
    local _, err = client:request("GET", "/echo/")
    assert.equal("tls", err.kind)
    assert.is_false(err.sent)
    client:close()
  end)

  it("a server that speaks no TLS is tls or network, and the key is not sent to it", function()
    local client = client_of(server.url:gsub("^http:", "https:"), { ca_file = server.ca_file, retries = 0 })
    local _, err = client:request("GET", "/echo/")
    assert.truthy(err.kind == "tls" or err.kind == "network")
    assert.is_false(err.sent)
    client:close()
  end)

  -- Over HTTP/2, libcurl 7.88 hung until the deadline.
  it("a large body is answered also by a server that does not read it", function()
    local client = client_of(server.tls_url, { ca_file = server.ca_file })
    local response = cekura.assert(client:request("POST", "/bench/", { body = ("x"):rep(300000), timeout = 5 }))
    assert.equal(200, response.status)
    client:close()
  end)

  it("a wait ends with tls", function()
    local client = client_of(server.tls_url)
    local job = cekura.assert(client:job("calls.improve_prompt", "some-id"))
    local _, err = job:wait { interval = 0.01, timeout = 5 }
    assert.equal("tls", err.kind)
    assert.equal(job, err.job)
    client:close()
  end)

  it("a ca_file that cannot be read is config", function()
    local client, err = cekura.new {
      api_key = "k", base_url = server.tls_url, config_file = false, ca_file = "/nowhere",
    }
    assert.is_nil(client)
    assert.equal("config", err.kind)
    assert.truthy(tostring(err):find("/nowhere", 1, true))
  end)
end)

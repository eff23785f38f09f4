local cekura = require "cekura"
local core = require "cekura.core"
local patience = require "spec.support.patience"
local simulator = require "spec.support.simulator"

local START = "/observability/v1/call-logs/improve_prompt_bg/"

describe("retries", function()
  local server = simulator.during(setup, teardown)
  local client

  before_each(function()
    client = server:renew_client()
    server:reset()
  end)

  local function ask(method, replies, options)
    server:script("/x/", replies)
    return client:request(method, "/x/", options)
  end

  local function start(replies)
    server:script(START, replies)
    return client.calls:improve_prompt { call_logs = { 1 }, prompt = "x" }
  end

  local function times_seen()
    return #server:requests()
  end

  describe("of a read", function()
    for name, reply in pairs {
      ["500"] = { status = 500 }, ["502"] = { status = 502 }, ["503"] = { status = 503 }, ["504"] = { status = 504 },
      ["429"] = { status = 429 }, ["408"] = { status = 408 }, ["425"] = { status = 425, body = { detail = "Early." } },
      ["an answer cut short"] = { body = { id = 1 }, cut = 3 },
      ["headers cut short"] = { raw = "HTTP/1.1 200 OK\r\nX-" },
    } do
      it("follow " .. name, function()
        local response, err = ask("GET", { reply, reply, { body = { fine = true } } })
        assert.is_nil(err)
        assert.is_true(response:json().fine)
        assert.equal(3, times_seen())
        assert.equal(2, client:stats().retries)
      end)
    end

    it("end with the last error when `retries` is used up", function()
      client = server:renew_client { retries = 2 }
      local response, err = ask("GET", { { status = 503, body = { detail = "Down." } } })
      assert.is_nil(response)
      assert.equal("server", err.kind)
      assert.equal(503, err.status)
      assert.equal(3, err.attempts)
      assert.equal(3, times_seen())
    end)

    it("end with protocol, the status and an excerpt if every answer is truncated", function()
      client = server:renew_client { retries = 1 }
      local _, err = ask("GET", { { body = { id = 12345 }, cut = 7 } })
      assert.equal("protocol", err.kind)
      assert.equal(200, err.status)
      assert.truthy(tostring(err):find('{"id":1', 1, true))
      assert.equal(2, times_seen())
    end)

    it("do not follow other 4xx, nor happen with retries = 0", function()
      for count, status in ipairs { 400, 404, 409, 423, 451 } do
        ask("GET", { { status = status } })
        assert.equal(count, times_seen())
      end
      client = server:renew_client { retries = 0 }
      server:reset()
      ask("GET", { { status = 503 } })
      assert.equal(1, times_seen())
    end)

    it("wait for as long as Retry-After says, in seconds or as a date", function()
      local began = core.now()
      cekura.assert(ask("GET", { { status = 503, headers = { ["Retry-After"] = "1" } }, { body = {} } }))
      assert.is_true(core.now() - began >= 1)
      began = core.now()
      cekura.assert(ask("GET", { { status = 408, headers = { ["Retry-After"] = "1" } }, { body = {} } }))
      assert.is_true(core.now() - began >= 1)
      local past = os.date("!%a, %d %b %Y %H:%M:%S GMT", os.time() - 60)
      cekura.assert(patience.before_timer(30, ask, "GET",
        { { status = 503, headers = { ["Retry-After"] = past } }, { body = {} } }, { timeout = 600 }))
    end)

    it("do not wait for a Retry-After beyond the deadline", function()
      local _, err = patience.before_timer(60, ask, "GET",
        { { status = 503, headers = { ["Retry-After"] = "3600" } } }, { timeout = 600 })
      assert.equal("server", err.kind)
      assert.equal(3600, err.retry_after)
      assert.equal(1, times_seen())
    end)
  end)

  describe("of a start", function()
    it("follow a 429, and a 503 with Retry-After", function()
      local job = cekura.assert(start {
        { status = 429, headers = { ["Retry-After"] = "0" } }, { status = 503, headers = { ["Retry-After"] = "0" } },
        { pass = true },
      })
      assert.truthy(job.id)
      assert.equal(3, times_seen())
      assert.equal(1, server:admin("GET", "jobs/").made)
    end)

    for name, case in pairs {
      ["500"] = { { status = 500 }, "server" },
      ["503 without Retry-After"] = { { status = 503 }, "server" },
      ["408"] = { { status = 408, headers = { ["Retry-After"] = "0" } }, "invalid" },
      ["425"] = { { status = 425, headers = { ["Retry-After"] = "0" } }, "invalid" },
      ["409"] = { { status = 409 }, "invalid" },
      ["502"] = { { status = 502 }, "unknown_outcome" },
      ["504"] = { { status = 504 }, "unknown_outcome" },
      ["a connection that ends without an answer"] = { { drop = true }, "unknown_outcome" },
      ["an answer cut short"] = { { body = { progress_id = "x" }, cut = 5 }, "unknown_outcome" },
      ["headers cut short"] = { { raw = "HTTP/1.1 200 OK\r\nContent-" }, "unknown_outcome" },
    } do
      it("do not follow " .. name, function()
        local job, err = start { case[1] }
        assert.is_nil(job)
        assert.equal(case[2], err.kind)
        assert.is_true(err.sent)
        assert.equal(1, err.attempts)
        assert.equal(1, times_seen())
      end)
    end

    it("do not follow a timeout", function()
      server:script(START, { { delay = 600 } })
      local before, job, err
      patience.with_enough_time(0.2, function(seconds)
        before = times_seen()
        job, err = client:start("calls.improve_prompt", { call_logs = { 1 }, prompt = "x" }, { timeout = seconds })
        return err.sent
      end)
      assert.is_nil(job)
      assert.equal("unknown_outcome", err.kind)
      assert.equal("timeout", err.cause.kind)
      assert.equal(1, times_seen() - before)
    end)

    it("follow a failure to connect", function()
      local nobody = cekura.assert(cekura.new {
        api_key = "k", base_url = "http://127.0.0.1:1", config_file = false, retries = 1,
      })
      local job, err = nobody.calls:improve_prompt { call_logs = { 1 }, prompt = "x" }
      assert.is_nil(job)
      assert.equal("network", err.kind)
      assert.is_false(err.sent)
      assert.equal(2, err.attempts)
      nobody:close()
    end)

    -- libcurl itself would repeat it when an idle connection is closed.
    it("do not follow an idle connection that is closed under the request", function()
      cekura.assert(client:request("GET", "/echo/"))
      local job, err = start { { drop = true }, { pass = true } }
      assert.is_nil(job)
      assert.equal("unknown_outcome", err.kind)
      assert.equal(1, times_seen() - 1)
      assert.equal(0, server:admin("GET", "jobs/").made)
    end)
  end)

  -- It was reported as an unknown outcome, although the service had refused it.
  it("after a refusal do not make the outcome of a start unknown when it misses its deadline in the queue", function()
    client = server:renew_client { max_in_flight = 1 }
    server:script("/slow/", { { delay = 600 } })
    server:script(START, { { status = 429, headers = { ["Retry-After"] = "1" } } })
    cekura.run(function()
      local starting = cekura.spawn(function()
        return client:start("calls.improve_prompt", { call_logs = { 1 }, prompt = "x" }, { timeout = 5 })
      end)
      -- Comes second, and is ahead in the queue when the start is refused.
      local slow = cekura.spawn(client.request, client, "GET", "/slow/", { timeout = 600 })
      local job, err = starting:join()
      assert.is_nil(job)
      assert.equal("timeout", err.kind)
      assert.is_false(err.sent)
      slow:cancel()
    end)
    assert.equal(1, server:count(START))
    assert.equal(1, server:count "/slow/")
  end)

  -- libcurl counts the bytes of CONNECT as sent.
  it("after a proxy's refusal do not make the outcome of a start unknown", function()
    local proxied = server:client { base_url = "https://localhost:1", proxy = server.url, retries = 1 }
    local job, err = proxied.calls:improve_prompt { call_logs = { 1 }, prompt = "x" }
    assert.is_nil(job)
    assert.equal("network", err.kind)
    assert.is_false(err.sent)
    assert.equal(2, err.attempts)
    proxied:close()
  end)

  it("hold back every request of the client after a 429", function()
    local refused = false
    client = server:renew_client { on_event = function(event)
      refused = refused or event.name == "request_retried"
    end }
    server:script("/y/", { { body = {} } })
    local began = core.now()
    patience.before_timer(60, function()
      local asking = cekura.spawn(function()
        cekura.assert(ask("GET", { { status = 429, headers = { ["Retry-After"] = "1" } }, { body = {} } }))
      end)
      patience.eventually(function() return refused end)
      cekura.assert(client:request("GET", "/y/"))
      assert.is_true(core.now() - began >= 1)
      cekura.assert(client:request("GET", "/y/"))
      asking:join()
    end)
    assert.equal(4, times_seen())
  end)

  it("end at once after a 429 for a request that cannot be sent before its deadline", function()
    local response, err = ask("GET", { { status = 429, headers = { ["Retry-After"] = "3600" } } })
    assert.is_nil(response)
    assert.equal("rate_limited", err.kind)
    assert.equal(3600, err.retry_after)
    response, err = patience.before_timer(60, client.request, client, "GET", "/x/", { timeout = 120 })
    assert.is_nil(response)
    assert.equal("rate_limited", err.kind)
    assert.is_false(err.sent)
    assert.equal(0, err.attempts)
    assert.is_true(err.retry_after > 3000)
    assert.equal(1, times_seen())
  end)
end)

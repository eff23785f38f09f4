local cekura = require "cekura"
local core = require "cekura.core"
local patience = require "spec.support.patience"
local simulator = require "spec.support.simulator"

local START = "/observability/v1/call-logs/improve_prompt_bg/"

describe("what is sent again", function()
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
      it("is the whole of it, after " .. name, function()
        local response, err = ask("GET", { reply, reply, { body = { fine = true } } })
        assert.is_nil(err)
        assert.is_true(response:json().fine)
        assert.equal(3, times_seen())
        assert.equal(2, client:stats().retries)
      end)
    end

    it("ends when the retries are used up, with the last error", function()
      client = server:renew_client { retries = 2 }
      local response, err = ask("GET", { { status = 503, body = { detail = "Down." } } })
      assert.is_nil(response)
      assert.equal("server", err.kind)
      assert.equal(503, err.status)
      assert.equal(3, err.attempts)
      assert.equal(3, times_seen())
    end)

    it("that was cut short is protocol in the end, with the status and what came", function()
      client = server:renew_client { retries = 1 }
      local _, err = ask("GET", { { body = { id = 12345 }, cut = 7 } })
      assert.equal("protocol", err.kind)
      assert.equal(200, err.status)
      assert.truthy(tostring(err):find('{"id":1', 1, true))
      assert.equal(2, times_seen())
    end)

    it("is nothing after other 4xx, or with retries = 0", function()
      for count, status in ipairs { 400, 404, 409, 423, 451 } do
        ask("GET", { { status = status } })
        assert.equal(count, times_seen())
      end
      client = server:renew_client { retries = 0 }
      server:reset()
      ask("GET", { { status = 503 } })
      assert.equal(1, times_seen())
    end)

    it("waits as long as Retry-After says, in seconds or as a date", function()
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

    it("does not wait for a Retry-After beyond its deadline", function()
      local _, err = patience.before_timer(60, ask, "GET",
        { { status = 503, headers = { ["Retry-After"] = "3600" } } }, { timeout = 600 })
      assert.equal("server", err.kind)
      assert.equal(3600, err.retry_after)
      assert.equal(1, times_seen())
    end)
  end)

  describe("of a start", function()
    it("is the whole of it after 429, and 503 with Retry-After", function()
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
      it("is nothing after " .. name, function()
        local job, err = start { case[1] }
        assert.is_nil(job)
        assert.equal(case[2], err.kind)
        assert.is_true(err.sent)
        assert.equal(1, err.attempts)
        assert.equal(1, times_seen())
      end)
    end

    it("is nothing after silence", function()
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

    it("is the whole of it when no connection could be made", function()
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

    -- libcurl would send it again by itself, on a connection that was idle and is closed under it.
    it("is nothing when an idle connection is closed under it", function()
      cekura.assert(client:request("GET", "/echo/"))
      local job, err = start { { drop = true }, { pass = true } }
      assert.is_nil(job)
      assert.equal("unknown_outcome", err.kind)
      assert.equal(1, times_seen() - 1)
      assert.equal(0, server:admin("GET", "jobs/").made)
    end)
  end)

  -- It was told as an unknown outcome, though the service had refused it.
  it("is not unknown when a start is refused with 429 and then waits for its turn in vain", function()
    client = server:renew_client { max_in_flight = 1 }
    server:script("/slow/", { { delay = 600 } })
    server:script(START, { { status = 429, headers = { ["Retry-After"] = "1" } } })
    cekura.run(function()
      local starting = cekura.spawn(function()
        return client:start("calls.improve_prompt", { call_logs = { 1 }, prompt = "x" }, { timeout = 5 })
      end)
      -- It comes second, and waits in front of the start when that is refused.
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

  -- libcurl counts what it says to a proxy as sent.
  it("is not unknown when a proxy refuses to connect a start", function()
    local proxied = server:client { base_url = "https://localhost:1", proxy = server.url, retries = 1 }
    local job, err = proxied.calls:improve_prompt { call_logs = { 1 }, prompt = "x" }
    assert.is_nil(job)
    assert.equal("network", err.kind)
    assert.is_false(err.sent)
    assert.equal(2, err.attempts)
    proxied:close()
  end)

  it("holds back every request of the client after a 429", function()
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

  it("ends at once what cannot be sent before its deadline after a 429", function()
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

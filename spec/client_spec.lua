local cekura = require "cekura"
local core = require "cekura.core"
local file = require "spec.support.file"
local client_options = require "cekura.client.options"
local patience = require "spec.support.patience"
local simulator = require "spec.support.simulator"

describe("a client:", function()
  local server = simulator.during(setup, teardown)
  local client

  before_each(function()
    client = server:renew_client()
    server:reset()
  end)

  -- Scripts the replies of one path and requests that path.
  local function ask(replies, options)
    server:script("/x/", replies)
    return client:request("GET", "/x/", options)
  end

  describe("request()", function()
    it("returns status, headers, body and decoded JSON of any 2xx", function()
      local response = cekura.assert(ask { { status = 203, headers = { ["X-One"] = "1" }, body = { id = 2142 } } })
      assert.equal(203, response.status)
      assert.equal("1", response.headers["x-one"])
      assert.equal('{"id":2142}', response.body)
      assert.equal(2142, response:json().id)
    end)

    it("returns a response for an empty 204", function()
      local response = cekura.assert(ask { { status = 204 } })
      assert.equal("", response.body)
      local value, err = response:json()
      assert.is_nil(value)
      assert.equal("protocol", err.kind)
    end)

    it("sends the key, a user agent and the query in order, joins lists with commas, and escapes text", function()
      local response = cekura.assert(client:request("GET", "/echo/ä b/#", {
        query = { b = "ü&=", a = { 1, 2 }, c = true, d = 2142.0 }, headers = { ["X-Mine"] = "yes" },
      }))
      local seen = response:json()
      assert.equal("/echo/%C3%A4%20b/%23?a=1,2&b=%C3%BC%26%3D&c=true&d=2142", seen.path)
      assert.equal("sim-key", seen.headers["x-cekura-api-key"])
      assert.equal("yes", seen.headers["x-mine"])
      assert.truthy(seen.headers["user-agent"]:find "^cekura%-lua/")
      assert.equal("application/json", seen.headers.accept)
    end)

    it("appends its query to that of the path", function()
      local seen = cekura.assert(client:request("GET", "/echo/?a=1", { query = { b = 2 } })):json()
      assert.equal("/echo/?a=1&b=2", seen.path)
    end)

    it("sends a table as JSON and a string as it is", function()
      local seen = cekura.assert(client:request("POST", "/echo/", { body = { list = { 1 }, text = "ä" } })):json()
      assert.equal('{"list":[1],"text":"ä"}', seen.body)
      assert.equal("application/json", seen.headers["content-type"])
      seen = cekura.assert(client:request("POST", "/echo/", { body = '{"a":1}' })):json()
      assert.equal('{"a":1}', seen.body)
      assert.equal("application/json", seen.headers["content-type"])
      seen = cekura.assert(client:request("POST", "/echo/", {
        body = "a=1", headers = { ["Content-Type"] = "application/x-www-form-urlencoded" },
      })):json()
      assert.equal("a=1", seen.body)
      assert.equal("application/x-www-form-urlencoded", seen.headers["content-type"])
    end)

    for _, method in ipairs { "POST", "PUT", "PATCH", "DELETE" } do
      it("sends " .. method .. " with and without a body", function()
        assert.equal("x", cekura.assert(client:request(method, "/echo/", { body = "x" })):json().body)
        local seen = cekura.assert(client:request(method:lower(), "/echo/")):json()
        assert.equal(method, seen.method)
        assert.is_nil(seen.body)
        assert.is_nil(seen.headers["content-type"]) -- no body, so no type
      end)
    end

    it("sends HEAD, and then GET on the same handle", function()
      local response = cekura.assert(client:request("HEAD", "/echo/"))
      assert.equal("", response.body)
      assert.equal("GET", cekura.assert(client:request("GET", "/echo/")):json().method)
    end)

    it("raises at the caller's line for an invalid argument, and names it", function()
      local function refused(pattern, ...)
        local ok, message = pcall(function(...)
          return client:request(...)
        end, ...)
        assert.is_false(ok)
        assert.truthy(message:find(pattern), message)
      end
      refused("client_spec%.lua:%d+: cekura: method: ", nil, "/x")
      refused("method: an HTTP method expected", "GET /", "/x")
      refused("path: ", "GET")
      refused("path: a path beginning with", "GET", "http://elsewhere/")
      refused("query%.a: ", "GET", "/x", { query = { a = print } })
      refused("headers: the value of X%-A has a CR", "GET", "/x", { headers = { ["X-A"] = "1\r\nX-B: 2" } })
      refused("headers: a header name expected", "GET", "/x", { headers = { ["X A"] = "1" } })
      refused("headers: .*cannot be set here: set api_key", "GET", "/x", { headers = { ["x-cekura-api-key"] = "1" } })
      refused("timeout: ", "GET", "/x", { timeout = "3" })
      refused("timeout: ", "GET", "/x", { timeout = 0 })
      refused("there is no option retry", "GET", "/x", { retry = 1 })
      refused("body%.a: JSON has no function", "POST", "/x", { body = { a = print } })
      assert.same({}, server:requests())
    end)
  end)

  describe("an error", function()
    for status, kind in pairs {
      [400] = "invalid", [401] = "auth", [403] = "auth", [404] = "not_found", [409] = "invalid", [410] = "not_found",
      [422] = "invalid",
    } do
      it(("of HTTP %d is %s, with status and response, after one try"):format(status, kind), function()
        local response, err = ask { { status = status, body = { detail = "No." } } }
        assert.is_nil(response)
        assert.equal(kind, err.kind)
        assert.equal(status, err.status)
        assert.equal(status, err.response.status)
        assert.equal("No.", err.response:json().detail)
        assert.equal(1, err.attempts)
        assert.equal("GET", err.method)
        assert.equal("/x/", err.path)
        assert.is_true(err.sent)
        local added = { [401] = " (the key is from the option api_key)", [404] = (" (from %s)"):format(server.url) }
        added[410] = added[404]
        assert.equal(("cekura: %s: GET /x/: HTTP %d: No.%s"):format(kind, status, added[status] or ""), tostring(err))
      end)
    end

    it("of a 400 has the messages about each field", function()
      local _, err = ask { { status = 400, body = { agent_id = { "Required.", "Really." }, prompt = "Blank." } } }
      assert.equal("invalid", err.kind)
      assert.same({ agent_id = { "Required.", "Really." }, prompt = { "Blank." } }, err.fields)
      assert.truthy(tostring(err):find("agent_id: Required. Really.; prompt: Blank.", 1, true))
    end)

    it("of a 400 has the strings of a mixed list of messages, and never raises", function()
      for _, row in ipairs {
        { '[{}, "Required."]', { "Required." } }, { '["a", {}, "b"]', { "a", "b" } },
        { '["a", "b", {}, "c"]', { "a", "b", "c" } }, { '["a", "b", null, {"x": ["y"]}, 5, "c"]', { "a", "b", "c" } },
        { '[{}, 5]', nil },
      } do
        local _, err = ask { { status = 400, body = ('{"call_logs":%s,"prompt":["Blank."]}'):format(row[1]) } }
        assert.equal("invalid", err.kind)
        assert.same({ call_logs = row[2], prompt = { "Blank." } }, err.fields)
      end
    end)

    it("of a 400 with a page of HTML or no body is one clear line", function()
      local _, err = ask { { status = 400, body = "<html>\n<b>Bad</b>" } }
      assert.equal("cekura: invalid: GET /x/: HTTP 400", tostring(err))
      _, err = ask { { status = 400 } }
      assert.equal("cekura: invalid: GET /x/: HTTP 400", tostring(err))
    end)

    it("of a redirect is protocol and names the host, and the redirect is not followed", function()
      local _, err = ask { { status = 302, headers = { Location = "https://user:pw@evil.example/x?key=1" } } }
      assert.equal("protocol", err.kind)
      assert.equal(302, err.status)
      assert.truthy(err.message:find("https://evil.example", 1, true))
      assert.is_nil(err.message:find("pw", 1, true))
      assert.equal(1, #server:requests())
      _, err = ask { { status = 301, headers = { Location = "/elsewhere/" } } }
      assert.equal("protocol", err.kind)
      assert.truthy(err.message:find(server.url, 1, true)) -- the same host
    end)

    it("of a 3xx that is not a redirect is protocol, and explains why", function()
      local _, err = ask { { status = 304 } }
      assert.equal("protocol", err.kind)
      assert.equal(304, err.status)
      assert.truthy(err.message:find("not modified, though the request set no condition", 1, true), err.message)
      for _, status in ipairs { 300, 305, 399 } do
        err = select(2, ask { { status = status } })
        assert.equal("protocol", err.kind)
        assert.truthy(err.message:find("no Location", 1, true), err.message)
      end
      server:script("/observability/v1/call-logs/improve_prompt_bg/", { { status = 304 } })
      local job, start_err = client.calls:improve_prompt { call_logs = { 1 }, prompt = "x" }
      assert.is_nil(job)
      assert.equal("protocol", start_err.kind)
      assert.is_true(start_err.sent)
    end)

    -- libcurl reports this as out of memory.
    it("of a path or headers too large to be sent is invalid, and nothing is sent", function()
      local long = ("a"):rep(2 ^ 20)
      for path, options in pairs { ["/x/?a=" .. long] = {}, ["/x/"] = { headers = { ["X-A"] = long } },
        ["/y/"] = { query = { a = long } } } do
        local response, err = client:request("GET", path, options)
        assert.is_nil(response)
        assert.equal("invalid", err.kind)
        assert.is_false(err.sent)
        assert.equal(0, err.attempts)
        assert.is_true(#err.message < 400)
      end
      assert.equal(0, #server:requests())
    end)

    it("of 407 is auth", function()
      local _, err = ask { { status = 407, body = { detail = "No." } } }
      assert.equal("auth", err.kind)
      assert.equal(407, err.status)
      assert.equal(1, err.attempts)
    end)

    it("of a refused connection is network, and not sent", function()
      local other = cekura.assert(cekura.new {
        api_key = "k", base_url = "http://127.0.0.1:1", config_file = false, retries = 0,
      })
      local _, err = other:request("GET", "/")
      assert.equal("network", err.kind)
      assert.is_false(err.sent)
      other:close()
    end)

    it("of a silent server is timeout, at the deadline", function()
      server:script("/x/", { { delay = 600 } })
      patience.with_enough_time(0.2, function(seconds)
        local began = core.now()
        local _, err = patience.before_timer(60, client.request, client, "GET", "/x/", { timeout = seconds })
        assert.is_true(core.now() - began >= seconds)
        assert.equal("timeout", err.kind)
        return err.sent
      end)
    end)

    it("of a body that is too large is protocol, and only an excerpt of the body is kept", function()
      client = server:renew_client { max_response = 1000 }
      assert.equal(1000, #cekura.assert(ask { { size = 1000 } }).body)
      local _, err = ask { { size = 1001 } }
      assert.equal("protocol", err.kind)
      assert.equal(200, err.status)
      assert.equal(1, err.attempts)
      assert.truthy(tostring(err):find(("x"):rep(200), 1, true))
      assert.is_nil(tostring(err):find(("x"):rep(201), 1, true))
      assert.is_true(#err.response.body <= 1000)
      assert.truthy(tostring(err):find("larger than max_response, 1000 bytes", 1, true))
    end)

    it("of an announced length that is too large is protocol, before the body arrives", function()
      client = server:renew_client { max_response = 1000, timeout = 600 }
      server:script("/x/", { { body = ("x"):rep(2000), slow = 60 } })
      local _, err = patience.before_timer(30, client.request, client, "GET", "/x/")
      assert.equal("protocol", err.kind)
      assert.truthy(tostring(err):find("larger than max_response", 1, true))
    end)

    it("of bytes that are not HTTP is protocol", function()
      local _, err = ask { { raw = "hello, I am not HTTP\r\n\r\n" } }
      assert.equal("protocol", err.kind)
    end)

    it("of broken compression is protocol", function()
      local _, err = ask { { headers = { ["Content-Encoding"] = "gzip" }, body = "this is not gzip at all" } }
      assert.equal("protocol", err.kind)
    end)
  end)

  describe("a conditional request", function()
    it("returns a 304 as a response", function()
      for name, value in pairs { ["If-None-Match"] = '"a"', ["if-none-match"] = "*",
        ["IF-MODIFIED-SINCE"] = "Thu, 26 Nov 2026 04:00:00 GMT" } do
        for _, method in ipairs { "GET", "HEAD" } do
          server:script("/x/", { { status = 304, headers = { ETag = '"a"' } } })
          local response = cekura.assert(client:request(method, "/x/", { headers = { [name] = value } }))
          assert.equal(304, response.status)
          assert.equal("", response.body)
          assert.equal('"a"', response.headers.etag)
        end
      end
    end)

    it("may get its condition from the client's headers", function()
      client = server:renew_client { headers = { ["If-None-Match"] = '"a"' } }
      assert.equal(304, cekura.assert(ask { { status = 304 } }).status)
      server:script("/observability/v2/call-logs/5/", { { status = 304 } })
      local call, err = client.calls:get(5) -- which needs a record
      assert.is_nil(call)
      assert.equal("protocol", err.kind)
    end)

    it("gets no response for other 3xx, nor without If-None-Match or If-Modified-Since", function()
      local condition = { headers = { ["If-None-Match"] = "*" } }
      local _, err = ask({ { status = 303, headers = { Location = "/y/" } } }, condition)
      assert.equal("protocol", err.kind)
      _, err = ask({ { status = 304 } }, { headers = { ["If-Match"] = "*", ["X-If-None-Match"] = "*" } })
      assert.equal("protocol", err.kind)
    end)
  end)

  it("has exactly the private fields that are documented, and none is accessible from outside", function()
    client:close()
    client = server:client { project_id = 7, on_event = function() end }
    local source, documented = file.read "lua/cekura/client/init.lua", {}
    for _, row in ipairs(client_options.rows) do
      documented[row.field or row.name] = true
    end
    for name, optional in source:match "%-%-%-@class cekura%.ClientFields\n(.-)\n\n":gmatch "@field ([%w_]+)(%??)" do
      documented[name] = true
      assert.is_true(core.fields(client)[name] ~= nil or optional == "?", name)
      assert.is_nil(client[name])
    end
    for name in pairs(core.fields(client)) do
      assert.is_true(not tostring(name):find "^_" or documented[name] == true, name)
    end
  end)

  describe("during its life", function()
    it("ends with close, which may be called twice, and tostring shows it", function()
      assert.equal("cekura.client (" .. server.url .. ")", tostring(client))
      client:close()
      client:close()
      assert.equal("cekura.client (closed)", tostring(client))
      assert.is_nil(client:pollfd())
      local _, err = client:request("GET", "/x/")
      assert.equal("closed", err.kind)
      assert.is_false(err.sent)
    end)

    it("ends with close, and its waits return closed", function()
      server:script("/x/", { { delay = 600 } })
      local _, err = cekura.run(function()
        local waiting = cekura.spawn(function()
          return client:request("GET", "/x/")
        end)
        server:wait_for "/x/"
        client:close()
        return waiting:join()
      end)
      assert.equal("closed", err.kind)
      assert.is_true(err.sent)
    end)

    it("ends when it is collected, even with a request in flight", function()
      local seen = setmetatable({}, { __mode = "v" })
      local function lose_one()
        local lost = server:client()
        seen[1] = lost
        core.submit(lost, { method = "GET", url = server.url .. "/x/", timeout = 5 })
        lost:step()
      end
      lose_one()
      for _ = 1, 4 do
        collectgarbage()
      end
      assert.is_nil(seen[1])
    end)

    if (loadstring or load) "local c <close> = nil" then -- from Lua 5.4 on
      it("ends with the block of a <close> variable", function()
        local load_text = [[local client = ...; do local c <close> = client end return tostring(client)]]
        assert.equal("cekura.client (closed)", load(load_text)(client))
      end)
    end

    it("counts its requests in stats", function()
      cekura.assert(client:request("GET", "/echo/"))
      cekura.assert(client:request("GET", "/echo/"))
      local stats = client:stats()
      assert.equal(2, stats.requests)
      assert.equal(0, stats.retries)
      assert.equal(0, stats.in_flight)
      assert.equal(1, stats.max_in_flight)
      assert.equal(1, stats.connections)
      assert.is_true(stats.bytes_in > 200)
      assert.is_true(stats.longest_step > 0)
    end)

    it("has at most max_in_flight requests in flight", function()
      client = server:renew_client { max_in_flight = 3 }
      server:script("/x/", { { hold = "all" } })
      cekura.run(function()
        for _ = 1, 10 do
          cekura.spawn(function()
            cekura.assert(client:request("GET", "/x/"))
          end)
        end
        server:wait_for("/x/", 3)
        cekura.sleep(0.05) -- time for a fourth request
        server:release "all"
      end)
      local stats = client:stats()
      assert.equal(3, stats.max_in_flight)
      assert.equal(3, stats.connections)
      assert.equal(10, stats.requests)
    end)
  end)

  describe("on_event", function()
    it("gets requests that start, retry and finish, and jobs that change, but never the key", function()
      local events = {}
      client = server:renew_client { on_event = function(event)
        events[#events + 1] = event
      end }
      ask { { status = 503, headers = { ["Retry-After"] = "0" } }, { body = {} } }
      local names = {}
      for index, event in ipairs(events) do
        names[index] = event.name
        for _, value in pairs(event) do
          assert.is_nil(tostring(value):find("sim-key", 1, true))
        end
      end
      assert.same({ "request_started", "request_retried", "request_started", "request_finished" }, names)
      assert.equal("/x/", events[1].path)
      assert.equal("GET", events[1].method)
      assert.equal(503, events[2].status)
      assert.equal(0, events[2].pause)
      assert.equal(2, events[4].attempt)
      assert.equal(200, events[4].status)

      events = {}
      local job = cekura.assert(client.calls:improve_prompt { call_logs = { 1 }, prompt = "x", agent_id = 1 })
      cekura.assert(job:wait { interval = 0.01 })
      local states = {}
      for _, event in ipairs(events) do
        if event.name == "job_changed" then
          assert.equal(job, event.job)
          states[#states + 1] = event.status
        end
      end
      assert.same({ "queued", "processing", "completed" }, states)
    end)

    it("that raises about a job raises in the job's wait, even if the job does not change", function()
      local loud = false
      client = server:renew_client { headers = { ["X-Simulate"] = "life=endless" }, on_event = function(event)
        if event.job and loud then
          error "boom"
        end
      end }
      local job = cekura.assert(client.calls:improve_prompt { call_logs = { 1 }, prompt = "x" })
      patience.with_enough_time(0.2, function(seconds)
        job:wait { timeout = seconds, interval = 0.01 }
        return job.polls > 2
      end)
      loud = true
      local ok, raised = pcall(job.wait, job, { timeout = 60, interval = 0.01 })
      assert.is_false(ok)
      assert.truthy(tostring(raised):find "boom")
      local fresh = cekura.assert(client:job("calls.improve_prompt", job.id))
      ok, raised = pcall(fresh.poll, fresh)
      assert.is_false(ok)
      assert.truthy(tostring(raised):find "boom")
    end)

    it("that raises during a start does not lose the job", function()
      client = server:renew_client { on_event = function(event)
        if event.method == "POST" and event.name == "request_finished" then
          error "boom"
        end
      end }
      local job = cekura.assert(client.calls:improve_prompt { call_logs = { 1 }, prompt = "x" })
      local ok, raised = pcall(job.wait, job, { interval = 0.01 })
      assert.is_false(ok)
      assert.truthy(tostring(raised):find "boom")
      assert.truthy(cekura.assert(job:wait { interval = 0.01 }).improved_prompt)
    end)

    it("that raises about a request raises only in the task that waits for that request", function()
      client = server:renew_client { on_event = function(event)
        if event.path == "/bad/" then
          error "boom"
        end
      end }
      server:script("/bad/", { { body = {} } })
      server:script("/x/", { { body = {} } })
      cekura.run(function()
        local bad = cekura.spawn(client.request, client, "GET", "/bad/")
        local good = cekura.spawn(client.request, client, "GET", "/x/")
        local response, err = bad:join()
        assert.is_nil(response)
        assert.truthy(tostring(err):find "boom")
        assert.equal(200, cekura.assert(good:join()).status)
      end)
    end)
  end)
end)

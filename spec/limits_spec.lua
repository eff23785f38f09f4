-- Every size that a server chooses has a limit; SECURITY.md lists them. This file tests the limits of the engine,
-- library_limits_spec.lua those of the library.

local cekura = require "cekura"
local files = require "spec.support.file"
local shell = require "spec.support.shell"
local simulator = require "spec.support.simulator"

local START = "/observability/v1/call-logs/improve_prompt_bg/"

describe("an answer that exceeds a limit", function()
  local server = simulator.during(setup, teardown)
  local client

  before_each(function()
    client = server:renew_client { retries = 0 }
    server:reset()
  end)

  local function answered(reply)
    server:script("/x/", { reply })
    return client:request("GET", "/x/")
  end

  local function assert_refused(message, reply)
    local answer, err = answered(reply)
    assert.is_nil(answer)
    assert.equal("protocol", err.kind)
    assert.truthy(err.message:find(message, 1, true), err.message)
    assert.is_true(#err.message < 800)
  end

  local TOO_MANY = "the headers are larger than 262144 bytes"
  local BODY = "Content-Length: 2\r\n\r\n{}"

  -- Checks that a start with this answer is a protocol error, and is never repeated.
  local function assert_start_refused(raw)
    server:reset()
    server:script(START, { { raw = raw } })
    local _, err = client.calls:improve_prompt { call_logs = { 1 }, prompt = "x" }
    assert.equal("protocol", err.kind)
    assert.is_true(err.sent)
    assert.equal(1, err.attempts)
    assert.equal(1, #server:requests())
  end

  local function assert_too_many(raw)
    assert_refused(TOO_MANY, { raw = raw })
    assert_start_refused(raw)
  end

  local function with_headers(lines)
    return "HTTP/1.1 200 OK\r\n" .. lines .. BODY
  end

  it("in its headers is cut off, whether they are long or many", function()
    assert.truthy(answered { raw = with_headers(("X-A: 1\r\n"):rep(4000)) })
    assert_too_many(with_headers(("X-A: 1\r\n"):rep(4100)))
    assert_too_many(with_headers(("X-A: 1\r\n"):rep(40000)))
    local long = "X-A: " .. ("x"):rep(90000) .. "\r\n"
    assert.truthy(answered { raw = with_headers(long:rep(2)) })
    assert_too_many(with_headers(long:rep(3)))
  end)

  -- libcurl itself refuses it; before 8.6 it reports a lack of memory.
  it("in one line of its head is cut off, on a reused connection as well", function()
    local long = "X-A: " .. ("x"):rep(200000) .. "\r\n"
    assert_too_many(with_headers(long))
    for _ = 1, 5 do
      assert.truthy(answered { body = {} })
      assert_too_many(with_headers(long))
    end
    assert_too_many("HTTP/1.1 200 " .. ("x"):rep(200000) .. "\r\n" .. BODY)
    assert_too_many("HTTP/1.1 103 Early Hints\r\n" .. long .. "\r\n" .. with_headers "")
    assert_too_many(with_headers("X-A: 1\r\n " .. ("x"):rep(200000) .. "\r\n"))
  end)

  -- libcurl before 8.1 appends such a line to the last header of the handle's previous answer, and frees that twice. A
  -- hardened allocator then aborts the program, so it runs in a separate process.
  it("by a first line that continues no header is protocol, whatever the handle had before", function()
    local code = ([[
      local cekura = require "cekura"
      local client = cekura.assert(cekura.new { api_key = "sim-key", base_url = %q, config_file = false, retries = 0 })
      for round = 1, 40 do
        cekura.assert(client:request("GET", round %% 3 == 0 and "/headers/" or "/echo/"))
        for _, path in ipairs { "/folded/", "/tab/", "/early/", "/folded/" } do
          local answer, err = client:request("GET", path)
          assert(not answer and err.kind == "protocol", tostring(err))
        end
        local answer, err = client:request("GET", "/later/")
        assert(answer and answer.headers["x-a"] or err.kind == "protocol", tostring(err))
      end
    ]]):format(server.url)
    server:script("/folded/", { { raw = with_headers " X-A: folded\r\n" } })
    server:script("/tab/", { { raw = with_headers "\t\r\n" } })
    local early = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    server:script("/early/", { { raw = early .. with_headers " X-A: y\r\n" } })
    server:script("/later/", { { raw = with_headers "X-A: a\r\n b\r\n" } })
    server:script("/headers/", { { raw = with_headers("X-A: " .. ("b"):rep(9000) .. "\r\n") } })
    local output, status = files.temporary(code, function(path)
      return shell((os.getenv "CEKURA_LUA" or "lua5.4") .. " " .. path)
    end)
    assert.equal("", output)
    assert.equal(0, status)
  end)

  it("by one header many times is read", function()
    local headers = cekura.assert(answered { raw = with_headers(("a: x\r\n"):rep(4000)) }).headers
    assert.equal(("x, "):rep(3999) .. "x", headers.A)
  end)

  it("in its 1xx answers is cut off", function()
    local early = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    assert.truthy(answered { raw = early:rep(1000) .. with_headers "" })
    assert_too_many(early:rep(1500) .. with_headers "")
    assert_too_many(early:rep(7000) .. with_headers "")
  end)

  it("in its trailers is cut off", function()
    local chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n"
    assert.truthy(answered { raw = chunked .. ("X-A: 1\r\n"):rep(1000) .. "\r\n" })
    assert_too_many(chunked .. ("X-A: 1\r\n"):rep(4100) .. "\r\n")
    assert_too_many(chunked .. ("X-A: 1\r\n"):rep(40000) .. "\r\n")
    assert_too_many(chunked .. "X-A: " .. ("x"):rep(5000) .. "\r\n\r\n")
  end)

  it("by lines that are not headers is protocol", function()
    for _, line in ipairs { "no colon", "HTTP 200", ("x"):rep(1000) } do
      for _ = 1, 2 do
        local _, err = answered { raw = with_headers(line .. "\r\n") }
        assert.equal("protocol", err.kind)
      end
    end
  end)

  -- libcurl takes some of these for a status of 200; which ones depends on its version.
  it("by a status line that is not HTTP/1 is protocol, and unknown_outcome for a start", function()
    for _, line in ipairs {
      "HTTP/2 200", "HTTP/2.1 304 Not Modified", "HTTP/1.1 2000 OK", "HTTP/1.1  200 OK", "http/1.1 200 OK",
      "HTTP/1.1 OK", "HTTP/1.1 099 OK", "ICY 200 OK",
    } do
      local raw = line .. "\r\n" .. BODY
      local _, err = answered { raw = raw }
      assert.equal("protocol", err.kind, line)
      server:script(START, { { raw = raw } })
      _, err = client.calls:improve_prompt { call_logs = { 1 }, prompt = "x" }
      assert.equal("unknown_outcome", err.kind, line)
      assert.equal("protocol", err.cause.kind, line)
    end
  end)

  it("in its body is cut off at max_response, with or without an announced length", function()
    client = server:renew_client { retries = 0, max_response = 1000 }
    for _, chunked in ipairs { false, true } do
      assert.equal(1000, #cekura.assert(answered { size = 1000, chunked = chunked }).body)
      local _, err = answered { size = 1001, chunked = chunked }
      assert.equal("protocol", err.kind)
      assert.is_true(#err.response.body <= 1000)
    end
  end)
end)

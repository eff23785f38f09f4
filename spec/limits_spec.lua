-- Every size that a server chooses has a limit; SECURITY.md lists them. Those of the engine are here, those of the
-- library in library_limits_spec.lua.

local cekura = require "cekura"
local simulator = require "spec.support.simulator"

local START = "/observability/v1/call-logs/improve_prompt_bg/"

describe("a server that says too much", function()
  local server = simulator.during(setup, teardown)
  local client

  before_each(function()
    server:reset()
    client = server:client { retries = 0 }
  end)

  after_each(function()
    client:close()
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

  -- A start that meets this is not known to have failed, and is never sent again.
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

  it("in headers is cut off, be they long or many", function()
    assert.truthy(answered { raw = with_headers(("X-A: 1\r\n"):rep(4000)) })
    assert_too_many(with_headers(("X-A: 1\r\n"):rep(4100)))
    assert_too_many(with_headers(("X-A: 1\r\n"):rep(40000)))
    local long = "X-A: " .. ("x"):rep(90000) .. "\r\n"
    assert.truthy(answered { raw = with_headers(long:rep(2)) })
    assert_too_many(with_headers(long:rep(3)))
  end)

  -- libcurl refuses it itself: before 8.6, as a lack of memory.
  it("in one line of the head is cut off, on a used connection too", function()
    local long = "X-A: " .. ("x"):rep(200000) .. "\r\n"
    assert_too_many(with_headers(long))
    assert.truthy(answered { body = {} })
    assert_too_many(with_headers(long))
    assert_too_many("HTTP/1.1 200 " .. ("x"):rep(200000) .. "\r\n" .. BODY)
    assert_too_many("HTTP/1.1 103 Early Hints\r\n" .. long .. "\r\n" .. with_headers "")
    assert_too_many(with_headers("X-A: 1\r\n " .. ("x"):rep(200000) .. "\r\n"))
  end)

  it("in one header many times over is read in one go", function()
    local headers = cekura.assert(answered { raw = with_headers(("a: x\r\n"):rep(4000)) }).headers
    assert.equal(("x, "):rep(3999) .. "x", headers.A)
  end)

  it("in answers before the answer is cut off", function()
    local early = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    assert.truthy(answered { raw = early:rep(1000) .. with_headers "" })
    assert_too_many(early:rep(1500) .. with_headers "")
    assert_too_many(early:rep(7000) .. with_headers "")
  end)

  it("behind the last chunk is cut off", function()
    local chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n"
    assert.truthy(answered { raw = chunked .. ("X-A: 1\r\n"):rep(1000) .. "\r\n" })
    assert_too_many(chunked .. ("X-A: 1\r\n"):rep(4100) .. "\r\n")
    assert_too_many(chunked .. ("X-A: 1\r\n"):rep(40000) .. "\r\n")
    assert_too_many(chunked .. "X-A: " .. ("x"):rep(5000) .. "\r\n\r\n")
  end)

  it("in a head whose lines are no headers is protocol", function()
    for _, line in ipairs { "no colon", "HTTP 200", ("x"):rep(1000) } do
      for _ = 1, 2 do
        local _, err = answered { raw = with_headers(line .. "\r\n") }
        assert.equal("protocol", err.kind)
      end
    end
  end)

  it("in a body is cut off at max_response, announced or not", function()
    client:close()
    client = server:client { retries = 0, max_response = 1000 }
    for _, chunked in ipairs { false, true } do
      assert.equal(1000, #cekura.assert(answered { size = 1000, chunked = chunked }).body)
      local _, err = answered { size = 1001, chunked = chunked }
      assert.equal("protocol", err.kind)
      assert.is_true(#err.response.body <= 1000)
    end
  end)

  it("in layers of compression is not unpacked", function()
    local reply = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Encoding: %s\r\n\r\nabcde"
    assert_refused("not asked for", { raw = reply:format(("gzip, "):rep(5) .. "gzip") })
    for _, name in ipairs { "br", "zstd", "gzip, br", "BR", "compress", "x", "gzip;br" } do
      assert_refused("not asked for", { raw = reply:format(name) })
      assert_refused("not asked for", { raw = reply:gsub("Content%-Enc", "Transfer-Enc"):format(name) })
    end
    assert.equal("abcde", cekura.assert(answered { raw = reply:format " identity" }).body)
  end)
end)

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

  it("in headers is cut off, be they long or many", function()
    assert.truthy(answered { raw = "HTTP/1.1 200 OK\r\n" .. ("X-A: 1\r\n"):rep(30000) .. BODY })
    assert_refused(TOO_MANY, { raw = "HTTP/1.1 200 OK\r\n" .. ("X-A: 1\r\n"):rep(40000) .. BODY })
    local long = "X-A: " .. ("x"):rep(90000) .. "\r\n"
    assert.truthy(answered { raw = "HTTP/1.1 200 OK\r\n" .. long:rep(2) .. BODY })
    assert_refused(TOO_MANY, { raw = "HTTP/1.1 200 OK\r\n" .. long:rep(3) .. BODY })
  end)

  it("in one header many times over is read in one go", function()
    local headers = cekura.assert(answered { raw = "HTTP/1.1 200 OK\r\n" .. ("a: x\r\n"):rep(40000) .. BODY }).headers
    assert.equal(("x, "):rep(39999) .. "x", headers.A)
  end)

  it("in answers before the answer is cut off", function()
    local early = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    local last = "HTTP/1.1 200 OK\r\n" .. BODY
    assert.truthy(answered { raw = early:rep(1000) .. last })
    assert_refused(TOO_MANY, { raw = early:rep(7000) .. last })
    server:script(START, { { raw = early:rep(7000) .. last } })
    local _, err = client.calls:improve_prompt { call_logs = { 1 }, prompt = "x" }
    assert.equal("unknown_outcome", err.kind)
  end)

  it("behind the last chunk is cut off", function()
    local chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n"
    assert.truthy(answered { raw = chunked .. "X-A: 1\r\n\r\n" })
    assert_refused(TOO_MANY, { raw = chunked .. ("X-A: 1\r\n"):rep(40000) .. "\r\n" })
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
    assert_refused("content encoding", { raw = reply:format(("gzip, "):rep(5) .. "gzip") })
    for _, name in ipairs { "br", "zstd", "gzip, br", "BR", "compress", "x", "gzip;br" } do
      assert_refused("not asked for", { raw = reply:format(name) })
      assert_refused("not asked for", { raw = reply:gsub("Content%-Enc", "Transfer-Enc"):format(name) })
    end
    assert.equal("abcde", cekura.assert(answered { raw = reply:format " identity" }).body)
  end)
end)

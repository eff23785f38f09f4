-- Bodies that are compressed, or in an encoding that the request does not accept.

local cekura = require "cekura"
local core = require "cekura.core"
local file = require "spec.support.file"
local shell = require "spec.support.shell"
local simulator = require "spec.support.simulator"

local START = "/observability/v1/call-logs/improve_prompt_bg/"

-- Compresses a body with Python's zlib in each way of Content-Encoding.
local MAKE = [[
import sys, zlib
body, folder = open(sys.argv[1], "rb").read(), sys.argv[2]
for name, bits in ("gzip", 31), ("zlib", 15), ("raw", -15):
    coder = zlib.compressobj(6, zlib.DEFLATED, bits)
    open(folder + "/" + name, "wb").write(coder.compress(body) + coder.flush())
# 64 MB of zeros in one layer and in two; many empty blocks
def bomb(name, piece, count, last, layers):
    coders = [zlib.compressobj(9, zlib.DEFLATED, 31) for _ in range(layers)]
    def code(data, flush):
        for coder in coders:
            data = coder.compress(data) + (coder.flush() if flush else b"")
        return data
    with open(folder + "/" + name, "wb") as out:
        for _ in range(count): out.write(code(piece, False))
        out.write(code(last, True))
bomb("zeros", b"\0" * 1048576, 64, b"", 1)
bomb("layers", b"\0" * 1048576, 64, b"", 2)
coder = zlib.compressobj(9, zlib.DEFLATED, -15)
open(folder + "/nothing", "wb").write(b"\x00\x00\x00\xff\xff" * 400000 + coder.compress(body) + coder.flush())
]]

describe("a compressed body", function()
  local server = simulator.during(setup, teardown)
  local body = '{"text":"' .. ("ab\\n"):rep(3000) .. '","id":1}'
  local dir, client
  local coded = {}

  setup(function()
    dir = shell "mktemp -d":gsub("%s", "")
    file.write(dir .. "/body", body)
    file.write(dir .. "/make.py", MAKE)
    assert.equal("", (shell(("python3 %s/make.py %s/body %s"):format(dir, dir, dir))))
    for _, name in ipairs { "gzip", "zlib", "raw" } do
      coded[name] = file.read(dir .. "/" .. name)
    end
  end)

  teardown(function()
    shell("rm -rf " .. dir)
  end)

  before_each(function()
    client = server:renew_client { retries = 0 }
    server:reset()
  end)

  -- Lets the server answer with these bytes.
  local function send(path, bytes)
    server.service:script(path, { { raw = bytes } })
  end

  local function reply(headers, bytes)
    return ("HTTP/1.1 200 OK\r\n%s\r\nContent-Length: %d\r\n\r\n"):format(headers, #bytes) .. bytes
  end

  local function answered(headers, bytes)
    send("/x/", reply(headers, bytes))
    return client:request("GET", "/x/")
  end

  local function assert_read(headers, bytes, expected)
    assert.equal(expected or body, cekura.assert(answered(headers, bytes)).body)
  end

  local function assert_refused(headers, bytes, message)
    local answer, err = answered(headers, bytes)
    assert.is_nil(answer)
    assert.equal("protocol", err.kind)
    assert.truthy(err.message:find(message, 1, true), err.message)
    send(START, reply(headers, bytes))
    answer, err = client.calls:improve_prompt { call_logs = { 1 }, prompt = "x" }
    assert.is_nil(answer)
    assert.equal("protocol", err.kind)
    assert.is_true(err.sent)
    assert.equal(1, err.attempts)
  end

  local UNASKED, BROKEN, CUT = "not requested", "is corrupt", "is truncated"

  it("is requested as gzip, unless the program sets the header", function()
    local function offered(given)
      local echo = cekura.assert(client:request("GET", "/echo/", { headers = given })):json()
      return echo.headers["accept-encoding"]
    end
    assert.equal("gzip", offered())
    assert.equal("identity", offered { ["Accept-Encoding"] = "identity" })
    client = server:renew_client { headers = { ["accept-encoding"] = "deflate" } }
    assert.equal("deflate", offered())
  end)

  it("is read in gzip and deflate, under each of their names", function()
    for _, name in ipairs { "gzip", "x-gzip", "GZIP", " gzip ", "identity, gzip", "gzip,none", ",gzip," } do
      assert_read("Content-Encoding: " .. name, coded.gzip)
    end
    for _, name in ipairs { "deflate", "Deflate", "identity, deflate" } do
      assert_read("Content-Encoding: " .. name, coded.zlib)
      assert_read("content-encoding:" .. name, coded.raw)
    end
    for _, name in ipairs { "identity", "none", "", "identity, none" } do
      assert_read("Content-Encoding: " .. name, body)
    end
    assert_read("Content-Encoding: identity\r\nContent-Encoding: gzip", coded.gzip)
    assert_read("Content-Encoding:\r\n gzip", coded.gzip)
    assert_read("Content-Encoding: gzip\r\nX-Content-Encoding: br\r\nContent-Encoding-X: br", coded.gzip)
  end)

  it("in another encoding, or in several, is refused", function()
    for _, name in ipairs {
      "br", "zstd", "BR", "compress", "x", "gzip;br", "gzip, br", "gzip, gzip", "deflate, gzip, gzip", "chunked",
      ("gzip, "):rep(5) .. "gzip", "gzip\r\nContent-Encoding: gzip", "gzip\r\n ,gzip",
    } do
      assert_refused("Content-Encoding: " .. name, coded.gzip, UNASKED)
    end
  end)

  it("in a Transfer-Encoding other than chunked is refused", function()
    for _, name in ipairs {
      "gzip", "x-gzip", "deflate", "br", "identity", "gzip, chunked", "chunked, gzip", "chunked, chunked", "compress",
      "chunked;x=1", "chunked\r\nTransfer-Encoding: chunked", ("gzip, "):rep(6) .. "chunked",
    } do
      assert_refused("Transfer-Encoding: " .. name, "5\r\nabcde\r\n0\r\n\r\n", UNASKED)
    end
    send("/x/", "HTTP/1.1 200 OK\r\nTransfer-Encoding: CHUNKED\r\n\r\n2\r\n{}\r\n0\r\n\r\n")
    assert.equal("{}", cekura.assert(client:request("GET", "/x/")).body)
  end)

  it("may have several members, and zero bytes after the last", function()
    local members = coded.gzip:rep(3)
    assert_read("Content-Encoding: gzip", members, body:rep(3))
    assert_read("Content-Encoding: gzip", members .. ("\0"):rep(20000), body:rep(3))
    assert_read("Content-Encoding: deflate", coded.zlib .. ("\0"):rep(20000))
    assert_read("Content-Encoding: deflate", coded.raw .. "\0")
  end)

  it("with other bytes after its end is refused", function()
    for _, tail in ipairs { "x", "\r\n", "\0x", ("\0"):rep(20000) .. "\1", "\0" .. coded.gzip } do
      assert_refused("Content-Encoding: gzip", coded.gzip .. tail .. "yz", BROKEN)
      assert_refused("Content-Encoding: deflate", coded.zlib .. tail, BROKEN)
      assert_refused("Content-Encoding: deflate", coded.raw .. tail, BROKEN)
    end
    assert_refused("Content-Encoding: deflate", coded.zlib .. coded.zlib, BROKEN)
    assert_refused("Content-Encoding: gzip", coded.gzip .. coded.gzip:sub(1, -2), CUT)
  end)

  it("that is truncated, broken or of another format is refused", function()
    for _, length in ipairs { 0, 1, 2, 5, 10, 15, 40, #coded.gzip - 8, #coded.gzip - 1 } do
      assert_refused("Content-Encoding: gzip", coded.gzip:sub(1, length), CUT)
      assert_refused("Content-Encoding: deflate", coded.zlib:sub(1, math.min(length, #coded.zlib - 1)), CUT)
      assert_refused("Content-Encoding: deflate", coded.raw:sub(1, math.min(length, #coded.raw - 1)), CUT)
    end
    assert_refused("Content-Encoding: gzip", coded.gzip:sub(1, -9) .. "\1\2\3\4" .. coded.gzip:sub(-4), BROKEN)
    assert_refused("Content-Encoding: gzip", coded.gzip:sub(1, -2) .. "\255", BROKEN)
    assert_refused("Content-Encoding: gzip", body, BROKEN)
    assert_refused("Content-Encoding: gzip", coded.zlib, BROKEN)
    assert_refused("Content-Encoding: deflate", coded.gzip, BROKEN)
  end)

  it("that is incomplete makes the outcome of a start unknown", function()
    send(START, reply("Content-Encoding: gzip", coded.gzip):sub(1, -20))
    local _, err = client.calls:improve_prompt { call_logs = { 1 }, prompt = "x" }
    assert.equal("unknown_outcome", err.kind)
    assert.equal("protocol", err.cause.kind)
  end)

  it("may be absent where an answer has no body", function()
    for _, encoding in ipairs { "gzip", "deflate", "br", "gzip, gzip" } do
      local head = "\r\nContent-Encoding: " .. encoding .. "\r\n"
      send("/x/", "HTTP/1.1 204 No Content" .. head .. "\r\n")
      assert.equal("", cekura.assert(client:request("GET", "/x/")).body)
      send("/x/", "HTTP/1.1 304 Not Modified" .. head .. "Content-Length: 9\r\n\r\n")
      local answer, err = client:request("GET", "/x/", { headers = { ["If-None-Match"] = '"x"' } })
      assert.equal(304, answer and answer.status or err.status)
      send("/x/", "HTTP/1.1 200 OK" .. head .. "Content-Length: 9\r\n\r\n")
      assert.equal(200, cekura.assert(client:request("HEAD", "/x/")).status)
      send("/x/", "HTTP/1.1 103 Early Hints" .. head .. "\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
      assert.equal("{}", cekura.assert(client:request("GET", "/x/")).body)
    end
  end)

  it("is not affected by a trailer", function()
    send("/x/", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n"
      .. "Content-Encoding: br\r\nTransfer-Encoding: gzip\r\nHTTP/1.1: 200\r\n\r\n")
    assert.equal("{}", cekura.assert(client:request("GET", "/x/")).body)
  end)

  it("may arrive byte by byte, in chunks", function()
    for name, encoding in pairs { gzip = "gzip", zlib = "deflate", raw = "deflate" } do
      local bytes = coded[name]
      local chunks = bytes:gsub(".", function(byte) return "1\r\n" .. byte .. "\r\n" end)
      send("/x/", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: " .. encoding
        .. "\r\n\r\n" .. chunks .. "0\r\n\r\n")
      assert.equal(body, cekura.assert(client:request("GET", "/x/")).body)
    end
  end)

  -- ---- bombs ----

  local SLICE = 256 * 1024 -- what one step takes in; a piece more is possible

  local function step_to_end(operation)
    while not core.outcome(client, operation) do
      core.step(client)
      if not core.outcome(client, operation) then
        core.wait({ client }, 20)
      end
    end
    return core.outcome(client, operation)
  end

  local function serve(name, encoding)
    server:script("/bomb/", { { file = dir .. "/" .. name, headers = { ["Content-Encoding"] = encoding } } })
    return core.submit(client, { method = "GET", url = server.url .. "/bomb/", timeout = 60 })
  end

  it("of zeros is decoded in slices, up to max_response", function()
    client = server:renew_client { retries = 0, max_response = 8 * 1024 * 1024 }
    local operation, steps = serve("zeros", "gzip"), 0
    while not core.outcome(client, operation) do
      core.step(client)
      steps = steps + 1
      if not core.outcome(client, operation) then
        core.wait({ client }, 20)
      end
    end
    local outcome = core.outcome(client, operation)
    assert.equal("too_large", outcome.kind)
    assert.equal(8 * 1024 * 1024, #outcome.body)
    assert.is_true(steps >= 8 * 1024 * 1024 / (SLICE + 16 * 1024))
  end)

  it("in several layers is refused before anything is decoded", function()
    for _, encoding in ipairs { "gzip, gzip", "deflate, gzip, gzip" } do
      local outcome = step_to_end(serve("layers", encoding))
      assert.equal("encoded", outcome.kind)
      assert.equal("", outcome.body)
    end
    local outcome = step_to_end(serve("layers", "gzip"))
    assert.is_nil(outcome.kind) -- the body is the inner layer
    assert.equal("\31\139", outcome.body:sub(1, 2))
  end)

  it("of hundreds of thousands of empty blocks is read", function()
    local outcome = step_to_end(serve("nothing", "deflate"))
    assert.is_nil(outcome.kind)
    assert.equal(body, outcome.body)
  end)

  it("does not delay other requests", function()
    local operation = serve("zeros", "gzip")
    core.step(client)
    assert.equal(200, cekura.assert(client:request("GET", "/echo/")).status)
    assert.is_nil(core.outcome(client, operation))
  end)
end)

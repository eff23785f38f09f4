--- The server of cekura.testing on the wire: HTTP as clients of any kind send it, and what is not HTTP.

local cekura = require "cekura"
local process = require "spec.support.process"
local shell = require "spec.support.shell"
local testing = require "cekura.testing"

local lua = os.getenv "CEKURA_LUA" or "lua5.4"

-- Sends the bytes of each file on a connection of its own, and prints what comes back until the server closes the
-- connection or, with `wait`, is silent for so long.
local CLIENT = [[
import socket, sys
port, wait = int(sys.argv[1]), float(sys.argv[2])
for path in sys.argv[3:]:
    bytes = open(path, "rb").read()
    peer = socket.create_connection(("127.0.0.1", port))
    peer.settimeout(wait)
    try:
        for part in bytes.split(b"\xfe\xff"):
            peer.sendall(part)
            if b"\xfe\xff" in bytes:
                __import__("time").sleep(0.05)
        while True:
            got = peer.recv(65536)
            if not got:
                sys.stdout.buffer.write(b"[closed]")
                break
            sys.stdout.buffer.write(got)
    except socket.timeout:
        pass
    except OSError:
        sys.stdout.buffer.write(b"[reset]")
    sys.stdout.buffer.write(b"[end]")
]]

describe("the server of cekura.testing", function()
  local service, dir

  setup(function()
    service = cekura.assert(testing.start())
    dir = shell "mktemp -d":match "%S+"
    local program = assert(io.open(dir .. "/client.py", "w"))
    program:write(CLIENT)
    program:close()
  end)

  teardown(function()
    service:stop()
    shell("rm -rf " .. dir)
  end)

  before_each(function()
    service:reset()
  end)

  -- Sends each text on a connection, with pauses at "\254\255"; returns the answers.
  local function send(texts, wait)
    local paths = {}
    for index, text in ipairs(texts) do
      paths[index] = ("%s/%d"):format(dir, index)
      local out = assert(io.open(paths[index], "wb"))
      out:write(text)
      out:close()
    end
    local output, status = shell(("timeout 300 python3 %s/client.py %s %g %s"):format(dir, service.url:match "%d+$",
      wait or 20, table.concat(paths, " ")))
    assert.equal(0, status, output)
    local answers = {}
    for answer in output:gmatch "(.-)%[end%]" do
      answers[#answers + 1] = answer
    end
    assert.equal(#texts, #answers)
    return answers
  end

  local LAST = "GET /echo/last HTTP/1.1\r\nConnection: close\r\n\r\n"

  local function statuses(answer)
    local list = {}
    for status in answer:gmatch "HTTP/1%.1 (%d+)" do
      list[#list + 1] = status
    end
    return table.concat(list, " ")
  end

  it("keeps connections, and answers requests that come at once in their order", function()
    local many = ("GET /echo/ HTTP/1.1\r\nHost: x\r\n\r\n"):rep(500) .. LAST
    local answer = send({ many })[1]
    assert.equal(("200 "):rep(500) .. "200", statuses(answer))
    assert.truthy(answer:find("Connection: keep-alive", 1, true))
    assert.truthy(answer:find '"path":"/echo/last"}%[closed%]$')
    local connection = {}
    for _, request in ipairs(service:requests()) do
      connection[#connection + 1] = request.path
    end
    assert.equal(501, #connection)
  end)

  it("reads requests in pieces of any size, at any place", function()
    local text = "POST /x/ HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"
    local pieces = text:gsub(".", "%0\254\255")
    service:script("/x/", { { body = "got it" } })
    assert.truthy(send({ pieces .. LAST })[1]:find("got it", 1, true))
    assert.equal("hello", service:requests()[1].body)
  end)

  it("reads bodies in chunks, with extensions and a trailer", function()
    local chunked = "POST /x/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    send { chunked .. "5\r\nhello\r\n6;a=b\r\n world\r\n0\r\nTrailer: x\r\n\r\n" .. LAST,
      chunked .. "\254\2555\r\nhe\254\255llo\r\254\255\nA \r\n0123456789\r\n0\r\n\r\n" .. LAST,
      chunked .. "0\r\n\r\n" .. LAST }
    local bodies = {}
    for _, request in ipairs(service:requests { path = "/x/" }) do
      bodies[#bodies + 1] = request.body
    end
    assert.same({ "hello world", "hello0123456789", "" }, bodies)
  end)

  it("has a client go on that waits for 100 Continue", function()
    service:script("/x/", { {} })
    local output = shell(("head -c 3000000 /dev/zero | timeout 20 curl -s -o /dev/null -w '%%{http_code}' "
      .. "-H 'Expect: 100-continue' --data-binary @- %s/x/"):format(service.url))
    assert.equal("200", output)
    assert.equal(3000000, #service:requests()[1].body)
    local waiting = "POST /echo/ HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n\254\255hi"
    local answer = send({ waiting .. LAST })[1]
    assert.equal("100 200 200", statuses(answer))
  end)

  it("sends no body to HEAD, and none with 204 and 304", function()
    service:script("/x/", { { body = "body" }, { status = 204, body = "body" }, { status = 304, body = "body" } })
    local answer = send({ "HEAD /x/ HTTP/1.1\r\n\r\nGET /x/ HTTP/1.1\r\n\r\nGET /x/ HTTP/1.1\r\n\r\n" .. LAST })[1]
    assert.equal("200 204 304 200", statuses(answer))
    assert.is_nil(answer:gsub("{.*$", ""):find "\r\nbody")
    assert.truthy(answer:find("Content-Length: 4", 1, true))
  end)

  it("speaks HTTP/1.0, whose connections end", function()
    service:script("/x/", { { body = "body", chunked = true } })
    local answers = send { "GET /x/ HTTP/1.0\r\n\r\n", "GET /echo/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" .. LAST }
    assert.truthy(answers[1]:find("\r\n\r\nbody[closed]", 1, true), answers[1])
    assert.is_nil(answers[1]:find("Transfer-Encoding", 1, true))
    assert.equal("200 200", statuses(answers[2]))
  end)

  it("takes targets with a host, and any header names", function()
    send { "GET http://example.org/x/?a=b HTTP/1.1\r\nX-A: 1\r\nx-a: 2\r\nEmpty:\r\nConnection: close\r\n\r\n" }
    local request = service:requests()[1]
    assert.same({ "/x/", { a = "b" }, "1, 2", "" },
      { request.path, request.query, request.headers["x-a"], request.headers.empty })
  end)

  it("refuses what is not a request, and ends the connection", function()
    local get = "GET / HTTP/1.1\r\n"
    local cases = {
      ["400"] = { "\r\n\r\nhello\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/1.1 x\r\n\r\n", "GET  HTTP/1.1\r\n\r\n",
        "CONNECT localhost:1 HTTP/1.1\r\n\r\n",
        "G\0T / HTTP/1.1\r\n\r\n", get .. "no colon\r\n\r\n", get .. "Name : value\r\n\r\n", get .. " folded\r\n\r\n",
        get .. "A: b\r\n c\r\n\r\n", get .. "A: \0\r\n\r\n", get .. "Content-Length: x\r\n\r\n",
        get .. "Content-Length: -1\r\n\r\n", get .. "Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
        get .. "Content-Length:\r\n\r\n", get .. "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        get .. "Transfer-Encoding: chunked\r\n\r\nx\r\n", get .. "Transfer-Encoding: chunked\r\n\r\n5\r\nhelloo\r\n",
        get .. "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n", "\22\3\1\2\0\1\0\1\252\3\3\r\n",
        ("A"):rep(100) .. "\n" },
      ["413"] = { get .. "Content-Length: 67108865\r\n\r\n", get .. "Content-Length: 99999999999999999999999\r\n\r\n" },
      ["417"] = { get .. "Expect: the unexpected\r\n\r\n" },
      ["414"] = { ("A"):rep(70000), "GET /" .. ("x"):rep(70000) .. " HTTP/1.1\r\n\r\n" },
      ["431"] = { get .. ("Name: value\r\n"):rep(6000) },
      ["501"] = { get .. "Transfer-Encoding: gzip\r\n\r\n" },
      ["505"] = { "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" },
    }
    for status, texts in pairs(cases) do
      for index, answer in ipairs(send(texts)) do
        assert.equal(status, statuses(answer), ("%q"):format(texts[index]:sub(1, 90)))
        assert.truthy(answer:find "%[closed%]$", texts[index]:sub(1, 90))
      end
    end
    assert.equal(0, #service:requests())
  end)

  it("keeps line breaks out of the heads of its replies", function()
    service:script("/x/", { { headers = { ["X-A"] = "1\r\nX-B: 2\r\n\r\nbody" } } })
    local answer = send({ "GET /x/ HTTP/1.1\r\nConnection: close\r\n\r\n" })[1]
    assert.is_nil(answer:find("\nX-B", 1, true))
  end)

  it("survives any bytes", function()
    math.randomseed(7)
    local parts = { "GET ", "POST ", "/echo/", " HTTP/1.1", "\r\n", "\r\n\r\n", "\n", ":", "Content-Length: ", "5", "0",
      "Transfer-Encoding: chunked", "ffffffff", "\0", "\255", "Expect: 100-continue", ("x"):rep(3000), "\254\255" }
    local texts = {}
    for index = 1, 150 do
      local text = {}
      for place = 1, math.random(1, 25) do
        text[place] = parts[math.random(#parts)]
      end
      texts[index] = table.concat(text)
    end
    send(texts, 0.05)
    local client = service:client()
    assert.truthy(client:request("GET", "/echo/"))
    client:close()
  end)

  it("goes on when descriptors run out, without connections that are idle", function()
    local sim = process.start(("sh -c 'cd %s && ulimit -n 40 && exec spec/env %s %s bin/cekura-lua sim'"):format(
      shell "pwd":match "%S+", lua, lua), function(started)
      return started:output():find("CEKURA_API_KEY", 1, true)
    end)
    local client = cekura.assert(cekura.new { base_url = sim:output():match "URL=(%S+)", api_key = "sim-key",
      max_in_flight = 100, config_file = false })
    local good = 0
    cekura.run(function()
      for _ = 1, 300 do
        cekura.spawn(function()
          cekura.assert(client:request("GET", "/echo/"))
          good = good + 1
        end)
      end
    end)
    assert.equal(300, good)
    client:close()
    sim:signal "TERM"
    assert.is_truthy(process.eventually(function() return not sim:is_running() end))
    pcall(sim.stop, sim) -- its output has the key of the simulator
  end)
end)

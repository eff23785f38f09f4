-- The answer to a request, as a program reads it.

local cekura = require "cekura"
local errors = require "cekura.errors"
local response = require "cekura.http.response"
local sorted_keys = require "spec.support.sorted_keys"

local HEAD = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Trace:abc\r\nVary: Accept\r\nvary:  Origin \t\r\n"
  .. "X-Empty:\r\nDate: Sun, 22 Nov 2026 13:00:00 GMT\r\n\r\n"

local client

setup(function()
  client = assert(cekura.new { api_key = "sk-secret", base_url = "http://127.0.0.1:1", config_file = false })
end)

teardown(function()
  client:close()
end)

local function answer(body, status, head)
  return response.new(client, "GET", "/v1/things/?a=1",
    { status = status or 200, _head = head or HEAD, body = body or "{}" })
end

local function assert_protocol(err, status)
  assert.is_true(errors.is(err))
  assert.equal("protocol", err.kind)
  assert.equal(status or 200, err.status)
  assert.equal("GET", err.method)
  assert.equal("/v1/things/?a=1", err.path)
  assert.is_true(err.sent)
  assert.truthy(err.message:find("GET /v1/things/?a=1: HTTP " .. (status or 200) .. ": ", 1, true))
  assert.is_nil(tostring(err):find("%c"))
end

describe("a response", function()
  it("has status, body, method and path", function()
    local reply = answer("body", 201)
    assert.equal(201, reply.status)
    assert.equal("body", reply.body)
    assert.equal("GET", reply.method)
    assert.equal("/v1/things/?a=1", reply.path)
    assert.is_nil(reply.nothing_of_this_name)
  end)
end)

describe("headers", function()
  it("are found in any case", function()
    local headers = answer().headers
    for _, name in ipairs { "Content-Type", "content-type", "CONTENT-TYPE", "cOnTeNt-TyPe" } do
      assert.equal("application/json", headers[name])
    end
  end)

  it("of the same name are joined", function()
    assert.equal("Accept, Origin", answer().headers.vary)
    local head = "HTTP/2 200 \r\nset-cookie: a=1\r\nSet-Cookie: b=2\r\nSET-COOKIE: c=3\r\n\r\n"
    assert.equal("a=1, b=2, c=3", answer("", 200, head).headers["Set-Cookie"])
  end)

  it("have values without surrounding space, and with all their colons", function()
    local headers = answer().headers
    assert.equal("abc", headers["x-trace"])
    assert.equal("", headers["x-empty"])
    assert.equal("Sun, 22 Nov 2026 13:00:00 GMT", headers.date)
  end)

  it("that are missing are nil", function()
    local headers = answer().headers
    assert.is_nil(headers["x-other"])
    assert.is_nil(headers["http/1.1 200 ok"])
    assert.is_nil(headers[1])
    assert.is_nil(answer("", 204, "HTTP/2 204 \r\n\r\n").headers["content-type"])
    assert.is_nil(next(answer("", 0, "").headers))
  end)

  it("are a table of lower-case names", function()
    assert.same({ "content-type", "date", "vary", "x-empty", "x-trace" }, sorted_keys(answer().headers))
  end)

  it("are the same table at each read", function()
    local reply = answer()
    assert.equal(reply.headers, reply.headers)
  end)

  it("may be malformed without effect on the others", function()
    local head = "HTTP/1.1 200 OK\r\nnonsense\r\n: no name\r\nA: 1\r\nB : 2\r\nC: a:b\r\n\r\n"
    local headers = answer("", 200, head).headers
    assert.equal("1", headers.a)
    assert.equal("a:b", headers.c)
  end)
end)

describe("response:json()", function()
  it("returns the value, and no error", function()
    local value, err = answer('{"id":2142,"list":[1,null]}'):json()
    assert.is_nil(err)
    assert.equal(2142, value.id)
    assert.equal(cekura.null, value.list[2])
  end)

  it("may return any value", function()
    assert.equal("text", (answer('"text"'):json()))
    assert.equal(5, (answer("5"):json()))
    assert.is_false((answer("false"):json()))
    assert.equal(cekura.null, (answer("null"):json()))
    for _, body in ipairs { '"text"', "5", "false", "null", "[]" } do
      assert.is_nil((select(2, answer(body):json())))
    end
  end)

  for name, body in pairs {
    ["HTML"] = "<html>\n<body>Bad gateway</body>\r\n</html>", ["cut off"] = '{"id":21', ["plain text"] = "it broke",
    ["two values"] = "{} {}", ["a Latin-1 text"] = '{"a":"\228"}', ["binary"] = "\0\1\2\255", ["space"] = "  \r\n ",
  } do
    it(("returns an error with the status and an excerpt for a body that is not JSON: %s"):format(name), function()
      for _, status in ipairs { 200, 202 } do
        local reply = answer(body, status)
        local value, err = reply:json()
        assert.is_nil(value)
        assert_protocol(err, status)
        assert.equal(status, err.response.status)
        assert.equal(body, err.response.body)
        assert.equal("abc", err.response.headers["X-Trace"])
        assert.truthy(err.message:find(errors.excerpt(body), 1, true))
      end
    end)
  end

  it("returns an error that says so for an empty body", function()
    local value, err = answer(""):json()
    assert.is_nil(value)
    assert_protocol(err)
    assert.truthy(err.message:find("nothing$"))
  end)

  it("quotes the first 200 bytes of a long body that is not JSON", function()
    local body = "<html>" .. ("x"):rep(193) .. "Y" .. ("Z"):rep(100000)
    local _, err = answer(body):json()
    assert_protocol(err)
    assert.truthy(err.message:find(body:sub(1, 200), 1, true))
    assert.is_nil(err.message:find("Z", 1, true))
    assert.equal(body, err.response.body)
  end)
end)

describe("the key in an answer of the service", function()
  it("stays in the response, and is removed from errors", function()
    local reply = answer('your key is sk-secret', 200, "HTTP/1.1 200 OK\r\nX-Echo: sk-secret\r\n\r\n")
    local _, err = reply:json()
    assert_protocol(err)
    assert.is_nil(err.message:find("sk-secret", 1, true))
    assert.is_nil(err.response.body:find("sk-secret", 1, true))
    assert.is_nil(err.response.headers["X-Echo"]:find("sk-secret", 1, true))
    assert.equal("your key is sk-secret", reply.body)
    assert.equal("sk-secret", reply.headers["X-Echo"])
  end)
end)

describe("response.object()", function()
  it("returns an object, even an empty one", function()
    assert.same({ a = 1 }, (response.object(answer '{"a":1}')))
    assert.same({}, (response.object(answer "{}")))
    assert.is_nil((select(2, response.object(answer "{}"))))
  end)

  for _, body in ipairs {
    '"a string"', "[]", '[{"a":1}]', "null", "5", "true", "false", '"{\\"progress_id\\":\\"x\\"}"',
  } do
    it("returns an error for another value: " .. body, function()
      local object, err = response.object(answer(body, 201))
      assert.is_nil(object)
      assert_protocol(err, 201)
      assert.truthy(err.message:find(body, 1, true))
    end)
  end

  it("returns an error for a body that is not JSON", function()
    for _, body in ipairs { "", "<html>", '{"a":1' } do
      local object, err = response.object(answer(body))
      assert.is_nil(object)
      assert_protocol(err)
    end
  end)
end)

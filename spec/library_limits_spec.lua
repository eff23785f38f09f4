-- Every size that a server chooses has a limit; SECURITY.md lists them. This file tests the limits of the library,
-- limits_spec.lua those of the engine.

local cekura = require "cekura"
local request = require "cekura.http.request"
local response = require "cekura.http.response"
local simulator = require "spec.support.simulator"

local START = "/observability/v1/call-logs/improve_prompt_bg/"
local POLL = "/observability/v1/call-logs/improve_prompt_progress/"
local AGENT = "/test_framework/v1/scenarios/scenario-agent/"

describe("an answer that is too large", function()
  local server = simulator.during(setup, teardown)
  local client, file

  before_each(function()
    server:reset()
    client = server:client { retries = 0 }
    file = os.tmpname()
  end)

  after_each(function()
    client:close()
    os.remove(file)
  end)

  local function answered(reply)
    server:script("/x/", { reply })
    return client:request("GET", "/x/")
  end

  -- A reply whose body the simulator reads from a file.
  local function with_body(status, ...)
    local out = assert(io.open(file, "wb"))
    for _, text in ipairs { ... } do
      out:write(text)
    end
    out:close()
    return { status = status, file = file }
  end

  it("in its nesting is not JSON", function()
    local deep = ("["):rep(512) .. ("]"):rep(512)
    assert.truthy(cekura.assert(answered { body = deep }):json())
    local _, err = cekura.assert(answered { body = "[" .. deep .. "]" }):json()
    assert.equal("protocol", err.kind)
    assert.is_true(#err.message < 800)
  end)

  it("in a detail, a page or its messages about fields gives a short message", function()
    local many = {}
    for index = 1, 20000 do
      many[index] = ('"field%d":["is wrong"]'):format(index)
    end
    for _, body in ipairs {
      '{"detail":"' .. ("x"):rep(20 * 1024 * 1024) .. '"}', ("x"):rep(20 * 1024 * 1024), ("[]"):rep(100000),
      "{" .. table.concat(many, ",") .. "}",
      '{"' .. ("x"):rep(100000) .. '":["y"]}', '{"x":["' .. ("y"):rep(100000) .. '"]}',
    } do
      for _, status in ipairs { 400, 401, 500 } do
        local _, err = answered(with_body(status, body))
        assert.equal(status, err.status)
        assert.is_true(#err.message < 400)
        assert.is_nil(err.fields)
      end
    end
    local _, err = answered { status = 400, body = "{" .. table.concat(many, ",", 1, 2000) .. "}" }
    assert.same({ "is wrong" }, err.fields.field2000)
    assert.is_true(#err.message < 400)
  end)

  it("in the answer of a job gives a short message", function()
    local long = ("x"):rep(200000)
    for _, body in ipairs {
      { status = "failed", error = long }, { status = "completed", more = long },
      { status = "failed", error_message = long },
      { status = "cancelled", error = { detail = long } },
    } do
      server:script(POLL, { { body = body } })
      local _, err = cekura.assert(client:job("calls.improve_prompt", "p")):wait { interval = 0.01 }
      assert.is_true(#err.message < 800, err.kind)
    end
  end)

  it("in the id makes no job", function()
    server:script(START, { { body = { progress_id = ("x"):rep(1024) } }, { body = { progress_id = ("x"):rep(1025) } } })
    local params = { call_logs = { 1 }, prompt = "x" }
    local job = cekura.assert(client.calls:improve_prompt(params))
    assert.equal(job.id, cekura.assert(client:resume(job:token())).id)
    local none, err = client.calls:improve_prompt(params)
    assert.is_nil(none)
    assert.equal("protocol", err.kind)
    assert.is_true(err.sent) -- the service works, but the job cannot be polled
    assert.is_true(#err.message < 800)
    none, err = client:job("calls.improve_prompt", ("x"):rep(1025))
    assert.is_nil(none)
    assert.equal("config", err.kind)
  end)

  it("in the data of a job makes no token", function()
    server:script(AGENT, { { body = { progress_id = "p", session_id = ("x"):rep(60000) } },
      { body = { progress_id = "p", session_id = ("x"):rep(70000) } } })
    local job = cekura.assert(client.scenarios:agent { user_message = "x" })
    assert.truthy(client:resume(cekura.assert(job:token())))
    job = cekura.assert(client.scenarios:agent { user_message = "x" })
    local none, err = job:token()
    assert.is_nil(none)
    assert.equal("config", err.kind)
  end)

  describe("in pages", function()
    local send

    after_each(function()
      send:revert()
    end)

    -- Iterates over the pages of a service that names the next page by next_of().
    local function go_through(next_of, results)
      local count = 0
      send = stub(request, "send", function()
        count = count + 1
        local body = ('{"results":%s,"next":"%s"}'):format(results, next_of(count))
        return response.new(client, "GET", "/", { status = 200, _head = "", body = body })
      end)
      local calls = client.calls:each()
      local given = 0
      for _ in function() return (calls:next()) end do
        given = given + 1
      end
      return calls.error, count, given
    end

    it("whose number has no end raises, even if they are empty", function()
      local err, count = go_through(function(page) return "https://x.example/?page=" .. page end, "[]")
      assert.equal("protocol", err.kind)
      assert.truthy(err.message:find("more than 10000 pages", 1, true))
      assert.equal(10000, count)
    end)

    it("whose `next` is too long raises", function()
      local long = "https://x.example/?x=" .. ("y"):rep(9000)
      local err, count, given = go_through(function() return long end, '[{"id":1}]')
      assert.equal("protocol", err.kind)
      assert.is_true(#err.message < 200)
      assert.equal(1, count)
      assert.equal(1, given)
    end)
  end)
end)

--- Records of any kind, pages of them, and the methods that operations of data have.

local cekura = require "cekura"
local simulator = require "spec.support.simulator"

local RUN = '{"id":7,"duration":"01:05","transcript_object":[{"role":"Main Agent","content":"Hi."}],'
  .. '"evaluation":{"metrics":[{"id":1,"name":"Kind","type":"binary_qualitative","score":5}]}}'

describe("records", function()
  local server = simulator.during(setup, teardown)
  local client

  before_each(function()
    server:reset()
    client = server:renew_client()
  end)

  local function refused(message, fn, ...)
    local given = { ... }
    local ok, raised = pcall(function()
      return fn((table.unpack or unpack)(given))
    end)
    assert.is_false(ok)
    assert.truthy(raised:find("^spec/records_spec.lua:%d+: cekura: .*" .. message), raised)
  end

  describe("cekura.record", function()
    it("keeps the text, and reads fields when they are asked for", function()
      local text = ' {"name":"a","null":null,"list":[1,null],"json":5,"created_at":"2024-01-02T03:04:05Z"} '
      local record = cekura.assert(cekura.record(text))
      assert.equal("a", record.name)
      assert.is_nil(record["null"])
      assert.is_nil(record.nothing)
      assert.same({ 1, cekura.null }, record.list)
      assert.equal(5, record:get "json")
      assert.equal(text, record:json())
      assert.equal(cekura.null, record:totable()["null"])
      assert.equal("a", record:fields().name)
      assert.is_nil(record:fields()["null"])
      assert.equal(1704164645, record:time "created_at")
      assert.equal("protocol", select(2, record:time "name").kind)
      assert.truthy(tostring(record):find("cekura.record", 1, true))
    end)

    it("returns protocol for anything but one object", function()
      for _, text in ipairs { "", "[]", "null", "5", "{", "{} {}", '{"a":1,}', '{"a":"\255"}', "{\0}" } do
        local record, err = cekura.record(text)
        assert.is_nil(record)
        assert.equal("protocol", err.kind)
      end
      refused("json: string expected", cekura.record, nil)
      refused("json: string expected", cekura.record, {})
    end)

    it("has methods that say so when they are called with a dot", function()
      local record = cekura.record "{}"
      for _, name in ipairs { "get", "json", "totable", "fields", "time" } do
        refused("call it with a colon", record[name])
        refused("call it with a colon", record[name], "name")
      end
      local ok, raised = pcall(function()
        record.name = 5
      end)
      assert.is_false(ok)
      assert.truthy(raised:find("^spec/records_spec.lua:%d+: the fields of a record are read only"), raised)
    end)
  end)

  describe("runs", function()
    local function check(run)
      local turns, metrics = 0, 0
      for turn in run:turns() do
        turns = turns + 1
        assert.equal("Hi.", turn.content)
      end
      for metric in run:metrics() do
        metrics = metrics + 1
        assert.equal("Kind", metric.name)
      end
      assert.same({ 1, 1 }, { turns, metrics })
      assert.equal(65, run:seconds())
      assert.equal(5, run:metric("Kind").score)
      assert.equal("01:05", run:get "duration")
    end

    it("of a result are records in the order of their ids, from an object and from a list", function()
      for _, runs in ipairs { '{"10":{"id":10},"9":' .. RUN .. "}", "[" .. RUN .. ',{"id":10}]' } do
        server:script("/test_framework/v2/results/5/", { { body = '{"id":5,"runs":' .. runs .. "}" } })
        server:script("/test_framework/v1/results/5/", { { body = '{"id":5,"runs":' .. runs .. "}" } })
        local result = cekura.assert(client.results:get(5))
        local list = {}
        for run in result:runs() do
          list[#list + 1] = run
        end
        assert.equal(2, #list)
        assert.equal(10, list[2].id)
        check(list[1])
      end
      for _, runs in ipairs { "null", "5", "[]", "{}", "[1]", '{"a":1}' } do
        server:script("/test_framework/v2/results/6/", { { body = '{"id":6,"runs":' .. runs .. "}" } })
        local result = cekura.assert(client.results:get(6))
        assert.is_nil((result:runs()()), runs)
      end
    end)

    it("of a job's result have the same methods", function()
      server:script("/test_framework/v1/results/9/",
        { { body = '{"id":9,"status":"completed","runs":{"7":' .. RUN .. "}}" } })
      server:script("/test_framework/v2/results/9/",
        { { body = '{"id":9,"status":"completed","runs":{"7":' .. RUN .. "}}" } })
      local result = cekura.assert(cekura.assert(client:job("results.run", 9)):wait())
      check((select(2, next(result.runs))))
    end)
  end)

  describe("an answer", function()
    local function answer_of(body, status)
      local path = "/test_framework/v1/runs/5/"
      for _, each in ipairs { path, (path:gsub("v1", "v2")) } do
        server:script(each, { { status = status or 200, body = body } })
      end
      return client.runs:get(5)
    end

    it("is a record, a page, true, or a value", function()
      assert.equal(1, cekura.assert(answer_of '{"id":1}').id)
      assert.equal(1, cekura.assert(answer_of ' [{"id":1}]').results[1].id)
      assert.same({ "a", "b" }, cekura.assert(answer_of '["a","b"]').results)
      assert.is_nil(cekura.assert(answer_of '["a"]').next)
      assert.equal(true, (answer_of("", 204)))
      assert.equal(true, (answer_of("", 200)))
      assert.equal(5, (answer_of "5"))
      assert.equal("x", (answer_of '"x"'))
      assert.equal(cekura.null, (answer_of "null"))
      for _, bad in ipairs { "{", "[1,", "<html>", "[{]" } do
        local answer, err = answer_of(bad)
        assert.is_nil(answer)
        assert.equal("protocol", err.kind)
      end
    end)
  end)

  describe("a list", function()
    local function list(body)
      server:script("/test_framework/v1/aiagents/", { { body = body } })
      server:script("/test_framework/v2/aiagents/", { { body = body } })
    end

    it("without pages is one page, of records or of other values", function()
      list '[{"id":1},{"id":2}]'
      local page = cekura.assert(client.agents:list())
      assert.equal(2, page.results[2].id)
      assert.is_nil(page.next)
      local ids = {}
      for agent in client.agents:each() do
        ids[#ids + 1] = agent.id
      end
      assert.same({ 1, 2 }, ids)
      list '["a","b",3]'
      assert.same({ "a", "b", 3 }, cekura.assert(client.agents:list()).results)
      local values = {}
      for value in client.agents:each() do
        values[#values + 1] = value
      end
      assert.same({ "a", "b", 3 }, values)
      list '{"results":["a"],"next":null}'
      assert.same({ "a" }, cekura.assert(client.agents:list()).results)
    end)

    it("raises inside each what list returns", function()
      list "{}"
      local page, err = client.agents:list()
      assert.is_nil(page)
      assert.equal("protocol", err.kind)
      local next_agent = client.agents:each()
      local ok, raised = pcall(next_agent)
      assert.is_false(ok)
      assert.equal("protocol", raised.kind)
    end)
  end)

  describe("the parameters of an operation", function()
    it("are known, required and checked, at the caller's line", function()
      refused("agents.create: there is no parameter agent_nam ", client.agents.create, client.agents,
        { agent_nam = "x" })
      refused("upload_knowledge_base: files is missing", client.agents.upload_knowledge_base, client.agents, 5, {})
      refused("id: id expected", client.agents.get, client.agents)
      refused("there is no method gett", function()
        return client.agents.gett
      end)
      refused("client.agents expected, got number; call it with a colon", client.agents.get, 5)
      refused("client.agents expected", client.agents.list)
      refused("page: it iterates over all pages", client.agents.each, client.agents, { page = 2 })
    end)

    it("have others beside them in extra, unchecked", function()
      client.agents:list { extra = { odd = "a b" } } -- the simulator refuses what the document does not have
      assert.truthy(server:requests()[1].uri:find("?odd=a%20b", 1, true))
      refused("project_id is a parameter: give it outside of extra", client.agents.list, client.agents,
        { extra = { project_id = 5 } })
    end)

    it("have the client's project where they name no scope", function()
      client = server:renew_client { project_id = 77 }
      cekura.assert(client.agents:list())
      cekura.assert(client.agents:list { project_id = 5 })
      local sent = server:requests()
      assert.truthy(sent[1].uri:find("?project_id=77", 1, true))
      assert.truthy(sent[2].uri:find("?project_id=5", 1, true))
    end)
  end)
end)

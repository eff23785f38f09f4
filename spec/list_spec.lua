-- Empty lists: what is sent as [] and what as {}.

local cekura = require "cekura"
local cjson = require "cekura.cjson"
local core = require "cekura.core"
local encode = require "cekura.http.encode"
local params = require "cekura.api.params"
local simulator = require "spec.support.simulator"

local function sent(value)
  return encode({ value = value }, "body"):match '^{"value":(.*)}$'
end

describe("cekura.list", function()
  it("marks a list, also an empty one, and returns the same table", function()
    local list = {}
    assert.equal("{}", sent(list))
    assert.equal(list, cekura.list(list))
    assert.equal("[]", sent(list))
    list[1] = "a"
    assert.equal('["a"]', sent(list))
    assert.equal('["a",[]]', sent(cekura.list { "a", cekura.list {} }))
    assert.equal("cekura.list (1)", tostring(list))
    assert.equal("[]", sent(cekura.list(cekura.list {})))
    assert.same({}, cekura.list {})
  end)

  it("raises for anything but a list, and for a table that a metatable makes something else", function()
    for argument, given in pairs { [5] = 5, ["the key a"] = { a = 1 }, ["the key 3"] = { 1, nil, 3 },
      ["without a metatable"] = setmetatable({}, {}) } do
      local ok, message = pcall(cekura.list, given)
      assert.is_false(ok)
      assert.truthy(message:find(type(argument) == "number" and "table expected, got number" or argument, 1, true),
        message)
    end
    assert.is_false((pcall(cekura.list)))
  end)

  it("marks what later gets a member, which raises when it is sent", function()
    local list = cekura.list {}
    list.name = 1
    local ok, message = pcall(sent, list)
    assert.is_false(ok)
    assert.truthy(message:find("body.value: a list expected, got a table with the key name", 1, true), message)
  end)
end)

describe("an empty list", function()
  it("that was decoded by the module stays one", function()
    assert.equal('{"tool_calls":[],"x":{}}', encode(core.decode '{"tool_calls":[],"x":{}}', "body"))
    local call = cekura.assert(cekura.call_log '{"metadata":{"tags":[]}}')
    assert.equal('{"tags":[]}', sent(call.metadata))
    assert.equal('{"metadata":{"tags":[]}}', sent(call:totable()))
  end)

  it("has the marks of lua-cjson's other builds", function()
    local kept = { cjson.empty_array, cjson.empty_array_mt, cjson.array_mt }
    cjson.empty_array, cjson.empty_array_mt, cjson.array_mt = core.secret "", {}, {}
    finally(function()
      cjson.empty_array, cjson.empty_array_mt, cjson.array_mt = kept[1], kept[2], kept[3]
    end)
    assert.equal("[]", sent(cjson.empty_array))
    assert.equal("[]", sent(setmetatable({}, cjson.array_mt)))
    assert.equal("[1]", sent(setmetatable({ 1 }, cjson.array_mt)))
    assert.equal("[]", sent(setmetatable({}, cjson.empty_array_mt)))
    assert.equal('{"a":1}', sent(setmetatable({ a = 1 }, cjson.empty_array_mt)))
    assert.equal("[]", sent(cekura.list(setmetatable({}, cjson.empty_array_mt))))
    local declaration = { params = { ids = { "ids" }, any = { "any" } } }
    assert.equal('{"any":[],"ids":[]}',
      sent(params.read("x", declaration, { ids = cjson.empty_array, any = cjson.empty_array })))
  end)

  it("is one by the parameter that it is given for", function()
    local declaration = { params = { ids = { "ids" }, texts = { "texts" }, list = { "list" }, any = { "any" } } }
    assert.equal('{"any":{},"ids":[],"list":[],"texts":[]}',
      sent(params.read("x", declaration, { ids = {}, texts = {}, list = {}, any = {} })))
  end)
end)

describe("the turns of a call that is sent", function()
  local server = simulator.during(setup, teardown)

  it("keep their empty lists, whatever they were decoded by, and are not changed", function()
    local client = server:client()
    local turns = { { role = "agent", tool_calls = {}, metadata = {} }, { role = "user", toolCalls = {}, words = {} },
      { role = "user", tool_results = { 1 } } }
    cekura.assert(client.calls:send { call_id = "c", agent = 2142, transcript_type = "elevenlabs",
      transcript_json = turns })
    local requests = server:requests()
    local body = requests[#requests].body
    assert.truthy(body:find('{"metadata":{},"role":"agent","tool_calls":[]}', 1, true), body)
    assert.truthy(body:find('{"role":"user","toolCalls":[],"words":[]}', 1, true), body)
    assert.truthy(body:find('"tool_results":[1]', 1, true), body)
    assert.equal("{}", sent(turns[1].tool_calls))
    client:close()
  end)
end)

-- The parameters of a start, held against what the kind declares.

local core = require "cekura.core"
local encode = require "cekura.encode"
local kinds = require "cekura.kinds"
local reader = require "cekura.params"

local DECLARED = {
  agent_id = { "id" },
  assistant_id = { "id" },
  call_logs = { "selection", required = true },
  prompt = { "text", required = true },
  run_ids = { "ids" },
}
local ONE_OF = { "agent_id", "assistant_id", unless_list = "call_logs" }

local function given(changes)
  local params = { agent_id = 5, call_logs = { 101, 102 }, prompt = "p" }
  for name, value in pairs(changes or {}) do
    params[name] = value
  end
  return params
end

local function read(params)
  return reader.read("calls.improve_prompt", DECLARED, params, ONE_OF)
end

-- What is raised, without the line.
local function raised(params)
  local ok, message = pcall(read, params)
  assert.is_false(ok)
  assert.is_string(message)
  return (message:gsub("^.-cekura: ", ""))
end

local function without(name)
  local params = given()
  params[name] = nil
  return params
end

describe("parameters", function()
  it("are sent as they are given", function()
    assert.equal('{"agent_id":5,"call_logs":[101,102],"prompt":"p"}', encode(read(given()), "params"))
    assert.equal('{"agent_id":"5","call_logs":["101"],"prompt":""}',
      encode(read(given { agent_id = "5", call_logs = { "101" }, prompt = "" }), "params"))
  end)

  it("that the kind does not declare are sent too", function()
    local sent = read(given { lookback_days = 7, category_ids = {}, flag = false, nested = { a = 1 } })
    assert.equal(7, sent.lookback_days)
    assert.is_false(sent.flag)
    assert.same({ a = 1 }, sent.nested)
  end)

  it("leave the program's own table as it is", function()
    local params = given { run_ids = {} }
    local logs = params.call_logs
    local sent = read(params)
    assert.same(given { run_ids = {} }, params)
    assert.equal(logs, params.call_logs)
    assert.is_nil(getmetatable(params.run_ids))
    assert.is_nil(getmetatable(logs))
    assert.are_not_equal(params, sent)
    assert.are_not_equal(logs, sent.call_logs)
  end)

  it("must be a table with names", function()
    for _, wrong in ipairs { 5, "x", true, print } do
      assert.equal("calls.improve_prompt: params: table expected, got " .. type(wrong), raised(wrong))
    end
    assert.equal("calls.improve_prompt: params: table expected, got nothing", raised(nil))
    assert.equal("calls.improve_prompt: parameters have names, got the key 1", raised(given { [1] = "x" }))
    assert.equal("calls.improve_prompt: parameters have names, got the key true", raised(given { [true] = "x" }))
  end)
end)

describe("a parameter that is missing", function()
  it("raises, and is named", function()
    assert.equal("calls.improve_prompt: prompt is missing", raised(without "prompt"))
    assert.equal("calls.improve_prompt: call_logs is missing", raised(without "call_logs"))
  end)

  it("may be missing if nothing requires it", function()
    assert.is_nil(read(given()).run_ids)
  end)

  it("is missing in a kind that declares it, by its real declaration", function()
    for name, wanted in pairs {
      ["calls.improve_prompt"] = { "prompt", "call_logs" }, ["runs.improve_prompt"] = { "prompt", "run_ids" },
    } do
      for _, missing in ipairs(wanted) do
        local params = { prompt = "p", call_logs = { 1 }, run_ids = { 1 } }
        params[missing] = nil
        local ok, message = pcall(reader.read, name, kinds[name].params, params, kinds[name].one_of)
        assert.is_false(ok)
        assert.truthy(message:find(name .. ": " .. missing .. " is missing", 1, true))
      end
    end
  end)
end)

describe("a list of ids", function()
  it("stays a list when it is empty", function()
    local sent = read(given { run_ids = {}, call_logs = {} })
    assert.equal('{"agent_id":5,"call_logs":[],"prompt":"p","run_ids":[]}', encode(sent, "params"))
  end)

  it("may be one that came from the service", function()
    assert.equal("[1,2]", encode(read(given { run_ids = core.decode "[1,2]" }).run_ids, "run_ids"))
  end)

  it("raises for what is no list, and is named", function()
    for _, wrong in ipairs { 5, "1,2", true } do
      assert.equal("calls.improve_prompt: run_ids: table expected, got " .. type(wrong),
        raised(given { run_ids = wrong }))
    end
    assert.equal("calls.improve_prompt: run_ids: a list expected, got a table with the key a",
      raised(given { run_ids = { a = 1 } }))
    for _, wrong in ipairs { { 1, n = 1 }, { [0] = 1 }, { [2] = 1 } } do
      assert.truthy(raised(given { run_ids = wrong }):find("run_ids: a list expected", 1, true))
    end
  end)

  it("raises for an element that is no id, and names its place", function()
    for _, wrong in ipairs { 1.5, "", true, {}, math.huge, 0 / 0 } do
      assert.truthy(raised(given { run_ids = { 1, wrong } }):find("run_ids[2]: ", 1, true))
    end
  end)

  it("loses no element: one with a hole raises, and is named", function()
    assert.truthy(raised(given { run_ids = { 1, nil, 3 } }):find("run_ids", 1, true))
    assert.truthy(raised(given { call_logs = { 101, nil, 103 } }):find("call_logs", 1, true))
  end)
end)

describe("a selection", function()
  it("is a list, \"all\", or how many of the first", function()
    assert.equal("all", read(given { call_logs = "all" }).call_logs)
    assert.equal(3, read(given { call_logs = 3 }).call_logs)
    assert.equal(core.array_mt, getmetatable(read(given { call_logs = { 1 } }).call_logs))
  end)

  it("raises for anything else, and is named", function()
    for _, wrong in ipairs { "some", "", 0, -1, 1.5, true, 0 / 0, math.huge } do
      assert.truthy(raised(given { call_logs = wrong }):find("call_logs: a list of ids, \"all\" or a number", 1, true))
    end
    assert.truthy(raised(given { call_logs = { "" } }):find("call_logs[1]: ", 1, true))
  end)
end)

describe("an id and a text", function()
  it("may be what they are", function()
    for _, id in ipairs { 5, "5", "a/b", 2 ^ 53 - 1, -1 } do
      assert.equal(id, read(given { agent_id = id }).agent_id)
    end
  end)

  it("raise for another type, and are named", function()
    for _, wrong in ipairs { 1.5, "", true, {}, 0 / 0, 2 ^ 70 } do
      assert.truthy(raised(given { agent_id = wrong }):find("calls.improve_prompt: agent_id: ", 1, true))
    end
    for _, wrong in ipairs { 5, true, {} } do
      local message = raised(given { prompt = wrong })
      assert.equal("calls.improve_prompt: prompt: string expected, got " .. type(wrong), message)
    end
    assert.equal("calls.improve_prompt: prompt: string expected, got boolean", raised(given { prompt = false }))
  end)
end)

describe("agent_id and assistant_id", function()
  it("exclude each other", function()
    local message = raised(given { assistant_id = "a" })
    assert.truthy(message:find("agent_id", 1, true))
    assert.truthy(message:find("assistant_id", 1, true))
    assert.truthy(message:find("exclude", 1, true))
  end)

  it("stand in place of each other", function()
    local params = without "agent_id"
    params.assistant_id, params.call_logs = "a", "all"
    assert.equal("a", read(params).assistant_id)
  end)

  it("may both be missing beside a list, which says itself what is meant", function()
    assert.is_table(read(without "agent_id"))
  end)

  it("must not both be missing beside \"all\" or a number", function()
    for _, selection in ipairs { "all", 3 } do
      local params = without "agent_id"
      params.call_logs = selection
      assert.equal("calls.improve_prompt: agent_id or assistant_id is missing", raised(params))
    end
  end)
end)

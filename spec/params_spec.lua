-- The parameters of a start, checked by the kind's declaration.

local core = require "cekura.core"
local encode = require "cekura.http.encode"
local kinds = require "cekura.api.kinds"
local reader = require "cekura.api.params"

local DECLARED = {
  agent_id = { "id" },
  assistant_id = { "id" },
  call_logs = { "selection", required = true },
  prompt = { "text", required = true },
  run_ids = { "records" },
  category_ids = { "ids" },
  tags = { "texts" },
}
local ONE_OF = { "agent_id", "assistant_id", unless_list = "call_logs" }

local function given(changes)
  local params = { agent_id = 5, call_logs = { 101, 102 }, prompt = "p" }
  for name, value in pairs(changes or {}) do
    params[name] = value
  end
  return params
end

local function read(params, declaration)
  return reader.read("calls.improve_prompt", declaration or { params = DECLARED, one_of = ONE_OF }, params)
end

-- The message that is raised, without the line.
local function raised(params, declaration)
  local ok, message = pcall(read, params, declaration)
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
  it("are sent unchanged", function()
    assert.equal('{"agent_id":5,"call_logs":[101,102],"prompt":"p"}', encode(read(given()), "params"))
    assert.equal('{"agent_id":"5","call_logs":["101"],"prompt":""}',
      encode(read(given { agent_id = "5", call_logs = { "101" }, prompt = "" }), "params"))
  end)

  it("that are not declared raise an error that suggests the nearest one", function()
    for name, nearest in pairs { promt = "prompt", prompts = "prompt", call_log = "call_logs", callLogs = "call_logs",
      ["call-logs"] = "call_logs", agnet_id = "agent_id", AGENT_ID = "agent_id", agent = "agent_id", runs = "run_ids",
      [("x"):rep(1e6)] = "[%w_]+", [""] = "[%w_]+", ["%"] = "[%w_]+" } do
      local message = raised(given { [name] = 5 })
      assert.truthy(message:find(("there is no parameter %s (did you mean "):format(name:sub(1, 200)), 1, true))
      assert.truthy(message:find("%(did you mean " .. nearest .. "%?%)"), message:sub(-200))
    end
    assert.equal("calls.improve_prompt: there is no parameter catgory_ids (did you mean category_ids?); "
      .. "extra = { … } is sent unchecked",
      raised(given { catgory_ids = { 1 } }, kinds["calls.improve_prompt"]))
  end)

  it("that are not declared may be in `extra`, and are sent unchecked", function()
    local sent = read(given { extra = { lookback_days = 7, flag = false, nested = { a = 1 }, none = {} } })
    assert.equal(7, sent.lookback_days)
    assert.is_false(sent.flag)
    assert.same({ a = 1 }, sent.nested)
    assert.same({}, sent.none)
    assert.is_nil(sent.extra)
    assert.same(given(), read(given { extra = {} }))
  end)

  it("that are declared may not be in `extra`", function()
    for _, name in ipairs { "prompt", "run_ids", "assistant_id", "agent_id" } do
      assert.equal(("calls.improve_prompt: extra: %s is a parameter: give it outside of extra"):format(name),
        raised(given { extra = { [name] = "x" } }))
    end
    for _, wrong in ipairs { 5, "x", true, false } do
      assert.equal("calls.improve_prompt: extra: table expected, got " .. type(wrong), raised(given { extra = wrong }))
    end
    assert.truthy(raised(given { extra = { 5 } }):find("extra: the name of a parameter: string expected", 1, true))
  end)

  it("of a kind without declared ones are all sent, together with the places of its path and `extra`", function()
    local path = { start = "POST /x/{metric_id}/y/" }
    assert.same({ metric_id = 5, any = 1, more = 2 }, read({ metric_id = 5, any = 1, extra = { more = 2 } }, path))
    assert.truthy(raised({ metric_id = 5, extra = { metric_id = 6 } }, path):find "is a parameter")
    assert.truthy(raised({ id = 5, any = 1, extra = { any = 6 } }, path):find "is a parameter")
    path.params = { force = { "flag" } }
    assert.same({ metric_id = 5, force = true }, read({ metric_id = 5, force = true }, path))
    assert.same({ id = 5 }, read({ id = 5 }, path))
    assert.truthy(raised({ metric_id = 5, forc = true }, path):find "did you mean force")
    path.one_of = { "project_id", "agent_id" }
    assert.same({ id = 5, agent_id = 1 }, read({ id = 5, agent_id = 1 }, path))
    assert.same({ id = 5, extra = 1, agent_id = 1 },
      read({ id = 5, extra = 1, agent_id = 1 }, { start = path.start, params = { extra = { "id" } },
        one_of = path.one_of }))
    assert.same({ agent_id = 1, more = { project_id = 5 }, other_id = 7 },
      read({ agent_id = 1, extra = { more = { project_id = 5 }, other_id = 7 } }, { params = {},
        one_of = { "agent_id", "assistant_id" } }))
  end)

  it("in `extra` are sent beside a scope", function()
    local declaration = { params = { agent_id = { "id" } }, one_of = { "agent_id", "assistant_id" } }
    assert.same({ agent_id = 1, project_id = 5 }, read({ agent_id = 1, extra = { project_id = 5 } }, declaration))
  end)

  it("leave the program's table unchanged", function()
    local params = given { tags = {}, extra = { more = 1 } }
    local logs = params.call_logs
    local sent = read(params)
    assert.same(given { tags = {}, extra = { more = 1 } }, params)
    assert.equal(logs, params.call_logs)
    assert.is_nil(getmetatable(params.tags))
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

describe("a missing parameter", function()
  it("raises an error that names it", function()
    assert.equal("calls.improve_prompt: prompt is missing", raised(without "prompt"))
    assert.equal("calls.improve_prompt: call_logs is missing", raised(without "call_logs"))
  end)

  it("is allowed if nothing requires it", function()
    assert.is_nil(read(given()).run_ids)
  end)

  it("is found by the declarations of the built-in kinds", function()
    for name, wanted in pairs {
      ["calls.improve_prompt"] = { "prompt", "call_logs" }, ["runs.improve_prompt"] = { "prompt", "run_ids" },
    } do
      for _, missing in ipairs(wanted) do
        local params = { prompt = "p", [wanted[2]] = { 1 } }
        params[missing] = nil
        local ok, message = pcall(reader.read, name, kinds[name], params)
        assert.is_false(ok)
        assert.truthy(message:find(name .. ": " .. missing .. " is missing", 1, true))
      end
    end
  end)
end)

describe("a list of ids", function()
  it("raises if it is empty, because the service could take it for all", function()
    assert.equal("calls.improve_prompt: run_ids: there is no id in it", raised(given { run_ids = {} }))
    assert.equal("calls.improve_prompt: call_logs: there is no id in it", raised(given { call_logs = {} }))
    assert.equal("calls.improve_prompt: call_logs: there is no id in it",
      raised(given { call_logs = core.decode "[]" }))
  end)

  it("raises if it is empty in every kind that works on its records", function()
    for kind, names in pairs { ["calls.improve_prompt"] = { "call_logs" }, ["runs.improve_prompt"] = { "run_ids" },
      ["calls.create_scenarios"] = { "call_logs" }, ["calls.evaluation"] = { "call_logs" },
      ["metrics.preview"] = { "call_log_ids", "run_ids" }, ["results.run"] = { "scenarios" },
      ["scenarios.from_transcript"] = { "transcript_json" } } do
      for _, name in ipairs(names) do
        local declaration = { params = { [name] = kinds[kind].params[name] } }
        assert.truthy(raised({ [name] = {} }, declaration):find(name .. ": ", 1, true), kind)
      end
    end
  end)

  it("may be empty, and stays a list, if it only adds detail", function()
    assert.equal('{"agent_id":5,"call_logs":[101,102],"category_ids":[],"prompt":"p","tags":[]}',
      encode(read(given { tags = {}, category_ids = {} }), "params"))
  end)

  it("may come from the service", function()
    assert.equal("[1,2]", encode(read(given { run_ids = core.decode "[1,2]" }).run_ids, "run_ids"))
  end)

  it("raises for a value that is not a list, and names it", function()
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

  it("raises for an element that is not an id, and names its place", function()
    for _, wrong in ipairs { 1.5, "", true, {}, math.huge, 0 / 0 } do
      assert.truthy(raised(given { run_ids = { 1, wrong } }):find("run_ids[2]: ", 1, true))
    end
  end)

  it("raises if it has a hole, and names it", function()
    assert.truthy(raised(given { run_ids = { 1, nil, 3 } }):find("run_ids", 1, true))
    assert.truthy(raised(given { call_logs = { 101, nil, 103 } }):find("call_logs", 1, true))
  end)
end)

describe("a selection", function()
  it("is a list, \"all\", or the first so many", function()
    assert.equal("all", read(given { call_logs = "all" }).call_logs)
    assert.equal(3, read(given { call_logs = { first = 3 } }).call_logs)
    assert.equal(core.array_mt, getmetatable(read(given { call_logs = { 1 } }).call_logs))
  end)

  it("raises for any other value, and names it", function()
    for _, wrong in ipairs { "some", "", 12, 0, -1, 1.5, true, 0 / 0, math.huge, "12", "first:12" } do
      assert.equal(("calls.improve_prompt: call_logs: a list of ids, \"all\" or { first = number } expected, got %s")
        :format(tostring(wrong)), raised(given { call_logs = wrong }))
    end
    for _, wrong in ipairs { 0, -1, 1.5, "3", true, {}, 0 / 0, 2 ^ 60 } do
      assert.truthy(raised(given { call_logs = { first = wrong } }):find("call_logs.first: a whole number from 1", 1,
        true))
    end
    assert.truthy(raised(given { call_logs = { first = 2, last = 3 } }):find("got the key last", 1, true))
    assert.truthy(raised(given { call_logs = { first = 2, 101 } }):find("got the key 1", 1, true))
    assert.truthy(raised(given { call_logs = { frist = 2 } }):find("a list expected, got a table with the key frist", 1,
      true))
    assert.truthy(raised(given { call_logs = { "" } }):find("call_logs[1]: ", 1, true))
  end)
end)

describe("a selection that may not be a number", function()
  local DECLARATION = { params = { call_logs = { "ids_or_all", required = true } } }

  it("is a list or \"all\"", function()
    assert.equal("all", read({ call_logs = "all" }, DECLARATION).call_logs)
    assert.same({ 101 }, read({ call_logs = { 101 } }, DECLARATION).call_logs)
    for _, wrong in ipairs { 12, "some", { first = 12 } } do
      assert.truthy(raised({ call_logs = wrong }, DECLARATION):find("call_logs: a list of ids or \"all\" expected", 1,
        true))
    end
    assert.truthy(raised({ call_logs = {} }, DECLARATION):find("there is no id in it", 1, true))
  end)
end)

describe("an id and a string", function()
  it("have several types", function()
    for _, id in ipairs { 5, "5", "a/b", 2 ^ 53 - 1, -1 } do
      assert.equal(id, read(given { agent_id = id }).agent_id)
    end
  end)

  it("raise for another type, and name the parameter", function()
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

  it("may replace each other", function()
    local params = without "agent_id"
    params.assistant_id, params.call_logs = "a", "all"
    assert.equal("a", read(params).assistant_id)
  end)

  it("may both be missing beside a list, which determines the agent", function()
    assert.is_table(read(without "agent_id"))
  end)

  it("must not both be missing beside \"all\" or a number", function()
    for _, selection in ipairs { "all", { first = 3 } } do
      local params = without "agent_id"
      params.call_logs = selection
      assert.equal("calls.improve_prompt: agent_id or assistant_id is missing", raised(params))
    end
  end)
end)

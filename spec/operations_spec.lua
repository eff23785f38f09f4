--- Every operation of the API that is a row of data, against the official document by way of the simulator.

local cekura = require "cekura"
local core = require "cekura.core"
local operations = require "cekura.api.operations"
local simulator = require "spec.support.simulator"

-- The simulator's reading of the document.
local function load_openapi()
  local path = package.path
  package.path = "spec/support/simulator/?.lua;" .. path
  local openapi = require "openapi"
  package.path = path
  return openapi
end

local openapi = load_openapi()

-- Arguments for those of which not all parameters can be given at once.
local ARGUMENTS = {
  ["calls.evaluate_metrics"] = { { call_logs = { 5181749 }, metrics = { 501 }, agent_id = 2142 } },
  ["calls.list"] = { { agent_id = 2142, call_ids = { 5181749 }, page = 1 } },
  ["calls.send"] = { { call_id = "x", agent = 2142, transcript_type = "vapi", transcript_json = { {} } } },
}

-- Answers for records that the simulator does not have.
local ANSWERS = {
  ["failure_mode_insights.get"] = '{"id":5181749}', ["results.get"] = '{"id":5181749}', ["results.end_calls"] = "{}",
}

describe("the operation", function()
  local server = simulator.during(setup, teardown)
  local client

  setup(function()
    client = server:client()
  end)
  teardown(function()
    client:close()
  end)
  before_each(function()
    server:reset()
  end)

  for _, row in ipairs(operations) do
    local method, template = row[1]:match "^(%S+) (%S+)$"
    local path = template:gsub("{id}", "5181749"):gsub("{[^}]*}", "late-answers")

    -- The arguments of a call: the places of its path, and each parameter that the document has.
    local function arguments()
      local given = {}
      for name in template:gmatch "{([^}]*)}" do
        given[#given + 1] = name == "id" and 5181749 or "late-answers"
      end
      local operation = assert(openapi.find(method, path), "the document does not have it")
      local query, body = openapi.request(operation)
      for name, value in pairs(row.query and query or {}) do
        body = body or {}
        body[name] = value
      end
      given[#given + 1] = body
      return given
    end

    it(("%s.%s is sent as the document has it"):format(row.resource, row.name), function()
      local name = row.resource .. "." .. row.name
      if ANSWERS[name] then
        server:script(path, { { body = ANSWERS[name] } })
      end
      local answer = cekura.assert(client[row.resource][row.name](client[row.resource],
        (table.unpack or unpack)(ARGUMENTS[name] or arguments())))
      local sent = server:requests()
      assert.equal(1, #sent)
      assert.equal(method, sent[1].method)
      assert.equal(path, sent[1].path)
      assert.same({}, server:admin("GET", "memory/").faults)
      if row.name == "list" then
        assert.is_table(answer.results)
        assert.is_nil(answer.next)
      else
        assert.truthy(answer == true or core.type(answer) or answer.results or type(answer) == "table")
      end
    end)
  end
end)

--- Every operation of the API that is a row of data, against the official document by way of the simulator.

local arguments = require "spec.support.operation_arguments"
local cekura = require "cekura"
local core = require "cekura.core"
local operations = require "cekura.api.operations"
local simulator = require "spec.support.simulator"

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

    it(("%s.%s is sent as the document has it"):format(row.resource, row.name), function()
      local name = row.resource .. "." .. row.name
      if ANSWERS[name] then
        server:script(path, { { body = ANSWERS[name] } })
      end
      local answer = cekura.assert(client[row.resource][row.name](client[row.resource],
        (table.unpack or unpack)(arguments(row))))
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

--- The arguments of a call of an operation: the values of the places of its path, and each parameter that the official
-- document has, with a value that is valid by it.

local openapi = require "cekura.simulator.openapi"
local samples = require "cekura.simulator.samples"

-- Those of which not all parameters can be given at once.
local ARGUMENTS = {
  ["calls.evaluate_metrics"] = { { call_logs = { 5181749 }, metrics = { 501 }, agent_id = 2142 } },
  ["calls.list"] = { { agent_id = 2142, call_ids = { 5181749 }, page = 1 } },
  ["calls.send"] = { { call_id = "x", agent = 2142, transcript_type = "vapi", transcript_json = { {} } } },
}

-- Parameters whose samples match several alternatives of the document.
local PROVIDER = { provider = { type = "retell", agent_id = "agent_x" } }
local OVERRIDES = {
  ["agents.upload_knowledge_base"] = { files = { { data = "Open from 8 to 5.", name = "hours.txt" } } },
  ["agents.create"] = PROVIDER, ["agents.replace"] = PROVIDER, ["agents.update"] = PROVIDER,
}

---@param row table of cekura.api.operations
---@return any[]
return function(row)
  if ARGUMENTS[row.resource .. "." .. row.name] then
    return ARGUMENTS[row.resource .. "." .. row.name]
  end
  local given = {}
  local method, path = row[1]:match "^(%S+) (%S+)$"
  path = path:gsub("{([^}]*)}", function(name)
    given[#given + 1] = name == "id" and 5181749 or "late-answers"
    return tostring(given[#given])
  end)
  local query, body = samples.request(assert(openapi.find(method, path), "the document does not have it"))
  for name, value in pairs(row.query and query or {}) do
    body = body or {}
    body[name] = value
  end
  for name, value in pairs(OVERRIDES[row.resource .. "." .. row.name] or {}) do
    body[name] = value
  end
  given[#given + 1] = body
  return given
end

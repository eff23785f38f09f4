--- What the official document says about a request: its faults, and an answer for an operation without a handler.

local json = require "cekura.simulator.json"
local openapi = require "cekura.simulator.openapi"
local read_fields = require "cekura.simulator.fields"

local documented = {}

local function faults_of(operation, places, request, body, files)
  return openapi.faults(operation, places, request.query, request.body and body or nil, files)
end

--- What is wrong with requests by the document, also where a script answered them.
---@param requests table[]
---@return { endpoint: string, fault: string }[]
function documented.faults(requests)
  local found = json.list()
  for _, request in ipairs(requests) do
    local operation, places = openapi.find(request.method, request.path)
    local body, files = read_fields(request)
    for _, fault in ipairs(operation and body and faults_of(operation, places, request, body, files) or {}) do
      found[#found + 1] = { endpoint = operation.method .. " " .. operation.path, fault = fault }
    end
  end
  return found
end

local function refusal(faults)
  local fields = {}
  for _, fault in ipairs(faults) do
    local name, message = fault:match "^%a+%.?(.-): (.*)$"
    fields[name == "" and "detail" or name] = json.list { message }
  end
  return { status = 400, body = fields }
end

--- The answer to a request without a handler; nil if the document does not have it.
---@param request table with `body` as fields.lua reads it; nil: it cannot be read
---@return table? reply
function documented.answer(request, body, files)
  local operation, places = openapi.find(request.method, request.path)
  if not operation then
    return nil
  elseif not body then
    return { status = 400, body = { detail = "JSON parse error" } }
  end
  local faults = faults_of(operation, places, request, body, files)
  if faults[1] then
    return refusal(faults)
  end
  local status, answer = openapi.answer(operation)
  return { status = status, body = answer }
end

return documented

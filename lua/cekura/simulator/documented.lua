--- What the official document says about a request: its faults, and an answer for an operation without a handler.
-- Records that are created so can be read, listed, changed and deleted; any other id is taken for one that exists.

local check = require "cekura.simulator.check"
local json = require "cekura.simulator.json"
local openapi = require "cekura.simulator.openapi"
local read_fields = require "cekura.simulator.fields"
local samples = require "cekura.simulator.samples"
local sessions = require "cekura.simulator.sessions"
local state = require "cekura.simulator.state"

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

-- ---- the records ----

-- The records of a collection, which all versions of its path share: id to members; false: deleted.
local function records_of(path)
  local name = path:gsub("/v%d/", "/"):gsub("%-external/", "/")
  state.documented[name] = state.documented[name] or {}
  return state.documented[name]
end

local function merge(record, changes)
  for name, value in pairs(changes) do
    record[name] = value
  end
  return record
end

local function create(collection, body)
  local record = merge({}, body)
  record.id = state.next_documented
  state.next_documented = record.id + 1
  records_of(collection)[record.id] = record
  return record
end

-- The members of the record with that id after the request; nil: it has been deleted.
local function touch(method, collection, id, body)
  local records = records_of(collection)
  if records[id] == false then
    return nil
  elseif method == "DELETE" then
    records[id] = false
    return {}
  elseif method == "PATCH" or method == "PUT" then
    records[id] = merge(records[id] or { id = id }, body)
  end
  return records[id] or { id = id }
end

-- The rows of a list: the created records, the newest first; or else one of which nothing is known.
local function rows_of(schema, collection)
  local rows, ids = json.list(), {}
  local records = merge(sessions.rows(collection), records_of(collection))
  for id, record in pairs(records) do
    ids[#ids + 1] = record and id or nil
  end
  table.sort(ids, function(one, other) return one > other end)
  for index, id in ipairs(ids) do
    rows[index] = samples.answer(schema, records[id])
  end
  if next(records) == nil then
    rows[1] = samples.answer(schema)
  end
  return rows
end

-- ---- the answers ----

local function has_id(schema)
  local id = samples.member(schema, "id")
  return id and openapi.is_valid(id, 1)
end

-- What is known of the record that is answered; nil: it has been deleted.
local function known(operation, places, status, schema, body)
  local path, method = operation.path, operation.method
  local collection, action = path:match "^(.*/){[^/]*}/([^/]*)/?$"
  local id = tonumber(places[#places]) or places[#places]
  if action == "" then
    return touch(method, collection, id, body)
  elseif method == "POST" and openapi.is_collection(path) and has_id(schema) then
    return create(path, body)
  elseif status == 201 and collection and has_id(schema) then -- a copy
    return create(collection, records_of(collection)[id] or {})
  end
  return { id = id }
end

local function body_of(schema, members, path)
  local plain, results = openapi.resolve(schema), samples.member(schema, "results")
  if plain.type == "array" then
    return rows_of(plain.items, path)
  end
  local answer = samples.answer(schema, members)
  if results then
    answer.results = rows_of(openapi.resolve(results).items, path)
    answer.count = answer.count and #answer.results
    answer.next, answer.previous = answer.next and json.null, answer.previous and json.null -- one page
  end
  return answer
end

--- The answer to a request without a handler; nil if the document does not have it.
---@param request table
---@param body? table as fields.lua reads it; nil: it cannot be read
---@param files? table
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
  local status, schema = samples.response(operation)
  local members = known(operation, places, status, schema or {}, body)
  if not members then
    return check.not_found()
  end
  return { status = status, body = schema and body_of(schema, members, operation.path) or nil }
end

return documented

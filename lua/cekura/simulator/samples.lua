--- Values that are valid by the official document: requests and answers.

local json = require "cekura.simulator.json"
local openapi = require "cekura.simulator.openapi"

local samples = {}

local resolve = openapi.resolve

local TEXTS = { ["date-time"] = "2026-08-20T09:30:00Z", date = "2026-08-20", uri = "https://example.com/",
  email = "agent@example.com", uuid = "8c7a2f9e-3b51-4d0c-9a66-2f1d5e8b7c40" }

local function first_type(declared)
  return type(declared) == "table" and declared[1] or declared
end

local sample

-- Which properties a sample leaves out: those that only requests have, or only answers.
local left_out = "writeOnly"

local function sample_object(schema, depth)
  local object = {}
  for name, property in pairs(schema.properties or {}) do
    if not property[left_out] and not resolve(property)[left_out] then
      object[name] = sample(property, depth + 1)
    end
  end
  return object
end

local SAMPLES = {
  boolean = function() return true end,
  null = function() return json.null end,
  integer = function(schema) return math.max(schema.minimum or 1, 1) end,
  number = function(schema) return math.max(schema.minimum or 1, 1) + 0.5 end,
  string = function(schema) return TEXTS[schema.format] or ("text"):sub(1, schema.maxLength or 4) end,
  object = sample_object,
  array = function(schema, depth)
    return json.list(depth < 6 and schema.items and { sample(schema.items, depth + 1) } or {})
  end,
}

-- A value that is valid by exactly one of the schemas, if there is one.
local function sample_one(schemas, depth)
  for _, schema in ipairs(schemas) do
    local value, valid = sample(schema, depth), 0
    for _, other in ipairs(schemas) do
      valid = valid + (openapi.is_valid(other, value) and 1 or 0)
    end
    if valid == 1 then
      return value
    end
  end
  return sample(schemas[1], depth)
end

-- A value that is valid by the schema.
function sample(schema, depth)
  schema = resolve(schema)
  if schema.enum then
    return schema.enum[1]
  elseif schema.allOf then
    local object = sample_object(schema, depth)
    for _, part in ipairs(schema.allOf) do
      for name, value in pairs(sample(part, depth)) do
        object[name] = value
      end
    end
    return object
  elseif schema.oneOf then
    return sample_one(schema.oneOf, depth)
  elseif schema.anyOf then
    return sample(schema.anyOf[1], depth)
  end
  local make = SAMPLES[first_type(schema.type)]
  if make then
    return make(schema, depth)
  end
  return "text" -- any value
end

--- What a request of the operation may hold, each parameter given.
---@param operation table of openapi.find()
---@return table query
---@return any body nil: none
function samples.request(operation)
  local query, declared = {}, operation.declared
  left_out = "readOnly"
  for _, parameter in ipairs(declared.parameters or {}) do
    if parameter["in"] == "query" then
      query[parameter.name] = sample(parameter.schema, 0)
    end
  end
  local schema = openapi.content_schema(declared.requestBody and declared.requestBody.content)
  local body = schema and sample(schema, 0) or nil
  left_out = "writeOnly"
  return query, body
end

--- The status of an answer of the operation, and the schema of its body.
---@param operation table
---@return integer status
---@return table? schema nil: it has no body
function samples.response(operation)
  local lowest
  for status in pairs(operation.declared.responses) do
    lowest = (not lowest or status < lowest) and status or lowest
  end
  return tonumber(lowest), openapi.content_schema(operation.declared.responses[lowest].content)
end

--- The schema of a member of the objects that are valid by a schema; nil: it has no such member, or only in requests.
---@param schema table
---@param name string
---@return table?
function samples.member(schema, name)
  schema = resolve(schema)
  for _, part in ipairs(schema.allOf or {}) do
    local found = samples.member(part, name)
    if found then
      return found
    end
  end
  local property = schema.properties and schema.properties[name]
  return property and not property.writeOnly and not resolve(property).writeOnly and property or nil
end

--- A value that is valid by the schema of an answer. An object has those of the given members that are valid, too.
---@param schema table
---@param given? table
function samples.answer(schema, given)
  local value = sample(schema, 0)
  for name, member in pairs(type(value) == "table" and given or {}) do
    local declared = samples.member(schema, name)
    if declared and openapi.is_valid(declared, member) then
      value[name] = member
    end
  end
  return value
end

return samples

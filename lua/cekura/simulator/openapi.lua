--- The part of the official OpenAPI document that this module uses (document.lua): which operation a request is, what
-- is wrong with it, and an answer that is valid. The operations without a handler of their own are served so.

local json = require "cekura.simulator.json"

local openapi = {}

-- ---- the document ----

local document, operations

-- It is large, and most programs never need it.
local function load_document()
  document, operations = require "cekura.simulator.document", {}
  for path, methods in pairs(document.paths) do
    local places = {}
    local pattern = path:gsub("%-", "%%-"):gsub("{([^}]*)}", function(name)
      places[#places + 1] = name
      return "([^/]+)"
    end)
    for method, operation in pairs(methods) do
      operations[#operations + 1] = { method = method:upper(), path = path, pattern = "^" .. pattern .. "$",
        places = places, declared = operation }
    end
  end
  -- A literal path goes before one with a place: ".../filters/" is no id.
  table.sort(operations, function(one, other)
    if #one.places ~= #other.places then
      return #one.places < #other.places
    end
    return one.path < other.path
  end)
end

local function resolve(schema)
  while schema["$ref"] do
    schema = document.schemas[schema["$ref"]]
  end
  return schema
end

--- The operation that a request is.
---@param method string
---@param path string
---@return table? operation method, path, places (names), declared (as in the document)
---@return string[]? values of its places
function openapi.find(method, path)
  if not document then
    load_document()
  end
  for _, operation in ipairs(operations) do
    local values = operation.method == method and { path:match(operation.pattern) }
    if values and values[1] then
      return operation, values
    end
  end
end

-- ---- what is wrong with a value ----

local is_type = {
  string = function(value) return type(value) == "string" end,
  boolean = function(value) return type(value) == "boolean" end,
  number = function(value) return type(value) == "number" end,
  integer = function(value)
    return type(value) == "number" and value % 1 == 0 or type(value) == "table" and value.text ~= nil -- a big one
  end,
  object = function(value) return type(value) == "table" and #value == 0 end,
  array = function(value) return type(value) == "table" and (#value > 0 or next(value) == nil) end,
  null = function(value) return value == json.null end,
}

local function matches_type(declared, value)
  if type(declared) ~= "table" then
    return is_type[declared](value)
  end
  for _, each in ipairs(declared) do
    if is_type[each](value) then
      return true
    end
  end
  return false
end

local check

local function is_one_of(list, value)
  for _, each in ipairs(list) do
    if each == value then
      return true
    end
  end
  return false
end

-- Whether the value is valid by at least one of the schemas.
local function is_any(schemas, value)
  for _, schema in ipairs(schemas) do
    local faults = {}
    check(schema, value, "", faults)
    if not faults[1] then
      return true
    end
  end
  return false
end

local function fault(faults, place, message)
  faults[#faults + 1] = (place == "" and "body" or place) .. ": " .. message
end

local function check_object(schema, value, place, faults)
  local properties = schema.properties or {}
  for _, name in ipairs(schema.required or {}) do
    if value[name] == nil and not (properties[name] and resolve(properties[name]).readOnly) then
      fault(faults, place .. "." .. name, "is required")
    end
  end
  for name, member in pairs(value) do
    if properties[name] then
      check(properties[name], member, place .. "." .. name, faults)
    elseif schema.additionalProperties == false then
      fault(faults, place .. "." .. name, "is unknown")
    end
  end
end

local function check_list(schema, value, place, faults)
  if schema.minItems and #value < schema.minItems or schema.maxItems and #value > schema.maxItems then
    fault(faults, place, ("%d items"):format(#value))
  end
  for index, item in ipairs(schema.items and value or {}) do
    check(schema.items, item, ("%s[%d]"):format(place, index), faults)
  end
end

local function check_limits(schema, value, place, faults)
  if type(value) == "string" and (#value > (schema.maxLength or math.huge) or #value < (schema.minLength or 0)) then
    fault(faults, place, "has another length")
  elseif type(value) == "number"
    and (value > (schema.maximum or math.huge) or value < (schema.minimum or -math.huge)) then
    fault(faults, place, "is out of range")
  end
end

-- Adds what is wrong with a value to `faults`.
function check(schema, value, place, faults)
  schema = resolve(schema)
  if value == json.null and schema.nullable then
    return
  elseif schema.type and not matches_type(schema.type, value) then
    return fault(faults, place, "is not of the type " .. json.encode(schema.type))
  elseif schema.enum and not is_one_of(schema.enum, value) then
    return fault(faults, place, "is not in the enum")
  end
  for _, part in ipairs(schema.allOf or {}) do
    check(part, value, place, faults)
  end
  local any = schema.anyOf or schema.oneOf
  if any and not is_any(any, value) then
    fault(faults, place, "matches none of the schemas")
  end
  if is_type.object(value) then
    check_object(schema, value, place, faults)
  elseif is_type.array(value) and schema.type == "array" then
    check_list(schema, value, place, faults)
  end
  check_limits(schema, value, place, faults)
end

-- ---- requests ----

-- A text of a path or query as the value that its schema means.
local function read_text(schema, text)
  local declared = resolve(schema).type
  if declared == "integer" or declared == "number" then
    return tonumber(text) or text
  elseif declared == "boolean" and (text == "true" or text == "false") then
    return text == "true"
  elseif declared == "object" or declared == "array" then
    return json.decode(text) or text
  end
  return text
end

local function check_parameters(operation, values, args, faults)
  local known, by_place = {}, {}
  for index, name in ipairs(operation.places) do
    by_place[name] = values[index]
  end
  for _, parameter in ipairs(operation.declared.parameters or {}) do
    local name, in_path = parameter.name, parameter["in"] == "path"
    known[name] = not in_path or nil
    local given = (in_path and by_place or args)[name]
    if given ~= nil then
      check(parameter.schema, read_text(parameter.schema, given), parameter["in"] .. "." .. name, faults)
    elseif parameter.required then
      fault(faults, parameter["in"] .. "." .. name, "is required")
    end
  end
  for name in pairs(args) do
    if not known[name] then
      fault(faults, "query." .. name, "is unknown")
    end
  end
end

--- What is wrong with a request, as texts that begin with the place: "query.page: …", "body.name: …".
---@param operation table of openapi.find()
---@param values string[] of its places
---@param args table<string, string> of the query
---@param body any the decoded body; nil: it has none
---@param files? table<string, table> the files of a form, whose fields are all texts
---@return string[]
function openapi.faults(operation, values, args, body, files)
  local faults = {}
  check_parameters(operation, values, args, faults)
  local declared = operation.declared.requestBody
  if files and declared then
    local form = declared.content["multipart/form-data"]
    for _, name in ipairs(form and resolve(form.schema).required or {}) do
      if body[name] == nil and not files[name] then
        fault(faults, "body." .. name, "is required")
      end
    end
  elseif body ~= nil and declared then
    local content = declared.content["application/json"] or declared.content["multipart/form-data"]
    if content then -- the document misspells one
      check(content.schema, body, "body", faults)
    end
  elseif body == nil and declared and declared.required then
    fault(faults, "body", "is missing")
  elseif body ~= nil and not declared then
    fault(faults, "body", "is unexpected")
  end
  table.sort(faults)
  return faults
end

-- ---- answers ----

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
      valid = valid + (is_any({ other }, value) and 1 or 0)
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
---@return table query
---@return any body nil: none
function openapi.request(operation)
  local query, declared = {}, operation.declared
  left_out = "readOnly"
  for _, parameter in ipairs(declared.parameters or {}) do
    if parameter["in"] == "query" then
      query[parameter.name] = sample(parameter.schema, 0)
    end
  end
  local content = declared.requestBody and declared.requestBody.content
  local media = content and (content["application/json"] or content["multipart/form-data"])
  local body = media and sample(media.schema, 0) or nil
  left_out = "writeOnly"
  return query, body
end

--- An answer of the operation.
---@return integer status
---@return any body nil: none
function openapi.answer(operation)
  local lowest
  for status in pairs(operation.declared.responses) do
    lowest = (not lowest or status < lowest) and status or lowest
  end
  local content = operation.declared.responses[lowest].content
  local _, media = next(content or {})
  local body = media and sample(media.schema, 0) or nil
  if type(body) == "table" and body.next ~= nil then
    body.next, body.previous = json.null, json.null -- one page
  end
  return tonumber(lowest), body
end

return openapi

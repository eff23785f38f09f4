--- The part of the official OpenAPI document that this module uses (document.lua): which operation a request is, and
-- what is wrong with a request or an answer. samples.lua makes valid ones.

local json = require "cekura.simulator.json"

local openapi = {}

-- ---- the document ----

local document, operations
local collections = {} -- the paths that have an id behind them

-- It is large, and most programs never need it.
local function load_document()
  document, operations = require "cekura.simulator.document", {}
  for path, methods in pairs(document.paths) do
    local places, collection = {}, path:match "^(.*/){[^/]*}/$"
    collections[collection or ""] = true
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

--- A schema without references on its outside.
local function resolve(schema)
  while schema["$ref"] do
    schema = document.schemas[schema["$ref"]]
  end
  return schema
end

openapi.resolve = resolve

--- Whether the document has a path with an id behind this one.
---@param path string as in the document
function openapi.is_collection(path)
  return collections[path] == true
end

--- The schema of a body.
---@param content? table<string, table> of a request or a response
---@return table? schema nil: there is no body
function openapi.content_schema(content)
  local media = content and (content["application/json"] or content["multipart/form-data"])
  return media and media.schema
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

-- Which required properties may be absent: those of the other direction. Requests lack what is only read.
local left_out = "readOnly"

local function is_one_of(list, value)
  for _, each in ipairs(list) do
    if each == value then
      return true
    end
  end
  return false
end

--- Whether a value is valid by a schema.
function openapi.is_valid(schema, value)
  local faults = {}
  check(schema, value, "", faults)
  return not faults[1]
end

-- Whether the value is valid by at least one of the schemas.
local function is_any(schemas, value)
  for _, schema in ipairs(schemas) do
    if openapi.is_valid(schema, value) then
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
    if value[name] == nil and not (properties[name] and resolve(properties[name])[left_out]) then
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
    local schema = openapi.content_schema(declared.content)
    if schema then -- the document misspells one
      check(schema, body, "body", faults)
    end
  elseif body == nil and declared and declared.required then
    fault(faults, "body", "is missing")
  elseif body ~= nil and not declared then
    fault(faults, "body", "is unexpected")
  end
  table.sort(faults)
  return faults
end

--- What is wrong with the body of an answer of the operation, as texts.
---@param operation table
---@param status integer
---@param body any the decoded body; nil: it has none
---@return string[]
function openapi.answer_faults(operation, status, body)
  local faults, response = {}, operation.declared.responses[("%d"):format(status)]
  if not response then
    return { ("status: %d is not declared"):format(status) }
  end
  local schema = openapi.content_schema(response.content)
  if schema and body == nil then
    fault(faults, "", "is missing")
  elseif schema then
    left_out = "writeOnly"
    check(schema, body, "", faults)
    left_out = "readOnly"
  end
  table.sort(faults)
  return faults
end

return openapi

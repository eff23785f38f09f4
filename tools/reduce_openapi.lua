--- lua tools/reduce_openapi.lua DOCUMENT.json > spec/api/openapi.json: reduces an OpenAPI document for the specs to the
-- operations that this module uses, with names, types, limits and enums, and no prose. An operation is in use if its
-- "METHOD /path/" is in a file of lua/, or if it starts a kind of job; {version} stands for v1 and v2.

local cjson = require "cekura.cjson"
local core = require "cekura.core" -- its decoder marks lists, so that an empty one stays a list
local kinds = require "cekura.api.kinds"
local sorted_keys = require "spec.support.sorted_keys"

-- The members of a schema that are kept.
local KEPT = {}
for name in ([[type format enum const pattern required nullable readOnly writeOnly minItems maxItems minLength maxLength
  minimum maximum $ref items properties additionalProperties oneOf anyOf allOf]]):gmatch "%S+" do
  KEPT[name] = true
end

-- ---- the text ----

local write

local function write_list(list, indent)
  local items, nested = {}, false
  for index, item in ipairs(list) do
    items[index] = write(item, indent .. " ")
    nested = nested or type(item) == "table"
  end
  if not nested or #items == 0 then
    return "[" .. table.concat(items, ", ") .. "]"
  end
  return "[\n" .. indent .. " " .. table.concat(items, ",\n" .. indent .. " ") .. "\n" .. indent .. "]"
end

-- With sorted names, so that two documents can be compared.
function write(value, indent)
  if type(value) ~= "table" then
    return type(value) == "string" and '"' .. value:gsub('[%c"\\]', function(char)
      return ("\\u%04x"):format(char:byte())
    end) .. '"' or value == cjson.null and "null" or tostring(value)
  elseif getmetatable(value) == core.array_mt then
    return write_list(value, indent)
  end
  local items = {}
  for index, name in ipairs(sorted_keys(value)) do
    items[index] = write(name, "") .. ": " .. write(value[name], indent .. " ")
  end
  local flat = "{" .. table.concat(items, ", ") .. "}"
  if #flat + #indent <= 100 and not flat:find "\n" then
    return flat
  end
  return "{\n" .. indent .. " " .. table.concat(items, ",\n" .. indent .. " ") .. "\n" .. indent .. "}"
end

-- ---- the document ----

local document
local schemas = {} -- those that are reached

local reduce

local function reduce_all(list)
  local reduced = setmetatable({}, getmetatable(list))
  for name, schema in pairs(list) do
    reduced[name] = reduce(schema)
  end
  return reduced
end

function reduce(schema)
  if type(schema) ~= "table" then
    return schema -- additionalProperties = true
  end
  local reduced = {}
  for name, value in pairs(schema) do
    if name == "properties" or name == "oneOf" or name == "anyOf" or name == "allOf" then
      reduced[name] = reduce_all(value)
    elseif name == "items" or name == "additionalProperties" then
      reduced[name] = reduce(value)
    elseif KEPT[name] then
      reduced[name] = value
    end
  end
  local reference = schema["$ref"] and schema["$ref"]:match "[^/]+$"
  if reference and not schemas[reference] then
    schemas[reference] = true -- before its members, which may refer to it
    schemas[reference] = reduce(document.components.schemas[reference])
  end
  return reduced
end

local function reduce_content(content)
  local reduced = {}
  for media, value in pairs(content) do
    if media ~= "application/x-www-form-urlencoded" then
      reduced[media] = { schema = reduce(value.schema) }
    end
  end
  return reduced
end

local function reduce_operation(operation)
  local reduced = { responses = {} }
  for _, parameter in ipairs(operation.parameters or {}) do
    reduced.parameters = reduced.parameters or setmetatable({}, core.array_mt)
    table.insert(reduced.parameters, { name = parameter.name, ["in"] = parameter["in"],
      required = parameter.required, schema = reduce(parameter.schema) })
  end
  if operation.requestBody then
    reduced.requestBody = { required = operation.requestBody.required,
      content = reduce_content(operation.requestBody.content) }
  end
  for status, response in pairs(operation.responses) do
    if status:find "^2" then
      reduced.responses[status] = { description = "",
        content = response.content and reduce_content(response.content) or nil }
    end
  end
  return reduced
end

-- ---- the operations in use ----

local function add(found, method, endpoint)
  for _, version in ipairs { "v1", "v2" } do
    local full = endpoint:gsub("{version}", version)
    found[full] = found[full] or {}
    found[full][method:lower()] = true
  end
end

local function endpoints()
  local found, files = {}, assert(io.popen "find lua -name '*.lua' ! -path 'lua/cekura/simulator/*'")
  for path in files:lines() do
    local file = assert(io.open(path))
    for method, endpoint in file:read "*a":gmatch '"([A-Z]+) (/[A-Za-z0-9%-._~/{}]*)"' do
      add(found, method, endpoint)
    end
    file:close()
  end
  files:close()
  for _, declared in pairs(kinds) do -- the paths of some starts are put together
    if declared.start then
      add(found, declared.start:match "^(%S+) (%S+)$")
    end
  end
  return found
end

-- Names of places may differ.
local function common(path)
  return (path:gsub("{[^}]*}", "{}"))
end

local file = assert(io.open(arg[1] or error "a document is missing"))
document = assert(core.decode((file:read "*a")))
file:close()

local used, paths = {}, {}
for path, methods in pairs(endpoints()) do
  used[common(path)] = methods
end
for path, operations in pairs(document.paths) do
  for method in pairs(used[common(path)] or {}) do
    if operations[method] then
      paths[path] = paths[path] or {}
      paths[path][method] = reduce_operation(operations[method])
    end
  end
end
local key = document.components.securitySchemes.api_key
print(write({ openapi = document.openapi, info = { title = "operations in use", version = document.info.version },
  servers = setmetatable({ { url = "https://api.cekura.ai" } }, core.array_mt), paths = paths,
  components = { schemas = schemas,
    securitySchemes = { api_key = { type = "apiKey", ["in"] = "header", name = key.name } } } }, ""))

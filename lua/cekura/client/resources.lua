--- The resources of a client: `client.calls`, `client.runs`, … Each is a table with a method for each operation of
-- cekura.api.operations, and for each kind of job that is named after it, `client.runs:improve_prompt(params)`. The
-- methods of `client.calls` are in cekura.api.calls.

local atomic = require "cekura.loop.atomic"
local calls = require "cekura.api.calls"
local check = require "cekura.check"
local core = require "cekura.core"
local described = require "cekura.described"
local kind_schema = require "cekura.api.kind_schema"
local kinds = require "cekura.api.kinds"
local operation = require "cekura.api.operation"
local operations = require "cekura.api.operations"

local resources = {}

-- The methods that are not kinds, by resource. Each is called with the client and the arguments.
local METHODS = { calls = calls }

-- The records of these resources have more methods than others.
local CLASSES = { runs = "run", results = "result" }

local function add_operation(row)
  local methods = METHODS[row.resource] or {}
  METHODS[row.resource] = methods
  if methods[row.name] then
    return -- cekura.api.calls has all methods of calls
  end
  row.class = CLASSES[row.resource]
  if row.name == "list" then
    methods.list, methods.each = operation.list(row.resource, row)
  else
    methods[row.name] = operation.method(row.resource .. "." .. row.name, row)
  end
end

for _, row in ipairs(operations) do
  add_operation(row)
end
--- The names of a resource's methods.
---@param resource string
---@return table<string, true>
function resources.methods(resource)
  local names = {}
  for name in pairs(METHODS[resource] or {}) do
    names[name] = true
  end
  for kind in pairs(kinds) do
    names[kind:match("^" .. resource .. "%.(.*)$") or false] = true
  end
  names[false] = nil
  return names
end

-- Finds a method, which is called with the client and the arguments.
local function find_method(resource, name)
  local kind = resource .. "." .. name
  return METHODS[resource] and METHODS[resource][name] or kinds[kind] and function(client, params, options)
    return client:start(kind, params, options)
  end
end

local function new_resource(client, resource)
  local self
  local what = "client." .. resource
  local function is_self(value)
    return rawequal(value, self)
  end
  local metatable = described("cekura." .. resource, function()
    return what
  end)
  function metatable.__index(_, name)
    local method = type(name) == "string" and find_method(resource, name)
    if method then
      return check.method(what, name, function(_, ...)
        return method(client, ...)
      end, is_self)
    elseif type(name) == "string" and name:sub(1, 1) ~= "_" then
      check.known(what, "method", name, resources.methods(resource))
    end
  end
  self = setmetatable({}, metatable)
  return self
end

local function add_resource(client, resource)
  local fields = core.fields(client)
  fields[resource] = fields[resource] or new_resource(client, resource)
end

--- The names of all resources.
---@return table<string, true>
function resources.names()
  local names = {}
  for resource in pairs(METHODS) do
    names[resource] = true
  end
  for kind in pairs(kinds) do
    names[kind:match "^[^.]+"] = true
  end
  return names
end

-- Kinds that are declared later add their resources to these.
local clients = setmetatable({}, { __mode = "k" })

--- Gives a new client its resources. The caller is atomic.
---@param client cekura.Client
function resources.add(client)
  clients[client] = true
  for resource in pairs(METHODS) do
    add_resource(client, resource)
  end
  for kind in pairs(kinds) do
    add_resource(client, kind:match "^[^.]+")
  end
end

--- Declares a kind of job. Its method, `client.<resource>:<name>(params)`, exists at once. A program may redeclare its
--- own kinds, but not those of the module. Jobs keep the declaration that they were made with.
---@param name string "resource.name"
---@param declaration cekura.KindDeclaration
resources.declare_kind = atomic(function(name, declaration)
  for resource, methods in pairs(METHODS) do
    for method in pairs(methods) do
      kind_schema.reserve(resource .. "." .. method)
    end
  end
  kind_schema.declare(name, declaration)
  for client in pairs(clients) do
    add_resource(client, name:match "^[^.]+")
  end
end)

return resources

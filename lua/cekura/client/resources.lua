--- The resources of a client: `client.calls`, `client.runs`, … Each is a table with a method for each kind of job that
-- is named after the resource, `client.runs:improve_prompt(params)`, beside what the modules here give it.

local atomic = require "cekura.loop.atomic"
local calls = require "cekura.api.calls"
local core = require "cekura.core"
local kind_schema = require "cekura.api.kind_schema"
local kinds = require "cekura.api.kinds"

local resources = {}

-- The methods that are not kinds, by resource: functions of the client and the arguments.
local METHODS = { calls = calls }

for resource, methods in pairs(METHODS) do
  for name in pairs(methods) do
    kind_schema.reserve(resource .. "." .. name)
  end
end

local function find_method(client, resource, name)
  local method = METHODS[resource] and METHODS[resource][name]
  if method then
    return function(_, ...)
      return method(client, ...)
    end
  end
  local kind = ("%s.%s"):format(resource, tostring(name))
  if kinds[kind] then
    return function(_, params, options)
      return client:start(kind, params, options)
    end
  end
end

local function add_resource(client, kind)
  local resource, fields = kind:match "^[^.]+", core.fields(client)
  fields[resource] = fields[resource] or setmetatable({}, {
    __name = "cekura." .. resource,
    __index = function(_, name)
      return find_method(client, resource, name)
    end,
  })
end

-- Kinds that are declared later add their resources to these.
local clients = setmetatable({}, { __mode = "k" })

--- Gives a new client its resources. The caller is atomic.
---@param client cekura.Client
function resources.add(client)
  clients[client] = true
  for kind in pairs(kinds) do
    add_resource(client, kind)
  end
end

--- Declares a kind of job; its method is there at once, `client.<resource>:<name>(params)`. A kind of the program's own
--- may be declared again, one that comes with the module may not. Jobs keep the declaration that they were made by.
---@param name string "resource.name"
---@param declaration cekura.KindDeclaration
resources.declare_kind = atomic(function(name, declaration)
  kind_schema.declare(name, declaration)
  for client in pairs(clients) do
    add_resource(client, name)
  end
end)

return resources

--- lua/cekura/meta/resources.lua: client.calls, client.runs, …, with a method for each operation and each kind of job.

local checks = require "tools.meta.checks"
local kinds = require "cekura.api.kinds"
local kinds_meta = require "tools.meta.kinds"
local luacats = require "tools.luacats.model"
local names = require "tools.meta.names"
local sorted_keys = require "spec.support.sorted_keys"
local upvalue = require "tools.meta.upvalue"
local writer = require "tools.luacats.writer"

local resources_meta = {}

-- The modules whose functions are methods of a resource. Each takes the client first, in place of the resource.
local MODULES = { calls = "cekura.api.calls" }

-- The declaration that a method is made from, or checks its parameters by; nil: none.
local function declaration_of(method)
  for _, name in ipairs { "declared", "SEND" } do
    local found, declared = pcall(upvalue, method, name)
    if found and type(declared) == "table" and (declared.params or declared.query or declared.body) then
      return declared
    end
  end
end

-- The annotated function as a method, without the client. Writes the class of its parameters, if they have one.
local function method_of(lines, model, resource, name, fn)
  local declared = declaration_of(require(MODULES[resource])[name])
  local method = { name = name, text = fn.text, params = {}, returns = fn.returns }
  for index = 2, #fn.params do
    local param = fn.params[index]
    local class = names.class_of_kind(resource .. "." .. name) .. "Params"
    if param.type == class then
      writer.class(lines, { name = class, text = ("What %s:%s takes."):format(resource, name),
        fields = checks.fields(model, declared) })
    end
    method.params[#method.params + 1] = param
  end
  return method
end

local function put_resource(lines, model, resource)
  local methods = {}
  local functions = MODULES[resource] and luacats.functions(model, MODULES[resource]) or {}
  for _, name in ipairs(sorted_keys(functions)) do
    methods[name] = method_of(lines, model, resource, name, functions[name])
  end
  for kind in pairs(kinds) do
    local of, name = kind:match "^(.-)%.(.*)$"
    methods[name] = of == resource and not methods[name] and kinds_meta.method(model, kind) or methods[name]
  end
  local variable = names.class_of_resource(resource):match "[^.]+$"
  writer.class(lines, { name = names.class_of_resource(resource), text = ("`client.%s`"):format(resource) }, variable)
  for _, name in ipairs(sorted_keys(methods)) do
    writer.method(lines, variable, methods[name])
  end
end

--- The resources: those of kinds, and those that a module has.
---@return string[]
function resources_meta.names()
  local found = {}
  for kind in pairs(kinds) do
    found[kind:match "^[^.]+"] = true
  end
  for resource in pairs(MODULES) do
    found[resource] = true
  end
  return sorted_keys(found)
end

--- The text of the file.
---@param model table
---@return string[] lines
function resources_meta.lines(model)
  local lines, fields = {}, {}
  for index, resource in ipairs(resources_meta.names()) do
    put_resource(lines, model, resource)
    fields[index] = { name = resource, type = names.class_of_resource(resource) }
  end
  writer.class(lines, { name = "cekura.Client", fields = fields })
  return lines
end

return resources_meta

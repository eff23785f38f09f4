--- lua/cekura/meta/resources.lua: client.calls, client.runs, …, with a method for each operation and each kind of job.

local answers = require "tools.meta.answers"
local checks = require "tools.meta.checks"
local endpoint = require "cekura.http.endpoint"
local kinds = require "cekura.api.kinds"
local kinds_meta = require "tools.meta.kinds"
local luacats = require "tools.luacats.model"
local names = require "tools.meta.names"
local operations = require "cekura.api.operations"
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
    if declared and (param.type == "table" or param.type == class) then
      param = { name = param.name, type = class, optional = param.optional, text = param.text }
      writer.class(lines, { name = class, text = ("What %s:%s takes."):format(resource, name),
        fields = checks.fields(model, declared) })
    end
    method.params[#method.params + 1] = param
  end
  return method
end

-- The type of a row's parameters; nil: it has none, or, with true, any may be left out. Writes its class.
local function params_type(lines, model, row)
  local fields = checks.fields(model, row)
  if not fields and row.name == "list" then
    return "table", true
  elseif not fields then
    return nil
  end
  local class = names.class_of_kind(row.resource .. "." .. row.name) .. "Params"
  writer.class(lines, { name = class, fields = fields,
    text = ("What %s:%s takes%s."):format(row.resource, row.name, row.list and ", for each of a list" or "") })
  return row.list and class .. "[]" or class, fields[1].optional and not (row.list or row[1]:find "^P[AU]T")
end

--- The method of an operation that is a row of data.
---@param lines string[] the class of its parameters is added to them
---@param model table
---@param row table of cekura.api.operations
---@param returns string the type of what it returns
---@return table method as tools.luacats.writer takes it
function resources_meta.operation(lines, model, row, returns)
  local method = { name = row.name, text = row[1], params = {},
    returns = { { type = returns .. "?" }, { type = "cekura.Error?", name = "err" } } }
  for _, place in ipairs(endpoint.places(row[1])) do
    if place ~= "version" then
      method.params[#method.params + 1] = { name = place, type = "cekura.Id" }
    end
  end
  local type, optional = params_type(lines, model, row)
  if type then
    method.params[#method.params + 1] = { name = "params", type = type, optional = optional }
  end
  method.params[#method.params + 1] = { name = "options", type = "cekura.Timeout", optional = true }
  return method
end

-- The iterator beside a `list`.
local function each_of(list)
  return { name = "each", params = list.params, returns = { { type = "cekura.Each" } },
    text = list.text .. "\nIterates over the records of all pages; it raises what goes wrong." }
end

local function put_resource(lines, model, resource)
  local methods = {}
  local functions = MODULES[resource] and luacats.functions(model, MODULES[resource]) or {}
  for _, name in ipairs(sorted_keys(functions)) do
    methods[name] = method_of(lines, model, resource, name, functions[name])
  end
  for _, row in ipairs(operations) do
    if row.resource == resource and not methods[row.name] then
      methods[row.name] = resources_meta.operation(lines, model, row, answers.type_of(row))
      methods.each = row.name == "list" and each_of(methods.list) or methods.each
    end
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

--- The resources: those of kinds and of rows, and those that a module has.
---@return string[]
function resources_meta.names()
  local found = {}
  for kind in pairs(kinds) do
    found[kind:match "^[^.]+"] = true
  end
  for resource in pairs(MODULES) do
    found[resource] = true
  end
  for _, row in ipairs(operations) do
    found[row.resource] = true
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

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

-- The class of the parameters of a method, by its declaration; nil: it takes any.
local function params_class(model, resource, name, declared, text)
  local fields = checks.fields(model, declared)
  return fields and { name = names.class_of_kind(resource .. "." .. name) .. "Params", fields = fields,
    text = ("What %s:%s takes%s."):format(resource, name, text or "") }
end

-- The annotated function as a method, without the client.
local function method_of(model, resource, name, fn)
  local declared = declaration_of(require(MODULES[resource])[name])
  local method = { name = name, text = fn.text, params = {}, returns = fn.returns, request = declared and declared[1] }
  for index = 2, #fn.params do
    local param = fn.params[index]
    local class = declared and params_class(model, resource, name, declared)
    if class and (param.type == "table" or param.type == class.name) then
      param = { name = param.name, type = class.name, optional = param.optional, text = param.text }
      method.class = class
    end
    method.params[#method.params + 1] = param
  end
  return method
end

-- The parameters of a row that are in a table; nil: it has none.
local function table_param(row, class)
  if not class then
    return row.name == "list" and { name = "params", type = "table", optional = true } or nil
  end
  return { name = "params", type = row.list and class.name .. "[]" or class.name,
    optional = class.fields[1].optional and not (row.list or row[1]:find "^P[AU]T") }
end

--- The method of an operation that is a row of data.
---@param model table
---@param row table of cekura.api.operations
---@param returns string the type of what it returns
---@return table method see resources_meta.methods
function resources_meta.operation(model, row, returns)
  local method = { name = row.name, text = row[1], params = {}, request = row[1], paged = row.paged,
    class = params_class(model, row.resource, row.name, row, row.list and ", for each of a list"),
    returns = { { type = returns .. "?" }, { type = "cekura.Error?", name = "err" } } }
  for _, place in ipairs(endpoint.places(row[1])) do
    if place ~= "version" then
      method.params[#method.params + 1] = { name = place, type = "cekura.Id" }
    end
  end
  method.params[#method.params + 1] = table_param(row, method.class)
  method.params[#method.params + 1] = { name = "options", type = "cekura.Timeout", optional = true }
  return method
end

-- The iterator beside a `list`.
local function each_of(list)
  return { name = "each", params = list.params, iterates = true, returns = { { type = "cekura.Each" } },
    text = list.text .. "\nIterates over the records of all pages; it raises what goes wrong." }
end

--- The methods of a resource, by name: those that a module has, operations, kinds.
---@param model table
---@param resource string
---@return table<string, table> methods as tools.luacats.writer takes them; also `class`, that of the parameters;
---`request`, "METHOD /path/"; `paged`; `iterates`, over a list; `kind`, its declaration
function resources_meta.methods(model, resource)
  local methods = {}
  local functions = MODULES[resource] and luacats.functions(model, MODULES[resource]) or {}
  for name, fn in pairs(functions) do
    methods[name] = method_of(model, resource, name, fn)
  end
  for _, row in ipairs(operations) do
    local method = row.resource == resource and methods[row.name]
    if method then
      method.request, method.paged = method.request or row[1], row.paged
    elseif row.resource == resource then
      methods[row.name] = resources_meta.operation(model, row, answers.type_of(row))
      methods.each = row.name == "list" and each_of(methods.list) or methods.each
    end
  end
  for kind, declaration in pairs(kinds) do
    local of, name = kind:match "^(.-)%.(.*)$"
    local method = of == resource and not methods[name] and kinds_meta.method(model, kind)
    if method then
      methods[name], method.kind = method, declaration
    end
  end
  return methods
end

local function put_resource(lines, model, resource)
  local methods = resources_meta.methods(model, resource)
  for _, name in ipairs(sorted_keys(methods)) do
    if methods[name].class then
      writer.class(lines, methods[name].class)
    end
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

--- What there is to call, as data: for a REPL, a command, completion.

local endpoint = require "cekura.http.endpoint"
local kinds = require "cekura.api.kinds"
local operations = require "cekura.api.operations"

local catalog = {}

---@class cekura.Parameter
---@field name string
---@field type string the name of its check: "text", "id", "flag", … (cekura.api.params)
---@field required boolean

local function by_name(one, other)
  return one.name < other.name
end

-- A list of parameters, from their checks by name and the names of the required ones.
local function list_of(checks, required)
  local list = {}
  for name, check in pairs(checks) do
    list[#list + 1] = { name = name, type = check, required = required[name] or false }
  end
  table.sort(list, by_name)
  return list
end

---@class cekura.KindEntry
---@field name string
---@field params cekura.Parameter[]
---@field direct boolean whether it can be one request that is answered when the work is done
---@field withdrawn? string the date on which Cekura removed it from its documentation

--- All kinds of job, those that the program has declared too, in the order of their names.
---@return cekura.KindEntry[]
function catalog.kinds()
  local list = {}
  for name, declaration in pairs(kinds) do
    local checks, required = {}, {}
    for parameter, declared in pairs(declaration.params or {}) do
      checks[parameter], required[parameter] = declared[1], declared.required
    end
    for _, place in ipairs(declaration.start and endpoint.places(declaration.start) or {}) do
      checks[place], required[place] = "id", true
    end
    list[#list + 1] = { name = name, params = list_of(checks, required), direct = declaration.direct ~= nil,
      withdrawn = declaration.withdrawn }
  end
  table.sort(list, by_name)
  return list
end

---@class cekura.OperationEntry
---@field resource string
---@field name string the method: client[resource][name]
---@field method string of HTTP
---@field path string
---@field params cekura.Parameter[] after the values of the path's places
---@field paged boolean whether it returns a list in pages

--- All operations that are one request each, in the order of their resources and names. Each `list` has an `each`.
---@return cekura.OperationEntry[]
function catalog.operations()
  local list = {}
  for index, row in ipairs(operations) do
    local checks, required = {}, {}
    for _, place in ipairs { "query", "body" } do
      for name, check in pairs(row[place] or {}) do
        checks[name] = check
      end
    end
    for _, name in ipairs(row.required or {}) do
      required[name] = true
    end
    local method, path = endpoint.parse(row[1])
    list[index] = { resource = row.resource, name = row.name, method = method, path = path,
      params = list_of(checks, required), paged = row.paged or false }
  end
  return list
end

return catalog

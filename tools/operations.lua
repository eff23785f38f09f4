--- lua tools/operations.lua DOCUMENT.json [write]: compares lua/cekura/api/operations.lua with an OpenAPI document, and
-- prints what differs: parameters and paths of the operations that have a row, and the operations that the document
-- offers to its own tool users (`x-mcp-expose`) and that have none. With `write` it writes the rows anew.
--
-- The rows decide which operations exist, and their names, because the document has no stable names. The document
-- supplies facts only: parameters, their types, whether they are required, and whether a list has pages. To add an
-- operation, add `{ resource = …, name = …, "METHOD /path/" }` and run this.

local cjson = require "cjson"
local sorted_keys = require "spec.support.sorted_keys"

local TARGET = "lua/cekura/api/operations.lua"

-- What the document says otherwise in a schema than in its words, or in the answers of the service: a parameter that
-- its schema wrongly requires, by "resource.name".
local NOT_REQUIRED = {
  ["agents.create"] = { description = true }, -- an agent that is imported from its provider brings one
  ["agents.replace"] = { description = true },
}

-- ---- the document ----

local document

local function resolve(schema)
  while schema and schema["$ref"] do
    schema = document.components.schemas[schema["$ref"]:match "[^/]+$"]
  end
  return schema
end

-- The JSON type of a schema, null left aside; nil where several are possible, or none is given.
local function json_type(schema)
  local found = schema.type
  if type(found) == "table" then
    local others = {}
    for _, each in ipairs(found) do
      others[#others + 1] = each ~= "null" and each ~= others[1] and each or nil
    end
    found = #others == 1 and others[1] or nil
  end
  return found or schema.allOf and "object" or nil
end

local CHECKS = { string = "text", integer = "integer", number = "number", boolean = "flag", object = "table",
  array = "list" }
local FORMATS = { ["date-time"] = "time", binary = "file" }

-- The name of a parameter's check in cekura.api.params.
local function check_of(name, schema, words)
  schema = resolve(schema)
  local kind = json_type(schema)
  if kind == "array" and (resolve(schema.items or {})).format == "binary" then
    return "files"
  elseif kind == "integer" and (name == "id" or name:find "_id$") then
    return "id"
  elseif kind == "string" and words and words:lower():find "comma" then
    return "joined"
  end
  return FORMATS[schema.format] or CHECKS[kind] or "any"
end

-- Whether a form has files. In JSON they would be text in base 64.
local function has_files(schema)
  for name, property in pairs(resolve(schema).properties or {}) do
    if check_of(name, property):find "^file" then
      return true
    end
  end
  return false
end

-- The properties of a body that are sent, and those that must be.
local function read_body(row, operation)
  local content = operation.requestBody and operation.requestBody.content
  if not content then
    return
  end
  local form = content["multipart/form-data"]
  local schema = resolve((form and has_files(form.schema) and form or content["application/json"]).schema)
  if json_type(schema) == "array" then
    row.list = true
    schema = resolve(schema.items)
  end
  row.body = {}
  local never = NOT_REQUIRED[row.resource .. "." .. row.name] or {}
  for name, property in pairs(schema.properties or {}) do
    if not (property.readOnly or resolve(property).readOnly) then
      row.body[name] = check_of(name, property)
    end
  end
  for _, name in ipairs(schema.required or {}) do
    if row.body[name] and not never[name] then
      row.required[#row.required + 1] = name
    end
  end
end

local function read_query(row, operation)
  for _, parameter in ipairs(operation.parameters or {}) do
    if parameter["in"] == "query" then
      row.query = row.query or {}
      row.query[parameter.name] = check_of(parameter.name, parameter.schema, parameter.description)
      row.required[#row.required + 1] = parameter.required and parameter.name or nil
    end
  end
end

-- Whether the operation lists records, and in pages.
local function read_answer(row, operation)
  local content = (operation.responses["200"] or {}).content
  local schema = content and resolve(content["application/json"].schema)
  row.paged = row.name == "list" and schema and schema.properties and schema.properties.next and true or nil
end

-- A row as the document has it.
local function read(known)
  local row = { resource = known.resource, name = known.name, known[1], required = {} }
  local method, path = known[1]:match "^(%S+) (%S+)$"
  local operation = (document.paths[path] or {})[method:lower()]
  if not operation then
    return nil
  end
  read_body(row, operation)
  read_query(row, operation)
  read_answer(row, operation)
  table.sort(row.required)
  row.required = row.required[1] and row.required or nil
  return row
end

-- ---- rows as text ----

local function key(name)
  return name:find "^[%a_][%w_]*$" and name ~= "end" and name or ("[%q]"):format(name)
end

-- Items between braces, on lines of at most 120 columns.
local function braces(items, indent)
  local flat = "{ " .. table.concat(items, ", ") .. " }"
  if #flat + #indent <= 100 then
    return flat
  end
  local lines, line = {}, indent .. "  "
  for _, item in ipairs(items) do
    if #line + #item > 117 then
      lines[#lines + 1], line = line:gsub(" $", ""), indent .. "  "
    end
    line = line .. item .. ", "
  end
  lines[#lines + 1] = line:gsub(" $", "")
  return "{\n" .. table.concat(lines, "\n") .. "\n" .. indent .. "}"
end

local function parameters(list)
  local items = {}
  for index, name in ipairs(sorted_keys(list)) do
    items[index] = ("%s = %q"):format(key(name), list[name])
  end
  return braces(items, "    ")
end

local function text_of(row)
  local first = ("  { resource = %q, name = %q"):format(row.resource, row.name)
  local endpoint = ("%q"):format(row[1])
  for _, name in ipairs { "paged", "list" } do
    endpoint = endpoint .. (row[name] and (", %s = true"):format(name) or "")
  end
  local parts = { #first + #endpoint <= 114 and first .. ", " .. endpoint or first .. ",\n    " .. endpoint }
  if row.required then
    local items = {}
    for index, name in ipairs(row.required) do
      items[index] = ("%q"):format(name)
    end
    parts[#parts + 1] = "    required = " .. braces(items, "    ")
  end
  for _, name in ipairs { "query", "body" } do
    parts[#parts + 1] = row[name] and ("    %s = %s"):format(name, parameters(row[name]))
  end
  return table.concat(parts, ",\n") .. (#parts == 1 and not parts[1]:find "\n" and " },\n" or ",\n  },\n")
end

-- ---- what differs ----

local function flat(row)
  local facts = { paged = tostring(row.paged or false), ["a list as body"] = tostring(row.list or false) }
  for _, place in ipairs { "query", "body" } do
    for name, check in pairs(row[place] or {}) do
      facts[place .. " " .. name] = check
    end
  end
  for _, name in ipairs(row.required or {}) do
    facts["required " .. name] = "yes"
  end
  return facts
end

local function print_differences(row, now)
  local before, after = flat(row), now and flat(now) or {}
  local names = {}
  for _, facts in ipairs { before, after } do
    for name in pairs(facts) do
      names[name] = true
    end
  end
  if not now then
    print(("%s.%s: %s is not in the document"):format(row.resource, row.name, row[1]))
    return 1
  end
  local count = 0
  for _, name in ipairs(sorted_keys(names)) do
    if before[name] ~= after[name] then
      count = count + 1
      print(("%s.%s: %s: %s -> %s"):format(row.resource, row.name, name, before[name] or "none", after[name] or "none"))
    end
  end
  return count
end

-- The endpoints that kinds of job use; {version} is any.
local function kinds_endpoints()
  local found = {}
  for _, declaration in pairs(require "cekura.api.kinds") do
    for _, member in ipairs { declaration.start, declaration.poll, declaration.direct,
      declaration.cancel and declaration.cancel[1], declaration.answer and declaration.answer[1] } do
      found[member:gsub("/v%d/", "/"):gsub("/{version}/", "/"):gsub("{[^}]*}", "{}")] = true
    end
  end
  return found
end

local function print_unlisted(rows)
  local listed, count = kinds_endpoints(), 0
  for _, row in ipairs(rows) do
    listed[row[1]] = true
  end
  for _, path in ipairs(sorted_keys(document.paths)) do
    for _, method in ipairs(sorted_keys(document.paths[path])) do
      local endpoint = method:upper() .. " " .. path
      local common = endpoint:gsub("/v%d/", "/"):gsub("{[^}]*}", "{}")
      local operation = document.paths[path][method]
      if type(operation) == "table" and operation["x-mcp-expose"] and not listed[endpoint] and not listed[common] then
        count = count + 1
        print("no row: " .. endpoint)
      end
    end
  end
  return count
end

-- ---- the program ----

local function main(path, write)
  local file = assert(io.open(path))
  document = cjson.decode((file:read "*a"))
  file:close()
  local rows, texts, differences = dofile(TARGET), {}, 0
  for index, row in ipairs(rows) do
    local now = read(row)
    differences = differences + print_differences(row, now)
    texts[index] = text_of(now or row)
  end
  differences = differences + print_unlisted(rows)
  print(("%d operations, %d differences"):format(#rows, differences))
  if write then
    file = assert(io.open(TARGET))
    local head = file:read "*a":match "^(.-\nreturn {\n)"
    file:close()
    file = assert(io.open(TARGET, "w"))
    file:write(head, table.concat(texts), "}\n")
    file:close()
  end
end

main(arg[1] or error "a document is missing", arg[2] == "write")

--- Writes docs/api/: a page for each resource, with its methods, from the module's own tables of data.
--   lua5.4 tools/api_pages.lua     (make generate)

local answers = require "tools.meta.answers"
local file = require "spec.support.file"
local luacats = require "tools.luacats.model"
local resources_meta = require "tools.meta.resources"
local shell = require "spec.support.shell"
local sorted_keys = require "spec.support.sorted_keys"

local api_pages = {}

local FOLDER = "docs/api/"

local HEAD = "<!-- Made by `make generate`. -->\n\n"

local function code(text)
  return "`" .. text .. "`"
end

-- In a table, a bar would end the cell.
local function cell(text)
  return (text:gsub("|", "\\|"):gsub("\n", " "))
end

-- ---- a method ----

-- What a method returns, in words.
local function returns_of(method)
  local type = method.returns[1].type:gsub("%?$", "")
  return answers.WORDS[type] or type:find "Job$" and "a job" or code(type)
end

-- "client.agents:get(id [, options])"
local function call_of(resource, method)
  local required, optional = {}, {}
  for _, param in ipairs(method.params) do
    local list = (param.optional or optional[1]) and optional or required
    list[#list + 1] = param.name
  end
  local text = table.concat(required, ", ")
  for index, name in ipairs(optional) do
    text = ("%s%s[%s%s"):format(text, text == "" and "" or " ", (index > 1 or required[1]) and ", " or "", name)
  end
  return ("client.%s:%s(%s%s)"):format(resource, method.name, text, ("]"):rep(#optional))
end

-- The facts of a method that starts a job.
local function kind_facts(name, kind)
  local facts = {}
  facts[#facts + 1] = kind.start and "request: " .. code(kind.start)
  facts[#facts + 1] = kind.direct and ("[direct](../jobs.md#direct-jobs): %s"):format(code(kind.direct))
  facts[#facts + 1] = ("returns a job of [the kind](../kinds.md#the-kinds) %s"):format(code(name))
  facts[#facts + 1] = "its result has " .. kind.returns
  facts[#facts + 1] = kind.note and "note: " .. kind.note
  facts[#facts + 1] = kind.withdrawn and "Cekura removed the endpoint from its documentation on " .. kind.withdrawn
  return facts
end

local function facts_of(resource, method)
  if method.kind then
    return kind_facts(resource .. "." .. method.name, method.kind)
  end
  local facts = {}
  facts[#facts + 1] = method.request and "request: " .. code(method.request)
  facts[#facts + 1] = "returns " .. returns_of(method)
  facts[#facts + 1] = method.paged and "paged" or nil
  return facts
end

-- What there is to say in words: of a plain operation nothing, since its comment is its request.
local function text_of(method)
  if method.iterates then
    return "Iterates over the records of all pages of `list`, with the same arguments. It raises what goes wrong."
  end
  return not method.kind and method.text ~= method.request and method.text or nil
end

local function put_fields(lines, fields)
  lines[#lines + 1] = "| parameter | type | required | meaning |\n|---|---|---|---|"
  for _, field in ipairs(fields) do
    lines[#lines + 1] = ("| %s | %s | %s | %s |"):format(code(field.name), cell(code(field.type)),
      field.optional and "" or "yes", cell(field.text or ""))
  end
  lines[#lines + 1] = ""
end

local function put_method(lines, resource, method)
  lines[#lines + 1] = ("## %s\n"):format(method.name)
  lines[#lines + 1] = code(call_of(resource, method)) .. "\n"
  local text = text_of(method)
  lines[#lines + 1] = text and text .. "\n"
  lines[#lines + 1] = "- " .. table.concat(facts_of(resource, method), "\n- ") .. "\n"
  local fields = method.class and method.class.fields or method.fields
  if fields then
    put_fields(lines, fields)
  elseif method.kind then
    lines[#lines + 1] = "The parameters are sent unchecked.\n"
  end
end

-- ---- the pages ----

local function page_of(resource, methods)
  local lines = { ("# client.%s\n"):format(resource),
    "How to read this page, and all other resources: [the API](README.md).\n",
    "| method | request | returns |\n|---|---|---|" }
  for _, name in ipairs(sorted_keys(methods)) do
    local method = methods[name]
    local request = method.request or method.kind and (method.kind.start or method.kind.direct)
    lines[#lines + 1] = ("| [%s](#%s) | %s | %s |"):format(code(name), name, request and code(request) or "",
      returns_of(method))
  end
  lines[#lines + 1] = ""
  for _, name in ipairs(sorted_keys(methods)) do
    put_method(lines, resource, methods[name])
  end
  return HEAD .. table.concat(lines, "\n"):gsub("\n+$", "\n")
end

local INTRODUCTION = [[
# The API

A resource of the service is a member of the client, and its operations are methods: `client.agents:get(2142)`. The
pages below list them all; `cekura.operations()` and `cekura.kinds()` return the same as data.

A method takes the values of its path's places, then a table of parameters, then `{ timeout = seconds }`. Square
brackets mark what may be left out. It returns `nil` and an [error](../errors.md) where it fails. A wrong type, a
missing parameter and an unknown one raise an error at the caller's line; `extra = { … }` is sent unchecked.

"Paged" means that the service answers a list in pages: [records](../records.md) describes pages, iterators and
records. A method that returns a job starts one: see [jobs](../jobs.md) and [kinds of job](../kinds.md).

Parameters and their types are those of the official API document. What an operation returns is from there, too; the
client also reads an answer of another shape.
]]

local function index_of(pages)
  local lines = { INTRODUCTION, "| resource | operations | kinds of job |\n|---|---|---|" }
  for _, resource in ipairs(sorted_keys(pages)) do
    local operations, kinds = {}, {}
    for _, name in ipairs(sorted_keys(pages[resource])) do
      local list = pages[resource][name].kind and kinds or operations
      list[#list + 1] = code(name)
    end
    lines[#lines + 1] = ("| [%s](%s.md) | %s | %s |"):format(resource, resource, table.concat(operations, ", "),
      table.concat(kinds, ", "))
  end
  return HEAD .. table.concat(lines, "\n") .. "\n"
end

--- The pages as they must be: their texts by path.
---@return table<string, string>
function api_pages.files()
  local model, texts, pages = luacats.read(true), {}, {}
  for _, resource in ipairs(resources_meta.names()) do
    pages[resource] = resources_meta.methods(model, resource)
    texts[FOLDER .. resource .. ".md"] = page_of(resource, pages[resource])
  end
  texts[FOLDER .. "README.md"] = index_of(pages)
  return texts
end

if arg and arg[0] and arg[0]:find "tools/api_pages%.lua$" then
  shell(("mkdir -p %s && rm -f %s*.md"):format(FOLDER, FOLDER))
  for path, text in pairs(api_pages.files()) do
    file.write(path, text)
  end
end

return api_pages

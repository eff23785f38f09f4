--- lua tools/simulator_document.lua: prints lua/cekura/simulator/document.lua, which is spec/api/openapi.json as Lua:
-- the paths and the schemas alone, with each part that occurs several times written once.

local cjson = require "cekura.cjson"
local core = require "cekura.core"
local sorted_keys = require "spec.support.sorted_keys"

local HEAD = [[
--- The part of the official OpenAPI document that this module uses: its paths and schemas. Written by `make generate`,
-- from spec/api/openapi.json.

local null = require "cekura.simulator.json".null

local paths, schemas = {}, {}
local s = {} -- what occurs several times
]]

local KEYWORDS = {}
for word in ([[and break do else elseif end false for function goto if in local nil not or repeat return then true until
  while]]):gmatch "%a+" do
  KEYWORDS[word] = true
end

-- Shorter texts are not shared: "s[1234]" has seven characters.
local SHORTEST = 12

-- ---- which parts occur several times ----

local counts, texts = {}, {}

local function key_text(name)
  return name:find "^[%a_][%w_]*$" and not KEYWORDS[name] and name or ("[%q]"):format(name)
end

-- The whole text of a value, which identifies it.
local function whole(value)
  if type(value) == "string" then
    return ("%q"):format((value:gsub("^#/components/schemas/", "")))
  elseif type(value) ~= "table" then
    return value == cjson.null and "null" or tostring(value)
  elseif texts[value] then
    return texts[value]
  end
  local items = {}
  if getmetatable(value) == core.array_mt then
    for index, item in ipairs(value) do
      items[index] = whole(item)
    end
  else
    for _, name in ipairs(sorted_keys(value)) do
      items[#items + 1] = key_text(name) .. "=" .. whole(value[name])
    end
  end
  texts[value] = "{" .. table.concat(items, ",") .. "}"
  return texts[value]
end

local function count(value)
  if type(value) ~= "table" then
    return
  end
  local text = whole(value)
  counts[text] = (counts[text] or 0) + 1
  if counts[text] == 1 then
    for _, item in pairs(value) do
      count(item)
    end
  end
end

-- ---- the text ----

local lines, shared, used = {}, {}, 0

-- Breaks a line of pieces, none of which is broken itself.
local function add_line(pieces)
  local line = ""
  for _, piece in ipairs(pieces) do
    if #line + #piece > 120 then
      lines[#lines + 1] = line
      line = " "
    end
    line = line .. piece
  end
  lines[#lines + 1] = line
end

local write

local function write_items(value, out)
  out[#out + 1] = "{"
  if getmetatable(value) == core.array_mt then
    for _, item in ipairs(value) do
      write(item, out)
      out[#out + 1] = ","
    end
  else
    for _, name in ipairs(sorted_keys(value)) do
      out[#out + 1] = key_text(name) .. "="
      write(value[name], out)
      out[#out + 1] = ","
    end
  end
  out[#out] = out[#out] == "," and "}" or out[#out] .. "}"
end

-- Appends the pieces of a value; what occurs several times gets a line of its own before.
function write(value, out)
  local text = whole(value)
  if type(value) ~= "table" or counts[text] == 1 or #text < SHORTEST then
    if type(value) == "table" then
      write_items(value, out)
    else
      out[#out + 1] = text
    end
    return
  end
  if not shared[text] then
    local pieces = { "" }
    write_items(value, pieces)
    used = used + 1
    shared[text] = ("s[%d]"):format(used)
    pieces[1] = shared[text] .. "="
    add_line(pieces)
  end
  out[#out + 1] = shared[text]
end

local file = assert(io.open "spec/api/openapi.json")
local document = assert(core.decode((file:read "*a")))
file:close()

for _, methods in pairs(document.paths) do
  for _, operation in pairs(methods) do
    for _, response in pairs(operation.responses) do
      response.description = nil -- empty
    end
  end
end
local kept = { paths = document.paths, schemas = document.components.schemas }
count(kept)
for _, name in ipairs { "paths", "schemas" } do
  for _, key in ipairs(sorted_keys(kept[name])) do
    local pieces = { ("%s[%q]="):format(name, key) }
    write(kept[name][key], pieces)
    add_line(pieces)
  end
end
io.write(HEAD, "\n", table.concat(lines, "\n"), "\n\nreturn { paths = paths, schemas = schemas }\n")

--- Writes lua/cekura/meta/: LuaCATS annotations for editors of what no Lua source spells out, because it is made from
-- tables of data or written in C.
--   lua5.4 tools/meta/files.lua     (make generate)

local annotations = require "tools.luacats.annotations"
local declarations = require "tools.meta.declarations"
local file = require "spec.support.file"
local kinds_meta = require "tools.meta.kinds"
local luacats = require "tools.luacats.model"
local names = require "tools.meta.names"
local options = require "cekura.client.options"
local options_table = require "spec.support.options_table"
local resources_meta = require "tools.meta.resources"
local sorted_keys = require "spec.support.sorted_keys"
local writer = require "tools.luacats.writer"

local meta = {}

-- ---- what C defines ----

local function class_with(model, methods)
  for _, class in pairs(model.classes) do
    if class.core == methods then
      return class.name
    end
  end
  error("no class has the methods core." .. methods)
end

local function binding_lines(model)
  local lines = {}
  local pipe = assert(io.popen "ls src/lua/*.c")
  for path in pipe:lines() do
    local found = annotations.read_c(path)
    if found then
      local name = class_with(model, found.methods)
      local variable = name:match "[^.]+$"
      for _, class in ipairs(found.classes) do
        writer.class(lines, class)
      end
      writer.class(lines, { name = name, fields = found.fields }, found.functions[1] and variable)
      for _, method in ipairs(found.functions) do
        writer.method(lines, variable, method)
      end
    end
  end
  pipe:close()
  return lines
end

-- ---- the options ----

local function option_lines()
  local lines, fields = {}, {}
  for index, row in ipairs(options.rows) do
    local default = options_table.default_of(row):gsub("^.+$", " (%0)")
    fields[index] = { name = row.name, type = row.type, optional = true, text = row.meaning .. default }
  end
  writer.class(lines, { name = "cekura.Options", text = "The options of cekura.new().", fields = fields })
  return lines
end

-- ---- the files ----

local FILES = { binding = binding_lines, declarations = declarations.lines, kinds = kinds_meta.lines,
  names = names.lines, options = option_lines, resources = resources_meta.lines }

local HEAD = "---@meta cekura.meta.%s\n-- Made by `make generate`. For editors: no program requires it.\n\n%s"

--- The files as they must be: their texts by path.
---@return table<string, string>
function meta.files()
  local model, texts = luacats.read(true), {}
  for name, lines_of in pairs(FILES) do
    local text = table.concat(lines_of(model), "\n"):gsub("\n+$", "")
    texts[("lua/cekura/meta/%s.lua"):format(name)] = HEAD:format(name, text .. "\n")
  end
  return texts
end

if arg and arg[0] and arg[0]:find "tools/meta/files%.lua$" then
  local texts = meta.files()
  for _, path in ipairs(sorted_keys(texts)) do
    file.write(path, texts[path])
  end
end

return meta

--- The annotated types of all files together. The parts of a type may be in several files: a module adds methods that
-- another defines to a class, and lua/cekura/meta has the parts that are generated from tables and from C.
--
--   classes   by name: { name =, parent =, text =, fields =, methods =, at = }; `fields` is a list, `methods` one of
--             { name =, of_self =, fn = }: `of_self` says that it is called with a colon, `fn` is as
--             tools.luacats.annotations reads functions
--   aliases   by name
--   modules   the files by the names of their modules, as tools.luacats.annotations reads them

local annotations = require "tools.luacats.annotations"
local luacats_type = require "tools.luacats.type"

local model = {}

--- What programs require: the classes of these modules.
model.ROOTS = { "cekura", "cekura.fleet", "cekura.loop.hosted", "cekura.loop.threads", "cekura.testing" }

local function lua_files()
  local pipe = assert(io.popen "find lua -name '*.lua' | sort")
  local paths = {}
  for path in pipe:lines() do
    paths[#paths + 1] = path
  end
  pipe:close()
  return paths
end

-- The function that an expression of a file is: here, or in the module that it comes from. Nil: none that is annotated.
local function find_function(self, file, expression)
  for _, fn in ipairs(file.functions) do
    if fn.name == expression then
      return fn
    end
  end
  if file.values[expression] then
    return find_function(self, file, file.values[expression])
  end
  local variable, member = expression:match "^([%w_]+)(.*)$"
  local other = self.modules[file.requires[variable]]
  return other and other.result and find_function(self, other, other.result .. member)
end

-- The methods of a class that is the variable `variable` of a file.
local function add_methods(self, class, file, variable)
  local seen = {}
  local function add(name, separator, fn)
    if not seen[name] then
      seen[name] = true
      class.methods[#class.methods + 1] = { name = name, fn = fn,
        of_self = separator == ":" or (fn.params[1] or {}).name == "self" or (fn.given or {})[1] == "self" }
    end
  end
  for _, fn in ipairs(file.functions) do
    local owner, separator, name = fn.name:match "^([%w_]+)([.:])([%w_]+)$"
    if owner == variable then
      add(name, separator, fn)
    end
  end
  for target, expression in pairs(file.values) do
    local owner, name = target:match "^([%w_]+)%.([%w_]+)$"
    local fn = owner == variable and find_function(self, file, expression)
    if fn then
      add(name, ".", fn)
    end
  end
  table.sort(class.methods, function(a, b)
    return a.name < b.name
  end)
end

local function add_class(self, file, declared)
  local class = self.classes[declared.name]
  if not class then
    class = { name = declared.name, text = "", fields = {}, methods = {}, at = declared.at }
    self.classes[declared.name] = class
  end
  class.parent = class.parent or declared.parent
  class.text = declared.text ~= "" and declared.text or class.text
  class.core = class.core or (declared.value or ""):match "^core%.([%w_]+)$"
  for _, field in ipairs(declared.fields) do
    class.fields[#class.fields + 1] = field
  end
  if declared.variable then
    add_methods(self, class, file, declared.variable)
  end
end

--- Reads the annotations of lua/.
---@param without_meta? boolean leave lua/cekura/meta out
---@return table model
function model.read(without_meta)
  local self, files = { classes = {}, aliases = {}, modules = {} }, {}
  for _, path in ipairs(lua_files()) do
    if not (without_meta and path:find "/meta/") then
      local module = path:gsub("^lua/", ""):gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", ".")
      files[#files + 1] = annotations.read_lua(path)
      self.modules[module] = files[#files]
    end
  end
  for _, file in ipairs(files) do
    for _, declared in ipairs(file.classes) do
      add_class(self, file, declared)
    end
    for _, alias in ipairs(file.aliases) do
      self.aliases[alias.name] = alias
    end
  end
  return self
end

--- The annotated functions that a module returns in a table, by name.
---@param self table a model
---@param module string
---@return table<string, table>
function model.functions(self, module)
  local class = { methods = {} }
  local file = self.modules[module]
  add_methods(self, class, file, file.result)
  local functions = {}
  for _, method in ipairs(class.methods) do
    functions[method.name] = method.fn
  end
  return functions
end

-- Calls a function for each type that a class mentions, but for private ones.
local function each_type(class, fn)
  for _, field in ipairs(class.fields) do
    if not field.private then
      fn(field.tree, field.at)
    end
  end
  for _, method in ipairs(class.methods) do
    if not method.name:find "^_" then
      for _, list in ipairs { method.fn.params, method.fn.returns } do
        for _, item in ipairs(list) do
          fn(item.tree, item.at)
        end
      end
    end
  end
end

--- The names that a class has for programs.
---@param class table
---@return string[]
function model.members(class)
  local names = {}
  for _, field in ipairs(class.fields) do
    names[#names + 1] = not field.private and field.name:match "^[%a_][%w_]*$" or nil
  end
  for _, method in ipairs(class.methods) do
    names[#names + 1] = method.name:match "^%a.*$"
  end
  return names
end

--- The public types: what programs require, and all that those mention.
---@param self table a model
---@param roots string[] names of classes
---@return table<string, true> names of classes and aliases
---@return string[] undeclared mentions of types that are declared nowhere
function model.public(self, roots)
  local public, undeclared, visit = {}, {}, nil
  local function visit_names(tree, at)
    luacats_type.each_name(tree, function(name)
      visit(name, at)
    end)
  end
  function visit(name, at)
    local class, alias = self.classes[name], self.aliases[name]
    if not name:find "^cekura" then
      return
    elseif not class and not alias then
      undeclared[#undeclared + 1] = at .. ": " .. name
    elseif not public[name] then
      public[name] = true
      if class then
        if class.parent then
          visit(class.parent, class.at)
        end
        each_type(class, visit_names)
      else
        visit_names(alias.tree, alias.at)
      end
    end
  end
  for _, root in ipairs(roots) do
    visit(root, "the roots")
  end
  return public, undeclared
end

return model

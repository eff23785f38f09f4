--- Reads the LuaCATS annotations of a file in Lua, or in C, where they are in the comments before functions.
--
-- The result for a file:
--
--   classes     list of { name =, parent =, text =, fields =, at =, variable =, value = }: the local variable that the
--               class is that of, and the expression that is its value
--   aliases     list of { name =, type =, text =, at = }
--   functions   list of { name =, text =, params =, returns =, given =, at = }: `name` as the source has it,
--               "methods:cancel"; `given`, the names of its parameters in the source; nil, where it has none
--   values      expressions by the name that they are assigned to: "methods.wait" to "wait.one"
--   requires    modules by local variable
--   result      the expression that the module returns
--
-- Fields, parameters and returns are { name =, type =, tree =, optional =, private =, text = }, with `type` as it is
-- written and `tree` as tools.luacats.type reads it. `at` is "path:line". Types that cannot be read are errors.

local luacats_type = require "tools.luacats.type"

local annotations = {}

-- ---- tags ----

local function trim(text)
  return text:match "^%s*(.-)%s*$"
end

local function read_type(text, at)
  local tree, written, rest = luacats_type.read(text)
  assert(tree, ("%s: no type: %s"):format(at, text))
  return tree, trim(written), rest
end

-- `name? type text`, as in fields and parameters.
local function read_member(text, at)
  local name, optional, rest = text:match "^(%[.-%])(%??)%s+(.*)$"
  if not name then
    name, optional, rest = text:match "^([%w_.]+)(%??)%s+(.*)$"
  end
  assert(name, ("%s: no name and type: %s"):format(at, text))
  local member = { name = name, optional = optional == "?", at = at }
  member.tree, member.type, rest = read_type(rest, at)
  member.text = trim(rest:gsub("^%s*#", "", 1))
  return member
end

-- `type name, type name text`; a name may be missing.
local function read_returns(text, at, list)
  local comma
  repeat
    local returned = { at = at }
    returned.tree, returned.type, text = read_type(text, at)
    local name, rest = text:match "^%s+([%w_.]+)(.*)$"
    if name and rest:find "^[,%s]" or rest == "" then
      returned.name, text = name, rest
    end
    comma = text:find "^," ~= nil
    returned.text = comma and "" or trim(text)
    text = text:gsub("^,", "", 1)
    list[#list + 1] = returned
  until not comma
end

local TAGS = {}

function TAGS.class(block, text, at)
  local name, rest = text:match "^([%w_.]+)%s*(.*)$"
  local parent = rest:match "^:%s*([%w_.]+)"
  rest = parent and rest:gsub("^:%s*[%w_.]+", "", 1) or rest
  block.class = { name = name, parent = parent, fields = {}, at = at, text = trim(block.text .. "\n" .. trim(rest)) }
  block.classes[#block.classes + 1] = block.class
  block.text = ""
end

function TAGS.field(block, text, at)
  local scope, rest = text:match "^(p%l+)%s+(.+)$"
  local is_private = scope == "private" or scope == "protected"
  local field = read_member(is_private and rest or text, at)
  field.private = is_private
  local owner = block.class or block
  owner.fields[#owner.fields + 1] = field
end

function TAGS.param(block, text, at)
  block.params[#block.params + 1] = read_member(text, at)
end

TAGS["return"] = function(block, text, at)
  read_returns(text, at, block.returns)
end

function TAGS.type(block, text, at)
  block.type = read_type(text, at)
end

function TAGS.alias(block, text, at, values)
  local name, rest = text:match "^([%w_.]+)%s*(.*)$"
  local alias = { name = name, at = at }
  alias.tree, alias.type, rest = read_type(rest:gsub("^|%s*", "", 1), at)
  alias.text = trim(block.text .. "\n" .. trim(rest) .. "\n" .. table.concat(values, "\n"))
  block.aliases[#block.aliases + 1] = alias
  block.text = ""
end

-- ---- blocks ----

-- Reads the lines of a comment, without the marks of comments.
local function read_block(lines, at)
  local block = { text = {}, params = {}, returns = {}, classes = {}, aliases = {}, fields = {}, at = at }
  local tags = {}
  for _, line in ipairs(lines) do
    local tag, rest = line:match "^%s*@(%l+)%s*(.*)$"
    if tag then
      tags[#tags + 1] = { name = tag, text = rest, values = {} }
    elseif tags[1] then
      local value, meaning = line:match "^%s*(|.-)%s*#%s*(.*)$" -- of an alias
      tags[#tags].text = tags[#tags].text .. " " .. trim(value or line)
      tags[#tags].values[#tags[#tags].values + 1] = value and value:gsub("^|%s*", "- `") .. "`: " .. meaning
    else
      block.text[#block.text + 1] = line:gsub("^ ", "", 1)
    end
  end
  block.text = trim(table.concat(block.text, "\n"))
  for _, tag in ipairs(tags) do
    if TAGS[tag.name] then
      TAGS[tag.name](block, tag.text, at, tag.values)
    end
  end
  return block
end

-- ---- Lua ----

local function names_of(list)
  local names = {}
  for name in list:gmatch "[%w_.]+" do
    names[#names + 1] = name
  end
  return names
end

local FUNCTIONS = { "^local function ([%w_]+)%((.-)%)", "^function ([%w_.:]+)%((.-)%)",
  "^local ([%w_]+) = atomic%(function%((.-)%)", "^([%w_.]+) = atomic%(function%((.-)%)" }

-- The function that a line of code begins: its name and parameters.
local function function_of(code)
  for _, pattern in ipairs(FUNCTIONS) do
    local name, list = code:match(pattern)
    if name then
      return name, names_of(list)
    end
  end
end

-- The parameters and returns of `---@type fun(…)`, of a function that another one makes.
local function take_fun(block)
  for _, param in ipairs(block.type.params) do
    block.params[#block.params + 1] = { name = param.name, tree = param.type, optional = param.optional, text = "",
      type = luacats_type.write(param.type), at = block.at }
  end
  for _, tree in ipairs(block.type.returns) do
    block.returns[#block.returns + 1] = { tree = tree, type = luacats_type.write(tree), text = "", at = block.at }
  end
end

local function add(list, items)
  for _, item in ipairs(items) do
    list[#list + 1] = item
  end
end

local function put_block(found, block, code)
  add(found.classes, block.classes)
  add(found.aliases, block.aliases)
  local name, given = function_of(code)
  local assigned = code:match "^([%w_.]+) = "
  local variable, value = code:match "^local ([%w_]+) = (.*)$"
  if block.class and variable then
    block.class.variable, block.class.value = variable, value
  end
  if assigned and block.type and block.type.kind == "fun" then
    take_fun(block)
    name = assigned
  end
  if name then
    found.functions[#found.functions + 1] = { name = name, text = block.text, params = block.params,
      returns = block.returns, given = given, at = block.at }
  end
end

-- The assignments of a line of code: `a.b, c = d, e`, or a member of the enclosing table constructor.
local function put_values(found, code, constructor)
  local variable, module = code:match '^local ([%w_]+) = require "(.-)"'
  if variable then
    found.requires[variable] = module
  end
  found.result = code:match "^return ([%w_.]+)$" or found.result
  local targets, values = code:match "^([%w_][%w_., ]*) = ([%w_., ]+)"
  if targets and not targets:find "^local " then
    values = names_of(values)
    for index, target in ipairs(names_of(targets)) do
      found.values[target] = values[index]
    end
  end
  local opened, rest = code:match "^local ([%w_]+) = {(.*)$"
  constructor = opened or code:find "^ " and constructor
  if constructor then
    for name, value in (rest or code):gmatch "([%w_]+) = ([%a_][%w_.]*)" do
      found.values[constructor .. "." .. name] = value
    end
  end
  return constructor
end

local function new_found()
  return { classes = {}, aliases = {}, functions = {}, values = {}, requires = {} }
end

--- Reads a file in Lua.
---@param path string
---@return table
function annotations.read_lua(path)
  local found, comment, began, number, constructor = new_found(), nil, 0, 0, nil
  local file = assert(io.open(path))
  local source = file:read "*a"
  file:close()
  for line in (source .. "\n"):gmatch "(.-)\n" do -- and an empty one, which ends a comment
    number = number + 1
    local text = line:match "^%-%-%-(.*)$" or comment and line:match "^%-%-(.*)$"
    if text then
      if not comment then
        comment, began = {}, number
      end
      comment[#comment + 1] = text
    else
      if comment then
        put_block(found, read_block(comment, ("%s:%d"):format(path, began)), line)
        comment = nil
      end
      constructor = put_values(found, line, constructor)
    end
  end
  return found
end

-- ---- C ----

-- The lines of the last of several comments, without the call that it begins with; its text, up to the first tag.
local function comment_lines(comments)
  local lines, text = {}, {}
  local comment = comments:gsub("^.*/%*", ""):gsub("\n %*", "\n")
  for line in comment:gsub("^.-%)[^%s]* *", "", 1):gsub("^%l", string.upper):gmatch "[^\n]+" do
    lines[#lines + 1] = line:gsub("^%s*%-%-%-", "")
    text[#text + 1] = not lines[#lines]:find "^@" and #text == #lines - 1 and trim(line) or nil
  end
  lines.text = table.concat(text, "\n")
  return lines
end

--- Reads a file in C: the methods of the type of userdata that it makes. A comment before a function has text that
--- begins with the call, as in `job:poll(): …`, and then the tags, in lines that begin with `---`. Fields that follow
--- no class are those of the type.
---@param path string
---@return table? found `methods`, the field of the core with the methods; `fields`; functions by the names of methods;
---nil: the file makes no type with methods
function annotations.read_c(path)
  local file = assert(io.open(path))
  local source = file:read "*a"
  file:close()
  local found = new_found()
  found.fields, found.methods = {}, source:match 'object_open_methods%(L, &[%w_]+, methods, "([%w_]+)"%)'
  if not found.methods then
    return nil
  end
  local names = {}
  for name, fn in (source:match " methods%[%] = (%b{})"):gmatch '{"([%w_]+)", ([%w_]+)}' do
    names[fn] = name
  end
  for before, fn in source:gmatch "/%*([^\n].-)%*/\nstatic int ([%w_]+)%(lua_State %*L%)" do
    local lines = comment_lines(before)
    local block = read_block(lines, path .. ": " .. fn)
    add(found.classes, block.classes)
    add(found.fields, block.fields)
    if names[fn] then
      found.functions[#found.functions + 1] = { name = names[fn], text = lines.text, params = block.params,
        returns = block.returns, at = block.at }
    end
  end
  return found
end

return annotations

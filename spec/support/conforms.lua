--- Whether a value is of a type of LuaCATS.

local core = require "cekura.core"

-- The classes of userdata, by what core.type() says.
local USERDATA = { client = "cekura.Client", job = "cekura.Job", record = "cekura.Record", call_log = "cekura.CallLog",
  run = "cekura.Run", result = "cekura.Result" }

local conforms

-- Whether a class is another one, or made from it.
local function is_or_extends(model, name, other)
  return name == other or name ~= nil and is_or_extends(model, model.classes[name].parent, other)
end

local function is_class(model, name, value)
  local class = model.classes[name]
  if type(value) == "userdata" then
    return is_or_extends(model, USERDATA[core.type(value)], name)
  elseif type(value) ~= "table" then
    return false
  end
  for _, field in ipairs(class.fields) do
    if field.name:find "^%a" and not field.private then
      local member = value[field.name]
      if not (member == nil and field.optional) and not conforms(model, field.tree, member) then
        return false
      end
    end
  end
  return true
end

local function all(list, fits)
  for _, item in pairs(list) do
    if not fits(item) then
      return false
    end
  end
  return true
end

local BY_KIND = {}

function BY_KIND.name(model, tree, value)
  local name = tree.name
  if model.aliases[name] then
    return conforms(model, model.aliases[name].tree, value)
  elseif model.classes[name] then
    return is_class(model, name, value)
  elseif name == "integer" then
    return type(value) == "number" and value % 1 == 0
  elseif name == "lightuserdata" then
    return type(value) == "userdata"
  elseif name == "table" and type(value) == "table" and tree.of then
    return all(value, function(item)
      return conforms(model, tree.of[2], item)
    end)
  end
  return name == "any" or type(value) == name
end

function BY_KIND.union(model, tree, value)
  for _, each in ipairs(tree.of) do
    if conforms(model, each, value) then
      return true
    end
  end
  return false
end

function BY_KIND.literal(_, tree, value)
  return value == tree.value
end

function BY_KIND.array(model, tree, value)
  return type(value) == "table" and all(value, function(item)
    return conforms(model, tree.of, item)
  end)
end

function BY_KIND.optional(model, tree, value)
  return value == nil or conforms(model, tree.of, value)
end

function BY_KIND.table(model, tree, value)
  return type(value) == "table" and all(tree.fields, function(field)
    return value[field.name] == nil and field.optional or conforms(model, field.type, value[field.name])
  end)
end

function BY_KIND.fun(_, _, value)
  return type(value) == "function"
end

--- Whether a value is of a type.
---@param model table see tools.luacats.model
---@param tree table see tools.luacats.type
---@param value any
---@return boolean
function conforms(model, tree, value)
  return BY_KIND[tree.kind](model, tree, value)
end

return conforms

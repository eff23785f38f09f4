--- Filters of the list of call logs, as a program writes them and as they are sent (API: filters_v2).
--
-- A condition is { field, operator, value }, or as the API has it { field =, op =, value = }. A group is
-- { "and", condition, … }, "or" or "same_row" likewise, or { operator =, conditions = }. Times may be
-- numbers, seconds since the epoch.

local check = require "cekura.check"
local core = require "cekura.core"
local errors = require "cekura.errors"
local nearest = require "cekura.nearest"
local params = require "cekura.api.params"

local filter = {}

local GROUPS = { ["and"] = true, ["or"] = true, same_row = true }

local OPERATORS = {
  eq = true, neq = true, gt = true, gte = true, lt = true, lte = true, contains = true, startswith = true,
  endswith = true, regex = true, isnull = true, ["in"] = true,
}

local TIMES = { timestamp = true, created_at = true, updated_at = true }

local MAX_DEPTH = 64

local read_condition

local function list_of(name, conditions, first, depth)
  local list = setmetatable({}, core.array_mt)
  for index = first, check.list(name, conditions) do
    list[#list + 1] = read_condition(("%s[%d]"):format(name, index), conditions[index], depth)
  end
  if #list == 0 then
    errors.misuse(name .. ": a group has conditions")
  end
  return list
end

local function leaf(name, field, operator, value)
  check.text(name .. ": field", field)
  if value == nil then
    errors.misuse(("%s: %s has no value to compare with"):format(name, field))
  elseif TIMES[field] and type(value) == "number" then
    value = params.value("time", name .. ": " .. field, value)
  elseif type(value) == "table" then
    value = params.value("list", name .. ": value", value)
  end
  return { field = field, op = operator, value = value }
end

local function short_leaf(name, condition)
  local field, operator = condition[1], condition[2]
  if not OPERATORS[operator] then
    errors.misuse(("%s: there is no operator %s%s"):format(name, tostring(operator), nearest(operator, OPERATORS)))
  end
  for key in pairs(condition) do
    if key ~= 1 and key ~= 2 and key ~= 3 then
      errors.misuse(("%s: a condition is { field, operator, value }, got the key %s"):format(name, tostring(key)))
    end
  end
  return leaf(name, field, operator, condition[3])
end

function read_condition(name, condition, depth)
  check.table(name, condition)
  if depth > MAX_DEPTH then
    errors.misuse(name .. ": nested too deeply, or in itself")
  elseif condition.field ~= nil then
    return leaf(name, condition.field, check.text(name .. ": op", condition.op), condition.value)
  elseif condition.operator ~= nil then
    return { operator = check.text(name .. ": operator", condition.operator),
      conditions = list_of(name .. ": conditions", check.table(name .. ": conditions", condition.conditions), 1,
        depth + 1) }
  elseif type(condition[1]) == "table" then
    return { operator = "and", conditions = list_of(name, condition, 1, depth + 1) }
  elseif GROUPS[condition[1]] then
    return { operator = condition[1], conditions = list_of(name, condition, 2, depth + 1) }
  end
  return short_leaf(name, condition)
end

--- One condition, or a group of them, as it is sent.
---@param name string what it is called in an error
---@param condition table|string a string is the JSON text of one
---@return table
function filter.read(name, condition)
  if type(condition) == "string" then
    local decoded, fault = core.decode(condition)
    if type(decoded) ~= "table" then
      errors.misuse(("%s: the JSON text of an object expected (%s)"):format(name, fault or type(decoded)))
    end
    condition = decoded
  end
  return read_condition(name, condition, 1)
end

--- The field selection of a list of names: { "id", "status" }, or { "-metadata" } for all but those.
---@param name string
---@param fields string[]
---@return string ql
function filter.selection(name, fields)
  for index = 1, check.list(name, fields) do
    if not check.text(("%s[%d]"):format(name, index), fields[index]):find "^%-?[A-Za-z0-9_.*]+$" then
      errors.misuse(("%s[%d]: the name of a field expected, got %q"):format(name, index, fields[index]))
    end
  end
  if #fields == 0 then
    errors.misuse(name .. ": there is no field in it")
  end
  return "{" .. table.concat(fields, ",") .. "}"
end

return filter

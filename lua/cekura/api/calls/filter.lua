--- Filters of the list of call logs: as a program writes them, and as the query that is sent.
--
-- A condition (API: filters_v2) is { field, operator, value }, or as the API has it { field =, op =, value = }. A group
-- is { "and", condition, … }, with "or" and "same_row" likewise, or { operator =, conditions = }. Times may be numbers,
-- seconds since the epoch.

local check = require "cekura.check"
local core = require "cekura.core"
local encode = require "cekura.http.encode"
local errors = require "cekura.errors"
local params = require "cekura.api.params"
local selection = require "cekura.http.selection"
local show = require "cekura.show"

local filter = {}

-- ---- conditions ----

local GROUPS = { ["and"] = true, ["or"] = true, same_row = true }

local OPERATORS = {
  eq = true, neq = true, gt = true, gte = true, lt = true, lte = true, contains = true, startswith = true,
  endswith = true, regex = true, isnull = true, ["in"] = true,
}

-- The fields that the documents name. Others are sent as they are, but for a misspelt one of these in the short form.
local FIELDS = {
  id = true, success = true, status = true, duration = true, customer_number = true, call_ended_reason = true,
  dropoff_point = true, topic = true, timestamp = true, is_reviewed = true, call_id = true, created_at = true,
  updated_at = true, ["agent.id"] = true, ["agent.agent_name"] = true, ["metric_evaluations.value"] = true,
  ["metric_evaluations.metric.id"] = true, ["metric_evaluations.metric.name"] = true,
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
    errors.misuse("%s: a group has conditions", name)
  end
  return list
end

local function leaf(name, field, operator, value)
  check.known(name, "operator", operator, OPERATORS)
  check.text(name .. ": field", field)
  if value == nil then
    errors.misuse("%s: %s has no value to compare with", name, field)
  elseif TIMES[field] and type(value) == "number" then
    value = params.value("time", name .. ": " .. field, value)
  elseif type(value) == "table" then
    value = params.value("list", name .. ": value", value)
  end
  return { field = field, op = operator, value = value }
end

local function short_leaf(name, condition)
  local field, operator = condition[1], condition[2]
  for key in pairs(condition) do
    if key ~= 1 and key ~= 2 and key ~= 3 then
      errors.misuse("%s: a condition is { field, operator, value }, got the key %s", name, key)
    end
  end
  check.spelling(name .. ": field", field, FIELDS)
  return leaf(name, field, operator, condition[3])
end

function read_condition(name, condition, depth)
  check.table(name, condition)
  if depth > MAX_DEPTH then
    errors.misuse("%s: nested too deeply, or in itself", name)
  elseif condition.field ~= nil then
    return leaf(name, condition.field, condition.op, condition.value)
  elseif condition.operator ~= nil then
    check.known(name, "group", condition.operator, GROUPS)
    return { operator = condition.operator,
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
---@param name string its name in an error
---@param condition table|string a string is the JSON text of one
---@return table
function filter.read(name, condition)
  if type(condition) == "string" then
    local decoded, fault = core.decode(condition)
    if type(decoded) ~= "table" then
      errors.misuse("%s: the JSON text of an object expected (%s)", name, fault or show.type(decoded))
    end
    condition = decoded
  end
  return read_condition(name, condition, 1)
end

-- ---- the whole ----

---@class cekura.Condition { field, operator, value }, or a group of conditions: { "and", condition, … }
---@field [1]? string the field, or "and", "or", "same_row"
---@field [2]? cekura.FilterOperator|cekura.Condition
---@field [3]? any
---@field field? string as the API has it; with `op` and `value`
---@field op? cekura.FilterOperator
---@field value? any
---@field operator? "and"|"or"|"same_row" with `conditions`
---@field conditions? cekura.Condition[]

---@class cekura.CallFilter
---@field agent_id? integer|string
---@field project_id? integer|string an organization's key needs it or an agent_id; default: the client's
---@field assistant_id? string the provider's
---@field timestamp_from? number|string seconds since the epoch, or ISO 8601
---@field timestamp_to? number|string
---@field call_ids? integer[] ids of records (not the `call_id` of a call)
---@field filters? cekura.Condition|string a condition or a group, or the JSON text of one; conditions may also be list
---elements of the filter itself
---@field filters_v2? cekura.Condition|string the same
---@field fields? string[] only these, or, with "-" before each name, all but these
---@field include_count? boolean
---@field search? string
---@field page? integer
---@field ql? string the field selection as the API has it
---@field [integer] cekura.Condition
---@field page_size? integer the service's maximum is 200

local FILTER = {
  agent_id = { "id" },
  project_id = { "id" },
  assistant_id = { "text" },
  timestamp_from = { "time" },
  timestamp_to = { "time" },
  call_ids = { "joined_ids" },
  include_count = { "flag" },
  search = { "text" },
  ql = { "text" },
  page = { "positive" },
  page_size = { "positive" },
}

-- Further names, which are not sent as they are.
local CONDITIONS = { "filters", "filters_v2" }
local NOT_SENT = { filters = true, filters_v2 = true, fields = true }

-- All conditions of a filter, the named ones and those of its list part, as one condition; nil if there are none.
local function conditions_of(what, given, positional)
  local list = setmetatable({}, core.array_mt)
  for _, name in ipairs(CONDITIONS) do
    if given[name] ~= nil then
      list[#list + 1] = filter.read(what .. ": " .. name, given[name])
    end
  end
  for index = 1, check.list(what .. ": filters", positional) do
    if type(positional[index]) ~= "table" then
      errors.misuse("%s: each condition stands in its own table: { { field, operator, value } }", what)
    end
    list[#list + 1] = filter.read(("%s: filters[%d]"):format(what, index), positional[index])
  end
  return #list > 1 and { operator = "and", conditions = list } or list[1]
end

--- The query parameters of a filter. Raises any fault of the filter: the service ignores an unknown name, and would
--- return everything.
---@param what string the method, for messages
---@param client cekura.Client
---@param given? cekura.CallFilter
---@return table
function filter.parameters(what, client, given)
  given = given == nil and {} or check.table(what .. ": filter", given)
  local named, positional = {}, {}
  for name, value in pairs(given) do
    if FILTER[name] then
      named[name] = value
    elseif type(name) == "number" then
      positional[name] = value
    elseif not NOT_SENT[name] then
      check.known(what, "filter", name, FILTER)
    end
  end
  local query = params.read(what, { params = FILTER }, named)
  local conditions = conditions_of(what, given, positional)
  if conditions then
    query.filters_v2 = encode(conditions, what .. ": filters")
  end
  if given.fields ~= nil then
    query.ql = selection.text(selection.check(what .. ": fields", given.fields))
  end
  if query.agent_id == nil and query.project_id == nil and query.assistant_id == nil then
    query.project_id = core.fields(client)._project_id
  end
  return query
end

return filter

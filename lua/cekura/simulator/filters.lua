--- What selects and shortens a list of call logs: the language filters_v2, and the field selection ql.

local clock = require "cekura.simulator.clock"
local json = require "cekura.simulator.json"
local regex = require "cekura.simulator.regex"

local filters = {}

-- ---- the fields of a record ----

local function seconds_of(duration)
  local minutes, seconds = duration:match "^(%d+):(%d+)$"
  return minutes and minutes * 60 + seconds
end

local plain = {}
for _, name in ipairs { "id", "success", "customer_number", "call_ended_reason", "dropoff_point", "topic", "timestamp",
  "is_reviewed", "call_id", "created_at" } do
  plain[name] = function(record) return record[name] end
end
plain.duration = function(record) return seconds_of(record.duration) end
plain["agent.id"] = function(record) return record.agent end
plain["agent.agent_name"] = function(record) return record.agent_name end

local of_metric = {
  ["metric_evaluations.metric.id"] = function(metric) return metric.id end,
  ["metric_evaluations.metric.name"] = function(metric) return metric.name end,
  ["metric_evaluations.value"] = function(metric)
    if metric.kind == "binary" then
      return metric.passed and 5 or 0
    end
    return metric.value or metric.score
  end,
}

local TIMES = { timestamp = true, created_at = true }

local function metadata_value(field)
  local key = field:match "^metadata%.([^.]+)$" -- nested keys are refused
  return key and function(record) return record.metadata[key] end
end

-- ---- the operators ----

-- A number that is a string is compared as a number.
local function alike(value, wanted)
  if type(value) == "number" and type(wanted) == "string" then
    return tonumber(wanted)
  end
  return wanted
end

local function ordered(compare)
  return function(value, wanted)
    wanted = alike(value, wanted)
    local comparable = type(value) == "number" or type(value) == "string"
    return comparable and type(value) == type(wanted) and compare(value, wanted)
  end
end

local function textual(compare)
  return function(value, wanted)
    return type(value) == "string" and compare(value:lower(), tostring(wanted):lower())
  end
end

local function equal(value, wanted)
  return value == alike(value, wanted)
end

local operators = {
  eq = equal,
  neq = function(value, wanted) return not equal(value, wanted) end,
  gt = ordered(function(a, b) return a > b end),
  gte = ordered(function(a, b) return a >= b end),
  lt = ordered(function(a, b) return a < b end),
  lte = ordered(function(a, b) return a <= b end),
  contains = textual(function(text, part) return text:find(part, 1, true) ~= nil end),
  startswith = textual(function(text, part) return text:sub(1, #part) == part end),
  endswith = textual(function(text, part) return part == "" or text:sub(-#part) == part end),
  isnull = function(value, wanted) return (value == nil or value == json.null) == wanted end,
}

function operators.regex(value, wanted)
  local test = regex.compile(tostring(wanted))
  return type(value) == "string" and test ~= nil and test(value)
end

operators["in"] = function(value, wanted)
  for _, one in ipairs(type(wanted) == "table" and wanted or {}) do
    if equal(value, one) then
      return true
    end
  end
  return false
end

-- ---- the language ----

local compile

-- Whether a single metric of the record meets the condition.
local function some_metric(test)
  return function(record)
    for _, metric in ipairs(record.metrics or {}) do
      if test(record, metric) then
        return true
      end
    end
    return false
  end
end

local function compile_leaf(leaf)
  local field, operator, wanted = tostring(leaf.field), operators[leaf.op], leaf.value
  if not operator then
    return nil, ("Unknown operator: %s"):format(tostring(leaf.op))
  elseif of_metric[field] then
    local test = function(_, metric) return operator(of_metric[field](metric), wanted) end
    local anywhere = some_metric(test)
    return function(record, metric) return metric and test(record, metric) or not metric and anywhere(record) end
  end
  local value_of = plain[field] or metadata_value(field)
  if not value_of then
    return nil, ("Unknown field: %s"):format(field)
  elseif TIMES[field] then
    wanted = clock.relative(wanted)
    if not wanted then
      return nil, ("Not a time: %s"):format(tostring(leaf.value))
    end
  end
  return function(record) return operator(value_of(record), wanted) end
end

local function compile_group(group)
  local tests = {}
  for index, condition in ipairs(group.conditions) do
    local test, problem = compile(condition)
    if not test then
      return nil, problem
    end
    tests[index] = test
  end
  local any = group.operator == "or"
  local function combined(record, metric)
    for _, test in ipairs(tests) do
      if test(record, metric) == any then
        return any
      end
    end
    return not any
  end
  return group.operator == "same_row" and some_metric(combined) or combined
end

function compile(condition)
  if type(condition) ~= "table" then
    return nil, "A condition is an object."
  elseif condition.field then
    return compile_leaf(condition)
  elseif type(condition.conditions) ~= "table" then
    return nil, "A group has conditions."
  elseif condition.operator ~= "and" and condition.operator ~= "or" and condition.operator ~= "same_row" then
    return nil, ("Unknown group operator: %s"):format(tostring(condition.operator))
  end
  return compile_group(condition)
end

--- The test of a filters_v2 text: a function of a record, or nil and an error message.
function filters.compile(text)
  return compile(json.decode(text))
end

-- ---- the field selection ----

local function chosen(names, known)
  local fields = {}
  if names[1] and names[1]:find "^[*-]" then
    for name in pairs(known) do
      fields[name] = true
    end
  end
  for _, name in ipairs(names) do
    local left_out = name:match "^%-(.*)$"
    fields[left_out or name] = not left_out or nil
  end
  return fields
end

--- The fields that a ql text selects: `{a,b}`, `{-a}` or `{*}`.
---@param known table<string, boolean> the existing fields
---@return table<string, boolean>? fields
---@return string? problem
function filters.select(text, known)
  local inside = text:match "^%s*{(.*)}%s*$"
  if not inside then
    return nil, "Not a field selection."
  end
  local names = {}
  for name in inside:gmatch "[^,%s]+" do
    if name ~= "*" and not known[name:match "^%-?(.*)$"] then
      return nil, ("Unknown field: %s"):format(name)
    end
    names[#names + 1] = name
  end
  return chosen(names, known)
end

return filters

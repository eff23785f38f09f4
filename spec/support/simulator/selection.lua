--- Answers to requests for single records that select fields by ql. X-Simulate says how: "ql=select", "ql=ignore" (the
-- whole record) or "ql=refuse".

local check = require "check"
local filters = require "filters"
local life = require "life"

local selection = {}

-- The fields that a text names, whatever exists.
local function named(ql, whole)
  local known = setmetatable({}, { __index = function() return true end })
  for name in pairs(whole) do
    known[name] = true
  end
  return filters.select(ql, known)
end

--- The answer.
---@param whole table the record
---@param ql? string
---@param usual string what happens without a directive
---@param known? table<string, boolean> the existing fields: others are refused; nil: others are left out
---@return table
function selection.answer(whole, ql, usual, known)
  local how = life.directives().ql or usual
  if not ql or how == "ignore" then
    return { body = whole }
  elseif how == "refuse" then
    return check.invalid { ql = "No fields can be selected here." }
  end
  local fields, problem
  if known then
    fields, problem = filters.select(ql, known)
  else
    fields, problem = named(ql, whole)
  end
  if not fields then
    return check.invalid { ql = problem }
  end
  local body = {}
  for name in pairs(fields) do
    body[name] = whole[name]
  end
  return { body = body }
end

return selection

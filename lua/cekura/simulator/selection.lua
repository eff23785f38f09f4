--- Answers to requests for single records that select fields by ql. X-Simulate says how: "ql=select", "ql=ignore" (the
-- whole record) or "ql=refuse".

local check = require "cekura.simulator.check"
local filters = require "cekura.simulator.filters"
local life = require "cekura.simulator.life"

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
---@param request table
---@param whole table the record
---@param usual string what happens without a directive
---@param known? table<string, boolean> the existing fields: others are refused; nil: others are left out
---@return table
function selection.answer(request, whole, usual, known)
  local ql, how = request.query.ql, life.directives(request).ql or usual
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

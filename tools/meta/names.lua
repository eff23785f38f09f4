--- lua/cekura/meta/names.lua: aliases for the names that tables of the module have. Here are also the names of classes
-- that are made from names of kinds and resources.

local upvalue = require "tools.meta.upvalue"
local sorted_keys = require "spec.support.sorted_keys"
local writer = require "tools.luacats.writer"

local names = {}

local function capitals(name)
  return (name:gsub("%f[^_%z]%l", string.upper):gsub("_", ""))
end

--- The class of a resource: "cekura.MetricReviews".
---@param resource string
---@return string
function names.class_of_resource(resource)
  return "cekura." .. capitals(resource)
end

--- What the names of a kind's or an operation's classes begin with: "cekura.Calls.ImprovePrompt".
---@param name string "resource.name"
---@return string
function names.class_of_kind(name)
  local resource, member = name:match "^(.-)%.(.*)$"
  return names.class_of_resource(resource) .. "." .. capitals(member)
end

local function states()
  local found = {}
  for state in pairs(upvalue(require "cekura.api.kind_schema".members.statuses, "STATES")) do
    found[state] = true
  end
  for state in pairs(upvalue(require "cekura.job.status".is_end, "ENDS")) do
    found[state] = true
  end
  return sorted_keys(found)
end

--- The text of the file.
---@return string[] lines
function names.lines()
  local lines = {}
  writer.alias(lines, "cekura.State", states(), "The states of a job.")
  local loops = sorted_keys(upvalue(require "cekura.loop", "by_name"))
  table.insert(loops, 1, "auto")
  writer.alias(lines, "cekura.LoopName", loops, "The loops: the host's, one of a host by its name, or the own one.")
  writer.alias(lines, "cekura.FilterOperator", sorted_keys(upvalue(require "cekura.api.calls.filter".read,
    "OPERATORS")), "The operators of conditions.")
  return lines
end

return names

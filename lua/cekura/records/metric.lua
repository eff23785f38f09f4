--- Metrics of an evaluation. The service writes them in two ways, which look the same here.

local ascii = require "cekura.http.ascii"
local core = require "cekura.core"
local times = require "cekura.records.times"
local words = require "cekura.job.status"

local metric = {}

---@class cekura.Metric
---@field id integer a number that came as text is one here, as in score; what is none stays as it came
---@field name string
---@field type? string "binary", "enum", "numeric", …; both of the old binary types are "binary"
---@field score? number of a binary one 5 (passed) or 0, however it was written; nil: it does not apply
---@field value? string of an enum
---@field passed? boolean nil: the metric tells no such thing
---@field explanation string[]
---@field extra? table every other member that came is there, too

-- "binary", and what there was before it: the verdict was a score.
local BINARY = { binary = true, binary_workflow_adherence = true, binary_qualitative = true }

local PASSED, FAILED = 5, 0

local BOOLEANS = { ["true"] = true, ["false"] = false }

-- A boolean, or the text of one as any language writes it; nil for anything else.
local function as_boolean(value)
  if type(value) == "string" then
    return BOOLEANS[ascii.word(value)]
  end
  if type(value) == "boolean" then
    return value
  end
end

local function as_texts(value)
  if type(value) == "string" then
    return value ~= "" and { value } or {}
  end
  local texts = {}
  for _, item in ipairs(type(value) == "table" and value or {}) do
    if type(item) == "string" then
      texts[#texts + 1] = item
    end
  end
  return texts
end

-- The verdict from the score, and the score from the verdict: 5, and not the 5.0 that also comes.
local function complete_binary(read)
  if read.passed == nil and (read.score == PASSED or read.score == FAILED) then
    read.passed = read.score == PASSED
  end
  local score = read.passed and PASSED or FAILED
  if read.passed ~= nil and (read.score == nil or read.score == score) then
    read.score = score
  end
end

local function read_metric(item)
  local read = {}
  for name, value in pairs(item) do
    read[name] = value
  end
  local kind = item.eval_type or item.type
  read.type = BINARY[words.read(kind)] and "binary" or kind
  read.passed = as_boolean(item.passed)
  read.id, read.score = times.number(item.id) or item.id, times.number(item.score) or item.score
  if read.type == "binary" then
    complete_binary(read)
  end
  if read.value == nil then
    read.value = item.enum
  end
  read.explanation = as_texts(item.explanation)
  return read
end

--- The metrics of a list of them.
---@param list any
---@return cekura.Metric[]
function metric.read(list)
  local metrics = {}
  for _, item in ipairs(type(list) == "table" and list or {}) do
    if type(item) == "table" and getmetatable(item) ~= core.array_mt then
      metrics[#metrics + 1] = read_metric(item)
    end
  end
  return metrics
end

--- The list of metrics that an evaluation holds, or that a row of a list does.
---@param evaluation any an object, or the JSON text of one: the schema of a row says "string"
---@param of_row any
function metric.list(evaluation, of_row)
  if type(evaluation) == "string" then
    evaluation = core.decode(evaluation)
  end
  local list = type(evaluation) == "table" and evaluation.metrics
  if type(list) == "table" and #list > 0 then
    return list
  end
  return of_row
end

return metric

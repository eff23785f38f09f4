--- Metrics of an evaluation. The service writes them in two formats, which are read into the same fields.

local ascii = require "cekura.http.ascii"
local core = require "cekura.core"
local described = require "cekura.described"
local show = require "cekura.show"
local status = require "cekura.job.status"
local times = require "cekura.records.times"

local metric = {}

---@class cekura.Metric
---@field id integer a number, even if the service sent its text, as in score; any other value is left unchanged
---@field name string
---@field type? string "binary", "enum", "numeric", …; both of the old binary types are "binary"
---@field score? number of a binary one 5 (passed) or 0, however it was written; nil: it does not apply
---@field value? string of an enum
---@field passed? boolean nil: the metric has no verdict
---@field explanation string[]
---@field extra? table
---@field [string] any every other member of the metric

-- "binary", and the older types of which the verdict is the score.
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

-- The verdict from the score, and the score from the verdict: the integer 5, even where the service sends 5.0.
local function complete_binary(read)
  if read.passed == nil and (read.score == PASSED or read.score == FAILED) then
    read.passed = read.score == PASSED
  end
  local score = read.passed and PASSED or FAILED
  if read.passed ~= nil and (read.score == nil or read.score == score) then
    read.score = score
  end
end

local Metric = described("cekura.metric", function(read)
  local verdict = read.passed
  if type(verdict) == "boolean" then
    verdict = verdict and "passed" or "failed"
  end
  return show.format("%s: %s", read.name or read.id or "?", verdict or read.value or read.score or "no verdict")
end)

local function read_one(item)
  local read = setmetatable({}, Metric)
  for name, value in pairs(item) do
    read[name] = value
  end
  local kind = item.eval_type or item.type
  read.type = BINARY[status.read(kind)] and "binary" or kind
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

local function read_list(list)
  local metrics = {}
  for _, item in ipairs(type(list) == "table" and list or {}) do
    if type(item) == "table" and getmetatable(item) ~= core.array_mt then
      metrics[#metrics + 1] = read_one(item)
    end
  end
  return metrics
end

--- The metrics of a call log: those of its evaluation, else the ones beside it, as a row of a list has them.
---@param call cekura.CallLog
---@return cekura.Metric[]
function metric.of_call(call)
  local evaluation = call:get "evaluation"
  if type(evaluation) == "string" then -- the schema of a row says so: the JSON text of an object
    evaluation = core.decode(evaluation)
  end
  local list = type(evaluation) == "table" and evaluation.metrics
  return read_list(type(list) == "table" and #list > 0 and list or call:get "metrics")
end

return metric

--- What the records of a call have in common, call logs and runs of a result: how long it lasted, its transcript, and
-- the metrics of its evaluation.

local check = require "cekura.check"
local metric = require "cekura.records.metric"
local record = require "cekura.records.record"
local times = require "cekura.records.times"
local transcript = require "cekura.records.transcript"

---@class cekura.Call: cekura.Record what call logs and runs have in common
local methods = {}

-- A number, also as text, is one of seconds.
local function read_duration(value)
  local seconds, reason = times.duration(value)
  local number = not seconds and times.number(value)
  if number and number >= 0 and number < math.huge then
    return number
  end
  return seconds, reason
end

--- How long the call lasted: the field `duration`, "MM:SS" or "HH:MM:SS".
---@return number? seconds, cekura.Error? err of kind "protocol": there is none, or it cannot be read
function methods:seconds()
  return record.read_time(self, "duration", read_duration)
end

local function each_of(list)
  local place = 0
  return function()
    place = place + 1
    return list[place]
  end
end

--- Iterates over the turns: of `field`, or else of the structured transcript, or else of the text one. A record without
--- any gives none. The transcript of a provider is read as cekura.turns() does without a name.
---@param field? string for instance "user_generated_transcript"
---@return fun(): cekura.Turn?
function methods:turns(field)
  if field ~= nil then
    return each_of(transcript.read(self:get(check.text("field", field)), field == "transcript_object"))
  end
  local turns = transcript.read(self:get "transcript_object", true)
  return each_of(#turns > 0 and turns or transcript.read(self:get "transcript"))
end

--- Iterates over the metrics of its evaluation.
---@return fun(): cekura.Metric?
function methods:metrics()
  return each_of(metric.of_call(self))
end

--- One metric.
---@param name_or_id string|integer
---@return cekura.Metric? the first one of that name, or with that id
function methods:metric(name_or_id)
  check.id("name_or_id", name_or_id)
  for _, each in ipairs(metric.of_call(self)) do
    if each.name == name_or_id or each.id == name_or_id then
      return each
    end
  end
end

for _, name in ipairs { "call_log", "run" } do
  local class = record.class(name)
  for method, fn in pairs(methods) do
    class[method] = fn
  end
end

return methods

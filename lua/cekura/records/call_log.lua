--- Call logs: the record of one call, as a userdata that keeps its JSON text and decodes a field when it is read.
-- `call.status` is a field; where a method has the field's name, as in call:metrics(), `call:get("metrics")` is.
-- The fields are those of the API's CallLogDetail and CallLogList, and all others that came.
-- The methods json and totable are in src/lua/record.c, all others are here.

local check = require "cekura.check"
local core = require "cekura.core"
local described = require "cekura.described"
local errors = require "cekura.errors"
local evaluation = require "cekura.records.evaluation"
local metric = require "cekura.records.metric"
local show = require "cekura.show"
local start = require "cekura.job.start"
local times = require "cekura.records.times"
local transcript = require "cekura.records.transcript"

local call_log = {}

---@class cekura.CallLog
---@field id integer the record's id, which paths are made with
---@field call_id string the provider's or the sender's own id
---@field status string "evaluating", "success", "failure", "reviewed_success", "reviewed_failure"
---@field json fun(self: cekura.CallLog): string the text that came, byte for byte
---@field totable fun(self: cekura.CallLog): table all of it, decoded; nulls are cekura.null
local methods = core.call_log_methods

--- A record from JSON text. It belongs to no client.
---@param text string
---@return cekura.CallLog? call, cekura.Error? err of kind "protocol" for anything but one strict JSON object
function call_log.read(text)
  local call, fault, offset = core.new_record(check.text("json", text))
  if call then
    return call
  end
  return nil, errors.new("protocol", ("the text is not a JSON object (%s, at byte %d)"):format(fault, offset))
end

--- Any field, also one that a method hides.
---@param name string
---@return any value nil for null and for none
function methods:get(name)
  return core.get(self, check.text("name", name))
end

-- ---- times ----

local function read_time(self, name, read)
  local text, seconds, reason = self:get(name), nil, "the record has none"
  if text ~= nil then
    seconds, reason = read(text)
  end
  if seconds then
    return seconds
  end
  return nil, errors.new("protocol", show.format("%s: %s", name, reason))
end

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
  return read_time(self, "duration", read_duration)
end

--- A field that holds a date and time, such as "timestamp", "created_at" and "updated_at" (ISO 8601).
---@param name string
---@return number? seconds since the epoch, with their fraction
---@return cekura.Error? err of kind "protocol": there is none, or it cannot be read
function methods:time(name)
  return read_time(self, check.text("name", name), times.epoch)
end

-- ---- fields, turns, metrics ----

-- A table with this metatable can be indexed, and iterated over with and without pairs(); on Lua 5.1 pairs() knows no
-- __pairs.
local iterable = described("cekura.fields", function(fields)
  local count = 0
  for _ in pairs(fields) do
    count = count + 1
  end
  return tostring(count)
end)

function iterable.__call(fields, _, name)
  return next(fields, name)
end

--- All fields that are not null, as a table by their names: `for name, value in call:fields() do` works on every Lua,
--- `pairs(call)` from 5.2 on.
---@return table<string, any>
function methods:fields()
  return setmetatable(core.record_fields(self), iterable)
end

local function each_of(list)
  local place = 0
  return function()
    place = place + 1
    return list[place]
  end
end

--- Iterates over the turns: of `field`, or else of the structured transcript, or else of the text one. A record without
--- any gives none.
---@param field? string for instance "user_generated_transcript"
---@return fun(): cekura.Turn?
function methods:turns(field)
  if field ~= nil then
    return each_of(transcript.read(self:get(check.text("field", field))))
  end
  local turns = transcript.read(self:get "transcript_object")
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

-- ---- evaluation ----

--- Whether the evaluation is done, see cekura.records.evaluation.
---@return boolean
function methods:evaluated()
  return evaluation.is_done(self)
end

--- The job that waits for a newer evaluation than this record shows; if it shows none, for the first.
---@return cekura.Job? job of the kind calls.evaluation
---@return cekura.Error? err of kind "protocol": the record has no id
function methods:evaluation()
  local client, id = core.owner(self), self:get "id"
  if not client then
    errors.misuse "call: a record from cekura.call_log() belongs to no client: use client:job(\"calls.evaluation\", id)"
  elseif id == nil or id == "" or type(id) ~= "number" and type(id) ~= "string" then
    return nil, errors.new("protocol", "the record has no id to ask for it by")
  end
  return start.known(client, "calls.evaluation", id, {}, evaluation.mark(self))
end

return call_log

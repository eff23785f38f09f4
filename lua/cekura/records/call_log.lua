--- Call logs: the record of one call, as a userdata that keeps its JSON text and reads a field when it is
-- asked for. `call.status` is a field; where a method has the name, `call:get("metrics")` is.
-- The fields are those of the API's CallLogDetail and CallLogList, and whatever else came.

local check = require "cekura.check"
local core = require "cekura.core"
local errors = require "cekura.errors"
local metric = require "cekura.records.metric"
local response = require "cekura.http.response"
local times = require "cekura.records.times"
local transcript = require "cekura.records.transcript"
local words = require "cekura.job.status"

local call_log = {}

---@class cekura.CallLog
---@field id integer the record's id, which paths are made with
---@field call_id string the provider's or the sender's own id
---@field status string "evaluating", "success", "failure", "reviewed_success", "reviewed_failure"
---@field get fun(self: cekura.CallLog, name: string): any any field; nil for null and for none
---@field json fun(self: cekura.CallLog): string the text that came, byte for byte
---@field totable fun(self: cekura.CallLog): table all of it, decoded; nulls are cekura.null
local methods = core.call_log_methods

--- A record from JSON text.
---@param text string
---@return cekura.CallLog? call, cekura.Error? err of kind "protocol" for anything but one strict JSON object
function call_log.read(text)
  local call, fault, offset = core.new_record(check.text("json", text))
  if call then
    return call
  end
  return nil, errors.new("protocol", ("the text is no JSON object (%s, at byte %d)"):format(fault, offset))
end

--- The record that an answer is.
---@param reply cekura.Response
---@return cekura.CallLog? call, cekura.Error? err of kind "protocol"
function call_log.of_reply(reply)
  local call, fault = core.new_record(reply.body, reply._client)
  if call then
    return call
  end
  return nil, response.protocol_error(reply, ("the answer is no JSON object (%s)"):format(fault))
end

--- The records that an answer is a list of.
---@param reply cekura.Response
---@return cekura.CallLog[]? calls, cekura.Error? err of kind "protocol"
function call_log.list_of_reply(reply)
  local calls, fault = core.new_records(reply.body, reply._client)
  if calls then
    return calls
  end
  return nil, response.protocol_error(reply, ("the answer is no list of JSON objects (%s)"):format(fault))
end

--- The path below which records are read, by the version that the client asks for.
---@param client cekura.Client
function call_log.path(client)
  return ("/observability/%s/call-logs/"):format(core.fields(client)._api_version)
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
  return nil, errors.new("protocol", name .. ": " .. reason)
end

-- A number is one of seconds, also as text.
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

-- ---- what is in it ----

-- Such a table can be looked into, and iterated over with and without pairs(), which on Lua 5.1 does not
-- know other objects.
local iterable = {
  __call = function(fields, _, name)
    return next(fields, name)
  end,
}

--- All fields that are not null, as a table by their names: `for name, value in call:fields() do` works
-- on every Lua, `pairs(call)` from 5.2 on.
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

--- Iterates over the turns: of `field`, or else of the structured transcript, or else of the text one. A
-- record without any gives none.
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
  return each_of(metric.read(metric.list(self:get "evaluation", self:get "metrics")))
end

--- One metric.
---@param name_or_id string|integer
---@return cekura.Metric? the first one of that name, or with that id
function methods:metric(name_or_id)
  check.id("name_or_id", name_or_id)
  for each in self:metrics() do
    if each.name == name_or_id or each.id == name_or_id then
      return each
    end
  end
end

-- ---- its evaluation ----

local DONE = { success = true, failure = true, reviewed_success = true, reviewed_failure = true }

-- A text of the documents has these, no schema has them.
local DONE_WITH_VERDICT = { completed = true, failed = true }

--- Whether a status is that of a call log whose evaluation is done.
---@param word? string as cekura.job.status reads it
function call_log.is_done(word)
  return DONE[word] or false
end

--- Whether the evaluation is done. "evaluating" is what the service says while it goes on; a record without
-- a status, of which only some fields were asked for, is evaluated when it has a verdict.
---@return boolean
function methods:evaluated()
  local word = words.read(self:get "status")
  if word == nil or DONE_WITH_VERDICT[word] then
    return type(self:get "success") == "boolean"
  end
  return call_log.is_done(word)
end

return call_log

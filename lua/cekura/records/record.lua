--- Records: JSON objects of the service, as userdata that keep their text and decode a field when it is read.
-- `record.name` is a field; where a method has the field's name, `record:get(name)` is. A record's class says which
-- methods it has: every record has those of this file, a call log and a run have more (cekura.records.call_log).
-- The methods json and totable are in src/lua/record.c.

local check = require "cekura.check"
local core = require "cekura.core"
local described = require "cekura.described"
local errors = require "cekura.errors"
local response = require "cekura.http.response"
local show = require "cekura.show"
local times = require "cekura.records.times"

local record = {}

---@class cekura.Record an object of the service; the source is cekura.records.record
---@field json fun(self: cekura.Record): string the text that came, byte for byte
---@field totable fun(self: cekura.Record): table all of it, decoded; nulls are cekura.null
---@field [string] any a field; nil for null and for none
local methods = {}

-- ---- classes ----

local classes = {}

--- The methods of a class of records, by its name. A new class has the methods of every record.
---@param name string "record", "call_log", …
---@return table
function record.class(name)
  if not classes[name] then
    classes[name] = core.record_class(name)
    for method, fn in pairs(methods) do
      classes[name][method] = fn
    end
  end
  return classes[name]
end

--- All classes, by their names.
---@return table<string, table>
function record.classes()
  return classes
end

-- ---- the methods of every record ----

--- Any field, also one that a method hides.
---@param name string
---@return any value nil for null and for none
function methods:get(name)
  return core.get(self, check.text("name", name))
end

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

--- All fields that are not null, as a table by their names: `for name, value in record:fields() do` works on every Lua,
--- `pairs(record)` from 5.2 on.
---@return table<string, any>
function methods:fields()
  return setmetatable(core.record_fields(self), iterable)
end

--- A field that holds a date and time, such as "timestamp", "created_at" and "updated_at" (ISO 8601).
---@param name string
---@return number? seconds since the epoch, with their fraction
---@return cekura.Error? err of kind "protocol": there is none, or it cannot be read
function methods:time(name)
  return record.read_time(self, check.text("name", name), times.epoch)
end

--- A field that holds a time, read by a function.
---@param read fun(value: any): number?, string?
---@return number? seconds, cekura.Error? err of kind "protocol"
function record.read_time(self, name, read)
  local value, seconds, reason = self:get(name), nil, "the record has none"
  if value ~= nil then
    seconds, reason = read(value)
  end
  if seconds then
    return seconds
  end
  return nil, errors.new("protocol", show.format("%s: %s", name, reason))
end

-- ---- making ----

--- A record of a class from JSON text. It belongs to no client.
---@param text string
---@param class string
---@return cekura.Record? record, cekura.Error? err of kind "protocol" for anything but one strict JSON object
function record.read(text, class)
  local read, fault, offset = core.new_record(check.text("json", text), nil, record.class(class))
  if read then
    return read
  end
  return nil, errors.new("protocol", ("the text is not a JSON object (%s, at byte %d)"):format(fault, offset))
end

--- cekura.record(): a record from JSON text. It belongs to no client.
---@param text string
---@return cekura.Record? record, cekura.Error? err of kind "protocol" for anything but one strict JSON object
function record.of_text(text)
  return record.read(text, "record")
end

--- The record that an answer is.
---@param reply cekura.Response
---@param class string
---@return cekura.Record? record, cekura.Error? err of kind "protocol"
function record.of_reply(reply, class)
  local read, fault = core.new_record(reply.body, reply._client, record.class(class))
  if read then
    return read
  end
  return nil, response.protocol_error(reply, ("the answer is not a JSON object (%s)"):format(fault))
end

--- The records that an answer is a list of.
---@param reply cekura.Response
---@param class string
---@return cekura.Record[]? records, cekura.Error? err of kind "protocol"
function record.list_of_reply(reply, class)
  local list, fault = core.new_records(reply.body, reply._client, record.class(class))
  if list then
    return setmetatable(list, core.array_mt)
  end
  return nil, response.protocol_error(reply, ("the answer is not a list of JSON objects (%s)"):format(fault))
end

record.class "record" -- now, so that it is there when the public module checks all methods

return record

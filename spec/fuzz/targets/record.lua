--- Access to records: every way to read a field gives the same value.

local cekura = require "cekura"
local core = require "cekura.core"
local encode = require "cekura.http.encode"
local promise = require "spec.fuzz.promise"
local record = require "cekura.records.record"

-- A decoded value without the nulls of objects, as fields have it.
local function without_nulls(value)
  if type(value) ~= "table" then
    return value
  end
  local plain = {}
  for name, inner in pairs(value) do
    if inner ~= cekura.null or getmetatable(value) == core.array_mt then
      plain[name] = without_nulls(inner)
    end
  end
  return setmetatable(plain, getmetatable(value))
end

local function check_fields(call, decoded)
  local fields = call:fields()
  promise.same(fields, decoded, "fields and decoded text")
  for name, value in call:fields() do
    promise.holds(rawequal(call:get(name), value), "%s got, and among the fields", name)
    local method = record.class("call_log")[name]
    promise.holds(rawequal(call[name], method or value), "%s as a field", name)
    promise.same(core.decode(core.slice(call, name)), value, "value of the slice")
  end
  if _VERSION ~= "Lua 5.1" then
    for name, value in pairs(call) do
      promise.holds(rawequal(fields[name], value), "%s by pairs", name)
    end
  end
  for _, name in ipairs { "no such field", "", "id\0" } do
    promise.same(call:get(name), decoded[name], "field that may not be there")
  end
end

-- The methods of a record work with any contents.
local function check_methods(call)
  promise.holds(type(tostring(call)) == "string", "a text")
  promise.holds(type(call:evaluated()) == "boolean", "evaluated or not")
  for _, read in ipairs { function() return call:seconds() end, function() return call:time "timestamp" end } do
    local found, err = read()
    if found == nil then
      promise.failed(found, err, "protocol", call:json())
    else
      promise.finite(found, "a time")
    end
  end
  for turn in call:turns() do
    promise.holds(type(turn) == "table", "a turn")
  end
  for metric in call:metrics() do
    promise.holds(type(metric.explanation) == "table", "an explanation")
    promise.holds(metric.passed == nil or type(metric.passed) == "boolean", "passed or not")
    for _, text in ipairs(metric.explanation) do
      promise.holds(type(text) == "string", "a text that explains")
    end
    if type(metric.name) == "string" and metric.name ~= "" then
      promise.same(call:metric(metric.name).name, metric.name, "metric by name")
    end
  end
  call:metric(1)
end

local function check_record(call, text)
  promise.holds(call:json() == text, "the bytes that came")
  local decoded, whole = core.decode(text), call:totable()
  promise.same(without_nulls(whole), decoded, "table and decoded text")
  check_fields(call, decoded)
  check_methods(call)
  promise.holds(call:json() == text, "the bytes that came, still")
  local sent = encode(whole, "record")
  promise.same(cekura.assert(cekura.call_log(sent)):totable(), whole, "record when it is sent back", "as numbers")
end

return function(text)
  local call, err = cekura.call_log(text)
  if call then
    check_record(call, text)
  else
    promise.failed(call, err, "protocol", text)
  end
  local list = core.new_records(text, nil, record.class "call_log")
  local decoded = core.decode(text)
  promise.holds(not list or type(decoded) == "table" and #decoded == #list, "as many records as elements")
  for place, each in ipairs(list or {}) do
    check_record(each, each:json())
    promise.same(core.decode(each:json()), decoded[place], "element and record")
  end
end

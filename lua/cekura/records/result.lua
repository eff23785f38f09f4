--- Results of running scenarios: records whose runs are records of calls (cekura.records.call).

local call = require "cekura.records.call"
local core = require "cekura.core"
local record = require "cekura.records.record"

local result = {}

---@class cekura.Run: cekura.Call one call of a result

---@class cekura.Result: cekura.Record
local methods = record.class "result"

-- By their ids as numbers, if they have such.
local function is_before(one, other)
  local first, second = tonumber(one), tonumber(other)
  if first and second and first ~= second then
    return first < second
  end
  return one < other
end

-- The runs of a record, which the service writes as a list, or as an object by id.
local function runs_of(self)
  local text, client = core.slice(self, "runs"), core.owner(self)
  local by_id = text and core.new_record(text, client, record.class "record")
  if not by_id then
    return text and core.new_records(text, client, record.class "run") or {}
  end
  local ids, runs = {}, {}
  for id in pairs(core.record_fields(by_id)) do
    ids[#ids + 1] = id
  end
  table.sort(ids, is_before)
  for _, id in ipairs(ids) do
    runs[#runs + 1] = core.new_record(core.slice(by_id, id), client, record.class "run")
  end
  return runs
end

--- Iterates over its runs, in the order of their ids.
---@return fun(): cekura.Run?
function methods:runs()
  local runs, place = runs_of(self), 0
  return function()
    place = place + 1
    return runs[place]
  end
end

-- The runs in the result of a job, which are tables, have the methods of a record of a call.
local RUN = { __name = "cekura.run", __index = { get = rawget } }
for name, method in pairs(call) do
  RUN.__index[name] = method
end

--- Gives the runs of a decoded result these methods.
---@param runs any the member of the result
function result.add_methods(runs)
  for _, run in pairs(type(runs) == "table" and runs or {}) do
    if type(run) == "table" and not getmetatable(run) then
      setmetatable(run, RUN)
    end
  end
end

return result

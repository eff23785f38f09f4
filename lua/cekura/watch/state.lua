--- What a watch knows of the past: which calls it has told of, which improvements wait and run, when they were started.
-- As text it is JSON, and holds ids, times and tokens of jobs, nothing else.

local core = require "cekura.core"
local encode = require "cekura.encode"

local state = {}

local FORMAT = "cekura.watch 1"

---@class cekura.watch.Item an improvement that is to be made, or is being made
---@field entry string the name of its entry
---@field call string the id of the record
---@field state string "wanted", "starting" (it may have been sent, or not), "running"
---@field token? string of the job, while it runs
---@field prompt_sum? string tells whether the prompt came back as it was

---@class cekura.watch.State
---@field base string the base URL that all of it is about
---@field entries table<string, { from: integer, told: table<string, integer> }> from: when the calls began that the
---next look asks for; told: the times of those among them that on_evaluated was called for, by id
---@field improvements cekura.watch.Item[] in the order in which they are started
---@field starts integer[] when improvements were started, in the last hour

--- One that knows nothing.
---@return cekura.watch.State
function state.new(base)
  return { format = FORMAT, base = base, entries = {}, improvements = setmetatable({}, core.array_mt),
    starts = setmetatable({}, core.array_mt) }
end

local ITEM_STATES = { wanted = true, starting = true, running = true }

local function is_item(item)
  return type(item) == "table" and type(item.entry) == "string" and type(item.call) == "string"
    and ITEM_STATES[item.state] and (item.state ~= "running" or type(item.token) == "string")
end

local function is_entry(entry)
  return type(entry) == "table" and type(entry.from) == "number" and type(entry.told) == "table"
end

local function all(list, is_right)
  if type(list) ~= "table" then
    return false
  end
  for _, value in pairs(list) do
    if not is_right(value) then
      return false
    end
  end
  return true
end

local function is_number(value)
  return type(value) == "number"
end

--- Reads the text of one.
---@param text string
---@param base string the client's base URL
---@return cekura.watch.State? kept, string? fault
function state.read(text, base)
  local kept = core.decode(text)
  if type(kept) ~= "table" or kept.format ~= FORMAT then
    return nil, "it is not what a watch has kept, or not all of it"
  elseif kept.base ~= base then
    return nil, "it is of another base URL, " .. tostring(kept.base)
  elseif not (all(kept.entries, is_entry) and all(kept.improvements, is_item) and all(kept.starts, is_number)) then
    return nil, "it is not what a watch has kept"
  end
  setmetatable(kept.improvements, core.array_mt)
  setmetatable(kept.starts, core.array_mt)
  return kept
end

--- The text of one.
---@return string
function state.write(kept)
  return encode(kept, "watch")
end

--- Begins to know of an entry, if it did not.
---@param since? number
function state.begin_entry(kept, name, since)
  kept.entries[name] = kept.entries[name] or { from = math.floor(since or core.date()), told = {} }
end

local HOUR = 3600

--- When a further start is allowed, with at most so many in an hour; 0: now.
---@param per_hour integer
---@return number seconds until then; math.huge: never
function state.pause(kept, per_hour)
  local starts, now = kept.starts, core.date()
  while starts[1] and starts[1] <= now - HOUR do
    table.remove(starts, 1)
  end
  if #starts < per_hour then
    return 0
  end
  local first = starts[#starts - per_hour + 1] -- so that per_hour may have been more before a reload
  return first and math.max(0.01, first + HOUR - now) or math.huge
end

--- Counts a start; returns a function that takes it back.
function state.count_start(kept)
  local starts, time = kept.starts, core.date() + 1 -- the date is in whole seconds: rather later than sooner
  starts[#starts + 1] = time
  return function()
    for index = #starts, 1, -1 do
      if starts[index] == time then
        return table.remove(starts, index)
      end
    end
  end
end

--- Takes out an improvement.
function state.remove(kept, item)
  for index, other in ipairs(kept.improvements) do
    if other == item then
      return table.remove(kept.improvements, index)
    end
  end
end

--- Takes out the improvements of an entry that were not begun.
function state.forget_wanted(kept, name)
  for index = #kept.improvements, 1, -1 do
    local item = kept.improvements[index]
    if item.entry == name and item.state == "wanted" then
      table.remove(kept.improvements, index)
    end
  end
end

return state

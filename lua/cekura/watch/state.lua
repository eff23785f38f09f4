--- What a watch knows of the past: the calls that were handled, the improvements that wait and run, and when the latest
-- were started. As text it is JSON, and holds ids, times and tokens of jobs and nothing else; the names of its fields
-- are those of the text. When it is loaded and saved is left to cekura.watch.persistence.

local atomic = require "cekura.loop.atomic"
local core = require "cekura.core"
local encode = require "cekura.http.encode"
local show = require "cekura.show"

local FORMAT = "cekura.watch 1"

---@class cekura.watch.Item an improvement that waits or runs
---@field entry string the name of its entry
---@field call string the id of the record
---@field state string "wanted", "starting" (it may have been sent, or not), "running"
---@field token? string of the job, while it runs
---@field prompt_sum? string shows whether the prompt came back unchanged
---@field given_up? boolean its failure was reported, though its job may still end
---@field cut? string in "starting": what ended its start from this side; nil: it is under way, or its process ended

---@class cekura.watch.Known
---@field since integer calls that began before are not handled
---@field from integer when the calls began that the next scan lists
---@field begun? boolean there was a scan
---@field told table<string, integer> the ids of the listed calls that were handled; the values mean nothing

---@class cekura.watch.State
---@field base string the base URL of its service
---@field saved? integer when it was saved last, by this machine's clock
---@field entries table<string, cekura.watch.Known>
---@field improvements cekura.watch.Item[] in the order in which they are started
---@field starts integer[] when improvements were started, in the last hour
local State = {}
State.__index = State

local state = {}

--- Creates an empty state.
---@param base string
---@return cekura.watch.State
function state.new(base)
  return setmetatable({ format = FORMAT, base = base, entries = {},
    improvements = setmetatable({}, core.array_mt), starts = setmetatable({}, core.array_mt) }, State)
end

-- ---- text ----

local ITEM_STATES = { wanted = true, starting = true, running = true }

local function is_item(item)
  return type(item) == "table" and type(item.entry) == "string" and type(item.call) == "string"
    and ITEM_STATES[item.state] and (item.state ~= "running" or type(item.token) == "string")
    and (item.cut == nil or type(item.cut) == "string")
    and (item.given_up == nil or type(item.given_up) == "boolean")
end

local function is_entry(entry)
  return type(entry) == "table" and type(entry.from) == "number" and type(entry.told) == "table"
    and (entry.since == nil or type(entry.since) == "number")
end

local function is_number(value)
  return type(value) == "number"
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

--- Reads the text of a state.
---@param text string
---@param base string the client's base URL
---@return cekura.watch.State? state, string? fault
function state.read(text, base)
  local read = core.decode(text)
  if type(read) ~= "table" or read.format ~= FORMAT then
    return nil, "it was not written by a watch, or is incomplete"
  elseif read.base ~= base then
    return nil, show.format("it belongs to another base URL, %s", read.base)
  elseif not (all(read.entries, is_entry) and all(read.improvements, is_item) and all(read.starts, is_number)
    and (read.saved == nil or is_number(read.saved))) then
    return nil, "it was not written by a watch"
  end
  local self = state.new(base)
  self.saved, self.entries = read.saved, read.entries
  self.improvements = setmetatable(read.improvements, core.array_mt)
  self.starts = setmetatable(read.starts, core.array_mt)
  return self
end

--- The text of the state.
---@return string
function State:text()
  self.saved = core.date()
  return encode(self, "watch")
end

-- ---- calls and improvements ----

--- Seconds by which the service may be behind in reading a time: no zone is further behind UTC than twelve hours.
state.ZONE_LAG = 13 * 3600

local function new_entry(since, from)
  return { since = since, from = from, told = {} }
end

--- Adds an entry, if it is not known yet.
---@param name string
---@param since? number
function State:add_entry(name, since)
  local now = core.date()
  since = math.floor(math.min(since or now, now))
  local known = self.entries[name] or new_entry(since, since - state.ZONE_LAG)
  known.since = known.since or known.from -- an earlier version has none
  self.entries[name] = known
end

--- Records that a call was handled, and adds its improvement if that is wanted. One call is improved once.
---@param name string of the entry
---@param id string
---@param is_wanted? boolean
---@return cekura.watch.Item? item the improvement, if it is new
function State:record_call(name, id, is_wanted)
  self.entries[name].told[id] = 1
  if is_wanted and not self:find_improvement(name, id) then
    local item = { entry = name, call = id, state = "wanted" }
    table.insert(self.improvements, item)
    return item
  end
end

--- The improvement of an entry from a call; nil: none waits or runs.
---@return cekura.watch.Item?
function State:find_improvement(name, id)
  for _, item in ipairs(self.improvements) do
    if item.entry == name and item.call == id then
      return item
    end
  end
end

--- Changes an improvement.
---@param item cekura.watch.Item
---@param changes table<string, any>
state.update_item = atomic(function(item, changes)
  for name, value in pairs(changes) do
    item[name] = value
  end
end)

--- Records what cut off each start that is not complete.
---@param cause string
function State:cut_starts(cause)
  for _, item in ipairs(self.improvements) do
    if item.state == "starting" then
      item.cut = item.cut or cause
    end
  end
end

--- Removes an improvement.
---@param item cekura.watch.Item
function State:remove(item)
  for index, other in ipairs(self.improvements) do
    if other == item then
      return table.remove(self.improvements, index)
    end
  end
end

--- Removes the improvements of an entry that were not started.
---@param name string
function State:remove_wanted(name)
  for index = #self.improvements, 1, -1 do
    local item = self.improvements[index]
    if item.entry == name and item.state == "wanted" then
      table.remove(self.improvements, index)
    end
  end
end

-- Jobs that may never end must not fill the store: beyond this many, the oldest is dropped.
local MOST_GIVEN_UP = 100

--- Keeps an improvement whose failure has been reported, because its job may still end.
---@param item cekura.watch.Item
function State:give_up(item)
  item.given_up = true
  local given_up = {}
  for _, other in ipairs(self.improvements) do
    if other.given_up then
      given_up[#given_up + 1] = other
    end
  end
  if #given_up > MOST_GIVEN_UP then
    self:remove(given_up[1])
  end
end

--- Adds the calls, improvements and starts of another state.
---@param other cekura.watch.State
function State:merge(other)
  for name, known in pairs(other.entries) do
    self.entries[name] = self.entries[name] or new_entry(known.since, known.from)
    for id in pairs(known.told) do
      self:record_call(name, id)
    end
  end
  for _, item in ipairs(other.improvements) do
    if not self:find_improvement(item.entry, item.call) then
      table.insert(self.improvements, item)
    end
  end
  for _, time in ipairs(other.starts) do
    table.insert(self.starts, time)
  end
  table.sort(self.starts)
end

-- ---- starts in an hour ----

local HOUR = 3600

--- Seconds until a further start is allowed, with at most so many in an hour; math.huge: none ever is.
---@param per_hour integer
---@return number seconds
function State:start_delay(per_hour)
  local starts, now = self.starts, core.date()
  -- The latest are kept, however old: a clock that is ahead for a while makes none of them forgotten.
  while #starts > per_hour and starts[1] <= now - HOUR do
    table.remove(starts, 1)
  end
  if per_hour == 0 then
    return math.huge
  end
  local first = starts[#starts - per_hour + 1] -- there are more where per_hour was higher before
  local seconds = first and first + HOUR - now or 0
  return seconds > 0 and math.max(0.01, seconds) or 0
end

--- Counts a start.
---@return function uncount removes it from the count
function State:count_start()
  local starts, time = self.starts, core.date() + 1 -- the date is in whole seconds: rather later than sooner
  starts[#starts + 1] = time
  return atomic(function()
    for index = #starts, 1, -1 do
      if starts[index] == time then
        return table.remove(starts, index)
      end
    end
  end)
end

-- ---- clocks ----

-- Seconds that a time may lie ahead without a report: clocks of several machines differ.
local TOLERANCE = 5

local function lead_of(time, now)
  return time > now + TOLERANCE and time - now or 0
end

--- Sets times that lie in the future to now: a clock that was ahead has written them.
---@return number lead the seconds that it was ahead; 0: there are no such times
function State:correct_times()
  local now = core.date()
  local lead = lead_of(self.saved or now, now)
  self.saved = math.min(self.saved or now, now)
  for _, known in pairs(self.entries) do
    lead = math.max(lead, lead_of(known.from, now), lead_of(known.since or now, now))
    known.from, known.since = math.min(known.from, now), known.since and math.min(known.since, now)
  end
  for index, time in ipairs(self.starts) do
    local ahead = lead_of(time, now)
    lead = math.max(lead, ahead)
    self.starts[index] = ahead > 0 and now or time
  end
  return lead
end

-- A host may interrupt one task and run another that uses the same state.
for name, member in pairs(State) do
  State[name] = type(member) == "function" and atomic(member) or member
end

return state

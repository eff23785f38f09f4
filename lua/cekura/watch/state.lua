--- What a watch knows of the past: which calls it has told of, which improvements wait and run, when they were started.
-- As text it is JSON, and holds ids, times and tokens of jobs, nothing else.

local atomic = require "cekura.loop.atomic"
local core = require "cekura.core"
local encode = require "cekura.http.encode"

local state = {}

local FORMAT = "cekura.watch 1"

---@class cekura.watch.Item an improvement that is to be made, or is being made
---@field entry string the name of its entry
---@field call string the id of the record
---@field state string "wanted", "starting" (it may have been sent, or not), "running"
---@field token? string of the job, while it runs
---@field prompt_sum? string tells whether the prompt came back as it was
---@field given_up? boolean it was told that it failed, though its job may still end
---@field cut? string in "starting": what ended its start from this side; nil: it is under way, or its process ended

---@class cekura.watch.Known
---@field since integer calls that began before are not told of
---@field from integer when the calls began that the next look asks for
---@field begun? boolean it has been looked at
---@field told table<string, integer> the ids of the listed calls that are over and done with; the values say nothing

---@class cekura.watch.State
---@field base string the base URL that all of it is about
---@field saved? integer when it was kept last, by this machine's clock
---@field entries table<string, cekura.watch.Known>
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
    and (item.cut == nil or type(item.cut) == "string")
    and (item.given_up == nil or type(item.given_up) == "boolean")
end

local function is_entry(entry)
  return type(entry) == "table" and type(entry.from) == "number" and type(entry.told) == "table"
    and (entry.since == nil or type(entry.since) == "number")
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
  elseif not (all(kept.entries, is_entry) and all(kept.improvements, is_item) and all(kept.starts, is_number)
    and (kept.saved == nil or is_number(kept.saved))) then
    return nil, "it is not what a watch has kept"
  end
  setmetatable(kept.improvements, core.array_mt)
  setmetatable(kept.starts, core.array_mt)
  return kept
end

--- The text of one.
---@return string
function state.write(kept)
  kept.saved = core.date()
  return encode(kept, "watch")
end

--- Seconds by which the service may be behind in reading a time: no zone is further behind UTC than twelve hours.
state.ZONES = 13 * 3600

--- Begins to know of an entry, if it did not.
---@param since? number
function state.begin_entry(kept, name, since)
  local now = core.date()
  since = math.floor(math.min(since or now, now))
  local entry = kept.entries[name] or { since = since, from = since - state.ZONES, told = {} }
  entry.since = entry.since or entry.from -- of an earlier version
  kept.entries[name] = entry
end

-- ---- calls and improvements ----

--- Takes down that a call was told of, and, if `wanted`, that its prompt is to be improved. One call is improved once.
---@return cekura.watch.Item? item the improvement, if it is a new one
function state.tell(kept, name, id, wanted)
  kept.entries[name].told[id] = 1
  if wanted and not state.find(kept, name, id) then
    local item = { entry = name, call = id, state = "wanted" }
    table.insert(kept.improvements, item)
    return item
  end
end

--- The improvement of an entry from a call; nil: none waits or runs.
---@return cekura.watch.Item?
function state.find(kept, name, id)
  for _, item in ipairs(kept.improvements) do
    if item.entry == name and item.call == id then
      return item
    end
  end
end

--- Says of each start that is not over by what it was cut off.
---@param why string
function state.cut_off(kept, why)
  for _, item in ipairs(kept.improvements) do
    if item.state == "starting" then
      item.cut = item.cut or why
    end
  end
end

--- Adds what another one knows of calls and improvements.
function state.add(kept, other)
  for name, entry in pairs(other.entries) do
    kept.entries[name] = kept.entries[name] or { since = entry.since, from = entry.from, told = {} }
    for id in pairs(entry.told) do
      kept.entries[name].told[id] = 1
    end
  end
  for _, item in ipairs(other.improvements) do
    if not state.find(kept, item.entry, item.call) then
      table.insert(kept.improvements, item)
    end
  end
  for _, time in ipairs(other.starts) do
    table.insert(kept.starts, time)
  end
  table.sort(kept.starts)
end

-- ---- times ----

-- Seconds that times may lie ahead without a word: clocks of several machines differ.
local TOLERANCE = 5

local function lead_of(time, now)
  return time > now + TOLERANCE and time - now or 0
end

--- Has the times that lie in the future count as now: they were taken from a clock that was ahead. Returns how far it
-- was, in seconds; 0: there are none.
---@return number lead
function state.mend_times(kept)
  local now = core.date()
  local lead = lead_of(kept.saved or now, now)
  kept.saved = math.min(kept.saved or now, now)
  for _, entry in pairs(kept.entries) do
    lead = math.max(lead, lead_of(entry.from, now), lead_of(entry.since or now, now))
    entry.from, entry.since = math.min(entry.from, now), entry.since and math.min(entry.since, now)
  end
  for index, time in ipairs(kept.starts) do
    local ahead = lead_of(time, now)
    lead = math.max(lead, ahead)
    kept.starts[index] = ahead > 0 and now or time
  end
  return lead
end

local HOUR = 3600

--- When a further start is allowed, with at most so many in an hour; 0: now.
---@param per_hour integer
---@return number seconds until then; math.huge: never
function state.pause(kept, per_hour)
  local starts, now = kept.starts, core.date()
  -- The latest are kept, however old: a clock that is ahead for a while makes none of them forgotten.
  while #starts > per_hour and starts[1] <= now - HOUR do
    table.remove(starts, 1)
  end
  if per_hour == 0 then
    return math.huge
  end
  local first = starts[#starts - per_hour + 1] -- there may be more: per_hour was another before
  local pause = first and first + HOUR - now or 0
  return pause > 0 and math.max(0.01, pause) or 0
end

--- Counts a start; returns a function that takes it back.
function state.count_start(kept)
  local starts, time = kept.starts, core.date() + 1 -- the date is in whole seconds: rather later than sooner
  starts[#starts + 1] = time
  return atomic(function()
    for index = #starts, 1, -1 do
      if starts[index] == time then
        return table.remove(starts, index)
      end
    end
  end)
end

--- Changes what is known of an improvement.
---@param changes table<string, any>
function state.change(item, changes)
  for name, value in pairs(changes) do
    item[name] = value
  end
end

-- Jobs that may never end must not fill the store: beyond this many, the oldest is dropped.
local MOST_GIVEN_UP = 100

--- Keeps an improvement whose failure has been reported, because its job may still end.
function state.give_up(kept, item)
  item.given_up = true
  local given_up = {}
  for _, other in ipairs(kept.improvements) do
    if other.given_up then
      given_up[#given_up + 1] = other
    end
  end
  if #given_up > MOST_GIVEN_UP then
    state.remove(kept, given_up[1])
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

-- A host may interrupt one task, and let another at the same state.
for name, fn in pairs(state) do
  state[name] = type(fn) == "function" and atomic(fn) or fn
end

return state

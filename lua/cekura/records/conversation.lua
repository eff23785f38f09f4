--- A call as it happened in time: who spoke when, calls of tools, silences, and where two sides spoke at once.

local ascii = require "cekura.http.ascii"
local encode = require "cekura.http.encode"
local roles = require "cekura.records.roles"

local conversation = {}

---@class cekura.records.Event a turn of the call
---@field turn cekura.Turn
---@field kind "speech"|"tool_call"|"tool_result"
---@field role? string
---@field lane? string the role as a word; of speech only
---@field at? number seconds since the call began
---@field stop? number when it ended; nil: not known
---@field text string what was said; of a tool call its arguments, of a result what was returned
---@field name? string of the tool
---@field overlap? number seconds for which another side, which had begun before, still spoke

---@class cekura.records.Span seconds since the call began
---@field from number
---@field to number

---@class cekura.records.Conversation
---@field events cekura.records.Event[] in the order of the transcript
---@field silences cekura.records.Span[]
---@field overlaps cekura.records.Span[]
---@field length? number seconds; nil: no turn has a time, and the call has no duration
---@field has_stops boolean whether a turn says when it ended

-- A value from the service as text: a string as it is, anything else as JSON.
local function as_text(value)
  return type(value) == "string" and value or encode({ value }, "value"):sub(2, -2)
end
conversation.as_text = as_text

-- ---- tools ----

-- The members that may hold the arguments of a tool call, or its result.
local ARGUMENTS, RESULT = { "arguments", "parameters" }, { "result", "output" }

local function member(data, names)
  for _, name in ipairs(names) do
    if data[name] ~= nil then
      return as_text(data[name])
    end
  end
end

local function not_empty(value)
  return value ~= nil and value ~= "" and as_text(value) or nil
end

local function read_tool(turn, name_of_role)
  local data = type(turn.data) == "table" and turn.data or {}
  local name, content = not_empty(data.name), not_empty(turn.content)
  if name_of_role == roles.RESULT then
    return { kind = "tool_result", text = member(data, RESULT) or content or name or "?", name = name }
  end
  return { kind = "tool_call", text = member(data, ARGUMENTS) or name and content or "", name = name or content or "?" }
end

-- ---- times ----

local LONGEST_CALL = 1e7 -- seconds; a larger number is a date

-- A time from the beginning of the call. Dates count from the first one, which `from` keeps.
local function read_time(time, from)
  if type(time) == "number" and time >= LONGEST_CALL and time < math.huge then
    from.date = from.date or time
    time = time - from.date
  end
  return type(time) == "number" and time >= 0 and time < LONGEST_CALL and time or nil
end

local function read_event(turn, from)
  local name = roles.name(turn.role)
  local event
  if name == roles.CALL or name == roles.RESULT then
    event = read_tool(turn, name)
  else
    local lane = type(turn.role) == "string" and ascii.word(turn.role) or ""
    event = { kind = "speech", lane = lane, text = turn.content ~= nil and as_text(turn.content) or "" }
  end
  event.turn, event.role = turn, turn.role ~= nil and as_text(turn.role) or nil
  event.at = read_time(turn.start_time, from)
  local stop = event.at and read_time(turn.end_time, from)
  event.stop = stop and stop >= event.at and stop or nil
  return event
end

--- The turns of a call as events.
---@param call cekura.Call
---@return cekura.records.Event[] events in the order of the transcript
function conversation.events(call)
  local events, from = {}, {}
  for turn in call:turns() do
    events[#events + 1] = read_event(turn, from)
  end
  return events
end

-- ---- silences and overlaps ----

local SILENCE, OVERLAP = 2, 0.1 -- seconds from which on one counts

-- What was said, by its beginning.
local function speech_of(events)
  local speech = {}
  for place, event in ipairs(events) do
    if event.kind == "speech" and event.at then
      speech[#speech + 1] = { event = event, place = place }
    end
  end
  table.sort(speech, function(a, b)
    if a.event.at ~= b.event.at then
      return a.event.at < b.event.at
    end
    return a.place < b.place
  end)
  return speech
end

-- Marks what was said while another side still spoke. `spoken` has the time until which each side has spoken.
local function mark_overlap(event, spoken, overlaps)
  local till = 0
  for lane, stop in pairs(spoken) do
    till = lane ~= event.lane and math.max(till, stop) or till
  end
  till = math.min(till, event.stop or till)
  if till - event.at >= OVERLAP then
    event.overlap = till - event.at
    overlaps[#overlaps + 1] = { from = event.at, to = till }
  end
end

-- Finds silences and overlaps. A turn of which the end is not known may last until the next.
local function find_spans(events, seconds)
  local silences, overlaps, spoken, till = {}, {}, {}, 0
  local function silent(to)
    if till and to - till >= SILENCE then
      silences[#silences + 1] = { from = till, to = to }
    end
  end
  for _, each in ipairs(speech_of(events)) do
    local event = each.event
    silent(event.at)
    mark_overlap(event, spoken, overlaps)
    spoken[event.lane] = math.max(spoken[event.lane] or 0, event.stop or 0)
    till = event.stop and math.max(till or 0, event.stop)
  end
  if seconds and next(spoken) then
    silent(seconds)
  end
  return silences, overlaps
end

--- Reads a call.
---@param call cekura.Call
---@return cekura.records.Conversation
function conversation.read(call)
  local events, seconds = conversation.events(call), call:seconds()
  seconds = seconds and seconds < LONGEST_CALL and seconds or nil
  local length, has_stops = seconds, false
  for _, event in ipairs(events) do
    if event.at then
      length = math.max(length or 0, event.stop or event.at)
      has_stops = has_stops or event.stop ~= nil
    end
  end
  local silences, overlaps = find_spans(events, seconds)
  return { events = events, silences = silences, overlaps = overlaps, length = length, has_stops = has_stops }
end

return conversation

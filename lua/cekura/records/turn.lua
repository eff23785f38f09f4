--- One turn of a call: its times, the text of its content, and its description.

local cjson = require "cekura.cjson"
local core = require "cekura.core"
local described = require "cekura.described"
local show = require "cekura.show"
local times = require "cekura.records.times"

local turn = {}

---@class cekura.Turn a value that cannot be read as described is left unchanged; all other members are kept, too
---@field role? string "Main Agent", "Testing Agent", "Function Call", "Function Call Result", …
---@field content? string absent in some results of function calls
---@field start_time? number seconds since the call began; since the epoch where the sender gave a date
---@field end_time? number
---@field data? table of function calls: id, name, arguments, result
---@field [string] any

-- No call lasts so many seconds: a larger number is a date in seconds, or from the second limit on in milliseconds.
local LONGEST, MILLISECONDS, TOO_LATE = 1e7, 1e11, 1e14

turn.LONGEST, turn.MILLISECONDS = LONGEST, MILLISECONDS

local MOST_ROUNDED = 9e9 -- of whose microseconds a float has all digits

--- Seconds to the microsecond, since sums of decimal fractions are not exact; whole ones are an integer, where this Lua
--- has integers. Nil for seconds that are nil, or no time of a call.
---@param seconds? number
---@return number?
function turn.rounded(seconds)
  if not seconds or seconds <= -MOST_ROUNDED or seconds >= MOST_ROUNDED then
    return nil
  end
  seconds = math.floor(seconds * 1e6 + 0.5) / 1e6
  return seconds % 1 == 0 and math.floor(seconds) or seconds
end

--- A number, a number as text, or a text "0:07" as seconds; nil for anything else.
---@param value any
---@return number?
function turn.seconds(value)
  local number = times.number(value)
  if not number then
    return (times.duration(value))
  elseif number >= MILLISECONDS then
    return number < TOO_LATE and number / 1000 or nil
  end
  return number
end

-- A time for people, "0:07". A number is ambiguous here, unless it is a date.
local function shown_time(value)
  local read = turn.seconds(value)
  return read and (not times.number(value) or read >= LONGEST) and read or nil
end

--- What was said: the text of a list of texts, or of parts that have one: { type = "text", text = … }. Any other value
--- is returned as it is.
---@param content any
---@return any
function turn.content(content)
  local texts = {}
  for _, part in ipairs(type(content) == "table" and content or {}) do
    local text = type(part) == "table" and (part.text or part.transcript or part.content) or part
    text = type(text) == "table" and text.value or text
    texts[#texts + 1] = type(text) == "string" and text or nil
  end
  return texts[1] and table.concat(texts, "\n") or content
end

local Turn = described("cekura.turn", function(value)
  local starts_at = type(value.start_time) == "number" and show.format(" at %g s", value.start_time) or ""
  return (value.role or "?") .. starts_at
end)

--- A turn with these members.
---@param members table which becomes the turn
---@return cekura.Turn
function turn.new(members)
  return setmetatable(members, Turn)
end

--- Whether a value is a turn from this module.
function turn.is(value)
  return getmetatable(value) == Turn
end

--- The turn that an item of a transcript is, in the service's own notation. The item stays as it is.
---@param item table
---@return cekura.Turn
function turn.read(item)
  local read = turn.new {}
  for name, value in pairs(item) do
    if value ~= cjson.null then
      read[name] = value
    end
  end
  -- The schema has `timestamp`; actual turns have `start_time`, or only `time`.
  read.start_time = turn.seconds(read.start_time) or turn.seconds(read.timestamp) or shown_time(read.time)
    or read.start_time
  read.end_time = turn.seconds(read.end_time) or read.end_time
  read.content = turn.content(read.content)
  return read
end

--- Sorts a list by the beginnings of its items. Those without one stay behind the one before them.
---@generic T
---@param list T[]
---@param start_of fun(item: T): number?
---@return T[] list
function turn.sort(list, start_of)
  local places, latest = {}, 0
  for place, item in ipairs(list) do
    latest = start_of(item) or latest
    places[place] = { item = item, start = latest, place = place }
  end
  table.sort(places, function(a, b)
    if a.start ~= b.start then
      return a.start < b.start
    end
    return a.place < b.place
  end)
  for place, each in ipairs(places) do
    list[place] = each.item
  end
  return list
end

--- The items of a transcript that are objects, and not empty.
---@param list table
---@return table[]
function turn.items(list)
  local items = {}
  for _, item in ipairs(list) do
    if type(item) == "table" and getmetatable(item) ~= core.array_mt and next(item) ~= nil then
      items[#items + 1] = item
    end
  end
  return items
end

return turn

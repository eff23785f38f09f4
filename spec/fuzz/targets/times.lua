--- Durations and dates: they agree with a simple parser that shares no code with cekura.records.times.

local cekura = require "cekura"
local encode = require "cekura.http.encode"
local core = require "cekura.core"
local promise = require "spec.fuzz.promise"
local times = require "cekura.records.times"

-- ---- a byte-by-byte reader ----

local function reader(text)
  local at = 1
  local self = {}

  -- Takes the next byte if it is one of those.
  function self.one_of(bytes)
    local byte = text:sub(at, at)
    if byte ~= "" and bytes:find(byte, 1, true) then
      at = at + 1
      return byte
    end
  end

  -- Takes from `least` to `most` digits, as text; nil if there are fewer.
  function self.digits(least, most)
    local first = at
    while at - first < most and self.one_of "0123456789" do
    end
    if at - first < least then
      at = first
      return nil
    end
    return text:sub(first, at - 1)
  end

  function self.at_end()
    return at > #text
  end

  return self
end

-- The fraction after one of those signs; 0 without a sign, nil for a sign without digits.
local function read_fraction(from, signs)
  if not from.one_of(signs) then
    return 0
  end
  local digits = from.digits(1, math.huge)
  return digits and tonumber(digits) / 10 ^ #digits
end

-- ---- durations ----

local function plain_duration(text)
  local from = reader(text)
  local parts = { from.digits(1, 6) }
  while #parts > 0 and #parts < 3 and from.one_of ":" do
    parts[#parts + 1] = from.digits(2, 2) or "x"
  end
  local part = read_fraction(from, ".")
  local seconds, minutes, hours = tonumber(parts[#parts]), tonumber(parts[#parts - 1]), 0
  if #parts == 3 then
    hours = tonumber(parts[1])
  end
  if #text > 30 or #parts < 2 or not part or not from.at_end() or not seconds or not minutes or seconds > 59
    or #parts == 3 and minutes > 59 then
    return nil
  end
  return hours * 3600 + minutes * 60 + seconds + part
end

local function check_near(found, wanted, what)
  promise.holds((found == nil) == (wanted == nil), "%s: %s, and plainly read %s", what, tostring(found),
    tostring(wanted))
  if found then
    promise.finite(found, what)
    promise.holds(math.abs(found - wanted) <= 1e-6, "%s: %.17g, and plainly read %.17g", what, found, wanted)
  end
end

-- ---- dates ----

-- The last day of a month, by the C library.
local function last_day(year, month)
  return os.date("*t", os.time { year = year, month = month + 1, day = 0, hour = 12 }).day
end

local function read_zone(from)
  if from.at_end() or from.one_of "Zz" then
    return 0
  end
  local sign, hours = from.one_of "+-", from.digits(2, 2)
  local minutes = from.one_of ":" and (from.digits(2, 2) or "x") or from.digits(2, 2) or "00"
  hours, minutes = tonumber(hours), tonumber(minutes)
  if sign and hours and minutes and hours < 24 and minutes < 60 then
    return (sign == "+" and 1 or -1) * (hours * 3600 + minutes * 60)
  end
end

-- Whether the last second of that minute is followed by a day in UTC: only then may there be a leap second.
local function ends_day(hour, minute, zone)
  return (hour * 60 + minute + 1 - zone / 60) % (24 * 60) == 0
end

-- The year, month, day, hour, minute and second in the text; the zone in seconds; the fraction.
local function plain_date(text)
  local from, fields = reader(text), {}
  for place, rule in ipairs { { 4, "-" }, { 2, "-" }, { 2, "Tt " }, { 2, ":" }, { 2, "" } } do
    fields[place] = tonumber(from.digits(rule[1], rule[1]))
    if not fields[place] or rule[2] ~= "" and not from.one_of(rule[2]) then
      return nil
    end
  end
  local part = 0
  fields[6] = 0
  if from.one_of ":" then
    fields[6] = tonumber(from.digits(2, 2))
    part = read_fraction(from, ".,")
  end
  local zone = read_zone(from)
  local year, month, day = fields[1], fields[2], fields[3]
  if #text > 60 or not fields[6] or not part or not zone or not from.at_end() or month < 1 or month > 12 or day < 1
    or day > last_day(year, month) or fields[4] > 23 or fields[5] > 59
    or fields[6] > (ends_day(fields[4], fields[5], zone) and 60 or 59) then
    return nil
  end
  return fields, zone, part
end

-- Asserts that the C library converts the number back to the fields in the text.
local function check_epoch(found, text)
  local fields, zone, part = plain_date(text)
  promise.holds((found ~= nil) == (fields ~= nil), "a date and time: %s", tostring(found))
  if not found then
    return
  end
  promise.finite(found, "a date and time")
  local whole = math.floor(found - part + 0.5)
  promise.holds(math.abs(found - part - whole) < 1e-5, "the fraction %.17g is in %.17g", part, found)
  local leap = fields[6] == 60 and 1 or 0
  fields[6] = fields[6] - leap
  local back = os.date("!*t", whole - leap + zone)
  for place, name in ipairs { "year", "month", "day", "hour", "min", "sec" } do
    promise.holds(back[name] == fields[place], "the %s of %.17g is %d", name, found, fields[place])
  end
end

local function check_written(found)
  local text, reason = times.text(found)
  if not text then
    promise.holds(found < -62135596800 or found >= 253402300800, "%.17g has a text", found)
    promise.holds(type(reason) == "string", "a reason")
    return
  end
  promise.holds(math.abs(times.epoch(text) - found) <= 1e-5, "%.17g reads back from %s", found, text)
end

-- A JSON number of at least 0; nil for any other text.
local function plain_number(text)
  local digits = text:match "^[ \t\r\n]*(-?%d[%d.eE+-]*)[ \t\r\n]*$"
  local number = digits and not digits:find "^-?0%d" and not digits:find "%.[^%d]" and not digits:find "%.$"
    and tonumber(digits)
  if number and not digits:find "[.eE]" then -- an integer must be exact
    number = (math.type and math.type(number) == "integer" or number < 2 ^ 53) and number or nil
  end
  return number and number >= 0 and number < math.huge and #text <= 40 and number or nil
end

return function(text)
  local duration, why = times.duration(text)
  check_near(duration, plain_duration(text), "a duration")
  promise.holds(duration or type(why) == "string", "a reason")
  local epoch
  epoch, why = times.epoch(text)
  check_epoch(epoch, text)
  promise.holds(epoch or type(why) == "string", "a reason")
  if epoch then
    check_written(epoch)
  end
  if core.is_utf8(text) then
    local json = encode({ text }, "text"):sub(2, -2)
    local call = cekura.assert(cekura.call_log(('{"duration":%s,"timestamp":%s}'):format(json, json)))
    local found, err = call:seconds()
    promise.same(found, duration or plain_number(text), "duration of a record", "as numbers")
    if not found then
      promise.failed(found, err, "protocol", text)
    end
    found, err = call:time "timestamp"
    promise.same(found, epoch, "time of a record")
    if not found then
      promise.failed(found, err, "protocol", text)
    end
  end
end

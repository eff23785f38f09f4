--- Times: whole microseconds since the epoch inside, ISO 8601 outside.

local clock = {}

local SECOND = 1000000
local DAY = 86400 * SECOND

clock.SECOND, clock.DAY = SECOND, DAY

--- The seconds since the epoch, with a fraction. The host replaces this function by one of its own.
---@return number
function clock.seconds()
  return os.time()
end

--- A time in seconds since the epoch as text, in UTC, by a format of os.date(). The host may replace this function as
--- well: os.date() of Lua 5.1 has one buffer for all threads of the process.
---@param format string
---@param seconds integer
---@return string
function clock.utc(format, seconds)
  return os.date("!" .. format, seconds)
end

--- How much faster simulated work goes on than the clock, whose dates stay true.
clock.speed = 1

--- The seconds of simulated work since that time of the clock.
---@param since number
---@return number
function clock.worked(since)
  return (clock.seconds() - since) * clock.speed
end

--- The time in microseconds, by whole milliseconds.
function clock.now()
  return math.floor(clock.seconds() * 1000 + 0.5) * 1000
end

--- "2026-08-21T10:15:00Z", with microseconds unless they are 0.
function clock.iso(time)
  local text = clock.utc("%Y-%m-%dT%H:%M:%S", math.floor(time / SECOND))
  local fraction = time % SECOND
  return text .. (fraction > 0 and (".%06d"):format(math.floor(fraction)) or "") .. "Z"
end

-- The days from 1970-01-01 to a date: Fliegel and Van Flandern's Julian day number, minus that of the epoch.
local function days(year, month, day)
  local shift = month <= 2 and 1 or 0
  local y = year + 4800 - shift
  local m = month + 12 * shift - 3
  return day + math.floor((153 * m + 2) / 5) + 365 * y + math.floor(y / 4) - math.floor(y / 100)
    + math.floor(y / 400) - 32045 - 2440588
end

local function offset_of(zone)
  local sign, hours, minutes = zone:match "^([+ -])(%d%d):?(%d%d)$" -- a + may arrive as a space
  if sign then
    return (sign == "-" and -1 or 1) * (hours * 60 + minutes) * 60 * SECOND
  end
  return (zone == "" or zone == "Z") and 0 or nil
end

--- The time of an ISO 8601 text, or nil. A date alone means midnight.
function clock.parse(text)
  local year, month, day, rest = tostring(text):match "^(%d%d%d%d)-(%d%d)-(%d%d)(.*)$"
  if not year then
    return nil
  end
  local midnight = days(tonumber(year), tonumber(month), tonumber(day)) * DAY
  if rest == "" then
    return midnight
  end
  local hour, minute, second, fraction, zone = rest:match "^[T ](%d%d):(%d%d):(%d%d)(%.?%d*)(.*)$"
  local offset = zone and offset_of(zone)
  if not offset then
    return nil
  end
  local whole = (hour * 60 + minute) * 60 + second
  local micros = tonumber((fraction:sub(2) .. "000000"):sub(1, 6))
  return midnight + whole * SECOND + micros - offset
end

local UNITS = {
  s = SECOND, m = 60 * SECOND, h = 3600 * SECOND, d = DAY, w = 7 * DAY, M = 30 * DAY, y = 365 * DAY,
}

--- The time of a text like "now-2h" or "today-7d", or of an ISO 8601 text.
function clock.relative(text)
  local base, sign, count, unit = tostring(text):match "^(%a+)([+-]?)(%d*)(%a?)$"
  if base ~= "now" and base ~= "today" then
    return clock.parse(text)
  end
  local now = clock.now()
  local start = base == "now" and now or now - now % DAY
  if sign == "" then
    return start
  end
  return UNITS[unit] and start + (sign == "-" and -1 or 1) * (tonumber(count) or 0) * UNITS[unit]
end

return clock

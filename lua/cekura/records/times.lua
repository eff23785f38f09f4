--- Times as the service writes them: durations, and ISO 8601 dates. A text that cannot be read gives nil and the
-- reason, never a wrong number.

local core = require "cekura.core"
local show = require "cekura.show"

local times = {}

local MINUTE, HOUR, DAY = 60, 3600, 86400

local function unreadable(what, text)
  return nil, show.format("%q is not %s", text, what)
end

-- "5" of ".5" or "" as a number. By digits: tonumber() may expect another decimal point, by the locale.
local function fraction(digits)
  digits = digits:sub(1, 15)
  return digits == "" and 0 or tonumber(digits) / 10 ^ #digits
end

-- A longer text is not read as a number.
local LONGEST_NUMBER = 40

--- A number, from a number or its JSON text, independently of the locale; nil for anything else.
---@param value any
---@return number?
function times.number(value)
  if type(value) == "string" and #value <= LONGEST_NUMBER then
    value = core.decode(value)
  end
  return type(value) == "number" and value == value and value or nil
end

--- A duration: "M:SS", "MM:SS" or "HH:MM:SS", with a fraction or without. "SS" alone is not one.
---@param text any
---@return number? seconds, string? reason
function times.duration(text)
  if type(text) ~= "string" or #text > 30 then
    return unreadable("a duration", text)
  end
  local hours, minutes, seconds, rest = text:match "^(%d+):(%d%d):(%d%d)(.*)$"
  if not hours then
    hours = 0
    minutes, seconds, rest = text:match "^(%d+):(%d%d)(.*)$"
  elseif tonumber(minutes) >= 60 then
    return unreadable("a duration", text)
  end
  local part = rest and (rest == "" and rest or rest:match "^%.(%d+)$")
  if not part or tonumber(seconds) >= 60 or #tostring(hours) > 6 or #minutes > 6 then
    return unreadable("a duration", text)
  end
  local whole = tonumber(hours) * HOUR + tonumber(minutes) * MINUTE + tonumber(seconds)
  return part == "" and whole or whole + fraction(part)
end

-- Days from 1970-01-01 to a date of the Gregorian calendar. A year is counted from March, so that the leap day is its
-- last day.
local function days_from_date(year, month, day)
  if month <= 2 then
    year = year - 1
  end
  local day_of_year = math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1
  return year * 365 + math.floor(year / 4) - math.floor(year / 100) + math.floor(year / 400) + day_of_year - 719468
end

local MONTH_DAYS = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }

local function days_of_month(year, month)
  local leap = year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0)
  return month == 2 and leap and 29 or MONTH_DAYS[month] or 0
end

-- Seconds east of UTC; a time that names no zone is in UTC.
local function zone_offset(zone)
  if zone == "" or zone == "Z" or zone == "z" then
    return 0
  end
  local sign, hours, minutes = zone:match "^([+-])(%d%d):?(%d%d)$"
  if not sign then
    sign, hours = zone:match "^([+-])(%d%d)$"
    minutes = 0
  end
  hours, minutes = tonumber(hours), tonumber(minutes)
  if not hours or hours > 23 or minutes > 59 then
    return nil
  end
  return (sign == "-" and -1 or 1) * (hours * HOUR + minutes * MINUTE)
end

--- A date with its time of day (ISO 8601, as in RFC 3339; the offset may be missing: UTC). A leap second, 23:59:60 in
--- UTC, is the first second of the next day.
---@param text any
---@return number? seconds since the epoch
---@return string? reason
function times.epoch(text)
  if type(text) ~= "string" or #text > 60 then
    return unreadable("a date and time", text)
  end
  local year, month, day, hour, minute, rest = text:match "^(%d%d%d%d)%-(%d%d)%-(%d%d)[Tt ](%d%d):(%d%d)(.*)$"
  if not year then
    return unreadable("a date and time", text)
  end
  local second, digits = 0, ""
  if rest:find "^:%d%d" then
    second, rest = rest:sub(2, 3), rest:sub(4)
    if rest:find "^[.,]%d" then
      digits, rest = rest:match "^[.,](%d+)(.*)$"
    end
  end
  year, month, day = tonumber(year), tonumber(month), tonumber(day)
  hour, minute, second = tonumber(hour), tonumber(minute), tonumber(second)
  local offset = zone_offset(rest)
  local is_date = day >= 1 and day <= days_of_month(year, month)
  if not is_date or hour > 23 or minute > 59 or second > 60 or not offset then
    return unreadable("a date and time", text)
  end
  local whole = days_from_date(year, month, day) * DAY + hour * HOUR + minute * MINUTE + second - offset
  if second == 60 and whole % DAY ~= 0 then
    return unreadable("a date and time", text)
  end
  return digits == "" and whole or whole + fraction(digits)
end

local MONTHS = { Jan = 1, Feb = 2, Mar = 3, Apr = 4, May = 5, Jun = 6, Jul = 7, Aug = 8, Sep = 9, Oct = 10, Nov = 11,
  Dec = 12 }

--- The date of an HTTP header, in the one form that may be sent (RFC 9110, 5.6.7): "Sun, 06 Nov 1994 08:49:37 GMT".
---@param text any
---@return number? seconds since the epoch
---@return string? reason
function times.http_date(text)
  local day, month, year, hour, minute, second
  if type(text) == "string" and #text == 29 then
    day, month, year, hour, minute, second = text:match "^%a%a%a, (%d%d) (%a%a%a) (%d%d%d%d) (%d%d):(%d%d):(%d%d) GMT$"
  end
  month = MONTHS[month or ""]
  day, year, hour, minute, second = tonumber(day), tonumber(year), tonumber(hour), tonumber(minute), tonumber(second)
  if not month or day < 1 or day > days_of_month(year, month) or hour > 23 or minute > 59 or second > 60 then
    return unreadable("an HTTP date", text)
  end
  return days_from_date(year, month, day) * DAY + hour * HOUR + minute * MINUTE + second
end

--- The ISO 8601 text of a time, in UTC, to the microsecond; without a fraction where it is zero.
---@param seconds number since the epoch, from year 1 to 9999
---@return string? text, string? reason
function times.text(seconds)
  if type(seconds) ~= "number" or seconds ~= seconds or seconds < -62135596800 or seconds >= 253402300800 then
    return unreadable("a time", seconds)
  end
  local micro = math.floor(seconds % 1 * 1e6 + 0.5)
  local whole = math.floor(seconds)
  if micro == 1000000 then
    whole, micro = whole + 1, 0
  end
  local days, rest = math.floor(whole / DAY), whole % DAY
  -- The year of the day: an estimate by the mean length of a year, then corrected.
  local year = 1970 + math.floor(days / 365.2425)
  if days < days_from_date(year, 1, 1) then
    year = year - 1
  elseif days >= days_from_date(year + 1, 1, 1) then
    year = year + 1
  end
  local month = 12
  while days < days_from_date(year, month, 1) do
    month = month - 1
  end
  local text = ("%04d-%02d-%02dT%02d:%02d:%02d"):format(year, month, days - days_from_date(year, month, 1) + 1,
    math.floor(rest / HOUR), math.floor(rest % HOUR / MINUTE), rest % MINUTE)
  return (micro > 0 and ("%s.%06d"):format(text, micro) or text) .. "Z"
end

return times

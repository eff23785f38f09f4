-- Times in the service's notations: durations, and dates with a time of day. They are read correctly or refused.

local cekura = require "cekura"
local core = require "cekura.core"
local encode = require "cekura.http.encode"
local times = require "cekura.records.times"
local in_decimal_comma = require "spec.support.decimal_comma"

-- Whether this Lua has 64-bit integers.
local INTEGERS = math.type ~= nil

-- A record with the value as `duration` and as `timestamp`. A string becomes a JSON string; { json } is inserted.
local function record(value)
  local json = type(value) == "table" and value[1] or encode({ value }, "value"):sub(2, -2)
  return assert(cekura.call_log(('{"id":1,"duration":%s,"timestamp":%s}'):format(json, json)))
end

local function seconds(text)
  local found, err = record(text):seconds()
  assert.is_nil(err)
  return found
end

local function epoch(text)
  local found, err = record(text):time "timestamp"
  assert.is_nil(err)
  return found
end

local function assert_refused(field, found, err, ...)
  assert.is_nil(found)
  assert.equal("protocol", err.kind)
  assert.truthy(err.message:find(field, 1, true))
  assert.is_nil(tostring(err):find("%c"))
  assert.equal(0, select("#", ...))
end

-- Pseudo-random numbers from 0 to 1, the same on every Lua.
local function generator(seed)
  return function()
    seed = seed * 16807 % 2147483647
    return seed / 2147483647
  end
end

-- ---- durations ----

describe("a duration", function()
  it("is read in seconds from MM:SS, M:SS and HH:MM:SS", function()
    for text, wanted in pairs {
      ["01:10"] = 70, ["1:10"] = 70, ["0:00"] = 0, ["00:00"] = 0, ["0:07"] = 7, ["00:59"] = 59, ["08:09"] = 489,
      ["59:59"] = 3599, ["60:00"] = 3600, ["75:30"] = 4530, ["123:45"] = 7425, ["01:02:03"] = 3723,
      ["1:02:03"] = 3723, ["00:00:00"] = 0, ["00:01:10"] = 70, ["10:00:00"] = 36000, ["23:59:59"] = 86399,
      ["25:00:00"] = 90000, ["100:00:01"] = 360001,
    } do
      local found = seconds(text)
      assert.equal(wanted, found, text)
      assert.equal(tostring(wanted), tostring(found), text) -- an integer, if this Lua has them
    end
    assert.equal(70.5, seconds "01:10.5")
    assert.equal(3723.25, seconds "1:02:03.250")
  end)

  it("reads back unchanged for every second of a day", function()
    for wanted = 0, 86399, 7 do
      local whole, rest = math.floor(wanted / 60), wanted % 60
      assert.equal(wanted, times.duration(("%02d:%02d"):format(whole, rest)))
      assert.equal(wanted, times.duration(("%d:%02d:%02d"):format(math.floor(whole / 60), whole % 60, rest)))
    end
  end)

  it("that cannot be read is nil, with a reason", function()
    for _, text in ipairs {
      "", " ", ":", "::", "70s", "070", "-70", "0x46", "70,5", "7e999",
      "1:5", "01:5", "01:60", "01:75", "01:99", "-01:10", "+01:10", "01:-10",
      "1:60:00", "1:99:00", "1:2:03", "1:02:3", "1:02:60", "1:02:03:04", ":10", "01:", "01:10:", ":01:10", "01:1x",
      "xx:10", "01:10x", "01:10.", "01:10.5x", "01:10.5.5", "01:10,", "01:10.-5",
      "01:10 minutes", "1e3:00", "0x1:00", "01;10", "01.10", "nan", "inf:00", "PT1M10S", "{}", "null", "01:10\0", "\0",
      "99999999999999999999:00", "99999999999999999999:00:00", ("9"):rep(400) .. ":00", ("0"):rep(5000000),
      "01\n:10", "２:10", "\"", "01:10\n01:10",
    } do
      assert_refused("duration", record(text):seconds())
    end
  end)

  it("that is a number, or a string of one, is in seconds", function()
    for json, wanted in pairs { ["70"] = 70, ["1.5"] = 1.5, ["0"] = 0, ['"70"'] = 70, ['"70.25"'] = 70.25,
      ['" 7 "'] = 7, ['"1e2"'] = 100 } do
      local call = cekura.assert(cekura.call_log(('{"duration":%s}'):format(json)))
      assert.equal(wanted, call:seconds())
      assert.equal(core.decode(json), call.duration) -- the field itself is unchanged
    end
  end)

  it("that is long is quoted up to a whole character, so the error is valid UTF-8", function()
    for length = 29, 62 do
      local _, err = record(("x"):rep(length) .. ("ü"):rep(30)):seconds()
      assert.is_true(core.is_utf8(err.message))
      _, err = record(("x"):rep(length) .. ("日"):rep(30)):time "timestamp"
      assert.is_true(core.is_utf8(err.message))
    end
  end)

  it("of another type is nil, with a reason", function()
    for _, json in ipairs { "null", "-1", "99999999999999999999", "true", "[]", '["01:10"]', "{}" } do
      assert_refused("duration", record({ json }):seconds())
    end
    assert_refused("duration", cekura.call_log("{}"):seconds())
  end)
end)

-- ---- dates ----

describe("a date and time", function()
  it("is read in seconds since the epoch, in any zone", function()
    for text, wanted in pairs {
      ["1970-01-01T00:00:00Z"] = 0, ["1970-01-01T00:00:01Z"] = 1, ["1969-12-31T23:59:59Z"] = -1,
      ["2024-03-15T10:15:45Z"] = 1710497745, ["2001-09-09T01:46:40Z"] = 1000000000,
      ["2038-01-19T03:14:08Z"] = 2147483648,
      ["1901-12-13T20:45:51Z"] = -2147483649, ["2106-02-07T06:28:16Z"] = 4294967296,
      ["1900-01-01T00:00:00Z"] = -2208988800,
      ["2000-02-29T12:00:00Z"] = 951825600, ["2024-02-29T23:59:59Z"] = 1709251199,
      ["2024-03-01T00:00:00Z"] = 1709251200,
      ["2023-02-28T23:59:59Z"] = 1677628799, ["2100-03-01T00:00:00Z"] = 4107542400,
      ["9999-12-31T23:59:59Z"] = 253402300799, ["2016-12-31T23:59:60Z"] = 1483228800,
      ["2017-01-01T00:59:60+01:00"] = 1483228800,
      ["0001-01-01T00:00:00Z"] = -62135596800,
      -- offsets
      ["2024-03-15T10:15:45+00:00"] = 1710497745, ["2024-03-15T10:15:45-00:00"] = 1710497745,
      ["2024-03-15T11:15:45+01:00"] = 1710497745, ["2024-03-15T05:15:45-05:00"] = 1710497745,
      ["2024-03-15T15:45:45+05:30"] = 1710497745, ["2024-03-15T06:45:45-0330"] = 1710497745,
      ["2024-03-15T12:15:45+02"] = 1710497745, ["2024-03-16T00:15:45+14:00"] = 1710497745,
      ["2024-03-14T22:15:45-12:00"] = 1710497745, ["2024-01-01T00:30:00+01:00"] = 1704065400,
      ["2023-12-31T23:30:00-01:00"] = 1704069000, ["2024-03-01T00:30:00+01:00"] = 1709249400,
      -- no zone means UTC
      ["2024-03-15T10:15:45"] = 1710497745,
      -- lower case and a space are allowed by RFC 3339
      ["2024-03-15t10:15:45z"] = 1710497745, ["2024-03-15 10:15:45Z"] = 1710497745,
      ["2024-03-15 10:15:45+00:00"] = 1710497745,
    } do
      local found = epoch(text)
      assert.equal(wanted, found, text)
      assert.is_true(not INTEGERS or math.type(found) == "integer", text)
    end
  end)

  it("keeps its fraction", function()
    for text, wanted in pairs {
      ["2024-03-15T10:15:45.5Z"] = 1710497745.5, ["2024-03-15T10:15:45.25+00:00"] = 1710497745.25,
      ["2024-03-15T11:15:45.125+01:00"] = 1710497745.125, ["2024-03-15T10:15:45.000Z"] = 1710497745,
      ["2024-03-15T10:15:45.500000"] = 1710497745.5, ["2024-03-15T10:15:45.500000000z"] = 1710497745.5,
      ["1969-12-31T23:59:59.5Z"] = -0.5, ["1969-12-31T23:59:58.75Z"] = -1.25,
      ["2024-03-15T10:15:45." .. ("0"):rep(30) .. "Z"] = 1710497745,
    } do
      assert.equal(wanted, epoch(text), text)
    end
  end)

  it("keeps microseconds", function()
    assert.is_true(math.abs(epoch "2024-03-15T10:15:45.123456Z" - 1710497745.123456) < 1e-6)
    assert.is_true(epoch "2024-03-15T10:15:45.000001Z" > epoch "2024-03-15T10:15:45Z")
    assert.is_true(math.abs(epoch "1970-01-01T00:00:00.000001Z" - 1e-6) < 1e-12)
  end)

  it("is a day later for each day from 1890 to 2110", function()
    local lengths = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }
    local wanted = -2524521600 -- 1890-01-01
    for year = 1890, 2110 do
      lengths[2] = (year % 400 == 0 or year % 4 == 0 and year % 100 ~= 0) and 29 or 28
      for month = 1, 12 do
        for day = 1, lengths[month] do
          local found = times.epoch(("%04d-%02d-%02dT00:00:00Z"):format(year, month, day))
          if found ~= wanted then
            error(("%04d-%02d-%02d is %s"):format(year, month, day, tostring(found)))
          end
          wanted = wanted + 86400
        end
        for _, day in ipairs { 0, lengths[month] + 1, 32, 99 } do
          assert.is_nil((times.epoch(("%04d-%02d-%02dT00:00:00Z"):format(year, month, day))))
        end
      end
    end
  end)

  it("that does not exist on the calendar or clock is nil, with a reason", function()
    for _, text in ipairs {
      "2024-02-31T10:15:45Z", "2024-02-30T10:15:45Z", "2023-02-29T10:15:45Z", "1900-02-29T10:15:45Z",
      "2100-02-29T00:00:00Z", "2024-04-31T10:15:45Z", "2024-06-31T10:15:45Z", "2024-09-31T10:15:45Z",
      "2024-11-31T10:15:45Z", "2024-01-32T10:15:45Z", "2024-01-00T10:15:45Z", "2024-00-15T10:15:45Z",
      "2024-13-15T10:15:45Z", "2024-99-99T99:99:99Z", "2024-03-15T24:00:00Z", "2024-03-15T25:15:45Z",
      "2024-03-15T10:60:45Z", "2024-03-15T10:15:60Z", "2016-12-31T23:59:60+01:00", "2024-03-15T10:15:61Z",
      "2024-03-15T10:15:45+25:00", "2024-03-15T10:15:45+01:60", "2024-03-15T10:15:45-99:99",
    } do
      assert_refused("timestamp", record(text):time "timestamp")
    end
  end)

  it("in any other notation is nil, with a reason", function()
    for _, text in ipairs {
      "", " ", "now", "today-7d", "1710497745", "1710497745000", "15/03/2024 10:15", "03-15-2024T10:15:45Z",
      "2024-3-15T10:15:45Z", "24-03-15T10:15:45Z", "2024-03-15T1:15:45Z", "2024-03-15T10:15:5Z",
      "2024-03-15T10:15:45.Z",
      "2024-03-15T10:15:45+", "2024-03-15T10:15:45+1", "2024-03-15T10:15:45+1:00", "2024-03-15T10:15:45+001:00",
      "2024-03-15T10:15:45+01:0", "2024-03-15T10:15:45Z+01:00", "2024-03-15T10:15:45ZZ", "2024-03-15T10:15:45 UTC",
      "2024-03-15T10:15:45 PST", "2024-03-15T10:15:45Zjunk", "x2024-03-15T10:15:45Z", "2024-03-15T10:15:45Z\n",
      "2024-03-15T10:15:45Z\0", "2024-03-15T10:15:4５Z", "+2024-03-15T10:15:45Z", "-2024-03-15T10:15:45Z",
      "12024-03-15T10:15:45Z", "2024-03-15X10:15:45Z", "2024-03-15T10:-5:45Z", "2024-03-15T10:15:45.-5Z",
      "2024-03-15T10:15:45.1e3Z", "Fri, 15 Mar 2024 10:15:45 GMT", "null", "{}", ("2"):rep(5000000),
    } do
      assert_refused("timestamp", record(text):time "timestamp")
    end
  end)

  it("of another type is nil, with a reason", function()
    for _, json in ipairs {
      "null", "1710497745", "1710497745.5", "99999999999999999999", "true", "false", "[]", "{}",
      '["2024-03-15T10:15:45Z"]',
    } do
      assert_refused("timestamp", record({ json }):time "timestamp")
    end
    assert_refused("created_at", cekura.call_log("{}"):time "created_at")
  end)

  it("may be in any field", function()
    local call = cekura.call_log '{"created_at":"2024-03-15T10:15:45Z","booked for":"2024-03-16T10:15:45+02:00"}'
    assert.equal(1710497745, call:time "created_at")
    assert.equal(1710576945, call:time "booked for")
  end)
end)

-- ---- writing ----

describe("a written time", function()
  it("is in UTC, with microseconds if there is a fraction", function()
    for wanted, value in pairs {
      ["1970-01-01T00:00:00Z"] = 0, ["1969-12-31T23:59:59Z"] = -1, ["2024-03-15T10:15:45Z"] = 1710497745,
      ["2024-02-29T23:59:59Z"] = 1709251199, ["2023-12-31T23:59:59Z"] = 1704067199,
      ["0001-01-01T00:00:00Z"] = -62135596800,
      ["9999-12-31T23:59:59Z"] = 253402300799, ["2024-03-15T10:15:45.500000Z"] = 1710497745.5,
      ["1969-12-31T23:59:59.500000Z"] = -0.5, ["1970-01-01T00:00:00.000001Z"] = 1e-6,
      ["2024-03-15T10:15:46Z"] = 1710497745.9999998,
    } do
      assert.equal(wanted, times.text(value))
      assert.equal(wanted, times.text(value + 0.0)) -- a float as well
    end
  end)

  it("reads back unchanged from year 1 to 9999", function()
    local random = generator(11)
    for _ = 1, 5000 do
      local value = math.floor(-62135596800 + random() * (253402300800 + 62135596800))
      local text = times.text(value)
      assert.truthy(text:find "^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%dZ$")
      assert.equal(value, times.epoch(text))
    end
  end)

  it("reads back to the microsecond", function()
    local random = generator(13)
    for _ = 1, 5000 do
      local value = math.floor((random() - 0.5) * 2 ^ 33) + math.floor(random() * 64) / 64
      assert.equal(value, times.epoch(times.text(value)))
      value = random() * 2 ^ 31
      assert.is_true(math.abs(times.epoch(times.text(value)) - value) <= 1e-6)
    end
  end)

  it("carries correctly around the turn of every year", function()
    for year = 1, 9999, 3 do
      local new_year = times.epoch(("%04d-01-01T00:00:00Z"):format(year))
      assert.equal(("%04d-01-01T00:00:00Z"):format(year), times.text(new_year))
      if year > 1 then
        assert.equal(("%04d-12-31T23:59:59Z"):format(year - 1), times.text(new_year - 1))
      end
    end
  end)

  it("is refused if it is not a time", function()
    for _, value in ipairs { 0 / 0, math.huge, -math.huge, 253402300800, -62135596801, 1e300, "0", "now", {}, true } do
      local text, reason = times.text(value)
      assert.is_nil(text)
      assert.is_string(reason)
    end
    assert.is_nil((times.text(nil)))
  end)
end)

describe("the date of an HTTP header", function()
  it("is read in seconds since the epoch", function()
    assert.equal(784111777, times.http_date "Sun, 06 Nov 1994 08:49:37 GMT")
    assert.equal(0, times.http_date "Thu, 01 Jan 1970 00:00:00 GMT")
    assert.equal(951827696, times.http_date "Tue, 29 Feb 2000 12:34:56 GMT")
  end)

  it("is nil, with a reason, in another notation or for a day that does not exist", function()
    for _, text in ipairs { "", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
      "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 31 Nov 1994 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT",
      "Sun, 06 Noe 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:60:37 GMT", false, 7 } do
      local value, reason = times.http_date(text)
      assert.is_nil(value)
      assert.is_string(reason)
    end
    assert.is_nil((times.http_date(nil)))
  end)
end)

describe("a locale with a decimal comma", function()
  it("does not change how times are read or written", function()
    local found = in_decimal_comma(function()
      return times.epoch "2024-03-15T10:15:45.25Z", times.text(1710497745.5), times.duration "01:10",
        (record({ '"1:02:03"' }):seconds())
    end)
    if not found then
      pending("no locale with a decimal comma is installed")
    end
    assert.same({ 1710497745.25, "2024-03-15T10:15:45.500000Z", 70, 3723 }, found)
  end)
end)

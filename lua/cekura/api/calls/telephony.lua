--- cekura.call: the body of calls:send, from what telephony knows of a call: when it began, was answered and ended, its
-- legs, and what was said when. Mistakes raise at the caller's line.

local check = require "cekura.check"
local errors = require "cekura.errors"
local roles = require "cekura.records.roles"
local sent_call = require "cekura.api.calls.sent_call"
local show = require "cekura.show"
local times = require "cekura.records.times"
local turn = require "cekura.records.turn"

local telephony = {}

---@alias cekura.CallTime number|string seconds since the epoch, with a fraction or without, or ISO 8601 text

---@class cekura.TelephonyCall: cekura.Calls.SendParams
---@field started_at? cekura.CallTime when it began to ring; by default when its first leg did
---@field answered_at? cekura.CallTime which times of turns count from; nil, 0 and "": it was not answered
---@field ended_at? cekura.CallTime
---@field legs? cekura.TelephonyLeg[] which become metadata
---@field turns? (cekura.TelephonyTurn|cekura.Turn)[] also those of cekura.turns()
---@field roles? table<string, string|false> what other roles of the turns mean; turns of false are left out

---@class cekura.TelephonyLeg all other members are sent, too
---@field id? string
---@field role? string whose leg it is, for turns that name their leg
---@field started_at? cekura.CallTime
---@field answered_at? cekura.CallTime
---@field ended_at? cekura.CallTime
---@field [string] any

---@class cekura.TelephonyTurn
---@field role? string "Main Agent", "Testing Agent", "Function Call", "Function Call Result"; "agent", "caller", …
---@field leg? string the id of a leg, in place of the role
---@field content? string
---@field start_time? cekura.CallTime numbers below ten million count from the beginning of the call
---@field end_time? cekura.CallTime
---@field data? table of function calls

local OWN = { started_at = true, answered_at = true, ended_at = true, legs = true, turns = true, roles = true }

local KNOWN = {}
for _, names in ipairs { OWN, sent_call.names } do
  for name in pairs(names) do
    KNOWN[name] = true
  end
end

-- ---- times ----

-- Telephony often has whole seconds, so a turn may exceed the call by as much.
local SLACK = 1

local function read_time(place, value)
  local seconds = times.number(value) or times.epoch(value)
  if not seconds or seconds >= turn.MILLISECONDS then
    errors.misuse("%s: seconds since the epoch or ISO 8601 text expected, got %q%s", place, value,
      seconds and ", which is too late for seconds" or "")
  end
  return seconds
end

local function read_date(place, value)
  local seconds = read_time(place, value)
  if seconds < turn.LONGEST then
    errors.misuse("%s: seconds since the epoch expected, got %q", place, value)
  end
  return seconds
end

-- Variables of a call that was not answered may be 0 or empty.
local function is_unset(value)
  return value == nil or value == "" or value == 0 or value == "0"
end

---@class cekura.calls.Span the times of a call or a leg: seconds since the epoch
---@field started_at? number
---@field answered_at? number
---@field ended_at? number

local IN_ORDER = { "started_at", "answered_at", "ended_at" }

-- Raises if one of the times is before another one that it follows.
local function check_order(place, span)
  local latest
  for _, name in ipairs(IN_ORDER) do
    if span[name] then
      if latest and span[name] < span[latest] then
        errors.misuse("%s: %s is %.6g s before %s", place, name, span[latest] - span[name], latest)
      end
      latest = name
    end
  end
  return span
end

local function read_span(place, given)
  local span = {}
  for _, name in ipairs(IN_ORDER) do
    if not is_unset(given[name]) then
      span[name] = read_date(show.format("%s: %s", place, name), given[name])
    end
  end
  return check_order(place, span)
end

-- Adds the times to what is sent: as text, and how long was rung, talked, and all together.
local function describe(span, described)
  for _, name in ipairs(IN_ORDER) do
    described[name] = span[name] and times.text(span[name]) or nil
  end
  local function put(name, from, to)
    if from and to and described[name] == nil then
      described[name] = turn.rounded(to - from)
    end
  end
  put("ring_seconds", span.started_at, span.answered_at)
  put("talk_seconds", span.answered_at, span.ended_at)
  put("duration_seconds", span.started_at, span.ended_at)
  return described
end

-- ---- roles ----

local function read_role(place, role)
  local name = roles.name(role)
  return name or check.known(place, "role", role, roles.WORDS)
end

-- What the program says of roles: names, and false, by what the turns have.
local function read_roles(given)
  local read = {}
  for role, meant in pairs(given == nil and {} or check.table("call: roles", given)) do
    read[role] = meant and read_role(show.format("call: roles: %s", role), meant)
  end
  return read
end

-- ---- legs ----

local function copy(given)
  local copied = {}
  for name, value in pairs(given) do
    copied[name] = value
  end
  return copied
end

-- Extends the times of a call that the program did not give to those of a leg.
local function extend(span, leg, given)
  for name, choose in pairs { started_at = math.min, answered_at = math.min, ended_at = math.max } do
    if is_unset(given[name]) and leg[name] then
      span[name] = span[name] and choose(span[name], leg[name]) or leg[name]
    end
  end
end

-- Reads the legs: as they are sent, and the roles of those that have one, by their ids.
local function read_legs(given, span)
  local legs, roles_by_leg = {}, {}
  for place = 1, given.legs == nil and 0 or check.list("call: legs", given.legs) do
    local name = show.format("call: legs[%d]", place)
    local leg = copy(check.table(name, given.legs[place]))
    local times_of_leg = read_span(name, leg)
    extend(span, times_of_leg, given)
    if leg.role ~= nil and leg.id ~= nil then
      roles_by_leg[leg.id] = read_role(name .. ": role", leg.role)
    end
    legs[place] = describe(times_of_leg, leg)
  end
  return legs, roles_by_leg
end

-- ---- turns ----

local TURN = { role = true, leg = true, content = true, start_time = true, end_time = true, data = true }

-- The role of a turn as the service calls it; false: the turn is left out.
local function role_of_turn(call, place, given)
  if given.role == nil and given.leg ~= nil then
    return call.roles_by_leg[given.leg]
      or errors.misuse("%s: leg: no leg that has a role has the id %q", place, given.leg)
  elseif given.role == nil then
    errors.misuse("%s: role is missing", place)
  end
  local meant = call.roles[given.role]
  if meant ~= nil then
    return meant
  end
  return read_role(place .. ": role", given.role)
end

-- The time of a turn, from the beginning of the call.
local function time_of_turn(call, place, value)
  if value == nil then
    return nil
  end
  local seconds = read_time(place, value)
  if seconds >= turn.LONGEST then
    seconds = seconds - call.origin
  end
  if seconds < -SLACK then
    errors.misuse("%s is %.6g s before the call %s", place, -seconds,
      call.span.answered_at and "was answered" or "began")
  elseif call.length and seconds > call.length + SLACK then
    errors.misuse("%s is %.6g s after the end of the call", place, seconds - call.length)
  end
  return turn.rounded(math.max(seconds, 0))
end

local function read_turn(call, place, given)
  for name in pairs(turn.is(given) and {} or check.table(place, given)) do
    check.known(place, "member", name, TURN)
  end
  local role = role_of_turn(call, place, given)
  if not role then
    return nil
  end
  local read = { role = role, content = given.content, data = given.data,
    start_time = time_of_turn(call, place .. ": start_time", given.start_time),
    end_time = time_of_turn(call, place .. ": end_time", given.end_time) }
  if read.start_time and read.end_time and read.end_time < read.start_time then
    errors.misuse("%s: end_time is %.6g s before start_time", place, read.start_time - read.end_time)
  elseif read.content ~= nil then
    check.text(place .. ": content", read.content)
  elseif role ~= roles.RESULT then
    read.content = ""
  end
  if read.data ~= nil then
    check.table(place .. ": data", read.data)
  end
  return read
end

-- Gives a start and an end to each turn that lacks one, since turns of the service have both. A turn begins where the
-- one before it ends. What is said lasts until the next turn, or the call's end; a function call takes no time.
local function complete(turns, length)
  local next_start = length
  for place = #turns, 1, -1 do
    local each = turns[place]
    each.until_time, next_start = next_start, each.start_time or next_start
  end
  local before = 0
  for _, each in ipairs(turns) do
    local is_tool = each.role == roles.CALL or each.role == roles.RESULT
    each.start_time = each.start_time or each.end_time and math.min(before, each.end_time) or before
    each.end_time = each.end_time or math.max(each.start_time, not is_tool and each.until_time or 0)
    before, each.until_time = math.max(before, each.end_time), nil
  end
  return turns
end

local function start_of(each)
  return each.start_time
end

local function read_turns(call, given)
  local turns = {}
  for place = 1, check.list("call: turns", given) do
    turns[#turns + 1] = read_turn(call, show.format("call: turns[%d]", place), given[place])
  end
  return complete(turn.sort(turns, start_of), call.length) -- each leg may have its own
end

-- ---- the body ----

-- The parameters that go to calls:send as they are.
local function parameters_of(given)
  local body = {}
  for name, value in pairs(check.table("call", given)) do
    check.known("call", "parameter", name, KNOWN, "; extra = { … } is sent unchecked")
    if not OWN[name] then
      body[name] = value
    end
  end
  for _, name in ipairs(given.turns ~= nil and { "transcript_json", "transcript_type" } or {}) do
    if body[name] ~= nil then
      errors.misuse("call: turns and %s exclude each other", name)
    end
  end
  return body
end

-- The metadata, to which the times and the legs are added. What the program gave has priority.
local function metadata_of(given, span, legs)
  local metadata = describe(span, { legs = legs[1] and legs or nil })
  for name, value in pairs(given == nil and {} or check.table("call: metadata", given)) do
    metadata[name] = value
  end
  return metadata
end

--- The body.
---@param given cekura.TelephonyCall
---@return cekura.Calls.SendParams
function telephony.body(given)
  local body = parameters_of(given)
  local span = read_span("call", given)
  local legs, roles_by_leg = read_legs(given, span)
  check_order("call", span)
  if not span.started_at then
    errors.misuse "call: started_at is missing"
  end
  local origin = span.answered_at or span.started_at
  local call = { span = span, origin = origin, length = span.ended_at and span.ended_at - origin,
    roles = read_roles(given.roles), roles_by_leg = roles_by_leg }
  local turns = given.turns ~= nil and read_turns(call, given.turns) or {}
  if turns[1] then
    body.transcript_type, body.transcript_json = "cekura", turns
  end
  if body.timestamp == nil then
    body.timestamp = times.text(origin)
  end
  body.metadata = metadata_of(body.metadata, span, legs)
  sent_call.read("call", body)
  return body
end

return telephony

--- Transcripts of providers from any JSON or text, by each provider's name and without one: turns whose times are
-- finite, which cekura.call takes or refuses in the documented way. Nothing else raises.

local cekura = require "cekura"
local core = require "cekura.core"
local encode = require "cekura.http.encode"
local provider = require "cekura.records.provider"
local promise = require "spec.fuzz.promise"

local CALL = { call_id = "c", agent = 1, started_at = 1789000000, ended_at = 1789000060 }

-- Asserts what is sent: each turn ends after it has begun.
local function check_sent(turns)
  local ok, body = pcall(function()
    CALL.turns = turns
    local body = cekura.call(CALL)
    return body
  end)
  if not ok then
    promise.holds(body:find "^spec/fuzz/targets/turns.lua:%d+: cekura: call: turns%[%d+%]: ", "raised: %s", body)
    return {}
  end
  for _, turn in ipairs(body.transcript_json or {}) do
    promise.finite(turn.start_time, "start_time")
    promise.finite(turn.end_time, "end_time")
    promise.holds(0 <= turn.start_time and turn.start_time <= turn.end_time, "%g is before %g", turn.start_time,
      turn.end_time)
  end
  return body
end

local function check(value, name)
  local turns = cekura.turns(value, name)
  for _, turn in ipairs(turns) do
    promise.holds(next(turn) ~= nil, "a turn is not empty")
    for _, member in ipairs { "start_time", "end_time" } do
      if type(turn[member]) == "number" then
        promise.finite(turn[member], member)
      end
    end
  end
  return turns, check_sent(turns)
end

return function(text)
  local value = core.decode(text)
  for name in pairs(provider.names) do
    check(value ~= nil and value or text, name)
  end
  local turns, body = check(text)
  if core.is_utf8(text) then
    encode(body, "body")
  end
  if type(value) == "table" then
    local name = provider.recognize(value)
    promise.same(turns, cekura.turns(value, name or "cekura"), "turns of what is recognized")
  end
end

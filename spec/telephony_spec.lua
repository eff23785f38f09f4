--- cekura.call(): the body of calls:send, from what telephony knows of a call.

local cekura = require "cekura"
local simulator = require "spec.support.simulator"

local BEGAN = 1789000000 -- 2026-09-10T00:26:40Z

-- A call that rang for 2.5 s and ended after 62.5 s, with these parameters besides or instead. cekura.null takes one
-- away.
local function call_with(changes)
  local call = { call_id = "leg-1@proxy", agent = 2142, started_at = BEGAN, answered_at = BEGAN + 2.5,
    ended_at = BEGAN + 62.5 }
  for name, value in pairs(changes or {}) do
    call[name] = value
  end
  for name, value in pairs(call) do
    if value == cekura.null then
      call[name] = nil
    end
  end
  return call
end

-- The turns that are sent for these.
local function sent(turns, changes)
  local call = call_with(changes)
  call.turns = turns
  return cekura.call(call).transcript_json
end

local function turn(role, start_time, end_time, content)
  return { role = role, start_time = start_time, end_time = end_time, content = content or "" }
end

describe("cekura.call", function()
  it("has the times, the legs and the turns as calls:send takes them", function()
    local body = cekura.call(call_with {
      customer_number = "+15550100", call_ended_reason = "customer-ended-call", metadata = { queue = "bookings" },
      reconcile_with_cekura_transcript = false,
      legs = { { id = "a", from = "+15550100", started_at = BEGAN, ended_at = BEGAN + 62.5 },
        { id = "b", role = "agent", started_at = BEGAN + 0.5, answered_at = BEGAN + 2.5 } },
      turns = {
        { role = "agent", content = "Ferry office.", start_time = BEGAN + 3.1, end_time = BEGAN + 4.25 },
        { role = "caller", content = "The last boat?", start_time = BEGAN + 5.1, end_time = BEGAN + 6.4 },
        { role = "tool_call", start_time = BEGAN + 6.5, data = { id = "1", name = "timetable" } },
        { role = "tool_call_result", start_time = BEGAN + 7, data = { id = "1", result = "22:40" } },
      },
    })
    assert.same({
      call_id = "leg-1@proxy", agent = 2142, customer_number = "+15550100", call_ended_reason = "customer-ended-call",
      reconcile_with_cekura_transcript = false, timestamp = "2026-09-10T00:26:42.500000Z", transcript_type = "cekura",
      metadata = {
        queue = "bookings", started_at = "2026-09-10T00:26:40Z", answered_at = "2026-09-10T00:26:42.500000Z",
        ended_at = "2026-09-10T00:27:42.500000Z", ring_seconds = 2.5, talk_seconds = 60, duration_seconds = 62.5,
        legs = { { id = "a", from = "+15550100", started_at = "2026-09-10T00:26:40Z",
          ended_at = "2026-09-10T00:27:42.500000Z", duration_seconds = 62.5 },
          { id = "b", role = "agent", started_at = "2026-09-10T00:26:40.500000Z",
            answered_at = "2026-09-10T00:26:42.500000Z", ring_seconds = 2 } },
      },
      transcript_json = {
        turn("Main Agent", 0.6, 1.75, "Ferry office."), turn("Testing Agent", 2.6, 3.9, "The last boat?"),
        { role = "Function Call", content = "", start_time = 4, end_time = 4, data = { id = "1", name = "timetable" } },
        { role = "Function Call Result", start_time = 4.5, end_time = 4.5, data = { id = "1", result = "22:40" } },
      },
    }, body)
    assert.is_nil(getmetatable(body))
  end)

  for _, row in ipairs {
    { "from the beginning, if the call was not answered", { answered_at = 0, ended_at = BEGAN + 9 }, 3.1 },
    { "from the answer", {}, 0.6 },
    { "from text, numbers as text, and ISO 8601",
      { started_at = "2026-09-10T02:26:40+02:00", answered_at = "1789000002.5", ended_at = "1789000062" }, 0.6 },
    { "from the legs' times, if the call has none",
      { started_at = cekura.null, answered_at = cekura.null, ended_at = cekura.null, legs = {
        { started_at = BEGAN + 1, ended_at = BEGAN + 30 },
        { started_at = BEGAN, answered_at = BEGAN + 2, ended_at = BEGAN + 20 } } }, 1.1 },
    { "of a call that goes on", { ended_at = cekura.null }, 0.6 },
  } do
    it("counts turns " .. row[1], function()
      local turns = sent({ { role = "agent", start_time = BEGAN + 3.1, end_time = BEGAN + 4 } }, row[2])
      assert.equal(row[3], turns[1].start_time)
    end)
  end

  it("says nothing of talking where nobody answered", function()
    for _, unset in ipairs { 0, "0", "", cekura.null } do
      local body = cekura.call(call_with { answered_at = unset, ended_at = BEGAN + 20 })
      assert.same({ started_at = "2026-09-10T00:26:40Z", ended_at = "2026-09-10T00:27:00Z", duration_seconds = 20 },
        body.metadata)
      assert.equal("2026-09-10T00:26:40Z", body.timestamp)
      assert.is_nil(body.transcript_json)
    end
  end)

  for _, row in ipairs {
    { "a turn without an end lasts until the next one begins, and the last one until the call ends",
      { turn("agent", 1), turn("user", 4), turn("agent", 9.5) }, { 1, 4, 4, 9.5, 9.5, 60 } },
    { "a turn without a start begins where the one before it ends",
      { turn("agent", 1, 3), turn("user", nil, 5), turn("agent") }, { 1, 3, 3, 5, 5, 60 } },
    { "function calls take no time", { turn("agent", 1), turn("tool_call"), turn("tool", 4), turn("agent", 6, 7) },
      { 1, 4, 4, 4, 4, 4, 6, 7 } },
    { "turns may overlap", { turn("agent", 1, 5), turn("user", 2, 3), turn("agent") }, { 1, 5, 2, 3, 5, 60 } },
    { "turns of one leg after those of another are sent in their order",
      { turn("agent", 1, 3), turn("agent", 6, 7), turn("user", 4), turn("user", 8, 9) }, { 1, 3, 4, 6, 6, 7, 8, 9 } },
    { "turns without times", { turn("agent"), turn("user") }, { 0, 60, 60, 60 } },
    { "an end before what is known of the beginning", { turn("agent", 1, 5), turn("user", nil, 4) }, { 1, 5, 4, 4 } },
    { "a second of inaccuracy, as whole seconds have it",
      { turn("agent", BEGAN + 2, BEGAN + 5), turn("user", 59, 60.9) }, { 0, 2.5, 59, 60.9 } },
  } do
    it("gives each turn its times: " .. row[1], function()
      local found = {}
      for _, each in ipairs(sent(row[2])) do
        found[#found + 1], found[#found + 2] = each.start_time, each.end_time
      end
      assert.same(row[3], found)
    end)
  end

  it("leaves what it was given as it is", function()
    local given = call_with { metadata = { a = 1 }, legs = { { id = "a", started_at = BEGAN } },
      turns = { { role = "agent", start_time = BEGAN + 3 } } }
    cekura.call(given)
    assert.same(call_with { metadata = { a = 1 }, legs = { { id = "a", started_at = BEGAN } },
      turns = { { role = "agent", start_time = BEGAN + 3 } } }, given)
  end)

  it("takes the roles that the program has for others, and of legs, and leaves out turns", function()
    local turns = sent({ turn("ivr", 1, 2), turn("transfer_target", 3, 4),
      { leg = "b", content = "x", start_time = 5, end_time = 6 } },
      { roles = { ivr = false, transfer_target = "agent" }, legs = { { id = "b", role = "caller" } } })
    assert.same({ turn("Main Agent", 3, 4), turn("Testing Agent", 5, 6, "x") }, turns)
  end)

  it("has priority for metadata and a timestamp that the program gives", function()
    local body = cekura.call(call_with { metadata = { talk_seconds = 1 }, timestamp = BEGAN })
    assert.equal(1, body.metadata.talk_seconds)
    assert.equal(BEGAN, body.timestamp)
  end)

  local AGENT = { turn("agent", 1, 2) }

  for _, row in ipairs {
    { "call: table expected, got nothing", nil },
    { "call: there is no parameter start_at (did you mean started_at?)", { start_at = 5 } },
    { "call: there is no parameter agent_id (did you mean agent?)", { agent_id = 5 } },
    { "call: call_id is missing", { call_id = cekura.null } },
    { "call: agent or assistant_id is missing", { agent = cekura.null } },
    { "call: started_at is missing", { started_at = cekura.null } },
    { "call: started_at: seconds since the epoch expected, got 12", { started_at = 12 } },
    { "call: started_at: seconds since the epoch or ISO 8601 text expected, got 1789000000123, which is too late for "
      .. "seconds", { started_at = 1789000000123 } },
    { "call: ended_at: seconds since the epoch or ISO 8601 text expected, got \"noon\"", { ended_at = "noon" } },
    { "call: answered_at: seconds since the epoch or ISO 8601 text expected, got table", { answered_at = {} } },
    { "call: answered_at is 3 s before started_at", { answered_at = BEGAN - 3 } },
    { "call: ended_at is 1.5 s before answered_at", { ended_at = BEGAN + 1 } },
    { "call: ended_at is 2 s before started_at", { answered_at = 0, ended_at = BEGAN - 2 } },
    { "call: legs: table expected, got string", { legs = "a" } },
    { "call: legs[2]: table expected, got number", { legs = { {}, 5 } } },
    { "call: legs[1]: ended_at is 1 s before started_at", { legs = { { started_at = BEGAN, ended_at = BEGAN - 1 } } } },
    { "call: legs[1]: role: there is no role calee (did you mean caller?)",
      { legs = { { id = "a", role = "calee" } } } },
    { "call: turns: a list expected, got a table with the key role", { turns = { role = "agent" } } },
    { "call: turns[2]: table expected, got string", { turns = { AGENT[1], "x" } } },
    { "call: turns[1]: there is no member contents (did you mean content?)",
      { turns = { { role = "agent", contents = "x" } } } },
    { "call: turns[1]: role is missing", { turns = { {} } } },
    { "call: turns[1]: role: there is no role costumer (did you mean customer?)", { turns = { turn "costumer" } } },
    { "call: turns[1]: role: there is no role Night Porter (did you mean ",
      { turns = cekura.turns '[{"role":"Night Porter","content":"a"}]' } },
    { "call: turns[1]: leg: no leg that has a role has the id \"b\"",
      { turns = { { leg = "b" } }, legs = { { id = "b" } } } },
    { "call: turns[1]: content: string expected, got table", { turns = { { role = "agent", content = {} } } } },
    { "call: turns[1]: data: table expected, got string", { turns = { { role = "tool", data = "x" } } } },
    { "call: turns[1]: end_time is 1 s before start_time", { turns = { turn("agent", 3, 2) } } },
    { "call: turns[1]: start_time is 1.5 s before the call was answered", { turns = { turn("agent", BEGAN + 1) } } },
    { "call: turns[1]: start_time is 10 s before the call began",
      { answered_at = 0, turns = { turn("agent", BEGAN - 10) } } },
    { "call: turns[2]: end_time is 4.5 s after the end of the call", { turns = { AGENT[1], turn("user", 59, 64.5) } } },
    { "call: turns[1]: start_time: seconds since the epoch or ISO 8601 text expected, got \"soon\"",
      { turns = { turn("agent", "soon") } } },
    { "call: roles: a: there is no role agnet (did you mean agent?)", { roles = { a = "agnet" } } },
    { "call: turns and transcript_json exclude each other", { turns = AGENT, transcript_json = {} } },
    { "call: metadata: table expected, got string", { metadata = "x" } },
    { "call: metric_ids: ", { metric_ids = {} } },
  } do
    it("raises at the caller's line: " .. row[1], function()
      local ok, message = pcall(function()
        local body = cekura.call(row[2] and call_with(row[2]))
        return body
      end)
      assert.is_false(ok)
      assert.truthy(message:find "^spec/telephony_spec.lua:%d+: cekura: ", message)
      assert.truthy(message:find(row[1], 1, true), message)
    end)
  end

  describe("to the service:", function()
    local server = simulator.during(setup, teardown)

    it("the document allows what is sent, and the record has the turns, whole and in a form", function()
      local client = server:renew_client()
      server:reset()
      for place, recording in ipairs { false, { data = "RIFF", name = "call.wav" } } do
        local body = cekura.call(call_with { call_id = "t-" .. place, voice_recording = recording or nil,
          legs = { { id = "a", from = "+15550100" } }, turns = {
            { role = "agent", content = "Ferry office.", start_time = BEGAN + 3.1, end_time = BEGAN + 4.25 },
            { role = "caller", content = "The last boat?", start_time = BEGAN + 5.1 } } })
        local call = cekura.assert(client.calls:get(cekura.assert(client.calls:send(body)).id))
        local turns = {}
        for each in call:turns() do
          turns[#turns + 1] = turn(each.role, each.start_time, each.end_time, each.content)
        end
        assert.same({ turn("Main Agent", 0.6, 1.75, "Ferry office."),
          turn("Testing Agent", 2.6, 60, "The last boat?") }, turns)
        assert.equal(BEGAN + 2, math.floor(call:time "timestamp"))
        assert.equal(60, call.metadata.talk_seconds)
        assert.equal("+15550100", call.metadata.legs[1].from)
      end
      assert.is_nil(next(server:admin("GET", "memory/").faults or {}))
    end)
  end)
end)

--- cekura.turns(): transcripts of providers as turns, and the same in a field of a call log.

local cekura = require "cekura"
local core = require "cekura.core"
local simulator = require "spec.support.simulator"

-- The documented fields of turns.
local function documented(turns)
  local found = {}
  for place, turn in ipairs(turns) do
    found[place] = { role = turn.role, content = turn.content, start_time = turn.start_time, end_time = turn.end_time,
      data = turn.data }
  end
  return found
end

local function agent(start_time, end_time, content)
  return { role = "Main Agent", content = content, start_time = start_time, end_time = end_time }
end

local function caller(start_time, end_time, content)
  return { role = "Testing Agent", content = content, start_time = start_time, end_time = end_time }
end

local function tool(start_time, role, data, content)
  return { role = role, data = data, start_time = start_time, content = content }
end

local function speaker(role, start_time, end_time, content)
  return { role = role, content = content, start_time = start_time, end_time = end_time }
end

-- A transcript of each provider: its name, JSON, its turns, and whether it is recognized without the name.
local PROVIDERS = {
  { "vapi", [[[
      {"role":"system","message":"You are the ferry office.","time":1789000000000,"secondsFromStart":0},
      {"role":"bot","message":"Ferry office, hello.","time":1789000001250,"endTime":1789000003000,
       "secondsFromStart":1.25,"duration":1500.5,"source":""},
      {"role":"user","message":"When is the last boat?","time":1789000004000.5,"secondsFromStart":4.1,"duration":1900},
      {"role":"tool_calls","message":"","time":1789000006338,"secondsFromStart":6.3,
       "toolCalls":[{"id":"c1","type":"function","function":{"name":"timetable","arguments":"{\"day\":2}"}},
                    {"id":"c2","type":"function","function":{"name":"weather","arguments":{"port":"Bol"}}}]},
      {"role":"tool_call_result","time":1789000007057,"secondsFromStart":7.05,"name":"timetable","result":"22:40",
       "toolCallId":"c1"}]
    ]],
    { agent(1.25, 3, "Ferry office, hello."), caller(4.1, 6, "When is the last boat?"),
      tool(6.3, "Function Call", { id = "c1", name = "timetable", arguments = '{"day":2}' }),
      tool(6.3, "Function Call", { id = "c2", name = "weather", arguments = { port = "Bol" } }),
      tool(7.05, "Function Call Result", { id = "c1", name = "timetable", result = "22:40" }) }, true },
  { "retell", [[[
      {"role":"agent","content":"Ferry office.","words":[{"word":"Ferry ","start":0.5,"end":0.9},
        {"word":"office.","start":0.9,"end":1.4}]},
      {"role":"user","content":"The last boat?","words":[{"word":"The "},{"word":"last ","start":2.1,"end":2.4},
        {"word":"boat?","start":2.4,"end":2.75},{"word":""}]},
      {"role":"tool_call_invocation","tool_call_id":"t7","name":"timetable","arguments":"{}"},
      {"role":"tool_call_result","tool_call_id":"t7","content":"22:40"},
      {"role":"transfer_target","content":"Night desk.","words":[]}]
    ]],
    { agent(0.5, 1.4, "Ferry office."), caller(2.1, 2.75, "The last boat?"),
      tool(nil, "Function Call", { id = "t7", name = "timetable", arguments = "{}" }),
      tool(nil, "Function Call Result", { id = "t7", name = "timetable", result = "22:40" }, "22:40"),
      speaker("transfer_target", nil, nil, "Night desk.") }, true },
  { "elevenlabs", [[[
      {"role":"agent","message":"Ferry office.","tool_calls":[],"tool_results":[],"time_in_call_secs":0},
      {"role":"user","message":"The last boat?","tool_calls":[],"tool_results":[],"time_in_call_secs":3},
      {"role":"agent","message":"One moment.","tool_calls":[{"type":"client","request_id":"r1",
       "tool_name":"timetable","params_as_json":"{\"day\":2}"}],"tool_results":[],"time_in_call_secs":6},
      {"role":"agent","message":null,"tool_calls":[],"tool_results":[{"request_id":"r1","tool_name":"timetable",
       "result_value":"22:40","is_error":false}],"time_in_call_secs":7}]
    ]],
    { agent(0, nil, "Ferry office."), caller(3, nil, "The last boat?"), agent(6, nil, "One moment."),
      tool(6, "Function Call", { id = "r1", name = "timetable", arguments = '{"day":2}' }),
      tool(7, "Function Call Result", { id = "r1", name = "timetable", result = "22:40" }) }, true },
  { "deepgram", [[[
      {"word":"ferry","punctuated_word":"Ferry","start":0.08,"end":0.4,"speaker":0},
      {"word":"office","punctuated_word":"office.","start":0.4,"end":0.9,"speaker":0},
      {"word":"the","start":1.2,"end":1.3,"speaker":1},
      {"word":"boat","punctuated_word":"boat?","start":1.4,"end":1.8,"speaker":1},
      {"word":"please","start":2.6,"end":2.9,"speaker":1}]
    ]],
    { speaker("speaker 0", 0.08, 0.9, "Ferry office."), speaker("speaker 1", 1.2, 1.8, "the boat?"),
      speaker("speaker 1", 2.6, 2.9, "please") }, true },
  { "livekit", [[[
      {"role":"user","content":"The last boat?","timestamp":0.5},
      {"role":"assistant","content":"At 22:40.","timestamp":3}]
    ]],
    { caller(0.5, nil, "The last boat?"), agent(3, nil, "At 22:40.") }, true },
  { "bland", [[[
      {"id":1,"created_at":"2026-09-10T02:26:40.250000+02:00","text":"Ferry office.","user":"assistant","c_id":"c"},
      {"id":2,"created_at":"2026-09-10T00:26:43+00:00","text":"The last boat?","user":"user","c_id":"c"},
      {"id":3,"created_at":"2026-09-10T00:26:44+00:00","text":"Pressed 1","user":"agent-action","c_id":"c"},
      {"id":4,"created_at":"2026-09-10T00:26:45+00:00","text":"Goodbye.","user":"robot","c_id":"c"}]
    ]],
    { agent(1789000000.25, nil, "Ferry office."), caller(1789000003, nil, "The last boat?"),
      tool(1789000004, "Function Call", nil, "Pressed 1"), agent(1789000005, nil, "Goodbye.") }, true },
  { "pipecat", [[[
      {"role":"assistant","content":"Ferry office.","timestamp":"2026-09-10T00:26:40.250+00:00"},
      {"role":"user","content":"The last boat?","timestamp":"2026-09-10T00:26:43Z","user_id":"u1"}]
    ]],
    { agent(1789000000.25, nil, "Ferry office."), caller(1789000003, nil, "The last boat?") }, true },
}

-- The list of each provider in the larger objects that it comes in.
local OBJECTS = {
  vapi = { '{"message":{"type":"end-of-call-report","artifact":{"messages":%s}}}', '{"artifact":{"messages":%s}}',
    '{"id":"c","messages":%s}' },
  retell = { '{"event":"call_ended","call":{"transcript":"Agent: …","transcript_object":%s}}',
    '{"transcript_with_tool_calls":%s}', '{"transcript_object":%s}' },
  elevenlabs = { '{"type":"post_call_transcription","data":{"transcript":%s}}', '{"transcript":%s}' },
  deepgram = { '{"results":{"channels":[{"alternatives":[{"transcript":"…","words":%s}]}]}}' },
  livekit = { '{"items":%s}', '{"history":{"items":%s}}', '{"chat_history":{"items":%s}}' },
  bland = { '{"call_id":"c","completed":true,"transcripts":%s}' },
  pipecat = { '{"messages":%s}', '{"transcript":%s}' },
}

local function insert(form, text)
  return (form:gsub("%%s", (text:gsub("%%", "%%%%"))))
end

-- The list by itself, and in the objects.
local function forms_of(name)
  local forms = { "%s" }
  for _, form in ipairs(OBJECTS[name]) do
    forms[#forms + 1] = form
  end
  return forms
end

describe("cekura.turns", function()
  for _, row in ipairs(PROVIDERS) do
    local name, json, wanted, is_recognized = row[1], row[2], row[3], row[4]

    it("reads JSON and tables of " .. name, function()
      assert.same(wanted, documented(cekura.turns(json, name)))
      assert.same(wanted, documented(cekura.turns(core.decode(json), name)))
    end)

    it("reads objects that contain a transcript of " .. name, function()
      for _, form in ipairs(OBJECTS[name]) do
        assert.same(wanted, documented(cekura.turns(insert(form, json), name)), form)
        assert.same(wanted, documented(cekura.turns(cekura.record(insert(form, json)), name)), form)
      end
    end)

    it((is_recognized and "recognizes " or "cannot recognize ") .. name, function()
      for _, form in ipairs(is_recognized and forms_of(name) or { "%s" }) do
        local found = documented(cekura.turns(insert(form, json)))
        assert.equal(is_recognized, pcall(assert.same, wanted, found), form)
      end
    end)

    it("reads a field of a call log that has a transcript of " .. name, function()
      local call = cekura.call_log(insert('{"user_generated_transcript":%s}', json))
      assert.same(wanted, documented(cekura.turns(call.user_generated_transcript, name)))
      local found = {}
      for turn in call:turns "user_generated_transcript" do
        found[#found + 1] = turn
      end
      assert.equal(is_recognized, pcall(assert.same, wanted, documented(found)))
    end)

    it("reads tables that lua-cjson decoded from " .. name, function()
      local decoded = require("cjson.safe").decode(json)
      local found = documented(cekura.turns(decoded, name))
      assert.same(wanted, found)
    end)
  end

  for _, row in ipairs {
    { "vapi", "milliseconds where there is no other time",
      '[{"role":"bot","message":"a","time":1789000001250,"endTime":1789000003000}]',
      { agent(1789000001.25, 1789000003, "a") } },
    { "vapi", "seconds, as the service's documents have them", '[{"role":"bot","message":"a","time":2.5}]',
      { agent(2.5, nil, "a") } },
    { "vapi", "ends before their beginnings: left out",
      '[{"role":"bot","message":"a","time":1789000003000,"endTime":1789000001000,"secondsFromStart":1}]',
      { agent(1, nil, "a") } },
    { "vapi", "interim results: left out",
      '[{"role":"user","transcriptType":"partial","message":"The la","secondsFromStart":1},'
        .. '{"role":"user","transcriptType":"final","message":"The last boat","secondsFromStart":1}]',
      { caller(1, nil, "The last boat") } },
    { "deepgram", "utterances",
      '{"results":{"channels":[{}],"utterances":['
        .. '{"start":0.5,"end":1.5,"channel":0,"transcript":"Ferry office.","words":[],"speaker":1},'
        .. '{"start":2,"end":2.5,"channel":0,"transcript":"Hello.","speaker":0}]}}',
      { speaker("speaker 1", 0.5, 1.5, "Ferry office."), speaker("speaker 0", 2, 2.5, "Hello.") } },
    { "deepgram", "utterances of channels, in the order of time",
      '[{"start":2,"end":2.5,"channel":0,"transcript":"Hello."},{"start":0.5,"end":1,"channel":1,"transcript":"Yes?"}]',
      { speaker("channel 1", 0.5, 1, "Yes?"), speaker("channel 0", 2, 2.5, "Hello.") } },
    { "deepgram", "channels, in the order of time",
      '{"results":{"channels":[{"alternatives":[{"transcript":"a c","words":[{"word":"a","start":1,"end":1.5},'
        .. '{"word":"c","start":4,"end":5}]}]},{"alternatives":[{"words":[{"word":"b","start":2,"end":3}]}]}]}}',
      { speaker("channel 0", 1, 1.5, "a"), speaker("channel 1", 2, 3, "b"), speaker("channel 0", 4, 5, "c") } },
    { "deepgram", "a live stream, whose interim results are left out",
      '[{"type":"Metadata"},{"type":"Results","channel_index":[1,2],"is_final":false,"start":0,"duration":1,'
        .. '"channel":{"alternatives":[{"transcript":"Fer","words":[{"word":"fer","start":0.2,"end":0.5}]}]}},'
        .. '{"type":"Results","channel_index":[1,2],"is_final":true,"start":0,"duration":1.5,'
        .. '"channel":{"alternatives":[{"transcript":"Ferry","words":[{"word":"ferry","start":0.2,"end":0.7}]}]}},'
        .. '{"type":"Results","channel_index":[0,2],"is_final":true,"start":2,"duration":1.5,'
        .. '"channel":{"alternatives":[{"transcript":"Hello.","words":[]}]}},'
        .. '{"type":"Results","is_final":true,"start":4,"duration":1,"channel":{"alternatives":[{"transcript":""}]}}]',
      { speaker("channel 1", 0.2, 0.7, "ferry"), speaker("channel 0", 2, 3.5, "Hello.") } },
    { "deepgram", "words of nobody", '[{"word":"a","start":1,"end":2}]', { speaker(nil, 1, 2, "a") } },
    { "livekit", "the history of a session",
      '{"items":[{"id":"i0","type":"message","role":"system","content":["Be brief."],"created_at":1789000000},'
        .. '{"id":"i1","type":"message","role":"assistant","content":["Ferry","office."],"created_at":1789000002,'
        .. '"metrics":{"started_speaking_at":1789000001.5,"stopped_speaking_at":1789000002.25}},'
        .. '{"id":"i2","type":"function_call","call_id":"f","name":"timetable","arguments":"{}",'
        .. '"created_at":1789000003},{"id":"i3","type":"agent_handoff","new_agent_id":"b"},'
        .. '{"id":"i4","type":"function_call_output","call_id":"f","name":"","output":"22:40","is_error":false}]}',
      { agent(1789000001.5, 1789000002.25, "Ferry\noffice."),
        tool(1789000003, "Function Call", { id = "f", name = "timetable", arguments = "{}" }),
        tool(nil, "Function Call Result", { id = "f", name = "timetable", result = "22:40" }) } },
    { "bland", "a text", "user: Hello? \n assistant: Ferry office.",
      { caller(nil, nil, "Hello?"), agent(nil, nil, "Ferry office.") } },
    { "bland", "the usual name of the role", '[{"role":"user","text":"Hello?"}]', { caller(nil, nil, "Hello?") } },
    { "vapi", "a text", "AI: Ferry office.\nUser: Hello?",
      { agent(nil, nil, "Ferry office."), caller(nil, nil, "Hello?") } },
    { "cekura", "the service's own format", '[{"role":"Main Agent","content":"a","start_time":1,"end_time":2}]',
      { agent(1, 2, "a") } },
    { "retell", "unknown roles, unreadable times and values of other types: unchanged",
      '[{"role":"Night Porter","content":{"a":1},"words":[{"word":"a","start":"soon","end":{}}],"start_time":"x"},'
        .. '{"role":7,"content":false,"words":"none"},{"content":"a","words":[5,null]}]',
      { { role = "Night Porter", content = { a = 1 }, start_time = "x" }, { role = 7, content = false },
        { content = "a" } } },
    { "vapi", "results without an id, or of an unknown call",
      '[{"role":"tool_call_result","result":"22:40","secondsFromStart":1},'
        .. '{"role":"tool_call_result","toolCallId":"x","result":"","secondsFromStart":2}]',
      { tool(1, "Function Call Result", { result = "22:40" }),
        tool(2, "Function Call Result", { id = "x", result = "" }) } },
    { "elevenlabs", "tool calls that are no objects: unchanged",
      '[{"role":"agent","tool_calls":["hang up",{"odd":1}],"tool_results":7,"time_in_call_secs":"0:07"}]',
      { tool(7, "Function Call", nil, "hang up"), tool(7, "Function Call") } },
  } do
    it(("reads %s: %s"):format(row[1], row[2]), function()
      assert.same(row[4], documented(cekura.turns(row[3], row[1])))
    end)
  end

  it("keeps all other members", function()
    local turn = cekura.turns(PROVIDERS[1][2], "vapi")[1]
    assert.same({ "Ferry office, hello.", 1500.5, 1.25 }, { turn.message, turn.duration, turn.secondsFromStart })
  end)

  it("takes a null of lua-cjson as no member", function()
    local items = { { role = "agent", content = cekura.null, words = cekura.null, interrupted = cekura.null } }
    assert.same({ { role = "Main Agent" } }, cekura.turns(items, "retell"))
    assert.same({ { role = "agent" } }, cekura.turns(items))
  end)

  it("leaves the value as it is", function()
    for _, row in ipairs(PROVIDERS) do
      local value, same = core.decode(row[2]), core.decode(row[2])
      for _, turn in ipairs(cekura.turns(value, row[1])) do
        turn.content = nil
      end
      assert.same(same, value)
    end
  end)

  it("recognizes nothing that could be of two providers, or of none", function()
    local mixed = '[{"role":"user","message":"a","time":1,"time_in_call_secs":2}]'
    assert.same({ { role = "user" } }, documented(cekura.turns(mixed)))
    local plain = '[{"role":"user","content":"a","timestamp":"00:15"}]'
    assert.same({ { role = "user", content = "a", start_time = 15 } }, documented(cekura.turns(plain)))
  end)

  it("has no turns in anything else", function()
    for _, value in ipairs { "", "{}", "[]", "[1,true,[],null]", '{"messages":5}', 7, false, {}, print } do
      for _, name in ipairs { "vapi", "deepgram", "cekura", false } do
        assert.same({}, cekura.turns(value, name or nil))
      end
    end
    assert.same({}, cekura.turns(nil))
  end)

  it("reads broken values of every provider without an error", function()
    local function breakage(value, depth)
      if type(value) ~= "table" or depth == 0 then
        return { 5, "x", {}, false, cekura.null, { {} } }
      end
      local broken = { {}, "x", { { {} } } }
      for name, part in pairs(value) do
        for _, other in ipairs(breakage(part, depth - 1)) do
          local copy = {}
          for each, kept in pairs(value) do
            copy[each] = kept
          end
          copy[name] = other
          broken[#broken + 1] = copy
        end
      end
      return broken
    end
    for _, row in ipairs(PROVIDERS) do
      for _, form in ipairs(forms_of(row[1])) do
        for _, broken in ipairs(breakage(core.decode(insert(form, row[2])), 4)) do
          assert.is_table(cekura.turns(broken, row[1]))
          assert.is_table(cekura.turns(broken))
        end
      end
    end
  end)

  it("raises for an unknown provider, at the caller's line", function()
    local ok, message = pcall(function()
      local turns = cekura.turns("[]", "vappi")
      return turns
    end)
    assert.is_false(ok)
    assert.truthy(message:find("^spec/turns_spec.lua:%d+: cekura: turns: there is no provider vappi "
      .. "%(did you mean vapi%?%)$"), message)
  end)
end)

describe("the turns of a provider that are sent", function()
  local server = simulator.during(setup, teardown)

  for _, row in ipairs(PROVIDERS) do
    it("are those of the record: " .. row[1], function()
      local client = server:renew_client()
      local turns = cekura.turns(row[2], row[1])
      local body = cekura.call { call_id = "sent-" .. row[1], agent = 2142, started_at = 1789000000,
        ended_at = 1789000060, turns = turns, roles = { transfer_target = "agent", ["speaker 0"] = "agent",
          ["speaker 1"] = "caller" } }
      local call = cekura.assert(client.calls:send(body))
      call = cekura.assert(client.calls:get(call.id))
      local found = {}
      for turn in call:turns() do
        found[#found + 1] = turn
      end
      assert.equal(#turns, #found)
      for place, turn in ipairs(turns) do
        assert.equal(turn.content or turn.role == "Function Call" and "" or nil, found[place].content)
        assert.same(turn.data, found[place].data)
        if turn.start_time then
          local start = turn.start_time >= 1e9 and turn.start_time - 1789000000 or turn.start_time
          assert.near(start, found[place].start_time, 1e-6)
        end
        assert.is_true(found[place].end_time >= found[place].start_time)
      end
    end)
  end
end)

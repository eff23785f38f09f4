-- The turns of a call, from each form of its transcript.

local cekura = require "cekura"
local core = require "cekura.core"
local encode = require "cekura.http.encode"

-- A string as JSON.
local function json_of(value)
  return encode({ value }, "value"):sub(2, -2)
end

-- The documented fields of each turn of a record.
local function turns_of(json, field)
  local found = {}
  for turn in cekura.assert(cekura.call_log(json)):turns(field) do
    found[#found + 1] = { role = turn.role, content = turn.content, start_time = turn.start_time,
      end_time = turn.end_time, data = turn.data }
  end
  return found
end

-- The documented fields of a turn.
local function turn(start_time, role, content, end_time)
  return { start_time = start_time, role = role, content = content, end_time = end_time }
end

describe("the structured transcript:", function()
  for _, row in ipairs {
    { "turns with times, and with a readable time", [[
        {"role":"Testing Agent","time":"0:00","content":"Hotel Seeblick?","end_time":1.75,"start_time":0.25},
        {"role":"Main Agent","time":"0:02","content":"Good evening.","end_time":4,"start_time":2}]],
      { turn(0.25, "Testing Agent", "Hotel Seeblick?", 1.75), turn(2, "Main Agent", "Good evening.", 4) } },
    { "a timestamp, as in the schema", '{"role":"Main Agent","content":"Yes.","timestamp":7.5}',
      { turn(7.5, "Main Agent", "Yes.") } },
    { "a timestamp of zero", '{"role":"Main Agent","content":"Yes.","timestamp":0}',
      { turn(0, "Main Agent", "Yes.") } },
    { "a timestamp that is a string", '{"role":"user","content":"Two nights.","timestamp":"00:15"}',
      { turn(15, "user", "Two nights.") } },
    { "only a readable time", '{"role":"user","content":"Two nights.","time":"1:02:03"}',
      { turn(3723, "user", "Two nights.") } },
    { "a start, which has priority over a timestamp and a time",
      '{"role":"user","content":"a","start_time":1.5,"timestamp":2,"time":"0:03"}', { turn(1.5, "user", "a") } },
    { "a start of zero, beside another time", '{"role":"user","content":"a","start_time":0,"timestamp":9}',
      { turn(0, "user", "a") } },
    { "no time", '{"role":"user","content":"Hm."}', { turn(nil, "user", "Hm.") } },
    { "a role and content of other types, unchanged",
      '{"role":5,"content":[5,true,[]],"start_time":1},{"role":{"a":1},"content":false,"start_time":2},{"content":[]}',
      { turn(1, 5, { 5, true, {} }), turn(2, { a = 1 }, false), turn(nil, nil, {}) } },
    { "content that is a list of strings, or of parts with text", [[
        {"content":["Two nights.","Please."],"start_time":1},
        {"content":[{"type":"text","text":"Two"},{"type":"image"},{"type":"audio","transcript":"nights."}]},
        {"content":[{"content":"Two"},5,null,""]},{"content":{"text":"x"}},
        {"content":[{"type":"text","text":{"value":"Two nights.","annotations":[]}},{"text":{"x":1}}]}]],
      { turn(1, nil, "Two nights.\nPlease."), turn(nil, nil, "Two\nnights."), turn(nil, nil, "Two\n"),
        turn(nil, nil, { text = "x" }), turn(nil, nil, "Two nights.") } },
    { "numbers that are strings", [[
        {"start_time":"1.25","end_time":"2","content":"a"},{"timestamp":"1e1","content":"b"},
        {"start_time":" 3 ","content":"c"},{"start_time":"0","end_time":"-0.5","content":"d"}]],
      { turn(1.25, nil, "a", 2), turn(10, nil, "b"), turn(3, nil, "c"), turn(0, nil, "d", -0.5) } },
    { "dates in milliseconds or seconds since 1970, read in seconds", [[
        {"start_time":1789000000123,"end_time":"1789000001500","content":"a"},
        {"timestamp":1789000000.5,"content":"b"},{"start_time":1789000000,"content":"c"}]],
      { turn(1789000000.123, nil, "a", 1789000001.5), turn(1789000000.5, nil, "b"), turn(1789000000, nil, "c") } },
    { "empty content", '{"role":"user","content":"","start_time":1}', { turn(1, "user", "") } },
    { "a function's result without content",
      '{"role":"Function Call Result","start_time":3,"end_time":3.5,"data":{"id":"t1","result":{"free":[]}}}',
      { { role = "Function Call Result", start_time = 3, end_time = 3.5, data = { id = "t1",
      result = { free = {} } } } } },
    { "a function call with its data",
      '{"role":"Function Call","content":"find_room","start_time":2,"data":{"name":"find_room","arguments":{"n":2}}}',
      { { role = "Function Call", content = "find_room", start_time = 2,
        data = { name = "find_room", arguments = { n = 2 } } } } },
    { "nulls, which are like absent fields",
      '{"role":null,"content":null,"start_time":null,"timestamp":null,"time":null,"end_time":null,"data":null}',
      {} },
    { "a null beside a timestamp",
      '{"role":"Main Agent","content":"a","start_time":null,"timestamp":2,"end_time":null}',
      { turn(2, "Main Agent", "a") } },
    { "an empty turn, which is ignored", "{}", {} },
    { "an unknown role", '{"role":"Night Porter","content":"a","start_time":1}',
      { turn(1, "Night Porter", "a") } },
    { "content on several lines", [[{"role":"user","content":"a\n[00:09] b: c\n","start_time":1}]],
      { turn(1, "user", "a\n[00:09] b: c\n") } },
    { "other values, ignored", 'null,5,"[00:01] a: b",true,[],[{"role":"x"}],{"role":"user","content":"a"},null',
      { turn(nil, "user", "a") } },
    { "invalid times, unchanged",
      [[{"content":"a","start_time":"soon","end_time":true},{"content":"b","start_time":[1],"end_time":{}},
        {"content":"c","start_time":"00:75","end_time":""},{"content":"d","timestamp":{},"time":5e400},
        {"content":"e","start_time":99999999999999999999,"end_time":"2026-07-15T08:03:12Z"}]],
      { turn("soon", nil, "a", true), turn({ 1 }, nil, "b", {}), turn("00:75", nil, "c", ""), turn(nil, nil, "d"),
        turn("99999999999999999999", nil, "e", "2026-07-15T08:03:12Z") } },
    { "an invalid time beside a valid one", '{"content":"a","start_time":"soon","timestamp":"0:07"}',
      { turn(7, nil, "a") } },
    { "a number as the readable time, which has no known unit unless it is a date",
      '{"content":"a","time":1940},{"content":"b","time":1789000000123},{"content":"c","time":"12"}',
      { turn(nil, nil, "a"), turn(1789000000.123, nil, "b"), turn(nil, nil, "c") } },
  } do
    it(row[1], function()
      assert.same(row[3], turns_of('{"transcript_object":[' .. row[2] .. "]}"))
      -- The same as a JSON string, as in the schema of a row, and in any other field.
      assert.same(row[3], turns_of(('{"transcript_object":%s}'):format(json_of("[" .. row[2] .. "]"))))
      local given = ('{"user_generated_transcript":\n[%s] }'):format(row[2])
      assert.same(row[3], turns_of(given, "user_generated_transcript"))
    end)
  end

  it("of LiveKit's form have the roles of the service, but not where the service has made them", function()
    local list = '[{"role":"user","content":"a","timestamp":2}]'
    assert.same({ turn(2, "Testing Agent", "a") },
      turns_of(('{"user_generated_transcript":%s}'):format(list), "user_generated_transcript"))
    assert.same({ turn(2, "user", "a") }, turns_of(('{"transcript_object":%s}'):format(list)))
  end)

  it("a turn has its undocumented fields", function()
    local call = cekura.call_log '{"transcript_object":[{"role":"a","time":"0:01","words":[{"w":"x"}],"x":null}]}'
    local first = call:turns()()
    assert.equal("0:01", first.time)
    assert.equal("x", first.words[1].w)
    assert.is_nil(first.x)
  end)

  it("whole seconds are integers, if this Lua has them", function()
    for _, json in ipairs { "7", '"00:07"', '"0:00:07"' } do
      local text = ('{"transcript_object":[{"start_time":%s,"end_time":%s}]}'):format(json, json)
      local first = cekura.call_log(text):turns()()
      assert.equal("7", tostring(first.start_time))
      assert.equal("7", tostring(first.end_time))
    end
  end)

  it("a turn is a copy: changing it changes neither the record nor the next loop", function()
    local call = cekura.call_log '{"transcript_object":[{"role":"a","content":"b","start_time":"0:07"}]}'
    for changed in call:turns() do
      changed.role, changed.start_time = "x", nil
    end
    assert.equal("a", call:turns()().role)
    assert.equal(7, call:turns()().start_time)
    assert.equal("0:07", call.transcript_object[1].start_time)
  end)
end)

describe("the text transcript:", function()
  for _, row in ipairs {
    { "lines", "[00:01] Testing Agent: Hello.\n[00:04] Main Agent: Hotel Seeblick.\n",
      { turn(1, "Testing Agent", "Hello."), turn(4, "Main Agent", "Hotel Seeblick.") } },
    { "lines that end in CRLF", "[00:01] Testing Agent: Hello.\r\n[00:04] Main Agent: Yes.\r\n",
      { turn(1, "Testing Agent", "Hello."), turn(4, "Main Agent", "Yes.") } },
    { "a last line without an end", "[00:01] Testing Agent: Hello.", { turn(1, "Testing Agent", "Hello.") } },
    { "short minutes, long ones, and hours", "[0:01] a: b\n[75:30] a: c\n[1:02:03] a: d\n[01:02:04] a: e",
      { turn(1, "a", "b"), turn(4530, "a", "c"), turn(3723, "a", "d"), turn(3724, "a", "e") } },
    { "a stamp with a fraction", "[00:01.5] a: b\n[1:00:00.25] a: c",
      { turn(1.5, "a", "b"), turn(3600.25, "a", "c") } },
    { "long turns", "[00:01] Main Agent: We have\n- a single room\n  with a bath\n[00:09] Testing Agent: Fine.",
      { turn(1, "Main Agent", "We have\n- a single room\n  with a bath"), turn(9, "Testing Agent", "Fine.") } },
    { "long turns with CRLF", "[00:01] a: b\r\nc\r\n[00:02] d: e\r\n",
      { turn(1, "a", "b\nc"), turn(2, "d", "e") } },
    { "empty lines, inside and around turns", "\n\n[00:01] a: b\n\nc\n\n\n[00:02] d: e\n\n\n",
      { turn(1, "a", "b\n\nc"), turn(2, "d", "e") } },
    { "content on the line after the role", "[00:01] a:\nb\n[00:02] c: d",
      { turn(1, "a", "\nb"), turn(2, "c", "d") } },
    { "a role without content", "[00:01] a:\n[00:02] b: \n[00:03] c: d",
      { turn(1, "a", ""), turn(2, "b", ""), turn(3, "c", "d") } },
    { "a stamp alone", "[00:01]\n[00:02] a: b", { turn(1, nil, ""), turn(2, "a", "b") } },
    { "a stamp without a role", "[00:01] (music)\n[00:02] Good evening, Hotel Seeblick!",
      { turn(1, nil, "(music)"), turn(2, nil, "Good evening, Hotel Seeblick!") } },
    { "a stamp without a role, and a time in the content", "[00:01] 10:30 would suit me.\n[00:05] At 9:15, or 9:45?",
      { turn(1, nil, "10:30 would suit me."), turn(5, nil, "At 9:15, or 9:45?") } },
    { "a stamp without a role, and a URL in the content", "[00:01] https://hotel.example/rooms",
      { turn(1, nil, "https://hotel.example/rooms") } },
    { "colons in the content", "[00:01] a: The code: 1:2, https://x.example\n[00:02] b: c: d: e",
      { turn(1, "a", "The code: 1:2, https://x.example"), turn(2, "b", "c: d: e") } },
    { "roles of several words",
      "[00:01] Function Call Result: {\"a\": 1}\n[00:02] Night-Porter 2: x\n[00:03] main_agent: y",
      { turn(1, "Function Call Result", '{"a": 1}'), turn(2, "Night-Porter 2", "x"), turn(3, "main_agent", "y") } },
    { "a role in another language", "[00:01] Gästeservice: Guten Abend.\n[00:02] Гость: Да.",
      { turn(1, "Gästeservice", "Guten Abend."), turn(2, "Гость", "Да.") } },
    { "roles with punctuation",
      "[00:01] Agent (John): Hi.\n[00:02] Dr. O'Neil: x\n[00:03] Caller #2: y\n[00:04] Sales/Support: z\n"
        .. "[00:05] **Agent**: a\n[00:06] j.doe@x.example: b\n[00:07] R&D \"Bot\": c\n[00:08] Speaker [1]: d\n"
        .. "[00:09] <Agent>: e\n[00:10] Agent | Main: f\n[00:11] [Caller]: g\n[00:12] Agent (+1 555-0102): h",
      { turn(1, "Agent (John)", "Hi."), turn(2, "Dr. O'Neil", "x"), turn(3, "Caller #2", "y"),
        turn(4, "Sales/Support", "z"), turn(5, "**Agent**", "a"), turn(6, "j.doe@x.example", "b"),
        turn(7, 'R&D "Bot"', "c"), turn(8, "Speaker [1]", "d"), turn(9, "<Agent>", "e"), turn(10, "Agent | Main", "f"),
        turn(11, "[Caller]", "g"), turn(12, "Agent (+1 555-0102)", "h") } },
    { "sentences with a colon, which are not roles",
      "[00:01] Well, the code is: 5\n[00:02] Hello. My name is: x\n[00:03] Really? It says: y\n[00:04] (...): z"
        .. "\n[00:05] " .. ("long "):rep(20) .. ": a\n[00:06] : b",
      { turn(1, nil, "Well, the code is: 5"), turn(2, nil, "Hello. My name is: x"), turn(3, nil, "Really? It says: y"),
        turn(4, "(...)", "z"), turn(5, nil, ("long "):rep(20) .. ": a"), turn(6, nil, ": b") } },
    { "roles without stamps", "AI: Hello.\nHow are you?\n\nUser: Fine.\r\nAI: At 9:15, or\n10:30?\nAgent (John): Hi.\n",
      { turn(nil, "AI", "Hello.\nHow are you?"), turn(nil, "User", "Fine."), turn(nil, "AI", "At 9:15, or\n10:30?"),
        turn(nil, "Agent (John)", "Hi.") } },
    { "one role without a stamp", "AI: Hello.", { turn(nil, "AI", "Hello.") } },
    { "text without a stamp, with a colon in a later line", "Hello.\nNote: x", { turn(nil, nil, "Hello.\nNote: x") } },
    { "one line with a late colon", "What I wanted to say is: x",
      { turn(nil, nil, "What I wanted to say is: x") } },
    { "text before the first stamp", "Recorded.\n\n[00:01] a: b", { turn(nil, nil, "Recorded."), turn(1, "a", "b") } },
    { "text without a stamp", "Hello.\nGood evening.", { turn(nil, nil, "Hello.\nGood evening.") } },
    { "invalid stamps, which are content",
      "[00:01] a: b\n[00:75] c: d\n[1:60:00] e: f\n[99] g\n[::] h\n[laughs]\n[00:02] i: j",
      { turn(1, "a", "b\n[00:75] c: d\n[1:60:00] e: f\n[99] g\n[::] h\n[laughs]"), turn(2, "i", "j") } },
    { "only invalid stamps", "[00:75] Testing Agent: Hello.\n[x] y",
      { turn(nil, nil, "[00:75] Testing Agent: Hello.\n[x] y") } },
    { "brackets in the content", "[00:01] a: b [00:09] c: d [e]", { turn(1, "a", "b [00:09] c: d [e]") } },
    { "space after a role, which is not part of its name", "[00:01] Main Agent : b\n[00:02] a \t: c",
      { turn(1, "Main Agent", "b"), turn(2, nil, "a \t: c") } },
    { "no space, and much space", "[00:01]a:b\n   [00:02]   c:   d   \n\t[00:03]\te:\tf",
      { turn(1, "a", "b"), turn(2, "c", "d"), turn(3, "e", "f") } },
    { "times that go back, unchanged", "[00:09] a: b\n[00:03] c: d", { turn(9, "a", "b"), turn(3, "c", "d") } },
    { "nothing", "", {} },
    { "space", " \n\r\n\t\n", {} },
    { "special characters", "[00:01] a: \"ü\" 日本 \\ %d %s \1", { turn(1, "a", "\"ü\" 日本 \\ %d %s \1") } },
    { "JSON that is not a transcript", "[]", {} },
  } do
    it(row[1], function()
      assert.same(row[3], turns_of(('{"transcript":%s}'):format(json_of(row[2]))))
      assert.same(row[3], turns_of(('{"notes":%s}'):format(json_of(row[2])), "notes"))
    end)
  end

  it("many turns", function()
    local lines, wanted = {}, {}
    for place = 1, 20000 do
      local seconds = place * 2
      lines[place] = ("[%02d:%02d] Main Agent: Sentence %d."):format(math.floor(seconds / 60), seconds % 60, place)
      wanted[place] = turn(seconds, "Main Agent", ("Sentence %d."):format(place))
    end
    local found = turns_of(('{"transcript":%s}'):format(json_of(table.concat(lines, "\n"))))
    assert.equal(20000, #found)
    for place = 1, 20000, 997 do
      assert.same(wanted[place], found[place])
    end
  end)

  it("a text of spaces is read in linear time", function()
    local function seconds_for(texts)
      local before = os.clock()
      for _, text in ipairs(texts) do
        turns_of(('{"transcript":%s}'):format(json_of(text)))
      end
      return os.clock() - before
    end
    local plain, ordinary = ("[00:01] Main Agent: Sentence.\n"):rep(7000), {}
    for index = 1, 10 do
      ordinary[index] = plain
    end
    local spaces = seconds_for {
      "[00:01] a: b" .. (" "):rep(200000) .. "c", "[00:01] " .. (" "):rep(200000) .. "c", (" "):rep(200000) .. "c",
      "[00:01] a: b" .. ("\n"):rep(200000) .. "c", "[00:01] a" .. (" "):rep(200000) .. ": c", ("\r"):rep(200000) .. "c",
      ("["):rep(200000), ("[00:01"):rep(50000), "[" .. ("0"):rep(200000) .. "] a: b",
    }
    -- Quadratic time would be ten thousand times as long.
    assert.is_true(spaces < 100 * (seconds_for(ordinary) + 0.01))
  end)
end)

describe("which transcript is read:", function()
  local TEXT = [["[00:01] a: b"]]

  for _, row in ipairs {
    { "the structured one, if there are both", '{"transcript_object":[{"role":"x"}],"transcript":' .. TEXT .. "}",
      "x" },
    { "the text, if the structured one is empty", '{"transcript_object":[],"transcript":' .. TEXT .. "}", "a" },
    { "the text, if it is null", '{"transcript_object":null,"transcript":' .. TEXT .. "}", "a" },
    { "the text, if it is empty as a text", '{"transcript_object":"[]","transcript":' .. TEXT .. "}", "a" },
    { "the text, if it is an empty text", '{"transcript_object":"","transcript":' .. TEXT .. "}", "a" },
    { "the text, if it is an object", '{"transcript_object":{"role":"x"},"transcript":' .. TEXT .. "}", "a" },
    { "the text, if it is of another type", '{"transcript_object":5,"transcript":' .. TEXT .. "}", "a" },
    { "the text, if no element of it is a turn", '{"transcript_object":[null,5,"x",[]],"transcript":' .. TEXT .. "}",
      "a" },
    { "the text, if it is alone", '{"transcript":' .. TEXT .. "}", "a" },
    { "a structured one in the place of the text", '{"transcript":[{"role":"x"}]}', "x" },
    { "a structured one as text in the place of the text", [[{"transcript":" [{\"role\":\"x\"}] "}]], "x" },
    { "none, if there is none", "{}", nil },
    { "none, if both are of another type", '{"transcript_object":true,"transcript":{"a":[1]}}', nil },
    { "never another field", '{"user_generated_transcript":[{"role":"x"}],"turns":[{"role":"y"}]}', nil },
    { "the field that was asked for, and no other",
      '{"user_generated_transcript":null,"transcript_object":[{"role":"x"}],"transcript":' .. TEXT .. "}", nil,
      "user_generated_transcript" },
    { "the text, if it was asked for", '{"transcript_object":[{"role":"x"}],"transcript":' .. TEXT .. "}", "a",
      "transcript" },
  } do
    it(row[1], function()
      local found = turns_of(row[2], row[4])
      assert.equal(row[3], found[1] and found[1].role)
      assert.equal(row[3] and 1 or 0, #found)
    end)
  end

  it("a value of any type causes neither an error nor an invented number", function()
    local values = { "null", "true", "0", "-1.5", "99999999999999999999", '""', '"x"', '"[00:61]"', "[]", "{}", "[[]]",
      "[null]", '[{"a":[null]}]', '{"metrics":[]}', '"null"', '"{"', '"[{]"' }
    for _, value in ipairs(values) do
      for _, shape in ipairs {
        '{"transcript_object":%s}', '{"transcript":%s}', '{"transcript_object":[%s]}',
        '{"transcript_object":[{"role":%s}]}',
        '{"transcript_object":[{"content":%s}]}', '{"transcript_object":[{"data":%s,"time":%s}]}',
      } do
        local text = shape:gsub("%%s", (value:gsub("%%", "%%%%")))
        for _, found in ipairs(turns_of(text)) do
          assert.is_nil(found.start_time)
          assert.is_nil(found.end_time)
        end
      end
      for _, name in ipairs { "start_time", "end_time", "timestamp" } do
        for _, found in ipairs(turns_of(('{"transcript_object":[{"%s":%s}]}'):format(name, value))) do
          local time = found[name] or found.start_time
          assert.same(name ~= "timestamp" and value ~= "null" and core.decode(value)
            or name == "timestamp" and #value < 5 and tonumber(value) or nil, time)
        end
      end
    end
  end)
end)

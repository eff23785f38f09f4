-- Call logs: records that keep their bytes, and decode a field when it is read.

local cekura = require "cekura"
local core = require "cekura.core"
local encode = require "cekura.http.encode"

-- Whether this Lua has 64-bit integers.
local INTEGERS = math.type ~= nil
-- Whether pairs() works on a userdata.
local PAIRS = _VERSION ~= "Lua 5.1"

local HERE = debug.getinfo(1, "S").short_src

local function read(json)
  return cekura.assert(cekura.call_log(json))
end

local function object_of(fields)
  local members = {}
  for place, field in ipairs(fields) do
    members[place] = ('"%s":%s'):format(field[1], field[2])
  end
  return "{" .. table.concat(members, ",") .. "}"
end

-- Names of fields that a method hides.
local METHODS = {
  "evaluated", "evaluation", "fields", "get", "json", "metric", "metrics", "seconds", "time", "totable", "turns",
}
local IS_METHOD = {}
for _, name in ipairs(METHODS) do
  IS_METHOD[name] = true
end

-- Each field: its name, its JSON, its value.
local COMMON = {
  { "id", "730154", 730154 },
  { "duration", '"02:31"', "02:31" },
  { "success", "false", false },
  { "is_reviewed", "true", true },
  { "status", '"reviewed_failure"', "reviewed_failure" },
  { "feedback", '""', "" },
  { "call_ended_reason", '"assistant-said-goodbye"', "assistant-said-goodbye" },
  { "customer_number", '"+49301234567"', "+49301234567" },
  { "agent", "877", 877 },
  { "agent_name", [["Zahnarztpraxis \u00c4hrenfeld"]], "Zahnarztpraxis Ährenfeld" },
  { "call_id", '"recall-2026/07#15"', "recall-2026/07#15" },
  { "trace_id", '"9f86d081884c7d659a2feaa0c55ad015"', "9f86d081884c7d659a2feaa0c55ad015" },
  { "is_log_present", "false", false },
  { "timestamp", '"2026-07-15T08:03:12.250Z"', "2026-07-15T08:03:12.250Z" },
  { "error_message", '"the line was cut"', "the line was cut" },
  { "dropoff_point", '"before the insurance was asked for"', "before the insurance was asked for" },
  { "topic", '"{}"', "{}" },
  { "created_at", '"2026-07-15T08:06:01Z"', "2026-07-15T08:06:01Z" },
  { "updated_at", '"2026-07-15T10:06:44+02:00"', "2026-07-15T10:06:44+02:00" },
  { "transcript", [["[00:01] Testing Agent: A cleaning, please.\n[00:04] Main Agent: Gladly."]],
    "[00:01] Testing Agent: A cleaning, please.\n[00:04] Main Agent: Gladly." },
}

local METRIC = '{"id":31,"name":"Offered two slots","type":"enum","value":"one","score":null,"explanation":["One."]}'
local METRIC_VALUE = { id = 31, name = "Offered two slots", type = "enum", value = "one", explanation = { "One." } }

local DETAIL = {
  { "voice_recording_url", [["https:\/\/recordings.example\/730154.mp3"]], "https://recordings.example/730154.mp3" },
  { "critical_categories", '[{"category_id":4,"category":"Booking","deviation":0.5,"priority":"critical"}]',
    { { category_id = 4, category = "Booking", deviation = 0.5, priority = "critical" } } },
  { "transcript_object", '[{"role":"Main Agent","content":"Gladly.","start_time":4.1,"end_time":4.75}]',
    { { role = "Main Agent", content = "Gladly.", start_time = 4.1, end_time = 4.75 } } },
  { "agent_id", '"877"', "877" },
  { "agent_version", '{"id":12,"prompt":null}', { id = 12 } },
  { "evaluation", '{"metrics":[' .. METRIC .. "]}", { metrics = { METRIC_VALUE } } },
  { "metadata", '{"branch":"north","chair":2}', { branch = "north", chair = 2 } },
  { "dynamic_variables", "{}", {} },
  { "testing_channel_index", "1", 1 },
  { "waveform", '{"main":[0,0.5,1],"testing":[]}', { main = { 0, 0.5, 1 }, testing = {} } },
  { "rubric", '[{"metric_id":31,"passed":false,"explanation":[]}]',
    { { metric_id = 31, passed = false, explanation = {} } } },
  { "user_generated_transcript", '[{"role":"user","content":"A cleaning","timestamp":"00:01"}]',
    { { role = "user", content = "A cleaning", timestamp = "00:01" } } },
  { "project", "19", 19 },
}

local ROW = {
  { "metrics", "[" .. METRIC .. "]", { METRIC_VALUE } },
  { "transcript_object", '"[]"', "[]" },
  { "evaluation", [["{\"metrics\":[]}"]], '{"metrics":[]}' },
}

local function joined(...)
  local all = {}
  for _, list in ipairs { ... } do
    for _, item in ipairs(list) do
      all[#all + 1] = item
    end
  end
  return all
end

for what, shape in pairs {
  ["a record"] = { count = 33, fields = joined(COMMON, DETAIL) },
  ["a row of a list"] = { count = 23, fields = joined(ROW, COMMON) },
} do
  describe(what, function()
    local text = object_of(shape.fields)

    it("has each of its fields under its name", function()
      assert.equal(shape.count, #shape.fields)
      local call = read(text)
      for _, field in ipairs(shape.fields) do
        assert.same(field[3], call:get(field[1]), field[1])
        if not IS_METHOD[field[1]] then
          assert.same(field[3], call[field[1]], field[1])
        end
        assert.equal(type(field[3]), type(call:get(field[1])), field[1])
      end
    end)

    it("has all of its fields in fields()", function()
      local fields, count = read(text):fields(), 0
      for _, field in ipairs(shape.fields) do
        assert.same(field[3], fields[field[1]], field[1])
      end
      for _ in pairs(fields) do
        count = count + 1
      end
      assert.equal(shape.count, count)
    end)

    it("has nil for fields that are null or missing", function()
      local nulls = {}
      for place, field in ipairs(shape.fields) do
        nulls[place] = { field[1], "null" }
      end
      for _, call in ipairs { read(object_of(nulls)), read "{}" } do
        for _, field in ipairs(shape.fields) do
          assert.is_nil(call:get(field[1]), field[1])
          assert.equal(1, select("#", call:get(field[1])))
          if not IS_METHOD[field[1]] then
            assert.is_nil(call[field[1]], field[1])
          end
        end
      end
    end)
  end)
end

describe("a field", function()
  it("may be unknown to the documents", function()
    local call = read [[{"id":1,"zimmer":{"nummer":"204"},"Room Service":true," ":0,"a.b":1,"1":"one","ключ":[2]}]]
    assert.equal("204", call.zimmer.nummer)
    assert.is_true(call["Room Service"])
    assert.equal(0, call[" "])
    assert.equal(1, call["a.b"])
    assert.equal("one", call["1"])
    assert.equal(2, call["ключ"][1])
  end)

  it("is found only by its exact name", function()
    local call = read '{"id":1,"Status":"a","status":"b","statu":"c","status ":"d"}'
    assert.equal("b", call.status)
    assert.equal("a", call.Status)
    assert.equal("c", call.statu)
    assert.equal("d", call["status "])
    for _, name in ipairs { "stat", "STATUS", "statuss", " status", "status\0", '"status"', "" } do
      assert.is_nil(call[name])
      assert.is_nil(call:get(name))
    end
  end)

  it("is found by its name after unescaping", function()
    local call = read [[{"sta\u0074us":"a","a\"b":1,"a\\b":2,"a\/b":3,"a\u0000b":4,"\u00fc":5,"\ud83d\ude00":6,
      "\n":7,"":8}]]
    assert.equal("a", call.status)
    for name, value in pairs {
      ['a"b'] = 1, ["a\\b"] = 2, ["a/b"] = 3, ["a\0b"] = 4, ["ü"] = 5, ["😀"] = 6, ["\n"] = 7, [""] = 8,
    } do
      assert.equal(value, call[name])
      assert.equal(value, call:get(name))
      assert.equal(value, call:fields()[name])
    end
    assert.is_nil(call["sta\\u0074us"])
    assert.is_nil(call.a)
  end)

  it("may have any name, also one with a meaning in Lua", function()
    local names = {
      "_", "_methods", "_client", "__index", "__newindex", "__gc", "__name", "__metatable", "__tostring", "__pairs",
      "__call", "__eq", "__mode", "end", "self", "nil", "n", "userdata",
    }
    local fields = {}
    for place, name in ipairs(names) do
      fields[place] = { name, ("%q"):format("the field " .. name) }
    end
    for _, call in ipairs { read(object_of(fields)), read "{}" } do
      for _, name in ipairs(names) do
        local wanted = call:json() ~= "{}" and "the field " .. name or nil
        assert.equal(wanted, call[name])
        assert.equal(wanted, call:get(name))
        assert.equal(wanted, call:fields()[name])
      end
    end
  end)

  it("that a method hides is returned by get()", function()
    local fields = {}
    for place, name in ipairs(METHODS) do
      fields[place] = { name, ('"the field %s"'):format(name) }
    end
    local call = read(object_of(fields))
    for _, name in ipairs(METHODS) do
      assert.equal("function", type(call[name]))
      assert.equal("the field " .. name, call:get(name))
      assert.equal("the field " .. name, call:fields()[name])
    end
    assert.equal(object_of(fields), call:json())
  end)

  it("that occurs twice has its last value", function()
    assert.equal("b", read('{"status":"a","status":"b"}').status)
    assert.equal("b", read([[{"status":"a","st\u0061tus":"b"}]]).status)
    assert.equal("b", read([[{"st\u0061tus":"a","status":"b"}]]).status)
    assert.equal("b", read('{"status":null,"status":"b"}').status)
    assert.is_nil(read('{"status":"a","status":null}').status)
    assert.is_nil(read('{"status":"a","status":null}'):fields().status)
    assert.same({ c = 2 }, read('{"metadata":{"b":1},"metadata":{"c":2}}').metadata)
    assert.equal(cekura.null, read('{"status":"a","status":null}'):totable().status)
    assert.equal("b", read('{"status":"a","status":"b"}'):totable().status)
  end)

  it("that is false stays false on every read", function()
    local call = read '{"success":false}'
    for _ = 1, 3 do
      assert.is_false(call.success)
      assert.is_false(call:get "success")
    end
    assert.is_false(call:fields().success)
  end)

  it("has a string as its name: any other key reads nil", function()
    local call = read '{"1":"a","true":"b","1.5":"c"}'
    for _, key in ipairs { 1, 2, 0, 1.5, true, {}, print } do
      assert.is_nil(call[key])
    end
  end)

  it("cannot be written", function()
    local call = read '{"id":1,"success":null,"metadata":{}}'
    for _, name in ipairs { "id", "success", "metadata", "other", "get", "_methods", "__index", 1 } do
      local write = function() call[name] = 5 end
      local ok, message = pcall(write)
      assert.is_false(ok)
      assert.truthy(message:find("read only", 1, true))
      assert.truthy(message:find(("%s:%d:"):format(HERE, debug.getinfo(write, "S").linedefined), 1, true))
    end
    assert.equal(1, call.id)
    assert.is_nil(call.other)
    assert.equal("function", type(call.get))
  end)
end)

describe("a nested value", function()
  it("is the same table at every read", function()
    local call = read '{"metadata":{"a":[1]},"metrics":[1],"evaluation":{"metrics":[]}}'
    for _, name in ipairs { "metadata", "metrics", "evaluation" } do
      assert.is_table(call:get(name))
      assert.is_true(rawequal(call:get(name), call:get(name)))
      assert.is_true(rawequal(call:get(name), call:fields()[name]))
    end
    assert.is_true(rawequal(call.metadata, call:get "metadata"))
    assert.is_true(rawequal(call.metadata.a, call.metadata.a))
  end)

  it("is not shared with other records", function()
    local text = '{"metadata":{"a":1}}'
    local one, other = read(text), read(text)
    one.metadata.a = 2
    assert.equal(1, other.metadata.a)
    assert.equal(1, one:totable().metadata.a)
    assert.equal(text, one:json())
  end)

  it("has no key for a null in an object, and cekura.null for one in a list", function()
    local call = read '{"metadata":{"a":null,"b":{"c":null},"d":[null,1,[null],null,{"e":null}]},"list":[null]}'
    assert.is_nil(call.metadata.a)
    assert.is_nil(next(call.metadata.b))
    local list = call.metadata.d
    assert.equal(5, #list)
    assert.equal(cekura.null, list[1])
    assert.equal(1, list[2])
    assert.equal(cekura.null, list[3][1])
    assert.equal(cekura.null, list[4])
    assert.is_nil(next(list[5]))
    assert.equal(1, #call.list)
    assert.equal(cekura.null, call.list[1])
  end)

  it("is separated correctly from its neighbours", function()
    local call = read ' {\n"a" : [ 1 , { "b" : "}" } ] ,\t"c":{"d":"]"}, "e" :\r\n-1.5 , "f": "\\"" ,"g":true } '
    assert.same({ 1, { b = "}" } }, call.a)
    assert.same({ d = "]" }, call.c)
    assert.equal(-1.5, call.e)
    assert.equal('"', call.f)
    assert.is_true(call.g)
  end)
end)

describe("a number", function()
  -- The number at different depths.
  local function places(digits)
    local call = read(('{"n":%s,"list":[%s],"deep":{"a":[{"b":[[%s]]}]}}'):format(digits, digits, digits))
    local whole = call:totable()
    return { call.n, call:get "n", call.list[1], call.deep.a[1].b[1][1], whole.n, whole.list[1],
      whole.deep.a[1].b[1][1], call:fields().n }
  end

  local function assert_all(wanted, digits)
    local found = places(digits)
    assert.equal(8, #found)
    for place, value in ipairs(found) do
      assert.equal(wanted, value, ("%s at %d"):format(digits, place))
      assert.equal(INTEGERS and math.type(wanted), INTEGERS and math.type(value))
    end
  end

  it("is exact up to 2^53, at every depth", function()
    for _, digits in ipairs { "0", "7", "-7", "2142", "2147483648", "4294967296", "-9007199254740992" } do
      assert_all(tonumber(digits), digits)
    end
    for _, found in ipairs(places "9007199254740992") do
      assert.equal("9007199254740992", ("%d"):format(found))
    end
    assert_all(0.1, "0.1")
    assert_all(-12.5, "-1.25e1")
  end)

  it("is an integer or a float, as it was written, if this Lua distinguishes them", function()
    for _, row in ipairs { { "5", "integer" }, { "5.0", "float" }, { "5e0", "float" } } do
      for _, found in ipairs(places(row[1])) do
        assert.equal(5, found)
        assert.is_true(not INTEGERS or math.type(found) == row[2])
      end
    end
  end)

  it("beyond 2^53 is an exact integer if this Lua has them, else a string of digits", function()
    for _, digits in ipairs {
      "9007199254740993", "-9007199254740993", "1234567890123456789", "9223372036854775807", "-9223372036854775807",
    } do
      assert_all(INTEGERS and math.tointeger(tonumber(digits)) or digits, digits)
    end
  end)

  it("beyond 64 bits is a string of digits", function()
    for _, digits in ipairs {
      "9223372036854775808", "-9223372036854775809", "18446744073709551616", ("123456789"):rep(30),
    } do
      assert_all(digits, digits)
    end
  end)
end)

describe("json()", function()
  it("is the record's text, byte for byte", function()
    for _, text in ipairs {
      "{}", " {} ", "\r\n\t{\r\n\t}\n\n", '{"id":1}', '{ "id" : 1 , "a":[ ] }\n', '{"a":1,"a":2,"a":null}',
      [[{"\u0069d":1,"a\/b":"\u00e9\ud83d\ude00 é 😀 \u0000","c":"\""}]],
      '{"n":[1.0,1.00,1e0,10E-1,0.10,-0,12345678901234567890123]}', '{"z":1,"a":2,"m":{"z":1,"a":2}}',
    } do
      local call = read(text)
      assert.equal(text, call:json())
      call:fields()
      call:totable()
      tostring(call)
      assert.equal(text, call:json())
    end
  end)

  it("reads back as the same record", function()
    local text = object_of(joined(COMMON, DETAIL))
    assert.same(read(text):totable(), read(read(text):json()):totable())
  end)
end)

describe("totable()", function()
  it("is the whole record, with every null as cekura.null", function()
    assert.same({
      id = 1, a = cekura.null, b = { c = cekura.null, d = { cekura.null, { e = cekura.null } } }, f = {}, g = {},
      h = false, i = "", j = 1.5,
    }, read('{"id":1,"a":null,"b":{"c":null,"d":[null,{"e":null}]},"f":[],"g":{},"h":false,"i":"","j":1.5}'):totable())
    assert.same({}, read("{}"):totable())
  end)

  it("includes fields whose names are methods of the record", function()
    assert.same({ fields = 1, metrics = {}, get = "x" }, read('{"fields":1,"metrics":[],"get":"x"}'):totable())
  end)

  it("returns a new table each time", function()
    local call = read '{"metadata":{"a":1}}'
    call:totable().metadata.a = 2
    assert.equal(1, call.metadata.a)
    assert.equal(1, call:totable().metadata.a)
  end)

  it("can be encoded back to the same text", function()
    for _, text in ipairs {
      "{}", '{"a":[]}', '{"a":{}}', '{"a":[[],{},[{}],[[]]]}', '{"a":[null],"b":null,"c":{"d":null}}',
      '{"a":[1,null,-3],"b":1234567890123456,"c":0.1,"d":false,"e":""}',
    } do
      assert.equal(text, encode(read(text):totable(), "body"))
    end
  end)
end)

describe("an empty list", function()
  it("stays a list when it is encoded", function()
    local call = read '{"a":[],"b":{"c":[],"d":{}},"e":[[],{}],"f":{}}'
    assert.equal("[]", encode(call.a, "body"))
    assert.equal('{"c":[],"d":{}}', encode(call.b, "body"))
    assert.equal("[[],{}]", encode(call.e, "body"))
    assert.equal("{}", encode(call.f, "body"))
    assert.equal('{"metadata":{"c":[],"d":{}},"tags":[]}', encode({ metadata = call.b, tags = call.a }, "body"))
  end)
end)

describe("the fields of a record", function()
  local TEXT = '{"id":5,"status":"success","success":false,"gone":null,"metadata":{"a":1},"metrics":[],"id":6}'
  local WANTED = { id = 6, status = "success", success = false, metadata = { a = 1 }, metrics = {} }

  local function collected(...)
    local found = {}
    for name, value in ... do
      assert.is_nil(found[name])
      found[name] = value
    end
    return found
  end

  it("are a table, and an iterator for a loop", function()
    local call = read(TEXT)
    assert.same(WANTED, collected(call:fields()))
    assert.same(WANTED, collected(pairs(call:fields())))
    assert.same({}, collected(read("{}"):fields()))
    assert.same({}, collected(read('{"a":null}'):fields()))
  end)

  it("are returned by pairs(), if this Lua lets a userdata define it", function()
    if not PAIRS then
      assert.is_false((pcall(pairs, read(TEXT))))
      return
    end
    assert.same(WANTED, collected(pairs(read(TEXT))))
    assert.same({}, collected(pairs(read "{}")))
  end)

  it("can be changed without changing the record", function()
    local call = read(TEXT)
    call:fields().id = 7
    call:fields().status = nil
    assert.equal(6, call.id)
    assert.equal("success", call:fields().status)
  end)
end)

describe("tostring() of a record", function()
  it("shows its id and its status", function()
    local text = tostring(read '{"id":730154,"status":"evaluating"}')
    assert.truthy(text:find("730154", 1, true))
    assert.truthy(text:find("evaluating", 1, true))
  end)

  it("is a string, whatever the fields are", function()
    for _, json in ipairs {
      "{}", '{"id":null,"status":null}', '{"id":[],"status":{}}', '{"id":true,"status":false}', '{"id":"x","status":5}',
      '{"id":99999999999999999999}', [[{"id":"\u0000"}]], '{"__name":1,"__tostring":2}',
    } do
      assert.is_string(tostring(read(json)))
    end
  end)

  it("does not change the record: an id stays a number", function()
    local call = read '{"id":5}'
    local _ = tostring(call)
    assert.equal("number", type(call.id))
  end)
end)

describe("the size of a record", function()
  it("may be 20,000 fields", function()
    for _, count in ipairs { 0, 1, 2, 63, 64, 65, 66, 127, 128, 129, 1000, 20000 } do
      local fields = {}
      for place = 1, count do
        fields[place] = { "field " .. place, place % 3 == 0 and ("[%d]"):format(place) or tostring(place) }
      end
      local text = object_of(fields)
      local call = read(text)
      for place = 1, count, count > 1000 and 999 or 1 do
        local value = call["field " .. place]
        assert.equal(place, place % 3 == 0 and value[1] or value)
      end
      assert.is_nil(call["field 0"])
      assert.is_nil(call["field " .. count + 1])
      assert.equal(text, call:json())
      local found = 0
      for _ in call:fields() do
        found = found + 1
      end
      assert.equal(count, found)
    end
  end)

  it("may be hundreds of fields of the same name", function()
    local fields = {}
    for place = 1, 200 do
      fields[place] = { "a", tostring(place) }
    end
    local call = read(object_of(fields))
    assert.equal(200, call.a)
    assert.same({ a = 200 }, call:totable())
  end)

  it("may be several megabytes", function()
    local line = [[[00:01] Testing Agent: A room with a view of the lake, please. \u00e9\n]]
    local text = ('{"id":1,"transcript":"%s","list":[%s0],"last":"x"}'):format(line:rep(60000),
      ("1234567890,"):rep(100000))
    local call = read(text)
    assert.equal("x", call.last)
    assert.equal(100001, #call.list)
    assert.equal(1234567890, call.list[100000])
    assert.equal(#(line:rep(60000):gsub("\\u00e9", "é"):gsub("\\n", "\n")), #call.transcript)
    assert.is_true(rawequal(call.transcript, call.transcript) and rawequal(call.list, call.list))
    assert.equal(text, call:json())
  end)

  it("may be 512 levels deep", function()
    local call = read('{"a":' .. ("["):rep(511) .. ("]"):rep(511) .. "}")
    local value, depth = call.a, 0
    while value do
      value, depth = value[1], depth + 1
    end
    assert.equal(511, depth)
    assert.is_table(call:totable())
  end)
end)

describe("garbage collection", function()
  local function collect()
    collectgarbage()
    collectgarbage()
    return collectgarbage "count"
  end

  it("keeps the text of a live record", function()
    local calls = {}
    for id = 1, 1000 do
      calls[id] = read(('{"id":%d,"status":"success","metadata":{"room":[%d,"%s"]}}'):format(id, id, ("x"):rep(id)))
    end
    collect()
    for id, call in ipairs(calls) do
      assert.equal(id, call.id)
      assert.equal(id, call.metadata.room[1])
      assert.equal(id, #call.metadata.room[2])
    end
    collect()
    for id, call in ipairs(calls) do
      assert.equal(id, call.metadata.room[1])
      assert.equal(id, read(call:json()).id)
    end
  end)

  it("keeps the values of a collected record", function()
    local call = read '{"metadata":{"room":["204"]},"topic":"lake view"}'
    local metadata, topic, turns = call.metadata, call.topic, call:turns()
    local weak = setmetatable({ call }, { __mode = "v" })
    call = nil -- luacheck: ignore
    collect()
    assert.is_nil(weak[1])
    assert.equal("204", metadata.room[1])
    assert.equal("lake view", topic)
    assert.is_nil(turns())
  end)

  it("collects an unreferenced record and its text", function()
    local function work()
      for id = 1, 50 do
        local call = read(('{"id":%d,"transcript":"%s"}'):format(id, ("x"):rep(100000)))
        assert.equal(100000, #call.transcript)
      end
    end
    work()
    local before = collect()
    work()
    assert.is_true(collect() < before + 1000)
  end)
end)

describe("text that is not one strict JSON object", function()
  for _, row in ipairs {
    { "nothing", "" }, { "space", " \n" }, { "a list", "[]" }, { "a list of objects", '[{"id":1}]' },
    { "a string", '"{}"' }, { "a number", "5" }, { "true", "true" }, { "null", "null" }, { "a word", "OK" },
    { "HTML", "<html></html>" }, { "two objects", "{}{}" }, { "two objects, as lines", "{}\n{}" },
    { "text after it", "{} x" }, { "a comma after it", "{}," }, { "a NUL after it", "{}\0" },
    { "a byte order mark", "\239\187\191{}" }, { "an unterminated object", '{"id":1' },
    { "only a beginning", "{" }, { "only an end", "}" }, { "a comma at the end", '{"id":1,}' },
    { "no comma", '{"id":1 "a":2}' }, { "no value", '{"id":}' }, { "no colon", '{"id" 1}' },
    { "a name without quotes", "{id:1}" }, { "single quotes", "{'id':1}" }, { "a number as a name", "{1:2}" },
    { "a comment", '{"id":1} // one' }, { "NaN", '{"id":NaN}' }, { "Infinity", '{"id":-Infinity}' },
    { "a zero before digits", '{"id":01}' }, { "a word of Python", '{"id":None}' },
    { "an unterminated string", '{"id":"a}' }, { "a newline in a string", '{"id":"a\nb"}' },
    { "an unknown escape", [[{"id":"\x41"}]] }, { "a short escape", [[{"id":"\ud83"}]] },
    { "invalid UTF-8", '{"id":"\255"}' }, { "invalid UTF-8 in a name", '{"\255":1}' },
    { "Latin-1", '{"agent_name":"M\252ller"}' }, { "an object closed as a list", '{"id":1]' },
    { "a fault deep inside", '{"id":1,"metadata":{"a":[1,{"b":[01]}]},"status":"success"}' },
    { "a fault in the last of many members", "{" .. ('"a":1,'):rep(100) .. '"b":tru}' },
    { "513 levels", '{"a":' .. ("["):rep(512) .. ("]"):rep(512) .. "}" },
    { "100000 levels", ('{"a":'):rep(100000) .. "1" .. ("}"):rep(100000) },
  } do
    it("is refused: " .. row[1], function()
      local call, err = cekura.call_log(row[2])
      assert.is_nil(call)
      assert.equal("protocol", err.kind)
      assert.is_nil(tostring(err):find("%c"))
      assert.is_true(#tostring(err) < 300)
      assert.equal(2, select("#", cekura.call_log(row[2])))
    end)
  end

  it("is refused: every prefix of a valid object", function()
    local text = [[{"id":1,"a":{"b":["\u00e9",-1.5e3,null,true]},"c":""}]]
    assert.equal(1, read(text).id)
    for length = 0, #text - 1 do
      local call, err = cekura.call_log(text:sub(1, length))
      assert.is_nil(call)
      assert.equal("protocol", err.kind)
    end
  end)
end)

describe("misuse raises at the caller's line and names the argument:", function()
  local call = read '{"id":1,"timestamp":"2026-07-15T08:03:12Z"}'

  -- Each function is on one line, which is the line of its call.
  for place, row in ipairs {
    { "json", function() local _ = cekura.call_log() end },
    { "json", function() local _ = cekura.call_log(nil) end },
    { "json", function() local _ = cekura.call_log(5) end },
    { "json", function() local _ = cekura.call_log { id = 1 } end },
    { "json", function() local _ = cekura.call_log(call) end },
    { "name", function() local _ = call:time() end },
    { "name", function() local _ = call:time(5) end },
    { "name", function() local _ = call:time { "timestamp" } end },
    { "field", function() local _ = call:turns(5) end },
    { "field", function() local _ = call:turns {} end },
    { "name_or_id", function() local _ = call:metric() end },
    { "name_or_id", function() local _ = call:metric {} end },
    { "name_or_id", function() local _ = call:metric(true) end },
    { "name", function() local _ = call:get() end },
    { "name", function() local _ = call:get(5) end },
    { "name", function() local _ = call:get {} end },
    { "client", function() local _ = call:evaluation() end },
    { "get", function() local _ = call.get({}, "id") end },
    { "json", function() local _ = call.json() end },
    { "totable", function() local _ = call.totable "x" end },
    { "call_log", function() local _ = call.get(io.stdout, "id") end },
  } do
    it(("%s (%d)"):format(row[1], place), function()
      local ok, message = pcall(row[2])
      assert.is_false(ok)
      local where = ("%s:%d: "):format(HERE, debug.getinfo(row[2], "S").linedefined)
      assert.equal(where, message:sub(1, #where))
      assert.truthy(message:find(row[1], #where, true))
      assert.is_nil(message:find("%c"))
    end)
  end
end)

describe("an evaluation", function()
  it("is done if the status says so", function()
    for word, wanted in pairs {
      success = true, failure = true, reviewed_success = true, reviewed_failure = true,
      evaluating = false, pending = false, queued = false, processing = false, running = false, in_progress = false,
      in_queue = false, scaling_up = false, generating = false, streaming = false, awaiting_user = false,
      ["a word of tomorrow"] = false, [""] = false, successful = false, ["reviewed success"] = true,
      [" SUCCESS "] = true, ["Reviewed-failure"] = true, ["success!"] = false, ["un-success"] = false,
    } do
      for _, success in ipairs { "", ',"success":null' } do
        assert.equal(wanted, read(('{"status":"%s"%s}'):format(word, success)):evaluated(), word)
      end
    end
  end)

  it("is not done while the status says that it runs, even with an old verdict", function()
    assert.is_false(read('{"status":"evaluating","success":true,"evaluation":{"metrics":[{"id":1}]}}'):evaluated())
  end)

  it("can be done without a verdict: an agent without metrics has none", function()
    for _, success in ipairs { "true", "false", "null" } do
      assert.is_true(read(('{"status":"success","success":%s}'):format(success)):evaluated())
    end
  end)

  it("is done if there is a verdict, if the status is missing", function()
    for json, wanted in pairs {
      ["{}"] = false, ['{"success":null}'] = false, ['{"success":true}'] = true, ['{"success":false}'] = true,
      ['{"status":null,"success":false}'] = true, ['{"status":null}'] = false, ['{"success":"true"}'] = false,
      ['{"success":1}'] = false, ['{"status":[],"success":null}'] = false, ['{"status":5}'] = false,
    } do
      assert.equal(wanted, read(json):evaluated(), json)
    end
  end)
end)

describe("a record in a list", function()
  it("has separate bytes and fields", function()
    local texts = {}
    for place, count in ipairs { 0, 1, 64, 65, 300 } do
      local fields = { { "id", tostring(place) }, { "sta\\u0074us", '"success"' } }
      for member = 1, count do
        fields[#fields + 1] = { "field " .. member, ('[%d,"%d"]'):format(member, place) }
      end
      texts[place] = object_of(fields)
    end
    local list = " [ " .. table.concat(texts, " ,\n") .. " ] "
    local calls = assert(core.new_records(list, nil, core.record_class "record"))
    collectgarbage()
    assert.equal(#texts, #calls)
    for place, count in ipairs { 0, 1, 64, 65, 300 } do
      local call = calls[place]
      assert.equal(texts[place], call:json())
      assert.equal(place, call.id)
      assert.equal("success", call.status)
      for member = 1, count do
        assert.same({ member, tostring(place) }, call["field " .. member])
      end
      assert.is_nil(call["field " .. count + 1])
    end
  end)
end)

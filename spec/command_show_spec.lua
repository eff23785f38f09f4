-- What the command shows of texts and calls: the difference of two prompts, a transcript, metrics.

local cekura = require "cekura"
local encode = require "cekura.http.encode"
local file = require "spec.support.file"
local show_call = require "cekura.command.show_call"
local show_diff = require "cekura.command.show_diff"
local terminal = require "cekura.command.terminal"
local text = require "cekura.command.text"
local tmux = require "spec.support.tmux"

local lua = os.getenv "CEKURA_LUA" or "lua5.4"

-- A stream of this process, with colours or without; `columns`: as wide as a terminal, nil: as long as the lines are.
local function stream(columns, color)
  local out = terminal.open { color = color or "never" }.out
  function out.columns()
    return columns
  end
  return out
end

-- The calls of a function in a locale with UTF-8, or in one without.
local function in_locale(name, fn)
  local getenv = os.getenv
  os.getenv = function(variable) -- luacheck: ignore 122
    return variable == "LC_ALL" and name or getenv(variable)
  end
  local ok, result = pcall(fn)
  os.getenv = getenv -- luacheck: ignore 122
  return ok and result or error(result, 0)
end

local function difference(old, new, color, locale)
  return in_locale(locale or "C.UTF-8", function()
    return show_diff(stream(nil, color), old, new)
  end)
end

local function lines(...)
  return table.concat({ ... }, "\n") .. "\n"
end

-- Everything that moves the cursor, colours, renames the window, or reorders the line.
local EVIL = "a\27]0;title\7 \27[31mred\27[0m \27[2J\27[1;1H \8\13 \194\155\51\49m \155"
  .. " \226\128\174live\226\128\172 \226\128\139b"
local VISIBLE = [[a\x1b]0;title\x07 \x1b[31mred\x1b[0m \x1b[2J\x1b[1;1H \x08\r \u{9b}31m \x9b \u{202e}live\u{202c}]]
local EVIL_JSON = encode({ (EVIL:gsub(" \155", "")) }, "value"):sub(2, -2)

local function assert_is_safe(shown)
  assert.is_nil(shown:find "[%z\1-\9\11-\31\127]")
  assert.is_nil(shown:find("\194\155", 1, true))
  assert.is_nil(shown:find("\226\128\174", 1, true))
end

describe("the difference of two texts", function()
  it("marks the words that were removed and added", function()
    assert.equal(lines("@@ -1,1 +1,1 @@", "Be [-brief-]{+kind+}."), difference("Be brief.", "Be kind."))
    assert.equal(lines("\27[36m@@ -1,1 +1,1 @@\27[0m", "Be \27[31;9mbrief\27[0m\27[32;4mkind\27[0m."),
      difference("Be brief.", "Be kind.", "always"))
  end)

  it("says so if there is none", function()
    assert.equal("The texts are the same.\n", difference("Be brief.\n", "Be brief.\n"))
    assert.equal("The texts are the same.\n", difference("", ""))
  end)

  it("has some lines around each change, in hunks", function()
    local old, new = {}, {}
    for index = 1, 30 do
      old[index], new[index] = "line " .. index, "line " .. index
    end
    new[5], new[12] = "line five", "line twelve"
    table.remove(new, 25)
    assert.equal(lines("@@ -2,14 +2,14 @@", "line 2", "line 3", "line 4", "line [-5-]{+five+}", "line 6", "line 7",
      "line 8", "line 9", "line 10", "line 11", "line [-12-]{+twelve+}", "line 13", "line 14", "line 15",
      "@@ -22,7 +22,6 @@", "line 22", "line 23", "line 24", "[-line 25-]", "line 26", "line 27", "line 28"),
      difference(table.concat(old, "\n") .. "\n", table.concat(new, "\n") .. "\n"))
  end)

  it("counts the lines as the unified form does", function()
    assert.equal(lines("@@ -0,0 +1,2 @@", "{+a+}", "{+b+}"), difference("", "a\nb\n"))
    assert.equal(lines("@@ -1,2 +0,0 @@", "[-a-]", "[-b-]"), difference("a\nb\n", ""))
    assert.equal(lines("@@ -1,2 +1,3 @@", "a", "{+x+}", "b"), difference("a\nb", "a\nx\nb"))
    assert.equal(lines("@@ -1,1 +1,2 @@", "a{+↵+}", "{+b+}"), difference("a", "a\nb"))
    assert.equal(lines("@@ -1,2 +1,1 @@", "Be [-brief.-]", "[-Go-]{+kind+} on"), difference("Be brief.\nGo on",
      "Be kind on"))
  end)

  it("shows line feeds that nothing else would show", function()
    assert.equal(lines("@@ -1,1 +1,1 @@", "a{+↵+}"), difference("a", "a\n"))
    assert.equal(lines("@@ -1,2 +1,3 @@", "a", "{+↵+}", "b"), difference("a\nb", "a\n\nb"))
    assert.equal(lines("@@ -1,2 +1,3 @@", "a", [[{+\n+}]], "b"), difference("a\nb", "a\n\nb", nil, "C"))
    assert.equal(lines("@@ -1,2 +1,1 @@", "a[-↵-]", "{+ +}b"), difference("a\nb", "a b"))
    assert.equal(lines("@@ -1,2 +1,2 @@", "a[-\\r-]", "{+↵+}", "b"), difference("a\r\nb", "a\nb"))
    assert.equal(lines("@@ -1,2 +1,2 @@", "a", "[-b-]{+c+}"), difference("a\r\nb", "a\r\nc"))
  end)

  it("makes untrusted text visible", function()
    for _, color in ipairs { "never", "always" } do
      for _, pair in ipairs { { EVIL, "x" }, { "x", EVIL }, { EVIL .. " y", EVIL .. " z" } } do
        local shown = difference(pair[1], pair[2], color)
        assert_is_safe(shown:gsub("\27%[[0-9;]*m", ""))
        assert.is_nil(shown:gsub("\27%[36m", ""):gsub("\27%[0m", ""):gsub("\27%[31;9m", ""):gsub("\27%[32;4m", "")
          :find "\27")
      end
    end
    assert.truthy(difference(EVIL .. " y", EVIL .. " z"):find(VISIBLE, 1, true))
  end)
end)

-- ---- calls ----

local function call_of(json)
  return cekura.assert(cekura.call_log(json))
end

local function with_turns(turns)
  return call_of(('{"transcript_object":[%s]}'):format(turns))
end

local function transcript(call, columns, color, locale)
  return in_locale(locale or "C.UTF-8", function()
    return show_call.transcript(stream(columns, color), call)
  end)
end

local function metrics(list, columns, color, locale)
  local call = type(list) == "string" and call_of(('{"evaluation":{"metrics":[%s]}}'):format(list)) or list
  return in_locale(locale or "C.UTF-8", function()
    return show_call.metrics(stream(columns, color), call)
  end)
end

describe("a transcript", function()
  local TURNS = [[
    {"role":"Main Agent","content":"Lakeside Dental, good morning. How can I help?","start_time":0.4},
    {"role":"Testing Agent","content":"I need a check-up.","start_time":12.9},
    {"role":"Function Call","content":"","start_time":13,"data":{"id":"c1","name":"book_appointment",
      "arguments":{"day":"Tuesday","hour":"half past nine"}}},
    {"role":"Function Call Result","start_time":14,"data":{"id":"c1","name":"book_appointment","result":{"free":[9]}}},
    {"role":"Main Agent","content":"Done."},
    {"role":"Testing Agent","content":"Bye.","start_time":75}]]

  it("has the times, the roles and the tool calls", function()
    assert.equal(lines("[00:00] Main Agent: Lakeside Dental, good morning. How can I help?",
      "[00:12] Testing Agent: I need a check-up.",
      [[[00:13] → book_appointment {"day":"Tuesday","hour":"half past nine"}]],
      [[[00:14] ← {"free":[9]}]],
      "        Main Agent: Done.",
      "[01:15] Testing Agent: Bye."), transcript(with_turns(TURNS)))
  end)

  it("is as wide as the terminal", function()
    assert.equal(lines("[00:00] Main Agent: Lakeside Dental,", "        good morning. How can I help?",
      "[00:12] Testing Agent: I need a", "        check-up.", [[[00:13] → book_appointment {"day":"Tues…]],
      [[[00:14] ← {"free":[9]}]], "        Main Agent: Done.", "[01:15] Testing Agent: Bye."),
      transcript(with_turns(TURNS), 40))
    assert.equal(lines("[00:00] Main", "    Agent:", "    Lakeside", "    Dental,", "    good", "    morning."),
      transcript(with_turns(TURNS), 12):match "^.-morning%.\n")
    for columns = 1, 30 do
      for line in transcript(with_turns(TURNS), columns):gmatch "[^\n]+" do
        assert.is_true(text.width(line) <= math.max(columns, 9), line)
      end
    end
  end)

  it("has wide characters on as many columns as they take", function()
    local call = with_turns '{"role":"Main Agent","content":"日本語の長い文章です。もう一つ。","start_time":1}'
    assert.equal(lines("[00:01] Main Agent:", "        日本語の長い文章です。も", "        う一つ。"), transcript(call, 32))
  end)

  it("has colours for the roles, and for tool calls", function()
    local more = ',{"role":"Night Porter","content":"x","start_time":80}'
    local shown = transcript(with_turns(TURNS .. more), 80, "always")
    for _, line in ipairs {
      "[00:00] \27[36mMain Agent:\27[0m Lakeside Dental, good morning. How can I help?\n",
      "\n[00:12] \27[32mTesting Agent:\27[0m I need a check-up.\n",
      '\n[00:13] \27[2m→ book_appointment {"day":"Tuesday","hour":"half past nine"}\27[0m\n',
      "\n        \27[36mMain Agent:\27[0m Done.\n",
      "\n[01:20] \27[34mNight Porter:\27[0m x\n",
    } do
      assert.truthy(shown:find(line, 1, true), line)
    end
    -- A terminal that is too narrow for a role has it without colour.
    assert.truthy(transcript(with_turns(TURNS), 12, "always"))
  end)

  it("has hours if the call has", function()
    assert.equal(lines("[0:00:01] a: x", "[1:02:05] a: y"), transcript(with_turns
      '{"role":"a","content":"x","start_time":1},{"role":"a","content":"y","start_time":3725}'))
    assert.equal(lines(" [0:59:59] a: x", "[10:00:00] a: y"), transcript(with_turns
      '{"role":"a","content":"x","start_time":3599.9},{"role":"a","content":"y","start_time":36000}'))
  end)

  it("counts dates from the first one", function()
    assert.equal(lines("[00:00] a: x", "[00:07] a: y", "        a: z"), transcript(with_turns [[
      {"role":"a","content":"x","start_time":1789000000123},{"role":"a","content":"y","start_time":1789000007.2},
      {"role":"a","content":"z","start_time":1788000007.2}]]))
  end)

  it("leaves out times that no call has", function()
    local run = { transcript_object = { { role = "a", content = "x", start_time = math.huge },
      { role = "a", content = "y", start_time = 1600000000 }, { role = "a", content = "z", start_time = 1789000000 },
      { role = "a", content = "w", start_time = 0 / 0 } } }
    require("cekura.records.result").add_methods { run }
    assert.equal(lines("        a: x", "[00:00] a: y", "        a: z", "        a: w"), transcript(run))
  end)

  it("cuts a long role", function()
    assert.equal(lines(("r"):rep(39) .. "…: x"), transcript(with_turns(('{"role":"%s","content":"x"}'):format(
      ("r"):rep(41)))))
  end)

  it("has no column for times if there are none", function()
    assert.equal(lines("a: x", "b: y", "  z", "  [00:01] c: w"), transcript(with_turns
      [[{"role":"a","content":"x"},{"role":"b","content":"y\nz\r\n[00:01] c: w\n","start_time":"soon"}]]))
    assert.equal(lines("a: x"), transcript(with_turns '{"role":"a","content":"x","start_time":-1}'))
  end)

  it("is read from a text, too", function()
    local call = call_of [[{"transcript_object":null,
      "transcript":"Before.\n[0:00] Main Agent: Hello.\nHow can I help?\n[1:05] Testing Agent: Bye."}]]
    assert.equal(lines("        Before.", "[00:00] Main Agent: Hello.", "        How can I help?",
      "[01:05] Testing Agent: Bye."), transcript(call))
  end)

  it("shows what cannot be read as it came", function()
    assert.equal(lines("5: [5,true,[]]", '{"a":1}: false', "Main Agent:", "user:", "x"), transcript(with_turns [=[
      {"role":5,"content":[5,true,[]]},{"role":{"a":1},"content":false},{"role":"Main Agent"},
      {"role":"user","content":""},{"content":"x"},null,7,{},"z"]=]))
    local deep = ("["):rep(505) .. ("]"):rep(505)
    assert.truthy(transcript(with_turns(('{"role":"a","content":%s},{"role":"b","content":"x"}'):format(deep)))
      :find("b: x", 1, true))
  end)

  it("has tool calls in their several forms", function()
    assert.equal(lines('→ find_room {"nights": 2}', '→ find_room {"nights":2}', "→ find_room", "→ find_room",
      "→ ?", "→ find_room two nights", "← free", "← free", "← find_room", "← ?", "← [1,2]"),
      transcript(with_turns [=[
        {"role":"Function Call","data":{"name":"find_room","arguments":"{\"nights\": 2}"}},
        {"role":"function_call","data":{"name":"find_room","arguments":{"nights":2}}},
        {"role":"Function Call","content":"find_room"},
        {"role":"Tool Call","data":{"name":"find_room"}},
        {"role":"Function Call"},
        {"role":"Function Call","content":"two nights","data":{"name":"find_room"}},
        {"role":"Function Call Result","data":{"name":"find_room","result":"free"}},
        {"role":"Function Call Result","content":"free","data":{"name":"find_room"}},
        {"role":"Function Call Result","data":{"name":"find_room"}},
        {"role":"Function Call Result","data":5},
        {"role":"tool","data":{"result":[1,2]}}]=]))
  end)

  it("is in ASCII in a locale without UTF-8, but for the texts", function()
    assert.equal(lines("-> é", "<- é"), transcript(with_turns
      '{"role":"Function Call","content":"é"},{"role":"Function Call Result","content":"é"}', nil, nil, "C"))
  end)

  it("makes untrusted text visible, wherever it is", function()
    local call = with_turns((([[{"role":"Main Agent","content":EVIL,"start_time":1},{"role":EVIL,"content":"x"},
      {"role":"Function Call","data":{"name":EVIL,"arguments":EVIL}},
      {"role":"Function Call","data":{"name":"x","arguments":{"a":EVIL}}},
      {"role":"Function Call Result","data":{"result":EVIL}},{"role":"a","content":[EVIL,{"text":EVIL}]},
      {"role":"a","content":{"b":EVIL}}]]):gsub("EVIL", function() return EVIL_JSON end)))
    for _, columns in ipairs { 20, 40, 80, 1000, false } do
      assert_is_safe(transcript(call, columns or nil))
      assert_is_safe(transcript(call, columns or nil, "always"):gsub("\27%[[0-9;]*m", ""))
    end
    local shown = transcript(call)
    local _, count = shown:gsub("\\x1b%]0;title\\x07", "")
    assert.equal(9, count + select(2, shown:gsub("\\u001b%]0;title", "")))
    -- A line of the text cannot pass for a turn.
    assert.equal(lines("[00:01] a: x", "        [00:02] b: y"), transcript(with_turns
      '{"role":"a","content":"x\\n[00:02] b: y","start_time":1}'))
  end)

  it("of runs reads the same, also of those in the result of a job", function()
    local turns = '[{"role":"Main Agent","content":"Hello.","start_time":1}]'
    local result = cekura.assert(cekura.record(('{"id":1,"runs":{"8":{"id":8,"transcript_object":%s}}}'):format(turns)))
    local run = { transcript_object = { { role = "Main Agent", content = "Hello.", start_time = 1 } } }
    require("cekura.records.result").add_methods { run }
    assert.equal("[00:01] Main Agent: Hello.\n", transcript(run))
    local class = require("cekura.records.record").class "run"
    local core = require "cekura.core"
    assert.equal("[00:01] Main Agent: Hello.\n", transcript(core.new_record(core.slice(cekura.record(core.slice(result,
      "runs")), "8"), nil, class)))
  end)

  it("says so if there is none", function()
    for _, json in ipairs { "{}", '{"transcript_object":[],"transcript":""}', '{"transcript":null}' } do
      assert.equal("The call has no transcript.\n", transcript(call_of(json)))
    end
  end)
end)

describe("metrics", function()
  local OLD = [[
    {"id":1,"name":"Appointment confirmed","type":"binary_qualitative","score":5,"explanation":"It was read back."},
    {"id":2,"name":"Outcome","type":"enum","enum":"booked","explanation":[]},
    {"id":3,"name":"No medical advice","type":"binary_workflow_adherence","score":0,
      "explanation":["The agent named a painkiller.","Twice."]},
    {"id":4,"name":"Seconds to the first word","type":"numeric","score":1.8},
    {"id":5,"name":"Handover","type":"binary_qualitative","score":null,"explanation":"Nobody asked."},
    {"id":6,"name":"Politeness","type":"binary_qualitative","score":0}]]
  local NEW = [[
    {"id":1,"name":"Appointment confirmed","eval_type":"binary","passed":true,"explanation":["It was read back."]},
    {"id":2,"name":"Outcome","eval_type":"enum","value":"booked"},
    {"id":3,"name":"No medical advice","eval_type":"binary","passed":false,
      "explanation":["The agent named a painkiller.","Twice."]},
    {"id":4,"name":"Seconds to the first word","eval_type":"numeric","score":1.8},
    {"id":5,"name":"Handover","eval_type":"binary","passed":null,"explanation":["Nobody asked."]},
    {"id":6,"name":"Politeness","eval_type":"binary","passed":false}]]

  it("that failed are first, then those without a verdict, in both formats", function()
    for _, list in ipairs { OLD, NEW } do
      assert.equal(lines("✗ No medical advice: 0", "  The agent named a painkiller.", "  Twice.", "✗ Politeness: 0",
        "– Outcome: booked", "– Seconds to the first word: 1.8", "– Handover", "  Nobody asked.",
        "✓ Appointment confirmed: 5", "  It was read back."), metrics(list))
      assert.equal(lines("FAIL No medical advice: 0", "     The agent named a painkiller.", "     Twice.",
        "FAIL Politeness: 0", "-    Outcome: booked", "-    Seconds to the first word: 1.8", "-    Handover",
        "     Nobody asked.", "pass Appointment confirmed: 5", "     It was read back."), metrics(list, nil, nil, "C"))
    end
  end)

  it("are as wide as the terminal", function()
    assert.equal(lines("✗ No medical advice:", "  0", "  The agent named a", "  painkiller.", "  Twice.",
      "✗ Politeness: 0"), metrics(OLD, 20):match "^(.-Politeness: 0\n)")
  end)

  it("have colours", function()
    local shown = metrics(OLD, 80, "always")
    for _, line in ipairs { "\27[31m✗\27[0m No medical advice: 0\n", "\n\27[33m–\27[0m Outcome: booked\n",
      "\n\27[32m✓\27[0m Appointment confirmed: 5\n" } do
      assert.truthy(shown:find(line, 1, true), line)
    end
  end)

  it("without a name have their id, and odd values as they came", function()
    assert.equal(lines("– 7: 3", "– ?", [[– x: {"a":[1,null]}]], "– y: false"), metrics
      '{"id":7,"score":3},{"a":1},{"name":"x","value":{"a":[1,null]}},{"name":"y","value":false}')
  end)

  it("have several paragraphs, all indented", function()
    assert.equal(lines("✗ x: 0", "  One.", "  ", "  ✓ y: 5"), metrics
      '{"name":"x","eval_type":"binary","passed":false,"explanation":["One.\\n\\n✓ y: 5\\n"]}')
  end)

  it("make untrusted text visible", function()
    local list = (([[{"name":EVIL,"value":EVIL,"explanation":[EVIL]},{"id":EVIL,"score":EVIL,"eval_type":"binary",
      "passed":false},{"name":"x","value":{"a":EVIL}}]]):gsub("EVIL", function() return EVIL_JSON end))
    for _, columns in ipairs { 20, 80, false } do
      assert_is_safe(metrics(list, columns or nil))
      assert_is_safe(metrics(list, columns or nil, "always"):gsub("\27%[[0-9;]*m", ""))
    end
  end)

  it("of a run are shown, too", function()
    local run = { evaluation = { metrics = { { name = "x", eval_type = "binary", passed = true } } } }
    require("cekura.records.result").add_methods { run }
    assert.equal("✓ x: 5\n", metrics(run))
  end)

  it("say so if there are none", function()
    assert.equal("The call has no metrics.\n", metrics(call_of '{"status":"success","evaluation":{"metrics":[]}}'))
    assert.equal("The call has no metrics.\n", metrics(call_of '{"success":true}'))
    for _, json in ipairs { "{}", '{"status":"evaluating"}', '{"status":"evaluating","evaluation":null}' } do
      assert.equal("The call has no metrics: it has not been evaluated yet.\n", metrics(call_of(json)))
    end
  end)
end)

describe("on a terminal", function()
  local PROGRAM = [[
    local cekura = require "cekura"
    local show_call, show_diff = require "cekura.command.show_call", require "cekura.command.show_diff"
    local out = require("cekura.command.terminal").open().out
    local handle = assert(io.open(arg[1]))
    local call = cekura.assert(cekura.call_log(handle:read "*a"))
    handle:close()
    out:write(show_call.transcript(out, call) .. show_call.metrics(out, call))
    out:write(show_diff(out, call:get "old", call:get "new"))
  ]]
  local CALL = ([[{"old":"Be brief.\nGo.","new":EVIL,"evaluation":{"metrics":[{"name":"Politeness","eval_type":"binary",
    "passed":false,"explanation":[EVIL]}]},"transcript_object":[
    {"role":"Main Agent","content":"Lakeside Dental, good morning. How can I help?","start_time":0.4},
    {"role":"Testing Agent","content":EVIL,"start_time":3},
    {"role":"Function Call","start_time":4,"data":{"name":"book_appointment","arguments":{"day":"Tuesday",
      "note":EVIL}}},
    {"role":"Main Agent","content":"Done.","start_time":6}]}]]):gsub("EVIL", function() return EVIL_JSON end)

  for _, columns in ipairs { 80, 40 } do
    it(("of %d columns nothing but the colours is an escape sequence"):format(columns), function()
      file.temporary(PROGRAM, function(program)
        file.temporary(CALL, function(path)
          local shown = tmux.start(("%s %s %s"):format(lua, program, path), { columns = columns, rows = 40 })
          finally(function() shown:stop() end)
          assert.equal(0, shown:wait())
          local list = shown:lines()
          assert.equal(columns == 80 and "[00:00] Main Agent: Lakeside Dental, good morning. How can I help?"
            or "[00:00] Main Agent: Lakeside Dental,", list[1])
          local screen = table.concat(list, "\n")
          for _, wanted in ipairs { [[\x1b]0;title\x07]], [[\u{202e}live]], "\n[00:06] Main Agent: Done.\n",
            "\n[00:04] → book_appointment {", "…\n[00:06]", "\n✗ Politeness: 0\n", "\n@@ -1,2 +1,1 @@\n" } do
            assert.truthy(screen:find(wanted, 1, true), wanted .. " is not in\n" .. screen)
          end
          for _, line in ipairs(list) do
            assert.is_true(text.width(line) <= columns)
          end
          assert.is_nil(shown:value("#{pane_title}"):find("title", 1, true))
          assert.truthy(shown:screen { styles = true }:find("\27[36mMain Agent:", 1, true))
        end)
      end)
    end)
  end
end)

--- Compares call logs as records with call logs decoded by lua-cjson, on the same texts in one run: the time to read
-- three fields of each, and the memory that each needs beside its text. records.lua [CALL_LOGS]; see README.md.

local cjson = require "cjson"
local core = require "cekura.core"

local BATCH = 1000 -- the number of call logs in memory at once
local ROUNDS = 3 -- for each way and each batch
local KEPT = 1000 -- the number of call logs whose memory is measured

-- ---- call logs ----

-- Park and Miller's generator, for the same texts on every Lua.
local seed = 1
local function random(least, most)
  seed = seed * 16807 % 2147483647
  return least + seed % (most - least + 1)
end

local function one_of(list)
  return list[random(1, #list)]
end

-- A quoted text. One word in nine contains an escape or a character beyond ASCII.
local WORDS = {
  "the", "booking", "for", "two", "nights", "is", "on", "my", "name", "and", "please", "could", "you", "read", "it",
  "back", "to", "me", "again", "Tuesday", "half", "past", "nine", "room", "key", "breakfast", "of", "course", "one",
  "moment", "I", "will", "look", "that", "up", "there", "are", "still", "appointments", "in", "an", "afternoon", "then",
  "Blum,", "yes,", "no,", "thanks.", "really?", "about", "with", "invoice", "address", "confirmed", "cancelled,",
  "Zürich", "“fine”", "café", "…", "\\\"now\\\"", "a\\/b", "\\n", "\\u00fc", "\\ud83d\\ude42",
}
local function prose(least, most)
  local words = {}
  for i = 1, random(least, most) do
    words[i] = one_of(WORDS)
  end
  return '"' .. table.concat(words, " ") .. '"'
end

-- Values are JSON texts; a list of {name, value} becomes an object in one of the two forms that services write.
local function object(members, style)
  local parts = {}
  for i, member in ipairs(members) do
    parts[i] = '"' .. member[1] .. '"' .. style.colon .. member[2]
  end
  return "{" .. table.concat(parts, style.comma) .. "}"
end

local function list(values, style)
  return "[" .. table.concat(values, style.comma) .. "]"
end

local SPACED, DENSE = { colon = ": ", comma = ", " }, { colon = ":", comma = "," }

local function seconds(value)
  return ("%.2f"):format(value)
end

local function clock(value)
  return ("%02d:%02d"):format(math.floor(value / 60), math.floor(value) % 60)
end

local function spoken(place, start, style)
  local role = place % 2 == 1 and "Main Agent" or "Testing Agent"
  local content = prose(4, 40)
  local stop = start + #content / 15
  return object({
    { "role", '"' .. role .. '"' }, { "content", content }, { "start_time", seconds(start) },
    { "end_time", seconds(stop) }, { "time", '"' .. clock(start) .. '"' },
  }, style), stop + 0.4, ("[%s] %s: %s\\n"):format(clock(start), role, content:sub(2, -2))
end

local function tool(start, style)
  local id = '"call_' .. random(100000, 999999) .. '"'
  local arguments = object({ { "day", '"Tuesday"' }, { "minutes", random(10, 90) } }, style)
  local slots = list({ '"09:30"', '"14:15"', '"15:00"' }, style)
  local result = object({ { "slots", slots }, { "closed", "false" }, { "note", prose(3, 12) } }, style)
  local function turn(role, data)
    return object({
      { "role", '"' .. role .. '"' }, { "start_time", seconds(start) }, { "end_time", seconds(start + 0.5) },
      { "data", object(data, style) },
    }, style)
  end
  return turn("Function Call", { { "id", id }, { "name", '"find_slots"' }, { "arguments", arguments } }),
    turn("Function Call Result", { { "id", id }, { "result", result } }), start + 0.9
end

-- Turns of about `bytes` bytes, the same as text, and the duration of the call.
local function transcript(bytes, style)
  local turns, lines, size, now = {}, {}, 0, 0.4
  while size < bytes do
    local turn, line
    if #turns % 12 == 4 then
      turns[#turns + 1], turn, now = tool(now, style)
      size = size + #turns[#turns]
    else
      turn, now, line = spoken(#turns + 1, now, style)
      lines[#lines + 1] = line
      size = size + #line
    end
    turns[#turns + 1] = turn
    size = size + #turn
  end
  return list(turns, style), '"' .. table.concat(lines) .. '"', now
end

local function metric(place, style)
  local kind = place % 4
  local categories = list({ object({
    { "category_id", random(1, 99) }, { "category", '"Greeting"' }, { "deviation", prose(6, 20) },
    { "priority", '"non-critical"' },
  }, style) }, style)
  return object({
    { "id", 500 + place }, { "name", prose(2, 4) }, { "type", kind == 0 and '"enum"' or '"binary_qualitative"' },
    { "score", kind == 0 and "null" or kind == 1 and "5.0" or seconds(random(0, 500) / 100) },
    { "enum", kind == 0 and '"booked"' or "null" }, { "value", kind == 0 and '"booked"' or "null" },
    { "explanation", list({ prose(10, 40), prose(10, 60) }, style) },
    { "extra", object({ { "score_normalized", "0.8" }, { "categories", categories } }, style) },
    { "vocera_defined_metric_code", "null" }, { "function_name", '""' },
  }, style)
end

local function several(make, count, style)
  local values = {}
  for place = 1, count do
    values[place] = make(place, style)
  end
  return list(values, style)
end

local function category(place, style)
  return object({
    { "category_id", place }, { "category", prose(2, 5) }, { "deviation", seconds(random(0, 300) / 100) },
    { "wrongly_marked", "false" }, { "feedback", '""' }, { "priority", '"critical"' },
  }, style)
end

local function dictionary(count, style)
  local members = {}
  for place = 1, count do
    members[place] = { "key_" .. place, place % 3 == 0 and random(1, 1000000) or prose(1, 5) }
  end
  return object(members, style)
end

-- A complete call log of 33 members and 20 to 50 KB. As in the service's answers, it contains its transcript twice.
local function call_log(place)
  local style = place % 2 == 0 and SPACED or DENSE
  local metrics = several(metric, random(4, 12), style)
  local metadata = dictionary(random(5, 30), style)
  local size = random(21, 49) * 1024
  local turns, text, length = transcript(size - #metrics - #metadata - 1500, style)
  return object({
    { "id", 100000 + place }, { "duration", '"' .. clock(length) .. '"' },
    { "voice_recording_url", '"https://recordings.example.com/' .. random(1000000, 9999999) .. '.wav"' },
    { "critical_categories", several(category, random(0, 4), style) }, { "transcript_object", turns },
    { "status", one_of { '"success"', '"failure"', '"reviewed_success"', '"evaluating"' } },
    { "agent_id", '"2142"' }, { "agent_name", '"Lakeside Dental receptionist"' }, { "agent_version", "null" },
    { "evaluation", object({ { "metrics", metrics } }, style) }, { "metadata", metadata },
    { "dynamic_variables", dictionary(4, style) }, { "testing_channel_index", "1" }, { "waveform", "{}" },
    { "timestamp", '"2026-03-15T10:15:45Z"' }, { "success", one_of { "true", "false", "null" } },
    { "is_reviewed", "false" }, { "feedback", '""' }, { "rubric", "null" }, { "transcript", text },
    { "call_ended_reason", '"customer-ended-call"' }, { "dropoff_point", '""' }, { "topic", prose(2, 6) },
    { "customer_number", '"+493012345' .. random(100, 999) .. '"' }, { "user_generated_transcript", "null" },
    { "error_message", "null" }, { "created_at", '"2026-03-15T10:20:11.482913Z"' },
    { "updated_at", '"2026-03-15T10:24:57.001244Z"' }, { "call_id", '"ext-' .. random(100000000, 999999999) .. '"' },
    { "trace_id", '""' }, { "is_log_present", "true" }, { "agent", 2142 }, { "project", 310 },
  }, style)
end

local function call_logs(count)
  local texts, bytes = {}, 0
  for place = 1, count do
    texts[place] = call_log(place)
    bytes = bytes + #texts[place]
  end
  return texts, bytes
end

-- ---- the two ways ----

-- Reads three fields of a text.
local ways = {
  records = function(text)
    local call = assert(core.new_record(text, nil, core.record_class "record"))
    return call, call.id, call.status, call.duration
  end,
  cjson = function(text)
    local call = cjson.decode(text)
    return call, call.id, call.status, call.duration
  end,
}

local function median(figures)
  table.sort(figures)
  return figures[math.floor((#figures + 1) / 2)]
end

-- The seconds of processor time for all texts, including garbage collection. Each result is dropped before the next.
local function time(way, texts)
  collectgarbage()
  local began = os.clock()
  for i = 1, #texts do
    local _, id, status, duration = way(texts[i])
    assert(id == 100000 + i and status and duration)
  end
  return os.clock() - began
end

local function measure_time(count)
  local spent, ratios, bytes, least, most = { records = {}, cjson = {} }, {}, 0, math.huge, 0
  for batch = 1, count / BATCH do
    seed = batch
    local texts, size = call_logs(BATCH)
    bytes = bytes + size
    for _, text in ipairs(texts) do
      least, most = math.min(least, #text), math.max(most, #text)
    end
    for round = 1, ROUNDS do
      local first = (batch + round) % 2 == 0 and "records" or "cjson"
      local second = first == "records" and "cjson" or "records"
      local took = { [first] = time(ways[first], texts), [second] = time(ways[second], texts) }
      for name, list_of in pairs(spent) do
        list_of[#list_of + 1] = took[name] * 1e6 / BATCH
      end
      ratios[#ratios + 1] = took.records / took.cjson
    end
  end
  return spent, ratios, least / 1024, bytes / count / 1024, most / 1024
end

-- ---- memory ----

-- Each way runs in a separate process, which begins with the same texts and without freed memory that could be reused:
-- the texts are substrings of one large string, whose memory malloc returns to the system.
local FRESH = "MALLOC_MMAP_THRESHOLD_=131072"

local function resident()
  local file = assert(io.open "/proc/self/statm")
  local pages = tonumber(file:read "*a":match "^%d+ (%d+)")
  file:close()
  return pages * 4
end

-- LuaJIT halves its buffers at each collection.
local function collected()
  for _ = 1, 40 do
    collectgarbage()
  end
  return collectgarbage "count", resident()
end

-- Prints KB for each call log: by Lua's count, and by the growth of the process.
local function keep(way, path)
  local file = assert(io.open(path, "rb"))
  local sizes, whole = file:read "*l", file:read "*a"
  file:close()
  local texts, calls, first = {}, {}, 1
  for size in sizes:gmatch "%d+" do
    texts[#texts + 1] = whole:sub(first, first + size - 1)
    calls[#texts] = false
    first = first + size
  end
  whole = nil -- luacheck: ignore
  local counted, has = collected()
  for i, text in ipairs(texts) do
    calls[i] = way(text)
  end
  local counted_then, has_then = collected()
  print(("%.3f %.3f %d"):format((counted_then - counted) / #texts, (has_then - has) / #texts, #calls))
end

local function measure_memory()
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  seed = 1
  local texts, bytes = call_logs(KEPT)
  local sizes = {}
  for i, text in ipairs(texts) do
    sizes[i] = #text
  end
  file:write(table.concat(sizes, " "), "\n", table.concat(texts))
  file:close()
  local found = {}
  for name in pairs(ways) do
    local pipe = assert(io.popen(("%s %s %s keep %s %s"):format(FRESH, arg[-1], arg[0], name, path)))
    local counted, has = (pipe:read "*l" or ""):match "(%S+) (%S+)"
    assert(pipe:close())
    found[name] = { counted = tonumber(counted), resident = tonumber(has) }
  end
  os.remove(path)
  return bytes / KEPT / 1024, found
end

if arg[1] == "keep" then
  keep(ways[arg[2]], arg[3])
  return
end

local count = math.ceil((tonumber(arg[1]) or 10000) / BATCH) * BATCH
local spent, ratios, least, average, most = measure_time(count)
local size, memory = measure_memory()
print(("%d call logs of %.1f to %.1f KB, %.1f on average, on %s; of each, id, status and duration are read"):format(
  count, least, most, average, jit and jit.version or _VERSION))
print(("%-44s %10s %10s %14s"):format("", "records", "lua-cjson", "one of other"))
print(("%-44s %10.1f %10.1f %14.3f"):format("microseconds for each, median of the rounds", median(spent.records),
  median(spent.cjson), median(ratios)))
print(("%-44s %10.2f %10.2f %14.3f"):format(("KB for each beside its text of %.1f, by Lua"):format(size),
  memory.records.counted, memory.cjson.counted, memory.records.counted / memory.cjson.counted))
print(("%-44s %10.2f %10.2f %14.3f"):format("the same, by the resident memory", memory.records.resident,
  memory.cjson.resident, memory.records.resident / memory.cjson.resident))
print(("rounds from %.3f to %.3f; goals: a time of 0.2, a memory of 0.1"):format(ratios[1], ratios[#ratios]))

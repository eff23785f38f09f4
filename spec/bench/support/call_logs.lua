--- Invented call logs, as complete as the service's.

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

--- Makes call logs, as JSON texts: the same ones for the same seed, on every Lua.
---@param count integer
---@param first_seed integer
---@return string[]
return function(count, first_seed)
  seed = first_seed
  local texts = {}
  for place = 1, count do
    texts[place] = call_log(place)
  end
  return texts
end

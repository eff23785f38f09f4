--- Objects of many shapes as JSON texts, to be decoded: a list of { name, text }.

-- Park and Miller's generator, for the same texts on every Lua.
local seed = 1
local function random(least, most)
  seed = seed * 16807 % 2147483647
  return least + seed % (most - least + 1)
end

local function one_of(list)
  return list[random(1, #list)]
end

local function joined(count, make, separator)
  local parts = {}
  for index = 1, count do
    parts[index] = make(index)
  end
  return table.concat(parts, separator)
end

-- Texts that do not depend on the place.
local function always(text)
  return function() return text end
end

-- ---- texts ----

local PLAIN = { "the", "booking", "for", "two", "nights", "is", "on", "my", "name", "and", "please", "could", "you" }
local ESCAPED = { '\\"now\\"', "a\\/b", "\\n", "\\u00fc", "\\ud83d\\ude42", "Zürich", "“fine”" }

local function prose(words, odd)
  return '"' .. joined(words, function(index)
    return one_of(odd and index % 9 == 0 and odd or PLAIN)
  end, " ") .. '"'
end

local function indented(depth, pad)
  if depth == 0 then
    return '"x y"'
  end
  return "{\n" .. joined(4, function(index)
    return ('%s  "k%d": %s'):format(pad, index, indented(depth - 1, pad .. "  "))
  end, ",\n") .. "\n" .. pad .. "}"
end

local function call_log(index)
  return ('{"id":%d,"call_id":"ext-%d","status":"success","duration":"01:%d","agent":2142,"success":true,'):format(
    100000 + index, random(100000000, 999999999), random(10, 59))
    .. '"timestamp":"2026-03-15T10:15:45Z","error_message":null,"metadata":{},"critical_categories":[]}'
end

-- ---- shapes ----

-- Lists of one kind of value, which become the member "a" of an object.
local LISTS = {
  { "booleans", 5000, function(index) return tostring(index % 2 == 0) end },
  { "nulls, empty objects and empty lists", 2000, function(index)
    return index % 3 == 0 and "null" or index % 3 == 1 and "{}" or "[]"
  end },
  { "small whole numbers", 10000, function() return random(0, 99) end },
  { "numbers of 16 places", 10000, function() return ("%.16f"):format(random(1, 2000000000) / 2147483647) end },
  { "short strings", 10000, function() return ('"w%d"'):format(random(1, 2000)) end },
  { "prose with escapes", 500, function() return prose(40, ESCAPED) end },
  { "JSON in strings", 300, always [["{\"day\":\"Tuesday\",\"minutes\":45,\"slots\":[\"09:30\"]}"]] },
  { "Latin letters", 500, always('"' .. ("süßé übérall "):rep(20) .. '"') },
  { "unicode escapes", 500, function()
    return '"' .. joined(40, function() return ("\\u%04x"):format(random(0x4e00, 0x9000)) end) .. '"'
  end },
  { "emoji escapes", 500, always('"' .. ("\\ud83d\\ude42"):rep(20) .. '"') },
  { "pairs", 3000, function() return ("[%d,%d]"):format(random(1, 1000), random(1, 1000)) end },
  { "points", 3000, function() return ('{"x":%d,"y":%d}'):format(random(1, 1000), random(1, 1000)) end },
  { "lists 20 deep", 200, always(("["):rep(20) .. "1" .. ("]"):rep(20)) },
  { "short call logs", 100, call_log },
}

local texts = {
  { "one member", '{"id":1}' },
  { "a small object", '{"id":2142,"status":"success","duration":"01:23","success":true,"agent":null,"score":4.5}' },
  { "an answer to a poll",
    '{"status":"in_progress","progress":{"completed":3,"total":12},"progress_id":"a1b2","error":null,"messages":[]}' },
  { "300 objects deep", ('{"a":'):rep(300) .. "1" .. ("}"):rep(300) },
  { "indented objects", indented(5, "") },
}
for _, shape in ipairs(LISTS) do
  texts[#texts + 1] = { shape[1], '{"a":[' .. joined(shape[2], shape[3], ",") .. "]}" }
end

return texts

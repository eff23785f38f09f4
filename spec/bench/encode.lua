--- Compares the encoding of request bodies with lua-cjson's, on the same tables in one run: encode.lua [ROUNDS]; see
-- README.md. lua-cjson neither checks what it writes nor keeps numbers exact.

local cjson = require "cjson"
local encode = require "cekura.http.encode"

local ROUNDS = tonumber(arg[1]) or 9
local ROUND = 0.05 -- processor seconds of one side in a round, at least

-- Park and Miller's generator, for the same values on every Lua.
local seed = 1
local function random(least, most)
  seed = seed * 16807 % 2147483647
  return least + seed % (most - least + 1)
end

local function fill(count, make)
  local list = {}
  for index = 1, count do
    list[index] = make(index)
  end
  return list
end

local ENGLISH = {
  "the", "booking", "for", "two", "nights", "is", "on", "my", "name", "and", "please", "could", "you", "read", "it",
  "back", "to", "me", "again", "Tuesday,", "half", "past", "nine.", "\"Blum\"", "and/or", "Zürich", "…", "\n",
}
local CHINESE = { "您好", "我想", "预订", "星期二", "上午", "九点半", "的", "检查", "，", "谢谢", "。" }

local function prose(words, count, space)
  return table.concat(fill(count, function()
    return words[random(1, #words)]
  end), space)
end

local function transcript(turns, words, space)
  return {
    agent = 2142, call_id = "sess-1", call_ended_reason = "customer-ended-call", timestamp = "2026-11-26T09:30:00Z",
    transcript_json = fill(turns, function(index)
      return {
        role = index % 2 == 0 and "Main Agent" or "Testing Agent", content = prose(words, random(10, 60), space),
        start_time = index * 1.5, end_time = index * 1.5 + 1.25, time = "00:10",
      }
    end),
  }
end

local CASES = {
  { "an hour's transcript", transcript(5250, ENGLISH, " ") },
  { "the same in Chinese", transcript(5250, CHINESE, "") },
  { "the start of an improvement", { call_logs = { 5181749, 5181752 }, agent_id = 2142, prompt = "Be brief." } },
  { "a prompt of 100 KB", { prompt = prose(ENGLISH, 20000, " ") } },
  { "whole numbers", fill(10000, function() return random(1, 2000000000) end) },
  { "numbers with two decimals", fill(10000, function() return random(1, 400000) / 100 end) },
  { "numbers of 17 digits", fill(10000, function() return random(1, 2000000000) / 1.7 end) },
  { "numbers of any exponent", fill(10000, function() return random(1, 2000000000) * 10 ^ random(-300, 290) end) },
  { "objects of booleans", fill(2000, function() return { success = true, done = false, a = true, b = false } end) },
  { "an object of 5,000 members", (function()
    local object = {}
    for index = 1, 5000 do
      object["member " .. random(1, 1000000)] = index
    end
    return object
  end)() },
}

local function run(fn, value, times)
  local begun = os.clock()
  for _ = 1, times do
    fn(value)
  end
  return (os.clock() - begun) / times
end

local function encode_body(value)
  return encode(value, "body")
end

local function median(figures)
  table.sort(figures)
  return figures[math.floor((#figures + 1) / 2)]
end

print(("encoding on %s, %d rounds; microseconds of processor time, medians"):format(_VERSION, ROUNDS))
print(("%-30s %9s %10s %10s %6s"):format("", "bytes", "this", "lua-cjson", "ratio"))
for _, case in ipairs(CASES) do
  local name, value = case[1], case[2]
  local theirs, ours, ratios = {}, {}, {}
  local times = math.ceil(ROUND / run(cjson.encode, value, 3))
  for round = 1, ROUNDS do
    theirs[round], ours[round] = run(cjson.encode, value, times), run(encode_body, value, times)
    ratios[round] = ours[round] / theirs[round]
  end
  print(("%-30s %9d %10.1f %10.1f %6.2f"):format(name, #encode(value, "body"), median(ours) * 1e6, median(theirs) * 1e6,
    median(ratios)))
end

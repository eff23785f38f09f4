--- Values of several kinds, to be encoded and decoded: a list of { name, table }.

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

local function many_members()
  local object = {}
  for index = 1, 5000 do
    object["member " .. random(1, 1000000)] = index
  end
  return object
end

local function numbers(make)
  return { values = fill(10000, make) }
end

return {
  { "an hour's transcript", transcript(5250, ENGLISH, " ") },
  { "the same in Chinese", transcript(5250, CHINESE, "") },
  { "the start of an improvement", { call_logs = { 5181749, 5181752 }, agent_id = 2142, prompt = "Be brief." } },
  { "a prompt of 100 KB", { prompt = prose(ENGLISH, 20000, " ") } },
  { "10,000 whole numbers", numbers(function() return random(1, 2000000000) end) },
  { "10,000 numbers with two decimals", numbers(function() return random(1, 400000) / 100 end) },
  { "10,000 numbers of 17 digits", numbers(function() return random(1, 2000000000) / 1.7 end) },
  { "10,000 numbers of any exponent", numbers(function() return random(1, 2000000000) * 10 ^ random(-300, 290) end) },
  { "2,000 objects of 4 booleans", { values = fill(2000, function()
    return { success = true, done = false, a = true, b = false }
  end) } },
  { "an object of 5,000 members", many_members() },
}

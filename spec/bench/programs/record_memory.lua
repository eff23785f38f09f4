--- Measures the memory of call logs that are kept after three of their fields were read, beside their texts, in KB for
-- each: record_memory.lua records|cjson FILE. The file has the sizes of the texts in its first line, and then the
-- texts. Prints two figures: by Lua's count, and as resident memory.
--
-- The texts are substrings of one large string. With MALLOC_MMAP_THRESHOLD_=131072 in the environment, malloc returns
-- its memory to the system, so there is no freed memory that could be used again.

local cjson = require "cjson"
local core = require "cekura.core"
local file = require "spec.support.file"

local ways = {
  records = function(text)
    return assert(core.new_record(text, nil, core.record_class "record"))
  end,
  cjson = cjson.decode,
}

local function read(call)
  assert(call.id and call.status and call.duration)
  return call
end

local function texts_of(path)
  local sizes, whole = file.read(path):match "^([^\n]*)\n(.*)$"
  local texts, first = {}, 1
  for size in sizes:gmatch "%d+" do
    texts[#texts + 1] = whole:sub(first, first + size - 1)
    first = first + size
  end
  return texts
end

-- LuaJIT halves its buffers at each collection.
local function collected()
  for _ = 1, 40 do
    collectgarbage()
  end
  return collectgarbage "count", tonumber(file.read "/proc/self/statm":match "^%d+ (%d+)") * 4
end

local way, texts = ways[arg[1]], texts_of(arg[2])
local calls = {}
for index = 1, #texts do
  calls[index] = false
end
local counted, has = collected()
for index, text in ipairs(texts) do
  calls[index] = read(way(text))
end
local counted_then, has_then = collected()
print(("%.3f %.3f"):format((counted_then - counted) / #calls, (has_then - has) / #calls))

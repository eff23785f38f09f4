--- How long put() takes, beside a bare write of the same bytes: see README.md.
--   LUA spec/outbox/measure.lua [FOLDER]

local cekura = require "cekura"
local core = require "cekura.core"
local entry = require "cekura.outbox.entry"
local shell = require "spec.support.shell"

local COUNT = tonumber(os.getenv "OUTBOX_COUNT") or 20000

local folder = shell(("mktemp -d -p %s"):format(arg[1] or "/tmp")):match "%S+"

-- A call whose transcript has about that many bytes.
local function call_of(size)
  local turns = {}
  for index = 1, math.max(1, math.floor(size / 150)) do
    turns[index] = { role = index % 2 == 1 and "Main Agent" or "Testing Agent", start_time = index * 2.5,
      end_time = index * 2.5 + 1.9, content = "We are open from nine to six, from Monday to Friday, and closed on "
      .. "holidays." }
  end
  return { call_id = "6f9619ff-8b86-d011-b42d-00c04fc964ff", agent = 2142, transcript_json = turns }
end

-- The median and the 99th percentile of the microseconds that a function takes.
local function measure(count, fn)
  local times = {}
  for index = 1, count do
    local begun = core.now()
    fn()
    times[index] = (core.now() - begun) * 1e6
  end
  table.sort(times)
  return times[math.ceil(count / 2)], times[math.ceil(count * 0.99)]
end

local function row(what, size, median, most)
  print(("%-44s %8d %10.1f %10.1f"):format(what, size, median, most))
end

print(("%-44s %8s %10s %10s"):format("", "bytes", "median µs", "99 % µs"))
for _, size in ipairs { 300, 4000, 40000 } do
  local call = call_of(size)
  local text = entry.text(call)
  local bytes = "\n" .. ("x"):rep(38) .. text
  local count = math.min(COUNT, math.floor(1e9 / #bytes / 4))
  local bare = assert(io.open(folder .. "/bare", "ab"))
  bare:setvbuf "no"
  row("write(), through io.write", #bytes, measure(count, function()
    bare:write(bytes)
  end))
  bare:close()
  local spool = assert(core.open_spool(folder .. "/spool" .. size, 4 * 1024 * 1024))
  row("the entry alone", #bytes, measure(count, function()
    assert(core.append_to_spool(spool, text, false))
  end))
  local box = cekura.assert(cekura.outbox { path = folder .. "/box" .. size })
  row("put(): checks, JSON, entry", #bytes, measure(count, function()
    assert(box:put(call))
  end))
  local synced = cekura.assert(cekura.outbox { path = folder .. "/synced" .. size, sync = true })
  row("put() with sync", #bytes, measure(math.ceil(count / 100), function()
    assert(synced:put(call))
  end))
  shell("rm -rf " .. folder .. "/*")
end
shell("rm -rf " .. folder)

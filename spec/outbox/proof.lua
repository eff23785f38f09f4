--- make outbox-proof: see README.md. Runs in a mount namespace of its own.
--   LUA spec/outbox/proof.lua

local core = require "cekura.core"
local file = require "spec.support.file"
local process = require "spec.support.process"
local service = require "spec.outbox.service"
local shell = require "spec.support.shell"

local function number(name, usual)
  return tonumber(os.getenv("OUTBOX_" .. name)) or usual
end

local seed = number("SEED", os.time() % 100000)
math.randomseed(seed)

local TIMES = { writer = number("WRITER", 50), sender = number("SENDER", 50), full = number("FULL", 10),
  away = number("AWAY", 10), torn = number("TORN", 10) }
local WRITERS, SENDERS = 4, 2
local lua, here = os.getenv "CEKURA_LUA" or "lua5.4", shell "pwd":match "%S+"

-- ---- the stage ----

local files = shell "mktemp -d":match "%S+"
local disk, box = files .. "/disk", files .. "/disk/box"
local output, status = shell(("mkdir %s && mount -t tmpfs -o size=24m none %s"):format(disk, disk))
assert(status == 0, output)
file.write(files .. "/received", "")
file.write(files .. "/log", "")

local it = service.start(files, 0.002)
local environment = ("LUA_PATH='%s/lua/?.lua;%s/lua/?/init.lua;%s/?.lua;;' LUA_CPATH='%s/build/%s/?.so;;' "
  .. "CEKURA_API_URL=%s CEKURA_API_KEY=sim-key"):format(here, here, here, here, lua, it.url)

local generation = 0

local function start_writer()
  generation = generation + 1
  return process.start(("%s %s %s/spec/outbox/write.lua %s w%d %s/acknowledged"):format(environment, lua, here, box,
    generation, files), function(self)
    return self:output():find "ready"
  end)
end

local function start_sender()
  local command = "%s %s %s/bin/cekura-lua outbox run %s --request-timeout 5"
  return process.start(command:format(environment, lua, here, box), function()
    return true
  end)
end

local function kept(each)
  each:stop "KILL"
  local log = assert(io.open(files .. "/log", "a"))
  log:write(each:output())
  log:close()
end

local writers, senders = {}, {}
for index = 1, WRITERS do
  writers[index] = start_writer()
end
for index = 1, SENDERS do
  senders[index] = start_sender()
end

-- ---- the faults ----

local function pause(seconds)
  os.execute(("sleep %.3f"):format(seconds))
end

-- The place of the sender that sends, by the lock that it has.
local function active_sender()
  local inode = shell(("stat -c %%i %s/sender.lock"):format(box)):match "%d+"
  for pid, of in file.read "/proc/locks":gmatch "FLOCK%s+%S+%s+WRITE (%d+) %S+:(%d+) " do
    for index, each in ipairs(senders) do
      if of == inode and each.pid == tonumber(pid) then
        return index
      end
    end
  end
end

local faults, done = {}, { active = 0 }

function faults.writer()
  local index = math.random(WRITERS)
  kept(writers[index])
  writers[index] = start_writer()
end

function faults.sender()
  local index = active_sender()
  done.active = done.active + (index and 1 or 0)
  index = index or math.random(SENDERS)
  kept(senders[index])
  senders[index] = start_sender()
end

function faults.full()
  shell(("head -c 100m /dev/zero >%s/filler"):format(disk))
  pause(0.3 + 0.7 * math.random())
  shell(("rm %s/filler"):format(disk))
end

function faults.away()
  it:go_away()
  pause(0.3 + 2 * math.random())
  it:go_on()
end

-- What a power cut may leave: a part of an entry at the end.
function faults.torn()
  shell(([[
    last=$(ls %s/*.log | tail -n 1) &&
    printf '\n+ 00000000 6b0906%%02x 00002000 00000000 {"call_id":"torn' %d >>"$last"
  ]]):format(box, done.torn or 0))
end

local queue = {}
for name, times in pairs(TIMES) do
  for _ = 1, times do
    table.insert(queue, math.random(#queue + 1), name)
  end
end
local begun = core.now()
for _, name in ipairs(queue) do
  pause(0.1 + 0.4 * math.random())
  faults[name]()
  done[name] = (done[name] or 0) + 1
end
for _, each in ipairs(writers) do
  kept(each)
end

-- ---- the end ----

local left
process.eventually(function()
  left = shell(("%s %s %s/bin/cekura-lua outbox status %s --json"):format(environment, lua, here, box))
  return left:find '"waiting":0'
end)
for _, each in ipairs(senders) do
  kept(each)
end
local took = core.now() - begun

local function lines(name)
  local list, set, count = file.read(files .. "/" .. name) or "", {}, 0
  for line in list:gmatch "([^\n]+)\n" do
    count = count + 1
    set[line] = (set[line] or 0) + 1
  end
  return set, count
end

local received, receipts = lines "received"
local acknowledged, accepted = lines "acknowledged"
local lost, duplicates, distinct, unacknowledged = 0, 0, 0, 0
for id in pairs(acknowledged) do
  lost = lost + (received[id] and 0 or 1)
end
for id, count in pairs(received) do
  distinct = distinct + 1
  duplicates = duplicates + count - 1
  unacknowledged = unacknowledged + (acknowledged[id] and 0 or 1)
end
local log, torn, reported = file.read(files .. "/log"), {}, 0
for line in log:gmatch "(%d+ bytes at %d+ in %d+%.log are a part of an entry)" do
  reported = reported + (torn[line] and 0 or 1)
  torn[line] = true
end
local _, refusals = log:gsub("No space left on device", "")

local function row(what, value)
  print(("%-66s %8s"):format(what, tostring(value)))
end
row("seed", seed)
row("seconds", ("%.0f"):format(took))
row("writers killed", done.writer or 0)
row("senders killed", ("%d"):format(done.sender or 0))
row("  of them while they had the lock", done.active)
row("disk full for a while", done.full or 0)
row("  put() that returned an error", refusals)
row("service away", done.away or 0)
row("parts of entries left by hand", done.torn or 0)
row("calls put: put() has returned true", accepted)
row("calls received", distinct)
row("  put by a writer that was killed before it had written that down", unacknowledged)
row("calls lost", lost)
row("received again", duplicates)
row("parts of entries reported", reported)
row("receipts", receipts)
print(left)

local wrong = {}
local function must(is_right, what)
  wrong[#wrong + 1] = not is_right and what or nil
end
must(left:find '"waiting":0', "calls wait")
must(left:find '"refused":0', "calls were refused")
must(lost == 0, "calls are lost")
must(accepted > 100, "hardly any calls")
must((done.full or 0) == 0 or refusals > 0, "the disk was never full")
must(reported >= (done.torn or 0), "parts of entries were not reported")
if os.getenv "OUTBOX_KEEP" then
  shell(("cp -r %s %s"):format(files, os.getenv "OUTBOX_KEEP"))
end
it:go_away()
shell(("umount %s; rm -rf %s"):format(disk, files))
print(#wrong == 0 and "right" or "wrong: " .. table.concat(wrong, "; "))
os.exit(#wrong == 0 and 0 or 1)

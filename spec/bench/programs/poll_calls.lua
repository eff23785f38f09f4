--- Counts the calls of functions, of Lua or of C, that Lua makes for a poll that changes nothing, on the own loop:
-- poll_calls.lua URL JOBS INTERVAL SECONDS. The difference of two windows of time, of SECONDS and twice as long, so
-- that the calls of this program are left out.

local cekura = require "cekura"
local waiting = require "spec.bench.support.waiting"

local url, count, interval, seconds = arg[1], tonumber(arg[2]), tonumber(arg[3]), tonumber(arg[4])

local calls = 0
local client = waiting.client(url)
local jobs = waiting.jobs(client, url, count)

-- Returns the calls and the polls in that time.
local function window(time)
  local polls_before, calls_before = client:stats().requests, calls
  cekura.sleep(time)
  local calls_after = calls
  return calls_after - calls_before, client:stats().requests - polls_before
end

debug.sethook(function() calls = calls + 1 end, "c") -- coroutines that are made from here on inherit it
cekura.run(function()
  local task = cekura.spawn(cekura.all, jobs, { interval = interval, timeout = 86400 })
  cekura.sleep(2 * interval)
  local few, few_polls = window(seconds)
  local many, many_polls = window(2 * seconds)
  print(("%.3f"):format((many - few) / (many_polls - few_polls)))
  task:cancel()
end)
client:close()

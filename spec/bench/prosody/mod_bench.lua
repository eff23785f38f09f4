-- A Prosody module that measures the delay of a timer of 10 ms, alone or beside jobs that tasks wait for, and prints
-- "figures DELAY STEP POLLS": the longest delay and the longest step, in milliseconds, and the number of polls. The
-- timer begins when the tasks have been spawned.

local jobs, seconds = tonumber(os.getenv "BENCH_JOBS"), tonumber(os.getenv "BENCH_SECONDS")
local now = require "util.time".now

local client

local function begin()
  local cekura = require "cekura"
  local waiting = require "spec.bench.support.waiting"
  local url = os.getenv "BENCH_URL"
  client = waiting.client(url)
  for _, job in ipairs(waiting.jobs(client, url, jobs)) do
    cekura.spawn(job.wait, job, { interval = 1, timeout = 86400 })
  end
end

local function report(longest)
  local stats = client and client:stats() or { longest_step = 0, requests = 0 }
  io.stderr:write(("figures %.3f %.3f %d\n"):format(longest * 1e3, stats.longest_step * 1e3, stats.requests))
end

module:add_timer(0.5, function() -- Prosody has started
  if jobs > 0 then
    begin()
  end
  local began, longest = now(), 0
  local due = began + 0.01
  module:add_timer(0.01, function()
    local time = now()
    longest = math.max(longest, time - due)
    if time > began + seconds then
      return report(longest)
    end
    due = time + 0.01
    return 0.01
  end)
end)

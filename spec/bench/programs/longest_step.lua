--- Prints the longest step of a client, the longest delay of a timer in another process in the same time, both in
-- milliseconds, and the client's polls a second: longest_step.lua URL JOBS INTERVAL SECONDS. The first polls of all
-- jobs, which are due at once, are within SECONDS.

local cekura = require "cekura"
local core = require "cekura.core"
local waiting = require "spec.bench.support.waiting"

local url, count, interval, seconds = arg[1], tonumber(arg[2]), tonumber(arg[3]), tonumber(arg[4])

local client = waiting.client(url)
local jobs = waiting.jobs(client, url, count)
cekura.run(function()
  local timer = assert(io.popen(("build/bench/timer %g"):format(seconds)))
  local began = core.now()
  local task = cekura.spawn(cekura.all, jobs, { interval = interval, timeout = 86400 })
  cekura.sleep(seconds)
  local stats = client:stats()
  print(("%.3f %.3f %.0f"):format(stats.longest_step * 1e3, timer:read "*n", stats.requests / (core.now() - began)))
  timer:close()
  task:cancel()
end)
client:close()

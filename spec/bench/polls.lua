--- Measures polls whose answers do not change: polls.lua URL JOBS INTERVAL SECONDS
-- Prints the processor time of a poll in microseconds, the polls per second, and the longest step so far in milliseconds.

local cekura = require "cekura"
local core = require "cekura.core"

local url, count, interval, seconds = arg[1], tonumber(arg[2]), tonumber(arg[3]), tonumber(arg[4])

local client = cekura.assert(cekura.new { api_key = "sim-key", base_url = url, config_file = false })
local left = count

cekura.run(function()
  local jobs = {}
  for index = 1, count do
    jobs[index] = cekura.assert(client:job("calls.improve_prompt", ("job-%d"):format(index)))
  end
  collectgarbage()
  core.is_utf8(("x"):rep(2 ^ 20)) -- the C library merges what was freed before it gives so much, and not in a step
  cekura.spawn(cekura.all, jobs, { timeout = 86400, interval = interval, on_progress = function()
    left = left - 1
  end })
  while left > 0 do
    cekura.sleep(0.1)
  end
  collectgarbage()
  cekura.sleep(interval)
  local requests, processor, began = client:stats().requests, os.clock(), core.now()
  cekura.sleep(seconds)
  local polls = client:stats().requests - requests
  print(("%.2f %.0f %.2f"):format((os.clock() - processor) * 1e6 / polls, polls / (core.now() - began),
    client:stats().longest_step * 1e3))
  os.exit(0)
end)

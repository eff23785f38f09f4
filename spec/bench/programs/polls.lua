--- Measures the processor time of a poll, in microseconds: polls.lua URL JOBS POLLS. The jobs are polled as fast as
-- that goes, 16 at a time. The first poll of each job is not counted.

local cekura = require "cekura"
local waiting = require "spec.bench.support.waiting"

local url, count, polls = arg[1], tonumber(arg[2]), tonumber(arg[3])

local client = waiting.client(url)
local jobs = waiting.jobs(client, url, count)
cekura.run(function()
  local task = cekura.spawn(cekura.all, jobs, { interval = 0.001, timeout = 86400 })
  waiting.sent(client, count + 1000)
  local before, began = client:stats().requests, os.clock()
  waiting.sent(client, before + polls)
  print(("%.2f"):format((os.clock() - began) * 1e6 / (client:stats().requests - before)))
  task:cancel()
end)
client:close()

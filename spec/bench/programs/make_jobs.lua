--- Measures the processor time of making a job by its id, in microseconds: make_jobs.lua KIND numbers|random JOBS. All
-- jobs are kept.

local cekura = require "cekura"
local waiting = require "spec.bench.support.waiting"

local kind, ids, count = arg[1], arg[2], tonumber(arg[3])

local client = waiting.client "http://127.0.0.1:1"
local jobs = {}
for index = 1, count do
  jobs[index] = ids == "numbers" and 5181749 + index or waiting.random_id(36)
end
local began = os.clock()
for index = 1, count do
  jobs[index] = cekura.assert(client:job(kind, jobs[index]))
end
print(("%.2f"):format((os.clock() - began) * 1e6 / count))

--- Measures the resident memory of a waiting job, in KB: waiting_memory.lua URL job|all|each|task|sleep JOBS. Each job
-- has been polled once, and its next poll is in the future. "job": nothing waits for them, so they are not polled;
-- "task": a task of its own waits for each; "sleep": in place of each job, a task sleeps.

local cekura = require "cekura"
local file = require "spec.support.file"
local waiting = require "spec.bench.support.waiting"

local url, way, count = arg[1], arg[2], tonumber(arg[3])
local LONG = { interval = 3600, timeout = 86400 }

local ways = {}

function ways.all(jobs)
  cekura.spawn(cekura.all, jobs, LONG)
end

function ways.each(jobs)
  cekura.spawn(function()
    for _ in cekura.each(jobs, LONG) do end
  end)
end

function ways.task(jobs)
  for _, job in ipairs(jobs) do
    cekura.spawn(job.wait, job, LONG)
  end
end

local function resident()
  collectgarbage()
  collectgarbage()
  return tonumber(file.read "/proc/self/statm":match "^%d+ (%d+)") * 4
end

local client = waiting.client(url)
cekura.run(function()
  for _ = 1, 16 do -- opens the connections
    cekura.spawn(client.request, client, "GET", "/")
  end
  cekura.sleep(0.1)
  local before = resident()
  local polled = client:stats().requests + count
  local jobs = way ~= "sleep" and waiting.jobs(client, url, count)
  if ways[way] then
    ways[way](jobs)
    waiting.sent(client, polled)
  elseif way == "sleep" then
    for _ = 1, count do
      cekura.spawn(cekura.sleep, 3600)
    end
  end
  cekura.sleep(0.2)
  print(("%.3f"):format((resident() - before) / count))
  io.stdout:flush()
  assert(not jobs or jobs[count])
  os.exit(0)
end)

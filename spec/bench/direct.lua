--- Measures whether direct jobs disturb polls: direct.lua [SECONDS]. 1,000 jobs are polled every 5 s, first alone, and
-- then beside 8 direct jobs whose answers take a minute. Prints the number of polls, and the time that they took.

local cekura = require "cekura"
local core = require "cekura.core"
local simulator = require "spec.support.simulator"

local SECONDS = tonumber(arg[1]) or 60
local JOBS, DIRECT, INTERVAL = 1000, 8, 5
local PROGRESS = "/observability/v1/call-logs/improve_prompt_progress/"
local DIRECT_PATH = "/test_framework/v3/metrics/simplify_prompt/"

local server = simulator.start()
server:script(PROGRESS, { { body = { status = "processing" } } })
server:script(DIRECT_PATH, { { delay = SECONDS, body = { status = "completed", simplified_prompt = "Be nice." } } })

local times
local client = server:client { on_event = function(event)
  if event.name == "request_finished" and event.path:find(PROGRESS, 1, true) then
    times[#times + 1] = event.elapsed
  end
end }

local jobs = {}
for index = 1, JOBS do
  jobs[index] = cekura.assert(client:job("calls.improve_prompt", "job-" .. index))
end

-- Polls the jobs for SECONDS, or until all direct jobs have ended if that is later.
local function measure(what, direct)
  times = {}
  local began = core.now()
  local started = {}
  for index = 1, direct do
    started[index] = cekura.assert(client.metrics:simplify_prompt({ original_prompt = "x" }, { direct = true }))
  end
  if direct > 0 then
    for _, outcome in ipairs(cekura.all(started)) do
      cekura.assert(outcome.result, outcome.error)
    end
  else
    cekura.sleep(SECONDS)
  end
  local seconds = core.now() - began
  table.sort(times)
  print(("%-20s %5.1f s: %.1f polls a second; a poll took %.1f ms (median), %.1f ms (99th percentile)"):format(what,
    seconds, #times / seconds, 1e3 * times[math.ceil(#times / 2)], 1e3 * times[math.ceil(0.99 * #times)]))
end

cekura.run(function()
  local waiting = cekura.spawn(cekura.all, jobs, { interval = INTERVAL, timeout = 86400 })
  times = {}
  cekura.sleep(2 * INTERVAL)
  measure("polls alone", 0)
  measure("beside direct jobs", DIRECT)
  measure("polls alone again", 0)
  waiting:cancel()
end)
client:close()
server:stop()

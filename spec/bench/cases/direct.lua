local cekura = require "cekura"
local report = require "spec.bench.support.report"
local simulator = require "spec.support.simulator"
local turns = require "spec.bench.support.turns"

local JOBS, DIRECT, INTERVAL = 1000, 8, 5
local SECONDS = turns.quick and 10 or 60
local PROGRESS = "/observability/v1/call-logs/improve_prompt_progress/"
local DIRECT_PATH = "/test_framework/v3/metrics/simplify_prompt/"

local case = {
  title = "Polls beside direct jobs",
  about = [[
1,000 jobs are polled every 5 s, first alone, then beside 8 direct jobs whose answers take a minute, then alone
again. The figure is the time of a poll.]],
}

-- Ends when all of so many direct jobs have ended, or after as many seconds as one takes.
local function pass(client, direct)
  local started = {}
  for index = 1, direct do
    started[index] = cekura.assert(client.metrics:simplify_prompt({ original_prompt = "x" }, { direct = true }))
  end
  if direct == 0 then
    cekura.sleep(SECONDS)
  end
  for _, outcome in ipairs(cekura.all(started)) do
    cekura.assert(outcome.result, outcome.error)
  end
end

function case.run()
  local server = simulator.start { nginx = true }
  server:script(PROGRESS, { { body = { status = "processing" } } })
  server:script(DIRECT_PATH, { { delay = SECONDS, body = { status = "completed", simplified_prompt = "Be nice." } } })
  local times = {}
  local client = server:client { on_event = function(event)
    if event.name == "request_finished" and event.path:find(PROGRESS, 1, true) then
      times[#times + 1] = event.elapsed * 1e3
    end
  end }
  local jobs = {}
  for index = 1, JOBS do
    jobs[index] = cekura.assert(client:job("calls.improve_prompt", "job-" .. index))
  end
  cekura.run(function()
    local waiting = cekura.spawn(cekura.all, jobs, { interval = INTERVAL, timeout = 86400 })
    cekura.sleep(2 * INTERVAL)
    for _, direct in ipairs { 0, DIRECT, 0 } do
      times = {}
      pass(client, direct)
      table.sort(times)
      report.add { what = ("a poll beside %d direct jobs"):format(direct), side = "cekura, " .. _VERSION,
        value = turns.median(times), unit = "ms",
        remark = ("p99 %s ms; %d polls"):format(report.number(times[math.ceil(0.99 * #times)]), #times) }
    end
    waiting:cancel()
  end)
  client:close()
  server:stop()
end

return case

local cekura = require "cekura"
local core = require "cekura.core"
local report = require "spec.bench.support.report"
local simulator = require "spec.support.simulator"
local turns = require "spec.bench.support.turns"

local ANSWER, INTERVAL, PLACES = 0.5, 5, 16
local PROGRESS = "/observability/v1/call-logs/improve_prompt_progress/"
local START = "/observability/v1/call-logs/improve_prompt_bg/"

local case = {
  title = "Requests that wait for other requests",
  about = [[
A client may have 16 requests in flight, jobs are polled every 5 s, and each answer takes half a second; so 1,500
jobs exceed the capacity. Gets and starts run in sequence beside them; the unit is the time of one answer. Then as
many jobs as can be polled at their interval run beside 32 callers, each of which sends its next request as soon as
it has an answer.]],
}

local server

local function script()
  server:reset()
  server:script(PROGRESS, { { body = { status = "processing" }, delay = ANSWER } })
  server:script(START, { { body = { progress_id = "started" }, delay = ANSWER } })
  server:script("/x/", { { body = {}, delay = ANSWER } })
end

-- Runs `body` beside waits for so many jobs, each of which is polled every INTERVAL.
local function beside(count, client, body)
  local jobs = {}
  for index = 1, count do
    jobs[index] = cekura.assert(client:job("calls.improve_prompt", "job-" .. index))
  end
  cekura.run(function()
    local waiting = count > 0 and cekura.spawn(cekura.all, jobs, { interval = INTERVAL, timeout = 86400 })
    body()
    if waiting then
      waiting:cancel()
    end
  end)
end

local function new_client(on_event)
  return server:client { max_in_flight = PLACES, on_event = on_event }
end

-- ---- the waits of a caller ----

local function add_times(what, jobs, ask)
  local times = {}
  for index = 1, turns.amount(20) do
    local began = core.now()
    cekura.assert(ask())
    times[index] = (core.now() - began) / ANSWER
  end
  report.add { what = what, side = ("%d jobs"):format(jobs), figures = times, unit = "answers" }
end

local function callers(jobs)
  script()
  local client = new_client()
  beside(jobs, client, function()
    cekura.sleep(2 * INTERVAL)
    add_times("a get", jobs, function() return client:request("GET", "/x/") end)
    add_times("a start", jobs, function()
      return client:start("calls.improve_prompt", { call_logs = { 1 }, prompt = "x" })
    end)
  end)
  client:close()
end

-- ---- polls ----

-- For each path that is requested repeatedly: when it was last answered, and the longest time until its next request.
local function watch_polls()
  local watched = { longest = 0, polls = 0, calls = 0, last = {} }
  local function on_event(event)
    if event.path == "/x/" and event.name == "request_finished" then
      watched.calls = watched.calls + 1
    elseif event.path and event.path:find(PROGRESS, 1, true) then
      if event.name == "request_finished" then
        watched.last[event.path] = core.now()
      elseif event.name == "request_started" and watched.last[event.path] then
        watched.polls = watched.polls + 1
        watched.longest = math.max(watched.longest, core.now() - watched.last[event.path])
      end
    end
  end
  return watched, on_event
end

-- As many jobs as can be polled at their interval if nothing else is sent.
local JOBS = math.floor((PLACES - 1) * (INTERVAL + ANSWER) / ANSWER)

local function polls(seconds)
  script()
  local watched, on_event = watch_polls()
  local client = new_client(on_event)
  beside(JOBS, client, function()
    local until_when = core.now() + seconds
    local tasks = {}
    for index = 1, 2 * PLACES do
      tasks[index] = cekura.spawn(function()
        while core.now() < until_when do
          cekura.assert(client:request("GET", "/x/", { timeout = 600 }))
        end
      end)
    end
    for _, task in ipairs(tasks) do
      task:join()
    end
  end)
  client:close()
  report.add { what = "from a poll's answer to the next one, at most", side = ("%d jobs, %d callers"):format(JOBS,
    2 * PLACES), value = watched.longest, unit = "s",
    remark = ("%d polls, %d calls; the goal is %g s"):format(watched.polls, watched.calls, 4 * INTERVAL + 4 * ANSWER) }
end

function case.run()
  server = simulator.start { nginx = true }
  for _, count in ipairs { 0, 100, 1500, 100000 } do
    callers(count)
  end
  polls(turns.quick and 20 or 60)
  server:stop()
end

return case

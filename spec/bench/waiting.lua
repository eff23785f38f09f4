--- Measures how long requests wait for other requests: waiting.lua [JOBS...]. Each answer takes half a second. The unit
-- of the output is an answer or an interval, so the machine hardly matters as long as it keeps up.

local cekura = require "cekura"
local core = require "cekura.core"
local simulator = require "spec.support.simulator"

local ANSWER, INTERVAL, PLACES = 0.5, 5, 16
local PROGRESS = "/observability/v1/call-logs/improve_prompt_progress/"
local START = "/observability/v1/call-logs/improve_prompt_bg/"

local server = simulator.start()

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

local function median_and_most(times)
  table.sort(times)
  return ("%.2f, %.2f at most"):format(times[math.floor((#times + 1) / 2)], times[#times])
end

local function times_of(count, ask)
  local times = {}
  for index = 1, count do
    local began = core.now()
    cekura.assert(ask())
    times[index] = (core.now() - began) / ANSWER
  end
  return median_and_most(times)
end

local function callers(jobs)
  script()
  local client = new_client()
  beside(jobs, client, function()
    cekura.sleep(2 * INTERVAL)
    local gets = times_of(20, function() return client:request("GET", "/x/") end)
    local starts = times_of(20, function()
      return client:start("calls.improve_prompt", { call_logs = { 1 }, prompt = "x" })
    end)
    print(("%6d jobs: a get %s; a start %s (answers' times)"):format(jobs, gets, starts))
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
  print(("%d jobs beside %d callers for %g s: %d polls, %d calls; a poll came within %.1f s of its last answer (%g s)")
    :format(JOBS, 2 * PLACES, seconds, watched.polls, watched.calls, watched.longest, 4 * INTERVAL + 4 * ANSWER))
end

local counts = {}
for index = 1, #arg do
  counts[index] = tonumber(arg[index])
end

local ok, err = pcall(function()
  callers(0)
  for _, count in ipairs(#counts > 0 and counts or { 100, 1500, 100000 }) do
    callers(count)
  end
  polls(60)
end)
server:stop()
if not ok then
  io.stderr:write(tostring(err), "\n")
  os.exit(1)
end

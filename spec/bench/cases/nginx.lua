local cekura = require "cekura"
local core = require "cekura.core"
local nginx = require "spec.support.nginx"
local report = require "spec.bench.support.report"
local sides = require "spec.bench.support.sides"
local simulator = require "spec.support.simulator"
local turns = require "spec.bench.support.turns"

local case = {
  title = "In nginx",
  about = [[
One nginx worker with the module, and the simulator of the API; the measuring program is a third process. One poll
is `job:poll()`. The p99 is that of requests to a location without Lua, alone, and beside 1,000 jobs that are polled
every 5 s, begun one after the other or all at once. The processor time is that of all threads of the worker; the
bare loop sends as many requests in the same time. The longest step is `client:stats().longest_step`.]],
  ratio = "over the reference",
}

local JOBS, INTERVAL = 1000, 5
local PROGRESS = "/observability/v1/call-logs/improve_prompt_progress/"

local server, host, client

local CONFIG = [[
  keepalive_requests 10000000;
  init_worker_by_lua_block { require("spec.bench.nginx.worker").base_url = "URL" }
  server {
    listen 127.0.0.1:@PORT@;
    location = /plain { return 200 plain; }
    location = /poll { content_by_lua_block { require("spec.bench.nginx.worker").compare() } }
    location = /wait { content_by_lua_block { require("spec.bench.nginx.worker").wait() } }
    location = /stats { content_by_lua_block { require("spec.bench.nginx.worker").stats() } }
    location = /fresh { content_by_lua_block { require("spec.bench.nginx.worker").fresh() } }
  }
]]

local function get(path, query)
  return cekura.assert(client:request("GET", path, { query = query })):json()
end

local function answers(bytes)
  server:reset()
  server:script(PROGRESS, { { body = { status = "processing", padding = ("x"):rep(bytes or 0) } } })
end

-- Seconds of processor time that all threads of a process have used so far.
local function processor_time(pid)
  local file = assert(io.open("/proc/" .. pid .. "/stat"))
  local fields = file:read "*a":match "^.*%) (.*)$"
  file:close()
  local place, total = 0, 0
  for field in fields:gmatch "%S+" do
    place = place + 1
    if place == 12 or place == 13 then
      total = total + tonumber(field)
    end
  end
  return total / 100
end

-- ---- one poll, and one request over a cosocket ----

local function one_poll()
  answers()
  local both = get("/poll", { rounds = turns.amount(40), count = 100 })
  report.add { what = "one poll", side = "a cosocket", value = both.cosocket, unit = "µs" }
  report.add { what = "one poll", side = "job:poll()", value = both.poll, unit = "µs",
    ratio = both.poll / both.cosocket }
end

-- ---- another location beside 1,000 jobs ----

-- The p99 of requests that are sent a millisecond apart, in microseconds.
local function latency()
  local times = {}
  for index = 1, turns.amount(2000) do
    local began = core.now()
    cekura.assert(client:request("GET", "/plain"))
    times[index] = (core.now() - began) * 1e6
    cekura.sleep(0.001)
  end
  table.sort(times)
  return times[math.ceil(#times * 0.99)]
end

local function beside_jobs(spread)
  get("/wait", { jobs = JOBS, interval = INTERVAL, timeout = 60, spread = spread })
  cekura.sleep(spread and INTERVAL or 1)
  local found = latency()
  get("/wait", { stop = 1 })
  cekura.sleep(0.5)
  return found
end

-- The effect of the same polls on the machine if another process sends them.
local function beside_another_process()
  local seconds = 10
  os.execute(("build/bench/bare '%s%s?progress_id=x' %d 16 %d >/dev/null &"):format(server.url, PROGRESS,
    JOBS / INTERVAL * seconds, seconds))
  cekura.sleep(1)
  local found = latency()
  cekura.sleep(seconds / 2)
  return found
end

local function another_location()
  answers()
  local list = {
    { "alone", latency }, { "beside jobs begun one after the other", beside_jobs, 1 },
    { "beside jobs begun at once", beside_jobs }, { "beside another process that polls", beside_another_process },
  }
  local figures = turns.run(list, function(side) return side[2](side[3]) end)
  for index, side in ipairs(list) do
    report.add { what = "p99 of another location", side = side[1], figures = figures[index], unit = "µs",
      ratio = turns.ratio(figures[index], figures[1]) }
  end
end

-- ---- processor time ----

-- Returns the worker's processor time in so many seconds, and the requests that it sent.
local function used_in(seconds)
  local worker = host:workers()[1]
  local before, sent = processor_time(worker), get("/stats").requests
  cekura.sleep(seconds)
  return processor_time(worker) - before, get("/stats").requests - sent
end

local function processor()
  answers()
  local seconds = turns.quick and 5 or 12
  get("/wait", { jobs = JOBS, interval = INTERVAL, timeout = 600 })
  cekura.sleep(INTERVAL + 1) -- the first polls open the connections
  local used, polls = used_in(seconds)
  get("/wait", { stop = 1 })
  local _, bare = sides.send(sides.bare, { url = ("'%s%s?progress_id=x'"):format(server.url, PROGRESS), count = polls,
    in_flight = 16, seconds = seconds })
  local each = used / polls * 1e6
  report.add { what = "processor time of a poll", side = sides.bare.name, value = bare, unit = "µs" }
  report.add { what = "processor time of a poll", side = ("%d jobs every %d s"):format(JOBS, INTERVAL), value = each,
    unit = "µs", ratio = each / bare }
  get("/wait", { jobs = JOBS, interval = 600, timeout = 1200, known = 1 })
  cekura.sleep(3)
  used = used_in(seconds)
  report.add { what = "processor time", side = ("%d jobs, none due"):format(JOBS), value = used / seconds * 100,
    unit = "% of a processor" }
  get("/wait", { stop = 1 })
end

-- ---- the longest step ----

local function add_longest(side)
  report.add { what = "longest step", side = side, value = get("/stats").longest_step * 1e3, unit = "ms" }
end

local function beside_waits(jobs, interval, seconds)
  get "/fresh"
  get("/wait", { jobs = jobs, interval = interval, timeout = 60 })
  cekura.sleep(turns.quick and 3 or seconds)
  get("/wait", { stop = 1 })
end

local function longest_step()
  for _, each in ipairs { { 189, "189 bytes" }, { 16 * 1024, "16 KB" }, { 256 * 1024, "256 KB" },
    { 4 * 1024 * 1024, "4 MB" } } do
    local size = each[1]
    answers(size)
    get "/fresh"
    get("/poll", { rounds = 1, count = size > 1e6 and 10 or 100, poll_only = 1 })
    add_longest(("answers of %s, one at a time"):format(each[2]))
  end
  answers(256 * 1024)
  beside_waits(100, 1, 10)
  add_longest "100 jobs, 256 KB every second"
  answers()
  beside_waits(JOBS, INTERVAL, 15)
  add_longest(("%d jobs every %d s"):format(JOBS, INTERVAL))
end

function case.run()
  server = simulator.start { nginx = true }
  host = nginx.start(nginx.config((CONFIG:gsub("URL", server.url))))
  client = cekura.assert(cekura.new { api_key = "sim-key", base_url = host.url, config_file = false, timeout = 600 })
  cekura.run(function()
    one_poll()
    another_location()
    processor()
    longest_step()
  end)
  client:close()
  io.write(host:log():match "%[error%].*" or "")
  host:stop()
  server:stop()
end

return case

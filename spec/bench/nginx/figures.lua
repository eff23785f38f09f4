--- Measures the cost of the module for an nginx worker, each figure together with its reference, in one run:
--
--   luajit spec/bench/nginx/figures.lua [quick] [poll] [beside] [processor] [step]
--
-- Measures the named figures, or all of them.
-- See spec/bench/README.md.

local cekura = require "cekura"
local core = require "cekura.core"
local nginx = require "spec.support.nginx"
local simulator = require "spec.support.simulator"

local asked = {}
for _, name in ipairs(arg) do
  asked[name] = true
end
local quick = asked.quick
asked.quick = nil
local JOBS, INTERVAL = 1000, 5
local PROGRESS = "/observability/v1/call-logs/improve_prompt_progress/"

local server = simulator.start()

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

local host = nginx.start(nginx.config((CONFIG:gsub("URL", server.url))))
local client = cekura.assert(cekura.new { api_key = "sim-key", base_url = host.url, config_file = false,
  timeout = 600 })

local function get(path, query)
  return cekura.assert(client:request("GET", path, { query = query })):json()
end

local function answers(bytes)
  server:reset()
  server:script(PROGRESS, { { body = { status = "processing", padding = ("x"):rep(bytes or 0) } } })
end

local function sorted(list)
  table.sort(list)
  return list
end

local function quantile(list, part)
  return list[math.max(1, math.ceil(#list * part))]
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
  local both = get("/poll", { rounds = quick and 5 or 40, count = 100 })
  print(("one at a time, medians of %d each in turn: job:poll() %.0f µs, a cosocket %.0f µs; ratio %.2f"):format(
    both.count, both.poll, both.cosocket, both.poll / both.cosocket))
end

-- ---- another location beside 1,000 jobs ----

local function latency()
  local times = {}
  for index = 1, quick and 500 or 4000 do
    local began = core.now()
    cekura.assert(client:request("GET", "/plain"))
    times[index] = (core.now() - began) * 1e6
    cekura.sleep(0.001)
  end
  sorted(times)
  return quantile(times, 0.5), quantile(times, 0.99)
end

local function beside(what, spread)
  answers()
  local ratios, without_p99, with_p99 = {}, {}, {}
  for round = 1, quick and 1 or 5 do
    local _, without = latency()
    get("/wait", { jobs = JOBS, interval = INTERVAL, timeout = 60, spread = spread })
    cekura.sleep(spread and INTERVAL or 1)
    local _, with = latency()
    get("/wait", { stop = 1 })
    cekura.sleep(0.5)
    ratios[round], without_p99[round], with_p99[round] = with / without, without, with
  end
  print(("p99 of another location: %.0f µs alone, %.0f µs beside %d jobs polled every %d s, begun %s; "
    .. "median of the ratios %.2f (%.2f to %.2f)"):format(quantile(sorted(without_p99), 0.5),
    quantile(sorted(with_p99), 0.5), JOBS, INTERVAL, what, quantile(sorted(ratios), 0.5), ratios[1], ratios[#ratios]))
end

-- The effect of the same polls on the machine if another process sends them.
local function beside_another_process()
  answers()
  local ratios, seconds = {}, 10
  for round = 1, quick and 1 or 5 do
    local _, without = latency()
    os.execute(("build/bench/bare '%s%s?progress_id=x' %d 16 %d >/dev/null &"):format(server.url, PROGRESS,
      JOBS / INTERVAL * seconds, seconds))
    cekura.sleep(1)
    local _, with = latency()
    cekura.sleep(seconds / 2)
    ratios[round] = with / without
  end
  sorted(ratios)
  print(("p99 of another location beside the same polls sent by another process: median of the ratios %.2f "
    .. "(%.2f to %.2f)"):format(quantile(ratios, 0.5), ratios[1], ratios[#ratios]))
end

local function beside_jobs()
  beside_another_process()
  beside("one after the other", 1)
  beside "all at once"
end

-- ---- processor time ----

local function processor()
  answers()
  local seconds = quick and 10 or 30
  local worker = host:workers()[1]
  get("/wait", { jobs = JOBS, interval = INTERVAL, timeout = 600 })
  cekura.sleep(INTERVAL + 1) -- the first polls open the connections
  local before, sent = processor_time(worker), get("/stats").requests
  cekura.sleep(seconds)
  local used, polls = processor_time(worker) - before, get("/stats").requests - sent
  get("/wait", { stop = 1 })
  local pipe = assert(io.popen(("build/bench/bare '%s%s?progress_id=x' %d 16 %d"):format(server.url, PROGRESS, polls,
    seconds)))
  local _, bare = pipe:read("*n", "*n")
  pipe:close()
  local each = used / polls * 1e6
  print(("%d jobs polled every %d s: %.0f polls a second, %.0f µs of the worker's processor time each, "
    .. "a bare libcurl loop %.0f µs; ratio %.2f"):format(JOBS, INTERVAL, polls / seconds, each, bare, each / bare))
  get("/wait", { jobs = JOBS, interval = 600, timeout = 1200, known = 1 })
  cekura.sleep(3)
  before = processor_time(worker)
  cekura.sleep(seconds)
  used = processor_time(worker) - before
  print(("%d jobs waited for, none due: %.2f %% of a processor"):format(JOBS, used / seconds * 100))
  get("/wait", { stop = 1 })
end

-- ---- the longest step ----

local function longest()
  return get("/stats").longest_step * 1e3
end

local function longest_step()
  for _, size in ipairs { 189, 16 * 1024, 256 * 1024, 4 * 1024 * 1024 } do
    answers(size)
    get "/fresh"
    get("/poll", { rounds = 1, count = size > 1e6 and 10 or 100, poll_only = 1 })
    print(("longest step, answers of %d KB one at a time: %.2f ms"):format(size / 1024, longest()))
  end
  answers(256 * 1024)
  get "/fresh"
  get("/wait", { jobs = 100, interval = 1, timeout = 60 })
  cekura.sleep(quick and 3 or 10)
  get("/wait", { stop = 1 })
  print(("longest step, 100 jobs with answers of 256 KB every second: %.2f ms"):format(longest()))
  answers()
  get "/fresh"
  get("/wait", { jobs = JOBS, interval = INTERVAL, timeout = 60 })
  cekura.sleep(quick and 6 or 15)
  get("/wait", { stop = 1 })
  print(("longest step, %d jobs with answers of 60 bytes every %d s: %.2f ms"):format(JOBS, INTERVAL,
    longest()))
end

local ok, err = pcall(cekura.run, function()
  for _, part in ipairs { { "poll", one_poll }, { "beside", beside_jobs }, { "processor", processor },
    { "step", longest_step } } do
    if not next(asked) or asked[part[1]] then
      part[2]()
    end
  end
end)
client:close()
io.write(host:log())
host:stop()
server:stop()
if not ok then
  io.stderr:write(tostring(err), "\n")
  os.exit(1)
end

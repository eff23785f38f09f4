--- make fleet-measure: figures of fleets, printed as tables; see README.md.
--   LUA spec/fleet/measure.lua [takeover|throughput|memory|polls]...

local cekura = require "cekura"
local connections = require "cekura.fleet.redis"
local core = require "cekura.core"
local file = require "spec.support.file"
local fleets = require "cekura.fleet"
local hosts = require "spec.fleet.hosts"
local redis_server = require "spec.support.redis_server"
local stage = require "spec.fleet.stage"
local service = require "spec.fleet.service"
local shell = require "spec.support.shell"

local function number(name, usual)
  return tonumber(os.getenv("FLEET_" .. name)) or usual
end

math.randomseed(number("SEED", os.time() % 100000))

-- ---- what is measured ----

-- Seconds of the processor that a process has used.
local function cpu(pid)
  local stat = file.read(("/proc/%d/stat"):format(pid))
  local user, system = stat:match "%) %S %S+ %S+ %S+ %S+ %S+ %S+ %S+ %S+ %S+ %S+ (%d+) (%d+)"
  return (user + system) / 100
end

local Scene = {}
Scene.__index = Scene

-- Redis, the service and one that submits.
local function new(given)
  local self = setmetatable({ workers = {}, given = given }, Scene)
  self.files = stage.make_files()
  self.redis = redis_server.start(("--dir %s %s"):format(self.files, given.redis or ""))
  self.connection = cekura.assert(connections.new(self.redis.url))
  self.service = service.start(self.files, 0)
  return self
end

Scene.stop = stage.stop

function Scene:fleet(name)
  return cekura.assert(fleets.new { redis = self.redis.url, name = name or "proof", submitter = "a" })
end

function Scene:work(given)
  local all = { name = "proof", redis = self.redis.url, service = self.service.url, files = self.files, lease = 30,
    concurrency = 100, interval = 0.5, moment = 0 }
  for name, value in pairs(given or {}) do
    all[name] = value
  end
  local worker = hosts.start("own", "own loop", all)
  self.workers[#self.workers + 1] = worker
  return worker
end

local function submit(fleet, first, last, seconds)
  local next_number, tasks = first - 1, {}
  for index = 1, 16 do
    tasks[index] = cekura.spawn(function()
      while next_number < last do
        next_number = next_number + 1
        cekura.assert(fleet:submit("calls.improve_prompt", { agent_id = 1, call_logs = { 1 },
          prompt = ("%d %g done"):format(next_number, seconds) }))
      end
    end)
  end
  for _, task in ipairs(tasks) do
    task:join()
  end
end

local function await(condition)
  while not condition() do
    cekura.sleep(0.1)
  end
end

local function await_stats(fleet, name, value)
  await(function()
    local stats = fleet:stats()
    return stats and stats[name] >= value
  end)
end

local function lines(path)
  local list = {}
  for line in file.read(path):gmatch "([^\n]+)\n" do
    list[#list + 1] = line
  end
  return list
end

-- Waits until the service has started so many jobs.
local function await_started(scene, jobs)
  await(function()
    return #lines(scene.files .. "/starts") >= jobs
  end)
end

-- ---- a dead worker's jobs ----

-- Seconds by the clock of the date, as the service's.
local function date()
  local text = shell "date +%s.%N"
  return tonumber(text:match "%S+")
end

-- Two workers have the jobs of a fleet, and one is killed.
local function kill_one(scene, index, lease, found)
  local name, first = "fleet" .. index, index * 1000
  local fleet = scene:fleet(name)
  local doomed = scene:work { name = name, lease = lease }
  submit(fleet, first + 1, first + 20, 600)
  await_stats(fleet, "running", 20)
  scene:work { name = name, lease = lease }
  cekura.sleep(1 + lease * math.random())
  local at = date()
  doomed:kill()
  cekura.sleep(lease * 2)
  local seen = {}
  for _, line in ipairs(lines(scene.files .. "/polls")) do
    local job, when = line:match "(%d+) ([%d.]+)"
    job, when = tonumber(job), tonumber(when)
    if job > first and job <= first + 20 and when > at + 0.1 and not seen[job] then
      seen[job] = true
      table.insert(found, when - at)
    end
  end
end

local function takeover()
  print "Seconds from the death of a worker to the next poll of each of its jobs, beside one that lives"
  print(("%-8s %8s %8s %8s %8s %8s"):format("lease", "jobs", "least", "median", "90 %", "most"))
  for _, lease in ipairs { 3, 30 } do
    local scene, found, tasks = new {}, {}, {}
    for index = 1, number("KILLS", 8) do
      tasks[index] = cekura.spawn(kill_one, scene, index, lease, found)
    end
    for _, task in ipairs(tasks) do
      assert(select(2, task:join()) == nil)
    end
    scene:stop()
    table.sort(found)
    print(("%-8d %8d %8.2f %8.2f %8.2f %8.2f"):format(lease, #found, found[1], found[math.ceil(#found / 2)],
      found[math.ceil(#found * 0.9)], found[#found]))
  end
end

-- ---- throughput ----

-- The calls that clients have sent, and those of scripts, by name.
local function commands(scene)
  local found = {}
  for name, calls in scene.connection:command("INFO", "commandstats"):gmatch "cmdstat_([^:]+):calls=(%d+)" do
    found[name] = tonumber(calls)
  end
  return found
end

local SENT = { evalsha = true, eval = true, xread = true, ["script|load"] = true }

local function throughput_of(workers, jobs, options)
  local scene = new { redis = options }
  local fleet = scene:fleet()
  local submitted = core.now()
  local redis_before = cpu(scene.redis.pid)
  submit(fleet, 1, jobs, 0)
  submitted = core.now() - submitted
  local redis_submit = cpu(scene.redis.pid) - redis_before
  local service_pid = tonumber(scene.service.nginx:workers()[1])
  local before = { redis = cpu(scene.redis.pid), service = cpu(service_pid), commands = commands(scene) }
  for _ = 1, workers do
    scene:work { interval = 0.05 }
  end
  await(function()
    local stats = fleet:stats()
    return stats and stats.waiting == 0 and stats.running == 0
  end)
  local after = { redis = cpu(scene.redis.pid), service = cpu(service_pid), commands = commands(scene), workers = 0 }
  for _, worker in ipairs(scene.workers) do
    after.workers = after.workers + cpu(worker:pid())
  end
  local first, last = math.huge, 0
  for _, line in ipairs(lines(scene.files .. "/handled")) do
    local at = tonumber(line:match "%S+$")
    first, last = math.min(first, at), math.max(last, at)
  end
  local sent, inner = 0, 0
  for name, calls in pairs(after.commands) do
    local made = calls - (before.commands[name] or 0)
    if SENT[name] then
      sent = sent + made
    elseif name ~= "info" then
      inner = inner + made
    end
  end
  scene:stop()
  local each, took = 1e6 / jobs, last - first
  print(("%-24s %7d %9.0f %9.0f %8.0f %8.0f %8.0f %8.0f %7.0f%% %7.1f %7.1f"):format(options, workers,
    jobs / submitted, jobs / took, redis_submit * each, (after.redis - before.redis) * each, after.workers * each,
    (after.service - before.service) * each,
    100 * (after.redis - before.redis + after.workers + after.service - before.service) / took, sent / jobs,
    inner / jobs))
end

local function throughput()
  local jobs = number("JOBS", 3000)
  print(("%d jobs that end at once, submitted before; microseconds of the processor for each job"):format(jobs))
  print(("%-24s %7s %9s %9s %8s %8s %8s %8s %8s %7s %7s"):format("Redis", "workers", "submits/s", "jobs/s", "submit:R",
    "Redis", "workers", "service", "all", "scripts", "inner"))
  for _, options in ipairs { "", "--appendonly yes", "--appendonly yes --appendfsync always" } do
    for _, workers in ipairs { 1, 2, 4 } do
      throughput_of(workers, jobs, options)
    end
  end
end

-- ---- memory ----

local function used(scene)
  return tonumber(scene.connection:command("INFO", "memory"):match "used_memory:(%d+)")
end

local function memory()
  local jobs = number("JOBS", 10000)
  local scene = new {}
  local fleet = scene:fleet()
  await_stats(fleet, "done", 0)
  local empty = used(scene)
  submit(fleet, 1, jobs, 60)
  local waiting = used(scene)
  scene:work { concurrency = jobs, interval = 5 }
  await_started(scene, jobs)
  cekura.sleep(1)
  local running, is_over = used(scene), fleet:stats().done
  await_stats(fleet, "done", jobs)
  cekura.sleep(1)
  local over, outcomes = used(scene), 0
  local keys = scene.connection:command("KEYS", "cekura:{proof}:outcome:*")
  for index = 1, #keys do
    outcomes = outcomes + scene.connection:command("MEMORY", "USAGE", keys[index])
  end
  print(("Bytes in Redis for a job, of %d: used_memory less that of the empty fleet"):format(jobs))
  print(("waiting %.0f; running (%d were over) %.0f; over %.0f, of which MEMORY USAGE of its outcome %.0f"):format(
    (waiting - empty) / jobs, is_over, (running - empty) / jobs, (over - empty) / jobs, outcomes / #keys))
  scene:stop()
end

-- ---- polls ----

-- A client that starts jobs, and waits for each.
local ALONE = [[
local cekura = require "cekura"
local client = cekura.assert(cekura.new { api_key = "proof", base_url = %q, config_file = false, interval = %g })
for number = 1, %d do
  cekura.spawn(function()
    local job = cekura.assert(client:start("calls.improve_prompt", { agent_id = 1, call_logs = { 1 },
      prompt = number .. " 600 done" }))
    job:wait { timeout = 600 }
  end)
end
]]

-- Microseconds of the processor for a poll of that process.
local function cost(scene, pid, seconds)
  local function polls()
    return tonumber(shell("wc -l <" .. scene.files .. "/polls"):match "%d+")
  end
  cekura.sleep(2)
  local before, count = cpu(pid), polls()
  cekura.sleep(seconds)
  return (cpu(pid) - before) / (polls() - count) * 1e6
end

local function polls_of(is_fleet, jobs, interval, seconds)
  local scene = new {}
  local process
  if is_fleet then
    submit(scene:fleet(), 1, jobs, 600)
    process = scene:work { concurrency = jobs, interval = interval }.process
  else
    process = hosts.run(ALONE:format(scene.service.url, interval, jobs))
  end
  await_started(scene, jobs)
  local found = cost(scene, process.pid, seconds)
  process:stop()
  scene.workers = {}
  scene:stop()
  return found
end

local function polls()
  local jobs, interval, seconds = 1000, 0.5, number("SECONDS", 10)
  print(("Microseconds of the processor for a poll, with %d jobs that are polled each %g s"):format(jobs, interval))
  for round = 1, 3 do
    local alone, in_fleet = polls_of(false, jobs, interval, seconds), polls_of(true, jobs, interval, seconds)
    print(("round %d: a client %.1f, a worker of a fleet %.1f, ratio %.2f"):format(round, alone, in_fleet,
      in_fleet / alone))
  end
end

local PARTS = { takeover = takeover, throughput = throughput, memory = memory, polls = polls }

cekura.run(function()
  for _, name in ipairs(arg[1] and arg or { "takeover", "throughput", "memory", "polls" }) do
    PARTS[name]()
  end
end)

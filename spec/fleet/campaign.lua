--- A campaign: jobs are submitted while faults happen to the workers, to Redis and to the service, at random times and
-- also at the same time. Then everything runs, until no task waits or runs.

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

local unpack = table.unpack or unpack

local Campaign = {}
Campaign.__index = Campaign

-- Seconds of silence after which a worker counts as dead; pauses of Redis are shorter and longer.
local LEASE = 3

-- The seconds that a start takes at the service, half of it on average, in which a worker may die.
local START = 0.2

-- Submitters, whose tasks take turns, and the tasks that submit for each.
local SUBMITTERS, SIDE_BY_SIDE = { "a", "b" }, 4

-- Of so many jobs, one is waited for from its submission on.
local WAITED_FOR = 5

-- Seconds after which a fleet that is not empty counts as stuck.
local PATIENCE = 90

local KINDS = { "calls.improve_prompt", "runs.improve_prompt" }

local function random(from, to)
  return from + (to - from) * math.random()
end

local function spawn_all(count, fn)
  local tasks = {}
  for index = 1, count do
    tasks[index] = cekura.spawn(fn, index)
  end
  return tasks
end

local function join_all(tasks)
  for _, task in ipairs(tasks) do
    assert(select(2, task:join()) == nil)
  end
end

-- ---- what is there ----

function Campaign:start_redis()
  self.redis = redis_server.start(("--dir %s --appendonly yes --appendfsync %s"):format(self.data, self.fsync),
    self.redis and self.redis.port)
end

local function new(given)
  local self = setmetatable({ faults = {}, snapshots = {}, killed = {}, tasks = {}, waits = {}, errors = {} }, Campaign)
  for name, value in pairs(given) do
    self[name] = value
  end
  self.files = stage.make_files()
  self.data = self.files .. "/redis"
  shell("mkdir " .. self.data)
  self:start_redis()
  self.service = service.start(self.files, START / 2)
  self.connection = connections.new(self.redis.url)
  self.fleets = {}
  for _, submitter in ipairs(SUBMITTERS) do
    self.fleets[#self.fleets + 1] = cekura.assert(fleets.new { redis = self.redis.url, name = "proof",
      submitter = submitter })
  end
  self.workers = {}
  for _, each in ipairs { { "own", "own loop 1" }, { "own", "own loop 2" }, { "nginx", "nginx" },
    { "haproxy", "HAProxy" } } do
    self.workers[#self.workers + 1] = hosts.start(each[1], each[2], { name = "proof", redis = self.redis.url,
      service = self.service.url, files = self.files, lease = LEASE, concurrency = 100, interval = 0.5, moment = 0.05 })
  end
  self.began = core.now()
  return self
end

Campaign.stop = stage.stop

-- ---- jobs ----

-- Submits a job until that is acknowledged.
function Campaign:submit(number)
  local fleet = self.fleets[1 + number % #self.fleets]
  local kind = KINDS[1 + math.floor(number / 2) % #KINDS]
  local params = { prompt = ("%d %.2f %s"):format(number, random(0.5, 3.5), number % 20 == 0 and "failed" or "done") }
  params[kind:find "^calls" and "call_logs" or "run_ids"] = { 1 }
  params.agent_id = kind:find "^calls" and 1 or nil
  local id, err
  repeat
    id, err = fleet:submit(kind, params, { key = "job-" .. number })
    self.errors[err and err.kind or ""] = (self.errors[err and err.kind or ""] or 0) + 1
  until id
  self.tasks[number] = { id = id, at = core.now() }
  if number % WAITED_FOR == 0 then
    self.waits[number] = cekura.spawn(function()
      return { fleet:result(id) }
    end)
  end
end

-- Submits all jobs, evenly over the time of the faults.
function Campaign:submit_all()
  local next_number = 0
  return spawn_all(SIDE_BY_SIDE * #SUBMITTERS, function()
    while next_number < self.jobs do
      next_number = next_number + 1
      local number = next_number
      cekura.sleep(math.max(0, self.began + self.seconds * number / self.jobs - core.now()))
      self:submit(number)
    end
  end)
end

-- ---- faults ----

-- The tasks of a worker that was killed, with the states that they have.
function Campaign:look_at(pid)
  local process = file.read(self.files .. "/workers"):match(("\n?%d (%%S+)"):format(pid))
  if not process or self.is_redis_away then
    return nil
  end
  local found = {}
  for _, lane in ipairs(self.connection:command("SMEMBERS", "cekura:{proof}:lanes") or {}) do
    local stream = "cekura:{proof}:tasks:" .. lane
    for _, consumer in ipairs(self.connection:command("XINFO", "CONSUMERS", stream, "workers") or {}) do
      local pending = consumer[2]:match "^[^.]*" == process
        and self.connection:command("XPENDING", stream, "workers", "-", "+", 10000, consumer[2])
      for _, each in ipairs(pending or {}) do
        local entry = self.connection:command("XRANGE", stream, each[1], each[1])
        local id = entry and entry[1] and entry[1][2][2]
        found[#found + 1] = id and { id = id,
          state = self.connection:command("HGET", "cekura:{proof}:task:" .. id, "state") }
      end
    end
  end
  return found
end

local FAULTS = {}

function FAULTS.worker(self)
  local worker = self.workers[math.random(#self.workers)]
  if worker.is_down then
    return FAULTS.worker(self)
  end
  worker.is_down = true
  local pid = worker:pid()
  worker:kill()
  self.killed[#self.killed + 1] = { pid = pid, at = core.now(), tasks = self:look_at(pid), host = worker.name }
  cekura.sleep(random(0, 2 * LEASE))
  worker:start()
  worker.is_down = false
end

local function kill_redis(self, meanwhile)
  self.is_redis_away = true
  local at = core.now()
  self.redis:stop "KILL"
  meanwhile()
  cekura.sleep(random(0, 1.5 * LEASE))
  self:start_redis()
  self.is_redis_away = false
  return at
end

function FAULTS.redis(self)
  kill_redis(self, function() end)
end

-- The end of the file that Redis appends to is lost, as it is when the power fails, and redis-check-aof repairs the
-- file. Redis 7.0 alone does not: of half a transaction at the end it ignores the commands, but appends to them, and so
-- executes them when it starts again.
function FAULTS.cut(self)
  self.cuts = self.cuts or {}
  self.cuts[#self.cuts + 1] = kill_redis(self, function()
    local folder = self.data .. "/appendonlydir"
    local path = shell("ls -v " .. folder .. "/*.incr.aof | tail -n 1"):match "%S+"
    local size = tonumber(shell("stat -c %s " .. path):match "%d+")
    shell(("truncate -s %d %s"):format(math.max(0, size - math.random(1024, self.cut_bytes)), path))
    local check = (os.getenv "REDIS_SERVER" or "redis-server"):gsub("server$", "check-aof")
    shell(("echo y | %s --fix %s/appendonly.aof.manifest"):format(check, folder))
  end)
end

function FAULTS.pause(self)
  self.is_redis_away = true
  self.redis:signal "STOP"
  cekura.sleep(random(0.5, 2 * LEASE))
  self.redis:signal "CONT"
  self.is_redis_away = false
end

function FAULTS.service(self)
  self.service:go_away()
  cekura.sleep(random(1, 4))
  self.service:go_on()
end

-- Faults of one victim, one after the other, at random times.
function Campaign:fault_all(list)
  local kinds = {}
  for _, kind in ipairs(list) do
    for _ = 1, self.of[kind] or 0 do
      table.insert(kinds, math.random(#kinds + 1), kind)
    end
  end
  return function()
    local each = self.seconds / math.max(1, #kinds)
    for index, kind in ipairs(kinds) do
      cekura.sleep(math.max(0, self.began + each * (index - 1) + random(0, 0.6 * each) - core.now()))
      local fault = { kind = kind, at = core.now() }
      self.faults[#self.faults + 1] = fault
      FAULTS[kind](self)
      fault.ended = core.now()
    end
  end
end

-- ---- the end ----

-- The tasks that the fleet still has, for a fleet that is stuck.
function Campaign:left()
  local found, time = {}, self.connection:command "TIME"
  for _, key in ipairs(self.connection:command("KEYS", "cekura:{proof}:task:*") or {}) do
    local state, worker, lane = unpack(self.connection:command("HMGET", key, "state", "worker", "lane"))
    if state ~= "over" then
      local ends = worker and self.connection:command("ZSCORE", "cekura:{proof}:workers", worker)
      found[#found + 1] = ("%s: %s, %s, of %s, %s"):format(key:match "[^:]*$", tostring(lane), tostring(state),
        tostring(worker), tonumber(ends or 0) > time[1] * 1000 and "which lives" or "which does not live")
    end
  end
  return found
end

-- Waits until the fleet has no task.
function Campaign:drain()
  local limit = core.now() + PATIENCE
  repeat
    cekura.sleep(0.2)
    local stats = self.fleets[1]:stats()
    self.stats = stats or self.stats
    self.is_empty = stats and stats.waiting == 0 and stats.running == 0
  until self.is_empty or core.now() > limit
  self.stuck = not self.is_empty and self:left() or {}
end

-- The outcomes that Redis has, as any host sees them.
function Campaign:ask()
  self.outcomes = {}
  local next_number = 0
  join_all(spawn_all(50, function()
    while next_number < self.jobs do
      next_number = next_number + 1
      local number = next_number
      local result, err = self.fleets[1]:result(self.tasks[number].id, { timeout = 1 })
      self.outcomes[number] = result and "done" or err.kind
    end
  end))
  local limit = cekura.spawn(function()
    cekura.sleep(70) -- fleet:result() asks again after a minute
    for _, task in pairs(self.waits) do
      task:cancel()
    end
  end)
  local got = {}
  for number, task in pairs(self.waits) do
    local reply = task:join()
    got[number] = reply and (reply[1] and "done" or reply[2].kind) or "cancelled"
  end
  limit:cancel()
  self.waits = got
end

local campaign = {}

---@class fleet.Campaign
---@field jobs integer
---@field seconds number during which there are faults
---@field fsync "always"|"everysec"
---@field of table<string, integer> how many faults of each kind: worker, redis, cut, pause, service
---@field cut_bytes? integer at most

--- Runs one, in a task.
---@param given fleet.Campaign
---@param count fun(campaign: table): any called before everything is removed
---@return any ... what it returns
function campaign.run(given, count)
  local self = new(given)
  local submissions, faults = self:submit_all(), {}
  for index, list in ipairs { { "worker" }, { "redis", "cut", "pause" }, { "service" } } do
    faults[index] = cekura.spawn(self:fault_all(list))
  end
  join_all(faults)
  join_all(submissions)
  self:drain()
  self:ask()
  self.took = core.now() - self.began
  local counted = count(self)
  self:stop()
  return counted
end

return campaign

--- A worker of a fleet: its lease, the tasks that it takes, and the steps of each that it records in Redis.

local core = require "cekura.core"
local errors = require "cekura.errors"
local kinds = require "cekura.api.kinds"
local life = require "cekura.fleet.life"
local outcome = require "cekura.fleet.outcome"
local pace = require "cekura.fleet.pace"
local server = require "cekura.fleet.server"
local show = require "cekura.show"

---@class cekura.fleet.Worker
---@field fleet cekura.Fleet
---@field client cekura.Client
---@field loop table
---@field options cekura.WorkOptions
---@field name string of the lease; another one after the lease was lost
---@field running table<cekura.fleet.Life, true>
---@field count integer of them
---@field starting integer tasks whose start is not answered
---@field direct integer direct jobs that run, and most_direct: how many may
---@field rests integer the starts that have failed in a row because the service was away
---@field rest_until number no task is taken before
---@field is_over boolean
---@field is_stopping boolean
---@field stopped_at number since when
---@field is_doubtful boolean it is not known whether a take was executed
---@field known? table<string, true> the tasks that it had when it asked which it has
---@field scan_at number when it is to take tasks next, by core.now()
---@field held_for number seconds until a kind may be taken that is refused now; huge: none is
---@field pace cekura.fleet.Pace
---@field knows_holds boolean it has held what others held before it
---@field keeper any the waiter of the task that renews the lease
---@field err? cekura.Error what has ended it
---@field last_error? cekura.Error of a script
---@field waiter any of its task
---@field reported table<string, string> the last message of each kind of problem
local Worker = {}
Worker.__index = Worker

local unpack = table.unpack or unpack -- luacheck: ignore 143

local worker = {}

-- Seconds between two attempts to reach Redis: the first, and the longest.
local FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5

-- Seconds that a worker which is to end goes on trying to record what it knows.
local STOP_PATIENCE = 10

-- The tasks of a worker that are being started at once. A start whose worker dies has an unknown outcome, so it must
-- not wait in this process after its intent is recorded; and a task that waits here cannot be started elsewhere.
local STARTS = 8

-- Seconds without further tasks after a start that the service has not processed: the first time, and at most.
local FIRST_REST, LONGEST_REST = 0.5, 30

-- The outcome of a task that three workers have died with.
local DIED = outcome.of_error(nil, nil, errors.new("raised",
  "fleet: three workers have died while they had this task"))

-- ---- problems ----

--- Reports a problem, to on_error or to the host's log; there, the same one only once in a row.
---@param where string
---@param err cekura.Error
function Worker:problem(where, err)
  local on_error = self.options.on_error
  if on_error then
    local ok, raised = pcall(on_error, err, where)
    if ok then
      return
    end
    err = errors.new("raised", "on_error: " .. show.raised(raised))
  end
  local message = errors.line(err)
  if self.reported[where] ~= message then
    self.reported[where] = message
    self.loop.log(("cekura: fleet %s: %s: %s"):format(self.fleet._name, where, message))
  end
end

-- ---- Redis ----

-- Errors after which a script is not run again: it is ended here, or would never succeed.
local FINAL = { closed = true, cancelled = true, config = true, invalid = true }

--- Runs a script, again and again while Redis is away.
---@param script cekura.fleet.Script
---@return any? reply nil: it cannot be run any more
function Worker:record(script, ...)
  local pause = FIRST_PAUSE
  while true do
    local reply, err = self.fleet:_run(script, ...)
    if not err then
      self.reported.redis = nil
      return reply
    end
    if err.kind ~= "closed" and err.kind ~= "cancelled" then
      self:problem("redis", err)
    end
    self.last_error = err
    if FINAL[err.kind] or self.is_stopping and core.now() > self.stopped_at + STOP_PATIENCE
      or not self:pause(pause * (0.75 + 0.5 * math.random())) then
      return nil
    end
    pause = math.min(2 * pause, LONGEST_PAUSE)
  end
end

--- Waits in the running task. Returns false if the task must not wait any longer.
---@param seconds number
---@return boolean
function Worker:pause(seconds)
  local waiter, until_at = self.loop.waiter(), core.now() + seconds
  local why
  repeat
    why = waiter:park(math.max(0, until_at - core.now()), true)
  until why ~= "woken"
  return why == "timeout" and not core.is_closed(self.client)
end

-- ---- the lease ----

-- What Redis has refused ends the work, and is what it returns.
local function fail(self)
  local err = self.last_error
  self:stop(err.kind ~= "closed" and err.kind ~= "cancelled" and err or nil)
end

-- Begins a lease. Returns false if that is impossible.
local function join(self)
  self.fleet._leases = self.fleet._leases + 1
  self.name = ("%s.%d"):format(self.fleet:_process(), self.fleet._leases)
  self.is_doubtful = false
  local base = core.fields(self.client)._base_url
  local of_fleet = self:record(server.join, self.name, self.fleet._lease * 1000, base)
  if of_fleet and of_fleet ~= base then
    self.err = errors.new("config", show.format("fleet %s: its workers use the base URL %s, and this client %s",
      self.fleet._name, of_fleet, base))
    return false
  end
  if not of_fleet then
    fail(self)
  end
  return of_fleet ~= nil
end

-- What the tasks of a lease that was lost still wait for is over: others go on with them.
local function abandon(self)
  for each in pairs(self.running) do
    each:abandon()
  end
end

-- Adopts the tasks that are this worker's as far as Redis knows, if there are more than it knows of.
local function audit(self)
  local known = self.count
  local has = self.fleet:_run(server.audit, self.name, self.fleet._lease * 1000)
  if has and has > known and has > self.count then
    self.is_doubtful = true
    self:scan()
  end
end

-- Holds the endpoints that were held when the worker began.
local function take_holds(self, held)
  for index = 1, self.knows_holds and 0 or #held, 2 do
    self.pace:hold(held[index], tonumber(held[index + 1]))
  end
  self.knows_holds = true
end

--- Shares the endpoints that have answered 429.
function Worker:share_holds()
  for _, held in ipairs(self.pace:new_holds()) do
    self.fleet:_run(server.hold, self.fleet:_process(), held.endpoint, held.seconds)
  end
end

-- Seconds between two checks for endpoints that have answered 429.
local HOLDS_INTERVAL = 0.5

-- Seconds between two checks whether the fleet is empty.
local EMPTY_INTERVAL = 0.5

-- Waits until that time. If the host ends, the work does, which needs its lease until then.
local function wait_to_renew(self, renew_at)
  while not self.is_over and core.now() < renew_at do
    if self.keeper:park(math.min(HOLDS_INTERVAL, renew_at - core.now()), not self.is_stopping) == "closing" then
      self:stop()
    end
    self:share_holds()
  end
end

-- Renews the lease, in a task of its own, so that nothing holds it up. A lease that was lost is followed by another.
local function keep_lease(self)
  while not self.is_over do
    local asked = core.now()
    local held = self:record(server.renew, self.name, self.fleet._lease * 1000)
    if self.is_over then
      return
    elseif held == 0 then
      abandon(self)
      if not join(self) then
        self:stop()
        return
      end
      self:scan()
    elseif held then
      take_holds(self, held)
      audit(self)
    else
      fail(self)
      return
    end
    self.fleet._inbox:read()
    self.keeper = self.loop.waiter()
    wait_to_renew(self, asked + self.fleet._lease / 3)
  end
end

-- ---- tasks ----

--- Has the worker take no task for a while, because the service is away or has refused one for now.
---@param err? cekura.Error nil: the service has started a job
function Worker:rest(err)
  if not err then
    self.rests, self.rest_until = 0, 0
    return
  end
  self:problem("start", err)
  if err.kind ~= "rate_limited" then -- those are held by their endpoint
    self.rest_until = core.now() + math.min(FIRST_REST * 2 ^ self.rests, LONGEST_REST) * (0.75 + 0.5 * math.random())
    self.rests = self.rests + 1
  end
end

--- Has the worker scan for tasks.
function Worker:scan()
  self.scan_at = 0
  if self.waiter then
    self.waiter:wake()
  end
end

--- A task has ended here.
---@param ended cekura.fleet.Life
function Worker:remove(ended)
  if self.running[ended] then
    self.running[ended] = nil
    for name, number in pairs(ended.counted) do
      self[name] = self[name] - number
    end
    self.count = self.count - 1
    self:scan()
  end
end

-- Whether this process can have jobs of a kind. If not, it takes no more of them.
local function knows(self, kind)
  if not kinds[kind] then
    self.pace.unknown[kind] = true
    self:problem("start", errors.new("config", show.format("this process does not know the kind %s", kind)))
  end
  return kinds[kind] ~= nil
end

local function adopt(self, described)
  if self.known and self.known[described[1]] then
    return
  end
  local adopted = life.new(self, described)
  local is_fresh, is_known = adopted.state == "taken", knows(self, adopted.task.kind)
  if not is_known or is_fresh and adopted.options.direct and self.direct >= self.most_direct then
    self.fleet:_run(is_fresh and server.give_back or server.release, adopted.id, self.name, adopted.entry)
    return
  elseif is_fresh then
    adopted:change("starting", 1)
    adopted:change("direct", adopted.options.direct and 1 or 0)
  end
  self.running[adopted] = true
  self.count = self.count + 1
  self.loop.spawn(function()
    adopted:run()
    self:remove(adopted)
  end)
end

-- How many tasks it may take.
local function room(self)
  return math.min(self.options.concurrency - self.count, STARTS - self.starting)
end

-- Notes the tasks that it has, before it asks which it has: some may be over when the reply comes.
local function note_known(self)
  self.known = {}
  for each in pairs(self.running) do
    if each.owner == self.name then
      self.known[each.id] = true
    end
  end
end

local function take(self)
  local fleet = self.fleet
  if self.is_doubtful then
    note_known(self)
    return fleet:_run(server.mine, self.name)
  end
  self.known = nil
  local rate, refused, seconds = fleet._rate, self.pace:refused()
  self.held_for = seconds
  if self.direct >= self.most_direct then
    refused[#refused + 1] = "/direct"
  end
  return fleet:_run(server.take, self.name, room(self),
    rate.starts_per_minute or 0, rate.in_flight or 0, fleet._keep, DIED, self.pace:unknown_kinds(),
    unpack(refused))
end

-- Takes tasks if there is room for some. Returns the seconds until it is to be called again.
local function turn(self)
  local again = self.fleet._lease / 3
  if room(self) <= 0 then
    return again -- remove() has it scan
  elseif core.now() < math.max(self.scan_at, self.rest_until) then
    return math.max(self.scan_at, self.rest_until) - core.now()
  end
  self.scan_at = core.now() + again
  local name = self.name
  local reply, err = take(self)
  if err then
    if err.kind ~= "closed" then
      self:problem("redis", err)
    end
    self.is_doubtful = self.is_doubtful or err.sent or false
    self.scan_at = core.now() + FIRST_PAUSE * (1 + math.random())
    return self.scan_at - core.now()
  elseif reply == 0 or name ~= self.name then -- the keeper of the lease sees it, too
    return again
  end
  for _, described in ipairs(reply[1]) do
    adopt(self, described)
  end
  self.is_doubtful = false
  if #reply[1] > 0 then
    self.scan_at = 0
  else
    local wait = reply[2] >= 0 and reply[2] / 1000 or math.huge
    self.scan_at = math.min(self.scan_at, core.now() + math.min(wait, self.held_for))
  end
  return math.max(0, self.scan_at - core.now())
end

-- ---- its own life ----

-- Whether it is to end because the fleet has no task left.
local function is_drained(self)
  if not self.options.until_empty or self.count > 0 then
    return false
  end
  local stats = self.fleet:stats()
  return stats ~= nil and stats.waiting == 0 and stats.running == 0
end

-- Waits for its tasks. Those that only wait for their jobs are left to others at once.
local function finish(self)
  abandon(self)
  while self.count > 0 and self.waiter:park(1) ~= "cancelled" do
    abandon(self)
  end
  self.is_over = true
  if self.keeper then
    self.keeper:wake()
  end
  self.fleet._inbox:listen(self, nil)
  if not core.is_closed(self.client) then
    self.fleet:_run(server.leave, self.name)
  end
end

--- Works until stop(). Runs in a task of its own.
---@return true? ended, cekura.Error? err
function Worker:run()
  self.waiter = self.loop.waiter()
  self.fleet._inbox:listen(self, function(what, ...)
    if what == "tasks" then
      self:scan()
    elseif what == "hold" then
      local name, seconds = ...
      self.pace:hold(name, tonumber(seconds))
    end
  end)
  if join(self) then
    self.loop.spawn(keep_lease, self)
    while not self.is_stopping do
      local seconds = turn(self)
      if is_drained(self) then
        break
      end
      if self.options.until_empty then -- another worker may end the last task
        seconds = math.min(seconds, EMPTY_INTERVAL)
      end
      local why = not self.is_stopping and self.waiter:park(seconds, true)
      if why == "cancelled" or why == "closing" or core.is_closed(self.client) then
        self:stop()
      end
    end
  end
  self:stop()
  finish(self)
  if self.err then
    return nil, self.err
  end
  return true
end

--- Ends the work here.
---@param err? cekura.Error why
function Worker:stop(err)
  self.err = self.err or err
  if not self.is_stopping then
    self.is_stopping, self.stopped_at = true, core.now()
  end
  if self.waiter then
    self.waiter:wake()
  end
end

--- Makes one.
---@param fleet cekura.Fleet
---@param options cekura.WorkOptions checked
---@return cekura.fleet.Worker
function worker.new(fleet, options)
  return setmetatable({ fleet = fleet, client = fleet._client, loop = core.fields(fleet._client)._loop,
    options = options, name = "", running = {}, count = 0, starting = 0, direct = 0, rests = 0, rest_until = 0,
    most_direct = core.fields(fleet._client)._max_direct, is_over = false,
    is_stopping = false, stopped_at = 0, is_doubtful = false, scan_at = 0, held_for = math.huge, knows_holds = false,
    pace = pace.new(fleet._client), reported = {} }, Worker)
end

return worker

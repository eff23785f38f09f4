--- The life of a task in the worker that has it: intent, start, polls, outcome, handler. Before each step that others
-- must know of, the step is recorded in Redis; a step that cannot be recorded, because the task is another's by now, is
-- not taken.

local core = require "cekura.core"
local errors = require "cekura.errors"
local outcome = require "cekura.fleet.outcome"
local protected = require "cekura.loop.protected"
local server = require "cekura.fleet.server"

---@class cekura.fleet.Life
---@field worker cekura.fleet.Worker
---@field owner string the worker's name when it took the task
---@field id string
---@field entry string in its stream
---@field state string as in cekura.fleet.server
---@field options table of the start
---@field token? string
---@field raised integer how often the handler has
---@field kept? string the outcome that is recorded
---@field task cekura.FleetTask for handlers
---@field counted table<string, integer> what it adds to the worker's numbers `starting` and `direct`
---@field is_waiting boolean for the job: this may be left to others at any time
---@field is_abandoned boolean it is
local Life = {}
Life.__index = Life

local unpack = table.unpack or unpack -- luacheck: ignore 143

local life = {}

local leave = core.job_methods._leave -- here only: the service goes on

-- Seconds before a handler that has raised is called again, the first time; then twice as many.
local HANDLER_PAUSE = 1

-- How often a handler that raises is called again.
local REPEATS = 3

-- The longest wait for a job, in seconds: a job that never ends must not hold its place.
local LONGEST_WAIT = 86400

---@class cekura.FleetTask what a handler gets beside the outcome
---@field id string
---@field key? string
---@field kind string
---@field params table
---@field job? cekura.Job nil: it was not started, or its state is unknown
---@field attempts integer how many workers have had it, this one included

--- Makes one of what a script describes.
---@param worker cekura.fleet.Worker
---@param described any[] see cekura.fleet.server
---@return cekura.fleet.Life
function life.new(worker, described)
  local id, lane, state, params, options, attempts, key, token, raised, kept, entry = unpack(described)
  return setmetatable({ worker = worker, owner = worker.name, id = id, entry = entry, state = state,
    options = core.decode(options), token = token ~= "" and token or nil, raised = tonumber(raised) or 0,
    kept = kept ~= "" and kept or nil, is_waiting = false, is_abandoned = false, counted = {},
    task = { id = id, key = key ~= "" and key or nil, kind = server.kind_of(lane), params = core.decode(params),
      attempts = tonumber(attempts) or 1 } }, Life)
end

-- Records a step. Returns false if the task is another's, or nothing can be recorded any longer.
local function record(self, script, ...)
  local reply = self.worker:record(script, self.id, self.owner, ...)
  return reply ~= nil and reply ~= 0
end

--- Counts itself in a number of the worker's, or no longer.
---@param name "starting"|"direct"
---@param change integer
function Life:change(name, change)
  self.counted[name] = (self.counted[name] or 0) + change
  self.worker[name] = self.worker[name] + change
end

--- Leaves the task to others, if it only waits.
function Life:abandon()
  self.is_abandoned = true
  if self.waiter then
    self.waiter:wake()
  end
  if self.is_waiting and self.task.job then
    leave(self.task.job)
  end
end

-- Waits. Returns false if the task is to be left.
local function pause(self, seconds)
  self.waiter = self.worker.loop.waiter()
  local until_at = core.now() + seconds
  while not self.is_abandoned and core.now() < until_at do
    local why = self.waiter:park(until_at - core.now(), true)
    if why == "cancelled" or why == "closing" then
      self.is_abandoned = true
    end
  end
  self.waiter = nil
  return not self.is_abandoned
end

-- ---- the start ----

-- Whether a start that has failed has certainly not been processed, and may succeed later.
local function is_unprocessed(err)
  return err.kind == "rate_limited"
    or not err.sent and (err.kind == "network" or err.kind == "timeout" or err.kind == "server" or err.kind == "tls")
end

-- Whether an error says that this worker's key or proxy is wrong, whatever the task.
local function is_about_worker(err)
  return err.kind == "auth" and err.status ~= 403
end

-- Sends the start. Returns the job, or nil and an error.
local function send(self)
  local worker = self.worker
  local ok, job, err = protected(worker.loop, "start", worker.client.start, worker.client, self.task.kind,
    self.task.params, self.options)
  if not ok then
    return nil, job.kind == "raised" and errors.new("invalid", job.message) or job
  end
  return job, err
end

-- Takes in what a start has brought. Returns false if the task is to be left.
local function take_start(self, job, err)
  local worker = self.worker
  if job then
    self.task.job = job
    if not self.options.direct then -- that one is not answered yet
      worker:rest(nil)
    end
    local token = job:token()
    return not token or record(self, server.started, token)
  elseif is_unprocessed(err) then
    worker:rest(err)
    worker:share_holds() -- before another takes the task
  elseif is_about_worker(err) then
    worker:stop(err)
  elseif err.sent or err.kind ~= "closed" and err.kind ~= "cancelled" then
    self.err = err
    return true
  end
  record(self, server.give_back, self.entry)
  return false
end

-- Starts the job. Returns false if the task is to be left.
local function start(self)
  if self.worker.pace:held(self.task.kind, self.options.direct) > 0 then
    record(self, server.give_back, self.entry)
    return false
  elseif not record(self, server.intend) then
    return false
  end
  return take_start(self, send(self))
end

-- Makes the job of its token.
local function resume(self)
  self.task.job, self.err = self.worker.client:resume(self.token)
end

-- ---- the wait ----

-- Waits for the job. Returns false if the task is to be left. A direct job cannot be left to others, and its only
-- request is its start.
local function wait(self)
  local is_direct = self.options.direct
  if self.is_abandoned and not is_direct then
    return false
  end
  self.is_waiting = not is_direct
  local result, err = self.task.job:wait { timeout = LONGEST_WAIT }
  self.is_waiting = false
  if err and (err.kind == "closed" or err.kind == "cancelled") then
    return false
  elseif err and is_direct then
    return take_start(self, nil, err)
  elseif err and is_about_worker(err) then
    self.worker:stop(err)
    return false
  end
  self.result, self.err = result, err
  return true
end

-- ---- the outcome ----

-- Calls the handler until it returns. Returns false if the task is to be left, or is poisoned.
local function deliver(self)
  local worker = self.worker
  local name = self.err and "on_failed" or "on_result"
  local handler = worker.options[name]
  while handler do
    local ok, err = protected(worker.loop, name, handler, self.err or self.result, self.task)
    if ok then
      return true
    elseif err.kind == "cancelled" then
      return false
    end
    worker:problem(name, err)
    self.raised = self.raised + 1
    local is_last = self.raised > REPEATS
    local why = is_last and outcome.of_error(worker.client, self.task.kind, err) or ""
    if not record(self, server.raised, self.raised, why, worker.fleet._keep) or is_last
      or not pause(self, HANDLER_PAUSE * 2 ^ (self.raised - 1)) then
      return false
    end
  end
  return true
end

-- Records the outcome. Returns whether a handler is to be called.
local function finish(self)
  local worker = self.worker
  local what, text = outcome.write(worker.client, self.task, self.err)
  local has_handler = worker.options[self.err and "on_failed" or "on_result"] ~= nil
  return record(self, server.finish, what, text, worker.fleet._keep, has_handler and "0" or "1")
    and has_handler
end

--- Lives it to its end here.
function Life:run()
  local goes_on = true
  if self.state == "ended" then
    self.result, self.err, self.task.job = outcome.read(self.worker.client, self.kept)
  elseif self.state == "intent" then
    self.err = errors.new("unknown_outcome", ("fleet: the worker that was to start %s has died or was silent, and the "
      .. "service may have processed the start"):format(self.task.kind), { sent = true })
  elseif self.state == "running" then
    resume(self)
  else
    goes_on = start(self)
    self:change("starting", -1)
    self.worker:scan()
  end
  if goes_on and self.task.job and not self.err and self.state ~= "ended" then
    goes_on = wait(self)
  end
  if goes_on and (self.state == "ended" or finish(self)) and deliver(self) then
    record(self, server.complete, self.worker.fleet._keep)
  end
end

return life

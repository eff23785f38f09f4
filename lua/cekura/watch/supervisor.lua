--- The task of a watch: holds the store, begins what is due, and ends when the watch is stopped, its client is closed
-- or its host ends. A supervisor has all that the modules of a watch share; the object that a program gets from
-- cekura.watch hides it.

local clients = require "cekura.client"
local core = require "cekura.core"
local errors = require "cekura.errors"
local persistence = require "cekura.watch.persistence"
local report = require "cekura.watch.report"
local schedule = require "cekura.watch.schedule"
local store = require "cekura.watch.store"

---@class cekura.watch.Supervisor
---@field declared cekura.watch.Declaration
---@field report cekura.watch.Report
---@field stopping boolean nothing further is begun; set by whatever ends the watch, and never reset
---@field over boolean the watch has ended
---@field fault? cekura.Error why it did not begin, or what ended it
---@field calls table<cekura.watch.Item, cekura.CallLog> the records of improvements, for the handlers
---@field client? cekura.Client with all that follows, since the start
---@field owns_client? boolean the client was made here, and is closed at the end
---@field loop? table
---@field persistence? cekura.watch.Persistence
---@field schedule? cekura.watch.Schedule
---@field task? table
---@field waiter? any of the task
---@field rest? fun(seconds: number): boolean waits in the task; false: the task must not wait any more
---@field rest_until_stop? fun(seconds: number): boolean the same; also false once the watch is to end
---@field is_cancelled? boolean the task is
---@field resting_until? number the store is left to other watches until then
local Supervisor = {}
Supervisor.__index = Supervisor

local supervisor = {}

-- A closed client is noticed after this many seconds, if nothing is due before.
local LONGEST_PAUSE = 10

-- Seconds after which a task that the host has not begun to run is held up, at least.
local LEAST_STALL = 5

--- Creates one, which does nothing before its start.
---@param declared cekura.watch.Declaration
---@param reports cekura.watch.Report
---@return cekura.watch.Supervisor
function supervisor.new(declared, reports)
  return setmetatable({ declared = declared, report = reports, stopping = false, over = false,
    calls = setmetatable({}, { __mode = "k" }) }, Supervisor)
end

-- ---- its task ----

--- Makes the task begin the work that is due now.
function Supervisor:wake()
  self.waiter:wake()
end

-- Waits in the task. Returns false where the task must not wait any more.
local function rest(self, seconds, is_idle)
  local why = self.waiter:park(seconds, is_idle)
  if why == "cancelled" then
    self.is_cancelled = true
  end
  if why == "cancelled" or why == "closing" then -- the host ends
    self.stopping = true -- written without being read: stop() may run in between
  end
  return not self.is_cancelled
end

-- Loads the state and prepares it for this declaration.
local function load(self)
  local state = self.persistence:load(self.rest_until_stop)
  if not state then
    return
  end
  state:cut_starts "its process ended or lost the store"
  for _, entry in ipairs(self.declared.entries) do
    entry.saved_from, entry.missed, entry.sweep_due, entry.postponed = nil, nil, nil, {}
    state:add_entry(entry.name, entry.since)
    if not entry.improve then
      state:remove_wanted(entry.name)
    end
  end
  if not self.is_cancelled then
    self.persistence:save(state, self.rest)
  end
end

-- Acquires the store, or renews its lock. A watch whose scans do not go on releases it. Returns whether there is a
-- state to work on.
function Supervisor:hold()
  local held = self.persistence
  if held.state and self.schedule:is_stalled(math.max(self.declared.lease, LEAST_STALL)) then
    held:release()
    self.resting_until = core.now() + self.declared.lease
  end
  local is_resting = self.resting_until and core.now() < self.resting_until
  if is_resting or not held:acquire(self.rest_until_stop) then
    return false -- another watch has it
  elseif not held.state and self.schedule:is_idle() then -- works of the state before end first
    load(self)
  end
  return held.state ~= nil
end

-- Begins the work that is due. Returns the seconds until more is due, nil at the end.
function Supervisor:turn()
  if core.is_closed(self.client) then
    self.stopping = true
  end
  local pause = math.min(self.declared.lease / 3, LONGEST_PAUSE, self.declared.shortest)
  if self.stopping then
    self.schedule:cancel()
    if self.persistence.state then -- the next watch must not run what is still under way
      self.persistence:renew()
    end
    return not self.schedule:is_idle() and pause or nil
  end
  local has_state = self:hold()
  if self.stopping then -- meanwhile
    return 0
  end
  return has_state and math.min(pause, self.schedule:begin_due()) or pause
end

-- Saves the unsaved changes and releases the store.
local function finish(self)
  if self.persistence.state then
    self.persistence.state:cut_starts "its task was cancelled"
  end
  local rest_at_end = not self.is_cancelled and self.rest or nil
  self.persistence:flush(rest_at_end)
  self.persistence:release(rest_at_end)
  self.over = true
  if self.owns_client then
    self.client:close()
  end
end

local function run(self)
  self.waiter = self.loop.waiter()
  function self.rest(seconds)
    return rest(self, seconds)
  end
  function self.rest_until_stop(seconds)
    return not self.stopping and rest(self, seconds)
  end
  local seconds = self:turn()
  while seconds and not self.is_cancelled and rest(self, seconds, not self.stopping) do
    seconds = self:turn()
  end
  if self.is_cancelled then
    self.schedule:cancel()
  end
  finish(self)
  return true
end

-- Whatever the task raises, the store is released.
local function run_or_release(self)
  local ok, raised = self.loop.spawn(run, self):join()
  if not ok and not self.over and not report.is_shutdown(raised) then
    self.over, self.fault = true, self.report:problem(raised, "watch")
    self.persistence:release()
  end
end

-- ---- start and stop ----

-- The declared client; nil and an error.
local function open_client(given)
  if core.type(given) == "client" then
    return given, nil, false
  end
  local ok, made, err = pcall(clients.new, given)
  if not ok then
    made, err = nil, errors.new("config", (tostring(made):gsub("^.-cekura: ", "", 1)))
  end
  return made, err, true
end

--- Starts the task, unless the declaration is unusable or the watch was stopped before.
function Supervisor:start()
  local declared, err = self.declared, nil
  if not declared.unusable and not self.stopping then
    self.client, err, self.owns_client = open_client(declared.client)
  end
  if not self.client then
    if err then
      self.report:mistake("client: " .. err.message, "client")
    end
    self.over, self.fault = true, not self.stopping and self.report.first_mistake or nil
    return
  end
  local fields = core.fields(self.client)
  self.loop = fields._loop
  self.schedule = schedule.new(self)
  self.persistence = persistence.new {
    loop = self.loop, report = self.report, base = fields._base_url,
    store = store.open(declared.store, declared.name, declared.lease),
    on_lost = function()
      self.schedule:cancel()
    end,
  }
  self.task = self.loop.spawn(run_or_release, self)
end

--- Has the watch end. Handlers and starts that are under way are completed.
function Supervisor:stop()
  self.stopping = true
  if self.waiter then
    self.schedule:cancel()
    self:wake()
  end
end

--- Waits until the watch has ended.
---@return true? ended, cekura.Error? fault
function Supervisor:wait()
  if self.task then
    self.task:join()
  end
  if self.fault then
    return nil, self.fault
  end
  return true
end

return supervisor

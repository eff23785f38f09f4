--- The state of a watch while the watch holds its store: loaded when the store is acquired, saved at each change, and
-- dropped as soon as another watch may have written to the store.

local coalescer = require "cekura.watch.coalescer"
local errors = require "cekura.errors"
local store = require "cekura.watch.store"
local watch_state = require "cekura.watch.state"

---@class cekura.watch.Persistence
---@field loop table
---@field store table see cekura.watch.store
---@field base string the base URL of the service that the state is about
---@field report cekura.watch.Report
---@field on_lost fun() called when the state is dropped
---@field lock cekura.watch.Coalescer whose requests acquire the store or renew its lock
---@field state? cekura.watch.State nil: another watch holds the store, or it was not read yet
---@field writer? cekura.watch.Coalescer whose requests write the state as it is when the write begins
---@field is_refused? boolean the store could not be locked
---@field unstored? cekura.watch.State what could not be stored anywhere yet
local Persistence = {}
Persistence.__index = Persistence

local persistence = {}

-- Another watch may have written to the store, unless its lock was renewed.
local function on_acquired(self, outcome)
  if outcome ~= "renewed" and self.state then
    self.unstored = outcome == "found" and self.state or nil
    self:drop()
  end
end

local function text_of(fault)
  return errors.is(fault) and fault.message or fault
end

local function fault_of(what, fault)
  return fault and errors.new(errors.is(fault) and fault.kind or "config",
    ("store: it cannot be %s: %s"):format(what, text_of(fault))) or nil
end

local function report_lock(self, outcome, fault)
  if fault or outcome and self.is_refused then
    self.report:attempted("store", fault_of("locked", fault))
    self.is_refused = fault ~= nil
  end
end

--- Creates one, which holds nothing yet.
---@param fields table loop, store, base, report, on_lost
---@return cekura.watch.Persistence
function persistence.new(fields)
  local self = setmetatable(fields, Persistence)
  self.lock = coalescer.new {
    operation_of = function()
      return self.store:acquire()
    end,
    on_completed = function(outcome)
      on_acquired(self, outcome)
    end,
    report = function(outcome, fault)
      report_lock(self, outcome, fault)
    end,
  }
  return self
end

-- ---- waiting ----

-- Seconds between two checks whether an operation has ended: a sync takes one or some hundred milliseconds.
local FIRST_PAUSE, LAST_PAUSE = 0.001, 0.05

-- Polls, since nothing wakes a task when a disk's thread is done: that knows no loop. Returns false if the wait itself
-- was ended.
local function wait_until(is_over, rest)
  local pause = FIRST_PAUSE
  while not is_over() do
    if not rest(pause) then
      return false
    end
    pause = math.min(2 * pause, LAST_PAUSE)
  end
  return true
end

local function wait_for(operation, rest)
  return wait_until(function()
    return operation:is_done()
  end, rest)
end

-- Waits until a request has been carried out. Returns whether that succeeded; nil if the wait was ended.
local function outcome_of(requests, ticket, rest)
  local outcome
  local function is_over()
    requests:step()
    outcome = requests:outcome(ticket)
    return outcome ~= nil
  end
  return wait_until(is_over, rest) and outcome or nil
end

-- The rest of a task, which ends when the task is cancelled.
local function rest_in(loop)
  local waiter
  return function(seconds)
    waiter = waiter or loop.waiter()
    return waiter:park(seconds) ~= "cancelled"
  end
end

-- ---- the lock ----

--- Acquires the store, or renews its lock, and waits for that.
---@param rest fun(seconds: number): boolean waits that long; false: the caller is to end
---@return boolean? is_held
function Persistence:acquire(rest)
  return outcome_of(self.lock, self.lock:request(), rest)
end

--- Requests that the lock be renewed, and does not wait for that.
function Persistence:renew()
  self.lock:request()
end

--- Whether a state is still to be used. Asks the store and waits for its answer, because only the store shows a process
-- that was frozen that it has lost its lease.
---@param state cekura.watch.State
function Persistence:is_current(state)
  return self.state == state and self:acquire(rest_in(self.loop)) and self.state == state
end

--- Drops the state.
function Persistence:drop()
  self.state, self.writer = nil, nil
  self.on_lost()
end

--- Releases the store.
---@param rest? fun(seconds: number): boolean nil: it does not wait for the end of that
function Persistence:release(rest)
  if self.state then
    self:drop()
  end
  local releasing = self.store:release()
  if rest then
    wait_for(releasing, rest)
  end
end

-- ---- saving ----

--- Requests that the state be written, and does not wait for that.
---@param state cekura.watch.State
---@return integer? ticket nil: the state is not to be used any more
function Persistence:request_write(state)
  return self.state == state and self.writer:request() or nil
end

--- Saves the state, and waits until it is written.
---@param state cekura.watch.State
---@param rest? fun(seconds: number): boolean waits that long; false: the caller is to end. Default: that of a task
---@return boolean? is_saved otherwise a fault of the store was reported, or the state or the task is over
function Persistence:save(state, rest)
  local writing, ticket = self.writer, self:request_write(state)
  return ticket and outcome_of(writing, ticket, rest or rest_in(self.loop))
end

--- Whether a change could not be written.
function Persistence:has_failed()
  return self.writer ~= nil and self.writer:has_failed()
end

--- Corrects times and completes writes that have ended.
---@return number? seconds until it is to be called again; nil: it need not be
function Persistence:step()
  local writing = self.writer
  self:correct_times()
  writing:step()
  return writing:is_busy() and LAST_PAUSE or nil
end

--- Saves all changes, and waits until they are written.
---@param rest? fun(seconds: number): boolean nil: it blocks
function Persistence:flush(rest)
  local writing = self.writer
  if not (self.state and self:request_write(self.state)) then
    return
  end
  local function is_idle()
    writing:step()
    return not writing:is_busy()
  end
  if not (rest and wait_until(is_idle, rest)) then
    writing:flush()
  end
end

-- ---- loading ----

-- A clock that was ahead must not silence the watch until the real time has caught up with it.
function Persistence:correct_times()
  local lead = self.state:correct_times()
  if lead > 0 then
    self.report:problem(errors.new("config", ("store: it has times that lie %d s in the future, by a clock that was "
      .. "ahead: they count as now"):format(lead)), "store")
  end
end

-- The state of a text. A text that cannot be read is set aside; nil if that fails.
local function read_state(self, text, rest)
  if text == nil then
    return watch_state.new(self.base)
  end
  local state, fault = watch_state.read(text, self.base)
  if state then
    return state
  end
  local moving = self.store:set_aside(text)
  if not wait_for(moving, rest) then
    return nil
  end
  local place, hindrance = moving:result()
  if not place then
    self.report:attempted("store", errors.new("config", ("store: %s; it cannot be set aside: %s"):format(fault,
      text_of(hindrance) or "the store is lost")))
    return nil
  end
  self.report:problem(errors.new("config", ("store: %s; a new one is begun, and the old one is now %s"):format(fault,
    place)), "store")
  return watch_state.new(self.base)
end

-- Makes the writer of the state. One that has lost its state writes nothing.
local function new_writer(self, state)
  return coalescer.new {
    operation_of = function()
      return self.state == state and self.store:write(state:text()) or store.lost()
    end,
    report = function(_, fault)
      self.report:attempted("store", fault_of("written", fault))
    end,
  }
end

--- Loads the state.
---@param rest fun(seconds: number): boolean
---@return cekura.watch.State? state nil: it cannot be read
function Persistence:load(rest)
  local reading = self.store:read()
  if not wait_for(reading, rest) then
    return nil
  end
  local ok, text = reading:result()
  self.report:attempted("store", not ok and fault_of("read", text) or nil)
  local state = ok and read_state(self, text, rest)
  if not state then
    return nil
  end
  if self.unstored then
    state:merge(self.unstored)
    self.unstored = nil
  end
  self.state, self.writer = state, new_writer(self, state)
  self:correct_times()
  return state
end

return persistence

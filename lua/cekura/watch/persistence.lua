--- The state of a watch while the watch holds its store: loaded when the store is acquired, saved at each change, and
-- dropped as soon as another watch may have written to the store.

local errors = require "cekura.errors"
local store = require "cekura.watch.store"
local watch_state = require "cekura.watch.state"
local writer = require "cekura.watch.writer"

---@class cekura.watch.Persistence
---@field loop table
---@field store table see cekura.watch.store
---@field base string the base URL of the service that the state is about
---@field report cekura.watch.Report
---@field on_lost fun() called when the state is dropped
---@field state? cekura.watch.State nil: another watch holds the store, or it was not read yet
---@field writer? cekura.watch.Writer of the state
---@field is_refused? boolean the store could not be locked
---@field unstored? cekura.watch.State what could not be stored anywhere yet
local Persistence = {}
Persistence.__index = Persistence

local persistence = {}

--- Creates one, which holds nothing yet.
---@param fields table loop, store, base, report, on_lost
---@return cekura.watch.Persistence
function persistence.new(fields)
  return setmetatable(fields, Persistence)
end

local function fault_of(what, fault)
  return fault and errors.new("config", ("store: it cannot be %s: %s"):format(what, fault)) or nil
end

-- ---- the lock ----

--- Acquires the store, or renews its lock.
---@return string? outcome as store:acquire() has it
function Persistence:acquire()
  local outcome, fault = self.store:acquire()
  if outcome ~= "renewed" and self.state then -- another watch may have written to it meanwhile
    self.unstored = outcome == "found" and self.state or nil
    self:drop()
  end
  if fault or outcome and self.is_refused then
    self.report:attempted("store", fault_of("locked", fault))
    self.is_refused = fault ~= nil
  end
  return outcome
end

--- Whether a state is still to be used. Asks the store, because only the store shows a process that was frozen that it
-- has lost its lease.
---@param state cekura.watch.State
function Persistence:is_current(state)
  return self.state == state and self:acquire() == "renewed"
end

--- Drops the state.
function Persistence:drop()
  self.state, self.writer = nil, nil
  self.on_lost()
end

--- Releases the store.
function Persistence:release()
  if self.state then
    self:drop()
  end
  self.store:release()
end

-- ---- saving ----

--- Requests that the state be written, and does not wait for that.
---@param state cekura.watch.State
---@return integer? ticket nil: the state is not to be used any more
function Persistence:request_write(state)
  return self:is_current(state) and self.writer:request() or nil
end

-- Seconds between two checks whether a write has ended: a sync takes one or some hundred milliseconds.
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

-- The rest of a task, which ends when the task is cancelled.
local function rest_in(loop)
  local waiter
  return function(seconds)
    waiter = waiter or loop.waiter()
    return waiter:park(seconds) ~= "cancelled"
  end
end

--- Saves the state, and waits until it is written.
---@param state cekura.watch.State
---@param rest? fun(seconds: number): boolean waits that long; false: the caller is to end. Default: that of a task
---@return boolean? is_saved a fault of the store was reported; otherwise the state or the task is over
function Persistence:save(state, rest)
  local ticket, writing, is_saved = self:request_write(state), self.writer, nil
  local function is_written()
    writing:step()
    is_saved = writing:outcome(ticket)
    return is_saved ~= nil
  end
  return ticket and wait_until(is_written, rest or rest_in(self.loop)) and is_saved
end

--- Whether a change could not be written.
function Persistence:has_failed()
  return self.writer ~= nil and self.writer:has_failed()
end

--- Corrects times and completes writes that have ended.
---@return number? seconds until it is to be called again; nil: it need not be
function Persistence:step()
  self:correct_times()
  self.writer:step()
  return self.writer:is_busy() and LAST_PAUSE or nil
end

--- Saves all changes, and waits until they are written.
---@param rest? fun(seconds: number): boolean nil: it blocks
function Persistence:flush(rest)
  if not (self.state and self:request_write(self.state)) then
    return
  end
  local writing = self.writer
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
local function read_state(self, text)
  if text == nil then
    return watch_state.new(self.base)
  end
  local state, fault = watch_state.read(text, self.base)
  if state then
    return state
  end
  local place, hindrance = self.store:set_aside(text)
  if not place then
    self.report:attempted("store", errors.new("config", ("store: %s; it cannot be set aside: %s"):format(fault,
      hindrance)))
    return nil
  end
  self.report:problem(errors.new("config", ("store: %s; a new one is begun, and the old one is now %s"):format(fault,
    place)), "store")
  return watch_state.new(self.base)
end

--- Loads the state.
---@param rest fun(seconds: number): boolean
---@return cekura.watch.State? state nil: it cannot be read
function Persistence:load(rest)
  local reading = self.store:read()
  wait_until(function()
    return store.is_done(reading)
  end, rest)
  local ok, text = store.result(reading)
  self.report:attempted("store", not ok and fault_of("read", text) or nil)
  local state = ok and read_state(self, text)
  if not state then
    return nil
  end
  if self.unstored then
    state:merge(self.unstored)
    self.unstored = nil
  end
  self.state = state
  self.writer = writer.new(self.store, function()
    return state:text()
  end, function(fault)
    self.report:attempted("store", fault_of("written", fault))
  end)
  self:correct_times()
  return state
end

return persistence

--- The state of a watch, while it holds its store: read when the store is taken, written at each change, and of no use
-- any more as soon as another may have written.

local errors = require "cekura.errors"
local kept_state = require "cekura.watch.state"
local store = require "cekura.watch.store"
local writer = require "cekura.watch.writer"

---@class cekura.watch.Kept
---@field loop table
---@field store table see cekura.watch.store
---@field base string the base URL that all of it is about
---@field problem fun(err: cekura.Error, where: string)
---@field trouble fun(where: string, err: cekura.Error?) the same of what is met again and again
---@field lost fun() called when the state is lost
---@field state? cekura.watch.State nil: another holds the store, or it was not read yet
---@field writer? cekura.watch.Writer of the state
---@field is_refused? boolean the store could not be locked
---@field unstored? cekura.watch.State what could not be stored anywhere yet
local Kept = {}
Kept.__index = Kept

-- Seconds between two looks whether a write has ended: a sync takes one or some hundred milliseconds.
local FIRST_PAUSE, LAST_PAUSE = 0.001, 0.05

local kept = {}

--- Makes one.
---@param fields table loop, store, base, problem, trouble, lost
---@return cekura.watch.Kept
function kept.new(fields)
  return setmetatable(fields, Kept)
end

local function fault_of(what, fault)
  return fault and errors.new("config", ("store: it cannot be %s: %s"):format(what, fault)) or nil
end

-- ---- who holds the store ----

--- Asks the store whether it is held, or takes it.
---@return string? held as store:hold() has it
function Kept:hold()
  local held, fault = self.store:hold()
  if held ~= "renewed" and self.state then -- another may have written to it meanwhile
    self.unstored = held == "found" and self.state or nil
    self:lose()
  end
  if fault or held and self.is_refused then
    self.trouble("store", fault_of("locked", fault))
    self.is_refused = fault ~= nil
  end
  return held
end

--- Whether the state is still to be used: the store is asked, since a process that was frozen finds out only by that.
---@param state cekura.watch.State
function Kept:holds(state)
  return self.state == state and self:hold() == "renewed"
end

--- Forgets the state.
function Kept:lose()
  self.state, self.writer = nil, nil
  self.lost()
end

--- Gives the store up.
function Kept:release()
  if self.state then
    self:lose()
  end
  self.store:release()
end

-- ---- writing ----

--- Has the state written. Does not wait for it.
---@param state cekura.watch.State
---@return integer? ticket, cekura.Error? err it is not this watch's any more
function Kept:note(state)
  if not self:holds(state) then
    return nil, errors.new("closed", "another holds the store")
  end
  return self.writer:change()
end

-- Waits until a write or read has ended. Nothing wakes it: a disk's thread knows no loop. Returns false if the wait
-- itself was ended.
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

-- How a task rests that was not cancelled.
local function rest_in(loop)
  local waiter
  return function(seconds)
    waiter = waiter or loop.waiter()
    return waiter:park(seconds) ~= "cancelled"
  end
end

--- Has the state written, and waits until it is.
---@param state cekura.watch.State
---@param rest? fun(seconds: number): boolean waits so long; false: whoever waits is to end. Default: that of a task
---@return boolean? ok, cekura.Error? err
function Kept:save(state, rest)
  local ticket, err = self:note(state)
  if not ticket then
    return nil, err
  end
  local writing, is_kept, fault = self.writer, nil, nil
  local function is_answered()
    writing:go_on()
    is_kept, fault = writing:outcome(ticket)
    return is_kept ~= nil
  end
  if not wait_until(is_answered, rest or rest_in(self.loop)) then
    return nil, errors.new("cancelled", "the task was cancelled")
  end
  return is_kept or nil, not is_kept and fault_of("written", fault) or nil
end

--- Whether there is something that could not be written.
function Kept:is_behind()
  return self.writer ~= nil and self.writer:has_failed()
end

--- Takes in writes that have ended, and mends times. Returns the seconds until it is to be called again; nil: there is
--- no hurry.
---@return number? seconds
function Kept:go_on()
  self:mend_times()
  self.writer:go_on()
  return self.writer:is_busy() and LAST_PAUSE or nil
end

--- Writes what is to be written, and waits until it is.
---@param rest? fun(seconds: number): boolean without it, that blocks
function Kept:finish(rest)
  if not (self.state and self:note(self.state)) then
    return
  end
  local writing = self.writer
  local function is_idle()
    writing:go_on()
    return not writing:is_busy()
  end
  if not (rest and wait_until(is_idle, rest)) then
    writing:finish()
  end
end

-- ---- reading ----

-- A clock that was ahead must not silence the watch until the real time has caught up with it.
function Kept:mend_times()
  local lead = kept_state.mend_times(self.state)
  if lead > 0 then
    self.problem(errors.new("config", ("store: it has times that lie in the future, by %d s, of a clock that was "
      .. "ahead: they count as now"):format(lead)), "store")
  end
end

-- The state that a text stands for. One that cannot be read is kept aside; nil if that cannot be done.
local function read_state(self, text)
  if text == nil then
    return kept_state.new(self.base)
  end
  local state, fault = kept_state.read(text, self.base)
  if state then
    return state
  end
  local place, hindrance = self.store:set_aside(text)
  if not place then
    self.trouble("store", errors.new("config", ("store: %s; it cannot be put aside: %s"):format(fault, hindrance)))
    return nil
  end
  self.problem(errors.new("config", ("store: %s; it is begun anew, what was there is now %s"):format(fault, place)),
    "store")
  return kept_state.new(self.base)
end

--- Takes up what was kept.
---@param rest fun(seconds: number): boolean
---@return cekura.watch.State? state nil: it cannot be read
function Kept:load(rest)
  local reading = self.store:read()
  wait_until(function()
    return store.is_done(reading)
  end, rest)
  local ok, text = store.result(reading)
  self.trouble("store", not ok and fault_of("read", text) or nil)
  local state = ok and read_state(self, text)
  if not state then
    return nil
  end
  if self.unstored then
    kept_state.add(state, self.unstored)
    self.unstored = nil
  end
  self.state = state
  self.writer = writer.new(self.store, function()
    return kept_state.write(state)
  end, function(failure)
    self.trouble("store", fault_of("written", failure))
  end)
  self:mend_times()
  return state
end

return kept

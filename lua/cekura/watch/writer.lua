--- Has a store hold the newest state of a watch: one write at a time, each of the state as it is when the write begins.
-- Nothing here waits; whoever waits for a write looks again and again.

local atomic = require "cekura.loop.atomic"
local core = require "cekura.core"
local store = require "cekura.watch.store"

---@class cekura.watch.Writer
---@field changes integer how often the state has changed; the number of a change is its ticket
---@field answered integer the last change whose write has ended, well or not
---@field kept integer the last change that the store has
---@field fault? string what the last write failed by
local Writer = {}
Writer.__index = Writer

local writer = {}

--- Makes one.
---@param to table the store
---@param text fun(): string the state as it is now
---@param on_answer fun(fault: string?) called at the end of each write
---@return cekura.watch.Writer
function writer.new(to, text, on_answer)
  return setmetatable({ store = to, text = text, on_answer = on_answer, changes = 0, answered = 0, kept = 0 }, Writer)
end

-- Takes in the write that has ended. Returns whether one had.
local function take_in(self)
  if not self.work or not store.is_done(self.work) then
    return false
  end
  local ok, fault = store.result(self.work)
  self.work = nil
  self.answered, self.fault = self.writing, not ok and fault or nil
  self.kept = ok and self.writing or self.kept
  return true
end

local function begin(self)
  if not self.work and self.answered < self.changes then
    self.writing = self.changes
    self.work = self.store:write(self.text())
  end
end

-- A host may interrupt Lua anywhere, and let another coroutine call this meanwhile.
local function step(self)
  local ended = take_in(self)
  begin(self)
  return ended
end

--- Takes in what has ended, and begins what is to be written.
function Writer:go_on()
  while core.uninterrupted(step, self) do
    self.on_answer(self.fault)
  end
end

local count_change = atomic(function(self)
  self.changes = self.changes + 1
  return self.changes
end)

--- Takes down that the state has changed, and begins to write it.
---@return integer ticket
function Writer:change()
  local ticket = count_change(self)
  self:go_on()
  return ticket
end

--- How a change went: true, it is kept; false and the fault; nil: it is being written.
---@param ticket integer
---@return boolean? is_kept, string? fault
function Writer:outcome(ticket)
  if ticket <= self.kept then
    return true
  elseif ticket <= self.answered then
    return false, self.fault
  end
  return nil
end

--- Whether there is something that the store does not have, though it was tried.
function Writer:has_failed()
  return self.kept < self.answered
end

--- Whether something is being written.
function Writer:is_busy()
  return self.work ~= nil
end

--- Writes what is to be written, and blocks until that has ended, some seconds at most.
function Writer:finish()
  for _ = 1, 2 do -- what is under way, and what has changed since
    if self.work then
      store.result(self.work)
    end
    self:go_on()
  end
end

return writer

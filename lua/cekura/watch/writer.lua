--- Writes the newest state of a watch to its store, one write at a time; each write has the state as it is when the
-- write begins. Nothing here waits: a caller that needs the outcome of a write polls for it.

local atomic = require "cekura.loop.atomic"
local core = require "cekura.core"
local store = require "cekura.watch.store"

---@class cekura.watch.Writer
---@field to table the store
---@field text fun(): string the state as it is now
---@field on_completed fun(fault: string?) called after each write
---@field requested integer the number of changes so far; the number of a change is its ticket
---@field completed integer the last change whose write has ended, well or not
---@field saved integer the last change that the store has
---@field operation? any the write that is under way
---@field writing? integer the last change that it has
---@field fault? string the fault of the last write
local Writer = {}
Writer.__index = Writer

local writer = {}

--- Creates a writer.
---@param to table the store
---@param text fun(): string
---@param on_completed fun(fault: string?)
---@return cekura.watch.Writer
function writer.new(to, text, on_completed)
  return setmetatable({ to = to, text = text, on_completed = on_completed, requested = 0, completed = 0, saved = 0 },
    Writer)
end

-- Returns whether a write has ended.
local function complete(self)
  if not self.operation or not store.is_done(self.operation) then
    return false
  end
  local ok, fault = store.result(self.operation)
  self.operation = nil
  self.completed, self.fault = self.writing, not ok and fault or nil
  self.saved = ok and self.writing or self.saved
  return true
end

local function begin(self)
  if not self.operation and self.completed < self.requested then
    self.writing = self.requested
    self.operation = self.to:write(self.text())
  end
end

local function step(self)
  local has_completed = complete(self)
  begin(self)
  return has_completed
end

--- Completes the write that has ended, and begins the next.
function Writer:step()
  -- A host may interrupt Lua anywhere, and let another coroutine call this meanwhile.
  while core.uninterrupted(step, self) do
    self.on_completed(self.fault)
  end
end

local count_request = atomic(function(self)
  self.requested = self.requested + 1
  return self.requested
end)

--- Requests that a change of the state be written.
---@return integer ticket
function Writer:request()
  local ticket = count_request(self)
  self:step()
  return ticket
end

--- The outcome of a change: true, the store has it; false, its write failed; nil: it is not written yet.
---@param ticket integer
---@return boolean? is_saved
function Writer:outcome(ticket)
  if ticket <= self.completed then
    return ticket <= self.saved
  end
  return nil
end

--- Whether a change could not be written, and none was since.
function Writer:has_failed()
  return self.saved < self.completed
end

--- Whether a write is under way.
function Writer:is_busy()
  return self.operation ~= nil
end

--- Writes all changes, and blocks until that has ended, some seconds at most.
function Writer:flush()
  for _ = 1, 2 do -- the write that is under way, and the changes since it began
    if self.operation then
      store.result(self.operation)
    end
    self:step()
  end
end

return writer

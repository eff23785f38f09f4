--- Carries out an operation of a store for every request, one at a time: an operation serves all requests that were
-- made before it began. Nothing here waits: a caller that needs the outcome of a request polls for it.

local atomic = require "cekura.loop.atomic"
local core = require "cekura.core"

---@class cekura.watch.Coalescer
---@field operation_of fun(): cekura.watch.Operation begins an operation
---@field on_completed? fun(value: any) called at the end of each operation, before anything else runs
---@field report fun(value: any, fault: any) called after that
---@field requested integer the number of requests so far; the number of a request is its ticket
---@field completed integer the last request whose operation has ended, well or not
---@field succeeded integer the last request whose operation had a value
---@field operation? cekura.watch.Operation the one that is under way
---@field serving? integer the last request that it serves
---@field value? any the outcome of the last operation
---@field fault? any
local Coalescer = {}
Coalescer.__index = Coalescer

local coalescer = {}

--- Creates one.
---@param fields table operation_of, on_completed, report
---@return cekura.watch.Coalescer
function coalescer.new(fields)
  fields.requested, fields.completed, fields.succeeded = 0, 0, 0
  return setmetatable(fields, Coalescer)
end

-- Returns whether an operation has ended.
local function complete(self)
  local operation = self.operation
  if not operation or not operation:is_done() then
    return false
  end
  local value, fault = operation:result()
  self.operation, self.completed = nil, self.serving
  self.succeeded = value and self.serving or self.succeeded
  self.value, self.fault = value, not value and fault or nil
  if self.on_completed then
    self.on_completed(value)
  end
  return true
end

local function begin(self)
  if not self.operation and self.completed < self.requested then
    self.serving = self.requested
    self.operation = self.operation_of()
  end
end

local function step(self)
  local has_completed = complete(self)
  begin(self)
  return has_completed
end

--- Completes the operation that has ended, and begins the next.
function Coalescer:step()
  -- A host may interrupt Lua anywhere, and let another coroutine call this meanwhile.
  while core.uninterrupted(step, self) do
    self.report(self.value, self.fault)
  end
end

local count_request = atomic(function(self)
  self.requested = self.requested + 1
  return self.requested
end)

--- Makes a request.
---@return integer ticket
function Coalescer:request()
  local ticket = count_request(self)
  self:step()
  return ticket
end

--- The outcome of a request: whether its operation had a value; nil: it has not ended yet.
---@param ticket integer
---@return boolean? has_succeeded
function Coalescer:outcome(ticket)
  if ticket <= self.completed then
    return ticket <= self.succeeded
  end
  return nil
end

--- Whether the last operation had no value.
function Coalescer:has_failed()
  return self.succeeded < self.completed
end

--- Whether an operation is under way.
function Coalescer:is_busy()
  return self.operation ~= nil
end

--- Carries out all requests, and blocks for as long as the results of operations block.
function Coalescer:flush()
  for _ = 1, 2 do -- the operation that is under way, and the requests since it began
    if self.operation then
      self.operation:result()
    end
    self:step()
  end
end

return coalescer

--- Long work in slices: between them, the loop's other tasks have their turns.

local core = require "cekura.core"
local errors = require "cekura.errors"

local slices = {}

-- Seconds of work at once; of a pause while others append, who hold their lock for microseconds; and after which those
-- count as stopped.
local SLICE, PAUSE, STOPPED = 0.001, 0.001, 2

---@class cekura.outbox.Slices
---@field waiter any of the code that works
---@field ends_at number by core.now(): when others have their turn
local Slices = {}
Slices.__index = Slices

--- Begins work. Raises where the host cannot wait: whether it has to depends on how much work there is.
---@param loop table
---@return cekura.outbox.Slices
function slices.new(loop)
  return setmetatable({ waiter = loop.waiter(), ends_at = core.now() + SLICE }, Slices)
end

--- Waits until the others had their turns.
---@param seconds? number how long at least
---@return cekura.Error? err of kind "cancelled" or "closed": the work is to end
function Slices:rest(seconds)
  local why = self.waiter:park(seconds or 0, true)
  self.ends_at = core.now() + SLICE
  if why == "cancelled" then
    return errors.new("cancelled", "the task was cancelled")
  elseif why == "closing" then
    return errors.new("closed", "the host is ending")
  end
end

--- Does the same if a slice is over. To be called after each piece of the work.
---@return cekura.Error? err
function Slices:turn()
  if core.now() >= self.ends_at then
    return self:rest()
  end
end

--- Calls core.next_of_spool() or core.count_spool() until it knows its result, or another process keeps it from that.
---@generic T
---@param read fun(spool: userdata): T?, string?
---@param spool userdata
---@return T? result
---@return string? fault
---@return cekura.Error? err as above
function Slices:read(read, spool)
  local worked_at = core.now()
  while true do
    local result, fault = read(spool)
    if type(result) ~= "boolean" then
      return result, fault
    end
    worked_at = result and core.now() or worked_at
    if core.now() > worked_at + STOPPED then
      return nil, "another process keeps its files locked"
    end
    local err = self:rest(result and 0 or PAUSE)
    if err then
      return nil, nil, err
    end
  end
end

return slices

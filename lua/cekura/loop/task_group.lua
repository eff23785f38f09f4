--- The tasks of one run: what cekura.run() waits for.

local atomic = require "cekura.loop.atomic"

local group = {}
group.__index = group

--- Makes a group.
---@param waiter table woken when the last member has ended
function group.new(waiter)
  return setmetatable({ count = 0, failed = false, members = {}, waiter = waiter, main = false, over = false }, group)
end

--- Adds a task. The first is the main one, which ends the others when it raises.
function group:add(task)
  self.members[task] = true
  self.count = self.count + 1
  self.main = self.main or task
end

--- Removes a task that has ended, or could not be launched.
function group:remove(task)
  if self.members[task] then
    self.members[task] = nil
    self.count = self.count - 1
  end
end

--- Cancels the members. Tasks that they still spawn never begin.
group.cancel = atomic(function(self)
  self.over = true
  local members = {}
  for member in pairs(self.members) do
    members[#members + 1] = member
  end
  for _, member in ipairs(members) do
    member:cancel()
  end
end)

--- Records that a task has raised while nothing joined it. The group keeps one: the first that was never joined.
function group:keep_failed(task)
  if not (self.failed and not self.failed.joined) then
    self.failed = task
  end
end

--- Waits until all members have ended.
function group:wait()
  while self.count > 0 do
    if self.waiter:park() == "cancelled" then
      self:cancel()
    end
  end
end

return group

--- A queue of tables that a loop is to resume. Each holds the one that follows it: so adding one needs no memory, and
-- none is lost for want of it. A table is in one queue at most. Its field `following` is the queue's: the table that
-- follows it there, true for the last one, and false in no queue. Code that makes such a table sets it to false.

local queue = {}
queue.__index = queue

--- Makes a queue; its `last_ticket` is the number of tables that were added so far.
function queue.new()
  return setmetatable({ first = false, last = false, last_ticket = 0, taken = 0 }, queue)
end

--- Adds a table at the end, unless it is in the queue already.
function queue:put(thing)
  if thing.following then
    return
  end
  self.last_ticket = self.last_ticket + 1
  thing.following = true
  if self.last then
    self.last.following = thing
  else
    self.first = thing
  end
  self.last = thing
end

--- Removes and returns the first table; nil if there is none, or if it was added after that ticket: what is added while
-- a loop takes from the queue waits for the next round.
---@param ticket integer
function queue:take(ticket)
  local thing = self.first
  if not thing or self.taken >= ticket then
    return nil
  end
  self.taken = self.taken + 1
  if thing.following == true then
    self.first, self.last = false, false
  else
    self.first = thing.following
  end
  thing.following = false
  return thing
end

return queue

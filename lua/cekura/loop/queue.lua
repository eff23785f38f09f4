--- A queue of tables that a loop is to resume. Each holds the one that follows it: so adding one needs no memory, and
-- none is lost for want of it. A table is in one queue at most. Its field `ticket` is its number there, false while it
-- is in none; `following` is the queue's. Code that makes such a table sets both to false.

local queue = {}
queue.__index = queue

--- Makes a queue; its `last_ticket` is the number of the table that was added last, or 0.
function queue.new()
  return setmetatable({ first = false, last = false, last_ticket = 0 }, queue)
end

--- Adds a table at the end, unless it is in the queue already.
function queue:put(thing)
  if thing.ticket then
    return
  end
  self.last_ticket = self.last_ticket + 1
  thing.ticket, thing.following = self.last_ticket, false
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
  if not thing or thing.ticket > ticket then
    return nil
  end
  thing.ticket = false
  self.first = thing.following
  self.last = self.first and self.last
  return thing
end

return queue

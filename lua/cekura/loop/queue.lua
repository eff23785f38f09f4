--- A queue, for loops, of those who are to go on. Each holds the one behind it: so nobody is lost for want of memory.
-- A thing is a table, and is in one queue at most: its field `turn` is its number there, false while it is in none, and
-- `behind` is the queue's. Whoever makes it sets both to false.

local queue = {}
queue.__index = queue

--- Makes a queue; its `turns` is the number of the thing that came last, or 0.
function queue.new()
  return setmetatable({ first = false, last = false, turns = 0 }, queue)
end

--- Puts a thing at the end, unless it is there already.
function queue:put(thing)
  if thing.turn then
    return
  end
  self.turns = self.turns + 1
  thing.turn, thing.behind = self.turns, false
  if self.last then
    self.last.behind = thing
  else
    self.first = thing
  end
  self.last = thing
end

--- Takes the first thing; nil if there is none, or if it came after that turn: what comes while a queue is gone through
-- waits for the next time.
---@param turn integer
function queue:take(turn)
  local thing = self.first
  if not thing or thing.turn > turn then
    return nil
  end
  thing.turn = false
  self.first = thing.behind
  self.last = self.first and self.last
  return thing
end

return queue

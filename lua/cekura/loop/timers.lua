--- A binary heap of what becomes due, for the loops.
-- An entry is a table, and is in one heap at most: its field `_timer` holds its place. Any function call may need
-- memory and raise when there is none, so each change is made by a single call that calls nothing else.

local timers = {}
timers.__index = timers

function timers.new()
  return setmetatable({ count = 0 }, timers)
end

-- Places an entry in the free slot at `place` and sifts it up or down; the heap then has `count` entries.
local function put(self, place, thing, count)
  local due = thing._due
  while place > 1 do
    local parent = (place - place % 2) / 2
    local above = self[parent]
    if above._due <= due then
      break
    end
    self[place], above._timer = above, place
    place = parent
  end
  local child = 2 * place
  while child <= count do
    if child < count and self[child + 1]._due < self[child]._due then
      child = child + 1
    end
    local below = self[child]
    if below._due >= due then
      break
    end
    self[place], below._timer = below, place
    place, child = child, 2 * child
  end
  self[place], thing._timer, self.count = thing, place, count
end

--- Inserts a thing that is in no heap.
function timers:insert(thing, due)
  local place = self.count + 1
  thing._due, thing._timer, self[place] = due, false, false -- allocates; if it fails, the object is not in the heap
  put(self, place, thing, place)
end

--- Takes a thing out; one that is not in the heap is left alone.
function timers:remove(thing)
  local place, count = thing._timer, self.count
  if not place then
    return
  end
  local last = self[count]
  if last ~= thing then
    put(self, place, last, count - 1)
  end
  self[count], thing._timer, self.count = nil, false, count - 1
end

--- When the first is due; nil if there is none.
function timers:due()
  local first = self[1]
  return first and first._due
end

--- Seconds until the first is due; nil if there is none.
function timers:seconds_left(now)
  local at = self:due()
  return at and math.max(0, at - now)
end

--- Takes out the first that is due at `now`; nil if there is none.
function timers:pop(now)
  local first = self[1]
  if first and first._due <= now then
    self:remove(first)
    return first
  end
end

return timers

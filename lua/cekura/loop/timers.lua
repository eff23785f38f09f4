--- A binary heap of what becomes due, for the loops.
-- An entry is a table, and is in one heap at most: its field `_timer` holds its place. Any function call may need
-- memory and raise when there is none, so each change is made by a single call that calls nothing else.

local timers = {}
timers.__index = timers

function timers.new()
  return setmetatable({ count = 0, dues = {} }, timers)
end

-- Places an entry in the free slot at `place` and sifts it up or down; the heap then has `count` entries.
local function put(self, place, thing, due, count)
  local dues = self.dues
  while place > 1 do
    local parent = (place - place % 2) / 2
    if dues[parent] <= due then
      break
    end
    local above = self[parent]
    self[place], dues[place], above._timer = above, dues[parent], place
    place = parent
  end
  local child = 2 * place
  while child <= count do
    if child < count and dues[child + 1] < dues[child] then
      child = child + 1
    end
    if dues[child] >= due then
      break
    end
    local below = self[child]
    self[place], dues[place], below._timer = below, dues[child], place
    place, child = child, 2 * child
  end
  self[place], dues[place], thing._timer, self.count = thing, due, place, count
end

--- Inserts a thing that is in no heap.
function timers:insert(thing, due)
  local place = self.count + 1
  thing._timer, self[place], self.dues[place] = false, false, due -- allocates; if it fails, it is not in the heap
  put(self, place, thing, due, place)
end

--- Takes a thing out; one that is not in the heap is left alone.
function timers:remove(thing)
  local place, count = thing._timer, self.count
  if not place then
    return
  end
  local last = self[count]
  if last ~= thing then
    put(self, place, last, self.dues[count], count - 1)
  end
  self[count], self.dues[count], thing._timer, self.count = nil, nil, false, count - 1
end

--- When the first is due; nil if there is none.
function timers:due()
  return self.count > 0 and self.dues[1] or nil
end

--- Seconds until the first is due; nil if there is none.
function timers:seconds_left(now)
  local at = self:due()
  return at and math.max(0, at - now)
end

--- Takes out the first that is due at `now`; nil if there is none.
function timers:pop(now)
  if self.count > 0 and self.dues[1] <= now then
    local first = self[1]
    self:remove(first)
    return first
  end
end

return timers

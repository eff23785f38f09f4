--- A binary heap of things that become due, for the own loop.
-- A thing is a table, and is in one heap at most: its field `_timer` holds its place.

local timers = {}
timers.__index = timers

function timers.new()
  return setmetatable({ count = 0 }, timers)
end

local function put(self, place, thing)
  self[place] = thing
  thing._timer = place
end

local function sift_up(self, place)
  local thing = self[place]
  while place > 1 do
    local parent = (place - place % 2) / 2
    if self[parent]._due <= thing._due then
      break
    end
    put(self, place, self[parent])
    place = parent
  end
  put(self, place, thing)
end

local function sift_down(self, place)
  local thing = self[place]
  while true do
    local child = 2 * place
    if child > self.count then
      break
    end
    if child < self.count and self[child + 1]._due < self[child]._due then
      child = child + 1
    end
    if self[child]._due >= thing._due then
      break
    end
    put(self, place, self[child])
    place = child
  end
  put(self, place, thing)
end

--- Inserts a thing that is in no heap.
function timers:insert(thing, due)
  local place = self.count + 1
  thing._due, thing._timer = due, false
  self[place] = thing -- raises where memory ends: until here, it is in no heap
  thing._timer, self.count = place, place
  sift_up(self, place)
end

--- Takes a thing out; one that is not in the heap is left alone.
function timers:remove(thing)
  local place = thing._timer
  if not place then
    return
  end
  local last = self[self.count]
  self[self.count] = nil
  self.count = self.count - 1
  thing._timer = nil
  if last ~= thing then
    put(self, place, last)
    sift_up(self, place)
    sift_down(self, last._timer)
  end
end

--- When the first is due; nil if there is none.
function timers:due()
  local first = self[1]
  return first and first._due
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

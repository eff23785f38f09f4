-- The heap of timers, compared with a plain sorted list.

local timers = require "cekura.loop.timers"

-- The same operations on a list that is searched, which is slow and obviously correct.
local reference = {}
reference.__index = reference

function reference:insert(thing)
  self[#self + 1] = thing
end

function reference:remove(thing)
  for index, other in ipairs(self) do
    if other == thing then
      table.remove(self, index)
      return
    end
  end
end

function reference:due()
  local least
  for _, thing in ipairs(self) do
    if not least or thing.due < least then
      least = thing.due
    end
  end
  return least
end

local function drain(heap, now)
  local things = {}
  local thing = heap:pop(now)
  while thing do
    things[#things + 1] = thing
    thing = heap:pop(now)
  end
  return things
end

describe("an empty or early heap", function()
  it("has nothing due", function()
    local heap = timers.new()
    assert.is_nil(heap:due())
    assert.is_nil(heap:pop(math.huge))
    assert.equal(0, heap.count)
  end)

  it("pops nothing before its time", function()
    local heap, thing = timers.new(), {}
    heap:insert(thing, 5)
    assert.equal(5, heap:due())
    assert.is_nil(heap:pop(4.999))
    assert.equal(thing, heap:pop(5))
    assert.is_nil(heap:pop(5))
    assert.is_nil(heap:due())
  end)
end)

describe("due timers", function()
  it("are popped in order of their times", function()
    local heap = timers.new()
    for _, due in ipairs { 5, 3, 8, 1, 9, 2, 7, 4, 6, 0, -1, 2.5 } do
      heap:insert({ due = due }, due)
    end
    local before = -math.huge
    local things = drain(heap, math.huge)
    for _, thing in ipairs(things) do
      assert.is_true(thing.due >= before)
      before = thing.due
    end
    assert.equal(12, #things)
  end)

  it("are popped once each, even if many are due at the same time", function()
    local heap, seen = timers.new(), {}
    for _ = 1, 100 do
      heap:insert({}, 1)
    end
    local things = drain(heap, 1)
    for _, thing in ipairs(things) do
      assert.is_nil(seen[thing])
      seen[thing] = true
    end
    assert.equal(100, #things)
  end)

  it("do not affect later ones", function()
    local heap = timers.new()
    for due = 1, 10 do
      heap:insert({}, due)
    end
    assert.equal(4, #drain(heap, 4.5))
    assert.equal(5, heap:due())
    assert.equal(6, heap.count)
  end)
end)

describe("a removed timer", function()
  it("is not popped", function()
    local heap, things = timers.new(), {}
    for due = 1, 7 do
      things[due] = { due = due }
      heap:insert(things[due], due)
    end
    heap:remove(things[1])
    heap:remove(things[4])
    heap:remove(things[7])
    assert.same({ 2, 3, 5, 6 }, (function()
      local dues = {}
      for index, thing in ipairs(drain(heap, 10)) do
        dues[index] = thing.due
      end
      return dues
    end)())
  end)

  -- Running out of memory is simulated: setting a field of a table may need some.
  it("is unchanged by an insertion that raised, whichever field could not be set", function()
    for _, refused in ipairs { "_timer", "dues" } do
      local heap, other = timers.new(), {}
      local thing, full = {}, { __newindex = function()
        error("not enough memory", 0)
      end }
      setmetatable(refused == "dues" and heap.dues or thing, full)
      assert.is_false((pcall(heap.insert, heap, thing, 1)))
      setmetatable(heap.dues, nil)
      assert.is_nil(heap:due())
      assert.is_nil(heap:pop(2))
      heap:insert(other, 1)
      heap:remove(thing)
      assert.equal(other, heap:pop(2))
      assert.is_nil(heap:pop(2))
    end
  end)

  it("may be removed again, or without an insertion", function()
    local heap, thing = timers.new(), {}
    heap:remove(thing)
    heap:insert(thing, 1)
    heap:remove(thing)
    heap:remove(thing)
    assert.equal(0, heap.count)
    heap:insert({}, 2)
    heap:remove(thing)
    assert.equal(1, heap.count)
    assert.equal(2, heap:due())
  end)

  it("may be inserted again, even after it was popped", function()
    local heap, thing = timers.new(), {}
    heap:insert(thing, 1)
    heap:remove(thing)
    heap:insert(thing, 3)
    assert.equal(thing, heap:pop(3))
    heap:insert(thing, 2)
    assert.equal(2, heap:due())
    assert.equal(thing, heap:pop(2))
  end)

  it("is no longer referenced", function()
    local heap = timers.new()
    local weak = setmetatable({}, { __mode = "v" })
    for index = 1, 10 do
      weak[index] = { index }
      heap:insert(weak[index], index)
    end
    heap:remove(weak[5])
    drain(heap, 9)
    collectgarbage()
    collectgarbage()
    for index = 1, 9 do
      assert.is_nil(weak[index])
    end
    assert.equal(10, heap:due())
  end)
end)

describe("any sequence of operations", function()
  for seed = 1, 10 do
    it("has the same effect as on a sorted list: seed " .. seed, function()
      local state = seed * 7919
      local function random(most)
        state = (state * 16807) % 2147483647
        return state % most + 1
      end
      local heap, list, things = timers.new(), setmetatable({}, reference), {}
      for _ = 1, 1000 do
        local what = random(10)
        if what <= 5 then
          local thing = { due = random(200) / 4 }
          heap:insert(thing, thing.due)
          list:insert(thing)
          things[#things + 1] = thing
        elseif what <= 7 and #things > 0 then
          local thing = table.remove(things, random(#things)) -- which may have been popped already
          heap:remove(thing)
          list:remove(thing)
        else
          local now = random(200) / 4
          local least = list:due()
          local thing = heap:pop(now)
          if least and least <= now then
            assert.equal(least, thing.due)
            list:remove(thing)
          else
            assert.is_nil(thing)
          end
        end
        assert.equal(list:due(), heap:due())
        assert.equal(#list, heap.count)
      end
      for _, thing in ipairs(drain(heap, math.huge)) do
        assert.equal(list:due(), thing.due)
        list:remove(thing)
      end
      assert.equal(0, #list)
    end)
  end
end)

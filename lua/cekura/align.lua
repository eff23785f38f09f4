--- Finds what two lists of strings have in common, in the same order.
--
-- The search is that of E. W. Myers, "An O(ND) Difference Algorithm and Its Variations", Algorithmica 1 (1986),
-- 251-266, in linear space (section 4b): it finds a point in the middle of a shortest edit script, and recurses into
-- the boxes before and after the point. Its time grows with the square of the differences, so it gives up at a limit. A
-- box beyond the limit is cut at anchors: strings, or sequences of them, that occur exactly once in each list there
-- (the patience diff of Bram Cohen). A box without anchors is cut where the search stopped (as in GNU diff). Once the
-- whole comparison has cost too much, the rest counts as changed. So the result is always correct, and it is the
-- longest possible one unless a box is beyond the limit.

-- A box with at most twice as many differences is compared exactly.
local MOST_DIFFERENCES = 256

-- The steps of all searches together. PUC Lua does some ten million of them in a second.
local MOST_STEPS = 12e6

-- The cost of the search for anchors, in steps per string.
local ANCHOR_STEPS = 10

-- The numbers of strings in an anchor, in the order of trial: a phrase is better evidence than a word.
local ANCHORS = { 8, 1 }

---@class cekura.align.Run a part that both lists have in common
---@field a integer the place of its first string in the first list
---@field b integer the same in the second list
---@field length integer

-- ---- the middle of a shortest edit script ----

-- A box is a part of both lists: box.n strings of the one from box.a_first on, box.m of the other from box.b_first on.
-- A front is how far the search has come from one corner of the box: on the diagonal k = x - y, it has passed front[k]
-- strings of the first list.

local function new_front(a, b, step, most)
  local front = { a = a, b = b, step = step }
  for k = -most - 1, most + 1 do
    front[k] = -1
  end
  front[1] = 0
  return front
end

-- Moves a front by one more difference. Returns the point, counted from the beginning of the box, where it meets the
-- other front, if it does.
local function advance(box, front, other, d)
  local a, b, n, m, delta, step = box.a, box.b, box.n, box.m, box.n - box.m, front.step
  local may_meet = (delta % 2 ~= 0) == (step == 1)
  for k = -d + 2 * math.max(0, d - m), d - 2 * math.max(0, d - n), 2 do -- only the diagonals in the box
    local left, right = front[k - 1], front[k + 1]
    local begins = (k == -d or k ~= d and left < right) and right or left + 1
    local x, y = begins, begins - k
    local at, bt = front.a + step * x, front.b + step * y
    while x < n and y < m and a[at] == b[bt] do
      x, y, at, bt = x + 1, y + 1, at + step, bt + step
    end
    front[k] = x
    box.work.left = box.work.left - 1 - (x - begins)
    if may_meet and delta - k >= -d and delta - k <= d then
      local met = other[delta - k]
      if met >= 0 and x + met >= n then
        if step == 1 then
          return x, y
        end
        return met, met - (delta - k)
      end
    end
  end
end

-- The point of a front that is farthest from its corner.
local function farthest(box, front, d)
  local x, y = 0, 0
  for k = math.max(-d, -box.m), math.min(d, box.n) do
    local at = front[k]
    if at <= box.n and at - k <= box.m and 2 * at - k > x + y then
      x, y = at, at - k
    end
  end
  return x, y
end

-- A point of a shortest edit script of the box, counted from its beginning; nil if nothing in the box is equal. The
-- third result is true if the box is beyond the limit, and the point is only one that the search reached.
local function middle(box)
  local all = math.ceil((box.n + box.m) / 2)
  local most = math.min(all, MOST_DIFFERENCES)
  local forward = new_front(box.a_first, box.b_first, 1, most)
  local backward = new_front(box.a_first + box.n - 1, box.b_first + box.m - 1, -1, most)
  for d = 0, most - 1 do
    local x, y = advance(box, forward, backward, d)
    if not x then
      x, y = advance(box, backward, forward, d)
    end
    if x then
      return x, y
    end
  end
  if most < all then
    local x, y = farthest(box, forward, most - 1)
    return x, y, true
  end
end

-- ---- anchors ----

-- The places of the sequences of `width` strings that occur exactly once in a part of a list, by sequence; false for
-- any other sequence.
local function single_places(list, first, count, width)
  local places = {}
  for at = first, first + count - width do
    local key = width == 1 and list[at] or table.concat(list, "\0", at, at + width - 1)
    places[key] = places[key] == nil and at
  end
  return places
end

-- The longest chain of pairs whose second members increase; the first members already do. (Patience sorting: the last
-- pair of each pile ends the best chain of its length.)
local function rising(found)
  local piles = {}
  for _, pair in ipairs(found) do
    local low, high = 1, #piles + 1
    while low < high do
      local half = math.floor((low + high) / 2)
      if piles[half].b < pair.b then
        low = half + 1
      else
        high = half
      end
    end
    pair.before = piles[low - 1]
    piles[low] = pair
  end
  local chain, pair = {}, piles[#piles]
  for place = #piles, 1, -1 do
    chain[place] = pair
    pair = pair.before
  end
  return chain
end

-- The anchors of a box as pairs of places, in order.
local function anchors(box)
  for _, width in ipairs(ANCHORS) do
    box.work.left = box.work.left - ANCHOR_STEPS * (box.n + box.m)
    local in_a = single_places(box.a, box.a_first, box.n, width)
    local in_b = single_places(box.b, box.b_first, box.m, width)
    local found = {}
    for key, at in pairs(in_a) do
      if at and in_b[key] then
        found[#found + 1] = { a = at, b = in_b[key] }
      end
    end
    if #found > 0 then
      table.sort(found, function(one, other)
        return one.a < other.a
      end)
      return rising(found)
    end
  end
  return {}
end

-- ---- the comparison ----

local function add_run(runs, a, b, length)
  local last = runs[#runs]
  if last and last.a + last.length == a and last.b + last.length == b then
    last.length = last.length + length
  elseif length > 0 then
    runs[#runs + 1] = { a = a, b = b, length = length }
  end
end

local compare

-- The part of the box from the places a and b of the lists to the places before a_end and b_end.
local function part(box, a, b, a_end, b_end)
  return { a = box.a, b = box.b, work = box.work, a_first = a, b_first = b, n = a_end - a, m = b_end - b }
end

local function split(box, runs)
  local a, b, a_end, b_end = box.a_first, box.b_first, box.a_first + box.n, box.b_first + box.m
  local x, y, is_beyond = middle(box)
  local chain = is_beyond and anchors(box) or {}
  for _, anchor in ipairs(chain) do
    compare(part(box, a, b, anchor.a, anchor.b), runs)
    add_run(runs, anchor.a, anchor.b, 1)
    a, b = anchor.a + 1, anchor.b + 1
  end
  if x and not chain[1] then
    compare(part(box, a, b, a + x, b + y), runs)
    a, b = a + x, b + y
  end
  if x then
    compare(part(box, a, b, a_end, b_end), runs)
  end
end

function compare(box, runs)
  local a, b = box.a, box.b
  local first_a, first_b, last_a, last_b = box.a_first, box.b_first, box.a_first + box.n - 1, box.b_first + box.m - 1
  while first_a <= last_a and first_b <= last_b and a[first_a] == b[first_b] do
    first_a, first_b = first_a + 1, first_b + 1
  end
  add_run(runs, box.a_first, box.b_first, first_a - box.a_first)
  local a_end = last_a + 1
  while first_a <= last_a and first_b <= last_b and a[last_a] == b[last_b] do
    last_a, last_b = last_a - 1, last_b - 1
  end
  if first_a <= last_a and first_b <= last_b and box.work.left > 0 then
    split(part(box, first_a, first_b, last_a + 1, last_b + 1), runs)
  end
  add_run(runs, last_a + 1, last_b + 1, a_end - last_a - 1)
end

---@class cekura.align.Work
---@field left number the steps that all comparisons that share it may still take

---@class cekura.align.Part a part of two lists
---@field a integer the place of its first string in the first list
---@field a_end integer the place after its last one
---@field b integer
---@field b_end integer
---@field work cekura.align.Work

--- The parts that two lists of strings have in common, in order. The strings between them are in one list only.
---@param a string[]
---@param b string[]
---@param within? cekura.align.Part the part to compare (all, by default)
---@return cekura.align.Run[]
local function align(a, b, within)
  within = within or { a = 1, a_end = #a + 1, b = 1, b_end = #b + 1, work = { left = MOST_STEPS } }
  local runs = {}
  compare(part({ a = a, b = b, work = within.work }, within.a, within.b, within.a_end, within.b_end), runs)
  return runs
end

return align

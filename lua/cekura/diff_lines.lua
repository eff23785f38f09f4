--- Keeps lines apart in a difference by words: where a line is aligned with the beginning of one line and the end of a
-- later one, "- Rule [-30\n- Be kind -]31", it is aligned with one of them instead, if that has most of what it has in
-- common with both: "- Rule [-30-]{+31+}\n[-- Be kind 31\n-]".

local align = require "cekura.align"

-- The part of the common bytes that one line must have.
local MOST = 0.6

-- No better line is looked for among lines with more words than this.
local MOST_WORDS = 2000

-- The steps of the search for better lines in all of the two texts. Beyond them, the rest stays as it is aligned.
local MOST_STEPS = 2e6

-- ---- sides ----

-- A side is one of the lists: its words, the line of each word, where each line starts, and the weight before each
-- word, which is the bytes of all words before it, without space.
local function side(list)
  local lines, starts, weights, weight = {}, { 1 }, { 0 }, 0
  for at, word in ipairs(list) do
    lines[at] = #starts
    weight = weight + (word:find "%S" and #word or 0)
    weights[at + 1] = weight
    if word:find "\n$" then
      starts[#starts + 1] = at + 1
    end
  end
  starts[#starts + 1] = #list + 1
  return { words = list, lines = lines, starts = starts, weights = weights }
end

local function weight_of(one, run)
  return one.weights[run.a + run.length] - one.weights[run.a]
end

-- ---- runs ----

-- The runs, cut at the ends of lines, so that each is in one line of both sides.
local function cut(a, runs)
  local list = {}
  for _, run in ipairs(runs) do
    local at, after = run.a, run.a + run.length
    while at < after do
      local to = math.min(after, a.starts[a.lines[at] + 1])
      list[#list + 1] = { a = at, b = run.b + at - run.a, length = to - at }
      at = to
    end
  end
  return list
end

-- The runs with neighbours as one again.
local function merged(runs)
  local list, last = {}, nil
  for _, run in ipairs(runs) do
    if last and last.a + last.length == run.a and last.b + last.length == run.b then
      last.length = last.length + run.length
    else
      last = run
      list[#list + 1] = run
    end
  end
  return list
end

-- The same runs with the two sides exchanged.
local function swapped(runs)
  local list = {}
  for index, run in ipairs(runs) do
    list[index] = { a = run.b, b = run.a, length = run.length }
  end
  return list
end

-- ---- lines ----

-- The box of the lines around the gap between two runs, if a line of `b` is aligned across lines of `a` there, with
-- text between them.
local function joined(a, b, left, right)
  local before = left.a + left.length - 1
  local first, last, line = a.lines[before], a.lines[right.a], b.lines[right.b]
  if b.lines[left.b] ~= line or first == last or a.weights[before + 1] == a.weights[right.a] then
    return nil
  end
  local box = { a = a.starts[first], a_end = a.starts[last + 1], b = b.starts[line], b_end = b.starts[line + 1] }
  return box.a_end - box.a <= MOST_WORDS and box.b_end - box.b <= MOST_WORDS and box or nil
end

-- The runs of the line of `b` with the line of `a` in the box that has the most in common, which must be `least`.
local function best_line(a, b, box, least, work)
  local best, most = nil, 0
  for line = a.lines[box.a], a.lines[box.a_end - 1] do
    local part = { a = a.starts[line], a_end = a.starts[line + 1], b = box.b, b_end = box.b_end, work = work }
    if a.weights[part.a_end] - a.weights[part.a] >= least then
      work.left = work.left - (part.a_end - part.a) - (part.b_end - part.b)
      local runs, sum = align(a.words, b.words, part), 0
      for _, run in ipairs(runs) do
        sum = sum + weight_of(a, run)
      end
      if sum >= least and sum > most then
        best, most = runs, sum
      end
    end
  end
  return best
end

-- The runs, which are cut, with lines of `a` kept apart. `kept` is what is done; the next gap is between it and the
-- next run.
local function keep(a, b, runs, work)
  local kept, index = {}, 1
  while index <= #runs do
    local box = kept[1] and work.left > 0 and joined(a, b, kept[#kept], runs[index])
    if box then
      -- What would be lost is all that the lines have in common, with each other or with lines outside of the box.
      local before, after, lost = #kept, index, 0
      while kept[before] and (kept[before].a >= box.a or kept[before].b >= box.b) do
        before, lost = before - 1, lost + weight_of(a, kept[before])
      end
      while runs[after] and (runs[after].a < box.a_end or runs[after].b < box.b_end) do
        after, lost = after + 1, lost + weight_of(a, runs[after])
      end
      work.left = work.left - (after - index) - (#kept - before)
      local best = best_line(a, b, box, MOST * lost, work)
      if best then
        for place = #kept, before + 1, -1 do
          kept[place] = nil
        end
        for _, run in ipairs(best) do
          kept[#kept + 1] = run
        end
        index = after
      end
    end
    kept[#kept + 1] = runs[index]
    index = index + 1
  end
  return kept
end

--- The runs of two lists of words, with lines kept apart.
---@param a string[]
---@param b string[]
---@param runs cekura.align.Run[]
---@return cekura.align.Run[]
return function(a, b, runs)
  local old, new, work = side(a), side(b), { left = MOST_STEPS }
  local kept = keep(old, new, cut(old, runs), work)
  return merged(swapped(keep(new, old, swapped(kept), work)))
end

--- Keeps lines apart in a difference by words: where a line is aligned with the beginning of one line and the end of a
-- later one, "- Rule [-30\n- Be kind -]31", it is aligned with one of them instead, if that has most of what it has in
-- common with both: "- Rule [-30-]{+31+}\n[-- Be kind 31\n-]".

local align = require "cekura.align"

-- The part of the common bytes that one line must have.
local MOST = 0.6

-- A search for a better line that would take longer is left out.
local MOST_WORDS = 2000

local function ends_line(word)
  return word == nil or word:find "\n$" ~= nil
end

local function line_start(list, at)
  while not ends_line(list[at - 1]) do
    at = at - 1
  end
  return at
end

-- The place after the line that a word is in.
local function line_end(list, at)
  while not ends_line(list[at]) do
    at = at + 1
  end
  return math.min(at + 1, #list + 1)
end

-- Whether some of the words are more than space, and some end a line.
local function has_lines(list, first, after)
  local has_end, has_text = false, false
  for at = first, after - 1 do
    has_end = has_end or ends_line(list[at])
    has_text = has_text or list[at]:find "%S" ~= nil
  end
  return has_end and has_text
end

local function ends_any(list, first, after)
  for at = first, after - 1 do
    if ends_line(list[at]) then
      return true
    end
  end
  return false
end

-- The bytes of runs, without space.
local function weight(list, runs)
  local sum = 0
  for _, run in ipairs(runs) do
    for at = run.a, run.a + run.length - 1 do
      sum = sum + (list[at]:find "%S" and #list[at] or 0)
    end
  end
  return sum
end

local function sublist(list, first, after)
  local part = {}
  for at = first, after - 1 do
    part[#part + 1] = list[at]
  end
  return part
end

-- Cuts the runs at a box: those before it, in it and after it.
local function cut(runs, box)
  local parts = { {}, {}, {} }
  local function add(part, run, from, to)
    if to > from then
      table.insert(parts[part], { a = run.a + from, b = run.b + from, length = to - from })
    end
  end
  for _, run in ipairs(runs) do
    local last = run.length
    local before = math.max(0, math.min(last, box.a - run.a, box.b - run.b))
    local begins = math.max(0, math.min(last, math.max(box.a - run.a, box.b - run.b)))
    local ends = math.max(begins, math.min(last, box.a_end - run.a, box.b_end - run.b))
    local after = math.max(ends, math.min(last, math.max(box.a_end - run.a, box.b_end - run.b)))
    add(1, run, 0, before)
    add(2, run, begins, ends)
    add(3, run, after, last)
  end
  return parts
end

-- The runs of the line of `b` with the line of `a` in the box that has the most in common.
local function best_line(a, b, box)
  local line, best, most, first = sublist(b, box.b, box.b_end), nil, -1, box.a
  while first < box.a_end do
    local after = line_end(a, first)
    local runs = align(sublist(a, first, after), line)
    for _, run in ipairs(runs) do
      run.a, run.b = run.a + first - 1, run.b + box.b - 1
    end
    local sum = weight(a, runs)
    if sum > most then
      best, most = runs, sum
    end
    first = after
  end
  return best, most
end

-- The box of the lines around a gap, if a line of `b` is aligned across lines of `a` there.
local function joined(a, b, left, right)
  local a_first, b_first = left.a + left.length, left.b + left.length
  if not has_lines(a, a_first, right.a) or ends_any(b, b_first, right.b) or right.b > #b
    or ends_line(b[b_first - 1]) or ends_line(a[a_first - 1]) then
    return nil
  end
  local box = { a = line_start(a, a_first), a_end = line_end(a, right.a), b = line_start(b, b_first),
    b_end = line_end(b, right.b) }
  return box.a_end - box.a <= MOST_WORDS and box.b_end - box.b <= MOST_WORDS and box or nil
end

-- The same runs with the two lists exchanged.
local function swapped(runs)
  local list = {}
  for index, run in ipairs(runs) do
    list[index] = { a = run.b, b = run.a, length = run.length }
  end
  return list
end

local function keep(a, b, runs)
  local index = 2
  while index <= #runs do
    local box = joined(a, b, runs[index - 1], runs[index])
    local parts = box and cut(runs, box)
    local best, most
    if box then
      best, most = best_line(a, b, box)
    end
    if box and most >= MOST * weight(a, parts[2]) and most > 0 then
      runs = parts[1]
      for _, run in ipairs(best) do
        runs[#runs + 1] = run
      end
      index = math.max(index, #runs)
      for _, run in ipairs(parts[3]) do
        runs[#runs + 1] = run
      end
    end
    index = index + 1
  end
  return runs
end

--- The runs of two lists of words, with lines kept apart.
---@param a string[]
---@param b string[]
---@param runs cekura.align.Run[]
---@return cekura.align.Run[]
return function(a, b, runs)
  return swapped(keep(b, a, swapped(keep(a, b, runs))))
end

--- cekura.diff(): the difference of two texts, by words.

local align = require "cekura.align"
local check = require "cekura.check"
local keep_lines = require "cekura.diff_lines"
local words = require "cekura.words"

---@class cekura.DiffPiece
---@field kind "same"|"removed"|"added"
---@field text string never empty

-- The marks of `wdiff` and of `git diff --word-diff`.
local BEFORE, AFTER = { removed = "[-", added = "{+" }, { removed = "-]", added = "+}" }

local Diff = {
  __name = "cekura.diff",
  __tostring = function(pieces)
    local parts = {}
    for index, piece in ipairs(pieces) do
      parts[index] = (BEFORE[piece.kind] or "") .. piece.text .. (AFTER[piece.kind] or "")
    end
    return table.concat(parts)
  end,
}

-- ---- sides, runs and gaps ----

-- A side is one of the texts: its words, and where each begins. A run is a sequence of words that both texts have in
-- common. Between two runs there is a gap: what was removed and what was added there, one of which may be empty.

local function side(text)
  local list = words.split(text)
  local starts, at = {}, 1
  for index, word in ipairs(list) do
    starts[index], at = at, at + #word
  end
  starts[#list + 1] = at
  return { text = text, words = list, starts = starts }
end

local function slice(one, first, after)
  return one.text:sub(one.starts[first], one.starts[after] - 1)
end

-- The numbers of bytes removed and added between two runs.
local function gap(self, left, right)
  local old, new = self.old.starts, self.new.starts
  return old[right.a] - old[left.a + left.length], new[right.b] - new[left.b + left.length]
end

-- The runs, with an empty one where the texts do not begin, or end, with the same words.
local function find_runs(self)
  local runs = keep_lines(self.old.words, self.new.words, align(self.old.words, self.new.words))
  local first = runs[1]
  if not first or first.a > 1 or first.b > 1 then
    table.insert(runs, 1, { a = 1, b = 1, length = 0 })
  end
  local last, old_end, new_end = runs[#runs], #self.old.words + 1, #self.new.words + 1
  if last.a + last.length < old_end or last.b + last.length < new_end then
    runs[#runs + 1] = { a = old_end, b = new_end, length = 0 }
  end
  return runs
end

-- ---- phrases in place of words ----

local MOST_MARKS = 3 -- of an island without a word

-- Whether a run is an island: so short between two changes that they read better as one, "[-a b-]{+c b d+}". A run with
-- a newline is never one, so that changes of two lines stay separate.
local function is_island(self, left, run, right)
  local removed_before, added_before = gap(self, left, run)
  local removed_after, added_after = gap(self, run, right)
  local removed, added = removed_before + removed_after, added_before + added_after
  if removed == 0 or added == 0 then
    return false
  end
  local text = slice(self.old, run.a, run.a + run.length)
  local is_short = #text <= math.min(removed, added, math.max(removed_before, added_before),
    math.max(removed_after, added_after))
  if not is_short and (run.length > MOST_MARKS or text:find "[A-Za-z0-9_\128-\255]") then
    return false
  end
  return not text:find("\n", 1, true)
end

-- The runs without the islands. A gap that has grown may make an island of the run before it.
local function without_islands(self, runs)
  local kept = {}
  for _, run in ipairs(runs) do
    kept[#kept + 1] = run
    while #kept > 2 and is_island(self, kept[#kept - 2], kept[#kept - 1], run) do
      table.remove(kept, #kept - 1)
    end
  end
  return kept
end

-- Moves what the two sides of a gap have in common at its ends back to the runs. A gap that took in an island may have
-- such words.
local function tighten(self, left, right)
  local old, new = self.old.words, self.new.words
  local a, b = left.a + left.length, left.b + left.length
  while a < right.a and b < right.b and old[a] == new[b] do
    a, b, left.length = a + 1, b + 1, left.length + 1
  end
  while a < right.a and b < right.b and old[right.a - 1] == new[right.b - 1] do
    right.a, right.b, right.length = right.a - 1, right.b - 1, right.length + 1
  end
end

-- ---- where a phrase begins ----

-- How well a phrase begins or ends before a word: best between lines, then between sentences, then between words.
local function boundary(list, at)
  local before, after = list[at - 1], list[at]
  if not before or not after or before:find "\n$" then
    return 5
  elseif after:find "\n$" then
    return 4
  elseif before:find "^[ \t]" then
    return (list[at - 2] or ""):find "^[.!?:;]" and 3 or 2
  end
  return after:find "^[ \t]" and 1 or 0
end

-- Moves a gap with words on one side only to its best place: "{+b a +}" in "a {+b a +}b" can equally be "{+a b +}". A
-- run beside it may become empty.
local function slide(self, left, right)
  local removed, added = gap(self, left, right)
  if (removed == 0) == (added == 0) then
    return
  end
  local list, key = self.old.words, "a"
  if removed == 0 then
    list, key = self.new.words, "b"
  end
  local first, after = left[key] + left.length, right[key]
  local from, to = 0, 0
  while left.length + from > 0 and list[first + from - 1] == list[after + from - 1] do
    from = from - 1
  end
  while right.length - to > 0 and list[first + to] == list[after + to] do
    to = to + 1
  end
  local best, shift = -1, 0
  for offset = from, to do
    local score = boundary(list, first + offset) + boundary(list, after + offset)
    if score >= best then
      best, shift = score, offset
    end
  end
  left.length, right.length = left.length + shift, right.length - shift
  right.a, right.b = right.a + shift, right.b + shift
end

-- ---- the pieces ----

local function add(pieces, kind, text)
  local last = pieces[#pieces]
  if last and last.kind == kind then
    last.text = last.text .. text
  elseif text ~= "" then
    pieces[#pieces + 1] = { kind = kind, text = text }
  end
end

local function make_pieces(self, runs)
  local pieces, a, b = setmetatable({}, Diff), 1, 1
  for index, run in ipairs(runs) do
    if run.length > 0 or index == #runs then
      add(pieces, "removed", slice(self.old, a, run.a))
      add(pieces, "added", slice(self.new, b, run.b))
      a, b = run.a + run.length, run.b + run.length
      add(pieces, "same", slice(self.old, run.a, a))
    end
  end
  return pieces
end

--- The difference of two texts by words, as a list of pieces. Joined, the pieces that are the same or removed are the
--- old text, and those that are the same or added are the new one, byte for byte. Removed text comes before the text
--- that replaces it. tostring() of the list is one text: "the [-old-]{+new+} words".
---@param old string
---@param new string
---@return cekura.DiffPiece[] pieces empty for two empty texts
local function diff(old, new)
  local self = { old = side(check.text("old", old)), new = side(check.text("new", new)) }
  local runs = without_islands(self, find_runs(self))
  for index = 2, #runs do
    tighten(self, runs[index - 1], runs[index])
    slide(self, runs[index - 1], runs[index])
  end
  return make_pieces(self, runs)
end

return diff

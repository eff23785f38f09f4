--- The changes of a prompt as a page: the old and the new one side by side, one below the other on a narrow screen,
-- with the words that differ marked, and without a script.
--
-- A row is a part of both texts that begins and ends at a line of both, so what is the same stands side by side.
-- Rows that differ are changes; the others are folded, but for some before and after a change.

local diff = require "cekura.diff"
local frame = require "cekura.report.frame"
local html = require "cekura.report.html"

local CONTEXT = 3 -- rows

local MOST_LINKS = 200 -- to changes

-- ---- rows ----

---@class cekura.report.Row
---@field old string[] pieces of HTML
---@field new string[]
---@field differs boolean

local function new_row()
  return { old = {}, new = {}, differs = false }
end

-- Ends a row, unless it is empty.
local function finish(rows, row)
  if not row.old[1] and not row.new[1] then
    return row
  end
  rows[#rows + 1] = row
  return new_row()
end

local function ends_line(pieces, last)
  return not pieces[1] or last:sub(-1) == "\n"
end

-- Adds a piece that both texts have. Each of its line feeds ends a row.
local function add_same(rows, row, text)
  for line in text:gmatch "[^\n]*\n?" do
    if line ~= "" then
      local escaped = html.escape(line)
      row.old[#row.old + 1], row.new[#row.new + 1] = escaped, escaped
      if line:sub(-1) == "\n" then
        row = finish(rows, row)
      end
    end
  end
  return row
end

-- An element around a piece: a line feed that is removed or added alone is shown by a mark.
local function marked(name, text)
  local shown = text:find "[^\r\n]" and html.escape(text) or text:gsub("\r?\n", "↵\n")
  return ("<%s>%s</%s>"):format(name, shown, name)
end

-- The rows of a difference.
local function rows_of(pieces)
  local rows, row = {}, new_row()
  local last = { old = "", new = "" } -- pieces of the row
  for _, piece in ipairs(pieces) do
    if piece.kind == "same" then
      if row.differs and ends_line(row.old, last.old) and ends_line(row.new, last.new) then
        row = finish(rows, row)
      end
      row = add_same(rows, row, piece.text)
      last.old, last.new = piece.text, piece.text
    else
      local side, name = "old", "del"
      if piece.kind == "added" then
        side, name = "new", "ins"
      end
      row.differs = true
      row[side][#row[side] + 1] = marked(name, piece.text)
      last[side] = piece.text
    end
  end
  finish(rows, row)
  return rows
end

-- ---- stretches ----

-- A sequence of rows that differ, or of rows that are the same.
local function stretches_of(rows)
  local stretches, last = {}, nil
  for _, row in ipairs(rows) do
    if not last or last.differs ~= row.differs then
      last = { differs = row.differs, rows = {} }
      stretches[#stretches + 1] = last
    end
    last.rows[#last.rows + 1] = row
  end
  return stretches
end

-- Rows of a stretch side by side. What is the same stands twice on a wide screen, and once on a narrow one and for
-- readers of screens.
local function sides(rows, from, to, differs)
  local old, new = {}, {}
  for place = from, to do
    old[#old + 1] = table.concat(rows[place].old)
    new[#new + 1] = table.concat(rows[place].new)
  end
  if not differs then
    local text = table.concat(new)
    return ('<div class="row"><div class="twin" aria-hidden="true">%s</div><div>%s</div></div>'):format(text, text)
  end
  local function side(class, label, parts)
    local text = table.concat(parts)
    return ('<div class="%s"><span class="label soft">%s</span>%s</div>'):format(class, label, text)
  end
  return '<div class="row">' .. side("old", "Old", old) .. side("new", "New", new) .. "</div>"
end

local function change(stretch, number, count)
  return ('<div class="change" id="change-%d" role="group" aria-label="Change %d of %d" tabindex="-1">%s</div>'):format(
    number, number, count, sides(stretch.rows, 1, #stretch.rows, true))
end

-- Rows that are the same: those beside a change, and between them the others, folded.
local function unchanged(stretch, is_first, is_last)
  local rows, before, after = stretch.rows, is_first and 0 or CONTEXT, is_last and 0 or CONTEXT
  local hidden = #rows - before - after
  if hidden < 2 then
    return sides(rows, 1, #rows, false)
  end
  return (before > 0 and sides(rows, 1, before, false) or "")
    .. ('<details class="same"><summary>%d unchanged lines</summary>%s</details>'):format(hidden,
      sides(rows, before + 1, #rows - after, false))
    .. (after > 0 and sides(rows, #rows - after + 1, #rows, false) or "")
end

-- ---- the page ----

local function words_in(text)
  return select(2, text:gsub("[%w_\128-\255]+", ""))
end

local function counted(count, one, many)
  return ("%d %s"):format(count, count == 1 and one or many)
end

local function links(count)
  local parts = {}
  for number = 1, math.min(count, MOST_LINKS) do
    parts[number] = ('<a href="#change-%d" aria-label="Change %d">%d</a>'):format(number, number, number)
  end
  return ('<nav class="jumps" aria-label="Changes"><p>%s%s</p></nav>'):format(table.concat(parts, " "),
    count > MOST_LINKS and (" and %d more"):format(count - MOST_LINKS) or "")
end

local function summary(pieces, count, text)
  local removed, added = 0, 0
  for _, piece in ipairs(pieces) do
    removed = removed + (piece.kind == "removed" and words_in(piece.text) or 0)
    added = added + (piece.kind == "added" and words_in(piece.text) or 0)
  end
  return ('<section class="summary" aria-labelledby="summary"><h2 id="summary">Summary</h2>%s<p class="count">%s</p>%s'
    .. '</section>\n'):format(text and text ~= "" and "<p>" .. html.escape(text) .. "</p>" or "",
    count == 0 and "The prompts are the same." or ("%s: %s <del>removed</del>, %s <ins>added</ins>."):format(
      counted(count, "change", "changes"), counted(removed, "word", "words"), added), count > 1 and links(count) or "")
end

---@class cekura.report.Changes texts without secrets
---@field old string
---@field new string
---@field summary? string in words, of the service

--- The page.
---@param changes cekura.report.Changes
---@return string
return function(changes)
  local pieces = diff(changes.old, changes.new)
  local stretches, count, number, parts = stretches_of(rows_of(pieces)), 0, 0, {}
  for _, stretch in ipairs(stretches) do
    count = count + (stretch.differs and 1 or 0)
  end
  for place, stretch in ipairs(stretches) do
    if stretch.differs then
      number = number + 1
      parts[place] = change(stretch, number, count)
    else
      parts[place] = unchanged(stretch, place == 1, place == #stretches)
    end
  end
  return frame { kind = "changes", title = "Changes of a prompt", skip = "changes", head = "", content = summary(pieces,
    count, changes.summary) .. '<section aria-labelledby="changes"><h2 id="changes" tabindex="-1">The prompts'
    .. '</h2><div class="sides" aria-hidden="true"><div class="old">Old</div><div>New</div></div>'
    .. table.concat(parts, "\n") .. "</section>\n" }
end

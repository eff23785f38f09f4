--- The difference of two texts as the command shows it: by words, on the changed lines and some context lines, under
-- the headings of the unified format (GNU diffutils, "Detailed Description of Unified Format").

local diff = require "cekura.diff"
local text = require "cekura.command.text"

local CONTEXT = 3 -- lines

-- The marks without colours, as in `wdiff` and `git diff --word-diff`.
local BEFORE, AFTER = { removed = "[-", added = "{+" }, { removed = "-]", added = "+}" }

-- ---- lines ----

---@class cekura.DiffLine
---@field pieces cekura.DiffPiece[] without line feeds
---@field changed boolean
---@field old integer the lines of the old text that end here: 0 or 1
---@field new integer the same of the new text
---@field old_rest boolean whether there is something of the old text after its last line feed
---@field new_rest boolean

local function new_line()
  return { pieces = {}, changed = false, old = 0, new = 0, old_rest = false, new_rest = false }
end

local function append(line, kind, part)
  line.pieces[#line.pieces + 1] = { kind = kind, text = part }
  line.changed = line.changed or kind ~= "same"
  line.old_rest = line.old_rest or kind ~= "added"
  line.new_rest = line.new_rest or kind ~= "removed"
end

local function end_line(line, kind)
  if kind ~= "added" then
    line.old, line.old_rest = 1, false
  end
  if kind ~= "removed" then
    line.new, line.new_rest = 1, false
  end
end

-- The lines to show. Each line feed ends one, even if it was removed. A line feed that was removed or added alone is
-- shown as a mark.
local function lines_of(pieces)
  local mark = text.is_utf8() and "↵" or "\\n"
  local lines, line = {}, new_line()
  for _, piece in ipairs(pieces) do
    for bytes, feed in piece.text:gmatch "([^\n]*)(\n?)" do
      local part = piece.kind == "same" and feed ~= "" and bytes:gsub("\r$", "") or bytes
      if part ~= "" or feed ~= "" and piece.kind ~= "same" then
        append(line, piece.kind, part ~= "" and text.visible_lines(part) or mark)
      end
      if feed ~= "" then
        end_line(line, piece.kind)
        lines[#lines + 1] = line
        line = new_line()
      end
    end
  end
  lines[#lines + 1] = #line.pieces > 0 and line or nil
  return lines
end

-- ---- hunks ----

-- The ranges of lines to show: those within CONTEXT lines of a change. Ranges that touch are one.
local function hunks_of(lines)
  local hunks, last = {}, nil
  for index, line in ipairs(lines) do
    if line.changed then
      if last and index - CONTEXT <= last.to + 1 then
        last.to = index + CONTEXT
      else
        last = { from = math.max(1, index - CONTEXT), to = index + CONTEXT }
        hunks[#hunks + 1] = last
      end
    end
  end
  if last then
    last.to = math.min(last.to, #lines)
  end
  return hunks
end

-- The number of lines of a text in a range, including one without a line feed.
local function count(lines, side, from, to)
  local total, rest = 0, false
  for index = from, to do
    total = total + lines[index][side]
    rest = lines[index][side .. "_rest"] or rest and lines[index][side] == 0
  end
  return total + (rest and 1 or 0)
end

-- "12,7": the first line of the text and the number of lines; if there are none, the line before.
local function range(lines, side, hunk)
  local before = 0
  for index = 1, hunk.from - 1 do
    before = before + lines[index][side]
  end
  local total = count(lines, side, hunk.from, hunk.to)
  return ("%d,%d"):format(total > 0 and before + 1 or before, total)
end

local function show_line(stream, line)
  local parts = {}
  for index, piece in ipairs(line.pieces) do
    if piece.kind == "same" then
      parts[index] = piece.text
    elseif stream.colors then
      parts[index] = stream:paint(piece.kind, piece.text)
    else
      parts[index] = BEFORE[piece.kind] .. piece.text .. AFTER[piece.kind]
    end
  end
  return table.concat(parts)
end

--- The difference of two texts, to be printed.
---@param stream cekura.CommandStream
---@param old string
---@param new string
---@return string
local function show_diff(stream, old, new)
  local lines = lines_of(diff(old, new))
  local hunks, shown = hunks_of(lines), {}
  for _, hunk in ipairs(hunks) do
    local heading = ("@@ -%s +%s @@"):format(range(lines, "old", hunk), range(lines, "new", hunk))
    shown[#shown + 1] = stream:paint("cyan", heading)
    for index = hunk.from, hunk.to do
      shown[#shown + 1] = show_line(stream, lines[index])
    end
  end
  return #hunks == 0 and "The texts are the same.\n" or table.concat(shown, "\n") .. "\n"
end

return show_diff

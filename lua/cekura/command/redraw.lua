--- Lines at the end of a terminal's output that are redrawn in place. Between two drawings the cursor is at the
-- beginning of the empty line below them, where other output, or the shell's prompt after the process, can begin.
--
-- Two escape sequences are used (ECMA-48, 8.3.22 and 8.3.41): CSI n A, up, and CSI K, erase to the end of the line.

local redraw = {}

local ERASE = "\27[K"

local function up(rows)
  return rows > 0 and ("\27[%dA"):format(rows) or ""
end

---@class cekura.DrawnLine
---@field text string without a line feed; may be painted
---@field width integer the columns that it takes, less than those of the terminal

---@class cekura.Redraw
local Redraw = {}
Redraw.__index = Redraw

---@param stream cekura.CommandStream one that `redraws`
---@return cekura.Redraw
function redraw.new(stream)
  return setmetatable({ stream = stream, lines = {}, columns = 0, rows = 0 }, Redraw)
end

-- The number of rows that the drawn lines take now. A terminal that has become narrower has wrapped them. Rows that
-- have scrolled off the top cannot be reached.
local function rows_above(self, columns, rows)
  local count = 0
  for _, line in ipairs(self.lines) do
    count = count + math.max(1, math.ceil(line.width / columns))
  end
  return math.min(count, rows - 1)
end

local function is_same(self, lines)
  for index = 1, math.max(#lines, #self.lines) do
    if not (lines[index] and self.lines[index]) or lines[index].text ~= self.lines[index].text then
      return false
    end
  end
  return true
end

--- Draws the lines in place of the previous ones. Writes only what has changed.
---@param lines cekura.DrawnLine[]
function Redraw:draw(lines)
  local columns, rows = self.stream:columns(), self.stream:rows()
  if not columns then -- the terminal is gone
    return
  end
  local is_resized = columns ~= self.columns or rows ~= self.rows
  if not is_resized and is_same(self, lines) then
    return
  end
  local above = rows_above(self, columns, rows)
  local pieces = { "\r" .. ERASE .. up(above) } -- the cursor's line may contain an echoed ^C
  for index, line in ipairs(lines) do
    local former = not is_resized and self.lines[index]
    pieces[#pieces + 1] = (former and former.text == line.text and "" or line.text .. ERASE) .. "\n"
  end
  local left = above - #lines
  pieces[#pieces + 1] = (ERASE .. "\n"):rep(left) .. up(left)
  self.stream:write(table.concat(pieces))
  self.lines, self.columns, self.rows = lines, columns, rows
end

--- Writes text in place of the lines, which can then be drawn below it.
---@param text string whole lines
function Redraw:write(text)
  self:draw {}
  self.stream:write(text)
end

--- Draws the lines for the last time: they stay, and later drawings follow them.
---@param lines cekura.DrawnLine[]
function Redraw:finish(lines)
  self:draw(lines)
  self.lines = {}
end

return redraw

--- One line about the work on stderr: on a capable terminal it is redrawn in place, elsewhere each one that is shown is
-- a line of its own.

local redraw = require "cekura.command.redraw"
local text = require "cekura.command.text"

local status_line = {}

---@class cekura.command.StatusLine the part of cekura.Progress that a session needs
---@field stream cekura.CommandStream
---@field live? cekura.Redraw
---@field line? string
local StatusLine = {}
StatusLine.__index = StatusLine

---@param stream cekura.CommandStream
---@param is_quiet? boolean only notes are shown
---@return cekura.command.StatusLine
function status_line.new(stream, is_quiet)
  return setmetatable({ stream = stream, is_quiet = is_quiet or false,
    live = stream.redraws and not is_quiet and redraw.new(stream) or nil }, StatusLine)
end

-- The line as it is drawn. It ends before the last column: see cekura.command.progress.
local function drawn(self)
  local columns = self.stream:columns()
  if not self.line or not columns then
    return {}
  end
  local line = text.fit(self.line, columns - 1)
  return { { text = line, width = text.width(line) } }
end

--- Shows a line in place of the previous one.
---@param line string visible text
function StatusLine:show(line)
  if self.is_quiet or line == self.line then
    return
  end
  self.line = line
  if self.live then
    self:tick()
  else
    self.stream:write(line .. "\n")
  end
end

--- Redraws what a change of the terminal's size needs.
function StatusLine:tick()
  if self.live then
    self.live:draw(drawn(self))
  end
end

--- Makes room for a line on stdout, if both streams are the same terminal.
function StatusLine:clear()
  if self.live then
    self.live:draw {}
  end
end

--- Writes a message above the line.
---@param message string untrusted
function StatusLine:note(message)
  self:clear()
  self.stream:write(text.visible_lines(message) .. "\n")
  self:tick()
end

--- Leaves the cursor below the line.
function StatusLine:close()
  if self.live then
    self.live:finish(drawn(self))
    self.live = nil
  end
end

return status_line

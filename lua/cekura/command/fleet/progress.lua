--- Shows the numbers of a fleet on stderr: on a capable terminal as a line that is redrawn in place, elsewhere as a
-- line for each change.

local redraw = require "cekura.command.redraw"
local text = require "cekura.command.text"

local progress = {}

---@class cekura.command.fleet.Progress the part of cekura.Progress that a session needs
---@field stream cekura.CommandStream
---@field live? cekura.Redraw
---@field line? string
local Progress = {}
Progress.__index = Progress

---@param stream cekura.CommandStream
---@param is_quiet? boolean only notes are shown
---@return cekura.command.fleet.Progress
function progress.new(stream, is_quiet)
  return setmetatable({ stream = stream, is_quiet = is_quiet or false,
    live = stream.redraws and not is_quiet and redraw.new(stream) or nil }, Progress)
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

--- Shows numbers.
---@param stats cekura.FleetStats
function Progress:show(stats)
  local line = ("%d waiting, %d running; %d done, %d failed, %d unknown, %d poisoned; %d workers"):format(stats.waiting,
    stats.running, stats.done, stats.failed, stats.unknown, stats.poisoned, stats.workers)
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
function Progress:tick()
  if self.live then
    self.live:draw(drawn(self))
  end
end

--- Makes room for a line on stdout, if both streams are the same terminal.
function Progress:clear()
  if self.live then
    self.live:draw {}
  end
end

--- Writes a message above the numbers.
---@param message string untrusted
function Progress:note(message)
  self:clear()
  self.stream:write(text.visible_lines(message) .. "\n")
  self:tick()
end

--- Leaves the cursor below the numbers.
function Progress:close()
  if self.live then
    self.live:finish(drawn(self))
    self.live = nil
  end
end

return progress

--- Shows jobs on stderr during a wait: on a capable terminal as a line or a table that is redrawn in place, elsewhere
-- as a plain line for each change.

local job_view = require "cekura.command.job_view"
local redraw = require "cekura.command.redraw"
local status = require "cekura.job.status"
local text = require "cekura.command.text"

local progress = {}

---@class cekura.Progress
local Progress = {}
Progress.__index = Progress

---@param stream cekura.CommandStream
---@param options? { quiet?: boolean } quiet: only notes are shown
---@return cekura.Progress
function progress.new(stream, options)
  local quiet = options and options.quiet or false
  return setmetatable({
    stream = stream,
    quiet = quiet,
    live = stream.redraws and not quiet and redraw.new(stream) or nil,
    entries = {}, -- a list, also indexed by job
    frame = 0,
    is_closed = false,
  }, Progress)
end

-- ---- drawing ----

-- Lines end before the last column: terminals disagree about where the cursor is after a full line.
local function lines_of(self, frame, rows)
  local columns = self.stream:columns()
  if #self.entries == 0 or not columns then
    return {}
  elseif #self.entries == 1 then
    return { job_view.line(self.stream, self.entries[1], columns - 1, frame) }
  end
  return job_view.table(self.stream, self.entries, { columns = columns - 1, rows = rows }, frame)
end

local function draw(self)
  local rows = self.stream:rows()
  if rows and rows > 1 then
    self.live:draw(lines_of(self, self.frame, rows - 2))
  end
end

-- Writes a plain line, unless only the time has changed since the last one.
local function report(self, entry)
  local line, elapsed = job_view.plain(entry)
  if entry.reported ~= line then
    entry.reported = line
    self.stream:write(line .. elapsed .. "\n")
  end
end

local function show(self, entry)
  if self.quiet or self.is_closed then
    return
  elseif self.live then
    draw(self)
  else
    report(self, entry)
  end
end

-- ---- events ----

--- Shows a job from now on.
---@param job cekura.Job
function Progress:add(job)
  if self.entries[job] then
    return
  end
  local entry = { job = job }
  self.entries[job] = entry
  self.entries[#self.entries + 1] = entry
  show(self, entry)
end

--- Shows a change of the job; for `on_progress`.
---@param job cekura.Job
function Progress:changed(job)
  local entry = self.entries[job]
  if entry and not (entry.is_over or status.is_end(job.state)) then -- its end is reported by ended()
    show(self, entry)
  end
end

--- Shows that the wait for the job has ended.
---@param job cekura.Job
---@param err? cekura.Error why, unless it has succeeded
function Progress:ended(job, err)
  local entry = self.entries[job]
  if entry and not entry.is_over then
    entry.is_over, entry.err, entry.elapsed = true, err, job.elapsed
    show(self, entry)
  end
end

--- Redraws what changes with time. To be called about ten times a second.
function Progress:tick()
  if self.live and not self.is_closed then
    self.frame = self.frame + 1
    draw(self)
  end
end

--- Writes a message above the jobs.
---@param message string untrusted
---@param style? string of stream:paint()
function Progress:note(message, style)
  local visible = text.visible_lines(message)
  local line = (style and self.stream:paint(style, visible) or visible) .. "\n"
  if self.live and not self.is_closed then
    self.live:write(line)
    draw(self)
  else
    self.stream:write(line)
  end
end

--- Shows all jobs for the last time, and leaves the cursor at the beginning of an empty line. May be called again.
function Progress:close()
  if self.is_closed then
    return
  end
  self.is_closed = true
  if self.live then
    self.live:finish(lines_of(self, nil, math.huge))
  end
end

return progress

--- The command's two streams: stdout for results, stderr for progress and messages; whether they are a terminal, and
-- whether they have colours.

local core = require "cekura.core"
local errors = require "cekura.errors"

local terminal = {}

-- SGR parameters (ECMA-48, 8.3.117). Removed and added text differ in more than colour, because some readers cannot
-- distinguish red and green.
local STYLES = {
  bold = "1", dim = "2", red = "31", green = "32", yellow = "33", blue = "34", cyan = "36",
  removed = "31;9", -- struck through
  added = "32;4", -- underlined
}

local COLORS = { auto = true, always = true, never = true }

local function variable(name)
  local value = os.getenv(name)
  return value ~= "" and value or nil
end

-- Whether a terminal understands escape sequences.
local function is_capable()
  local term = variable "TERM"
  return term ~= nil and term ~= "dumb"
end

-- The option takes precedence. Then these conventions apply, in this order; an empty variable counts as unset:
--   https://no-color.org              NO_COLOR, whatever its value, prevents colours
--   https://bixense.com/clicolors     CLICOLOR_FORCE asks for them, even in a pipe; CLICOLOR=0 prevents them
--   https://cmake.org/cmake/help/latest/envvar/CLICOLOR_FORCE.html    CLICOLOR_FORCE=0 has no effect
local function has_colors(option, is_terminal)
  local force = variable "CLICOLOR_FORCE"
  if option ~= "auto" then
    return option == "always"
  elseif variable "NO_COLOR" then
    return false
  elseif force and force ~= "0" then
    return true
  end
  return variable "CLICOLOR" ~= "0" and is_terminal and is_capable()
end

---@class cekura.CommandStream
---@field is_terminal boolean
---@field redraws boolean whether the cursor can be moved, to draw lines again
---@field colors boolean whether paint() changes anything
local Stream = {}
Stream.__index = Stream

local function new_stream(file, fd, option)
  file:setvbuf "no" -- nothing that could not be written is tried again at the end of the process
  local is_terminal = core.terminal(fd) ~= nil
  return setmetatable({
    file = file,
    fd = fd,
    is_terminal = is_terminal,
    redraws = is_terminal and is_capable(),
    colors = has_colors(option, is_terminal),
  }, Stream)
end

-- The most bytes of one write. A pipe takes that many wholly or not at all (POSIX, PIPE_BUF), so a signal that
-- interrupts the write is noticed. After a partial write, the C library would go on with the rest.
local PIECE = 4096

--- Writes a text at once, so that the lines of both streams keep their order on a terminal.
---@param text string
---@return boolean? written nil if not all of it could be written
---@return string? message
function Stream:write(text)
  for first = 1, #text, PIECE do
    local written, message = self.file:write(text:sub(first, first + PIECE - 1))
    if not written then
      return nil, message
    end
  end
  return true
end

-- LuaJIT's compiled code repeats a write that has failed: its guard leaves the trace before the call.
local jit = rawget(_G, "jit")
if jit then
  jit.off(Stream.write)
end

--- The current width of the terminal, which may be resized at any time. (The variable COLUMNS, if a shell exports it,
--- may be outdated.)
---@return integer? columns nil: not a terminal
function Stream:columns()
  return (core.terminal(self.fd))
end

--- The current height of the terminal.
---@return integer? rows nil: not a terminal
function Stream:rows()
  local _, rows = core.terminal(self.fd)
  return rows
end

--- The text in a style, if the stream has colours. Each line is painted separately, as pagers need it.
---@param style "bold"|"dim"|"red"|"green"|"yellow"|"blue"|"cyan"|"removed"|"added"
---@param text string without escape sequences
---@return string
function Stream:paint(style, text)
  local parameters = STYLES[style] or error("no such style: " .. tostring(style), 2)
  if not self.colors then
    return text
  end
  return (text:gsub("[^\n]+", "\27[" .. parameters .. "m%0\27[0m"))
end

---@class cekura.CommandStreams
---@field out cekura.CommandStream
---@field err cekura.CommandStream

--- The streams of this process.
---@param options? { color?: "auto"|"always"|"never" }
---@return cekura.CommandStreams
function terminal.open(options)
  local color = options and options.color or "auto"
  if not COLORS[color] then
    errors.misuse("color: auto, always or never expected, got %q", color)
  end
  return { out = new_stream(io.stdout, 1, color), err = new_stream(io.stderr, 2, color) }
end

return terminal

--- A program on a terminal: tmux, without a status line, shows what a person would see. Its server ends with stop(), or
-- with the process that started it.

local file = require "spec.support.file"
local process = require "spec.support.process"
local shell = require "spec.support.shell"

local tmux = {}
tmux.__index = tmux

local HERE = shell "pwd":match "[^\n]+"

local CONFIG = [[
set -g status off
set -g remain-on-exit on
set -g remain-on-exit-format ""
set -g default-terminal screen-256color
set -g escape-time 0
]]

-- Nothing of the user's changes what is shown.
local CLEAN = "env -u NO_COLOR -u CLICOLOR -u CLICOLOR_FORCE -u COLUMNS -u LINES -u LC_ALL -u LC_CTYPE -u TMUX "
  .. "LANG=C.UTF-8"

local function quote(value)
  return "'" .. value:gsub("'", "'\\''") .. "'"
end

function tmux:run(command)
  local output, status = shell(("tmux -u -S %s/socket %s"):format(self.server.dir, command))
  assert(status == 0, command .. ": " .. output)
  return output
end

local function variables(env)
  local words = {}
  for name, value in pairs(env or {}) do
    words[#words + 1] = value and name .. "=" .. quote(value) or "-u " .. name
  end
  table.sort(words) -- "-u" first, as env needs it
  return table.concat(words, " ")
end

--- Starts a command on a terminal of its own, in the root of the checkout.
---@param command string for a shell, which survives the Ctrl-C that ends its programs
---@param options? { columns?: integer, rows?: integer, env?: table<string, string|false> } 80 by 24 if nil; false in
---`env` removes a variable. Without it: LANG=C.UTF-8, and none of the variables that concern colours
---@return table terminal
function tmux.start(command, options)
  options = options or {}
  local self = setmetatable({}, tmux)
  self.server = process.start("tmux -D -u -f config -S socket", function(server)
    return os.execute(("test -S %s/socket"):format(server.dir)) and shell(
      ("tmux -S %s/socket show-options -g 2>&1"):format(server.dir)):find("status off", 1, true)
  end, function(dir)
    file.write(dir .. "/config", CONFIG)
  end)
  command = "trap : INT QUIT; " .. command
  local words = ("exec %s env %s sh -c %s"):format(CLEAN, variables(options.env), quote(command))
  self:run(("new-session -d -x %d -y %d -c %s %s"):format(options.columns or 80, options.rows or 24, quote(HERE),
    quote(words)))
  return self
end

--- What the terminal shows now, without the blanks at the ends of lines and the empty lines at the end.
---@param options? { all?: boolean, styles?: boolean } all: also the lines that have left its upper edge; styles: with
---escape sequences for colours
---@return string
function tmux:screen(options)
  options = options or {}
  local output = self:run(("capture-pane -p%s%s"):format(options.all and " -S -" or "", options.styles and " -e" or ""))
  return (output:gsub("[ \n]+$", ""))
end

--- The lines of screen().
---@return string[]
function tmux:lines(options)
  local lines = {}
  for line in (self:screen(options) .. "\n"):gmatch "([^\n]*)\n" do
    lines[#lines + 1] = line
  end
  return lines
end

--- Types. Words are keys as tmux names them, such as C-c and Enter; other words are typed as they are.
---@param keys string
function tmux:send_keys(keys)
  self:run("send-keys " .. keys)
end

--- Gives the terminal another size, between two writes of the program: what a program writes for one size is garbled
-- if it arrives after the change to another, on every terminal.
function tmux:resize(columns, rows)
  local program = shell("pgrep -P " .. self:value "#{pane_pid}"):match "%d+"
  os.execute("kill -STOP " .. program)
  local before, now
  repeat
    before, now = now, self:screen { all = true }
    os.execute "sleep 0.02"
  until now == before
  self:run(("resize-window -x %d -y %d"):format(columns, rows))
  os.execute("kill -CONT " .. program)
end

--- A value of the terminal by a format of tmux, such as "#{cursor_x} #{cursor_y}".
function tmux:value(format)
  return (self:run("display-message -p " .. quote(format)):gsub("\n$", ""))
end

--- Everything that is written to the terminal from now on, byte for byte.
---@return fun(): string read returns what was written so far
function tmux:record()
  local path = self.server.dir .. "/record"
  file.write(path, "")
  self:run("pipe-pane " .. quote("cat >>" .. path))
  return function()
    return file.read(path)
  end
end

--- Waits until a line of the screen matches the pattern; raises if none ever does.
---@param pattern string of Lua
---@return string screen
function tmux:wait_for(pattern)
  local screen
  if not process.comes_true(function()
    screen = self:screen()
    return screen:find(pattern)
  end) then
    error(("%q is not on the screen:\n%s\n\nprocesses on the terminal:\n%s"):format(pattern, screen,
      shell("ps -o pid,ppid,stat,wchan:20,args -t " .. self:value "#{pane_tty}")), 2)
  end
  return screen
end

--- Waits for the end of the command.
---@return integer status 128 more than the signal that ended its last program
function tmux:wait()
  local status = process.comes_true(function()
    os.execute("kill -CHLD " .. self.server.pid) -- tmux 3.3 may miss the signal for a child that has ended
    return tonumber(self:value "#{pane_dead_status}")
  end)
  return status or error("the command has not ended; on the screen:\n" .. self:screen(), 2)
end

--- Ends the command, if it runs, and the terminal.
function tmux:stop()
  self.server:stop()
end

return tmux

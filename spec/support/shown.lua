--- Runs a command that a page shows, and compares its output with the one that the page shows. There, "…" in a line
-- stands for a part that differs from run to run, a line "…" for further lines, and blanks for a tab. A last line "…"
-- says that the command goes on until it is interrupted.

local file = require "spec.support.file"
local process = require "spec.support.process"
local shell = require "spec.support.shell"

local shown = {}

local GOES_ON = "\n…\n$"

-- Not the group of this process, and not deaf to an interrupt, as what a shell starts in the background is.
local RUN = [[
cd %s && {
  setsid env --default-signal=INT,QUIT sh .command >.output 2>&1 </dev/null &
  echo $! >.group
  wait $!
  echo $? >.status
  mv .status .ended
} >/dev/null 2>&1 &]]

--- Whether an output is the one that a page shows.
---@param output string
---@param expected string
function shown.matches(output, expected)
  local pattern = expected:gsub("[ \t]+", " "):gsub("%p", "%%%0"):gsub("\n…\n", "\n.-"):gsub("…", "[^\n]-")
  return output:gsub("[ \t]+", " "):find("^" .. pattern .. "$") ~= nil
end

--- Runs a command in a new directory, until it ends, or until it has written what the page shows and goes on.
---@param command string for the shell
---@param expected? string the output that the page shows
---@param prepare? fun(dir: string) called before the command
---@return string output both streams
---@return string? fault nil: it ended, or went on, as the page says
function shown.run(command, expected, prepare)
  local dir = shell "mktemp -d":match "%S+"
  if prepare then
    prepare(dir)
  end
  file.write(dir .. "/.command", command)
  os.execute(RUN:format(dir))
  local goes_on = expected and expected:find(GOES_ON) ~= nil
  local wanted = goes_on and expected:gsub(GOES_ON, "\n") or expected
  local function output()
    return file.read(dir .. "/.output") or ""
  end
  local function status()
    return tonumber(file.read(dir .. "/.ended"))
  end
  local function is_shown()
    return wanted == nil or shown.matches(output(), wanted)
  end
  process.comes_true(function() return status() or goes_on and is_shown() end)
  local ended, right = status(), is_shown()
  if not ended then
    os.execute(("kill -INT -$(cat %s/.group)"):format(dir))
    process.eventually(status)
  end
  local text, fault = output(), not right and "the output is not the one that is shown" or nil
  if goes_on and ended then
    fault = "it does not go on"
  elseif not goes_on and ended ~= 0 then
    fault = "its exit status is " .. tostring(ended)
  end
  os.execute("rm -rf " .. dir)
  return text, fault
end

return shown

--- Runs cekura-lua as a shell does, against a simulator.

local file = require "spec.support.file"
local process = require "spec.support.process"
local shell = require "spec.support.shell"

local command = {}

local lua = os.getenv "CEKURA_LUA" or "lua5.4"

--- The program, as a shell's words.
command.program = lua .. " bin/cekura-lua"

--- The environment that leads it to a simulator, as a shell's words.
---@param server table
---@return string
function command.environment(server)
  return ("CEKURA_API_URL=%s CEKURA_API_KEY=%s"):format(server.url, server.key)
end

--- Runs a command line, and returns what it wrote and how it ended. Raises if the key is in that.
---@param server table the simulator
---@param arguments string as a shell reads them
---@param before? string words before the program: NAME=value, timeout …
---@param after? string words after it: redirections
---@return string stdout, string stderr, integer status
function command.run(server, arguments, before, after)
  local dir = shell "mktemp -d":match "%S+"
  local _, status = shell(("env %s %s %s %s >%s/out 2>%s/err %s"):format(command.environment(server), before or "",
    command.program, arguments, dir, dir, after or "</dev/null"))
  local out, err = file.read(dir .. "/out"), file.read(dir .. "/err")
  shell("rm -rf " .. dir)
  assert(not (out .. err):find(server.key, 1, true), "the key is in what it wrote")
  return out, err, status
end

--- Runs a command line until `is_time` returns true for what it has written to stdout so far. Sends it a signal, and
-- returns what it wrote and its status.
---@param server table
---@param signal string
---@param arguments string
---@param is_time fun(out: string): boolean
---@return string stdout, string stderr, integer status
function command.interrupt(server, signal, arguments, is_time)
  local dir, root = shell "mktemp -d":match "%S+", shell "pwd":match "%S+"
  local words = ("%s %s %s"):format(command.environment(server), command.program, arguments)
  file.write(dir .. "/program", ("cd %s && exec env %s >%s/out 2>%s/err"):format(root, words, dir, dir))
  local program = process.start("sh " .. dir .. "/program", function()
    return is_time(file.read(dir .. "/out") or "")
  end)
  local status = program:stop(signal)
  local out, err = file.read(dir .. "/out"), file.read(dir .. "/err")
  shell("rm -rf " .. dir)
  return out, err, status
end

return command

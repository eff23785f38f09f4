--- The command cekura-lua. bin/cekura-lua calls it with the words of its command line.

local function without_argparse(fault)
  io.stderr:write("cekura-lua needs the Lua module argparse (Debian: lua-argparse, LuaRocks: argparse).\n", fault, "\n")
  return 2
end

--- Runs a command line.
---@param words string[] without the name of the program
---@return integer exit status
return function(words)
  local found, fault = pcall(require, "argparse")
  if not found then
    return without_argparse(tostring(fault))
  end
  local core = require "cekura.core"
  core.open_streams()
  core.catch_signals() -- before the many files of the command are read
  local exits = require "cekura.command.exits"
  local parser = require "cekura.command.parser"
  local session = require "cekura.command.session"
  local text = require "cekura.command.text"
  local tree = require "cekura.command.tree"

  if words[1] == "--version" then
    words = { "version" }
  end
  local function refuse(message, usage)
    io.stderr:write(usage and usage .. "\n\n" or "", "cekura-lua: ", text.visible_lines(message), "\n")
    os.exit(exits.USAGE, true)
  end
  local command, given = parser.read(tree, words, refuse)
  if command.stands_for then
    command, given = parser.read(tree, command.stands_for(given), refuse)
  end
  given.options.json = given.options.json or given.options.format == "json"
  return session.run(command, given)
end

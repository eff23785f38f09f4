--- Completions for shells, made by argparse (0.7.1). What its generators cannot do is changed before or after them.

local output = require "cekura.command.output"
local parser = require "cekura.command.parser"

local SHELLS = { "bash", "zsh", "fish" }

-- argparse completes the words of an argument in one case only: after a help command, the names of its parent's
-- commands. So a command whose argument has suggestions is a help command for its generators, with a parent that has
-- those names.
local function suggest(made, words)
  made._is_help_command = true
  made._parent = setmetatable({ _get_commands = function()
    return table.concat(words, " ")
  end }, { __index = made._parent })
end

-- Hidden names are accepted, and not completed. An option whose value may be missing is completed as one without a
-- value.
local function reduce(made)
  for _, list in ipairs { made._commands, made._options } do
    for _, element in ipairs(list) do
      element._aliases = element._public_aliases
    end
  end
  for _, option in ipairs(made._options) do
    option._maxargs = option._minargs == 0 and 0 or option._maxargs
  end
end

-- Goes through the commands of argparse beside those that they were made from.
local function adapt(made, command)
  reduce(made)
  local argument = command.arguments and command.arguments[1]
  if argument and argument.suggestions then
    suggest(made, argument.suggestions())
  end
  for index, sub in ipairs(command.commands or {}) do
    adapt(made._commands[index], sub)
  end
end

-- The script for fish offers the options of `start scenarios.generate` also after `start
-- scenarios.generate_instructions`, since it only looks for the one at the beginning of the other.
local function whole_words(script)
  return (script:gsub('match %-q "%$argv%*" (%b())', 'match -q "$argv *" %1" "'))
end

--- The completions of a tree of commands.
---@param root cekura.command.Command
---@param shell string
---@return string script
local function script(root, shell)
  local made = parser.new(root)
  adapt(made, root)
  local text = made["get_" .. shell .. "_complete"](made)
  return shell == "fish" and whole_words(text) or text
end

--- The command that prints them.
---@param root cekura.command.Command
---@return cekura.command.Command
return function(root)
  return {
    name = "completion",
    summary = "Print the completions for a shell.",
    description = "Prints a script that completes commands, options and kinds of job in a shell.",
    arguments = { { name = "shell", choices = SHELLS, help = "bash, zsh or fish.", suggestions = function()
      return SHELLS
    end } },
    examples = {
      { "cekura-lua completion bash >~/.local/share/bash-completion/completions/cekura-lua", "For bash." },
      { "cekura-lua completion fish >~/.config/fish/completions/cekura-lua.fish", "For fish." },
    },
    run = function(session, given)
      local made = script(root, given.words.shell)
      session:print(session.options.json and output.json { shell = given.words.shell, script = made }
        or (made:gsub("\n$", "")))
    end,
  }
end

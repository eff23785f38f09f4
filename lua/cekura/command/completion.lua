--- Completions for shells, made by argparse.

local parser = require "cekura.command.parser"

local SHELLS = { "bash", "zsh", "fish" }

--- The command that prints them.
---@param root cekura.command.Command
---@return cekura.command.Command
return function(root)
  return {
    name = "completion",
    summary = "Print the completions for a shell.",
    arguments = { { name = "shell", choices = SHELLS, help = "bash, zsh or fish." } },
    options = {},
    examples = {
      { "cekura-lua completion bash >~/.local/share/bash-completion/completions/cekura-lua", "For bash." },
      { "cekura-lua completion fish >~/.config/fish/completions/cekura-lua.fish", "For fish." },
    },
    run = function(session, given)
      local made = parser.new(root)
      session:print((made["get_" .. given.words.shell .. "_complete"](made):gsub("\n$", "")))
    end,
  }
end

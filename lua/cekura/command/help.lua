--- The command help, which prints what --help prints.

--- The command that prints the help of the others.
---@param root cekura.command.Command
---@return cekura.command.Command
return function(root)
  return {
    name = "help",
    summary = "Show the help of a command.",
    description = "Shows the help of a command, as COMMAND --help does.",
    arguments = { { name = "command", count = "*",
      help = "The words of the command. Without any, all commands are listed.", suggestions = function()
        local names = {}
        for index, command in ipairs(root.commands) do
          names[index] = command.name
        end
        return names
      end } },
    examples = {
      { "cekura-lua help", "List all commands." },
      { "cekura-lua help calls list", "Show the options of one command." },
    },
    stands_for = function(given)
      local words = {}
      for index, word in ipairs(given.words.command) do
        words[index] = word
      end
      words[#words + 1] = "--help"
      return words
    end,
  }
end

--- help: what --help says, for those who type it first.

--- The command that prints the help of the others.
---@param root cekura.command.Command
---@return cekura.command.Command
return function(root)
  return {
    name = "help",
    summary = "Show the help of a command.",
    description = "Shows the help of a command, as --help after it does.",
    arguments = { { name = "command", count = "*",
      help = "The words of the command; without any, all commands are listed.", suggestions = function()
        local names = {}
        for index, command in ipairs(root.commands) do
          names[index] = command.name
        end
        return names
      end } },
    examples = {
      { "cekura-lua help", "All commands." },
      { "cekura-lua help calls list", "The options of one." },
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

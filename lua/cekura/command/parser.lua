--- The parser of the command line, made by argparse from the tree of commands (cekura.command.tree).

local values = require "cekura.command.values"

local parser = {}

---@class cekura.command.Option
---@field name string without the dashes
---@field short? string one letter
---@field type? string of its value (cekura.command.values); nil: it takes none
---@field shown? string what stands for the value in help
---@field help string
---@field many? boolean may be given several times
---@field parameter? string the parameter of the API that it sets
---@field choices? string[]

---@class cekura.command.Argument
---@field name string
---@field type? string
---@field count? string in the notation of argparse: "?", "*", "+"
---@field help string
---@field choices? string[]
---@field suggestions? fun(): string[] words that shells complete

---@class cekura.command.Command
---@field name string
---@field aliases? string[] further names, which help does not show
---@field summary string one line
---@field description string
---@field commands? cekura.command.Command[] one of which must be named, unless there is `run`, too
---@field arguments? cekura.command.Argument[]
---@field options? cekura.command.Option[]
---@field examples string[][] each a command line and what it does
---@field stands_for? fun(given: cekura.command.Given): string[] another command line, which is read instead
---@field from_api? boolean made from the tables of operations and kinds
---@field run? fun(session: cekura.command.Session, given: cekura.command.Given): integer? an exit status; nil: 0

---@class cekura.command.Given the contents of a command line
---@field words table<string, any> arguments by name
---@field options table<string, any> options by name, "_" for "-"
---@field params table<string, any> parameters of the API

-- ---- building ----

local function target(option)
  return (option.parameter and "parameter " or "option ") .. (option.parameter or option.name)
end

local function add_option(to, declared)
  local name = "--" .. declared.name
  local option
  if declared.type then
    option = to:option(name)
      :argname((declared.shown or values.placeholder(declared.type)))
      :args(declared.type == "flag" and "?" or 1)
  else
    option = to:flag(name)
  end
  if declared.short then
    option = option("-" .. declared.short)
  end
  if declared.name:find "-" then
    option:hidden_name("--" .. declared.name:gsub("-", "_"))
  end
  for _, alias in ipairs(declared.aliases or {}) do
    option:hidden_name("--" .. alias)
  end
  option:target(target(declared)):description(declared.help)
  if declared.choices then
    option:choices(declared.choices)
  end
  if declared.many then
    option:count "*"
  end
end

local function add_argument(to, declared)
  local argument = to:argument(declared.name):target("word " .. declared.name):description(declared.help)
  if declared.count then
    argument:args(declared.count)
  end
  if declared.choices then
    argument:choices(declared.choices)
  end
end

-- The columns of help.
local COLUMNS = 80

--- A command line, folded into lines that a shell reads as one. It is broken before options and redirections.
---@param line string
---@param columns integer the most that a line may take
---@return string[]
function parser.folded(line, columns)
  local lines, last = {}, nil
  for part in line:gsub(" (%-%-%l)", "\n%1"):gsub(" ([<>])", "\n%1"):gmatch "[^\n]+" do
    if last and #last + #part + #"  \\" > columns then
      lines[#lines + 1] = last .. " \\"
      last = "  " .. part
    else
      last = last and last .. " " .. part or part
    end
  end
  lines[#lines + 1] = last
  return lines
end

local function epilog_of(command)
  local lines = { "Examples:" }
  for _, example in ipairs(command.examples) do
    lines[#lines + 1] = "  # " .. example[2]
    for _, line in ipairs(parser.folded(example[1], COLUMNS - 2)) do
      lines[#lines + 1] = "  " .. line
    end
  end
  return table.concat(lines, "\n")
end

-- Raised by --help: argparse would print the help itself, whether it can be written or not, and exit.
local Help = {}

local fill

-- Adds the subcommands. There are several hundred, so only those that the words may name are filled in.
local function add_commands(to, command, words)
  for _, sub in ipairs(command.commands or {}) do
    local names = { [sub.name] = true }
    local added = to:command(sub.name):summary(sub.summary)
    for _, alias in ipairs(sub.aliases or {}) do
      names[alias] = true
      added:hidden_name(alias)
    end
    if sub.hidden then
      added:hidden(true)
    end
    local wanted = not words
    for _, word in ipairs(words or {}) do
      wanted = wanted or names[word]
    end
    if wanted then
      fill(added, sub, words)
    end
  end
end

function fill(to, command, words)
  to:add_help { action = function()
    error(setmetatable({ text = to:get_help() }, Help), 0)
  end }
  to:description(command.description):epilog(epilog_of(command))
  for _, argument in ipairs(command.arguments or {}) do
    add_argument(to, argument)
  end
  for _, option in ipairs(command.options or {}) do
    add_option(to, option)
  end
  to:require_command(command.commands ~= nil and not command.run)
  if command.commands then
    to:command_target(("command %d"):format(command.depth))
    add_commands(to, command, words)
  end
end

--- The parser of a tree.
---@param root cekura.command.Command
---@param words? string[] a command line; nil: the whole tree, for completion
---@return table of argparse
function parser.new(root, words)
  local made = require "argparse"(root.name):help_max_width(COLUMNS):usage_max_width(COLUMNS)
  fill(made, root, words)
  return made
end

-- ---- reading ----

-- Finds the command that was chosen. Returns a list that begins with the root and ends with it.
local function chosen(root, parsed)
  local path, command = { root }, root
  while command.commands do
    local name = parsed[("command %d"):format(command.depth)]
    local found
    for _, sub in ipairs(command.commands) do
      found = found or sub.name == name and sub
    end
    if not found and command.run then
      break
    end
    command = found or error("no command " .. tostring(name))
    path[#path + 1] = command
  end
  return path
end

-- The value of an option or an argument. Calls `refuse`, which does not return, if the text is not such a value.
local function value_of(declared, raw, name, refuse)
  if declared.type == "flag" then
    raw = type(raw) == "table" and (raw[1] or "true") or raw
  end
  if not declared.type or raw == nil then
    return raw
  elseif type(raw) == "table" then
    local several = {}
    for index, each in ipairs(raw) do
      several[index] = value_of(declared, each, name, refuse)
    end
    return several
  end
  local value, reason = values.read(declared.type, raw)
  if value == nil then
    refuse(name .. ": " .. reason)
  end
  return value
end

-- A command that prints help.
local function help_command(help)
  return { run = function(session)
    session:print(help)
  end }
end

--- Reads a command line. With --help, the command is one that prints the help.
---@param root cekura.command.Command
---@param words string[]
---@param refuse fun(message: string, usage?: string) does not return
---@return cekura.command.Command, cekura.command.Given
function parser.read(root, words, refuse)
  local made = parser.new(root, words)
  function made.error(current, message)
    if message == "a command is required" then
      message = message .. "; --help lists them"
    end
    refuse(message, current:get_usage())
  end
  local ok, parsed = pcall(made.parse, made, words)
  if not ok and getmetatable(parsed) == Help then
    return help_command(parsed.text), { words = {}, options = {}, params = {} }
  elseif not ok then
    error(parsed, 0)
  end
  local path = chosen(root, parsed)
  local command = path[#path]
  local given = { words = {}, options = {}, params = {} }
  for _, argument in ipairs(command.arguments or {}) do
    given.words[argument.name] = value_of(argument, parsed["word " .. argument.name], argument.name, refuse)
  end
  for _, declared in ipairs(path) do
    for _, option in ipairs(declared.options or {}) do
      local value = value_of(option, parsed[target(option)], "--" .. option.name, refuse)
      if option.parameter then
        given.params[option.parameter] = value
      else
        given.options[option.name:gsub("-", "_")] = value
      end
    end
  end
  return command, given
end

return parser

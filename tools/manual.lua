--- lua tools/manual.lua: prints the manual page cekura-lua(1), made from the tree of commands. `make man` keeps it in
-- build/cekura-lua.1.

local cekura = require "cekura"
local exits = require "cekura.command.exits"
local parser = require "cekura.command.parser"
local tree = require "cekura.command.tree"
local values = require "cekura.command.values"

-- Groups whose commands are made from the API. Each command gets one line, since there are hundreds of them.
local function is_generated(group)
  return group.from_api or group.name == "start" or group.name == "submit"
end

-- ---- roff ----

-- Text in roff. The hyphens of options and commands become minus signs, which can be searched for and copied.
local function roff(text)
  return (text:gsub("\\", "\\e"):gsub("%-", "\\-"):gsub("'", "\\(aq"):gsub("`", "\\(ga"):gsub("%^", "\\(ha")
    :gsub("~", "\\(ti"):gsub("^%.", "\\&."):gsub("\n%.", "\n\\&."))
end

-- Prose, in which a hyphen between letters stays a hyphen.
local function prose(text)
  return (roff(text):gsub("(%a)\\%-(%l)", "%1-%2"))
end

local lines = {}

local function put(...)
  for _, line in ipairs { ... } do
    lines[#lines + 1] = line
  end
end

local function bold(text)
  return "\\fB" .. roff(text) .. "\\fR"
end

local function italic(text)
  return "\\fI" .. roff(text) .. "\\fR"
end

-- A tagged paragraph.
local function item(tag, text)
  put(".TP", tag, prose(text))
end

-- ---- commands ----

local function option_tag(option)
  local tag = (option.short and bold("-" .. option.short) .. ", " or "") .. bold("--" .. option.name)
  if option.type == "flag" then
    return tag .. " [" .. italic(values.placeholder "flag") .. "]"
  elseif option.type then
    return tag .. " " .. italic(option.shown or values.placeholder(option.type))
  end
  return tag
end

local MANY = { ["?"] = "[%s]", ["*"] = "[%s ...]", ["+"] = "%s ..." }

-- The usage of a command: its words and arguments.
local function usage(command, words)
  local parts = { bold(table.concat(words, " ")) }
  for _, argument in ipairs(command.arguments or {}) do
    parts[#parts + 1] = (MANY[argument.count] or "%s"):format(italic(argument.name:upper()))
  end
  return table.concat(parts, " ")
end

local function put_example(example)
  put(".PP", prose(example[2]), ".PP", ".RS 4", ".EX")
  for _, line in ipairs(parser.folded(example[1], 66)) do
    put(roff(line))
  end
  put(".EE", ".RE")
end

local function with(words, name)
  local longer = {}
  for index, word in ipairs(words) do
    longer[index] = word
  end
  longer[#longer + 1] = name
  return longer
end

-- A command in full: its description, arguments and options.
local function put_command(command, words)
  put(".SS " .. usage(command, words):gsub("\\f[BIR]", ""), prose(command.description))
  for _, argument in ipairs(command.arguments or {}) do
    item(italic(argument.name:upper()), argument.help)
  end
  for _, option in ipairs(command.options or {}) do
    item(option_tag(option), option.help)
  end
end

-- A group that is made from the API: a line for each command.
local function put_lines(group, words)
  put(".SS " .. roff(table.concat(words, " ")) .. (group.from_api and " COMMAND" or " KIND"), prose(group.description))
  for _, option in ipairs(group.options or {}) do
    item(option_tag(option), option.help)
  end
  for _, command in ipairs(group.commands) do
    if command.from_api then
      item(usage(command, with(words, command.name)), command.summary)
    end
  end
end

local function put_commands(command, words)
  for _, sub in ipairs(command.commands) do
    local longer = with(words, sub.name)
    if not sub.commands then
      if not sub.from_api then
        put_command(sub, longer)
      end
    else
      put_commands(sub, longer)
      if is_generated(sub) then
        put_lines(sub, longer)
      end
    end
  end
end

-- ---- the page ----

local ENVIRONMENT = {
  { "CEKURA_API_KEY", "The API key. It takes precedence over the one in the configuration file." },
  { "CEKURA_API_URL", "The base URL of the service, in place of https://api.cekura.ai." },
  { "CEKURA_REDIS", "The Redis server of the fleet commands, where --redis does not give it." },
  { "CEKURA_FLEET", "The name of the fleet, where --fleet does not give it." },
  { "CEKURA_DEBUG", "If it is 1, each request, try, pause and change of a job is logged to stderr, without the key." },
  { "CEKURA_LOOPBACK_ONLY", "If it is 1, every host but this machine is refused, and no proxy is used." },
  { "CEKURA_LOOPBACK_SPEED", "The speed of a simulated service on this machine, which divides the pauses of its "
    .. "clients. sim --speed sets it for the program that it runs." },
  { "NO_COLOR", "If it is set and not empty, nothing is coloured." },
  { "CLICOLOR", "If it is 0, nothing is coloured." },
  { "CLICOLOR_FORCE", "If it is set and not 0, output is coloured even in a file or a pipe." },
  { "TERM", "The type of the terminal. If it is dumb or unset, nothing is coloured and nothing is redrawn." },
  { "HOME", "The directory that contains the configuration file, .cekura/config.toml." },
  { "HTTPS_PROXY, ALL_PROXY, NO_PROXY", "The proxy, and the hosts that are reached without it; also in lower case." },
}

local FILES = {
  { "~/.cekura/config.toml", "The configuration file of the official command: key, URL, project. It is only read." },
}

-- The commands whose first example is shown.
local SHOWN = { "auth status", "calls list", "calls get", "improve", "start scenarios.generate", "jobs watch",
  "results gate", "request" }

local function find(words)
  local command = tree
  for word in words:gmatch "%S+" do
    for _, sub in ipairs(command.commands) do
      command = sub.name == word and sub or command
    end
  end
  assert(command.name == words:match "%S+$", words)
  return command
end

local function put_pairs(heading, rows)
  put(".SH " .. heading)
  for _, row in ipairs(rows) do
    item(bold(row[1]), row[2])
  end
end

-- The date of this version, from CHANGELOG.md.
local function date()
  local file = assert(io.open "CHANGELOG.md")
  local text = file:read "*a"
  file:close()
  return text:match("\n## " .. cekura._VERSION:gsub("%p", "%%%0") .. ", (%d%d%d%d%-%d%d%-%d%d)\n") or ""
end

local function page()
  put('.\\" Generated by tools/manual.lua.',
    ('.TH CEKURA\\-LUA 1 "%s" "cekura %s" "User Commands"'):format(date(), roff(cekura._VERSION)),
    ".SH NAME", "cekura\\-lua \\- start background jobs of the Cekura API and wait for them",
    ".SH SYNOPSIS", bold "cekura-lua" .. " [" .. italic "option" .. " ...] " .. italic "command" .. " ["
      .. italic "argument" .. " | " .. italic "option" .. " ...]",
    ".SH DESCRIPTION", prose(tree.description), ".PP",
    prose("Every command has --help, which lists its options, with two examples. Options may stand before or after the "
      .. "command. In the names of options and kinds, hyphens and underscores are equivalent."),
    ".SH OPTIONS", "All commands have these options.")
  for _, option in ipairs(tree.options) do
    item(option_tag(option), option.help)
  end
  put(".SH COMMANDS")
  put_commands(tree, {})
  put(".SH EXIT STATUS")
  for _, row in ipairs(exits.STATUSES) do
    item(bold(tostring(row[1])), row[3])
  end
  put(".PP", prose "If several jobs ended differently, the exit status is the most severe one.")
  put_pairs("ENVIRONMENT", ENVIRONMENT)
  put_pairs("FILES", FILES)
  put(".SH EXAMPLES", "Examples of the usual commands:")
  for _, words in ipairs(SHOWN) do
    put_example(find(words).examples[1])
  end
  put(".SH SEE ALSO", bold "jq" .. "(1), " .. bold "lua" .. "(1)", ".PP", prose "https://docs.cekura.ai")
  return table.concat(lines, "\n") .. "\n"
end

io.write(page())

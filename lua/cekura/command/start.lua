--- The commands start and kinds.

local cekura = require "cekura"
local kind_commands = require "cekura.command.kind_commands"
local nearest = require "cekura.nearest"
local output = require "cekura.command.output"
local parameters = require "cekura.command.parameters"
local text = require "cekura.command.text"
local values = require "cekura.command.values"

local start = { name = "start", summary = "Start a job of any kind.", commands = {},
  description = "Starts a job of any kind, which costs credits, and prints its token; with --wait, waits for it and "
    .. "prints its result. `cekura-lua start KIND --help` shows the options of a kind.",
  examples = {
    { "cekura-lua start scenarios.generate --agent-id 2142 --num-scenarios 3 --wait", "Generate scenarios." },
    { "cekura-lua start results.run --agent-id 2142 --tags smoke --yes", "Run scenarios, without waiting." },
  } }

for index, entry in ipairs(cekura.kinds()) do
  start.commands[index] = kind_commands.command(entry, entry.name, { "start" })
  start.commands[index].aliases = { (entry.name:gsub("_", "-")) }
end

local function find(session, name)
  local known = {}
  for _, entry in ipairs(cekura.kinds()) do
    known[entry.name] = entry
  end
  local entry = known[(name:gsub("-", "_"))]
  if not entry then
    session:usage(("there is no kind of job %s%s; to list them: cekura-lua kinds"):format(name, (nearest(name, known))))
  end
  return entry
end

local function print_kind(session, entry)
  if session.options.json then
    return session:print(output.json(entry))
  end
  session:print(session.out:paint("bold", entry.name))
  if entry.withdrawn then
    session:print("  Cekura removed it from its documentation on " .. entry.withdrawn .. ".")
  end
  if entry.direct then
    session:print "  It can be started with --direct."
  end
  local width = 0
  for _, parameter in ipairs(entry.params) do
    width = math.max(width, #parameter.name)
  end
  for _, parameter in ipairs(entry.params) do
    session:print(("  --%s %s%s"):format(text.pad(parameters.dashed(parameter.name), width),
      values.placeholder(parameter.type), parameter.required and "  (required)" or ""))
  end
end

local kinds = {
  name = "kinds",
  summary = "List the kinds of job, or the parameters of one.",
  description = "Lists the kinds of job, or the parameters of one.",
  arguments = { { name = "kind", count = "?", help = "The kind whose parameters are listed.",
    suggestions = kind_commands.names } },
  options = {},
  examples = {
    { "cekura-lua kinds", "List all kinds." },
    { "cekura-lua kinds scenarios.generate", "List the parameters of a kind." },
  },
  run = function(session, given)
    if given.words.kind then
      return print_kind(session, find(session, given.words.kind))
    end
    for _, entry in ipairs(cekura.kinds()) do
      session:print(session.options.json and output.json(entry) or entry.name)
    end
  end,
}

return { start = start, kinds = kinds }

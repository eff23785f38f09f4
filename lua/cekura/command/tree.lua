--- All commands, as data: the parser, the help, the man page and the completions are made from this tree.

local calls = require "cekura.command.calls"
local completion = require "cekura.command.completion"
local fleet = require "cekura.command.fleet"
local help = require "cekura.command.help"
local improve = require "cekura.command.improve"
local jobs = require "cekura.command.jobs"
local other = require "cekura.command.other"
local outbox = require "cekura.command.outbox"
local resources = require "cekura.command.resources"
local results = require "cekura.command.results"
local sim = require "cekura.command.sim"
local start = require "cekura.command.start"

local root = {
  name = "cekura-lua",
  summary = "Starts background jobs of the Cekura API, and waits for them.",
  description = "Starts background jobs of the Cekura API, waits for them, and reads call logs. Results go to stdout, "
    .. "progress and messages to stderr. The API key comes from CEKURA_API_KEY or from the configuration file.",
  options = {
    { name = "json", help = "Print JSON: one object, or one per line." },
    { name = "format", type = "text", shown = "json|text", choices = { "json", "text" },
      help = "--format json is the same as --json." },
    { name = "color", type = "text", shown = "WHEN", choices = { "auto", "always", "never" },
      help = "Colours: auto, always or never." },
    { name = "quiet", short = "q", help = "Do not show progress." },
    { name = "yes", short = "y", help = "Do not ask for confirmation." },
    { name = "dry-run", help = "Show the request, without the key, instead of sending it." },
    { name = "config-file", type = "text", shown = "FILE", help = "Read this file instead of ~/.cekura/config.toml." },
    { name = "project", type = "id", help = "The project for requests that do not name one." },
    { name = "request-timeout", type = "seconds", help = "Seconds for one request (30)." },
    { name = "retries", type = "integer", help = "Retries of a request that is safe to repeat (3)." },
  },
  examples = {
    { "cekura-lua auth status", "Show whether the key works." },
    { "cekura-lua results gate --agent-id 2142 --tags smoke", "Run scenarios; exit with 0 only if all calls passed." },
  },
  commands = { improve.command("improve", {}), start.start, start.kinds, jobs, fleet, outbox },
}

for _, command in ipairs(resources.commands { calls = calls, results = results }) do
  root.commands[#root.commands + 1] = command
end
for _, command in ipairs {
  other.auth, other.config, other.request, sim, other.version, completion(root), help(root),
} do
  root.commands[#root.commands + 1] = command
end

-- Sets the depth of each command. The parser stores the chosen command under it.
local function number(command, depth)
  command.depth = depth
  for _, sub in ipairs(command.commands or {}) do
    number(sub, depth + 1)
  end
end
number(root, 1)

return root

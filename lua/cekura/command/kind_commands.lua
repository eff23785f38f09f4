--- The commands that start a job, one for each kind.

local cekura = require "cekura"
local examples = require "cekura.command.examples"
local kinds = require "cekura.api.kinds"
local output = require "cekura.command.output"
local parameters = require "cekura.command.parameters"
local waiting = require "cekura.command.waiting"
local wording = require "cekura.command.wording"

local kind_commands = {}

kind_commands.DIRECT = { name = "direct",
  help = "Instead of polling, send one request that is answered when the work is done." }

kind_commands.WAIT = { name = "wait", help = "Wait for the job, and print its result." }

--- Asks for confirmation, and starts a job.
---@param session cekura.command.Session
---@param kind string
---@param params table
---@return cekura.Job
function kind_commands.start(session, kind, params)
  local client = session:client()
  session:confirm(("Starting %s costs credits."):format(kind))
  return session:check(client:start(kind, params, { direct = session.options.direct }))
end

--- Prints the token of a job that was started; with --wait, waits for the job.
---@return integer exit status
function kind_commands.started(session, job)
  local token = job:token()
  if session.options.wait or not token then
    return waiting.wait(session, { job })
  end
  session:note(("Started %s %s. To wait for it:\n%s"):format(job.kind, tostring(job.id),
    waiting.command(session, { token }))) -- first: a token that cannot be printed must not be lost
  session:print(session.options.json and output.json(waiting.object(job)) or token)
  return 0
end

--- The names of all kinds of job, for completion.
---@return string[]
function kind_commands.names()
  local names = {}
  for index, entry in ipairs(cekura.kinds()) do
    names[index] = entry.name
  end
  return names
end

--- The command that starts a kind of job.
---@param entry cekura.KindEntry
---@param name string
---@param before string[] the words before it
---@return cekura.command.Command
function kind_commands.command(entry, name, before)
  local own = waiting.options { parameters.FILE, kind_commands.WAIT, entry.direct and kind_commands.DIRECT or nil }
  local what, one_of = wording.kind(entry.name), kinds[entry.name].one_of
  local required = examples.required(entry.params, one_of)
  if not required[1] then
    required = examples.usual(entry.params)
  end
  return {
    name = name, aliases = { (name:gsub("-", "_")) }, from_api = true,
    summary = what,
    description = what .. " Starts a job of the kind " .. entry.name .. ", which costs credits, and prints its token; "
      .. "with --wait, waits for it and prints its result." .. (entry.withdrawn
        and " Cekura removed it from its documentation on " .. entry.withdrawn
      .. "; the service may no longer have it." or ""),
    options = parameters.options(entry.params, own, one_of),
    examples = {
      { examples.line(before, { name }, required, { "--wait" }), what:gsub("%.$", "") .. ", and wait for the result." },
      { examples.line(before, { name }, { "--params job.json --yes --json" }),
        "Start one in a script, with parameters from a file." },
    },
    run = function(session, given)
      if not session.options.wait and not session.options.direct then
        waiting.check_unused(session)
      end
      local params = parameters.read(session, given, entry.params)
      return kind_commands.started(session, kind_commands.start(session, entry.name, params))
    end,
  }
end

return kind_commands

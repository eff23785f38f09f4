--- `fleet submit`: adds tasks, one of a command line or those of a file.

local access = require "cekura.command.fleet.access"
local cekura = require "cekura"
local client = require "cekura.client"
local core = require "cekura.core"
local errors = require "cekura.errors"
local exits = require "cekura.command.exits"
local kind_commands = require "cekura.command.kind_commands"
local outcomes = require "cekura.command.fleet.outcomes"
local output = require "cekura.command.output"
local parameters = require "cekura.command.parameters"
local show = require "cekura.show"
local start = require "cekura.command.start"
local waiting = require "cekura.command.waiting"

---@class cekura.command.fleet.Submission
---@field kind string
---@field params table
---@field key? string
---@field options table of the start

local KEY = { name = "key", type = "text",
  help = "A key. A task that was submitted with it before is not added again." }

-- Not --from-file, which names tasks here.
local PARAMS = { name = "params", type = "text", shown = "FILE", help = parameters.FILE.help }

local FROM_FILE = { name = "from-file", type = "text", shown = "FILE",
  help = 'A file with a task per line: {"kind":…, "params":…, "key":…, "options":…}. - is standard input.' }

-- ---- submitting ----

-- The error of a submission, after which the task may be in the fleet.
local IN_DOUBT = { network = true, timeout = true, closed = true, cancelled = true }

-- Adds a task. Ends the command if that is impossible. `where` begins the message.
local function submit(session, fleet, task, where)
  local id, err = fleet:submit(task.kind, task.params, { key = task.key, options = task.options })
  if id then
    return id
  elseif err.sent and IN_DOUBT[err.kind] then
    session:note(("%s%s. The task may have been added.%s"):format(where, errors.line(err), task.key
      and " With its key it can be submitted again." or ""))
    return session:exit(exits.UNKNOWN)
  elseif where ~= "" then
    session:note(where .. errors.line(err))
    return session:exit(exits.of(err))
  end
  return session:check(nil, err)
end

-- Prints a task as a line of --from-file.
local function print_task(session, task)
  session:print(output.json { kind = task.kind, params = task.params, key = task.key,
    options = next(task.options) and task.options or nil })
end

-- Prints the id of a task that was added.
local function print_id(session, task, id)
  session:print(session.options.json and output.json { id = id, kind = task.kind, key = task.key } or id)
end

-- ---- one task ----

local function run_kind(session, given, entry)
  local options = session.options
  if options.from_file then
    session:usage "fleet submit: --from-file has the kinds in its lines; give either it or a kind"
  elseif not options.wait then
    waiting.check_unused(session, { outcomes.TIMEOUT.name, outcomes.EXIT_STATUS.name })
  end
  local task = { kind = entry.name, params = parameters.read(session, given, entry.params), key = options.key,
    options = { direct = options.direct, project_id = options.project } }
  client.check_start(nil, task.kind, task.params, task.options)
  if options.dry_run then
    return print_task(session, task)
  end
  session:confirm(("A task of the kind %s costs credits."):format(task.kind))
  local fleet = access.open(session)
  local id = submit(session, fleet, task, "")
  if options.wait then
    session:note(("Submitted %s as task %s."):format(task.kind, id))
    return outcomes.wait(session, fleet, { id })
  end
  session:note(("Submitted %s. To wait for it:\n%s"):format(task.kind, access.command(session, "fleet result", { id })))
  print_id(session, task, id)
end

-- The command that adds a task of one kind, made of the one that starts such a job: parameters have the same options.
local function kind_command(entry, starts)
  local options = {}
  for _, option in ipairs(starts.options) do
    options[#options + 1] = option.parameter and option or nil
  end
  for _, option in ipairs(access.options { PARAMS, KEY, kind_commands.WAIT, outcomes.TIMEOUT, outcomes.EXIT_STATUS,
    entry.direct and kind_commands.DIRECT or nil }) do
    options[#options + 1] = option
  end
  local line = starts.examples[1][1]:gsub("^cekura%-lua start", "cekura-lua fleet submit")
  local what = starts.summary:gsub("%.$", "")
  return {
    name = starts.name, aliases = starts.aliases, from_api = true,
    summary = starts.summary,
    description = ("%s Adds a task of the kind %s to a fleet, which costs credits once a worker starts it, and prints "
      .. "its id; with --wait, waits for its outcome and prints the result."):format(starts.summary, entry.name),
    options = options,
    examples = {
      { line, what .. " on a worker, and wait for the result." },
      { "cekura-lua fleet submit " .. entry.name .. " --params job.json --key nightly-7 --yes",
        "Add a task in a script, once for this key." },
    },
    run = function(session, given)
      return run_kind(session, given, entry)
    end,
  }
end

-- ---- tasks of a file ----

local MEMBERS = { kind = "string", params = "table", key = "string", options = "table" }

-- Reads the task of a line. Returns nil and what is wrong with it.
local function read_line(session, line)
  local value, fault = core.decode(line)
  if type(value) ~= "table" then
    return nil, fault and "not valid JSON: " .. tostring(fault) or "an object is expected"
  end
  for name, inner in pairs(value) do
    if not MEMBERS[name] then
      return nil, show.format("there is no member %s; a task has kind, params, key and options", name)
    elseif type(inner) ~= MEMBERS[name] then
      return nil, ("%s: %s expected"):format(name, MEMBERS[name] == "table" and "an object" or "a text")
    end
  end
  local task = { kind = value.kind, params = value.params or {}, key = value.key, options = value.options or {} }
  task.options.project_id = task.options.project_id or session.options.project
  local ok, raised = pcall(client.check_start, nil, task.kind, task.params, task.options)
  return ok and task or nil, not ok and (session.misuse(raised) or tostring(raised)) or nil
end

-- All tasks of the file. A line that is none ends the command before anything is submitted.
local function read_tasks(session, path)
  local tasks, number = {}, 0
  for line in (session:read_file(path) .. "\n"):gmatch "(.-)\r?\n" do
    number = number + 1
    if line:find "%S" then
      local task, fault = read_line(session, line)
      if not task then
        session:usage(("%s:%d: %s. Nothing was submitted."):format(path, number, fault))
      end
      task.line = number
      tasks[#tasks + 1] = task
    end
  end
  return tasks
end

local function run_file(session)
  local path = session.options.from_file
  if not path then
    session:usage "fleet submit: a kind or --from-file is missing; --help lists the kinds"
  end
  local tasks = read_tasks(session, path)
  if session.options.dry_run then
    for _, task in ipairs(tasks) do
      print_task(session, task)
    end
    return exits.OK
  end
  if #tasks == 0 then
    session:note(path .. " has no tasks.")
    return exits.OK
  end
  session:confirm(("%d tasks cost credits."):format(#tasks))
  local fleet, count = access.open(session), 0
  session:at_end(function()
    if count < #tasks then
      session:note(("%d of %d tasks were submitted, in the order of the lines."):format(count, #tasks))
    end
  end)
  for _, task in ipairs(tasks) do
    local id = submit(session, fleet, task, ("%s:%d: "):format(path, task.line))
    count = count + 1
    print_id(session, task, id)
  end
end

-- ---- the command ----

local submit_command = {
  name = "submit",
  summary = "Add tasks to a fleet.",
  description = "Adds tasks to a fleet, which cost credits once a worker starts them, and prints their ids: a task of "
    .. "the given kind, or one for each line of a file. A line is a JSON object with kind, params, and perhaps key and "
    .. "options; all lines are checked before the first is submitted. Parameters are kept in Redis in clear text. "
    .. "Tasks of one user on one host take turns with those of others.",
  options = access.options { FROM_FILE },
  commands = {},
  examples = {
    { "cekura-lua fleet submit results.run --agent-id 2142 --tags smoke --wait",
      "Run scenarios on a worker, and wait for the result." },
    { "cekura-lua fleet submit --from-file tasks.jsonl --yes", "Add a task for each line of a file." },
  },
  run = run_file,
}

for index, entry in ipairs(cekura.kinds()) do
  submit_command.commands[index] = kind_command(entry, start.start.commands[index])
end

return submit_command

--- RESOURCE VERB: a command for every operation and every kind of job, made from cekura.operations() and
-- cekura.kinds().

local cekura = require "cekura"
local costs = require "cekura.command.costs"
local endpoint = require "cekura.http.endpoint"
local kinds = require "cekura.api.kinds"
local operations = require "cekura.api.operations"
local output = require "cekura.command.output"
local values = require "cekura.command.values"
local waiting = require "cekura.command.waiting"
local wording = require "cekura.command.wording"

local unpack = table.unpack or unpack -- luacheck: ignore 143

local resources = {}

-- ---- options from parameters ----

local function dashed(name)
  return (name:gsub("_", "-"))
end

--- A name of the API as that of a command or an option, with hyphens.
resources.dashed = dashed

-- The official command's names for parameters.
local ALIASES = { scenarios = { "scenario-ids", "scenario_ids" }, num_scenarios = { "count" } }

-- The options that may be given instead of a parameter; nil if it is not one of `one_of`.
local function others_of(name, one_of)
  local others, is_one
  for _, each in ipairs(one_of or {}) do
    if each == name then
      is_one = true
    else
      others = others or {}
      others[#others + 1] = "--" .. dashed(each)
    end
  end
  return is_one and others or nil
end

--- The options for parameters of the API. If the command itself has an option of that name, it is --param-NAME.
---@param parameters cekura.Parameter[]
---@param own cekura.command.Option[] the command's options
---@param one_of? string[] parameters of which one is required
---@return cekura.command.Option[] the parameters' options, then the command's
function resources.options(parameters, own, one_of)
  local taken, options = { json = true, color = true, help = true, yes = true, quiet = true }, {}
  for _, option in ipairs(own) do
    taken[option.name] = true
  end
  for _, parameter in ipairs(parameters) do
    local name = dashed(parameter.name)
    options[#options + 1] = { name = taken[name] and "param-" .. name or name, aliases = ALIASES[parameter.name],
      type = parameter.type, parameter = parameter.name,
      help = wording.parameter(parameter, others_of(parameter.name, one_of)) }
  end
  for _, option in ipairs(own) do
    options[#options + 1] = option
  end
  return options
end

resources.PARAMS = { name = "params", aliases = { "from-file", "from_file" }, type = "text", shown = "FILE",
  help = "A JSON file with parameters; options take precedence. - is standard input." }

-- Ends the command if a required parameter is missing. The message names its option.
local function check_required(session, params, declared)
  if #params > 0 then
    return params -- the body is a list of objects
  end
  for _, parameter in ipairs(declared or {}) do
    if parameter.required and params[parameter.name] == nil and not (parameter.type == "id" and params.id) then
      session:usage(("--%s is missing"):format(dashed(parameter.name)))
    end
  end
  return params
end

--- The parameters of a command line: those of the file, overridden by those of the options.
---@param session cekura.command.Session
---@param given cekura.command.Given
---@param declared? cekura.Parameter[]
---@return table
function resources.params(session, given, declared)
  local params = {}
  if given.options.params then
    local read = session:read_json(given.options.params)
    if type(read) ~= "table" then
      session:usage(given.options.params .. ": a JSON object with parameters expected")
    elseif next(given.params) == nil then
      return check_required(session, read, declared)
    end
    for name, value in pairs(read) do
      params[name] = value
    end
  end
  for name, value in pairs(given.params) do
    params[name] = value
  end
  return check_required(session, params, declared)
end

-- ---- examples ----

-- Example values of parameters for which those of their types do not suffice.
local VALUES = { name = "'Front desk'", description = "'Calls of the front desk.'", eval_type = "boolean",
  metric_description = "'Was the agent polite?'", original_prompt = "'Was the agent polite? Say why.'",
  prompt = "'Be brief.'", question = "'Why did they fail?'", extra_instructions = "'Call in German.'",
  agent_id = "2142",
  num_scenarios = "3", call_logs = "5181749,5181752", frequency = "1" }

local function option_words(parameter)
  return "--" .. dashed(parameter.name) .. " " .. (VALUES[parameter.name] or values.example(parameter.type))
end

-- The options that a request needs: those of the required parameters, and of the first of `one_of`.
local function required_words(parameters, one_of)
  local words = {}
  for _, parameter in ipairs(parameters) do
    if parameter.required or one_of and parameter.name == one_of[1] then
      words[#words + 1] = option_words(parameter)
    end
  end
  return words
end

-- A change that a request could make: of the name, else of the description, else of the first parameter.
local function change_words(parameters)
  local chosen = parameters[1]
  for _, name in ipairs { "description", "name" } do
    for _, parameter in ipairs(parameters) do
      chosen = parameter.name == name and parameter or chosen
    end
  end
  return { chosen and option_words(chosen) }
end

-- The options that are usual where none is required: the agent, and what to run.
local function usual_words(parameters)
  local words = {}
  for _, parameter in ipairs(parameters) do
    local name = parameter.name
    if name == "agent_id" or name == "scenarios" or name == "spec" then
      words[#words + 1] = option_words(parameter)
    end
  end
  return words
end

local function command_line(...)
  local words = { "cekura-lua" }
  for _, list in ipairs { ... } do
    for _, word in ipairs(list) do
      words[#words + 1] = word
    end
  end
  return table.concat(words, " ")
end

-- ---- kinds ----

resources.START_OPTIONS = {
  resources.PARAMS,
  { name = "direct", help = "Instead of polling, send one request that is answered when the work is done." },
  { name = "wait", help = "Wait for the job, and print its result." },
}

--- Asks for confirmation, and starts a job.
---@param session cekura.command.Session
---@param kind string
---@param params table
---@return cekura.Job
function resources.start_job(session, kind, params)
  local client = session:client()
  session:confirm(("Starting %s costs credits."):format(kind))
  return session:check(client:start(kind, params, { direct = session.options.direct }))
end

--- Prints the token of a job that was started; with --wait, waits for the job.
---@return integer exit status
function resources.started(session, job)
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
function resources.kinds()
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
function resources.kind_command(entry, name, before)
  local own = {}
  for _, options in ipairs { resources.START_OPTIONS, waiting.OPTIONS } do
    for _, option in ipairs(options) do
      own[#own + 1] = option.name ~= "direct" and option or entry.direct and option or nil
    end
  end
  local what, one_of = wording.kind(entry.name), kinds[entry.name].one_of
  local required = required_words(entry.params, one_of)
  if not required[1] then
    required = usual_words(entry.params)
  end
  return {
    name = name, aliases = { (name:gsub("-", "_")) }, from_api = true,
    summary = what,
    description = what .. " Starts a job of the kind " .. entry.name .. ", which costs credits, and prints its token; "
      .. "with --wait, waits for it and prints its result." .. (entry.withdrawn
        and " Cekura removed it from its documentation on " .. entry.withdrawn
      .. "; the service may no longer have it." or ""),
    options = resources.options(entry.params, own, one_of),
    examples = {
      { command_line(before, { name }, required, { "--wait" }), what:gsub("%.$", "") .. ", and wait for the result." },
      { command_line(before, { name }, { "--params job.json --yes --json" }),
        "Start one in a script, with parameters from a file." },
    },
    run = function(session, given)
      return resources.started(session, resources.start_job(session, entry.name, resources.params(session, given,
        entry.params)))
    end,
  }
end

-- ---- operations ----

resources.LIST_OPTIONS = {
  { name = "all", help = "Print the records of all pages." },
  { name = "limit", type = "positive", help = "Print at most N records, from as many pages as needed." },
  { name = "fields", type = "joined", shown = "A,B", help = "The fields to show." },
}

--- The names in --fields.
---@return string[]?
function resources.fields(session)
  local names = {}
  for name in (session.options.fields or ""):gmatch "[^,%s]+" do
    names[#names + 1] = name
  end
  return names[1] and names or nil
end

--- Prints a list: one page, or as many as --all or --limit needs.
---@param session cekura.command.Session
---@param methods table with list and each
---@param columns? string[] of a table without --fields
---@param ... any the arguments of both
function resources.print_list(session, methods, columns, ...)
  local names, limit = resources.fields(session), session.options.limit
  if names and names[1]:find "^%-" then
    names = nil -- fields to leave out: the service has done so
  end
  local rows = output.table(session, names, columns)
  if not session.options.all and not limit then
    local page = session:check(methods:list(...))
    for _, row in ipairs(page.results) do
      rows:add(row)
    end
    rows:close()
    if page.next then
      session:note "There are more records: --all prints all of them, --limit N the first N."
    end
    return
  end
  local each = methods:each(...)
  while not limit or rows.count < limit do
    local row, err = each:next()
    if err then
      rows:close()
      session:check(nil, err)
    elseif row == nil then
      break
    end
    rows:add(row)
  end
  rows:close()
end

local function deletes(entry)
  return entry.method == "DELETE" or entry.name:find "^delete" ~= nil
end

-- Asks for confirmation of an operation that costs credits or cannot be undone.
local function confirm(session, entry, ids)
  local name = entry.resource .. "." .. entry.name
  if costs[name] then
    session:confirm(name .. " costs credits.")
  elseif deletes(entry) then
    session:confirm(("%s %s cannot be undone."):format(name, table.concat(ids, " ")))
  end
end

-- Operations whose body is a list of objects, which options cannot express.
local TAKES_LIST = {}
for _, row in ipairs(operations) do
  TAKES_LIST[row.resource .. "." .. row.name] = row.list
end

-- Operations that require one of several parameters.
local ONE_OF = { ["calls.evaluate_metrics"] = { "agent_id", "project_id" } }

local function run_operation(session, given, entry, places)
  if TAKES_LIST[entry.resource .. "." .. entry.name] and not given.options.params then
    session:usage(("%s %s: --params is missing"):format(dashed(entry.resource), dashed(entry.name)))
  end
  local methods, ids, arguments = session:client()[entry.resource], {}, {}
  for index, place in ipairs(places) do
    ids[index] = tostring(given.words[place])
    arguments[index] = given.words[place]
  end
  if #entry.params > 0 then
    arguments[#arguments + 1] = resources.params(session, given, entry.params)
  end
  if entry.name == "list" then
    return resources.print_list(session, methods, nil, unpack(arguments))
  end
  confirm(session, entry, ids)
  output.value(session, session:check(methods[entry.name](methods, unpack(arguments))), resources.fields(session))
end

-- The names of the ids in a path, which are arguments of the command.
local function places_of(path)
  local places = {}
  for _, name in ipairs(endpoint.places("GET " .. path)) do
    places[#places + 1] = name ~= "version" and name or nil
  end
  return places
end

local function description_of(entry)
  local name = entry.resource .. "." .. entry.name
  return wording.operation(entry.resource, entry.name) .. (costs[name] and " It costs credits." or "")
    .. (deletes(entry) and " This cannot be undone." or "")
    .. (" Sends %s %s, and prints the answer."):format(entry.method, entry.path)
end

-- Two examples. `words` are the words of the command, `ids` its arguments.
local function examples_of(entry, words, ids)
  local name = entry.resource .. "." .. entry.name
  local given = required_words(entry.params, ONE_OF[name])
  if TAKES_LIST[name] then
    given = { "--params " .. entry.resource .. ".json" }
  elseif not given[1] and entry.method ~= "GET" and entry.method ~= "DELETE" then
    given = change_words(entry.params)
  end
  local line = command_line(words, ids, given)
  if entry.name == "list" then
    return { { line, "Print the first page." }, { line .. " --all --json", "Print all pages, as JSON." } }
  elseif entry.method == "GET" then
    return { { line, "Print the answer as text." }, { line .. " --json", "Print the answer as JSON." } }
  elseif deletes(entry) then
    return { { line, "Ask for confirmation on a terminal." }, { line .. " --yes", "Do not ask for confirmation." } }
  end
  return { { line, "Send it, and print the answer." }, { line .. " --dry-run", "Show it without sending it." } }
end

--- The command of an operation.
---@param entry cekura.OperationEntry
---@return cekura.command.Command
function resources.operation_command(entry)
  local name = entry.resource .. "." .. entry.name
  local places, arguments, ids, own = places_of(entry.path), {}, {}, {}
  for index, place in ipairs(places) do
    arguments[index] = { name = place, type = "id", help = place == "category_slug"
      and "The name of the category in URLs." or ("The id of the %s."):format((wording.names(entry.resource))) }
    ids[index] = place == "category_slug" and "late-answers" or "2142"
  end
  if entry.name == "list" then
    own = resources.LIST_OPTIONS
  else
    own[1] = { name = "fields", type = "joined", shown = "A,B", help = "The fields to show." }
    own[2] = #entry.params > 0 and resources.PARAMS or nil
  end
  local words = { resources.dashed(entry.resource), resources.dashed(entry.name) }
  return {
    name = words[2], aliases = words[2] ~= entry.name and { entry.name } or nil, from_api = true,
    summary = wording.operation(entry.resource, entry.name),
    description = description_of(entry),
    arguments = arguments,
    options = resources.options(TAKES_LIST[name] and {} or entry.params, own, ONE_OF[name]),
    examples = examples_of(entry, words, ids),
    run = function(session, given)
      return run_operation(session, given, entry, places)
    end,
  }
end

-- ---- all of them ----

local USUAL = { "list", "get", "create", "update", "delete" }

-- The commands of a group, the usual ones first.
local function usual_first(group)
  local chosen = {}
  local function choose(wanted)
    for _, command in ipairs(group.commands) do
      if not chosen[command] and (command.name == wanted or not wanted) then
        chosen[command], chosen[#chosen + 1] = true, command
      end
    end
  end
  for _, name in ipairs(USUAL) do
    choose(name)
  end
  choose(nil)
  return chosen
end

-- Derives the help of a group from its commands: the names of the first ones, and two examples.
local function describe(group, several)
  local commands, names = usual_first(group), {}
  for index = 1, math.min(#commands, 4) do
    names[index] = commands[index].name
  end
  group.summary = ("%s: %s%s."):format((several:gsub("^%l", string.upper)), table.concat(names, ", "),
    commands[5] and " and others" or "")
  group.description = ("Operations and kinds of job of the API for %s. `cekura-lua %s COMMAND --help` shows the "
    .. "arguments and options of a command."):format(several, group.name)
  group.examples = commands[2] and {
    { commands[1].examples[1][1], commands[1].summary },
    { commands[2].examples[1][1], commands[2].summary },
  } or commands[1].examples
end

--- The commands of all resources, merged with the given ones.
---@param given table<string, table<string, cekura.command.Command>> by resource and verb; they take precedence
---@return cekura.command.Command[]
function resources.commands(given)
  local by_name, has, list = {}, {}, {}
  local function add(name, command)
    if not by_name[name] then
      by_name[name] = { name = dashed(name), aliases = name:find "_" and { name } or nil, from_api = true,
        commands = {} }
      list[#list + 1] = by_name[name]
    end
    if not has[name .. " " .. command.name] then
      has[name .. " " .. command.name] = true
      table.insert(by_name[name].commands, command)
    end
  end
  for name, commands in pairs(given) do
    for _, command in ipairs(commands) do
      add(name, command)
    end
  end
  for _, entry in ipairs(cekura.operations()) do
    add(entry.resource, resources.operation_command(entry))
  end
  for _, entry in ipairs(cekura.kinds()) do
    local name, verb = entry.name:match "^([^.]+)%.(.*)$"
    add(name, resources.kind_command(entry, dashed(verb), { dashed(name) }))
  end
  for name, group in pairs(by_name) do
    describe(group, select(2, wording.names(name)))
  end
  table.sort(list, function(one, other)
    return one.name < other.name
  end)
  return list
end

return resources

--- RESOURCE VERB: a command for every operation and every kind of job, made from cekura.operations() and cekura.kinds().

local cekura = require "cekura"
local costs = require "cekura.command.costs"
local endpoint = require "cekura.http.endpoint"
local output = require "cekura.command.output"
local values = require "cekura.command.values"
local waiting = require "cekura.command.waiting"

local unpack = table.unpack or unpack -- luacheck: ignore 143

local resources = {}

-- ---- options from parameters ----

local function dashed(name)
  return (name:gsub("_", "-"))
end

--- The name of a command or an option, and how the API writes it.
resources.dashed = dashed

-- What the official command calls a parameter.
local ALIASES = { scenarios = { "scenario-ids", "scenario_ids" }, num_scenarios = { "count" } }

local function help_of(parameter)
  return (parameter.required and "Required. " or "") .. "Parameter " .. parameter.name .. " of the API."
end

--- The options for parameters of the API. One whose name the command uses itself is --param-NAME.
---@param parameters cekura.Parameter[]
---@param own cekura.command.Option[] the command's options
---@return cekura.command.Option[] the parameters' options, then the command's
function resources.options(parameters, own)
  local taken, options = { json = true, color = true, help = true, yes = true, quiet = true }, {}
  for _, option in ipairs(own) do
    taken[option.name] = true
  end
  for _, parameter in ipairs(parameters) do
    local name = dashed(parameter.name)
    options[#options + 1] = { name = taken[name] and "param-" .. name or name, aliases = ALIASES[parameter.name],
      type = parameter.type, parameter = parameter.name, help = help_of(parameter) }
  end
  for _, option in ipairs(own) do
    options[#options + 1] = option
  end
  return options
end

resources.PARAMS = { name = "params", aliases = { "from-file", "from_file" }, type = "text", shown = "FILE",
  help = "A JSON file with parameters; options take precedence. - is the standard input." }

-- Ends the command where a parameter is missing, by the name of its option.
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

--- The parameters of a command line: those of the file, and over them those of the options.
---@param session cekura.command.Session
---@param given cekura.command.Given
---@param declared? cekura.Parameter[]
---@return table
function resources.params(session, given, declared)
  local params = {}
  if given.options.params then
    local read = session:read_json(given.options.params)
    if type(read) ~= "table" then
      session:usage(given.options.params .. ": an object with parameters expected")
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

local function required_words(parameters)
  local words = {}
  for _, parameter in ipairs(parameters) do
    if parameter.required then
      words[#words + 1] = "--" .. dashed(parameter.name) .. " " .. values.example(parameter.type)
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
  { name = "direct", help = "Send one request that is answered when the work is done, where the service has it." },
  { name = "wait", help = "Wait for the job, and print its result." },
}

--- Starts a job. Without --wait prints its token.
---@param session cekura.command.Session
---@param kind string
---@param params table
---@return cekura.Job
function resources.start_job(session, kind, params)
  local client = session:client()
  session:confirm(("Starting %s costs credits."):format(kind))
  return session:check(client:start(kind, params, { direct = session.options.direct }))
end

--- Prints the token of a job that was started, or waits for the job.
---@return integer exit status
function resources.started(session, job)
  local token = job:token()
  if session.options.wait or not token then
    return waiting.wait(session, { job })
  elseif session.options.json then
    session:print(output.json(waiting.object(job)))
  else
    session:print(token)
  end
  session:note(("Started %s %s. To wait for it:\n%s"):format(job.kind, tostring(job.id),
    waiting.command(session, { token })))
  return 0
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
  local required = required_words(entry.params)
  return {
    name = name, aliases = { (name:gsub("-", "_")) },
    summary = "Start a job of the kind " .. entry.name .. ".",
    description = "Starts a job of the kind " .. entry.name .. ", and prints its token; with --wait, waits for it and "
      .. "prints its result." .. (entry.withdrawn and " Cekura removed it from its documentation on " .. entry.withdrawn
      .. ", and may not answer." or ""),
    options = resources.options(entry.params, own),
    examples = {
      { command_line(before, { name }, required, { "--wait" }), "Start it, and wait for the result." },
      { command_line(before, { name }, { "--params job.json --yes --json" }), "With all parameters from a file." },
    },
    run = function(session, given)
      return resources.started(session, resources.start_job(session, entry.name, resources.params(session, given,
        entry.params)))
    end,
  }
end

-- ---- operations ----

resources.LIST_OPTIONS = {
  { name = "all", help = "All pages." },
  { name = "limit", type = "positive", help = "So many records, from as many pages as it takes." },
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

--- Prints a list: one page, or with --all and --limit as many as it takes.
---@param session cekura.command.Session
---@param methods table with list and each
---@param columns? string[] those of a table, without --fields
---@param ... any the arguments of both
function resources.print_list(session, methods, columns, ...)
  local names, limit = resources.fields(session), session.options.limit
  if names and names[1]:find "^%-" then
    names = nil -- all but those: the answer has the right ones
  end
  local rows = output.table(session, names, columns)
  if not session.options.all and not limit then
    local page = session:check(methods:list(...))
    for _, row in ipairs(page.results) do
      rows:add(row)
    end
    rows:close()
    if page.next then
      session:note "There are more: --all shows all of them, --limit N so many."
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

local DELETES = { DELETE = true }

-- Asks before what costs credits, and before what cannot be taken back.
local function confirm(session, entry, ids)
  local name = entry.resource .. "." .. entry.name
  if costs[name] then
    session:confirm(name .. " costs credits.")
  elseif DELETES[entry.method] or entry.name:find "^delete" then
    session:confirm(("%s %s cannot be taken back."):format(name, table.concat(ids, " ")))
  end
end

local function run_operation(session, given, entry, places)
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

-- The ids in a path, as a command line has them.
local function places_of(path)
  local places = {}
  for _, name in ipairs(endpoint.places("GET " .. path)) do
    places[#places + 1] = name ~= "version" and name or nil
  end
  return places
end

local SUMMARIES = { list = "List %s.", get = "Show one of %s.", create = "Create one of %s.", update = "Change one of %s.",
  replace = "Replace one of %s.", delete = "Delete one of %s." }

local function summary_of(entry)
  local resource = entry.resource:gsub("_", " ")
  return SUMMARIES[entry.name] and SUMMARIES[entry.name]:format(resource)
    or ("%s: %s."):format(entry.name:gsub("_", " "):gsub("^%l", string.upper), resource)
end

--- The command of an operation.
---@param entry cekura.OperationEntry
---@return cekura.command.Command
function resources.operation_command(entry)
  local places, arguments, ids, own = places_of(entry.path), {}, {}, {}
  for index, place in ipairs(places) do
    arguments[index] = { name = place, type = "id", help = "The id in the path." }
    ids[index] = place == "category_slug" and "late-answers" or "2142"
  end
  if entry.name == "list" then
    own = resources.LIST_OPTIONS
  else
    own[1] = { name = "fields", type = "joined", shown = "A,B", help = "The fields to show." }
    own[2] = #entry.params > 0 and resources.PARAMS or nil
  end
  local words = { resources.dashed(entry.resource), resources.dashed(entry.name) }
  local required = required_words(entry.params)
  return {
    name = words[2], aliases = words[2] ~= entry.name and { entry.name } or nil,
    summary = summary_of(entry),
    description = summary_of(entry) .. " " .. entry.method .. " " .. entry.path,
    arguments = arguments,
    options = resources.options(entry.params, own),
    examples = {
      { command_line(words, ids, required), entry.name == "list" and "One page." or "As text." },
      entry.method ~= "GET" and { command_line(words, ids, required, { "--dry-run" }), "Only show the request." }
        or { command_line(words, ids, required, { "--json" }), "As JSON." },
    },
    run = function(session, given)
      return run_operation(session, given, entry, places)
    end,
  }
end

-- ---- all of them ----

--- The commands of all resources, beside those that are given.
---@param given table<string, table<string, cekura.command.Command>> by resource and verb; they take precedence
---@return cekura.command.Command[]
function resources.commands(given)
  local by_name, list = {}, {}
  local function resource(name)
    if not by_name[name] then
      by_name[name] = { name = dashed(name), aliases = name:find "_" and { name } or nil,
        summary = "Operations of " .. name:gsub("_", " ") .. ".", commands = {}, has = {} }
      list[#list + 1] = by_name[name]
    end
    return by_name[name]
  end
  local function add(name, command)
    local to = resource(name)
    if not to.has[command.name] then
      to.has[command.name] = true
      to.commands[#to.commands + 1] = command
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
  table.sort(list, function(one, other)
    return one.name < other.name
  end)
  return list
end

return resources

--- The command of an operation of the API.

local costs = require "cekura.command.costs"
local endpoint = require "cekura.http.endpoint"
local examples = require "cekura.command.examples"
local lists = require "cekura.command.lists"
local operations = require "cekura.api.operations"
local output = require "cekura.command.output"
local parameters = require "cekura.command.parameters"
local wording = require "cekura.command.wording"

local unpack = table.unpack or unpack -- luacheck: ignore 143

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
    session:usage(parameters.dashed(entry.resource .. " " .. entry.name) .. ": --params is missing")
  end
  local methods, ids, arguments = session:client()[entry.resource], {}, {}
  for index, place in ipairs(places) do
    ids[index] = tostring(given.words[place])
    arguments[index] = given.words[place]
  end
  if #entry.params > 0 then
    arguments[#arguments + 1] = parameters.read(session, given, entry.params)
  end
  if entry.name == "list" then
    return lists.print(session, methods, nil, unpack(arguments))
  end
  confirm(session, entry, ids)
  output.value(session, session:check(methods[entry.name](methods, unpack(arguments))), lists.fields(session))
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
  local given = examples.required(entry.params, ONE_OF[name])
  if TAKES_LIST[name] then
    given = { "--params " .. entry.resource .. ".json" }
  elseif not given[1] and entry.method ~= "GET" and entry.method ~= "DELETE" then
    given = examples.change(entry.params)
  end
  local line = examples.line(words, ids, given)
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
return function(entry)
  local name = entry.resource .. "." .. entry.name
  local places, arguments, ids, own = places_of(entry.path), {}, {}, {}
  for index, place in ipairs(places) do
    arguments[index] = { name = place, type = "id", help = place == "category_slug"
      and "The name of the category in URLs." or ("The id of the %s."):format((wording.names(entry.resource))) }
    ids[index] = place == "category_slug" and "late-answers" or "2142"
  end
  if entry.name == "list" then
    own = { lists.ALL, lists.LIMIT, lists.FIELDS }
  else
    own[1] = lists.FIELDS
    own[2] = #entry.params > 0 and parameters.FILE or nil
  end
  local words = { parameters.dashed(entry.resource), parameters.dashed(entry.name) }
  return {
    name = words[2], aliases = words[2] ~= entry.name and { entry.name } or nil, from_api = true,
    summary = wording.operation(entry.resource, entry.name),
    description = description_of(entry),
    arguments = arguments,
    options = parameters.options(TAKES_LIST[name] and {} or entry.params, own, ONE_OF[name]),
    examples = examples_of(entry, words, ids),
    run = function(session, given)
      return run_operation(session, given, entry, places)
    end,
  }
end

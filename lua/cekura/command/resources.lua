--- RESOURCE VERB: a command for every operation and every kind of job, made from cekura.operations() and
-- cekura.kinds().

local cekura = require "cekura"
local kind_commands = require "cekura.command.kind_commands"
local operation_command = require "cekura.command.operation_command"
local parameters = require "cekura.command.parameters"
local wording = require "cekura.command.wording"

local resources = {}

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
      by_name[name] = { name = parameters.dashed(name), aliases = name:find "_" and { name } or nil, from_api = true,
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
    add(entry.resource, operation_command(entry))
  end
  for _, entry in ipairs(cekura.kinds()) do
    local name, verb = entry.name:match "^([^.]+)%.(.*)$"
    add(name, kind_commands.command(entry, parameters.dashed(verb), { parameters.dashed(name) }))
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

--- Parameters of the API as options of a command.

local wording = require "cekura.command.wording"

local parameters = {}

local function dashed(name)
  return (name:gsub("_", "-"))
end

--- A name of the API as that of a command or an option, with hyphens.
parameters.dashed = dashed

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

-- The type of an option for a parameter. A date as the end of a period has its whole day.
local function type_of(parameter)
  return parameter.type == "time" and parameter.name:find "_to$" and "end_time" or parameter.type
end

--- The options for parameters of the API. If the command itself has an option of that name, it is --param-NAME.
---@param declared cekura.Parameter[]
---@param own cekura.command.Option[] the command's options
---@param one_of? string[] parameters of which one is required
---@return cekura.command.Option[] the parameters' options, then the command's
function parameters.options(declared, own, one_of)
  local taken, options = { json = true, color = true, help = true, yes = true, quiet = true }, {}
  for _, option in ipairs(own) do
    taken[option.name] = true
  end
  for _, parameter in ipairs(declared) do
    local name = dashed(parameter.name)
    local kind = type_of(parameter)
    options[#options + 1] = { name = taken[name] and "param-" .. name or name, aliases = ALIASES[parameter.name],
      type = kind, parameter = parameter.name,
      help = wording.parameter(parameter, kind, others_of(parameter.name, one_of)) }
  end
  for _, option in ipairs(own) do
    options[#options + 1] = option
  end
  return options
end

parameters.FILE = { name = "params", aliases = { "from-file", "from_file" }, type = "text", shown = "FILE",
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
function parameters.read(session, given, declared)
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

return parameters

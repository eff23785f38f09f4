--- Example command lines in help, from the parameters of what they send.

local parameters = require "cekura.command.parameters"
local values = require "cekura.command.values"

local examples = {}

-- Example values of parameters for which those of their types do not suffice.
local VALUES = { name = "'Front desk'", description = "'Calls of the front desk.'", eval_type = "boolean",
  metric_description = "'Was the agent polite?'", original_prompt = "'Was the agent polite? Say why.'",
  prompt = "'Be brief.'", question = "'Why did they fail?'", extra_instructions = "'Call in German.'",
  agent_id = "2142",
  num_scenarios = "3", call_logs = "5181749,5181752", frequency = "1" }

local function option_words(parameter)
  return "--" .. parameters.dashed(parameter.name) .. " " .. (VALUES[parameter.name] or values.example(parameter.type))
end

--- The options that a request needs: those of the required parameters, and of the first of `one_of`.
---@param declared cekura.Parameter[]
---@param one_of? string[] parameters of which one is required
---@return string[]
function examples.required(declared, one_of)
  local words = {}
  for _, parameter in ipairs(declared) do
    if parameter.required or one_of and parameter.name == one_of[1] then
      words[#words + 1] = option_words(parameter)
    end
  end
  return words
end

--- A change that a request could make: of the name, else of the description, else of the first parameter.
---@param declared cekura.Parameter[]
---@return string[]
function examples.change(declared)
  local chosen = declared[1]
  for _, name in ipairs { "description", "name" } do
    for _, parameter in ipairs(declared) do
      chosen = parameter.name == name and parameter or chosen
    end
  end
  return { chosen and option_words(chosen) }
end

--- The options that are usual where none is required: the agent, and what to run.
---@param declared cekura.Parameter[]
---@return string[]
function examples.usual(declared)
  local words = {}
  for _, parameter in ipairs(declared) do
    local name = parameter.name
    if name == "agent_id" or name == "scenarios" or name == "spec" then
      words[#words + 1] = option_words(parameter)
    end
  end
  return words
end

--- A command line of the words in several lists.
---@param ... string[]
---@return string
function examples.line(...)
  local words = { "cekura-lua" }
  for _, list in ipairs { ... } do
    for _, word in ipairs(list) do
      words[#words + 1] = word
    end
  end
  return table.concat(words, " ")
end

return examples

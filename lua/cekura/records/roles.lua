--- The roles of turns: the service's four, and the words by which providers and programs call them.

local ascii = require "cekura.http.ascii"

local roles = {}

local AGENT, CALLER = "Main Agent", "Testing Agent"
local CALL, RESULT = "Function Call", "Function Call Result"

--- The role that each word means. Words are compared as ascii.word() writes them.
roles.WORDS = {
  main_agent = AGENT, agent = AGENT, assistant = AGENT, bot = AGENT, ai = AGENT, robot = AGENT,
  testing_agent = CALLER, caller = CALLER, user = CALLER, customer = CALLER, human = CALLER,
  function_call = CALL, tool_call = CALL, tool_calls = CALL, tool_call_invocation = CALL,
  function_call_result = RESULT, function_call_output = RESULT, tool_call_result = RESULT, tool = RESULT,
}

--- The names of the service.
roles.CALL, roles.RESULT = CALL, RESULT

--- The service's name of a role.
---@param role any
---@return string? name nil: it is none of WORDS
function roles.name(role)
  return type(role) == "string" and roles.WORDS[ascii.word(role)] or nil
end

return roles

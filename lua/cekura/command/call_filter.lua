--- The options that choose call logs, and the filter that they stand for.

local call_filter = {}

--- The options, by their names.
---@type table<string, cekura.command.Option>
call_filter.OPTIONS = {}

for _, option in ipairs {
  { name = "agent-id", parameter = "agent_id", type = "id", help = "Only calls of this agent." },
  { name = "project-id", parameter = "project_id", type = "id",
    help = "Only calls of this project. The key of an organization needs this option or --agent-id." },
  { name = "assistant-id", parameter = "assistant_id", type = "text",
    help = "Only calls of the agent with this id at its provider." },
  { name = "from", aliases = { "timestamp-from", "timestamp_from" }, parameter = "timestamp_from", type = "time",
    help = "Only calls from this time on: ISO 8601, also a date (UTC), seconds since the epoch, or 24h or 7d for that "
      .. "long ago." },
  { name = "to", aliases = { "timestamp-to", "timestamp_to" }, parameter = "timestamp_to", type = "end_time",
    help = "Only calls up to this time, or to the end of this day." },
  { name = "search", parameter = "search", type = "text", help = "Text to search for." },
  { name = "failed", help = "Only calls that did not pass their evaluation." },
  { name = "filter", type = "condition", many = true,
    help = "A condition, such as duration,gte,60. It may be repeated; all conditions must hold." },
} do
  call_filter.OPTIONS[option.name] = option
end

--- The filter of a command line, as client.calls:list() takes it.
---@param given cekura.command.Given
---@return table
function call_filter.read(given)
  local params = {}
  for name, value in pairs(given.params) do
    params[name] = value
  end
  local filters = { "and" }
  for _, condition in ipairs(given.options.filter or {}) do
    filters[#filters + 1] = condition
  end
  if given.options.failed then
    filters[#filters + 1] = { "success", "eq", false }
  end
  params.filters = filters[2] and filters or nil
  return params
end

return call_filter

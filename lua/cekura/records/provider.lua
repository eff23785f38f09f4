--- Turns from the transcript of a provider, by its row of cekura.records.providers. Nothing here raises: what
-- cannot be read stays as it came.

local ascii = require "cekura.http.ascii"
local cjson = require "cekura.cjson"
local providers = require "cekura.records.providers"
local roles = require "cekura.records.roles"
local turn = require "cekura.records.turn"

local provider = {
  names = { cekura = true }, -- the service's own format
}

for name in pairs(providers) do
  provider.names[name] = true
end

-- What is no turn: the prompt, changes of the agent, and what streams say about themselves. By role, or else by type.
local NO_TURN = { system = true, developer = true, agent_handoff = true, agent_config_update = true, metadata = true,
  speechstarted = true, utteranceend = true }

-- The value of the first of these members that there is.
local function first(item, names)
  for _, name in ipairs(names) do
    local value = item[name]
    if value ~= nil and value ~= cjson.null then
      return value
    end
  end
end

-- Whether a later item replaces this one.
local function is_interim(item)
  return item.is_final == false or item.final == false or item.interim == true or item.transcriptType == "partial"
end

-- ---- tools ----

local IDS = { "call_id", "tool_call_id", "toolCallId", "request_id", "id" }
local NAMES = { "tool_name", "name" }
local ARGUMENTS = { "arguments", "params_as_json", "parameters" }
local RESULTS = { "result", "result_value", "output", "content" }

-- The `data` of a turn that is a tool call or a result; nil: the object says neither what was called nor what came
-- back. `names` has the names of the tools, by the ids of the calls, since some results have only an id.
local function tool_data(object, role, names)
  local called = type(object["function"]) == "table" and object["function"] or object
  local data = { id = first(object, IDS), name = first(object, NAMES) or first(called, NAMES) }
  data.name = data.name ~= "" and data.name or nil
  if role == roles.CALL then
    data.arguments = first(object, ARGUMENTS) or first(called, ARGUMENTS)
    if data.id ~= nil and data.name ~= nil then
      names[tostring(data.id)] = data.name
    end
  else
    data.result = first(object, RESULTS)
    data.name = data.name or data.id ~= nil and names[tostring(data.id)] or nil
  end
  return (data.name ~= nil or data.arguments ~= nil or data.result ~= nil) and data or nil
end

-- Adds a turn for each tool call, or result, in a list of them.
local function add_tools(reading, list, role, start_time)
  for _, object in ipairs(type(list) == "table" and list or {}) do
    local is_object = type(object) == "table"
    reading.turns[#reading.turns + 1] = turn.new { role = role, start_time = start_time,
      data = is_object and tool_data(object, role, reading.names) or nil, content = not is_object and object or nil }
  end
end

-- ---- turns ----

-- The role of the turn that an item is, and the word for it.
local function role_of(row, item)
  local role = first(item, { row.role or "role", "role" })
  local given = role == nil and item.type or role
  local word = type(given) == "string" and ascii.word(given) or ""
  return row.roles and row.roles[word] or roles.WORDS[word] or role, word
end

local function read_turn(row, item, role)
  local read = turn.read(item)
  read.role = role
  local content = first(item, row.content)
  if content ~= nil then
    read.content = turn.content(content)
  end
  local start, stop = row.times(item)
  read.start_time, read.end_time = turn.rounded(start) or read.start_time, turn.rounded(stop) or read.end_time
  return read
end

local function add(reading, row, item)
  local role, word = role_of(row, item)
  if NO_TURN[word] or is_interim(item) then
    return
  end
  local read, before = read_turn(row, item, role), #reading.turns
  add_tools(reading, first(item, { "toolCalls", "tool_calls" }), roles.CALL, read.start_time)
  add_tools(reading, first(item, { "tool_results" }), roles.RESULT, read.start_time)
  local has_tools = #reading.turns > before
  if not has_tools and (role == roles.CALL or role == roles.RESULT) and type(read.data) ~= "table" then
    read.data = tool_data(item, role, reading.names) or read.data
  end
  if not has_tools or read.content ~= nil and read.content ~= "" then
    table.insert(reading.turns, before + 1, read)
  end
end

-- ---- where the list is ----

-- The value at a path of names with dots between them.
local function dig(value, path)
  for name in path:gmatch "[^.]+" do
    value = type(value) == "table" and value[name] or nil
  end
  return value
end

-- The list of a provider's items in a value: the value itself, or what lies in it.
local function list_in(value, row)
  if value[1] ~= nil then
    return value
  end
  for _, path in ipairs(row.within) do
    local list = dig(value, path)
    if type(list) == "table" and list[1] ~= nil then
      return list
    end
  end
  return {}
end

-- Whether one of the items can only be of this provider.
local function has_mark(items, marks)
  for _, item in ipairs(items) do
    if marks(item) then
      return true
    end
  end
  return false
end

--- The provider whose transcript a value is, if it can only be of that one.
---@param value table a list, or an object that contains it
---@param is_own? boolean it is the transcript that the service has made
---@return string? name
function provider.recognize(value, is_own)
  local found
  local list = value[1] ~= nil and turn.items(value)
  for name, row in pairs(providers) do
    local items = list or turn.items(list_in(value, row))
    if has_mark(items, row.marks) or row.resembles and not is_own and has_mark(items, row.resembles) then
      if found then
        return nil
      end
      found = name
    end
  end
  return found
end

--- The turns of a provider's transcript.
---@param value table a list, or an object that contains it
---@param name string
---@return cekura.Turn[]? turns nil: the name is the one of the service's own format
function provider.turns(value, name)
  local row, reading = providers[name], { turns = {}, names = {} }
  if not row then
    return nil
  end
  for _, item in ipairs(turn.items(row.items and row.items(value) or list_in(value, row))) do
    add(reading, row, item)
  end
  return reading.turns
end

return provider

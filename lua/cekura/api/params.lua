--- Parameters of a request, checked by their declaration (see cekura.api.kinds).

local check = require "cekura.check"
local cjson = require "cekura.cjson"
local endpoint = require "cekura.http.endpoint"
local errors = require "cekura.errors"
local form = require "cekura.http.form"
local list = require "cekura.list"
local show = require "cekura.show"
local times = require "cekura.records.times"
local uri = require "cekura.http.uri"

local as_list = list.copy -- the program's table stays as it is

-- The checks of a parameter, by the name in its declaration. Each returns the value as it is sent. For each check there
-- is the LuaCATS type of what it takes.
---@alias cekura.Id integer|string of a record
---@alias cekura.param.id cekura.Id
---@alias cekura.param.text string
---@alias cekura.param.flag boolean
---@alias cekura.param.table table<string, any>
---@alias cekura.param.any any
---@alias cekura.param.ids cekura.Id[]
---@alias cekura.param.records cekura.Id[]
---@alias cekura.param.ids_or_all cekura.Id[]|"all"
---@alias cekura.param.selection cekura.Id[]|"all"|{ first: integer }
---@alias cekura.param.one_id cekura.Id[]
---@alias cekura.param.list any[]
---@alias cekura.param.texts string[]
---@alias cekura.param.joined_ids cekura.Id[]|string
---@alias cekura.param.channel 0|1
---@alias cekura.param.transcript cekura.SentTurn[]
---@alias cekura.param.positive integer
---@alias cekura.param.time number|string
---@alias cekura.param.integer integer|string
---@alias cekura.param.number number
---@alias cekura.param.joined string|(string|number)[]
---@alias cekura.param.file string|cekura.FormFile the path of a regular file, or its bytes
---@alias cekura.param.files string|cekura.FormFile|(string|cekura.FormFile)[]

---@class cekura.ParamDeclaration a parameter of a kind
---@field [1] string its check
---@field required? boolean
---@field scope? boolean the client's project_id is the default

---@class cekura.SentTurn a turn in the service's own format
---@field role "Main Agent"|"Testing Agent"|"Function Call"|"Function Call Result"
---@field content? string
---@field start_time? number seconds since the call began
---@field end_time? number
---@field data? table of function calls

local types = { id = check.id, text = check.text, flag = check.flag, table = check.table }

--- Any value of JSON, which only the service can check.
function types.any(_, value)
  return value
end

function types.ids(name, value)
  return as_list(check.ids(name, value))
end

--- Ids of the records that are processed: at least one, since a service may read none as all.
function types.records(name, value)
  if #check.ids(name, value) == 0 then
    errors.misuse("%s: there is no id in it", name)
  end
  return as_list(value)
end

local function read_ids_or_all(name, value, wanted)
  if value == "all" then
    return value
  elseif type(value) ~= "table" then
    errors.misuse("%s: %s expected, got %s", name, wanted, value)
  end
  return types.records(name, value)
end

--- A list of ids, or "all".
function types.ids_or_all(name, value)
  local wanted = 'a list of ids or "all"'
  if type(value) == "table" and value.first ~= nil then
    errors.misuse("%s: %s expected, got { first = … }: here the service takes no number", name, wanted)
  end
  return read_ids_or_all(name, value, wanted)
end

--- A list of ids, "all", or { first = n }, which is sent as the number. A bare number is refused, since
--- `call_logs = 12` looks like an id.
function types.selection(name, value)
  if type(value) ~= "table" or value.first == nil then
    return read_ids_or_all(name, value, 'a list of ids, "all" or { first = number }')
  end
  for key in pairs(value) do
    if key ~= "first" then
      errors.misuse("%s: { first = number } has no other members, got the key %s", name, key)
    end
  end
  return check.count(name .. ".first", value.first, 1)
end

--- A list of one id.
function types.one_id(name, value)
  if #check.ids(name, value) ~= 1 then
    errors.misuse("%s: a list of one id expected, got %d", name, #value)
  end
  return as_list(value)
end

--- A list of any values.
function types.list(name, value)
  check.list(name, value)
  return as_list(value)
end

--- A list of texts.
function types.texts(name, value)
  for index = 1, check.list(name, value) do
    check.text(("%s[%d]"):format(name, index), value[index])
  end
  return as_list(value)
end

--- Ids as one text: "1,2".
function types.joined_ids(name, value)
  if type(value) ~= "table" then
    return check.text(name, value)
  end
  local texts = {}
  for index, id in ipairs(types.records(name, value)) do
    texts[index] = uri.text(name, id)
  end
  return table.concat(texts, ",")
end

--- An audio channel.
function types.channel(name, value)
  return check.count(name, value, 0, 1)
end

local ROLES = { ["Main Agent"] = true, ["Testing Agent"] = true, ["Function Call"] = true,
  ["Function Call Result"] = true }

--- Turns in the service's own format. If one role has another name, the service stores no turn at all, and does not
--- report it.
function types.transcript(name, value)
  local count = check.list(name, value)
  if count == 0 then
    errors.misuse("%s: there is no turn in it", name)
  end
  for index = 1, count do
    local turn = value[index]
    if type(turn) ~= "table" or not ROLES[turn.role] then
      local place = ("%s[%d]"):format(name, index)
      local role = check.table(place, turn).role
      errors.misuse("%s: role: \"Main Agent\" (the agent) or \"Testing Agent\" (the caller) expected, got %s", place,
        role == nil and "nil" or show.quoted(role))
    end
  end
  return as_list(value)
end

--- A whole number; one that a Lua cannot hold is the text of its digits.
function types.integer(name, value)
  if type(value) == "string" and value:find "^%-?%d+$" then
    return value
  end
  return check.count(name, value, -2 ^ 53)
end

--- A number.
function types.number(name, value)
  return check.number(name, value)
end

--- A text, or a list of texts and numbers, which is sent as one: "1,2".
function types.joined(name, value)
  if type(value) ~= "table" then
    return check.text(name, value)
  end
  check.list(name, value)
  return value
end

--- A file of a form: the path of a regular file, or { data = bytes, name =, content_type = }.
function types.file(name, value)
  return form.check_file(name, type(value) == "string" and { path = value } or check.table(name, value))
end

--- A list of files; one alone is a list of it.
function types.files(name, value)
  local is_one = type(value) ~= "table" or value.data ~= nil or value.path ~= nil
  local files = {}
  for index, each in ipairs(is_one and { value } or value) do
    files[index] = types.file(("%s[%d]"):format(name, index), each)
  end
  if #files == 0 or not is_one and check.list(name, value) == 0 then
    errors.misuse("%s: there is no file in it", name)
  end
  return files
end

--- A whole number above zero.
function types.positive(name, value)
  return check.count(name, value, 1)
end

--- A time: seconds since the epoch, or ISO 8601 text, which is sent as it is.
function types.time(name, value)
  local reason
  if type(value) == "number" then
    value, reason = times.text(value)
  elseif type(value) == "string" then
    reason = select(2, times.epoch(value))
  else
    reason = "seconds since the epoch or ISO 8601 text expected, got " .. show.type(value)
  end
  if reason then
    errors.misuse("%s: %s", name, reason)
  end
  return value
end

local params = { types = types }

--- One value, checked; as it is sent.
---@param kind string the check, by its name
function params.value(kind, name, value)
  return types[kind](name, value)
end

local function check_one_of(what, one_of, given, sent, project_id)
  local found, default
  for _, name in ipairs(one_of) do
    if given[name] ~= nil then
      if found then
        errors.misuse("%s: %s and %s exclude each other", what, found, name)
      end
      found = name
    elseif name == "project_id" then
      default = project_id
    end
  end
  if not found and default ~= nil then
    sent.project_id = default
  elseif not found and type(sent[one_of.unless_list]) ~= "table" then
    errors.misuse("%s: %s is missing", what, table.concat(one_of, " or "))
  end
end

-- The names in a declaration: parameters, and the placeholders of the start's path, for each of which `id` may stand.
local function names_of(declaration)
  local names = {}
  for name in pairs(declaration.params or {}) do
    names[name] = true
  end
  for _, name in ipairs(declaration.one_of or {}) do
    names[name] = true
  end
  local start = declaration.start or declaration.direct
  for _, name in ipairs(start and endpoint.places(start) or {}) do
    names[name], names.id = true, true
  end
  return names
end

-- A copy of the given parameters with those of `extra`, which the declaration does not know.
local function copy(what, declaration, given)
  local known, sent = names_of(declaration), {}
  for name, value in pairs(given) do
    if type(name) ~= "string" then
      errors.misuse("%s: parameters have names, got the key %s", what, name)
    elseif name ~= "extra" or known.extra then
      if declaration.params then
        check.known(what, "parameter", name, known, "; extra = { … } is sent unchecked")
      end
      sent[name] = value
    end
  end
  if given.extra == nil or known.extra then
    return sent
  end
  for name, value in pairs(check.table(what .. ": extra", given.extra)) do
    check.text(what .. ": extra: the name of a parameter", name)
    if known[name] or given[name] ~= nil then
      errors.misuse("%s: extra: %s is a parameter: give it outside of extra", what, name)
    end
    sent[name] = value
  end
  return sent
end

-- Checks one parameter, and returns the value to send.
local function read_value(name, declared, value)
  if value == cjson.null and not declared.required then
    return value -- the API accepts null for many parameters, and refuses it for the others
  end
  return params.value(declared[1], name, value)
end

--- Checks the parameters, and returns a copy to send. Raises any fault at the caller's line.
---@param what string the operation or kind, for messages
---@param declaration { params: table<string, table>?, one_of: string[]?, start: string? } as cekura.api.kinds describes
---them. The client's project_id is the default for a parameter with `scope`, and for a project_id of `one_of`; others
---may have `default =`
---@param given table
---@param project_id? string|integer the client's
---@return table
function params.read(what, declaration, given, project_id)
  local sent = copy(what, declaration, check.table(what .. ": params", given))
  for name, declared in pairs(declaration.params or {}) do
    local value = list.of(sent[name])
    if value == nil then
      value = declared.scope and project_id or declared.default
    end
    if value ~= nil then
      sent[name] = read_value(what .. ": " .. name, declared, value)
    elseif declared.required then
      errors.misuse("%s: %s is missing", what, name)
    end
  end
  if declaration.one_of then
    check_one_of(what, declaration.one_of, given, sent, project_id)
  end
  return sent
end

return params

--- Parameters of a request, held against their declaration (see cekura.kinds).

local check = require "cekura.check"
local cjson = require "cekura.cjson"
local core = require "cekura.core"
local errors = require "cekura.errors"
local times = require "cekura.times"
local uri = require "cekura.uri"

-- A list that is sent stays one when it is empty. The program's own table is left as it is.
local function as_list(value)
  local list = {}
  for index, item in ipairs(value) do
    list[index] = item
  end
  return setmetatable(list, core.array_mt)
end

-- What a parameter may be, by the word of its declaration, and as what it is sent.
local types = { id = check.id, text = check.text, flag = check.flag, table = check.table }

function types.ids(name, value)
  return as_list(check.ids(name, value))
end

function types.selection(name, value)
  check.selection(name, value)
  return type(value) == "table" and as_list(value) or value
end

--- A list of ids, or "all".
function types.ids_or_all(name, value)
  if value ~= "all" and type(value) ~= "table" then
    errors.misuse(("%s: a list of ids or \"all\" expected, got %s"):format(name, tostring(value)))
  end
  return value == "all" and value or types.ids(name, value)
end

--- A list of one id.
function types.one_id(name, value)
  if #check.ids(name, value) ~= 1 then
    errors.misuse(("%s: a list of one id expected, got %d"):format(name, #value))
  end
  return as_list(value)
end

--- A list of whatever.
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
  for index, id in ipairs(check.ids(name, value)) do
    texts[index] = uri.text(name, id)
  end
  if not texts[1] then
    errors.misuse(name .. ": there is no id in it") -- sent empty, it could mean all
  end
  return table.concat(texts, ",")
end

--- An audio channel.
function types.channel(name, value)
  return check.count(name, value, 0, 1)
end

local ROLES = { ["Main Agent"] = true, ["Testing Agent"] = true, ["Function Call"] = true,
  ["Function Call Result"] = true }

--- Turns in the service's own format. For a role of another name it stores no turn at all, and does not say so.
function types.transcript(name, value)
  for index = 1, check.list(name, value) do
    local place = ("%s[%d]"):format(name, index)
    local role = check.table(place, value[index]).role
    if not ROLES[role] then
      errors.misuse(("%s: role: \"Main Agent\" (the agent) or \"Testing Agent\" (the caller) expected, got %s"):format(
        place, type(role) == "string" and ("%q"):format(role) or type(role)))
    end
  end
  return as_list(value)
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
    reason = "seconds since the epoch or ISO 8601 text expected, got " .. type(value)
  end
  if reason then
    errors.misuse(("%s: %s"):format(name, reason))
  end
  return value
end

local params = {}

--- One value, checked; as it is sent.
---@param kind string the word of its declaration
function params.value(kind, name, value)
  return types[kind](name, value)
end

--- Whether that word names a check.
function params.is_type(kind)
  return types[kind] ~= nil
end

local function check_one_of(what, one_of, given, sent, project_id)
  local found
  for _, name in ipairs(one_of) do
    if given[name] ~= nil then
      if found then
        errors.misuse(("%s: %s and %s exclude each other"):format(what, found, name))
      end
      found = name
    elseif name == "project_id" then
      sent.project_id = project_id
    end
  end
  if found then
    sent.project_id = given.project_id
  elseif sent.project_id == nil and type(given[one_of.unless_list]) ~= "table" then
    errors.misuse(("%s: %s is missing"):format(what, table.concat(one_of, " or ")))
  end
end

--- The parameters, checked; a copy, to be sent. Raises at the caller's line what is wrong with them.
---@param what string what the parameters are for
---@param declared table<string, table> name to { check, required =, scope = true: the client's project stands in }
---@param given table
---@param one_of? string[] just one of these; for a project_id among them, the client's stands in
---@param project_id? string|integer the client's
---@return table
function params.read(what, declared, given, one_of, project_id)
  check.table(what .. ": params", given)
  local sent = {}
  for name, value in pairs(given) do
    if type(name) ~= "string" then
      errors.misuse(("%s: parameters have names, got the key %s"):format(what, tostring(name)))
    end
    sent[name] = value
  end
  for name, declaration in pairs(declared) do
    local value = given[name]
    if value == nil and declaration.scope then
      value = project_id
    end
    if value == cjson.null and not declaration.required then
      sent[name] = value -- the API knows null of many a parameter, and says which
    elseif value ~= nil then
      sent[name] = params.value(declaration[1], what .. ": " .. name, value)
    elseif declaration.required then
      errors.misuse(("%s: %s is missing"):format(what, name))
    end
  end
  if one_of then
    check_one_of(what, one_of, given, sent, project_id)
  end
  return sent
end

return params

--- Methods of a resource that are one request each, made from their declarations: the rows of cekura.api.operations,
-- and those of cekura.api.calls.

local check = require "cekura.check"
local core = require "cekura.core"
local each = require "cekura.api.each"
local encode = require "cekura.http.encode"
local endpoint = require "cekura.http.endpoint"
local errors = require "cekura.errors"
local form = require "cekura.http.form"
local page = require "cekura.api.page"
local params = require "cekura.api.params"
local record = require "cekura.records.record"
local request = require "cekura.http.request"
local response = require "cekura.http.response"
local state = require "cekura.job.state"
local uri = require "cekura.http.uri"

local operation = {}

---@class cekura.Operation
---@field [1] string "METHOD /path/"; the values of its {places} are the method's first arguments, except {version},
---which is the client's api_version
---@field query? table<string, string> parameters that are sent in the query, and their checks (cekura.api.params)
---@field body? table<string, string> those that are sent in the body
---@field required? string[] those that must be given
---@field list? boolean the body is a list of objects with these parameters
---@field paged? boolean the answer is one page of a list
---@field answer? string "record", "records" (a list of them), "json" (decoded), or "any", the default: a record for an
---object, a page for a list, true for an empty answer, and else the value
---@field class? string of the records in the answer
---@field one_of? string[] as in cekura.api.kinds
---@field defaults? table<string, any> of parameters that the service requires
---@field prepare? fun(sent: table) completes the checked parameters
---@field withdrawn? string as in cekura.api.kinds: a 404 means that the endpoint is gone

-- ---- parameters ----

-- A caller who names one of these has named a scope.
local SCOPES = { "agent_id", "assistant_id", "organization_id", "agent", "project" }

-- The declaration of the parameters, for params.read().
local function declaration_of(declared)
  local read = { params = {}, one_of = declared.one_of }
  for _, place in ipairs { "query", "body" } do
    for name, kind in pairs(declared[place] or {}) do
      read.params[name] = { kind, default = declared.defaults and declared.defaults[name] }
    end
  end
  for _, name in ipairs(declared.required or {}) do
    read.params[name].required = true
  end
  return read
end

-- Whether to send the client's project: the request accepts one, and its caller has named no scope.
local function wants_project(declaration, given)
  if not declaration.params.project_id or declaration.one_of then
    return false
  end
  for _, name in ipairs(SCOPES) do
    if given[name] ~= nil then
      return false
    end
  end
  return true
end

-- The parameters as they are sent, those of the query and those of the body.
local function read_params(name, declared, declaration, given, project_id)
  local sent, query, body = params.read(name, declaration, given, project_id), {}, {}
  if project_id ~= nil and sent.project_id == nil and wants_project(declaration, given) then
    sent.project_id = project_id
  end
  if declared.prepare then
    declared.prepare(sent)
  end
  local in_query = declared.query or {}
  for parameter, value in pairs(sent) do
    if in_query[parameter] or not declared.body then
      query[parameter] = in_query[parameter] == "table" and encode(value, name) or value -- also an empty one
    else
      body[parameter] = value
    end
  end
  return query, declared.body and body
end

local function read_list(name, declaration, given)
  local list = setmetatable({}, core.array_mt)
  for index = 1, check.list(name .. ": params", given) do
    list[index] = params.read(("%s: params[%d]"):format(name, index), declaration, given[index])
  end
  return {}, list
end

-- ---- the answer ----

-- What an answer is read as, by the declaration's `answer`.
local READERS = { record = record.of_reply, records = record.list_of_reply }

-- An object or a list, decoded.
function READERS.json(reply)
  local value, err = reply:json()
  if not err and type(value) ~= "table" then
    return nil, response.protocol_error(reply, "the answer is neither an object nor a list")
  end
  return value, err
end

function READERS.any(reply, class)
  if reply.body == "" then
    return true
  elseif page.is_list(reply) then
    return page.read(reply, class)
  elseif reply.body:find "^%s*{" then
    return record.of_reply(reply, class)
  end
  return reply:json()
end

-- ---- the methods ----

-- The values of the path's places, which are the first of a method's arguments.
local function read_places(places, given)
  local values = {}
  for index, name in ipairs(places) do
    values[name] = check.id(name, given[index])
  end
  return values
end

-- Whether the parameters hold files, which only a form can send.
local function has_files(checks, body)
  for name in pairs(body) do
    if checks[name] == "files" or checks[name] == "file" then
      return true
    end
  end
  return false
end

local function places_of(declared)
  local places = {}
  for _, name in ipairs(endpoint.places(declared[1])) do
    places[#places + 1] = name ~= "version" and name or nil
  end
  return places
end

-- What the methods need of a declaration. It is computed when one of them is first called: a program calls few of them.
local plans = {}

local function plan_of(declared)
  local plan = plans[declared]
  if not plan then
    plan = { places = places_of(declared), declaration = declaration_of(declared),
      has_params = (declared.query or declared.body) ~= nil,
      changes = declared[1]:find "^P[AU]T" ~= nil } -- a record, by what it is given
    plans[declared] = plan
  end
  return plan
end

--- Makes the method. Its arguments are the client, the values of the path's placeholders, the parameters if there are
--- any, and { timeout = seconds }.
---@param name string the name of its parameters in errors
---@param declared cekura.Operation
---@return fun(client: cekura.Client, ...): any, cekura.Error?
function operation.method(name, declared)
  local read = READERS[declared.answer or "any"]
  return function(client, ...)
    local given, fields, plan = { ... }, core.fields(client), plan_of(declared)
    local places, declaration = plan.places, plan.declaration
    local values = read_places(places, given)
    values.version = fields._api_version
    local outgoing = {}
    outgoing.method, outgoing.path = endpoint.fill(name, declared[1], values)
    local query, body = {}, nil
    if plan.has_params and declared.list then
      query, body = read_list(name, declaration, given[#places + 1])
    elseif plan.has_params then
      local parameters = given[#places + 1]
      if parameters == nil and not plan.changes then
        parameters = {}
      end
      query, body = read_params(name, declared, declaration, parameters, fields._project_id)
    end
    outgoing.path = outgoing.path .. uri.query(name, query)
    outgoing.timeout = check.timeout(given[#places + (plan.has_params and 2 or 1)])
    local reply, err
    if body and has_files(declared.body, body) then
      reply, err = form.send(client, outgoing, name, form.read(name, body))
    elseif body then
      reply, err = request.send_json(client, outgoing, name, body)
    else
      reply, err = request.send(client, outgoing)
    end
    if reply then
      return read(reply, declared.class or "record")
    end
    return nil, declared.withdrawn and state.mark_gone(err, declared) or err
  end
end

--- Makes the methods of a list: `list` returns one page, `each` iterates over the records of all pages.
---@param name string of the resource
---@param declared cekura.Operation
---@return function list, function each
function operation.list(name, declared)
  local function read(client, what, ...)
    local given, plan = { ... }, plan_of(declared)
    local places = plan.places
    local source = { name = what, declared[1], class = declared.class or "record", places = read_places(places, given) }
    local filter = given[#places + 1]
    local query = read_params(what, declared, plan.declaration, filter == nil and {} or filter,
      core.fields(client)._project_id)
    return source, query, check.timeout(given[#places + 2])
  end

  local function list(client, ...)
    local source, query, timeout = read(client, name .. ":list", ...)
    local found, err = page.get(client, source, uri.query(source.name, query), timeout)
    return found, err
  end

  local function all(client, ...)
    local source, query, timeout = read(client, name .. ":each", ...)
    if query.page ~= nil then
      errors.misuse("%s: page: it iterates over all pages; list() returns one", source.name)
    end
    return each(client, source, { query }, timeout)
  end

  return list, all
end

return operation

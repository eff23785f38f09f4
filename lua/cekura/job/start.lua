--- Jobs as they begin: started in the service, or known from elsewhere.

local interpret = require "cekura.job.interpret"
local atomic = require "cekura.loop.atomic"
local call_log = require "cekura.records.call_log"
local check = require "cekura.check"
local core = require "cekura.core"
local endpoint = require "cekura.http.endpoint"
local errors = require "cekura.errors"
local evaluation = require "cekura.records.evaluation"
local kinds = require "cekura.api.kinds"
local request = require "cekura.http.request"
local response = require "cekura.http.response"
local state = require "cekura.job.state"
local delivered = require "cekura.job.delivered"
local token = require "cekura.job.token"
local uri = require "cekura.http.uri"
local subscription = require "cekura.job.subscription"

local start = {}

-- What a job may be looked for within.
local SCOPE = token.SCOPE

-- Whether there is all that the path of the poll names beside the id.
local function is_located(declaration, scope)
  for _, name in ipairs(SCOPE) do
    if endpoint.has(declaration.poll, name) and scope[name] == nil then
      return false
    end
  end
  return true
end

local function poll_path(client_fields, kind, declaration, id, scope)
  local places = { id = id, version = client_fields._api_version, agent_id = scope.agent_id,
    project_id = scope.project_id, assistant_id = scope.assistant_id }
  local _, path = endpoint.fill(kind, declaration.poll, places)
  local query = {}
  if not endpoint.has(declaration.poll, "id") then
    query[declaration.id] = id
  end
  for _, name in ipairs(declaration.poll_scope or {}) do
    query[name] = scope[name]
  end
  return path .. uri.query("poll", query)
end

--- What the paths of the polls of all such jobs have in common; nil: the path itself, as far as it goes.
---@return string?
function start.common_poll_path(client_fields, kind, declaration, scope)
  return endpoint.has(declaration.poll, "id") and poll_path(client_fields, kind, declaration, "", scope) or nil
end

-- The scope that a job has: what the path of its start says, else the options, else the parameters of its start,
-- else the client.
local function read_scope(client_fields, options, params, places)
  local scope = {}
  for _, name in ipairs(SCOPE) do
    scope[name] = places[name] or options[name] or params[name]
  end
  if next(scope) == nil then
    scope.project_id = client_fields._project_id
  end
  return scope
end

-- An id of the documents is a number or a UUID.
local LONGEST_ID = 1024

-- What is wrong with an id, which may come from anywhere; nil: nothing. A slash is encoded, but there are servers
-- that decode it before they look where a path leads.
local function fault_of_id(client, declaration, id)
  id = uri.text("id", id)
  if #id > LONGEST_ID then
    return "it is too long"
  elseif endpoint.has(declaration.poll, "id") and id:find "[/\\]" then
    return "it has a slash"
  elseif core.has_secret(client, id) then
    return "it is a secret of this client's"
  end
end

---@class cekura.JobOrigin
---@field id? string|integer
---@field started_here? boolean
---@field started? number seconds since the epoch (now)
---@field scope table
---@field evaluation_mark? cekura.EvaluationMark the evaluation that it is newer than
---@field carried? table members of the start's answer

--- A job for a piece of work that is known to the service.
---@param origin cekura.JobOrigin
---@return cekura.Job? job, cekura.Error? err
start.new = atomic(function(client, kind, declaration, origin)
  local client_fields = core.fields(client)
  local path, self
  local now = core.date()
  local started = origin.started or now
  local elapsed = math.max(0, now - started)
  local fault = origin.id and fault_of_id(client, declaration, origin.id)
  if fault then
    return nil, errors.new("config", ("%s: the id: %s"):format(kind, fault))
  end
  if origin.id then
    path = poll_path(client_fields, kind, declaration, origin.id, origin.scope)
    local common = start.common_poll_path(client_fields, kind, declaration, origin.scope)
    self = core.new_job(client, elapsed, "GET", client_fields._base_url .. path, nil, nil,
      client_fields._timeout, common and client_fields._base_url .. common, origin.started_here or false,
      declaration.interval)
  else
    self = core.new_job(client, elapsed, nil)
  end
  if not self then
    return nil, errors.new("closed", core.is_closed(client) and "the client is closed" or "out of memory")
  end
  local fields = core.fields(self)
  fields.id, fields.kind, fields.state = origin.id, kind, "pending"
  fields._client, fields._loop, fields._declaration = client, client_fields._loop, declaration
  fields._path, fields._method, fields._scope = path, "GET", origin.scope
  fields._evaluation_mark, fields._carried = origin.evaluation_mark, origin.carried or {}
  fields._version, fields._notified_version, fields._subscriptions = 0, 0, {}
  fields._bad_answers, fields._started_here_at = 0, origin.started_here and core.now() or nil
  fields._started = started
  if declaration.event and origin.id then
    delivered.register(self, fields)
  end
  return self
end)

-- The answer to a start as one object.
local function started_object(declaration, reply)
  if not declaration.list then
    return (declaration.record and call_log.of_reply or response.object)(reply)
  end
  local list, err = call_log.list_of_reply(reply)
  if list and not list[1] then
    return nil, response.protocol_error(reply, "the answer is an empty list")
  end
  return list and list[1], err
end

--- The id in the answer to a start: at its top, or in its `result`, as one text of the document has it.
---@return integer|string|nil
function start.id_of(declaration, object)
  for _, holder in ipairs { object, type(object.result) == "table" and object.result or nil } do
    local id = holder[declaration.id]
    if type(id) == "number" or type(id) == "string" and id ~= "" then
      return id
    end
  end
end

--- The job that the answer to a start tells of: one that runs, or one that is over already.
---@return cekura.Job? job, cekura.Error? err
function start.started(client, kind, declaration, reply, scope)
  local object, err = started_object(declaration, reply)
  if not object then
    return nil, err
  end
  local id = start.id_of(declaration, object)
  local fault = id and fault_of_id(client, declaration, id)
  if fault then
    return nil, response.protocol_error(reply, "the answer's id: " .. fault)
  end
  if id then
    local carried = {}
    for _, name in ipairs(declaration.carry or {}) do
      carried[name] = object[name]
    end
    local mark = declaration.record == "call_log" and evaluation.mark(object) or nil
    local self
    self, err = start.new(client, kind, declaration,
      { id = id, started_here = true, scope = scope, evaluation_mark = mark, carried = carried })
    if self then
      core.postpone(self, reply._retry_after)
    end
    return self, err
  end
  if declaration.record or not state.is_end((interpret.read(declaration, object))) then
    return nil, response.protocol_error(reply, "the answer has " .. (declaration.output
      and ("neither %s nor %s"):format(declaration.id, interpret.output_name(declaration)) or "no " .. declaration.id))
  end
  local self
  self, err = start.new(client, kind, declaration, { scope = scope })
  if self then
    local fields = core.fields(self)
    fields._path, fields._answer = reply.path, reply.body
    state.take(self, fields, reply)
  end
  return self, err
end

-- The path of a start, and what is left of its parameters for the body.
local function start_path(kind, declaration, params)
  local body, places = {}, {}
  for name, value in pairs(params) do
    body[name] = value
  end
  for _, name in ipairs(endpoint.places(declaration.start)) do
    places[name] = params[name] ~= nil and params[name] or params.id
    if places[name] ~= nil then
      check.id(("%s: %s"):format(kind, name), places[name])
    end
    body[params[name] ~= nil and name or "id"] = nil
  end
  local method, path = endpoint.fill(kind, declaration.start, places)
  return method, path, body, places
end

-- A 404 that tells a detail, to a path that names a record: this, not the endpoint, is what is not there.
local function names_no_record(declaration, err)
  return #endpoint.places(declaration.start) > 0 and state.has_detail(err.response)
end

--- Starts a job.
---@param params table the parameters as they are sent
---@param options table agent_id, project_id, assistant_id, timeout
---@return cekura.Job? job, cekura.Error? err
function start.start(client, kind, declaration, params, options)
  local method, path, body, places = start_path(kind, declaration, params)
  local scope = read_scope(core.fields(client), options, params, places)
  poll_path(core.fields(client), kind, declaration, "", scope) -- raises now, not when the job is running
  local owner = {}
  local self
  local reply, err = request.send_json(client, method, path, kind, body, options.timeout, owner,
    { endpoint = endpoint.common_path(declaration.start) })
  if reply then
    self, err = start.started(client, kind, declaration, reply, scope)
  end
  if self then -- what an event handler raised must not cost the job: whoever waits for it will hear of it
    core.fields(self)._raised = owner._raised
    return self
  end
  subscription.reraise(owner)
  if err.kind == "not_found" and names_no_record(declaration, err) then
    return nil, err
  end
  return nil, state.mark_gone(err, declaration)
end

--- A job for an id that is known from elsewhere.
---@param options table agent_id, project_id, assistant_id
---@param mark? cekura.EvaluationMark
function start.known(client, kind, declaration, id, options, mark)
  return start.new(client, kind, declaration,
    { id = id, scope = read_scope(core.fields(client), options, {}, {}), evaluation_mark = mark })
end

--- A job from its token.
---@param text string
---@return cekura.Job? job, cekura.Error? err of kind "config"
function start.resumed(client, text)
  local kept = token.read_job(text)
  local declaration = kept and kinds[kept.kind]
  if not kept or declaration and not is_located(declaration, kept.origin.scope) then
    return nil, errors.new("config", "the token is malformed")
  elseif not declaration then
    return nil, errors.new("config", ("the token is for an unknown kind of job, %s"):format(
      errors.excerpt(core.redact(client, kept.kind))))
  elseif kept.base ~= core.fields(client)._base_url then
    return nil, errors.new("config", "the token is for another base URL")
  end
  return start.new(client, kept.kind, declaration, kept.origin)
end

--- The job that waits for a newer evaluation of a call log than the record shows; if it shows none, for the first.
---@param self cekura.CallLog one that came by a client
---@return cekura.Job? job of the kind calls.evaluation
---@return cekura.Error? err of kind "protocol": the record has no id
function core.call_log_methods.evaluation(self)
  local client, id = core.owner(self), self:get "id"
  if not client then
    errors.misuse "call: a record from cekura.call_log() belongs to no client: use client:job(\"calls.evaluation\", id)"
  elseif id == nil or id == "" or type(id) ~= "number" and type(id) ~= "string" then
    return nil, errors.new("protocol", "the record has no id to ask for it by")
  end
  return start.known(client, "calls.evaluation", kinds["calls.evaluation"], id, {}, evaluation.mark(self))
end

return start

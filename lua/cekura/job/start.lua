--- The creation of jobs: by a start in the service, from an id, or from a token.

local atomic = require "cekura.loop.atomic"
local check = require "cekura.check"
local common = require "cekura.job.common"
local core = require "cekura.core"
local delivered = require "cekura.job.delivered"
local direct = require "cekura.job.direct"
local endpoint = require "cekura.http.endpoint"
local errors = require "cekura.errors"
local evaluation = require "cekura.records.evaluation"
local interpret = require "cekura.job.interpret"
local kinds = require "cekura.api.kinds"
local path = require "cekura.job.path"
local record = require "cekura.records.record"
local request = require "cekura.http.request"
local response = require "cekura.http.response"
local show = require "cekura.show"
local state = require "cekura.job.state"
local status = require "cekura.job.status"
local subscription = require "cekura.job.subscription"
local token = require "cekura.job.token"
local uri = require "cekura.http.uri"

local start = {}

local SCOPE = token.SCOPE

-- Whether the scope has every member that the path of the poll names beside the id.
local function is_located(declaration, scope)
  for _, name in ipairs(SCOPE) do
    if endpoint.has(declaration.poll, name) and scope[name] == nil then
      return false
    end
  end
  return true
end

-- The scope of a job: from the path of its start, else from the options, else from the parameters of its start, else
-- the project of the client.
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

-- In the API's documents an id is a number or a UUID.
local LONGEST_ID = 1024

-- The fault of an id, which may come from anywhere, or nil. A slash would be encoded, but some servers decode it before
-- they route a path.
local function fault_of_id(client, declaration, id)
  id = uri.text("id", id)
  if #id > LONGEST_ID then
    return "it is too long"
  elseif endpoint.has(declaration.poll, "id") and id:find "[/\\]" then
    return "it has a slash"
  elseif core.has_secret(client, id) then
    return "it is a secret of this client"
  end
end

---@class cekura.JobOrigin
---@field id? string|integer
---@field started_here? boolean
---@field started? number seconds since the epoch (now)
---@field scope table
---@field evaluation_mark? cekura.EvaluationMark see cekura.JobFields
---@field carried? table members of the answer to the start
---@field fields? string[] see cekura.JobFields

--- The private fields of a job: core.fields(job) returns them, together with the public ones except `polls` and
-- `elapsed`. Those that jobs have in common are in their prototype, see cekura.job.common. A job has ended if its
-- `state` is an end: see cekura.job.status.
---@class cekura.JobFields
---@field _client cekura.Client
---@field _declaration table of the kind
---@field _path? string of the only request of a job that is not polled: a direct job, or one that ended in its start
---@field _before? string what precedes the id in the path of a poll for the whole record; see cekura.job.path
---@field _after? string what follows the id there
---@field _polls? table the request of the polls, for core.new_job(); with the two above owned by cekura.job.common
---@field _asked cekura.Asked what the polls ask for now; owned by cekura.job.selection
---@field _fields? string[] what the result is to hold, for waiters that do not say
---@field _selected_end boolean the last answer shows an end, without all that the result is to hold; owned by
---cekura.job.poll
---@field _method string for events: "GET", or the method of a direct job's request
---@field _operation? true a direct job, which is not polled; owned by cekura.job.direct
---@field _endpoint? string what the paths of the polls of all jobs like this have in common; nil: its own path
---@field _scope table<string, any> agent_id, project_id, assistant_id: see token.SCOPE
---@field _carried table<string, any> members of answers that later requests about the job need; never changed
---@field _evaluation_mark? cekura.EvaluationMark the job waits for a newer evaluation; owned by cekura.job.state
---@field _answer? string the answer that ended the job if no poll brought it; else core.answer() has the last one
---@field _answered_question? { question: string, times: integer } the question that job:answer() replied to, and the
---number of times that the service may still repeat it
---@field _bad_answers integer in a row; owned by cekura.job.poll
---@field _changed boolean its state, status or progress has changed since it notified a subscription; not set while
---nothing but a wait for the end is registered
---@field _subscriptions cekura.Subscription|cekura.Subscription[]|false the job is polled for them; owned by
---cekura.job.subscription
---@field _raised? { [1]: any } an error that an event handler raised; reraised in the task that waits for the job
---@field _in_flight? table<cekura.Request, true> the requests of job:poll() and job:answer(); owned by
---cekura.http.exchange
---@field _request integer|false the number of its poll that is under way, for events; owned by cekura.loop.dispatch
---@field _same_record? table the list of jobs of its record; owned by cekura.job.delivered

--- Makes a job: for work that the service knows by an id, or for work that ended in its start.
---@param origin cekura.JobOrigin
---@return cekura.Job? job, cekura.Error? err
start.new = atomic(function(client, kind, declaration, origin)
  local fault = origin.id and fault_of_id(client, declaration, origin.id)
  if fault then
    return nil, errors.new("config", ("%s: the id: %s"):format(kind, fault))
  end
  local prototype = common.of(client, kind, declaration, origin.scope)
  local self
  if origin.id then
    self = core.new_job(client, origin.started, common.polls(prototype), path.id(origin.id), origin.started_here,
      origin.started_here or origin.started ~= nil)
  else
    self = core.new_job(client, origin.started)
  end
  if not self then
    return nil, errors.new("closed", core.is_closed(client) and "the client is closed" or "out of memory")
  end
  local fields = setmetatable(core.fields(self), prototype)
  fields.id = origin.id
  state.set(fields, "_fields", origin.fields)
  state.set(fields, "_evaluation_mark", origin.evaluation_mark)
  if origin.carried and next(origin.carried) ~= nil then
    fields._carried = origin.carried
  end
  if core.fields(client)._on_event then
    fields._request = false -- it has a place from the beginning, since memory may run out where it is set
  end
  if declaration.event and origin.id then
    delivered.register(self, fields)
  end
  return self
end)

-- The answer to a start, as one object.
local function started_object(declaration, reply)
  if not declaration.list then
    return interpret.object(declaration, reply)
  end
  local list, err = record.list_of_reply(reply, "call_log")
  if list and not list[1] then
    return nil, response.protocol_error(reply, "the answer is an empty list")
  end
  return list and list[1], err
end

--- The id in the answer to a start: at its top, or in its `result`, as in one example of the API's documents.
---@return integer|string|nil
function start.id_of(declaration, object)
  for _, holder in ipairs { object, type(object.result) == "table" and object.result or nil } do
    local id = holder[declaration.id]
    if type(id) == "number" or type(id) == "string" and id ~= "" then
      return id
    end
  end
end

--- The job of an answer to a start: it runs, or has ended already.
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
  local origin = { id = id, started_here = id ~= nil, scope = scope, carried = {} }
  if id then
    for _, name in ipairs(declaration.carry or {}) do
      origin.carried[name] = object[name]
    end
    origin.evaluation_mark = declaration.record == "call_log" and evaluation.mark(object) or nil
  elseif declaration.record or not status.is_end((interpret.read(declaration, object))) then
    return nil, response.protocol_error(reply, "the answer has " .. (declaration.output
      and ("neither %s nor %s"):format(declaration.id, interpret.output_name(declaration)) or "no " .. declaration.id))
  end
  local self, failure = start.new(client, kind, declaration, origin)
  if self and id then
    core.postpone(self, reply._retry_after)
  elseif self then
    local fields = core.fields(self)
    fields._method, fields._path, fields._answer = reply.method, reply.path, reply.body
    state.take_reply(self, fields, reply)
  end
  return self, failure
end

-- The method and the path of a start, from their text in the declaration; the parameters that remain for the body; and
-- those in the path.
local function start_path(kind, text, params)
  local body, places = {}, {}
  for name, value in pairs(params) do
    body[name] = value
  end
  for _, name in ipairs(endpoint.places(text)) do
    places[name] = params[name] ~= nil and params[name] or params.id
    if places[name] ~= nil then
      check.id(("%s: %s"):format(kind, name), places[name])
    end
    body[params[name] ~= nil and name or "id"] = nil
  end
  local method, target = endpoint.fill(kind, text, places)
  return method, target, body, places
end

-- Whether a 404 is about the record that the path of the start names, and not about the endpoint: it has a detail.
local function is_about_record(declaration, err)
  return #endpoint.places(declaration.start) > 0 and state.has_detail(err.response)
end

-- Starts a direct job.
local function start_direct(client, kind, declaration, params, options)
  local method, target, body, places = start_path(kind, declaration.direct, params)
  local self, err = start.new(client, kind, declaration,
    { scope = read_scope(core.fields(client), options, params, places) })
  if not self then
    return nil, err
  end
  local fields = core.fields(self)
  fields._method, fields._path = method, target
  return direct.submit(self, { method = method, path = target, timeout = options.timeout,
    endpoint = endpoint.common_path(declaration.direct) }, body)
end

--- Starts a job.
---@param params table what is sent
---@param options table agent_id, project_id, assistant_id, fields, timeout, direct
---@return cekura.Job? job, cekura.Error? err
function start.start(client, kind, declaration, params, options)
  if options.direct or not declaration.start then
    return start_direct(client, kind, declaration, params, options)
  end
  local method, target, body, places = start_path(kind, declaration.start, params)
  local scope = read_scope(core.fields(client), options, params, places)
  common.polls(common.of(client, kind, declaration, scope)) -- raises now rather than after the start
  local owner = {}
  local self
  local reply, err = request.send_json(client, { method = method, path = target, timeout = options.timeout,
    owner = owner, endpoint = endpoint.common_path(declaration.start) }, kind, body)
  if reply then
    self, err = start.started(client, kind, declaration, reply, scope)
  end
  if self then -- the error of an event handler must not lose the job: it is raised where the job is waited for
    local fields = core.fields(self)
    state.set(fields, "_raised", owner._raised or fields._raised)
    state.set(fields, "_fields", options.fields)
    return self
  end
  subscription.reraise(owner)
  if err.kind == "not_found" and is_about_record(declaration, err) then
    return nil, err
  end
  return nil, state.mark_gone(err, declaration)
end

--- A job for an id that is known from elsewhere.
---@param options table agent_id, project_id, assistant_id, fields
---@param mark? cekura.EvaluationMark
function start.known(client, kind, id, options, mark)
  return start.new(client, kind, kinds[kind],
    { id = id, scope = read_scope(core.fields(client), options, {}, {}), evaluation_mark = mark,
      fields = options.fields })
end

--- A job that has ended, from its last answer, which another process has kept.
---@param kept { id: string|integer|nil, path: string?, direct: true? }
---@param answer string
---@return cekura.Job? job, cekura.Error? err
function start.ended(client, kind, kept, answer)
  local declaration = kinds[kind]
  if not declaration then
    return nil, errors.new("config", show.format("this process does not know the kind %s", kind))
  end
  local self, err = start.new(client, kind, declaration, { scope = {} })
  if not self then
    return nil, err
  end
  local fields = core.fields(self)
  fields.id, fields._operation = kept.id, kept.direct
  fields._path, fields._answer = kept.path or "", answer
  local reply = response.new(client, fields._method, fields._path, { status = 200, _head = "", body = answer })
  local stop = state.take_reply(self, fields, reply)
  if stop then
    return nil, stop
  end
  return self
end

--- A job from its token.
---@param text string
---@return cekura.Job? job, cekura.Error? err of kind "config"
function start.resumed(client, text)
  local kept = token.read_job(text)
  local declaration = kept and kinds[kept.kind]
  if not kept or declaration and not is_located(declaration, kept.origin.scope) then
    return nil, errors.new("config", "the token is malformed: it is incomplete or was changed")
  elseif not declaration then
    return nil, errors.new("config", show.format("the token is for an unknown kind of job, %s",
      core.redact(client, kept.kind)))
  elseif kept.base ~= core.fields(client)._base_url then
    return nil, errors.new("config", "the token is for another base URL")
  end
  return start.new(client, kept.kind, declaration, kept.origin)
end

return start

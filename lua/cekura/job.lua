--- Jobs: background work that the service runs and the client polls.

local answer = require "cekura.answer"
local call_log = require "cekura.call_log"
local check = require "cekura.check"
local core = require "cekura.core"
local endpoint = require "cekura.endpoint"
local errors = require "cekura.errors"
local evaluation = require "cekura.evaluation"
local request = require "cekura.request"
local response = require "cekura.response"
local token = require "cekura.token"
local uri = require "cekura.uri"
local watch = require "cekura.watch"

local job = {}

-- Jobs whose record webhooks tell of are known by it. They hold the set that they are in, the client does not:
-- it is gone when they are.
local function record_key(event, id)
  return event .. " " .. uri.text("id", id)
end

local function enlist(self, fields)
  local all = core.fields(fields._client)._by_record
  local key = record_key(fields._declaration.event, fields.id)
  fields._same_record = all[key] or setmetatable({}, { __mode = "k" })
  fields._same_record[self] = true
  all[key] = fields._same_record
end

---@class cekura.Job
---@field id? string nil when the start answered with the result itself
---@field kind string
---@field state string "pending", "running", "needs_input", "succeeded", "nothing_to_do", "failed", "cancelled", "gone"
---@field status? string the service's own word; nil before the first answer
---@field progress? number 0 to 1, where the service tells it
---@field result? table
---@field error? cekura.Error
---@field polls integer how many polls have ended
---@field elapsed number seconds since the start, until the end
local methods = core.job_methods

-- ---- what becomes of a job ----

local ENDS = { succeeded = true, nothing_to_do = true, failed = true, cancelled = true, gone = true }
local END_KINDS = { failed = "job_failed", cancelled = "job_cancelled", needs_input = "needs_input",
  protocol = "protocol" }

local function tell_event(self, fields)
  local client = core.fields(fields._client)
  if client._on_event then
    local ok, raised = pcall(client._on_event, { name = "job_changed", job = self, status = fields.status,
      state = fields.state, progress = fields.progress })
    if not ok then
      fields._raised = { raised }
    end
  end
end

local function set_state(self, fields, state)
  fields.state = state
  if ENDS[state] and not fields._ended then
    fields._ended = true
    core.ended(self)
  end
end

-- The error of a state that is none to be glad of.
local function state_error(self, fields, state, message, reply)
  local err = errors.new(END_KINDS[state], ("%s %s: %s"):format(fields.kind, fields.id or "", errors.excerpt(message)),
    { job = self, method = "GET", path = fields._path })
  if reply and state == "protocol" then
    err = response.protocol_error(reply, message)
    err.job = self
  end
  return err
end

-- What an answer says: state, result, message; and the answer, decoded.
local function read_answer(fields, reply)
  local declaration = fields._declaration
  if declaration.record == "call_log" then
    local call, err = call_log.of_reply(reply)
    if not call then
      return nil, err
    end
    return call, answer.read_call_log(call, evaluation.is_newer(call, fields._mark))
  end
  local object, err = response.object(reply)
  if not object then
    return nil, err
  end
  local state, result, message = answer.read(declaration, object)
  if result and result.call_log then
    result.call_log = call_log.of_reply(reply)
  end
  for _, name in ipairs(declaration.keep or {}) do
    fields._kept[name] = object[name] or fields._kept[name]
  end
  return object, state, result, message
end

-- Takes in what an answer says. Returns an error if nobody is to wait any longer, though the job goes on.
local function take_answer(self, fields, object, reply, state, result, message)
  local status, progress = answer.progress(fields._declaration, object)
  local before_state, before_status, before_progress = fields.state, fields.status, fields.progress
  fields.status, fields.progress, fields.result, fields.error = status, progress, result, nil
  local stop
  if END_KINDS[state] then
    fields.error = state_error(self, fields, state, core.redact(fields._client, message), reply)
    stop = not ENDS[state] and fields.error or nil
  end
  if state ~= "protocol" then
    set_state(self, fields, state)
  end
  if before_state ~= fields.state or before_status ~= status or before_progress ~= progress then
    fields._version = fields._version + 1
    tell_event(self, fields)
  end
  return stop
end

-- Takes in a good answer. Returns an error if nobody is to wait any longer, though the job goes on.
local function take(self, fields, reply)
  local object, state, result, message = read_answer(fields, reply)
  if not object then
    local err = state
    err.job = self
    fields.error = err
    return err
  end
  if fields._mark and not object:evaluated() then
    fields._mark = nil -- it has begun: the next that is done is newer
  end
  return take_answer(self, fields, object, reply, state, result, message)
end

--- 404 and 410 from an endpoint that holds no record's id mean the same: it is gone, or never was. The
-- error names it, and says if it is known to be withdrawn.
---@param err cekura.Error
---@param declaration table of the kind
---@return cekura.Error err
function job.mark_gone(err, declaration)
  if err.kind == "not_found" or err.kind == "gone" then
    err.kind = "gone"
    if declaration.withdrawn then
      err.message = ("%s (the service took this endpoint out of its documents on %s)"):format(err.message,
        declaration.withdrawn)
    end
  end
  return err
end

-- Takes in that there was no good answer, and that asking again will not help. On a poll, 404 and 410
-- mean the same: the service does not know the job.
local function take_failure(self, fields, err)
  job.mark_gone(err, fields._declaration)
  err.job = self
  fields.error = err
  if err.kind == "gone" then
    set_state(self, fields, "gone")
    fields._version = fields._version + 1
    tell_event(self, fields)
  end
end

--- Called when the engine lists the job: its poll has brought something new.
function job.on_news(self)
  local fields = core.fields(self)
  local client = fields._client
  -- No news: a poll that nobody waits for any more is over. Ended: cancelled here, meanwhile.
  if fields._ended or not core.news(self) then
    core.resume(client, self)
    return
  end
  local reply, err = request.read(client, "GET", fields._path, core.news(self))
  local before = fields._version
  local stop = err
  if reply then
    stop = take(self, fields, reply)
  else
    take_failure(self, fields, err)
  end
  if stop or fields._ended or fields._version ~= before then
    watch.tell(self, stop)
  end
  core.resume(client, self)
end

-- ---- making one ----

local SCOPE = { "agent_id", "project_id", "assistant_id" }

--- Whether there is all that the path of the poll names beside the id.
---@param declaration table
---@param scope table
function job.is_located(declaration, scope)
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

-- The scope that a job has: what the options say, else the parameters of its start, else the client.
local function read_scope(client_fields, options, params)
  local scope = {}
  for _, name in ipairs(SCOPE) do
    scope[name] = options[name] or params[name]
  end
  if next(scope) == nil then
    scope.project_id = client_fields._project_id
  end
  return scope
end

---@class cekura.JobOrigin
---@field id? string|integer
---@field started_here? boolean
---@field elapsed? number seconds since it was started
---@field scope table
---@field mark? cekura.EvaluationMark the evaluation that it is newer than
---@field kept? table members of the start's answer

--- A job for a piece of work that is known to the service.
---@param origin cekura.JobOrigin
---@return cekura.Job? job, cekura.Error? err
function job.new(client, kind, declaration, origin)
  local client_fields = core.fields(client)
  local path, self
  if origin.id then
    path = poll_path(client_fields, kind, declaration, origin.id, origin.scope)
    self = core.new_job(client, origin.elapsed or 0, "GET", client_fields._base_url .. path, nil, nil,
      client_fields._timeout, origin.started_here or false, declaration.interval)
  else
    self = core.new_job(client, origin.elapsed or 0, nil)
  end
  if not self then
    return nil, errors.new("closed", "the client is closed")
  end
  local fields = core.fields(self)
  fields.id, fields.kind, fields.state = origin.id, kind, "pending"
  fields._client, fields._loop, fields._declaration = client, client_fields._loop, declaration
  fields._path, fields._method, fields._scope = path, "GET", origin.scope
  fields._mark, fields._kept = origin.mark, origin.kept or {}
  fields._version, fields._watches = 0, {}
  fields._started = core.date() - (origin.elapsed or 0)
  if declaration.event and origin.id then
    enlist(self, fields)
  end
  return self
end

-- The answer to a start as one object.
local function started_object(declaration, reply)
  if not declaration.list then
    return response.object(reply)
  end
  local list, err = call_log.list_of_reply(reply)
  if list and not list[1] then
    return nil, response.protocol_error(reply, "the answer is an empty list")
  end
  return list and list[1], err
end

-- The id in the answer to a start: at its top, or in its `result`, as one text of the document has it.
local function id_of(declaration, object)
  for _, holder in ipairs { object, type(object.result) == "table" and object.result or nil } do
    local id = holder[declaration.id]
    if type(id) == "number" or type(id) == "string" and id ~= "" then
      return id
    end
  end
end

-- The answer to a start: a job that runs, or one that is over already.
local function started(client, kind, declaration, reply, scope)
  local object, err = started_object(declaration, reply)
  if not object then
    return nil, err
  end
  local id = id_of(declaration, object)
  if id then
    local kept = {}
    for _, name in ipairs(declaration.keep or {}) do
      kept[name] = object[name]
    end
    local mark = declaration.record == "call_log" and evaluation.mark(object) or nil
    return job.new(client, kind, declaration, { id = id, started_here = true, scope = scope, mark = mark, kept = kept })
  end
  local state = answer.read(declaration, object)
  if not ENDS[state] then
    return nil, response.protocol_error(reply, "the answer has " .. (declaration.output
      and ("neither %s nor %s"):format(declaration.id, declaration.output) or "no " .. declaration.id))
  end
  local self
  self, err = job.new(client, kind, declaration, { scope = scope })
  if self then
    local fields = core.fields(self)
    fields._path, fields._answer = reply.path, reply.body
    take(self, fields, reply)
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
  local object = core.decode(err.response.body)
  return #endpoint.places(declaration.start) > 0 and type(object) == "table" and object.detail ~= nil
end

--- Starts a job.
---@param params table the parameters as they are sent
---@param options table agent_id, project_id, assistant_id, timeout
---@return cekura.Job? job, cekura.Error? err
function job.start(client, kind, declaration, params, options)
  local method, path, body, places = start_path(kind, declaration, params)
  local scope = read_scope(core.fields(client), options, setmetatable(places, { __index = params }))
  local owner = {}
  local self
  local reply, err = request.send_json(client, method, path, kind, body, options.timeout, owner)
  if reply then
    self, err = started(client, kind, declaration, reply, scope)
  end
  if self then -- what an event handler raised must not cost the job: whoever waits for it will hear of it
    core.fields(self)._raised = owner._raised
    return self
  end
  watch.raise_kept(owner)
  if err.kind == "not_found" and names_no_record(declaration, err) then
    return nil, err
  end
  return nil, job.mark_gone(err, declaration)
end

--- A job for an id that is known from elsewhere.
---@param options table agent_id, project_id, assistant_id
---@param mark? cekura.EvaluationMark
function job.known(client, kind, declaration, id, options, mark)
  return job.new(client, kind, declaration,
    { id = id, scope = read_scope(core.fields(client), options, {}), mark = mark })
end

-- ---- asking, and letting go ----

--- Asks for the job once, now. A job that has ended is not asked for.
---@return cekura.Job? job with its fields brought up to date
---@return cekura.Error? err
function methods:poll()
  local fields = core.fields(self)
  if fields._ended then
    if fields.state == "gone" then
      return nil, fields.error
    end
    return self
  end
  local reply, err = request.send(fields._client, "GET", fields._path, nil, nil, nil, fields)
  if fields._ended then -- cancelled, or ended by another poll, meanwhile
    if fields.error and fields.error.kind == "cancelled" then
      return nil, fields.error
    end
    return self
  end
  if not reply then
    if err.attempts and err.attempts > 0 then
      core.count_poll(self)
    end
    take_failure(self, fields, err)
    if fields._ended then
      watch.tell(self)
    end
    watch.raise_kept(fields)
    return nil, err
  end
  local before = fields._version
  err = take(self, fields, reply)
  core.put_answer(self, reply.body)
  if err or fields._ended or fields._version ~= before then
    watch.tell(self, err)
  end
  watch.raise_kept(fields)
  if err and err.kind == "protocol" then
    return nil, err
  end
  return self
end

-- Stops polling here. Returns whether there was anything to stop.
local function let_go(self, fields, message)
  if fields._ended then
    return false
  end
  fields.error = errors.new("cancelled", ("%s %s: %s"):format(fields.kind, fields.id or "", message), { job = self })
  set_state(self, fields, "cancelled")
  fields._version = fields._version + 1
  tell_event(self, fields)
  watch.tell(self)
  for operation in pairs(fields._asking or {}) do
    core.cancel(operation)
  end
  return true
end

-- What the body of a request about the job has; nil if something of it is not known.
local function about(fields, names)
  local body = {}
  for _, name in ipairs(names or {}) do
    body[name] = name == fields._declaration.id and fields.id or fields._kept[name] or fields._scope[name]
  end
  return body, names == nil or body[names[1]] ~= nil
end

-- The request of a declaration's `cancel` or `answer`.
local function tell_service(fields, what, body)
  local method, path = endpoint.fill(fields.kind, what[1], { id = fields.id })
  if next(body) == nil then
    return request.send(fields._client, method, path)
  end
  return request.send_json(fields._client, method, path, fields.kind, body)
end

--- Ends the job: in the service where the API can, and here in any case. Where it cannot, or the service
-- does not take it, the service goes on, and the token still works.
---@return boolean ok, string where "service" or "local"
---@return cekura.Error? err why the service did not take it
function methods:cancel()
  local fields = core.fields(self)
  local declared = fields._declaration.cancel
  local body, known = about(fields, declared and declared.with)
  local by_service = declared ~= nil and fields.id ~= nil and known
  local message = by_service and "cancelled" or "cancelled here; the service goes on"
  if not let_go(self, fields, message) or not by_service then
    return true, "local"
  end
  local reply, err = tell_service(fields, declared, body)
  if reply then
    return true, "service"
  end
  return true, "local", err
end

--- For C: the end of a scope cannot wait for the service.
function methods:_leave()
  let_go(self, core.fields(self), "left; the service goes on")
end

--- Answers a job that needs input. Some kinds go on as the same job, others as another.
---@param text string|table a table where the kind's answers have parts
---@return cekura.Job? job the one to wait for now
---@return cekura.Error? err
function methods:answer(text)
  local fields = core.fields(self)
  local declared = fields._declaration.answer
  if type(text) ~= "table" then
    check.text("text", text)
  end
  if not declared then
    errors.misuse(("%s: this kind of job takes no answer"):format(fields.kind))
  elseif fields._ended then
    return nil, errors.new("invalid", ("%s %s: it has ended, there is nothing to answer"):format(fields.kind,
      fields.id or ""), { job = self })
  end
  local body = about(fields, declared.with)
  body[declared.text] = text
  local reply, err = tell_service(fields, declared, body)
  if not reply then
    err.job = self
    return nil, err
  end
  local object = core.decode(reply.body)
  local id = type(object) == "table" and id_of(fields._declaration, object) or fields.id
  if id ~= fields.id then
    return started(fields._client, fields.kind, fields._declaration, reply, fields._scope)
  end
  -- The last answer, which asked, may come once more before the job goes on: that is no news.
  core.look_again(self, false)
  fields.error = nil
  set_state(self, fields, "running")
  fields._version = fields._version + 1
  tell_event(self, fields)
  watch.tell(self)
  return self
end

-- What a record says that a webhook told of: state, result, message. Nil: nothing new.
local function read_told(fields, object)
  local declaration = fields._declaration
  if declaration.record ~= "call_log" then
    return answer.read(declaration, object)
  elseif object:evaluated() and not (fields._mark and evaluation.is_stale(object, fields._mark)) then
    return "succeeded", object
  end
end

--- Takes in a record that a webhook told of. The jobs that wait for its end have it at once.
---@param client cekura.Client
---@param event string "call_log", "result", …
---@param object cekura.CallLog|table
---@param text string the same, as it came
function job.tell(client, event, object, text)
  local id, jobs = object.id, {}
  if type(id) == "number" or type(id) == "string" then
    for self in pairs(core.fields(client)._by_record[record_key(event, id)] or {}) do
      jobs[#jobs + 1] = self -- a list of its own: an event handler may add to the other
    end
  end
  for _, self in ipairs(jobs) do
    local fields = core.fields(self)
    if not fields._ended then
      local state, result, message = read_told(fields, object)
      if ENDS[state] then
        fields._answer = text
        take_answer(self, fields, object, nil, state, result, message)
        watch.tell(self)
      end
    end
  end
end

--- A plain string from which client:resume() takes the job up, in this process or another.
---@return string? token, cekura.Error? err
function methods:token()
  local fields = core.fields(self)
  if not fields.id then
    return nil, errors.new("config", "the job ended in its start, so there is no id to take it up by", { job = self })
  end
  local members = { kind = fields.kind, id = fields.id, base = core.fields(fields._client)._base_url,
    started = fields._started }
  for _, name in ipairs(SCOPE) do
    members[name] = fields._scope[name]
  end
  local mark = fields._mark
  if mark then
    members.mark_at, members.mark_judged, members.mark_sum = mark.updated_at, mark.judged and 1 or 0, mark.sum
  end
  return token.write(members)
end

--- The service's last answer, byte for byte; nil before the first.
---@return string?
function methods:json()
  local fields = core.fields(self)
  return fields._answer or fields._path and core.answer(self) or nil
end

return job

--- Jobs: background work that the service runs and the client polls.

local answer = require "cekura.answer"
local check = require "cekura.check"
local core = require "cekura.core"
local errors = require "cekura.errors"
local request = require "cekura.request"
local response = require "cekura.response"
local token = require "cekura.token"
local uri = require "cekura.uri"
local watch = require "cekura.watch"

local job = {}

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

-- Takes in a good answer. Returns an error if nobody is to wait any longer, though the job goes on.
local function take(self, fields, reply)
  local object, err = response.object(reply)
  if not object then
    err.job = self
    fields.error = err
    return err
  end
  local state, result, message = answer.read(fields._declaration, object)
  local status, progress = answer.progress(object)
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

local function poll_path(declaration, id, scope)
  local query = { [declaration.id] = id }
  for _, name in ipairs(declaration.poll_scope or {}) do
    query[name] = scope[name]
  end
  return declaration.poll:match " (.*)" .. uri.query("poll", query)
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

--- A job for a piece of work that is known to the service.
---@param origin cekura.JobOrigin
---@return cekura.Job? job, cekura.Error? err
function job.new(client, kind, declaration, origin)
  local client_fields = core.fields(client)
  local path, self
  if origin.id then
    path = poll_path(declaration, origin.id, origin.scope)
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
  fields._version, fields._watches = 0, {}
  fields._started = core.date() - (origin.elapsed or 0)
  return self
end

-- The answer to a start: a job that runs, or one that is over already.
local function started(client, kind, declaration, reply, scope)
  local object, err = response.object(reply)
  if not object then
    return nil, err
  end
  local id = object[declaration.id]
  if type(id) == "number" or type(id) == "string" and id ~= "" then
    return job.new(client, kind, declaration, { id = id, started_here = true, scope = scope })
  end
  local state = answer.read(declaration, object)
  if not ENDS[state] then
    return nil, response.protocol_error(reply, ("the answer has neither %s nor %s"):format(
      declaration.id, declaration.output))
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

--- Starts a job.
---@param params table the parameters as they are sent
---@param body string the same, encoded
---@param options table agent_id, project_id, assistant_id, timeout
---@return cekura.Job? job, cekura.Error? err
function job.start(client, kind, declaration, params, body, options)
  local method, path = declaration.start:match "^(%S+) (.*)$"
  local owner = {}
  local self
  local reply, err = request.send(client, method, path, { "Content-Type: application/json" }, body, options.timeout,
    owner)
  if reply then
    self, err = started(client, kind, declaration, reply, read_scope(core.fields(client), options, params))
  end
  if self then -- what an event handler raised must not cost the job: whoever waits for it will hear of it
    core.fields(self)._raised = owner._raised
    return self
  end
  watch.raise_kept(owner)
  return nil, job.mark_gone(err, declaration)
end

--- A job for an id that is known from elsewhere.
---@param options table agent_id, project_id, assistant_id
function job.known(client, kind, declaration, id, options)
  return job.new(client, kind, declaration, { id = id, scope = read_scope(core.fields(client), options, {}) })
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

--- Stops polling here. The service goes on: this API has no way to cancel. The token still works.
---@return boolean ok, string where "local"
function methods:cancel()
  local fields = core.fields(self)
  if not fields._ended then
    fields.error = errors.new("cancelled", ("%s %s: cancelled here; the service goes on"):format(fields.kind,
      fields.id or ""), { job = self })
    set_state(self, fields, "cancelled")
    fields._version = fields._version + 1
    tell_event(self, fields)
    watch.tell(self)
    for operation in pairs(fields._asking or {}) do
      core.cancel(operation)
    end
  end
  return true, "local"
end

--- Answers a job that needs input. None of the kinds that there are takes an answer.
---@param text string
function methods:answer(text)
  check.text("text", text)
  errors.misuse(("%s: this kind of job takes no answer"):format(core.fields(self).kind))
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
  return token.write(members)
end

--- The service's last answer, byte for byte; nil before the first.
---@return string?
function methods:json()
  local fields = core.fields(self)
  return fields._answer or fields._path and core.answer(self) or nil
end

return job

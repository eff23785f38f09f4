--- The methods of a job, background work that the service runs and the client polls. cekura.job.start makes jobs, and
-- documents their private fields; cekura.job.state changes them.

local atomic = require "cekura.loop.atomic"
local check = require "cekura.check"
local core = require "cekura.core"
local endpoint = require "cekura.http.endpoint"
local errors = require "cekura.errors"
local poll = require "cekura.job.poll"
local request = require "cekura.http.request"
local start = require "cekura.job.start"
local state = require "cekura.job.state"
local status = require "cekura.job.status"
local subscription = require "cekura.job.subscription"
local token = require "cekura.job.token"
local wait = require "cekura.job.wait"

---@class cekura.Job
---@field id? string nil when the start answered with the result itself
---@field kind cekura.KindName|string
---@field state cekura.State
---@field status? string the service's own word; nil before the first answer
---@field progress? number 0 to 1, where the service reports it
---@field result? cekura.JobResult|table|cekura.CallLog what the last answer has, also if the job failed or was
---cancelled in the service
---@field error? cekura.Error
local methods = core.job_methods

methods.poll = poll.now -- defined in cekura.job.poll
methods.wait, methods.updates = wait.one, wait.updates -- defined in cekura.job.wait

-- ---- cancelling ----

local HERE_ONLY = "cancelled here; the service goes on"

-- Ends the job on this side. Returns false if it had already ended.
local leave = atomic(function(self, fields, message)
  if status.is_end(fields.state) then
    return false
  end
  fields.error = state.error(self, "cancelled", message)
  state.change(self, fields, "cancelled")
  subscription.notify(self)
  for outgoing in pairs(fields._in_flight or {}) do
    core.cancel(fields._client, outgoing)
  end
  return true
end)

-- The body of a declaration's `cancel` or `answer`, and whether all of its required members are known.
local function service_body(fields, declared)
  local body, known = {}, true
  local function value(name)
    return name == fields._declaration.id and fields.id or fields._carried[name] or fields._scope[name]
  end
  for _, name in ipairs(declared.body or {}) do
    body[name] = value(name)
    known = known and body[name] ~= nil
  end
  for _, name in ipairs(declared.optional or {}) do
    body[name] = value(name)
  end
  return body, known
end

-- Sends the request of a declaration's `cancel` or `answer`.
local function ask_service(fields, what, body, timeout, owner)
  local method, path = endpoint.fill(fields.kind, what[1], { id = fields.id })
  local outgoing = { method = method, path = path, timeout = timeout, owner = owner,
    endpoint = endpoint.common_path(what[1]), urgent = what == fields._declaration.cancel }
  if next(body) == nil then
    return request.send(fields._client, outgoing)
  end
  return request.send_json(fields._client, outgoing, fields.kind, body)
end

--- Ends the job: always on this side, and in the service where the API can cancel it. If the API cannot, or the service
-- refuses, the service goes on, and the token still works.
---@param options? { timeout: number? } seconds
---@return boolean ok, string where "service" or "local"
---@return cekura.Error? err the reason why the service did not cancel it
function methods:cancel(options)
  local fields, timeout = core.fields(self), check.timeout(options)
  local declared = fields._declaration.cancel
  local body, known = service_body(fields, declared or {})
  local by_service = declared ~= nil and fields.id ~= nil and known
  if by_service and not status.is_end(fields.state) then
    core.fields(fields._client)._loop.waiter() -- raises where this host cannot wait, before the job changes
  end
  if not leave(self, fields, by_service and "cancelled" or HERE_ONLY) or not by_service then
    return true, "local"
  end
  local reply, err = ask_service(fields, declared, body, timeout)
  if reply then
    return true, "service"
  end
  fields.error.message = state.error(self, "cancelled", HERE_ONLY).message
  return true, "local", err
end

--- C calls this at the end of a scope, where no wait for the service is possible.
---@private
function methods:_leave()
  leave(self, core.fields(self), "left; the service goes on")
end

-- ---- answering ----

-- How many more times the service may repeat a question that was answered.
local FORGIVEN = 3

-- Processes the reply to an answer.
local take_answered = atomic(function(self, fields, question, reply, err)
  if status.is_end(fields.state) then -- cancelled, or ended by a poll, meanwhile
    if fields.state == "cancelled" then
      return nil, fields.error
    elseif err and err.kind == "cancelled" then -- of the task, whose wait has to end with it
      return nil, err
    end
    return self
  elseif not reply then
    err.job = self
    return nil, err
  end
  local object = core.decode(reply.body)
  local id = type(object) == "table" and start.id_of(fields._declaration, object) or fields.id
  if id ~= fields.id then
    return start.started(fields._client, fields.kind, fields._declaration, reply, fields._scope)
  end
  core.postpone(self, reply._retry_after)
  fields._answered_question = { question = question, times = FORGIVEN }
  fields.error = nil
  state.change(self, fields, "running")
  subscription.notify(self)
  subscription.reraise(fields)
  return self
end)

--- Answers a job that needs input. Some kinds go on as the same job, others as another.
---@param text string|table a table where the kind's answers have parts
---@param options? { timeout: number? } seconds
---@return cekura.Job? job the job to wait for now
---@return cekura.Error? err
function methods:answer(text, options)
  local fields, timeout = core.fields(self), check.timeout(options)
  local declared = fields._declaration.answer
  if type(text) ~= "table" then
    check.text("text", text)
  end
  if not declared then
    errors.misuse("%s: this kind of job accepts no answer", fields.kind)
  elseif status.is_end(fields.state) then
    return nil, state.error(self, "invalid", "it has ended, so there is nothing to answer")
  end
  local body, known = service_body(fields, declared)
  if not known then -- the job was made from its id alone: the next answer may have the other values
    local _, err = self:poll(options)
    body, known = service_body(fields, declared)
    if not known or err and err.kind == "cancelled" then
      return nil, err or state.error(self, "invalid", "the service has not sent the values that an answer needs: "
        .. table.concat(declared.body, ", "))
    end
  end
  body[declared.text] = text
  local question = self:json()
  return take_answered(self, fields, question, ask_service(fields, declared, body, timeout, fields))
end

-- ---- the token and the last answer ----

--- A plain string from which client:resume() makes the job again, in this process or another.
---@return string? token, cekura.Error? err
function methods:token()
  local fields = core.fields(self)
  if not fields.id then
    local why = fields._operation and "a direct job has no id" or "the job ended in its start, so there is no id"
    return nil, errors.new("config", why .. " for a token", { job = self })
  end
  local text = token.of_job(fields, core.started(self), core.fields(fields._client)._base_url)
  if text == nil or core.has_secret(fields._client, token.as_url(text)) then
    return nil, errors.new("config", "the token would be too long, or contain a secret",
      { job = self })
  end
  return text
end

--- The service's last answer, byte for byte; nil before the first.
---@return string?
function methods:json()
  local fields = core.fields(self)
  return fields._answer or not fields._operation and core.answer(self) or nil
end

-- ---- names ----

local NAMES = { id = true, kind = true, state = true, status = true, progress = true, result = true, error = true,
  polls = true, elapsed = true }

for name in pairs(methods) do
  NAMES[name] = true
end

-- The core asks for names that are neither methods nor fields of this job.
setmetatable(methods, { __index = function(_, name)
  return check.spelling("job", name, NAMES)
end })

return methods

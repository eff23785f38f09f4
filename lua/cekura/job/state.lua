--- Changes of a job's state, by an answer, by a record that a webhook delivered, or by this side.

local core = require "cekura.core"
local described = require "cekura.described"
local errors = require "cekura.errors"
local evaluation = require "cekura.records.evaluation"
local interpret = require "cekura.job.interpret"
local path = require "cekura.job.path"
local response = require "cekura.http.response"
local show = require "cekura.show"
local status = require "cekura.job.status"
local subscription = require "cekura.job.subscription"

local state = {}

-- A result is described by the names of its members: their texts may be long, or private.
local Result = described("cekura.result", function(result)
  local names = {}
  for name in pairs(result) do
    names[#names + 1] = tostring(name)
  end
  table.sort(names)
  return table.concat(names, ", ")
end)

local function as_result(value)
  return type(value) == "table" and getmetatable(value) == nil and setmetatable(value, Result) or value
end

local NONE = {}

local END_KINDS = { failed = "job_failed", cancelled = "job_cancelled", needs_input = "needs_input",
  protocol = "protocol" }

--- Gives the client's event handler an event about a job. What the handler raises is raised where the job is waited
-- for.
---@param fields cekura.JobFields
---@param event cekura.ClientEvent
function state.emit_event(fields, event)
  local client = core.fields(fields._client)
  if client._on_event then
    local ok, raised = pcall(client._on_event, event)
    if not ok then
      fields._raised = { raised }
    end
  end
end

--- Sets a field of a job, unless it has that value. A field that is not set has none in the job's own table, so it
-- needs no memory there: see cekura.job.common.
---@param fields cekura.JobFields
---@param name string
---@param value any
function state.set(fields, name, value)
  if fields[name] ~= value then
    fields[name] = value
  end
end

local function set_state(self, fields, name)
  if status.is_end(name) then
    core.ended(self)
  end
  state.set(fields, "state", name)
end

-- To be called after subscription.note_change(), which comes before the fields are changed: where memory runs out
-- later, the same answer is taken in again, and no longer differs from them.
local function changed(self, fields)
  if not core.fields(fields._client)._on_event then
    return
  end
  local word = fields.status and core.redact(fields._client, fields.status)
  state.emit_event(fields, { name = "job_changed", job = self, status = word, state = fields.state,
    progress = fields.progress })
  subscription.note_change(fields) -- waits may have begun while the event was handled
end

--- Gives the job a state that this side has decided.
---@param self cekura.Job
---@param fields cekura.JobFields
---@param name string
function state.change(self, fields, name)
  subscription.note_change(fields)
  set_state(self, fields, name)
  changed(self, fields)
end

--- An error about a job, whose message names it.
---@param self cekura.Job
---@param kind string
---@param message string
---@return cekura.Error
function state.error(self, kind, message)
  local fields = core.fields(self)
  return errors.new(kind, show.format("%s %s: ", fields.kind, fields.id or "") .. message, { job = self })
end

-- A result that an error may hold: the same, unless the service repeats a secret in its answer.
local function without_secrets(fields, meaning)
  local text = meaning.text or meaning.reply.body
  local clean = core.redact(fields._client, text)
  if clean == text then
    return meaning.result
  end
  local object = core.decode(clean)
  return type(object) == "table" and select(2, interpret.read(fields._declaration, object)) or nil
end

-- The error of a state in END_KINDS.
local function error_of(self, fields, meaning)
  local message = core.redact(fields._client, meaning.message)
  if meaning.state == "protocol" then
    local err = response.protocol_error(meaning.reply, message)
    err.job = self
    return err
  end
  local err = state.error(self, END_KINDS[meaning.state], errors.excerpt(message))
  err.method, err.path = fields._method, path.of(fields)
  if meaning.state == "needs_input" then
    err.response = response.redacted(meaning.reply) -- it contains the question, in an undocumented place
  end
  return err
end

--- Has the polls of other jobs learn from the state that an answer shows, see the interval "adaptive".
---@param self cekura.Job
---@param name string
function state.learn(self, name)
  if status.is_end(name) then
    core.learn_end(self)
  elseif name == "needs_input" then -- how long that takes depends on who answers
    core.disregard(self)
  end
end

--- Applies the meaning of an answer. Returns an error if the waits for the job must end although it goes on.
---@param self cekura.Job
---@param fields cekura.JobFields
---@param meaning cekura.Meaning
---@return cekura.Error? stop
function state.take(self, fields, meaning)
  local word, progress = interpret.progress(fields._declaration, meaning.object)
  local name = meaning.state ~= "protocol" and meaning.state or fields.state
  local changes = fields.state ~= name or fields.status ~= word or fields.progress ~= progress
  if changes then
    subscription.note_change(fields)
  end
  state.set(fields, "status", word)
  state.set(fields, "progress", progress)
  state.set(fields, "result", as_result(meaning.result))
  state.set(fields, "error", nil)
  local stop
  if END_KINDS[meaning.state] then
    fields.error = error_of(self, fields, meaning)
    fields.result = meaning.result and as_result(without_secrets(fields, meaning))
    fields.error.result = fields.result
    stop = not status.is_end(meaning.state) and fields.error or nil
  end
  if meaning.state ~= "protocol" then
    set_state(self, fields, meaning.state)
    state.learn(self, meaning.state)
  end
  if changes then
    changed(self, fields)
  end
  return stop
end

-- Whether a reply is the question that was answered: it may come a few times more before the service goes on. After
-- that, the same words are a new question.
local function is_answered(self, fields, reply)
  local answered = fields._answered_question
  if not answered or answered.question ~= reply.body or answered.times == 0 then
    state.set(fields, "_answered_question", nil)
    return false
  end
  answered.times = answered.times - 1
  core.force_update(self) -- so that the next reply is counted, too
  return true
end

-- Keeps a member that later requests need. The table of a new job is shared by all: see cekura.job.common.
local function carry(fields, name, value)
  local carried = fields._carried
  if value == nil or value == carried[name] then
    return
  end
  local own = { [name] = value }
  for each, kept in pairs(carried) do
    own[each] = own[each] or kept
  end
  fields._carried = own
end

--- Takes in what the reply to a request means.
---@param self cekura.Job
---@param fields cekura.JobFields
---@param meaning cekura.Meaning with its reply
---@return cekura.Error? stop as state.take() gives it
function state.take_answer(self, fields, meaning)
  local declaration = fields._declaration
  for _, name in ipairs(declaration.carry or NONE) do
    carry(fields, name, meaning.object[name])
  end
  if meaning.state == "needs_input" and is_answered(self, fields, meaning.reply) then
    meaning.state = "running"
  end
  if fields._operation and status.goes_on(meaning.state) then
    -- The work of a direct job is over, whatever its status word.
    meaning.state = "succeeded"
    meaning.result = declaration.record and meaning.object or interpret.result(declaration, meaning.object)
  end
  if fields._evaluation_mark and meaning.state ~= "succeeded" then
    fields._evaluation_mark = evaluation.next_mark(meaning.object, fields._evaluation_mark)
  end
  return state.take(self, fields, meaning)
end

--- Takes in a reply of a 2xx status.
---@param self cekura.Job
---@param fields cekura.JobFields
---@param reply cekura.Response
---@return cekura.Error? stop as state.take() gives it, or: the reply holds no JSON object, and nothing is taken in
function state.take_reply(self, fields, reply)
  local meaning, err = interpret.reply(fields._declaration, fields._evaluation_mark, reply)
  if not meaning then
    return err
  end
  return state.take_answer(self, fields, meaning)
end

--- Whether the body of a refusal has a `detail`: then the endpoint is there.
---@param reply cekura.Response
---@return boolean
function state.has_detail(reply)
  local object = response.refusal(reply)
  return object ~= nil and object.detail ~= nil
end

--- Turns a 404 or 410 of an endpoint whose path holds no record's id into kind "gone". The message, which names the
-- host, says that the endpoint was withdrawn only where nothing else explains the answer: the kind is known to be
-- withdrawn, the answer gives no reason, the base URL has no path, which may lead elsewhere, and the job was not
-- started here. The id of a job that was started elsewhere may be wrong.
---@param err cekura.Error
---@param declaration table of the kind
---@param polled? cekura.Job if the request was its poll
---@return cekura.Error err
function state.mark_gone(err, declaration, polled)
  if err.kind == "not_found" then
    err.kind = "gone"
    local has_path = core.fields(err.response._client)._base_url:find "^[A-Za-z]+://[^/]*/"
    local is_known = polled and core.started_here_at(polled)
    if declaration.withdrawn and not has_path and not is_known and not state.has_detail(err.response) then
      err.message = ("%s; the service %sremoved this endpoint from its documentation on %s"):format(err.message,
        polled and "does not know the job, or " or "", declaration.withdrawn)
    end
  end
  return err
end

return state

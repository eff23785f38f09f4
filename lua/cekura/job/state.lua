--- What becomes of a job: answers taken in, ends told, from whichever side they come.

local answer = require "cekura.job.interpret"
local core = require "cekura.core"
local errors = require "cekura.errors"
local evaluation = require "cekura.records.evaluation"
local record = require "cekura.records.record"
local request = require "cekura.http.request"
local response = require "cekura.http.response"
local subscription = require "cekura.job.subscription"

local state = {}

local ENDS = { succeeded = true, nothing_to_do = true, failed = true, cancelled = true, gone = true }

local END_KINDS = { failed = "job_failed", cancelled = "job_cancelled", needs_input = "needs_input",
  protocol = "protocol" }

local function tell_event(self, fields)
  local client = core.fields(fields._client)
  if client._on_event then
    local status = fields.status and core.redact(fields._client, fields.status)
    local ok, raised = pcall(client._on_event, { name = "job_changed", job = self, status = status,
      state = fields.state, progress = fields.progress })
    if not ok then
      fields._raised = { raised }
    end
  end
end

local function set_word(self, fields, word)
  fields.state = word
  if ENDS[word] and not fields._ended then
    fields._ended = true
    core.ended(self)
  end
end

local function changed(self, fields)
  fields._version = fields._version + 1
  tell_event(self, fields)
end

--- Gives the job a state that this side has decided.
---@param self cekura.Job
---@param fields table
---@param word string
function state.change(self, fields, word)
  set_word(self, fields, word)
  changed(self, fields)
end

--- Whether a state is an end.
function state.is_end(word)
  return ENDS[word] or false
end

-- A result that an error may hold: the same, unless the service repeats a secret in its answer.
local function without_secrets(fields, reply, result)
  local text = reply and reply.body or fields._answer
  local clean = core.redact(fields._client, text)
  if clean == text then
    return result
  end
  local object = core.decode(clean)
  return type(object) == "table" and select(2, answer.read(fields._declaration, object)) or nil
end

-- The error of a state that is none to be glad of.
local function error_of(self, fields, word, message, reply)
  local err = errors.new(END_KINDS[word], ("%s %s: %s"):format(fields.kind, fields.id or "", errors.excerpt(message)),
    { job = self, method = "GET", path = fields._path })
  if reply and word == "protocol" then
    err = response.protocol_error(reply, message)
    err.job = self
  elseif reply and word == "needs_input" then
    err.response = response.redacted(reply) -- where the question stands is not documented: somewhere in it
  end
  return err
end

-- What an answer says: state, result, message; and the answer, decoded. Nil and an error: it is no JSON object.
local function read_answer(fields, reply)
  local declaration = fields._declaration
  if declaration.record == "call_log" then
    local call, err = record.of_reply(reply)
    if not call then
      return nil, err
    end
    return call, answer.read_call_log(call, evaluation.is_newer(call, fields._mark))
  end
  local object, err = response.object(reply)
  if not object then
    return nil, err
  end
  local word, result, message = answer.read(declaration, object)
  if result and result.call_log == object then
    result.call_log = record.of_reply(reply)
  end
  for _, name in ipairs(declaration.carry or {}) do
    fields._kept[name] = object[name] or fields._kept[name]
  end
  return object, word, result, message
end

--- Takes in what an answer says. Returns an error if nobody is to wait any longer, though the job goes on.
---@param self cekura.Job
---@param fields table the job's own table
---@param object table|cekura.CallLog the answer
---@param reply? cekura.Response that it came by
---@param word string the state that it tells, or "protocol"
---@param result? table
---@param message? string
---@return cekura.Error? stop
function state.take_answer(self, fields, object, reply, word, result, message)
  local status, progress = answer.progress(fields._declaration, object)
  local before_state, before_status, before_progress = fields.state, fields.status, fields.progress
  fields.status, fields.progress, fields.result, fields.error = status, progress, result, nil
  local stop
  if END_KINDS[word] then
    fields.error = error_of(self, fields, word, core.redact(fields._client, message), reply)
    fields.result = result and without_secrets(fields, reply, result)
    fields.error.result = fields.result
    stop = not ENDS[word] and fields.error or nil
  end
  if word ~= "protocol" then
    set_word(self, fields, word)
  end
  if before_state ~= fields.state or before_status ~= status or before_progress ~= progress then
    changed(self, fields)
  end
  return stop
end

-- After an answer was given, the question may come a few times more before the service goes on. The same words
-- after that are a question again.
local function is_answered(self, fields, reply)
  local answered = fields._answered
  if not answered or answered.question ~= reply.body or answered.times == 0 then
    fields._answered = nil
    return false
  end
  answered.times = answered.times - 1
  core.force_update(self) -- so that the next one is counted, too
  return true
end

--- Takes in a good answer. Returns an error if nobody is to wait any longer, though the job goes on.
---@param self cekura.Job
---@param fields table the job's own table
---@param reply cekura.Response
---@return cekura.Error? stop
---@return boolean? odd nothing of it could be taken in: it is no JSON object
function state.take(self, fields, reply)
  local object, word, result, message = read_answer(fields, reply)
  if not object then
    return word, true
  end
  if word == "needs_input" and is_answered(self, fields, reply) then
    word = "running"
  end
  if fields._mark and word ~= "succeeded" then
    fields._mark = evaluation.next_mark(object, fields._mark)
  end
  return state.take_answer(self, fields, object, reply, word, result, message)
end

--- Whether an answer says in its own words what is missing: then that is not the endpoint.
---@param reply cekura.Response
---@return boolean
function state.has_detail(reply)
  local object = response.refusal(reply)
  return object ~= nil and object.detail ~= nil
end

--- 404 and 410 from an endpoint that holds no record's id mean the same: it is gone, or never was. The error names it
-- with its host, and says if it is known to be withdrawn: a base URL with a path may lead elsewhere.
---@param err cekura.Error
---@param declaration table of the kind
---@return cekura.Error err
function state.mark_gone(err, declaration)
  if err.kind == "not_found" then
    local origin, path = core.fields(err.response._client)._base_url:match "^([A-Za-z]+://[^/]*)(.*)$"
    local hint = ("from %s"):format(origin)
    if declaration.withdrawn and path == "" and not state.has_detail(err.response) then
      hint = ("%s took this endpoint out of its documents on %s"):format(origin, declaration.withdrawn)
    end
    err.kind, err.message = "gone", ("%s (%s)"):format(err.message, hint)
  end
  return err
end

-- ---- polls ----

-- Seconds after the answer to a start within which not every server of the service may know the job yet.
local GRACE = 15

-- Counts an odd answer. Returns whether it is one too many: one alone, a proxy's page say, is not to end paid work.
local function is_too_odd(self, fields)
  fields._odd = fields._odd + 1
  core.force_update(self) -- a good answer is then looked at, also if it is the known one: it ends the row
  return fields._odd >= core.fields(fields._client)._retries
end

local function is_early(fields, err)
  return err.status == 404 and fields._began_here ~= nil and core.now() < fields._began_here + GRACE
end

--- Takes in what a poll has brought: a reply, or an error.
---@param self cekura.Job
---@param fields table the job's own table
---@param reply? cekura.Response
---@param err? cekura.Error
---@param odd? boolean with an error: see request.read()
---@return cekura.Error? stop nothing is to wait for the job any longer: asking again will not help, or not now
---@return cekura.Error? failure the poll brought no answer that could be taken in
function state.take_poll(self, fields, reply, err, odd)
  if reply then
    err, odd = state.take(self, fields, reply)
    if not odd then
      fields._odd = 0
      return err
    end
  end
  local early = is_early(fields, err)
  err = state.mark_gone(err, fields._declaration) -- on a poll, 404 and 410 mean that the service does not know the job
  err.job = self
  if early or odd and not is_too_odd(self, fields) then
    return nil, err
  end
  fields.error = err
  if err.kind == "gone" then
    state.change(self, fields, "gone")
  end
  return err, err
end

--- The last trouble that was polled through; nil: none.
---@param self cekura.Job
---@return cekura.Error?
function state.trouble(self)
  local fields = core.fields(self)
  if not core.last_error(self) then
    return nil
  end
  local reply, err = request.read(fields._client, "GET", fields._path, core.last_error(self))
  if reply then
    err = select(2, read_answer(fields, reply))
  end
  return state.mark_gone(err, fields._declaration)
end

--- Called when the engine lists the job: its poll has brought something new.
function state.on_news(self)
  local fields = core.fields(self)
  local client = fields._client
  -- No news: a poll that nobody waits for any more is over. Ended: cancelled here, meanwhile.
  if fields._ended or not core.update(self) then
    if fields._ended then
      subscription.tell(self)
    end
    core.accept_update(client, self)
    return
  end
  local stop, failure = state.take_poll(self, fields, request.read(client, "GET", fields._path, core.update(self)))
  if stop or fields._ended or fields._version ~= fields._told then
    subscription.tell(self, stop)
  end
  if stop then
    fields._odd = 0
  end
  local go_on = failure and core.reject_update or core.accept_update
  go_on(client, self)
end

return state

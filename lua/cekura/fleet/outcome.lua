--- Outcomes of tasks as text, and back. The text is a line of JSON, with what the service did not say, and then the
-- last answer of the job as it came.

local core = require "cekura.core"
local encode = require "cekura.http.encode"
local errors = require "cekura.errors"
local path = require "cekura.job.path"
local show = require "cekura.show"
local start = require "cekura.job.start"
local status = require "cekura.job.status"

local outcome = {}

-- What is kept of an error that is no answer about a job.
local KEPT = { "kind", "message", "status", "fields", "retry_after", "method", "path", "attempts", "sent", "file",
  "traceback" }

local function kept_error(err)
  local kept = {}
  for _, name in ipairs(KEPT) do
    kept[name] = err[name]
  end
  return kept
end

--- How a task has ended, as the counters and the command name it.
---@param err? cekura.Error
---@return "done"|"failed"|"unknown"
function outcome.state(err)
  return not err and "done" or err.kind == "unknown_outcome" and "unknown" or "failed"
end

--- The error about a task that Redis does not have.
---@param fleet cekura.Fleet
---@param id string
---@return cekura.Error
function outcome.not_found(fleet, id)
  return errors.new("not_found", show.format("fleet %s: there is no task %s, or its outcome is no longer kept",
    fleet._name, id))
end

--- Writes an outcome.
---@param client cekura.Client
---@param task cekura.FleetTask
---@param err? cekura.Error
---@return string what "done", "failed" or "unknown", for the counters
---@return string text
function outcome.write(client, task, err)
  local kept, answer = { kind = task.kind, key = task.key, attempts = task.attempts }, nil
  local job = task.job
  local fields = job and core.fields(job)
  if fields then
    answer = job:json()
    kept.id, kept.path, kept.direct = fields.id, path.of(fields), fields._operation
    kept.is_end = answer ~= nil and status.is_end(fields.state) or nil
  end
  if err and not (kept.is_end and fields.error == err) then
    kept.is_end, kept.err = nil, kept_error(err)
  end
  return outcome.state(err), core.redact(client, encode(kept, "outcome") .. "\n" .. (kept.is_end and answer or ""))
end

--- The text of an outcome without a job.
---@param client? cekura.Client whose secrets the error may hold
---@param kind? string
---@param err cekura.Error
---@return string
function outcome.of_error(client, kind, err)
  local text = encode({ kind = kind, err = kept_error(err) }, "outcome") .. "\n"
  return client and core.redact(client, text) or text
end

--- Reads an outcome.
---@param client cekura.Client
---@param text string
---@return any result, cekura.Error? err, cekura.Job? job that has ended
function outcome.read(client, text)
  local line, answer = text:match "^([^\n]*)\n(.*)$"
  local kept = line and core.decode(line)
  if type(kept) ~= "table" then
    return nil, errors.new("protocol", "fleet: what Redis keeps of the outcome is not whole")
  elseif kept.err then
    local fields = {}
    for name, value in pairs(kept.err) do
      fields[name] = value
    end
    return nil, errors.new(kept.err.kind, kept.err.message, fields)
  end
  local job, err = start.ended(client, kept.kind, kept, answer)
  if not job then
    return nil, err
  end
  local result, failure = job:wait()
  return result, failure, job
end

return outcome

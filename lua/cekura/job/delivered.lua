--- Records that webhooks deliver. The record that a job polls for ends the job without a poll.

local atomic = require "cekura.loop.atomic"
local core = require "cekura.core"
local evaluation = require "cekura.records.evaluation"
local interpret = require "cekura.job.interpret"
local selection = require "cekura.job.selection"
local state = require "cekura.job.state"
local status = require "cekura.job.status"
local subscription = require "cekura.job.subscription"
local uri = require "cekura.http.uri"

local delivered = {}

-- A client maps a record to the list of its jobs, weakly: the jobs keep the list alive. The jobs are the list's weak
-- values, because a weak key that is being finalized would still be found.
local function record_key(event, id)
  return event .. " " .. uri.text("id", id)
end

--- Registers a job under its record.
---@param self cekura.Job
---@param fields cekura.JobFields
function delivered.register(self, fields)
  local all = core.fields(fields._client)._by_record
  local key = record_key(fields._declaration.event, fields.id)
  local same = all[key] or setmetatable({ count = 0 }, { __mode = "v" })
  same.count = same.count + 1
  same[same.count] = self
  fields._same_record, all[key] = same, same
end

-- The jobs of a record, as a copy of the list, because an event handler may add to it.
local function jobs_of(client, event, id)
  local jobs = {}
  if type(id) == "number" or type(id) == "string" then
    for place, self in pairs(core.fields(client)._by_record[record_key(event, id)] or {}) do
      if place ~= "count" then
        jobs[#jobs + 1] = self
      end
    end
  end
  return jobs
end

-- The meaning of a record for a job; its state is nil if nothing is new.
local function read_record(fields, object, text)
  local declaration, mark = fields._declaration, fields._evaluation_mark
  local meaning = { object = object, text = text }
  if declaration.record ~= "call_log" then
    meaning.state, meaning.result, meaning.message = interpret.read(declaration, object)
  elseif object:evaluated() and not (mark and evaluation.is_stale(object, mark)) then
    meaning.state, meaning.result = "succeeded", object
  end
  return meaning
end

--- Processes a record that a webhook has delivered. If the record shows an end, the jobs that poll for it end.
---@param client cekura.Client
---@param event string "call_log", "result", …
---@param object cekura.CallLog|table
---@param text string the JSON text of the object
delivered.take = atomic(function(client, event, object, text)
  for _, self in ipairs(jobs_of(client, event, object.id)) do
    local fields = core.fields(self)
    if not status.is_end(fields.state) then
      local meaning = read_record(fields, object, text)
      local is_end = status.is_end(meaning.state)
      if is_end and interpret.lacks_counts(fields._declaration, object) then
        core.expedite(self) -- a poll brings the record with its counts
      elseif is_end and selection.is_lacking(fields, meaning) then
        selection.ask(self, fields, selection.of_result(fields))
      elseif is_end then
        fields._answer = text
        state.take(self, fields, meaning)
        subscription.notify(self)
      end
    end
  end
end)

return delivered

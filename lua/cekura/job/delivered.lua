--- What webhooks tell of jobs: a record that a job is polled by has come by itself.

local interpret = require "cekura.job.interpret"
local atomic = require "cekura.loop.atomic"
local core = require "cekura.core"
local evaluation = require "cekura.records.evaluation"
local state = require "cekura.job.state"
local uri = require "cekura.http.uri"
local subscription = require "cekura.job.subscription"

local delivered = {}

-- Jobs are found by their record. They hold the list that they are in, the client does not: it is gone when they
-- are. The list is weak by value, since a key that is being finalized would still be found.
local function record_key(event, id)
  return event .. " " .. uri.text("id", id)
end

--- Lets webhooks find the job by its record.
---@param self cekura.Job
---@param fields table the job's own table
function delivered.register(self, fields)
  local all = core.fields(fields._client)._by_record
  local key = record_key(fields._declaration.event, fields.id)
  local same = all[key] or setmetatable({ count = 0 }, { __mode = "v" })
  same.count = same.count + 1
  same[same.count] = self
  fields._same_record, all[key] = same, same
end

-- The jobs of a record; a list of its own, since an event handler may add to the other.
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

-- What a record says that a webhook told of: state, result, message. Nil: nothing new.
local function read_record(fields, object)
  local declaration, mark = fields._declaration, fields._evaluation_mark
  if declaration.record ~= "call_log" then
    return interpret.read(declaration, object)
  elseif object:evaluated() and not (mark and evaluation.is_stale(object, mark)) then
    return "succeeded", object
  end
end

--- Takes in a record that a webhook told of. The jobs that wait for its end have it at once.
---@param client cekura.Client
---@param event string "call_log", "result", …
---@param object cekura.CallLog|table
---@param text string the same, as it came
delivered.take = atomic(function(client, event, object, text)
  for _, self in ipairs(jobs_of(client, event, object.id)) do
    local fields = core.fields(self)
    if not fields._ended then
      local word, result, message = read_record(fields, object)
      if state.is_end(word) and interpret.lacks_counts(fields._declaration, object) then
        core.expedite(self) -- the record itself has them
      elseif state.is_end(word) then
        fields._answer = text
        state.take_answer(self, fields, object, nil, word, result, message)
        subscription.notify(self)
      end
    end
  end
end)

return delivered

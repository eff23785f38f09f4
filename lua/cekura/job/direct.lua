--- Direct jobs: one POST that the service answers when the work is done. A direct job has no id, is not polled, and
-- cannot be resumed elsewhere; for its waiters it is a job like any other. It is `pending` while its request is queued
-- for one of the client's places for direct jobs (`max_direct`), and `running` once the request is sent.

local atomic = require "cekura.loop.atomic"
local core = require "cekura.core"
local request = require "cekura.http.request"
local state = require "cekura.job.state"
local status = require "cekura.job.status"
local subscription = require "cekura.job.subscription"

local direct = {}

-- Seconds after the request is sent. The service itself gives up, with an error, after 15 minutes.
local TIMEOUT = 16 * 60

-- ---- the end ----

-- Processes the error of the request. The service may still work on a request that was cut off, or that timed out at a
-- gateway.
local function take_error(self, fields, err)
  if err.kind == "closed" then
    return err -- ends the waits, though the job's end is unknown
  end
  if err.kind == "unknown_outcome" then
    err.message = err.message .. "; it may still complete in the service"
  end
  err = state.mark_gone(err, fields._declaration)
  err.job, fields.error = self, err
  state.change(self, fields, err.kind == "gone" and "gone" or "failed")
end

-- Takes in the answer.
local function take_reply(self, fields, reply)
  fields._answer = reply.body
  local stop = state.take_reply(self, fields, reply)
  if stop then -- no answer of a direct job can be waited for again
    stop.job, fields.error = self, stop
    state.change(self, fields, "failed")
  end
end

-- ---- the request ----

local Request = {}
Request.__index = Request

-- Called by cekura.loop.dispatch when the request has been sent, then without an outcome, and at its end. Returns
-- whether that was the end. After a lack of memory it is called again.
function Request:on_change(outcome)
  local job, fields = self.job, core.fields(self.job)
  fields._raised = self._raised or fields._raised
  self._raised = false
  if outcome then
    fields._in_flight = nil
  end
  if status.is_end(fields.state) then -- cancelled here, or this very end before
    subscription.notify(job)
    return outcome ~= nil
  elseif not outcome then
    if fields.state == "pending" then
      state.change(job, fields, "running")
    end
    subscription.notify(job)
    return false
  end
  local reply, err = request.read(fields._client, fields._method, fields._path, outcome)
  local stop
  if reply then
    take_reply(job, fields, reply)
  else
    stop = take_error(job, fields, err)
  end
  subscription.notify(job, stop)
  return true
end

--- Submits the request of a direct job.
---@param self cekura.Job
---@param outgoing cekura.Request without headers and body
---@param body table
---@return cekura.Job? job, cekura.Error? err
direct.submit = atomic(function(self, outgoing, body)
  local fields = core.fields(self)
  outgoing.direct, outgoing.owner, outgoing.timeout = true, fields, outgoing.timeout or TIMEOUT
  outgoing.job, outgoing._raised, outgoing._request = self, false, false
  local err = request.submit_json(fields._client, setmetatable(outgoing, Request), fields.kind, body)
  if err then
    return nil, err
  end
  fields._operation = true
  return self
end)

return direct

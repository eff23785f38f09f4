--- One step of a client's engine, and what follows from it: events told, waiters woken.
-- Every loop calls this, in its own way: the own loop between its tasks, another when the client's
-- descriptor is readable.

local atomic = require "cekura.loop.atomic"
local core = require "cekura.core"
local subscription = require "cekura.job.subscription"

-- A raised error must not hurt the others whom the same step serves: it is kept for the one who waits
-- for that operation or job.
local function tell(fields, event, subject)
  local ok, raised = pcall(fields._on_event, event)
  if not ok and subject then
    subject._raised = { raised }
    if event.job then
      subscription.tell(event.job)
    end
  end
end

local function next_event(client, fields)
  local name, object, tries, status, outcome, pause, elapsed = core.next_event(client)
  if not name then
    return false
  end
  -- An operation is described by its entry, a job by its own table.
  local is_job = core.type(object) == "job"
  if is_job then
    core.settle_anchor(client, object)
  end
  local subject = is_job and core.fields(object) or fields._pending[object]
  local event = { name = name, attempt = tries, method = subject and subject._method, path = subject and subject._path }
  if is_job then
    event.job = object
  end
  if name ~= "request_started" then
    event.status = status > 0 and status or nil
    event.outcome = outcome
    event.elapsed = elapsed
  end
  if name == "request_retried" then
    event.pause = pause
  end
  tell(fields, event, subject)
  return true
end

local function finish(client, fields, operation)
  local entry = fields._pending[operation]
  if entry then -- otherwise its waiter is gone
    entry.done = true
    if entry.waiter then
      fields._loop.wake(entry.waiter)
    end
    fields._pending[operation] = nil
  end
  core.release(client, operation)
end

-- Handles the next finished operation or job; `taking` holds it meanwhile. Returns whether there was one.
local function take_next(client, fields, taking)
  if fields._on_event then
    while next_event(client, fields) do end
  end
  taking.item = core.next_completion(client)
  local item = taking.item
  if core.type(item) == "job" then
    fields._on_update(item)
  elseif item then
    finish(client, fields, item)
  end
  taking.item = false
  return item ~= nil
end

--- Steps the client once. If memory runs out, it raises that error, and the item being handled is listed again for the
-- next step.
---@param client cekura.Client
---@param seconds? number block so long, or until there is something to do; only the own loop does
local advance = atomic(function(client, seconds)
  local fields, taking = core.fields(client), { item = false }
  core.step(client, seconds)
  local ok, more
  repeat
    ok, more = pcall(take_next, client, fields, taking)
  until not (ok and more)
  if ok then
    return
  end
  if taking.item and more == "not enough memory" then
    local list_again = core.type(taking.item) == "job" and core.list_job_again or core.list_operation_again
    list_again(taking.item)
  end
  error(more, 0)
end)

return advance

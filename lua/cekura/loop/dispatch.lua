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
  local event = core.next_event(client)
  if not event then
    return false
  end
  local object = event.subject
  event.subject = nil
  -- An operation is described by its entry, a job by its own table.
  local subject
  if core.type(object) == "job" then
    core.settle_anchor(client, object)
    event.job, subject = object, core.fields(object)
  else
    subject = fields._pending[object]
  end
  event.method, event.path = subject and subject._method, subject and subject._path
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
    fields._on_news(item)
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
    core.relist(taking.item)
  end
  error(more, 0)
end)

return advance

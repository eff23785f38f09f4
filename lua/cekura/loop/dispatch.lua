--- One step of a client's engine, and what follows from it: events are delivered, waiters are woken.
-- Every loop calls this: the own loop between its tasks, others when the client's descriptor is readable.

local atomic = require "cekura.loop.atomic"
local core = require "cekura.core"
local described = require "cekura.described"
local show = require "cekura.show"
local subscription = require "cekura.job.subscription"

local Event = described("cekura.client_event", function(event)
  local path = show.format("%s %s", event.method or "?", event.path or "?")
  return show.format("%s, %s", event.name, path) .. (event.outcome and ": " .. event.outcome or "")
end)

-- An error that an event handler raises must not end the waits of others that the same step serves: it is raised again
-- in the task that waits for that operation or job.
local function deliver(fields, event, subject)
  local ok, raised = pcall(fields._on_event, event)
  if not ok and subject then
    subject._raised = { raised }
    if event.job then
      subscription.notify(event.job)
    end
  end
end

-- The number of the request that an event is about. A request has one from its first event to its last: its place is in
-- the subject from the beginning, since memory may run out here.
local function number_of(event, subject)
  local number = subject and subject._request or core.serial()
  if subject then
    subject._request = event.name ~= "request_finished" and number
  end
  return number
end

-- Delivers the next event; returns whether there was one.
local function deliver_next(client, fields)
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
  event.method = subject and subject._method
  event.path = event.job and fields._path_of(subject) or subject and subject._path
  event.request = number_of(event, subject)
  setmetatable(event, Event)
  deliver(fields, event, subject)
  return true
end

local function finish(client, fields, operation)
  local entry = fields._pending[operation]
  if entry and entry.on_change and not entry:on_change(core.outcome(operation)) then
    return -- it goes on
  end
  if entry then -- else its waiter has given up
    entry.done = true
    if entry.waiter then
      entry.waiter:wake()
    end
    fields._pending[operation] = nil
  end
  core.release(client, operation)
end

-- Handles the next completion, of an operation or a job; `taken` holds it meanwhile. Returns whether there was one.
local function complete_next(client, fields, taken)
  if fields._on_event then
    while deliver_next(client, fields) do end
  end
  taken.item = core.next_completion(client)
  local item = taken.item
  if core.type(item) == "job" then
    fields._on_update(item)
  elseif item then
    finish(client, fields, item)
  end
  taken.item = false
  return item ~= nil
end

--- Steps the client once. If memory runs out, it raises that error, and the item being handled is listed again for the
-- next step.
---@param client cekura.Client
---@param seconds? number block so long, or until there is something to do; only the own loop does
local dispatch = atomic(function(client, seconds)
  local fields, taken = core.fields(client), { item = false }
  core.step(client, seconds)
  local ok, more
  repeat
    ok, more = pcall(complete_next, client, fields, taken)
  until not (ok and more)
  if ok then
    return
  end
  if taken.item and more == "not enough memory" then
    core.relist(taken.item)
  end
  error(more, 0)
end)

return dispatch

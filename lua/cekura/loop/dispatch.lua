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
  local subject = event.subject
  event.subject = nil
  if type(subject) == "table" then -- a request
    event.method, event.path = subject.method, subject.shown
  elseif subject then
    event.job = subject
    core.settle_anchor(client, subject)
    subject = core.fields(subject)
    event.method, event.path = subject._method, fields._path_of(subject)
  end
  event.request = number_of(event, subject)
  setmetatable(event, Event)
  deliver(fields, event, subject)
  return true
end

-- Ends a request that no waiter waits for.
local function finish(client, request)
  if not request.on_change or request:on_change(core.outcome(client, request)) then
    core.release(client, request) -- it has ended; without `on_change`, its waiter has given up
  end
end

-- Handles all completions, of requests and jobs; `taken` holds the one being handled.
local function complete_all(client, fields, taken)
  repeat
    if fields._on_event then
      while deliver_next(client, fields) do end
    end
    local item, is_job = core.next_completion(client)
    taken.item = item or false
    if is_job then
      fields._on_update(item)
    elseif item then
      local waiter = item.waiter
      if waiter then
        waiter:wake()
        item.outcome = core.release(client, item)
      else
        finish(client, item)
      end
    end
  until not item
end

--- Steps the client once. If memory runs out, it raises that error, and the item being handled is listed again for the
-- next step.
---@param client cekura.Client
---@param seconds? number block so long, or until there is something to do; only the own loop does
local dispatch = atomic(function(client, seconds)
  local fields, taken = core.fields(client), { item = false }
  core.step(client, seconds)
  local ok, raised = pcall(complete_all, client, fields, taken)
  if ok then
    return
  end
  if taken.item and raised == "not enough memory" then
    core.relist(client, taken.item)
  end
  error(raised, 0)
end)

return dispatch

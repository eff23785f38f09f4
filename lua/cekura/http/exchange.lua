--- Sends a request, and waits for its end in the client's loop.

local atomic = require "cekura.loop.atomic"
local core = require "cekura.core"
local errors = require "cekura.errors"
local show = require "cekura.show"

local exchange = {}

-- Maps the operation to its waiter.
local function register(pending, operation, entry, owner)
  pending[operation] = entry
  if owner then
    owner._in_flight[operation] = true
  end
end

--- Sends a request without waiting. An operation that cannot be registered is cancelled, since nothing would wait for
-- its end.
---@param client cekura.Client
---@param outgoing cekura.Request with its `url`
---@param shown string the path for events and errors
---@param entry table `waiter` is woken at its end. `on_change(entry, outcome)` is called instead when it is sent, then
---without an outcome, if the request is direct, and at its end; it returns whether that was the end
---@return userdata? operation, cekura.Error? err of kind "closed": the client is closed, or there is no memory
exchange.submit = atomic(function(client, outgoing, shown, entry)
  local pending, owner = core.fields(client)._pending, outgoing.owner
  if owner then
    owner._in_flight = owner._in_flight or {}
  end
  local operation = core.submit(client, outgoing)
  if not operation then
    local message = core.is_closed(client) and "the client is closed" or "out of memory"
    return nil, errors.new("closed", show.format("%s %s: %s", outgoing.method, shown, message),
      { method = outgoing.method, path = shown, sent = false })
  end
  local registered, raised = pcall(register, pending, operation, entry, owner)
  if not registered then -- no memory
    pending[operation] = nil
    core.cancel(operation)
    error(raised, 0)
  end
  return operation
end)

local finish = atomic(function(operation, entry, owner, waiter)
  local raised = entry._raised or owner and owner._raised or nil
  if raised then
    waiter:defer_cancel()
  end
  if owner then
    owner._in_flight[operation], owner._raised = nil, raised
  elseif raised then
    error(raised[1], 0)
  end
  return core.outcome(operation)
end)

--- Sends a request and waits for its end. An error that an event handler raised about the request is raised here, or,
-- if the request has an owner, left in the owner's `_raised`: the owner has something to lose.
---@param client cekura.Client
---@param outgoing cekura.Request with its `url`; while it runs, the operation is a key of its owner's `_in_flight`, so
---that it can be cancelled
---@param shown string the path for events and errors
---@return cekura.Outcome? outcome, cekura.Error? err
function exchange.wait(client, outgoing, shown)
  local loop = core.fields(client)._loop
  local waiter = loop.waiter() -- raises where this host cannot wait, before anything is sent
  local entry = { waiter = waiter, done = false, _raised = false, _request = false, _method = outgoing.method,
    _path = shown }
  local operation, err = exchange.submit(client, outgoing, shown, entry)
  if not operation then
    return nil, err
  end
  while not entry.done do
    if waiter:park() == "cancelled" then
      if not core.cancel(operation) then -- it has ended just now
        waiter:defer_cancel()
      end
      entry.waiter = nil -- the entry stays for later events
      break
    end
  end
  return finish(operation, entry, outgoing.owner, waiter)
end

return exchange

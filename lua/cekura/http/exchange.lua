--- Sends a request, and waits for its end in the client's loop.
--
-- A request, a cekura.Request, is the object of what is in flight, too. While it is, the core holds it; at its end
-- cekura.loop.dispatch sets its `outcome` and wakes its `waiter`. If it has a function `on_change(request, outcome)`,
-- that is called instead: when it is sent, then without an outcome, if it is direct, and at its end; it returns whether
-- that was the end.

local atomic = require "cekura.loop.atomic"
local core = require "cekura.core"
local errors = require "cekura.errors"
local show = require "cekura.show"

local exchange = {}

local function refused(client, outgoing)
  local message = core.is_closed(client) and "the client is closed" or "out of memory"
  return errors.new("closed", show.format("%s %s: %s", outgoing.method, outgoing.shown, message),
    { method = outgoing.method, path = outgoing.shown, sent = false })
end

--- Sends a request without waiting. While it runs, it is a key of its owner's `_in_flight`, so that it can be
-- cancelled.
---@param client cekura.Client
---@param outgoing cekura.Request with `url` and `shown`
---@return cekura.Error? err of kind "closed": the client is closed, or there is no memory
exchange.submit = atomic(function(client, outgoing)
  local owner = outgoing.owner
  if owner then
    owner._in_flight = owner._in_flight or {}
    owner._in_flight[outgoing] = true
  end
  if core.submit(client, outgoing) then
    return nil
  elseif owner then
    owner._in_flight[outgoing] = nil
  end
  return refused(client, outgoing)
end)

-- Ends the wait of a request whose error handler raised, or that belongs to an owner.
local finish = atomic(function(outgoing, waiter)
  local owner = outgoing.owner
  local raised = outgoing._raised or owner and owner._raised or nil
  if raised then
    waiter:defer_cancel()
  end
  if owner then
    owner._in_flight[outgoing], owner._raised = nil, raised
  elseif raised then
    error(raised[1], 0)
  end
end)

--- Sends a request and waits for its end. An error that an event handler raised about the request is raised here, or,
-- if the request has an owner, left in the owner's `_raised`: the owner has something to lose.
---@param client cekura.Client
---@param fields cekura.ClientFields
---@param outgoing cekura.Request with `url` and `shown`
---@return cekura.Outcome? outcome, cekura.Error? err
function exchange.wait(client, fields, outgoing)
  local waiter = fields._loop.waiter() -- raises where this host cannot wait, before anything is sent
  outgoing.waiter, outgoing.outcome = waiter, false
  if fields._on_event then -- memory may run out when they are set
    outgoing._raised, outgoing._request = false, false
  end
  if outgoing.owner then
    local err = exchange.submit(client, outgoing)
    if err then
      return nil, err
    end
  elseif not core.submit(client, outgoing) then
    return nil, refused(client, outgoing)
  end
  while not outgoing.outcome do
    if waiter:park() == "cancelled" then
      if not core.cancel(client, outgoing) then -- it has ended just now
        waiter:defer_cancel()
      end
      outgoing.outcome = outgoing.outcome or core.outcome(client, outgoing)
      outgoing.waiter = false -- the core still holds the request, for later events
      break
    end
  end
  if outgoing._raised or outgoing.owner then
    finish(outgoing, waiter)
  end
  return outgoing.outcome
end

return exchange

--- Sends a request and waits for its end, in whichever loop the client lives.

local atomic = require "cekura.loop.atomic"
local core = require "cekura.core"
local errors = require "cekura.errors"

-- Maps the operation to its waiter.
local function enlist(fields, operation, entry, owner)
  fields._pending[operation] = entry
  if owner then
    owner._in_flight[operation] = true
  end
end

-- A request whose end nothing would wait for is not sent. Returns the operation; nil: there is none.
local begin = atomic(function(client, entry, owner, ...)
  local fields = core.fields(client)
  if owner then
    owner._in_flight = owner._in_flight or {}
  end
  local operation = core.submit(client, ...)
  if not operation then
    return nil
  end
  local enlisted, raised = pcall(enlist, fields, operation, entry, owner)
  if not enlisted then -- no memory
    fields._pending[operation] = nil
    core.cancel(operation)
    error(raised, 0)
  end
  return operation
end)

local finish = atomic(function(operation, entry, owner)
  if owner then
    owner._in_flight[operation] = nil
    owner._raised = entry._raised or owner._raised or nil
  elseif entry._raised then
    error(entry._raised[1], 0)
  end
  return core.outcome(operation)
end)

--- Waits, and returns the outcome as core.outcome() gives it; nil and an error if there is none.
-- What an event handler raised about the request is raised here, or, with an owner, left in its field
-- `_raised`: the owner has something to lose. While the request runs, its operation is a key of the
-- owner's `_in_flight`, so that it can be cancelled.
---@param client cekura.Client
---@param shown string the path as events and errors tell of it
---@param owner? table
---@param turn? cekura.Turn
---@return string? kind, integer|cekura.Error status, string headers, string body, string? message, integer tries,
---boolean sent, number? retry_after
local function await(client, method, path, shown, headers, body, timeout, owner, turn)
  local fields = core.fields(client)
  local loop = fields._loop
  local waiter = loop.waiter() -- raises where this host cannot wait, before anything is sent
  local entry = { waiter = waiter, done = false, _raised = false, _method = method, _path = shown }
  local stands_for_it = turn and turn.endpoint and fields._base_url .. turn.endpoint
  local operation = begin(client, entry, owner, method, fields._base_url .. path, headers, body, timeout,
    stands_for_it, turn and turn.urgent, turn and turn.once)
  if not operation then
    local message = core.is_closed(client) and "the client is closed" or "out of memory"
    return nil, errors.new("closed", ("%s %s: %s"):format(method, shown, message),
      { method = method, path = shown, sent = false })
  end
  while not entry.done do
    if loop.park(waiter) == "cancelled" then
      core.cancel(operation)
      entry.waiter = nil -- event handlers are told yet
      break
    end
  end
  return finish(operation, entry, owner)
end

return await

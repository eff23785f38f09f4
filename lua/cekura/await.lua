--- Sends a request and waits for its end, in whichever loop the client lives.

local core = require "cekura.core"
local errors = require "cekura.errors"

--- Waits, and returns the outcome as core.outcome() gives it; nil and an error if there is none.
---@param client cekura.Client
---@return string? kind, integer|cekura.Error status, string headers, string body, string? message, integer tries,
---boolean sent, number? retry_after
local function await(client, method, path, headers, body, timeout)
  local fields = core.fields(client)
  local loop = fields._loop
  local waiter = loop.waiter() -- raises where this host cannot wait, before anything is sent
  local operation = core.submit(client, method, fields._base_url .. path, headers, body, timeout)
  if not operation then
    local message = core.is_closed(client) and "the client is closed" or "out of memory"
    return nil, errors.new("closed", ("%s %s: %s"):format(method, path, message),
      { method = method, path = path, sent = false })
  end
  local entry = { waiter = waiter, _method = method, _path = path }
  fields._pending[operation] = entry
  while not entry.done do
    if loop.park(waiter) == "cancelled" then
      core.cancel(operation)
      fields._pending[operation] = nil
      break
    end
  end
  if entry._raised then
    error(entry._raised[1], 0)
  end
  return core.outcome(operation)
end

return await

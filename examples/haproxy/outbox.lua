-- Keeps a call log for each request, and sends them beside everything else: `lua-load examples/haproxy/outbox.lua` in
-- the global section, and in a frontend
--
--   http-request lua.keep_call if { path_beg /call/ }
--
-- The directory belongs to the user of HAProxy. With `chroot`, HAProxy keeps calls, and another process sends them:
-- `cekura-lua outbox run DIRECTORY`.

local cekura = require "cekura"

local PATH = os.getenv "CEKURA_OUTBOX" or "/var/spool/cekura"

-- Opened while HAProxy still has the rights that it begins with.
local outbox = cekura.assert(cekura.outbox { path = PATH })

-- put() never waits, so the request is not delayed.
core.register_action("keep_call", { "http-req" }, function(txn)
  local ok, err = outbox:put { call_id = txn.f:path():match "[^/]+$", agent = 2142, call_ended_reason = "hangup" }
  if not ok then
    txn:Alert(tostring(err))
  end
end)

-- One process sends at a time; others of the same directory stand by.
core.register_task(function()
  local sender = cekura.assert(cekura.outbox { path = PATH, client = cekura.assert(cekura.new()) })
  local _, err = sender:run()
  if err then
    core.Alert(tostring(err))
  end
end)

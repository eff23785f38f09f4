-- For Kamailio's app_lua: kamailio.cfg calls these functions. A SIP request is answered with the status of a call log,
-- for which its worker waits; an improvement runs in a task, which the process of the timer steps.
--
-- The key comes from CEKURA_API_KEY, or from ~/.cekura/config.toml of the user who starts Kamailio.

local cekura = require "cekura"

local client

-- Each process has a Lua state, and so a client. Kamailio forks after it has loaded this file.
local function own_client()
  client = client or cekura.assert(cekura.new { timeout = 2 })
  return client
end

function on_request()
  local call, err = own_client().calls:get(101)
  if call then
    KSR.sl.send_reply(200, call.status)
  else
    KSR.err(tostring(err) .. "\n")
    KSR.sl.send_reply(503, "Service Unavailable")
  end
end

local function improve()
  local job = cekura.assert(own_client().calls:improve_prompt {
    agent_id = 2142, call_logs = { 101, 102 }, prompt = "You are the receptionist of Lakeside Dental. Be brief.",
  })
  local result = cekura.assert(job:wait { timeout = 300 })
  KSR.err("Improved prompt: " .. result.improved_prompt .. "\n") -- shown at any level of logging
end

local task

function on_tick()
  task = task or cekura.spawn(improve)
  cekura.step()
end

-- For Kamailio's app_lua: kamailio.cfg calls these functions. on_call_end runs in the process that handles a BYE, and
-- writes to the disk only; send_calls is all that its own process does, and the only function that needs the API key.

local cekura = require "cekura"

local AGENT = 2142 -- the agent's id at Cekura
local OUTBOX = "/var/lib/cekura/kamailio"
local CONFIG = "/etc/kamailio/cekura.toml" -- has the key: api_key = "…"

local outbox

-- Each process opens the outbox for itself. Kamailio forks after it has loaded this file.
local function put(call)
  if not outbox then
    local opened, err = cekura.outbox { path = OUTBOX }
    if not opened then
      return nil, err
    end
    outbox = opened
  end
  return outbox:put(call)
end

local function who_hung_up()
  if KSR.pv.get "$rm" ~= "BYE" then
    return "timeout" -- of the dialog module: no BYE came
  end
  return KSR.pv.get "$ft" == KSR.pv.get "$dlg(from_tag)" and "caller hung up" or "agent hung up"
end

-- A time as seconds since the epoch, but not before another one: the clock may have been set back during the call.
local function time(variable, earliest)
  return math.max(tonumber(KSR.pv.get(variable)), earliest or 0)
end

function on_call_end()
  local began = time "$dlg_var(began)"
  local answered = time("$dlg_var(answered)", began)
  local ok, err = put(cekura.call {
    call_id = KSR.pv.get "$dlg(callid)",
    agent = AGENT,
    started_at = began, answered_at = answered, ended_at = time("$TV(Sn)", answered),
    customer_number = KSR.pv.get "$(dlg(from_uri){uri.user})",
    call_ended_reason = who_hung_up(),
    metadata = { from = KSR.pv.get "$dlg(from_uri)", to = KSR.pv.get "$dlg(to_uri)" },
  })
  if not ok then
    KSR.err("The call log is lost: " .. tostring(err) .. "\n")
  end
end

local function send()
  local client = cekura.assert(cekura.new { config_file = CONFIG })
  local all = cekura.assert(cekura.outbox {
    path = OUTBOX, client = client,
    on_refused = function(call, err)
      KSR.err(("The call log %s is refused: %s\n"):format(call.call_id, tostring(err)))
    end,
  })
  cekura.assert(all:run()) -- until the key is refused, for instance
end

function send_calls()
  while true do
    local _, err = pcall(send)
    KSR.err("Call logs wait in " .. OUTBOX .. ": " .. tostring(err) .. "\n")
    cekura.sleep(60)
  end
end

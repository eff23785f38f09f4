-- The Lua part of haproxy.cfg in this folder.

local cekura = require "cekura"
local cjson = require "cjson.safe"

-- Created on first use: HAProxy loads this file before it forks, and a client does not outlive a fork.
local client

local function the_client()
  client = client or cekura.assert(cekura.new())
  return client
end

local STATUS = { config = 500, invalid = 400, not_found = 404, gone = 410, rate_limited = 429, timeout = 504,
  closed = 503 }

local function answer(applet, status, value)
  local body = cjson.encode(value) .. "\n"
  applet:set_status(status)
  applet:add_header("content-type", "application/json")
  applet:add_header("content-length", tostring(#body))
  applet:start_response()
  applet:send(body)
end

local function fail(applet, err)
  core.log(core.warning, tostring(err))
  answer(applet, STATUS[err.kind] or 502, { error = err.message })
end

-- Starts a job and answers when it is done. HAProxy serves all other traffic while the service waits.
core.register_service("improve", "http", function(applet)
  local given = cjson.decode(applet:receive() or "")
  if type(given) ~= "table" then
    return answer(applet, 400, { error = "the body must be a JSON object" })
  end
  -- A missing or mistyped parameter raises, as a mistake of the program. Here it is a mistake of the HTTP client.
  local ok, job, err = pcall(function()
    return the_client().calls:improve_prompt {
      agent_id = given.agent_id, call_logs = given.call_logs, prompt = given.prompt,
    }
  end)
  if not ok then
    return answer(applet, 400, { error = job })
  elseif not job then
    return fail(applet, err)
  end
  local result
  result, err = job:wait()
  if result then
    answer(applet, 200, { state = job.state, improved_prompt = result.improved_prompt,
      summary = result.summary_of_changes })
  elseif err.kind == "timeout" or err.kind == "closed" then -- the service still works on it
    answer(applet, 202, { state = job.state, token = job:token() })
  else
    fail(applet, err)
  end
end)

-- Webhooks of the service, by the secret of the project's settings. One ends the waits for the record that it is about.
local receive

core.register_service("webhook", "http", function(applet)
  receive = receive or the_client():webhook { secret = os.getenv "CEKURA_WEBHOOK_SECRET" }
  local event, err = receive(applet.headers, applet:receive() or "")
  if not event then
    return answer(applet, err.kind == "auth" and 401 or 400, { error = err.message })
  elseif not event.duplicate and event.call_log then
    core.log(core.notice, ("%s: call log %s is %s"):format(event.type, event.call_log.id, event.call_log.status))
  end
  answer(applet, 200, { type = event.type, duplicate = event.duplicate })
end)

-- How many calls of the last hour have failed: looked up every minute, beside the traffic, and read by the
-- configuration as lua.failed_calls.
local failed_calls = "unknown"

core.register_fetches("failed_calls", function()
  return failed_calls
end)

local function count_failed_calls()
  local calls = the_client().calls:each { timestamp_from = os.time() - 3600, { "success", "eq", false },
    fields = { "id" } }
  local count = 0
  for _ in calls do -- raises if a page cannot be fetched
    count = count + 1
  end
  return tostring(count)
end

cekura.spawn(function()
  repeat
    local ok, value = pcall(count_failed_calls)
    if not ok then
      core.log(core.warning, tostring(value))
    end
    failed_calls = ok and value or "unknown"
  until not pcall(cekura.sleep, 60) -- raises when HAProxy stops
end)

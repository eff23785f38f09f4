-- A Prosody module that improves prompts over HTTP. Prosody keeps serving while a job runs.
--
--   POST /cekura/improve_prompt {"agent_id": 2142, "call_logs": [5181749], "prompt": "Be nice."}
--     answers when the job ends: {"improved_prompt": "…", "summary_of_changes": "…"}, {"reason": "…"} if there is
--     nothing to do, {"error": "…"} if the job failed
--   GET /cekura/jobs
--     lists the running jobs: [{"id": "…", "status": "processing", "elapsed": 1.5}]
--
--   POST /cekura/webhook
--     webhooks of the service, if the option cekura_webhook_secret, or CEKURA_WEBHOOK_SECRET, has the secret of the
--     project's settings
--
-- The body is application/json. Every client that reaches these routes uses the key: have mod_http listen on loopback
-- only, or have a proxy before it that authenticates clients. The key is the option cekura_api_key, or CEKURA_API_KEY,
-- or that of ~/.cekura/config.toml.

local array = require "util.array"
local cekura = require "cekura"
local json = require "util.json"

module:depends "http"

-- Made when it is first needed: Prosody may fork after it has loaded this module.
local client

local function the_client()
  client = client or cekura.assert(cekura.new {
    api_key = module:get_option_string "cekura_api_key",
    base_url = module:get_option_string "cekura_base_url",
  })
  return client
end

local jobs = {} -- the running jobs, as keys

local function answer(status, value)
  return { status_code = status, headers = { content_type = "application/json" }, body = json.encode(value) }
end

-- The parameters of an improvement, or nil if the body does not have them. Requiring application/json keeps pages of
-- other sites from posting here through a user's browser: it sends that type across sites only after a preflight.
local function read(request)
  local is_json = (request.headers.content_type or ""):find "^application/json"
  local asked = is_json and json.decode(request.body)
  local known = type(asked) == "table" and type(asked.prompt) == "string"
    and (type(asked.call_logs) == "table" or asked.call_logs == "all")
  return known and { agent_id = asked.agent_id, call_logs = asked.call_logs, prompt = asked.prompt } or nil
end

-- A handler of mod_http may wait. Only the connection that it serves waits with it.
local function improve_prompt(event)
  local params = read(event.request)
  if not params then
    return answer(400, { error = "a JSON object with prompt and call_logs (ids, or \"all\") expected" })
  end
  local job, err = the_client().calls:improve_prompt(params)
  local result
  if job then
    jobs[job] = true
    result, err = job:wait { on_progress = function()
      module:log("debug", "The improvement %s is %s after %.1f s", job.id, job.status, job.elapsed)
    end }
    jobs[job] = nil
  end
  if not result then
    module:log("warn", "%s", err)
    return answer(err.kind == "closed" and 503 or err.kind == "invalid" and 400 or 502, { error = tostring(err) })
  end
  return answer(200, { improved_prompt = result.improved_prompt, summary_of_changes = result.summary_of_changes,
    reason = result.reason })
end

-- An event ends the waits for the record that it is about. Without a secret there are no webhooks.
local secret = module:get_option_string("cekura_webhook_secret", os.getenv "CEKURA_WEBHOOK_SECRET")
local receive -- made when it is first needed, as the client is

local function webhook(event)
  receive = receive or the_client():webhook { secret = secret }
  local received, err = receive(event.request.headers, event.request.body)
  if not received then
    return answer(err.kind == "auth" and 401 or 400, { error = err.message })
  elseif not received.duplicate and received.call_log then
    module:log("info", "%s: call log %s is %s", received.type, received.call_log.id, received.call_log.status)
  end
  return answer(200, { type = received.type, duplicate = received.duplicate })
end

local function list_jobs()
  local list = array()
  for job in pairs(jobs) do
    list:push { id = job.id, status = job.status, elapsed = job.elapsed }
  end
  return answer(200, list)
end

module:provides("http", {
  cors = { enabled = false },
  route = { ["POST /improve_prompt"] = improve_prompt, ["GET /jobs"] = list_jobs,
    ["POST /webhook"] = secret and webhook },
})

-- Handlers that wait answer 503 when the module is unloaded or reloaded.
function module.unload()
  if client then
    client:close()
  end
end

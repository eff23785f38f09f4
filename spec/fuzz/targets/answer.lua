--- The service's answers: to the poll of a job of any kind, and as a refusal. With any body the job goes on or ends,
-- and a refusal is an error. No error contains the key, even if the service repeats it.

local cekura = require "cekura"
local core = require "cekura.core"
local errors = require "cekura.errors"
local kinds = require "cekura.api.kinds"
local promise = require "spec.fuzz.promise"
local request = require "cekura.http.request"
local response = require "cekura.http.response"
local state = require "cekura.job.state"

local KEY = "sk-5eCr3t-8f14e45f"
local client = cekura.assert(cekura.new { api_key = KEY, base_url = "http://127.0.0.1:1", config_file = false,
  loop = "own" })

local STATES = { pending = true, running = true, needs_input = true, succeeded = true, nothing_to_do = true,
  failed = true, cancelled = true }

local KINDS = {}
for kind in pairs(kinds) do
  KINDS[#KINDS + 1] = kind
end
table.sort(KINDS)

-- The three kinds that differ most, and a fourth one that depends on the body.
local function kinds_for(body)
  local sum = 0
  for place = 1, #body do
    sum = sum + body:byte(place)
  end
  return { "calls.improve_prompt", "calls.evaluation", "results.run", KINDS[sum % #KINDS + 1] }
end

-- Asserts that the message, the response and the messages of fields do not contain the key.
local function check_error(err, kinds_of_error, body)
  promise.failed(nil, err, kinds_of_error, body)
  local texts = { err.message, err.response and err.response.body }
  for name, messages in pairs(err.fields or {}) do
    promise.holds(type(name) == "string" and #messages > 0, "a field and its messages")
    texts[#texts + 1] = name
    for place, message in pairs(messages) do
      promise.holds(type(place) == "number" and place <= #messages and type(message) == "string", "a message")
      texts[#texts + 1] = message
    end
  end
  promise.holds(not table.concat(texts, "\n"):find(KEY, 1, true), "an error without the key")
end

local function check_job(kind, body)
  local job = client:job(kind, 95, { agent_id = 1, project_id = 2, assistant_id = 3 })
  local reply = response.new(client, "GET", "/x", { status = 200, _head = "HTTP/1.1 200 OK\r\n", body = body })
  local stop = state.take_reply(job, core.fields(job), reply)
  promise.holds(STATES[job.state], "%s: a state, not %s", kind, tostring(job.state))
  promise.holds(job.status == nil or type(job.status) == "string" and job.status ~= "", "%s: a status", kind)
  if job.progress ~= nil then
    promise.finite(job.progress, "progress")
    promise.holds(job.progress >= 0 and job.progress <= 1, "%s: progress from 0 to 1, not %g", kind, job.progress)
  end
  if stop then
    check_error(stop, "protocol needs_input", body)
  end
  if job.state == "succeeded" then
    promise.holds(core.type(job.result) == "call_log" or type(job.result) == "table", "%s: a result", kind)
  elseif job.state == "nothing_to_do" then
    promise.holds(type(job.result.reason) == "string" and job.result.improved_prompt == nil, "%s: a reason", kind)
  elseif job.state == "failed" or job.state == "cancelled" then
    check_error(job.error, "job_" .. job.state, body)
  end
end

local function check_refusal(status, kind, head, body)
  local found, err = request.read(client, "POST", "/x",
    { kind = "response", status = status, _head = head, body = body, tries = 1, sent = true })
  promise.holds(found == nil and err.status == status, "no response, and the status")
  promise.holds(err.response.body == core.redact(client, body), "the body, without the key")
  check_error(err, kind, body)
end

return function(body)
  for _, kind in ipairs(kinds_for(body)) do
    check_job(kind, body)
  end
  check_refusal(400, "invalid", "HTTP/1.1 400 Bad Request\r\n", body)
  check_refusal(502, "unknown_outcome", "HTTP/1.1 502 Bad Gateway\r\n", body)
  check_refusal(302, "protocol", "HTTP/1.1 302 Found\r\nLocation: " .. body:gsub("[\r\n]", "") .. "\r\n", body)
  local reply = response.new(client, "GET", "/x",
    { status = 200, _head = "HTTP/1.1 200 OK\r\n" .. body, body = body })
  for name, value in pairs(reply.headers) do
    promise.holds(type(name) == "string" and reply.headers[name:upper()] == value, "a header in any case: %q", name)
  end
  local value, err = reply:json()
  promise.holds(value ~= nil or errors.is(err), "a value or an error")
end

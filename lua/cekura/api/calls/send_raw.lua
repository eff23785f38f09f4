--- calls:send_raw: forwards the body of a provider's webhook.

local check = require "cekura.check"
local encode = require "cekura.http.encode"
local errors = require "cekura.errors"
local headers = require "cekura.http.headers"
local nearest = require "cekura.nearest"
local request = require "cekura.http.request"
local uri = require "cekura.http.uri"

local PROVIDERS = { vapi = true, retell = true, livekit = true, pipecat = true, elevenlabs = true }

local RAW_OPTIONS = { agent_id = true, headers = true, timeout = true }

--- Forwards the unchanged body of a provider's webhook. The service's answer is not documented.
---@param client cekura.Client
---@param provider string "vapi", "retell", "livekit", "pipecat"; "elevenlabs" is named by a page of the documents only
---@param body string|table the received bytes, or a table
---@param given? { agent_id: any, headers: table<string, string>?, timeout: number? } agent_id: vapi's is named in the
---query; headers to pass on, such as the signature that Retell's webhook is checked by; seconds
---@return cekura.Response? response, cekura.Error? err
local function send_raw(client, provider, body, given)
  if not PROVIDERS[check.text("provider", provider)] then
    errors.misuse("provider: vapi, retell, livekit, pipecat or elevenlabs expected, got %q%s", provider,
      (nearest(provider, PROVIDERS)))
  end
  given = check.options("options", given, RAW_OPTIONS)
  if given.agent_id ~= nil then
    check.id("agent_id", given.agent_id)
  end
  body = type(body) == "table" and encode(body, "body") or check.text("body", body)
  local path = ("/observability/v1/%s/observe/%s"):format(provider, uri.query("options", { agent_id = given.agent_id }))
  return request.send(client, { method = "POST", path = path, body = body,
    headers = headers.request_lines(given.headers, "application/json"),
    timeout = check.seconds("timeout", given.timeout) })
end

return send_raw

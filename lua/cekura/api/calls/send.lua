--- calls:send: one call, to be observed.

local check = require "cekura.check"
local record = require "cekura.records.record"
local recording = require "cekura.api.calls.recording"
local request = require "cekura.http.request"
local read_call = require "cekura.api.calls.sent_call".read

local PATH = "/observability/v1/observe/"

--- Checks a call, and returns it as it is sent. Raises any fault at the caller's line.
---@param what string "send", for messages
---@param call table
---@return table sent
local function prepare(what, call)
  local sent = read_call(what, call)
  recording.sender(sent)
  return sent
end

--- Sends a call that prepare() has returned.
---@param client cekura.Client
---@param sent table
---@param timeout? number seconds
---@param text? string the same as JSON, if there is such a text
---@return cekura.CallLog? call, cekura.Error? err
local function transmit(client, sent, timeout, text)
  local send_form = recording.sender(sent)
  local outgoing = { method = "POST", path = PATH, timeout = timeout }
  local reply, err
  if send_form then
    reply, err = send_form(client, outgoing)
  elseif text then
    reply, err = request.send_text(client, outgoing, text)
  else
    reply, err = request.send_json(client, outgoing, "send", sent)
  end
  if not reply then
    return nil, err
  end
  return record.of_reply(reply, "call_log")
end

local send = { prepare = prepare, transmit = transmit }

--- Sends one call, which is then evaluated. It is charged, so it is sent once: after an error of kind
--- "unknown_outcome", the service may or may not have stored the call. Clients have seen that sending it again with the
--- same call_id updates the same record.
---
--- Turns in the service's own format ("cekura", the default transcript_type) with an unknown role are refused here,
--- because the service would silently store an empty transcript. `metric_ids` has led to an error 500.
---@param client cekura.Client
---@param call cekura.Calls.SendParams one of agent (the agent's id) and assistant_id (the provider's).
---voice_recording: a text that begins with http:// or https:// is a URL, any other the path of a regular file;
---{ data = bytes, name =, content_type = } are its bytes, by the name "recording" if it has none
---@param options? { timeout: number? } seconds
---@return cekura.CallLog? call `call:evaluation():wait()` waits until it is evaluated
---@return cekura.Error? err of kind "config": the file cannot be read, or its size changed while it was sent (then
---err.sent may be true: the service may have stored the call)
function send.send(client, call, options)
  local sent = prepare("send", call)
  return transmit(client, sent, check.timeout(options))
end

return send

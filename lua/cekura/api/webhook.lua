--- Webhooks: events that the service sends by itself. An event ends the jobs that wait for its record.

local atomic = require "cekura.loop.atomic"
local check = require "cekura.check"
local core = require "cekura.core"
local delivered = require "cekura.job.delivered"
local described = require "cekura.described"
local errors = require "cekura.errors"
local received = require "cekura.http.received"

local unpack = table.unpack or unpack -- luacheck: ignore 143
local record = require "cekura.records.record"

local webhook = {}

-- How many idempotency keys a client remembers.
local REMEMBERED = 4096

-- A longer key does not count as one, so that a sender cannot fill the memory.
local LONGEST_KEY = 256

local function refuse(kind, message)
  return nil, errors.new(kind, "webhook: " .. message)
end

-- Several keys that differ name no event.
local function key_of(headers)
  local keys = received.values(headers, "x-cekura-idempotency-key")
  local key = keys[1]
  return key and not keys[2] and key ~= "" and #key <= LONGEST_KEY and key or nil
end

-- Whether the client has seen the key before. A new key takes the place of the oldest.
local is_repeat = atomic(function(seen, key)
  if key == nil then
    return false
  elseif seen.known[key] then
    return true
  end
  seen.place = seen.place % REMEMBERED + 1
  local oldest = seen.keys[seen.place]
  if oldest then
    seen.known[oldest] = nil
  end
  seen.keys[seen.place], seen.known[key] = key, true
  return false
end)

---@class cekura.Event
---@field type string "call_log.completed", "result.completed"; "result.pre_trigger" comes before the calls of a run are
---dialled, and the service waits up to 30 seconds for the answer
---@field duplicate boolean whether an event with this key arrived before, even if the program failed to handle it
---@field key? string X-CEKURA-IDEMPOTENCY-KEY
---@field call_log? cekura.CallLog of an event about a call log
---@field result? cekura.Result of an event about the result of a run
---@field data? any the subject of the event, decoded; nil for a call log, which `event.call_log:totable()` decodes

local Event = described("cekura.event", function(event)
  return event.type
end)

-- The event in a body, and the JSON text of its subject; or nil and the error.
local function read_event(client, body)
  local object, fault = core.new_record(body, client, record.class "record")
  if not object then
    return refuse("protocol", "the body is not a JSON object (" .. fault .. ")")
  end
  local event_type = object:get "event_type"
  if type(event_type) ~= "string" then
    return refuse("protocol", "the body names no event_type")
  end
  local event, text = setmetatable({ type = event_type }, Event), core.slice(object, "data")
  local subject = event_type:match "^[^.]*"
  if subject ~= "call_log" then
    event.data = object:get "data"
    event.result = subject == "result" and core.new_record(text or "", client, record.class "result") or nil
    return event, text
  end
  event.call_log, fault = core.new_record(text or "", client, record.class "call_log")
  if not event.call_log then
    return refuse("protocol", "the event has no call log (" .. fault .. ")")
  end
  return event, text
end

--- The idempotency keys that a new client has seen: none.
function webhook.new_keys()
  return { known = {}, keys = {}, place = 0 }
end

local OPTIONS = { secret = true }

--- Makes a function that reads the webhooks of one endpoint. It does not wait, so it can be called in any host.
--
-- `function(headers, body) -> event | nil, err`: `headers` in the form of the HTTP server (nginx, HAProxy, Prosody,
-- lua-http), or a table of names in any case; the unchanged body. The error is of kind "auth" if the secret is missing
-- or wrong, or occurs with different values, and of kind "protocol" if the body is not an event. An event about a call
-- log's evaluation or the result of a run ends the jobs of this client that wait for that record.
---@param client cekura.Client
---@param options { secret: string } the value of the header X-CEKURA-SECRET
---@return fun(headers: table, body: string): cekura.Event?, cekura.Error?
function webhook.new(client, options)
  options = check.options("options", options, OPTIONS)
  local secret = check.text("secret", options.secret)
  if secret == "" then
    errors.misuse "secret: it is empty"
  end
  secret = core.secret(secret)
  return function(headers, body)
    check.table("headers", headers)
    check.text("body", body)
    local sent, other = unpack(received.values(headers, "x-cekura-secret"))
    if not sent then
      return refuse("auth", "the header X-CEKURA-SECRET is missing")
    elseif other then
      return refuse("auth", "the header X-CEKURA-SECRET came with different values")
    elseif not core.equal_secrets(sent, secret) then
      return refuse("auth", "X-CEKURA-SECRET is wrong")
    end
    if #body > core.fields(client)._max_response then
      return refuse("protocol", "the body is larger than max_response")
    end
    local event, text = read_event(client, body)
    if not event then
      return nil, text -- the error
    end
    event.key = key_of(headers)
    event.duplicate = is_repeat(core.fields(client)._webhook_keys, event.key)
    local subject = event.call_log or event.data
    if not event.duplicate and (event.call_log or type(subject) == "table") then
      delivered.take(client, event.type:match "^[^.]*", subject, text)
    end
    return event
  end
end

return webhook

--- Webhooks: events that the service sends by itself. An event ends the jobs that wait for its record.

local ascii = require "cekura.http.ascii"
local atomic = require "cekura.loop.atomic"
local check = require "cekura.check"
local core = require "cekura.core"
local delivered = require "cekura.job.delivered"
local described = require "cekura.described"
local errors = require "cekura.errors"

local webhook = {}

-- How many idempotency keys a client remembers.
local REMEMBERED = 4096

-- A longer key does not count as one, so that a sender cannot fill the memory.
local LONGEST_KEY = 256

-- The names of headers come in any case, and from some hosts the values as lists.
local function header(headers, wanted)
  for name, value in pairs(headers) do
    if type(name) == "string" and ascii.lower(name) == wanted then
      local text = type(value) == "table" and value[1] or value
      return type(text) == "string" and text or nil
    end
  end
end

local function refuse(kind, message)
  return nil, errors.new(kind, "webhook: " .. message)
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
---@field type string "call_log.completed", "result.completed", …
---@field duplicate boolean whether an event with this key came before, whatever the program made of it
---@field key? string X-CEKURA-IDEMPOTENCY-KEY
---@field call_log? cekura.CallLog of an event about a call log
---@field data any the subject of the event, decoded; nil for a call log, which `event.call_log:totable()` decodes

local Event = described("cekura.event", function(event)
  return event.type
end)

-- The event in a body, and the JSON text of its subject; or nil and the error.
local function read_event(client, body)
  local object, fault = core.new_record(body, client)
  if not object then
    return refuse("protocol", "the body is not a JSON object (" .. fault .. ")")
  end
  local event_type = object:get "event_type"
  if type(event_type) ~= "string" then
    return refuse("protocol", "the body names no event_type")
  end
  local event, text = setmetatable({ type = event_type }, Event), core.slice(object, "data")
  if event_type:match "^[^.]*" ~= "call_log" then
    event.data = object:get "data"
    return event, text
  end
  event.call_log, fault = core.new_record(text or "", client)
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
-- `function(headers, body) -> event | nil, err`: headers by their names in any case, the body as it came. The error is
-- of kind "auth" where the secret is missing or wrong, of kind "protocol" where the body is not an event. An event
-- about a call log's evaluation or the result of a run ends the jobs of this client that wait for that record.
---@param client cekura.Client
---@param options { secret: string } what the service sends as X-CEKURA-SECRET
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
    local sent = header(headers, "x-cekura-secret")
    if not sent then
      return refuse("auth", "the header X-CEKURA-SECRET is missing")
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
    event.key = header(headers, "x-cekura-idempotency-key")
    if event.key and (event.key == "" or #event.key > LONGEST_KEY) then
      event.key = nil
    end
    event.duplicate = is_repeat(core.fields(client)._webhook_keys, event.key)
    local record = event.call_log or event.data
    if not event.duplicate and (event.call_log or type(record) == "table") then
      delivered.take(client, event.type:match "^[^.]*", record, text)
    end
    return event
  end
end

return webhook

--- Webhooks: what the service tells by itself, so that nobody polls longer than needed.

local ascii = require "cekura.http.ascii"
local atomic = require "cekura.loop.atomic"
local check = require "cekura.check"
local core = require "cekura.core"
local delivered = require "cekura.job.delivered"
local errors = require "cekura.errors"

local webhook = {}

-- How many keys of events a client remembers to know a repeat by.
local REMEMBERED = 4096

-- A longer one is no key, and is not remembered.
local LONGEST_KEY = 256

-- Headers come in any case, and from some hosts as lists.
local function header(headers, wanted)
  for name, value in pairs(headers) do
    if type(name) == "string" and ascii.lower(name) == wanted then
      value = type(value) == "table" and value[1] or value
      return type(value) == "string" and value or nil
    end
  end
end

local function refuse(kind, message)
  return nil, errors.new(kind, "webhook: " .. message)
end

-- Whether the client has seen the key, which it remembers from now on; the oldest is forgotten for it.
local is_repeat = atomic(function(memory, key)
  if key == nil then
    return false
  elseif memory.known[key] then
    return true
  end
  memory.place = memory.place % REMEMBERED + 1
  local oldest = memory.keys[memory.place]
  if oldest then
    memory.known[oldest] = nil
  end
  memory.keys[memory.place], memory.known[key] = key, true
  return false
end)

---@class cekura.Event
---@field type string "call_log.completed", "result.completed", …
---@field duplicate boolean an event of this key came before, whatever the program made of it
---@field key? string X-CEKURA-IDEMPOTENCY-KEY
---@field call_log? cekura.CallLog of an event about a call log
---@field data any what the event is about, decoded; of a call log only if asked for: `event.call_log:totable()`

-- The event that a body tells of, and the text of what it is about.
local function read_event(client, body)
  local object, fault = core.new_record(body, client)
  if not object then
    return refuse("protocol", "the body is no JSON object (" .. fault .. ")")
  end
  local kind = object:get "event_type"
  if type(kind) ~= "string" then
    return refuse("protocol", "the body names no event_type")
  end
  local event, text = { type = kind }, core.slice(object, "data")
  if kind:match "^[^.]*" ~= "call_log" then
    event.data = object:get "data"
    return event, text
  end
  event.call_log, fault = core.new_record(text or "", client)
  if not event.call_log then
    return refuse("protocol", "the event has no call log (" .. fault .. ")")
  end
  return event, text
end

--- An empty memory of idempotency keys, for a client.
function webhook.new_keys()
  return { known = {}, keys = {}, place = 0 }
end

local OPTIONS = { secret = true }

--- Makes a function that reads the webhooks of one endpoint. It does not wait, and may be called in any host.
--
-- `function(headers, body) -> event | nil, err`: headers by their names in any case, the body as it came. Kind
-- "auth": the secret is missing or another; "protocol": the body is no event. An event about a record that a
-- job of this client waits for, a call log's evaluation or the result of a run, ends that job at once.
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
    local shown = header(headers, "x-cekura-secret")
    if not shown then
      return refuse("auth", "there is no X-CEKURA-SECRET")
    elseif not core.equal_secrets(shown, secret) then
      return refuse("auth", "X-CEKURA-SECRET is another")
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
    local about = event.call_log or event.data
    if not event.duplicate and (event.call_log or type(about) == "table") then
      delivered.tell(client, event.type:match "^[^.]*", about, text)
    end
    return event
  end
end

return webhook

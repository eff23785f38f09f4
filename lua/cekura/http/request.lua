--- One request: sent, waited for, and its outcome turned into a response or an error.

local core = require "cekura.core"
local encode = require "cekura.http.encode"
local errors = require "cekura.errors"
local exchange = require "cekura.http.exchange"
local headers = require "cekura.http.headers"
local response = require "cekura.http.response"
local show = require "cekura.show"

local request = {}

-- libcurl's message about a proxy that it cannot use quotes its URL with the password.
local function without_passwords(message)
  return (message:gsub("://.*@", "://"):gsub("'[^'/]*@", "'"))
end

-- ---- refusals ----

-- The texts among the messages of a field; a valid item of a list may be there as an empty object.
local function as_list(messages, clean)
  local list = {}
  for _, message in ipairs(type(messages) == "table" and messages or { messages }) do
    if type(message) == "string" then
      list[#list + 1] = clean(message)
    end
  end
  return #list > 0 and list or nil
end

-- The two shapes of a refusal: { detail = "…" } and { field = { "…" } }. Returns one line, and the fields.
local function read_refusal(answer)
  -- A key that was written with escapes is recognised only after decoding.
  local function clean(text)
    return core.redact(answer._client, text)
  end
  local object = response.refusal(answer)
  if not object then
    local looks_like_text = answer.body ~= "" and not answer.body:find "^%s*<"
    return looks_like_text and show.excerpt(answer.body) or nil
  end
  if type(object.detail) == "string" then
    return show.excerpt(clean(object.detail))
  end
  local fields, lines, names = {}, {}, {}
  for name, messages in pairs(object) do
    if type(name) == "string" then
      fields[clean(name)] = as_list(messages, clean)
    end
  end
  for name in pairs(fields) do
    names[#names + 1] = name
  end
  table.sort(names)
  for index, name in ipairs(names) do
    lines[index] = name .. ": " .. table.concat(fields[name], " ")
  end
  if #lines == 0 then
    return show.excerpt(answer.body)
  end
  return show.excerpt(table.concat(lines, "; ")), fields
end

-- ---- kinds of errors ----

local BY_STATUS = {
  [401] = "auth", [403] = "auth", [407] = "auth", [404] = "not_found", [410] = "not_found", [429] = "rate_limited",
}

-- A gateway's answer leaves open whether the request was processed.
local UNKNOWN = { [502] = true, [504] = true }

local function kind_of_status(status, repeatable)
  if BY_STATUS[status] then
    return BY_STATUS[status]
  elseif status >= 500 then
    return not repeatable and UNKNOWN[status] and "unknown_outcome" or "server"
  elseif status >= 400 then
    return "invalid"
  end
  return "protocol"
end

-- The outcomes whose errors are of a kind with another name.
local BY_OUTCOME = {
  no_memory = "network",
  truncated = "protocol",
  too_large = "protocol",
  encoded = "protocol",
  garbled = "protocol",
  malformed = "protocol",
  proxy_refused = "auth",
  held = "rate_limited",
}

-- Outcomes that leave open whether a request that was sent has been processed.
local CUT = { network = true, timeout = true, truncated = true, no_memory = true, malformed = true }

-- Answers that say nothing about the record in question: a proxy's, a lock's, an incomplete one. (A 5xx is a failure of
-- the service, whatever happened to its body.)
local BAD_OUTCOME = { truncated = true, garbled = true, malformed = true }
local BAD_STATUS = { [408] = true, [409] = true, [423] = true, [425] = true }

local function is_bad(outcome)
  local status = outcome.status
  if outcome.kind == "response" then
    return BAD_STATUS[status] or status >= 300 and status < 400
  end
  return BAD_OUTCOME[outcome.kind] and status ~= 429 and status < 500
end

-- ---- explanations ----

-- The path alone, without a query.
local function bare_path(path)
  return path:match "^[^?]*"
end

local function lacks_last_slash(path)
  return bare_path(path):sub(-1) ~= "/"
end

-- For an answer that is neither good nor a refusal: 3xx.
local function elsewhere_message(answer)
  local location = answer.headers.location
  if answer.status == 304 then
    return "not modified, though the request set no condition"
  elseif not location then
    return "neither an answer nor a redirect: no Location says where to"
  end
  local base_url = core.fields(answer._client)._base_url
  local host, target = location:match "^([A-Za-z][A-Za-z0-9+.-]*://[^/?#]*)([^?#]*)"
  if not host then
    host, target = location:match "^(//[^/?#]*)([^?#]*)"
  end
  if host then
    host = host:gsub("//[^@]*@", "//") -- without user name and password
  else
    host, target = base_url:match "^[A-Za-z]+://[^/]*", location:match "^[^?#]*" -- the same host
  end
  local base_path = base_url:match "^[A-Za-z]+://[^/]*(.*)$"
  if lacks_last_slash(answer.path) and target == base_path .. bare_path(answer.path) .. "/" then
    return show.format("a redirect to the same path with a slash at its end, at %s: give it with that slash", host)
  end
  return show.format("a redirect to %s, which is not followed", host)
end

-- What a refusal's message adds to what the service says: where the key is from, or which host does not know the path,
-- and why that may be.
local function explanation(answer, said)
  local status, fields = answer.status, core.fields(answer._client)
  if status == 401 then
    return show.format("the key is from %s", fields._key_source)
  elseif status ~= 404 and status ~= 410 then
    return nil
  end
  local from, base_path = show.format("from %s", fields._base_url), fields._base_url:match "^[A-Za-z]+://[^/]*(/.*)$"
  if lacks_last_slash(answer.path) then
    return from .. "; the path has no slash at its end, as the API's paths have"
  elseif base_path and not said then
    return from .. show.format("; the base URL has a path, %s, which stands before the API's", base_path)
  end
  return from
end

local function refused(answer, fields, repeatable)
  fields.status, fields.response = answer.status, answer
  local what = show.format("%s %s: HTTP %d", fields.method, fields.path, answer.status)
  local kind = kind_of_status(answer.status, repeatable)
  if kind == "protocol" then
    return errors.new(kind, what .. ": " .. elsewhere_message(answer), fields)
  end
  local line, by_field = read_refusal(answer)
  fields.fields = by_field
  if kind == "unknown_outcome" then
    line = "it may have been processed, or not" .. (line and ": " .. line or "")
  end
  local why = explanation(answer, line)
  return errors.new(kind, what .. (line and ": " .. line or "") .. (why and " (" .. why .. ")" or ""), fields)
end

local function cut(outcome, answer, fields, repeatable)
  local kind = BY_OUTCOME[outcome.kind] or outcome.kind
  local what = show.format("%s %s: ", fields.method, fields.path)
  local message = outcome.message and core.redact(answer._client, without_passwords(outcome.message)) or outcome.kind
  if answer.status > 0 then
    fields.status, fields.response = answer.status, answer
    message = message .. (answer.body ~= "" and ", after: " .. show.excerpt(answer.body) or "")
  end
  if CUT[outcome.kind] and fields.sent and not repeatable then
    fields.cause = errors.new(kind, what .. message)
    return errors.new("unknown_outcome", what .. "cut off, it may have been processed, or not: " .. message, fields)
  end
  return errors.new(kind, what .. message, fields)
end

---@class cekura.Outcome how an operation of the engine ended
---@field status integer HTTP status; 0 without an answer
---@field _head string the unchanged head of the answer
---@field body string decompressed; if it is incomplete, the part that arrived
---@field _retry_after? number seconds
---@field kind? string nil for a complete answer with a status of 2xx, as the next three; "response" for one with any
---other; else the kind of failure
---@field message? string what went wrong, in words
---@field tries? integer
---@field sent? boolean the last try may have reached the service

--- The response, or the error, that an outcome is for a program. The response is the outcome's table.
---@param client cekura.Client
---@param method string
---@param path string for errors
---@param outcome cekura.Outcome
---@return cekura.Response? response
---@return cekura.Error? err
---@return boolean? is_bad with an error: the answer says nothing about the record in question
function request.read(client, method, path, outcome)
  local answer = response.new(client, method, path, outcome)
  if not outcome.kind then
    return answer
  end
  answer = response.redacted(answer)
  local fields = { method = method, path = path, attempts = outcome.tries, sent = outcome.sent,
    retry_after = outcome._retry_after }
  local repeatable = method == "GET" or method == "HEAD"
  local err = (outcome.kind == "response" and refused(answer, fields, repeatable))
    or cut(outcome, answer, fields, repeatable)
  return nil, err, is_bad(outcome)
end

-- ---- sending ----

-- libcurl sends at most 1 MiB before a body, and reports more as CURLE_OUT_OF_MEMORY; the client's own headers use some
-- of it. No server accepts as much.
local LARGEST_HEAD = 1000000

-- An error of kind "invalid", as 414 and 431 are, for a request whose path and headers are too large; else nil.
local function check_size(outgoing)
  local size, lines = #outgoing.path, outgoing.headers
  for index = 1, lines and #lines or 0 do
    size = size + #lines[index]
  end
  if size > LARGEST_HEAD then
    local message = "%s %s: the path and the headers have %d bytes, and %d are the most that can be sent"
    return errors.new("invalid", show.format(message, outgoing.method, outgoing.shown, size, LARGEST_HEAD),
      { method = outgoing.method, path = outgoing.shown, sent = false, attempts = 0 })
  end
end

---@class cekura.Request one request, from the caller down to core.submit(), and the object of what is in flight.
---request.new() makes one with room for its usual fields, and any table with the first two will do
---@field method string upper case
---@field path string encoded, with its query
---@field headers? string[] lines, "Name: value"
---@field body? string
---@field timeout? number seconds; the client's own if nil
---@field plain? boolean it has nothing else to send: of these fields, the core reads no others
---@field endpoint? string the path of its endpoint, without what names a record: a 429 holds back an endpoint; nil: its
---own path, without digits and UUIDs
---@field urgent? boolean sent before all others
---@field once? boolean never repeated
---@field direct? boolean answered when the work is done: see cekura.job.direct
---@field owner? table whose request it is; as the next four, see cekura.http.exchange
---@field shown? string the path for events and errors
---@field waiter? table woken at its end
---@field on_change? fun(self: cekura.Request, outcome?: cekura.Outcome): boolean
---@field outcome? cekura.Outcome once it has ended
---@field url? string
---@field endpoint_url? string

--- A request that is waited for.
---@param method string
---@param path string
---@param lines? string[] headers
---@param body? string
---@param timeout? number seconds
---@return cekura.Request
function request.new(method, path, lines, body, timeout)
  local outgoing = { 0, method = method, path = path, timeout = timeout, url = false, shown = false, waiter = false,
    outcome = false, plain = true }
  if lines or body then
    outgoing.headers, outgoing.body, outgoing.plain = lines, body, false
  end
  return outgoing
end

-- Completes a request; returns an error if it is not to be sent. Where the client has `_instead` (see
-- cekura.command.session), that function gets the request, which is not sent, and returns the error.
local function prepare(client, fields, outgoing)
  local base_url, path = fields._base_url, outgoing.path
  outgoing.shown, outgoing.url = core.redact_path(client, path), base_url .. path
  outgoing.timeout = outgoing.timeout or fields._timeout
  if outgoing.endpoint then
    outgoing.endpoint_url = base_url .. outgoing.endpoint
  end
  local err = (outgoing.headers or #path > LARGEST_HEAD) and check_size(outgoing)
  return err or fields._instead and fields._instead(outgoing) or nil
end

-- Sends a request, and returns the results of request.read().
local function ask(client, outgoing)
  local fields = core.fields(client)
  local err, outcome = prepare(client, fields, outgoing), nil
  if not err then
    outcome, err = exchange.wait(client, fields, outgoing)
  end
  if err then
    return nil, err
  elseif not outcome.kind then
    return response.new(client, outgoing.method, outgoing.shown, outcome)
  elseif outcome.status == 304 and outcome.kind == "response"
      and (fields._conditional or headers.is_conditional(outgoing.headers)) then
    return response.new(client, outgoing.method, outgoing.shown, -- 304 is the answer that the condition asked for
      { status = 304, _head = outcome._head, body = outcome.body })
  end
  return request.read(client, outgoing.method, outgoing.shown, outcome)
end

--- Sends a request and waits for its answer.
---@param client cekura.Client
---@param outgoing cekura.Request
---@return cekura.Response? response any 2xx; and 304 if a header of the request, or of all requests of the client,
---sets a condition
---@return cekura.Error? err
function request.send(client, outgoing)
  local reply, err = ask(client, outgoing)
  return reply, err
end

local JSON = { "Content-Type: application/json" }

--- Sends a text of JSON.
---@param client cekura.Client
---@param outgoing cekura.Request without headers and body
---@param text string
---@return cekura.Response? response, cekura.Error? err
function request.send_text(client, outgoing, text)
  outgoing.headers, outgoing.body = JSON, text
  return request.send(client, outgoing)
end

--- Sends a table as JSON.
---@param client cekura.Client
---@param outgoing cekura.Request without headers and body
---@param what string the table's name in errors
---@param params table
---@return cekura.Response? response, cekura.Error? err
function request.send_json(client, outgoing, what, params)
  return request.send_text(client, outgoing, encode(params, what))
end

--- Sends a table as JSON, and does not wait.
---@param client cekura.Client
---@param outgoing cekura.Request without headers and body
---@param what string the table's name in errors
---@param params table
---@return cekura.Error? err as exchange.submit()
function request.submit_json(client, outgoing, what, params)
  outgoing.headers, outgoing.body = JSON, encode(params, what)
  return prepare(client, core.fields(client), outgoing) or exchange.submit(client, outgoing)
end

--- Sends a single GET, which is not repeated.
---@param client cekura.Client
---@param outgoing cekura.Request without method
---@return cekura.Response? response, cekura.Error? err, boolean? is_bad see request.read()
function request.poll(client, outgoing)
  outgoing.method, outgoing.once = "GET", true
  return ask(client, outgoing)
end

return request

--- One request: sent, waited for, and its outcome turned into a response or an error.

local ascii = require "cekura.http.ascii"
local await = require "cekura.http.exchange"
local core = require "cekura.core"
local encode = require "cekura.http.encode"
local errors = require "cekura.errors"
local response = require "cekura.http.response"

local request = {}

-- What has no secret in it, with one that a program put into it itself taken out.
local function shown_path(client, path)
  return core.is_closed(client) and path:match "^[^?]*" or core.redact(client, path)
end

-- libcurl names a proxy that it cannot use as it was given, password and all.
local function without_users(message)
  return (message:gsub("://.*@", "://"):gsub("'[^'/]*@", "'"))
end

-- ---- what the service says ----

-- The texts among the messages of a field; an item of a list that is in order may be an empty object.
local function as_list(messages, clean)
  local list = {}
  for _, message in ipairs(type(messages) == "table" and messages or { messages }) do
    if type(message) == "string" then
      list[#list + 1] = clean(message)
    end
  end
  return #list > 0 and list or nil
end

-- The two shapes of a refusal: { detail = "…" } and { field = { "…" } }. Returns one line, and the
-- fields.
local function read_refusal(answer)
  -- What was written with escapes is known for the key only now.
  local function clean(text)
    return core.redact(answer._client, text)
  end
  local object = response.refusal(answer)
  if not object then
    local looks_like_text = answer.body ~= "" and not answer.body:find "^%s*<"
    return looks_like_text and errors.excerpt(answer.body) or nil
  end
  if type(object.detail) == "string" then
    return errors.excerpt(clean(object.detail))
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
    return errors.excerpt(answer.body)
  end
  return errors.excerpt(table.concat(lines, "; ")), fields
end

-- ---- kinds of errors ----

local BY_STATUS = {
  [401] = "auth", [403] = "auth", [407] = "auth", [404] = "not_found", [410] = "not_found", [429] = "rate_limited",
}

-- A gateway's answer to a request that may have been processed says nothing about it.
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

local BY_OUTCOME = {
  network = "network",
  no_memory = "network",
  tls = "tls",
  timeout = "timeout",
  truncated = "protocol",
  too_large = "protocol",
  encoded = "protocol",
  garbled = "protocol",
  malformed = "protocol",
  config = "config",
  proxy_refused = "auth",
  held = "rate_limited",
  cancelled = "cancelled",
  closed = "closed",
}

-- The ends at which a request that was sent may have been processed, or not.
local CUT = { network = true, timeout = true, truncated = true, no_memory = true, malformed = true }

-- What says nothing of the record that was asked for: a proxy's answer, a lock's, or not all of one. (A 5xx is trouble,
-- whatever became of its body.)
local ODD_OUTCOME = { truncated = true, garbled = true, malformed = true }
local ODD_STATUS = { [408] = true, [409] = true, [423] = true, [425] = true }

local function is_odd(outcome, status)
  if outcome == "response" then
    return ODD_STATUS[status] or status >= 300 and status < 400
  end
  return ODD_OUTCOME[outcome] and status ~= 429 and status < 500
end

-- Of an answer that is neither good nor a refusal: 3xx.
local function elsewhere_message(answer)
  local location = answer.headers.location
  if answer.status == 304 then
    return "not modified, though the request set no condition"
  elseif not location then
    return "neither an answer nor a redirect: no Location says where to"
  end
  local host = location:match "^[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*" or location:match "^//[^/?#]*"
  if host then
    host = host:gsub("//[^@]*@", "//") -- no user name or password of somebody's
  else
    host = core.fields(answer._client)._base_url:match "^[A-Za-z]+://[^/]*" -- the same host
  end
  return "a redirect to " .. errors.excerpt(host) .. ", which is not followed"
end

local function refused(answer, fields, repeatable)
  fields.status, fields.response = answer.status, answer
  local what = ("%s %s: HTTP %d"):format(fields.method, fields.path, answer.status)
  local kind = kind_of_status(answer.status, repeatable)
  if kind == "protocol" then
    return errors.new(kind, what .. ": " .. elsewhere_message(answer), fields)
  end
  local line, by_field = read_refusal(answer)
  fields.fields = by_field
  if kind == "unknown_outcome" then
    line = "it may have been processed, or not" .. (line and ": " .. line or "")
  end
  return errors.new(kind, line and what .. ": " .. line or what, fields)
end

local function cut(outcome, answer, message, fields, repeatable)
  local kind = BY_OUTCOME[outcome]
  local what = ("%s %s: "):format(fields.method, fields.path)
  message = message and core.redact(answer._client, without_users(message)) or outcome
  if answer.status > 0 then
    fields.status, fields.response = answer.status, answer
    message = message .. (answer.body ~= "" and ", after: " .. errors.excerpt(answer.body) or "")
  end
  if CUT[outcome] and fields.sent and not repeatable then
    local cause = errors.new(kind, what .. message)
    fields.cause = cause
    return errors.new("unknown_outcome", what .. "cut off, it may have been processed, or not: " .. message, fields)
  end
  return errors.new(kind, what .. message, fields)
end

--- Turns an outcome, as core.outcome() and its like give it, into a response or an error.
---@return cekura.Response? response
---@return cekura.Error? err
---@return boolean? odd with an error: the answer says nothing of what was asked for
function request.read(client, method, path, outcome, status, headers, body, message, tries, sent, retry_after)
  if outcome == nil then
    return nil, status -- there was none; this is the error
  end
  local answer = response.new(client, status, headers, body, method, path)
  if outcome == "response" and status >= 200 and status < 300 then
    answer._retry_after = retry_after
    return answer
  end
  answer = response.redacted(answer)
  local fields = { method = method, path = path, attempts = tries, sent = sent, retry_after = retry_after }
  local repeatable = method == "GET" or method == "HEAD"
  local err = outcome == "response" and refused(answer, fields, repeatable)
    or cut(outcome, answer, message, fields, repeatable)
  return nil, err, is_odd(outcome, status)
end

-- The same for a request that set a condition: that nothing has changed is what was asked.
local function read_conditional(client, method, path, outcome, status, headers, body, ...)
  if outcome == "response" and status == 304 then
    return response.new(client, status, headers, body, method, path)
  end
  return request.read(client, method, path, outcome, status, headers, body, ...)
end

--- Whether a list of header lines sets a condition that 304 answers (RFC 9110, 13.1).
---@param lines? string[]
function request.is_conditional(lines)
  for _, line in ipairs(lines or {}) do
    local name = type(line) == "string" and ascii.lower(line):match "^[^:;]*"
    if name == "if-none-match" or name == "if-modified-since" then
      return true
    end
  end
  return false
end

-- What libcurl sends before a body is 1 MiB at most, and what it takes for a lack of memory; some of it is the
-- client's. No server takes as much.
local LARGEST_HEAD = 1000000

-- An error of kind "invalid", as 414 and 431 are, for a request whose path and headers are too large; else nil.
local function too_large(method, path, shown, headers)
  local size = #path
  for _, line in ipairs(headers or {}) do
    size = size + #line
  end
  if size > LARGEST_HEAD then
    local message = "%s %s: the path and the headers have %d bytes, and %d are the most that can be sent"
    return errors.new("invalid", message:format(method, errors.excerpt(shown), size, LARGEST_HEAD),
      { method = method, path = shown, sent = false, attempts = 0 })
  end
end

---@class cekura.Turn when a request is sent, beside others
---@field endpoint? string a path that stands for the one of the request, without what names a record; nil: its own,
---without digits and UUIDs. A 429 is about an endpoint
---@field urgent? boolean before all others
---@field once? boolean it is not repeated, whatever comes of it

local function ask(client, method, path, headers, body, timeout, owner, turn)
  timeout = timeout or core.fields(client)._timeout
  local shown = shown_path(client, path)
  local err = too_large(method, path, shown, headers)
  if err then
    return nil, err
  end
  local conditional = core.fields(client)._conditional or request.is_conditional(headers)
  local read = conditional and read_conditional or request.read
  return read(client, method, shown, await(client, method, path, shown, headers, body, timeout, owner, turn))
end

--- Sends a request and waits for its answer.
---@param client cekura.Client
---@param method string upper case
---@param path string encoded, with its query
---@param headers? string[] lines, "Name: value"
---@param body? string
---@param timeout? number seconds; the client's own if nil
---@param owner? table whose request it is, see cekura.http.exchange
---@param turn? cekura.Turn
---@return cekura.Response? response, cekura.Error? err any 2xx gives the response, and 304 if a
---header of the request, or of all requests of the client, sets a condition
function request.send(client, method, path, headers, body, timeout, owner, turn)
  local reply, err = ask(client, method, path, headers, body, timeout, owner, turn)
  return reply, err
end

--- Asks for something once, whatever comes of it.
---@param client cekura.Client
---@param path string encoded, with its query
---@param timeout? number seconds; the client's own if nil
---@param owner table whose request it is, see cekura.http.exchange
---@param endpoint? string as in cekura.Turn
---@return cekura.Response? response, cekura.Error? err, boolean? odd as request.read() gives them
function request.poll(client, path, timeout, owner, endpoint)
  return ask(client, "GET", path, nil, nil, timeout, owner, { endpoint = endpoint, once = true })
end

local JSON = { "Content-Type: application/json" }

--- Sends a table as JSON.
---@param what string what the table is called in an error
---@param params table
---@return cekura.Response? response, cekura.Error? err
function request.send_json(client, method, path, what, params, timeout, owner, turn)
  return request.send(client, method, path, JSON, encode(params, what), timeout, owner, turn)
end

return request

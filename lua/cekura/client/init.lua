--- The client: one API key, one base URL, one engine.

local ascii = require "cekura.http.ascii"
local atomic = require "cekura.loop.atomic"
local check = require "cekura.check"
local core = require "cekura.core"
local dispatch = require "cekura.loop.dispatch"
local encode = require "cekura.http.encode"
local endpoint = require "cekura.http.endpoint"
local errors = require "cekura.errors"
local headers = require "cekura.http.headers"
local kind_schema = require "cekura.api.kind_schema"
local kinds = require "cekura.api.kinds"
local nearest = require "cekura.nearest"
local options = require "cekura.client.options"
local params = require "cekura.api.params"
local poll = require "cekura.job.poll"
local request = require "cekura.http.request"
local resources = require "cekura.client.resources"
local selection = require "cekura.http.selection"
local start = require "cekura.job.start"
local token = require "cekura.job.token"
local uri = require "cekura.http.uri"
local webhook = require "cekura.api.webhook"
require "cekura.job" -- adds the methods of jobs

local client = { kind = resources.declare_kind }

---@class cekura.Client
---@field calls cekura.Calls
---@field [string] table client.runs, client.scenarios, …: a resource, with a method for each kind of job named after it
local methods = core.client_methods

--- The private fields of a client: core.fields(client) gives them. A field that holds an option as it is, `_timeout`,
-- is named in the option's row in cekura.client.options; these are the others. Beside them are the client's resources,
-- by their names, and under integer keys the objects that the binding anchors (src/lua/client.c).
---@class cekura.ClientFields
---@field _base_url string the option, as the engine takes it: without a slash at its end
---@field _loop table the adapter that steps the client, see cekura.loop
---@field _conditional boolean whether the option `headers` sets a condition that 304 answers
---@field _pending table<userdata, table> the waiter of each operation; owned by cekura.http.exchange
---@field _on_update fun(job: cekura.Job) takes in the new answer of a job, for cekura.loop.dispatch
---@field _by_record table<string, table> the jobs that a webhook may end; owned by cekura.job.delivered
---@field _webhook_keys table the idempotency keys of past events; owned by cekura.api.webhook
---@field _selection_refused boolean no poll asks for a selection any longer; owned by cekura.job.selection
---@field _place? integer in the list of open clients; owned by cekura.loop.clients
---@field _unwatch? userdata owned by cekura.loop.hosted, while the host watches the client

-- ---- life ----

-- From now on the client lives in its loop.
local register = atomic(function(self, loop)
  resources.add(self)
  loop.attach(self)
end)

--- Makes a client.
---@param given? cekura.Options
---@return cekura.Client? client, cekura.Error? err of kind "config"
function client.new(given)
  local made, err = options.resolve(given)
  if not made then
    return nil, err
  end
  local on_event = made.fields._on_event
  if made.file.warning and on_event then
    on_event(made.file.warning)
  end
  local self, fault = core.new_client(made.engine)
  if not self then
    return nil, errors.new("config", "no engine: " .. fault)
  end
  local fields = core.fields(self)
  for name, value in pairs(made.fields) do
    fields[name] = value
  end
  fields._pending, fields._on_update, fields._selection_refused = {}, poll.on_update, false
  fields._by_record, fields._webhook_keys = setmetatable({}, { __mode = "v" }), webhook.new_keys()
  register(self, fields._loop)
  return self
end

local close = atomic(function(self)
  local loop = core.fields(self)._loop
  if loop.detach then
    loop.detach(self)
  end
  if core.close(self) then -- an event handler may close the client again for each end that dispatch() reports
    dispatch(self)
  end
end)

--- Closes the client. What still waits gets an error of kind "closed". May be called again.
function methods:close()
  close(self)
end

-- ---- requests ----

local REQUEST_OPTIONS = { query = true, body = true, headers = true, timeout = true }

--- Sends any request of the API and waits for its answer.
---@param method string "GET", "POST", …
---@param path string begins with "/", below the base URL; may have a query
---@param given? { query: table?, body: table|string?, headers: table<string, string>?, timeout: number? } a table
---as body goes out as JSON, a string as it is; timeout in seconds
---@return cekura.Response? response any 2xx, and 304 to a request with If-None-Match or If-Modified-Since
---@return cekura.Error? err
function methods:request(method, path, given)
  given = check.options("options", given, REQUEST_OPTIONS)
  method = ascii.upper(check.text("method", method))
  if not method:find "^[A-Z]+$" then
    errors.misuse(("method: an HTTP method expected, got %q"):format(method))
  end
  path = uri.path("path", path)
  if given.query ~= nil then
    local query = uri.query("query", check.table("query", given.query))
    path = path .. (path:find("?", 1, true) and query:gsub("^%?", "&") or query)
  end
  local body = given.body
  if type(body) == "table" then
    body = encode(body, "body")
  elseif body ~= nil then
    check.text("body", body)
  end
  local lines = headers.request_lines(given.headers, body and "application/json") -- what this API takes
  return request.send(self, { method = method, path = path, headers = lines, body = body,
    timeout = check.seconds("timeout", given.timeout) })
end

-- ---- jobs ----

local function declaration_of(kind)
  local declaration = kinds[check.text("kind", kind)]
  if not declaration then
    errors.misuse(("kind: there is no kind %q%s"):format(kind, nearest(kind, kinds)))
  end
  return declaration
end

local JOB_OPTIONS, START_OPTIONS = { fields = true }, { fields = true, timeout = true, direct = true }
for _, name in ipairs(token.SCOPE) do
  JOB_OPTIONS[name], START_OPTIONS[name] = true, true
end

-- The options of a job, checked; a copy.
local function check_job_options(given, known)
  local copy = {}
  for name, value in pairs(check.options("options", given, known)) do
    copy[name] = value
  end
  for _, name in ipairs(token.SCOPE) do
    if copy[name] ~= nil then
      check.id(name, copy[name])
    end
  end
  check.seconds("timeout", copy.timeout)
  check.flag("direct", copy.direct)
  copy.fields = selection.check("fields", copy.fields)
  return copy
end

--- Starts a job. The start is sent once, and repeated only if the service certainly has not processed it.
---@param kind string
---@param given_params? table what the kind's start takes; see cekura.api.kinds
---@param given? { agent_id: any, project_id: any, assistant_id: any, fields: string[]?, timeout: number?,
---direct: boolean? } fields: what the result is to hold, as in cekura.WaitOptions; direct: by the one request that is
---answered when the work is done, if the kind has one
---@return cekura.Job? job, cekura.Error? err
function methods:start(kind, given_params, given)
  local declaration = declaration_of(kind)
  given = check_job_options(given, START_OPTIONS)
  if not declaration.start and not declaration.direct then
    errors.misuse(("kind: %s cannot be started here; client:job() takes up one of its jobs"):format(kind))
  elseif given.direct and not declaration.direct then
    errors.misuse(("options: direct: %s has no request that is answered when its work is done"):format(kind))
  end
  local first = declaration.start or declaration.direct
  if given_params == nil and (not declaration.params or endpoint.places(first)[1]) then
    given_params = {} -- so that the error names what is missing
  end
  local sent = params.read(kind, declaration, given_params, given.project_id or core.fields(self)._project_id)
  return start.start(self, kind, declaration, sent, given)
end

--- Makes a job for an id that is known from elsewhere. Nothing is sent yet.
---@param kind string
---@param id string|integer
---@param given? { agent_id: any, project_id: any, assistant_id: any, fields: string[]? } fields: what the result is to
---hold, as in cekura.WaitOptions
---@return cekura.Job? job, cekura.Error? err
function methods:job(kind, id, given)
  if not declaration_of(kind).poll then
    errors.misuse(("kind: %s has only direct jobs, which have no id"):format(kind))
  end
  return start.known(self, kind, check.id("id", id), check_job_options(given, JOB_OPTIONS))
end

--- Takes up a job from its token.
---@param text string
---@return cekura.Job? job, cekura.Error? err of kind "config": the token is malformed, or of another base URL
function methods:resume(text)
  return start.resumed(self, check.text("token", text))
end

-- ---- webhooks ----

--- Makes a function that reads the service's webhooks; see cekura.api.webhook.
---@param given { secret: string }
---@return fun(headers: table, body: string): cekura.Event?, cekura.Error?
function methods:webhook(given)
  return webhook.new(self, given)
end

-- ---- the protocol of a host that polls the client ----

--- One step: never blocks, and runs the tasks that became ready.
function methods:step()
  core.fields(self)._loop.step(self)
end

--- Seconds until a step is due; nil: only when the descriptor is readable.
---@return number?
function methods:timeout()
  return core.fields(self)._loop.timeout(self)
end

-- A resource that is called like a method of the client could not be reached.
for name in pairs(methods) do
  kind_schema.reserve(name)
end

return client

--- The client: one API key, one base URL, one engine.

local ascii = require "cekura.http.ascii"
local atomic = require "cekura.loop.atomic"
local check = require "cekura.check"
local core = require "cekura.core"
local described = require "cekura.described"
local dispatch = require "cekura.loop.dispatch"
local durations = require "cekura.client.durations"
local encode = require "cekura.http.encode"
local endpoint = require "cekura.http.endpoint"
local errors = require "cekura.errors"
local form = require "cekura.http.form"
local headers = require "cekura.http.headers"
local kind_schema = require "cekura.api.kind_schema"
local kinds = require "cekura.api.kinds"
local options = require "cekura.client.options"
local params = require "cekura.api.params"
local job_path = require "cekura.job.path"
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

---@class cekura.Stats
---@field requests integer tries that were sent, repetitions included
---@field retries integer the repetitions among them
---@field in_flight integer requests in flight now
---@field max_in_flight integer the largest value of in_flight so far
---@field direct integer direct jobs in flight, not counted in in_flight
---@field connections integer connections opened
---@field jobs integer jobs made
---@field bytes_in integer bytes of bodies received
---@field retry_quota integer tokens left for repetitions: one costs 5, or 10 after a try without an answer
---@field longest_step number the longest time, in seconds, that a step has blocked its caller

---@class cekura.Client
local methods = core.client_methods

--- The private fields of a client, which core.fields(client) returns. A field that holds the value of an option, such
-- as `_timeout`, is named in the option's row in cekura.client.options; these are the others. The same table has the
-- client's resources by their names and, under integer keys, the objects that the binding anchors (src/lua/client.c).
---@class cekura.ClientFields
---@field _base_url string the option, without a slash at its end
---@field _loop table the adapter that steps the client, see cekura.loop
---@field _on_event? fun(event: table) the option `on_event`, and before it the log that CEKURA_DEBUG asks for
---@field _key_source string where the API key comes from, for messages
---@field _conditional boolean whether the option `headers` sets a condition that 304 answers
---@field _instead? fun(outgoing: cekura.Request): cekura.Error gets the requests, which are not sent; set by
---cekura.command.session
---@field _on_update fun(job: cekura.Job) processes the new answer of a job; called by cekura.loop.dispatch
---@field _path_of fun(fields: cekura.JobFields): string? the path of a job's polls; called by cekura.loop.dispatch
---@field _common table<string, cekura.JobFields> the prototypes of its jobs; owned by cekura.job.common
---@field _by_record table<string, table> the jobs that a webhook may end; owned by cekura.job.delivered
---@field _webhook_keys table the idempotency keys of past events; owned by cekura.api.webhook
---@field _selection_refused boolean no poll asks for a selection any longer; owned by cekura.job.selection
---@field _place? integer in the list of open clients; owned by cekura.loop.clients
---@field _unwatch? userdata owned by cekura.loop.hosted, while the host watches the client
---@field _watching? cekura.Host that host; owned by cekura.loop.hosted
---@field _service? cekura.testing.Service that it keeps from being collected; owned by cekura.testing

-- ---- life ----

-- From now on the client lives in its loop.
local register = atomic(function(self, loop)
  resources.add(self)
  loop.attach(self)
end)

local function warn(made, warning)
  local on_event = made.fields._on_event
  if warning and on_event then
    on_event(warning)
  end
end

--- Makes a client.
---@param given? cekura.Options
---@return cekura.Client? client, cekura.Error? err of kind "config"
function client.new(given)
  local made, err = options.resolve(given)
  if not made then
    return nil, err
  end
  warn(made, made.file.warning)
  local self, fault = core.new_client(made.engine)
  if not self then
    return nil, errors.new("config", "no engine: " .. fault)
  end
  warn(made, made.durations and durations.read(self, made.durations))
  local fields = core.fields(self)
  for name, value in pairs(made.fields) do
    fields[name] = value
  end
  fields._on_update, fields._path_of = poll.on_update, job_path.of
  fields._selection_refused, fields._common = false, setmetatable({}, { __mode = "v" })
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

--- Closes the client. Pending waits end with an error of kind "closed". May be called again.
function methods:close()
  close(self)
end

-- ---- requests ----

---@class cekura.RequestOptions
---@field query? table<string, any> a list is sent as repeated parameters
---@field body? table|string a table is sent as JSON, a string unchanged
---@field multipart? table<string, any> sent as multipart/form-data; a field { path = … } or
---{ data = bytes, name =, content_type = } is a file; a path is streamed from disk
---@field headers? table<string, string>
---@field timeout? number seconds

-- The usual methods, as programs write them.
local METHODS = { GET = "GET", POST = "POST", PUT = "PUT", PATCH = "PATCH", DELETE = "DELETE", HEAD = "HEAD" }

local function method_name(method)
  method = ascii.upper(check.text("method", method))
  if not method:find "^[A-Z]+$" then
    errors.misuse("method: an HTTP method expected, got %q", method)
  end
  return method
end

local REQUEST_OPTIONS = { query = true, body = true, multipart = true, headers = true, timeout = true }

--- Sends any request of the API and waits for its answer.
---@param method string "GET", "POST", …
---@param path string begins with "/", below the base URL; may have a query
---@param given? cekura.RequestOptions
---@return cekura.Response? response any 2xx, and 304 to a request with If-None-Match or If-Modified-Since
---@return cekura.Error? err
function methods:request(method, path, given)
  method, path = METHODS[method] or method_name(method), core.encode_path(path) or uri.path("path", path)
  if given == nil then
    return request.send(self, request.new(method, path))
  end
  check.options("options", given, REQUEST_OPTIONS)
  if given.query ~= nil then
    local query = uri.query("query", check.table("query", given.query))
    path = path .. (path:find("?", 1, true) and query:gsub("^%?", "&") or query)
  end
  local timeout, body = check.seconds("timeout", given.timeout), given.body
  if given.multipart ~= nil and body ~= nil then
    errors.misuse "options: multipart and body exclude each other"
  elseif given.multipart ~= nil then
    local fields, files = form.read("multipart", check.table("multipart", given.multipart))
    return form.send(self, { method = method, path = path, headers = headers.request_lines(given.headers),
      timeout = timeout }, "multipart", fields, files)
  elseif type(body) == "table" then
    body = encode(body, "body")
  elseif body ~= nil then
    check.text("body", body)
  end
  local lines = headers.request_lines(given.headers, body and "application/json") -- the API's type
  return request.send(self, request.new(method, path, lines, body, timeout))
end

-- ---- jobs ----

local function declaration_of(kind)
  return check.known("kind", "kind", check.text("kind", kind), kinds)
end

---@class cekura.JobOptions options of a job, which are sent where its poll accepts them
---@field agent_id? cekura.Id
---@field project_id? cekura.Id
---@field assistant_id? cekura.Id
---@field fields? string[] what the result holds at least, as in cekura.WaitOptions

---@class cekura.StartOptions : cekura.JobOptions
---@field timeout? number seconds for the start
---@field direct? boolean start a direct job: one request, which is answered when the work is done; not for all kinds

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

--- Checks what client:start() takes, and raises at the caller's line.
---@param self? cekura.Client whose project is the default
---@return table declaration of the kind
---@return table params, cekura.StartOptions options as they are sent
function client.check_start(self, kind, given_params, given)
  local declaration = declaration_of(kind)
  given = check_job_options(given, START_OPTIONS)
  if not declaration.start and not declaration.direct then
    errors.misuse("kind: %s cannot be started here; client:job() takes up one of its jobs", kind)
  elseif given.direct and not declaration.direct then
    errors.misuse("options: direct: %s has no direct jobs", kind)
  end
  local first = declaration.start or declaration.direct
  if given_params == nil and (not declaration.params or endpoint.places(first)[1]) then
    given_params = {} -- so that the error names the missing parameter
  end
  local project = given.project_id or self and core.fields(self)._project_id
  return declaration, params.read(kind, declaration, given_params, project), given
end

--- Starts a job. The start is sent once, and repeated only if the service certainly has not processed it.
---@param kind cekura.KindName|string
---@param given_params? table the parameters of the kind
---@param given? cekura.StartOptions
---@return cekura.Job? job, cekura.Error? err
function methods:start(kind, given_params, given)
  local declaration, sent, options_sent = client.check_start(self, kind, given_params, given)
  return start.start(self, kind, declaration, sent, options_sent)
end

--- Makes a job for an id that is known from elsewhere. Sends nothing.
---@param kind cekura.KindName|string
---@param id cekura.Id
---@param given? cekura.JobOptions
---@return cekura.Job? job, cekura.Error? err
function methods:job(kind, id, given)
  if not declaration_of(kind).poll then
    errors.misuse("kind: %s has only direct jobs, which have no id", kind)
  end
  return start.known(self, kind, check.id("id", id), check_job_options(given, JOB_OPTIONS))
end

--- Makes a job from its token, in the same process or another. Sends nothing.
---@param text string
---@return cekura.Job? job, cekura.Error? err of kind "config": the token is malformed, or of another base URL
function methods:resume(text)
  return start.resumed(self, check.text("token", text))
end

-- ---- counters ----

local Stats = described("cekura.stats", function(stats)
  return ("%d requests, %d in flight, %d jobs"):format(stats.requests, stats.in_flight, stats.jobs)
end)

--- Counters since the client was made.
---@return cekura.Stats
function methods:stats()
  return setmetatable(core.stats(self), Stats)
end

--- What this client has learned of the durations of jobs, by polls with the interval "adaptive". The option `durations`
-- of another client takes it. It has letters, digits, ".", "-", "_" and "~", and less than a kilobyte for each kind.
---@return string
function methods:durations()
  return durations.write(self)
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

-- ---- names ----

-- The core asks for names that are neither methods nor fields.
setmetatable(methods, { __index = function(_, name)
  local known = resources.names()
  for method in pairs(methods) do
    known[method] = true
  end
  return check.spelling("client", name, known)
end })

-- A resource with the name of a method of the client would be unreachable.
for name in pairs(methods) do
  kind_schema.reserve(name)
end

return client

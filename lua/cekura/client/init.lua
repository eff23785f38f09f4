--- The client: one API key, one base URL, one engine.

local atomic = require "cekura.loop.atomic"
local advance = require "cekura.loop.dispatch"
local ascii = require "cekura.http.ascii"
local start = require "cekura.job.start"
local calls = require "cekura.api.calls"
local check = require "cekura.check"
local core = require "cekura.core"
local declare = require "cekura.api.kind_schema"
local encode = require "cekura.http.encode"
local endpoint = require "cekura.http.endpoint"
local errors = require "cekura.errors"
local kinds = require "cekura.api.kinds"
local nearest = require "cekura.nearest"
local options = require "cekura.client.options"
local params = require "cekura.api.params"
local request = require "cekura.http.request"
local poll = require "cekura.job.poll"
local token = require "cekura.job.token"
local uri = require "cekura.http.uri"
local webhook = require "cekura.api.webhook"
require "cekura.job" -- adds the methods of jobs

options.user_agent = "cekura-lua/" .. require "cekura.version"

local client = {}

---@class cekura.Client
---@field calls cekura.Calls
---@field runs table with a method for each kind of job that is named after it; there are as many as resources
local methods = core.client_methods

-- ---- resources ----

-- What a resource can do besides the kinds that are named after it.
local RESOURCES = { calls = calls }

-- A table with a method for each kind of the resource: client.calls:improve_prompt(params) is
-- client:start("calls.improve_prompt", params).
local function resource(self, name)
  local function find(_, method)
    local own = RESOURCES[name] and RESOURCES[name][method]
    if own then
      return function(_, ...)
        return own(self, ...)
      end
    end
    local kind = name .. "." .. tostring(method)
    if kinds[kind] then
      return function(_, given, start_options)
        return self:start(kind, given, start_options)
      end
    end
  end
  return setmetatable({}, { __index = find, __name = "cekura." .. name })
end

-- So that a kind which is declared later finds its place in them.
local clients = setmetatable({}, { __mode = "k" })

local function add_resource(self, kind)
  local name, fields = kind:match "^[^.]+", core.fields(self)
  if fields[name] == nil then
    fields[name] = resource(self, name)
  end
end

--- Declares a kind of job; see cekura.api.kind_schema.
client.kind = atomic(function(name, declaration)
  declare.kind(name, declaration)
  for self in pairs(clients) do
    add_resource(self, name)
  end
end)

-- The client lives in its loop from now on.
local enlist = atomic(function(self, loop)
  clients[self] = true
  for kind in pairs(kinds) do
    add_resource(self, kind)
  end
  loop.attach(self)
end)

--- Makes a client.
---@param given? cekura.Options
---@return cekura.Client? client, cekura.Error? err of kind "config"
function client.new(given)
  local resolved, err = options.resolve(given)
  if not resolved then
    return nil, err
  end
  if resolved.warning and resolved.on_event then
    resolved.on_event(resolved.warning)
  end
  local self, fault = core.new_client(resolved.engine)
  if not self then
    return nil, errors.new("config", "no engine: " .. fault)
  end
  local fields = core.fields(self)
  fields._base_url, fields._timeout, fields._retries = resolved.base_url, resolved.timeout, resolved.engine.retries
  fields._project_id, fields._on_event = resolved.project_id, resolved.on_event
  fields._loop, fields._on_update, fields._pending = resolved.loop, poll.on_update, {}
  fields._api_version, fields._by_record = resolved.api_version, setmetatable({}, { __mode = "v" })
  fields._webhooks, fields._ticks = webhook.memory(), resolved.ticks
  fields._max_response = resolved.engine.max_response
  fields._conditional = request.is_conditional(resolved.engine.headers)
  enlist(self, resolved.loop)
  return self
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
  local lines = options.request_lines(given.headers, body and "application/json") -- what this API takes
  return request.send(self, method, path, lines, body, check.seconds("timeout", given.timeout))
end

-- ---- jobs ----

local function declaration_of(kind)
  local declaration = kinds[check.text("kind", kind)]
  if not declaration then
    errors.misuse(("kind: there is no kind %q%s"):format(kind, nearest(kind, kinds)))
  end
  return declaration
end

local JOB_OPTIONS = { agent_id = true, project_id = true, assistant_id = true }
local START_OPTIONS = { agent_id = true, project_id = true, assistant_id = true, timeout = true }

local function check_job_options(given, known)
  given = check.options("options", given, known)
  for _, name in ipairs(token.SCOPE) do
    if given[name] ~= nil then
      check.id(name, given[name])
    end
  end
  check.seconds("timeout", given.timeout)
  return given
end

--- Starts a job. It is sent once: repeated only if the service certainly has not processed it.
---@param kind string
---@param given_params? table what the kind's start takes; see cekura.api.kinds
---@param given? { agent_id: any, project_id: any, assistant_id: any, timeout: number? }
---@return cekura.Job? job, cekura.Error? err
function methods:start(kind, given_params, given)
  local declaration = declaration_of(kind)
  if not declaration.start then
    errors.misuse(("kind: %s is not started from here, its jobs are had by client:job()"):format(kind))
  end
  given = check_job_options(given, START_OPTIONS)
  if given_params == nil and (not declaration.params or endpoint.places(declaration.start)[1]) then
    given_params = {} -- what is missing is said by its name
  end
  local sent = params.read(kind, declaration, given_params, given.project_id or core.fields(self)._project_id)
  return start.start(self, kind, declaration, sent, given)
end

--- A job for an id that is known from elsewhere. Nothing is sent yet.
---@param kind string
---@param id string|integer
---@param given? { agent_id: any, project_id: any, assistant_id: any }
---@return cekura.Job? job, cekura.Error? err
function methods:job(kind, id, given)
  declaration_of(kind)
  return start.known(self, kind, check.id("id", id), check_job_options(given, JOB_OPTIONS))
end

--- Takes up a job from its token.
---@param text string
---@return cekura.Job? job, cekura.Error? err of kind "config" for a token that is malformed, or not for this client
function methods:resume(text)
  return start.resumed(self, check.text("token", text))
end

-- ---- webhooks ----

--- Makes a function that reads the service's webhooks; see cekura.webhook.
---@param given { secret: string }
---@return fun(headers: table, body: string): cekura.Event?, cekura.Error?
function methods:webhook(given)
  return webhook.new(self, given)
end

-- ---- the protocol, and the end ----

--- One step for a host that polls the client: never blocks, and runs the tasks that became ready.
function methods:step()
  core.fields(self)._loop.step(self)
end

--- Seconds until a step is due; nil: only when the descriptor is readable.
---@return number?
function methods:timeout()
  return core.fields(self)._loop.timeout(self)
end

local close = atomic(function(self)
  local fields = core.fields(self)
  if fields._loop.detach then
    fields._loop.detach(self)
  end
  if core.close(self) then -- once: an event handler that is called for an end may close the client again
    advance(self)
  end
end)

--- Closes the client. What still waits gets an error of kind "closed". May be called again.
function methods:close()
  close(self)
end

-- What a client and its resources have already is no name for a kind.
for name in pairs(methods) do
  declare.reserve(name)
end
for name, own in pairs(RESOURCES) do
  for method in pairs(own) do
    declare.reserve(name .. "." .. method)
  end
end

return client

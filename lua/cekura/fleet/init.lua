--- `require "cekura.fleet"`: jobs of many hosts, kept in Redis, where no host's death reaches them. docs/fleet.md
-- explains it. What runs in Redis is in cekura.fleet.server; what a worker does, in cekura.fleet.worker and
-- cekura.fleet.life.

local check = require "cekura.check"
local client = require "cekura.client"
local core = require "cekura.core"
local encode = require "cekura.http.encode"
local errors = require "cekura.errors"
local inbox = require "cekura.fleet.inbox"
local outcome = require "cekura.fleet.outcome"
local redis = require "cekura.fleet.redis"
local server = require "cekura.fleet.server"
local show = require "cekura.show"
local store = require "cekura.fleet.store"
local worker = require "cekura.fleet.worker"

---@class cekura.fleet what `require "cekura.fleet"` returns
local fleet = {}

---@class cekura.Fleet jobs of many hosts, kept in Redis
---@field private _name string
---@field private _prefix string of all keys
---@field private _client cekura.Client of the jobs; or one that only serves the connections
---@field private _is_lone boolean the latter
---@field private _redis cekura.Redis
---@field private _inbox? cekura.fleet.Inbox made when it is needed
---@field private _url string
---@field private _keep integer seconds
---@field private _lease number seconds
---@field private _rate cekura.FleetRate
---@field private _submitter? string
---@field private _leases integer the leases of its workers so far
---@field private _worker? cekura.fleet.Worker
---@field private _checked boolean the server is one that serves
local Fleet = { __name = "cekura.fleet" }

---@class cekura.Fleet
local methods = {}

function Fleet:__tostring()
  return show.format("cekura.fleet: %s on %s", self._name, tostring(self._redis))
end

-- ---- Redis ----

-- The name of this object among those of the fleet.
function methods:_process()
  self._id = self._id or core.random_hex()
  return self._id
end

-- Refuses a server that cannot serve. Returns an error, also where the server does not answer.
local function check_server(self)
  if self._checked then
    return nil
  end
  local info, err = self._redis:command "INFO"
  if not info then
    return err
  end
  local version = info:match "redis_version:(%d+%.%d+)"
  if info:find("cluster_enabled:1", 1, true) then
    return errors.new("config", ("fleet %s: %s is a Redis Cluster, which is not supported"):format(self._name,
      tostring(self._redis)))
  elseif version and tonumber(version) < 6.2 then
    return errors.new("config", ("fleet %s: %s is Redis %s: 6.2 or newer is needed"):format(self._name,
      tostring(self._redis), version))
  end
  self._checked = true
end

-- Runs a script.
function methods:_run(script, ...)
  local absent = self._absent
  self._absent = nil
  local err = absent and core.now() < absent.until_at and absent.err or check_server(self)
  if err then
    return nil, err
  end
  return script:run(self._redis, self._prefix, ...)
end

-- Runs a script that only asks; a second time if the connection has broken, as it may have long before.
local function ask(self, script, ...)
  local reply, err = self:_run(script, ...)
  if err and err.kind == "network" then
    return self:_run(script, ...)
  end
  return reply, err
end

-- The messages from other processes to this one.
function methods:_listen()
  if not self._inbox then
    local made, err = inbox.new(self._url, self._client, self._prefix .. "inbox:" .. self:_process())
    if not made then
      return nil, err
    end
    self._inbox = made
  end
  return self._inbox
end

-- ---- making ----

---@class cekura.FleetRate bounds for all workers together
---@field starts_per_minute? number
---@field in_flight? integer tasks that run at once

---@class cekura.FleetOptions
---@field redis string the URL of the server, as cekura.redis.new() takes it
---@field name string of the fleet; its keys begin with cekura:{NAME}:
---@field client? cekura.Client of the jobs; nil: this process cannot work()
---@field keep? number seconds that outcomes and keys are kept (604800, a week)
---@field lease? number seconds of silence after which a worker counts as dead (30)
---@field rate? cekura.FleetRate
---@field submitter? string tasks of several submitters take turns; nil: this object is one

local OPTIONS = { redis = true, name = true, client = true, keep = true, lease = true, rate = true, submitter = true }

local RATE = { starts_per_minute = true, in_flight = true }

local function check_name(name, value)
  if not check.text(name, value):find "^[%w_.-]+$" then
    errors.misuse("%s: letters, digits, \".\", \"_\" and \"-\" expected, got %q", name, value)
  end
  return value
end

local function check_rate(rate)
  rate = check.options("rate", rate, RATE)
  check.seconds("rate: starts_per_minute", rate.starts_per_minute)
  if rate.in_flight ~= nil then
    check.count("rate: in_flight", rate.in_flight, 1, 2 ^ 31)
  end
  return { starts_per_minute = rate.starts_per_minute, in_flight = rate.in_flight }
end

-- Whether this host can wait here and now. (In a coroutine of its own, since Lua 5.1 cannot wait inside pcall.)
local function can_wait(self)
  return (pcall(function()
    coroutine.wrap(core.fields(self._client)._loop.waiter)()
  end))
end

--- Makes a fleet's object, which each process has of its own. A server that can be reached is checked at once, where
-- the host can wait.
---@param given cekura.FleetOptions
---@return cekura.Fleet? fleet, cekura.Error? err of kind "config", or "auth"
function fleet.new(given)
  check.options("options", check.table("options", given), OPTIONS)
  local self = { _url = check.text("redis", given.redis), _name = check_name("name", given.name),
    _prefix = "cekura:{" .. given.name .. "}:", _keep = math.ceil(check.seconds("keep", given.keep) or 7 * 86400),
    _lease = check.seconds("lease", given.lease) or 30, _rate = check_rate(given.rate),
    _submitter = given.submitter and check_name("submitter", given.submitter), _checked = false,
    _leases = 0, _is_lone = given.client == nil }
  if given.client ~= nil and core.type(given.client) ~= "client" then
    errors.misuse("client: client expected, got %s", show.type(given.client))
  end
  local err
  self._client, err = given.client, nil
  if self._is_lone then
    self._client, err = redis._lone_client()
  end
  if not self._client then
    return nil, err
  end
  self._redis, err = redis.new(self._url, { client = self._client })
  if not self._redis then
    return nil, err
  end
  setmetatable(self, Fleet)
  err = can_wait(self) and check_server(self) or nil
  if err and (err.kind == "config" or err.kind == "auth" or err.kind == "invalid") then
    self:close()
    return nil, err
  end
  self._absent = err and { err = err, until_at = core.now() + 1 } -- the first call need not wait once more
  return self
end

--- Ends the work here, and closes the connections. The client goes on. May be called again.
function methods:close()
  self:stop()
  self._redis:close()
  if self._inbox then
    self._inbox:close()
  end
  if self._is_lone then
    self._client:close()
  end
end

-- ---- tasks ----

---@class cekura.SubmitOptions
---@field key? string a key that was seen within `keep` returns the id of the first task
---@field options? cekura.StartOptions

local SUBMIT_OPTIONS = { key = true, options = true }

-- Seconds during which a submission is repeated that may have arrived: its id is the same, so there is one task.
local PATIENCE = 10

local function sleep(self, seconds)
  return core.fields(self._client)._loop.waiter():park(seconds) ~= "cancelled"
end

--- Adds a task: the job that client:start(kind, params, options) starts, on whatever host.
---@param kind cekura.KindName|string
---@param params? table
---@param given? cekura.SubmitOptions
---@return string? id, cekura.Error? err of kind "config" if a parameter holds the API key; else as redis:command()
---gives it: with `err.sent`, the task may have been added, and with a key it may be submitted again
function methods:submit(kind, params, given)
  given = check.options("options", given, SUBMIT_OPTIONS)
  local key = given.key ~= nil and check.text("key", given.key) or ""
  local asked = given.options == nil and {} or check.table("options: options", given.options)
  local declaration, _, options = client.check_start(not self._is_lone and self._client or nil, kind, params, asked)
  options.direct = options.direct or not declaration.start or nil
  local body = encode(params or {}, "params")
  local encoded_options = encode(options, "options")
  if core.has_secret(self._client, body) or core.has_secret(self._client, encoded_options .. key) then
    return nil, errors.new("config", "fleet: the parameters hold a secret of this client, and Redis "
      .. "keeps them in clear text")
  end
  local id, deadline = core.random_hex(), core.now() + PATIENCE
  local of_lane = options.direct and kind .. "/direct" or kind
  local was_sent = false
  while true do
    local first, err = self:_run(server.submit, id, of_lane, self._submitter or self:_process(), body, encoded_options,
      key)
    if not err then
      return first
    end
    was_sent = was_sent or err.sent
    local may_repeat = was_sent and (err.kind == "network" or err.kind == "timeout" or err.kind == "server")
    if not may_repeat or core.now() > deadline or not sleep(self, 0.1 + 0.4 * math.random()) then
      err.sent = was_sent
      return nil, err
    end
  end
end

-- Seconds after which a waiter asks again: in case a message was lost, and while Redis is away.
local ASK_AGAIN, TRY_AGAIN = 60, 1

-- Asks for an outcome. Returns the reply if there is one, or an error if the wait is to end; and the seconds until it
-- asks again.
local function ask_outcome(self, id)
  local reply, err = ask(self, server.await, id, self:_process())
  if reply == 0 then
    return nil, outcome.not_found(self, id)
  elseif err and (err.kind == "network" or err.kind == "timeout" or err.kind == "server") then
    return nil, nil, TRY_AGAIN
  end
  return type(reply) == "string" and reply or nil, err, ASK_AGAIN
end

local RESULT_OPTIONS = { timeout = true }

--- Waits for the outcome of a task, on any host.
---@param id string
---@param given? { timeout?: number } seconds; nil: for as long as it takes
---@return any? result as job:wait() gives it
---@return cekura.Error? err as job:wait() gives it; "timeout": the task goes on; "not_found": there is none, or its
---outcome is no longer kept
function methods:result(id, given)
  check.text("id", id)
  given = check.options("options", given, RESULT_OPTIONS)
  local timeout = check.seconds("timeout", given.timeout) or math.huge
  local deadline = core.now() + timeout
  local messages, err = self:_listen()
  if not messages then
    return nil, err
  end
  local waiter = core.fields(self._client)._loop.waiter()
  local is_notified
  messages:listen(waiter, function(what, about)
    if what == "outcome" and about == id or what == "lost" then
      is_notified = true
      waiter:wake()
    end
  end)
  local reply, why, pause
  repeat
    is_notified = false
    reply, err, pause = ask_outcome(self, id)
    messages:read()
    local ask_at = math.min(deadline, core.now() + (messages.is_reading and pause or TRY_AGAIN))
    while not reply and not err and not is_notified and core.now() < ask_at do
      why = waiter:park(ask_at - core.now(), true)
      if why == "cancelled" or why == "closing" or core.is_closed(self._client) then
        err = errors.new(why == "cancelled" and "cancelled" or "closed", "fleet: the wait was ended here")
      end
    end
  until reply or err or core.now() >= deadline
  messages:listen(waiter, nil)
  if reply then
    local result, failure = outcome.read(self._client, reply)
    return result, failure
  end
  return nil, err or errors.new("timeout", ("fleet %s: task %s has no outcome after %g s"):format(self._name, id,
    timeout))
end

-- ---- work ----

---@class cekura.WorkOptions
---@field concurrency? integer tasks that it has at once (100)
---@field on_result? fun(result: any, task: cekura.FleetTask)
---@field on_failed? fun(err: cekura.Error, task: cekura.FleetTask)
---@field on_error? fun(err: cekura.Error, where: string) gets problems of the worker: "redis", "start", or the name of
---a handler that has raised; must not wait. Default: the host's log
---@field until_empty? boolean ends once no task waits or runs in the fleet

local WORK_OPTIONS = { concurrency = true, on_result = true, on_failed = true, on_error = true, until_empty = true }

--- Works until fleet:stop(), or until the client is closed or the host ends.
---@param given? cekura.WorkOptions
---@return true? ended, cekura.Error? err of kind "auth" if the service refuses the client's key; "config" if the
---workers of the fleet use another base URL
function methods:work(given)
  local options = {}
  for name, value in pairs(check.options("options", given, WORK_OPTIONS)) do
    options[name] = value
  end
  options.concurrency = options.concurrency ~= nil
    and check.count("concurrency", options.concurrency, 1, 2 ^ 31) or 100
  for _, name in ipairs { "on_result", "on_failed", "on_error" } do
    check.callback(name, options[name])
  end
  check.flag("until_empty", options.until_empty)
  if self._is_lone then
    errors.misuse "fleet:work: the fleet was made without a client"
  elseif self._worker then
    errors.misuse "fleet:work: it works already"
  end
  local _, err = self:_listen()
  if err then
    return nil, err
  end
  self._worker = worker.new(self, options)
  local made = self._worker
  local task = made.loop.spawn(function()
    return made:run()
  end)
  local ended, failure = task:join()
  made:stop()
  self._worker = nil
  return ended, failure
end

--- Ends the work here: fleet:work() returns once starts and handlers that are under way are done. Other workers take
-- over the tasks that only waited for their jobs.
function methods:stop()
  if self._worker then
    self._worker:stop()
  end
end

-- ---- stores ----

--- A store for `cekura.watch { store = … }`, which watches on many hosts have in common: one of them works at a time.
-- Its client's loop must be that of the watch.
---@param name string
---@return cekura.fleet.Place
function methods:store(name)
  return store.new(self._redis, self._prefix, check_name("name", name))
end

-- ---- numbers ----

---@class cekura.FleetStats
---@field waiting integer
---@field running integer
---@field done integer tasks that have succeeded, or had nothing to do
---@field failed integer
---@field unknown integer
---@field poisoned integer
---@field workers integer
---@field pace { starts_per_minute?: number, in_flight?: integer, next: number, held: table<string, number> } the rate;
---seconds until a task may be taken; the endpoints that are held, each with its seconds

--- The numbers of the fleet.
---@return cekura.FleetStats? stats, cekura.Error? err
function methods:stats()
  local reply, err = ask(self, server.stats)
  if not reply then
    return nil, err
  end
  local stats = { waiting = 0, running = 0, done = 0, failed = 0, unknown = 0, poisoned = 0, workers = reply[2] }
  for index = 1, #reply[1], 2 do
    stats[reply[1][index]] = tonumber(reply[1][index + 1])
  end
  stats.pace = { starts_per_minute = self._rate.starts_per_minute, in_flight = self._rate.in_flight,
    next = reply[3] / 1000, held = {} }
  for index = 1, #reply[4], 2 do
    stats.pace.held[reply[4][index]] = tonumber(reply[4][index + 1])
  end
  return stats
end

-- ---- names ----

check.methods("fleet", methods, function(value)
  return getmetatable(value) == Fleet
end)

Fleet.__index = setmetatable(methods, { __index = function(_, name)
  return check.spelling("fleet", name, methods)
end })

return fleet

--- Connections to Redis, whose commands wait as everything else does.
--
-- The connection is a guest of a client's engine (src/engine/guest.h), so one descriptor serves both.

local check = require "cekura.check"
local client = require "cekura.client"
local core = require "cekura.core"
local dispatch = require "cekura.loop.dispatch"
local errors = require "cekura.errors"
local show = require "cekura.show"
local uri = require "cekura.http.uri"

local redis = {}

-- The library cekura/redis.so, which not every installation has; loaded by redis.new().
local native

---@class cekura.Redis a connection to a Redis server
---@field _client cekura.Client
---@field _is_lone boolean the client serves this connection alone
---@field _connection userdata
---@field _timeout number seconds
---@field _where string for messages
local Redis = { __name = "cekura.redis" }

local methods = {}
Redis.__index = methods

function Redis:__tostring()
  return "redis " .. self._where
end

-- ---- URLs ----

-- Reads the part before "@" and the address of redis://[[user]:password@]host[:port][/database].
local function read_authority(made, rest)
  local login, address = rest:match "^(.*)@([^@]*)$"
  local authority, database = (address or rest):match "^([^/]*)/?(.*)$"
  local user, password = (login or ""):match "^([^:]*):(.*)$"
  made.host = authority:match "^%[(.*)%]" or authority:match "^[^:]*"
  made.host = made.host ~= "" and made.host or "localhost"
  made.port = authority:match "^%[.*%]:(%d+)$" or authority:match "^[^:%[]*:(%d+)$"
  if not made.port and authority:find(":", 1, true) and not authority:find "^%[[^%]]*%]$" then
    return "the port is not a number"
  end
  made.port = tonumber(made.port or 6379)
  if made.port < 1 or made.port > 65535 then
    return "the port is not between 1 and 65535"
  elseif login and not password then
    return "what precedes the @ is not user:password"
  end
  made.user = user ~= "" and user and uri.decode(user) or nil
  made.password = password and uri.decode(password)
  return nil, database
end

-- The options of native.connect() for a URL; nil and why it is none.
local function read_url(url)
  local scheme, rest = url:match "^([%w+]+)://(.*)$"
  local made, fault, database = {}
  if scheme == "redis" then
    fault, database = read_authority(made, (rest:gsub("[?#].*", "")))
  elseif scheme == "unix" or scheme == "redis+unix" then
    made.password = rest:match "^:([^@/]*)@"
    made.path, database = rest:gsub("^:[^@/]*@", ""):match "^(/[^?]*)(.*)$"
    if not made.path then
      return nil, "the path of the socket does not begin with a slash"
    end
    database = database:match "[?&]db=([^&]*)" or ""
    made.where = "unix://" .. made.path
  elseif scheme == "rediss" then
    return nil, "TLS to Redis needs hiredis 1.0 or newer with TLS, which this build lacks"
  else
    return nil, "a URL redis://host:port/database or unix:///path is expected"
  end
  if not fault and database ~= "" and not database:find "^%d+$" then
    fault = "the database is not a number"
  end
  made.database = tonumber(database) or 0
  made.where = made.where or ("redis://%s:%s"):format(made.host, made.port or "")
  return not fault and made or nil, fault
end

-- ---- connections ----

---@class cekura.RedisOptions
---@field client? cekura.Client whose loop and descriptor the connection shares; a new one if nil
---@field timeout? number seconds for a command, with the connection that it may need (10)
---@field connect_timeout? number seconds for looking a name up, connecting and the login together (5)

local OPTIONS = { client = true, timeout = true, connect_timeout = true }

-- A client whose service is never asked: its engine and its loop serve the connection.
local function lone_client()
  return client.new { api_key = "none", base_url = "http://localhost", config_file = false }
end

--- Makes a connection to a Redis server. It is connected with the first command, and again when it has broken.
---@param url string redis://[[user]:password@]host[:port][/database], or unix:///path[?db=database]
---@param options? cekura.RedisOptions
---@return cekura.Redis? redis, cekura.Error? err of kind "config"
function redis.new(url, options)
  check.text("url", url)
  options = check.options("options", options, OPTIONS)
  if not native then
    local loaded, module = pcall(require, "cekura.redis")
    if not loaded then
      return nil, errors.new("config", "redis: the library cekura/redis.so cannot be loaded: " .. module)
    end
    native = module
  end
  local made, fault = read_url(url)
  if not made then
    return nil, errors.new("config", "redis: " .. fault)
  end
  made.connect_timeout = check.seconds("connect_timeout", options.connect_timeout) or 5
  local timeout = check.seconds("timeout", options.timeout) or 10
  if options.client ~= nil and core.type(options.client) ~= "client" then
    errors.misuse("client: client expected, got %s", show.type(options.client))
  end
  local owner, err = options.client
  if not owner then
    owner, err = lone_client()
  end
  if err then
    return nil, err
  end
  local connection = native.connect(owner, made)
  if not connection then
    return nil, errors.new("config", "redis: out of memory")
  end
  return setmetatable({ _client = owner, _is_lone = options.client == nil, _connection = connection,
    _timeout = timeout, _where = made.where }, Redis)
end

--- Closes the connection. Commands that wait end with an error of kind "closed". May be called again.
function methods:close()
  native.close(self._connection)
  if self._is_lone then
    self._client:close()
  else
    dispatch(self._client)
  end
end

-- ---- commands ----

local function word(index, value)
  local kind = type(value)
  if kind == "string" then
    return value
  elseif kind == "number" then
    return uri.text("word", value)
  end
  return errors.misuse("command: word %d: string or number expected, got %s", index, show.type(value))
end

local AUTH = { NOAUTH = true, WRONGPASS = true, NOPERM = true }
local SERVER = { LOADING = true, BUSY = true, READONLY = true, MASTERDOWN = true, OOM = true, TRYAGAIN = true,
  CLUSTERDOWN = true, MISCONF = true, NOREPLICAS = true }

-- The kind of an error that the server has replied.
local function kind_of(text)
  local code = text:match "^%u+" or ""
  return AUTH[code] and "auth" or SERVER[code] and "server" or "invalid"
end

local KINDS = { broken = "network", timeout = "timeout", cancelled = "cancelled", closed = "closed" }

local FAULTS = { timeout = "no reply in time", cancelled = "the task was cancelled" }

-- The results of a command that has ended.
local function read(self, name, how, value, sent)
  if how == "replied" then
    return value
  end
  local text = value ~= "" and value or FAULTS[how] or how
  local kind = (how == "error" or how == "refused") and kind_of(text) or KINDS[how]
  if how == "timeout" and value ~= "" then
    text = ("%s: %s"):format(FAULTS.timeout, value)
  end
  return nil, errors.new(kind, show.format("%s: %s: %s", self._where, name, text),
    { sent = how == "error" or sent or false })
end

-- core.next_completion() has returned the table of the command: see cekura.loop.dispatch.
local function on_change(request)
  request.waiter_of:wake()
  return false
end

local function relist(_, request)
  native.relist(request.command)
end

--- Sends a command, and waits for its reply.
---@param ... string|number the command and its arguments: redis:command("SET", "key", 1)
---@return any? reply a string, an integer, a list of replies, or false for a missing value; in a list, an error is a
---table { err = text }; an integer that this Lua cannot represent is a string
---@return cekura.Error? err of kind "network", "timeout", "auth", "closed", "cancelled"; "server" if the server cannot
---do it now, "invalid" if it refuses the command. `err.sent` is whether the server may have executed it
function methods:command(...)
  local words = { ... }
  local count = select("#", ...)
  if count == 0 then
    errors.misuse "command: no command is given"
  end
  for index = 1, count do
    words[index] = word(index, words[index])
  end
  local waiter = core.fields(self._client)._loop.waiter()
  local request = { waiter_of = waiter, on_change = on_change, relist = relist }
  local command, fault = native.submit(self._client, self._connection, request, words, self._timeout)
  if not command then
    return nil, errors.new("closed", show.format("%s: %s: %s", self._where, words[1], fault), { sent = false })
  end
  request.command = command
  while not native.is_done(command) do
    if waiter:park() == "cancelled" then
      if native.is_done(command) then
        waiter:defer_cancel()
      end
      native.cancel(command)
    end
  end
  return read(self, words[1], native.take(self._client, command))
end

check.methods("redis", methods, function(value)
  return getmetatable(value) == Redis
end)

return redis

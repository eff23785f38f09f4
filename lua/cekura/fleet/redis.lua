--- Connections to Redis, whose commands wait as everything else does.

local check = require "cekura.check"
local client = require "cekura.client"
local core = require "cekura.core"
local dispatch = require "cekura.loop.dispatch"
local errors = require "cekura.errors"
local link = require "cekura.fleet.link"
local redis_url = require "cekura.fleet.redis_url"
local sentinel = require "cekura.fleet.sentinel"
local show = require "cekura.show"
local uri = require "cekura.http.uri"

---@class cekura.Connections `cekura.redis`, which is loaded when it is first used
local redis = {}

---@class cekura.Redis a connection to a Redis server
---@field private _client cekura.Client
---@field private _is_lone boolean the client serves this connection alone
---@field private _link? cekura.fleet.Link nil: sentinels name the server
---@field private _sentinel? cekura.fleet.Sentinel
---@field private _timeout number seconds
---@field private _where string for messages
local Redis = {}

local METATABLE = { __name = "cekura.redis", __index = Redis, __tostring = function(self)
  return "redis " .. self._where
end }

---@class cekura.RedisOptions
---@field client? cekura.Client whose loop and descriptor the connection shares; a new one if nil
---@field timeout? number seconds for a command, with the connection that it may need (10)
---@field connect_timeout? number seconds for looking a name up, connecting and the login together (5)
---@field ca_file? string for rediss://, a file of trusted certificates in place of the system's

local OPTIONS = { client = true, timeout = true, connect_timeout = true, ca_file = true }

--- A client whose service is never asked: its engine and its loop serve the connection.
---@return cekura.Client? client, cekura.Error? err
function redis._lone_client()
  return client.new { api_key = "none", base_url = "http://localhost", config_file = false }
end

local function check_options(options)
  options = check.options("options", options, OPTIONS)
  local owner = options.client
  if owner ~= nil and core.type(owner) ~= "client" then
    errors.misuse("client: client expected, got %s", show.type(owner))
  end
  if options.ca_file ~= nil then
    check.text("ca_file", options.ca_file)
  end
  return { client = owner, ca_file = options.ca_file, timeout = check.seconds("timeout", options.timeout) or 10,
    connect_timeout = check.seconds("connect_timeout", options.connect_timeout) or 5 }
end

--- Makes a connection to a Redis server. It is connected with the first command, and again when it has broken.
---@param url string redis://[[user]:password@]host[:port][/database], rediss:// for TLS, unix:///path[?db=database], or
---redis+sentinel://[[user]:password@]host[:port][,host[:port]…]/MASTER[/database], whose hosts are sentinels
---@param options? cekura.RedisOptions
---@return cekura.Redis? redis, cekura.Error? err of kind "config"
function redis.new(url, options)
  check.text("url", url)
  options = check_options(options)
  local address, fault = redis_url.read(url)
  if not address then
    return nil, errors.new("config", "redis: " .. fault)
  end
  local owner, err = options.client
  if not owner then
    owner, err = redis._lone_client()
    if not owner then
      return nil, err
    end
  end
  local self = { _client = owner, _is_lone = options.client == nil, _timeout = options.timeout,
    _where = address.where }
  if address.sentinels then
    self._sentinel, err = sentinel.new(owner, address, options)
  else
    self._link, err = link.new(owner, address, options)
  end
  if err and self._is_lone then
    owner:close()
  end
  if err then
    return nil, err
  end
  return setmetatable(self, METATABLE)
end

--- Closes the connection. Commands that wait end with an error of kind "closed". May be called again.
function Redis:close()
  local held = self._link or self._sentinel
  held:close()
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

-- Commands after which the replies would no longer be those of the commands, in their order.
local UNFIT = { SUBSCRIBE = true, PSUBSCRIBE = true, SSUBSCRIBE = true, UNSUBSCRIBE = true, PUNSUBSCRIBE = true,
  SUNSUBSCRIBE = true, MONITOR = true, SYNC = true, PSYNC = true, HELLO = true, RESET = true }

-- The words of a command as texts.
local function texts_of(...)
  local words = { ... }
  local count = select("#", ...)
  if count == 0 then
    errors.misuse "command: no command is given"
  end
  for index = 1, count do
    words[index] = word(index, words[index])
  end
  local name = words[1]:upper()
  if UNFIT[name] or name == "CLIENT" and (words[2] or ""):upper() == "REPLY" then
    errors.misuse("command: %s is not for a connection that commands share", words[1])
  end
  return words
end

--- Sends a command, and waits for its reply.
---@param ... string|number the command and its arguments: redis:command("SET", "key", 1)
---@return any? reply a string, an integer, a list of replies, or false for a missing value; in a list, an error is a
---table { err = text }; an integer that this Lua cannot represent is a string
---@return cekura.Error? err of kind "network", "tls", "timeout", "auth", "protocol", "closed", "cancelled"; "server" if
---the server cannot do it now, "invalid" if it refuses the command. `err.sent` is whether the server may have executed
---it
function Redis:command(...)
  local held = self._link or self._sentinel
  local reply, err = held:command(texts_of(...), self._timeout)
  if err then
    return nil, err
  end
  return reply
end

--- Sends a command, and has a function called with what redis:command() would return, by whatever steps the client.
-- The function must not wait.
---@param self cekura.Redis
---@param on_end fun(reply: any, err?: cekura.Error)
---@return cekura.Error? err it cannot be sent, and the function is not called
function redis._send(self, on_end, ...)
  local held = self._link or self._sentinel
  return held:send(texts_of(...), self._timeout, on_end)
end

check.methods("redis", Redis, function(value)
  return getmetatable(value) == METATABLE
end)

check.functions("cekura.redis", redis)

return redis

--- Connections to one Redis server, and the lives of commands on them.
--
-- The connection is a guest of a client's engine (src/engine/guest.h), so one descriptor serves both.

local core = require "cekura.core"
local errors = require "cekura.errors"
local show = require "cekura.show"

local link = {}

-- The library cekura/redis.so, which not every installation has; loaded with the first connection.
local native

---@class cekura.fleet.Link
---@field client cekura.Client
---@field connection userdata
---@field where string for messages
local Link = {}
Link.__index = Link

--- Makes a connection, which is connected with the first command, and again when it has broken.
---@param client cekura.Client
---@param address cekura.fleet.RedisAddress
---@param options table connect_timeout, ca_file
---@return cekura.fleet.Link? link, cekura.Error? err of kind "config"
function link.new(client, address, options)
  if not native then
    local loaded, module = pcall(require, "cekura.redis")
    if not loaded then
      return nil, errors.new("config", "redis: the library cekura/redis.so cannot be loaded: " .. module)
    end
    native = module
  end
  local connection, fault = native.connect(client, { host = address.host, path = address.path, port = address.port,
    user = address.user, password = address.password, database = address.database, secure = address.secure,
    connect_timeout = options.connect_timeout, ca_file = options.ca_file })
  if not connection then
    return nil, errors.new("config", "redis: " .. fault)
  end
  return setmetatable({ client = client, connection = connection, where = address.where }, Link)
end

--- Whether it is connected, as far as can be known without sending anything.
---@return boolean
function Link:is_up()
  return native.is_up(self.connection)
end

--- Closes the connection, whose commands end.
function Link:close()
  native.close(self.connection)
end

-- ---- the end of a command ----

local AUTH = { NOAUTH = true, WRONGPASS = true, NOPERM = true }
local SERVER = { LOADING = true, BUSY = true, READONLY = true, MASTERDOWN = true, OOM = true, TRYAGAIN = true,
  CLUSTERDOWN = true, MISCONF = true, NOREPLICAS = true, UNBLOCKED = true }

-- The kind of an error that the server has replied.
local function kind_of(code)
  return AUTH[code] and "auth" or SERVER[code] and "server" or "invalid"
end

local KINDS = { broken = "network", garbled = "protocol", untrusted = "tls", timeout = "timeout",
  cancelled = "cancelled", closed = "closed" }

local FAULTS = { timeout = "no reply in time", cancelled = "the task was cancelled" }

-- The results of a command that has ended; the third is the code of the server's error.
local function read(self, name, how, value, sent)
  if how == "replied" then
    return value
  end
  local text = value ~= "" and value or FAULTS[how] or how
  local is_reply = how == "error" or how == "refused"
  local code = is_reply and text:match "^%u+" or nil
  if how == "timeout" and value ~= "" then
    text = ("%s: %s"):format(FAULTS.timeout, value)
  end
  return nil, errors.new(is_reply and kind_of(code) or KINDS[how], show.format("%s: %s: %s", self.where, name, text),
    { sent = how == "error" or sent or false }), code
end

-- ---- commands ----

-- Submits a command. core.next_completion() returns the request when the command has ended, and its `on_change` is
-- called (cekura.loop.dispatch). Returns an error if it cannot be sent.
local function submit(self, request, words, timeout)
  request.client, request.connection, request.command = self.client, self.connection, false
  local command, fault = native.submit(self.client, self.connection, request, words, timeout)
  if not command then
    return errors.new("closed", show.format("%s: %s: %s", self.where, words[1], fault), { sent = false })
  end
  request.command = command
end

-- The task that waits may be gone: then nothing holds the request any more.
local function on_change(request)
  request.parked:wake()
  native.settle(request.client, request.command)
  return false
end

-- What native.take() returns at the end. A long list is taken in slices, each in a step of its own.
local function take(request)
  local how, value, sent = native.take(request.client, request.command, request)
  while how == "more" do
    local is_cancelled = request.parked:park() == "cancelled"
    if is_cancelled then
      request.parked:defer_cancel()
    end
    how, value = native.take(request.client, request.command, request, value, is_cancelled)
  end
  return how, value, sent
end

--- Sends a command, and waits for its reply.
---@param words string[]
---@param timeout number seconds
---@return any? reply, cekura.Error? err, string? code of the server's error
function Link:command(words, timeout)
  local waiter = core.fields(self.client)._loop.waiter()
  local request = { parked = waiter, on_change = on_change }
  local err = submit(self, request, words, timeout)
  if err then
    return nil, err
  end
  while not native.is_done(request.command) do
    if waiter:park() == "cancelled" then
      if native.is_done(request.command) then
        waiter:defer_cancel()
      end
      native.cancel(request.command)
    end
  end
  return read(self, words[1], take(request))
end

--- Sends a command, and has a function called with what Link:command() would return, by whatever steps the client. The
-- function must not wait.
---@param words string[]
---@param timeout number seconds
---@param on_end fun(reply: any, err?: cekura.Error, code?: string)
---@return cekura.Error? err it cannot be sent, and the function is not called
function Link:send(words, timeout, on_end)
  return submit(self, { on_change = function(request)
    on_end(read(self, words[1], native.take(request.client, request.command, request, nil, true)))
    return false
  end }, words, timeout)
end

return link

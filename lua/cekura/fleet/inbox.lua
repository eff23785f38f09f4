--- Messages from other processes of the fleet. One blocking read serves all waiters of this process. The read is a
-- command whose end calls back and sends the next one while there are listeners, so it does not depend on any task.

local core = require "cekura.core"
local redis = require "cekura.fleet.redis"

---@class cekura.fleet.Inbox
---@field redis cekura.Redis a connection of its own, which the read blocks
---@field stream string
---@field last string the id of the last entry that was read
---@field listeners table<any, fun(what: string, ...): any> by any key; called with the fields of each entry
---@field is_reading boolean
---@field failures integer in a row
---@field next_at number when the next read may be sent, after failures
local Inbox = {}
Inbox.__index = Inbox

local inbox = {}

-- Milliseconds that the server may take for an empty reply, and the seconds after which the connection counts as dead.
local BLOCK, TIMEOUT = 20000, 30

--- Makes one.
---@param url string of the server
---@param client cekura.Client
---@param stream string the key of the stream
---@return cekura.fleet.Inbox? inbox, cekura.Error? err
function inbox.new(url, client, stream)
  local connection, err = redis.new(url, { client = client, timeout = TIMEOUT })
  return connection and setmetatable({ redis = connection, stream = stream, last = "0-0", listeners = {},
    is_reading = false, failures = 0, next_at = 0 }, Inbox), err
end

local function notify(self, ...)
  local listeners = {}
  for key, listener in pairs(self.listeners) do -- a listener may leave
    listeners[key] = listener
  end
  for _, listener in pairs(listeners) do
    listener(...)
  end
end

--- Reads on, if there are listeners. To be called after a listener was added, and periodically, because a read that has
-- failed is not repeated at once.
function Inbox:read()
  if self.is_reading or next(self.listeners) == nil or core.now() < self.next_at then
    return
  end
  self.is_reading = true
  local err = redis._send(self.redis, function(reply, err)
    self.is_reading = false
    self.failures = err and self.failures + 1 or 0
    self.next_at = err and core.now() + math.min(5, 0.1 * 2 ^ self.failures) or 0
    for _, entry in ipairs(reply and reply[1] and reply[1][2] or {}) do
      self.last = entry[1]
      notify(self, entry[2][1], entry[2][2], entry[2][4])
    end
    if err then
      notify(self, "lost")
    else
      self:read()
    end
  end, "XREAD", "COUNT", 1000, "BLOCK", BLOCK, "STREAMS", self.stream, self.last)
  if err then
    self.is_reading = false
  end
end

--- Has a function called for each entry from now on, and with "lost" when a read has failed: then no message arrives
-- until read() is called again.
---@param key any
---@param listener? fun(what: string, ...): any nil: none any longer
function Inbox:listen(key, listener)
  self.listeners[key] = listener
  self:read()
end

--- Closes its connection.
function Inbox:close()
  self.redis:close()
end

return inbox

--- cekura.outbox { … }: call logs that are kept on disk until the service has them. docs/outbox.md has the format, the
-- promises, and what happens at each point where a process may die.

local check = require "cekura.check"
local choose_loop = require "cekura.loop"
local core = require "cekura.core"
local entry = require "cekura.outbox.entry"
local errors = require "cekura.errors"
local place = require "cekura.outbox.place"
local sender = require "cekura.outbox.sender"
local show = require "cekura.show"
local slices = require "cekura.outbox.slices"

local outbox = {}

---@class cekura.Outbox call logs that are kept on disk until the service has them
---@field private _place cekura.outbox.Place
---@field private _client? cekura.Client
---@field private _options table
---@field private _sender? cekura.outbox.Sender that runs here
---@field private _sync boolean
---@field private _is_closed boolean
local Outbox = { __name = "cekura.outbox" }

---@class cekura.Outbox
local methods = {}

function Outbox:__tostring()
  return show.format("cekura.outbox: %s", self._place.path)
end

---@class cekura.OutboxOptions
---@field path string a directory, made if its last name is missing
---@field client? cekura.Client that sends; nil: this process only puts
---@field on_refused? fun(call: table, err: cekura.Error) a call was moved to PATH/refused; may wait
---@field sync? boolean `put` returns once the call is on the disk, so that it survives a power cut (false)
---@field give_up? number seconds after which a call is refused that fails while later ones are accepted (86400)

local OPTIONS = { path = true, client = true, on_refused = true, sync = true, give_up = true }

local DAY = 86400

local function check_path(path)
  if check.text("path", path) == "" or path:find "%z" then
    errors.misuse("path: the path of a directory expected, got %q", path)
  end
  return path
end

--- Opens an outbox. Any number of processes may have the same directory.
---@param given cekura.OutboxOptions
---@return cekura.Outbox? outbox, cekura.Error? err of kind "config": the directory cannot be made or read
function outbox.new(given)
  check.options("outbox", check.table("outbox", given), OPTIONS)
  local path = check_path(given.path)
  if given.client ~= nil and core.type(given.client) ~= "client" then
    errors.misuse("client: client expected, got %s", show.type(given.client))
  end
  local options = { on_refused = check.callback("on_refused", given.on_refused),
    sync = check.flag("sync", given.sync) or false, give_up = check.seconds("give_up", given.give_up) or DAY }
  local opened, err = place.open(path)
  if not opened then
    return nil, err
  end
  return setmetatable({ _place = opened, _client = given.client, _options = options, _sync = options.sync,
    _is_closed = false }, Outbox)
end

local function closed(self)
  return errors.new("closed", show.format("outbox %s: it is closed", self._place.path), { sent = false })
end

--- Keeps a call until it is sent. Checks it as calls:send() does, and needs no client. A recording that `call` names by
--- a path stays where it is, and must exist until the call is sent.
---@param call cekura.Calls.SendParams
---@return true? ok the call will be sent, whatever happens to this process
---@return cekura.Error? err of kind "config": it cannot be stored, for instance as the disk is full; or "closed"
function methods:put(call)
  local text = entry.text(call)
  if self._is_closed then
    return nil, closed(self)
  end
  local ok, fault = core.append_to_spool(self._place.spool, text, self._sync)
  if not ok then
    return nil, self._place:fault(fault)
  end
  if self._sender then
    self._sender:wake()
  end
  return true
end

-- Cleans up after a sender.
local function ended(self, made)
  made:close()
  if self._sender == made then
    self._sender = nil
    if self._is_closed then
      self._place:close()
    end
  end
end

-- Runs a sender in a task of its own, and not by pcall, in which PUC Lua 5.1 cannot wait. Where the caller is cancelled
-- the sender ends, too, but may do so later: until then it keeps its lock.
local function run(self, made)
  local task = made.loop.spawn(function()
    local results = { made:run() }
    ended(self, made)
    return results
  end)
  local results, raised = task:join()
  if results then
    return results[1], results[2]
  elseif errors.is(raised) and raised.kind == "cancelled" then
    made:stop()
    task:cancel()
    if not made.waiter then -- it has not begun, and never will
      ended(self, made)
    end
    return nil, raised
  end
  ended(self, made)
  error(raised, 0)
end

local RUN_OPTIONS = { until_empty = true }

--- Sends the calls in the order of their arrival, until outbox:close(), or until the client is closed or the host ends.
--- While another process, or another object, sends those of the same directory, it stands by.
---@param given? { until_empty?: boolean } until_empty: ends once no call waits
---@return integer? sent calls that the service has
---@return cekura.Error? err of kind "auth" or "config", which stop it; or "closed"; or "cancelled"
function methods:run(given)
  given = check.options("options", given, RUN_OPTIONS)
  check.flag("until_empty", given.until_empty)
  if not self._client then
    errors.misuse "outbox:run: the outbox was made without a client"
  elseif self._sender and not self._sender.is_over then
    errors.misuse "outbox:run: it runs already"
  elseif self._is_closed then
    return nil, closed(self)
  end
  local options = { until_empty = given.until_empty }
  for name, value in pairs(self._options) do
    options[name] = value
  end
  self._sender = sender.new(self._place, self._client, options)
  return run(self, self._sender)
end

-- The slices of long work on the files; nil and an error: the outbox is closed.
local function begin(self)
  if self._is_closed then
    return nil, closed(self)
  end
  return slices.new(self._client and core.fields(self._client)._loop or choose_loop())
end

--- How many calls wait, in all files. Reads them, and waits between parts of them, so that the host is not blocked.
---@return integer? waiting, cekura.Error? err
function methods:size()
  local begun, err = begin(self)
  local counted
  if begun then
    counted, err = self._place:count(begun)
  end
  if not counted then
    return nil, err
  end
  return counted.waiting
end

---@class cekura.OutboxStatus
---@field waiting integer calls that are not sent
---@field bytes integer the length of their texts
---@field oldest? number when the first of them was put, in seconds since the epoch
---@field refused integer calls that were refused
---@field torn integer parts of calls in the files that are there, whose writers were killed

--- The numbers of an outbox. Reads its files, and waits as size() does.
---@return cekura.OutboxStatus? status, cekura.Error? err
function methods:status()
  local begun, err = begin(self)
  local counted, refused
  if begun then
    counted, err = self._place:count(begun)
  end
  if counted then
    refused, err = self._place:count_refused(begun)
  end
  if not refused then
    return nil, err
  end
  return { waiting = counted.waiting, bytes = counted.bytes, oldest = counted.oldest, refused = refused,
    torn = counted.damaged }
end

--- Puts the calls that were refused back, behind the others. Waits as size() does.
---@return integer? count of them, cekura.Error? err
function methods:retry()
  local begun, err = begin(self)
  if not begun then
    return nil, err
  end
  return self._place:restore_refused(self._sync, begun)
end

--- Ends outbox:run(), once the attempt that is under way has ended, and closes the files. What waits stays. May be
--- called again.
function methods:close()
  self._is_closed = true
  if self._sender then
    self._sender:stop()
  else
    self._place:close()
  end
end

check.methods("outbox", methods, function(value)
  return getmetatable(value) == Outbox
end)

Outbox.__index = setmetatable(methods, { __index = function(_, name)
  return check.spelling("outbox", name, methods)
end })

return outbox

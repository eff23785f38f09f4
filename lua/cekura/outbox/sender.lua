--- The sender of an outbox: one at a time over all processes takes the entries out and sends them.

local core = require "cekura.core"
local entry = require "cekura.outbox.entry"
local errors = require "cekura.errors"
local lane = require "cekura.outbox.lane"
local protected = require "cekura.loop.protected"
local show = require "cekura.show"
local verdict = require "cekura.outbox.verdict"

---@class cekura.outbox.Sender
---@field place cekura.outbox.Place
---@field client cekura.Client
---@field loop table
---@field options { until_empty?: boolean, give_up: number, sync: boolean, on_refused?: function }
---@field lock? userdata a locked file; nil: another sender has it
---@field lane cekura.outbox.Lane
---@field sent integer
---@field is_over boolean
---@field is_idle boolean its task waits for entries
---@field is_quiet boolean it has waited for them, and so none come at once: the last file may be removed
---@field is_read boolean all entries were read that there were
---@field fault? string why they were not
---@field waiter any of its task
---@field reported table<string, string> the kind of the last message about each subject
local Sender = {}
Sender.__index = Sender

local sender = {}

-- The name of the sender's lock, in the directory.
local LOCK = "/sender"

-- Seconds between two looks for entries that other processes have put, and for the lock of a sender that has ended.
local LOOK, STAND_BY = 0.5, 1

---@param place cekura.outbox.Place
---@param client cekura.Client
---@param options table
---@return cekura.outbox.Sender
function sender.new(place, client, options)
  return setmetatable({ place = place, client = client, loop = core.fields(client)._loop, options = options, sent = 0,
    is_over = false, is_idle = false, is_quiet = false, is_read = false, reported = {} }, Sender)
end

-- ---- messages ----

-- Logs a message about a subject unless the last one was of the same kind; nil: all is well again.
local function report(self, subject, message, kind)
  kind = message and (kind or message)
  if message and self.reported[subject] ~= kind then
    self.loop.log(show.format("cekura: outbox %s: %s", self.place.path, message))
  end
  self.reported[subject] = kind
end

-- What the disk refuses is no reason to stop: at worst an entry is sent again.
local function report_disk(self, fault)
  report(self, "disk", fault and "what was sent cannot be marked: " .. fault or nil)
end

-- ---- waiting ----

local function wait(self, seconds)
  local why = self.waiter:park(seconds, true)
  self.is_over = self.is_over or why == "closing" or why == "cancelled" or core.is_closed(self.client)
end

--- Has a sender that waits look for entries.
function Sender:wake()
  if self.is_idle then
    self.waiter:wake()
  end
end

--- Ends the sender once the attempt that is under way has ended.
function Sender:stop()
  self.is_over = true
  self:wake()
end

-- ---- the lock ----

-- Begins with the oldest entry, in the directory that has that name now.
local function begin(self)
  self.lane = lane.new(function()
    return self:read()
  end)
  return self.place:open()
end

-- Takes the lock, or finds out why not. Returns an error if it cannot be had.
local function take_lock(self)
  local lock, fault, why = core.lock_file(self.place.path .. LOCK)
  if lock then
    self.lock = lock
    return begin(self)
  elseif why == "nowhere" then -- the directory was removed
    return self.place:open()
  elseif why ~= "busy" then
    return self.place:fault(fault)
  end
end

-- The next entry or damage. The loop's other tasks have their turns while what precedes it is skipped.
local function read_next(self)
  local item, fault
  repeat
    item, fault = core.next_of_spool(self.place.spool)
    if item == true then
      wait(self, 0)
    end
  until item ~= true or self.is_over
  return item ~= true and item, fault
end

-- Whether no entry waits, while another has the lock. Reads no further than to the first that does.
local function is_empty(self)
  local item, fault
  core.rewind_spool(self.place.spool)
  repeat
    item, fault = read_next(self)
  until not (item and item.damaged)
  core.rewind_spool(self.place.spool)
  return item == nil and not fault
end

-- Waits for the lock. Returns whether the sender has it; else an error, or nothing: there is nothing to do.
local function acquire(self)
  while not self.is_over do
    local err = take_lock(self)
    if err or self.lock then
      return self.lock ~= nil, err
    end
    if self.options.until_empty and is_empty(self) then
      return false
    end
    self.is_idle = true
    wait(self, STAND_BY)
    self.is_idle = false
  end
  return false
end

-- A directory or a lock that was removed is no lock.
local function has_lock(self)
  return self.lock ~= nil and core.is_file_held(self.lock)
end

local function release(self)
  if self.lock then
    core.release_file(self.lock)
    self.lock = nil
  end
end

-- ---- entries ----

--- The next entry of the spool; nil: there is none, or it cannot be read.
---@return cekura.outbox.Entry?
function Sender:read()
  while true do
    local item, fault = read_next(self)
    if not item then
      self.is_read, self.fault = item == nil and not fault, fault
      report(self, "read", fault and "it cannot be read: " .. fault or nil)
      return nil
    elseif not item.damaged then
      return item
    end
    self.place.torn = self.place.torn + 1
    self.loop.log(show.format("cekura: outbox %s: %d bytes at %d in %.0f.log are a part of an entry, and are skipped",
      self.place.path, item.damaged, item.offset, item.segment))
  end
end

local function mark(self, item, state)
  local ok, fault = core.mark_in_spool(self.place.spool, item, state, item.failed_at)
  report_disk(self, not ok and fault or nil)
end

-- Marks an entry as over, and removes files that have no others.
local function finish(self, item)
  mark(self, item, "done")
  self.lane:ended(item)
  local ok, fault = core.tidy_spool(self.place.spool, false)
  report_disk(self, not ok and fault or nil)
end

-- ---- refusals ----

-- Calls the handler, and waits for it.
local function notify(self, text, err)
  local on_refused = self.options.on_refused
  if not on_refused then
    self.loop.log(show.format("cekura: outbox %s: refused: %s", self.place.path, errors.line(err)))
    return
  end
  local ok, raised = protected(self.loop, "on_refused", on_refused, entry.call(text), err)
  if not ok and raised.kind ~= "cancelled" then
    report(self, "on_refused", errors.line(raised))
  end
end

-- Moves an entry to the refused ones. Where that cannot be written, the entry stays.
local function refuse(self, item, text, err)
  local ok, fault = self.place:append_refused(entry.refused_text(text, item.put_at, err), self.options.sync)
  report(self, "refused", not ok and "a refused call cannot be stored, and stays: " .. fault or nil)
  if ok then
    notify(self, text, err)
    finish(self, item)
  else
    item.refusal, item.failures = err, item.failures + 1
    self.lane:set_aside(item)
  end
  wait(self, 0) -- others have their turn: many calls may follow that are refused without a request, too
end

-- ---- attempts ----

local function set_aside(self, item)
  item.failed_at = item.failed_at or core.date()
  mark(self, item, item.is_doubtful and "doubtful" or "waiting")
  self.lane:set_aside(item, core.now() + self.options.give_up)
end

local verdicts = {}

function verdicts.sent(self, item)
  report(self, "service")
  self.sent = self.sent + 1
  if item.failed_at then
    return finish(self, item)
  end
  for _, each in ipairs(self.lane:succeeded(item)) do
    set_aside(self, each)
  end
  finish(self, item)
end

function verdicts.refused(self, item, text, err)
  refuse(self, item, text, err)
end

function verdicts.away(self, item, _, err)
  report(self, "service", "it waits: " .. errors.line(err), err.kind)
  if item.failed_at then
    item.failures = item.failures + 1
    self.lane:set_aside(item)
    self.lane:rest(err.retry_after)
  else
    self.lane:failed(item, false, err.retry_after)
  end
end

function verdicts.failed(self, item, text, err)
  report(self, "service", "it tries again: " .. errors.line(err), err.kind)
  if not item.failed_at then
    return self.lane:failed(item, true, err.retry_after)
  end
  item.failures = item.failures + 1
  if self.lane.is_accepting and core.date() - item.failed_at >= self.options.give_up then
    return refuse(self, item, text, err)
  end
  if err.retry_after then
    self.lane:rest(err.retry_after)
  end
  local left = item.failed_at + self.options.give_up - core.date()
  self.lane:set_aside(item, left > 0 and core.now() + left or nil)
end

function verdicts.stop(self, _, _, err)
  self.is_over, self.err = true, err
end

verdicts["end"] = function(self, _, _, err)
  self.is_over = true
  self.err = err.kind == "closed" and err or nil
end

-- Tries an entry. Before it is sent, it is marked as doubtful: the process may be killed.
local function try(self, item)
  local text, fault = item.text, nil
  if not text then
    text, fault = core.read_of_spool(self.place.spool, item)
  end
  if not text then
    report(self, "read", "it cannot be read: " .. fault)
    item.failures = item.failures + 1
    return self.lane:set_aside(item)
  elseif item.refusal then
    return refuse(self, item, text, item.refusal)
  end
  local was_doubtful = item.is_doubtful
  mark(self, item, "doubtful")
  local record, err = entry.send(self.client, text)
  err = not record and err or nil
  item.is_doubtful = was_doubtful or err ~= nil and verdict.is_doubtful(err)
  local is = verdict.of(err, was_doubtful)
  if err and not item.is_doubtful then
    mark(self, item, "waiting")
  end
  verdicts[is](self, item, text, err)
end

-- ---- the run ----

-- Removes what was sent, and waits for further entries. Returns true if there are none and it is not to wait.
local function idle(self)
  local due_in = self.lane:due_in()
  if self.options.until_empty and not due_in and self.fault then
    self.err = self.place:fault(self.fault)
    return true
  end
  local is_done = self.options.until_empty and not due_in and self.is_read
  if is_done or self.is_quiet and not due_in then
    core.tidy_spool(self.place.spool, true)
  end
  if is_done or self.is_over then -- it may have ended while the lane read
    return is_done
  end
  self.is_quiet, self.is_idle = true, true
  wait(self, math.min(due_in or LOOK, LOOK))
  self.is_idle = false
end

-- Sends what there is while it has the lock.
local function work(self)
  while not self.is_over and has_lock(self) do
    local item = self.lane:next()
    if item then
      self.is_quiet = false
      try(self, item)
    elseif idle(self) then
      self.is_over = true
    end
  end
end

--- Sends until it is stopped, or until nothing is left.
---@return integer? sent, cekura.Error? err
function Sender:run()
  self.waiter = self.loop.waiter()
  repeat
    local has, err = acquire(self)
    if err then
      return nil, err
    elseif has then
      work(self)
      release(self)
    end
  until self.is_over or not has
  if self.err then
    return nil, self.err
  end
  return self.sent
end

--- Gives up the lock, also after an error was raised.
Sender.close = release

return sender

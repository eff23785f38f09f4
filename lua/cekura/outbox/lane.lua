--- The order in which entries are tried: that of their arrival, but for those that fail while others succeed.
--
-- An entry that fails is tried again until it succeeds. From its second failure on, it is not known whether the service
-- or the entry is to blame, so after each further one a later entry is tried, too. If that one succeeds, the entries
-- before it that have failed are set aside: they are tried again at growing pauses of their own, beside the others. If
-- it fails as well, the first one stays the first.

local core = require "cekura.core"

---@class cekura.outbox.Entry an entry of core.next_of_spool(), whose text is read again for further attempts
---@field segment number
---@field offset number
---@field put_at number
---@field failed_at? number since when it is set aside, in seconds since the epoch
---@field is_doubtful boolean an attempt may have been processed
---@field text? string
---@field failures integer in a row
---@field try_at? number of one that is set aside, by core.now()
---@field refusal? cekura.Error what it was refused with, while that cannot be stored

---@class cekura.outbox.Lane
---@field read fun(): cekura.outbox.Entry? the next entry of the spool
---@field queue cekura.outbox.Entry[] entries that are not set aside: the first, and later ones that have failed
---@field aside cekura.outbox.Entry[] entries that are set aside
---@field rest_until number nothing is tried before, by core.now()
---@field rests integer failures since the last success
---@field was_aside boolean the last entry was one that is set aside, and the next one is of the queue: however many are
---set aside, and slow to fail, the others are sent
---@field is_probing boolean a later entry is to be tried next
---@field is_accepting boolean the last entry of the queue that was tried has succeeded
local Lane = {}
Lane.__index = Lane

local lane = {}

-- The failures of the first entry before a later one is tried. Where the service asks to wait, which it does mostly for
-- all, only each of so many is followed by that: after a pause it may well accept the first one.
local PATIENCE, LONG_PATIENCE = 2, 4

-- The entries that are known at once. Nothing but their places is kept of them.
local WIDTH = 1000

-- Seconds between attempts: the first time, and at most; for entries that are set aside, and for all.
local FIRST_PAUSE, LONGEST_REST, LONGEST_PAUSE = 0.5, 30, 600

---@param read fun(): cekura.outbox.Entry?
---@return cekura.outbox.Lane
function lane.new(read)
  return setmetatable({ read = read, queue = {}, aside = {}, rest_until = 0, rests = 0, was_aside = false,
    is_probing = false, is_accepting = false }, Lane)
end

local function remove(list, entry)
  for index, each in ipairs(list) do
    if each == entry then
      return table.remove(list, index)
    end
  end
end

local function pause_after(failures, longest)
  return math.min(longest, FIRST_PAUSE * 2 ^ math.min(failures - 1, 20)) * (0.75 + 0.5 * math.random())
end

-- Takes in the next entry of the spool. One that was set aside before a restart still is.
local function take_in(self)
  local entry
  repeat
    entry = #self.queue < WIDTH and self.read() or nil
    if entry then
      entry.failures = 0
      if entry.failed_at then
        entry.try_at, entry.text = 0, nil
        table.insert(self.aside, entry)
      else
        table.insert(self.queue, entry)
      end
    end
  until not entry or not entry.failed_at
  return entry
end

-- The entry that shows whether others are accepted: a new one, or the one that has failed least.
local function probe(self)
  local least
  for index = 2, #self.queue do
    local entry = self.queue[index]
    if not least or entry.failures < least.failures then
      least = entry
    end
  end
  return (not least or least.failures > 0) and take_in(self) or least
end

local function due_aside(self)
  local now = core.now()
  for _, entry in ipairs(self.aside) do
    if entry.try_at <= now then
      return entry
    end
  end
end

--- The entry that is to be tried now.
---@return cekura.outbox.Entry?
function Lane:next()
  if core.now() < self.rest_until then
    return nil
  elseif self.is_probing then
    self.is_probing = false
    local entry = probe(self)
    if entry then
      return entry
    end
    self:rest()
    return nil
  end
  local aside = not self.was_aside and due_aside(self) or nil
  self.was_aside = aside ~= nil
  return aside or self.queue[1] or take_in(self) or due_aside(self)
end

--- Seconds until an entry that is known is to be tried; nil: there is none.
---@return number?
function Lane:due_in()
  local due_at = self.queue[1] and 0 or math.huge
  for _, entry in ipairs(self.aside) do
    due_at = math.min(due_at, entry.try_at)
  end
  return due_at < math.huge and math.max(0, math.max(due_at, self.rest_until) - core.now()) or nil
end

--- Has nothing tried for a while.
---@param least? number seconds, as the service has asked
function Lane:rest(least)
  self.rests = self.rests + 1
  self.rest_until = core.now() + math.max(pause_after(self.rests, LONGEST_REST), least or 0)
end

--- Sets an entry aside, or has one that is aside wait longer.
---@param entry cekura.outbox.Entry
---@param until_at? number the latest time of the next attempt, by core.now()
function Lane:set_aside(entry, until_at)
  if remove(self.queue, entry) then
    table.insert(self.aside, entry)
  end
  entry.text = nil
  entry.try_at = math.min(core.now() + pause_after(math.max(1, entry.failures), LONGEST_PAUSE), until_at or math.huge)
end

--- The service has taken an entry. Returns those before it that have failed, and are to be set aside.
---@param entry cekura.outbox.Entry
---@return cekura.outbox.Entry[]
function Lane:succeeded(entry)
  local failed, place = {}, nil
  for index, each in ipairs(self.queue) do
    place = place or each == entry and index
  end
  for index = 1, (place or 1) - 1 do
    if self.queue[index].failures > 0 then
      failed[#failed + 1] = self.queue[index]
    end
  end
  self:ended(entry)
  self.rests, self.rest_until, self.is_accepting = 0, 0, true
  return failed
end

--- An entry is over.
---@param entry cekura.outbox.Entry
function Lane:ended(entry)
  if not remove(self.queue, entry) then
    remove(self.aside, entry)
  end
  self.is_probing = false
end

--- An entry of the queue has failed.
---@param entry cekura.outbox.Entry
---@param may_be_its_own boolean not only the service can be to blame
---@param least? number seconds until the next attempt, as the service has asked
function Lane:failed(entry, may_be_its_own, least)
  entry.text = #self.queue == 1 and entry.text or nil
  self.is_accepting = false
  if may_be_its_own then
    entry.failures = entry.failures + 1
    local is_time = entry.failures >= PATIENCE and (not least or entry.failures % LONG_PATIENCE == 0)
    self.is_probing = is_time and entry == self.queue[1]
  end
  if not self.is_probing or least then
    self:rest(least)
  end
end

return lane

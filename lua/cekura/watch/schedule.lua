--- The schedule of a watch: which scans and improvements are due, and which are under way. What they do is left to
-- cekura.watch.scan and cekura.watch.improvement.

local atomic = require "cekura.loop.atomic"
local core = require "cekura.core"
local errors = require "cekura.errors"
local improvement = require "cekura.watch.improvement"
local scan = require "cekura.watch.scan"
local work = require "cekura.watch.work"

---@class cekura.watch.Schedule
---@field watch cekura.watch.Supervisor
---@field works table<table, cekura.watch.Work> those under way, by the entry or the improvement that they are about
---@field retry_at table<cekura.watch.Item, number> when an improvement is tried again; math.huge: this watch gave it up
local Schedule = {}
Schedule.__index = Schedule

local schedule = {}

-- The first scans of all entries are spread over this many seconds at most, however rare scans are.
local LONGEST_SPREAD = 60

-- An attempt that failed by a kind that tends to persist is repeated this many times less often.
local SLOWER = 10
local PERSISTENT = { auth = true, tls = true, not_found = true, gone = true, config = true, invalid = true }

--- Creates the schedule of a watch.
---@param watch cekura.watch.Supervisor
---@return cekura.watch.Schedule
function schedule.new(watch)
  local now, entries = core.now(), watch.declared.entries
  for index, entry in ipairs(entries) do
    local spread = math.min(entry.every or watch.declared.every, LONGEST_SPREAD)
    entry.due = now + core.quickened(watch.client, spread * (index - 1) / #entries)
  end
  return setmetatable({ watch = watch, works = {}, retry_at = setmetatable({}, { __mode = "k" }) }, Schedule)
end

-- ---- work under way ----

-- Begins work that is about a subject; one piece at a time is.
local function begin(self, subject, fields, run, on_end)
  fields.watch, fields.state = self.watch, self.watch.persistence.state
  function fields.on_end(ok, err)
    self.works[subject] = nil
    on_end(ok, err)
    self.watch:wake()
  end
  self.works[subject] = fields
  work.begin(fields, run)
end

-- Seconds until the next attempt. A first failure does not postpone it, because that may come from a proxy or a lock.
local function pause_after(self, entry, where, err)
  local every = entry.every or self.watch.declared.every
  local persists = self.watch.report.failures[where] and errors.is(err) and PERSISTENT[err.kind]
  return core.quickened(self.watch.client, every * (persists and SLOWER or 1) * (0.9 + 0.2 * math.random()))
end

local function begin_scan(self, entry)
  entry.scanned = core.date()
  begin(self, entry, { entry = entry }, scan.run, function(ok, err)
    entry.due = core.now() + pause_after(self, entry, entry.path, err)
    if ok or err then
      self.watch.report:attempted(entry.path, err)
    end
  end)
end

local function begin_improvement(self, entry, item, uncount)
  local where = entry.path .. ".improve"
  begin(self, item, { entry = entry, item = item, uncount = uncount }, improvement.run, function(ok, err)
    self.retry_at[item] = ok and item.given_up and math.huge or core.now() + pause_after(self, entry, where, err)
    if ok or err then
      self.watch.report:attempted(where, err)
    end
  end)
end

--- Whether no work is under way.
function Schedule:is_idle()
  return next(self.works) == nil
end

--- Whether the host has not begun to run some work for so many seconds.
---@param seconds number
function Schedule:is_stalled(seconds)
  local since = core.now() - seconds
  for _, each in pairs(self.works) do
    if not each.running and each.asked < since then
      return true
    end
  end
  return false
end

--- Cancels the works that may be cancelled.
Schedule.cancel = atomic(function(self)
  local works = {} -- one that has not begun ends, and leaves self.works, at once
  for _, each in pairs(self.works) do
    works[#works + 1] = each
  end
  for _, each in ipairs(works) do
    each:cancel()
  end
end)

-- ---- due work ----

--- Whether this watch has given an improvement up.
---@param item cekura.watch.Item
function Schedule:has_given_up(item)
  return self.retry_at[item] == math.huge
end

--- Whether an improvement was started, and neither ended nor was given up by this watch.
---@param item cekura.watch.Item
function Schedule:is_running(item)
  return self.works[item] ~= nil or item.state ~= "wanted" and not self:has_given_up(item)
end

-- Begins the scans that are due. Returns the seconds until the next.
local function begin_scans(self)
  local seconds, now = math.huge, core.now()
  for _, entry in ipairs(self.watch.declared.entries) do
    if not self.works[entry] and not scan.is_complete(entry, self.watch.persistence.state) then
      if entry.due <= now then
        begin_scan(self, entry)
      else
        seconds = math.min(seconds, entry.due - now)
      end
    end
  end
  return seconds
end

-- Begins the improvements that may run. Returns the seconds until there may be more.
local function begin_improvements(self)
  local state, declared, now = self.watch.persistence.state, self.watch.declared, core.now()
  local running, wanted, seconds = 0, {}, math.huge
  for _, item in ipairs(state.improvements) do
    local entry = declared.by_name[item.entry]
    if entry and self:is_running(item) then
      running = running + 1
    end
    local pause = (self.retry_at[item] or 0) - now
    if entry and not self.works[item] and pause > 0 then
      seconds = math.min(seconds, pause)
    elseif entry and not self.works[item] then
      if item.state ~= "wanted" then
        begin_improvement(self, entry, item)
      elseif entry.improve then
        wanted[#wanted + 1] = item
      end
    end
  end
  for index = 1, math.min(#wanted, declared.limits.jobs - running) do
    local delay = state:start_delay(declared.limits.per_hour)
    if delay > 0 then
      return math.min(seconds, delay)
    end
    local item = wanted[index]
    begin_improvement(self, declared.by_name[item.entry], item, state:count_start())
  end
  return seconds
end

--- Begins the work that is due, unless another task has found meanwhile that the store is lost.
---@return number seconds until it is to be called again; math.huge: something else must happen before
Schedule.begin_due = atomic(function(self)
  local persistence = self.watch.persistence
  if not persistence.state then
    return 0
  end
  return math.min(begin_scans(self), begin_improvements(self), persistence:step() or math.huge)
end)

return schedule

--- cekura.watch { … }: a declaration, in a configuration file or wherever Lua is loaded, of agents and calls to
-- watch, and of what is done when a call was evaluated, its prompt improved, or that failed. It runs in tasks of
-- cekura.spawn(), in whichever host loads it.
--
--   client     a client, or the options of one for cekura.new(); nil: cekura.new(). One that was made here is closed
--              with the watch
--   every      seconds between two looks for evaluated calls (60), a tenth more or less; also for each entry
--   limits     jobs: improvements that run at once (4); per_hour: improvements that are started in any 3600 s (20),
--              as they cost credits; calls: evaluated calls that one look takes in (100), the others wait for the next
--   store      what is to be known after a restart: the path of a file, or shared memory with get(key) and
--              set(key, value), as ngx.shared.cekura; nil: it is forgotten with the process. It never holds the key.
--              See below
--   name       what the keys in shared memory begin with ("cekura.watch")
--   lease      seconds (30), see below
--   on_error   function(err, where): every problem, `where` as a path like "agents[2].on_improved". It must not wait.
--              Default: a line to the log of nginx, HAProxy or Prosody, else to stderr
--   agents     list of entries, each for the calls of an agent
--   calls      list of entries, each for one call
--
-- An entry:
--
--   agent_id   of the agent; required in `agents`. In `calls`, the improvement is for it
--   id         in `calls`, required: of the record
--   name       by which the store knows the entry ("agent 2142", "call 101"); two of one agent need names
--   filter     in `agents`: conditions, as calls:list() takes them in `filters`
--   since      in `agents`: calls that began before are not told of; seconds since the epoch or ISO 8601 (default:
--              when the entry was watched first). An earlier one than the store knows changes nothing
--   lookback   in `agents`: seconds (86400) after its beginning that a call may be recorded and evaluated, and be seen.
--              Less than a day is asked for with 13 hours more, since the service may have a zone of its own
--   every      as above
--   improve    true, or function(call, entry): whether the prompt is to be improved from this call (no)
--   prompt     the agent's prompt, or function(agent_id, call, entry) that returns it; called before each start
--   timeout    seconds that an improvement may take (600)
--   on_evaluated(call, entry)             once for each call
--   on_improved(result, call, entry)      result.improved_prompt, result.summary_of_changes
--   on_nothing_to_do(result, call, entry) result.reason; a handler of its own, so that on_improved has a prompt always
--   on_failed(err, call, entry)           of the improvement; without one, on_error is told
--
-- `entry` is the table as it was declared. Functions may wait, for calls of cekura and for cekura.sleep(). What one
-- raises is told to on_error (err.kind "raised", err.traceback) and counts as done; everything else goes on. A handler
-- is called again only if the process ended, or was silent for longer than its lease, before it returned or just after.
-- An improvement is never started twice: the intent is kept before it is sent, and its token right after; if the
-- process ends between the two, on_failed gets an error of kind "unknown_outcome" after the restart.
--
-- A call is known by its id for as long as the service lists it, by whatever time of it in whatever zone. Times in the
-- store that lie in the future, by a clock that was ahead, count as now, and on_error hears of it.
--
-- Whatever is wrong in the declaration, unknown keys included, is told with its path and the line of the call; such an
-- entry is left out, and for such a key at the top its default stands. Only with a wrong client or store does nothing
-- run at all. (Of `return cekura.watch { … }`, a tail call, Lua does not know the line: use a local.)
-- Failures of the API are tried again at the next look, and told once, until it is another or it has worked meanwhile;
-- kinds auth, tls, invalid and not_found are tried at a tenth of the pace from the second time on. A record or a job
-- whose answers make no sense (kinds protocol and invalid) is asked for again, at growing pauses, before it is given
-- up. The token of a job that was given up and has not ended stays in the store: the next watch sees whether it has
-- ended since, and calls the handler of its end, but not on_failed a second time.
--
-- A store is used by one watch at a time: the others that have the same one stand by, in this or another process, and
-- take over within a look when it is given up. stop() gives it up as soon as no handler and no start is under way.
--
-- A file is locked while its watch runs (by flock on PATH.lock, which stays), also across processes, Lua states and
-- spellings of its path; the lock ends with the process, however that ends. It is followed through symbolic links,
-- replaced as a whole, synced before a start is sent, and written beside the host's thread. A FIFO, a device or a file
-- with hard links is refused, and a file that is not a watch's is renamed to PATH.bad. So a file serves several nginx
-- workers, and survives a restart of nginx, which ngx.shared does not: with ngx.shared, what is being improved when
-- nginx is restarted is improved and paid for once more.
--
-- Shared memory that has add(key, value, seconds) and delete(key), too, is held by a lease, which the holder renews at
-- each third of it and asks for before each handler and each start. Other shared memory serves one Lua state.

local atomic = require "cekura.loop.atomic"
local clients = require "cekura.client"
local check = require "cekura.check"
local choose_loop = require "cekura.loop"
local core = require "cekura.core"
local declaration = require "cekura.watch.declaration"
local errors = require "cekura.errors"
local improvement = require "cekura.watch.improvement"
local kept = require "cekura.watch.kept"
local kept_state = require "cekura.watch.state"
local look = require "cekura.watch.scan"
local report = require "cekura.watch.report"
local store = require "cekura.watch.store"
local work = require "cekura.watch.work"

---@class cekura.Watch
---@field declared cekura.watch.Declaration
---@field kept? cekura.watch.Kept the store, and its state while this watch holds it
local Watch = {}
Watch.__index = Watch

-- Looks begin no later than this after the start, however rare they are.
local LONGEST_SPREAD = 60

-- A closed client is noticed after so many seconds, if nothing is due before.
local LONGEST_PAUSE = 10

-- Seconds after which a task that the host has not begun is held up, at least.
local LEAST_STALL = 5

-- What will hardly be better soon is tried so many times less often.
local SLOWER = 10
local HARDLY_BETTER = { auth = true, tls = true, not_found = true, gone = true, config = true, invalid = true }

-- ---- problems ----

--- Counts one more.
---@param what string
Watch.count = atomic(function(self, what)
  self.counters[what] = self.counters[what] + 1
end)

--- Tells of a problem.
function Watch:problem(err, where)
  self:count "errors"
  self.tell(err, where)
end

-- An end from this side is no problem.
local function is_end(err)
  return errors.is(err) and (err.kind == "closed" or err.kind == "cancelled")
end

local set_trouble = atomic(function(self, where, key)
  local before = self.troubles[where]
  self.troubles[where] = key
  return key ~= before
end)

-- Tells of a problem that is met again and again, once.
function Watch:trouble(where, err)
  if is_end(err) then
    return
  end
  local key = err and (errors.is(err) and ("%s %s"):format(err.kind, err.status or "") or tostring(err))
  if set_trouble(self, where, key) and err then
    self:problem(err, where)
  end
end

-- ---- functions of the declaration ----

--- Calls one, if there is one.
---@return any value, cekura.Error? interrupted
function Watch:call(entry, name, ...)
  if entry[name] == nil then
    return nil
  end
  return work.call(self.loop, function(err, where)
    self:problem(err, where)
  end, entry.path .. "." .. name, entry[name], ...)
end

-- ---- its own task ----

--- Has the watch's own task look at what is due now.
function Watch:wake()
  self.waiter:wake()
end

-- The first failure may be a proxy's word, or a lock's.
local function pause_after(watch, entry, where, err)
  local every = entry.every or watch.declared.every
  local slower = watch.troubles[where] and errors.is(err) and HARDLY_BETTER[err.kind] and SLOWER or 1
  return every * slower * (0.9 + 0.2 * math.random())
end

function Watch:begin(fields, run, done)
  local begun
  fields.watch, fields.state = self, self.kept.state
  self.works = self.works + 1
  begun = work.begin(self.loop, fields, run, function(ok, err)
    if begun then
      self.working[begun] = nil
    end
    self.works = self.works - 1
    done(ok, err)
    self:wake()
  end)
  self.working[begun] = not begun.ended or nil
end

function Watch:look(entry)
  entry.looking = true
  entry.looked = core.date()
  self:begin({ entry = entry }, look.run, function(ok, err)
    entry.looking = false
    entry.due = core.now() + pause_after(self, entry, entry.path, err)
    if ok or err then
      self:trouble(entry.path, err)
    end
  end)
end

function Watch:improve(entry, item, take_back)
  local where = entry.path .. ".improve"
  self.improving[item] = true
  self:begin({ entry = entry, item = item, take_back = take_back }, improvement.run, function(ok, err)
    self.improving[item] = nil
    self.retry[item] = ok and item.given_up and math.huge or core.now() + pause_after(self, entry, where, err)
    if ok or err then
      self:trouble(where, err)
    end
  end)
end

-- Whether an improvement was begun, and neither ended nor was given up by this watch.
function Watch:is_running(item)
  return self.improving[item] or item.state ~= "wanted" and self.retry[item] ~= math.huge
end

-- Begins the improvements that may be begun. Returns the seconds until there may be more.
Watch.begin_improvements = atomic(function(self)
  local state, limits, now = self.kept.state, self.declared.limits, core.now()
  local running, wanted, seconds = 0, {}, LONGEST_PAUSE
  for _, item in ipairs(state.improvements) do
    local entry = self.declared.by_name[item.entry]
    if entry and self:is_running(item) then
      running = running + 1
    end
    local retry = (self.retry[item] or 0) - now
    if entry and not self.improving[item] and retry > 0 then
      seconds = math.min(seconds, retry)
    elseif entry and not self.improving[item] then
      if item.state ~= "wanted" then
        self:improve(entry, item)
      elseif entry.improve then
        wanted[#wanted + 1] = item
      end
    end
  end
  for index = 1, math.min(#wanted, limits.jobs - running) do
    local pause = kept_state.pause(state, limits.per_hour)
    if pause > 0 then
      return math.min(seconds, pause)
    end
    local item = wanted[index]
    self:improve(self.declared.by_name[item.entry], item, kept_state.count_start(state))
  end
  return seconds
end)

-- Begins the looks that are due. Returns the seconds until the next.
Watch.begin_looks = atomic(function(self)
  local seconds, now = LONGEST_PAUSE, core.now()
  for _, entry in ipairs(self.declared.entries) do
    if not entry.looking and not entry.over then
      if entry.due <= now then
        self:look(entry)
      else
        seconds = math.min(seconds, entry.due - now)
      end
    end
  end
  return seconds
end)

-- Begins what is due, unless another task has found out meanwhile that the store is lost. Returns the seconds until
-- there is more to do.
Watch.begin_what_is_due = atomic(function(self)
  if not self.kept.state then
    return 0
  end
  return math.min(self:begin_looks(), self:begin_improvements(), self.kept:go_on() or LONGEST_PAUSE)
end)

Watch.cancel_works = atomic(function(self)
  local working = {} -- one that has not begun is over at once
  for each in pairs(self.working) do
    working[#working + 1] = each
  end
  for _, each in ipairs(working) do
    each:cancel()
  end
end)

-- Whether the host does not run what it was asked to run. Only a watch whose looks go on is to hold the store.
function Watch:is_stalled()
  local since = core.now() - math.max(self.declared.lease, LEAST_STALL)
  for each in pairs(self.working) do
    if not each.running and each.asked < since then
      return true
    end
  end
  return false
end

-- Waits in the watch's own task. Returns false where that may not wait any more.
local function rest(self, seconds, is_idle)
  local why = self.waiter:park(seconds, is_idle)
  if why == "cancelled" then
    self.is_cancelled = true
  end
  if why == "cancelled" or why == "closing" then -- the host ends
    self.stopping = true -- set and never read to be written: stop() may come in between
  end
  return not self.is_cancelled
end

-- Takes up what was kept.
function Watch:load()
  local state = self.kept:load(self.rest)
  if state then
    kept_state.cut_off(state, "its process ended or lost the store")
  end
  for _, entry in ipairs(state and self.declared.entries or {}) do
    entry.kept_from, entry.missed, entry.sweep_due, entry.unread = nil, nil, nil, {}
    kept_state.begin_entry(state, entry.name, entry.since)
    if not entry.improve then
      kept_state.forget_wanted(state, entry.name)
    end
  end
  if state and not self.is_cancelled then
    self.kept:save(state, self.rest)
  end
end

-- Has the store held for as long as the watch goes on. Returns whether its state may be worked on.
function Watch:hold()
  local kept_now = self.kept
  if kept_now.state and self:is_stalled() then
    kept_now:release()
    self.resting_until = core.now() + self.declared.lease
  end
  if self.resting_until and core.now() < self.resting_until or not kept_now:hold() then
    return false -- another does it
  elseif not kept_now.state and self.works == 0 then -- what was begun before is to end first
    self:load()
  end
  return kept_now.state ~= nil
end

-- Does what is due. Returns the seconds until something is, nil at the end.
function Watch:turn()
  if core.is_closed(self.client) then
    self.stopping = true
  end
  local pause = math.min(self.declared.lease / 3, LONGEST_PAUSE, self.declared.shortest)
  if self.stopping then
    self:cancel_works()
    if self.kept.state then -- what runs yet must not be run by the next watch, too
      self.kept:hold()
    end
    return self.works > 0 and pause or nil
  elseif not self:hold() then
    return pause
  elseif self.stopping then -- meanwhile
    return 0
  end
  return math.min(pause, self:begin_what_is_due())
end

-- Ends it: what is still to be written is, and the store is free for the next watch.
local function finish(self, wait)
  if self.kept.state then
    kept_state.cut_off(self.kept.state, "its task was cancelled")
  end
  self.kept:finish(wait)
  self.kept:release()
  self.over = true
  if self.owns_client then
    self.client:close()
  end
end

local function run(self)
  self.waiter = self.loop.waiter()
  function self.rest(seconds)
    return rest(self, seconds)
  end
  local seconds = self:turn()
  while seconds and not self.is_cancelled and rest(self, seconds, not self.stopping) do
    seconds = self:turn()
  end
  if self.is_cancelled then
    self:cancel_works()
  end
  finish(self, not self.is_cancelled and self.rest or nil)
  return true
end

-- A watch that has met with the unforeseen holds no store.
local function run_or_release(self)
  local ok, raised = self.loop.spawn(run, self):join()
  if not ok and not self.over and not is_end(raised) then
    self.over = true
    self:problem(raised, "watch")
    self.kept:release()
  end
end

-- ---- what a program does with it ----

--- Ends the watch. What runs in the service goes on, and is kept in the store; a handler that runs comes to its end.
function Watch:stop()
  self.stopping = true
  if self.waiter then
    self:cancel_works()
    self:wake()
  end
end

--- Waits until the watch has ended. A script that has nothing else to do waits here.
function Watch:wait()
  if self.task then
    self.task:join()
  end
end

local function copy(from)
  local to = {}
  for name, value in pairs(from) do
    to[name] = value
  end
  return to
end

---@class cekura.watch.Status
---@field state string "running", "standby" (another process holds the store), "stopping", "stopped"
---@field evaluated integer calls that were told of; with started, improved, nothing_to_do, failed, errors
---@field entries table<string, { path: string, looked: number?, running: integer, waiting: integer, trouble: string? }>
---by name: the time of the last look, improvements that run and that wait, what the last look met with

--- What it has done since it was loaded, and what it does.
---@return cekura.watch.Status
Watch.status = atomic(function(self)
  local status = copy(self.counters)
  status.state = self.over and "stopped" or self.stopping and "stopping"
    or self.kept.state and "running" or "standby"
  status.entries = {}
  for _, entry in ipairs(self.declared.entries) do
    status.entries[entry.name] = { path = entry.path, looked = entry.looked, running = 0, waiting = 0,
      trouble = self.troubles[entry.path] or self.troubles[entry.path .. ".improve"] }
  end
  for _, item in ipairs(self.kept and self.kept.state and self.kept.state.improvements or {}) do
    local entry = status.entries[item.entry]
    local what = self:is_running(item) and "running" or "waiting"
    if entry and self.retry[item] ~= math.huge then
      entry[what] = entry[what] + 1
    end
  end
  return status
end)

local watch = {}

-- The client that is declared; nil and an error.
local function open_client(given)
  if core.type(given) == "client" then
    return given, nil, false
  end
  local ok, made, err = pcall(clients.new, given)
  if not ok then
    made, err = nil, errors.new("config", (tostring(made):gsub("^.-cekura: ", "", 1)))
  end
  return made, err, true
end

-- Where a host loads the declaration before it runs, no client can be made yet: then this comes later.
local function begin(self, tell_config)
  local err
  if not self.declared.unusable and not self.stopping then
    self.client, err, self.owns_client = open_client(self.declared.client)
  end
  if not self.client then
    if err then
      tell_config("client: " .. err.message, "client")
    end
    self.over = true
    return
  end
  self.loop = core.fields(self.client)._loop
  self.kept = kept.new {
    loop = self.loop,
    store = store.open(self.declared.store, self.declared.name, self.declared.lease),
    base = core.fields(self.client)._base_url,
    problem = function(...)
      self:problem(...)
    end,
    trouble = function(...)
      self:trouble(...)
    end,
    lost = function()
      self:cancel_works()
    end,
  }
  local now = core.now()
  for index, entry in ipairs(self.declared.entries) do
    local spread = math.min(entry.every or self.declared.every, LONGEST_SPREAD)
    entry.due = now + spread * (index - 1) / #self.declared.entries
  end
  self.task = self.loop.spawn(run_or_release, self)
end

--- Begins to watch; see above.
---@param given table
---@return cekura.Watch
function watch.new(given)
  check.table("watch", given)
  local position = declaration.position()
  local self = setmetatable({ stopping = false, over = false, works = 0, working = {}, improving = {}, troubles = {},
    retry = setmetatable({}, { __mode = "k" }), calls = setmetatable({}, { __mode = "k" }),
    counters = { evaluated = 0, started = 0, improved = 0, nothing_to_do = 0, failed = 0, errors = 0 } }, Watch)
  local on_error = pcall(check.callback, "on_error", given.on_error) and given.on_error or nil
  self.tell = report.new(choose_loop().log, position, on_error)
  local function tell_config(message, path)
    self:problem(errors.new("config", position .. ": " .. message), path)
  end
  self.declared = declaration.read(given, tell_config)
  local function start()
    begin(self, tell_config)
  end
  local defer = choose_loop().defer
  if not (defer and defer(start)) then
    start()
  end
  return self
end

return watch

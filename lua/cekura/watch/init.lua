--- cekura.watch { … }: a declaration, in a configuration file or wherever Lua is loaded, of agents and calls to watch
-- and of functions to call when a call was evaluated, when its prompt was improved, and when that failed. The watch
-- runs in tasks of cekura.spawn(), in the host that loads it.
--
--   client     a client, or the options of one for cekura.new(); nil: cekura.new(). A client that is made here is
--              closed with the watch
--   every      seconds between two scans for evaluated calls (60), a tenth more or less; also for each entry
--   limits     jobs: improvements that run at once (4); per_hour: improvements that are started in any 3600 s (20),
--              as they cost credits; calls: evaluated calls that one scan takes in (100), the others wait for the next
--   store      keeps what must be known after a restart: the path of a file; shared memory with get(key) and
--              set(key, value), as ngx.shared.cekura; fleet:store(name), for many hosts; nil: the memory of the
--              process. It never holds the API key. See below
--   name       what the keys in shared memory begin with ("cekura.watch")
--   lease      seconds (30), see below
--   on_error   function(err, where): gets every problem; `where` is a path like "agents[2].on_improved". It must not
--              wait. Default: a line in the log of nginx, HAProxy or Prosody, else on stderr
--   agents     list of entries, each for the calls of an agent
--   calls      list of entries, each for one call
--
-- An entry:
--
--   agent_id   of the agent; required in `agents`. In `calls`, the improvement is for that agent
--   id         in `calls`, required: of the record
--   name       by which the store knows the entry ("agent 2142", "call 101"); two entries of one agent need names
--   filter     in `agents`: conditions, as calls:list() takes them in `filters`
--   since      in `agents`: calls that began before are left out; seconds since the epoch or ISO 8601 (default: when
--              the entry was first watched). A date before the one that the store has changes nothing
--   lookback   in `agents`: seconds (86400) after its beginning that a call may be recorded and evaluated, and be seen.
--              Less than a day is extended by 13 hours, because the service may use another time zone
--   every      as above
--   improve    true, or function(call, entry): whether to improve the prompt from this call (no)
--   prompt     the agent's prompt, or function(agent_id, call, entry) that returns it; called before each start
--   timeout    seconds that an improvement may take (600)
--   on_evaluated(call, entry)             once for each call
--   on_improved(result, call, entry)      result.improved_prompt, result.summary_of_changes
--   on_nothing_to_do(result, call, entry) result.reason; a handler apart, so that on_improved always has a prompt
--   on_failed(err, call, entry)           of the improvement; without it, on_error gets the error
--
-- `entry` is the table as it was declared. These functions may wait, for calls of cekura and for cekura.sleep(). An
-- error that one raises goes to on_error (err.kind "raised", err.traceback), and the call counts as handled. A handler
-- is called again only if the process ended, or was silent for longer than its lease, before it returned or just after.
-- An improvement is never started twice: the intent is stored before the start is sent, and the token right after it.
-- If the process ends between the two, on_failed gets an error of kind "unknown_outcome" after the restart.
--
-- A call is known by its id for as long as the service lists it, whichever of its times and zones the service filters
-- by. Times in the store that lie in the future, by a clock that was ahead, count as now, and on_error gets a problem.
--
-- Each mistake in the declaration, unknown keys included, is reported with its path and the line of the call. A wrong
-- entry is left out, and a wrong key at the top has its default; with a wrong client or store, or without an entry that
-- is right, nothing runs at all, and wait() returns the first mistake.
-- (Lua does not know the line of a tail call, as `return cekura.watch { … }`: use a local.)
-- What fails at the API is tried again at the next scan, and reported once, until it fails otherwise or succeeds. The
-- kinds auth, tls, invalid and not_found are tried at a tenth of the pace from the second time on. A record or a job
-- whose answers make no sense (kinds protocol and invalid) is requested again, at growing pauses, before it is given
-- up. The token of a job that was given up and has not ended stays in the store: the next watch sees whether it has
-- ended since, and calls the handler of its end, but not on_failed a second time.
--
-- A store is used by one watch at a time. Other watches that have it stand by, in this process or another, and take
-- over within the time between two scans when it is released. stop() releases it as soon as no handler and no start is
-- under way.
--
-- A file is locked while its watch runs (by flock on PATH.lock, which stays), across processes, Lua states and
-- spellings of its path; the lock ends with the process, however that ends. The file is followed through symbolic
-- links, replaced as a whole, synced before a start is sent, and written beside the host's thread. A FIFO, a device or
-- a file with hard links is refused, and a file that no watch has written is renamed to PATH.bad. So a file serves
-- several nginx workers, and survives a restart of nginx. ngx.shared does not: an improvement that is under way when
-- nginx is restarted is started, and paid for, once more.
--
-- The lock of shared memory that also has add(key, value, seconds) and delete(key) is a lease, which the watch renews
-- at each third of it and checks before each handler and each start. Other shared memory serves one Lua state.
--
-- The lock of a fleet's store is such a lease, too, in Redis. Its server refuses what a watch writes that has lost the
-- lease. While the server is away, handlers and starts wait; the watch stands by if the lease is over meanwhile.

local check = require "cekura.check"
local choose_loop = require "cekura.loop"
local described = require "cekura.described"
local later = require "cekura.later"
local show = require "cekura.show"
local unbegun = require "cekura.loop.unbegun"

local declaration = later "cekura.watch.declaration"
local report = later "cekura.watch.report"
local status = later "cekura.watch.status"
local supervisor = later "cekura.watch.supervisor"

local watch = {}

-- What the keys in shared memory begin with.
local NAME = "cekura.watch"

-- By the object that a program gets, which has methods and nothing else. A supervisor does not refer to that object, so
-- the object is collected also on Lua 5.1 and LuaJIT, whose weak tables are not ephemerons.
local supervisors = setmetatable({}, { __mode = "k" })

---@class cekura.Watch
local Watch = {}

--- Ends the watch. What runs in the service goes on, and is kept in the store; a handler that runs is completed.
function Watch:stop()
  supervisors[self]:stop()
end

--- Waits until the watch has ended. A script that has nothing else to do waits here.
---@return true? ended by stop(), or with its client or host
---@return cekura.Error? err of kind "config", at once: there is no client, no store or no entry that is right; or of
---kind "raised": a defect has ended it
function Watch:wait()
  return supervisors[self]:wait()
end

--- What the watch has done since it was loaded, and what it does.
---@return cekura.watch.Status
function Watch:status()
  return status.of(supervisors[self])
end

check.methods("watch", Watch, function(value)
  return value ~= nil and supervisors[value]
end, unbegun)

local METATABLE = described("cekura.watch", function(self)
  local inner = supervisors[self]
  return show.format("%s: %d entries", inner.report.position, #inner.declared.entries)
end)

METATABLE.__index = setmetatable(Watch, { __index = function(_, name)
  return check.spelling("watch", name, Watch)
end })

--- Begins to watch.
---@param given cekura.Watch.Declaration
---@return cekura.Watch
function watch.new(given)
  check.table("watch", given)
  local loop = choose_loop()
  local on_error = pcall(check.callback, "on_error", given.on_error) and given.on_error or nil
  local reports = report.new(loop.log, declaration.position(), on_error)
  local declared = declaration.read(given, reports)
  declared.name = declared.name or NAME
  local self = setmetatable({}, METATABLE)
  local inner = supervisor.new(declared, reports)
  supervisors[self] = inner
  local function start()
    inner:start()
  end
  -- Where a host loads the declaration before it runs, no client can be made yet.
  if not (loop.defer and loop.defer(start)) then
    start()
  end
  return self
end

return watch

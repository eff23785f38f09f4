--- The window of an entry: a scan lists the calls from the beginning of the window on.
--
-- A call that was handled is known by its id, for as long as the service lists it. Which of its times the service
-- filters by, and in which zone, is unknown. So the window begins earlier than is asked for at first, and the time of a
-- call is used for one thing only: to see that it began after the entry was watched.

local core = require "cekura.core"
local times = require "cekura.records.times"
local uri = require "cekura.http.uri"
local watch_state = require "cekura.watch.state"

local window = {}

-- Seconds after its beginning that a call may be recorded and evaluated and still be seen.
local DAY = 86400
local LOOKBACK = DAY

-- A shorter lookback is extended by what the service may be behind, in its zone: up to a day, which is long enough.
local function span_of(lookback)
  return math.max(lookback, math.min(lookback + watch_state.ZONE_LAG, DAY))
end

-- How often, per lookback, the beginning of the window is saved; and how often, with a filter, calls are forgotten,
-- which takes a second listing.
local SWEEPS = 24

local PAGE_SIZE = 200 -- the service's maximum

-- ---- listing ----

---@class cekura.watch.Call
---@field id string
---@field time? number when it began, where that is said with its zone

---@class cekura.watch.Listing
---@field ids table<string, boolean> of all calls
---@field evaluated cekura.watch.Call[] the oldest first
---@field is_paged boolean it took several requests: a call may have slipped from one page to another in between
---@field date? number when it was made, by the service's clock

local FIELDS = { "id", "status", "success", "timestamp" }

local function time_of(call)
  local text = call:get "timestamp"
  if type(text) == "string" and (text:find "[Zz]$" or text:find "[+-]%d%d:?%d%d$") then
    return times.epoch(text) or nil
  end
end

-- Returns a complete listing, or nil and an error.
local function list(work, from, filters)
  local calls = work.watch.client.calls:each { agent_id = work.entry.agent_id, timestamp_from = from,
    filters = filters, fields = FIELDS, page_size = PAGE_SIZE }
  local listing = { ids = {}, evaluated = {} }
  local call, err = calls:next()
  while call do
    local id = call:get "id"
    if id ~= nil then
      id = uri.text("id", id)
      listing.ids[id] = true
      if call:evaluated() then
        table.insert(listing.evaluated, 1, { id = id, time = time_of(call) })
      end
    end
    call, err = calls:next()
  end
  listing.is_paged, listing.date = calls.pages > 1, calls.date
  return not err and listing or nil, err
end

-- ---- new calls ----

-- Whether the times show that a call began after the entry was watched. A call without a time in a known zone began
-- before if the first scan listed it, and after if a later one did.
local function is_since(call, known, since)
  if call.time then
    return call.time >= since
  end
  return known.begun
end

-- The ids of the evaluated calls that are to be handled, the oldest first. Where the times do not show whether one
-- began after the entry was watched, the service decides: it is asked for the calls since then.
local function find_new(work, known, listing, from)
  local since = math.max(known.since, work.entry.since or 0)
  local filters = work.entry.filter and work.entry.given.filter
  local ids, listed_since = {}, nil
  for _, call in ipairs(listing.evaluated) do
    local is_new = not known.told[call.id]
    if is_new and from < since and not is_since(call, known, since) then
      if not listed_since then
        local err
        listed_since, err = list(work, since, filters)
        if not listed_since then
          return nil, err
        end
      end
      is_new = listed_since.ids[call.id]
      if not is_new then
        work.state:record_call(work.entry.name, call.id)
        work.has_changes = true
      end
    end
    if is_new then
      ids[#ids + 1] = call.id
    end
  end
  return ids
end

---@class cekura.watch.View
---@field new string[] the ids of the evaluated calls that are to be handled, the oldest first
---@field listing cekura.watch.Listing
---@field from number when the calls began that were asked for
---@field date number when it was made: by the service's clock where this machine's is ahead of that

--- Lists the calls of the window.
---@param work cekura.watch.Work
---@param known cekura.watch.Known of the entry
---@return cekura.watch.View? view, cekura.Error? err
function window.view(work, known)
  local entry, begun = work.entry, core.date()
  local from = math.max(known.from, (entry.since or 0) - watch_state.ZONE_LAG)
  local listing, err = list(work, from, entry.filter and entry.given.filter)
  if not listing then
    return nil, err
  end
  local new
  new, err = find_new(work, known, listing, from)
  if not new then
    return nil, err
  end
  if not known.begun then
    known.begun, work.has_changes = true, true
  end
  return { new = new, listing = listing, from = from, date = math.min(begun, listing.date or begun) }
end

-- ---- calls that are forgotten ----

-- The calls that were handled and are not listed, and whose improvement is over.
local function missing_from(listing, work, known)
  local missing = {}
  for id in pairs(known.told) do
    if not listing.ids[id] and not work.state:find_improvement(work.entry.name, id) then
      missing[id] = true
    end
  end
  return next(missing) and missing
end

--- Forgets the calls that are not listed any more. What a filter lists may change with a call, so a listing without it
-- decides. Where pages may have hidden a call, it is forgotten only when the next listing lacks it, too.
---@param view cekura.watch.View
---@param work cekura.watch.Work
---@param known cekura.watch.Known
---@return cekura.Error? err the listing failed
function window.forget_missing(view, work, known)
  local entry, listing = work.entry, view.listing
  local missing = missing_from(listing, work, known)
  if missing and entry.filter then
    if core.now() < (entry.sweep_due or 0) then
      return nil
    end
    entry.sweep_due = core.now() + (entry.lookback or LOOKBACK) / SWEEPS
    local err
    listing, err = list(work, view.from)
    if not listing or work:is_over() then
      return err
    end
    missing = missing_from(listing, work, known)
  end
  for id in pairs(missing or {}) do
    if not listing.is_paged or entry.missed and entry.missed[id] then
      known.told[id] = nil
      work.has_changes = true
    end
  end
  entry.missed = missing
end

--- Moves the beginning of the window, when all new calls were handled. It is saved now and then; until then, the window
-- in the store is longer, which does no harm.
---@param view cekura.watch.View
---@param work cekura.watch.Work
---@param known cekura.watch.Known
function window.move(view, work, known)
  local entry, lookback = work.entry, work.entry.lookback or LOOKBACK
  known.from = math.floor(math.max(known.from, math.min(view.from, view.date), view.date - span_of(lookback)))
  if not entry.saved_from or known.from - entry.saved_from >= lookback / SWEEPS then
    entry.saved_from = known.from
    work.has_changes = true
  end
end

return window

--- The calls that an entry looks at: those that the service lists from some time on.
--
-- A call that was told of is known by its id, for as long as the service lists it. By which of its times, or in which
-- zone, the service selects is the service's matter. So the window begins earlier than is asked for at first, and a
-- call's own time counts for one thing only: that it began after the entry was watched.

local core = require "cekura.core"
local kept_state = require "cekura.watch.state"
local times = require "cekura.records.times"
local uri = require "cekura.http.uri"

local window = {}

-- Seconds after its beginning that a call may be recorded and evaluated and still be seen.
local DAY = 86400
local LOOKBACK = DAY

-- A shorter time is longer by what the service may be behind, in a zone of its own: up to a day, which is long enough.
local function span_of(lookback)
  return math.max(lookback, math.min(lookback + kept_state.ZONES, DAY))
end

-- How often, in the time of looking back, the beginning of the window is kept; and how often, with a filter, what is to
-- be forgotten is found out, which takes a second listing.
local SWEEPS = 24

local PAGE_SIZE = 200 -- the most that the service gives

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

-- Lists them all, or gives an error.
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

-- ---- what is new ----

-- Whether the times say that a call began after the entry was watched; nil: they do not say. What was there when it was
-- looked at first, with a time in no known zone, began before, and what comes later did not.
local function is_since(call, known, since)
  if call.time and call.time >= since then
    return true
  elseif call.time == nil and known.begun then
    return true
  end
  return nil
end

-- The ids of the calls that are not known yet, the oldest first. Where the times do not say that one is to be told of,
-- the service does: it is asked for the calls since then.
local function news_of(listing, work, known, from)
  local since = math.max(known.since, work.entry.since or 0)
  local filters = work.entry.filter and work.entry.given.filter
  local news, asked = {}, nil
  for _, call in ipairs(listing.evaluated) do
    local is_new = not known.told[call.id]
    if is_new and from < since and not is_since(call, known, since) then
      local err
      if not asked then
        asked, err = list(work, since, filters)
      end
      if not asked then
        return nil, err
      end
      is_new = asked.ids[call.id]
      if not is_new then
        kept_state.tell(work.state, work.entry.name, call.id)
        work.changed = true
      end
    end
    if is_new then
      news[#news + 1] = call.id
    end
  end
  return news
end

---@class cekura.watch.Seen
---@field news string[] ids of the evaluated calls that were not told of, the oldest first
---@field listing cekura.watch.Listing
---@field from number when the calls began that it asked for
---@field date number when it was made: by the service's clock where this machine's is ahead of that

--- Looks at the window.
---@param work cekura.watch.Work
---@param known table what is kept of the entry
---@return cekura.watch.Seen? seen, cekura.Error? err
function window.look(work, known)
  local entry, begun = work.entry, core.date()
  local from = math.max(known.from, (entry.since or 0) - kept_state.ZONES)
  local listing, err = list(work, from, entry.filter and entry.given.filter)
  if not listing then
    return nil, err
  end
  local news
  news, err = news_of(listing, work, known, from)
  if not news then
    return nil, err
  end
  if not known.begun then
    known.begun, work.changed = true, true
  end
  return { news = news, listing = listing, from = from, date = math.min(begun, listing.date or begun) }
end

-- ---- what is forgotten ----

-- The calls that were told of and are not listed, and whose improvement is over.
local function missing_from(listing, work, known)
  local missing = {}
  for id in pairs(known.told) do
    if not listing.ids[id] and not kept_state.find(work.state, work.entry.name, id) then
      missing[id] = true
    end
  end
  return next(missing) and missing
end

--- Forgets the calls that are not listed any more. A filter lists a call or not by what is now said about it, so the
-- listing without it decides. Where pages may have hidden a call, it is missing only when the next listing lacks it,
-- too.
---@param seen cekura.watch.Seen
---@param work cekura.watch.Work
---@param known table
---@return cekura.Error? err it is still to be found out
function window.forget(seen, work, known)
  local entry, listing = work.entry, seen.listing
  local missing = missing_from(listing, work, known)
  if missing and entry.filter then
    if core.now() < (entry.sweep_due or 0) then
      return nil
    end
    entry.sweep_due = core.now() + (entry.lookback or LOOKBACK) / SWEEPS
    local err
    listing, err = list(work, seen.from)
    if not listing or work:is_over() then
      return err
    end
    missing = missing_from(listing, work, known)
  end
  for id in pairs(missing or {}) do
    if not listing.is_paged or entry.missed and entry.missed[id] then
      known.told[id] = nil
      work.changed = true
    end
  end
  entry.missed = missing
end

--- Moves the beginning of the window, when all that is new was told of. It is kept now and then: until then, the window
-- in the store is but longer.
---@param seen cekura.watch.Seen
---@param work cekura.watch.Work
---@param known table
function window.move(seen, work, known)
  local entry, lookback = work.entry, work.entry.lookback or LOOKBACK
  known.from = math.floor(math.max(known.from, math.min(seen.from, seen.date), seen.date - span_of(lookback)))
  if not entry.kept_from or known.from - entry.kept_from >= lookback / SWEEPS then
    entry.kept_from = known.from
    work.changed = true
  end
end

return window

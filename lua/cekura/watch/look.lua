--- One look of an entry: which of its calls have been evaluated, and what is done about each.
--
-- A call that was told of is known by its id, for as long as the service lists it. Its own times do not count: by which
-- of them, or in which zone, the service selects is the service's matter.

local core = require "cekura.core"
local errors = require "cekura.errors"
local kept_state = require "cekura.watch.state"
local uri = require "cekura.uri"

local look = {}

-- Seconds after its beginning that a call may be recorded and evaluated and still be seen.
local LOOKBACK = 86400

-- How often, in the time of looking back, the beginning of the window is kept; and how often, with a filter, what is to
-- be forgotten is found out, which takes a second listing.
local SWEEPS = 24

local PAGE_SIZE = 200 -- the most that the service gives

-- What asking for this record again would not change.
local FINAL = { not_found = true, gone = true, invalid = true, protocol = true }

local function id_of(call)
  local id = call:get "id"
  return id ~= nil and uri.text("id", id) or nil
end

-- ---- one call ----

local function over()
  return errors.new("closed", "the watch has ended")
end

-- Calls the handlers for a call, and keeps what follows. Returns an error where it is not done.
local function take(work, call, id)
  local watch, state, entry = work.watch, work.state, work.entry
  if not work:may_go_on() then
    return over()
  end
  work.busy = true -- stop() lets it come to its end
  local _, interrupted = watch:call(entry, "on_evaluated", call, entry.given)
  local wanted = entry.improve == true
  if not interrupted and entry.improve and not wanted then
    wanted, interrupted = watch:call(entry, "improve", call, entry.given)
  end
  if not interrupted then
    local item = core.uninterrupted(kept_state.tell, state, entry.name, id, wanted)
    watch.counters.evaluated = watch.counters.evaluated + 1
    if item then
      watch.calls[item] = call
    end
    watch.kept:save(state)
    watch:wake()
  end
  work.busy = false
  return interrupted
end

-- Gets an evaluated call, and takes it in. Returns an error if the next look is to try again.
local function handle(work, id)
  local watch = work.watch
  local call, err = watch.client.calls:get(id)
  if work:is_over() then
    return over()
  elseif not call then
    if not FINAL[err.kind] then
      return err
    end
    watch:problem(err, work.entry.path)
    kept_state.tell(work.state, work.entry.name, id)
    work.changed = true
  elseif call:evaluated() then
    return take(work, call, id)
  end -- else it is being evaluated again
end

-- ---- all calls of the window ----

---@class cekura.watch.Listing
---@field ids table<string, boolean> of all calls
---@field news string[] ids of the evaluated ones that were not told of, the oldest first
---@field is_paged boolean it took several requests: a call may have slipped from one page to another in between
---@field date? number when it was made, by the service's clock

-- Lists them all, or gives an error.
local function list(work, from, known)
  local entry = work.entry
  local next_call = work.watch.client.calls:each { agent_id = entry.agent_id, timestamp_from = from,
    filters = known and entry.filter and entry.given.filter or nil,
    fields = known and { "id", "status", "success", "timestamp" } or { "id" }, page_size = PAGE_SIZE }
  local listing = { ids = {}, news = {} }
  local call, err = next_call()
  while call do
    local id = id_of(call)
    if id then
      listing.ids[id] = true
      if known and not known.told[id] and call:evaluated() then
        table.insert(listing.news, 1, id)
      end
    end
    call, err = next_call()
  end
  listing.is_paged, listing.date = next_call.pages > 1, next_call.date
  return not err and listing or nil, err
end

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

-- Forgets the calls that are not listed any more. A filter lists a call or not by what is now said about it, so the
-- listing without it decides. Where pages may have hidden a call, it is missing only when the next listing lacks it,
-- too. Returns an error where that is still to be found out.
local function forget(listing, work, known, from)
  local entry, lookback = work.entry, work.entry.lookback or LOOKBACK
  local missing = missing_from(listing, work, known)
  if missing and entry.filter then
    if core.now() < (entry.sweep_due or 0) then
      return nil
    end
    entry.sweep_due = core.now() + lookback / SWEEPS
    local err
    listing, err = list(work, from)
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

-- Moves the beginning of the window. The service compares it with its own times, so its clock counts where this
-- machine's is ahead. It is kept now and then: until then, the window in the store is but longer.
local function move_window(work, known, from, date)
  local entry, lookback = work.entry, work.entry.lookback or LOOKBACK
  known.from = math.floor(math.max(known.from, math.min(from, date), date - lookback))
  if not entry.kept_from or known.from - entry.kept_from >= lookback / SWEEPS then
    entry.kept_from = known.from
    work.changed = true
  end
end

local function look_at_agent(work)
  local watch, entry = work.watch, work.entry
  local known, begun, limit = work.state.entries[entry.name], core.date(), watch.declared.limits.calls
  local from = math.max(known.from, entry.since or 0)
  local listing, err = list(work, from, known)
  if not listing or work:is_over() then
    return nil, err
  end
  for index = 1, math.min(#listing.news, limit) do
    err = handle(work, listing.news[index]) or err
    if work:is_over() then
      return nil, err
    end
  end
  local fault = forget(listing, work, known, from)
  if work:is_over() then
    return nil, err
  elseif not err and #listing.news <= limit then
    move_window(work, known, from, math.min(begun, listing.date or begun))
  end
  if work.changed or watch.kept:is_behind() then
    watch.kept:save(work.state)
  end
  err = err or fault
  return not err or nil, err
end

-- A call that is named is looked at until it has been evaluated.
local function look_at_call(work)
  local watch, entry = work.watch, work.entry
  local known = work.state.entries[entry.name]
  local id = uri.text("id", entry.id)
  if not known.told[id] then
    local call, err = watch.client.calls:get(id)
    if not call then
      return nil, err
    elseif call:evaluated() then
      err = take(work, call, id)
      if err then
        return nil, err
      end
    end
  end
  entry.over = known.told[id] ~= nil
  return true
end

--- Looks. Runs as a task of its own.
---@param work cekura.watch.Work
---@return boolean? ok, cekura.Error? err
function look.run(work)
  return (work.entry.agent_id and not work.entry.id and look_at_agent or look_at_call)(work)
end

return look

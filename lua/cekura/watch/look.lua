--- One look of an entry: which of its calls have been evaluated, and what is done about each.

local core = require "cekura.core"
local uri = require "cekura.uri"

local look = {}

-- Seconds after its beginning that a call may be recorded and evaluated and still be seen.
local LOOKBACK = 86400

local PAGE_SIZE = 200 -- the most that the service gives

-- What asking for this record again would not change.
local FINAL = { not_found = true, gone = true, invalid = true, protocol = true }

local function id_of(call)
  local id = call:get "id"
  return id ~= nil and uri.text("id", id) or nil
end

-- Calls the handlers for a call, and keeps what follows. Returns an error where it is not done.
local function take(work, call, id, time)
  local watch, state, entry = work.watch, work.state, work.entry
  work.busy = true -- stop() lets it come to its end
  local _, interrupted = watch:call(entry, "on_evaluated", call, entry.given)
  local wanted = entry.improve == true
  if not interrupted and entry.improve and not wanted then
    wanted, interrupted = watch:call(entry, "improve", call, entry.given)
  end
  work.busy = false
  if interrupted then
    return interrupted
  end
  state.entries[entry.name].told[id] = time
  watch.counters.evaluated = watch.counters.evaluated + 1
  if wanted then
    local item = { entry = entry.name, call = id, state = "wanted" }
    table.insert(state.improvements, item)
    watch.calls[item] = call
  end
  watch:save(state)
  watch:wake()
end

-- Gets an evaluated call, and takes it in. Returns an error if the next look is to try again.
local function handle(work, id, time)
  local watch = work.watch
  local call, err = watch.client.calls:get(id)
  if not call then
    if not FINAL[err.kind] then
      return err
    end
    watch:problem(err, work.entry.path)
    work.state.entries[work.entry.name].told[id] = time
  elseif call:evaluated() then
    return take(work, call, id, time)
  end -- else it is being evaluated again
end

-- The evaluated calls that nobody was told of, the oldest first.
local function news_of_agent(work, known, from)
  local entry = work.entry
  local next_call = work.watch.client.calls:each { agent_id = entry.agent_id, timestamp_from = from,
    filters = entry.filter and entry.given.filter, fields = { "id", "status", "success", "timestamp" },
    page_size = PAGE_SIZE }
  local news = {}
  local call, err = next_call()
  while call do
    local id = id_of(call)
    if id and not known.told[id] and call:evaluated() then
      table.insert(news, 1, { id = id, time = math.floor(call:time "timestamp" or core.date()) })
    end
    call, err = next_call()
  end
  return not err and news or nil, err
end

local function look_at_agent(work)
  local watch, entry = work.watch, work.entry
  local known, begun = work.state.entries[entry.name], math.floor(core.date())
  local from = math.max(known.from, entry.since or 0)
  local news, err = news_of_agent(work, known, from)
  if not news then
    return nil, err
  end
  for index = 1, math.min(#news, watch.declared.limits.calls) do
    err = handle(work, news[index].id, news[index].time) or err
    if work:is_over() then
      return nil, err
    end
  end
  if not err and #news <= watch.declared.limits.calls then
    known.from = math.max(from, begun - (entry.lookback or LOOKBACK))
    for id, time in pairs(known.told) do
      if time < known.from - 1 then
        known.told[id] = nil
      end
    end
    watch:save(work.state)
  end
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
      err = take(work, call, id, math.floor(core.date()))
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

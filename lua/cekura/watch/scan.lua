--- One look of an entry: which of its calls have been evaluated, and what is done about each.

local errors = require "cekura.errors"
local kept_state = require "cekura.watch.state"
local uri = require "cekura.http.uri"
local window = require "cekura.watch.window"

local look = {}

-- What asking for this record again would not change.
local FINAL = { not_found = true, gone = true }

-- A record that made no sense is asked for at the next look, and at the second, the fourth, the eighth, … from then on,
-- up to this one.
local LAST_LOOK = 32

-- ---- one call ----

-- Whether a record that made no sense is to be asked for at this look.
local function is_due(unread)
  unread.looks = unread.looks + 1
  return unread.looks >= unread.due
end

-- Puts off a record that made no sense. Returns false if that was often enough.
local function put_off(work, id)
  local unread = work.entry.unread[id] or { looks = 0, due = 0 }
  work.entry.unread[id] = unread
  unread.due = math.max(1, 2 * unread.due)
  return unread.due <= LAST_LOOK
end

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
    local item = kept_state.tell(state, entry.name, id, wanted)
    watch:count "evaluated"
    if item then
      watch.calls[item] = call
    end
    watch.kept:save(state)
    watch:wake()
  end
  work.busy = false
  return interrupted
end

-- Gets an evaluated call, and takes it in. Returns an error if the next look is to try again, and whether the call is
-- put off.
local function handle(work, id)
  local watch, unread = work.watch, work.entry.unread
  local call, err = watch.client.calls:get(id)
  if work:is_over() then
    return over()
  elseif call then
    unread[id] = nil
    return call:evaluated() and take(work, call, id) or nil -- else it is being evaluated again
  elseif work.SENSELESS[err.kind] and put_off(work, id) then
    return nil, true
  elseif not (work.SENSELESS[err.kind] or FINAL[err.kind]) then
    return err
  end
  unread[id] = nil
  watch:problem(err, work.entry.path)
  kept_state.tell(work.state, work.entry.name, id)
  work.changed = true
end

-- ---- looks ----

-- Takes in as many calls as a look may. One that is put off takes the place of no other. Returns whether all were taken
-- in, and an error if the next look is to try again.
local function take_in(work, news)
  local unread, left = work.entry.unread, work.watch.declared.limits.calls
  local is_complete, err = true, nil
  for _, id in ipairs(news) do
    local is_put_off = unread[id] and not is_due(unread[id])
    if not is_put_off and left > 0 then
      left = left - 1
      local fault
      fault, is_put_off = handle(work, id)
      err = fault or err
      if work:is_over() then
        return false, err
      end
    elseif not is_put_off then
      return false, err
    end
    is_complete = is_complete and not is_put_off
  end
  return is_complete, err
end

local function look_at_agent(work)
  local watch = work.watch
  local known = work.state.entries[work.entry.name]
  local seen, err = window.look(work, known)
  if not seen or work:is_over() then
    return nil, err
  end
  local is_complete
  is_complete, err = take_in(work, seen.news)
  if work:is_over() then
    return nil, err
  end
  local fault = window.forget(seen, work, known)
  if work:is_over() then
    return nil, err
  elseif not err and is_complete then
    window.move(seen, work, known)
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

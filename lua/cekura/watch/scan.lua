--- A scan of an entry: finds the calls that have been evaluated, and handles those that are new. Which calls are listed
-- and when they are forgotten is left to cekura.watch.window.

local uri = require "cekura.http.uri"
local window = require "cekura.watch.window"

local scan = {}

-- Errors that another request for the same record would not change.
local FINAL = { not_found = true, gone = true }

-- A record whose answers are doubtful is asked for at the next scan, and at the second, the fourth, the eighth, …
-- from then on, up to this one.
local LAST_SCAN = 32

-- ---- one call ----

-- Counts a scan. Returns whether it is to ask for a record that was postponed.
local function is_due(postponed)
  postponed.scans = postponed.scans + 1
  return postponed.scans >= postponed.due
end

-- Postpones a record. Returns false after the last attempt.
local function postpone(work, id)
  local postponed = work.entry.postponed[id] or { scans = 0, due = 0 }
  work.entry.postponed[id] = postponed
  postponed.due = math.max(1, 2 * postponed.due)
  return postponed.due <= LAST_SCAN
end

-- Calls the handlers of a call and records it, unless the work is over. Returns an error if the call is still to be
-- handled.
local function handle(work, call, id)
  local watch, entry = work.watch, work.entry
  if not work:may_proceed() then
    return nil
  end
  work.busy = true
  local _, interrupted = work:call("on_evaluated", call, entry.given)
  local is_wanted = entry.improve == true
  if not interrupted and entry.improve and not is_wanted then
    is_wanted, interrupted = work:call("improve", call, entry.given)
  end
  if not interrupted then
    local item = work.state:record_call(entry.name, id, is_wanted)
    watch.report:count "evaluated"
    if item then
      watch.calls[item] = call
    end
    work:save()
    watch:wake()
  end
  work.busy = false
  return interrupted
end

-- Requests an evaluated call and handles it. Returns an error if the next scan is to try again, and whether the call
-- was postponed.
local function request(work, id)
  local watch, postponed = work.watch, work.entry.postponed
  local call, err = watch.client.calls:get(id)
  if work:is_over() then
    return nil
  elseif call then
    postponed[id] = nil
    return call:evaluated() and handle(work, call, id) or nil -- else it is being evaluated again
  elseif work.DOUBTFUL[err.kind] and postpone(work, id) then
    return nil, true
  elseif not (work.DOUBTFUL[err.kind] or FINAL[err.kind]) then
    return err
  end
  postponed[id] = nil
  watch.report:problem(err, work.entry.path)
  work.state:record_call(work.entry.name, id)
  work.has_changes = true
end

-- Requests as many calls as a scan may; one that is postponed takes the place of no other. Returns whether all were
-- handled, and an error if the next scan is to try again.
local function request_all(work, ids)
  local postponed, left = work.entry.postponed, work.watch.declared.limits.calls
  local is_complete, err = true, nil
  for _, id in ipairs(ids) do
    local is_postponed = postponed[id] and not is_due(postponed[id])
    if not is_postponed and left > 0 then
      left = left - 1
      local fault
      fault, is_postponed = request(work, id)
      err = fault or err
      if work:is_over() then
        return false, err
      end
    elseif not is_postponed then
      return false, err
    end
    is_complete = is_complete and not is_postponed
  end
  return is_complete, err
end

-- ---- entries ----

local function scan_agent(work)
  local known = work.state.entries[work.entry.name]
  local view, err = window.view(work, known)
  if not view or work:is_over() then
    return nil, err
  end
  local is_complete
  is_complete, err = request_all(work, view.new)
  if work:is_over() then
    return nil, err
  end
  local fault = window.forget_missing(view, work, known)
  if work:is_over() then
    return nil, err
  elseif not err and is_complete then
    window.move(view, work, known)
  end
  if work.has_changes or work.watch.persistence:has_failed() then
    work:save()
  end
  err = err or fault
  return not err or nil, err
end

local function scan_call(work)
  local id = uri.text("id", work.entry.id)
  local call, err = work.watch.client.calls:get(id)
  if call and call:evaluated() then
    err = handle(work, call, id)
  end
  return not (err or work:is_over()) or nil, err
end

--- Whether an entry needs no further scan: it names one call, which was handled.
---@param entry cekura.watch.Entry
---@param state cekura.watch.State
function scan.is_complete(entry, state)
  return entry.id ~= nil and state.entries[entry.name].told[uri.text("id", entry.id)] ~= nil
end

--- Scans an entry, in a task.
---@param work cekura.watch.Work
---@return boolean? ok, cekura.Error? err
function scan.run(work)
  return (work.entry.id and scan_call or scan_agent)(work)
end

return scan

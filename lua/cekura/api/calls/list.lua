--- The list of call logs: one page of a filter, or all of it, in consecutive windows where the range of time is longer
-- than the service allows.

local check = require "cekura.check"
local core = require "cekura.core"
local each = require "cekura.api.each"
local errors = require "cekura.errors"
local filter = require "cekura.api.calls.filter"
local page = require "cekura.api.page"
local selection = require "cekura.http.selection"
local times = require "cekura.records.times"
local uri = require "cekura.http.uri"

local list = {}

local SOURCE = { name = "list", "GET /observability/{version}/call-logs/", class = "call_log" }

---@class cekura.Calls.Page: cekura.Page
---@field results cekura.CallLog[]

--- One page of call logs.
---@param client cekura.Client
---@param given? cekura.CallFilter
---@param options? cekura.Timeout
---@return cekura.Calls.Page? page, cekura.Error? err
function list.list(client, given, options)
  local query, timeout = uri.query("list", filter.parameters("list", client, given)), check.timeout(options)
  local found, err = page.get(client, SOURCE, query, timeout)
  return found, err
end

-- ---- all of it ----

-- The service refuses a range of more than 33 days; another page of its documents says 31.
local WINDOW = 31 * 86400

-- It is not known whether a range includes its limits, so windows overlap, and a call in two windows is returned once.
local OVERLAP = 1

-- The windows of a range, the latest first, as the service orders the calls in them.
local function windows_of(query)
  local from, to = times.epoch(query.timestamp_from), times.epoch(query.timestamp_to)
  if from and to and to < from then
    errors.misuse "each: the range of timestamps ends before it begins"
  end
  to = to or core.date()
  if not from or to - from <= WINDOW then
    return { { query.timestamp_from, query.timestamp_to } }
  end
  local windows = { { nil, query.timestamp_to or times.text(to) } }
  while to - from > WINDOW do
    to = to - WINDOW + OVERLAP
    windows[#windows][1] = times.text(to - OVERLAP)
    windows[#windows + 1] = { nil, times.text(to) }
  end
  windows[#windows][1] = query.timestamp_from
  return windows
end

-- The query of one window of a filter.
local function within(query, window)
  local narrowed = {}
  for name, value in pairs(query) do
    narrowed[name] = value
  end
  narrowed.timestamp_from, narrowed.timestamp_to = window[1], window[2]
  return narrowed
end

local function with_id(fields)
  local names = { "id" }
  for _, name in ipairs(fields) do
    if name ~= "id" then
      names[#names + 1] = name
    end
  end
  return names
end

--- Iterates over all call logs of a filter: over all pages, and over consecutive windows where the range is longer than
--- the service allows. Each call is returned once. On failure the iterator raises a cekura.Error at every call, so that
--- no failure looks like the end; iterator:next() returns the error.
---@param client cekura.Client
---@param given? cekura.CallFilter with `fields`, the id is requested, too
---@param options? { timeout: number? } seconds for each page
---@return cekura.Each
function list.each(client, given, options)
  local query, timeout = filter.parameters("each", client, given), check.timeout(options)
  if query.page then
    errors.misuse "each: page: it iterates over all pages; list() returns one"
  end
  if given and given.fields and not given.fields[1]:find "^%-" then
    query.ql = selection.text(with_id(given.fields))
  end
  local queries = {}
  for place, window in ipairs(windows_of(query)) do
    queries[place] = within(query, window)
  end
  return each(client, SOURCE, queries, timeout)
end

return list

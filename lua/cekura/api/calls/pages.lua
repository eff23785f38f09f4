--- Lists of call logs: one page, and all of them.

local atomic = require "cekura.loop.atomic"
local call_log = require "cekura.records.call_log"
local check = require "cekura.check"
local core = require "cekura.core"
local encode = require "cekura.http.encode"
local errors = require "cekura.errors"
local filter = require "cekura.api.calls.filter"
local nearest = require "cekura.nearest"
local params = require "cekura.api.params"
local request = require "cekura.http.request"
local response = require "cekura.http.response"
local times = require "cekura.records.times"
local uri = require "cekura.http.uri"

local pages = {}

---@class cekura.CallFilter
---@field agent_id? integer|string
---@field project_id? integer|string an organization's key needs it or an agent_id; default: the client's
---@field assistant_id? string the provider's
---@field timestamp_from? number|string seconds since the epoch, or ISO 8601
---@field timestamp_to? number|string
---@field call_ids? integer[] ids of records (not the `call_id` of a call)
---@field filters? table a condition or a group, see cekura.calls.filter; conditions may also stand in the table itself
---@field fields? string[] only these, or, with "-" before each name, all but these
---@field include_count? boolean
---@field search? string
---@field page? integer
---@field page_size? integer the service gives at most 200
local FILTER = {
  agent_id = { "id" },
  project_id = { "id" },
  assistant_id = { "text" },
  timestamp_from = { "time" },
  timestamp_to = { "time" },
  call_ids = { "joined_ids" },
  include_count = { "flag" },
  search = { "text" },
  ql = { "text" },
  page = { "positive" },
  page_size = { "positive" },
}

-- What is not sent under its own name.
local CONDITIONS = { "filters", "filters_v2" }
local OWN = { filters = true, filters_v2 = true, fields = true }

-- The conditions of a filter, wherever they stand, as one; nil: none.
local function conditions_of(what, given, positional)
  local list = setmetatable({}, core.array_mt)
  for _, name in ipairs(CONDITIONS) do
    if given[name] ~= nil then
      list[#list + 1] = filter.read(what .. ": " .. name, given[name])
    end
  end
  for index = 1, check.list(what .. ": filters", positional) do
    if type(positional[index]) ~= "table" then
      errors.misuse(what .. ": a condition stands in a table of its own: { { field, operator, value } }")
    end
    list[#list + 1] = filter.read(("%s: filters[%d]"):format(what, index), positional[index])
  end
  return #list > 1 and { operator = "and", conditions = list } or list[1]
end

-- The query that a filter stands for. Raises what is wrong with it: of a name that it does not know the
-- service would take no notice, and give everything.
local function read_filter(client, what, given)
  given = given == nil and {} or check.table(what .. ": filter", given)
  local named, positional = {}, {}
  for name, value in pairs(given) do
    if FILTER[name] then
      named[name] = value
    elseif type(name) == "number" then
      positional[name] = value
    elseif not OWN[name] then
      errors.misuse(("%s: there is no filter %s%s"):format(what, tostring(name), nearest(name, FILTER)))
    end
  end
  local query = params.read(what, { params = FILTER }, named)
  local conditions = conditions_of(what, given, positional)
  if conditions then
    query.filters_v2 = encode(conditions, what .. ": filters")
  end
  if given.fields ~= nil then
    query.ql = filter.selection(what .. ": fields", given.fields)
  end
  if query.agent_id == nil and query.project_id == nil and query.assistant_id == nil then
    query.project_id = core.fields(client)._project_id
  end
  return query
end

-- ---- one page ----

---@class cekura.Page
---@field results cekura.CallLog[]
---@field next? string URL of the next page, as it came
---@field previous? string
---@field count? integer only if the filter says include_count; at most 10000
---@field count_capped? boolean there are more

local function read_page(client, reply)
  if reply.body:find "^%s*%[" then -- some answers are a bare list
    local records, err = call_log.list_of_reply(reply)
    return records and { results = records }, err
  end
  local object, err = call_log.of_reply(reply) -- no call log, but as cheap to look into
  if not object then
    return nil, err
  end
  local results = core.slice(object, "results")
  local page = core.record_fields(object, "results")
  page.results = results and core.new_records(results, client)
  if not page.results then
    return nil, response.protocol_error(reply, "the answer has no list of results")
  end
  return page
end

-- Returns the page, an error, and when the service answered.
local function get_page(client, query, timeout)
  local reply, err = request.send(client, { method = "GET", path = call_log.path(client) .. query, timeout = timeout })
  if not reply then
    return nil, err
  end
  local page
  page, err = read_page(client, reply)
  return page, err, page and times.http_date(reply.headers.date)
end

--- One page of call logs.
---@param client cekura.Client
---@param given? cekura.CallFilter
---@param options? { timeout: number? } seconds
---@return cekura.Page? page, cekura.Error? err
function pages.list(client, given, options)
  local query, timeout = uri.query("list", read_filter(client, "list", given)), check.timeout(options)
  local page, err = get_page(client, query, timeout)
  return page, err
end

-- ---- all of them ----

-- The service refuses a range of more than 33 days; another page of its documents says 31.
local WINDOW = 31 * 86400

-- Whether a limit counts in is not known, so windows overlap; what comes twice is given once.
local OVERLAP = 1

-- The windows of a range, the latest first, as the service orders what is in them.
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

-- Of one window. A service whose pages never end would keep the caller for ever, if they are empty.
local MOST_PAGES = 10000

---@class cekura.Calls.Each the state of an iteration, which several tasks may share
---@field error? cekura.Error what ended it early
---@field pages integer pages that came
---@field date? number when the service answered first, by its own clock, in seconds since the epoch
---@field private page? cekura.Page the one whose calls are given now
---@field private place integer how many of them were
---@field private window integer the place of its window
---@field private asked table<string, boolean> queries of the window's pages
---@field private count integer how many those are
---@field private seen table<any, boolean> ids that the window has given
---@field private before table<any, boolean> ids that the window before it has given
local Each = {}
Each.__index = Each

local LONGEST_QUERY = 8192

-- The query of the page after this one; nil: this was the window's last. Only the query of the service's
-- URL is used: where the request goes is this client's to say. Without one, all calls would be asked for.
local function following(client, page)
  if type(page.next) ~= "string" or page.next == "" then
    return nil
  end
  local query = page.next:match "%?([^#]+)"
  if not query then
    return nil, errors.new("protocol", "the next page has no query: " .. errors.excerpt(core.redact(client, page.next)))
  elseif #query > LONGEST_QUERY then
    return nil, errors.new("protocol", "the query of the next page is too long")
  end
  return uri.path("next", "/?" .. query):sub(2)
end

local function window_query(self, place)
  local query = {}
  for name, value in pairs(self.filter) do
    query[name] = value
  end
  query.timestamp_from, query.timestamp_to = self.windows[place][1], self.windows[place][2]
  return uri.query("each", query)
end

-- What is asked for after the page that is there; nil: that was the last one, or, with an error, where to go on is not
-- known.
local function next_request(self)
  local query, fault
  if self.page then
    query, fault = following(self.client, self.page)
  end
  if fault then
    return nil, fault
  elseif query and self.asked[query] then
    return nil, errors.new("protocol", "the pages go round in a circle, at "
      .. errors.excerpt(core.redact(self.client, query)))
  elseif query and self.count >= MOST_PAGES then
    return nil, errors.new("protocol", ("there are more than %d pages"):format(MOST_PAGES))
  elseif query then
    return { after = self.page, window = self.window, query = query }
  end
  local window = self.window + 1
  return self.windows[window] and { after = self.page, window = window, query = window_query(self, window) } or nil
end

-- New calls push others to a later page, and windows overlap: what was given is not given again.
local function is_new(self, call)
  local id = call:get "id"
  if id == nil then
    return true
  elseif self.seen[id] or self.before[id] then
    return false
  end
  self.seen[id] = true
  return true
end

-- The next call of the page that is there; nil and what is to be asked for if all were given.
local take = atomic(function(self)
  local results = self.page and self.page.results or {}
  while results[self.place + 1] do
    self.place = self.place + 1
    if is_new(self, results[self.place]) then
      return results[self.place]
    end
  end
  local wanted, err = next_request(self)
  if not wanted then
    self.over, self.error = true, err
  end
  return nil, wanted
end)

-- Goes on to the page that came, or ends with an error. Nothing is changed before: where the request raises, since the
-- host cannot wait or an event handler raised, the next call makes it again and leaves out no page. Tasks may share the
-- iterator, so another may have turned the page already.
local turn_to = atomic(function(self, wanted, page, err, date)
  if self.page ~= wanted.after then
    return
  elseif not page then
    self.over, self.error = true, err
    return
  elseif wanted.window ~= self.window then
    self.window, self.asked, self.count = wanted.window, {}, 0
    self.before, self.seen = self.seen, {}
  end
  self.asked[wanted.query], self.count = true, self.count + 1
  self.page, self.place = page, 0
  self.pages, self.date = self.pages + 1, self.date or date
end)

--- The next call, with a failure as a value: nil and an error where a page cannot be had, which ends the iteration; nil
--- at its end. For tasks on PUC Lua 5.1, which cannot wait inside pcall.
---@return cekura.CallLog? call, cekura.Error? err
function Each:next()
  while not self.over do
    local call, wanted = take(self)
    if call then
      return call
    elseif wanted then
      turn_to(self, wanted, get_page(self.client, wanted.query, self.timeout))
    end
  end
  return nil, self.error
end

-- As io.lines does: a `for` looks at the first value only, to which a failure returned would be the end.
function Each:__call()
  local call, err = self:next()
  if err then
    error(err, 0)
  end
  return call
end

local function with_id(fields)
  local list = { "id" }
  for _, name in ipairs(fields) do
    if name ~= "id" then
      list[#list + 1] = name
    end
  end
  return list
end

--- Iterates over all call logs of a filter: over all pages, and over consecutive windows where the range is
-- longer than the service allows. No call comes twice. The iterator raises what goes wrong, a cekura.Error, as often as
-- it is called, so that no failure looks like the end; iterator:next() returns it.
---@param client cekura.Client
---@param given? cekura.CallFilter with `fields`, the id is asked for, too
---@param options? { timeout: number? } seconds for each page
---@return cekura.Calls.Each
function pages.each(client, given, options)
  local query, timeout = read_filter(client, "each", given), check.timeout(options)
  if query.page then
    errors.misuse "each: page: it goes over all of them; list() gives one"
  end
  if given and given.fields and not given.fields[1]:find "^%-" then
    query.ql = filter.selection("each: fields", with_id(given.fields))
  end
  return setmetatable({ client = client, filter = query, windows = windows_of(query), window = 0, timeout = timeout,
    place = 0, asked = {}, count = 0, seen = {}, before = {}, pages = 0, over = false }, Each)
end

return pages

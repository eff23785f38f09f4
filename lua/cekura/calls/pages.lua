--- Lists of call logs: one page, and all of them.

local call_log = require "cekura.call_log"
local check = require "cekura.check"
local core = require "cekura.core"
local encode = require "cekura.encode"
local errors = require "cekura.errors"
local filter = require "cekura.calls.filter"
local params = require "cekura.params"
local request = require "cekura.request"
local response = require "cekura.response"
local times = require "cekura.times"
local uri = require "cekura.uri"

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
      errors.misuse(("%s: there is no filter %s"):format(what, tostring(name)))
    end
  end
  local query = params.read(what, FILTER, named)
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
  local reply, err = request.send(client, "GET", call_log.path(client) .. query, nil, nil, timeout)
  if not reply then
    return nil, err
  end
  local page
  page, err = read_page(client, reply)
  return page, err, page and times.http_date(reply.headers.date)
end

local LIST_OPTIONS = { timeout = true }

--- One page of call logs.
---@param client cekura.Client
---@param given? cekura.CallFilter
---@param options? { timeout: number? } seconds
---@return cekura.Page? page, cekura.Error? err
function pages.list(client, given, options)
  local query = uri.query("list", read_filter(client, "list", given))
  options = check.options("options", options, LIST_OPTIONS)
  local page, err = get_page(client, query, check.seconds("timeout", options.timeout))
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

---@class cekura.Calls.Each
---@field error? cekura.Error why it ended before the end
---@field pages integer pages that were asked for
---@field date? number when the service answered first, by its own clock, in seconds since the epoch
local Each = {}
Each.__index = Each

function Each:window_query(place)
  local query = {}
  for name, value in pairs(self.filter) do
    query[name] = value
  end
  query.timestamp_from, query.timestamp_to = self.windows[place][1], self.windows[place][2]
  return uri.query("each", query)
end

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

-- Gets the next page that there is; nil at the end, with an error if that came too early.
function Each:turn_page()
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
  elseif not query then
    self.window = self.window + 1
    if not self.windows[self.window] then
      return nil
    end
    query = self:window_query(self.window)
    self.asked, self.count = {}, 0
    self.before, self.seen = self.seen, {}
  end
  self.asked[query], self.count = true, self.count + 1
  local page, err, date = get_page(self.client, query)
  self.page, self.place = page, 0
  self.pages, self.date = self.pages + 1, self.date or date
  return page, err
end

-- New calls push others to a later page, and windows overlap: what was given is not given again.
function Each:is_new(call)
  local id = call:get "id"
  if id == nil then
    return true
  elseif self.seen[id] or self.before[id] then
    return false
  end
  self.seen[id] = true
  return true
end

function Each:__call()
  while not self.over do
    local call = self.page and self.page.results[self.place + 1]
    if call then
      self.place = self.place + 1
      if self:is_new(call) then
        return call
      end
    else
      local page, err = self:turn_page()
      self.over, self.error = not page, err
    end
  end
  return nil, self.error
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
-- longer than the service allows. No call comes twice. It ends early if a page cannot be had: then the
-- iterator gives nil and the error, which is also its field `error`.
---@param client cekura.Client
---@param given? cekura.CallFilter with `fields`, the id is asked for, too
---@return cekura.Calls.Each
function pages.each(client, given)
  local query = read_filter(client, "each", given)
  if query.page then
    errors.misuse "each: page: it goes over all of them; list() gives one"
  end
  if given and given.fields and not given.fields[1]:find "^%-" then
    query.ql = filter.selection("each: fields", with_id(given.fields))
  end
  return setmetatable({ client = client, filter = query, windows = windows_of(query), window = 0, seen = {},
    pages = 0 }, Each)
end

return pages

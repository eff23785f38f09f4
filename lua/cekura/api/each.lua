--- The iterator over all records of a list: page by page, and window by window where the list is one of a range of time
-- (cekura.api.calls.each).

local atomic = require "cekura.loop.atomic"
local check = require "cekura.check"
local core = require "cekura.core"
local errors = require "cekura.errors"
local page = require "cekura.api.page"
local show = require "cekura.show"
local uri = require "cekura.http.uri"

-- ---- the iterator ----

-- In one window: an endless series of empty pages would block the caller for ever.
local MOST_PAGES = 10000

---@class cekura.Each the state of an iteration, which several tasks may share
---@field error? cekura.Error the error that ended it early
---@field pages integer the number of pages received
---@field date? number the time of the first answer, by the service's clock, in seconds since the epoch
---@field private page? cekura.Page the current page
---@field private place integer the number of its records that were returned
---@field private client cekura.Client
---@field private source cekura.PageSource
---@field private timeout? number
---@field private queries table[] that of each window
---@field private window integer the place of its window
---@field private requested table<string, boolean> queries of the window's pages
---@field private count integer the number of these queries
---@field private seen table<any, boolean> ids in this window
---@field private before table<any, boolean> ids in the previous window
---@field private over boolean
local Each = { __name = "cekura.calls.each" }
Each.__index = Each

local LONGEST_QUERY = 8192

-- The query of the next page; nil: this was the window's last. Only the query of the service's URL is used: requests go
-- to this client's own base URL. A URL without a query would match all calls.
local function next_query(client, current)
  if type(current.next) ~= "string" or current.next == "" then
    return nil
  end
  local query = current.next:match "%?([^#]+)"
  if not query then
    return nil, errors.new("protocol",
      show.format("the next page has no query: %s", core.redact(client, current.next)))
  elseif #query > LONGEST_QUERY then
    return nil, errors.new("protocol", "the query of the next page is too long")
  end
  return uri.path("next", "/?" .. query):sub(2)
end

-- The request for the page after the current one; nil: that was the last one, or, with an error, it does not say where
-- to go on.
local function next_request(self)
  local query, fault
  if self.page then
    query, fault = next_query(self.client, self.page)
  end
  if fault then
    return nil, fault
  elseif query and self.requested[query] then
    return nil, errors.new("protocol", show.format("the pages form a cycle, at %s", core.redact(self.client, query)))
  elseif query and self.count >= MOST_PAGES then
    return nil, errors.new("protocol", ("there are more than %d pages"):format(MOST_PAGES))
  elseif query then
    return { after = self.page, window = self.window, query = query }
  end
  local window = self.window + 1
  return self.queries[window] and
    { after = self.page, window = window, query = uri.query("each", self.queries[window]) } or nil
end

-- New calls push others to a later page, and windows overlap: no call is given again.
local function is_new(self, call)
  local id = core.type(call) and call:get "id" -- a list may have other items
  if id == nil then
    return true
  elseif self.seen[id] or self.before[id] then
    return false
  end
  self.seen[id] = true
  return true
end

-- The next call of the current page; if all were given, nil and the next request.
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

-- Makes the received page the current one, or ends with an error. Until here the iterator is unchanged: if the request
-- raises, because the host cannot wait or an event handler raised, the next call repeats it, and skips no page. Tasks
-- may share the iterator, so another task may have turned the page already.
local turn_to = atomic(function(self, wanted, found, err, date)
  if self.page ~= wanted.after then
    return
  elseif not found then
    self.over, self.error = true, err
    return
  elseif wanted.window ~= self.window then
    self.window, self.requested, self.count = wanted.window, {}, 0
    self.before, self.seen = self.seen, {}
  end
  self.requested[wanted.query], self.count = true, self.count + 1
  self.page, self.place = found, 0
  self.pages, self.date = self.pages + 1, self.date or date
end)

--- The next record, with a failure as a value: nil and an error where a page cannot be fetched, which ends the
--- iteration; nil at its end. For tasks on PUC Lua 5.1, which cannot wait inside pcall.
---@return cekura.Record? record, cekura.Error? err
function Each:next()
  while not self.over do
    local call, wanted = take(self)
    if call then
      return call
    elseif wanted then
      turn_to(self, wanted, page.get(self.client, self.source, wanted.query, self.timeout))
    end
  end
  return nil, self.error
end

Each.next = check.method("iterator", "next", Each.next, function(value)
  return getmetatable(value) == Each
end)

function Each:__tostring()
  return ("cekura.each (%d pages so far)"):format(self.pages)
end

-- Raises errors, as io.lines does: `for` only tests the first value, so a returned error would look like the end.
function Each:__call()
  local call, err = self:next()
  if err then
    error(err, 0)
  end
  return call
end

--- Makes an iterator, which returns each record once.
---@param client cekura.Client
---@param source cekura.PageSource
---@param queries table[] the query of each window, in their order; one, if there are no windows
---@param timeout? number seconds for each page
---@return cekura.Each
local function each(client, source, queries, timeout)
  return setmetatable({ client = client, source = source, queries = queries, window = 0, timeout = timeout,
    place = 0, requested = {}, count = 0, seen = {}, before = {}, pages = 0, over = false }, Each)
end

return each

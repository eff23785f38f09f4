--- One page of a list of records.

local core = require "cekura.core"
local described = require "cekura.described"
local endpoint = require "cekura.http.endpoint"
local record = require "cekura.records.record"
local request = require "cekura.http.request"
local response = require "cekura.http.response"
local times = require "cekura.records.times"

local page = {}

---@class cekura.Page
---@field results cekura.Record[] (a list of other values has these)
---@field next? string URL of the next page, unchanged
---@field previous? string
---@field count? integer only if the filter says include_count; at most 10000
---@field count_capped? boolean there are more

local Page = described("cekura.page", function(found)
  return ("%d results%s"):format(#found.results, found.next and ", and more pages" or "")
end)

---@class cekura.PageSource
---@field name string the name of the list in errors
---@field [1] string "GET /path/"
---@field places? table<string, any> the values of the path's places
---@field class string of the records

-- The items of a list: records of the class, or decoded values where one of them is not an object; nil and the fault if
-- the text is not a list.
local function items_of(text, client, class)
  local list, fault = core.new_records(text, client, record.class(class))
  if not list and class ~= "call_log" then
    local values = core.decode(text)
    return getmetatable(values) == core.array_mt and values or nil, fault
  end
  return list and setmetatable(list, core.array_mt), fault
end

--- Whether an answer is a bare list, which is the only page.
---@param reply cekura.Response
function page.is_list(reply)
  return reply.body:find "^%s*%[" ~= nil
end

--- The page that an answer is.
---@param reply cekura.Response
---@param class string of the records
---@return cekura.Page? page, cekura.Error? err of kind "protocol"
function page.read(reply, class)
  if page.is_list(reply) then
    local items, fault = items_of(reply.body, reply._client, class)
    if items then
      return setmetatable({ results = items }, Page)
    end
    return nil, response.protocol_error(reply, ("the answer is not a list of JSON objects (%s)"):format(fault))
  end
  local object, err = record.of_reply(reply, "record")
  if not object then
    return nil, err
  end
  local results = core.slice(object, "results")
  local found = core.record_fields(object, "results")
  results = results and items_of(results, reply._client, class)
  if not results then
    return nil, response.protocol_error(reply, "the answer has no list of results")
  end
  found.results = results
  return setmetatable(found, Page)
end

--- Fetches a page.
---@param client cekura.Client
---@param source cekura.PageSource
---@param query string "?…"
---@param timeout? number seconds
---@return cekura.Page? page, cekura.Error? err, number? date when the service answered, by its clock, since the epoch
function page.get(client, source, query, timeout)
  local places = { version = core.fields(client)._api_version }
  for name, value in pairs(source.places or {}) do
    places[name] = value
  end
  local method, path = endpoint.fill(source.name, source[1], places)
  local reply, err = request.send(client, { method = method, path = path .. query, timeout = timeout })
  if not reply then
    return nil, err
  end
  local found
  found, err = page.read(reply, source.class)
  return found, err, found and times.http_date(reply.headers.date)
end

return page

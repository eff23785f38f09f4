--- One page of a list of call logs.

local core = require "cekura.core"
local described = require "cekura.described"
local endpoint = require "cekura.http.endpoint"
local record = require "cekura.records.record"
local request = require "cekura.http.request"
local response = require "cekura.http.response"
local times = require "cekura.records.times"

local page = {}

---@class cekura.Page
---@field results cekura.CallLog[]
---@field next? string URL of the next page, as it came
---@field previous? string
---@field count? integer only if the filter says include_count; at most 10000
---@field count_capped? boolean there are more

local Page = described("cekura.page", function(found)
  return ("%d results%s"):format(#found.results, found.next and ", and more pages" or "")
end)

local function read(client, reply)
  if reply.body:find "^%s*%[" then -- some answers are a bare list
    local records, err = record.list_of_reply(reply)
    return records and setmetatable({ results = records }, Page), err
  end
  local object, err = record.of_reply(reply) -- no call log, but fields are decoded as cheaply
  if not object then
    return nil, err
  end
  local results = core.slice(object, "results")
  local found = core.record_fields(object, "results")
  results = results and core.new_records(results, client)
  if not results then
    return nil, response.protocol_error(reply, "the answer has no list of results")
  end
  found.results = setmetatable(results, core.array_mt)
  return setmetatable(found, Page)
end

--- Reads a page.
---@param client cekura.Client
---@param query string "?…"
---@param timeout? number seconds
---@return cekura.Page? page, cekura.Error? err, number? date when the service answered, by its clock, since the epoch
function page.get(client, query, timeout)
  local method, path = endpoint.fill("list", "GET /observability/{version}/call-logs/",
    { version = core.fields(client)._api_version })
  local reply, err = request.send(client, { method = method, path = path .. query, timeout = timeout })
  if not reply then
    return nil, err
  end
  local found
  found, err = read(client, reply)
  return found, err, found and times.http_date(reply.headers.date)
end

return page

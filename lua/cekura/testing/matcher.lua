--- Finds the exchange of a recording that answers a request.
--
-- Requests are compared by method, path, query (in any order) and body (JSON by value). In the recording stand-ins have
-- the places of hosts, phone numbers and e-mail addresses, and the program that is tested may send any others: so two
-- requests are equal if they are but for those, and if each stand-in has the place of the same value all along. Equal
-- requests get their recorded replies in order; the last one is repeated.

local capture = require "cekura.testing.capture"
local json_text = require "cekura.testing.json_text"
local redact = require "cekura.testing.redact"
local show = require "cekura.show"
local urls = require "cekura.testing.redact.urls"

local matcher = {}

---@class cekura.testing.Signature a request in the form in which requests are compared
---@field method string
---@field path string
---@field query { [1]: string, [2]: string }[] names and values, sorted
---@field body string|table a tree of JSON
---@field values { class: string, value: string }[] what stand-ins have the places of
---@field key string equal for requests that may be equal

---@class cekura.testing.Matcher
---@field private exchanges cekura.testing.Exchange[]
---@field private signatures cekura.testing.Signature[] of the exchanges, in their order
---@field private by_key table<string, integer[]> places in the list of exchanges
---@field private served table<integer, true>
---@field private asked table<string, string> by what was recorded, and reversed: what a stand-in has the place of
---@field private ignored table<string, true>
---@field private prepare fun(redactor: cekura.testing.Redactor) adds what is known
---@field private own? fun(text: string): string
local Matcher = {}
Matcher.__index = Matcher

-- ---- signatures ----

-- The pairs of a query, sorted by name, those of a name in their order.
local function query_of(collector, query, ignored)
  local list, texts, found = {}, {}, {}
  for place, pair in ipairs(urls.pairs(query or "")) do
    if not ignored[pair.name] then
      list[#list + 1] = { name = pair.name, text = pair.text, place = place }
    end
  end
  table.sort(list, function(a, b)
    return a.name < b.name or a.name == b.name and a.place < b.place
  end)
  for place, pair in ipairs(list) do
    texts[place] = pair.text
  end
  for place, pair in ipairs(urls.pairs(collector:query(table.concat(texts, "&")))) do
    found[place] = { pair.name, pair.value or "" }
  end
  return found
end

-- A tree without the ignored members, the others sorted by name, so that stand-ins come in the same order.
local function sorted(node, ignored)
  if type(node) == "string" then
    return node
  end
  local order, copy = {}, { names = node.names and {} }
  for place, item in ipairs(node) do
    local name = node.names and json_text.string(node.names[place])
    if not name or not ignored[name] then
      order[#order + 1] = { name = name, place = place, item = sorted(item, ignored) }
    end
  end
  if node.names then
    table.sort(order, function(a, b)
      return a.name < b.name or a.name == b.name and a.place < b.place
    end)
  end
  for place, member in ipairs(order) do
    copy[place] = member.item
    if node.names then
      copy.names[place] = node.names[member.place]
    end
  end
  return copy
end

local function form_tree(parts, ignored)
  local node = { names = {} }
  for index, part in ipairs(parts) do
    node.names[index] = json_text.quote(part.name)
    node[index] = part.text and json_text.quote(part.text) or ("%.0f"):format(part.bytes or 0)
  end
  return sorted(node, ignored)
end

local function body_tree(body, ignored)
  return body.json and sorted(body.json, ignored) or body.form and form_tree(body.form, ignored)
    or body.text and json_text.quote(body.text) or ("%.0f"):format(body.bytes or 0)
end

local function query_text(query)
  local parts = {}
  for index, pair in ipairs(query) do
    parts[index] = pair[1] .. "=" .. pair[2]
  end
  return table.concat(parts, "&")
end

-- A redactor that puts "<phone>" in the place of each number, and so on, and lists them.
function Matcher:collector(values)
  local made = redact.new { own = self.own, replace = function(class, value)
    values[#values + 1] = { class = class, value = value }
    return "<" .. class .. ">"
  end }
  self.prepare(made)
  return made
end

-- The signature of a request, recorded or asked, of which a capture has kept `kept`.
function Matcher:signature(kept)
  local values = {}
  local collector = self:collector(values)
  local bare, query = urls.parts(kept.path)
  local found = { method = kept.method, path = collector:path(bare), values = values,
    query = query_of(collector, query, self.ignored) }
  found.body = collector:tree(body_tree(kept.body, self.ignored))
  found.key = table.concat({ found.method, kept.conditional and "if" or "", found.path, query_text(found.query),
    json_text.canonical(found.body) }, "\n")
  return found
end

-- ---- finding ----

-- Whether each stand-in of a recorded request may have the place of what the program has sent.
function Matcher:is_consistent(recorded, asked)
  local pairs_of_this = {}
  for index, one in ipairs(recorded.values) do
    local other = asked.values[index] or one
    local there, back = one.class .. ">" .. one.value, one.class .. "<" .. other.value
    local known = self.asked[there] or pairs_of_this[there]
    local reversed = self.asked[back] or pairs_of_this[back]
    if known and known ~= other.value or reversed and reversed ~= one.value then
      return false
    end
    pairs_of_this[there], pairs_of_this[back] = other.value, one.value
  end
  return true, pairs_of_this
end

--- The exchange that answers a request; or nil, and in words which request was not recorded.
---@param request table see capture.request()
---@return cekura.testing.Exchange? exchange, string? report
function Matcher:find(request)
  local asked = self:signature(capture.request(capture.ALL, request))
  local last, last_pairs
  for _, place in ipairs(self.by_key[asked.key] or {}) do
    local is_consistent, pairs_of_it = self:is_consistent(self.signatures[place], asked)
    if is_consistent then
      last, last_pairs = place, pairs_of_it
      if not self.served[place] then
        break
      end
    end
  end
  if not last then
    return nil, self:report(asked)
  end
  self.served[last] = true
  for name, value in pairs(last_pairs) do
    self.asked[name] = value
  end
  return self.exchanges[last]
end

-- ---- what differs ----

local MOST_DIFFERENCES = 3

local function shown(node)
  return node and show.excerpt(type(node) == "string" and node or json_text.write(node), 60) or "nothing"
end

local function by_name(node)
  local found = {}
  for index, text in ipairs(node.names) do
    found[json_text.string(text)] = node[index]
  end
  return found
end

-- Adds how two trees differ to a list of texts.
local function compare(list, path, recorded, asked)
  local both_tables = type(recorded) == "table" and type(asked) == "table"
  if both_tables and recorded.names and asked.names then
    local old, new = by_name(recorded), by_name(asked)
    for _, text in ipairs(recorded.names) do
      local name = json_text.string(text)
      compare(list, path .. "." .. name, old[name], new[name])
    end
    for _, text in ipairs(asked.names) do
      local name = json_text.string(text)
      if old[name] == nil then
        compare(list, path .. "." .. name, nil, new[name])
      end
    end
  elseif both_tables and not recorded.names and not asked.names then
    for index = 1, math.max(#recorded, #asked) do
      compare(list, ("%s[%d]"):format(path, index), recorded[index], asked[index])
    end
  elseif not recorded or not asked or json_text.canonical(recorded) ~= json_text.canonical(asked) then
    list[#list + 1] = ("%s is %s, recorded was %s"):format(path, shown(asked), shown(recorded))
  end
end

-- A query as a tree.
local function query_tree(query)
  local node = { names = {} }
  for index, pair in ipairs(query) do
    node.names[index], node[index] = json_text.quote(pair[1]), json_text.quote(pair[2])
  end
  return node
end

local function differences(recorded, asked)
  local list = {}
  if recorded.method ~= asked.method then
    list[1] = ("the method is %s, recorded was %s"):format(asked.method, recorded.method)
  end
  if recorded.path ~= asked.path then
    list[#list + 1] = ("the path is %s, recorded was %s"):format(show.excerpt(asked.path), show.excerpt(recorded.path))
  end
  compare(list, "query", query_tree(recorded.query), query_tree(asked.query))
  compare(list, "body", recorded.body, asked.body)
  return list
end

-- How many segments of two paths are equal.
local function likeness(one, other)
  local count, segments = 0, {}
  for segment in one:gmatch "[^/]+" do
    segments[#segments + 1] = segment
  end
  local place = 0
  for segment in other:gmatch "[^/]+" do
    place = place + 1
    count = count + (segments[place] == segment and 1 or 0)
  end
  return count / math.max(place, #segments, 1)
end

-- In words, how the request differs from the one of the recording that is most like it.
function Matcher:report(asked)
  local what = show.format("not recorded: %s %s", asked.method, asked.path)
  local best, least, score
  for _, recorded in ipairs(self.signatures) do
    local list = differences(recorded, asked)
    local alike = likeness(recorded.path, asked.path)
    if not score or alike > score or alike == score and #list < #least then
      best, least, score = recorded, list, alike
    end
  end
  if not best then
    return what .. "; the recording is empty"
  elseif #least == 0 then
    return what .. "; recorded was one with another phone number, host or e-mail address, or with another condition "
      .. "in its headers"
  end
  local more = #least - MOST_DIFFERENCES
  local text = table.concat(least, "; ", 1, math.min(#least, MOST_DIFFERENCES))
  return ("%s; the nearest is %s %s: %s%s"):format(what, best.method, best.path, text,
    more > 0 and ("; and %d more"):format(more) or "")
end

-- ---- making ----

---@class cekura.testing.MatcherOptions
---@field ignored? table<string, true> names of parameters and members that are not compared
---@field prepare? fun(redactor: cekura.testing.Redactor)
---@field own? fun(text: string): string

--- A matcher for the exchanges of a recording.
---@param exchanges cekura.testing.Exchange[]
---@param options cekura.testing.MatcherOptions
---@return cekura.testing.Matcher
function matcher.new(exchanges, options)
  local made = setmetatable({
    exchanges = exchanges, signatures = {}, by_key = {}, served = {}, asked = {}, ignored = options.ignored or {},
    prepare = options.prepare or function() end, own = options.own,
  }, Matcher)
  for place, exchange in ipairs(exchanges) do
    local signature = made:signature(exchange.request)
    made.signatures[place] = signature
    made.by_key[signature.key] = made.by_key[signature.key] or {}
    table.insert(made.by_key[signature.key], place)
  end
  return made
end

return matcher

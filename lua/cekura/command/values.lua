--- Converts words of a command line to values of the API, by the type of the parameter (cekura.api.params).

local cjson = require "cekura.cjson"
local core = require "cekura.core"
local list = require "cekura.list"
local show = require "cekura.show"
local times = require "cekura.records.times"

local values = {}

-- Whole numbers up to this are exact on every Lua; larger ones stay text.
local LARGEST = 2 ^ 53

local function whole_number(text)
  local value = text:find "^%-?%d+$" and tonumber(text)
  return value and value >= -LARGEST and value <= LARGEST and value or nil
end

local function refuse(wanted, text)
  return nil, show.format("%s expected, got %q", wanted, text)
end

-- Returns the value. Without one, returns nil and the reason, which says what was expected instead of the text.
local function wanted(value, what, text)
  if value == nil or value == false then
    return refuse(what, text)
  end
  return value
end

-- ---- single values ----

local readers = {}

function readers.text(text)
  return text
end

function readers.id(text)
  return wanted(text ~= "" and (whole_number(text) or text), "an id", text)
end

function readers.integer(text)
  return wanted(whole_number(text) or text:find "^%-?%d+$" and text, "a whole number", text)
end

function readers.positive(text)
  local value = whole_number(text)
  return wanted(value and value > 0 and value, "a whole number above 0", text)
end

function readers.channel(text)
  return wanted(text == "0" and 0 or text == "1" and 1, "0 or 1", text)
end

function readers.number(text)
  return wanted(times.number(text), "a number", text)
end

local function number_above_0(text)
  local value = times.number(text)
  return value and value > 0 and value < math.huge and value
end

function readers.rate(text)
  return wanted(number_above_0(text), "a number above 0", text)
end

function readers.seconds(text)
  return wanted(number_above_0(text), "a number of seconds above 0", text)
end

function readers.interval(text)
  local value = text == "adaptive" and text or readers.seconds(text)
  return wanted(value, "a number of seconds above 0, or adaptive,", text)
end

local FLAGS = { ["true"] = true, yes = true, ["false"] = false, no = false }

function readers.flag(text)
  local value = FLAGS[text:lower()]
  if value == nil then
    return refuse("true or false", text)
  end
  return value
end

local AGO = { s = 1, m = 60, h = 3600, d = 86400, w = 7 * 86400 }

-- A time: ISO 8601, seconds since the epoch, or a span before now, such as 90m, 24h or 7d. `time_of_day` is added to a
-- date.
local function read_time(text, time_of_day)
  local count, unit = text:match "^(%d+)([smhdw])$"
  if count then
    return core.date() - tonumber(count) * AGO[unit]
  elseif text:find "^%d%d%d%d%d%d%d%d%d+$" then
    return tonumber(text)
  end
  local time = text:find "^%d%d%d%d%-%d%d%-%d%d$" and text .. time_of_day or text
  return wanted(times.epoch(time) and time,
    "a time (2026-11-26, 2026-11-26T08:00:00Z, seconds since the epoch, or 24h or 7d for that long ago)", text)
end

function readers.time(text)
  return read_time(text, "T00:00:00Z")
end

--- The end of a period, which has the whole day if it is a date.
function readers.end_time(text)
  return read_time(text, "T23:59:59.999999Z")
end

-- ---- JSON ----

local function decoded(text)
  local value, fault = core.decode(text)
  return value, fault
end

--- The decoded value if the text is JSON, otherwise the text itself.
function readers.any(text)
  if text == "null" then
    return cjson.null
  end
  local value = decoded(text)
  if value == nil then
    return text
  end
  return value
end

function readers.table(text)
  local value, fault = decoded(text)
  if type(value) ~= "table" then
    return refuse("JSON text of an object" .. (fault and " (" .. fault .. ")" or ""), text)
  end
  return value
end

readers.transcript = readers.table

-- ---- lists ----

-- The elements of a comma-separated text, or of a JSON list.
local function elements(text, read)
  local found = {}
  if text:find "^%s*%[" then
    local value, fault = decoded(text)
    if type(value) ~= "table" then
      return refuse("a list in JSON (" .. tostring(fault) .. ")", text)
    end
    return value
  end
  for part in (text .. ","):gmatch "%s*(.-)%s*," do
    local value, reason = read(part)
    if value == nil or value == "" then -- an empty list is [], the list of an empty text is [""]
      return nil, reason or show.format("a value beside each comma expected, got %q", text)
    end
    found[#found + 1] = value
  end
  return list.mark(found)
end

local function list_of(read)
  return function(text)
    return elements(text, read)
  end
end

readers.ids = list_of(readers.id)
readers.records = readers.ids
readers.list = list_of(readers.any)
readers.texts = list_of(readers.text)
readers.files = readers.texts
readers.file = readers.text
readers.joined = readers.text
readers.joined_ids = readers.text

function readers.one_id(text)
  local id, reason = readers.id(text)
  if id == nil then
    return nil, reason
  end
  return list.mark { id }
end

function readers.ids_or_all(text)
  if text == "all" then
    return text
  end
  return readers.ids(text)
end

--- Ids, "all", or first:12.
function readers.selection(text)
  local count = text:match "^first:(%d+)$"
  if count and tonumber(count) > 0 then
    return { first = tonumber(count) }
  elseif text:find "^first:" then
    return refuse("101,102, all or first:N", text)
  end
  return readers.ids_or_all(text)
end

--- A condition of a filter: FIELD,OPERATOR,VALUE. The value is decoded if it is JSON.
function readers.condition(text)
  local field, operator, value = text:match "^([^,]+),([^,]+),(.*)$"
  if not field then
    return refuse("FIELD,OPERATOR,VALUE", text)
  elseif operator == "in" then
    local several, reason = elements(value, readers.any)
    return several and { field, operator, several }, reason
  end
  return { field, operator, readers.any(value) }
end

--- NAME=VALUE.
function readers.pair(text)
  local name, value = text:match "^([^=]+)=(.*)$"
  if not name then
    return refuse("NAME=VALUE", text)
  end
  return { name, value }
end

-- ---- how each type is shown in help ----

local SHOWN = {
  text = "TEXT", id = "ID", integer = "N", positive = "N", number = "N", channel = "0|1", flag = "true|false",
  time = "TIME", end_time = "TIME", any = "JSON", table = "JSON", transcript = "JSON", ids = "ID,...",
  records = "ID,...", list = "VALUE,...", texts = "TEXT,...", files = "FILE,...", file = "FILE", joined = "A,B,...",
  joined_ids = "ID,...", one_id = "ID", ids_or_all = "ID,...|all", selection = "ID,...|all|first:N", seconds = "S",
  rate = "N", interval = "S|adaptive", condition = "FIELD,OP,VALUE", pair = "NAME=VALUE",
}

--- What stands for a value of a type in help.
---@param kind string
---@return string
function values.placeholder(kind)
  return SHOWN[kind] or "VALUE"
end

-- A value of each type, for examples.
local EXAMPLES = {
  text = "text", id = "2142", integer = "3", positive = "3", number = "0.5", channel = "0", flag = "true",
  time = "2026-11-01T00:00:00Z", any = "5", table = "'{}'", ids = "101,102", records = "101,102", list = "101,102",
  texts = "one,two", files = "faq.txt", file = "faq.txt", joined = "101,102", joined_ids = "101,102",
  one_id = "5181749", ids_or_all = "101,102", selection = "first:12",
  transcript = [['[{"role":"Main Agent","content":"Hello."}]']],
}

--- A value of a type as it is typed in a shell, for examples.
---@param kind string
---@return string
function values.example(kind)
  return EXAMPLES[kind]
end

--- Reads a word.
---@param kind string the type
---@param text string
---@return any value nil if the word is not one
---@return string? reason
function values.read(kind, text)
  return readers[kind](text)
end

return values

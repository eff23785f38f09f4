--- Reads the declaration of a watch: each key has a check, and a mistake is reported with the path of its key. What the
-- keys mean is documented in cekura.watch.

local check = require "cekura.check"
local core = require "cekura.core"
local errors = require "cekura.errors"
local filter = require "cekura.api.calls.filter"
local nearest = require "cekura.nearest"
local params = require "cekura.api.params"
local show = require "cekura.show"
local store = require "cekura.watch.store"
local times = require "cekura.records.times"
local uri = require "cekura.http.uri"

local declaration = {}

-- ---- checks: each raises an error, or returns the value as it is used ----

local function improve(name, value)
  return value == true or check.callback(name, value)
end

local function prompt(name, value)
  return type(value) == "string" and value or check.callback(name, value)
end

local function since(name, value)
  return times.epoch(params.value("time", name, value))
end

local function count(least)
  return function(name, value)
    return check.count(name, value, least)
  end
end

local function client(name, value)
  if core.type(value) ~= "client" then
    check.table(name, value)
  end
  return value
end

local LIMITS = { jobs = count(1), per_hour = count(0), calls = count(1) }

local TOP = { client = client, every = check.seconds, limits = check.table, store = store.check, name = check.text,
  lease = check.seconds, on_error = check.callback, agents = check.table, calls = check.table }

local ENTRY = { name = check.text, every = check.seconds, timeout = check.seconds, prompt = prompt, improve = improve,
  on_evaluated = check.callback, on_improved = check.callback, on_nothing_to_do = check.callback,
  on_failed = check.callback, agent_id = check.id }

local function with(keys, more)
  for key, value in pairs(keys) do
    more[key] = value
  end
  return more
end

-- The lists of entries, with the keys that an entry may have and the one that names it.
local LISTS = {
  { key = "agents", of = "agent", id = "agent_id",
    known = with(ENTRY, { filter = filter.read, since = since, lookback = check.seconds }) },
  { key = "calls", of = "call", id = "id", known = with(ENTRY, { id = check.id }) },
}

-- ---- reading ----

local function path_of(path, key)
  if type(key) ~= "string" then
    return show.format("%s[%s]", path, key)
  end
  return path == "" and show.value(key) or show.format("%s.%s", path, key)
end

-- Sorted, so that mistakes are reported in the same order each time.
local function sorted_keys(given)
  local keys = {}
  for key in pairs(given) do
    keys[#keys + 1] = key
  end
  table.sort(keys, function(a, b)
    return tostring(a) < tostring(b)
  end)
  return keys
end

-- Runs a check and returns its value. If it raises an error, reports the error and returns nil.
local function try(report, path, fn, ...)
  local ok, value = pcall(fn, ...)
  if ok then
    return value
  end
  report:mistake((tostring(value):gsub("^.-cekura: ", "", 1)), path)
end

-- Returns the valid values and the number of invalid ones, which it reports.
local function read(report, path, given, known)
  local values, wrong = {}, 0
  for _, key in ipairs(sorted_keys(given)) do
    local name = path_of(path, key)
    if known[key] then
      values[key] = try(report, name, known[key], name, given[key])
    else
      report:mistake(name .. ": there is no such key" .. nearest(key, known), name)
    end
    wrong = wrong + (values[key] == nil and 1 or 0)
  end
  return values, wrong
end

---@class cekura.watch.Entry
---@field path string "agents[1]"
---@field name string by which the store knows it
---@field given table as it was declared
---@field agent_id? integer|string
---@field id? integer|string
---@field due? number, scanned? number of cekura.watch.schedule: when the next scan is due, and the date of the last
---@field saved_from? number, missed? table, sweep_due? number of cekura.watch.window, since the store was acquired
---@field postponed? table<string, table> of cekura.watch.scan, since the store was acquired

-- Whether an entry has all the keys that it must have.
local function is_complete(report, path, list, values)
  if values[list.id] == nil then
    report:mistake(("%s.%s: it is missing"):format(path, list.id), path .. "." .. list.id)
  elseif values.improve and not values.prompt then
    report:mistake(path .. ".prompt: it is missing, and `improve` needs it", path .. ".prompt")
  else
    return true
  end
end

local function read_entry(report, path, list, given)
  if not try(report, path, check.table, path, given) then
    return nil
  end
  local entry, wrong = read(report, path, given, list.known)
  if wrong > 0 or not is_complete(report, path, list, entry) then
    return nil
  end
  entry.path, entry.given = path, given
  entry.name = entry.name or list.of .. " " .. uri.text(list.id, entry[list.id])
  return entry
end

local function read_list(report, list, given, entries, by_name)
  for _, key in ipairs(sorted_keys(given)) do
    local path = path_of(list.key, key)
    local entry
    if type(key) == "number" then
      entry = read_entry(report, path, list, given[key])
    else
      report:mistake(path .. ": entries form a list, without keys", path)
    end
    local other = entry and by_name[entry.name]
    if other then
      report:mistake(show.format("%s.name: %s is %q, too: give one of them another name", path, other.path, entry.name),
        path)
    elseif entry then
      by_name[entry.name], entries[#entries + 1] = entry, entry
    end
  end
end

--- The file and line that call the module.
---@return string
function declaration.position()
  local _, text = pcall(errors.misuse, "")
  return text:match "^(.-): cekura: " or "?"
end

---@class cekura.watch.Declaration
---@field every number
---@field shortest number seconds between two scans of the entry that is scanned most often
---@field lease number
---@field limits { jobs: integer, per_hour: integer, calls: integer }
---@field name? string
---@field client? cekura.Client|table
---@field store? any
---@field entries cekura.watch.Entry[]
---@field by_name table<string, cekura.watch.Entry>
---@field unusable boolean a mistake leaves nothing to watch with

--- Reads a declaration.
---@param given table
---@param report cekura.watch.Report gets the mistakes
---@return cekura.watch.Declaration
function declaration.read(given, report)
  local read_top = read(report, "", given, TOP)
  local limits = read(report, "limits", read_top.limits or {}, LIMITS)
  local declared = {
    every = read_top.every or 60,
    lease = read_top.lease or 30,
    limits = { jobs = limits.jobs or 4, per_hour = limits.per_hour or 20, calls = limits.calls or 100 },
    name = read_top.name, client = read_top.client, store = read_top.store,
    entries = {}, by_name = {},
    -- With another client, or without the declared store, the watch would do what was not meant.
    unusable = read_top.client == nil and given.client ~= nil or read_top.store == nil and given.store ~= nil,
  }
  for _, list in ipairs(LISTS) do
    read_list(report, list, read_top[list.key] or {}, declared.entries, declared.by_name)
  end
  if not declared.entries[1] then
    declared.unusable = true
    if not report.first_mistake then
      report:mistake("agents: there is no entry, here or in calls", "agents")
    end
  end
  declared.shortest = declared.every
  for _, entry in ipairs(declared.entries) do
    declared.shortest = math.min(declared.shortest, entry.every or declared.every)
  end
  return declared
end

return declaration

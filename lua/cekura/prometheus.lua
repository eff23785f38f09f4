--- The counters of clients in the text format of Prometheus, version 0.0.4
-- (https://prometheus.io/docs/instrumenting/exposition_formats/). The names follow
-- https://prometheus.io/docs/practices/naming/: a counter ends in _total, and a unit is seconds or bytes.

local check = require "cekura.check"
local core = require "cekura.core"
local errors = require "cekura.errors"

local prometheus = {}

-- A row for each counter of client:stats(), in the order of the text: the counter, the metric, its type and its help.
local METRICS = {
  { "requests", "cekura_requests_total", "counter", "Tries that were sent, repetitions and polls included." },
  { "retries", "cekura_retries_total", "counter", "Tries that were not the first of their request." },
  { "in_flight", "cekura_requests_in_flight", "gauge", "Requests in flight." },
  { "max_in_flight", "cekura_requests_in_flight_max", "gauge", "Most requests that were in flight at once." },
  { "direct", "cekura_direct_jobs_in_flight", "gauge", "Direct jobs in flight." },
  { "connections", "cekura_connections_total", "counter", "Connections that were opened." },
  { "jobs", "cekura_jobs_total", "counter", "Jobs that were made." },
  { "bytes_in", "cekura_received_bytes_total", "counter", "Bytes of bodies received." },
  { "retry_quota", "cekura_retry_tokens", "gauge", "Tokens left for repetitions." },
  { "longest_step", "cekura_longest_step_seconds", "gauge", "Longest time that a step has blocked its caller." },
}

local ESCAPES = { ["\\"] = "\\\\", ['"'] = '\\"', ["\n"] = "\\n" }

-- A number that is not negative, whatever the locale: a whole one exactly, any other to a millionth.
local function write_number(value)
  if value % 1 == 0 then
    return ("%.0f"):format(value)
  end
  local millionths = math.floor(value * 1e6 + 0.5)
  return ("%.0f.%06.0f"):format(math.floor(millionths / 1e6), millionths % 1e6)
end

-- The counters of a client, or a table of them, checked.
local function stats_of(name, given)
  if core.type(given) == "client" then
    return given:stats()
  end
  check.table(name, given)
  for _, row in ipairs(METRICS) do
    local value = given[row[1]]
    if type(value) ~= "number" or not (value >= 0 and value < math.huge) then
      errors.misuse("%s: a client or its stats() expected, got a table without %s", name, row[1])
    end
  end
  return given
end

-- The value of the label of a client: its name, or its place in the list.
local function label_of(key, given)
  if type(key) == "string" then
    if not core.is_utf8(key) then
      errors.misuse "clients: the name of a client is not UTF-8"
    elseif core.type(given) == "client" and core.has_secret(given, key) then
      errors.misuse "clients: the name of a client contains its API key"
    end
    return key
  end
  check.count("clients: the place of a client", check.number("clients: the name of a client", key), 1)
  return ("%.0f"):format(key)
end

-- The clients in the order of their names; places come as numbers do.
local function read(clients)
  local list, known = {}, {}
  for key, given in pairs(check.table("clients", clients)) do
    local label = label_of(key, given)
    if known[label] then
      errors.misuse("clients: two clients have the name %q", label)
    end
    known[label] = true
    list[#list + 1] = { label = label, place = tonumber(label) or math.huge,
      stats = stats_of("clients: client " .. label, given) }
  end
  table.sort(list, function(a, b)
    if a.place ~= b.place then
      return a.place < b.place
    end
    return a.label < b.label
  end)
  return list
end

--- The text of the counters, see cekura.prometheus in cekura.public.
---@param clients table
---@return string
function prometheus.text(clients)
  local list, lines = read(clients), {}
  for _, row in ipairs(list[1] and METRICS or {}) do
    local counter, metric, kind, help = row[1], row[2], row[3], row[4]
    lines[#lines + 1] = ("# HELP %s %s\n# TYPE %s %s\n"):format(metric, help, metric, kind)
    for _, client in ipairs(list) do
      lines[#lines + 1] = ('%s{client="%s"} %s\n'):format(metric, client.label:gsub('[\\"\n]', ESCAPES),
        write_number(client.stats[counter]))
    end
  end
  return table.concat(lines)
end

return prometheus

--- The counters of clients in the text format of Prometheus, read by a strict reader of that format.

local cekura = require "cekura"
local decimal_comma = require "spec.support.decimal_comma"
local shell = require "spec.support.shell"
local simulator = require "spec.support.simulator"

local TYPES = { counter = true, gauge = true, histogram = true, summary = true, untyped = true }

local UNESCAPED = { ["\\\\"] = "\\", ['\\"'] = '"', ["\\n"] = "\n" }

-- The labels of a sample, by https://prometheus.io/docs/instrumenting/exposition_formats/.
local function read_labels(text)
  local labels, at = {}, 1
  while at <= #text do
    local name, after = text:match('^([a-zA-Z_][a-zA-Z0-9_]*)="()', at)
    assert(name and not name:find "^__", text)
    local value = {}
    while text:sub(after, after) ~= '"' do
      assert(after <= #text, "a label without an end: " .. text)
      local character = text:sub(after, after)
      if character == "\\" then
        local escape = text:sub(after, after + 1)
        character = assert(UNESCAPED[escape], "no escape: " .. escape)
        after = after + 1
      end
      value[#value + 1], after = character, after + 1
    end
    assert(not labels[name], "a label twice: " .. text)
    labels[name], at = table.concat(value), after + 1
    assert(at > #text or text:sub(at, at) == ",", text)
    at = at + 1
  end
  return labels
end

-- The metrics of a text in their order, each with its `type`, `help` and `samples` { labels, value }. Raises where the
-- text is not in the format, or where it would be refused by Prometheus: a metric in two groups, a sample twice.
local function read(text)
  assert(text == "" or text:sub(-1) == "\n", "the last line does not end")
  assert(not text:find "\r", "a carriage return")
  local metrics, by_name, seen = {}, {}, {}
  for line in text:gmatch "([^\n]*)\n" do
    local current = metrics[#metrics]
    local name, help = line:match "^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$"
    local typed, kind = line:match "^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (%l+)$"
    if name then
      assert(not by_name[name], "two groups of " .. name)
      assert(not help:gsub("\\\\", ""):gsub("\\n", ""):find "\\", help)
      metrics[#metrics + 1] = { name = name, help = help, samples = {} }
      by_name[name] = metrics[#metrics]
    elseif typed then
      assert(current and current.name == typed and not current.type and #current.samples == 0, line)
      current.type = assert(TYPES[kind] and kind, line)
    else
      local sample, labels, value = line:match "^([a-zA-Z_:][a-zA-Z0-9_:]*){(.*)} ([0-9.e+-]+)$"
      assert(sample and current and current.name == sample and current.type, line)
      assert(value:find "^%d+$" or value:find "^%d+%.%d+$", line)
      assert(not seen[sample .. labels], "twice: " .. line)
      seen[sample .. labels] = true
      current.samples[#current.samples + 1] = { labels = read_labels(labels), value = tonumber(value) }
    end
  end
  return metrics, by_name
end

local STATS = { requests = 12, retries = 1, in_flight = 2, max_in_flight = 4, direct = 0, connections = 3, jobs = 5,
  bytes_in = 2 ^ 52, retry_quota = 500, longest_step = 0.0415 }

local function stats_with(changes)
  local stats = {}
  for name, value in pairs(STATS) do
    stats[name] = value
  end
  for name, value in pairs(changes) do
    stats[name] = value
  end
  return stats
end

local function values_of(metric)
  local values = {}
  for _, sample in ipairs(metric.samples) do
    values[sample.labels.client] = sample.value
  end
  return values
end

describe("cekura.prometheus", function()
  local server = simulator.during(setup, teardown)

  it("writes every counter of client:stats(), and no other", function()
    local client = server:client()
    cekura.assert(client.calls:get(5181749))
    local metrics, values = read(cekura.prometheus { client }), {}
    local stats = client:stats()
    client:close()
    local expected = {}
    for _, value in pairs(stats) do
      expected[#expected + 1] = value
    end
    for _, metric in ipairs(metrics) do
      assert.equal(1, #metric.samples)
      assert.same({ client = "1" }, metric.samples[1].labels)
      values[#values + 1] = metric.samples[1].value
    end
    table.sort(expected)
    table.sort(values)
    assert.equal(#expected, #values)
    for place, value in ipairs(expected) do
      assert.is_true(math.abs(value - values[place]) < 1e-6, place)
    end
  end)

  it("names metrics by the rules: a counter ends in _total, a unit is seconds or bytes", function()
    local metrics, by_name = read(cekura.prometheus { STATS })
    assert.equal(10, #metrics)
    for _, metric in ipairs(metrics) do
      assert.truthy(metric.name:find "^cekura_")
      assert.equal(metric.type == "counter", metric.name:find "_total$" ~= nil, metric.name)
      assert.truthy(metric.help:find "^%u.*%.$", metric.help)
    end
    local function value(name)
      return by_name[name].samples[1].value
    end
    assert.equal(12, value "cekura_requests_total")
    assert.equal(2 ^ 52, value "cekura_received_bytes_total")
    assert.equal(0.0415, value "cekura_longest_step_seconds")
    assert.equal(2, value "cekura_requests_in_flight")
    assert.equal(4, value "cekura_requests_in_flight_max")
  end)

  it("tells several clients apart, by their places or by names", function()
    local two = { STATS, stats_with { requests = 7 }, backup = stats_with { requests = 8 } }
    local _, by_name = read(cekura.prometheus(two))
    assert.same({ ["1"] = 12, ["2"] = 7, backup = 8 }, values_of(by_name.cekura_requests_total))
    local many = {}
    for place = 1, 12 do
      many[place] = STATS
    end
    _, by_name = read(cekura.prometheus(many))
    for place, sample in ipairs(by_name.cekura_jobs_total.samples) do
      assert.equal(tostring(place), sample.labels.client)
    end
    assert.equal("", cekura.prometheus {})
  end)

  it("escapes names", function()
    local name = 'a "b" \\n c\\\nd, client="e"} 1 {ä'
    local _, by_name = read(cekura.prometheus { [name] = STATS })
    assert.same({ [name] = 12 }, values_of(by_name.cekura_requests_total))
  end)

  it("writes numbers in the same way in every locale", function()
    local text = cekura.prometheus { STATS }
    local found = decimal_comma(function()
      return cekura.prometheus { STATS }
    end)
    if found then
      assert.equal(text, found[1])
    end
    assert.truthy(text:find("} 0.041500\n", 1, true), text)
  end)

  it("takes a closed client, and has no secret", function()
    local client = server:client { api_key = "key-0123456789" }
    local ok, message = pcall(cekura.prometheus, { ["for key-0123456789"] = client })
    client:close()
    local text = cekura.prometheus { client }
    read(text)
    assert.falsy(text:find("key-0123456789", 1, true))
    assert.is_false(ok)
    assert.truthy(message:find("the name of a client contains its API key", 1, true), message)
    assert.falsy(message:find("key-0123456789", 1, true))
  end)

  it("raises for what is not a client", function()
    for _, row in ipairs {
      { nil, "clients: table expected, got nothing" },
      { { true }, "clients: client 1: table expected, got boolean" },
      { { {} }, "clients: client 1: a client or its stats() expected, got a table without requests" },
      { { stats_with { jobs = -1 } }, "got a table without jobs" },
      { { stats_with { jobs = 0 / 0 } }, "got a table without jobs" },
      { { STATS, ["1"] = STATS }, 'clients: two clients have the name "1"' },
      { { ["\255"] = STATS }, "clients: the name of a client is not UTF-8" },
      { { [1.5] = STATS }, "clients: the place of a client: a whole number" },
      { { [true] = STATS }, "clients: the name of a client: number expected, got boolean" },
    } do
      local ok, message = pcall(cekura.prometheus, row[1])
      assert.is_false(ok)
      assert.truthy(message:find(row[2], 1, true), message)
    end
  end)

  it("is loaded when it is first used", function()
    local lua = os.getenv "CEKURA_LUA" or "lua5.4"
    local output, status = shell(([[%s -e '
      local cekura = require "cekura"
      local before = package.loaded["cekura.prometheus"]
      cekura.prometheus {}
      print(before, type(package.loaded["cekura.prometheus"]))']]):format(lua))
    assert.equal(0, status, output)
    assert.truthy(output:find "nil%s+table" or not package.preload["cekura.prometheus"], output)
  end)
end)

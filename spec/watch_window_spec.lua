-- The window of a watch: it remembers the calls that the service lists, whatever any clock says.

local cekura = require "cekura"
local core = require "cekura.core"
local file = require "spec.support.file"
local times = require "cekura.records.times"
local watching = require "spec.support.watching"

local LIST, START, OFTEN, LONG_AGO = watching.LIST, watching.START, watching.OFTEN, watching.LONG_AGO

describe("the window of a watch", function()
  local w = watching.during(setup, teardown, before_each, after_each)
  local server = w.server
  local agent, declare, eventually, living = w.agent, w.declare, w.eventually, w.living
  local requests, await_scans, stop, made = w.requests, w.await_scans, w.stop, w.made
  local counted, has_recorded = w.counted, w.has_recorded
  local store

  before_each(function()
    store = w.folder .. "/kept"
  end)

  -- A reply of the list: calls with these ids and one timestamp, and the number of a next page or nil.
  local function lists(ids, timestamp, more)
    local calls = {}
    for index, id in ipairs(ids) do
      calls[index] = ('{"id":%d,"status":"failure","success":false,"timestamp":"%s"}'):format(id,
        timestamp or times.text(math.floor(core.date())))
    end
    return { body = ('{"results":[%s],"next":%s}'):format(table.concat(calls, ","),
      more and ('"%s%s?page=%d"'):format(server.url, LIST, more) or "null") }
  end

  -- The ids of the calls in the store, sorted.
  local function known()
    local ids = {}
    for id in file.read(store):match '"told":{([^}]*)}':gmatch '"(%d+)":' do
      ids[#ids + 1] = id
    end
    table.sort(ids)
    return table.concat(ids, " ")
  end

  local function date(seconds)
    return times.text(math.floor(core.date() + seconds))
  end

  -- ---- timestamps ----

  for what, timestamp in pairs {
    ["of now"] = function() return date(2) end,
    ["of some seconds ago"] = function() return date(-3) end,
    ["of an hour ago"] = function() return date(-3600) end,
    ["in another zone"] = function() return date(-8 * 3600):sub(1, -2) end,
    ["in a zone ahead"] = function() return date(14 * 3600):sub(1, -2) end,
    ["of another year"] = function() return "1999-12-31T23:59:59Z" end,
    ["that are invalid"] = function() return "yesterday" end,
  } do
    it("handles and improves a call once even if the service ignores the filter, with timestamps " .. what, function()
      server:script(LIST, { lists({ 5181749 }, timestamp()) })
      local given = function()
        local entry = agent { improve = true, lookback = 1 }
        entry.since = nil
        return { store = store, agents = { entry } }
      end
      local watch = declare(given())
      eventually("improved", has_recorded "improved 5181749")
      await_scans()
      stop(watch)
      declare(given())
      await_scans()
      assert.same({ "evaluated 5181749", "improved 5181749" }, w.recorded)
      assert.equal(1, #requests("POST", START))
      assert.equal("5181749", known())
      assert.same({}, w.problems)
    end)
  end

  for _, hours in ipairs { 8, 12, -14 } do
    it(("misses no call if the service reads times as %d h from this zone"):format(hours), function()
      local text = times.text
      times.text = function(seconds)
        return text(seconds + hours * 3600)
      end
      finally(function()
        times.text = text
      end)
      local given = agent { lookback = 1 }
      given.since = nil
      declare { store = store, agents = { given } }
      await_scans()
      if hours > 0 then
        assert.same({}, w.recorded) -- both calls are older than the watch
      end
      local time = os.time() + 1
      local ids = server:admin("POST", "call_logs/", { count = 2, from = time, to = time }).ids
      eventually("both", function()
        return counted()["evaluated " .. ids[1]] and counted()["evaluated " .. ids[2]]
      end)
      await_scans()
      for line, count in pairs(counted()) do
        assert.equal(1, count, line)
      end
    end)
  end

  it("handles only new calls, even if their timestamps have no zone", function()
    local time = date(-8 * 3600):sub(1, -2)
    server:script(LIST, { lists({ 5181749 }, time), lists({}), lists({ 5181752, 5181749 }, time),
      lists({ 5181749 }, time), lists({ 5181752, 5181749 }, time) })
    local given = agent { improve = true } -- waits for ever, so the call stays in the store
    given.since = nil
    declare { store = store, limits = { per_hour = 0 }, agents = { given } }
    eventually("the other", has_recorded "evaluated 5181752")
    await_scans()
    assert.same({ "evaluated 5181752" }, w.recorded)
    assert.equal("5181749 5181752", known())
  end)

  it("handles a call with an early timestamp only when a filtered list contains it", function()
    server:script(LIST, { lists({ 5181749 }, date(-3600)), lists { 5181749 },
      lists({ 5181752, 5181749 }, date(-3600)), lists { 5181749 }, lists({ 5181752, 5181749 }, date(-3600)) })
    local given = agent()
    given.since = nil
    declare { store = store, agents = { given } }
    eventually("one", has_recorded "evaluated 5181749")
    await_scans()
    await_scans()
    assert.same({ "evaluated 5181749" }, w.recorded)
    assert.equal("5181749 5181752", known())
  end)

  -- ---- forgetting ----

  it("remembers exactly the calls that are listed", function()
    server:script(LIST, { lists { 5181749, 5181752 } })
    local watch = declare { store = store, agents = { agent() } }
    eventually("both", function() return #w.recorded == 2 end)
    await_scans()
    assert.equal("5181749 5181752", known())
    server:script(LIST, { lists { 5181753, 5181752 } })
    eventually("the third", has_recorded "evaluated 5181753")
    await_scans()
    stop(watch)
    assert.equal("5181752 5181753", known())
    assert.equal(3, #w.recorded)
  end)

  it("forgets nothing after an incomplete listing", function()
    server:script(LIST, { lists { 5181749, 5181752 }, lists({ 5181752 }, nil, 2), { status = 500 },
      lists({ 5181752 }, nil, 2), { body = "<p>" }, lists({}, nil, 2), { body = '{"results":[],"next":"?page=2"}' },
      lists { 5181749, 5181752 } })
    local watch = declare { client = living(nil, { retries = 0 }), store = store, every = 0.02,
      agents = { agent() } }
    eventually("all of them", function() return #requests("GET", LIST) >= 12 end)
    stop(watch)
    assert.same({ "evaluated 5181752", "evaluated 5181749" }, w.recorded)
    assert.equal("5181749 5181752", known())
  end)

  it("does not forget a call that moves between pages while they are read", function()
    server:script(LIST, { lists({ 5181752 }, nil, 2), lists { 5181749 }, -- both calls
      lists({ 5181752 }, nil, 2), lists { 5181753 }, -- 5181749 has moved to the first page
      lists { 5181753, 5181752, 5181749 } })
    local watch = declare { store = store, agents = { agent() } }
    eventually("three", function() return #w.recorded >= 3 end)
    await_scans()
    await_scans()
    stop(watch)
    assert.equal(3, #w.recorded)
    assert.equal("5181749 5181752 5181753", known())
  end)

  it("does not forget a call that its filter lists only at times", function()
    local sender = living()
    local function set_reason(text)
      cekura.assert(sender.calls:update(5181749, { call_ended_reason = text }))
    end
    local asked = 0
    set_reason "busy"
    local watch = declare { store = store, client = living(nil, { on_event = function(event)
      asked = asked + (event.name == "request_finished" and event.path:find("busy", 1, true) and 1 or 0)
    end }), agents = { agent { improve = true, lookback = 5 * 86400,
      filter = { "call_ended_reason", "eq", "busy" } } } }
    for _ = 1, 3 do
      eventually("improved", has_recorded "improved 5181749")
      set_reason "hung up"
      await_scans()
      local before = asked
      eventually("scans", function() return asked > before + 3 end)
      set_reason "busy"
      await_scans()
    end
    stop(watch)
    assert.same({ "evaluated 5181749", "improved 5181749" }, w.recorded)
    assert.equal(1, made())
    assert.equal("5181749", known())
  end)

  it("forgets a call that is no longer listed, even with a filter", function()
    local sender = living "seconds=0.2"
    local sent = cekura.assert(sender.calls:send { call_id = "passing", agent = 2142, timestamp = os.time(),
      transcript_json = { { role = "Main Agent", content = "Hello." } } })
    local watch = declare { store = store, agents = { agent { filter = { "call_id", "eq", "passing" },
      lookback = 24 * 0.5 } } }
    eventually("handled", has_recorded("evaluated " .. sent.id))
    eventually("known", function() return known() == tostring(sent.id) end)
    cekura.assert(sender.calls:delete(sent.id))
    eventually("forgotten", function() return known() == "" end)
    stop(watch)
  end)

  it("remembers a call until its improvement ends, and improves it once, even if it is handled twice", function()
    server:script(LIST, { lists { 5181749 }, lists {}, lists {}, lists { 5181749 } })
    local function given(limit)
      return { store = store, limits = { per_hour = limit }, agents = { agent { improve = true } } }
    end
    local watch = declare(given(0))
    eventually("scans", function() return #requests("GET", LIST) >= 6 end)
    stop(watch)
    assert.same({ "evaluated 5181749" }, w.recorded)
    assert.equal(1, select(2, file.read(store):gsub('"call":', "")))
    -- An earlier version may leave such a store.
    file.write(store, (file.read(store):gsub('"told":{[^}]*}', '"told":{}')))
    declare(given(5))
    eventually("improved", has_recorded "improved 5181749")
    await_scans()
    assert.equal(1, made())
  end)

  it("reads the store of an earlier version", function()
    file.write(store, ('{"base":"%s","entries":{"agent 2142":{"from":%d,"told":{"5181749":%d}}},'
      .. '"format":"cekura.watch 1","improvements":[],"starts":[]}'):format(server.url, os.time() - LONG_AGO,
      os.time() - 86400))
    declare { store = store, agents = { agent() } }
    eventually("the other", has_recorded "evaluated 5181752")
    await_scans()
    assert.equal(1, #w.recorded)
    assert.same({}, w.problems)
  end)

  it("resumes the improvements in the store of an earlier version, in each of their states", function()
    local function item(call, rest)
      return ('{"call":"%d","entry":"agent 2142",%s}'):format(call, rest)
    end
    local now = os.time()
    file.write(store, ('{"base":"%s","entries":{"agent 2142":{"begun":true,"from":%d,"since":%d,"told":{"5181749":1,'
      .. '"5181752":1}}},"format":"cekura.watch 1","improvements":[%s,%s,%s],"saved":%d,"starts":[%d]}'):format(
      server.url, now - LONG_AGO, now - LONG_AGO,
      item(5181752, '"cut":"its client was closed","prompt_sum":"8-1","state":"starting"'),
      item(5181751, '"given_up":true,"prompt_sum":"8-1","state":"running","token":"t"'),
      item(5181749, '"state":"wanted"'), now, now - 60))
    local failure
    local given = agent { improve = true, on_failed = function(err, call)
      failure = err
      w.record("failed " .. call.id)
    end }
    declare { store = store, limits = { per_hour = 2 }, agents = { given } }
    eventually("both", function()
      return counted()["failed 5181752"] and counted()["improved 5181749"]
    end)
    eventually("all are over", function()
      return file.read(store):find('"improvements":[]', 1, true)
    end)
    await_scans()
    assert.same({ ["failed 5181752"] = 1, ["improved 5181749"] = 1 }, counted())
    assert.equal("unknown_outcome", failure.kind)
    assert.truthy(failure.message:find("its client was closed", 1, true), failure.message)
    assert.equal(1, #requests("POST", START))
    assert.equal(2, select(2, file.read(store):match '"starts":%[([^%]]*)':gsub("%d+", "")))
    assert.same({}, w.problems)
  end)

  -- ---- wrong clocks ----

  describe("with a clock that is ahead", function()
    local right, lead = core.date, 0

    before_each(function()
      lead = 0
      core.date = function()
        return right() + lead
      end
    end)

    after_each(function()
      core.date = right
    end)

    -- Adds two calls that began so many seconds from now, by the real clock.
    local function new_calls(seconds)
      local time = os.time() + (seconds or 1)
      return server:admin("POST", "call_logs/", { count = 2, from = time, to = time }).ids
    end

    local function all_recorded(ids)
      return function()
        local counts = counted()
        return counts["evaluated " .. ids[1]] and counts["evaluated " .. ids[2]]
      end
    end

    local function assert_heard()
      assert.equal(1, #w.problems)
      assert.equal("store", w.problems[1].where)
      assert.equal("config", w.problems[1].kind)
      assert.truthy(w.problems[1].message:find "future", w.problems[1].message)
    end

    for what, ahead in pairs { ["an hour"] = 3600, ["two days"] = 2 * 86400, ["ten years"] = 3650 * 86400 } do
      for from, since in pairs { ["an early date"] = function() return os.time() - 2 * 86400 end,
        ["its first scan"] = function() end } do
        it(("by %s, from %s: handles all calls after the correction, and none twice"):format(what, from), function()
          local function given()
            local entry = agent { improve = true }
            entry.since = since()
            return { store = store, agents = { entry } }
          end
          lead = ahead
          local watch = declare(given())
          await_scans()
          stop(watch)
          assert.same({}, w.problems)
          local before = #w.recorded
          lead = 0
          local ids = new_calls(-600)
          watch = declare(given())
          if since() then
            eventually("the calls of meanwhile", all_recorded(ids))
          end
          await_scans()
          ids = new_calls()
          eventually("what comes then", all_recorded(ids))
          await_scans()
          stop(watch)
          for line, count in pairs(counted()) do
            assert.equal(1, count, line)
          end
          assert.is_true(#w.recorded > before)
          assert_heard()
        end)
      end
    end

    it("is corrected in a running watch", function()
      lead = 2 * 86400
      local given = agent()
      given.since = nil
      declare { store = store, agents = { given } }
      await_scans()
      lead = 0
      await_scans()
      local ids = new_calls()
      eventually("both", all_recorded(ids))
      await_scans()
      assert.equal(2, #w.recorded)
      assert_heard()
    end)

    it("is corrected even without the service's date", function()
      local http_date = times.http_date
      times.http_date = function() end
      finally(function()
        times.http_date = http_date
      end)
      lead = 2 * 86400
      local watch = declare { store = store, agents = { agent() } }
      eventually("both", function() return #w.recorded == 2 end)
      await_scans()
      stop(watch)
      lead = 0
      declare { store = store, agents = { agent() } }
      await_scans()
      local ids = new_calls()
      eventually("what comes then", all_recorded(ids))
      await_scans()
      assert.equal(4, #w.recorded)
      assert_heard()
    end)

    it("makes its starts count from the correction", function()
      local function given()
        return { store = store, limits = { per_hour = 2 }, agents = { agent { improve = true } } }
      end
      lead = 86400
      local watch = declare(given())
      eventually("both", function() return watch:status().improved == 2 end)
      stop(watch)
      lead = 0
      server:admin("POST", "call_logs/", { count = 1 })
      watch = declare(given())
      eventually("handled", function() return #w.recorded == 5 end)
      await_scans()
      assert.equal(1, watch:status().entries["agent 2142"].waiting)
      stop(watch)
      assert_heard()
      lead = 3590
      watch = declare(given())
      await_scans()
      assert.equal(2, made())
      stop(watch)
      lead = 3605
      watch = declare(given())
      eventually("the third", function() return watch:status().improved == 1 end)
      assert.equal(3, made())
    end)

    it("loses no start that was counted before", function()
      local function given()
        return { store = store, limits = { per_hour = 2 }, agents = { agent { improve = true } } }
      end
      local watch = declare(given())
      eventually("both", function() return watch:status().improved == 2 end)
      stop(watch)
      lead = 86400
      server:admin("POST", "call_logs/", { count = 1 })
      watch = declare(given())
      eventually("a third", function() return watch:status().improved == 1 end)
      stop(watch)
      lead = 0
      server:admin("POST", "call_logs/", { count = 1 })
      watch = declare(given())
      eventually("handled", function() return #w.recorded == 7 end)
      await_scans()
      assert.equal(1, watch:status().entries["agent 2142"].waiting)
      assert.equal(3, made())
    end)

    it("is reported even if it only dated the store", function()
      lead = 3600
      local watch = declare { store = store, agents = { agent() } }
      eventually("both", function() return #w.recorded == 2 end)
      stop(watch)
      lead = 0
      declare { store = store, agents = { agent() } }
      await_scans()
      assert_heard()
    end)

    it("is not reported if it is ahead by a few seconds", function()
      lead = 3
      local watch = declare { store = store, agents = { agent() } }
      eventually("both", function() return #w.recorded == 2 end)
      stop(watch)
      lead = 0
      declare { store = store, every = OFTEN, agents = { agent() } }
      await_scans()
      assert.same({}, w.problems)
    end)
  end)
end)

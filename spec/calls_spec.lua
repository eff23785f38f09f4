-- client.calls: reading and writing call logs, against the simulator.

local cekura = require "cekura"
local core = require "cekura.core"
local file = require "spec.support.file"
local patience = require "spec.support.patience"
local shell = require "spec.support.shell"
local simulator = require "spec.support.simulator"
local times = require "cekura.records.times"

local LIST = "/observability/v2/call-logs/"
local DAY = 86400

local function decode(text)
  return (core.decode(text))
end

local function unescape(text)
  return (text:gsub("%%(%x%x)", function(hex)
    return string.char(tonumber(hex, 16))
  end))
end

-- The query "?a=1&b=2" as a table.
local function query_of(uri)
  local query = {}
  for name, value in (uri:match "%?(.*)$" or ""):gmatch "([^=&]+)=([^&]*)" do
    query[name] = unescape(value)
  end
  return query
end

describe("client.calls:", function()
  local server = simulator.during(setup, teardown)
  local client

  before_each(function()
    client = server:renew_client()
    server:reset()
  end)

  local function last_request()
    local seen = server:requests()
    return seen[#seen]
  end

  local function refused(pattern, fn, ...)
    local arguments = { ... }
    local ok, message = pcall(function()
      return fn(client.calls, arguments[1], arguments[2], arguments[3])
    end)
    assert.is_false(ok)
    assert.truthy(message:find "^spec/calls_spec.lua:%d+: cekura: ", message)
    assert.truthy(message:find(pattern), message)
  end

  local function raised_by(fn, ...)
    local ok, raised = pcall(fn, ...)
    assert.is_false(ok)
    return raised
  end

  describe("get()", function()
    it("returns the record", function()
      local call = cekura.assert(client.calls:get(5181749))
      assert.equal("call_log", core.type(call))
      assert.equal(5181749, call.id)
      assert.equal("sess-1", call.call_id)
      assert.equal("success", call.status)
      assert.equal("2142", call.agent_id)
      assert.equal(70, call:seconds())
      assert.is_true(call:evaluated())
      assert.truthy(call:json():find '"external_id": *9007199254740993')
      assert.equal("9007199254740993", tostring(call.metadata.external_id))
      assert.equal(LIST .. "5181749/", last_request().uri)
    end)

    it("reads v1 if the client is set to it, and metrics read the same in its other format", function()
      local old = server:client { api_version = "v1" }
      local before, now = cekura.assert(old.calls:get(5181749)), cekura.assert(client.calls:get(5181749))
      assert.equal("/observability/v1/call-logs/5181749/", server:requests()[1].uri)
      assert.are_not_equal(before:json(), now:json())
      for metric in now:metrics() do
        local other = before:metric(metric.id)
        for _, name in ipairs { "id", "name", "type", "score", "value", "passed" } do
          assert.equal(metric[name], other[name])
        end
        assert.equal("table", type(other.explanation))
      end
      assert.is_true(now:metric(501).passed)
      assert.is_false(before:metric(502).passed)
      old:close()
      local ok, message = pcall(server.client, server, { api_version = "v3" })
      assert.is_false(ok)
      assert.truthy(message:find 'api_version: "v1" or "v2" expected, got "v3"')
    end)

    it("returns not_found for a missing record", function()
      local call, err = client.calls:get(1)
      assert.is_nil(call)
      assert.equal("not_found", err.kind)
      assert.equal(404, err.status)
    end)

    it("keeps an id in its segment of the path", function()
      client.calls:get "../../x?y"
      assert.equal(LIST .. "..%2F..%2Fx%3Fy/", last_request().uri)
      refused("id: id expected", client.calls.get, nil)
      refused("id: an id expected", client.calls.get, "")
    end)

    it("returns protocol for an answer that is not a record", function()
      for _, body in ipairs { "[]", "", "null", "{", '"x"' } do
        server:script(LIST .. "7/", { { body = body } })
        local call, err = client.calls:get(7)
        assert.is_nil(call)
        assert.equal("protocol", err.kind)
      end
    end)
  end)

  describe("list()", function()
    it("returns one page of records", function()
      local page = cekura.assert(client.calls:list { agent_id = 2142 })
      assert.equal(3, #page.results)
      assert.equal(5181751, page.results[1].id)
      assert.equal("evaluating", page.results[1].status)
      assert.equal("call_log", core.type(page.results[1]))
      assert.is_nil(page.next)
      assert.is_nil(page.count)
      assert.equal(LIST .. "?agent_id=2142", last_request().uri)
    end)

    it("sends ids exactly, however large", function()
      client.calls:list { call_ids = { "9007199254740993", 5 } }
      assert.equal("9007199254740993,5", query_of(last_request().uri).call_ids)
      if math.type then
        client.calls:list { call_ids = { math.maxinteger } }
        assert.equal("9223372036854775807", query_of(last_request().uri).call_ids)
      end
      refused("call_ids%[1%]: a number of that size is not exact here", client.calls.list, { call_ids = { 2 ^ 60 } })
      refused("id: a number of that size is not exact here", client.calls.delete, 2 ^ 53)
    end)

    it("takes a timeout", function()
      server:script(LIST, { { delay = 600, body = "[]" } })
      local _, err = client.calls:list({}, { timeout = 0.1 })
      assert.equal("timeout", err.kind)
    end)

    it("requests only one page, and says whether there is another", function()
      local page = cekura.assert(client.calls:list { page_size = 2, include_count = true })
      assert.equal(2, #page.results)
      assert.equal(5, page.count)
      assert.is_false(page.count_capped)
      assert.truthy(page.next:find "page=2")
      assert.equal(2, #cekura.assert(client.calls:list { page_size = 2, page = 2 }).results)
    end)

    it("takes every filter of the API", function()
      cekura.assert(client.calls:list {
        agent_id = 2142, project_id = "310", assistant_id = "asst_lakeside", call_ids = { 5181749, 5181750 }, page = 1,
        page_size = 50, include_count = true, search = "sess 1", timestamp_from = os.time() - DAY,
        timestamp_to = times.text(os.time()), ql = "{id}",
      })
      local query = query_of(last_request().uri)
      assert.equal("5181749,5181750", query.call_ids)
      assert.equal("true", query.include_count)
      assert.equal("sess 1", query.search)
      assert.equal("{id}", query.ql)
      assert.truthy(query.timestamp_from:find "^%d+%-%d%d%-%d%dT%d%d:%d%d:%d%dZ$")
    end)

    it("takes conditions in several notations", function()
      local function sent(filter)
        client.calls:list(filter)
        return query_of(last_request().uri).filters_v2
      end
      local LEAF = '{"field":"success","op":"eq","value":true}'
      assert.equal(LEAF, sent { filters = { "success", "eq", true } })
      assert.equal(LEAF, sent { filters = { field = "success", op = "eq", value = true } })
      assert.equal(LEAF, sent { { "success", "eq", true } })
      assert.equal(LEAF, sent { filters_v2 = LEAF })
      assert.equal(('{"conditions":[%s,{"field":"duration","op":"gte","value":60}],"operator":"and"}'):format(LEAF),
        sent { { "success", "eq", true }, { "duration", "gte", 60 } })
      assert.equal(('{"conditions":[%s],"operator":"and"}'):format(LEAF),
        sent { filters = { { "success", "eq", true } } })
      assert.equal(('{"conditions":[%s,%s],"operator":"or"}'):format(LEAF, LEAF),
        sent { filters = { "or", { "success", "eq", true }, { field = "success", op = "eq", value = true } } })
      assert.equal('{"conditions":[{"field":"metric_evaluations.metric.id","op":"eq","value":502},'
        .. '{"field":"metric_evaluations.value","op":"eq","value":0}],"operator":"same_row"}',
        sent { filters = { operator = "same_row", conditions = { { "metric_evaluations.metric.id", "eq", 502 },
          { "metric_evaluations.value", "eq", 0 } } } })
      assert.equal('{"field":"timestamp","op":"gte","value":"2024-03-15T10:15:45Z"}',
        sent { filters = { "timestamp", "gte", 1710497745 } })
      assert.equal('{"field":"timestamp","op":"gte","value":"now-2h"}',
        sent { filters = { "timestamp", "gte", "now-2h" } })
      assert.equal('{"field":"id","op":"in","value":[]}', sent { filters = { "id", "in", {} } })
      assert.equal('{"field":"topic","op":"isnull","value":false}', sent { filters = { "topic", "isnull", false } })
    end)

    it("returns only the calls that match the conditions", function()
      local page = cekura.assert(client.calls:list { { "success", "eq", false } })
      assert.equal(1, #page.results)
      assert.equal(5181750, page.results[1].id)
      page = cekura.assert(client.calls:list { filters = { "same_row", { "metric_evaluations.metric.id", "eq", 502 },
        { "metric_evaluations.value", "eq", 0 } } })
      assert.equal(1, #page.results)
      assert.equal(5181749, page.results[1].id)
    end)

    it("raises for an invalid filter, and says what is wrong", function()
      refused("list: filter: table expected", client.calls.list, 5)
      refused("list: there is no filter agent %(did you mean agent_id%?%)$", client.calls.list, { agent = 5 })
      refused("there is no operator is %(did you mean in%?%)", client.calls.list, { { "success", "is", true } })
      refused("no value to compare", client.calls.list, { { "success", "eq" } })
      refused("got the key 4", client.calls.list, { { "success", "eq", true, 5 } })
      refused("filters%[1%]: field: string expected", client.calls.list, { { nil, "eq", true } })
      refused("a group has conditions", client.calls.list, { filters = { "and" } })
      refused("a group has conditions", client.calls.list, { filters = { operator = "or", conditions = {} } })
      refused("filters: table expected", client.calls.list, { filters = 5 })
      refused("JSON text of an object", client.calls.list, { filters_v2 = "{" })
      refused("timestamp: ", client.calls.list, { { "timestamp", "gt", 0 / 0 } })
      refused("timestamp_from: \"yesterday\" is not a date", client.calls.list, { timestamp_from = "yesterday" })
      refused("timestamp_to: .*got boolean", client.calls.list, { timestamp_to = true })
      refused("call_ids%[2%]: id expected", client.calls.list, { call_ids = { 1, {} } })
      refused("page: a whole number from 1", client.calls.list, { page = 0 })
      refused("fields: there is no field", client.calls.list, { fields = {} })
      refused("fields%[1%]: the name of a field", client.calls.list, { fields = { "id},{x" } })
      refused("fields: table expected", client.calls.list, { fields = "id" })
      refused("call_ids: there is no id in it", client.calls.list, { call_ids = {} })
      refused("each condition stands in its own table", client.calls.list, { "success", "eq", true })
      -- An optional condition can leave a hole. If the conditions after it were lost, the filter would match too much.
      refused("filters: a list expected, got a table with the key 2", client.calls.list,
        { nil, { "success", "eq", true } })
      refused("filters: a list expected, got a table with the key 3", client.calls.list,
        { { "success", "eq", true }, nil, { "duration", "gte", 60 } })
      refused("there is no option page", client.calls.list, {}, { page = 2 })
      local loop = { "and" }
      loop[2] = loop
      refused("nested too deeply, or in itself", client.calls.list, { filters = loop })
      assert.same({}, server:requests())
    end)

    it("requests only some fields, or all but some", function()
      local page = cekura.assert(client.calls:list { fields = { "id", "status" }, agent_id = 2143 })
      assert.equal("{id,status}", query_of(last_request().uri).ql)
      assert.is_nil(page.results[1].transcript)
      assert.equal("failure", page.results[1].status)
      page = cekura.assert(client.calls:list { fields = { "-metadata", "-transcript" }, agent_id = 2143 })
      assert.equal("{-metadata,-transcript}", query_of(last_request().uri).ql)
      assert.is_nil(page.results[1].metadata)
      local _, err = client.calls:list { fields = { "colour" } }
      assert.equal("invalid", err.kind)
    end)

    it("adds the client's project if the filter names no scope", function()
      client = server:renew_client { project_id = 310 }
      client.calls:list()
      assert.equal(LIST .. "?project_id=310", last_request().uri)
      client.calls:list { agent_id = 5 }
      assert.equal(LIST .. "?agent_id=5", last_request().uri)
    end)

    it("accepts an answer that is a bare list", function()
      client = server:renew_client { headers = { ["X-Simulate"] = "bare=1" } }
      local page = cekura.assert(client.calls:list())
      assert.equal(5, #page.results)
      assert.is_nil(page.next)
    end)

    it("returns protocol for an answer that is not a page", function()
      for _, body in ipairs { "{}", '{"results":5}', '{"results":[1]}', '{"results":null}', "[1]", "[", "", "5" } do
        server:script(LIST, { { body = body } })
        local page, err = client.calls:list()
        assert.is_nil(page)
        assert.equal("protocol", err.kind)
      end
      server:script(LIST, { { body = '{"results":[],"next":null,"more":{"x":[1]}}' } })
      local page = cekura.assert(client.calls:list())
      assert.same({}, page.results)
      assert.equal(1, page.more.x[1])
    end)
  end)

  describe("each()", function()
    -- Adds calls at equal distances in time from `from` to `to`; returns their ids.
    local function seed(count, from, to)
      return server:admin("POST", "call_logs/", { count = count, from = from, to = to, agent_id = 2142 }).ids
    end

    local function ids_of(filter)
      local ids, seen = {}, {}
      for call in client.calls:each(filter) do
        assert.is_nil(seen[call.id], "twice: " .. call.id)
        seen[call.id] = true
        ids[#ids + 1] = call.id
      end
      return ids
    end

    it("iterates over all pages", function()
      local now = os.time()
      local ids = seed(23, now - 20 * DAY, now - 10 * DAY)
      local found = ids_of { agent_id = 2142, page_size = 5 }
      assert.equal(23 + 3, #found)
      table.sort(found)
      assert.equal(ids[1], found[4])
      assert.equal(ids[23], found[26])
      assert.equal(6, #server:requests())
    end)

    it("divides a longer range into windows, and neither misses nor repeats a call at their limits", function()
      local now = os.time()
      local from, to = now - 100 * DAY, now - 2 * DAY
      local ids = seed(99, from, to) -- one a day, so one at `from`, at `to` and at every limit
      assert.equal(99, #ids)
      local found = ids_of { agent_id = 2142, timestamp_from = from, timestamp_to = to, page_size = 20 }
      assert.equal(99 + 1, #found) -- and sess-4
      local windows = {}
      local before
      for index, each in ipairs(server:requests()) do
        local query = query_of(each.uri)
        local window = { times.epoch(query.timestamp_from), times.epoch(query.timestamp_to) }
        assert.is_true(window[2] - window[1] <= 31 * DAY)
        if index == 1 then
          assert.equal(to, window[2])
        elseif window[2] ~= before[2] then
          -- Windows overlap, since the service does not say whether a limit is inclusive.
          assert.is_true(window[2] > before[1], "a gap")
          windows[#windows + 1] = window
        end
        before = window
      end
      assert.equal(from, before[1])
      assert.equal(3, #windows)
    end)

    it("requests a range of up to 31 days at once, with the given limits", function()
      ids_of { timestamp_from = "2026-01-01T00:00:00+02:00", timestamp_to = "2026-01-31T00:00:00Z" }
      local query = query_of(last_request().uri)
      assert.equal("2026-01-01T00:00:00+02:00", query.timestamp_from)
      assert.equal("2026-01-31T00:00:00Z", query.timestamp_to)
      assert.equal(1, #server:requests())
      refused("ends before it begins", client.calls.each, { timestamp_from = 1000, timestamp_to = 999 })
      refused("page: it iterates over all pages", client.calls.each, { page = 2 })
    end)

    it("sends no lower limit if the range names only its end", function()
      local now = os.time()
      ids_of { agent_id = 2142, timestamp_to = now - 2 * DAY }
      local query = query_of(last_request().uri)
      assert.equal(times.text(now - 2 * DAY), query.timestamp_to)
      assert.is_nil(query.timestamp_from)
    end)

    it("requests a range that begins after this clock's present", function()
      local soon = times.text(os.time() + 3600)
      assert.same({}, ids_of { timestamp_from = soon })
      assert.equal(soon, query_of(last_request().uri).timestamp_from)
    end)

    it("reads up to the present if the range names no end", function()
      local now = os.time()
      seed(3, now - 40 * DAY, now - 20 * DAY)
      assert.equal(3 + 3, #ids_of { agent_id = 2142, timestamp_from = now - 40 * DAY })
    end)

    it("yields a call only once if new calls push it to the next page", function()
      server:script(LIST, {
        { body = '{"results":[{"id":3},{"id":2}],"next":"https://elsewhere.example/x/?page=2"}' },
        { body = '{"results":[{"id":2},{"id":1}],"next":"https://elsewhere.example/x/?page=3"}' },
        { body = '{"results":[],"next":null}' },
      })
      assert.same({ 3, 2, 1 }, ids_of {})
      -- The host of `next` is ignored.
      assert.equal(LIST .. "?page=3", last_request().uri)
    end)

    it("ignores the host of a next page, and refuses one without a query, which would list all calls", function()
      for _, url in ipairs { "https://elsewhere.example/x/", "?", "/x/#y" } do
        server:script(LIST, { { body = { results = { { id = 3 } }, next = url } } })
        local calls = client.calls:each { agent_id = 5 }
        assert.equal(3, calls().id)
        assert.equal("protocol", raised_by(calls).kind)
        assert.equal(LIST .. "?agent_id=5", last_request().uri)
      end
      server:script(LIST, { { body = '{"results":[{"id":3}],"next":"/?page=2&x=a b\\r\\nX: y"}' },
        { body = '{"results":[],"next":""}' } })
      assert.same({ 3 }, ids_of { agent_id = 5 })
      assert.equal(LIST .. "?page=2&x=a%20b%0D%0AX:%20y", last_request().uri)
    end)

    it("raises if the pages form a circle", function()
      server:script(LIST, { { body = '{"results":[],"next":"?page=2"}' } })
      local calls = client.calls:each()
      local err = raised_by(calls)
      assert.equal("protocol", err.kind)
      assert.equal(err, calls.error)
      assert.equal(2, #server:requests())
      assert.equal(err, raised_by(calls))
      assert.equal(2, #server:requests())
    end)

    it("raises the error of a page after the calls of earlier pages", function()
      for kind, reply in pairs { auth = { status = 403 }, protocol = { body = "<html>" }, server = { status = 500 },
        network = { drop = true } } do
        local one_try = server:client { retries = 0 }
        server:script(LIST, { { body = '{"results":[{"id":3}],"next":"?page=2"}' }, reply })
        local calls, seen = one_try.calls:each(), {}
        local err = raised_by(function()
          for call in calls do
            seen[#seen + 1] = call.id
          end
        end)
        assert.same({ 3 }, seen)
        assert.equal(kind, err.kind)
        assert.equal(1, (tostring(err):find(("cekura: %s: GET %s?page=2: "):format(kind, LIST), 1, true)))
        assert.equal(err, raised_by(calls)) -- every further call raises, too
        assert.equal(err, calls.error)
        one_try:close()
      end
    end)

    it("raises the error of its first page, in a task and in plain code", function()
      server:script(LIST, { { status = 401 } })
      assert.equal("auth", raised_by(client.calls:each()).kind)
      local task = cekura.spawn(function()
        client.calls:each()()
      end)
      local _, err = task:join()
      assert.equal("auth", err.kind)
    end)

    it("returns the error from next()", function()
      server:script(LIST, { { body = '{"results":[{"id":3}],"next":"?page=2"}' }, { status = 403 } })
      cekura.run(function()
        local calls = client.calls:each()
        assert.equal(3, calls:next().id)
        for _ = 1, 2 do
          local call, err = calls:next()
          assert.is_nil(call)
          assert.equal("auth", err.kind)
        end
      end)
      server:script(LIST, { { body = '{"results":[],"next":null}' } })
      local calls = client.calls:each()
      for _ = 1, 2 do
        assert.same({}, { calls() })
        assert.same({}, { calls:next() })
      end
    end)

    it("repeats the page whose request raised, for example in an event handler", function()
      local turn = 0
      local watched = server:client { on_event = function(event)
        turn = turn + (event.name == "request_started" and 1 or 0)
        if event.name == "request_started" and turn % 2 == 1 then
          error("mine", 0)
        end
      end }
      local calls, count = watched.calls:each { page_size = 1 }, 0
      for _ = 1, 5 do
        assert.equal("mine", raised_by(calls))
        assert.is_not_nil(calls())
        count = count + 1
      end
      assert.is_nil(calls())
      assert.equal(5, count)
      watched:close()
    end)

    if not require "cekura.loop.yieldable" then
      it("skips no page after it raised inside pcall or a for loop, where Lua 5.1 cannot wait", function()
        cekura.run(function()
          local calls = client.calls:each { page_size = 1 }
          for _, first in pairs { calls, function() for call in calls do error(call) end end } do
            assert.truthy(raised_by(first):find "Lua 5.1 cannot wait inside pcall")
          end
          local count = 0
          while calls() do
            count = count + 1
          end
          assert.equal(5, count)
        end)
      end)
    end

    it("yields each call once if several tasks share the iterator", function()
      local calls, given = client.calls:each { page_size = 1 }, {}
      cekura.run(function()
        for _ = 1, 4 do
          cekura.spawn(function()
            local call = calls()
            while call do
              given[#given + 1] = call.id
              call = calls()
            end
          end)
        end
      end)
      table.sort(given)
      local expected = ids_of {}
      table.sort(expected)
      assert.same(expected, given)
    end)

    it("does not go back to a page that arrives late in one of several tasks", function()
      local function page(id, following)
        return { results = { { id = id } }, next = following and "?page=" .. following }
      end
      server:script(LIST, { { hold = "late", body = page(3, 2) }, { body = page(3, 2) }, { body = page(2, 3) },
        { body = page(1) } })
      cekura.run(function()
        local calls = client.calls:each()
        local late = cekura.spawn(function() return calls().id end)
        server:wait_for(LIST)
        assert.equal(3, calls().id)
        assert.equal(2, calls().id)
        server:release "late"
        assert.equal(1, late:join())
        assert.is_nil(calls())
      end)
    end)

    it("applies its timeout to each page", function()
      local patient = server:client { timeout = 600 }
      patience.before_timer(60, patience.with_enough_time, 0.2, function(seconds)
        server:script(LIST, { { body = '{"results":[{"id":3}],"next":"?page=2"}' }, { delay = 600 } })
        local calls = patient.calls:each({}, { timeout = seconds })
        local first = calls:next()
        assert.equal("timeout", select(2, calls:next()).kind)
        return first
      end)
      patient:close()
    end)

    it("is an iterator for a for loop, and lets other tasks run", function()
      if _VERSION == "Lua 5.1" and not rawget(_G, "jit") then
        return pending "PUC Lua 5.1 cannot wait in the iterator of a for"
      end
      local steps, ids = 0, {}
      cekura.run(function()
        local other = cekura.spawn(function()
          while true do
            cekura.sleep(0.001)
            steps = steps + 1
          end
        end)
        for call in client.calls:each { page_size = 1 } do
          ids[#ids + 1] = call.id
        end
        other:cancel()
      end)
      assert.equal(5, #ids)
      assert.is_true(steps > 0)
    end)

    it("adds the id to the requested fields, because it recognizes repeats by their id", function()
      ids_of { fields = { "status" } }
      assert.equal("{id,status}", query_of(last_request().uri).ql)
      ids_of { fields = { "-metadata" } }
      assert.equal("{-metadata}", query_of(last_request().uri).ql)
    end)
  end)

  describe("send()", function()
    local TURNS = { { role = "Main Agent", content = "Hello.", start_time = 0, end_time = 1.5 },
      { role = "Function Call", data = { name = "book" }, start_time = 2, end_time = 2 } }

    it("returns the record, which is evaluated later", function()
      local call = cekura.assert(client.calls:send { call_id = "new-1", agent = 2142, transcript_json = TURNS })
      assert.equal("evaluating", call.status)
      assert.is_false(call:evaluated())
      local done = cekura.assert(call:evaluation():wait { interval = 0.01 })
      assert.equal("success", done.status)
      assert.equal(call.id, done.id)
      assert.equal("Hello.", done:turns()().content)
    end)

    it("sends every parameter of the API, and lists as lists", function()
      cekura.assert(client.calls:send {
        call_id = "new-2", assistant_id = "asst_lakeside", trace_id = "0af7",
        voice_recording_url = "https://x.example/a", transcript_type = "vapi", transcript_json = {},
        reconcile_with_cekura_transcript = false,
        call_ended_reason = "customer-ended-call", customer_number = "+15550100", metadata = { vip = true },
        timestamp = 1710497745, dynamic_variables = { name = "Nora" }, feedback = "", redact_fields = {},
        metric_ids = { 501, 502 }, main_agent_channel_index = 0, logs = { { message = "hi" } },
      })
      assert.same({
        call_id = "new-2", assistant_id = "asst_lakeside", trace_id = "0af7",
        voice_recording_url = "https://x.example/a", transcript_type = "vapi", transcript_json = {},
        reconcile_with_cekura_transcript = false,
        call_ended_reason = "customer-ended-call", customer_number = "+15550100", metadata = { vip = true },
        timestamp = "2024-03-15T10:15:45Z", dynamic_variables = { name = "Nora" }, feedback = "", redact_fields = {},
        metric_ids = "501,502", main_agent_channel_index = 0, logs = { { message = "hi" } },
      }, decode(last_request().body))
      assert.truthy(last_request().body:find('"redact_fields":[]', 1, true))
      assert.truthy(last_request().body:find('"transcript_json":[]', 1, true))
      assert.equal("/observability/v1/observe/", last_request().uri)
    end)

    it("raises for a role that would make the service store an empty transcript", function()
      local function call(role, kind)
        return { call_id = "new-3", agent = 1, transcript_type = kind, transcript_json = { { role = "Main Agent" },
          { role = role, content = "Hello." } } }
      end
      refused('transcript_json%[2%]: role: "Main Agent".*, got "user"', client.calls.send, call "user")
      refused("got \"assistant\"", client.calls.send, call("assistant", "cekura"))
      refused("got nil", client.calls.send, call(nil))
      assert.same({}, server:requests())
      cekura.assert(client.calls:send(call("user", "livekit"))) -- other formats have other roles
    end)

    it("raises for a missing or invalid parameter", function()
      refused("send: call_id is missing", client.calls.send, { agent = 1 })
      refused("agent or assistant_id is missing", client.calls.send, { call_id = "x" })
      refused("agent and assistant_id exclude each other", client.calls.send,
        { call_id = "x", agent = 1, assistant_id = "a" })
      refused("there is no parameter transcript %(did you mean transcript_json%?%)", client.calls.send,
        { call_id = "x", agent = 1, transcript = "hi" })
      refused("extra: feedback is a parameter", client.calls.send,
        { call_id = "x", agent = 1, extra = { feedback = "hi" } })
      refused("here the service calls it `agent`", client.calls.send, { call_id = "x", agent_id = 1 })
      refused("timestamp: ", client.calls.send, { call_id = "x", agent = 1, timestamp = "2024-02-31T00:00:00Z" })
      refused("main_agent_channel_index: a whole number from 0 to 1", client.calls.send,
        { call_id = "x", agent = 1, main_agent_channel_index = 2 })
      refused("redact_fields%[1%]: string", client.calls.send, { call_id = "x", agent = 1, redact_fields = { 5 } })
      refused("send: params: table expected", client.calls.send, nil)
    end)

    it("sends the bytes of a recording in a form", function()
      local bytes = "RIFF\0\1\2\255--cekura-\r\n"
      local call = cekura.assert(client.calls:send { call_id = "new-4", agent = 2142, transcript_json = TURNS,
        redact_fields = {}, metadata = { vip = true },
        voice_recording = { data = bytes, name = 'a"b.wav', content_type = "audio/wav" } })
      assert.equal("new-4", call.call_id)
      local sent = last_request()
      assert.truthy(sent.headers["content-type"]:find "^multipart/form%-data; boundary=cekura%-%x+$")
      assert.equal(#bytes, server:admin("GET", "memory/").recordings[1].size)
      assert.truthy(sent.body:find('name="agent"\r\n\r\n2142\r\n', 1, true))
      assert.truthy(sent.body:find('name="metadata"\r\n\r\n{"vip":true}\r\n', 1, true))
      assert.truthy(sent.body:find('filename="a%22b.wav"', 1, true))
      -- Bytes that would end a header line or a part are escaped.
      local hostile = "x\r\nX-Evil: 1"
      cekura.assert(client.calls:send { call_id = "new-6", agent = 2142, feedback = cekura.null,
        voice_recording = { data = "", name = hostile, content_type = hostile } })
      assert.is_nil(last_request().body:find("\nX-Evil", 1, true))
      assert.is_nil(last_request().body:find('name="feedback"', 1, true))
      refused("voice_recording: there is no option content_tpye %(did you mean content_type%?%)", client.calls.send,
        { call_id = "x", agent = 1, voice_recording = { data = "", content_tpye = "audio/wav" } })
      refused("voice_recording.data: string", client.calls.send, { call_id = "x", agent = 1, voice_recording = {} })
      refused("voice_recording: string", client.calls.send, { call_id = "x", agent = 1, voice_recording = 5 })
    end)

    it("always names the file in the form, because the service ignores a part without a file name", function()
      local names = { ["a.wav"] = "a.wav", ["/tmp/b.wav"] = "b.wav", ["c:\\d.wav"] = "d.wav", [".e"] = ".e",
        ["..."] = "...", [" "] = " ", [""] = "recording", ["."] = "recording", [".."] = "recording",
        ["f/"] = "recording", ["g\\"] = "recording", ["h/.."] = "recording" }
      for name, sent in pairs(names) do
        cekura.assert(client.calls:send { call_id = "new-11", agent = 2142,
          voice_recording = { data = "x", name = name } })
        assert.truthy(last_request().body:find(('filename="%s"\r\n'):format(sent), 1, true), name)
      end
    end)

    -- The values of all fields of that name in the form.
    local function form_values(name)
      local values = {}
      for value in last_request().body:gmatch(('name="%s"\r\n\r\n(.-)\r\n%%-%%-'):format(name)) do
        values[#values + 1] = value
      end
      return values
    end

    it("sends each value of a list as a separate field of a form, and nested values as JSON text", function()
      local recording = { data = "x" }
      server:script("/observability/v1/observe/", { { status = 201, body = { id = 1 } } })
      cekura.assert(client.calls:send { call_id = "new-8", agent = 2142, redact_fields = { "person_name", "age" },
        transcript_json = { 1, "two" }, transcript_type = "vapi", logs = { { message = "hi" } }, metric_ids = { 5, 6 },
        reconcile_with_cekura_transcript = true, metadata = "plain", dynamic_variables = '{"name":"Nora"}',
        voice_recording = recording, extra = { flags = { true, 2.5, "x" }, nested = { { 1 }, 2 }, one = { a = 1 } } })
      assert.same({ "person_name", "age" }, form_values "redact_fields")
      assert.same({ '[1,"two"]' }, form_values "transcript_json") -- its type is free, so it is one value
      assert.same({ '[{"message":"hi"}]' }, form_values "logs")
      assert.same({ "5,6" }, form_values "metric_ids")
      assert.same({ "true" }, form_values "reconcile_with_cekura_transcript")
      assert.same({ '"plain"' }, form_values "metadata")
      assert.same({ '{"name":"Nora"}' }, form_values "dynamic_variables")
      assert.same({ "true", "2.5", "x" }, form_values "flags")
      assert.same({ "[[1],2]" }, form_values "nested")
      assert.same({ '{"a":1}' }, form_values "one")
      cekura.assert(client.calls:send { call_id = "new-9", agent = 2142, redact_fields = { "age" },
        voice_recording = recording, feedback = "a\0" .. ("b"):rep(10) .. "c" })
      assert.same({ "age" }, form_values "redact_fields")
      assert.same({ "a\0" .. ("b"):rep(10) .. "c" }, form_values "feedback")
      cekura.assert(client.calls:send { call_id = "new-9", agent = 2142, redact_fields = {},
        voice_recording = recording })
      assert.same({}, form_values "redact_fields")
    end)

    describe("with the path of a recording", function()
      local dir

      before_each(function()
        dir = shell "mktemp -d":gsub("%s", "")
      end)

      after_each(function()
        shell("rm -rf " .. dir)
      end)

      local function send(recording, with)
        return (with or client).calls:send { call_id = "new-10", agent = 2142, voice_recording = recording }
      end

      it("sends the bytes of the file", function()
        for index, bytes in ipairs { "", "RIFF\0\1\255\r\n--", ("0123456789abcdef"):rep(20000) } do
          file.write(dir .. "/a call.wav", bytes)
          cekura.assert(send(dir .. "/a call.wav"))
          local stored = server:admin("GET", "memory/").recordings[index]
          assert.equal(#bytes, stored.size)
          assert.equal("a call.wav", stored.filename)
        end
        shell(("ln -s 'a call.wav' %s/link"):format(dir))
        cekura.assert(send(dir .. "/link"))
      end)

      it("sends a URL unchanged, and takes only http and https URLs for one", function()
        for _, url in ipairs { "http://x.example/a.wav", "https://x.example/a.wav", "https://" } do
          cekura.assert(send(url))
          assert.equal(url, decode(last_request().body).voice_recording)
        end
        for _, path in ipairs { "ftp://x.example/a.wav", "HTTPS//x", "file:///etc/hostname", "httpx://a", "http:/x" } do
          local call, err = send(path)
          assert.is_nil(call)
          assert.equal("config", err.kind)
        end
      end)

      it("returns config for a file that cannot be read, and sends nothing", function()
        shell(("cd %s && mkfifo fifo && mkdir folder && ln -s nowhere dangling && ln -s loop loop"):format(dir))
        for path, fault in pairs { [dir .. "/nowhere.wav"] = "No such file", [dir .. "/fifo"] = "not a regular",
          [dir .. "/folder"] = "not a regular", [dir .. "/dangling"] = "No such file", [dir .. "/loop"] = "symbolic",
          ["/dev/zero"] = "not a regular", [""] = "No such file", ["/etc/hostname\0.wav"] = "NUL",
          [dir .. "/fifo/x"] = "Not a directory", [("x"):rep(5000)] = "too long" } do
          local call, err = send(path)
          assert.is_nil(call)
          assert.equal("config", err.kind, path)
          assert.is_false(err.sent)
          assert.truthy(tostring(err):find(fault, 1, true), tostring(err))
        end
        assert.same({}, server:requests())
      end)

      it("returns config if the file grows or shrinks while it is sent", function()
        for _, change in ipairs { "printf more >> %s", "printf x > %s", ": > %s" } do
          local path = dir .. "/growing.wav"
          file.write(path, "RIFF begin")
          local writing = server:client { on_event = function(event)
            if event.name == "request_started" then
              shell(change:format(path))
            end
          end }
          local call, err = send(path, writing)
          assert.is_nil(call)
          assert.equal("config", err.kind)
          assert.is_true(err.sent)
          assert.truthy(tostring(err):find("size has changed", 1, true))
          assert.equal(201, err.response.status)
          assert.is_nil(err.cause)
          writing:close()
        end
      end)

      it("keeps another error as the cause if the file has changed as well", function()
        local path = dir .. "/growing.wav"
        file.write(path, "RIFF begin")
        local writing = server:client { base_url = "http://127.0.0.1:1", on_event = function(event)
          if event.name == "request_started" then
            shell("printf more >> " .. path)
          end
        end }
        local call, err = send(path, writing)
        assert.is_nil(call)
        assert.equal("config", err.kind)
        assert.is_false(err.sent)
        assert.equal("network", err.cause.kind)
        writing:close()
      end)
    end)

    it("sends null for parameters that may be null", function()
      cekura.assert(client.calls:send { call_id = "new-7", agent = 2142, feedback = cekura.null,
        voice_recording = cekura.null, customer_number = cekura.null, main_agent_channel_index = cekura.null })
      assert.equal('{"agent":2142,"call_id":"new-7","customer_number":null,"feedback":null,'
        .. '"main_agent_channel_index":null,"voice_recording":null}', last_request().body)
      refused("call_id: string expected, got userdata", client.calls.send, { call_id = cekura.null, agent = 1 })
    end)

    it("is not retried after a dropped connection", function()
      server:script("/observability/v1/observe/", { { drop = true } })
      local call, err = client.calls:send { call_id = "new-5", agent = 1 }
      assert.is_nil(call)
      assert.equal("unknown_outcome", err.kind)
      assert.equal(1, #server:requests())
    end)
  end)

  describe("send_raw()", function()
    it("sends the body of a provider's webhook", function()
      for _, provider in ipairs { "vapi", "retell", "livekit", "pipecat" } do
        local reply = cekura.assert(client.calls:send_raw(provider, '{"message": {}}'))
        assert.equal(200, reply.status)
        assert.equal("/observability/v1/" .. provider .. "/observe/", last_request().uri)
        assert.equal('{"message": {}}', last_request().body)
      end
      cekura.assert(client.calls:send_raw("vapi", { type = "end" }, { agent_id = 2142 }))
      assert.equal("/observability/v1/vapi/observe/?agent_id=2142", last_request().uri)
      assert.equal('{"type":"end"}', last_request().body)
      cekura.assert(client.calls:send_raw("retell", "{}", { headers = { ["X-Retell-Signature"] = "v=1,d=5" } }))
      assert.equal("v=1,d=5", last_request().headers["x-retell-signature"])
      assert.equal("application/json", last_request().headers["content-type"])
      cekura.assert(client.calls:send_raw("retell", "{}", { headers = { ["CONTENT-TYPE"] = "text/plain" } }))
      assert.equal("text/plain", last_request().headers["content-type"])
      server:script("/observability/v1/retell/observe/", { { delay = 30 } })
      assert.equal("unknown_outcome", select(2, client.calls:send_raw("retell", "{}", { timeout = 0.05 })).kind)
      refused("timeout: ", client.calls.send_raw, "retell", "{}", { timeout = -1 })
      refused("provider: vapi, retell", client.calls.send_raw, "twilio", "{}")
      refused("body: string expected", client.calls.send_raw, "vapi", 5)
      refused("there is no option agent %(did you mean agent_id%?%)$",
        client.calls.send_raw, "vapi", "{}", { agent = 5 })
    end)

    it("passes on headers unchanged, beside the client's headers", function()
      client = server:renew_client { headers = { ["X-Mine"] = "1", ["X-Other"] = "2" } }
      cekura.assert(client.calls:send_raw("retell", "{}", { headers = { ["x-retell-signature"] = " v=1, d=\t5 ",
        ["X-Empty"] = "", ["X-Number"] = 5, ["x-mine"] = "another", Accept = "text/plain" } }))
      local headers = last_request().headers
      assert.equal("v=1, d=\t5", headers["x-retell-signature"]:match "^%s*(.-)%s*$")
      assert.same({ "", "5", "another", "2", "text/plain" }, { headers["x-empty"], headers["x-number"],
        headers["x-mine"], headers["x-other"], headers.accept })
      assert.equal(server.key, headers["x-cekura-api-key"])
    end)

    it("raises for headers that the caller may not set, and for invalid ones", function()
      local function passing(headers)
        return function(of)
          return of.send_raw(of, "retell", "{}", { headers = headers })
        end
      end
      -- WSGI servers, such as that of the service's framework, read "_" in a header name as "-".
      for _, name in ipairs { "X-CEKURA-API-KEY", "x-cekura-api-key", "X_CEKURA_API_KEY", "x-Cekura_Api-Key", "Host",
        "Content-Length", "Transfer-Encoding", "transfer_encoding", "Connection", "User-Agent" } do
        refused("headers: " .. name:gsub("%p", "%%%0") .. " cannot be set here", passing { [name] = "x" })
      end
      for _, value in ipairs { "a\r\nX-CEKURA-API-KEY: b", "a\n b", "a\rb", "a\0b" } do
        refused("headers: the value of X%-A has a CR, LF or NUL", passing { ["X-A"] = value })
        refused("headers: a header name expected", passing { [value] = "x" })
      end
      -- nginx gives a list for a repeated header, HAProxy for every header.
      for _, value in ipairs { { "a", "b" }, { [0] = "a" }, true, print } do
        refused("headers: X%-A: string expected, got " .. type(value), passing { ["X-A"] = value })
      end
      refused("headers: table expected", passing "X-A: 1")
      refused("headers: the name of a header: string expected, got number", passing { "X-A: 1" })
      refused("a header name expected", passing { [""] = "x" })
      assert.same({}, server:requests())
    end)
  end)

  describe("update()", function()
    it("changes a record, and returns its new state", function()
      local call = cekura.assert(client.calls:update(5181749,
        { seconds = 95, feedback = "", metadata = { vip = true } }))
      assert.equal("01:35", call.duration)
      assert.is_true(call.metadata.vip)
      local sent = last_request()
      assert.equal("PATCH", sent.method)
      assert.equal(LIST .. "5181749/", sent.uri)
      assert.equal(95 / 60, decode(sent.body).duration)
    end)

    it("sends the duration in minutes, as the service expects, in whatever form it is given", function()
      local function sent(changes)
        cekura.assert(client.calls:update(5181749, changes))
        return decode(last_request().body).duration
      end
      assert.equal(1.5, sent { seconds = 90 })
      assert.equal(1.5, sent { duration = "01:30" })
      assert.equal(61.5, sent { duration = "1:01:30" })
      assert.equal(1.5, sent { duration = 1.5 }) -- the API's unit is minutes
      assert.equal(0, sent { seconds = 0 })
    end)

    it("raises for an invalid change", function()
      local update = client.calls.update
      refused("exclude each other", update, 1, { seconds = 5, duration = 1 })
      refused('update: "90" is not a duration', update, 1, { duration = "90" })
      refused("seconds .of the call.: a number of at least 0", update, 1, { seconds = -1 })
      refused("seconds", update, 1, { seconds = "90" })
      refused("duration", update, 1, { duration = 0 / 0 })
      refused("duration", update, 1, { duration = {} })
      refused("there is no change", update, 1, {})
      refused("update: params: table expected", update, 1, nil)
      refused("id: id expected", update, nil, { seconds = 1 })
      refused("metadata: table expected", update, 1, { metadata = "x" })
      refused('got "user"', update, 1, { transcript_type = "cekura", transcript_json = { { role = "user" } } })
      assert.same({}, server:requests())
    end)

    it("returns the service's errors", function()
      local call, err = client.calls:update(5181749, { extra = { colour = "red" } })
      assert.is_nil(call)
      assert.equal("invalid", err.kind)
      assert.truthy(err.fields.colour)
      assert.equal("not_found", select(2, client.calls:update(1, { seconds = 1 })).kind)
      refused("update: there is no parameter colour %(did you mean", client.calls.update, 1, { colour = "red" })
      refused("did you mean metadata", client.calls.update, 1, { meta_data = {} })
      refused("extra: seconds is a parameter", client.calls.update, 1, { extra = { seconds = 5 } })
    end)

    it("can have the call reevaluated", function()
      local call = cekura.assert(client.calls:update(5181749, { reevaluate_metrics = true }))
      assert.is_false(call:evaluated())
      assert.is_true(cekura.assert(call:evaluation():wait { interval = 0.01 }):evaluated())
    end)
  end)

  describe("delete()", function()
    it("deletes a record", function()
      assert.is_true(cekura.assert(client.calls:delete(5181749)))
      assert.equal(LIST .. "5181749/", last_request().uri)
      assert.is_true(cekura.assert(client.calls:delete(5181750, { retain_evaluations = true })))
      assert.equal(LIST .. "5181750/?retain_evaluations=true", last_request().uri)
      local ok, err = client.calls:delete(5181749)
      assert.is_nil(ok)
      assert.equal("not_found", err.kind)
      refused("there is no option retain", client.calls.delete, 1, { retain = true })
      refused("retain_evaluations: boolean", client.calls.delete, 1, { retain_evaluations = "yes" })
    end)
  end)

  describe("evaluate_metrics()", function()
    it("returns the records before their evaluation, and their evaluation() waits for the new one", function()
      local calls = cekura.assert(client.calls:evaluate_metrics { call_logs = { 5181749, 5181750 }, metrics = { 501 },
        agent_id = 2142 })
      assert.equal('{"agent_id":2142,"call_logs":[5181749,5181750],"metrics":[501]}', last_request().body)
      assert.equal(2, #calls)
      assert.is_true(calls[1]:evaluated())
      local job = calls[1]:evaluation()
      local call = cekura.assert(job:wait { interval = 0.01 })
      assert.is_true(call:time "updated_at" > calls[1]:time "updated_at")
      assert.is_true(job.polls > 1)
    end)

    it("returns the service's reason for refusing a call that is being evaluated", function()
      local calls, err = client.calls:evaluate_metrics { call_logs = { 5181751 }, metrics = { 501 },
        project_id = 310 }
      assert.is_nil(calls)
      assert.equal("invalid", err.kind)
      assert.truthy(err.message:find "still being evaluated")
    end)

    it("needs either an agent or a project, which may be the client's", function()
      refused("agent_id or project_id is missing", client.calls.evaluate_metrics,
        { call_logs = { 1 }, metrics = { 2 } })
      refused("exclude each other", client.calls.evaluate_metrics,
        { call_logs = { 1 }, metrics = { 2 }, agent_id = 1, project_id = 2 })
      refused("metrics is missing", client.calls.evaluate_metrics, { call_logs = { 1 }, agent_id = 1 })
      refused("metrics: there is no id in it", client.calls.evaluate_metrics,
        { call_logs = { 1 }, metrics = {}, agent_id = 1 })
      refused("call_logs: there is no id in it", client.calls.evaluate_metrics,
        { call_logs = {}, metrics = { 2 }, agent_id = 1 })
      refused("did you mean metrics", client.calls.evaluate_metrics, { call_logs = { 1 }, metric = { 2 } })
      client = server:renew_client { project_id = 310 }
      cekura.assert(client.calls:evaluate_metrics { call_logs = { 5181749 }, metrics = { 501 } })
      assert.equal(310, decode(last_request().body).project_id)
      cekura.assert(client.calls:evaluate_metrics { call_logs = { 5181749 }, metrics = { 501 }, agent_id = 2142 })
      assert.is_nil(decode(last_request().body).project_id)
    end)

    it("returns protocol for an answer without records", function()
      server:script("/observability/v2/call-logs/evaluate_metrics/", { { body = "{}" } })
      local calls, err = client.calls:evaluate_metrics { call_logs = { 1 }, metrics = { 1 }, agent_id = 1 }
      assert.is_nil(calls)
      assert.equal("protocol", err.kind)
    end)
  end)

  describe("call:evaluation()", function()
    it("of a record with only some of its fields ends only with a newer evaluation", function()
      for _, fields in ipairs { { "id", "status" }, { "id", "status", "metrics" }, { "id", "status", "success" },
        { "id", "status", "updated_at" } } do
        local row = cekura.assert(client.calls:list { fields = fields, call_ids = { 5181749 } }).results[1]
        local before = cekura.assert(client.calls:get(5181749))
        assert.is_true(row:evaluated())
        local _, err = row:evaluation():wait { interval = 0.01, timeout = 0.1 }
        assert.equal("timeout", err.kind)
        cekura.assert(client.calls:evaluate_metrics { call_logs = { 5181749 }, metrics = { 501 }, agent_id = 2142 })
        local job = row:evaluation()
        local call = cekura.assert(job:wait { interval = 0.01, timeout = 60 })
        assert.is_true(call:time "updated_at" > before:time "updated_at")
      end
    end)

    it("compares list values of metrics by their content", function()
      local text = '{"id":7,"status":"success","evaluation":{"metrics":[{"id":1,"value":["a","b"]}]}}'
      server:script(LIST .. "7/", { { body = text } })
      local _, err = cekura.assert(client.calls:get(7)):evaluation():wait { interval = 0.01, timeout = 0.1 }
      assert.equal("timeout", err.kind)
    end)

    it("returns protocol for a record without an id", function()
      for _, text in ipairs { "{}", '{"id":""}', '{"id":null}', '{"id":{}}' } do
        server:script(LIST .. "7/", { { body = text } })
        local job, err = cekura.assert(client.calls:get(7)):evaluation()
        assert.is_nil(job)
        assert.equal("protocol", err.kind)
      end
    end)
  end)

  describe("rerun_evaluation()", function()
    it("returns the records, whose evaluation ends only with a newer one", function()
      local before = cekura.assert(client.calls:get(5181749))
      local calls = cekura.assert(client.calls:rerun_evaluation { call_logs = { 5181749 }, agent_id = 2142 })
      -- The service removes the verdict and keeps the status.
      assert.equal("success", calls[1].status)
      assert.is_nil(calls[1].success)
      for _, job in ipairs { calls[1]:evaluation(), before:evaluation() } do
        local token = job:token()
        local call = cekura.assert(cekura.assert(client:resume(token)):wait { interval = 0.01 })
        assert.is_true(call.success)
        assert.is_true(call:time "updated_at" > calls[1]:time "updated_at")
      end
      local _, err = cekura.assert(client.calls:get(5181749)):evaluation():wait { interval = 0.01, timeout = 0.1 }
      assert.equal("timeout", err.kind)
    end)

    it("takes all calls of an agent", function()
      cekura.assert(client.calls:rerun_evaluation { call_logs = "all", assistant_id = "asst_harbour" })
      assert.equal('{"assistant_id":"asst_harbour","call_logs":"all"}', last_request().body)
      refused("call_logs: a list of ids or \"all\"", client.calls.rerun_evaluation, { call_logs = 5, agent_id = 1 })
      refused("call_logs is missing", client.calls.rerun_evaluation, { agent_id = 1 })
      refused("agent_id or assistant_id is missing", client.calls.rerun_evaluation, { call_logs = { 1 } })
    end)
  end)

  describe("mark_metric_vote()", function()
    it("sends required parameters, and null for those that are not given", function()
      local answer = cekura.assert(client.calls:mark_metric_vote(5181749, { metric_id = 502, thumbs_up = false }))
      assert.equal("string", type(answer.detail))
      assert.equal("/observability/v2/call-logs/5181749/mark_metric_vote/", last_request().uri)
      assert.equal('{"expected_value":null,"metric_id":502,"thumbs_up":false}', last_request().body)
      cekura.assert(client.calls:mark_metric_vote(5181749, { metric_id = 502, expected_value = 5, feedback = "no" }))
      assert.equal('{"expected_value":5,"feedback":"no","metric_id":502,"thumbs_up":null}', last_request().body)
      refused("metric_id is missing", client.calls.mark_metric_vote, 1, {})
      refused("thumbs_up: boolean", client.calls.mark_metric_vote, 1, { metric_id = 1, thumbs_up = "yes" })
    end)
  end)

  describe("trace() and logs()", function()
    it("return further data about a call", function()
      assert.equal("string", type(cekura.assert(client.calls:trace(5181749)).trace_id))
      assert.equal("/observability/v1/call-logs/5181749/trace/", last_request().uri)
      assert.equal("table", type(cekura.assert(client.calls:logs(5181749)).entries))
      local trace, err = client.calls:trace(5181750)
      assert.is_nil(trace)
      assert.equal("not_found", err.kind)
      server:script("/observability/v1/call-logs/1/trace/", { { body = "5" } })
      assert.equal("protocol", select(2, client.calls:trace(1)).kind)
    end)
  end)
end)

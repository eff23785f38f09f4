-- cekura.watch with odd answers: a few of them do not cost an improvement that has been paid for.

local kinds = require "cekura.api.kinds"
local file = require "spec.support.file"
local watching = require "spec.support.watching"

local LIST, START, PROGRESS, FIRST = watching.LIST, watching.START, watching.PROGRESS, watching.FIRST

local PAGE, LOCKED = { body = "<html>" }, { status = 423, body = { detail = "Locked." } }
local DONE = { body = { status = "completed", output = { improved_prompt = "P" } } }

describe("a watch that gets odd answers", function()
  local w = watching.during(setup, teardown, before_each, after_each)
  local server = w.server
  local agent, declare, eventually, living = w.agent, w.declare, w.eventually, w.living
  local requests, await_scans, stop = w.requests, w.await_scans, w.stop
  local counted, has_recorded = w.counted, w.has_recorded

  local interval = kinds["calls.improve_prompt"].interval

  setup(function()
    kinds["calls.improve_prompt"].interval = 0.02
  end)

  teardown(function()
    kinds["calls.improve_prompt"].interval = interval
  end)

  -- Declares a watch that improves one prompt.
  local function declare_one(changes, client, store)
    local given = agent { improve = true, filter = FIRST }
    for name, value in pairs(changes or {}) do
      given[name] = value
    end
    return declare { client = client or living(), store = store, agents = { given } }
  end

  local function kept_token(store)
    return (file.read(store) or ""):match '"token":"([^"]+)"'
  end

  for name, replies in pairs {
    ["pages of HTML"] = { PAGE, PAGE, PAGE, PAGE, PAGE, PAGE, PAGE },
    ["answers of 423"] = { LOCKED, LOCKED, LOCKED, LOCKED },
    ["odd answers and failures"] = { PAGE, LOCKED, { status = 503 }, { status = 409 }, { status = 408 },
      { body = "" } },
    ["success without output"] = { { body = { status = "completed" } }, { body = { status = "completed" } } },
    ["refusals"] = { { status = 400, body = { progress_id = { "Unknown." } } }, { status = 400 } },
  } do
    it("polls a job again after " .. name, function()
      replies[#replies + 1] = DONE
      server:script(PROGRESS, replies)
      declare_one(nil, living(nil, { retries = 1 }))
      eventually("improved", has_recorded "improved 5181749")
      assert.equal(1, #requests("POST", START))
      assert.equal(#replies, #requests("GET", PROGRESS))
      assert.same({}, w.problems)
    end)
  end

  it("gives a job up after polls at growing intervals, and keeps its token for the next watch", function()
    local store, failure = w.folder .. "/kept", nil
    server:script(PROGRESS, { PAGE })
    local watch = declare_one({ timeout = 6, on_failed = function(err)
      failure = err
      w.recorded[#w.recorded + 1] = "failed " .. kept_token(store)
    end }, living(nil, { retries = 0 }), store)
    eventually("failed", function() return failure end)
    assert.equal("protocol", failure.kind)
    assert.equal(failure.job:token(), kept_token(store))
    local polls = #requests("GET", PROGRESS)
    assert.is_true(polls >= 2 and polls <= 7, polls) -- after pauses of 0.05, 0.1, 0.2, 0.4, 0.8 and 1.6 s
    await_scans()
    assert.equal(polls, #requests("GET", PROGRESS))
    assert.same({ running = 0, waiting = 0 }, { running = watch:status().entries["agent 2142"].running,
      waiting = watch:status().entries["agent 2142"].waiting })
    stop(watch)
    assert.equal(failure.job:token(), kept_token(store))
    server:script(PROGRESS, { PAGE, DONE })
    watch = declare_one({ on_failed = function() error "again" end }, nil, store)
    eventually("improved", has_recorded "improved 5181749")
    eventually("forgotten", function() return not kept_token(store) end)
    assert.equal(1, watch:status().improved)
    assert.equal(1, #requests("POST", START))
    assert.same({}, w.problems)
  end)

  it("reports only once that it gave a job up, and forgets the job when the service has", function()
    local store, failures = w.folder .. "/kept", {}
    local function note(err)
      failures[#failures + 1] = err.kind
    end
    local watch = declare_one({ timeout = 0.2, on_failed = note }, living "life=endless", store)
    eventually("failed", function() return failures[1] end)
    stop(watch)
    assert.truthy(kept_token(store))
    server:script(PROGRESS, { { status = 404 } })
    declare_one({ on_failed = note }, nil, store)
    eventually("forgotten", function() return not kept_token(store) end)
    await_scans()
    assert.same({ "timeout" }, failures)
    assert.same({}, w.problems)
  end)

  it("does not count a job that it gave up as running", function()
    server:script(PROGRESS, { { body = { status = "processing" } } })
    local failed = 0
    declare { limits = { jobs = 1 }, agents = { agent { improve = true, timeout = 0.2, on_failed = function()
      failed = failed + 1
      server:script(PROGRESS, { DONE })
    end } } }
    eventually("the other", function() return #requests("POST", START) == 2 end)
    eventually("improved", function() return counted()["improved 5181749"] or counted()["improved 5181752"] end)
    assert.equal(1, failed)
  end)

  it("keeps the newest hundred of the jobs that it gave up", function()
    local state = require("cekura.watch.state").new "https://api.example"
    state:add_entry "agents[1]"
    for id = 1, 250 do
      local item = state:record_call("agents[1]", tostring(id), true)
      if id % 2 == 0 then
        state:give_up(item)
      end
    end
    local given_up = {}
    for _, item in ipairs(state.improvements) do
      if item.given_up then
        given_up[#given_up + 1] = item.call
      end
    end
    assert.equal(225, #state.improvements)
    assert.equal(100, #given_up)
    assert.equal("52", given_up[1])
    assert.equal("250", given_up[100])
  end)

  it("never repeats a start that may have arrived", function()
    for _, reply in ipairs { PAGE, LOCKED, { status = 408 }, { status = 409 }, { status = 425 }, { body = "" },
      { body = "null" }, { body = "[]" }, { body = { progress_id = "p" }, cut = 5 }, { status = 302 } } do
      server:reset()
      w.recorded = {}
      server:script(START, { reply, { pass = true } })
      local watch = declare_one()
      eventually("failed", has_recorded "failed 5181749")
      await_scans()
      assert.equal(1, #requests("POST", START))
      stop(watch)
    end
  end)

  it("handles a call once, when its record makes sense", function()
    for _, reply in ipairs { PAGE, LOCKED, { status = 409 }, { body = "[]" }, { body = '{"id":5181', cut = 5 } } do
      server:reset()
      w.recorded = {}
      server:script(LIST .. "5181752/", { reply, reply, reply, { pass = true } })
      local watch = declare { client = living(nil, { retries = 0 }),
        agents = { agent { filter = { "call_id", "eq", "sess-4" } } } } -- a call of three days ago
      eventually("evaluated", has_recorded "evaluated 5181752")
      await_scans()
      assert.same({ ["evaluated 5181752"] = 1 }, counted())
      stop(watch)
    end
    assert.same({}, w.problems)
  end)

  it("gives up a record that never makes sense, reports it once, and handles other calls meanwhile", function()
    server:script(LIST .. "5181749/", { PAGE })
    declare { agents = { agent() } }
    eventually("the other", has_recorded "evaluated 5181752")
    eventually("a problem", function() return w.problems[1] end)
    assert.equal("protocol", w.problems[1].kind)
    assert.equal(7, #requests("GET", LIST .. "5181749/")) -- at scans 0, 1, 2, 4, 8, 16 and 32
    await_scans()
    assert.equal(7, #requests("GET", LIST .. "5181749/"))
    assert.equal(1, #w.problems)
    assert.same({ ["evaluated 5181752"] = 1 }, counted())
  end)

  it("handles other calls beside a record that never makes sense, even with limits.calls = 1", function()
    server:script(LIST .. "5181752/", { PAGE }) -- the oldest
    declare { limits = { calls = 1 }, agents = { agent() } }
    eventually("the other, or a problem", function() return w.recorded[1] or w.problems[1] end)
    assert.same({}, w.problems)
    assert.same({ ["evaluated 5181749"] = 1 }, counted())
    eventually("a problem", function() return w.problems[1] end)
    assert.equal(7, #requests("GET", LIST .. "5181752/"))
  end)

  it("scans again at the usual pace after a single refusal of the list", function()
    server:script(LIST, { { status = 409 }, { pass = true } })
    declare { agents = { agent() }, calls = { { id = 5181751 } } } -- the second entry measures the pace
    eventually("a second scan", function() return #requests("GET", LIST) >= 2 end)
    local lists, looks = 0, 0
    for _, request in ipairs(server:requests()) do
      lists = lists + (request.path == LIST and 1 or 0)
      looks = looks + (lists < 2 and request.path == LIST .. "5181751/" and 1 or 0)
    end
    assert.is_true(looks <= 5, looks) -- a slower pace would allow ten
  end)

  it("has the record for its handlers after a restart, even if it made no sense at first", function()
    local store, text = w.folder .. "/kept", nil
    local watch = declare_one(nil, living "life=endless", store)
    eventually("a token", function() return kept_token(store) end)
    stop(watch)
    server:script(PROGRESS, { DONE })
    server:script(LIST .. "5181749/", { PAGE, { pass = true } })
    declare_one({ on_improved = function(_, call)
      text = call.call_id
    end }, nil, store)
    eventually("improved", function() return text end)
    assert.equal("sess-1", text)
  end)
end)

-- The state of a watch after a restart, a kill or a fault of its store.

local cekura = require "cekura"
local file = require "spec.support.file"
local shell = require "spec.support.shell"
local watching = require "spec.support.watching"

local lua = os.getenv "CEKURA_LUA" or "lua5.4"

local START, PROGRESS = watching.START, watching.PROGRESS
local LONG_AGO, FIRST = watching.LONG_AGO, watching.FIRST

describe("a watch with a store", function()
  local w = watching.during(setup, teardown, before_each, after_each)
  local server = w.server
  local agent, entry, declare, eventually, living = w.agent, w.entry, w.declare, w.eventually, w.living
  local requests, await_scans, stop, made = w.requests, w.await_scans, w.stop, w.made
  local counted, has_recorded = w.counted, w.has_recorded
  local shared = watching.shared

  -- ---- restarts ----

  for what, open in pairs {
    ["a file"] = function() return w.folder .. "/kept" end,
    ["shared memory"] = function() return shared(true) end,
    ["shared memory with leases"] = function() return shared() end,
  } do
    it("handles each call once across restarts, with " .. what, function()
      local store = open()
      local function given()
        return { store = store, agents = { agent() }, calls = { entry { id = 5181750 } } }
      end
      local watch = declare(given())
      eventually("three", function() return #w.recorded == 3 end)
      stop(watch)
      server:admin("POST", "call_logs/", { count = 2 })
      watch = declare(given())
      eventually("five", function() return #w.recorded == 5 end)
      await_scans()
      stop(watch)
      local longer = given()
      longer.agents[1].lookback, longer.agents[1].since = LONG_AGO, 0
      declare(longer)
      await_scans()
      local counts = counted()
      for line, count in pairs(counts) do
        assert.equal(1, count, line)
      end
      assert.truthy(counts["evaluated 5181750"] and counts["evaluated 6000001"] and counts["evaluated 6000002"])
      assert.same({}, w.problems)
    end)

    it("resumes the improvements that ran when it stopped, with " .. what, function()
      local store = open()
      local function given()
        return { client = living "seconds=1", store = store, agents = { agent { improve = true } } }
      end
      local watch = declare(given())
      eventually("two run", function() return made() == 2 end)
      stop(watch)
      assert.same({ "evaluated 5181752", "evaluated 5181749" }, w.recorded)
      watch = declare(given())
      eventually("improved", function() return #w.recorded == 4 end)
      await_scans()
      assert.equal(1, counted()["improved 5181749"])
      assert.equal(1, counted()["improved 5181752"])
      assert.equal(0, watch:status().started)
      assert.equal(2, made())
      assert.same({}, w.problems)
    end)
  end

  it("keeps the token of an improvement that starts while the watch stops", function()
    server:script(START, { { delay = 0.6, body = { progress_id = "p-1" } } })
    server:script(PROGRESS, { { body = { status = "completed", output = { improved_prompt = "New." } } } })
    local function given()
      return { store = w.folder .. "/kept", agents = { agent { improve = true,
        filter = FIRST } } }
    end
    local watch = declare(given())
    eventually("a start is sent", function() return #requests("POST", START) == 1 end)
    watch:stop()
    local second = declare(given()) -- waits until the first has ended
    watch:wait()
    eventually("improved", has_recorded "improved 5181749")
    assert.equal(0, second:status().started)
    assert.equal(1, #requests("POST", START))
    assert.same({}, w.problems)
  end)

  it("waits for a busy handler when it stops, and does not call it again", function()
    local given = function()
      return { store = w.folder .. "/kept", agents = { agent { filter = FIRST,
        on_evaluated = function(call)
          w.record("begun " .. call.id)
          cekura.sleep(0.2)
          w.record("ended " .. call.id)
        end } } }
    end
    local watch = declare(given())
    eventually("begun", has_recorded "begun 5181749")
    stop(watch)
    assert.same({ "begun 5181749", "ended 5181749" }, w.recorded)
    declare(given())
    await_scans()
    assert.equal(2, #w.recorded)
  end)

  describe("after a kill of its process", function()
    local pid

    after_each(function()
      if pid then
        shell(("kill -9 %s 2>/dev/null"):format(pid))
        pid = nil
      end
    end)

    -- Starts a program that watches agent 2143 and improves from failed calls, with the store "kept" in the folder.
    local function start_program(directives)
      file.write(w.folder .. "/conf.lua", ([[
        local cekura = require "cekura"
        local watch = cekura.watch {
          client = { api_key = "sim-key", base_url = %q, config_file = false, headers = { ["X-Simulate"] = %q } },
          every = 0.05, store = %q,
          agents = { { agent_id = 2143, since = os.time() - 20 * 86400, prompt = "Be nice.",
            improve = function(call) return call.status == "failure" end } },
        }
        watch:wait()
      ]]):format(server.url, directives, w.folder .. "/kept"))
      local path = w.folder .. "/conf.lua"
      pid = shell(("exec %s %s >%s/output 2>&1 </dev/null & echo $!"):format(lua, path, w.folder)):match "%d+"
    end

    local function kill()
      shell(("kill -9 %s; while kill -0 %s 2>/dev/null; do sleep 0.02; done"):format(pid, pid))
      pid = nil
      assert.equal("", file.read(w.folder .. "/output"))
    end

    local function resume(changes)
      local given = agent { agent_id = 2143, improve = function(call)
        return call.status == "failure"
      end }
      for name, value in pairs(changes or {}) do
        given[name] = value
      end
      return declare { store = w.folder .. "/kept", agents = { given } }
    end

    it("resumes a running improvement", function()
      start_program "seconds=1"
      eventually("a token is kept", function()
        local kept = file.read(w.folder .. "/kept")
        return kept and kept:find('"state":"running"', 1, true)
      end)
      kill()
      local result
      local watch = resume { on_improved = function(improvement, call)
        result = improvement
        w.record("improved " .. call.id)
      end }
      eventually("improved", has_recorded "improved 5181750")
      await_scans()
      assert.truthy(result.improved_prompt:find "^Be nice%.\n")
      assert.same({ "improved 5181750" }, w.recorded) -- the killed process handled both calls
      assert.equal(0, watch:status().started)
      assert.equal(1, made())
      assert.same({}, w.problems)
    end)

    it("does not repeat a start, and fails it with unknown_outcome", function()
      server:script(START, { { delay = 60 } })
      start_program "seconds=1"
      eventually("the intent is kept", function()
        local kept = file.read(w.folder .. "/kept")
        return kept and kept:find('"state":"starting"', 1, true)
      end)
      kill()
      local failure
      resume { on_failed = function(err, call)
        failure = err
        w.record("failed " .. call.id)
      end }
      eventually("failed", has_recorded "failed 5181750")
      await_scans()
      assert.equal("unknown_outcome", failure.kind)
      assert.same({ "failed 5181750" }, w.recorded)
      assert.is_true(#requests("POST", START) <= 1)
      assert.same({}, w.problems)
    end)

    it("calls a handler again that the kill ended, and then starts the improvement once", function()
      file.write(w.folder .. "/conf.lua", ([[
        local cekura = require "cekura"
        local watch = cekura.watch {
          client = { api_key = "sim-key", base_url = %q, config_file = false },
          every = 0.05, store = %q,
          agents = { { agent_id = 2143, since = os.time() - 20 * 86400, prompt = "Be nice.", improve = true,
            on_evaluated = function(call)
              if call.id == 5181750 then
                print "begun"
                io.stdout:flush()
                cekura.sleep(60)
              end
            end } },
        }
        watch:wait()
      ]]):format(server.url, w.folder .. "/kept"))
      local path = w.folder .. "/conf.lua"
      pid = shell(("exec %s %s >%s/output 2>&1 </dev/null & echo $!"):format(lua, path, w.folder)):match "%d+"
      eventually("begun", function() return file.read(w.folder .. "/output") == "begun\n" end)
      shell(("kill -9 %s"):format(pid))
      pid = nil
      resume()
      eventually("improved", has_recorded "improved 5181750")
      await_scans()
      assert.equal(1, counted()["evaluated 5181750"])
      local starts = 0
      for _, request in ipairs(requests("POST", START)) do
        starts = starts + (request.body:find("5181750", 1, true) and 1 or 0)
      end
      assert.equal(1, starts)
      assert.same({}, w.problems)
    end)

    it("starts nothing twice and loses nothing, at whatever moment the kill comes", function()
      local uncertain = 0
      for round = 1, 6 do
        server:reset()
        w.recorded, w.problems = {}, {}
        os.remove(w.folder .. "/kept")
        start_program "seconds=0.3"
        eventually("something is kept", function() return file.read(w.folder .. "/kept") end)
        cekura.sleep(0.012 * round)
        kill()
        local watch = resume()
        eventually("an end", function()
          return counted()["improved 5181750"] or counted()["failed 5181750"]
        end)
        await_scans()
        stop(watch)
        uncertain = uncertain + (counted()["failed 5181750"] or 0)
        assert.is_true(made() <= 1, "started twice")
        assert.is_true((counted()["evaluated 5181750"] or 0) <= 1)
        assert.same({}, w.problems)
      end
      assert.is_true(uncertain < 6)
    end)
  end)

  -- ---- leases ----

  it("works while it holds the lease, and another takes over when it ends", function()
    local store = shared()
    local function given()
      return { store = store, lease = 3, client = living "seconds=0.5", agents = { agent { improve = true } } }
    end
    local first, second = declare(given()), declare(given())
    eventually("both run", function() return made() == 2 end)
    assert.equal("running", first:status().state)
    assert.equal("standby", second:status().state)
    local holder = store:get "cekura.watch.holder"
    assert.equal("string", type(holder))
    first:stop()
    eventually("the first has ended", function() return first:status().state == "stopped" end)
    assert.are_not.equal(holder, (store:get "cekura.watch.holder")) -- released by the first, not expired
    eventually("the second holds it", function() return second:status().state == "running" end)
    eventually("improved", function() return #w.recorded == 4 end)
    await_scans()
    for line, count in pairs(counted()) do
      assert.equal(1, count, line)
    end
    assert.equal(2, made())
    assert.same({ 0, 2 }, { second:status().started, second:status().improved })
  end)

  it("stands by after its lease has expired, and another takes over", function()
    local store, is_cut = shared(), false
    local reachable = setmetatable({}, { __index = function(_, name)
      return function(_, ...)
        if is_cut then
          return nil, "no answer"
        end
        return store[name](store, ...)
      end
    end })
    local function given(of, lease)
      return { store = of, lease = lease, client = living "life=endless",
        agents = { agent { improve = true } } }
    end
    local first = declare(given(reachable, 0.6))
    eventually("both run", function() return made() == 2 end)
    local second = declare(given(store, 3))
    is_cut = true
    eventually("the second holds it", function() return second:status().state == "running" end)
    eventually("the first gave up", function() return first:status().state == "standby" end)
    is_cut = false
    eventually("both are taken up", function() return second:status().entries["agent 2142"].running == 2 end)
    await_scans()
    assert.equal("standby", first:status().state)
    assert.equal(2, made())
    assert.same({ "evaluated 5181752", "evaluated 5181749" }, w.recorded)
  end)

  it("shares its store with a watch of another name", function()
    local store = shared()
    for _, name in ipairs { "a", "b" } do
      declare { store = store, name = name, agents = { agent { filter = FIRST } } }
    end
    eventually("both", function() return counted()["evaluated 5181749"] == 2 end)
  end)

  -- ---- the store ----

  for what, text in pairs { ["cut off"] = false, foreign = "[agents]\nkey = 1\n", empty = "",
    ["of another shape"] = '{"format":"cekura.watch 1","base":"BASE","entries":[1],"improvements":[],"starts":[]}',
    ["of another service"] = '{"format":"cekura.watch 1","base":"https://api.example","entries":{},'
      .. '"improvements":[],"starts":[]}' } do
    it("sets its file aside and begins a new one if the file is " .. what, function()
      local store = w.folder .. "/kept"
      if text == false then
        local watch = declare { store = store, agents = { agent() } }
        eventually("two", function() return #w.recorded == 2 end)
        stop(watch)
        text = file.read(store):sub(1, -20)
        w.recorded = {}
      end
      text = text:gsub("BASE", server.url)
      file.write(store, text)
      declare { store = store, agents = { agent() } }
      eventually("two", function() return #w.recorded == 2 end)
      assert.equal(1, #w.problems)
      assert.equal("store", w.problems[1].where)
      assert.truthy(w.problems[1].message:find(store .. ".bad", 1, true), w.problems[1].message)
      assert.equal(text, file.read(store .. ".bad"))
      assert.truthy(file.read(store):find '"format":"cekura.watch 1"')
    end)
  end

  it("stores that it handled a call before it handles the next", function()
    local store = w.folder .. "/kept"
    declare { store = store, agents = { agent { on_evaluated = function(call)
      w.record(("%d %s"):format(call.id, file.read(store):match '"told":{([^}]*)}':gsub(":%d+", "")))
    end } } }
    eventually("both", function() return #w.recorded == 2 end)
    assert.same({ "5181752 ", '5181749 "5181752"' }, w.recorded)
  end)

  it("never stores the key, and always has a complete file", function()
    local store = w.folder .. "/kept"
    declare { store = store, client = living "seconds=0.1", agents = { agent { improve = true } } }
    eventually("improved", function()
      local text = file.read(store)
      assert.is_nil(text and text:find(server.key, 1, true))
      assert.truthy(text == nil or text:find "^{.*}$")
      return #w.recorded == 4
    end)
    assert.is_nil(file.read(store .. ".new"))
  end)

  it("starts nothing while it cannot store the intent, reports that once, and starts when it can", function()
    local store = w.folder .. "/later/kept"
    declare { store = store, agents = { agent { improve = true, every = 0.01 } } }
    eventually("evaluated", function() return #w.recorded == 2 end)
    await_scans()
    assert.equal(0, made())
    assert.equal(1, #w.problems)
    assert.equal("store", w.problems[1].where)
    shell("mkdir " .. w.folder .. "/later")
    eventually("improved", function() return #w.recorded == 4 end)
    assert.equal(2, made())
  end)
end)

-- cekura.watch: which calls reach which handlers, the public object, mistakes, limits and failures.

local atomic = require "cekura.loop.atomic"
local cekura = require "cekura"
local core = require "cekura.core"
local file = require "spec.support.file"
local shell = require "spec.support.shell"
local sorted_keys = require "spec.support.sorted_keys"
local watching = require "spec.support.watching"

local lua = os.getenv "CEKURA_LUA" or "lua5.4"

local LIST, START, PROGRESS = watching.LIST, watching.START, watching.PROGRESS
local OFTEN, FIRST = watching.OFTEN, watching.FIRST

describe("watch", function()
  local w = watching.during(setup, teardown, before_each, after_each)
  local server = w.server
  local agent, entry, declare, eventually, living = w.agent, w.entry, w.declare, w.eventually, w.living
  local requests, await_scans, stop, made = w.requests, w.await_scans, w.stop, w.made
  local counted, has_recorded = w.counted, w.has_recorded

  -- ---- handlers ----

  describe("of an agent", function()
    it("handles each evaluated call, improves the prompt, and passes the new prompt to a handler", function()
      local given, result, prompt_of
      given = agent { improve = function(call, own)
        assert.equal(given, own)
        return call.id == 5181749
      end, prompt = function(agent_id, call, own)
        prompt_of = { agent_id, call.id, own }
        return "Be brief."
      end, on_evaluated = function(call, own)
        assert.equal(given, own)
        assert.is_true(call:evaluated())
        assert.is_true(call:metric(501).passed)
        assert.equal("string", type(call.transcript))
        w.record("evaluated " .. call.id)
      end, on_improved = function(improvement, call, own)
        assert.equal(given, own)
        w.record("improved " .. call.id)
        result = improvement
      end }
      local watch = declare { agents = { given } }
      eventually("improved", has_recorded "improved 5181749")
      assert.truthy(result.improved_prompt:find "^Be brief%.\n")
      assert.equal("string", type(result.summary_of_changes))
      assert.same({ 2142, 5181749, given }, prompt_of)
      assert.same({ "evaluated 5181752", "evaluated 5181749", "improved 5181749" }, w.recorded)
      local starts = requests("POST", START)
      assert.equal(1, #starts)
      assert.truthy(starts[1].body:find('"call_logs":[5181749]', 1, true))
      assert.truthy(starts[1].body:find('"agent_id":2142', 1, true))
      await_scans()
      assert.equal(3, #w.recorded)
      assert.same({}, w.problems)
      local status = watch:status()
      assert.equal("running", status.state)
      assert.same({ 2, 1, 1, 0 }, { status.evaluated, status.started, status.improved, status.errors })
      assert.equal("agents[1]", status.entries["agent 2142"].path)
    end)

    it("handles only the calls that match its filter", function()
      declare { agents = { agent { agent_id = 2143, filter = { "success", "eq", false } } } }
      eventually("evaluated", has_recorded "evaluated 5181750")
      await_scans()
      assert.same({ "evaluated 5181750" }, w.recorded)
    end)

    it("handles only calls that began after the watch did", function()
      local given = agent()
      given.since = nil
      declare { agents = { given } }
      await_scans()
      assert.same({}, w.recorded)
      local now = os.time()
      server:admin("POST", "call_logs/", { count = 3, from = now + 1, to = now + 1 })
      local sender = living "seconds=0.4"
      local late = cekura.assert(sender.calls:send { call_id = "late-1", agent = 2142, timestamp = now + 1,
        transcript_json = { { role = "Main Agent", content = "Hello." } } })
      eventually("late", has_recorded("evaluated " .. late.id))
      await_scans()
      local expected = { ["evaluated " .. late.id] = 1 }
      for id = 6000001, 6000003 do
        expected["evaluated " .. id] = 1
      end
      assert.same(expected, counted())
    end)

    it("has separate handlers for nothing to do and for a failure", function()
      local reason, failure
      declare { client = living "life=no_issues; polls=0", agents = { agent { improve = true,
        filter = FIRST, on_nothing_to_do = function(result, call)
          reason = result.reason
          assert.is_nil(result.improved_prompt)
          w.record("nothing_to_do " .. call.id)
        end } } }
      eventually("nothing to do", has_recorded "nothing_to_do 5181749")
      assert.truthy(reason:find "No issues")
      declare { client = living "life=failed; polls=0", agents = { agent { improve = true, agent_id = 2143,
        filter = { "success", "eq", false }, on_failed = function(err, call)
          failure = err
          w.record("failed " .. call.id)
        end } } }
      eventually("failed", has_recorded "failed 5181750")
      assert.equal("job_failed", failure.kind)
      await_scans()
      assert.same({ "evaluated 5181749", "nothing_to_do 5181749", "evaluated 5181750", "failed 5181750" }, w.recorded)
      assert.same({}, w.problems)
    end)

    it("has nothing to do if the prompt comes back unchanged", function()
      server:script(PROGRESS, { { body = { status = "completed", output = { improved_prompt = "Be nice." } } } })
      declare { agents = { agent { improve = true, filter = FIRST } } }
      eventually("nothing to do", has_recorded "nothing_to_do 5181749")
    end)

    it("reports a failed improvement to on_error if there is no on_failed", function()
      local given = agent { improve = true, filter = FIRST }
      given.on_failed = nil
      declare { client = living "life=failed; polls=0", agents = { given } }
      eventually("a problem", function() return #w.problems > 0 end)
      await_scans()
      assert.equal(1, #w.problems)
      assert.equal("job_failed", w.problems[1].kind)
      assert.equal("agents[1]", w.problems[1].where)
      assert.equal(1, #requests("POST", START))
    end)
  end)

  it("handles a single call once, when it is evaluated, and then no longer requests it", function()
    local sender = living "polls=3"
    local call = cekura.assert(sender.calls:send { call_id = "fresh", agent = 2142,
      transcript_json = { { role = "Main Agent", content = "Hello." } } })
    local watch = declare { calls = { entry { id = call.id, improve = true, prompt = "Be nice." } } }
    eventually("improved", has_recorded("improved " .. call.id))
    local looked = watch:status().entries["call " .. call.id].looked
    local path = LIST .. call.id .. "/"
    local asked = #requests("GET", path)
    declare { calls = { { id = 5181751 } } } -- its evaluation never ends
    eventually("another second", function() return core.date() >= looked + 2 end)
    await_scans(LIST .. "5181751/")
    assert.equal(asked, #requests("GET", path))
    assert.equal(looked, watch:status().entries["call " .. call.id].looked)
    assert.same({ "evaluated " .. call.id, "improved " .. call.id }, w.recorded)
  end)

  it("runs in its client's loop, and creates and closes a client if it is given options", function()
    local watch = declare { client = { api_key = "sim-key", base_url = server.url, config_file = false,
      loop = "own", headers = { ["X-Simulate"] = "polls=0" } }, agents = { agent() } }
    eventually("evaluated", has_recorded "evaluated 5181749")
    stop(watch)
    assert.is_true(core.is_closed(w.supervisors[watch].client))
  end)

  -- ---- the object ----

  it("has only three public methods, and survives writes to its object", function()
    local watch = declare { agents = { agent() } }
    assert.same({}, sorted_keys(watch))
    assert.same({ "__index", "__name", "__tostring" }, sorted_keys(getmetatable(watch)))
    assert.same({ "status", "stop", "wait" }, sorted_keys(getmetatable(watch).__index))
    local inner = w.supervisors[watch]
    for _, hidden in ipairs { inner, getmetatable(inner) } do
      for name in pairs(hidden) do
        if not getmetatable(watch).__index[name] then
          assert.is_nil(watch[name])
          watch[name] = false
        end
      end
    end
    eventually("both", function() return #w.recorded == 2 end)
    assert.equal("running", watch:status().state)
    stop(watch)
  end)

  it("goes on when the program drops its object, and is collected after its end", function()
    local weak, client = setmetatable({}, { __mode = "v" }), living()
    local function collect()
      collectgarbage()
      collectgarbage()
    end
    weak.inner = watching.supervisor_of(function()
      weak.watch = cekura.watch { client = client, every = OFTEN, agents = { agent() } }
    end)
    collect()
    assert.is_nil(weak.watch)
    eventually("both", function() return #w.recorded == 2 end)
    await_scans()
    collect()
    assert.truthy(weak.inner)
    client:close()
    eventually("collected", function()
      collect()
      return weak.inner == nil
    end)
    assert.same({}, w.problems)
  end)

  -- ---- mistakes in the program ----

  it("goes on when a handler raises, and reports the handler, the line and the traceback", function()
    local function boom()
      error "boom"
    end
    local function thrower()
      error({ 1 })
    end
    declare { agents = {
      agent { improve = true, on_evaluated = boom, on_improved = boom },
      agent { agent_id = 2143, improve = thrower },
      agent { name = "third", improve = true, prompt = boom, filter = FIRST },
    } }
    eventually("all", function()
      return counted()["evaluated 5181753"] and counted()["failed 5181749"] and #w.problems >= 7
    end)
    await_scans()
    local counts = {}
    for _, problem in ipairs(w.problems) do
      counts[problem.where] = (counts[problem.where] or 0) + 1
      assert.equal("raised", problem.kind)
      assert.truthy(problem.message:find("^" .. problem.where:gsub("%p", "%%%0") .. ": "), problem.message)
      assert.truthy(problem.message:find "spec/watch_spec.lua:%d+: ", problem.message)
      assert.truthy(problem.err.traceback:find "stack traceback:.*watch_spec.lua:%d+: in")
    end
    assert.same({ ["agents[1].on_evaluated"] = 2, ["agents[1].on_improved"] = 2, ["agents[2].improve"] = 2,
      ["agents[3].prompt"] = 1 }, counts)
    assert.equal(2, #requests("POST", START)) -- from the first entry
  end)

  it("lets handlers wait, even for the service", function()
    local client = living()
    declare { client = client, agents = { agent { agent_id = 2143, on_evaluated = function(call)
      cekura.sleep(0.01)
      w.record("waited " .. cekura.assert(client.calls:get(call.id)).call_id)
    end } } }
    eventually("both", function() return #w.recorded == 2 end)
    assert.same({ "waited sess-5", "waited sess-2" }, w.recorded)
    assert.same({}, w.problems)
  end)

  it("reports mistakes in the declaration by path and line, and uses the valid entries", function()
    local line = debug.getinfo(1, "l").currentline + 1
    local watch = cekura.watch { client = living(), every = OFTEN, evry = 3, name = 7,
      limits = { jbos = 1, jobs = 0 },
      on_error = w.on_error,
      agents = {
        agent { evry = 5 },
        agent { agent_id = 2143 },
        agent { agent_id = {}, on_failed = "x" },
        {},
        "agent",
        agent { agent_id = 2143 },
        agent { agent_id = 2, filter = { "success", "equals", 1 } },
        agent { agent_id = 3, since = "yesterday" },
        { agent_id = 4, improve = true },
        { agent_id = 5, id = 6 },
        call = { agent_id = 7 },
      },
      calls = { { id = 1, since = 4 }, { agent_id = 1 } },
    }
    w.watches[1] = watch
    local wheres = {}
    for index, problem in ipairs(w.problems) do
      assert.equal("config", problem.kind)
      assert.truthy(problem.message:find(("spec/watch_spec.lua:%d: "):format(line), 1, true), problem.message)
      assert.truthy(problem.message:find(problem.where, 1, true), problem.message)
      wheres[index] = problem.where
    end
    table.sort(wheres)
    local expected = { "agents.call", "agents[10].id", "agents[1].evry", "agents[3].agent_id", "agents[3].on_failed",
      "agents[4].agent_id", "agents[5]", "agents[6]", "agents[7].filter", "agents[8].since", "agents[9].prompt",
      "calls[1].since", "calls[2].id", "evry", "limits.jbos", "limits.jobs", "name" }
    table.sort(expected)
    assert.same(expected, wheres)
    eventually("the good entry", has_recorded "evaluated 5181753")
  end)

  it("raises only for a declaration that is not a table", function()
    local ok, message = pcall(function()
      local watch = cekura.watch "agents"
      return watch
    end)
    assert.is_false(ok)
    assert.truthy(message:find "^spec/watch_spec.lua:%d+: cekura: watch: table expected", message)
    for _, changes in ipairs { { client = { api_key = "" , config_file = false, base_url = "ftp://x" } },
      { store = 5, client = living() }, { store = "", client = living() }, { store = "a\0b", client = living() } } do
      w.problems = {}
      changes.agents = { agent() }
      local watch = declare(changes)
      assert.equal("stopped", watch:status().state)
      assert.equal(changes.store and "store" or "client", w.problems[1].where)
      assert.truthy(w.problems[1].message:find "spec/support/watching.lua:%d+: ", w.problems[1].message)
      watch:stop()
      watch:wait()
    end
    assert.same({}, requests("GET", LIST))
  end)

  it("logs each problem in one line to stderr if there is no on_error, or if on_error raises", function()
    file.write(w.folder .. "/conf.lua", ([[
      local cekura = require "cekura"
      local options = { api_key = "sim-key", base_url = %q, config_file = false }
      local watch = cekura.watch { client = options, evry = 1 }
      watch:stop()
      local other = cekura.watch { client = options, evry = 1, on_error = function() error "mine" end }
      other:stop()
      watch:wait()
      other:wait()
    ]]):format(server.url))
    local output, status = shell(("timeout 120 %s %s/conf.lua"):format(lua, w.folder))
    assert.equal(0, status, output)
    assert.equal(("cekura: watch: config: %s/conf.lua:3: evry: there is no such key (did you mean every?)\n"):format(
      w.folder), output:match "^[^\n]*\n")
    assert.truthy(output:find "\ncekura: watch: [^\n]*on_error: [^\n]*mine\n", output)
    assert.truthy(output:find "conf.lua:5: evry: there is no such key %(did you mean every%?%)\n$", output)
  end)

  it("ends with an error if nothing can be watched: no key, no store, no entry that is right", function()
    local client = { api_key = "sim-key", base_url = server.url, config_file = false }
    local right = { agent_id = 2142 }
    for pattern, declared in pairs {
      ["client: no API key"] = { client = { base_url = server.url, config_file = false }, agents = { right } },
      ["client: .*base URL"] = { client = { api_key = "k", base_url = "x", config_file = false }, agents = { right } },
      ["client: table expected"] = { client = 5, agents = { right } },
      ["store"] = { client = client, store = 5, agents = { right } },
      ["agents%[1%]%.evry"] = { client = client, agents = { { agent_id = 2142, evry = 1 }, 5 } },
      ["agents%[1%]%.agent_id"] = { client = client, agents = { {} } },
      ["calls%[1%]%.id"] = { client = client, calls = { {} } },
      ["agents: there is no entry"] = { client = client, agents = {}, calls = {} },
    } do
      local errors = {}
      declared.on_error = function(err) errors[#errors + 1] = err end
      local watch = cekura.watch(declared)
      for _ = 1, 2 do
        local ended, err = watch:wait()
        assert.is_nil(ended)
        assert.equal("config", err.kind)
        assert.truthy(err.message:find("spec/watch_spec.lua:%d+: " .. pattern), err.message)
        assert.equal(errors[1], err)
      end
      assert.equal("stopped", watch:status().state)
    end
    local watch = cekura.watch { client = client, agents = { right, { agent_id = 5, evry = 1 } },
      on_error = function() end }
    assert.equal(1, select("#", next(watch:status().entries)) - 1)
    watch:stop()
    assert.is_true(watch:wait())
  end)

  -- ---- limits ----

  it("runs at most limits.jobs improvements at once", function()
    server:admin("POST", "call_logs/", { count = 6 })
    local watch = declare { client = living "life=endless", limits = { jobs = 2 },
      agents = { agent { improve = true } }, calls = { { id = 5181750, improve = true, prompt = "x" } } }
    eventually("two", function() return made() == 2 end)
    await_scans()
    assert.equal(2, made())
    local entries = watch:status().entries
    assert.equal(2, entries["agent 2142"].running + entries["call 5181750"].running)
    assert.equal(7, entries["agent 2142"].waiting + entries["call 5181750"].waiting)
    stop(watch)
    local most, running = 0, 0
    local count = atomic(function(change)
      running = running + change
      most = math.max(most, running)
    end)
    declare { client = living("seconds=0.2", { on_event = function(event)
      if event.name == "request_finished" and event.path == START then
        count(1)
      end
    end }), limits = { jobs = 3 }, agents = { agent { improve = true, on_improved = function(_, call)
      count(-1)
      w.record("improved " .. call.id)
    end } } }
    eventually("all", function()
      local improved = 0
      for line in pairs(counted()) do
        improved = improved + (line:find "^improved" and 1 or 0)
      end
      return improved == 8
    end)
    assert.equal(3, most)
  end)

  it("starts at most limits.per_hour improvements in an hour, even across a restart", function()
    server:admin("POST", "call_logs/", { count = 4 })
    local store = w.folder .. "/kept"
    local function given()
      return { store = store, limits = { per_hour = 3 }, agents = { agent { improve = true } } }
    end
    local watch = declare(given())
    eventually("three", function() return watch:status().improved == 3 end)
    await_scans()
    stop(watch)
    watch = declare(given())
    await_scans()
    assert.equal(3, made())
    assert.equal(3, watch:status().entries["agent 2142"].waiting)
    stop(watch)
    -- Moves the starts in the store back by an hour.
    local text, count = file.read(store):gsub('"starts":%[(%d+),(%d+),(%d+)%]', function(...)
      local times = { ... }
      for index, time in ipairs(times) do
        times[index] = ("%d"):format(time - 3600)
      end
      return ('"starts":[%s]'):format(table.concat(times, ","))
    end)
    assert.equal(1, count)
    file.write(store, text)
    watch = declare(given())
    eventually("three more", function() return watch:status().improved == 3 end)
    assert.equal(6, made())
    assert.equal(6, #requests("POST", START))
  end)

  it("handles at most limits.calls calls in one scan, the oldest first, until all are handled", function()
    server:admin("POST", "call_logs/", { count = 5, agent_id = 77 })
    declare { limits = { calls = 2 }, agents = { agent { agent_id = 77 } } }
    eventually("all", function() return #w.recorded == 5 end)
    await_scans()
    assert.same({ "evaluated 6000001", "evaluated 6000002", "evaluated 6000003", "evaluated 6000004",
      "evaluated 6000005" }, w.recorded)
    local most, in_a_look = 0, 0
    for _, each in ipairs(server:requests()) do
      in_a_look = each.path ~= LIST and in_a_look + 1 or 0
      most = math.max(most, in_a_look)
    end
    assert.equal(2, most)
  end)

  -- ---- failures of the service ----

  it("reports a failure once until it changes, and keeps scanning", function()
    local client = living(nil, { retries = 0 })
    server:script(LIST, { { status = 500 }, { status = 500 }, { status = 500 }, { status = 400 } , { pass = true } })
    declare { client = client, every = 0.02, agents = { agent() } }
    eventually("evaluated", function() return #w.recorded == 2 end)
    assert.equal(2, #w.problems)
    assert.same({ "server", "invalid" }, { w.problems[1].kind, w.problems[2].kind })
    assert.equal("agents[1]", w.problems[1].where)
    server:script(LIST, { { status = 500 } })
    eventually("again", function() return #w.problems == 3 end)
    await_scans()
    assert.equal(3, #w.problems)
  end)

  it("reports the failure of a single call again after a success", function()
    local path = LIST .. "5181751/"
    server:script(path, { { status = 500 }, { status = 500 }, { pass = true }, { status = 500 } })
    declare { client = living(nil, { retries = 0 }), every = 0.02, calls = { { id = 5181751 } } }
    eventually("both", function() return #w.problems == 2 end)
    await_scans(path)
    assert.equal(2, #w.problems)
    assert.same({ "server", "calls[1]" }, { w.problems[2].kind, w.problems[2].where })
  end)

  it("reports a refused key once, and scans less often", function()
    server:script(LIST, { { status = 401, body = { detail = "Invalid API key." } } })
    local watch = declare { every = 0.03, agents = { agent() }, calls = { { id = 5181751 } } }
    eventually("many scans of the other", function() return #requests("GET", LIST .. "5181751/") >= 40 end)
    local tries = #requests("GET", LIST)
    assert.is_true(tries >= 2 and tries <= 20, tries) -- not as often as the other entry
    assert.equal(1, #w.problems)
    assert.equal("auth", w.problems[1].kind)
    assert.truthy(watch:status().entries["agent 2142"].trouble:find "auth")
    server:script(LIST, { { pass = true } })
    eventually("evaluated", function() return #w.recorded == 2 end)
    eventually("a good scan", function() return not watch:status().entries["agent 2142"].trouble end)
  end)

  it("repeats only a start that was certainly not processed", function()
    server:script(START, { { status = 429 }, { status = 401 }, { pass = true } })
    declare { client = living(nil, { retries = 0 }), every = 0.02,
      agents = { agent { improve = true, filter = FIRST } } }
    eventually("improved", has_recorded "improved 5181749")
    assert.same({ 3, 1 }, { #requests("POST", START), made() })
    assert.same({ "rate_limited", "auth" }, { w.problems[1].kind, w.problems[2].kind })
    local refusals = { { status = 500 }, { status = 502 }, { drop = true }, { status = 400 }, { body = "<p>" } }
    for _, reply in ipairs(refusals) do
      server:reset()
      w.recorded = {}
      server:script(START, { reply, { pass = true } })
      local watch = declare { client = living(nil, { retries = 0 }),
        agents = { agent { improve = true, filter = FIRST } } }
      eventually("failed", has_recorded "failed 5181749")
      await_scans()
      assert.equal(1, #requests("POST", START))
      stop(watch)
    end
  end)

  it("keeps waiting for an improvement when a poll's key is refused", function()
    server:script(PROGRESS, { { status = 401 }, { pass = true } })
    declare { every = 0.02, agents = { agent { improve = true, filter = FIRST } } }
    eventually("improved", has_recorded "improved 5181749")
    assert.same({ 1, 1 }, { #requests("POST", START), #w.problems })
    assert.equal("auth", w.problems[1].kind)
  end)

  it("fails an improvement that takes longer than its timeout", function()
    local failure
    declare { client = living "life=endless", agents = { agent { improve = true, timeout = 0.2,
      filter = FIRST, on_failed = function(err)
        failure = err
      end } } }
    eventually("failed", function() return failure end)
    assert.equal("timeout", failure.kind)
    await_scans()
    assert.equal(1, made())
  end)

  it("stops without an error when its client is closed, and keeps its state", function()
    local client = living "life=endless"
    local store = w.folder .. "/kept"
    local watch = declare { client = client, store = store, agents = { agent { improve = true } } }
    eventually("tokens are kept", function()
      return select(2, (file.read(store) or ""):gsub('"state":"running"', "")) == 2
    end)
    client:close()
    watch:wait()
    assert.equal("stopped", watch:status().state)
    assert.same({}, w.problems)
    assert.equal(2, select(2, file.read(store):gsub('"state":"running"', "")))
  end)

  it("stops with the run that it was declared in", function()
    local store = w.folder .. "/kept"
    cekura.run(function()
      local inner = cekura.spawn(cekura.run, function()
        declare { store = store, client = living "life=endless", agents = { agent { improve = true } } }
      end)
      while made() < 2 do
        cekura.sleep(0.02)
      end
      inner:cancel()
      inner:join()
    end)
    assert.equal("stopped", w.watches[1]:status().state)
    assert.same({}, w.problems)
    assert.equal(2, select(2, file.read(store):gsub('"call":', "")))
  end)

  it("runs as examples/watch.lua, and continues after a kill", function()
    local pid
    local function run()
      pid = shell(("cd %s && root=$OLDPWD && CEKURA_API_KEY=%s CEKURA_API_URL=%s LUA_PATH=\"$root/lua/?.lua;"
        .. "$root/lua/?/init.lua;;\" LUA_CPATH=\"$root/build/%s/?.so;;\" exec %s $root/examples/watch.lua 2142 0.2 "
        .. ">>output 2>&1 </dev/null & echo $!"):format(w.folder, server.key, server.url, lua, lua)):match "%d+"
    end
    local function says(text)
      return function()
        return file.read(w.folder .. "/output"):find(text, 1, true)
      end
    end
    shell(("mkdir %s/prompts && printf 'Be nice.' > %s/prompts/2142.txt"):format(w.folder, w.folder))
    run()
    finally(function()
      shell("kill -9 " .. pid)
    end)
    eventually("its first scan", function() return #requests("GET", LIST) > 0 end)
    local now = os.time() + 1
    local failed = server:admin("POST", "call_logs/", { count = 1, from = now, to = now }).ids[1]
    eventually("a prompt is being improved", function()
      return file.read(w.folder .. "/prompts/watch.json"):find('"state":"running"', 1, true)
    end)
    shell("kill -9 " .. pid)
    run()
    eventually("the end", says(("call %d: wrote prompts/2142-%d.txt: Two rules added"):format(failed, failed)))
    assert.truthy(file.read(("%s/prompts/2142-%d.txt"):format(w.folder, failed)):find "^Be nice%.\n")
    assert.truthy(says(("call %d: failure, not passed: Appointment confirmed\n"):format(failed))(),
      file.read(w.folder .. "/output"))
    assert.equal(1, made())
  end)
end)

-- cekura.watch: agents and calls that are watched, and what is done about them.

local cekura = require "cekura"
local core = require "cekura.core"
local file = require "spec.support.file"
local shell = require "spec.support.shell"
local simulator = require "spec.support.simulator"

local lua = os.getenv "CEKURA_LUA" or "lua5.4"

local LIST = "/observability/v2/call-logs/"
local START = "/observability/v1/call-logs/improve_prompt_bg/"
local PROGRESS = "/observability/v1/call-logs/improve_prompt_progress/"

local OFTEN = 0.05 -- seconds between two looks
local LONG_AGO = 20 * 86400

local FIRST = { "call_id", "eq", "sess-1" } -- 5181749, a success

describe("watch", function()
  local server = simulator.during(setup, teardown)
  local clients, watches, folder, told, problems

  before_each(function()
    server:reset()
    clients, watches, told, problems = {}, {}, {}, {}
    folder = shell "mktemp -d":gsub("%s+$", "")
  end)

  after_each(function()
    for _, watch in ipairs(watches) do
      watch:stop()
      watch:wait()
    end
    for _, client in ipairs(clients) do
      client:close()
    end
    shell("rm -rf " .. folder)
  end)

  local function living(directives, options)
    options = options or {}
    options.headers = { ["X-Simulate"] = directives or "polls=0" }
    clients[#clients + 1] = server:client(options)
    return clients[#clients]
  end

  -- A handler that notes its name and the id of the call.
  local function note(name, index)
    return function(...)
      told[#told + 1] = ("%s %d"):format(name, select(index, ...).id)
    end
  end

  local function entry(changes)
    local given = {
      on_evaluated = note("evaluated", 1), on_improved = note("improved", 2),
      on_nothing_to_do = note("nothing_to_do", 2), on_failed = note("failed", 2),
    }
    for name, value in pairs(changes) do
      given[name] = value
    end
    return given
  end

  local function agent(changes)
    local given = entry { agent_id = 2142, since = os.time() - LONG_AGO, prompt = "Be nice." }
    for name, value in pairs(changes or {}) do
      given[name] = value
    end
    return given
  end

  local function declare(given)
    given.client = given.client or living()
    given.every = given.every or OFTEN
    given.on_error = given.on_error or function(err, where)
      problems[#problems + 1] = { where = where, err = err, kind = err.kind, message = err.message }
    end
    watches[#watches + 1] = cekura.watch(given)
    return watches[#watches]
  end

  local function eventually(what, is_so)
    local deadline = core.now() + 60
    while not is_so() do
      if core.now() > deadline then
        error(("never: %s; told: %s; problems: %s"):format(what, table.concat(told, ", "),
          problems[1] and problems[1].message or "none"), 2)
      end
      cekura.sleep(0.02)
    end
  end

  local function requests(method, path)
    local found = {}
    for _, each in ipairs(server:requests()) do
      if each.method == method and each.path == path then
        found[#found + 1] = each
      end
    end
    return found
  end

  -- Lets the watches look some times more.
  local function look_on(path)
    local before = #requests("GET", path or LIST)
    eventually("further looks", function()
      return #requests("GET", path or LIST) >= before + 4
    end)
  end

  local function counted()
    local counts = {}
    for _, line in ipairs(told) do
      counts[line] = (counts[line] or 0) + 1
    end
    return counts
  end

  local function has_told(line)
    return function()
      return counted()[line] ~= nil
    end
  end

  local function stop(watch)
    watch:stop()
    watch:wait()
    assert.equal("stopped", watch:status().state)
  end

  local function made()
    return server:admin("GET", "jobs/").made
  end

  local function complete()
    server:script(PROGRESS, { { body = { status = "completed", output = { improved_prompt = "Be nice.\nAlways." } } } })
  end

  -- Shared memory of a host: methods as ngx.shared.DICT has them, with expiry, which keep() ends; `plain` has only get
  -- and set.
  local function shared(plain)
    local values, dict, keeps = {}, {}, false
    function dict.keep()
      keeps = true
    end
    function dict.get(_, key)
      local value = values[key]
      if value and (keeps or not value.until_ or core.now() < value.until_) then
        return value.text, 0
      end
      return nil
    end
    function dict.set(_, key, text, seconds)
      values[key] = { text = text, until_ = seconds and core.now() + seconds }
      return true, nil, false
    end
    if not plain then
      function dict:add(key, text, seconds)
        if self:get(key) ~= nil then
          return false, "exists", false
        end
        return self:set(key, text, seconds)
      end
      function dict.delete(_, key)
        values[key] = nil
      end
    end
    return dict
  end

  -- ---- handlers ----

  describe("of an agent", function()
    it("tells of each evaluated call, has the prompt improved, and gives the new one", function()
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
        told[#told + 1] = "evaluated " .. call.id
      end, on_improved = function(improvement, call, own)
        assert.equal(given, own)
        told[#told + 1] = "improved " .. call.id
        result = improvement
      end }
      local watch = declare { agents = { given } }
      eventually("improved", has_told "improved 5181749")
      assert.truthy(result.improved_prompt:find "^Be brief%.\n")
      assert.equal("string", type(result.summary_of_changes))
      assert.same({ 2142, 5181749, given }, prompt_of)
      assert.same({ "evaluated 5181752", "evaluated 5181749", "improved 5181749" }, told)
      local starts = requests("POST", START)
      assert.equal(1, #starts)
      assert.truthy(starts[1].body:find('"call_logs":[5181749]', 1, true))
      assert.truthy(starts[1].body:find('"agent_id":2142', 1, true))
      look_on()
      assert.equal(3, #told)
      assert.same({}, problems)
      local status = watch:status()
      assert.equal("running", status.state)
      assert.same({ 2, 1, 1, 0 }, { status.evaluated, status.started, status.improved, status.errors })
      assert.equal("agents[1]", status.entries["agent 2142"].path)
    end)

    it("tells of calls by its filter only", function()
      declare { agents = { agent { agent_id = 2143, filter = { "success", "eq", false } } } }
      eventually("evaluated", has_told "evaluated 5181750")
      look_on()
      assert.same({ "evaluated 5181750" }, told)
    end)

    it("tells of no call that began before it was watched, and of all that come then", function()
      local given = agent()
      given.since = nil
      declare { agents = { given } }
      look_on()
      assert.same({}, told)
      local now = os.time()
      server:admin("POST", "call_logs/", { count = 3, from = now + 1, to = now + 1 })
      local sender = living "seconds=0.4"
      local late = cekura.assert(sender.calls:send { call_id = "late-1", agent = 2142, timestamp = now + 1,
        transcript_json = { { role = "Main Agent", content = "Hello." } } })
      eventually("late", has_told("evaluated " .. late.id))
      look_on()
      local expected = { ["evaluated " .. late.id] = 1 }
      for id = 6000001, 6000003 do
        expected["evaluated " .. id] = 1
      end
      assert.same(expected, counted())
    end)

    it("tells that there is nothing to do, or that it failed, by handlers of their own", function()
      local reason, failure
      declare { client = living "life=no_issues; polls=0", agents = { agent { improve = true,
        filter = FIRST, on_nothing_to_do = function(result, call)
          reason = result.reason
          assert.is_nil(result.improved_prompt)
          told[#told + 1] = "nothing_to_do " .. call.id
        end } } }
      eventually("nothing to do", has_told "nothing_to_do 5181749")
      assert.truthy(reason:find "No issues")
      declare { client = living "life=failed; polls=0", agents = { agent { improve = true, agent_id = 2143,
        filter = { "success", "eq", false }, on_failed = function(err, call)
          failure = err
          told[#told + 1] = "failed " .. call.id
        end } } }
      eventually("failed", has_told "failed 5181750")
      assert.equal("job_failed", failure.kind)
      look_on()
      assert.same({ "evaluated 5181749", "nothing_to_do 5181749", "evaluated 5181750", "failed 5181750" }, told)
      assert.same({}, problems)
    end)

    it("has nothing to do where the prompt comes back as it was", function()
      server:script(PROGRESS, { { body = { status = "completed", output = { improved_prompt = "Be nice." } } } })
      declare { agents = { agent { improve = true, filter = FIRST } } }
      eventually("nothing to do", has_told "nothing_to_do 5181749")
    end)

    it("tells on_error of a failed improvement that has no on_failed", function()
      local given = agent { improve = true, filter = FIRST }
      given.on_failed = nil
      declare { client = living "life=failed; polls=0", agents = { given } }
      eventually("a problem", function() return #problems > 0 end)
      look_on()
      assert.equal(1, #problems)
      assert.equal("job_failed", problems[1].kind)
      assert.equal("agents[1]", problems[1].where)
      assert.equal(1, #requests("POST", START))
    end)
  end)

  it("a call that is named is told of when it is evaluated, once, and then no longer asked for", function()
    local sender = living "polls=3"
    local call = cekura.assert(sender.calls:send { call_id = "fresh", agent = 2142,
      transcript_json = { { role = "Main Agent", content = "Hello." } } })
    local watch = declare { calls = { entry { id = call.id, improve = true, prompt = "Be nice." } } }
    eventually("improved", has_told("improved " .. call.id))
    local looked = watch:status().entries["call " .. call.id].looked
    local path = LIST .. call.id .. "/"
    local asked = #requests("GET", path)
    declare { calls = { { id = 5181751 } } } -- evaluating for ever
    eventually("another second", function() return core.date() >= looked + 2 end)
    look_on(LIST .. "5181751/")
    assert.equal(asked, #requests("GET", path))
    assert.equal(looked, watch:status().entries["call " .. call.id].looked)
    assert.same({ "evaluated " .. call.id, "improved " .. call.id }, told)
  end)

  it("takes every host's loop that its client lives in, and makes and closes a client of its own", function()
    local watch = declare { client = { api_key = "sim-key", base_url = server.url, config_file = false,
      loop = "own", headers = { ["X-Simulate"] = "polls=0" } }, agents = { agent() } }
    eventually("evaluated", has_told "evaluated 5181749")
    stop(watch)
    assert.is_true(core.is_closed(watch.client))
  end)

  -- ---- what goes wrong in the program ----

  it("goes on when handlers raise, and tells which, where, and with which stack", function()
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
      return counted()["evaluated 5181753"] and counted()["failed 5181749"] and #problems >= 7
    end)
    look_on()
    local counts = {}
    for _, problem in ipairs(problems) do
      counts[problem.where] = (counts[problem.where] or 0) + 1
      assert.equal("raised", problem.kind)
      assert.truthy(problem.message:find("^" .. problem.where:gsub("%p", "%%%0") .. ": "), problem.message)
      assert.truthy(problem.message:find "spec/watch_spec.lua:%d+: ", problem.message)
      assert.truthy(problem.err.traceback:find "stack traceback:.*watch_spec.lua:%d+: in")
    end
    assert.same({ ["agents[1].on_evaluated"] = 2, ["agents[1].on_improved"] = 2, ["agents[2].improve"] = 2,
      ["agents[3].prompt"] = 1 }, counts)
    assert.equal(2, #requests("POST", START)) -- of the first
  end)

  it("lets handlers wait, for the service, too", function()
    local client = living()
    declare { client = client, agents = { agent { agent_id = 2143, on_evaluated = function(call)
      cekura.sleep(0.01)
      told[#told + 1] = "waited " .. cekura.assert(client.calls:get(call.id)).call_id
    end } } }
    eventually("both", function() return #told == 2 end)
    assert.same({ "waited sess-5", "waited sess-2" }, told)
    assert.same({}, problems)
  end)

  it("names what is wrong in the declaration by path and line, and does the rest", function()
    local line = debug.getinfo(1, "l").currentline + 1
    local watch = cekura.watch { client = living(), every = OFTEN, evry = 3, name = 7,
      limits = { jbos = 1, jobs = 0 },
      on_error = function(err, where)
        problems[#problems + 1] = { where = where, kind = err.kind, message = err.message }
      end,
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
    watches[1] = watch
    local wheres = {}
    for index, problem in ipairs(problems) do
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
    eventually("the good entry", has_told "evaluated 5181753")
  end)

  it("raises only for a declaration that is no table", function()
    local ok, message = pcall(function()
      local watch = cekura.watch "agents"
      return watch
    end)
    assert.is_false(ok)
    assert.truthy(message:find "^spec/watch_spec.lua:%d+: cekura: watch: table expected", message)
    for path, changes in pairs { client = { client = { api_key = "" , config_file = false, base_url = "ftp://x" } },
      store = { store = 5, client = living() } } do
      problems = {}
      changes.agents = { agent() }
      local watch = declare(changes)
      assert.equal("stopped", watch:status().state)
      assert.equal(path, problems[1].where)
      assert.truthy(problems[1].message:find "spec/watch_spec.lua:%d+: ", problems[1].message)
      watch:stop()
      watch:wait()
    end
    assert.same({}, requests("GET", LIST))
  end)

  it("logs to stderr without on_error, one line for each problem, also if on_error raises", function()
    file.write(folder .. "/conf.lua", ([[
      local cekura = require "cekura"
      local options = { api_key = "sim-key", base_url = %q, config_file = false }
      local watch = cekura.watch { client = options, evry = 1 }
      watch:stop()
      local other = cekura.watch { client = options, evry = 1, on_error = function() error "mine" end }
      other:stop()
      watch:wait()
      other:wait()
    ]]):format(server.url))
    local output, status = shell(("timeout 120 %s %s/conf.lua"):format(lua, folder))
    assert.equal(0, status, output)
    assert.equal(("cekura: watch: config: %s/conf.lua:3: evry: there is no such key\n"):format(folder),
      output:match "^[^\n]*\n")
    assert.truthy(output:find "\ncekura: watch: [^\n]*on_error: [^\n]*mine\n", output)
    assert.truthy(output:find "conf.lua:5: evry: there is no such key\n$", output)
  end)

  -- ---- limits ----

  it("runs no more improvements at once than limits.jobs", function()
    server:admin("POST", "call_logs/", { count = 6 })
    local watch = declare { client = living "life=endless", limits = { jobs = 2 },
      agents = { agent { improve = true } }, calls = { { id = 5181750, improve = true, prompt = "x" } } }
    eventually("two", function() return made() == 2 end)
    look_on()
    assert.equal(2, made())
    local entries = watch:status().entries
    assert.equal(2, entries["agent 2142"].running + entries["call 5181750"].running)
    assert.equal(7, entries["agent 2142"].waiting + entries["call 5181750"].waiting)
    stop(watch)
    local most, running = 0, 0
    declare { client = living("seconds=0.2", { on_event = function(event)
      if event.name == "request_finished" and event.path == START then
        running = running + 1
        most = math.max(most, running)
      end
    end }), limits = { jobs = 3 }, agents = { agent { improve = true, on_improved = function(_, call)
      running = running - 1
      told[#told + 1] = "improved " .. call.id
    end } } }
    eventually("all", function()
      local count = 0
      for line in pairs(counted()) do
        count = count + (line:find "^improved" and 1 or 0)
      end
      return count == 8
    end)
    assert.equal(3, most)
  end)

  it("starts no more in an hour than limits.per_hour, also after a restart", function()
    server:admin("POST", "call_logs/", { count = 4 })
    local store = folder .. "/kept"
    local function given()
      return { store = store, limits = { per_hour = 3 }, agents = { agent { improve = true } } }
    end
    local watch = declare(given())
    eventually("three", function() return watch:status().improved == 3 end)
    look_on()
    stop(watch)
    watch = declare(given())
    look_on()
    assert.equal(3, made())
    assert.equal(3, watch:status().entries["agent 2142"].waiting)
    stop(watch)
    -- An hour later, as far as the watch knows.
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

  it("takes in no more calls at one look than limits.calls, the oldest first, and all of them", function()
    server:admin("POST", "call_logs/", { count = 5, agent_id = 77 })
    declare { limits = { calls = 2 }, agents = { agent { agent_id = 77 } } }
    eventually("all", function() return #told == 5 end)
    look_on()
    assert.same({ "evaluated 6000001", "evaluated 6000002", "evaluated 6000003", "evaluated 6000004",
      "evaluated 6000005" }, told)
    local most, in_a_look = 0, 0
    for _, each in ipairs(server:requests()) do
      in_a_look = each.path ~= LIST and in_a_look + 1 or 0
      most = math.max(most, in_a_look)
    end
    assert.equal(2, most)
  end)

  -- ---- restarts ----

  for what, open in pairs {
    ["a file"] = function() return folder .. "/kept" end,
    ["shared memory"] = function() return shared(true) end,
    ["shared memory with leases"] = function() return shared() end,
  } do
    it("tells of each call once, across restarts, by " .. what, function()
      local store = open()
      local function given()
        return { store = store, agents = { agent() }, calls = { entry { id = 5181750 } } }
      end
      local watch = declare(given())
      eventually("three", function() return #told == 3 end)
      stop(watch)
      server:admin("POST", "call_logs/", { count = 2 })
      watch = declare(given())
      eventually("five", function() return #told == 5 end)
      look_on()
      stop(watch)
      local longer = given()
      longer.agents[1].lookback, longer.agents[1].since = LONG_AGO, 0
      declare(longer)
      look_on()
      local counts = counted()
      for line, count in pairs(counts) do
        assert.equal(1, count, line)
      end
      assert.truthy(counts["evaluated 5181750"] and counts["evaluated 6000001"] and counts["evaluated 6000002"])
      assert.same({}, problems)
    end)

    it("takes up what was running when it was stopped, by " .. what, function()
      local store = open()
      local function given()
        return { client = living "life=endless", store = store, agents = { agent { improve = true } } }
      end
      local watch = declare(given())
      eventually("two run", function() return made() == 2 end)
      stop(watch)
      assert.same({ "evaluated 5181752", "evaluated 5181749" }, told)
      complete()
      watch = declare(given())
      eventually("improved", function() return #told == 4 end)
      look_on()
      assert.equal(1, counted()["improved 5181749"])
      assert.equal(1, counted()["improved 5181752"])
      assert.equal(0, watch:status().started)
      assert.equal(2, made())
      assert.same({}, problems)
    end)
  end

  it("keeps the token of an improvement that is being started when it is stopped", function()
    server:script(START, { { hold = "start", body = { progress_id = "p-1" } } })
    server:script(PROGRESS, { { body = { status = "completed", output = { improved_prompt = "New." } } } })
    local function given()
      return { store = folder .. "/kept", agents = { agent { improve = true,
        filter = FIRST } } }
    end
    local watch = declare(given())
    eventually("a start is sent", function()
      local kept = file.read(folder .. "/kept")
      return kept and kept:find '"state":"starting"'
    end)
    server:wait_for(START)
    watch:stop()
    local second = declare(given()) -- it waits until the first has ended
    server:release "start"
    watch:wait()
    eventually("improved", has_told "improved 5181749")
    assert.equal(0, second:status().started)
    assert.equal(1, #requests("POST", START))
    assert.same({}, problems)
  end)

  it("waits for a busy handler when it is stopped, and does not call it again", function()
    local given = function()
      return { store = folder .. "/kept", agents = { agent { filter = FIRST,
        on_evaluated = function(call)
          told[#told + 1] = "begun " .. call.id
          cekura.sleep(0.2)
          told[#told + 1] = "ended " .. call.id
        end } } }
    end
    local watch = declare(given())
    eventually("begun", has_told "begun 5181749")
    stop(watch)
    assert.same({ "begun 5181749", "ended 5181749" }, told)
    declare(given())
    look_on()
    assert.equal(2, #told)
  end)

  describe("in another process", function()
    local pid

    after_each(function()
      if pid then
        shell(("kill -9 %s 2>/dev/null"):format(pid))
        pid = nil
      end
    end)

    -- A program that watches agent 2143, its failures improved, with the store "kept" in the folder.
    local function start_program(directives)
      file.write(folder .. "/conf.lua", ([[
        local cekura = require "cekura"
        local watch = cekura.watch {
          client = { api_key = "sim-key", base_url = %q, config_file = false, headers = { ["X-Simulate"] = %q } },
          every = 0.05, store = %q,
          agents = { { agent_id = 2143, since = os.time() - 20 * 86400, prompt = "Be nice.",
            improve = function(call) return call.status == "failure" end } },
        }
        watch:wait()
      ]]):format(server.url, directives, folder .. "/kept"))
      pid = shell(("exec %s %s/conf.lua >%s/output 2>&1 </dev/null & echo $!"):format(lua, folder, folder)):match "%d+"
    end

    local function kill()
      shell(("kill -9 %s; while kill -0 %s 2>/dev/null; do sleep 0.02; done"):format(pid, pid))
      pid = nil
      assert.equal("", file.read(folder .. "/output"))
    end

    local function resume(changes)
      local given = agent { agent_id = 2143, improve = function(call)
        return call.status == "failure"
      end }
      for name, value in pairs(changes or {}) do
        given[name] = value
      end
      return declare { store = folder .. "/kept", agents = { given } }
    end

    local function is_kept(text)
      return function()
        local kept = file.read(folder .. "/kept")
        return kept and kept:find(text, 1, true)
      end
    end

    it("what was running is taken up, after a kill", function()
      start_program "life=endless"
      eventually("a token is kept", is_kept '"state":"running"')
      kill()
      complete()
      local result
      local watch = resume { on_improved = function(improvement, call)
        result = improvement
        told[#told + 1] = "improved " .. call.id
      end }
      eventually("improved", has_told "improved 5181750")
      look_on()
      assert.truthy(result.improved_prompt:find "^Be nice%.\n")
      assert.same({ "improved 5181750" }, told) -- both were told of in the other process
      assert.equal(0, watch:status().started)
      assert.equal(1, made())
      assert.same({}, problems)
    end)

    it("what was being started is not started again, after a kill, and told as of unknown outcome", function()
      server:script(START, { { delay = 600 } })
      start_program "life=endless"
      eventually("the intent is kept", is_kept '"state":"starting"')
      kill()
      local failure
      resume { on_failed = function(err, call)
        failure = err
        told[#told + 1] = "failed " .. call.id
      end }
      eventually("failed", has_told "failed 5181750")
      look_on()
      assert.equal("unknown_outcome", failure.kind)
      assert.same({ "failed 5181750" }, told)
      assert.is_true(#requests("POST", START) <= 1)
      assert.same({}, problems)
    end)

    it("however soon it is killed, nothing is started twice and nothing is lost", function()
      for round = 1, 7 do
        server:reset()
        told, problems = {}, {}
        os.remove(folder .. "/kept")
        start_program "life=endless"
        eventually("something is kept", is_kept(round < 7 and "" or '"state":"running"'))
        cekura.sleep(round < 7 and 0.012 * round or 0)
        kill()
        complete()
        local watch = resume()
        eventually("an end", function()
          return counted()["improved 5181750"] or counted()["failed 5181750"]
        end)
        look_on()
        stop(watch)
        assert.is_true(made() <= 1, "started twice")
        assert.is_true((counted()["evaluated 5181750"] or 0) <= 1)
        assert.same({}, problems)
      end
      assert.equal(1, counted()["improved 5181750"]) -- with the token kept, nothing is uncertain
    end)
  end)

  -- ---- who holds the store ----

  it("one holder of a lease does the work, another takes over when it ends", function()
    local store = shared()
    store.keep()
    local function given()
      return { store = store, lease = 6, client = living "life=endless", agents = { agent { improve = true } } }
    end
    local first, second = declare(given()), declare(given())
    eventually("both run", function() return made() == 2 end)
    assert.equal("running", first:status().state)
    assert.equal("standby", second:status().state)
    local holder = store:get "cekura.watch.holder"
    assert.equal("string", type(holder))
    first:stop()
    eventually("the first has ended", function() return first:status().state == "stopped" end)
    assert.are_not.equal(holder, (store:get "cekura.watch.holder")) -- it did not wait for the lease to run out
    complete()
    eventually("the second holds it", function() return second:status().state == "running" end)
    eventually("improved", function() return #told == 4 end)
    look_on()
    for line, count in pairs(counted()) do
      assert.equal(1, count, line)
    end
    assert.equal(2, made())
    assert.same({ 0, 2 }, { second:status().started, second:status().improved })
  end)

  it("a lease that is not renewed runs out: another takes over, and the first stands by", function()
    local store, is_cut = shared(), false
    local reachable = setmetatable({}, { __index = function(_, name)
      return function(_, ...)
        if is_cut then
          return nil, "no answer"
        end
        return store[name](store, ...)
      end
    end })
    local function given(of)
      return { store = of, lease = 0.6, client = living "life=endless",
        agents = { agent { improve = true } } }
    end
    local first = declare(given(reachable))
    eventually("both run", function() return made() == 2 end)
    local second = declare(given(store))
    is_cut = true
    eventually("the second holds it", function() return second:status().state == "running" end)
    store.keep()
    eventually("the first gave up", function() return first:status().state == "standby" end)
    is_cut = false
    eventually("both are taken up", function() return second:status().entries["agent 2142"].running == 2 end)
    look_on()
    assert.equal("standby", first:status().state)
    assert.equal(2, made())
    assert.same({ "evaluated 5181752", "evaluated 5181749" }, told)
  end)

  it("two names in one store are two watches", function()
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
    it("begins anew, and keeps aside, where the file is " .. what, function()
      local store = folder .. "/kept"
      if text == false then
        local watch = declare { store = store, agents = { agent() } }
        eventually("two", function() return #told == 2 end)
        stop(watch)
        text = file.read(store):sub(1, -20)
        told = {}
      end
      text = text:gsub("BASE", server.url)
      file.write(store, text)
      declare { store = store, agents = { agent() } }
      eventually("two", function() return #told == 2 end)
      assert.equal(1, #problems)
      assert.equal("store", problems[1].where)
      assert.truthy(problems[1].message:find(store .. ".bad", 1, true), problems[1].message)
      assert.equal(text, file.read(store .. ".bad"))
      assert.truthy(file.read(store):find '"format":"cekura.watch 1"')
    end)
  end

  it("holds what was told before the next is told", function()
    local store = folder .. "/kept"
    declare { store = store, agents = { agent { on_evaluated = function(call)
      told[#told + 1] = ("%d %s"):format(call.id, file.read(store):match '"told":{([^}]*)}':gsub(":%d+", ""))
    end } } }
    eventually("both", function() return #told == 2 end)
    assert.same({ "5181752 ", '5181749 "5181752"' }, told)
  end)

  it("never holds the key, and is whole at any time", function()
    local store = folder .. "/kept"
    declare { store = store, client = living "seconds=0.1", agents = { agent { improve = true } } }
    eventually("improved", function()
      local text = file.read(store)
      assert.is_nil(text and text:find(server.key, 1, true))
      assert.truthy(text == nil or text:find "^{.*}$")
      return #told == 4
    end)
    assert.is_nil(file.read(store .. ".new"))
  end)

  it("starts nothing that it cannot keep, tells so once, and does so when it can", function()
    local store = folder .. "/later/kept"
    declare { store = store, agents = { agent { improve = true, every = 0.01 } } }
    eventually("evaluated", function() return #told == 2 end)
    look_on()
    assert.equal(0, made())
    assert.equal(1, #problems)
    assert.equal("store", problems[1].where)
    shell("mkdir " .. folder .. "/later")
    eventually("improved", function() return #told == 4 end)
    assert.equal(2, made())
  end)

  -- ---- what goes wrong in the service ----

  it("tells of a failure once for each change, and looks again", function()
    local client = living(nil, { retries = 0 })
    server:script(LIST, { { status = 500 }, { status = 500 }, { status = 500 }, { status = 400 } , { pass = true } })
    declare { client = client, every = 0.02, agents = { agent() } }
    eventually("evaluated", function() return #told == 2 end)
    assert.equal(2, #problems)
    assert.same({ "server", "invalid" }, { problems[1].kind, problems[2].kind })
    assert.equal("agents[1]", problems[1].where)
    server:script(LIST, { { status = 500 } })
    eventually("again", function() return #problems == 3 end)
    look_on()
    assert.equal(3, #problems)
  end)

  it("tells of a refused key once, and tries it less often", function()
    server:script(LIST, { { status = 401, body = { detail = "Invalid API key." } } })
    local watch = declare { every = 0.03, agents = { agent() }, calls = { { id = 5181751 } } }
    eventually("many looks of the other", function() return #requests("GET", LIST .. "5181751/") >= 40 end)
    local tries = #requests("GET", LIST)
    assert.is_true(tries >= 2 and tries <= 10, tries)
    assert.equal(1, #problems)
    assert.equal("auth", problems[1].kind)
    assert.truthy(watch:status().entries["agent 2142"].trouble:find "auth")
    server:script(LIST, { { pass = true } })
    eventually("evaluated", function() return #told == 2 end)
    assert.is_nil(watch:status().entries["agent 2142"].trouble)
  end)

  it("starts again what was certainly not processed, and nothing else", function()
    server:script(START, { { status = 429 }, { status = 401 }, { pass = true } })
    declare { client = living(nil, { retries = 0 }), every = 0.02,
      agents = { agent { improve = true, filter = FIRST } } }
    eventually("improved", has_told "improved 5181749")
    assert.same({ 3, 1 }, { #requests("POST", START), made() })
    assert.same({ "rate_limited", "auth" }, { problems[1].kind, problems[2].kind })
    local refusals = { { status = 500 }, { status = 502 }, { drop = true }, { status = 400 }, { body = "<p>" } }
    for _, reply in ipairs(refusals) do
      server:reset()
      told = {}
      server:script(START, { reply, { pass = true } })
      local watch = declare { client = living(nil, { retries = 0 }),
        agents = { agent { improve = true, filter = FIRST } } }
      eventually("failed", has_told "failed 5181749")
      look_on()
      assert.equal(1, #requests("POST", START))
      stop(watch)
    end
  end)

  it("waits on for an improvement whose key is refused meanwhile", function()
    server:script(PROGRESS, { { status = 401 }, { pass = true } })
    declare { every = 0.02, agents = { agent { improve = true, filter = FIRST } } }
    eventually("improved", has_told "improved 5181749")
    assert.same({ 1, 1 }, { #requests("POST", START), #problems })
    assert.equal("auth", problems[1].kind)
  end)

  it("gives up an improvement that takes longer than its timeout", function()
    local failure
    declare { client = living "life=endless", agents = { agent { improve = true, timeout = 0.2,
      filter = FIRST, on_failed = function(err)
        failure = err
      end } } }
    eventually("failed", function() return failure end)
    assert.equal("timeout", failure.kind)
    look_on()
    assert.equal(1, made())
  end)

  it("ends in silence when its client is closed, and keeps what it knows", function()
    local client = living "life=endless"
    local store = folder .. "/kept"
    local watch = declare { client = client, store = store, agents = { agent { improve = true } } }
    eventually("tokens are kept", function()
      return select(2, (file.read(store) or ""):gsub('"state":"running"', "")) == 2
    end)
    client:close()
    watch:wait()
    assert.equal("stopped", watch:status().state)
    assert.same({}, problems)
    assert.equal(2, select(2, file.read(store):gsub('"state":"running"', "")))
  end)

  it("ends with the run that it was declared in", function()
    local store = folder .. "/kept"
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
    assert.equal("stopped", watches[1]:status().state)
    assert.same({}, problems)
    assert.equal(2, select(2, file.read(store):gsub('"call":', "")))
  end)

  it("runs as examples/watch.lua, and goes on after a kill", function()
    local pid
    local function run()
      pid = shell(("cd %s && root=$OLDPWD && CEKURA_API_KEY=%s CEKURA_API_URL=%s LUA_PATH=\"$root/lua/?.lua;"
        .. "$root/lua/?/init.lua;;\" LUA_CPATH=\"$root/build/%s/?.so;;\" exec %s $root/examples/watch.lua 2142 0.2 "
        .. ">>output 2>&1 </dev/null & echo $!"):format(folder, server.key, server.url, lua, lua)):match "%d+"
    end
    local function says(text)
      return function()
        return file.read(folder .. "/output"):find(text, 1, true)
      end
    end
    shell(("mkdir %s/prompts && printf 'Be nice.' > %s/prompts/2142.txt"):format(folder, folder))
    run()
    finally(function()
      shell("kill -9 " .. pid)
    end)
    eventually("its first look", function() return #requests("GET", LIST) > 0 end)
    local now = os.time() + 1
    local failed = server:admin("POST", "call_logs/", { count = 1, from = now, to = now }).ids[1]
    eventually("a prompt is being improved", function()
      return file.read(folder .. "/prompts/watch.json"):find('"state":"running"', 1, true)
    end)
    shell("kill -9 " .. pid)
    run()
    eventually("the end", says(("call %d: wrote prompts/2142-%d.txt: Two rules added"):format(failed, failed)))
    assert.truthy(file.read(("%s/prompts/2142-%d.txt"):format(folder, failed)):find "^Be nice%.\n")
    assert.truthy(says(("call %d: failure, not passed: Appointment confirmed\n"):format(failed))(),
      file.read(folder .. "/output"))
    assert.equal(1, made())
  end)
end)

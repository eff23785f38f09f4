-- A watch whose store is in Redis, and is shared by several processes.

local cekura = require "cekura"
local connections = require "cekura.fleet.redis"
local core = require "cekura.core"
local file = require "spec.support.file"
local nginx = require "spec.support.nginx"
local process = require "spec.support.process"
local redis_server = require "spec.support.redis_server"
local shell = require "spec.support.shell"
local stores = require "cekura.fleet.store"
local watching = require "spec.support.watching"

local lua = os.getenv "CEKURA_LUA" or "lua5.4"

local START, LIST, FIRST = watching.START, watching.LIST, watching.FIRST
local PREFIX, NAME = "cekura:{spec}:", "night"
local KEY = PREFIX .. "store:" .. NAME

describe("a watch with a store in Redis", function()
  local w = watching.during(setup, teardown, before_each, after_each)
  local agent, declare, eventually, living, made = w.agent, w.declare, w.eventually, w.living, w.made
  local requests, await_scans, stop = w.requests, w.await_scans, w.stop
  local counted, has_recorded = w.counted, w.has_recorded
  local server, redis, opened, programs

  before_each(function()
    server, opened, programs = redis_server.start(), {}, {}
    redis = cekura.assert(connections.new(server.url))
  end)

  -- before the watches are stopped, so that these do not wait for a server that is away
  after_each(function()
    for _, pid in pairs(programs) do
      shell(("kill -9 %s 2>/dev/null"):format(pid))
    end
    for _, watch in ipairs(w.watches) do
      stop(watch)
    end
    for _, connection in ipairs(opened) do
      connection:close()
    end
    redis:close()
    server:stop "KILL"
  end)

  -- A store, on a connection of its own.
  local function open(url, timeout)
    local connection = cekura.assert(connections.new(url or server.url, { timeout = timeout or 1 }))
    opened[#opened + 1] = connection
    return stores.new(connection, PREFIX, NAME)
  end

  local function text()
    return redis:command("HGET", KEY, "text") or ""
  end

  local function is(watch, state)
    return function()
      return watch:status().state == state
    end
  end

  local function once_each()
    for line, count in pairs(counted()) do
      assert.equal(1, count, line)
    end
  end

  -- ---- other processes ----

  -- Runs a program that watches agent 2142. It prints to the file of that name: "evaluated ID", "improved ID", each new
  -- state of the watch, and problems.
  local function run(name, options)
    file.write(("%s/%s.lua"):format(w.folder, name), ([[
      local cekura = require "cekura"
      local connections = require "cekura.fleet.redis"
      local stores = require "cekura.fleet.store"
      local function note(...)
        print(...)
        io.stdout:flush()
      end
      local client = cekura.assert(cekura.new { api_key = "sim-key", base_url = %q, config_file = false,
        headers = { ["X-Simulate"] = %q } })
      local redis = cekura.assert(connections.new(%q, { client = client, timeout = 1 }))
      local watch = cekura.watch {
        client = client, every = 0.05, lease = %s, store = stores.new(redis, %q, %q), limits = { jobs = 1 },
        on_error = function(err, where) note("problem", where, err.kind, err.message) end,
        agents = { { agent_id = 2142, since = os.time() - 20 * 86400, improve = true, %s
          prompt = function()
            %s
            return "Be nice."
          end,
          on_evaluated = function(call)
            note("evaluated " .. call.id)
            %s
          end,
          on_improved = function(_, call) note("improved " .. call.id) end } },
      }
      cekura.spawn(function()
        local state
        while true do
          cekura.sleep(0.02)
          if watch:status().state ~= state then
            state = watch:status().state
            note(state)
          end
        end
      end)
      watch:wait()
    ]]):format(w.server.url, options.directives or "polls=0", server.url, options.lease or 2, PREFIX, NAME,
      options.entry or "", options.in_prompt or "", options.in_handler or ""))
    programs[name] = shell(("exec %s %s/%s.lua >%s/%s 2>&1 </dev/null & echo $!"):format(lua, w.folder, name, w.folder,
      name)):match "%d+"
  end

  local function printed(name)
    return file.read(w.folder .. "/" .. name) or ""
  end

  local function says(name, line)
    return function()
      return ("\n" .. printed(name)):find("\n" .. line .. "\n", 1, true)
    end
  end

  local function kill(name)
    shell(("kill -9 %s; while kill -0 %s 2>/dev/null; do sleep 0.02; done"):format(programs[name], programs[name]))
    programs[name] = nil
  end

  local function signal(name, which)
    shell(("kill -%s %s"):format(which, programs[name]))
  end

  it("works in one process, and takes over in another when that is killed", function()
    run("first", { in_handler = [[if call.id == 5181749 then cekura.sleep(60) end]] })
    eventually("the second call", says("first", "evaluated 5181749"))
    run("second", {})
    eventually("it stands by", says("second", "standby"))
    eventually("one is improved", says("first", "improved 5181752"))
    eventually("that is kept", function() return not text():find '"improvements":%[{' end)
    cekura.sleep(1)
    assert.equal("standby\n", printed "second")
    kill "first"
    eventually("the other is improved", says("second", "improved 5181749"))
    await_scans()
    local handled = printed "second":gsub("standby\n", ""):gsub("running\n", "")
    assert.equal("evaluated 5181749\nimproved 5181749\n", handled)
    assert.equal(2, made())
  end)

  it("resumes what ran in a process that was killed", function()
    run("first", { directives = "seconds=3" })
    eventually("the token is kept", function() return text():find('"state":"running"', 1, true) end)
    kill "first"
    run("second", { directives = "seconds=0.1" })
    eventually("improved", function()
      return says("second", "improved 5181752")() and says("second", "improved 5181749")()
    end)
    assert.equal(2, made())
    assert.is_nil(printed "second":find("problem", 1, true))
  end)

  it("reports the start of a process that was killed as unknown, and does not repeat it", function()
    w.server:script(START, { { delay = 60 } })
    run("first", { entry = [[filter = { "call_id", "eq", "sess-1" },]] })
    eventually("the intent is kept", function() return text():find('"state":"starting"', 1, true) end)
    eventually("the start is sent", function() return #requests("POST", START) == 1 end)
    kill "first"
    local failure
    declare { store = open(), lease = 2, agents = { agent { improve = true, filter = FIRST,
      on_failed = function(err, call)
        failure = err
        w.record("failed " .. call.id)
      end } } }
    eventually("failed", has_recorded "failed 5181749")
    await_scans()
    assert.equal("unknown_outcome", failure.kind)
    assert.same({ "failed 5181749" }, w.recorded)
    assert.equal(1, #requests("POST", START))
  end)

  it("starts and writes nothing in a process that was frozen for longer than its lease", function()
    run("first", { in_prompt = [[note "asked" cekura.sleep(2)]], lease = 1 })
    eventually("it runs", says("first", "running"))
    eventually("it is about to start", says("first", "asked"))
    signal("first", "STOP")
    local second = declare { store = open(), lease = 10, agents = { agent { improve = true } } }
    eventually("both are improved", function()
      return counted()["improved 5181752"] and counted()["improved 5181749"]
    end)
    await_scans()
    local before = text()
    local holder = redis:command("HGET", KEY, "holder")
    signal("first", "CONT")
    eventually("the first stands by", function() return printed "first":find "running\n.*standby\n" end)
    await_scans()
    assert.equal(2, made())
    assert.equal(2, #requests("POST", START))
    assert.equal(holder, redis:command("HGET", KEY, "holder"))
    assert.equal(before:gsub('"saved":%d+', ""), (text():gsub('"saved":%d+', "")))
    assert.equal("running", second:status().state)
    assert.is_nil(printed "first":find("improved", 1, true))
    assert.is_nil(printed "first":find("problem", 1, true), printed "first")
    assert.same({}, w.problems)
  end)

  it("is acquired although the process was frozen before it had sent the command", function()
    cekura.run(function()
      for turns = 0, 3 do
        redis:command("DEL", KEY)
        local taking = open(nil, 0.3):open_store(2):acquire()
        for _ = 1, turns do
          cekura.sleep(0)
        end
        local over = core.now() + 0.8
        repeat until core.now() > over
        eventually("an end", function() return taking:is_done() end)
        assert.same({ "taken" }, { taking:result() })
      end
    end)
  end)

  it("starts nothing twice and loses nothing, at whatever moment the kill comes", function()
    for round = 1, 4 do
      w.server:reset()
      redis:command("DEL", KEY)
      w.recorded, w.problems = {}, {}
      run("first", { directives = "seconds=0.3", lease = 1 })
      eventually("something is kept", function() return text() ~= "" end)
      cekura.sleep(0.015 * round)
      kill "first"
      local early = printed "first"
      local watch = declare { store = open(), lease = 1, agents = { agent { improve = true } } }
      eventually("an end of both", function()
        local counts = counted()
        for _, id in ipairs { "5181749", "5181752" } do
          if not (counts["improved " .. id] or counts["failed " .. id] or early:find("improved " .. id, 1, true)) then
            return false
          end
        end
        return true
      end)
      await_scans()
      stop(watch)
      once_each()
      for _, id in ipairs { "5181749", "5181752" } do
        assert.truthy(counted()["evaluated " .. id] or early:find("evaluated " .. id, 1, true))
      end
      assert.is_true(made() <= 2, "started twice")
      assert.same({}, w.problems)
    end
  end)

  -- ---- restarts ----

  it("handles each call once across restarts", function()
    local function given()
      return { store = open(), client = living "seconds=0.5", agents = { agent { improve = true } } }
    end
    local watch = declare(given())
    eventually("both run", function() return made() == 2 end)
    stop(watch)
    watch = declare(given())
    eventually("both are improved", function() return #w.recorded == 4 end)
    await_scans()
    once_each()
    assert.equal(0, watch:status().started)
    assert.equal(2, made())
    assert.same({}, w.problems)
  end)

  it("releases the store at once when it is stopped", function()
    local watch = declare { store = open(), lease = 3600, agents = { agent() } }
    eventually("both", function() return #w.recorded == 2 end)
    for _ = 1, 3 do
      local next_watch = declare { store = open(), lease = 3600, agents = { agent() } }
      await_scans()
      assert.equal("standby", next_watch:status().state)
      stop(watch)
      eventually("the next runs", is(next_watch, "running"))
      watch = next_watch
    end
    once_each()
  end)

  it("is left to the next watch by a run that is cancelled", function()
    w.server:script(START, { { delay = 60 } })
    cekura.run(function()
      local inner = cekura.spawn(cekura.run, function()
        declare { store = open(), lease = 1, agents = { agent { improve = true, filter = FIRST } } }
      end)
      eventually("the start is sent", function() return #requests("POST", START) == 1 end)
      inner:cancel()
      inner:join()
    end)
    local failure
    declare { store = open(), lease = 1, agents = { agent { improve = true, filter = FIRST, on_failed = function(err)
      failure = err
    end } } }
    eventually("failed", function() return failure end)
    assert.equal("unknown_outcome", failure.kind)
    await_scans()
    assert.equal(1, #requests("POST", START))
    once_each()
    assert.same({}, w.problems)
  end)

  -- ---- a server that is away ----

  -- Runs a timer of this process until the function returns. Raises if the timer was held up.
  local function beside_timer(fn)
    local ticks = 0
    local ticker = cekura.spawn(function()
      while true do
        cekura.sleep(0.01)
        ticks = ticks + 1
      end
    end)
    fn(function(count)
      local before = ticks
      eventually("other tasks", function() return ticks >= before + count end)
    end)
    ticker:cancel()
  end

  it("keeps what it does while the server is silent for less than a lease", function()
    local calls = 0
    local watch = declare { store = open(), lease = 60, client = living "seconds=0.3", agents = { agent {
      improve = true, filter = FIRST, on_evaluated = function(call)
        calls = calls + 1
        server:signal "STOP"
        cekura.sleep(2)
        w.record("evaluated " .. call.id)
      end } } }
    beside_timer(function(await_ticks)
      eventually("handled", has_recorded "evaluated 5181749")
      await_ticks(100)
      assert.equal("running", watch:status().state)
      assert.equal(0, made()) -- the intent is not stored yet
      server:signal "CONT"
      eventually("improved", has_recorded "improved 5181749")
    end)
    await_scans()
    assert.equal(1, calls)
    assert.equal(1, made())
    assert.same({}, w.problems)
  end)

  it("stands by while the server is silent for longer than its lease, and goes on when it is back", function()
    local watch = declare { store = open(), lease = 1, client = living "seconds=0.3", limits = { jobs = 1 },
      agents = { agent { improve = true } } }
    eventually("one runs, and one waits", function()
      return text():find('"state":"running"', 1, true) and text():find('"state":"wanted"', 1, true)
    end)
    server:signal "STOP"
    beside_timer(function(await_ticks)
      eventually("it stands by", is(watch, "standby"))
      await_ticks(200)
      assert.equal(1, made())
      assert.same({ "evaluated 5181752", "evaluated 5181749" }, w.recorded)
    end)
    server:signal "CONT"
    eventually("both are improved", function() return #w.recorded == 4 end)
    await_scans()
    once_each()
    assert.equal(2, made())
    assert.equal("running", watch:status().state)
    assert.equal(1, #w.problems)
    assert.same({ "store", "network" }, { w.problems[1].where, w.problems[1].kind })
  end)

  it("can be stopped while the server is away", function()
    local first = declare { store = open(), lease = 2, agents = { agent() } }
    eventually("both", function() return #w.recorded == 2 end)
    local second = declare { store = open(nil, 600), lease = 2, agents = { agent() } }
    finally(function() server:signal "CONT" end)
    server:signal "STOP"
    beside_timer(function(await_ticks)
      await_ticks(20)
      for _, watch in ipairs { second, first } do
        watch:stop()
        eventually("its end", is(watch, "stopped"))
      end
    end)
  end)

  it("loses nothing when a server that keeps a log is killed and started again", function()
    local port = process.free_port()
    local options = ("--dir %s --appendonly yes --appendfsync always"):format(w.folder)
    local kept = redis_server.start(options, port)
    finally(function() kept:stop "KILL" end)
    local watch = declare { store = open(kept.url, 5), lease = 20, client = living "seconds=0.5", agents = {
      agent { improve = true, agent_id = 77 } } }
    local ids = {}
    for round = 1, 4 do
      for _, id in ipairs(w.server:admin("POST", "call_logs/", { count = 3, agent_id = 77 }).ids) do
        ids[#ids + 1] = id
      end
      cekura.sleep(0.05 * round)
      kept:stop "KILL"
      cekura.sleep(0.05)
      kept = redis_server.start(options, port)
    end
    eventually("all", function()
      local counts = counted()
      for _, id in ipairs(ids) do
        if not (counts["evaluated " .. id] and counts["improved " .. id]) then
          return false
        end
      end
      return true
    end)
    await_scans()
    once_each()
    assert.equal(#ids, made())
    stop(watch)
    assert.same({}, w.problems)
  end)

  it("reports a wrong password once, and works when it is right", function()
    redis:command("ACL", "SETUSER", "alice", "on", ">right", "~*", "+@all")
    local wrong = ("redis://bob:secret@127.0.0.1:%d"):format(server.port)
    local watch = declare { store = open(wrong), lease = 1, agents = { agent() } }
    eventually("a problem", function() return w.problems[1] end)
    beside_timer(function(await_ticks) await_ticks(50) end)
    assert.equal("standby", watch:status().state)
    assert.same({}, requests("GET", LIST))
    redis:command("ACL", "SETUSER", "bob", "on", ">secret", "~*", "+@all")
    eventually("both", function() return #w.recorded == 2 end)
    assert.equal(1, #w.problems)
    assert.same({ "store", "auth" }, { w.problems[1].where, w.problems[1].kind })
    assert.truthy(w.problems[1].message:find("WRONGPASS", 1, true), w.problems[1].message)
    assert.is_nil(w.problems[1].message:find("secret", 1, true))
  end)

  it("sets a text aside that it cannot read", function()
    for index, field in ipairs { "bad", "bad.2" } do
      redis:command("HSET", KEY, "text", "mine " .. index)
      local watch = declare { store = open(), agents = { agent() } }
      eventually("both", function() return #w.recorded == 2 * index end)
      stop(watch)
      assert.equal("mine " .. index, redis:command("HGET", KEY, field))
      assert.truthy(text():find('"format":"cekura.watch 1"', 1, true))
      assert.truthy(w.problems[index].message:find(("field %s of %s"):format(field, KEY), 1, true))
    end
    assert.equal(2, #w.problems)
  end)

  -- ---- nginx ----

  if lua == "luajit" then -- that of nginx
    it("works in one of several workers of nginx, across reloads", function()
      local config = nginx.config(([[
        init_worker_by_lua_block {
          local cekura = require "cekura"
          local function note(what, call)
            ngx.log(ngx.NOTICE, "noted: ", what, " ", call.id, ";")
          end
          local client = cekura.assert(cekura.new { api_key = "sim-key", base_url = %q, config_file = false,
            headers = { ["X-Simulate"] = "seconds=0.3" } })
          local fleet = cekura.assert(require "cekura.fleet".new { redis = %q, name = "spec", client = client })
          cekura.watch { client = client, every = 0.1, store = fleet:store(%q),
            limits = { per_hour = 1000 }, agents = {
            { agent_id = 77, since = %d, prompt = "Be nice.", improve = true,
              on_evaluated = function(call) note("evaluated", call) end,
              on_improved = function(_, call) note("improved", call) end,
              on_failed = function(_, call) note("failed", call) end } } }
        }
        server { listen 127.0.0.1:@PORT@; }
      ]]):format(w.server.url, server.url, NAME, os.time() - 86400))
      local host = nginx.start((config:gsub("worker_processes 1", "worker_processes 3")))
      finally(function() host:stop() end)
      local function noted(what)
        return select(2, host:log():gsub("noted: " .. what, ""))
      end
      for round = 1, 3 do
        w.server:admin("POST", "call_logs/", { count = 4, agent_id = 77 })
        eventually("they are started", function() return made() >= 4 * round - 2 end)
        host:reload()
      end
      eventually("an end of each", function() return noted "improved" + noted "failed" >= 12 end)
      cekura.sleep(0.5)
      local counts = {}
      for line in host:log():gmatch "noted: (.-);" do
        counts[line] = (counts[line] or 0) + 1
      end
      for line, count in pairs(counts) do
        assert.equal(1, count, line)
      end
      assert.equal(12, noted "evaluated")
      assert.equal(12, noted "improved" + noted "failed")
      assert.is_true(made() <= 12)
      assert.is_nil(host:log():find("[error]", 1, true), host:log())
    end)
  end

  -- ---- the store itself ----

  local function result(operation)
    eventually("an operation", function() return operation:is_done() end)
    return operation:result()
  end

  it("is written only by who has acquired it last", function()
    local first, second = open():open_store(2), open():open_store(60)
    assert.equal("taken", result(first:acquire()))
    assert.equal("renewed", result(first:acquire()))
    assert.is_nil((result(second:acquire())))
    assert.is_true(result(first:write "first"))
    eventually("the second has it", function() return result(second:acquire()) == "taken" end)
    assert.is_true(result(second:write "second"))
    first.held_until = core.now() + 60 -- as if its clock had stopped
    assert.same({}, { result(first:write "late") })
    assert.same({}, { result(first:set_aside()) })
    result(first:release())
    assert.same({ true, "second" }, { result(second:read()) })
    assert.equal("renewed", result(second:acquire()))
    result(second:release())
    assert.is_false(second:is_held())
    assert.equal("taken", result(first:acquire()))
  end)

  it("keeps the last text when writes are repeated, and late ones arrive", function()
    local opened_store = open(nil, 0.3):open_store(60)
    assert.equal("taken", result(opened_store:acquire()))
    for round = 1, 5 do
      server:signal "STOP"
      local writing = opened_store:write("text " .. round)
      cekura.sleep(1) -- some repetitions, each on a connection of its own
      assert.is_false(writing:is_done())
      server:signal "CONT"
      assert.is_true(result(writing))
      assert.is_true(result(opened_store:write("newer " .. round)))
      cekura.sleep(0.1)
      assert.equal("newer " .. round, text())
    end
    opened_store.held_until = nil -- what has acquired the store, and the last write, once more
    assert.equal("taken", result(opened_store:acquire()))
    opened_store.number = opened_store.number - 1
    assert.is_true(result(opened_store:write "late"))
    assert.equal("newer 5", text())
  end)

  it("does not accept what was sent before it was lost", function()
    local opened_store = open():open_store(60)
    assert.equal("taken", result(opened_store:acquire()))
    local late = { opened_store.id, opened_store.epoch, opened_store.number + 1, "late" }
    result(opened_store:release())
    assert.equal("taken", result(opened_store:acquire()))
    assert.is_true(opened_store.epoch > late[2])
    opened_store.epoch, late[2] = late[2], opened_store.epoch
    assert.same({}, { result(opened_store:write "late") })
    opened_store.epoch = late[2]
    assert.is_true(result(opened_store:write "kept"))
    assert.equal("kept", text())
  end)

  it("takes texts of megabytes", function()
    local opened_store, long = open(nil, 10):open_store(60), ("x"):rep(8 * 2 ^ 20)
    assert.equal("taken", result(opened_store:acquire()))
    assert.is_true(result(opened_store:write(long)))
    assert.is_true(select(2, result(opened_store:read())) == long)
  end)
end)

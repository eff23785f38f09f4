-- The lock of a store: one watch at a time holds it, however the store is named. What a watch does without it.

local cekura = require "cekura"
local file = require "spec.support.file"
local shell = require "spec.support.shell"
local watching = require "spec.support.watching"

local lua = os.getenv "CEKURA_LUA" or "lua5.4"

local LIST, START, FIRST = watching.LIST, watching.START, watching.FIRST

describe("the lock of a store", function()
  local w = watching.during(setup, teardown, before_each, after_each)
  local server = w.server
  local agent, declare, eventually, living, made = w.agent, w.declare, w.eventually, w.living, w.made
  local requests, await_scans, stop = w.requests, w.await_scans, w.stop
  local counted, has_recorded = w.counted, w.has_recorded

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

  -- ---- refused files ----

  -- Checks that a watch with an unusable store reports it once, does nothing, blocks no task, and begins when it can.
  local function assert_unusable(store, words, mend)
    local ticks = 0
    local ticker = cekura.spawn(function()
      while true do
        cekura.sleep(0.01)
        ticks = ticks + 1
      end
    end)
    local watch = declare { store = store, agents = { agent { improve = true } } }
    eventually("a problem", function() return w.problems[1] end)
    local before = ticks
    eventually("other tasks", function() return ticks > before + 30 end)
    ticker:cancel()
    assert.equal("standby", watch:status().state)
    assert.equal(1, #w.problems)
    assert.same({ "store", "config" }, { w.problems[1].where, w.problems[1].kind })
    assert.truthy(w.problems[1].message:find(words, 1, true), w.problems[1].message)
    assert.same({}, requests("GET", LIST))
    mend()
    eventually("improved", function() return #w.recorded == 4 end)
    assert.equal(2, made())
    stop(watch)
    assert.equal(1, #w.problems)
  end

  it("is refused for a FIFO, even through a link, and changes neither", function()
    local fifo, link = w.folder .. "/fifo", w.folder .. "/link"
    shell(("mkfifo %s; ln -s fifo %s"):format(fifo, link))
    assert_unusable(link, "regular file", function()
      assert.equal("fifo\nsymbolic link\n", (shell(("stat -c %%F %s %s"):format(fifo, link))))
      os.remove(fifo)
    end)
    assert.equal("regular file\nsymbolic link\n", (shell(("stat -c %%F %s %s"):format(fifo, link))))
  end)

  it("is refused for a device", function()
    local link = w.folder .. "/link"
    shell("ln -s /dev/zero " .. link)
    assert_unusable(link, "regular file", function()
      os.remove(link)
    end)
  end)

  it("is refused for a directory", function()
    local store = w.folder .. "/directory"
    shell("mkdir " .. store)
    assert_unusable(store, "regular file", function()
      shell("rmdir " .. store)
    end)
  end)

  it("is refused for a file with hard links, which replacing the file would separate", function()
    local store = w.folder .. "/kept"
    shell(("printf '' > %s; ln %s %s.other"):format(store, store, store))
    assert_unusable(store, "hard links", function()
      os.remove(store)
    end)
  end)

  it("is refused if the name of the lock file is taken", function()
    local store = w.folder .. "/kept"
    shell(("mkdir %s.lock"):format(store))
    assert_unusable(store, store, function()
      shell(("rmdir %s.lock"):format(store))
    end)
  end)

  it("covers the target of a link, whose mode stays unchanged", function()
    shell(("cd %s && mkdir a b && ln -s ../b/kept a/link && ln -s a/link link"):format(w.folder))
    local watch = declare { store = w.folder .. "/link", agents = { agent() } }
    eventually("both", function() return #w.recorded == 2 end)
    stop(watch)
    assert.truthy(file.read(w.folder .. "/b/kept"):find "5181749")
    shell(("chmod 600 %s/b/kept"):format(w.folder))
    server:admin("POST", "call_logs/", { count = 1 })
    watch = declare { store = w.folder .. "/link", agents = { agent() } }
    eventually("the third", function() return #w.recorded == 3 end)
    stop(watch)
    assert.truthy(file.read(w.folder .. "/b/kept"):find "6000001")
    assert.equal("600\n", (shell(("stat -c %%a %s/b/kept"):format(w.folder))))
    assert.equal("../b/kept\na/link\n", (shell(("cd %s && readlink a/link link"):format(w.folder))))
    assert.equal("kept\nkept.lock\n", (shell(("ls -A %s/b"):format(w.folder))))
    once_each()
  end)

  it("does not overwrite a file that was set aside before", function()
    local store = w.folder .. "/kept"
    for index, suffix in ipairs { ".bad", ".bad.2", ".bad.3" } do
      file.write(store, "mine " .. index)
      local watch = declare { store = store, agents = { agent() } }
      eventually("handled", function() return #w.recorded == 2 * index end)
      stop(watch)
      assert.equal("mine " .. index, file.read(store .. suffix))
      assert.truthy(w.problems[index].message:find(store .. suffix, 1, true), w.problems[index].message)
    end
    assert.equal(3, #w.problems)
  end)

  -- ---- disks ----

  describe("on a disk that", function()
    local library

    setup(function()
      library = os.tmpname()
      local output, status = shell(("cc -shared -fPIC -o %s spec/support/slow_disk.c"):format(library))
      assert.equal(0, status, output)
    end)

    teardown(function()
      os.remove(library)
    end)

    -- Runs a program that watches agent 2143 and improves one prompt; it prints to the file `output`.
    local function run(environment, code)
      file.write(w.folder .. "/conf.lua", ([[
        local cekura = require "cekura"
        local folder = %q
        local function note(...)
          print(...)
          io.stdout:flush()
        end
        local watch = cekura.watch {
          client = { api_key = "sim-key", base_url = %q, config_file = false,
            headers = { ["X-Simulate"] = "polls=0" } },
          every = 0.05, store = folder .. "/kept",
          on_error = function(err, where) note(where, err.message) end,
          agents = { { agent_id = 2143, since = os.time() - 20 * 86400, prompt = "Be nice.",
            improve = function(call) return call.status == "failure" end,
            on_improved = function(_, call) note("improved", call.id) end } },
        }
        %s
      ]]):format(w.folder, server.url, code))
      local command = "%s export LD_PRELOAD=%s; exec %s %s/conf.lua >%s/output 2>&1 </dev/null & echo $!"
      local pid = shell(command:format(environment, library, lua, w.folder, w.folder)):match "%d+"
      finally(function()
        shell("kill -9 " .. pid)
      end)
    end

    local function says(text)
      return function()
        return file.read(w.folder .. "/output"):find(text, 1, true)
      end
    end

    it("is slow does not block other tasks, and nothing starts before the intent is stored", function()
      run(("export SLOW_DISK_GATE=%s/gate;"):format(w.folder), [[
        cekura.run(function()
          for tick = 1, 300 do
            cekura.sleep(0.002)
          end
          note "ticked"
          watch:wait()
        end)
      ]])
      eventually("the ticks", says "ticked\n")
      assert.equal(0, made())
      assert.equal("ticked\n", file.read(w.folder .. "/output"))
      file.write(w.folder .. "/gate", "")
      eventually("improved", says "improved\t5181750\n")
      assert.equal(1, made())
    end)

    it("is full is reported once, and nothing starts before there is room", function()
      file.write(w.folder .. "/full", "")
      run(("export SLOW_DISK_FULL=%s/full;"):format(w.folder), "watch:wait()")
      eventually("a problem", says "No space left on device\n")
      await_scans()
      assert.equal(0, made())
      assert.equal(1, select(2, file.read(w.folder .. "/output"):gsub("\n", "")))
      eventually("only its lock, between two attempts to write", function()
        return shell("ls -A " .. w.folder) == "conf.lua\nfull\nkept.lock\noutput\n"
      end)
      os.remove(w.folder .. "/full")
      eventually("improved", says "improved\t5181750\n")
      assert.equal(1, made())
    end)
  end)

  -- ---- one watch at a time ----

  it("is the same for all spellings of a path", function()
    shell(("cd %s && mkdir sub && ln -s kept link && ln -s . here"):format(w.folder))
    local spellings = { "/kept", "/./kept", "/sub/../kept", "//kept", "/link", "/here/link" }
    local watches = {}
    for index, spelling in ipairs(spellings) do
      watches[index] = declare { client = living "seconds=0.3", store = w.folder .. spelling,
        agents = { agent { improve = true } } }
    end
    while watches[1] do -- any watch that stands by may be next
      local running
      eventually("running", function()
        for index, watch in ipairs(watches) do
          running = watch:status().state == "running" and index or running
        end
        return running
      end)
      local holder = table.remove(watches, running)
      for _, other in ipairs(watches) do
        assert.equal("standby", other:status().state)
      end
      await_scans()
      stop(holder)
    end
    assert.equal(4, #w.recorded)
    once_each()
    assert.equal(2, made())
    assert.same({}, w.problems)
  end)

  it("is held against other processes until its process is killed", function()
    local store = w.folder .. "/kept"
    file.write(w.folder .. "/conf.lua", ([[
      local cekura = require "cekura"
      local watch = cekura.watch {
        client = { api_key = "sim-key", base_url = %q, config_file = false,
          headers = { ["X-Simulate"] = "seconds=1" } },
        every = 0.05, store = %q,
        agents = { { agent_id = 2142, since = os.time() - 20 * 86400, prompt = "Be nice.", improve = true } },
      }
      watch:wait()
    ]]):format(server.url, store))
    local pid = shell(("exec %s %s/conf.lua >%s/output 2>&1 </dev/null & echo $!"):format(lua, w.folder, w.folder))
      :match "%d+"
    finally(function()
      shell("kill -9 " .. pid)
    end)
    eventually("both tokens", function()
      return select(2, (file.read(store) or ""):gsub('"state":"running"', "")) == 2
    end)
    shell("kill -STOP " .. pid) -- a frozen process still holds the lock
    local watch = declare { store = store, agents = { agent { improve = true } } }
    cekura.sleep(0.5)
    assert.equal("standby", watch:status().state)
    shell("kill -9 " .. pid)
    eventually("improved", function() return #w.recorded == 2 end)
    await_scans()
    assert.same({ 0, 2, 0 }, { watch:status().started, watch:status().improved, watch:status().evaluated })
    assert.equal(2, made())
    assert.same({}, w.problems)
  end)

  it("stays with the file of a relative path when the working directory changes", function()
    local output, status = shell("make --no-print-directory -s life LUA=" .. lua)
    assert.equal(0, status, output)
    shell(("mkdir %s/elsewhere"):format(w.folder))
    output, status = file.temporary(([[
      local cekura, posix = require "cekura", require "spec.life.posix"
      local client = cekura.assert(cekura.new { api_key = "sim-key", base_url = %q, config_file = false })
      local function declare()
        return cekura.watch { client = client, every = 0.05, store = "kept", agents = {
          { agent_id = 2142, since = os.time() - 20 * 86400, on_evaluated = function(call) print(call.id) end } } }
      end
      local function after(count, watch)
        repeat cekura.sleep(0.02) until watch:status().evaluated == count
      end
      local here = %q
      cekura.run(function()
        posix.chdir(%q)
        local first = declare()
        after(2, first)
        local second = declare()
        cekura.sleep(0.2)
        posix.chdir "elsewhere"
        first:stop()
        repeat cekura.sleep(0.02) until second:status().state == "running"
        cekura.sleep(0.3)
        second:stop()
      end)
      posix.chdir(here)
    ]]):format(server.url, shell "pwd":match "[^\n]+", w.folder), function(path)
      return shell(('LUA_CPATH="$LUA_CPATH;build/%s/?.so" timeout 60 %s %s'):format(lua, lua, path))
    end)
    assert.equal("5181752\n5181749\n", output)
    assert.equal(0, status)
    assert.equal("", (shell(("ls -A %s/elsewhere"):format(w.folder))))
  end)

  it("is lost when its file is removed, and the watch does nothing further", function()
    local store = w.folder .. "/kept"
    local second
    local first = declare { store = store, every = 0.5, agents = { agent { on_evaluated = function(call)
      w.record("first " .. call.id)
      os.remove(store .. ".lock")
      second = second or declare { store = store, agents = { agent() } }
      eventually("the second runs", is(second, "running"))
    end } } }
    eventually("both", function() return #w.recorded == 3 end)
    await_scans()
    assert.same({ "first 5181752", "evaluated 5181752", "evaluated 5181749" }, w.recorded)
    assert.equal("standby", first:status().state)
  end)

  -- ---- leases ----

  -- Lets another watch acquire the store while a handler of the first runs, as if the first process were frozen there.
  local function freeze(watch, store, declare_second)
    local inner, frozen = w.supervisors[watch], true
    function inner.turn(self)
      if frozen and not self.stopping then
        return watching.OFTEN
      end
      return getmetatable(self).turn(self)
    end
    store:delete "cekura.watch.holder"
    local second = declare_second()
    inner:wake() -- its turn would acquire the store again before the second begins
    eventually("the second runs", is(second, "running"))
    frozen = false
    return second
  end

  it("is checked before each handler", function()
    local store = watching.shared()
    local first, second
    first = declare { store = store, agents = { agent { on_evaluated = function(call)
      w.record("first " .. call.id)
      second = second or freeze(first, store, function()
        return declare { store = store, agents = { agent() } }
      end)
    end } } }
    eventually("both", function() return #w.recorded >= 3 end)
    await_scans()
    assert.same({ "first 5181752", "evaluated 5181752", "evaluated 5181749" }, w.recorded)
    assert.equal("standby", first:status().state)
  end)

  it("is checked before each start", function()
    local store = watching.shared()
    local first, second
    first = declare { store = store, limits = { jobs = 1 }, agents = { agent { improve = true,
      filter = FIRST, prompt = function()
        second = second or freeze(first, store, function()
          return declare { store = store, agents = { agent { improve = true, filter = FIRST } } }
        end)
        return "Be nice."
      end } } }
    eventually("improved", has_recorded "improved 5181749")
    await_scans()
    assert.equal(1, #requests("POST", START))
    assert.equal("standby", first:status().state)
    assert.equal(0, first:status().started)
    assert.same({}, w.problems)
  end)

  -- Gives the lease away when an answer from that path has come, as if the process were frozen there. Returns an
  -- on_event for a client, and a function that ends the other lease.
  local function taken_at(store, path)
    local is_taken = false
    return function(event)
      if not is_taken and event.name == "request_finished" and event.path:find(path) then
        is_taken = true
        store:set("cekura.watch.holder", "another", 3600)
      end
    end, function()
      store:delete "cekura.watch.holder"
    end
  end

  it("is checked before a handler, even if it was held when the call was requested", function()
    local store = watching.shared()
    local on_event, give_back = taken_at(store, "/call%-logs/5181752/$")
    local watch = declare { store = store, client = living(nil, { on_event = on_event }), agents = { agent() } }
    eventually("it stands by", is(watch, "standby"))
    eventually("it was taken", function() return store:get "cekura.watch.holder" == "another" end)
    eventually("it stands by", is(watch, "standby"))
    assert.same({}, w.recorded)
    give_back()
    eventually("both", function() return #w.recorded == 2 end)
    await_scans()
    once_each()
  end)

  it("is checked before the handler of an improvement", function()
    local store = watching.shared()
    local on_event, give_back = taken_at(store, "improve_prompt_progress")
    local watch = declare { store = store, client = living(nil, { on_event = on_event }),
      agents = { agent { improve = true, filter = FIRST } } }
    eventually("it was taken", function() return store:get "cekura.watch.holder" == "another" end)
    eventually("it stands by", is(watch, "standby"))
    assert.same({ "evaluated 5181749" }, w.recorded)
    give_back()
    eventually("improved", has_recorded "improved 5181749")
    await_scans()
    once_each()
    assert.equal(1, made())
  end)

  it("may be lost and acquired again, and a running handler ends before the next begins", function()
    local store, calls = watching.shared(), 0
    local watch
    watch = declare { store = store, agents = { agent { improve = true, filter = FIRST, on_improved = function()
      calls = calls + 1
      local call = calls
      w.record("begun " .. call)
      if call == 1 then
        store:set("cekura.watch.holder", "another", 3600)
        eventually("it stands by", is(watch, "standby"))
        store:delete "cekura.watch.holder"
        cekura.sleep(0.5)
      end
      w.record("ended " .. call)
    end } } }
    eventually("both", has_recorded "ended 2")
    await_scans()
    assert.same({ "evaluated 5181749", "begun 1", "ended 1", "begun 2", "ended 2" }, w.recorded)
    assert.equal(1, made())
    assert.same({}, w.problems)
  end)

  it("is renewed if the lease is shorter than the time between two scans", function()
    local store = watching.shared()
    local first = declare { store = store, lease = 1.5, every = 30, agents = { agent() } }
    eventually("both", function() return #w.recorded == 2 end)
    local second = declare { store = store, lease = 1.5, agents = { agent() } }
    cekura.sleep(4)
    assert.equal("running", first:status().state)
    assert.equal("standby", second:status().state)
    once_each()
  end)

  -- A host may interrupt its tasks between any two instructions, as spec/interrupt_spec.lua does.
  it("is released after stop(), even if a task has just read that the watch is not stopping", function()
    for read = 1, 12 do
      local watch = declare { agents = { agent() } }
      local inner = w.supervisors[watch]
      local class, reads, stopping = getmetatable(inner), 0, false
      inner.stopping = nil
      setmetatable(inner, { __index = function(_, name)
        if name ~= "stopping" then
          return class[name]
        end
        local before = stopping
        reads = reads + 1
        stopping = stopping or reads == read
        return before
      end, __newindex = function(self, name, value)
        if name == "stopping" then
          stopping = value
        else
          rawset(self, name, value)
        end
      end })
      eventually("its end", function() return inner.over end)
    end
  end)

  it("may be lost just after a check, and then nothing begins", function()
    local watch = declare { store = w.folder .. "/kept", agents = { agent() } }
    await_scans()
    local inner, losses = w.supervisors[watch], 0
    local hold = inner.hold
    function inner.hold(self)
      local held = hold(self)
      if held and losses < 3 then
        losses = losses + 1
        self.persistence:drop()
      end
      return held
    end
    eventually("losses", function() return losses == 3 end)
    await_scans()
    assert.same({}, w.problems)
    assert.equal("running", watch:status().state)
    assert.equal(2, #w.recorded)
  end)

  it("is renewed while a stopped watch waits for its handler", function()
    local store = watching.shared()
    local go_on = false
    finally(function()
      go_on = true
    end)
    local function given(handler)
      return { store = store, lease = 1.5, agents = { agent { filter = FIRST, on_evaluated = handler } } }
    end
    local first = declare(given(function(call)
      w.record("begun " .. call.id)
      while not go_on do
        cekura.sleep(0.01)
      end
    end))
    eventually("begun", function() return #w.recorded == 1 end)
    first:stop()
    local second = declare(given(w.note("evaluated", 1)))
    cekura.sleep(4)
    assert.equal("standby", second:status().state)
    go_on = true
    eventually("the second runs", is(second, "running"))
    await_scans()
    assert.same({ "begun 5181749" }, w.recorded)
  end)

  -- A loop that runs no new task while `gate.shut` is true, like a host that is short of threads.
  local function with_gate(gate)
    local own = require "cekura.loop.own"
    return setmetatable({ spawn = function(...)
      return gate.shut and { join = function() end, cancel = function() end } or own.spawn(...)
    end }, { __index = own })
  end

  it("is released by a watch whose scans stall, and stop() still ends that watch", function()
    local store, gate = watching.shared(), {}
    local first = declare { store = store, lease = 0.5, client = living(nil, { loop = with_gate(gate) }),
      agents = { agent() } }
    eventually("both", function() return #w.recorded == 2 end)
    gate.shut = true
    local second = declare { store = store, lease = 0.5, agents = { agent() } }
    eventually("the second runs", is(second, "running"))
    assert.equal("standby", first:status().state)
    local id = server:admin("POST", "call_logs/", { count = 1 }).ids[1]
    eventually("handled", has_recorded("evaluated " .. id))
    stop(first)
    once_each()
  end)

  it("is released by a watch that raises, and the error is reported", function()
    local store = watching.shared()
    local first = declare { store = store, agents = { agent() } }
    eventually("both", function() return #w.recorded == 2 end)
    w.supervisors[first].turn = function()
      error "unforeseen"
    end
    first:wait()
    assert.equal("stopped", first:status().state)
    assert.equal(1, #w.problems)
    assert.truthy(w.problems[1].message:find("unforeseen", 1, true))
    local second = declare { store = store, agents = { agent() } }
    eventually("the second runs", is(second, "running"))
  end)

  -- ---- stores that answer later ----

  -- A store in `kept.text`, whose operations of that name end while `kept.answers[name]` is not false. `kept.outcome`
  -- is that of the next acquisition; `kept.writes` has the texts that were written.
  local function later(kept)
    kept.answers, kept.writes = {}, {}
    local function operation(name, value, more)
      return {
        is_done = function() return kept.answers[name] ~= false end,
        result = function() return value, more end,
      }
    end
    return { open_store = function()
      local opened, held = {}, false
      function opened.acquire()
        local outcome = kept.outcome or held and "renewed" or "taken"
        held = outcome ~= "lost"
        if kept.on_acquire then
          kept.on_acquire()
        end
        return operation("acquire", held and outcome or nil)
      end
      function opened.is_held() return held end
      function opened.release() return operation("release", true) end
      function opened.read() return operation("read", true, kept.text) end
      function opened.write(_, text)
        kept.text = text
        table.insert(kept.writes, text)
        return operation("write", true)
      end
      return opened
    end }
  end

  it("lets no start begin after stop() while the store is asked whether it is held", function()
    local kept = {}
    local watch = declare { store = later(kept), agents = { agent { improve = true, filter = FIRST } } }
    function kept.on_acquire()
      if kept.text and kept.text:find('"state":"starting"', 1, true) then
        kept.on_acquire, kept.answers.acquire = nil, false
        cekura.spawn(function()
          cekura.sleep(0.2)
          watch:stop()
          cekura.sleep(0.2)
          kept.answers.acquire = true
        end)
      end
    end
    watch:wait()
    assert.same({}, requests("POST", START))
    assert.truthy(kept.text:find('"state":"wanted"', 1, true), kept.text)
  end)

  it("is not written by what began before it was lost", function()
    local kept, handled = {}, 0
    local function on_evaluated()
      handled = handled + 1
      kept.answers.write = kept.open and true
    end
    kept.open = false
    declare { store = later(kept), agents = { agent { on_evaluated = on_evaluated },
      agent { on_evaluated = on_evaluated, name = "another of the agent" } } }
    eventually("one write is under way, and one waits", function() return handled == 2 end)
    cekura.sleep(0.1)
    kept.outcome = "lost"
    cekura.sleep(0.2)
    kept.text = ('{"format":"cekura.watch 1","base":%q,"entries":{"another":{"from":1,"told":{}}},"improvements":[],'
      .. '"starts":[]}'):format(server.url)
    local before = #kept.writes
    kept.outcome = nil
    cekura.sleep(0.2)
    kept.open, kept.answers.write = true, true
    eventually("it is written again", function() return #kept.writes > before + 1 end)
    await_scans()
    for index = before + 1, #kept.writes do
      assert.truthy(kept.writes[index]:find('"another"', 1, true), kept.writes[index])
    end
  end)

  -- ---- stopping ----

  for what, open in pairs {
    ["a file"] = function() return w.folder .. "/kept" end,
    ["shared memory"] = function() return watching.shared(true) end,
    ["shared memory with leases"] = function() return watching.shared() end,
  } do
    it("is released at once by stop(), and acquired by the next watch: " .. what, function()
      local store = open()
      local watch = declare { store = store, lease = 3600, agents = { agent() } }
      eventually("both", function() return #w.recorded == 2 end)
      for round = 1, 5 do
        local id = server:admin("POST", "call_logs/", { count = 1 }).ids[1]
        local next_watch = declare { store = store, lease = 3600, every = 0.05, agents = { agent() } }
        watch:stop()
        eventually("handled", has_recorded("evaluated " .. id))
        eventually("the next runs", is(next_watch, "running"))
        assert.equal(2 + round, #w.recorded)
        watch = next_watch
      end
      once_each()
    end)
  end

  it("lets many reloads repeat and lose nothing while handlers wait", function()
    local store, ids, clients = w.folder .. "/kept", {}, 0
    local function load()
      clients = clients + 1
      local client = living "seconds=0.05"
      local watch = declare { store = store, client = client, every = 0.02, limits = { per_hour = 1000 },
        agents = { agent { improve = true, agent_id = 77, on_evaluated = function(call)
          cekura.sleep(0.01)
          w.record("evaluated " .. call.id)
          cekura.sleep(0.01)
        end } } }
      return watch, client
    end
    local watch = load()
    for round = 1, 20 do
      for _, id in ipairs(server:admin("POST", "call_logs/", { count = 3, agent_id = 77 }).ids) do
        ids[#ids + 1] = id
      end
      cekura.sleep(0.007 * round)
      watch:stop()
      watch = load()
    end
    eventually("all", function()
      local counts = counted()
      for _, id in ipairs(ids) do
        if not (counts["evaluated " .. id] and (counts["improved " .. id] or counts["failed " .. id])) then
          return false
        end
      end
      return true
    end)
    await_scans()
    once_each()
    assert.equal(2 * #ids, #w.recorded)
    assert.equal(#ids, made())
    assert.same({}, w.problems)
  end)

  it("is released after a closed client cut off a start, and the state says so", function()
    local store = w.folder .. "/kept"
    server:script(START, { { delay = 60 } })
    local client = living()
    local first = declare { store = store, client = client, agents = { agent { improve = true, filter = FIRST } } }
    eventually("the start is sent", function() return #requests("POST", START) == 1 end)
    client:close()
    first:wait()
    local failure
    declare { store = store, agents = { agent { improve = true, filter = FIRST, on_failed = function(err)
      failure = err
    end } } }
    eventually("failed", function() return failure end)
    assert.equal("unknown_outcome", failure.kind)
    assert.truthy(failure.message:find("its client was closed", 1, true), failure.message)
    assert.is_nil(failure.message:find("process", 1, true))
    await_scans()
    assert.equal(1, #requests("POST", START))
    assert.same({}, w.problems)
  end)

  it("is released after a cancelled run cut off a start, and the state says so", function()
    local store = w.folder .. "/kept"
    server:script(START, { { delay = 60 } })
    cekura.run(function()
      local inner = cekura.spawn(cekura.run, function()
        declare { store = store, agents = { agent { improve = true, filter = FIRST } } }
      end)
      eventually("the start is sent", function() return #requests("POST", START) == 1 end)
      inner:cancel()
      inner:join()
    end)
    local failure
    declare { store = store, agents = { agent { improve = true, filter = FIRST, on_failed = function(err)
      failure = err
    end } } }
    eventually("failed", function() return failure end)
    assert.equal("unknown_outcome", failure.kind)
    assert.truthy(failure.message:find("cancelled", 1, true), failure.message)
    await_scans()
    assert.equal(1, #requests("POST", START))
  end)

  for what, stop_soon in pairs {
    ["while the prompt is asked for"] = function(watch)
      watch:stop()
    end,
    ["while the intent is written"] = function(watch)
      cekura.spawn(function()
        cekura.sleep(0)
        watch:stop()
      end)
    end,
  } do
    it("lets no start begin after stop() " .. what, function()
      local store = w.folder .. "/kept"
      local watch
      watch = declare { store = store, agents = { agent { improve = true, filter = FIRST, prompt = function()
        stop_soon(watch)
        return "Be nice."
      end } } }
      watch:wait()
      assert.same({}, requests("POST", START))
      assert.truthy(file.read(store):find('"state":"wanted"', 1, true), file.read(store))
      assert.truthy(file.read(store):find('"starts":[]', 1, true), file.read(store))
      declare { store = store, agents = { agent { improve = true, filter = FIRST } } }
      eventually("improved", has_recorded "improved 5181749")
      assert.equal(1, made())
    end)
  end

  it("lets no start begin after stop() when the call has been fetched, and writes no intent", function()
    local store, texts = watching.shared(), {}
    local set = store.set
    function store.set(self, key, text, seconds)
      texts[#texts + 1] = key == "cekura.watch" and text or nil
      return set(self, key, text, seconds)
    end
    local watch
    watch = declare { store = store, agents = { agent { improve = true, filter = FIRST, prompt = function()
      watch:stop()
      return "Be nice."
    end } } }
    watch:wait()
    local fetched = false
    watch = declare { store = store, client = living(nil, { on_event = function(event)
      if event.name == "request_finished" and event.path:find("call-logs/5181749/", 1, true) then
        fetched = true
        watch:stop()
      end
    end }), agents = { agent { improve = true, filter = FIRST } } }
    watch:wait()
    assert.is_true(fetched)
    assert.same({}, requests("POST", START))
    assert.truthy(texts[#texts]:find('"state":"wanted"', 1, true), texts[#texts])
    for _, text in ipairs(texts) do
      assert.is_nil(text:find('"state":"starting"', 1, true), text)
    end
    declare { store = store, agents = { agent { improve = true, filter = FIRST } } }
    eventually("improved", has_recorded "improved 5181749")
    assert.equal(1, made())
  end)
end)

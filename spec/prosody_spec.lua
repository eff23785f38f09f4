-- The module in a real Prosody, on the Lua of Prosody.

local file = require "spec.support.file"
local shell = require "spec.support.shell"

if (os.getenv "CEKURA_LUA" or "lua5.4") ~= "lua5.4" then
  return
end

local cekura = require "cekura"
local process = require "spec.support.process"
local simulator = require "spec.support.simulator"
local webhook_cases = require "spec.support.webhook_cases"

local PROGRESS = "/observability/v1/call-logs/improve_prompt_progress/"
local here = shell "pwd":match "[^\n]+"

-- Prosody changes its working directory.
local function absolute(paths)
  return (paths:gsub("[^;]+", function(path)
    return path:sub(1, 1) == "/" and path or here .. "/" .. path
  end))
end

describe("in Prosody", function()
  local server = simulator.during(setup, teardown)
  local dir, prosody, client
  local further_environment

  before_each(function()
    server:reset()
    dir = shell "mktemp -d":match "%S+"
    further_environment = ""
  end)

  after_each(function()
    if prosody then
      prosody:stop()
    end
    prosody, client = nil, nil
    shell("rm -rf " .. dir)
  end)

  local function environment()
    return further_environment .. ("LUA_PATH='%s' LUA_CPATH='%s' CEKURA_API_URL=%s CEKURA_API_KEY=%s HOME=%s"):format(
      absolute(package.path), absolute(package.cpath), server.url, server.key, dir)
  end

  -- Writes the example's configuration with other paths, another port, and further lines. Returns its path and port.
  local function configure(module, lines)
    local text = file.read "examples/prosody/prosody.cfg.lua"
    local port = process.free_port()
    local changes = {
      ['{ "/usr/local/lib/prosody/modules" }'] = ('{ "%s/examples/prosody", "%s" }'):format(here, dir),
      ['{ "http", "cekura" }'] = ('{ "http", "%s" }'):format(module),
      ["{ 5280 }"] = ("{ %d }"):format(port),
      ['"*console"'] = '"/dev/stderr"', -- written without a buffer
      ["\nVirtualHost"] = ('\n%s\nrun_as_root = true\ndata_path = "%s"\nVirtualHost'):format(lines or "", dir),
    }
    for from, to in pairs(changes) do
      local first, last = text:find(from, 1, true)
      text = text:sub(1, assert(first, from) - 1) .. to .. text:sub(last + 1)
    end
    file.write(dir .. "/prosody.cfg.lua", text)
    return dir .. "/prosody.cfg.lua", port
  end

  -- Starts Prosody with this module, where "cekura" is the example, and creates a client for it.
  local function start(module, lines)
    local path, port = configure(module, lines)
    prosody = process.start(("%s prosody -F --config %s"):format(environment(), path), function(self)
      return self:output():find(("Serving '%s'"):format(module:match "%a+$"), 1, true)
    end)
    client = server:client { base_url = "http://127.0.0.1:" .. port, timeout = 60 }
  end

  -- Starts Prosody with a module of this code. In the code `say` prints a line, each() sets a repeated timer, route()
  -- adds a handler, and start() starts a job that ends after release().
  local function probe(code, lines)
    file.write(dir .. "/mod_probe.lua", ([[
      local async, cekura = require "util.async", require "cekura"
      module:depends "http"
      local function say(...)
        local words = table.pack(...)
        for index = 1, words.n do words[index] = tostring(words[index]) end
        io.stderr:write("say: ", table.concat(words, " "), "\n")
      end
      local client = cekura.assert(cekura.new())
      local routes = {}
      local function route(path, handler) routes["GET /" .. path] = handler end
      local function each(fn) module:add_timer(0.01, function() return not fn() and 0.01 or nil end) end
      local function start()
        return cekura.assert(client.calls:improve_prompt { agent_id = 1, call_logs = { 1 }, prompt = "x" })
      end
      local function release()
        cekura.assert(client:request("POST", "/_sim/script/", { body = { path = "%s", replies = {
          { body = { status = "completed", output = { improved_prompt = "better" } } } } } }))
      end
      %s
      route("ping", function() say "ping" return "pong" end)
      module:provides("http", { route = routes })
    ]]):format(PROGRESS, code))
    server:script(PROGRESS, { { body = { status = "processing" } } })
    start("probe", lines)
  end

  local function get(path)
    local answer = cekura.assert(client:request("GET", "/probe/" .. path))
    return answer.body
  end

  -- Waits until the text is in Prosody's output, while tasks run.
  local function wait_for(text)
    for _ = 1, 1200 do
      if prosody:output():find(text, 1, true) then
        return
      end
      cekura.sleep(0.05)
    end
    error(("%q is not in the output:\n%s"):format(text, prosody:output()))
  end

  local function said()
    local lines = {}
    for line in prosody:output():gmatch "say: ([^\n]*)\n" do
      lines[#lines + 1] = line
    end
    return lines
  end

  -- Checks that Prosody caught no error itself.
  local function is_well()
    local output = prosody:output()
    assert.falsy(output:find "Top%-level error" or output:find "Traceback" or output:find "non%-existent global"
      or output:find "Error in timer" or output:find "unexpected async state", output)
  end

  describe("the example", function()
    local body = { agent_id = 2142, call_logs = { 5181749 }, prompt = "Be nice." }

    it("answers when the job is done, and serves other requests meanwhile", function()
      server:script(PROGRESS, { { body = { status = "processing" } } })
      further_environment = "CEKURA_DEBUG=1 "
      start "cekura"
      local order = {}
      cekura.run(function()
        local improvement = cekura.spawn(function()
          local answer = cekura.assert(client:request("POST", "/cekura/improve_prompt", { body = body })):json()
          order[#order + 1] = answer.improved_prompt .. answer.summary_of_changes
        end)
        local jobs
        repeat
          cekura.sleep(0.05)
          jobs = cekura.assert(client:request("GET", "/cekura/jobs")):json()
        until jobs[1] and jobs[1].status == "processing"
        order[#order + 1] = "processing"
        server:script(PROGRESS, { { body = { status = "completed", output = { improved_prompt = "Be very nice.",
          summary_of_changes = " One word more." } } } })
        cekura.assert(improvement:join() == nil)
      end)
      assert.same({ "processing", "Be very nice. One word more." }, order)
      assert.equal("[]", cekura.assert(client:request("GET", "/cekura/jobs")).body)
      assert.truthy(prosody:output():find "\ncekura%[%d+%] %d%d:%d%d:%d%d job calls.improve_prompt [^\n]*: succeeded")
      assert.equal('{"agent_id":2142,"call_logs":[5181749],"prompt":"Be nice."}', server:requests()[1].body)
      is_well()
    end)

    it("answers bad requests with 400, and errors of the service with 502, with the configuration's key", function()
      start("cekura", 'cekura_api_key = "wrong-key"')
      local function fails(options)
        local _, err = client:request("POST", "/cekura/improve_prompt", options)
        return err.status .. " " .. err.response:json().error
      end
      assert.truthy(fails { body = { prompt = "x" } }:find "^400 a JSON object")
      assert.truthy(fails { body = "{" }:find "^400 a JSON object")
      assert.truthy(fails { body = '{"call_logs":"all","prompt":"x"}', headers = { ["Content-Type"] = "text/plain" } }
        :find "^400 a JSON object")
      assert.truthy(fails { body = body }:find "^502 cekura: auth: ")
      is_well()
    end)

    it("takes webhooks, by the secret of the configuration", function()
      start("cekura", 'cekura_webhook_secret = "whs-1234"')
      webhook_cases(client, "/cekura/webhook")
      wait_for "call_log.completed: call log 95 is success"
      is_well()
    end)

    it("is reloaded: what waits is answered, and the new one works", function()
      server:script(PROGRESS, { { body = { status = "processing" } } })
      file.write(dir .. "/mod_reloads.lua", [[
        module:depends "http"
        module:provides("http", { route = { ["GET /reload"] = function()
          require "core.modulemanager".reload("localhost", "cekura")
          return "reloaded"
        end } })
      ]])
      start('reloads", "cekura')
      for _ = 1, 2 do
        local refused
        cekura.run(function()
          cekura.spawn(function()
            refused = select(2, client:request("POST", "/cekura/improve_prompt", { body = body }))
          end)
          repeat
            cekura.sleep(0.05)
          until #cekura.assert(client:request("GET", "/cekura/jobs")):json() == 1
          cekura.assert(client:request("GET", "/reloads/reload"))
        end)
        assert.equal(503, refused.status)
        assert.truthy(refused.response:json().error:find "^cekura: closed: ")
      end
      server:reset()
      local answer = cekura.assert(client:request("POST", "/cekura/improve_prompt", { body = body })):json()
      assert.truthy(answer.improved_prompt:find "^Be nice.")
      is_well()
    end)

    it("ends cleanly while jobs are waited for", function()
      server:script(PROGRESS, { { body = { status = "processing" } } })
      start "cekura"
      cekura.run(function()
        local improvement = cekura.spawn(function()
          return client:request("POST", "/cekura/improve_prompt", { body = body })
        end)
        repeat
          cekura.sleep(0.05)
        until #cekura.assert(client:request("GET", "/cekura/jobs")):json() == 1
        assert.equal(0, prosody:stop()) -- stop() raises long before the job would end
        improvement:cancel()
      end)
      assert.truthy(prosody:output():find "Shutdown complete")
      is_well()
    end)
  end)

  it("lets a handler wait as util.async does, while timers and other requests run", function()
    probe [[
      local ticks = 0
      each(function() ticks = ticks + 1 end)
      route("wait", function()
        local job, before = start(), ticks
        say("waits", (async.ready()))
        local result = job:wait { interval = 0.02 }
        say("is", result.improved_prompt, ticks > before)
        async.sleep(0.02) -- util.async still works in it
        cekura.sleep(0.02)
        return "waited"
      end)
      route("release", function() release() return "released" end)
    ]]
    local order = {}
    cekura.run(function()
      cekura.spawn(function()
        table.insert(order, get "wait")
      end)
      wait_for "say: waits true"
      table.insert(order, get "ping")
      table.insert(order, get "ping")
      table.insert(order, get "release")
    end)
    assert.same({ "pong", "pong", "released", "waited" }, order)
    assert.same({ "waits true", "ping", "ping", "is better true" }, said())
    is_well()
  end)

  it("queues what a runner is given while it waits", function()
    probe [[
      local runner = async.runner(function(number)
        say("begins", number)
        cekura.sleep(0.05)
        say("ends", number, client:request("GET", "/echo/").status)
      end)
      say("it is", select(2, runner:run(1)))
      say("it is", select(2, runner:run(2)))
    ]]
    wait_for "say: ends 2"
    assert.same({ "begins 1", "it is waiting 0", "it is waiting 1", "ends 1 200", "begins 2", "ends 2 200" }, said())
    is_well()
  end)

  it("waits in tasks, coroutines of the module and plain code", function()
    probe [[
      local ticks = 0
      each(function()
        ticks = ticks + 1
        if ticks == 20 then cekura.spawn(release) end
        return ticks == 20
      end)
      cekura.spawn(function()
        say("task", start():wait { interval = 0.02 }.improved_prompt, ticks >= 20)
      end)
      coroutine.wrap(function()
        say("coroutine", start():wait { interval = 0.02 }.improved_prompt, ticks >= 20)
        local joined = cekura.spawn(function() cekura.sleep(0.01) return "joined" end):join()
        say("coroutine", joined, cekura.run(function() cekura.sleep(0.01) return "run" end))
      end)()
      say "loaded"
      route("plain", function()
        local before, status = ticks, nil
        module:add_timer(0, function() status = client:request("GET", "/echo/").status say("plain", status) end)
        cekura.sleep(0.05)
        return "plain"
      end)
    ]]
    wait_for "say: task better true"
    wait_for "say: coroutine joined run"
    local lines = said()
    assert.equal("loaded", lines[1])
    assert.equal("plain", get "plain")
    wait_for "say: plain 200"
    is_well()
  end)

  it("runs many waits at once, for several clients", function()
    probe [[
      local others = { cekura.assert(cekura.new()), cekura.assert(cekura.new()) }
      route("many", function()
        local done = {}
        local tasks = {}
        for index = 1, 20 do
          tasks[index] = cekura.spawn(function()
            local job = cekura.assert((others[index % 3] or client).calls:improve_prompt { agent_id = 1,
              call_logs = { index }, prompt = "x" })
            return cekura.assert(job:wait { interval = 0.02 }).improved_prompt
          end)
        end
        release()
        for index, task in ipairs(tasks) do done[index] = task:join() end
        return #done .. " " .. done[20]
      end)
    ]]
    assert.equal("20 better", get "many")
    is_well()
  end)

  it("lets other timers have their turns while many tasks have something to do", function()
    probe [[
      local ticks, seen, last = 0, 0, 0
      each(function() ticks = ticks + 1 end)
      for index = 1, 50 do
        cekura.spawn(function()
          cekura.sleep(0.1)
          for _ = 1, 2 do
            local ends_at = os.clock() + 0.01
            repeat until os.clock() > ends_at
            seen, last = seen + (ticks ~= last and 1 or 0), ticks
            cekura.sleep(0)
          end
          if index == 50 then say("seen", seen > 25) end
        end)
      end
    ]]
    wait_for "say: seen true"
    is_well()
  end)

  it("logs errors and goes on", function()
    probe [[
      route("task", function()
        cekura.spawn(function() cekura.sleep(0.01) error "of a task" end)
        return "spawned"
      end)
      route("coroutine", function()
        coroutine.wrap(function() cekura.sleep(0.01) error "of a coroutine" end)()
        return "begun"
      end)
      route("unspeakable", function() -- reporting this error raises, too
        cekura.spawn(function()
          cekura.assert(client:request("GET", "/echo/"))
          error(setmetatable({}, { __tostring = function() error "its text is none" end }))
        end)
        return "spawned"
      end)
      route("handler", function() cekura.sleep(0.01) error "of a handler" end)
      route("error", function() cekura.sleep(0.01) cekura.assert(client:request("GET", "/nowhere/")) end)
    ]]
    get "task"
    wait_for "mod_probe.lua"
    assert.truthy(prosody:output():find "cekura%s+error%s+cekura: a task raised, and was not joined: [^\n]*of a task")
    get "coroutine"
    wait_for "of a coroutine"
    assert.truthy(prosody:output():find "error%s[^\n]*mod_probe.lua:%d+: of a coroutine")
    for _, path in ipairs { "handler", "error" } do
      local answer, err = client:request("GET", "/probe/" .. path)
      assert.equal(500, answer or err.status)
    end
    assert.truthy(prosody:output():find "http.server%s+error%s[^\n]*of a handler")
    assert.truthy(prosody:output():find "http.server%s+error%s[^\n]*cekura: [^\n]*GET /nowhere/")
    get "unspeakable"
    wait_for "its text is none"
    assert.equal("pong", get "ping")
    assert.falsy(prosody:output():find "Top%-level error" or prosody:output():find "unexpected async state")
  end)

  it("ends a wait at its deadline, and when its client is closed", function()
    probe [[
      route("timeout", function()
        return select(2, start():wait { interval = 0.02, timeout = 0.2 }).kind
      end)
      route("close", function()
        local own = cekura.assert(cekura.new())
        module:add_timer(0.1, function() own:close() end)
        return select(2, own:job("calls.improve_prompt", start().id):wait()).kind
      end)
    ]]
    assert.equal("timeout", get "timeout")
    assert.equal("closed", get "close")
    is_well()
  end)

  it("leaves nothing behind of clients that are closed or dropped, and their descriptors can be reused", function()
    probe [[
      local function descriptors()
        local count = 0
        for _ in require "lfs".dir "/proc/self/fd" do count = count + 1 end
        return count
      end
      route("clients", function()
        cekura.assert(cekura.new()):close()
        local before = descriptors()
        for index = 1, 20 do
          local one = cekura.assert(cekura.new())
          cekura.assert(one:request("GET", "/echo/"))
          if index % 2 == 0 then one:close() end
        end
        for _ = 1, 3 do
          collectgarbage()
          cekura.sleep(0.01)
        end
        return tostring(descriptors() - before)
      end)
    ]]
    assert.is_true(tonumber(get "clients") <= 2)
    assert.equal("pong", get "ping")
    assert.equal(0, prosody:stop()) -- Prosody would fail if it still watched a closed descriptor
    is_well()
  end)

  it("leaves nothing behind of a wait that has ended", function()
    probe [[
      local waited, over = setmetatable({}, { __mode = "k" }), 0
      for _ = 1, 5 do
        coroutine.wrap(function()
          waited[coroutine.running()] = true
          cekura.assert(client:request("GET", "/echo/"))
          over = over + 1
        end)()
      end
      route("waited", function()
        while over < 5 do cekura.sleep(0.01) end
        for _ = 1, 3 do
          cekura.sleep(0.01)
          collectgarbage()
        end
        return tostring(next(waited))
      end)
    ]]
    assert.equal("nil", get "waited")
    is_well()
  end)

  it("lets a module wait while Prosody loads it", function()
    probe [[ say("loading", client:request("GET", "/echo/").status) ]]
    wait_for "say: loading 200"
    assert.equal("pong", get "ping")
    is_well()
  end)

  it("runs a watch across reloads: no call and no improvement is repeated or lost, and there is no error", function()
    file.write(dir .. "/mod_reloads.lua", [[
      module:depends "http"
      module:provides("http", { route = { ["GET /reload"] = function()
        require "core.modulemanager".reload("localhost", "watches")
        return "reloaded"
      end } })
    ]])
    file.write(dir .. "/mod_watches.lua", ([[
      local cekura = require "cekura"
      local client = cekura.assert(cekura.new { headers = { ["X-Simulate"] = "seconds=0.2" } })
      local function say(...) io.stderr:write("say: ", table.concat({ ... }, " "), "\n") end
      local watch = cekura.watch { client = client, store = "%s/kept", every = 0.1, limits = { per_hour = 1000 },
        on_error = function(err, where) say("error", where, err.message) end,
        agents = { { agent_id = 77, since = %d, prompt = "Be nice.", improve = true,
          on_evaluated = function(call) cekura.sleep(0.01) say("evaluated", call.id) cekura.sleep(0.01) end,
          on_improved = function(_, call) say("improved", call.id) end,
          on_failed = function(err, call) say("failed", call.id, err.message) end } } }
      function module.unload()
        watch:stop()
        %s
      end
    ]]):format(dir, os.time() - 86400, "if math.random() < 0.3 then client:close() end"))
    start('watches", "reloads')
    local rounds = 10
    for _ = 1, rounds do
      server:admin("POST", "call_logs/", { count = 4, agent_id = 77 })
      cekura.sleep(0.15 + 0.2 * math.random())
      cekura.assert(client:request("GET", "/reloads/reload"))
    end
    local counts = {}
    local function count(what)
      local found = 0
      for _, line in ipairs(said()) do
        found = found + (line:find("^" .. what) and 1 or 0)
      end
      return found
    end
    for _ = 1, 1200 do
      if count "improved" + count "failed" >= 4 * rounds then
        break
      end
      cekura.sleep(0.05)
    end
    for _, line in ipairs(said()) do
      local what, id = line:match "^(%a+) (%S+)"
      counts[what .. id] = (counts[what .. id] or 0) + 1
      assert.falsy(line:find "^error" or line:find "process", line)
    end
    for id = 6000001, 6000000 + 4 * rounds do
      assert.equal(1, counts["evaluated" .. id], id)
      assert.equal(1, (counts["improved" .. id] or 0) + (counts["failed" .. id] or 0), id)
    end
    local starts = 0
    for _, request in ipairs(server:requests()) do
      starts = starts + (request.path:find "improve_prompt_bg" and 1 or 0)
    end
    assert.equal(4 * rounds, starts)
    is_well()
  end)

  it("ends cleanly while tasks, coroutines and handlers wait", function()
    probe [[
      cekura.spawn(function() start():wait() end)
      cekura.spawn(function() cekura.sleep(1000) end)
      coroutine.wrap(function() start():wait() end)()
      route("wait", function() say "waits" start():wait() end)
    ]]
    cekura.run(function()
      local waiting = cekura.spawn(get, "wait")
      wait_for "say: waits"
      assert.equal(0, prosody:stop())
      waiting:cancel()
    end)
    is_well()
  end)

  -- A function of the module asks Prosody to end, because with this backend Prosody 13.0 misses signals:
  -- util-src/signal.c runs the handler in the coroutine that registered it, which is not the one that runs.
  it("works with the select backend", function()
    probe([[
      route("wait", function() release() return start():wait { interval = 0.02 }.improved_prompt end)
      route("end", function() module:add_timer(0.1, function() prosody.shutdown "as asked" end) return "" end)
    ]], 'network_backend = "select"')
    assert.truthy(prosody:output():find "Prosody is using the select backend")
    assert.equal("better", get "wait")
    get "end"
    assert.truthy(process.eventually(function() return not prosody:is_running() end))
    assert.equal(0, prosody:stop())
    is_well()
  end)

  describe('"auto"', function()
    it("detects Prosody's loop inside Prosody", function()
      probe [[ say(require "cekura.loop" "auto".name) ]]
      assert.same({ "prosody" }, said())
    end)

    it("detects no host in prosodyctl, nor in a script with a global of that name", function()
      file.write(dir .. "/mod_names.lua", [[
        function module.command()
          print("type", prosody.process_type, require "cekura.loop" "auto".name)
          print(require "cekura".assert(require "cekura".new()):request("GET", "/echo/").status)
        end
      ]])
      local output, status = shell(("%s prosodyctl --config %s mod_names"):format(environment(), (configure "names")))
      assert.equal(0, status, output)
      assert.truthy(output:find "type\tprosodyctl\tauto\n200\n", output)
      file.write(dir .. "/script.lua", [[ prosody = { events = {} } print(require "cekura.loop" "auto".name) ]])
      assert.equal("auto\n", (shell(("%s lua5.4 %s/script.lua"):format(environment(), dir))))
    end)
  end)
end)

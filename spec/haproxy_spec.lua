-- The module in a real HAProxy, on the Lua that HAProxy was built with: 5.3 on Debian 12, 5.4 on Debian 13.

local cekura = require "cekura"
local core = require "cekura.core"
local file = require "spec.support.file"
local process = require "spec.support.process"
local shell = require "spec.support.shell"
local patience = require "spec.support.patience"
local simulator = require "spec.support.simulator"
local webhook_cases = require "spec.support.webhook_cases"

local built = shell "haproxy -vv"
local lua = "lua" .. assert(built:match "Built with Lua version : Lua (%d%.%d)")

if (os.getenv "CEKURA_LUA" or "lua5.4") ~= lua then
  return
end

local HERE = shell("pwd"):gsub("%s+$", "")

local START = "/observability/v1/call-logs/improve_prompt_bg/"
local PROGRESS = "/observability/v1/call-logs/improve_prompt_progress/"

local PATHS = ([[
  lua-prepend-path %s/lua/?.lua
  lua-prepend-path %s/lua/?/init.lua
  lua-prepend-path %s/build/%s/?.so cpath
]]):format(HERE, HERE, HERE, lua)

local CONFIG = "global\n" .. PATHS .. [[
  lua-load app.lua
  nbthread 2
  @GLOBAL@
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  @DEFAULTS@
frontend main
  bind 127.0.0.1:@PORT@
  @RULES@
  http-request return status 200 content-type text/plain string plain if { path /plain }
  http-request return status 200 content-type text/plain lf-string "%[var(txn.said)]" if { var(txn.said) -m found }
  http-request use-service lua.serve
]]

-- One client for each process, a service that calls the function of `pages` with the name in the path, and the same as
-- an action.
local APP = [[
local cekura = require "cekura"
local client
local function the_client()
  client = client or cekura.assert(cekura.new { api_key = "sim-key", base_url = %q, config_file = false, %s })
  return client
end
local function a_job()
  return cekura.assert(the_client().calls:improve_prompt { agent_id = 1, call_logs = { 1 }, prompt = "x" })
end
local function echo(path)
  return cekura.assert(the_client():request("GET", path or "/echo/")).status
end
local function wait(job)
  local result, err = job:wait { interval = 0.1 }
  return result and result.improved_prompt or err.kind .. " " .. job:token()
end
local pages = {}
local function said(path)
  local ok, text = pcall(pages[path:match "%%w+"])
  return tostring(text)
end
core.register_service("serve", "http", function(applet)
  local text = said(applet.path)
  applet:set_status(200)
  applet:start_response()
  applet:send(text)
end)
core.register_action("act", { "http-req" }, function(txn)
  txn:set_var("txn.said", said(txn.f:path()))
end)
function pages.job() return wait(a_job()) end
function pages.echo() return echo() end
function pages.stats() return require("cjson").encode(the_client():stats()) end
%s
]]

describe("in HAProxy", function()
  local server = simulator.during(setup, teardown)
  local host, client -- the HAProxy under test, and a client that sends it requests

  before_each(function()
    server:reset()
  end)

  after_each(function()
    if client then
      client:close()
    end
    if host then
      host:stop()
    end
    client, host = nil, nil
  end)

  -- Starts HAProxy in the foreground, or as `arguments` say, with a configuration in which @PORT@ stands for a port.
  local function start(config, files, arguments, folder)
    local port = process.free_port()
    host = process.start(("haproxy %s -f haproxy.cfg"):format(arguments or "-db"), function()
      return process.listens(port)
    end, function(dir)
      shell(("mkdir %s/empty %s/%s"):format(dir, dir, folder or "others"))
      for name, text in pairs(files) do
        file.write(dir .. "/" .. name, text)
      end
      file.write(dir .. "/haproxy.cfg", (config:gsub("@(%u+)@", { PORT = port, DIR = dir })))
    end)
    client = server:client { base_url = "http://127.0.0.1:" .. port, retries = 0, max_in_flight = 100, timeout = 60 }
  end

  -- Starts HAProxy with further code in its Lua file. `given` has further lines of the configuration, and options of
  -- the client in HAProxy.
  local function serve(code, given)
    given = given or {}
    local config = CONFIG:gsub("@(%u+)@", { GLOBAL = given.global or "", DEFAULTS = given.defaults or "",
      RULES = given.rules or "" })
    start(config, { ["app.lua"] = APP:format(server.url, given.options or "", code) }, given.arguments)
  end

  -- The message with which HAProxy refuses to start with this code.
  local function refusal(code)
    local started, raised = pcall(serve, code)
    assert.is_false(started)
    return raised
  end

  local function get(path)
    local response, err = client:request("GET", path)
    return response and response.body or err.response and err.response.body or tostring(err)
  end

  local function requests_to(path)
    local list = {}
    for _, request in ipairs(server:requests()) do
      if request.path:sub(1, #path) == path then
        list[#list + 1] = request
      end
    end
    return list
  end

  -- Waits until so many jobs have been polled.
  local function wait_for_jobs(count)
    patience.eventually(function()
      local seen, polled = {}, 0
      for _, request in ipairs(requests_to(PROGRESS)) do
        polled = polled + (seen[request.uri] and 0 or 1)
        seen[request.uri] = true
      end
      return polled == count
    end)
  end

  local function endless()
    server:script(PROGRESS, { { body = { status = "processing" } } })
  end

  local function complete()
    server:script(PROGRESS, { { body = { status = "completed", improved_prompt = "Better." } } })
  end

  it("can wait in services, in actions and in tasks, including HAProxy's own", function()
    serve([[
      local from_task
      core.register_task(function() from_task = echo() end)
      function pages.task() while not from_task do cekura.sleep(0.01) end return from_task end
    ]], { rules = "http-request lua.act if { path_sub action }" })
    assert.equal("200", get "/echo")
    assert.equal("200", get "/echo/action")
    assert.equal("200", get "/task")
  end)

  it("serves other requests while one client of the process waits for many jobs", function()
    serve "function pages.lua() return 'lua' end"
    server:script(PROGRESS, { { hold = "others", body = { status = "completed", improved_prompt = "Better." } } })
    local order = {}
    cekura.run(function()
      for index = 1, 30 do
        cekura.spawn(function()
          assert.equal("Better.", get "/job")
          order[#order + 1] = "job"
        end)
        if index % 3 == 0 then
          cekura.spawn(function()
            server:wait_for(PROGRESS)
            local path = index % 2 == 0 and "/plain" or "/lua"
            assert.equal(path, "/" .. get(path))
            order[#order + 1] = "other"
          end)
        end
      end
      patience.eventually(function() return #order == 10 end)
      server:release "others"
    end)
    assert.equal("other", order[10])
    assert.equal("job", order[11])
    assert.equal(40, #order)
    assert.equal(30, cekura.call_log(get "/stats").jobs)
    assert.equal(30, #requests_to(START))
  end)

  it("begins tasks that were spawned while it loaded once it runs", function()
    serve [[
      local order = { "loading" }
      local task = cekura.spawn(function(...)
        order[#order + 1] = "task"
        order[#order + 1] = echo()
        return ...
      end, 1, nil, 3)
      order[#order + 1] = "loaded"
      function pages.join()
        local a, b, c = task:join()
        return table.concat(order, " ") .. " " .. a .. tostring(b) .. c
      end
    ]]
    assert.equal("loading loaded task 200 1nil3", get "/join")
  end)

  it("runs, joins and cancels tasks", function()
    server:script("/slow/", { { delay = 600 } })
    serve([[
      function pages.order()
        local order = {}
        local task = cekura.spawn(function() order[#order + 1] = "task" end)
        order[#order + 1] = "caller"
        task:join()
        return table.concat(order, " ")
      end
      function pages.cancel()
        local endless = cekura.spawn(function() while true do cekura.sleep(0.01) end end)
        local asking = cekura.spawn(echo, "/slow/")
        local never = cekura.spawn(function() error "it ran" end)
        never:cancel()
        cekura.sleep(0.05)
        local kinds = {}
        for _, task in ipairs { endless, asking, never } do
          task:cancel()
          local value, err = task:join()
          kinds[#kinds + 1] = tostring(value) .. " " .. err.kind
        end
        return table.concat(kinds, ", ")
      end
      function pages.run()
        local left = 0
        return cekura.run(function()
          for _ = 1, 3 do
            cekura.spawn(function() left = left + 1; cekura.sleep(0.05); left = left - 1 end)
          end
          return "main"
        end) .. " " .. left .. " " .. tostring(select(2, pcall(cekura.run, function()
          cekura.spawn(error, "nobody joins", 0)
        end)))
      end
      core.register_converters("spawning", function(text)
        cekura.spawn(echo, "/from_converter/")
        return text
      end)
    ]], { rules = "http-request set-header x %[path,lua.spawning] if { path /converter }" })
    assert.equal("caller task", get "/order")
    assert.equal("nil cancelled, nil cancelled, nil cancelled", get "/cancel")
    assert.equal("main 0 nobody joins", get "/run")
    get "/converter"
    assert.truthy(process.eventually(function() return #requests_to "/from_converter/" == 1 end))
  end)

  it("logs the error of an unjoined task, and raises an event handler's error in the waiting task", function()
    server:script("/refused/", { { status = 401, body = { detail = "no such key: sim-key" } } })
    serve([[
      function pages.lost() cekura.spawn(error, 'lost task', 0) end
      function pages.refused()
        cekura.spawn(function() cekura.assert(the_client():request("GET", "/refused/")) end)
      end
    ]], { options = [[on_event = function(event)
      if event.name == "request_finished" and event.status == 200 then cekura.sleep(1) end
    end]] })
    get "/lost"
    host:wait_for "a task raised, and was not joined: lost task"
    get "/refused"
    host:wait_for "no such key: [key]"
    assert.equal("cekura: an event handler cannot wait: have cekura.spawn start a task that does", get "/echo")
  end)

  it("raises in code that cannot wait, and sends nothing", function()
    serve([[
      local function try(...)
        return tostring(select(2, pcall(...)))
      end
      local inits = {}
      core.register_init(function() inits[1] = try(cekura.sleep, 0) end)
      inits[2] = try(cekura.run, print)
      inits[3] = try(the_client)
      function pages.init() return table.concat(inits, "|") end
      function pages.coroutine()
        return coroutine.wrap(function() return try(echo) .. "|" .. try(cekura.spawn, echo) end)()
      end
      core.register_fetches("asking", function() return echo() end)
      core.register_converters("asking", function() return echo() end)
    ]], { rules = [[http-request set-var(txn.said) lua.asking if { path /fetch }
      http-request set-var(txn.said) path,lua.asking if { path /converter }]] })
    local sleep, run, new = get "/init":match "^(.*)|(.*)|(.*)$"
    assert.truthy(sleep:find "nothing can wait while HAProxy loads: .* cekura.spawn", sleep)
    assert.equal(sleep:match "cekura: .*", run:match "cekura: .*")
    assert.truthy(new:find("a client is made when HAProxy runs", 1, true), new)
    local waiting, spawning = get "/coroutine":match "^(.*)|(.*)$"
    assert.truthy(waiting:find("only its own tasks, services and actions", 1, true), waiting)
    assert.equal(waiting:match "cekura: .*", spawning:match "cekura: .*")
    get "/fetch"
    host:wait_for "Lua sample-fetch 'asking': yield not allowed"
    get "/converter"
    host:wait_for "Lua converter 'asking': yield functions like core.tcp() or core.sleep() are not allowed"
    assert.equal(0, #server:requests())
    assert.equal("200", get "/echo")
  end)

  it("does not start if its Lua file waits while it loads", function()
    assert.truthy(refusal "echo()":find("a client is made when HAProxy runs", 1, true))
    local raised = refusal "cekura.sleep(1)"
    assert.truthy(raised:find "app.lua:%d+: cekura: nothing can wait while HAProxy loads", raised)
  end)

  it("keeps waiting in a service whose client has disconnected", function()
    serve [[
      local left
      function pages.leaving() left = wait(a_job()) end
      function pages.left() while not left do cekura.sleep(0.01) end return left end
    ]]
    endless()
    cekura.run(function()
      local leaving = cekura.spawn(get, "/leaving")
      assert.truthy(process.eventually(function() cekura.sleep(0.01) return #requests_to(PROGRESS) > 0 end))
      leaving:cancel()
      leaving:join()
    end)
    complete()
    assert.equal("Better.", get "/left")
  end)

  -- HAProxy 2.6 ends such an action. HAProxy 3.0 does not, not even one that only sleeps.
  local ends_actions = tonumber(built:match "HAProxy version (%d+)") < 3

  it("ends the wait of a client that disconnects, and no other wait, in an action with abortonclose", function()
    endless()
    serve([[
      local shared
      function pages.same() shared = shared or a_job() return wait(shared) end
    ]], { defaults = "option abortonclose", rules = "http-request lua.act" })
    local outcome
    cekura.run(function()
      local leaving, leaving_too = cekura.spawn(get, "/same"), cekura.spawn(get, "/job")
      wait_for_jobs(2)
      local staying = cekura.spawn(get, "/same")
      cekura.sleep(0.5)
      leaving:cancel()
      leaving_too:cancel()
      local rounds, polled = 0
      repeat -- until the jobs of disconnected clients are no longer polled
        rounds = rounds + 1
        local before, seen = #requests_to(PROGRESS), {}
        cekura.sleep(1)
        local requests = requests_to(PROGRESS)
        polled = 0
        for index = before + 1, #requests do
          local id = requests[index].uri
          polled = polled + (seen[id] and 0 or 1)
          seen[id] = true
        end
      until polled == (ends_actions and 1 or 2) or rounds == 60
      assert.equal(ends_actions and 1 or 2, polled)
      complete()
      outcome = staying:join()
    end)
    assert.equal("Better.", outcome)
  end)

  it("ends a wait at its deadline, and when its client is closed", function()
    endless()
    serve [[
      function pages.late() return select(2, a_job():wait { timeout = 0.3, interval = 0.05 }).kind end
      function pages.close()
        local job = a_job()
        local waiting = cekura.spawn(function() return job:wait() end)
        cekura.sleep(0.2)
        client:close()
        return select(2, waiting:join()).kind
      end
    ]]
    assert.equal("timeout", get "/late")
    assert.equal("closed", get "/close")
  end)

  -- HAProxy interrupts its Lua often here.
  it("returns right answers to many requests with two threads", function()
    serve([[
      function pages.pair()
        local job = a_job()
        local one, two = cekura.spawn(wait, job), cekura.spawn(echo)
        return cekura.assert(one:join()):sub(1, 2) .. two:join()
      end
    ]], { global = "tune.lua.forced-yield 60" })
    local answers = {}
    cekura.run(function()
      for _ = 1, 40 do
        cekura.spawn(function()
          for _ = 1, 5 do
            local answer = get "/pair"
            answers[answer] = (answers[answer] or 0) + 1
            answer = get "/echo"
            answers[answer] = (answers[answer] or 0) + 1
          end
        end)
      end
    end)
    assert.same({ ["x\n200"] = 200, ["200"] = 200 }, answers)
    assert.equal(200, #requests_to(START))
    local stats = cekura.call_log(get "/stats")
    assert.equal(0, stats.in_flight)
    assert.is_true(stats.max_in_flight <= 16)
  end)

  it("works in a chroot and as another user", function()
    serve("", { global = "chroot @DIR@/empty\n user nobody" })
    assert.equal("200", get "/echo")
    assert.truthy(get "/job":find("Confirm", 1, true))
  end)

  it("ends waits with closed at a soft stop", function()
    endless()
    serve [[function pages.sleep() return select(2, pcall(cekura.sleep, 1000)).kind end
      cekura.spawn(function() wait(a_job()) end)]]
    cekura.run(function()
      local waiting, sleeping = cekura.spawn(get, "/job"), cekura.spawn(get, "/sleep")
      wait_for_jobs(2)
      shell(("kill -USR1 %d"):format(host.pid))
      local said = waiting:join()
      assert.truthy(said:find "^closed %w+", said)
      assert.equal("closed", sleeping:join())
    end)
    assert.truthy(process.eventually(function() return not host:is_running() end))
    assert.equal("0\n", file.read(host.dir .. "/status"))
  end)

  it("ends at once on SIGTERM, in spite of waits", function()
    endless()
    serve "cekura.spawn(function() wait(a_job()) end)"
    cekura.run(function()
      local waiting = cekura.spawn(get, "/job")
      wait_for_jobs(2)
      assert.equal(143, host:stop()) -- the status is the same without this module
      assert.truthy(waiting:join():find "^cekura: ")
    end)
  end)

  it("ends waits with closed at a reload in master-worker mode", function()
    endless()
    serve("cekura.spawn(function() wait(a_job()) end)", { arguments = "-W" })
    local function workers()
      return file.read(("/proc/%d/task/%d/children"):format(host.pid, host.pid)):gsub("%s+$", "")
    end
    local old = workers()
    assert.truthy(old:find "^%d+$", old)
    cekura.run(function()
      local waiting = cekura.spawn(get, "/job")
      wait_for_jobs(2)
      shell(("kill -USR2 %d"):format(host.pid))
      local said = waiting:join()
      assert.truthy(said:find "^closed %w+", said)
    end)
    assert.truthy(process.eventually(function() -- the master may not have collected the old worker yet
      local new = workers()
      return new:find "^%d+$" and new ~= old
    end))
    complete()
    assert.equal("Better.", get "/job")
    assert.is_nil(host:output():find("ALERT", 1, true), host:output())
  end)

  it("delays a task that waits again after its cancellation by a second each time, and cekura.run ends", function()
    serve [[
      local rounds, kinds = 0, {}
      function pages.stubborn()
        local began, ok, raised = core.now().sec, pcall(cekura.run, function()
          cekura.spawn(function()
            while true do
              local _, err = pcall(cekura.sleep, 0.01)
              rounds = rounds + 1
              kinds[rounds] = err and err.kind
            end
          end)
          cekura.sleep(0.1)
          rounds = 0
          error("boom", 0)
        end)
        return tostring(ok) .. " " .. raised
      end
      function pages.rounds() return rounds .. " " .. kinds[rounds] end
    ]]
    local began = core.now()
    assert.equal("false boom", get "/stubborn")
    cekura.sleep(2)
    local rounds, kind = get "/rounds":match "^(%d+) (%a+)$"
    assert.equal("cancelled", kind)
    assert.is_true(tonumber(rounds) < 2 + 20 * (core.now() - began), rounds) -- without the pause, 500 a second
    assert.equal("200", get "/echo")
  end)

  it("starts the watch of examples/watch.lua, unchanged in lua-load", function()
    local global = ("  setenv CEKURA_API_KEY sim-key\n  setenv CEKURA_API_URL %s"):format(server.url)
    start(CONFIG:gsub("@(%u+)@", { GLOBAL = global, DEFAULTS = "", RULES = "" })
      :gsub("http%-request use%-service[^\n]*\n", "\n"):gsub("lua%-load app.lua", "lua-load watch.lua"),
      { ["watch.lua"] = file.read "examples/watch.lua" }, nil, "prompts")
    assert.truthy(process.comes_true(function()
      return #requests_to "/observability/v2/call-logs/" > 0
    end), host:output())
    assert.truthy(process.eventually(function() return file.read(host.dir .. "/prompts/watch.json") end))
  end)

  it("watches a hundred calls that are evaluated at once", function()
    serve(([[
      local told, improved, errors = {}, {}, {}
      local watch = cekura.watch {
        client = { api_key = "sim-key", base_url = %q, config_file = false },
        every = 0.2, store = "store.json", limits = { jobs = 16, per_hour = 1000 },
        on_error = function(err, where) errors[#errors + 1] = where .. ": " .. tostring(err) end,
        agents = { { agent_id = 2142, improve = true, prompt = "Be nice.",
          on_evaluated = function(call) told[#told + 1] = call.id end,
          on_improved = function(_, call) improved[#improved + 1] = call.id end,
          on_failed = function(err) errors[#errors + 1] = tostring(err) end } },
      }
      function pages.looked() return tostring(watch:status().entries["agent 2142"].looked ~= nil) end
      function pages.counts() return #told .. " " .. #improved .. " " .. table.concat(errors, "; ") end
    ]]):format(server.url))
    assert.truthy(process.comes_true(function() return get "/looked" == "true" end), host:output())
    local now = os.time() + 1
    server:admin("POST", "call_logs/", { count = 100, from = now, to = now })
    process.eventually(function() return get "/counts":find "100 100 " end)
    assert.equal("100 100 ", get "/counts")
    assert.equal(100, #requests_to(START))
  end)

  it("runs a watch in one thread at a time if each thread has a separate Lua state", function()
    server:admin("POST", "call_logs/", { count = 6, agent_id = 77 })
    local config = CONFIG:gsub("lua%-load app.lua", "lua-load-per-thread app.lua"):gsub("nbthread 2", "nbthread 4")
      :gsub("@GLOBAL@", ""):gsub("@DEFAULTS@", ""):gsub("@RULES@", "")
    start(config, { ["app.lua"] = APP:format(server.url, "", ([[
      core.register_task(function()
        local function note(what, call) core.log(core.notice, "noted: " .. what .. " " .. call.id) end
        local watch = cekura.watch { client = the_client(), store = "kept", every = 0.2, agents = {
          { agent_id = 77, since = %d, prompt = "Be nice.", improve = true,
            on_evaluated = function(call) note("evaluated", call) end,
            on_improved = function(_, call) note("improved", call) end } } }
      end)
    ]]):format(os.time() - 86400)) })
    assert.truthy(process.eventually(function()
      return #requests_to(START) >= 6 and file.read(host.dir .. "/kept"):find('"improvements":[]', 1, true)
    end))
    os.execute "sleep 1"
    assert.equal(6, #requests_to(START))
    for id = 6000001, 6000006 do
      assert.equal(1, #requests_to("/observability/v2/call-logs/" .. id .. "/"))
    end
  end)

  it("writes the lines of CEKURA_DEBUG to stderr, whole, from all of its threads", function()
    serve("", { global = "setenv CEKURA_DEBUG 1" })
    cekura.run(function()
      for _ = 1, 50 do
        cekura.spawn(get, "/echo")
      end
    end)
    local ends, starts = {}, 0
    for line in host:output():gmatch "([^\n]*)\n" do
      if line:find("cekura", 1, true) then
        local number, rest = line:match "^cekura%[%d+%] %d%d:%d%d:%d%d #(%d+) GET /echo/: (.*)$"
        assert.truthy(rest == "try 1" or rest:find "^ended: HTTP 200; tries: 1; %d+%.%d%d%d s$", line)
        starts = starts + (rest == "try 1" and 1 or 0)
        ends[number] = rest ~= "try 1" or nil
      end
    end
    local count = 0
    for _ in pairs(ends) do
      count = count + 1
    end
    assert.same({ 50, 50 }, { starts, count })
  end)

  it("runs the example", function()
    local config = file.read "examples/haproxy/haproxy.cfg"
    config = config:gsub("127.0.0.1:8080", "127.0.0.1:@PORT@")
      :gsub("127.0.0.1:8000", server.url:match "//(.*)")
      :gsub("lua%-load [^\n]*/", PATHS:gsub("^%s+", ""):gsub("%%", "%%%%") .. "  lua-load ")
      :gsub("\nglobal\n", "%0  setenv CEKURA_API_KEY sim-key\n  setenv CEKURA_WEBHOOK_SECRET whs-1234\n"
        .. "  setenv CEKURA_API_URL " .. server.url .. "\n")
    start(config, { ["improve.lua"] = file.read "examples/haproxy/improve.lua" })
    local asked = { agent_id = 2142, call_logs = { 5181749 }, prompt = "Be brief." }
    local improved, proxied
    local order = {}
    server:script(PROGRESS, { { hold = "proxied",
      body = { status = "completed", improved_prompt = "Be brief. Nice." } } })
    cekura.run(function()
      cekura.spawn(function()
        improved = cekura.assert(client:request("POST", "/improve", { body = asked })):json()
        order[#order + 1] = "improved"
      end)
      server:wait_for(PROGRESS)
      proxied = cekura.assert(client:request("GET", "/echo/proxied")):json()
      order[#order + 1] = "proxied"
      server:release "proxied"
    end)
    assert.same({ "proxied", "improved" }, order)
    assert.equal("/echo/proxied", proxied.path)
    assert.equal("succeeded", improved.state)
    assert.truthy(improved.improved_prompt:find "^Be brief.")
    local _, err = client:request("POST", "/improve", { body = { agent_id = 2142 } })
    assert.equal(400, err.status)
    assert.truthy(err.response:json().error:find "is missing", err.response.body)
    assert.truthy(process.eventually(function() return get "/failed_calls" == "0\n" end))
    webhook_cases(client, "/webhook")
  end)
end)

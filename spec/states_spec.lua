--- lua_close at every point of a job's life, and many Lua states in one process, in sequence and in parallel. The
-- programs run under AddressSanitizer, which also reports what is left behind.

local file = require "spec.support.file"
local shell = require "spec.support.shell"
local simulator = require "spec.support.simulator"
local sorted_keys = require "spec.support.sorted_keys"

local lua = os.getenv "CEKURA_LUA" or "lua5.4"

local START = "/observability/v1/call-logs/improve_prompt_bg/"

-- `keep` holds objects until the state is closed; `here(fn)` runs the function in a coroutine that is abandoned where
-- it yields.
local PRELUDE = [[
  local number = ...
  local cekura, core, posix = require "cekura", require "cekura.core", require "spec.life.posix"
  local server = { url = %q, tls_url = %q, ca_file = %q }
  keep = {}
  local function new(options)
    options = options or {}
    options.api_key, options.config_file = "sim-key", false
    options.base_url = options.base_url or server.url
    local client = cekura.assert(cekura.new(options))
    keep[#keep + 1] = client
    return client
  end
  local function here(fn)
    local co = coroutine.create(fn)
    keep[#keep + 1] = co
    local ok, raised = coroutine.resume(co)
    assert(ok, raised)
  end
  local function spawn(...) keep[#keep + 1] = cekura.spawn(...) return keep[#keep] end
  local params = { call_logs = { 1 }, prompt = "x" }
  local function start(client) return cekura.assert(client.calls:improve_prompt(params)) end
  local endless = { ["X-Simulate"] = "life=endless" }
]]

-- The situations in which the state is closed. Those whose name begins with "the program ends" close it themselves.
local POINTS = {
  ["a client is made"] = "new()",
  ["a client is made, over TLS"] = "new { base_url = server.tls_url, ca_file = server.ca_file }",
  ["a connection is idle"] = 'assert(new():request("GET", "/echo/"))',
  ["a connection is idle, over TLS"] = [[
    assert(new { base_url = server.tls_url, ca_file = server.ca_file }:request("GET", "/echo/"))
  ]],
  ["a task that starts a job has not begun"] = "spawn(start, new())",
  ["functions of cekura.testing reply, to clients older and newer than they are"] = [[
    local function watched(service)
      service:script("/late/", function() return { delay = 600 } end)
      return service
    end
    local before, after = watched(require("cekura.testing").start()), require("cekura.testing").start()
    local clients = { before:client(), after:client() }
    keep[#keep + 1], keep[#keep + 2] = before, watched(after)
    for _, client in ipairs(clients) do
      spawn(client.request, client, "GET", "/late/")
    end
    repeat cekura.sleep(0.01) until before:requests()[1] and after:requests()[1]
  ]],
  ["a start is queued"] = [[
    local client = new { max_in_flight = 1 }
    spawn(client.request, client, "GET", "/stuck/") spawn(start, client) cekura.sleep(0.05)
  ]],
  ["a start is in flight"] = 'spawn(start, new { headers = { ["X-Stuck"] = "yes" } }) cekura.sleep(0.05)',
  ["a start waits for its retry"] = [[
    local client = new()
    spawn(client.request, client, "GET", "/busy/") cekura.sleep(0.05)
  ]],
  ["a job is started"] = "keep.job = start(new())",
  ["a job is waited for, between two polls"] = [[
    local job = start(new { headers = endless })
    spawn(job.wait, job, { interval = 0.01 }) cekura.sleep(0.05)
    spawn(job.wait, job, { interval = 10 }) cekura.sleep(0.05)
  ]],
  ["a poll is in flight"] = [[
    local client = new()
    local job = cekura.assert(client:job("results.run", 7))
    spawn(job.wait, job) cekura.sleep(0.05)
    assert(client:stats().in_flight == 1)
  ]],
  ["a wait was abandoned with its poll in flight"] = [[
    local job = cekura.assert(new():job("results.run", 7))
    job:wait { timeout = 0.03 }
    keep.job = job
  ]],
  ["an answer is half read"] = [[
    local client = new()
    spawn(client.request, client, "GET", "/dripping/")
    repeat cekura.sleep(0.02) until client:stats().bytes_in > 0
  ]],
  ["a large answer is read in slices"] = [[
    local client = new()
    spawn(client.request, client, "GET", "/large/")
    repeat client:step() core.wait({ client }, 0.02) until client:stats().bytes_in > 100000
    assert(client:stats().in_flight == 1)
  ]],
  ["TLS connections are being set up"] = [[
    for steps = 1, 30 do
      local client = new { base_url = server.tls_url, ca_file = server.ca_file }
      spawn(client.request, client, "GET", "/echo/")
      for _ = 1, steps do client:step() core.wait({ client }, 0.0002) end
    end
  ]],
  ["a name is being looked up"] = [[
    local client = new { base_url = "https://a.name.slow" }
    spawn(client.request, client, "GET", "/") cekura.sleep(0.05)
  ]],
  ["tasks are parked in every kind of wait"] = [[
    local client = new { headers = endless }
    local job = start(client)
    local function sleeper() cekura.sleep(10) end
    spawn(sleeper)
    spawn(function() cekura.run(sleeper) end)
    spawn(function() cekura.spawn(sleeper):join() end)
    spawn(function() client:request("GET", "/stuck/") end)
    spawn(function() cekura.all({ job, start(client) }, { interval = 0.02 }) end)
    local next_one = cekura.each({ job, start(client) }, { interval = 0.02 })
    spawn(function() next_one() end)
    local next_change = job:updates { interval = 0.02 }
    spawn(function() while next_change() do end end)
    spawn(function() while true do coroutine.yield() end end)
    cekura.sleep(0.1)
  ]],
  ["tasks are cancelled, and have not resumed"] = [[
    local client = new()
    local one = spawn(client.request, client, "GET", "/stuck/")
    local two = spawn(cekura.sleep, 10)
    cekura.sleep(0.05)
    one:cancel() two:cancel()
  ]],
  ["an iteration over updates() is abandoned"] = [[
    local job = start(new { headers = endless })
    here(function()
      local next_change = job:updates { interval = 0.01 }
      while next_change() do coroutine.yield() end
    end)
  ]],
  ["some jobs of a list have ended"] = [[
    local client, slow = new(), new { headers = endless }
    keep.next = cekura.each({ start(client), start(slow), start(slow) }, { interval = 0.01 })
    assert(keep.next())
  ]],
  ["a task waits in on_progress"] = [[
    local job = start(new { headers = endless })
    spawn(job.wait, job, { interval = 0.01, on_progress = function() cekura.sleep(10) end })
    cekura.sleep(0.1)
  ]],
  ["a client is closed, and its jobs and their errors are kept"] = [[
    local client = new()
    local job = start(client)
    local waiting = spawn(job.wait, job, { interval = 0.01 })
    cekura.sleep(0.015)
    client:close()
    keep.err = select(2, waiting:join())
  ]],
  ["a client is closed with requests in flight, and their waiters have not resumed"] = [[
    local client = new()
    for _ = 1, 5 do spawn(client.request, client, "GET", "/stuck/") end
    cekura.sleep(0.05)
    core.close(client)
  ]],
  ["a client is collected, and its job is not"] = [[
    local client = new()
    local job = start(client)
    job:wait { interval = 0.01 }
    keep = { job = job, calls = client.calls:each { agent_id = 2142 } }
    keep.calls()
  ]],
  ["a job has ended, and call logs were read"] = [[
    local client = new()
    keep.result = cekura.assert(start(client):wait { interval = 0.01 })
    keep.call = cekura.assert(client.calls:get(5181749))
    keep.turns = { keep.call:turns() }
  ]],
  ["finalizers use objects that may be finalized"] = [[
    local function finalizer(fn)
      if not newproxy then return setmetatable({}, { __gc = fn }) end
      local proxy = newproxy(true)
      getmetatable(proxy).__gc = fn
      return proxy
    end
    local client, job
    -- They may raise inside the finalizer only: LuaJIT of 2024 and later prints an error that leaves it.
    local function finish()
      for _, name in ipairs { "close", "step", "stats" } do pcall(function() client[name](client) end) end
      for _, name in ipairs { "cancel", "json", "token" } do pcall(function() job[name](job) end) end
      pcall(function() client:request("GET", "/echo/") end)
      tostring(client) tostring(job)
    end
    keep.before = finalizer(finish)
    client = new()
    keep.between = finalizer(finish)
    job = start(client)
    keep.after = finalizer(finish)
    spawn(job.wait, job, { interval = 0.01 }) cekura.sleep(0.02)
  ]],
  ["a thread steps the engine"] = [[
    local client = new()
    keep.bridge = assert(core.bridge(client))
    posix.connect(core.bridge_path(keep.bridge))
    assert(core.bridge_accept(keep.bridge))
    core.bridge_arm(keep.bridge)
    spawn(client.request, client, "GET", "/stuck/") cekura.sleep(0.05)
    core.bridge_arm(keep.bridge)
  ]],
  ["no socket has connected to a bridge"] = "keep.bridge = assert(core.bridge(new()))",
  ["the module was loaded twice"] = [[
    local client = new()
    local job = start(client)
    spawn(job.wait, job, { interval = 10 }) cekura.sleep(0.02)
    for name in pairs(package.loaded) do
      if name:find "^cekura" then package.loaded[name] = nil end
    end
    cekura, core = require "cekura", require "cekura.core"
    keep.again = start(new())
    spawn(keep.again.wait, keep.again, { interval = 10 }) cekura.sleep(0.02)
  ]],
}

if _VERSION ~= "Lua 5.1" or rawget(_G, "jit") then -- in 5.1 nothing yields in a callback, and os.exit() closes nothing
  POINTS["a coroutine is left in on_progress"] = [[
    local job = start(new { headers = endless })
    here(function()
      job:wait { interval = 0.01, on_progress = coroutine.yield }
    end)
  ]]
  for place, code in pairs {
    ["an event handler"] = [[
      local client = new { on_event = function(event) if event.status then leave() end end }
      client:request("GET", "/echo/")
    ]],
    ["an event handler of a job"] = [[
      local client = new { on_event = function(event) if event.name == "job_changed" then leave() end end }
      start(client):wait { interval = 0.01 }
    ]],
    on_progress = "start(new()):wait { interval = 0.01, on_progress = leave }",
    ["a task"] = 'local client = new() spawn(client.request, client, "GET", "/stuck/") cekura.run(leave)',
    ["the body of an iteration"] = "for _ in start(new()):updates { interval = 0.01 } do leave() end",
    ["a coroutine of a task"] = [[
      local client = new()
      cekura.run(function()
        cekura.spawn(client.request, client, "GET", "/stuck/")
        coroutine.wrap(function() cekura.sleep(0.01) leave() end)()
      end)
    ]],
  } do
    POINTS["the program ends in " .. place] = "local function leave() os.exit(true, true) end\n" .. code
  end
end

-- The program of each thread, which has a separate state.
local WORK = [[
  local client, other = new { max_in_flight = 4 }, new()
  local jobs = {}
  for index = 1, 8 do jobs[index] = start(index % 2 == 0 and client or other) end
  for _, outcome in ipairs(cekura.all(jobs, { interval = 0.01 })) do
    assert(outcome.result.improved_prompt, outcome.err)
  end
  local tls = new { base_url = server.tls_url, ca_file = server.ca_file }
  cekura.run(function()
    for _ = 1, 8 do
      cekura.spawn(function() assert(cekura.assert(tls:request("GET", "/echo/")).status == 200) end)
    end
  end)
  local _, err = new { base_url = "https://a.name.slow", retries = 0 }:request("GET", "/", { timeout = 0.05 })
  assert(err.kind == "timeout")
  keep.bridge = assert(core.bridge(client))
  posix.connect(core.bridge_path(keep.bridge))
  assert(core.bridge_accept(keep.bridge))
  core.bridge_arm(keep.bridge)
  local left = start(new { headers = endless })
  spawn(left.wait, left, { interval = 0.01 })
  for _ = 1, 3 do spawn(client.request, client, "GET", "/stuck/") end
  cekura.sleep(0.05)
  if number % 2 == 0 then client:close() end
]]

-- A thread steps the client of the state, and the state steps it as well.
local STEPPED = [[
  local asked, working, told = 0, 8, { nameless = 0, request_started = 0, request_finished = 0, others = 0 }
  local client = new { max_in_flight = 16, on_event = function(event)
    local place = not event.path and not event.job and "nameless" or event.path == "/echo/" and event.name or "others"
    told[place] = told[place] + 1
  end }
  local bridge = assert(core.bridge(client))
  local fd = posix.connect(core.bridge_path(bridge))
  assert(core.bridge_accept(bridge))
  keep.bridge = bridge
  for index = 1, 8 do
    spawn(function()
      for round = 1, 40 do
        local job = start(client)
        assert(cekura.assert(client:request("GET", "/echo/")).status == 200)
        local left = cekura.assert(client:job("calls.improve_prompt", "left"))
        local _, err = left:wait { interval = 0.001, timeout = 0.01 }
        assert(err)
        assert(cekura.assert(job:wait { interval = 0.001 }).improved_prompt)
        job:poll()
        asked = asked + 1
      end
      working = working - 1
    end)
  end
  while working > 0 do
    if core.bridge_arm(bridge) then
      posix.receive(fd)
    end
    client:step()
    client:stats()
  end
  assert(asked == 320 and told.request_started == 320 and told.request_finished == 320)
  assert(told.nameless == 0 and told.others > 320)
]]

-- The output at the end of a state, if there is any.
local SAYS = {
  ["a task that starts a job has not begun"] =
    "cekura: spawned tasks never began: 1. The program has ended, and nothing here runs tasks: call cekura.run, or "
      .. "cekura.step on each tick of the host (docs/hosts.md)\n",
}

describe("Lua states in one process", function()
  local server = simulator.during(setup, teardown, { tls = true })
  local dir = "build/sanitized/" .. lua

  local function build(goal)
    local output, status = shell(("make --no-print-directory -s %s WERROR=1 LUA=%s"):format(goal, lua))
    assert.equal(0, status, output)
  end

  setup(function()
    build "sanitized-states"
    server:script("/stuck/", { { delay = 600 } })
    server:script("/test_framework/v2/results/7/", { { delay = 600 } })
    server:script("/busy/", { { status = 503, headers = { ["Retry-After"] = "5" } } })
    server:script("/dripping/", { { body = ("x"):rep(400), slow = 0.1 } })
    server:script("/large/", { { size = 40 * 1024 * 1024 } })
  end)

  -- Returns the output of the program, with the reports of the sanitizer, and its exit status.
  local function run(code, threads, rounds, from)
    from = from or dir
    -- Leaks at a program's exit do not count, because the system frees them. glibc itself leaks a LOCPATH.
    local options = threads == 0 and "ASAN_OPTIONS=detect_leaks=0" or ""
    options = options .. " TSAN_OPTIONS=suppressions=spec/life/races.txt:print_suppressions=0"
    return file.temporary(PRELUDE:format(server.url, server.tls_url, server.ca_file) .. code, function(path)
      return shell(("env -u LOCPATH LUA_CPATH='%s/?.so;;' %s timeout 300 %s/states %d %d %s"):format(from, options,
        from, threads, rounds, path))
    end)
  end

  local function ends_well(expected, ...)
    local output, status = run(...)
    assert.equal(expected, output)
    assert.equal(0, status)
  end

  for _, name in ipairs(sorted_keys(POINTS)) do
    describe("when " .. name .. ",", function()
      setup(function()
        if name == "a start is in flight" then
          server:script(START, { { delay = 600 } })
        end
      end)

      teardown(function()
        server:script(START, {})
      end)

      if name:find "^the program ends" then
        it("leave nothing behind", function()
          ends_well("", POINTS[name], 1, 1)
        end)
      else
        local says = SAYS[name] or ""

        it("are closed in sequence, and leave nothing behind", function()
          ends_well(says:rep(3) .. "mapped\n", POINTS[name], 1, 3)
        end)

        it("may be closed when the program exits", function()
          ends_well(says, POINTS[name], 0, 1)
        end)
      end
    end)
  end

  it("run in parallel, each in a separate thread", function()
    ends_well("mapped\n", WORK, 4, 3)
  end)

  it("share their engines with the threads of bridges", function()
    ends_well("mapped\n", STEPPED, 2, 1)
  end)

  if lua ~= "luajit" then -- LuaJIT needs the memory that ThreadSanitizer reserves
    it("run in parallel without a data race", function()
      build "raceless-states"
      ends_well("mapped\n", WORK, 4, 3, "build/races/" .. lua)
      ends_well("mapped\n", STEPPED, 2, 1, "build/races/" .. lua)
    end)
  end
end)

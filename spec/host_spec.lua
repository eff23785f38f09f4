--- What a host that loads the module must not notice: the pitfalls of libcurl and of embedding, tested in separate
-- processes.

local file = require "spec.support.file"
local shell = require "spec.support.shell"
local simulator = require "spec.support.simulator"

local lua = os.getenv "CEKURA_LUA" or "lua5.4"

-- Runs a program in another process; returns its output and its exit status. `before` and `after` surround the path of
-- the program, `before` in place of the Lua.
local function run(code, before, after)
  return file.temporary(code, function(path)
    return shell(("%s %s %s"):format(before or lua, path, after or ""))
  end)
end

local function program(server, code)
  return ([[
    local cekura = require "cekura"
    local core = require "cekura.core"
    local function new(options)
      options = options or {}
      options.api_key, options.config_file = "sim-key", false
      options.base_url = options.base_url or %q
      return cekura.assert(cekura.new(options))
    end
  ]]):format(server.url) .. code
end

describe("a host", function()
  local server = simulator.during(setup, teardown)

  setup(function()
    server:script("/slow/", { { delay = 600 } })
  end)

  it("gets no new globals", function()
    local output = run [[
      local before = {}
      for name in pairs(_G) do before[name] = true end
      require "cekura"
      for name in pairs(_G) do if not before[name] then print(name) end end
    ]]
    assert.equal("", output)
  end)

  it("may end with requests in flight, jobs being polled and tasks parked", function()
    local output, status = run(program(server, [[
      local client = new { headers = { ["X-Simulate"] = "life=endless" } }
      cekura.spawn(function() client:request("GET", "/slow/") end)
      cekura.spawn(function()
        local job = cekura.assert(client.calls:improve_prompt { call_logs = { 1 }, prompt = "x" })
        job:wait { interval = 0.01 }
      end)
      cekura.sleep(0.1)
      print "end"
    ]]))
    assert.equal("end\n", output)
    assert.equal(0, status)
  end)

  it("may end while the threads of bridges run", function()
    local output, status = run(program(server, [[
      local unix = require "socket.unix"
      sockets, bridges = {}, {}
      for place = 1, 3 do
        local client = new()
        local bridge = cekura.assert(core.bridge(client))
        sockets[place] = unix.stream()
        assert(sockets[place]:connect(core.bridge_path(bridge)))
        assert(core.bridge_accept(bridge))
        core.bridge_arm(bridge)
        cekura.spawn(function() client:request("GET", "/slow/") end)
        bridges[place] = bridge
      end
      cekura.sleep(0.05)
      print "end"
    ]]))
    assert.equal("end\n", output)
    assert.equal(0, status)
  end)

  describe("with a slow resolver", function()
    local dir, preload

    setup(function()
      dir = shell "mktemp -d":gsub("%s", "")
      preload = dir .. "/slow_names.so"
      local headers = lua == "luajit" and "luajit-2.1" or lua
      local output, status = shell(([[
        cc -shared -fPIC -o %s spec/support/slow_names.c -ldl &&
        cc -I/usr/include/%s -o %s/host spec/support/host.c -l%s -ldl -Wl,-E]]):format(
        preload, headers, dir, lua == "luajit" and "luajit-5.1" or lua))
      assert.equal(0, status, output)
    end)

    teardown(function()
      shell("rm -rf " .. dir)
    end)

    -- Takes ten minutes if anything waits for the resolver.
    local code = [[
      local client = new { base_url = "https://a.name.slow", retries = 0 }
      local _, err = client:request("GET", "/", { timeout = 0.1 })
      print(err.kind, err.sent)
      local task = cekura.spawn(client.request, client, "GET", "/")
      cekura.sleep(0.05)
      task:cancel()
      print(select(2, task:join()).kind)
      cekura.spawn(client.request, client, "GET", "/")
      cekura.sleep(0.05)
    ]]

    -- libcurl joins its resolver thread when a handle is removed, unless an option forbids it.
    it("is not delayed at a deadline, a cancellation or a close", function()
      local output, status = run(program(server, code .. [[
        client:close()
        print "closed"
        os.exit(0)
      ]]), "LD_PRELOAD=" .. preload .. " SLOW_NAMES=600 timeout 120 " .. lua)
      assert.equal("timeout\tfalse\ncancelled\nclosed\n", output)
      assert.equal(0, status)
    end)

    -- A resolver thread returned into a library that had been unloaded.
    it("survives lua_close while a thread of libcurl looks up a name", function()
      local output, status = run(program(server, code),
        ("LD_PRELOAD=%s SLOW_NAMES=600 timeout 120 %s/host"):format(preload, dir))
      assert.equal("timeout\tfalse\ncancelled\nclosed\nalive\n", output)
      assert.equal(0, status)
    end)
  end)

  it("is not killed by SIGPIPE when a server closes the connection during a request", function()
    local output, status = run(program(server, [[
      local client = new { retries = 0 }
      for _ = 1, 5 do
        client:request("POST", "/slow/", { body = ("x"):rep(70 * 1024 * 1024), timeout = 2 })
      end
      print "alive"
    ]]))
    assert.equal("alive\n", output)
    assert.equal(0, status)
  end)

  it("does not pass connections on to programs that it starts", function()
    local output = run(program(server, [[
      local count = "ls -l /proc/self/fd | grep -c -e socket -e epoll -e timerfd"
      local client = new() -- brings libcurl's socket pair, which is inherited but harmless
      os.execute(count)
      cekura.assert(client:request("GET", "/echo/"))
      os.execute(count)
    ]]))
    local before, after = output:match "^(%d+)\n(%d+)\n$"
    assert.truthy(before, output)
    assert.equal(before, after)
  end)

  local with_ffi = rawget(_G, "jit") and it or pending -- spec/fork_spec.lua tests forks on every Lua

  with_ffi("that forks has a working client in the parent, and a closed one in the child", function()
    local output, status = run(program(server, [[
      local ffi = require "ffi"
      ffi.cdef "int fork(void); int waitpid(int, int *, int); void _exit(int);"
      local client = new()
      cekura.assert(client:request("GET", "/echo/"))
      local pid = ffi.C.fork()
      if pid == 0 then
        local _, err = client:request("GET", "/echo/")
        local own = new()
        local response = own:request("GET", "/echo/")
        client:close()
        local idle = not core.is_busy(client) and client:pollfd() == nil
        ffi.C._exit(idle and err.kind == "closed" and response and response.status == 200 and 7 or 1)
      end
      local status = ffi.new "int[1]"
      ffi.C.waitpid(pid, status, 0)
      print(status[0] / 256, cekura.assert(client:request("GET", "/echo/")).status, client:stats().connections)
    ]]))
    assert.equal("7\t200\t1\n", output)
    assert.equal(0, status)
  end)

  it("receives signals while a request waits", function()
    local output, status = run(program(server, [[
      local client = new()
      cekura.spawn(function() os.execute "true" end)
      os.execute "(sleep 0.3; kill -TERM $PPID) &"
      print(client:request("GET", "/slow/", { timeout = 60 }) ~= nil)
    ]]))
    assert.equal(143, status, output)
  end)

  -- Clients lost their methods when only the core was loaded again.
  for what, pattern in pairs {
    ["the module"] = "^cekura$", ["its core"] = "^cekura%.core$", ["all of it"] = "^cekura",
  } do
    it("may load " .. what .. " again, and existing clients go on", function()
      local output = run(program(server, [[
        local client = new()
        local params = { call_logs = { 1 }, prompt = "x" }
        local job = cekura.assert(client.calls:improve_prompt(params))
        local waiting = cekura.spawn(job.wait, job, { interval = 0.02 })
        cekura.sleep(0.03)
        local core_before = core
        for name in pairs(package.loaded) do
          if name:find(]] .. ("%q"):format(pattern) .. [[) then package.loaded[name] = nil end
        end
        cekura, core = require "cekura", require "cekura.core"
        print(core == core_before, cekura.assert(client:request("GET", "/echo/")).status)
        print(cekura.assert(waiting:join()).improved_prompt ~= nil)
        local later = cekura.assert(client.calls:improve_prompt(params))
        print(cekura.assert(later:wait { interval = 0.01 }).improved_prompt ~= nil)
        local other = new()
        print(cekura.assert(cekura.assert(other:resume(later:token())):poll()).state)
        client:close()
        print(other:request("GET", "/echo/").status, select(2, client:request("GET", "/echo/")).kind)
      ]]))
      assert.equal("true\t200\ntrue\ntrue\nsucceeded\n200\tclosed\n", output)
    end)
  end

  it("may unload and load the module again", function()
    local output = run(program(server, [[
      for _ = 1, 3 do
        cekura.assert(new():request("GET", "/echo/"))
        for name in pairs(package.loaded) do
          if name:find "^cekura" then package.loaded[name] = nil end
        end
        cekura, core = require "cekura", require "cekura.core"
        collectgarbage()
      end
      print "fine"
    ]]))
    assert.equal("fine\n", output)
  end)
end)

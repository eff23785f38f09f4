--- A process that forks at any moment. In the child, the parent's clients are closed, and new clients work. Whatever
-- the child does, the parent's connections and jobs go on.

local file = require "spec.support.file"
local shell = require "spec.support.shell"
local simulator = require "spec.support.simulator"

local lua = os.getenv "CEKURA_LUA" or "lua5.4"

-- `child(fn)` forks; `joined()` waits for all children. A child that succeeds prints nothing.
local PRELUDE = [[
  io.stdout:setvbuf "no"
  local cekura, core, posix = require "cekura", require "cekura.core", require "spec.life.posix"
  local server, children = { url = %q, ca_file = %s }, {}
  local function new(options)
    options = options or {}
    options.api_key, options.config_file = "sim-key", false
    options.base_url, options.ca_file = server.url, server.ca_file
    return cekura.assert(cekura.new(options))
  end
  local params = { call_logs = { 1 }, prompt = "x" }
  local function release(client)
    cekura.assert(client:request("POST", "/_sim/release/", { body = { name = "slow" } }))
  end
  local function ok(client, path) return cekura.assert(client:request("GET", path or "/echo/")).status == 200 end
  local function child(fn, ...)
    local pid = posix.fork()
    if pid == 0 then
      local fine, err = pcall(fn, ...)
      if not fine then print("in the child:", err) end
      posix.exit(fine and 7 or 1)
    end
    children[#children + 1] = pid
  end
  local function joined()
    for _, pid in ipairs(children) do
      local status = posix.wait(pid)
      if status ~= 7 then print("a child's exit status:", status) end
    end
    children = {}
  end
]]

describe("a process that forks", function()
  local server = simulator.during(setup, teardown, { tls = true })

  setup(function()
    local output, status = shell("make --no-print-directory -s life LUA=" .. lua)
    assert.equal(0, status, output)
  end)

  before_each(function()
    server:reset()
    server:script("/slow/", { { hold = "slow", body = {} } })
  end)

  local function prints(expected, code, tls)
    local prelude = PRELUDE:format(tls and server.tls_url or server.url, tls and ("%q"):format(server.ca_file) or "nil")
    local output, status = file.temporary(prelude .. code, function(path)
      return shell(("timeout 120 %s %s"):format(lua, path))
    end)
    assert.equal(expected, output)
    assert.equal(0, status)
  end

  for _, tls in ipairs { false, true } do
    -- A byte from a child would end the parent's connection, and the parent would need a second one.
    it("keeps its connection, whatever its children do at their end" .. (tls and ", over TLS" or ""), function()
      prints("true\t1\n", [[
        local client = new()
        assert(ok(client))
        local job = cekura.assert(client.calls:improve_prompt(params))
        local before = client:stats().connections
        child(function() end)
        child(function() client:close() end)
        child(function()
          client, job = nil, nil
          for _ = 1, 4 do collectgarbage() end
        end)
        child(function() assert(select(2, client:request("GET", "/echo/")).kind == "closed") end)
        child(function() assert(client:pollfd() == nil) client:step() assert(client:timeout() == nil) end)
        child(function() os.exit(7) end)
        child(function() os.exit(7, true) end)
        joined()
        local good = ok(client)
        -- the start used a second connection
        print(good, client:stats().connections - before + 1)
      ]], tls)
    end)
  end

  it("may have many children that make clients", function()
    prints("20\ttrue\n", [[
      local client = new()
      assert(ok(client))
      for _ = 1, 20 do
        child(function()
          local own, another = new(), new()
          assert(ok(own) and ok(another) and ok(own))
          assert(cekura.assert(cekura.assert(own.calls:improve_prompt(params)):wait { interval = 0.01 }))
          assert(select(2, client:request("GET", "/echo/")).kind == "closed")
          own:close()
        end)
      end
      print(#children, ok(client))
      joined()
    ]])
  end)

  it("goes on with its jobs, and a child resumes them by token in a new client", function()
    prints("true\n", [[
      local client = new()
      local job = cekura.assert(client.calls:improve_prompt(params))
      child(function()
        assert(select(2, job:wait { interval = 0.01 }).kind == "closed")
        assert(select(2, job:poll()).kind == "closed")
        assert(select(2, client.calls:improve_prompt(params)).kind == "closed")
        assert(select(2, client:job("calls.improve_prompt", job.id)).kind == "closed")
        local own = new()
        assert(cekura.assert(cekura.assert(own:resume(job:token())):wait { interval = 0.01 }).improved_prompt)
        job:cancel()
      end)
      joined()
      print(cekura.assert(job:wait { interval = 0.01 }).improved_prompt ~= nil)
    ]])
  end)

  -- They waited for ever, or raised that nothing was left to wake them.
  it("with requests and jobs in flight: waits for them end at once in the child", function()
    prints("200\ttrue\n", [[
      local another = new()
      local client = new { headers = { ["X-Simulate"] = "life=completed; seconds=0.3" } }
      local job = cekura.assert(client.calls:improve_prompt(params))
      local asking = cekura.spawn(client.request, client, "GET", "/slow/")
      local waiting = cekura.spawn(job.wait, job, { interval = 0.02 })
      local queued = {}
      for index = 1, 30 do queued[index] = cekura.spawn(another.request, another, "GET", "/slow/") end
      cekura.sleep(0.1)
      child(function()
        for _, task in ipairs(queued) do assert(select(2, task:join()).kind == "closed") end
        assert(select(2, asking:join()).kind == "closed")
        assert(select(2, waiting:join()).kind == "closed")
        assert(ok(new()))
      end)
      joined() -- the answers are still held back
      release(new())
      print(cekura.assert(asking:join()).status, cekura.assert(waiting:join()).improved_prompt ~= nil)
      for _, task in ipairs(queued) do cekura.assert(task:join()) end
    ]])
  end)

  -- The child shares the epoll descriptor.
  it("keeps its epoll registrations, whatever its child closes", function()
    server:script("/stuck/", { { delay = 600 } })
    prints("true\n", [[
      local client = new()
      local function watched()
        local count = 0
        for line in io.lines("/proc/self/fdinfo/" .. math.floor(client:pollfd())) do
          count = count + (line:find "^tfd:" and 1 or 0)
        end
        return count
      end
      local tasks = {}
      for index = 1, 5 do tasks[index] = cekura.spawn(client.request, client, "GET", "/stuck/") end
      repeat cekura.sleep(0.01) until watched() >= 6 -- including the timer and libcurl's socket pair
      local before = watched()
      child(function() client:close() end)
      child(function() client:step() end)
      child(function()
        for _, task in ipairs(tasks) do task:cancel() end
        for _, task in ipairs(tasks) do task:join() end
      end)
      joined()
      print(watched() == before)
      client:close()
    ]])
  end)

  it("inside a run: the waits of other tasks end in the child, and so does its run", function()
    prints("parent\tchild's exit status\t9\n", [[
      local client, is_child = new(), false
      local pid
      local kinds = cekura.run(function()
        local tasks, kinds = {}, {}
        for index = 1, 5 do
          tasks[index] = cekura.spawn(client.request, client, "GET", "/slow/")
        end
        cekura.sleep(0.05)
        cekura.spawn(function()
          pid = posix.fork()
          is_child = pid == 0
          if not is_child then release(new()) end
        end):join()
        for index, task in ipairs(tasks) do
          local response, err = task:join()
          kinds[index] = response and response.status or err.kind
        end
        return kinds
      end)
      for _, kind in ipairs(kinds) do assert(kind == (is_child and "closed" or 200), kind) end
      if is_child then
        cekura.run(function() assert(ok(new())) end)
        posix.exit(9)
      end
      print("parent", "child's exit status", posix.wait(pid))
    ]])
  end)

  for place, set_up in pairs {
    ["an event handler"] = "local client = new { on_event = function(event) if event.job then here() end end }",
    on_progress = "local client, on_progress = new(), function() here() end",
  } do
    it("in " .. place .. ": the child may use and close clients there, and the parent's wait goes on", function()
      prints("true\n", [[
        local forked, on_progress
        local client
        local function here()
          if forked then return end
          forked = true
          child(function()
            assert(core.is_closed(client))
            local own = new()
            assert(cekura.assert(cekura.assert(own.calls:improve_prompt(params)):wait { interval = 0.01 }))
            client:close()
            for _ = 1, 4 do collectgarbage() end
          end)
        end
        ]] .. set_up:gsub("^local ", "") .. [[

        local other = cekura.spawn(function() -- closed in the child, which must not log that
          local job = client.calls:improve_prompt(params)
          return job and job:wait { interval = 0.01 }
        end)
        local job = cekura.assert(client.calls:improve_prompt(params))
        local result = cekura.assert(job:wait { interval = 0.01, on_progress = on_progress })
        joined()
        print(forked and cekura.assert(other:join()).improved_prompt == result.improved_prompt)
      ]])
    end)
  end

  it("has grandchildren: the clients of both generations above are closed in them", function()
    prints("true\n", [[
      local client = new()
      assert(ok(client))
      child(function()
        children = {}
        local own = new()
        assert(ok(own))
        child(function()
          children = {}
          local third = new()
          assert(ok(third))
          assert(select(2, client:request("GET", "/echo/")).kind == "closed")
          assert(select(2, own:request("GET", "/echo/")).kind == "closed")
          own:close()
          child(function() assert(select(2, third:request("GET", "/echo/")).kind == "closed") end)
          joined()
          assert(ok(third) and third:stats().connections == 1)
        end)
        joined()
        assert(ok(own) and own:stats().connections == 1)
      end)
      joined()
      print(ok(client) and client:stats().connections == 1)
    ]], true)
  end)

  it("may close its client while a child lives on", function()
    prints("true\ttrue\n", [[
      local client = new()
      assert(ok(client))
      child(function()
        cekura.sleep(0.4)
        assert(not pcall(function() cekura.assert(client:request("GET", "/echo/")) end))
      end)
      client:close()
      local other = new()
      print(ok(other), select(2, client:request("GET", "/echo/")).kind == "closed")
      joined()
    ]])
  end)

  it("has an outbox: both put calls, and each sends what is there", function()
    prints("3\t0\n", [[
      local pipe = io.popen "mktemp -d"
      local dir = pipe:read "*l"
      pipe:close()
      local box = cekura.assert(cekura.outbox { path = dir })
      cekura.assert(box:put { call_id = "parent-1", agent = 1 })
      child(function() cekura.assert(box:put { call_id = "child", agent = 1 }) end)
      joined()
      cekura.assert(box:put { call_id = "parent-2", agent = 1 })
      local size = box:size()
      local sender = cekura.assert(cekura.outbox { path = dir, client = new() })
      child(function()
        local own = cekura.assert(cekura.outbox { path = dir, client = new() })
        assert(own:run { until_empty = true } == 3)
      end)
      joined()
      print(size, (sender:run { until_empty = true }))
      os.execute("rm -rf " .. dir)
    ]])
  end)
end)

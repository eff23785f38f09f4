-- The module in a program with libuv's loop, and in Neovim.

local file = require "spec.support.file"
local shell = require "spec.support.shell"
local simulator = require "spec.support.simulator"

local PROGRESS = "/observability/v1/call-logs/improve_prompt_progress/"
local DONE = { status = "completed", output = { improved_prompt = "Be nice.\nBe brief." } }

local lua = os.getenv "CEKURA_LUA" or "lua5.4"
if lua == "lua5.5" and not pcall(require, "luv") then
  pending "in a luv program: Debian has no luv for Lua 5.5"
  return
end

describe("in a luv program", function()
  local server = simulator.during(setup, teardown)

  before_each(function()
    server:reset()
  end)

  -- Runs a program in another process, where `client` uses libuv's loop, and `ticks` counts every 5 ms while the loop
  -- runs. Returns its output and its exit status.
  local function run(code)
    return file.temporary(([[
      local uv, cekura, core = require "luv", require "cekura", require "cekura.core"
      local function new(options)
        options = options or {}
        options.api_key, options.base_url, options.config_file, options.loop = "sim-key", %q, false, "luv"
        return cekura.assert(cekura.new(options))
      end
      local client, ticks = new(), 0
      local ticker = uv.new_timer()
      ticker:start(5, 5, function() ticks = ticks + 1 end)
      ticker:unref()
      local function go(fn, ...) return coroutine.wrap(fn)(...) end
      local function release() cekura.assert(client:request("POST", "/_sim/release/", { body = { name = "held" } })) end
    ]]):format(server.url) .. code, function(path)
      return shell(("timeout 120 %s %s"):format(lua, path))
    end)
  end

  local function prints(expected, code)
    local output, status = run(code)
    assert.equal(expected, output)
    assert.equal(0, status)
  end

  it("a waiting coroutine lets everything else run", function()
    server:script(PROGRESS, { { hold = "held", body = DONE } })
    prints("started\ntrue\nended\n", [[
      go(function()
        local job = cekura.assert(client.calls:improve_prompt { agent_id = 1, call_logs = { 1 }, prompt = "x" })
        go(function()
          local before = ticks
          repeat cekura.sleep(0.01) until ticks > before + 10
          release()
        end)
        print(cekura.assert(job:wait { interval = 0.1 }).improved_prompt ~= nil)
      end)
      print "started"
      uv.run()
      print "ended" -- when nothing waits any more
    ]])
  end)

  it("many coroutines wait at once, for one client and for several", function()
    prints("20\n", [[
      local done = 0
      local others = { new(), new() }
      for index = 1, 20 do
        go(function()
          local job = cekura.assert((others[index % 3] or client).calls:improve_prompt { agent_id = 1,
            call_logs = { index }, prompt = "x" })
          cekura.assert(job:wait { interval = 0.05 })
          done = done + 1
        end)
      end
      uv.run()
      print(done)
    ]])
  end)

  -- Each of them keeps the processor busy for so long that a slice is over.
  for what, begin in pairs {
    ["tasks that begin"] = "cekura.spawn(busy)",
    ["tasks whose time ends"] = "cekura.spawn(function() cekura.sleep(0.05) busy() end)",
    ["coroutines whose time ends"] = "go(function() cekura.sleep(0.05) busy() end)",
  } do
    it("50 " .. what .. " at once let the loop have turns in between", function()
      prints("true\t50\n", ([[
        local turns, last, seen, busy_ones = 0, false, 0, 0
        local turn = uv.new_prepare()
        turn:start(function() turns = turns + 1 end)
        turn:unref()
        local function busy()
          local ends_at = core.now() + 0.002
          repeat until core.now() > ends_at
          seen, last, busy_ones = seen + (turns ~= last and 1 or 0), turns, busy_ones + 1
        end
        for _ = 1, 50 do BEGIN end
        uv.run()
        print(seen > 20, busy_ones)
      ]]):gsub("BEGIN", begin))
    end)
  end

  it("sleeps and tasks use the loop even before there is a client", function()
    prints("slept\n7\nnil\tcekura: cancelled: the task was cancelled\nran\t5\n", [[
      go(function()
        cekura.sleep(0.05)
        print "slept"
        print(cekura.spawn(function() cekura.sleep(0.05) return 7 end):join())
        local endless = cekura.spawn(function() while true do cekura.sleep(0.01) end end)
        cekura.sleep(0.05)
        endless:cancel()
        print(endless:join())
        print("ran", cekura.run(function()
          local part = cekura.spawn(function() return client:request("GET", "/echo/").status end)
          return part:join() - 195
        end))
      end)
      uv.run()
    ]])
  end)

  it("a task that is cancelled as its answer comes gets it, and its next wait returns the cancellation", function()
    prints("200\nnil\tcekura: cancelled: \nfalse\tcekura: cancelled: \nended\n", [[
      local task
      client = new { on_event = function(event)
        if event.name == "request_finished" and task then task:cancel() end
      end }
      local function show(value, err) print(value, (tostring(err):gsub("cancelled: .*", "cancelled: "))) end
      go(function()
        task = cekura.spawn(function()
          print(client:request("GET", "/echo/").status)
          show(client:request("GET", "/echo/"))
          show(pcall(client.request, client, "GET", "/echo/"))
        end)
        task:join()
        print "ended"
      end)
      uv.run()
    ]])
  end)

  it("a task runs in the loop without a coroutine of the program", function()
    prints("200\n", [[
      cekura.spawn(function() print(client:request("GET", "/echo/").status) end)
      uv.run()
    ]])
  end)

  it("plain code blocks only until its call returns", function()
    prints("200\n", [[ print(client:request("GET", "/echo/").status) ]])
  end)

  it("a wait ends at its deadline, and when its client is closed", function()
    prints("timeout\ttrue\nclosed\n", [[
      client = new { headers = { ["X-Simulate"] = "life=endless" } }
      go(function()
        local job = cekura.assert(client.calls:improve_prompt { agent_id = 1, call_logs = { 1 }, prompt = "x" })
        local late, timer = false, uv.new_timer()
        timer:start(60000, 0, function() late = true end)
        print(select(2, job:wait { interval = 0.02, timeout = 0.3 }).kind, not late)
        timer:close()
        go(function() print(select(2, job:wait()).kind) end)
        cekura.sleep(0.1)
        client:close()
      end)
      uv.run()
    ]])
  end)

  it("an error in a coroutine that has waited is reported like that of any callback", function()
    local output = run [[
      go(function() client:request("GET", "/echo/") error "mine" end)
      uv.run()
    ]]
    assert.truthy(output:find "Uncaught Error: .*mine", output)
  end)

  it("dropped clients leave nothing behind", function()
    prints("true\n", [[
      local function descriptors()
        local count = 0
        for _ in io.popen(("ls /proc/%.0f/fd"):format(uv.os_getpid())):lines() do count = count + 1 end
        return count
      end
      go(function()
        new() collectgarbage() collectgarbage()
        local before = descriptors()
        for _ = 1, 20 do
          new():request("GET", "/echo/")
        end
        repeat -- libuv closes handles one round later; a compiled trace keeps its objects alive
          if rawget(_G, "jit") then _G.jit.flush() end
          collectgarbage()
          cekura.sleep(0.01)
        until descriptors() <= before + 2
        print(true)
      end)
      uv.run()
    ]])
  end)

  it("a client works after another was closed and its descriptor is reused", function()
    prints("200\n200\n200\n", [[
      go(function()
        for _ = 1, 3 do
          local one = new()
          print(one:request("GET", "/echo/").status)
          one:close()
        end
      end)
      uv.run()
    ]])
  end)

  it("the program ends while coroutines and tasks wait", function()
    prints("end\n", [[
      client = new { headers = { ["X-Simulate"] = "life=endless" } }
      go(function()
        cekura.assert(client.calls:improve_prompt { agent_id = 1, call_logs = { 1 }, prompt = "x" }):wait()
      end)
      cekura.spawn(function() cekura.sleep(100) end)
      local stopper = uv.new_timer()
      stopper:start(300, 0, function() uv.stop() end)
      uv.run()
      print "end"
    ]])
  end)
end)

-- Neovim's Lua is LuaJIT.
if lua == "luajit" then
  describe("in Neovim", function()
    local server = simulator.during(setup, teardown)

    -- Runs Neovim without a screen on a buffer that contains a prompt. Returns its output and its exit status.
    local function run(code)
      return file.temporary(code, function(path)
        return shell(("CEKURA_API_URL=%s CEKURA_API_KEY=sim-key timeout 120 nvim --headless -u NONE "
          .. "-i NONE -n -c 'luafile examples/neovim.lua' -c 'luafile %s'"):format(server.url, path))
      end)
    end

    before_each(function()
      server:reset()
    end)

    it("the example improves the prompt in the buffer, and the editor stays responsive", function()
      server:script(PROGRESS, { { hold = "held", body = DONE } })
      local output, status = run [[
        vim.api.nvim_buf_set_lines(0, 0, -1, false, { "Be nice." })
        local ticks, out = 0, function(...) io.stdout:write(table.concat({ ... }, " "), "\n") end
        local ticker = vim.loop.new_timer()
        ticker:start(5, 5, function() ticks = ticks + 1 end)
        vim.cmd "CekuraImprove 2142 5181749"
        coroutine.wrap(function() -- releases the job after the editor has run meanwhile
          local cekura = require "cekura"
          local client = cekura.assert(cekura.new { config_file = false })
          local polled
          repeat
            cekura.sleep(0.05)
            polled = client:request("GET", "/_sim/requests/").body:find("improve_prompt_progress", 1, true)
          until polled
          local before = ticks
          repeat cekura.sleep(0.05) until ticks > before + 50
          out "responsive"
          cekura.assert(client:request("POST", "/_sim/release/", { body = { name = "held" } }))
        end)()
        local typed = vim.api.nvim_buf_line_count(0)
        local watcher = vim.loop.new_timer()
        watcher:start(20, 20, vim.schedule_wrap(function()
          if vim.api.nvim_buf_line_count(0) > typed then
            out("first", vim.api.nvim_buf_get_lines(0, 0, 1, false)[1])
            vim.cmd "qa!"
          end
        end))
      ]]
      assert.equal(0, status, output)
      assert.truthy(output:find("first Be nice.\n", 1, true), output)
      assert.truthy(output:find("responsive\n", 1, true), output)
      local sent = server:requests()
      assert.equal('{"agent_id":"2142","call_logs":["5181749"],"prompt":"Be nice."}', sent[1].body)
    end)

    -- The module set no timers while a woken coroutine ran.
    it("a coroutine that was woken may run the editor's loop, and other coroutines go on", function()
      local output, status = run [[
        local cekura = require "cekura"
        local client = cekura.assert(cekura.new { config_file = false })
        local ticks, answered, over = 0, false, false
        cekura.spawn(function() while true do cekura.sleep(0.05) ticks = ticks + 1 end end)
        coroutine.wrap(function()
          client:request("GET", "/echo/")
          local before = ticks
          coroutine.wrap(function() answered = client:request("GET", "/echo/").status end)()
          vim.wait(60000, function() return answered and ticks > before + 5 end, 10)
          io.stdout:write(tostring(answered), " ", tostring(ticks > before + 5), "\n")
          over = true
        end)()
        vim.wait(90000, function() return over end, 10)
        vim.cmd "qa!"
      ]]
      assert.equal(0, status, output)
      assert.truthy(output:find("200 true\n", 1, true), output)
    end)

    it("the editor ends at once while jobs are waited for", function()
      server:script(PROGRESS, { { body = { status = "processing" } } })
      local output, status = run [[
        vim.api.nvim_buf_set_lines(0, 0, -1, false, { "Be nice." })
        vim.cmd "CekuraImprove 2142 5181749"
        coroutine.wrap(function()
          local cekura = require "cekura"
          local client = cekura.assert(cekura.new { config_file = false })
          repeat
            cekura.sleep(0.05)
          until client:request("GET", "/_sim/requests/").body:find("improve_prompt_progress", 1, true)
          vim.schedule(function() vim.cmd "qa!" end)
        end)()
      ]]
      assert.equal(0, status, output)
    end)
  end)
end

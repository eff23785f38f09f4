--- The module in programs with GLib's main loop, by lgi, which Debian has for Lua 5.1 to 5.3.

local file = require "spec.support.file"
local process = require "spec.support.process"
local shell = require "spec.support.shell"
local simulator = require "spec.support.simulator"

local lua = os.getenv "CEKURA_LUA" or "lua5.3"

local PROGRESS = "/observability/v1/call-logs/improve_prompt_progress/"

-- `soon(fn)` has the main loop call a function.
local PRELUDE = [[
io.stdout:setvbuf "no"
local cekura, lgi = require "cekura", require "lgi"
local GLib = lgi.GLib
local main_loop = GLib.MainLoop()
local function new(loop, options)
  options = options or {}
  options.api_key, options.base_url, options.config_file, options.loop = "sim-key", %q, false, loop
  return cekura.assert(cekura.new(options))
end
local function soon(fn)
  GLib.timeout_add(GLib.PRIORITY_DEFAULT, 1, function() fn() return false end)
end
local function quit() main_loop:quit() end
local PARAMS = { call_logs = { 1 }, prompt = "x" }
]]

describe("in GLib's main loop", function()
  local server = simulator.during(setup, teardown)

  before_each(function()
    server:reset()
    server:script(PROGRESS, { { body = { status = "queued" } }, { body = { status = "running" } },
      { body = { status = "completed", improved_prompt = "Better." } } })
  end)

  local function run(code)
    return file.temporary(PRELUDE:format(server.url) .. code, function(path)
      return shell(("timeout 120 %s %s"):format(lua, path))
    end)
  end

  local function prints(expected, code)
    local output, status = run(code)
    assert.equal(expected, output)
    assert.equal(0, status)
  end

  describe("examples/glib.lua", function()
    local function example(key, arguments)
      return shell(("CEKURA_API_URL=%s CEKURA_API_KEY=%s timeout 120 %s examples/glib.lua %s"):format(server.url, key,
        lua, arguments))
    end

    it("goes on with its main loop while it waits", function()
      server:script(PROGRESS, { { hold = "done", body = { status = "completed", improved_prompt = "Better." } } })
      local path = "LUA_PATH='HERE/lua/?.lua;HERE/lua/?/init.lua;;' LUA_CPATH='HERE/build/LUA/?.so;;'"
      local command = path .. " CEKURA_API_URL=URL CEKURA_API_KEY=sim-key stdbuf -oL LUA HERE/examples/glib.lua 1 2 x"
      local values = { HERE = shell "pwd":match "%S+", LUA = lua, URL = server.url }
      local host = process.start(command:gsub("%f[%w_]%u+%f[^%w_]", values), function()
        return server:count(PROGRESS) == 1
      end)
      local function ticks() return select(2, host:output():gsub("tick\n", "")) end
      local before = ticks()
      assert.truthy(process.eventually(function() return ticks() > before + 1 end))
      server:release "done"
      host:wait_for "completed\nBetter.\n"
      assert.truthy(process.eventually(function() return not host:is_running() end))
      assert.equal(0, host:stop())
    end)

    it("ends with the error", function()
      local output, status = example("another", "1 2 'Be brief.'")
      assert.equal(1, status)
      assert.truthy(output:find("cekura: auth: ", 1, true), output)
    end)

    it("says how it is used", function()
      assert.equal(2, select(2, example("sim-key", "1")))
      assert.equal(0, select(2, example("sim-key", "--help")))
    end)
  end)

  for _, loop in ipairs { "glib", "auto" } do
    it(("lets tasks and coroutines wait, with loop = %q"):format(loop), function()
      prints("coroutine\tBetter.\ntask\tBetter.\nbeside\n", ([[
        local client = new(%q)
        soon(function()
          local task = cekura.spawn(function()
            local job = cekura.assert(client.calls:improve_prompt(PARAMS))
            return cekura.assert(job:wait { interval = 0.05 }).improved_prompt
          end)
          local sleeping = cekura.spawn(function() cekura.sleep(0.01) return "beside" end)
          coroutine.wrap(function()
            local job = cekura.assert(client.calls:improve_prompt(PARAMS))
            print("coroutine", cekura.assert(job:wait { interval = 0.02 }).improved_prompt)
            print("task", task:join())
            print((sleeping:join()))
            quit()
          end)()
        end)
        main_loop:run()
      ]]):format(loop))
    end)
  end

  it("sends the requests of a client that a task makes, with loop = \"auto\"", function()
    prints("200\nBetter.\n", [[
      soon(function()
        cekura.spawn(function()
          local client = new "auto"
          print(cekura.assert(client:request("GET", "/echo/", { timeout = 20 })).status)
          local job = cekura.assert(client.calls:improve_prompt(PARAMS))
          print(cekura.assert(job:wait { interval = 0.02, timeout = 20 }).improved_prompt)
          quit()
        end)
      end)
      GLib.timeout_add(GLib.PRIORITY_DEFAULT, 30000, function() quit() return false end)
      main_loop:run()
    ]])
  end)

  it("has an application of Gio's, as those of GTK are, run beside its tasks", function()
    prints("activated\nBetter.\n", [[
      local Gio = lgi.Gio
      local app = Gio.Application { flags = { "NON_UNIQUE" } }
      local client = new "glib"
      function app:on_activate()
        app:hold() -- as a window does
        print "activated"
        cekura.spawn(function()
          local job = cekura.assert(client.calls:improve_prompt(PARAMS))
          print(cekura.assert(job:wait { interval = 0.05 }).improved_prompt)
          app:release()
        end)
      end
      app:run { "program" }
    ]])
  end)

  it("blocks in plain code that a source calls, and lets tasks go on", function()
    prints("beside\n200\n", [[
      local client = new "glib"
      soon(function()
        cekura.spawn(print, "beside")
        print(client:request("GET", "/echo/").status)
        quit()
      end)
      main_loop:run()
    ]])
  end)

  it("blocks in plain code before and after the main loop", function()
    prints("200\n200\n", [[
      local client = new "glib"
      print(client:request("GET", "/echo/").status)
      soon(quit)
      main_loop:run()
      print(client:request("GET", "/echo/").status)
    ]])
  end)

  it("logs what a task or a coroutine of the program's raises, and goes on", function()
    local output, status = run [[
      local client = new "glib"
      soon(function()
        cekura.spawn(error, "of a task", 0)
        coroutine.wrap(function()
          cekura.assert(client:request("GET", "/echo/"))
          error("of a coroutine", 0)
        end)()
        cekura.spawn(function()
          cekura.assert(client:request("GET", "/echo/"))
          cekura.sleep(0.1)
          print(client:request("GET", "/echo/").status)
          quit()
        end)
      end)
      main_loop:run()
    ]]
    assert.equal(0, status, output)
    assert.truthy(output:find("cekura: a task raised, and was not joined: of a task", 1, true), output)
    assert.truthy(output:find("cekura: of a coroutine", 1, true), output)
    assert.truthy(output:find "200\n$", output)
  end)

  it("is stepped by nothing else", function()
    prints("false\ttrue\n", [[
      soon(function()
        local ok, raised = pcall(cekura.step)
        print(ok, raised:find("step: the loop of glib runs its clients and tasks", 1, true) ~= nil or raised)
        quit()
      end)
      main_loop:run()
    ]])
  end)

  it("takes an answer that came in time, however late the main loop serves it", function()
    prints("better late\n", [[
      local core, socket = require "cekura.core", require "socket"
      local listener = assert(socket.bind("127.0.0.1", 0))
      local url = "http://127.0.0.1:" .. select(2, listener:getsockname())
      local client = cekura.assert(cekura.new { api_key = "sim-key", base_url = url, config_file = false,
        loop = "glib", timeout = 1.5, retries = 0 })
      soon(function()
        cekura.spawn(function()
          local response, err = client:request("POST", "/x/")
          print(response and response.body or err.kind)
          quit()
        end)
        cekura.spawn(function()
          cekura.sleep(0.1)
          local peer = listener:accept()
          while peer:receive "*l" ~= "" do end
          peer:send "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nbetter late"
          local over = core.now() + 2
          while core.now() < over do end
        end)
      end)
      main_loop:run()
    ]])
  end)

  it("ends with clients open and tasks waiting, and forgets a client that is closed", function()
    prints("closed\nend\n", [[
      local client, other = new "glib", new "auto"
      local job
      soon(function()
        cekura.spawn(function()
          job = cekura.assert(client.calls:improve_prompt(PARAMS))
          print(select(2, job:wait { interval = 1000 }).kind)
        end)
        cekura.spawn(function() cekura.sleep(1000) end)
        cekura.spawn(function() other:request("GET", "/echo/") end)
        cekura.spawn(function()
          while not job do cekura.sleep(0.01) end
          client:close()
          cekura.sleep(0.01)
          quit()
        end)
      end)
      main_loop:run()
      print "end"
    ]])
  end)
end)

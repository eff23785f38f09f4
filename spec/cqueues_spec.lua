-- The module in a program that uses cqueues: waits yield to its controller.

local file = require "spec.support.file"
local shell = require "spec.support.shell"
local simulator = require "spec.support.simulator"

local PROGRESS = "/observability/v1/call-logs/improve_prompt_progress/"

local lua = os.getenv "CEKURA_LUA" or "lua5.4"
if lua == "lua5.5" and not pcall(require, "cqueues") then
  pending "in a cqueues program: Debian has no cqueues for Lua 5.5"
  return
end

describe("in a cqueues program", function()
  local server = simulator.during(setup, teardown)

  before_each(function()
    server:reset()
  end)

  -- Runs a program in another process, with a `client`. Returns what it printed, and its exit status.
  local function run(loop, code)
    return file.temporary(([[
      local cqueues, cekura = require "cqueues", require "cekura"
      local function new(options)
        options = options or {}
        options.api_key, options.base_url, options.config_file, options.loop = "sim-key", %q, false, %q
        return cekura.assert(cekura.new(options))
      end
      local client = new()
      local function job()
        return cekura.assert(client.calls:improve_prompt { agent_id = 1, call_logs = { 1 }, prompt = "x" })
      end
      local cq = cqueues.new()
    ]]):format(server.url, loop) .. code, function(path)
      return shell(("timeout 120 %s %s"):format(lua, path))
    end)
  end

  for _, loop in ipairs { "auto", "cqueues" } do
    describe("(loop = " .. loop .. ")", function()
      local function prints(expected, code)
        local output, status = run(loop, code)
        assert.equal(expected, output)
        assert.equal(0, status)
      end

      it("a waiting thread lets the others run", function()
        server:script(PROGRESS, { { hold = "held",
          body = { status = "completed", output = { improved_prompt = "y" } } } })
        prints("true\nended\n", [[
          cq:wrap(function()
            local improving = job()
            cq:wrap(function()
              for _ = 1, 10 do cqueues.sleep(0.005) end
              cekura.assert(client:request("POST", "/_sim/release/", { body = { name = "held" } }))
            end)
            print(cekura.assert(improving:wait { interval = 0.01 }).improved_prompt ~= nil)
          end)
          assert(cq:loop())
          print "ended" -- when nothing waits any more
        ]])
      end)

      it("many threads wait at once, for one client and for several", function()
        prints("20\n", [[
          local others, done = { [0] = client, new(), new() }, 0
          for index = 1, 20 do
            cq:wrap(function()
              cekura.assert(cekura.assert(others[index % 3].calls:improve_prompt { agent_id = 1, call_logs = { index },
                prompt = "x" }):wait { interval = 0.05 })
              done = done + 1
            end)
          end
          assert(cq:loop())
          print(done)
        ]])
      end)

      it("a task is a thread: it can be joined and cancelled, and its error is reported", function()
        local output, status = run(loop, [[
          cq:wrap(function()
            print(cekura.spawn(function() cekura.sleep(0.05) return 7 end):join())
            local endless = cekura.spawn(function() while true do cekura.sleep(0.01) end end)
            cekura.sleep(0.05)
            endless:cancel()
            print(endless:join())
            local value, raised, traceback = cekura.spawn(function() cekura.sleep(0) error("mine", 0) end):join()
            print(value, raised, (traceback:find("stack traceback", 1, true)))
            print("ran", cekura.run(function()
              return cekura.spawn(function() return client:request("GET", "/echo/").status end):join()
            end))
            -- 5.1 cannot yield across pcall, so this uses a coroutine
            print(coroutine.resume(coroutine.create(function()
              cekura.run(function() cekura.spawn(error, "nobody joins", 0) end)
            end)))
          end)
          assert(cq:loop())
        ]])
        assert.equal(0, status)
        local log, logged = "cekura: a task raised, and was not joined: nobody joins\nstack traceback:\n[^\n]*\n"
        output, logged = output:gsub(log, "")
        assert.equal(1, logged, output)
        output = output:gsub("\t[^\n]*lua:%d+: in function [^\n]*\n", ""):gsub("\t%([^\n]*tail call[^\n]*\n", "")
        assert.equal("7\nnil\tcekura: cancelled: the task was cancelled\nnil\tmine\t1\nran\t200\nfalse\tnobody joins\n",
          output)
      end)

      it("a task that is cancelled as its answer comes gets it, and its next wait returns the cancellation", function()
        prints("200\nnil\tcekura: cancelled: \nfalse\tcekura: cancelled: \nended\n", [[
          local task
          client = new { on_event = function(event)
            if event.name == "request_finished" and task then task:cancel() end
          end }
          local function show(value, err) print(value, (tostring(err):gsub("cancelled: .*", "cancelled: "))) end
          cq:wrap(function()
            task = cekura.spawn(function()
              print(client:request("GET", "/echo/").status)
              show(client:request("GET", "/echo/"))
              show(pcall(client.request, client, "GET", "/echo/"))
            end)
            task:join()
            print "ended"
          end)
          assert(cq:loop())
        ]])
      end)

      it("plain code and the program's coroutines block only until their call returns", function()
        prints("200\n200\n200\n7\n200\n", [[
          print(client:request("GET", "/echo/").status)
          cq:wrap(function()
            print(client:request("GET", "/echo/").status)
            print(coroutine.wrap(function() return client:request("GET", "/echo/").status end)())
          end)
          assert(cq:loop())
          print(cekura.run(function() cekura.sleep(0.01) return 7 end))
          print(client:request("GET", "/echo/").status)
        ]])
      end)

      it("a wait ends at its deadline, and when its client is closed", function()
        prints("timeout\ttrue\nclosed\n", [[
          client = new { headers = { ["X-Simulate"] = "life=endless" } }
          cq:wrap(function()
            local over, late = require "cqueues.condition".new(), nil
            cq:wrap(function() late = not over:wait(60) end)
            local _, err = job():wait { interval = 0.02, timeout = 0.3 }
            over:signal()
            print(err.kind, not late)
            local waiting = job()
            cq:wrap(function() print(select(2, waiting:wait()).kind) end)
            cekura.sleep(0.1)
            client:close()
          end)
          assert(cq:loop())
        ]])
      end)

      it("another controller takes over from one that no longer runs", function()
        prints("200\n", [[
          client = new { headers = { ["X-Simulate"] = "life=endless" } }
          cq:wrap(function() job():wait() end)
          cq:loop(0.3)
          cq = cqueues.new()
          local status
          cq:wrap(function()
            for _ = 1, 20 do client:request("GET", "/echo/") end
            status = client:request("GET", "/echo/").status
          end)
          local limit = cqueues.monotime() + 100
          while not status and cqueues.monotime() < limit do assert(cq:step(1)) end
          print(status)
        ]])
      end)
    end)
  end

  it("a client can be polled without an adapter", function()
    local output = run("own", [[
      local done = false
      cekura.spawn(function()
        print(job():wait { interval = 0.05 } ~= nil)
        done = true
      end)
      cq:wrap(function()
        while not done do
          cqueues.poll(client)
          client:step()
        end
      end)
      assert(cq:loop())
    ]])
    assert.equal("true\n", output)
  end)
end)

-- Loading a module does not make its loop run.
describe("the choice of a loop", function()
  it("is not changed by a module that is only loaded", function()
    local output = shell(([[timeout 120 %s -e '
      local cekura, cqueues, uv = require "cekura", require "cqueues", require "luv"
      local ran = false
      uv.new_timer():start(0, 0, function() ran = true end)
      print(cekura.run(function() cekura.sleep(0.05) return "own" end), ran)']]):format(lua))
    assert.equal("own\tfalse\n", output)
  end)
end)

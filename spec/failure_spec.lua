--- Tasks that fail, and cancelled tasks that go on: what cekura.run, join and the log do with them, and that they keep
-- neither other tasks from running, nor the program from ending, nor memory.

local cekura = require "cekura"
local file = require "spec.support.file"
local own = require "cekura.loop.own"
local shell = require "spec.support.shell"
local simulator = require "spec.support.simulator"
local weak = require "spec.support.weak"

local puc_5_1 = _VERSION == "Lua 5.1" and not rawget(_G, "jit")

local function boom()
  error("boom", 0)
end

-- pcall for functions that wait.
local protected = pcall
if puc_5_1 then
  protected = function(fn, ...)
    return coroutine.resume(coroutine.create(fn), ...)
  end
end

describe("in the own loop,", function()
  local log, original

  before_each(function()
    log, original = {}, own.log
    own.log = function(message)
      log[#log + 1] = message
    end
  end)

  after_each(function()
    own.log = original
  end)

  it("run logs the traceback of its function, unless something catches the error", function()
    local program = [[
      local cekura = require "cekura"
      local function inner() error "in the midst" end
      local function outer() inner() return true end
      local ok = pcall(cekura.run, outer)
      if not pcall(function() cekura.run(outer) end) then io.stderr:write "caught\n" end
      if not pcall(cekura.run, function() return cekura.run(outer) end) then io.stderr:write "caught\n" end
      cekura.run(outer)]]
    local output = file.temporary(program, function(path)
      return (shell(("%s %s 2>&1"):format(os.getenv "CEKURA_LUA" or "lua5.4", path)):gsub(path:gsub("%p", "%%%0"), "X"))
    end)
    local logged = "caught\ncaught\ncekura: the function of cekura.run raised: X:2: in the midst\nstack traceback:\n"
    assert.equal(logged, output:sub(1, #logged))
    assert.truthy(output:sub(#logged):find "X:2: in [^\n]*\n[^\n]*X:3: in ", output)
    assert.equal(1, select(2, output:gsub("cekura: ", "")))
  end)

  describe("run, when its function raises,", function()
    local server = simulator.during(setup, teardown)
    local client

    setup(function()
      server:script("/stuck/", { { delay = 20 } })
      client = server:client { headers = { ["X-Simulate"] = "life=endless" } }
    end)

    teardown(function()
      client:close()
    end)

    -- The tasks that run beside the function, and would never end.
    local beside = {
      ["sleeps again and again"] = function()
        while true do
          cekura.sleep(0.01)
        end
      end,
      ["sleeps long"] = function()
        cekura.sleep(1e6)
      end,
      ["waits for a request"] = function()
        client:request("GET", "/stuck/")
      end,
      ["waits for a job"] = function()
        local job = cekura.assert(client.calls:improve_prompt { call_logs = { 1 }, prompt = "x" })
        job:wait { timeout = 1e6, interval = 0.01 }
      end,
      ["joins another task"] = function()
        cekura.spawn(cekura.sleep, 1e6):join()
      end,
      ["runs other tasks"] = function()
        cekura.run(function()
          cekura.spawn(cekura.sleep, 1e6)
          cekura.sleep(1e6)
        end)
      end,
      ["has not begun"] = false,
      ["yields for ever"] = function()
        while true do
          coroutine.yield()
        end
      end,
      ["waits in a nested coroutine"] = function()
        while true do
          coroutine.wrap(cekura.sleep)(0.01)
        end
      end,
      ["catches its cancellation"] = function()
        while true do
          protected(cekura.sleep, 0.01)
        end
      end,
      ["spawns when it is cancelled"] = function()
        protected(cekura.sleep, 1e6)
        cekura.spawn(cekura.sleep, 1e6)
      end,
    }

    for what, fn in pairs(beside) do
      it("cancels a task that " .. what .. ", and raises the error", function()
        local thrown, ended = {}, nil
        local ok, raised = pcall(cekura.run, function()
          local task = cekura.spawn(fn or print)
          if fn then
            cekura.sleep(0.02)
          end
          ended = function()
            return tostring(task) == "cekura.task (cancelled)" and task:cancel() == false
          end
          error(thrown)
        end)
        assert.is_false(ok)
        assert.equal(thrown, raised)
        assert.is_true(ended())
        assert.same({}, log)
      end)
    end

    it("waits until cancelled tasks have cleaned up", function()
      local order = {}
      local ok = pcall(cekura.run, function()
        cekura.spawn(function()
          local _, err = cekura.spawn(cekura.sleep, 1e6):join()
          order[#order + 1] = err.kind
        end)
        cekura.sleep(0.01)
        error "boom"
      end)
      order[#order + 1] = "raised"
      assert.is_false(ok)
      assert.same({ "cancelled", "raised" }, order)
    end)

    it("leaves tasks alone that were spawned outside", function()
      local outside = cekura.spawn(function()
        cekura.sleep(0.05)
        return "fine"
      end)
      assert.is_false(pcall(cekura.run, boom))
      assert.equal("fine", outside:join())
    end)
  end)

  describe("a task that raises", function()
    local function fail(value)
      error(value, 0)
    end

    it("is logged once with its traceback, and is not kept, while run goes on", function()
      local seen, logged, kept = weak.table(), nil, nil
      local ok, raised = pcall(cekura.run, function()
        for index = 1, 50 do
          seen[cekura.spawn(fail, "failure " .. index)] = true
          cekura.sleep(0)
        end
        cekura.sleep(0.01)
        logged, kept = #log, weak.count(seen)
      end)
      assert.is_false(ok)
      assert.equal("failure 1", raised)
      assert.equal(50, logged)
      assert.equal(50, #log)
      assert.truthy(log[50]:find "failure 50\n.*failure_spec.lua:%d+")
      assert.equal(1, kept) -- the first one, whose error run raises
    end)

    it("is logged outside of run as well, when no call waits", function()
      local seen = weak.table()
      local function go()
        seen[cekura.spawn(fail, "outside")] = true
        cekura.sleep(0)
      end
      go()
      assert.equal(1, #log)
      assert.equal(0, weak.count(seen))
    end)

    it("is neither logged nor kept if it is joined", function()
      local seen = weak.table()
      cekura.run(function()
        for index = 1, 20 do
          local task = cekura.spawn(fail, index)
          seen[task] = true
          assert.equal(index, select(2, task:join()))
        end
        assert.equal(0, weak.count(seen, 1)) -- one may still be in a register
      end)
      assert.same({}, log)
    end)

    it("is not logged if a task joins it in the same round of the loop", function()
      cekura.run(function()
        local task = cekura.spawn(fail, "x")
        cekura.spawn(function()
          assert.equal("x", select(2, task:join()))
        end)
        cekura.sleep(0.01)
      end)
      assert.same({}, log)
    end)

    it("is logged if the join that waited for it was cancelled", function()
      local ok, raised = pcall(cekura.run, function()
        local withdrawn = false
        local task = cekura.spawn(function()
          while not withdrawn do
            cekura.sleep(0.001)
          end
          fail "late"
        end)
        local joiner = cekura.spawn(task.join, task)
        cekura.sleep(0.01)
        joiner:cancel()
        joiner:join()
        withdrawn = true
      end)
      assert.is_false(ok)
      assert.equal("late", raised)
      assert.equal(1, #log)
    end)

    it("returns its error and its traceback from every join", function()
      local thrown = setmetatable({}, { __tostring = function() return "as it was" end })
      local task = cekura.spawn(function()
        local function deep()
          error(thrown)
        end
        deep()
      end)
      for _ = 1, 2 do
        local value, raised, traceback = task:join()
        assert.is_nil(value)
        assert.equal(thrown, raised)
        assert.truthy(traceback:find "failure_spec.lua:%d+.*failure_spec.lua:%d+")
      end
    end)

    it("is raised by run, after it is logged, if it is the first unjoined one", function()
      local ok, raised = pcall(cekura.run, function()
        local joined = cekura.spawn(fail, "joined later")
        cekura.sleep(0.01)
        joined:join()
        cekura.spawn(fail, "first")
        cekura.spawn(fail, "second")
        return "value"
      end)
      assert.is_false(ok)
      assert.equal("first", raised)
      assert.equal(3, #log)
      assert.equal("value", cekura.run(function()
        local task = cekura.spawn(fail, "x")
        cekura.sleep(0.01)
        task:join()
        return "value"
      end))
    end)
  end)

  describe("a task that is cancelled", function()
    -- Lua 5.1 cannot wait inside pcall, but in a coroutine, where a task waits as plain code does.
    local tries = puc_5_1 and { ["a coroutine"] = protected } or { pcall = pcall, ["a coroutine"] = function(fn, ...)
      return coroutine.resume(coroutine.create(fn), ...)
    end }
    for name, try in pairs(tries) do
      it("and catches that by " .. name .. " repeatedly lets others run, and counts as ended", function()
        local kinds, ticks = {}, 0
        cekura.run(function()
          local task = cekura.spawn(function()
            while #kinds < 10 do
              local _, err = try(cekura.sleep, 0.2)
              kinds[#kinds + 1] = err and err.kind or "slept"
            end
          end)
          cekura.sleep(0.01)
          task:cancel()
          local value, err = task:join()
          assert.is_nil(value)
          assert.equal("cancelled", err.kind)
          for _ = 1, 5 do
            cekura.sleep(0.01)
            ticks = ticks + 1
          end
          assert.same({ "cancelled", "cancelled" }, kinds)
        end)
        assert.equal(5, ticks)
        assert.is_true(#kinds < 4)
      end)
    end

    if not puc_5_1 then
      it("and goes on is collected with everything that it holds", function()
        local seen = weak.table()
        local function go()
          local task = cekura.spawn(function()
            local held = {}
            seen[held], seen[coroutine.running()] = true, true
            while held do
              pcall(cekura.sleep, 1e6)
            end
          end)
          cekura.sleep(0)
          task:cancel()
          task:join()
        end
        go()
        cekura.sleep(0)
        assert.equal(0, weak.count(seen))
      end)

      it("and goes on does not keep a host from ending, because nothing is due for it", function()
        local client = cekura.assert(cekura.new { api_key = "key", config_file = false })
        local task = cekura.spawn(function()
          while true do
            pcall(cekura.sleep, 0.01)
          end
        end)
        cekura.sleep(0.02)
        task:cancel()
        task:join()
        assert.is_nil(own.timeout(client))
        client:close()
      end)
    end

    it("before it begins ends at once, and releases its function", function()
      local seen = weak.table()
      local ran = false
      local function make()
        local held = {}
        seen[held] = true
        return cekura.spawn(function()
          ran = held
        end)
      end
      local task = make()
      task:cancel()
      assert.equal("cancelled", select(2, task:join()).kind)
      cekura.sleep(0)
      assert.is_false(ran)
      assert.equal(0, weak.count(seen))
    end)

    it("after its end keeps its result", function()
      local task = cekura.spawn(function() return 7 end)
      assert.equal(7, task:join())
      assert.is_false(task:cancel())
      assert.equal(7, task:join())
    end)
  end)
end)

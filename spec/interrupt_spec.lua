--- A host that interrupts Lua between any two instructions, as HAProxy does. Specs run again with each `it` in a task,
-- and every task is interrupted at every n-th instruction.

local file = require "spec.support.file"
local shell = require "spec.support.shell"
local simulator = require "spec.support.simulator"

local lua = os.getenv "CEKURA_LUA" or "lua5.4"

if lua ~= "lua5.3" and lua ~= "lua5.4" then -- the other Luas have no hook that can yield
  return
end

describe("interrupted at every n-th instruction,", function()
  setup(function()
    local output, status = shell(("make -s interrupt LUA=%s BUILD=%s"):format(lua, os.getenv "CEKURA_BUILD" or "build"))
    assert.equal(0, status, output)
  end)

  local LEFT_OUT = "--filter-out='ten thousand of them'"

  -- Each file runs once, because a run at every instruction takes minutes. A test whose tasks are too many is left out.
  for name, every in pairs { tasks = 2, job = 7, evaluation = 3, callbacks = 50, webhook = 7, watch = 7 } do
    it(("with n = %d: the specs of %s pass"):format(every, name), function()
      local output, status = shell(("INTERRUPT=%d timeout 600 %s /usr/bin/busted -o TAP %s "
        .. "--helper=spec/support/interrupted.lua spec/%s_spec.lua"):format(every, lua, LEFT_OUT, name))
      assert.truthy(output:find "\nok %d")
      assert.equal(0, status, output:gsub("\n?ok [^\n]*", ""))
    end)
  end

  describe("with", function()
    local server = simulator.during(setup, teardown)

    local PROGRAM = [[
      local cekura = require "cekura"
      local create, interrupt = coroutine.create, require "spec.support.interrupt"
      function coroutine.create(fn)
        return create(function(...)
          interrupt.every(%d)
          return fn(...)
        end)
      end
      local client = cekura.assert(cekura.new { api_key = "sim-key", base_url = %q, config_file = false, retries = 0 })
      %s
    ]]

    local function prints(expected, every, code)
      file.temporary(PROGRAM:format(every, server.url, code), function(path)
        local output, status = shell(("timeout 120 %s %s"):format(lua, path))
        assert.equal(expected, output)
        assert.equal(0, status)
      end)
    end

    for _, every in ipairs { 1, 2, 3, 7, 50 } do
      it(("n = %d: a watch handles and improves each call once, without errors"):format(every), function()
        server:reset()
        server:admin("POST", "call_logs/", { count = 25, agent_id = 77 })
        prints("25 25 \n", every, ([[
          local told, improved, errors = {}, {}, {}
          local watch = cekura.watch {
            client = client, every = 0.1, limits = { jobs = 25, per_hour = 1000 },
            on_error = function(err, where) errors[#errors + 1] = where .. ": " .. tostring(err) end,
            agents = { { agent_id = 77, since = %d, improve = true, prompt = "Be nice.",
              on_evaluated = function(call) told[call.id] = (told[call.id] or 0) + 1 end,
              on_improved = function(_, call) improved[call.id] = (improved[call.id] or 0) + 1 end,
              on_failed = function(err) errors[#errors + 1] = tostring(err) end } },
          }
          -- Counted in plain code, which is not interrupted, so no handler changes a table during its traversal.
          local function count(list)
            local sum = 0
            for _, times in pairs(list) do sum = sum + times end
            return sum
          end
          while count(improved) < 25 do cekura.sleep(0.05) end
          watch:stop()
          watch:wait()
          print(count(told) .. " " .. count(improved) .. " " .. table.concat(errors, "; "))
        ]]):format(os.time() - 86400))
        local starts = 0
        for _, request in ipairs(server:requests()) do
          starts = starts + (request.path:find("improve_prompt_bg", 1, true) and 1 or 0)
        end
        assert.equal(25, starts)
      end)

      it(("n = %d: tasks that share an iterator get each call once"):format(every), function()
        server:reset()
        server:admin("POST", "call_logs/", { count = 100, agent_id = 78 })
        prints("100\t100\n", every, [[
          local calls, lists = client.calls:each { agent_id = 78, page_size = 2 }, {}
          cekura.run(function()
            for index = 1, 4 do
              lists[index] = {}
              cekura.spawn(function()
                for call in calls do
                  table.insert(lists[index], call.id)
                end
              end)
            end
          end)
          local count, given, different = 0, {}, 0
          for _, list in ipairs(lists) do
            for _, id in ipairs(list) do
              count, different = count + 1, different + (given[id] and 0 or 1)
              given[id] = true
            end
          end
          print(count, different)
        ]])
      end)

      it(("n = %d: every request, job, join and failure has exactly one outcome"):format(every), function()
        prints("100\t100\t100\t100\n", every, [[
          local function go(index)
            local job = cekura.assert(client.calls:improve_prompt { call_logs = { index }, prompt = "Be brief." })
            local beside = cekura.spawn(job.wait, job, { interval = 0.01 })
            local result = cekura.assert(job:wait { interval = 0.01 })
            local same = cekura.assert(beside:join())
            assert(same == result and job.state == "succeeded")
            local echo = cekura.assert(client:request("POST", "/echo/", { body = { index = index } })):json()
            assert(echo.body:find(index))
            local failing = cekura.spawn(error, { index }, 0)
            local _, raised = failing:join()
            return result.improved_prompt ~= nil, raised[1]
          end
          local improved, raised, joined, polled = 0, 0, 0, 0
          require("cekura.loop.own").log = function() end -- a task may fail before it is joined
          cekura.run(function()
            local tasks, joiners = {}, {}
            for index = 1, 100 do
              tasks[index] = cekura.spawn(go, index)
            end
            for index, task in ipairs(tasks) do
              joiners[index] = cekura.spawn(task.join, task)
            end
            for index, task in ipairs(tasks) do
              local better, value = task:join()
              improved = improved + (better and 1 or 0)
              raised = raised + (value == index and 1 or 0)
              local again, value_again = joiners[index]:join()
              joined = joined + (again and value_again == index and 1 or 0)
            end
          end)
          print(improved, raised, joined, client:stats().jobs)
        ]])
      end)

      it(("n = %d: each waiter in a coroutine of the host is woken"):format(every), function()
        prints("100\n", every, [[
          local callbacks, waiters, wakers, woken = {}, {}, {}, 0
          local function never() end
          local loop = require("cekura.loop.hosted").new("stub", {
            watch = function() return never end,
            after = function(_, callback) callbacks[#callbacks + 1] = callback return never end,
          })
          for index = 1, 100 do
            coroutine.resume(create(function() -- the host's coroutine, which is not interrupted
              waiters[index] = loop.waiter()
              waiters[index]:park()
              woken = woken + 1
            end))
            wakers[index] = coroutine.create(function() waiters[index]:wake() end)
          end
          while next(wakers) do -- wakes all of them at once
            for index, waker in pairs(wakers) do
              assert(coroutine.resume(waker))
              wakers[index] = coroutine.status(waker) ~= "dead" and waker or nil
            end
          end
          for _, callback in ipairs(callbacks) do callback() end
          print(woken)
        ]])
      end)

      it(("n = %d: tasks are cancelled and run ends"):format(every), function()
        prints("false\tboom\n50\n", every, [[
          local tasks, cancelled = {}, 0
          print(pcall(cekura.run, function()
            for index = 1, 50 do
              tasks[index] = cekura.spawn(function()
                if index % 3 == 0 then
                  cekura.sleep(1000)
                elseif index % 3 == 1 then
                  cekura.spawn(cekura.sleep, 1000):join()
                else
                  while true do pcall(cekura.sleep, 0.01) end
                end
              end)
            end
            cekura.sleep(0.1)
            error("boom", 0)
          end))
          for _, task in ipairs(tasks) do
            local _, err = task:join()
            cancelled = cancelled + (err.kind == "cancelled" and 1 or 0)
          end
          print(cancelled)
        ]])
      end)
    end
  end)
end)

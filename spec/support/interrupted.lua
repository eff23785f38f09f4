--- A helper of busted: each `it` runs in a task, and all tasks are interrupted at every INTERRUPT-th instruction.

local busted = require "busted"
local interrupt = require "spec.support.interrupt"

local every = tonumber(os.getenv "INTERRUPT")

local create = coroutine.create

-- Tasks are what the own loop makes of coroutine.create(); a program's own coroutines are not interrupted.
rawset(coroutine, "create", function(fn)
  if debug.getinfo(2, "S").source:find("cekura/loop/own/", 1, true) then
    return create(function(...)
      interrupt.every(every)
      return fn(...)
    end)
  end
  return create(fn)
end)

busted.subscribe({ "test", "start" }, function(element)
  local run = element.run
  -- Not by cekura.run(): that waits for all tasks, and a watch goes on until the spec is over.
  element.run = function(...)
    local is_over = false
    local _, raised = require("cekura").spawn(function(...)
      run(...)
      is_over = true
    end, ...):join()
    if not is_over then
      error(raised, 0)
    end
  end
  return nil, true -- others are told, too
end)

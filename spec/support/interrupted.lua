--- A helper of busted: each `it` runs in a task, and all tasks are interrupted at every INTERRUPT-th instruction.

local busted = require "busted"
local interrupt = require "spec.support.interrupt"

local every = tonumber(os.getenv "INTERRUPT")

local create = coroutine.create

-- The own loop makes tasks with coroutine.create(). A program's coroutines are not interrupted.
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
  -- cekura.run() would wait for all tasks, and a watch runs until the end of the spec.
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
  return nil, true -- busted calls the other subscribers as well
end)

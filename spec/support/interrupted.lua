--- A helper of busted: each `it` runs in a task, and all tasks are interrupted at every INTERRUPT-th instruction.

local busted = require "busted"
local interrupt = require "spec.support.interrupt"

local every = tonumber(os.getenv "INTERRUPT")

local create = coroutine.create

-- Tasks are what the own loop makes of coroutine.create(); a program's own coroutines are not interrupted.
rawset(coroutine, "create", function(fn)
  if debug.getinfo(2, "S").source:find("cekura/loop/own.lua", 1, true) then
    return create(function(...)
      interrupt.every(every)
      return fn(...)
    end)
  end
  return create(fn)
end)

busted.subscribe({ "test", "start" }, function(element)
  local run = element.run
  element.run = function(...)
    return require("cekura").run(run, ...)
  end
  return nil, true -- others are told, too
end)

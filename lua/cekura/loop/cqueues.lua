--- cqueues: a wait yields to the controller whose thread calls. `loop = "cqueues"`; `"auto"` finds it by the controller
-- that is running. Code that no controller has resumed, plain or in another coroutine, blocks in its call.

local condition = require "cqueues.condition"
local cqueues = require "cqueues"
local threads = require "cekura.loop.threads"

local host = { in_coroutine = true }

function host.here() end

function host.is_plain()
  local controller, is_thread = cqueues.running()
  return not (controller and is_thread)
end

host.signal = condition.new

function host.wait(signal, seconds)
  signal:wait(seconds)
end

function host.notify(signal)
  signal:signal()
end

function host.start(fn)
  cqueues.running():wrap(fn)
end

host.start_pump = host.start
host.later = host.start

-- A controller must forget a descriptor before it is closed.
function host.watch(client)
  local function stop()
    if client:pollfd() then
      cqueues.cancel(client:pollfd())
    end
  end
  return function()
    cqueues.poll(client)
  end, stop
end

function host.log(message)
  io.stderr:write(message, "\n")
end

return threads.new("cqueues", host)

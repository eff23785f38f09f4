--- Prosody's loop, from Prosody 0.12 on. `loop = "prosody"`; inside a running Prosody `"auto"` finds it.
--
-- Prosody handles an HTTP request, or what a client sent, in a coroutine of util.async, which waits by the functions of
-- that module; a coroutine that a module makes just yields.

local async = require "util.async"
local hosted = require "cekura.loop.hosted"
local logger = require "util.logger"
local server = require "net.server"
local timer = require "util.timer"

local write = logger.init "cekura"

local function log(message)
  write("error", "%s", message)
end

-- The epoll backend serves descriptors until none is readable, and only then timers. Since this one is readable as long
-- as there is something to do, it is not watched between a call and the next turn of the timers.
local starves_timers = server.get_backend() == "epoll"

-- Prosody catches the errors of timers, but not of descriptors: one would end its round, and make it pause.
local function watch(fd, callback)
  local handle, over
  local function resume()
    if not over then
      handle:setflags(true, false)
    end
  end
  local function serve()
    if starves_timers then
      timer.add_task(0, resume)
      handle:setflags(false, false)
    end
    callback()
  end
  handle = server.watchfd(fd, function()
    local ok, raised = xpcall(serve, debug.traceback)
    if not ok then
      log(raised)
    end
  end)
  return function()
    over = true
    if handle.close then
      handle:close()
    else -- with libevent
      handle:setflags(false, false)
    end
  end
end

local function after(seconds, callback)
  local id = timer.add_task(seconds, callback)
  return function()
    timer.stop(id)
  end
end

local ASYNC = debug.getinfo(async.runner, "S").source

-- Whether the coroutine that calls is util.async's: its first function is from there.
local function is_async()
  local level = 1
  while debug.getinfo(level + 1, "l") do
    level = level + 1
  end
  return debug.getinfo(level, "S").source == ASYNC
end

local function suspension()
  if is_async() then
    return async.waiter()
  end
end

return hosted.new("prosody", { watch = watch, after = after, suspension = suspension, log = log })

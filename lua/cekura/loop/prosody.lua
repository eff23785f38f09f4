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

-- Prosody catches the errors of timers, but not of descriptors: one would end its round, and make it pause.
local function watch(fd, callback)
  local handle = server.watchfd(fd, function()
    local ok, raised = xpcall(callback, debug.traceback)
    if not ok then
      log(raised)
    end
  end)
  return function()
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

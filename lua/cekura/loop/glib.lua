--- GLib's main loop, by lgi: GTK, GStreamer, D-Bus. `loop = "glib"`; `"auto"` finds it in code that the main loop
-- calls.
--
-- lgi calls a callback in the coroutine that handed it over, or in a new one if that one waits: plain code in a
-- callback may run in a coroutine that cannot yield.

local hosted = require "cekura.loop.hosted"
local own = require "cekura.loop.own"

local GLib = require "lgi".GLib

-- An error that left a callback would jump over GLib's own functions.
local function protected(callback)
  local ok, raised = xpcall(callback, debug.traceback)
  if not ok then
    own.log("cekura: " .. tostring(raised))
  end
end

-- Makes a source of the default main context, whose callback goes on as long as it returns true; returns a function
-- that ends it.
local function source(add, subject, condition, callback)
  local id
  local function serve()
    local goes_on = callback()
    if not goes_on then
      id = nil -- GLib removes it
    end
    return goes_on
  end
  if condition then
    id = add(subject, GLib.PRIORITY_DEFAULT, condition, serve)
  else
    id = add(GLib.PRIORITY_DEFAULT, subject, serve)
  end
  return function()
    if id then
      GLib.source_remove(id)
      id = nil
    end
  end
end

local READABLE = { "IN", "HUP", "ERR" }

local function watch(fd, callback)
  return source(GLib.io_add_watch, GLib.IOChannel.unix_new(fd), READABLE, function()
    protected(callback)
    return true
  end)
end

local function after(seconds, callback)
  return source(GLib.timeout_add, math.ceil(seconds * 1000), nil, function()
    protected(callback)
    return false
  end)
end

return hosted.new("glib", { watch = watch, after = after })

--- libuv: Neovim's, or luv's in a program that runs uv.run(). `loop = "luv"`; inside Neovim `"auto"` finds it.

local hosted = require "cekura.loop.hosted"

local vim = rawget(_G, "vim")
local uv = vim and (vim.uv or vim.loop) or require "luv"

-- Neovim allows little in a callback of libuv's; what it schedules may do everything.
local schedule = vim and vim.schedule or function(fn)
  fn()
end

-- luv 1.44 crashes at the end of a program that has closed a handle and not run the loop since. So handles that end
-- while the loop does not run are closed when it does.
local retired = {}

local function is_running()
  return vim ~= nil or uv.loop_mode() ~= nil
end

local function end_handle(handle)
  if not handle:is_closing() then
    handle:stop()
    retired[#retired + 1] = handle
  end
  while is_running() and retired[1] do
    table.remove(retired):close()
  end
end

-- The handle is stopped until the scheduled callback has run: the descriptor stays readable until then.
local function watch(fd, callback)
  local poll, over = uv.new_poll(fd), false
  local on_readable
  local function serve()
    if not over then
      poll:start("r", on_readable)
      callback()
    end
  end
  function on_readable()
    if over then -- libuv 1.50 may call back once more for a handle that is closing, and aborts if that is stopped
      return
    end
    poll:stop()
    schedule(serve)
  end
  poll:start("r", on_readable)
  poll:unref() -- a client alone does not keep the loop running
  return function()
    over = true
    end_handle(poll)
  end
end

-- A timer of 0 ms that is set in a timer's callback fires before libuv 1.45 goes on to anything else.
local function after(seconds, callback)
  local timer, over = uv.new_timer(), false
  timer:start(math.max(math.ceil(seconds * 1000), 1), 0, function()
    timer:stop()
    schedule(function()
      if not over then
        over = true
        end_handle(timer)
        callback()
      end
    end)
  end)
  return function()
    if not over then
      over = true
      end_handle(timer)
    end
  end
end

return hosted.new("luv", { watch = watch, after = after })

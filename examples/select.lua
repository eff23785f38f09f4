-- Improves a prompt in a program that has an event loop by select(), and goes on with other work meanwhile. It shows
-- what an adapter for a host needs: two functions.
--
--   lua5.4 examples/select.lua AGENT_ID CALL_LOG_ID...
--
-- select() is LuaSocket's (Debian's lua-socket). The key comes from CEKURA_API_KEY or ~/.cekura/config.toml.

local cekura = require "cekura"
local socket = require "socket"

-- ---- the program's loop: descriptors to watch, and timers ----

local readers, timers = {}, {}

-- Calls back whenever the descriptor is readable. Returns a function that stops watching it.
local function watch(fd, callback)
  local reader = { getfd = function() return fd end, callback = callback } -- as LuaSocket wants it
  readers[#readers + 1] = reader
  return function()
    for place, other in ipairs(readers) do
      if other == reader then
        table.remove(readers, place)
      end
    end
  end
end

-- Calls back once, after so many seconds. Returns a function that cancels the timer.
local function after(seconds, callback)
  local timer = { at = socket.gettime() + seconds, callback = callback }
  timers[timer] = true
  return function()
    timers[timer] = nil
  end
end

local function next_timer()
  local first
  for timer in pairs(timers) do
    first = first and first.at <= timer.at and first or timer
  end
  return first
end

local over = false

local function loop()
  while not over do
    local first = next_timer()
    for _, reader in ipairs(socket.select(readers, nil, first and math.max(0, first.at - socket.gettime()))) do
      reader.callback()
    end
    if first and timers[first] and first.at <= socket.gettime() then
      timers[first] = nil
      first.callback()
    end
  end
end

-- ---- the program ----

local USAGE = "usage: select.lua AGENT_ID CALL_LOG_ID...\n"

local function wrong_usage()
  io.stderr:write(USAGE)
  os.exit(2)
end

for _, word in ipairs(arg) do
  if word == "--help" or word == "-h" then
    io.write(USAGE)
    os.exit(0)
  end
end

local agent_id, call_logs = arg[1], { (table.unpack or unpack)(arg, 2) } -- luacheck: ignore 143
if not call_logs[1] or agent_id:find "^%-" then
  wrong_usage()
end

-- The two functions are all that cekura has to know of the loop.
local client = cekura.assert(cekura.new { loop = { watch = watch, after = after } })

local function tick()
  print "Doing other work"
  after(0.5, tick)
end

-- Any coroutine may wait; it yields to the loop above.
coroutine.wrap(function()
  local job = cekura.assert(client.calls:improve_prompt {
    agent_id = agent_id, call_logs = call_logs, prompt = "Be brief.",
  })
  local result = cekura.assert(job:wait { on_progress = function()
    print("The improvement is " .. job.status)
  end })
  print("Improved prompt: " .. (result.improved_prompt or "none, " .. result.reason))
  over = true
end)()

tick()
loop()
client:close()

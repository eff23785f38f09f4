-- A Copas server that improves prompts: a connection sends a prompt as one line, and gets the improved one. Connections
-- wait side by side.
--
--   lua5.1 examples/copas.lua PORT AGENT_ID CALL_LOG_ID
--
-- The key comes from CEKURA_API_KEY or ~/.cekura/config.toml. Copas 1.2, which Debian has, knows neither timers nor a
-- way to wake a thread. It knows sockets, so the two functions below make what looks like sockets to LuaSocket.

local cekura = require "cekura"
local copas = require "copas"
local socket = require "socket"

local port, agent_id, call_log = tonumber(arg[1]), arg[2], tonumber(arg[3])
if not (port and agent_id and call_log) then
  local help = arg[1] == "--help"
  local stream = help and io.stdout or io.stderr
  stream:write "usage: copas.lua PORT AGENT_ID CALL_LOG_ID\n"
  os.exit(help and 0 or 2)
end

local function nothing() end

local host = { name = "copas" }

-- A server, whose connection is "accepted" whenever the descriptor is readable.
function host.watch(fd, callback)
  copas.addserver({
    settimeout = nothing,
    getfd = function() return fd end,
    accept = function()
      local ok, raised = pcall(callback)
      if not ok then
        io.stderr:write(tostring(raised), "\n") -- one that left this function would end copas.loop()
      end
    end,
  }, nothing)
  return function() fd = -1 end -- select leaves that out
end

local silent = assert(socket.udp())
assert(silent:setpeername("127.0.0.1", 9)) -- this makes the descriptor; nothing ever arrives there

-- A socket that becomes readable when the coroutine is to go on. `dirty` is where select looks before the descriptor.
function host.suspension()
  local woken = false
  local signal = {
    getfd = function() return silent:getfd() end,
    dirty = function() return woken end,
    receive = function() return woken and "" or nil, "timeout" end,
    close = nothing,
  }
  return function() copas.receive(signal) end, function() woken = true end
end

local client = cekura.assert(cekura.new { loop = host })

local function improve(prompt)
  local job, err = client.calls:improve_prompt { agent_id = agent_id, call_logs = { call_log }, prompt = prompt }
  local result
  if job then
    result, err = job:wait { timeout = 150 }
  end
  return result and result.improved_prompt or tostring(err)
end

copas.addserver(assert(socket.bind("127.0.0.1", port)), function(connection)
  copas.send(connection, improve(copas.receive(connection)) .. "\n")
  connection:close() -- Copas closes only the socket that the handler waited for last
end)
print("listening on " .. port)
copas.loop()

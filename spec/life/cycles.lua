--- Starts jobs and closes their clients, CYCLES times, and raises if that leaves anything behind.
--
--   lua5.4 spec/life/cycles.lua [CYCLES]     `make cycles`
--
-- A cycle is one of seven situations, in turn. The first readings are taken after some hundreds of cycles.

local cekura = require "cekura"
local core = require "cekura.core"
local file = require "spec.support.file"
local simulator = require "spec.support.simulator"

local CYCLES = tonumber(arg[1]) or 100000
local WARM_UP = math.min(2000, math.floor(CYCLES / 2))
local PARAMS = { agent_id = 2142, call_logs = { 1 }, prompt = "x" }

-- What a process may have more of at the end, however long it ran. malloc keeps some freed memory, in varying places.
local ORDER = { "resident, KB", "of Lua, KB", "descriptors", "threads", "open clients" }
local BOUNDS = { ["resident, KB"] = 2048, ["of Lua, KB"] = 128, descriptors = 0, threads = 0, ["open clients"] = 0 }

local server = simulator.start()
local shared -- a client for many cycles

local function start(client)
  return cekura.assert(client.calls:improve_prompt(PARAMS))
end

local stories = {
  -- A job in a new client, from start to end.
  function()
    local client = server:client()
    cekura.assert(start(client):wait { interval = 0.0005 })
    client:close()
  end,
  -- The client is closed when the job has started.
  function()
    local client = server:client()
    start(client)
    client:close()
  end,
  -- The client is closed by a task while the start is in flight.
  function()
    local client = server:client()
    local task = cekura.spawn(start, client)
    client:step()
    client:close()
    assert(not task:join())
  end,
  -- The client is closed while a poll is in flight.
  function()
    local client = server:client()
    local job = start(client)
    local task = cekura.spawn(job.wait, job, { interval = 0.0005 })
    cekura.sleep(0.001)
    client:close()
    task:join()
  end,
  -- The client is collected without a close.
  function()
    start(server:client())
  end,
  -- A job in the shared client, cancelled while a poll is in flight.
  function()
    local job = start(shared)
    local task = cekura.spawn(job.wait, job, { interval = 0.0005 })
    cekura.sleep(0.001)
    job:cancel()
    task:join()
  end,
  -- A job in the shared client, from start to end, beside a task that is cancelled.
  function()
    local job = start(shared)
    local task = cekura.spawn(cekura.sleep, 10)
    for _ in job:updates { interval = 0.0005 } do end
    assert(job.result)
    task:cancel()
    task:join()
  end,
}

-- Counted at the end of the pipe's input, when this process has closed both of its ends: before that, it may or may not
-- have closed the child's end.
local function descriptors()
  local path = os.tmpname()
  local pipe = assert(io.popen("cat; ls /proc/$PPID/fd | wc -l >" .. path, "w"))
  pipe:close()
  local count = tonumber(file.read(path))
  os.remove(path)
  return count
end

local function readings()
  for _ = 1, 4 do
    collectgarbage()
  end
  local status = file.read "/proc/self/status"
  return {
    ["resident, KB"] = tonumber(status:match "VmRSS:%s*(%d+)"),
    ["of Lua, KB"] = collectgarbage "count",
    descriptors = descriptors(),
    threads = tonumber(status:match "Threads:%s*(%d+)"),
    ["open clients"] = #require("cekura.loop.clients").list(),
  }
end

-- Leaves no client open.
local function cycle(from, to)
  shared = server:client()
  for index = from, to do
    stories[index % #stories + 1]()
    if index % 100 == 0 then
      collectgarbage() -- the collector does not know the cost of a client outside Lua
    end
    if index % 1000 == 0 then
      server:reset() -- clears its list of requests
    end
  end
  shared:close()
  server.administrator:close()
  server.administrator = nil
end

local began = core.now()
cycle(1, WARM_UP)
local first = readings()
cycle(WARM_UP + 1, CYCLES)
local last = readings()

local grown = false
print(("%-16s %12s %12s %12s"):format("after cycles", WARM_UP, CYCLES, "may grow by"))
for _, name in ipairs(ORDER) do
  local too_much = last[name] - first[name] > BOUNDS[name]
  grown = grown or too_much
  print(("%-16s %12.0f %12.0f %12d%s"):format(name, first[name], last[name], BOUNDS[name],
    too_much and "  IT GREW" or ""))
end
print(("%d cycles in %.0f s"):format(CYCLES, core.now() - began))
server:stop()
os.exit(grown and 1 or 0)

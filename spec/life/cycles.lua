--- Starts jobs and closes their clients, CYCLES times, and prints how memory, descriptors and threads have grown. Exits
-- with an error if they have grown too much.
--
--   lua5.4 spec/life/cycles.lua [CYCLES]     `make cycles`
--
-- A cycle is one of seven stories, in turn. The first readings are taken after a warm-up.

local cekura = require "cekura"
local core = require "cekura.core"
local file = require "spec.support.file"
local posix = require "spec.life.posix"
local simulator = require "spec.support.simulator"

local CYCLES = tonumber(arg[1]) or 100000
local WARM_UP = math.min(2000, math.floor(CYCLES / 2))
local PARAMS = { agent_id = 2142, call_logs = { 1 }, prompt = "x" }

-- How much each reading may grow, over any number of cycles. Resident memory may grow because freed memory lies between
-- allocations.
local ORDER = { "allocated, KB", "resident, KB", "of Lua, KB", "descriptors", "threads", "open clients" }
local BOUNDS = { ["allocated, KB"] = 128, ["resident, KB"] = 2048, ["of Lua, KB"] = 128, descriptors = 0, threads = 0,
  ["open clients"] = 0 }

local server = simulator.start { nginx = true }
local shared -- a client that lives for many cycles

local function start(client)
  return cekura.assert(client.calls:improve_prompt(PARAMS))
end

local stories = {
  -- A client with one job, from start to end.
  function()
    local client = server:client()
    cekura.assert(start(client):wait { interval = 0.0005 })
    client:close()
  end,
  -- A client that is closed when its job has started.
  function()
    local client = server:client()
    start(client)
    client:close()
  end,
  -- A client that is closed while a task's start is in flight.
  function()
    local client = server:client()
    local task = cekura.spawn(start, client)
    client:step()
    client:close()
    assert(not task:join())
  end,
  -- A client that is closed while a poll is in flight.
  function()
    local client = server:client()
    local job = start(client)
    local task = cekura.spawn(job.wait, job, { interval = 0.0005 })
    cekura.sleep(0.001)
    client:close()
    task:join()
  end,
  -- A client that is collected, not closed.
  function()
    start(server:client())
  end,
  -- A job of the shared client, which is cancelled while a poll is in flight.
  function()
    local job = start(shared)
    local task = cekura.spawn(job.wait, job, { interval = 0.0005 })
    cekura.sleep(0.001)
    job:cancel()
    task:join()
  end,
  -- A job of the shared client, to its end, beside a task that is cancelled.
  function()
    local job = start(shared)
    local task = cekura.spawn(cekura.sleep, 10)
    for _ in job:updates { interval = 0.0005 } do end
    assert(job.result)
    task:cancel()
    task:join()
  end,
}

-- The number of this process's descriptors. It is counted after the end of the pipe's input, when this process has
-- certainly closed both ends of the pipe.
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
  local allocated = posix.allocated()
  local status = file.read "/proc/self/status"
  return {
    ["allocated, KB"] = allocated / 1024,
    ["resident, KB"] = tonumber(status:match "VmRSS:%s*(%d+)"),
    ["of Lua, KB"] = collectgarbage "count",
    descriptors = descriptors(),
    threads = tonumber(status:match "Threads:%s*(%d+)"),
    ["open clients"] = #require("cekura.loop.clients").list(),
  }
end

-- Runs the cycles from one number to another. Leaves no client open.
local function cycle(from, to)
  shared = server:client()
  for index = from, to do
    stories[index % #stories + 1]()
    if index % 100 == 0 then
      collectgarbage() -- the collector does not know the memory of a client outside Lua
    end
    if index % 1000 == 0 then
      server:reset() -- clears its record of requests
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

--- Runs nginx under load for minutes, with reloads, jobs that are waited for, and clients that disconnect:
--
--   luajit spec/bench/nginx/soak.lua [MINUTES]
--
-- Prints the resources of the worker and the master: memory, descriptors, threads. See spec/bench/README.md.

local cekura = require "cekura"
local core = require "cekura.core"
local file = require "spec.support.file"
local nginx = require "spec.support.nginx"
local shell = require "spec.support.shell"
local simulator = require "spec.support.simulator"

local minutes = tonumber(arg[1]) or 10
local RELOAD, SAMPLE = 100, 20 -- seconds
local CALLERS = 20

local CONFIG = [[
  lua_check_client_abort on;
  init_worker_by_lua_block { require("spec.bench.nginx.worker").base_url = "URL" }
  server {
    listen 127.0.0.1:@PORT@;
    location = /improve { content_by_lua_block { require("spec.bench.nginx.worker").improve() } }
    location = /wait { content_by_lua_block { require("spec.bench.nginx.worker").wait() } }
  }
]]

local server = simulator.start { nginx = true }
local host = nginx.start(nginx.config((CONFIG:gsub("URL", server.url))))
local client = cekura.assert(cekura.new { api_key = "sim-key", base_url = host.url, config_file = false,
  retries = 0, max_in_flight = 2 * CALLERS })

local function of(pid)
  local status = file.read(("/proc/%s/status"):format(pid)) or ""
  return tonumber(status:match "VmRSS:%s*(%d+)") or 0, tonumber((shell(("ls /proc/%s/fd | wc -l"):format(pid)))),
    tonumber(status:match "Threads:%s*(%d+)") or 0
end

local served, failed, left = 0, 0, 0
local over = false

-- Most callers wait for the answer; one in five disconnects.
local function call(index)
  while not over do
    local request = cekura.spawn(function()
      return client:request("GET", "/improve")
    end)
    if index % 5 == 0 then
      cekura.sleep(0.2 + math.random())
      request:cancel()
      left = left + 1
    else
      local answer, err = request:join()
      if answer then
        served = served + 1
      elseif err.status ~= 503 and err.kind ~= "network" then -- 503: the worker is ending
        failed = failed + 1
        io.write(tostring(err), "\n")
      end
    end
  end
end

local function report(age)
  local workers = host:workers()
  local memory, descriptors, threads = of(workers[#workers])
  local own_memory, own_descriptors = of(host.pid)
  print(("%4.0f s  worker %s, %3.0f s old: %6d KB, %3d descriptors, %d threads; %d workers; master %6d KB, %3d "
    .. "descriptors; %d served, %d went away, %d failed"):format(age.total, workers[#workers], age.worker, memory,
    descriptors, threads, #workers, own_memory, own_descriptors, served, left, failed))
  io.stdout:flush()
end

cekura.run(function()
  local began, reloaded = core.now(), core.now()
  client:request("GET", "/wait?jobs=200&interval=1&timeout=3600")
  for index = 1, CALLERS do
    cekura.spawn(call, index)
  end
  while core.now() - began < minutes * 60 do
    cekura.sleep(SAMPLE - 1)
    report { total = core.now() - began, worker = core.now() - reloaded }
    if core.now() - reloaded > RELOAD - SAMPLE then
      host:reload()
      reloaded = core.now()
      cekura.sleep(1)
      client:request("GET", "/wait?jobs=200&interval=1&timeout=3600")
    else
      cekura.sleep(1)
    end
  end
  over = true
end)
client:close()
io.write(host:log())
host:stop()
server:stop()

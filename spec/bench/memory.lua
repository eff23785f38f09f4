--- Measures the resident memory of waiting jobs: memory.lua URL JOBS all|tasks
-- The jobs are waited for by one cekura.all(), or each by a task of its own. Each has been polled once and keeps its
-- answer; the URLs of their polls have 130 bytes, without the selection. Garbage is collected again and again: how much
-- of it Lua lets grow before that is not what a job needs. Prints bytes for each job: resident, and by Lua's count.

local cekura = require "cekura"
local core = require "cekura.core"

local url, count, way = arg[1], tonumber(arg[2]), arg[3]
local PATH = "/observability/v1/call-logs/improve_prompt_progress/?progress_id="
local ID = "%0" .. 130 - #url - #PATH .. "d"

-- The bytes of this process that are in memory, and those that Lua counts.
local function memory()
  collectgarbage()
  collectgarbage()
  local file = assert(io.open "/proc/self/statm")
  local pages = file:read "*a":match "^%d+ (%d+)"
  file:close()
  return pages * 4096, collectgarbage "count" * 1024
end

local client = cekura.assert(cekura.new { api_key = "sim-key", base_url = url, config_file = false })

local function collect(number)
  if number % 200 == 0 then
    collectgarbage()
  end
end

-- Returns the jobs, whose first polls have been answered.
local function wait_for(number, first)
  local jobs, left = {}, number
  for index = 1, number do
    collect(index)
    jobs[index] = cekura.assert(client:job("calls.improve_prompt", ID:format(first + index)))
  end
  local options = { timeout = 86400, interval = 3600, on_progress = function()
    left = left - 1
    collect(left)
  end }
  if way == "tasks" then
    for index = 1, number do
      collect(index)
      cekura.spawn(function()
        jobs[index]:wait(options)
      end)
    end
  else
    cekura.spawn(cekura.all, jobs, options)
  end
  while left > 0 do
    cekura.sleep(0.1)
  end
  return jobs
end

cekura.run(function()
  local warm = wait_for(100, 0) -- what is made once, and the connections
  local resident, by_lua = memory()
  local jobs = wait_for(count, #warm)
  local resident_after, by_lua_after = memory()
  print(("%.0f %.0f"):format((resident_after - resident) / #jobs, (by_lua_after - by_lua) / #jobs))
  os.exit(0)
end)
core.now()

--- Measures how long Prosody is blocked while jobs are polled: prosody.lua URL JOBS INTERVAL SECONDS
-- Starts a Prosody with this module, or without it for 0 jobs, and a timer of 10 ms beside it. Prints the longest delay
-- of the timer and the longest step of the engine, both in milliseconds, and the polls a second.

local file = require "spec.support.file"
local process = require "spec.support.process"
local shell = require "spec.support.shell"

local url, count, interval, seconds = arg[1], tonumber(arg[2]), tonumber(arg[3]), tonumber(arg[4])
local here = shell "pwd":match "[^\n]+"

local MODULE = [[
local timer, time = require "util.timer", require "util.time"
local URL, JOBS, INTERVAL, SECONDS = %q, %d, %f, %f
local client
if JOBS > 0 then
  local cekura = require "cekura"
  client = cekura.assert(cekura.new { api_key = "sim-key", base_url = URL, config_file = false })
  local jobs = {}
  for index = 1, JOBS do
    jobs[index] = cekura.assert(client:job("calls.improve_prompt", "job-" .. index))
  end
  cekura.spawn(cekura.all, jobs, { timeout = 86400, interval = INTERVAL })
end
local worst, fires_at, polls = 0, time.now() + 3, 0
timer.add_task(3, function() -- the start is over
  worst = math.max(worst, time.now() - fires_at)
  fires_at = time.now() + 0.01
  return 0.01
end)
timer.add_task(3.005, function()
  worst, polls = 0, client and client:stats().requests or 0
end)
timer.add_task(3 + SECONDS, function()
  local stats = client and client:stats()
  print(("figures %%.2f %%.2f %%.0f"):format(worst * 1e3, stats and stats.longest_step * 1e3 or 0,
    stats and (stats.requests - polls) / SECONDS or 0))
end)
]]

local CONFIG = [[
modules_enabled = { "probe" }
plugin_paths = { "DIR" }
daemonize = false
run_as_root = true
data_path = "DIR"
log = { error = "/dev/stderr" }
VirtualHost "localhost"
]]

local function absolute(paths)
  return (paths:gsub("[^;]+", function(path)
    return path:sub(1, 1) == "/" and path or here .. "/" .. path
  end))
end

local dir = shell "mktemp -d":match "%S+"
file.write(dir .. "/mod_probe.lua", MODULE:format(url, count, interval, seconds))
file.write(dir .. "/prosody.cfg.lua", (CONFIG:gsub("DIR", dir)))
local prosody = process.start(("LUA_PATH='%s' LUA_CPATH='%s' HOME=%s prosody -F --config %s/prosody.cfg.lua"):format(
  absolute(package.path), absolute(package.cpath), dir, dir), function(self)
  return self:output():find "figures [^\n]*\n"
end)
print(prosody:output():match "figures ([^\n]*)")
prosody:stop()
shell("rm -rf " .. dir)

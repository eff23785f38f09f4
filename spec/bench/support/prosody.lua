--- Runs Prosody with spec/bench/prosody/mod_bench.lua.

local file = require "spec.support.file"
local process = require "spec.support.process"
local shell = require "spec.support.shell"

local HERE = shell("pwd"):gsub("%s+$", "")

local CONFIG = [[
  plugin_paths = { "HERE/spec/bench/prosody" }
  modules_disabled = { "c2s", "s2s", "offline", "s2s_auth_certs" }
  run_as_root = true
  data_path = "DIR"
  log = { warn = "/dev/stderr" }
  VirtualHost "localhost"
    modules_enabled = { "bench" }
]]

-- Prosody changes its working directory.
local function absolute(paths)
  return (paths:gsub("[^;]+", function(path)
    return path:sub(1, 1) == "/" and path or HERE .. "/" .. path
  end))
end

--- Measures for some seconds, with so many jobs.
---@param url string a folder of the server
---@param jobs integer 0: without the module
---@param seconds number
---@return number delay of a timer of 10 ms at most, in milliseconds
---@return number step the longest one of the module, in milliseconds
---@return number polls
return function(url, jobs, seconds)
  local command = ("LUA_PATH='%s' LUA_CPATH='%s' BENCH_URL=%s BENCH_JOBS=%d BENCH_SECONDS=%g prosody -F --config "
    .. "./prosody.cfg.lua"):format(absolute(package.path), absolute(package.cpath), url, jobs, seconds)
  local prosody = process.start(command, function(self)
    return self:output():find("figures ", 1, true)
  end, function(dir)
    file.write(dir .. "/prosody.cfg.lua", (CONFIG:gsub("HERE", HERE):gsub("DIR", dir)))
  end)
  local output = prosody:output()
  prosody:stop()
  local delay, step, polls = output:match "figures (%S+) (%S+) (%d+)"
  return assert(tonumber(delay), output), tonumber(step), tonumber(polls)
end

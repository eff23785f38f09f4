--- A worker of a fleet in a process of its own, which writes a line for each call of a handler.

local file = require "spec.support.file"
local process = require "spec.support.process"
local shell = require "spec.support.shell"

local fleet_worker = {}

local HERE = shell "pwd":match "[^\n]+"
local lua = os.getenv "CEKURA_LUA" or "lua5.4"

local PROGRAM = [[
local cekura, fleets = require "cekura", require "cekura.fleet"
local options = { %s }
io.stdout:setvbuf "line"
local client = cekura.assert(cekura.new { config_file = false, interval = 0.05, retries = options.retries })
local fleet = cekura.assert(fleets.new { redis = os.getenv "REDIS", name = "jobs", client = client,
  lease = options.lease or 1, rate = options.rate, keep = options.keep })
cekura.run(function()
  cekura.spawn(function()
    print "works"
    print("ended", fleet:work { concurrency = options.concurrency, until_empty = options.until_empty,
      on_result = function(result, task)
        print(("result %%s %%s %%d"):format(task.id, tostring(result.improved_prompt or result.reason), task.attempts))
        if options.handler then
          options.handler(task, fleet)
        end
      end,
      on_failed = function(err, task)
        print(("failed %%s %%s %%d"):format(task.id, err.kind, task.attempts))
        if options.handler then
          options.handler(task, fleet)
        end
      end,
      on_error = function(err, where)
        print(("problem %%s %%s"):format(where, tostring(err)))
      end })
  end)
end)
]]

--- Starts one.
---@param redis table the server, see spec.support.redis_server
---@param simulator table
---@param options? string members of a Lua table: lease, concurrency, rate, keep, until_empty, handler (a function of
---the task and the fleet, called after its line is written)
---@return table process
function fleet_worker.start(redis, simulator, options)
  local command = ([[CEKURA_API_URL=%s CEKURA_API_KEY=%s REDIS=%s sh -c 'cd %s && exec %s '"$PWD"'/program']]):format(
    simulator.url, simulator.key, redis.url, HERE, lua)
  return process.start(command, function(self)
    return self:output():find("works", 1, true)
  end, function(dir)
    file.write(dir .. "/program", PROGRAM:format(options or ""))
  end)
end

return fleet_worker

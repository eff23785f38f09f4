--- What a worker of the fleet's proof does, in whatever host: works, and writes lines to files that outlive it.
--   workers  PID PROCESS HOST, once
--   handled  ID NUMBER OUTCOME PID SECONDS, when a handler is called, which then takes a moment
--   problems what on_error gets

local cekura = require "cekura"
local core = require "cekura.core"
local fleets = require "cekura.fleet"

local function pid()
  local stat = assert(io.open "/proc/self/stat")
  local number = stat:read "*n"
  stat:close()
  return math.floor(number)
end

---@class fleet.Work
---@field host string the worker's name, for the files
---@field name string of the fleet
---@field redis string URL
---@field service string URL
---@field files string a folder
---@field lease number seconds
---@field concurrency integer
---@field interval number seconds between two polls
---@field moment number the longest time that a handler takes, in seconds

--- Works until it is stopped, in a task of the host.
---@param given fleet.Work
return function(given)
  local function append(name, ...)
    local to = assert(io.open(given.files .. "/" .. name, "a"))
    to:write(table.concat({ ... }, " "), "\n")
    to:close()
  end
  local function problem(...)
    append("problems", given.host, pid(), ("%.3f"):format(core.now()), ...)
  end
  local function handle(how, task)
    append("handled", task.id, task.params.prompt:match "%d+", how, pid(), ("%.3f"):format(core.now()))
    if given.moment > 0 then
      cekura.sleep(given.moment * math.random())
    end
  end
  local function work()
    local client = cekura.assert(cekura.new { api_key = "proof", base_url = given.service, config_file = false,
      interval = given.interval })
    local fleet = cekura.assert(fleets.new { redis = given.redis, name = given.name, client = client,
      lease = given.lease })
    append("workers", pid(), fleet:_process(), given.host)
    local _, err = fleet:work { concurrency = given.concurrency,
      on_result = function(result, task)
        handle(result.improved_prompt == "better " .. task.params.prompt:match "%d+" and "done" or "wrong", task)
      end,
      on_failed = function(err, task)
        handle(err.kind == "unknown_outcome" and err.method and "unknown_outcome/request" or err.kind, task)
      end,
      on_error = function(err, where)
        problem(where, tostring(err))
      end }
    problem("ended", tostring(err))
  end
  cekura.spawn(function()
    local ok, raised = pcall(work)
    if not ok then
      problem("raised", tostring(raised))
    end
  end)
end

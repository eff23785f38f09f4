-- A worker of a fleet: takes the tasks that submit.lua has submitted, and writes each improved prompt to a file. Any
-- number of workers may run, on any hosts. A host with an event loop loads this file unchanged; nginx.conf in this
-- folder does.
--
--   lua5.4 examples/fleet/worker.lua [--until-empty]
--
-- The fleet is in the Redis of REDIS_URL (redis://127.0.0.1). The API key comes from CEKURA_API_KEY or
-- ~/.cekura/config.toml. The files are written to the folder of CEKURA_PROMPTS, by default the current one.

local cekura = require "cekura"
local fleets = require "cekura.fleet"

local arg = rawget(_G, "arg")
local is_script = arg ~= nil and tostring(arg[0]):find "worker%.lua$" ~= nil
local until_empty = is_script and arg[1] == "--until-empty"

if is_script and (arg[2] or arg[1] and not until_empty) then
  local is_asked = arg[1] == "--help" or arg[1] == "-h"
  local out = is_asked and io.stdout or io.stderr
  out:write "usage: worker.lua [--until-empty]\n"
  os.exit(is_asked and 0 or 2)
end

local folder = (os.getenv "CEKURA_PROMPTS" or ".") .. "/"

local function log(...)
  io.stderr:write(string.format(...), "\n")
end

-- A handler may be called again, by another worker, if this one dies in it. So it writes the whole file in one step; a
-- second call writes the same.
local function on_result(result, task)
  if not result.improved_prompt then
    return log("%s: nothing to do: %s", task.key, result.reason or "no reason was given")
  end
  local path = folder .. task.id .. ".txt"
  local file = assert(io.open(path .. ".new", "wb"))
  assert(file:write(result.improved_prompt))
  assert(file:close())
  assert(os.rename(path .. ".new", path))
  log("%s: wrote %s: %s", task.key, path, result.summary_of_changes or "no summary was given")
end

local function on_failed(err, task)
  if err.kind == "unknown_outcome" then -- it may run in the service, and must not be started again blindly
    log("%s: whether the job was started is unknown; see %s", task.key, task.id)
  else
    log("%s: %s", task.key, tostring(err))
  end
end

local client = cekura.assert(cekura.new())
local fleet = cekura.assert(fleets.new { redis = os.getenv "REDIS_URL" or "redis://127.0.0.1", name = "prompts",
  client = client, rate = { in_flight = 200 } })

local function work()
  cekura.assert(fleet:work { on_result = on_result, on_failed = on_failed, until_empty = until_empty })
end

if is_script then
  work()
else
  cekura.spawn(work) -- nothing may wait while a host loads its files
end

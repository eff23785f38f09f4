-- Improves a prompt many times at once (50), in one thread and over a few connections, and prints each job as it ends.
--
--   lua5.4 examples/many_jobs.lua AGENT_ID PROMPT_FILE [HOW_MANY]
--
-- The key comes from CEKURA_API_KEY or ~/.cekura/config.toml.

local cekura = require "cekura"

local USAGE = "usage: many_jobs.lua AGENT_ID PROMPT_FILE [HOW_MANY]\n"

local function wrong_usage(message)
  io.stderr:write(message and message .. "\n" or "", USAGE)
  os.exit(2)
end

for _, word in ipairs(arg) do
  if word == "--help" or word == "-h" then
    io.write(USAGE)
    os.exit(0)
  end
end

local agent_id, prompt_file, how_many = arg[1], arg[2], arg[3] or "50"
if not prompt_file or arg[4] or agent_id:find "^%-" then
  wrong_usage()
elseif not how_many:find "^[1-9]%d*$" then
  wrong_usage("HOW_MANY: a whole number from 1, not " .. how_many)
end
how_many = tonumber(how_many)
local file = assert(io.open(prompt_file, "rb"))
local prompt = file:read "*a"
file:close()

local client = cekura.assert(cekura.new())

-- Each start is a task, so that the starts are sent side by side, max_in_flight at once.
local jobs = cekura.run(function()
  local starts, jobs = {}, {}
  for index = 1, how_many do
    starts[index] = cekura.spawn(function()
      return client.calls:improve_prompt { agent_id = tonumber(agent_id) or agent_id, call_logs = { first = 10 },
        prompt = prompt }
    end)
  end
  for _, start in ipairs(starts) do
    local job, err = start:join()
    if job then
      jobs[#jobs + 1] = job
    else
      print("not started: " .. tostring(err))
    end
  end
  return jobs
end)
print(("%d jobs started"):format(#jobs))

local improved = 0
for job, result, err in cekura.each(jobs, { timeout = 150 }) do
  improved = improved + (result and result.improved_prompt and 1 or 0)
  print(("%s  %s after %.1f s, %d polls%s"):format(job.id, job.state, job.elapsed, job.polls,
    err and ": " .. tostring(err) or ""))
end
local stats = client:stats()
print(("%d of %d prompts improved, with %d requests on %d connections"):format(improved, how_many, stats.requests,
  stats.connections))
os.exit(improved == how_many and 0 or 1)

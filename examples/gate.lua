-- Runs an agent's scenarios that have certain tags, shows the progress, and exits by the service's rule: for a pipeline
-- that goes on only if every call has passed.
--
--   lua5.4 examples/gate.lua [--cancel-on-exit] [--timeout SECONDS] AGENT_ID TAG[,TAG]...
--
-- The exit status is 0 if all calls passed, 1 if one did not or none ran, 2 for wrong usage, 4 without a valid key, 5
-- if the time (an hour) is over, 130 after Ctrl-C, 7 if it is unknown whether the start was received, and 9 if the
-- service cannot be reached. In the cases 5 and 130 the calls go on, and the program prints the token that takes them
-- up; with --cancel-on-exit they are ended in the service. The key comes from CEKURA_API_KEY or ~/.cekura/config.toml.

local cekura = require "cekura"

local USAGE = "usage: gate.lua [--cancel-on-exit] [--timeout SECONDS] AGENT_ID TAG[,TAG]...\n"

local function wrong_usage(message)
  io.stderr:write(message and message .. "\n" or "", USAGE)
  os.exit(2)
end

-- ---- the command line ----

local function read_arguments(words)
  local options, rest, place = { timeout = 3600 }, {}, 1
  while words[place] do
    local word = words[place]
    if word == "--help" or word == "-h" then
      io.write(USAGE)
      os.exit(0)
    elseif word == "--cancel-on-exit" then
      options.cancel = true
    elseif word == "--timeout" then
      place = place + 1
      options.timeout = tonumber(words[place]) or wrong_usage "--timeout: a number of seconds expected"
    elseif word:find "^%-" then
      wrong_usage("there is no option " .. word)
    else
      rest[#rest + 1] = word
    end
    place = place + 1
  end
  if #rest ~= 2 or not tonumber(rest[1]) or options.timeout <= 0 then
    wrong_usage()
  end
  options.agent_id, options.tags = tonumber(rest[1]), {}
  for tag in rest[2]:gmatch "[^,]+" do
    options.tags[#options.tags + 1] = tag
  end
  return options
end

-- ---- the outcome ----

local STATUS = { config = 4, auth = 4, invalid = 1, job_failed = 1, job_cancelled = 1, gone = 6, not_found = 6,
  unknown_outcome = 7 }

local function fail(err)
  io.stderr:write(tostring(err), "\n")
  os.exit(STATUS[err.kind] or 9)
end

-- Leaves calls that have not ended.
local function leave(job, options, status, why)
  if options.cancel then
    local _, where, err = job:cancel()
    io.stderr:write(("%s; the calls were ended %s%s\n"):format(why,
      where == "service" and "in the service" or "here only", err and ": " .. tostring(err) or ""))
  else
    io.stderr:write(("%s; the calls go on: %s\n"):format(why, job:token()))
  end
  os.exit(status)
end

local function show(job)
  local share = job.progress and (" %3d %%"):format(math.floor(100 * job.progress)) or ""
  io.stderr:write(("%s%s after %.0f s\n"):format(job.status, share, job.elapsed))
end

-- A call that did not pass.
local function show_run(run)
  if run.success ~= true then
    print(("run %s: %s"):format(tostring(run.id), run.status ~= "completed" and run.status or "did not pass"))
    for metric in run:metrics() do
      if metric.passed == false then
        print(("  %s: %s"):format(metric.name, metric.explanation[1] or "failed"))
      end
    end
  end
end

-- ---- the program ----

local options = read_arguments(arg)
local client, refusal = cekura.new()
if not client then
  fail(refusal)
end

local job, err = client.results:run { agent_id = options.agent_id, tags = options.tags }
if not job then
  fail(err)
end
io.stderr:write(("result %s\n"):format(tostring(job.id)))

-- Lua turns Ctrl-C into an error.
local ok, result, wait_error = pcall(job.wait, job, { timeout = options.timeout, on_progress = show })
if not ok then
  if tostring(result):find "interrupted!" then
    leave(job, options, 130, "interrupted")
  end
  error(result, 0)
elseif wait_error and wait_error.kind == "timeout" then
  leave(job, options, 5, ("not done after %g s"):format(options.timeout))
elseif not result and not job.result then
  fail(wait_error)
end

result = result or job.result -- also of a run that has failed
for _, run in pairs(result.runs or {}) do
  show_run(run)
end
print(("%d of %d passed"):format(result.success_runs_count or 0, result.total_runs_count or 0))
os.exit(result.passed and 0 or 1)

--- A gate for pipelines: runs scenarios, and exits by their result.

local call = require "cekura.records.call"
local core = require "cekura.core"
local exits = require "cekura.command.exits"
local kind_commands = require "cekura.command.kind_commands"
local kinds = require "cekura.api.catalog"
local output = require "cekura.command.output"
local parameters = require "cekura.command.parameters"
local values = require "cekura.command.values"
local waiting = require "cekura.command.waiting"

local KIND = "results.run"

-- Seconds that a run may take, as in the service's own action for pipelines.
local TIMEOUT = 3600

-- The parameters of the kind, from the catalogue.
local function run_parameters()
  for _, entry in ipairs(kinds.kinds()) do
    if entry.name == KIND then
      return entry.params
    end
  end
end

-- Prints a call that did not pass, with the metrics that failed.
local function print_run(session, run)
  local ending = run.status ~= "completed" and run.status or "did not pass"
  session:print(("run %s: %s"):format(output.cell(run.id or "?"), output.cell(ending)))
  for metric in call.metrics(run) do -- a run may have a member of that name
    if metric.passed == false then
      local name, why = metric.name or metric.id or "?", metric.explanation[1] or "failed"
      session:print(("  %s: %s"):format(output.cell(name), output.cell(why)))
    end
  end
end

-- The runs of a result, in the order of their ids. The answer has them as a list, or as an object by id.
local function runs_of(result)
  local runs = {}
  for _, run in pairs(type(result.runs) == "table" and result.runs or {}) do
    runs[#runs + 1] = type(run) == "table" and getmetatable(run) ~= core.array_mt and run or nil
  end
  table.sort(runs, function(one, other)
    return (tonumber(one.id) or math.huge) < (tonumber(other.id) or math.huge)
  end)
  return runs
end

-- Prints the calls that did not pass, and the number of those that did.
local function print_verdict(session, result)
  for _, run in ipairs(runs_of(result)) do
    if run.success ~= true then
      print_run(session, run)
    end
  end
  local word = result.passed and session.out:paint("green", "passed") or session.out:paint("red", "not passed")
  session:print(("%s: %s of %s calls"):format(word, tostring(result.success_runs_count or 0),
    tostring(result.total_runs_count or 0)))
end

-- The job of a run that was started earlier.
local function earlier(session, word)
  if waiting.is_token(word) then
    return session:check(session:client():resume(word))
  end
  local id, reason = values.read("id", word)
  if id == nil then
    session:usage("results gate: " .. reason)
  end
  return session:check(session:client():job(KIND, id))
end

-- The job: the run that was given, or a new one.
local function job_of(session, given)
  local id = given.words.id
  local params = parameters.read(session, given)
  if id and next(params) ~= nil and not params.project_id and not params.agent_id then
    session:usage "results gate: give either the id of a run or the scenarios to run, not both"
  elseif id then
    return earlier(session, id)
  elseif not params.scenarios and not params.tags and not params.folder_path then
    session:usage "results gate: give the id of a run, --scenarios, --tags or --folder-path"
  end
  return kind_commands.start(session, session.options.kind or KIND, params)
end

local function run(session, given)
  local job = job_of(session, given)
  session.options.timeout = session.options.timeout or TIMEOUT
  session.resumed_by = "results gate"
  session:note(("Result %s"):format(tostring(job.id)))
  local ended = waiting.follow(session, { job })[1]
  local result = ended.result or job.result -- also of a run that has failed
  if session.options.json then
    session:print(output.json(waiting.object(job, result, ended.err)))
  elseif result and not (ended.err and ended.err.kind == "timeout") then
    print_verdict(session, result)
  end
  local is_verdict = not ended.err or ended.err.kind == "job_failed" or ended.err.kind == "job_cancelled"
  if not is_verdict then
    return waiting.status(session, { ended })
  elseif ended.err then
    session:note(ended.err.message)
  end
  return result and result.passed and exits.OK or exits.FAILED
end

local own = waiting.options {
  { name = "kind", type = "text", shown = "KIND", help = "Another kind of run, such as scenarios.run_text." },
  parameters.FILE,
}

return {
  {
    name = "gate",
    summary = "Run scenarios, and exit by whether all calls passed.",
    description = "Runs scenarios, which costs credits, or waits for an earlier run. Exits with 0 only if every call "
      .. "passed, with 1 if one did not or none ran, and with 5 if the run is not done in time (by default, an hour). "
      .. "Prints the calls that did not pass, with the metrics that failed.",
    arguments = { { name = "id", count = "?", help = "The id of a run that was started earlier, or its token." } },
    options = parameters.options(run_parameters(), own),
    examples = {
      { "cekura-lua results gate --agent-id 2142 --tags smoke --yes --cancel-on-exit",
        "Run the scenarios of a tag; a pipeline continues only if they pass." },
      { "cekura-lua results gate 4711 --timeout 600", "Wait for a run that was started earlier." },
    },
    run = run,
  },
}

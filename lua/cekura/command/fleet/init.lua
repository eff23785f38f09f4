--- The commands for a fleet: jobs of many hosts on Redis (cekura.fleet).

local access = require "cekura.command.fleet.access"
local exits = require "cekura.command.exits"
local later = require "cekura.later"
local outcomes = require "cekura.command.fleet.outcomes"
local output = require "cekura.command.output"
local submit = require "cekura.command.fleet.submit"
local text = require "cekura.command.text"
local work = require "cekura.command.fleet.work"

local tasks = later "cekura.fleet.task"

-- ---- status ----

local function seconds(count)
  return ("%.1f s"):format(count)
end

-- The numbers of the fleet.
local function print_stats(session, stats)
  if session.options.json then
    return session:print(output.json(stats))
  end
  local held = {}
  for endpoint, left in pairs(stats.pace.held) do
    held[#held + 1] = ("%s for %s"):format(endpoint, seconds(left))
  end
  table.sort(held)
  stats["next start"] = stats.pace.next > 0 and "in " .. seconds(stats.pace.next) or nil
  stats.held = held[1] and table.concat(held, ", ") or nil
  output.value(session, stats, { "waiting", "running", "done", "failed", "unknown", "poisoned", "workers", "next start",
    "held" })
end

-- The state of a task. Returns the exit status.
local function print_task(session, task)
  if session.options.json then
    session:print(output.json(outcomes.object(task)))
  else
    session:print(text.visible(("%s %s %s"):format(task.id, task.kind or "?", task.state)))
  end
  if task.err then
    outcomes.explain(session, task)
  end
  return outcomes.status(session, task)
end

local status = {
  name = "status",
  summary = "Show the numbers of a fleet, or the states of tasks.",
  description = "Shows how many tasks wait, run and have ended, the workers, and the common pace. With ids, shows the "
    .. "states of those tasks, and their outcomes with --json; the exit status is that of fleet result for tasks that "
    .. "have an outcome, and 0 for others. No API key is needed.",
  arguments = { { name = "id", count = "*", help = "Ids of tasks." } },
  options = access.options { outcomes.EXIT_STATUS },
  examples = {
    { "cekura-lua fleet status --redis redis://localhost --fleet nightly", "Show the numbers." },
    { "cekura-lua fleet status $TASK --redis redis://localhost --fleet nightly --json", "Show a task as JSON." },
  },
  run = function(session, given)
    local fleet, statuses = access.open(session), {}
    for index, id in ipairs(given.words.id) do
      statuses[index] = print_task(session, session:check(tasks.read(fleet, id)))
    end
    if not given.words.id[1] then
      print_stats(session, session:check(fleet:stats()))
    end
    return exits.worst(statuses)
  end,
}

-- ---- result ----

local result = {
  name = "result",
  summary = "Wait for the outcomes of tasks, and print their results.",
  description = "Waits for the outcomes of tasks, on whatever host they run, and prints their results. The exit status "
    .. "is that of jobs watch; if the tasks ended differently, it is the most severe one. No API key is needed.",
  arguments = { { name = "id", count = "+", help = "Ids of tasks, which fleet submit prints." } },
  options = access.options { outcomes.TIMEOUT, outcomes.EXIT_STATUS },
  examples = {
    { "cekura-lua fleet result $TASK --redis redis://localhost --fleet nightly --timeout 3600", "Wait for a task." },
    { "cekura-lua fleet result $TASK --redis redis://localhost --fleet nightly --json", "Print the outcome as JSON." },
  },
  run = function(session, given)
    return outcomes.wait(session, access.open(session), given.words.id)
  end,
}

return {
  name = "fleet",
  summary = "Share jobs between hosts, by Redis.",
  description = "Submits tasks to a fleet, and works on them. A task is the start of a job, which Redis keeps until a "
    .. "worker, on any host, has its outcome. --redis and --fleet, or CEKURA_REDIS and CEKURA_FLEET, say which fleet. "
    .. "The commands need hiredis.",
  examples = { submit.examples[1], work.work.examples[1] },
  commands = { work.work, submit, result, status, work.drain },
}

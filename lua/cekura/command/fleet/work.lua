--- `fleet work` and `fleet drain`: a worker that prints outcomes, and waiting until a fleet has nothing left to do.

local access = require "cekura.command.fleet.access"
local cekura = require "cekura"
local core = require "cekura.core"
local errors = require "cekura.errors"
local exits = require "cekura.command.exits"
local outcomes = require "cekura.command.fleet.outcomes"
local output = require "cekura.command.output"
local status_line = require "cekura.command.status_line"

local work = {}

local OPTIONS = {
  { name = "concurrency", type = "positive", help = "Tasks that this worker has at once (100)." },
  { name = "rate", type = "rate",
    help = "Tasks that all workers together start per minute. Give all workers the same." },
  { name = "in-flight", type = "positive",
    help = "Tasks that run at once in the whole fleet. Give all workers the same." },
  { name = "lease", type = "seconds", help = "Seconds of silence after which others take over its tasks (30)." },
}

-- The options of a command that works.
local function options_of(own)
  local options = {}
  for _, list in ipairs { own, OPTIONS } do
    for _, option in ipairs(list) do
      options[#options + 1] = option
    end
  end
  return access.options(options)
end

-- ---- a worker ----

-- Prints an outcome. If it cannot be printed, ends the work and raises: others then deliver it.
local function deliver(session, fleet, rows, task)
  local ok, raised = pcall(function()
    if session.progress and session.out.is_terminal then
      session.progress:clear()
    end
    if session.options.json then
      session:print(output.json(outcomes.object(task)))
    else
      rows:add { id = task.id, kind = task.kind, key = task.key, state = task.state,
        message = task.err and errors.line(task.err) }
    end
  end)
  if not ok then
    fleet:stop()
    error(raised, 0)
  end
end

-- Begins to work, in a task of its own, which this returns.
local function begin(session, fleet, is_until_empty)
  local rows = output.table(session, nil, { "id", "kind", "key", "state", "message" }, true)
  local said = {}
  return cekura.spawn(function()
    return fleet:work { concurrency = session.options.concurrency, until_empty = is_until_empty,
      on_result = function(result, task)
        deliver(session, fleet, rows, outcomes.view(task, result))
      end,
      on_failed = function(err, task)
        deliver(session, fleet, rows, outcomes.view(task, nil, err))
      end,
      on_error = function(err, where)
        local message = where .. ": " .. errors.line(err)
        if not session.raised and said[where] ~= message then -- it is reported at each attempt
          said[where] = message
          session:note(message)
        end
      end }
  end)
end

-- Waits until a worker has ended. Ends the command with what has ended it.
local function finish(session, worker)
  local ended, err = worker:join()
  if session.raised then
    error(session.raised, 0)
  end
  session:check(ended, err)
end

-- Has the end of the command end the work in order. After a signal, `leave` gives the exit status.
local function stop_at_end(session, fleet, worker, leave)
  session:at_end(function()
    if worker and session.signal then
      session:note("Interrupted. Starts and direct jobs that are under way are waited for; others go on elsewhere. "
        .. "A second signal ends the command at once.")
    end
    if worker then
      fleet:stop()
      local ended, err = worker:join()
      if session.signal and not ended then
        session:note(errors.is(err) and errors.line(err) or tostring(err))
      end
    end
    return session.signal and leave(exits.SIGNALS[session.signal])
  end)
end

local function open(session)
  return access.open(session, { works = true, lease = session.options.lease,
    rate = { starts_per_minute = session.options.rate, in_flight = session.options.in_flight } })
end

work.work = {
  name = "work",
  summary = "Work on the tasks of a fleet.",
  description = "Takes tasks of a fleet, starts their jobs and waits for them, and prints a line for each outcome: id, "
    .. "kind, key, state (done, failed or unknown) and message, with tabs between them; with --json, also the result. "
    .. "It works until it is interrupted; other workers then go on with its tasks. The exit status is 0 even if tasks "
    .. "have failed. While Redis is away, running jobs go on.",
  options = options_of { { name = "until-empty", help = "End once no task waits or runs in the fleet." } },
  examples = {
    { "cekura-lua fleet work --redis redis://localhost --fleet nightly --concurrency 500 --json",
      "Work until Ctrl-C or SIGTERM." },
    { "cekura-lua fleet work --redis redis://localhost --fleet nightly --until-empty --rate 60",
      "Work on what there is, with at most 60 starts in a minute." },
  },
  run = function(session)
    local fleet = open(session)
    local worker = begin(session, fleet, session.options.until_empty)
    stop_at_end(session, fleet, worker, function(status)
      return status
    end)
    finish(session, worker)
  end,
}

-- ---- drain ----

-- Seconds between two looks at the numbers.
local PAUSE = 0.5

-- The errors after which it goes on to wait: the server is away.
local AWAY = { network = true, timeout = true, server = true }

-- The numbers of the fleet, which it shows; nil: the server is away.
local function look(session, fleet, said)
  local stats, err = fleet:stats()
  if stats then
    session.progress:show(("%d waiting, %d running; %d done, %d failed, %d unknown, %d poisoned; %d workers"):format(
      stats.waiting, stats.running, stats.done, stats.failed, stats.unknown, stats.poisoned, stats.workers))
  elseif not AWAY[err.kind] then
    session:check(nil, err)
  elseif said.message ~= err.message then
    said.message = err.message
    session:note(errors.line(err))
  end
  return stats
end

-- Waits until no task waits or runs. Returns "empty", "timeout", or "ended" if the worker has, and whether there was
-- any task.
local function wait_until_empty(session, fleet, worker)
  local said, deadline, had_any = {}, core.now() + (session.options.timeout or math.huge), false
  while true do
    local stats = look(session, fleet, said)
    local is_empty = stats and stats.waiting == 0 and stats.running == 0
    had_any = had_any or stats and not is_empty or false
    if is_empty then
      return "empty", had_any
    elseif worker and worker.has_ended then
      return "ended", had_any
    elseif core.now() >= deadline then
      return "timeout", had_any
    end
    cekura.sleep(math.min(PAUSE, deadline - core.now()))
  end
end

-- Says how the wait is resumed. Returns the exit status.
local function leave(session, why, status)
  local words = {}
  if session.options.no_work then
    words[1] = "--no-work"
  end
  session:note(why .. "; the tasks go on in the fleet. To resume the wait:")
  session:note(access.command(session, "fleet drain", words))
  return status
end

local function drain(session)
  local fleet = session.options.no_work and access.open(session) or open(session)
  session.progress = status_line.new(session.err, session.options.quiet)
  local worker = not session.options.no_work and begin(session, fleet) or nil
  stop_at_end(session, fleet, worker, function(status)
    return leave(session, "Interrupted", status)
  end)
  local how, had_any = wait_until_empty(session, fleet, worker)
  if worker then
    fleet:stop()
    finish(session, worker)
  end
  session:hide_jobs()
  if how == "timeout" then
    return leave(session, "The wait timed out", exits.TIMEOUT)
  end
  return session.options.exit_status and not had_any and exits.NOTHING_TO_DO or exits.OK
end

work.drain = {
  name = "drain",
  summary = "Wait until a fleet has nothing left to do.",
  description = "Works, as fleet work does, until no task waits or runs in the fleet; with --no-work, only waits until "
    .. "others have done so. The numbers are shown on stderr. The exit status is 0 even if tasks have failed.",
  options = options_of {
    { name = "no-work", help = "Take no tasks. No API key is needed then." },
    outcomes.TIMEOUT,
    outcomes.EXIT_STATUS,
  },
  examples = {
    { "cekura-lua fleet drain --redis redis://localhost --fleet nightly", "Do what is left to do." },
    { "cekura-lua fleet drain --redis redis://localhost --fleet nightly --no-work --timeout 3600",
      "Wait an hour at most for the workers of other hosts." },
  },
  run = drain,
}

return work

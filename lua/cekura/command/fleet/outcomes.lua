--- Outcomes of a fleet's tasks: how they are printed, and waited for.

local access = require "cekura.command.fleet.access"
local cekura = require "cekura"
local errors = require "cekura.errors"
local exits = require "cekura.command.exits"
local later = require "cekura.later"
local output = require "cekura.command.output"
local text = require "cekura.command.text"
local waiting = require "cekura.command.waiting"

local outcome = later "cekura.fleet.outcome"
local tasks = later "cekura.fleet.task"

local outcomes = {}

--- The options of a command that waits for outcomes.
outcomes.TIMEOUT = { name = "timeout", type = "seconds", help = "Seconds to wait. The tasks go on afterwards." }
outcomes.EXIT_STATUS = { name = "exit-status", help = "Exit with 3 if there was nothing to do." }

-- ---- printing ----

--- A task as one object.
---@param task cekura.fleet.TaskView
---@return table
function outcomes.object(task)
  local job = task.job
  return { id = task.id, key = task.key, kind = task.kind, state = task.state, attempts = task.attempts,
    token = task.token, job = job and { id = job.id, state = job.state, token = (job:token()) } or nil,
    result = task.result, error = waiting.error(task.err) }
end

--- What a handler of a worker gets, as a view of the task.
---@param task cekura.FleetTask
---@param result? any
---@param err? cekura.Error
---@return cekura.fleet.TaskView
function outcomes.view(task, result, err)
  return { id = task.id, key = task.key, kind = task.kind, state = outcome.state(err), attempts = task.attempts,
    job = task.job, result = result, err = err }
end

--- Reports why a task has no result.
---@param session cekura.command.Session
---@param task cekura.fleet.TaskView
function outcomes.explain(session, task)
  if task.job then
    waiting.explain(session, task.job, task.err)
  elseif task.err then
    session:note(errors.line(task.err))
  end
end

--- The exit status for a task that has an outcome.
---@param session cekura.command.Session
---@param task cekura.fleet.TaskView
---@return integer
function outcomes.status(session, task)
  if task.err then
    return exits.of(task.err)
  end
  local is_nothing = task.job and task.job.state == "nothing_to_do"
  return is_nothing and session.options.exit_status and exits.NOTHING_TO_DO or exits.OK
end

-- Prints an outcome: with --json as an object, otherwise the result.
local function show(session, task, is_headed)
  if session.options.json then
    return session:print(output.json(outcomes.object(task)))
  elseif is_headed then
    session:print(session.out:paint("bold", text.visible(("%s %s: %s"):format(task.id, task.kind or "?", task.state))))
  end
  if task.job and not task.err then
    waiting.print(session, task.job, task.result)
  end
end

-- ---- waiting ----

-- Leaves tasks that go on. The last line of stderr is the command that resumes the wait. Returns the exit status.
local function leave(session, open, why, status)
  local ids = {}
  for _, each in ipairs(open) do
    ids[#ids + 1] = each.is_open and each.id or nil
  end
  session:note(("%s; %s in the fleet. To resume the wait:"):format(why,
    #ids == 1 and "the task goes on" or "the tasks go on"))
  session:note(access.command(session, "fleet result", ids))
  return status
end

-- Waits for one outcome, and shows it. Returns the exit status; nil: the wait timed out.
local function await(session, fleet, id, is_headed)
  local _, err = fleet:result(id, { timeout = session.options.timeout })
  if err and err.kind == "cancelled" then
    return nil
  end
  local task, fault = tasks.read(fleet, id)
  if not task and fault.kind == "cancelled" then
    return nil
  elseif not task then
    session:note(errors.line(fault))
    return exits.of(fault)
  elseif task.result == nil and not task.err and not task.job then -- it has no outcome
    if err and err.kind ~= "timeout" then
      session:note(errors.line(err))
      return exits.of(err)
    end
    return nil
  end
  show(session, task, is_headed)
  if task.err then
    outcomes.explain(session, task)
  end
  return outcomes.status(session, task)
end

-- Waits for one of several outcomes, in a task of its own.
local function follow(session, fleet, wait, is_headed)
  wait.status = await(session, fleet, wait.id, is_headed)
  wait.is_open = wait.status == nil
  return true
end

-- Has the end of the command end what is left of the waits, and say how they are resumed after a signal.
local function leave_at_end(session, waits)
  session:at_end(function()
    local is_any_open
    for _, each in ipairs(waits) do
      each.task:cancel()
      each.task:join()
      is_any_open = is_any_open or each.is_open
    end
    if session.signal and is_any_open then
      return leave(session, waits, "Interrupted", exits.SIGNALS[session.signal])
    end
  end)
end

--- Waits for the outcomes of tasks, prints them as they come, and returns the exit status.
---@param session cekura.command.Session
---@param fleet cekura.Fleet
---@param ids string[]
---@return integer
function outcomes.wait(session, fleet, ids)
  local waits, statuses, is_any_open = {}, {}, false
  for index, id in ipairs(ids) do
    waits[index] = { id = id, is_open = true }
    waits[index].task = cekura.spawn(follow, session, fleet, waits[index], #ids > 1)
  end
  leave_at_end(session, waits)
  for _, each in ipairs(waits) do
    local ok, raised = each.task:join()
    if not ok then
      error(raised, 0)
    end
    statuses[#statuses + 1] = each.status
    is_any_open = is_any_open or each.is_open
  end
  if is_any_open then
    statuses[#statuses + 1] = leave(session, waits, "The wait timed out", exits.TIMEOUT)
  end
  return exits.worst(statuses)
end

return outcomes

--- Waiting for jobs: shows them, and derives the exit status from how they ended.

local cekura = require "cekura"
local core = require "cekura.core"
local errors = require "cekura.errors"
local exits = require "cekura.command.exits"
local output = require "cekura.command.output"
local text = require "cekura.command.text"

local waiting = {}

-- The options of every command that waits. `also_at_once`: it has an effect without a wait, too, since a job may end in
-- its start.
local OPTIONS = {
  { name = "timeout", type = "seconds",
    help = "Seconds to wait. The job goes on afterwards. The default depends on the kind." },
  { name = "interval", type = "interval",
    help = "Seconds between two polls, or adaptive: by how long jobs have taken. The default depends on the kind." },
  { name = "exit-status", help = "Exit with 3 if the job found nothing to do.", also_at_once = true },
  { name = "cancel-on-exit", help = "Cancel the job in the service if the wait ends before the job does." },
}

--- The options of a command, and after them those of waiting.
---@param own cekura.command.Option[]
---@return cekura.command.Option[]
function waiting.options(own)
  local options = {}
  for _, list in ipairs { own, OPTIONS } do
    for _, option in ipairs(list) do
      options[#options + 1] = option
    end
  end
  return options
end

--- Ends the command if an option is given that has no effect, as the command is not to wait.
---@param session cekura.command.Session
---@param names? string[] the names of the options; nil: those of every command that waits
function waiting.check_unused(session, names)
  if not names then
    names = {}
    for _, option in ipairs(OPTIONS) do
      names[#names + 1] = not option.also_at_once and option.name or nil
    end
  end
  for _, name in ipairs(names) do
    if session.options[(name:gsub("-", "_"))] then
      session:usage(session.options.no_wait and ("--%s cannot be given with --no-wait"):format(name)
        or ("--%s needs --wait"):format(name))
    end
  end
end

-- ---- how a job is printed ----

--- An error as an object.
---@param err? cekura.Error
---@return table?
function waiting.error(err)
  return err and { kind = err.kind, message = errors.line(err), status = err.status, fields = err.fields } or nil
end

-- The members of an answer that may hold the question of a job. Its place is not documented, so the question is the
-- whole answer if it has none of them.
local QUESTIONS = { "question", "questions", "pending_question", "clarification", "message" }

-- The question of a job that needs input; nil for other jobs.
local function question_of(job)
  local err = job.error
  if not err or err.kind ~= "needs_input" then
    return nil
  end
  local answer = err.response:json()
  for _, name in ipairs(QUESTIONS) do
    if type(answer) == "table" and answer[name] ~= nil and answer[name] ~= cekura.null then
      return answer[name]
    end
  end
  return answer
end

--- A job as one object.
---@param job cekura.Job
---@param result? any
---@param err? cekura.Error
---@return table
function waiting.object(job, result, err)
  return { kind = job.kind, id = job.id, state = job.state, status = job.status, progress = job.progress,
    elapsed = math.floor(job.elapsed * 1000) / 1000, polls = job.polls, token = (job:token()),
    question = question_of(job), result = result or job.result, error = waiting.error(err or job.error) }
end

-- ---- resuming a wait ----

--- Whether a word is the token of a job, whole or not.
---@param word string
---@return boolean
function waiting.is_token(word)
  return word:find "^cekura[12][.:]" ~= nil
end

--- A word, quoted for a shell where necessary.
---@param word string
---@return string
function waiting.quoted(word)
  return word:find "^[%w_./:@%%+=,~-]+$" and word or "'" .. word:gsub("'", "'\\''") .. "'"
end

--- A command about jobs: the one that resumes the wait, or another.
---@param session cekura.command.Session
---@param tokens string[]
---@param name? string of the command; nil: the one that resumes the wait
---@return string
function waiting.command(session, tokens, name)
  local words = { "cekura-lua " .. (name or session.resumed_by or "jobs watch") }
  if session.options.config_file then
    words[2] = "--config-file " .. waiting.quoted(session.options.config_file)
  end
  words[#words + 1] = table.concat(tokens, " ")
  return table.concat(words, " ")
end

local function was_sent(job)
  return job.state ~= "pending" -- of a direct job
end

local function is_direct(job)
  return core.fields(job)._operation ~= nil
end

-- Leaves jobs that go on. The last line of stderr is the command that resumes the wait. Returns the exit status.
local function leave(session, jobs, why, status)
  local tokens, lost = {}, {}
  for _, job in ipairs(jobs) do
    if is_direct(job) then
      lost[#lost + 1] = was_sent(job) and job or nil
    else
      tokens[#tokens + 1] = job:token()
    end
  end
  if #lost > 0 then
    local message = "%s. The request of %s was sent: it may have been processed, and it cannot be resumed."
    session:note(message:format(why, lost[1].kind))
    status = exits.UNKNOWN
  elseif #tokens == 0 then
    session:note(why .. ". Nothing was sent.")
  end
  if #tokens > 0 then
    session:note(("%s; %s in the service. To resume the wait:"):format(why,
      #tokens == 1 and "the job goes on" or "the jobs go on"))
    session:note(waiting.command(session, tokens))
  end
  return status
end

-- Cancels jobs. Returns those that go on.
local function cancel(session, jobs)
  local left = {}
  for _, job in ipairs(jobs) do
    local _, where, err
    if not is_direct(job) then
      _, where, err = job:cancel()
    end
    local name = ("%s %s"):format(job.kind, tostring(job.id or "(no id)"))
    if where == "service" then
      session:note(("Cancelled in the service: %s."):format(name))
    else
      session:note(("%s cannot be cancelled in the service%s."):format(name, err and ": " .. errors.line(err) or ""))
      left[#left + 1] = job
    end
  end
  return left
end

-- Ends a wait before its jobs have ended.
local function give_up(session, open, why, status)
  if not session.options.cancel_on_exit then
    return leave(session, open, why, status)
  end
  session:note(why .. ".")
  local left = cancel(session, open)
  return #left > 0 and leave(session, left, "Not cancelled", status) or status
end

-- Says how the results of jobs can be had that stdout does not take.
local function point_to(session, jobs)
  local tokens = {}
  for _, job in ipairs(jobs) do
    tokens[#tokens + 1] = job:token()
  end
  if #tokens > 0 then
    session:note(("To have the %s:"):format(#tokens == 1 and "result" or "results"))
    session:note(waiting.command(session, tokens))
  end
end

-- ---- waiting ----

---@class cekura.command.Ended
---@field job cekura.Job
---@field result? any
---@field err? cekura.Error

--- Waits for jobs, and shows them. On a signal, leaves or cancels the jobs, and ends the command. With --dry-run, only
--- shows the first poll.
---@param session cekura.command.Session
---@param jobs cekura.Job[]
---@param on_end? fun(job: cekura.Job, result: any, err: cekura.Error?) in the order in which they end
---@return cekura.command.Ended[] in that order
function waiting.follow(session, jobs, on_end)
  if session.options.dry_run then
    session:check(jobs[1]:poll())
  end
  local open, ended = {}, {}
  for index, job in ipairs(jobs) do
    open[index] = job
  end
  session:at_end(function()
    if session.signal and #open > 0 then
      return give_up(session, open, "Interrupted", exits.SIGNALS[session.signal])
    end
  end)
  session.on_lost = function()
    point_to(session, jobs)
  end
  session:show_jobs(jobs)
  local next_ended = cekura.each(jobs, { timeout = session.options.timeout, interval = session.options.interval,
    on_progress = function(job)
      session.progress:changed(job)
    end })
  local job, result, err = next_ended()
  while job and not (err and err.kind == "cancelled" and session.signal) do
    session.progress:ended(job, err)
    for index = #open, 1, -1 do
      if open[index] == job then
        table.remove(open, index)
      end
    end
    ended[#ended + 1] = { job = job, result = result, err = err }
    if on_end then
      on_end(job, result, err)
    end
    job, result, err = next_ended()
  end
  session:hide_jobs()
  if session.signal then
    session:exit(exits.SIGNALS[session.signal])
  end
  return ended
end

--- Reports why a job has no result, and its question if it needs input.
---@param session cekura.command.Session
---@param job cekura.Job
---@param err cekura.Error
function waiting.explain(session, job, err)
  session:note(errors.line(err))
  local question = question_of(job)
  if question ~= nil then
    session:note("The job asks: " .. (type(question) == "string" and question or output.json(question)))
    local token = job:token()
    if token then
      session:note("To answer:\n" .. waiting.command(session, { token }, "jobs answer") .. " TEXT")
    end
  end
end

-- Reports why a job has no result. Returns the exit status, and whether the job goes on after a timeout.
local function failure(session, job, err)
  if err.kind == "timeout" and not is_direct(job) then
    return exits.TIMEOUT, true
  elseif err.kind == "timeout" then -- of this wait; whether the request is processed is not known
    return exits.UNKNOWN, true
  end
  waiting.explain(session, job, err)
  return exits.of(err)
end

local function succeeded(session, job)
  return job.state == "nothing_to_do" and session.options.exit_status and exits.NOTHING_TO_DO or exits.OK
end

--- The exit status for jobs that were waited for. Reports errors first, then the jobs that go on.
---@param session cekura.command.Session
---@param ended cekura.command.Ended[]
---@return integer
function waiting.status(session, ended)
  local statuses, going = {}, {}
  for index, each in ipairs(ended) do
    local goes_on
    if each.err then
      statuses[index], goes_on = failure(session, each.job, each.err)
    else
      statuses[index] = succeeded(session, each.job)
    end
    going[#going + 1] = goes_on and each.job or nil
  end
  local status = exits.worst(statuses)
  if #going > 0 then
    local why = errors.line(core.fields(going[1]).error or errors.new("timeout", "not done in time"))
    local left = give_up(session, going, "The wait timed out: " .. why, exits.TIMEOUT)
    status = exits.worst { status, left }
  end
  return status
end

-- ---- results ----

--- Prints a job that has ended: with --json as an object, otherwise its result.
---@param session cekura.command.Session
---@param job cekura.Job
---@param result? any
---@param err? cekura.Error
function waiting.print(session, job, result, err)
  if session.options.json then
    return session:print(output.json(waiting.object(job, result, err)))
  end
  result = result or job.result
  if job.state == "nothing_to_do" then
    session:note("Nothing to do" .. (result and result.reason and ": " .. tostring(result.reason) or "."))
  elseif result ~= nil then
    output.value(session, result)
  end
end

--- Waits for jobs, prints their results as they end, and returns the exit status.
---@param session cekura.command.Session
---@param jobs cekura.Job[]
---@return integer
function waiting.wait(session, jobs)
  local headed = #jobs > 1 and not session.options.json
  local function show(job, result, err)
    if headed then
      local head = text.visible(("%s %s: %s"):format(job.kind, tostring(job.id), job.state))
      session:print(session.out:paint("bold", head))
    end
    waiting.print(session, job, result, err)
  end
  -- If results and progress share a terminal, the results come last.
  local at_once = not (session.out.is_terminal and session.err.redraws)
  local ended = waiting.follow(session, jobs, at_once and show or nil)
  for _, each in ipairs(at_once and {} or ended) do
    show(each.job, each.result, each.err)
  end
  return waiting.status(session, ended)
end

return waiting

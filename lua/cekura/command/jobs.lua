--- The commands for jobs that were started earlier, on this host or another.

local cekura = require "cekura"
local exits = require "cekura.command.exits"
local kind_commands = require "cekura.command.kind_commands"
local nearest = require "cekura.nearest"
local output = require "cekura.command.output"
local text = require "cekura.command.text"
local values = require "cekura.command.values"
local waiting = require "cekura.command.waiting"

local JOB = { name = "job", count = "+", help = "Tokens of jobs, or the kind of a job and its id.",
  suggestions = kind_commands.names }

local SCOPE = {
  { name = "agent-id", type = "id", help = "The agent of a job that is given by its id." },
  { name = "project-id", type = "id", help = "The project of such a job." },
  { name = "assistant-id", type = "text", help = "The id of its agent at the provider." },
}

local kinds

-- The kind of job of that name, with hyphens or underscores; nil if there is none.
local function kind_of(word)
  if not kinds then
    kinds = {}
    for _, entry in ipairs(cekura.kinds()) do
      kinds[entry.name] = entry.name
    end
  end
  return kinds[(word:gsub("-", "_"))]
end

-- Whether words are a kind and an id.
local function is_named(words)
  return #words == 2 and not waiting.is_token(words[1])
end

local function job_by_id(session, kind, id)
  local options = session.options
  if not kind_of(kind) then
    local hint = nearest(kind, kinds)
    return session:usage(("there is no kind of job %s%s; to list them: cekura-lua kinds"):format(kind, hint))
  end
  return session:check(session:client():job(kind_of(kind), values.read("id", id), { agent_id = options.agent_id,
    project_id = options.project_id, assistant_id = options.assistant_id }))
end

-- The jobs that the words name.
local function jobs_of(session, words)
  if is_named(words) then
    return { job_by_id(session, words[1], words[2]) }
  end
  local jobs = {}
  for index, token in ipairs(words) do
    if not waiting.is_token(token) then
      session:usage(("%s is not a token; give the token that start printed, or the kind of a job and its id")
        :format(token))
    end
    jobs[index] = session:check(session:client():resume(token))
  end
  return jobs
end

-- Prints the state of a job.
local function print_status(session, job)
  if session.options.json then
    return session:print(output.json(waiting.object(job)))
  end
  local parts = { job.kind, tostring(job.id), job.state }
  if job.status and job.status ~= job.state then
    parts[#parts + 1] = "(" .. job.status .. ")"
  end
  if job.progress then
    parts[#parts + 1] = ("%d %%"):format(math.floor(job.progress * 100 + 0.5))
  end
  session:print(text.visible(table.concat(parts, " ")))
end

-- ---- the commands ----

local watch = {
  name = "watch",
  summary = "Wait for jobs, and print their results.",
  description = "Waits for jobs, shows their progress on stderr, and prints their results. The exit status says how "
    .. "they ended; if they ended differently, it is the most severe one.",
  arguments = { JOB },
  options = waiting.options(SCOPE),
  examples = {
    { "cekura-lua jobs watch results.run 4711 --timeout 3600", "Wait for a run of scenarios." },
    { "cekura-lua jobs watch $TOKEN --json --exit-status", "Wait for a job by the token that start printed." },
  },
  run = function(session, given)
    return waiting.wait(session, jobs_of(session, given.words.job))
  end,
}

local status = {
  name = "status",
  summary = "Show the states of jobs.",
  description = "Polls each job once, and prints its state. The exit status is that of jobs watch for jobs that have "
    .. "ended, and 0 for others.",
  arguments = { JOB },
  options = SCOPE,
  examples = {
    { "cekura-lua jobs status results.run 4711", "Show the progress of a run of scenarios." },
    { "cekura-lua jobs status $TOKEN --json", "Print the state as JSON." },
  },
  run = function(session, given)
    local statuses = {}
    for index, job in ipairs(jobs_of(session, given.words.job)) do
      local ok, err = job:poll()
      err = not ok and err or job.error
      if err and not ok and job.state ~= "gone" then
        session:check(nil, err)
      end
      print_status(session, job)
      if err then
        waiting.explain(session, job, err)
      end
      statuses[index] = err and exits.of(err) or exits.OK
    end
    return exits.worst(statuses)
  end,
}

local cancel = {
  name = "cancel",
  summary = "Cancel jobs in the service.",
  description = "Cancels jobs in the service. Exits with 1 if the service cannot cancel a job of that kind.",
  arguments = { JOB },
  options = SCOPE,
  examples = {
    { "cekura-lua jobs cancel results.run 4711", "End the calls of a run." },
    { "cekura-lua jobs cancel $TOKEN", "Cancel a job by its token." },
  },
  run = function(session, given)
    local statuses = {}
    for index, job in ipairs(jobs_of(session, given.words.job)) do
      local made = job:token()
      local _, where, err = job:cancel()
      if session.options.json and not session.shown then
        session:print(output.json { kind = job.kind, id = job.id, token = made, cancelled = where == "service",
          error = waiting.error(err) })
      end
      if where == "service" then
        session:note(("Cancelled in the service: %s %s."):format(job.kind, tostring(job.id)))
      elseif session.shown then
        session:check(nil, err)
      else
        session:note(err and err.message
          or ("Jobs of the kind %s cannot be cancelled in the service: it goes on."):format(job.kind))
      end
      statuses[index] = where == "service" and exits.OK or err and exits.of(err) or exits.FAILED
    end
    return exits.worst(statuses)
  end,
}

local answer = {
  name = "answer",
  summary = "Answer a job that needs input.",
  description = "Answers a job that needs input, and prints the token of the job to wait for; with --wait, waits for "
    .. "it. The last argument is the answer: text, or JSON if the kind's answers have parts.",
  arguments = { { name = "job", count = "+", help = "The token of the job, or its kind and id, followed by the answer.",
    suggestions = kind_commands.names } },
  options = waiting.options { SCOPE[1], SCOPE[2], SCOPE[3], kind_commands.WAIT },
  examples = {
    { "cekura-lua jobs answer scenarios.generate 77 'Only calls in German.' --wait", "Answer, and wait for the job." },
    { "cekura-lua jobs answer $TOKEN '{\"q1\":{\"action\":\"skip\"}}'", "Give an answer with parts." },
  },
  run = function(session, given)
    if not session.options.wait then
      waiting.check_unused(session)
    end
    local words = given.words.job
    local said = table.remove(words)
    if #words == 0 then
      session:usage "jobs answer: the answer is missing"
    elseif #words > 1 and not is_named(words) then
      session:usage "jobs answer: give one job and one answer; put quotes around a text"
    end
    local job = jobs_of(session, words)[1]
    local parts = said:find "^%s*{" and values.read("table", said)
    local next_job = session:check(job:answer(parts or said))
    return kind_commands.started(session, next_job)
  end,
}

local token = {
  name = "token",
  summary = "Print the token of a job.",
  description = "Prints the token of a job that is given by its kind and id. No request is sent.",
  arguments = {
    { name = "kind", help = "The kind of the job.", suggestions = kind_commands.names },
    { name = "id", help = "Its id." },
  },
  options = SCOPE,
  examples = {
    { "cekura-lua jobs token results.run 4711", "Print a token for another host." },
    { "cekura-lua jobs token agents.auto_fetch 9f2c --agent-id 2142 --json",
      "Print it as JSON. Polls of this kind need the agent." },
  },
  run = function(session, given)
    local job = job_by_id(session, given.words.kind, given.words.id)
    local made = session:check(job:token())
    session:print(session.options.json and output.json { token = made } or made)
  end,
}

return {
  name = "jobs",
  summary = "Wait for, inspect, cancel and answer jobs.",
  description = "Waits for, inspects, cancels and answers jobs that were started earlier, on this host or another. A "
    .. "job is given by its token, which start prints, or by its kind and id.",
  examples = { watch.examples[1], status.examples[2] },
  commands = { watch, status, cancel, answer, token },
}

--- The commands for call logs that do more than one operation of the API.

local call_filter = require "cekura.command.call_filter"
local cekura = require "cekura"
local exits = require "cekura.command.exits"
local improve = require "cekura.command.improve"
local lists = require "cekura.command.lists"
local output = require "cekura.command.output"
local report = require "cekura.command.report"
local show_call = require "cekura.command.show_call"
local waiting = require "cekura.command.waiting"

local calls = {}

local WAIT = { name = "wait", help = "Wait until the calls are evaluated." }

-- ---- list ----

local FILTER = call_filter.OPTIONS

local COLUMNS = { "id", "timestamp", "status", "duration", "agent_name", "call_ended_reason" }

calls[1] = {
  name = "list",
  summary = "List call logs, the latest first.",
  description = "Lists call logs, the latest first: one page, or as many as --all or --limit needs. Without --from, "
    .. "the service lists those of the last 30 days.",
  options = {
    FILTER["agent-id"], FILTER["project-id"], FILTER["assistant-id"], FILTER.from, FILTER.to,
    { name = "call-ids", parameter = "call_ids", type = "joined_ids", help = "Only the call logs with these ids." },
    FILTER.search,
    { name = "page", parameter = "page", type = "positive", help = "The number of the page." },
    { name = "page-size", parameter = "page_size", type = "positive", help = "Calls per page." },
    FILTER.failed, FILTER.filter,
    lists.ALL, lists.LIMIT, lists.FIELDS,
  },
  examples = {
    { "cekura-lua calls list --agent-id 2142 --from 7d --failed", "List the failed calls of the last 7 days." },
    { "cekura-lua calls list --agent-id 2142 --filter duration,gte,60 --all --json",
      "Print all calls of a minute or longer as JSON, one per line." },
  },
  run = function(session, given)
    local filter = call_filter.read(given)
    filter.fields = lists.fields(session)
    lists.print(session, session:client().calls, COLUMNS, filter)
  end,
}

-- ---- get ----

calls[2] = {
  name = "get",
  summary = "Show a call log.",
  description = "Shows a call log: its fields, its transcript, or the results of its metrics.",
  arguments = { { name = "id", type = "id", help = "The id of the call log." } },
  options = {
    { name = "transcript", help = "The turns of the call, with their times." },
    { name = "metrics", help = "The results of the metrics, failures first." },
    lists.FIELDS,
  },
  examples = {
    { "cekura-lua calls get 5181749 --transcript", "Read a call." },
    { "cekura-lua calls get 5181749 --metrics", "See why it failed." },
  },
  run = function(session, given)
    if session.options.transcript and session.options.metrics then
      session:usage "calls get: give --transcript or --metrics, not both"
    elseif session.options.fields and (session.options.transcript or session.options.metrics) then
      session:usage "calls get: give --fields or one of --transcript and --metrics, not both"
    end
    local call = session:check(session:client().calls:get(given.words.id))
    if session.options.json then
      if session.options.transcript or session.options.metrics then
        local items = output.table(session)
        for item in session.options.transcript and call:turns() or call:metrics() do
          items:add(item)
        end
        return items:close()
      end
    elseif session.options.transcript then
      return session:print((show_call.transcript(session.out, call):gsub("\n$", "")))
    elseif session.options.metrics then
      return session:print((show_call.metrics(session.out, call):gsub("\n$", "")))
    end
    output.value(session, call, lists.fields(session))
  end,
}

-- ---- tail ----

calls[3] = {
  name = "tail",
  summary = "Print calls as they are evaluated, until Ctrl-C.",
  description = "Prints a line for each call that is evaluated from now on, until Ctrl-C. An error while listing them "
    .. "is reported, and the request is repeated at the next check.",
  options = {
    { name = "agent-id", parameter = "agent_id", type = "id", help = "Only calls of this agent." },
    { name = "project-id", parameter = "project_id", type = "id", help = "Only calls of this project." },
    { name = "every", type = "seconds", help = "Seconds between two checks (60)." },
    { name = "from", type = "time", help = "Also calls from this time on." },
    lists.FIELDS,
  },
  examples = {
    { "cekura-lua calls tail --agent-id 2142", "Follow the calls of an agent." },
    { "cekura-lua calls tail --agent-id 2142 --every 20 --json | jq .status", "Pass each call on as JSON." },
  },
  run = function(session, given)
    local params = given.params
    if not params.agent_id and not params.project_id and not session.options.project then
      session:usage "calls tail: --agent-id or --project-id is missing"
    end
    if session.options.dry_run then
      session:check(session:client().calls:list(params)) -- each check sends one such request
    end
    local rows = output.table(session, lists.fields(session), COLUMNS, true)
    local watch, raised
    watch = cekura.watch {
      client = session:client(),
      every = session.options.every or 60,
      on_error = function(err)
        session:note(err.message)
      end,
      agents = { {
        agent_id = params.agent_id,
        project_id = not params.agent_id and (params.project_id or session.options.project) or nil,
        since = session.options.from,
        on_evaluated = function(call)
          local printed
          printed, raised = pcall(rows.add, rows, call)
          if not printed then -- a watch would call this again
            watch:stop()
          end
        end,
      } },
    }
    session:at_end(function()
      watch:stop()
    end)
    local _, err = watch:wait()
    if raised then
      error(raised, 0)
    end
    session:check(nil, err)
  end,
}

-- ---- send ----

-- Sends one call. Returns the record.
local function send(session, call)
  local sent = session:check(session:client().calls:send(call))
  session:note(("Sent %s as call log %s."):format(tostring(call.call_id), tostring(sent.id)))
  return sent
end

local function evaluations(session, records)
  local jobs = {}
  for index, record in ipairs(records) do
    jobs[index] = session:check(record:evaluation())
  end
  return waiting.wait(session, jobs)
end

calls[4] = {
  name = "send",
  summary = "Send calls to be observed.",
  description = "Sends calls. The service evaluates each of them, which costs credits. A call is sent only once: after "
    .. "exit status 7 it may have been stored. Sending it again with the same call_id updates the same record.",
  options = waiting.options {
    { name = "from-file", type = "text", shown = "FILE",
      help = "A JSON file with a call, in the form that calls:send takes, or a list of calls. - is standard input." },
    WAIT,
  },
  examples = {
    { "cekura-lua calls send --from-file call.json", "Send a call." },
    { "cekura-lua calls send --from-file call.json --wait --json", "Send it, and wait for its evaluation." },
  },
  run = function(session)
    if not session.options.from_file then
      session:usage "calls send: --from-file is missing"
    elseif not session.options.wait then
      waiting.check_unused(session)
    end
    local list = session:read_json(session.options.from_file)
    if type(list) ~= "table" then
      session:usage(session.options.from_file .. ": a JSON object, or a list of objects, expected")
    end
    list = #list > 0 and list or { list }
    session:client()
    session:confirm(#list == 1 and "Sending a call costs credits."
      or ("Sending %d calls costs credits."):format(#list))
    local records = {}
    for index, call in ipairs(list) do
      records[index] = send(session, call)
      if not session.options.wait then
        output.value(session, records[index])
      end
    end
    return session.options.wait and evaluations(session, records) or exits.OK
  end,
}

-- ---- evaluate ----

-- Starts an evaluation. Returns the call logs that it evaluates.
local function evaluate(session, id, agent_id, metrics)
  local client = session:client()
  if not agent_id then
    local call = session:check(client.calls:get(id))
    agent_id = type(call.agent) == "table" and call.agent.id or call.agent
    if agent_id == nil then
      session:usage(("calls evaluate: call log %s names no agent: give --agent-id"):format(tostring(id)))
    end
  end
  session:confirm "An evaluation costs credits."
  if metrics then
    return session:check(client.calls:evaluate_metrics { call_logs = { id }, metrics = metrics, agent_id = agent_id })
  end
  return session:check(client.calls:rerun_evaluation { call_logs = { id }, agent_id = agent_id })
end

calls[5] = {
  name = "evaluate",
  summary = "Evaluate a call log again.",
  description = "Evaluates a call log again, which costs credits.",
  arguments = { { name = "id", type = "id", help = "The id of the call log." } },
  options = waiting.options {
    { name = "agent-id", type = "id",
      help = "The agent of the call. Without this option, the call log is fetched first to find it." },
    { name = "metrics", type = "ids", help = "Evaluate only these metrics (the service may evaluate all of them)." },
    WAIT,
  },
  examples = {
    { "cekura-lua calls evaluate 5181749 --wait", "Evaluate it, and wait for the result." },
    { "cekura-lua calls evaluate 5181749 --agent-id 2142 --yes", "Do not ask for confirmation." },
  },
  run = function(session, given)
    if not session.options.wait then
      waiting.check_unused(session)
    end
    local records = evaluate(session, given.words.id, session.options.agent_id, session.options.metrics)
    if session.options.wait then
      return evaluations(session, records)
    end
    for _, record in ipairs(records) do
      output.value(session, record)
    end
  end,
}

calls[6] = improve.command("improve-prompt", { "calls" })

calls[7] = report

return calls

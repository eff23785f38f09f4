--- The command that improves a prompt from call logs.

local changes = require "cekura.report.changes"
local core = require "cekura.core"
local exits = require "cekura.command.exits"
local kind_commands = require "cekura.command.kind_commands"
local output = require "cekura.command.output"
local show_diff = require "cekura.command.show_diff"
local waiting = require "cekura.command.waiting"

local improve = {}

local KIND = "calls.improve_prompt"

-- Replaces a file, or writes to stdout. If the file cannot be written, prints the prompt to stdout, so that it is not
-- lost, unless --json has it.
local function write_file(session, path, content, what, prompt)
  if path == "-" then
    session:data(content)
    return exits.OK
  end
  local ok, fault = session.write_file(path, content)
  if ok then
    session:note(("%s in %s."):format(what, path))
    return exits.OK
  end
  session:note(session.file_fault(path, "written", fault) .. ". The improved prompt follows on stdout.")
  if not session.options.json then
    session:data(prompt)
  end
  return exits.USAGE
end

-- Writes the page of the changes.
local function write_page(session, old, result)
  local client = session:client()
  local summary = result.summary_of_changes
  local page = changes { old = core.redact(client, old), new = core.redact(client, result.improved_prompt),
    summary = summary ~= nil and core.redact(client, tostring(summary)) or nil }
  return write_file(session, session.options.html, page, "The changes are", result.improved_prompt)
end

local function show(session, old, result, job, err)
  local options, new = session.options, result and result.improved_prompt
  local status = exits.OK
  if new and options.output then
    status = write_file(session, options.output, new, "The improved prompt is", new)
  end
  if new and options.html and status == exits.OK then
    status = write_page(session, old, result)
  end
  if options.json then
    session:print(output.json(waiting.object(job, result, err)))
  elseif not result then
    return status
  elseif not new then
    session:note("Nothing to improve" .. (result.reason and ": " .. tostring(result.reason) or "."))
  elseif options.diff and not options.html then
    session:print((show_diff(session.out, old, new):gsub("\n$", "")))
  elseif not options.diff and not options.output then
    session:data(new)
  end
  if result and result.summary_of_changes then
    session:note("Summary of changes: " .. tostring(result.summary_of_changes))
  end
  return status
end

-- Ends the command if two options write to stdout.
local function check_stdout(session)
  local options, first = session.options, nil
  for _, row in ipairs { { "--html -", options.html == "-" }, { "--output -", options.output == "-" },
    { "--diff", options.output == "-" and options.diff and not options.html }, { "--json", options.json } } do
    if row[2] and first then
      session:usage(("improve: %s and %s both write to standard output"):format(first, row[1]))
    end
    first = first or row[2] and row[1] or nil
  end
end

-- Ends the command, before credits are spent, unless the options make sense together and the files can be written.
local function check(session)
  local options = session.options
  if not options.prompt_file then
    session:usage "improve: --prompt-file is missing"
  elseif options.html and not options.diff then
    session:usage "improve: --html shows the changes: it needs --diff"
  elseif options.html == options.prompt_file and options.html ~= "-" then
    session:usage "improve: --html and --prompt-file name the same file"
  end
  check_stdout(session)
  if options.no_wait then
    waiting.check_unused(session)
    waiting.check_unused(session, { "output", "diff", "html" })
  end
  session:check_files("improve", "html", "output")
end

local function run(session, given)
  local options = session.options
  check(session)
  local prompt = session:read_file(options.prompt_file)
  given.params.prompt = prompt
  local job = kind_commands.start(session, KIND, given.params)
  if options.no_wait then
    return kind_commands.started(session, job)
  end
  local ended = waiting.follow(session, { job })
  local status = show(session, prompt, ended[1].result, job, ended[1].err)
  local outcome = waiting.status(session, ended)
  return status ~= exits.OK and status or outcome
end

--- The command under one of its names, `improve` and `calls improve-prompt`.
---@param name string
---@param before string[] the words before it
---@return cekura.command.Command
function improve.command(name, before)
  local words = { "cekura-lua" }
  for _, word in ipairs(before) do
    words[#words + 1] = word
  end
  words[#words + 1] = name
  local line = table.concat(words, " ")
  local options = waiting.options {
    { name = "agent-id", parameter = "agent_id", type = "id", help = "The agent that uses the prompt." },
    { name = "assistant-id", parameter = "assistant_id", type = "id", help = "The id of the agent at its provider." },
    { name = "call-logs", parameter = "call_logs", type = "selection",
      help = "The calls to learn from: ids, all, or first:12." },
    { name = "prompt-file", type = "text", shown = "FILE", help = "A file with the prompt. - is standard input." },
    { name = "category-ids", parameter = "category_ids", type = "ids", help = "Categories of failures." },
    { name = "workflow-metric-ids", parameter = "workflow_metric_ids", type = "ids",
      help = "Metrics of the workflow." },
    { name = "output", type = "text", shown = "FILE",
      help = "Write the improved prompt to a file, not to stdout. - is standard output." },
    { name = "diff", help = "Show the changes, word by word, instead of the prompt." },
    { name = "html", type = "text", shown = "FILE",
      help = "With --diff: write the changes as a page, side by side, to a file. - is standard output." },
    { name = "no-wait", help = "Print the token of the job, and do not wait for it." },
  }
  return {
    name = name,
    summary = "Improve an agent's prompt from call logs.",
    description = "Improves an agent's prompt from call logs, which costs credits, and prints the improved prompt; a "
      .. "summary of the changes goes to stderr. Cekura removed the operation from its documentation on 2026-06-30. If "
      .. "the service no longer has it, the exit status is 6.",
    options = options,
    examples = {
      { line .. " --agent-id 2142 --call-logs 5181749,5181752 --prompt-file prompt.txt --output better.txt --diff",
        "Write the improved prompt to a file, and show the changes." },
      { line .. " --agent-id 2142 --call-logs first:12 --prompt-file - --yes <prompt.txt >better.txt",
        "Improve a prompt in a script." },
    },
    run = run,
  }
end

return improve

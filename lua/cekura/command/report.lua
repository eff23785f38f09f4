--- `calls report`: a page about one call, or about the calls of a period.

local call_filter = require "cekura.command.call_filter"
local cekura = require "cekura"
local core = require "cekura.core"
local csv = require "cekura.report.period.csv"
local output = require "cekura.command.output"
local period = require "cekura.report.period"
local rows = require "cekura.report.period.rows"
local status_line = require "cekura.command.status_line"
local tally = require "cekura.report.period.tally"
local times = require "cekura.records.times"

-- The options that choose calls, in the order of help.
local FILTER = { "agent-id", "project-id", "assistant-id", "from", "to", "search", "failed", "filter" }

-- Those of which one must be given, with a name for each.
local SUBJECTS = { { "agent_id", "agent" }, { "assistant_id", "assistant" }, { "project_id", "project" } }

local LARGEST_PAGE = 200

local MOST_DAYS = 3660

-- Writes a result to a file or to stdout.
local function write(session, path, content, what)
  if path == "-" then
    return session:data(content)
  end
  local ok, fault = session.write_file(path, content)
  if not ok then
    session:usage(session.file_fault(path, "written", fault))
  end
  session:note(("%s in %s."):format(what, path))
end

-- ---- one call ----

local function one_call(session, id)
  local options = session.options
  if not options.html then
    session:usage "calls report: --html is missing"
  elseif options.csv then
    session:usage "calls report: --csv is for the calls of a period, not for one call"
  elseif options.json then
    session:usage "calls report: --json is for the calls of a period, not for one call, which calls get prints"
  end
  local page = cekura.report(session:check(session:client().calls:get(id)))
  write(session, options.html, page, "The report is")
end

-- ---- a period ----

-- A time of the command line, or of now, in seconds since the epoch.
local function seconds(time)
  return type(time) == "string" and times.epoch(time) or time or core.date()
end

-- Ends the command if several results are for standard output.
local function check_stdout(session)
  local options, taken = session.options, nil
  for _, name in ipairs { "html", "csv", "json" } do
    if options[name] == "-" or options[name] == true then
      if taken then
        session:usage(("calls report: only one of --%s and --%s can be written to standard output"):format(taken, name))
      end
      taken = name
    end
  end
end

-- Ends the command unless the options make sense together.
local function check(session, given)
  local options, params, has_subject = session.options, given.params, session.options.project ~= nil
  for _, row in ipairs(SUBJECTS) do
    has_subject = has_subject or params[row[1]] ~= nil
  end
  if not has_subject then
    session:usage "calls report: give the id of a call, or --agent-id, --assistant-id or --project-id for its calls"
  elseif not params.timestamp_from then
    session:usage "calls report: --from is missing"
  elseif not options.html and not options.csv and not options.json then
    session:usage "calls report: --html is missing"
  end
  check_stdout(session)
  local from, to = seconds(params.timestamp_from), seconds(params.timestamp_to)
  if to < from then
    session:usage(params.timestamp_to and "calls report: --to is before --from"
      or "calls report: --from is in the future")
  elseif to - from > MOST_DAYS * 86400 then
    session:usage(("calls report: a period has at most %d days"):format(MOST_DAYS))
  end
  session:check_files("calls report", "html", "csv")
  return from, to
end

local function counted(count, one, many)
  return ("%d %s"):format(count, count == 1 and one or many)
end

-- Lines that are not redrawn come after so many calls, and so many of them for a period.
local CALLS, PARTS = 1000, 20

-- Shows how far the report is. `state` has the days that are covered: the latest calls come first, so these are the
-- days from that of a call on.
local function show(session, numbers, state, is_last)
  local line = ("%s, %d of %s"):format(counted(numbers.calls, "call", "calls"), state.covered,
    counted(numbers.days, "day", "days"))
  local step = ("%d %d"):format(math.floor(numbers.calls / CALLS), math.floor(PARTS * state.covered / numbers.days))
  if session.err.redraws or is_last or step ~= state.step then
    state.step = step
    session.progress:show(line)
  end
end

-- Counts all calls. Returns the name of their agent, if it was asked for.
local function count(session, filter, numbers)
  local each, state, agent_name = session:client().calls:each(filter), { covered = 0 }, nil
  session.progress = status_line.new(session.err, session.options.quiet)
  while true do
    local call, err = each:next()
    if not call then
      session:check(err == nil, err)
      break
    end
    agent_name = agent_name or call:get "agent_name"
    local day = numbers:add(call)
    local covered = math.max(state.covered, day and numbers.days - day + 1 or 0)
    if covered ~= state.covered or numbers.calls % LARGEST_PAGE == 0 then
      state.covered = covered
      show(session, numbers, state)
    end
  end
  state.covered = numbers.days
  show(session, numbers, state, true)
  session:hide_jobs()
  return agent_name
end

-- What the page is about.
local function describe(given, filter, agent_name)
  local about = { facts = {} }
  local function add(name, value)
    about.facts[#about.facts + 1] = { name, output.cell(value) }
  end
  for _, row in ipairs(SUBJECTS) do
    local id = filter[row[1]]
    if id then
      about.title = about.title or ("Calls of %s %s"):format(row[2], output.cell(id))
      add(row[2]:gsub("^%l", string.upper), id)
    end
  end
  if filter.search then
    add("Search", filter.search)
  end
  if given.options.failed then
    add("Only", "calls that did not pass")
  end
  for _, condition in ipairs(given.options.filter or {}) do
    add("Condition", ("%s %s %s"):format(condition[1], condition[2], output.cell(condition[3])))
  end
  about.title = type(agent_name) == "string" and agent_name ~= "" and "Calls of " .. agent_name or about.title
    or "Calls"
  return about
end

local function many_calls(session, given)
  local from, to = check(session, given)
  local client, filter = session:client(), call_filter.read(given)
  filter.page_size, filter.timestamp_to = LARGEST_PAGE, filter.timestamp_to or to
  filter.fields = { "id" }
  for _, name in ipairs(tally.FIELDS) do
    filter.fields[#filter.fields + 1] = name
  end
  if filter.agent_id or filter.assistant_id then
    filter.fields[#filter.fields + 1] = "agent_name"
  end
  local function redact(text)
    return core.redact(client, text)
  end
  local numbers = tally.new { from = from, to = to, redact = redact }
  local about = describe(given, filter, count(session, filter, numbers))
  about.title = redact(about.title)
  if session.options.html then
    write(session, session.options.html, period.html(numbers, about), "The report is")
  end
  if session.options.csv then
    write(session, session.options.csv, csv(rows(numbers)), "The numbers are")
  end
  for _, row in ipairs(session.options.json and rows(numbers) or {}) do
    session:print(output.json(row))
  end
end

-- ---- the command ----

local options = {}
for _, name in ipairs(FILTER) do
  options[#options + 1] = call_filter.OPTIONS[name]
end
options[#options + 1] = { name = "html", type = "text", shown = "FILE",
  help = "The file for the page. - is standard output." }
options[#options + 1] = { name = "csv", type = "text", shown = "FILE",
  help = "A file for the numbers of the calls, as comma-separated values. - is standard output." }

return {
  name = "report",
  summary = "Write a page about a call, or about the calls of a period.",
  description = "Writes a page of HTML about a call: its metrics, failures first, its turns in time, its recording and "
    .. "its transcript. Without an id, writes one about the calls of a period: pass rates by metric and day, failures "
    .. "that come together, durations, ended reasons. The page needs no other file; the recording stays where the "
    .. "record says. Days are those of UTC. With --json, prints the numbers, a line each.",
  arguments = { { name = "id", type = "id", count = "?",
    help = "The id of the call log. Without it, the calls of --agent-id since --from." } },
  options = options,
  examples = {
    { "cekura-lua calls report 5181749 --html call.html", "Write a page about a call." },
    { "cekura-lua calls report --agent-id 2142 --from 30d --html calls.html --csv calls.csv",
      "Write a page and a table about the calls of the last 30 days." },
  },
  run = function(session, given)
    local id = given.words.id
    if id == nil then
      return many_calls(session, given)
    elseif next(given.params) or given.options.failed or given.options.filter and given.options.filter[1] then
      session:usage "calls report: give the id of a call or options that choose calls, not both"
    end
    one_call(session, id)
  end,
}

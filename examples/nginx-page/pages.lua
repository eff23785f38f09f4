--- The pages, as HTML.

local pages = {}

-- ---- text in HTML ----

local KEY = os.getenv "CEKURA_API_KEY"

local ENTITIES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }

-- A text that may be shown: without the key, should the service repeat it.
local function plain(value)
  local text = tostring(value)
  if KEY and KEY ~= "" then
    text = text:gsub(KEY:gsub("%W", "%%%0"), "[key]")
  end
  return text
end

-- Fills a template: {name} is a text, which is escaped, and {=name} is HTML.
local function fill(template, values)
  return (template:gsub("{(=?)([%w_]+)}", function(is_html, name)
    local value = values[name]
    if is_html == "=" then
      return assert(value, name)
    end
    return (plain(value or ""):gsub("[&<>\"']", ENTITIES))
  end))
end

-- Fills a template for each item of a list.
local function fill_all(template, items, values_of)
  local filled = {}
  for index, item in ipairs(items) do
    filled[index] = fill(template, values_of(item))
  end
  return table.concat(filled)
end

local PAGE = [[
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<link rel="stylesheet" href="/page.css">
<script src="/page.js" defer></script>
</head>
<body>
<header><a href="/">Calls and jobs</a></header>
<main>
<h1>{title}</h1>
{=main}
</main>
</body>
</html>
]]

--- A page that says something.
function pages.message(title, text)
  return fill(PAGE, { title = title, main = fill("<p>{text}</p>", { text = text }) })
end

-- ---- words ----

local STATES = {
  pending = "Waiting for its turn", running = "At work", succeeded = "Done", nothing_to_do = "Nothing to improve",
  needs_input = "Stopped", failed = "Failed", cancelled = "Cancelled", gone = "Gone",
}

local ERRORS = {
  auth = "The service refuses the key of this server.",
  gone = "The service does not know this job, or no longer offers such jobs.",
  job_cancelled = "The job was cancelled in the service.",
  job_failed = "The job has failed in the service.",
  needs_input = "The service asks a question, which this page cannot answer.",
  network = "The service cannot be reached.",
  protocol = "The service has given an answer that cannot be understood.",
  rate_limited = "The service is asked too often at the moment. Try again later.",
  server = "The service has a fault at the moment. Try again later.",
  timeout = "There is no answer yet. The service may still be at work.",
  unknown_outcome = "It is not known whether the job has begun: the connection broke after the request was sent. "
    .. "Look for the job in the dashboard before you start another.",
}

--- An error, in a sentence.
---@param err { kind: string }
---@return string
function pages.explain(err)
  return ERRORS[err.kind] or "That did not work."
end

-- An error in its own words, as HTML.
local function details(err)
  return err and fill('<p class="quiet">{kind}: {message}</p>', err) or ""
end

local function status_of(state)
  if state.over then
    return state.error and pages.explain(state.error) or STATES[state.state] .. "."
  end
  return STATES[state.state] .. (state.status and (": the service says “%s”."):format(state.status) or ".")
end

--- What the script of the page needs of a state.
function pages.event(state)
  return { status = plain(status_of(state)), progress = state.progress, over = state.over == true }
end

-- ---- the list of calls ----

local CALLS = [[
{=problem}
<form action="/" class="row">
<label for="agent">Agent</label>
<input id="agent" name="agent_id" inputmode="numeric" pattern="[1-9][0-9]*" size="10" value="{agent_id}">
<button>Show its calls</button>
</form>
<form method="post" action="/jobs">
<input type="hidden" name="agent_id" value="{agent_id}">
<input type="hidden" name="form" value="{form}">
<fieldset>
<legend>The calls to learn from</legend>
{=calls}
</fieldset>
<label for="prompt">The prompt to improve</label>
<textarea id="prompt" name="prompt" rows="12" required>
{prompt}</textarea>
<button>Improve the prompt</button>
</form>
<h2>Jobs</h2>
{=jobs}
]]

local CALL = [[
<label class="call"><input type="checkbox" name="call_logs" value="{id}"{=checked}>
<span><b>{id}</b> {status}{topic}<small>{time}{duration}{call_id}</small></span></label>
]]

local JOB_LINK = [[
<li><a href="/jobs/{id}">{started}, from {calls}</a>: {status}</li>
]]

local function time(seconds)
  return seconds and os.date("!%Y-%m-%d %H:%M UTC", seconds) or "at an unknown time"
end

local function after_comma(value)
  return value and value ~= "" and ", " .. tostring(value) or ""
end

local function show_call(call, is_chosen)
  local seconds = call:seconds()
  return {
    id = call.id, checked = is_chosen[tostring(call.id)] and " checked" or "", status = call.status,
    topic = after_comma(call.topic), time = time((call:time "timestamp")),
    duration = seconds and (", %d:%02d"):format(seconds / 60, seconds % 60), call_id = after_comma(call.call_id),
  }
end

--- The list of calls, with the form that starts a job.
---@param view { calls?: cekura.CallLog[], jobs: table[], given: table, problem?: string, error?: cekura.Error }
function pages.calls(view)
  local is_chosen = {}
  for _, id in ipairs(view.given.call_logs) do
    is_chosen[id] = true
  end
  local calls = view.calls and fill_all(CALL, view.calls, function(call)
    return show_call(call, is_chosen)
  end) or "<p>They are not known at the moment.</p>"
  local jobs = fill_all(JOB_LINK, view.jobs, function(state)
    return { id = state.id, started = time(state.started), calls = state.calls, status = status_of(state) }
  end)
  return fill(PAGE, { title = "Recent calls", main = fill(CALLS, {
    problem = view.problem and fill('<p class="problem" role="alert">{problem}</p>', view) .. details(view.error) or "",
    agent_id = view.given.agent_id, prompt = view.given.prompt, form = ngx.var.request_id, -- another one for each page
    calls = calls ~= "" and calls or "<p>There are none.</p>",
    jobs = jobs ~= "" and "<ul>" .. jobs .. "</ul>" or "<p>None has been started yet.</p>",
  }) })
end

-- ---- a job ----

local JOB = [[
<p>Started {started}, from {calls}</p>
<p id="status" class="{kind}" role="status" aria-live="polite"{=events}>{status}</p>
{=progress}
<div id="outcome">
{=outcome}
</div>
]]

-- Without a script, there is a link. A page that loads itself again would interrupt those who read it.
local PROGRESS = [[
<progress id="progress" aria-label="Progress" max="1"{=value}></progress>
<noscript><p><a href="/jobs/{id}">Show the current state</a></p></noscript>
]]

local WAIT = [[
<form method="post" action="/jobs/{id}"><button>Wait longer</button></form>
]]

local OUTCOME = [[
<h2>Summary of changes</h2>
<p class="text">{summary}</p>
<h2>What has changed</h2>
<p>Text that was <del>removed</del> and text that was <ins>added</ins>:</p>
<div class="text diff">{=pieces}</div>
<h2><label for="improved">The improved prompt</label></h2>
<textarea id="improved" rows="12" readonly>
{improved}</textarea>
]]

local PIECES = { same = "{text}", removed = "<del>{text}</del>", added = "<ins>{text}</ins>" }

local function show_outcome(state, outcome)
  if state.error then
    return details(state.error) .. (state.error.kind == "timeout" and fill(WAIT, state) or "")
  elseif not outcome or not outcome.pieces then
    return fill('<p class="text">{reason}</p>', {
      reason = outcome and outcome.reason or "There is no improved prompt.",
    })
  end
  local pieces, improved = {}, {}
  for index, piece in ipairs(outcome.pieces) do
    pieces[index] = fill(PIECES[piece.kind], piece)
    improved[index] = piece.kind ~= "removed" and piece.text or ""
  end
  return fill(OUTCOME, {
    summary = outcome.summary or "The service gives none.", pieces = table.concat(pieces),
    improved = table.concat(improved),
  })
end

--- The page of a job: its progress, or its outcome.
---@param state table
---@param outcome? table
function pages.job(state, outcome)
  local value = state.progress and ('value="%.2f"'):format(state.progress) or ""
  return fill(PAGE, { title = "Improvement of a prompt", main = fill(JOB, {
    started = time(state.started), calls = state.calls, status = status_of(state),
    kind = state.error and "problem" or "",
    events = state.over and "" or fill(' data-events="/jobs/{id}/events"', state),
    progress = state.over and "" or fill(PROGRESS, { id = state.id, value = value }),
    outcome = state.over and show_outcome(state, outcome) or "",
  }) })
end

return pages

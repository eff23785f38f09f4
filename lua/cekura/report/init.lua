--- The report of one call: a self-contained page of HTML. Everything from the service is escaped, and the policy of the
-- page allows its own style, its own script and the recording, and nothing else.

local conversation = require "cekura.records.conversation"
local core = require "cekura.core"
local errors = require "cekura.errors"
local frame = require "cekura.report.frame"
local html = require "cekura.report.html"
local metrics = require "cekura.report.metrics"
local show = require "cekura.show"
local timeline = require "cekura.report.timeline"
local transcript = require "cekura.report.transcript"

local report = {}

---@class cekura.report.Page what the parts of a page are made from
---@field call cekura.Call
---@field escape fun(text: string): string
---@field talk cekura.records.Conversation
---@field lanes table see cekura.report.timeline
---@field dropoff_text? string
---@field url? string of the recording
---@field source? string the host of the URL, for the policy

-- ---- the facts ----

local FACTS = {
  { "agent_name", "Agent" }, { "timestamp", "Time" }, { "duration", "Duration" }, { "status", "Status" },
  { "call_ended_reason", "Ended" }, { "dropoff_point", "Point of dropoff" }, { "topic", "Topic" },
  { "customer_number", "Customer" }, { "call_id", "Call id" }, { "error_message", "Error" }, { "feedback", "Feedback" },
}

-- A field as text; nil: it has no content.
local function field(call, name)
  local value = call:get(name)
  local text = value ~= nil and conversation.as_text(value) or ""
  return text:find "%S" and text ~= "{}" and text ~= "[]" and text or nil
end

local function verdict(page)
  local success = page.call:get "success"
  if type(success) ~= "boolean" then
    return '<p class="verdict">No verdict</p>'
  end
  return success and '<p class="verdict good"><span aria-hidden="true">✓</span> Passed</p>'
    or '<p class="verdict bad"><span aria-hidden="true">✗</span> Failed</p>'
end

local function facts(page)
  local items = {}
  for _, row in ipairs(FACTS) do
    local text = field(page.call, row[1])
    if text then
      items[#items + 1] = ("<dt>%s</dt><dd>%s</dd>"):format(row[2], page.escape(text))
    end
  end
  return ('<section class="facts" aria-labelledby="facts"><h2 id="facts">Overview</h2>%s</section>\n'):format(
    items[1] and "<dl>" .. table.concat(items) .. "</dl>" or "<p>The record has no more.</p>")
end

-- ---- the recording ----

local function recording(page)
  local content = "<p>The record has no recording.</p>"
  local text = field(page.call, "voice_recording_url")
  if page.url then
    local url = html.escape(page.url)
    content = ('<audio controls preload="none" src="%s" aria-label="Recording of the call"></audio>'
      .. '<p><a href="%s">Open the recording</a></p><p id="player-status" role="status"></p>'):format(url, url)
  elseif text then
    content = "<p>The recording is not at a URL that a page can play: " .. page.escape(text) .. "</p>"
  end
  return ('<section class="recording" aria-labelledby="recording"><h2 id="recording">Recording</h2>%s</section>\n')
    :format(content)
end

-- ---- the timeline ----

local function counted(count, one, many)
  return ("%d %s"):format(count, count == 1 and one or many)
end

-- The timeline in words.
local function summary(talk)
  local turns, tools, longest = 0, 0, 0
  for _, event in ipairs(talk.events) do
    turns = turns + (event.kind == "speech" and 1 or 0)
    tools = tools + (event.kind == "tool_call" and 1 or 0)
  end
  for _, silence in ipairs(talk.silences) do
    longest = math.max(longest, silence.to - silence.from)
  end
  local parts = { counted(turns, "turn", "turns"), tools > 0 and counted(tools, "tool call", "tool calls") or nil }
  if talk.has_stops then
    parts[#parts + 1] = counted(#talk.overlaps, "overlap", "overlaps")
    parts[#parts + 1] = counted(#talk.silences, "silence", "silences") .. (longest > 0
      and (" of 2 s or more, the longest of %s"):format(html.duration(longest)) or " of 2 s or more")
  end
  return ("%s in a call of %s.%s"):format(table.concat(parts, ", "), html.clock(talk.length), talk.has_stops and ""
    or " The turns have no ends: each bar ends where the next begins.")
end

local LEGEND = {
  { "silences", '<rect width="24" height="12" fill="url(#hatch)"/>', "Silence" },
  { "overlaps", '<rect class="overlap" x="7" y="1" width="10" height="10"/>', "Overlap" },
  { "tools", '<circle class="tool" cx="6" cy="6" r="5"/><circle class="tool result" cx="18" cy="6" r="5"/>',
    "Tool call, and its result" },
  { "dropoff", '<line class="dropoff" x1="12" x2="12" y1="0" y2="12"/>', "Point of dropoff" },
}

local function legend(page)
  local talk = page.talk
  local has = { silences = talk.silences[1], overlaps = talk.overlaps[1], dropoff = page.dropoff_text,
    tools = #timeline.labels(page.lanes, talk.events) > #page.lanes }
  local items = {}
  for _, row in ipairs(LEGEND) do
    if has[row[1]] then
      items[#items + 1] = ('<li><svg width="24" height="12" aria-hidden="true">%s</svg>%s</li>'):format(row[2], row[3])
    end
  end
  return items[1] and '<ul class="legend">' .. table.concat(items) .. "</ul>" or ""
end

local HATCH = '<svg class="patterns" width="0" height="0" aria-hidden="true"><defs><pattern id="hatch" width="6" '
  .. 'height="6" patternUnits="userSpaceOnUse"><path class="hatch" d="M0 6L6 0"/></pattern></defs></svg>'

local function drawn(page)
  local labels, last = {}, 0
  for index, label in ipairs(timeline.labels(page.lanes, page.talk.events)) do
    labels[index] = "<li>" .. page.escape(label) .. "</li>"
  end
  for _, event in ipairs(page.talk.events) do
    last = event.at and math.max(last, event.stop or event.at) or last
  end
  local strips = {}
  for index, strip in ipairs(timeline.strips(page.talk, page.lanes, page.dropoff_text and last)) do
    strips[index] = ('<div class="lanes"><ul class="labels"%s>%s</ul><div>%s</div></div>'):format(
      index > 1 and ' aria-hidden="true"' or "", table.concat(labels), strip)
  end
  return ('<figure>%s%s<figcaption>%s<p id="timeline-summary">%s</p></figcaption></figure>'):format(HATCH,
    table.concat(strips, "\n"), legend(page), summary(page.talk))
end

local function time(page)
  local has_times = page.talk.length and page.talk.length > 0 and page.talk.events[1]
  return ('<section class="time" aria-labelledby="time"><h2 id="time">Timeline</h2>%s</section>\n'):format(
    has_times and drawn(page) or "<p>The turns have no times.</p>")
end

-- ---- the page ----

--- The page, see cekura.report in cekura.public.
---@param call cekura.Call
---@return string
function report.html(call)
  local class = core.type(call)
  if class ~= "call_log" and class ~= "run" then
    errors.misuse("call: a call log or a run expected, got %s", show.type(call))
  end
  local function escape(text)
    return html.escape(html.redact(call, text))
  end
  local talk = conversation.read(call)
  local page = { call = call, escape = escape, talk = talk, lanes = timeline.lanes(talk.events),
    dropoff_text = field(call, "dropoff_point") }
  page.url, page.source = html.url(html.redact(call, field(call, "voice_recording_url") or ""))
  local title = (class == "run" and "Run " or "Call ") .. html.redact(call, field(call, "id") or "without an id")
  local sections = { "<div>", facts(page), metrics(call, escape, talk.events), "</div>\n<div>", recording(page),
    time(page), transcript(page), "</div>\n" }
  return frame { kind = "call", title = title, skip = "transcript", head = verdict(page), plays = true,
    recording = page.source, content = table.concat(sections) }
end

return report

--- A call as the command shows it: its transcript, turn by turn, and the metrics of its evaluation.

local ascii = require "cekura.http.ascii"
local conversation = require "cekura.records.conversation"
local evaluation = require "cekura.records.evaluation"
local text = require "cekura.command.text"

local show_call = {}

local as_text = conversation.as_text

-- The lines of a visible text, wrapped to the width of the terminal, if there is one. All but the first are indented.
local function lines_of(stream, visible, indent)
  local columns = stream:columns()
  if columns then
    return text.wrap(visible, columns, math.min(indent, math.floor(columns / 3)))
  end
  return { (visible:gsub("\n", "%0" .. (" "):rep(indent))) }
end

-- ---- the transcript ----

local ROLES = { ["Main Agent"] = "cyan", ["Testing Agent"] = "green" } -- any other is blue

local LONGEST_ROLE = 40 -- columns; a longer one is cut

local function clock(seconds, has_hours)
  local minutes, rest = math.floor(seconds / 60), math.floor(seconds % 60)
  if has_hours then
    return ("%d:%02d:%02d"):format(math.floor(minutes / 60), minutes % 60, rest)
  end
  return ("%02d:%02d"):format(minutes, rest)
end

-- The prefix of each turn, "[00:12] " or blanks of the same width. All are empty if no turn has a time.
local function stamps_of(events)
  local longest
  for _, event in ipairs(events) do
    longest = event.at and math.max(longest or 0, event.at) or longest
  end
  local has_hours, stamps = longest and longest >= 3600, {}
  local width = longest and #clock(longest, has_hours) + 3 or 0
  for place, event in ipairs(events) do
    local stamp = event.at and ("[%s] "):format(clock(event.at, has_hours)) or ""
    stamps[place] = (" "):rep(width - #stamp) .. stamp
  end
  return stamps, width
end

-- A tool call, or its result, on one line; nil if the event is neither.
local function tool_line(event)
  if event.kind == "tool_result" then
    return (text.is_utf8() and "← " or "<- ") .. text.visible(event.text)
  elseif event.kind == "tool_call" then
    local called = event.name .. (event.text ~= "" and " " .. event.text or "")
    return (text.is_utf8() and "→ " or "-> ") .. text.visible(called)
  end
end

local function role_of(event)
  return event.role and text.fit(text.visible(event.role), LONGEST_ROLE) .. ":" or nil
end

-- The lines of a spoken turn.
local function spoken_lines(stream, event, stamp, indent)
  local role = role_of(event)
  local start = stamp .. (role or "")
  local visible = text.visible_lines(ascii.trim(event.text))
  local lines = lines_of(stream, start .. (role and visible ~= "" and " " or "") .. visible, indent)
  if role and lines[1]:sub(1, #start) == start then -- else the terminal is too narrow for it
    lines[1] = stamp .. stream:paint(ROLES[event.role] or "blue", role) .. lines[1]:sub(#start + 1)
  end
  return lines
end

--- The transcript of a call log or a run, to be printed: one turn after the other.
---@param stream cekura.CommandStream
---@param call cekura.Call
---@return string
function show_call.transcript(stream, call)
  local events, shown = conversation.events(call), {}
  local stamps, width = stamps_of(events)
  for place, event in ipairs(events) do
    local tool = tool_line(event)
    if tool then
      local columns = stream:columns()
      tool = columns and text.fit(tool, math.max(1, columns - width)) or tool
      shown[#shown + 1] = stamps[place] .. stream:paint("dim", tool)
    else
      -- Without times, the indentation alone shows where a turn begins.
      for _, line in ipairs(spoken_lines(stream, event, stamps[place], width > 0 and width or 2)) do
        shown[#shown + 1] = line
      end
    end
  end
  return #events == 0 and "The call has no transcript.\n" or table.concat(shown, "\n") .. "\n"
end

-- ---- the metrics ----

-- In the order in which they are shown: `passed` of the metrics, the mark in UTF-8 and in ASCII, its style.
local GROUPS = {
  { passed = false, mark = "✗", word = "FAIL", style = "red" },
  { passed = nil, mark = "–", word = "-", style = "yellow" },
  { passed = true, mark = "✓", word = "pass", style = "green" },
}

local WORD = 4 -- columns of the longest word

-- A metric's mark, name and value, and below them its explanations.
local function metric_lines(stream, metric, group)
  local mark = text.is_utf8() and group.mark or text.pad(group.word, WORD)
  local indent = text.width(mark) + 1
  local value = metric.value
  if value == nil then
    value = metric.score
  end
  local title = text.visible(as_text(metric.name or metric.id or "?"))
  if value ~= nil then
    title = title .. ": " .. text.visible(as_text(value))
  end
  local lines = lines_of(stream, mark .. " " .. title, indent)
  lines[1] = stream:paint(group.style, mark) .. lines[1]:sub(#mark + 1)
  for _, explanation in ipairs(metric.explanation) do
    local blanks = (" "):rep(indent)
    for _, line in ipairs(lines_of(stream, blanks .. text.visible_lines(ascii.trim(explanation)), indent)) do
      lines[#lines + 1] = line
    end
  end
  return lines
end

--- The metrics of a call log or a run, to be printed: those that failed first, then those without a verdict.
---@param stream cekura.CommandStream
---@param call cekura.Call
---@return string
function show_call.metrics(stream, call)
  local shown = {}
  for _, group in ipairs(GROUPS) do
    for metric in call:metrics() do
      if metric.passed == group.passed then
        for _, line in ipairs(metric_lines(stream, metric, group)) do
          shown[#shown + 1] = line
        end
      end
    end
  end
  if #shown > 0 then
    return table.concat(shown, "\n") .. "\n"
  end
  return evaluation.is_done(call) and "The call has no metrics.\n"
    or "The call has no metrics: it has not been evaluated yet.\n"
end

return show_call

--- The transcript of a call in its report: turns, tool calls, silences and the point of dropoff, as a list.

local html = require "cekura.report.html"

-- The time of a turn: a link into the recording, if there is one.
local function time_of(page, event)
  if not event.at then
    return ""
  end
  local clock = html.clock(event.at)
  if not page.url then
    return ('<span class="clock">%s</span> '):format(clock)
  end
  local seconds = html.decimal(event.at, 3)
  return ('<a href="%s#t=%s" data-seek="%s" aria-label="Play from %s">%s</a> '):format(html.escape(page.url), seconds,
    seconds, clock, clock)
end

local TITLES = { tool_call = "Tool call", tool_result = "Tool result" }

local function content_of(page, event)
  if event.kind == "speech" then
    return event.text ~= "" and "<p>" .. page.escape(event.text) .. "</p>" or ""
  end
  return event.text ~= "" and "<pre>" .. page.escape(event.text) .. "</pre>" or ""
end

local function title_of(page, event)
  if event.kind == "speech" then
    return page.escape(event.role or "Unknown")
  end
  return TITLES[event.kind] .. (event.name and ": " .. page.escape(event.name) or "")
end

local function turn(page, event, place)
  local notes = ""
  if event.stop and event.stop > event.at then
    notes = ", " .. html.duration(event.stop - event.at)
  end
  if event.overlap then
    notes = notes .. (", overlaps for %s"):format(html.duration(event.overlap))
  end
  return ('<li class="turn %s" id="turn-%d"%s><p class="head">%s<span class="name">%s</span>%s</p>%s</li>'):format(
    event.kind == "speech" and "lane-" .. page.lanes.by_word[event.lane].number or "tools", place,
    event.at and (' data-at="%s"'):format(html.decimal(event.at, 3)) or "", time_of(page, event),
    title_of(page, event), notes, content_of(page, event))
end

local function silence_note(silence)
  return ('<li class="note">Silence of %s, from %s to %s</li>'):format(
    html.duration(silence.to - silence.from), html.clock(silence.from), html.clock(silence.to))
end

-- The silences, each before the first turn, or tool call, that begins after it has.
local function with_silences(page, items, place, at)
  local silences = page.talk.silences
  while silences[place] and (not at or silences[place].from <= at) do
    items[#items + 1] = silence_note(silences[place])
    place = place + 1
  end
  return place
end

--- The transcript as a section of the page.
---@param page cekura.report.Page
---@return string
return function(page)
  local items, silence = {}, 1
  for place, event in ipairs(page.talk.events) do
    if event.at then
      silence = with_silences(page, items, silence, event.at)
    end
    items[#items + 1] = turn(page, event, place)
  end
  with_silences(page, items, silence)
  if page.dropoff_text then
    items[#items + 1] = ('<li class="note dropoff-note"><span class="name">Point of dropoff:</span> %s</li>'):format(
      page.escape(page.dropoff_text))
  end
  return ('<section class="transcript" aria-labelledby="transcript"><h2 id="transcript" tabindex="-1">Transcript</h2>%s'
    .. '</section>\n'):format(items[1] and '<ol class="plain">' .. table.concat(items, "\n") .. "</ol>"
    or "<p>The call has no transcript.</p>")
end

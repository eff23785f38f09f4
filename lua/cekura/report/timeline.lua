--- The timeline of a call, as SVG without style attributes, which the page's policy forbids. For readers of screens it
-- is an image: the transcript says the same in words.

local html = require "cekura.report.html"

local timeline = {}

local ROW, BAR, TOP = 34, 22, 6 -- heights in pixels: of a lane, of a bar, above the first lane

local MOST_LANES = 4 -- of speech; further roles share the last

-- The sides of a call, by the words for their roles in several formats. Others follow, in the order of their turns.
local FIRST = { main_agent = 1, agent = 1, assistant = 1, bot = 1, ai = 1, model = 1,
  testing_agent = 2, user = 2, customer = 2, caller = 2, human = 2 }

--- The lanes of a conversation: each with its `role` and its `number`, and `by_word`, the lanes by the words of roles.
---@param events cekura.records.Event[]
---@return table lanes
function timeline.lanes(events)
  local lanes = { by_word = {} }
  for _, event in ipairs(events) do
    if event.kind == "speech" and not lanes.by_word[event.lane] then
      local lane = { role = event.role or "Unknown", rank = FIRST[event.lane] or 3, place = #lanes }
      if #lanes == MOST_LANES then
        lane = lanes[MOST_LANES]
        lane.role, lane.rank = "Others", 4
      else
        lanes[#lanes + 1] = lane
      end
      lanes.by_word[event.lane] = lane
    end
  end
  table.sort(lanes, function(a, b)
    if a.rank ~= b.rank then
      return a.rank < b.rank
    end
    return a.place < b.place
  end)
  for number, lane in ipairs(lanes) do
    lane.number = number
  end
  return lanes
end

-- A strip is the part of the call from `from` to `to`, of which bars may reach in and out.

local function percent(self, seconds)
  return html.decimal(seconds / (self.to - self.from) * 100, 3) .. "%"
end

local function is_in(self, seconds)
  return seconds >= self.from and (seconds < self.to or seconds == self.to and self.is_last)
end

local function add(self, format, ...)
  self[#self + 1] = format:format(...)
end

-- The attributes x and width of what lasts from one time to another; nil: it is not in the strip.
local function extent(self, from, to)
  if to <= self.from and from < self.from or from >= self.to then
    return nil
  end
  from, to = math.max(from, self.from), math.min(to, self.to)
  return ('x="%s" width="%s"'):format(percent(self, from - self.from), percent(self, to - from))
end

-- Where the bar of a turn ends that does not say so: where the next begins.
local function next_start(talk, place)
  for index = place + 1, #talk.events do
    local at = talk.events[index].at
    if at and at > talk.events[place].at then
      return at
    end
  end
  return talk.length
end

local THINNEST = 150 -- of a strip, so that a short bar can be seen

local function add_bar(self, event, place)
  local lane = self.lanes.by_word[event.lane]
  local stop = event.stop or next_start(self.talk, place)
  local extends = extent(self, event.at, math.max(stop, event.at + (self.to - self.from) / THINNEST))
  if extends then
    add(self, '<rect class="bar lane-%d" %s y="%d" height="%d" rx="3"/>', lane.number, extends,
      TOP + (lane.number - 1) * ROW, BAR)
  end
end

-- Tools: a circle for a call, a ring for its result.
local function add_tool(self, event)
  if is_in(self, event.at) then
    add(self, '<circle class="%s" cx="%s" cy="%d" r="5"/>', event.kind == "tool_call" and "tool" or "tool result",
      percent(self, event.at - self.from), TOP + #self.lanes * ROW + BAR / 2)
  end
end

local STEPS = { 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400 }

local MOST_TICKS = 6

local function add_axis(self)
  local span, step = self.to - self.from, STEPS[#STEPS]
  for index = #STEPS, 1, -1 do
    step = span / STEPS[index] <= MOST_TICKS and STEPS[index] or step
  end
  for at = math.ceil(self.from / step) * step, self.from + span * 0.9, step do
    local x = percent(self, at - self.from)
    add(self, '<line class="tick" x1="%s" x2="%s" y1="0" y2="%d"/>', x, x, self.bottom)
    add(self, '<text class="clock" x="%s" y="%d" dx="3">%s</text>', x, self.bottom + 14, html.clock(at))
  end
end

local function has_tools(events)
  for _, event in ipairs(events) do
    if event.kind ~= "speech" then
      return true
    end
  end
  return false
end

--- The labels of the lanes, from the first.
---@return string[]
function timeline.labels(lanes, events)
  local labels = {}
  for number, lane in ipairs(lanes) do
    labels[number] = lane.role
  end
  labels[#labels + 1] = has_tools(events) and "Tools" or nil
  return labels
end

local function add_spans(self, spans, class, rest)
  for _, span in ipairs(spans) do
    local extends = extent(self, span.from, span.to)
    if extends then
      add(self, '<rect class="%s" %s %s/>', class, extends, rest)
    end
  end
end

-- One strip as an image.
local function draw(self)
  local talk, bottom = self.talk, self.bottom
  add(self, '<svg class="timeline" role="img" aria-label="Timeline from %s to %s" aria-describedby="timeline-summary" '
    .. 'width="100%%" height="%d" data-from="%s" data-to="%s">', html.clock(self.from), html.clock(self.to),
    bottom + 18, html.decimal(self.from, 3), html.decimal(self.to, 3))
  add_spans(self, talk.silences, "silence", ('y="0" height="%d" fill="url(#hatch)"'):format(bottom))
  add_axis(self)
  for place, event in ipairs(talk.events) do
    if event.at and event.kind == "speech" then
      add_bar(self, event, place)
    elseif event.at then
      add_tool(self, event)
    end
  end
  add_spans(self, talk.overlaps, "overlap", ('y="1" height="%d"'):format(TOP + #self.lanes * ROW - 8))
  if self.dropoff and is_in(self, self.dropoff) then
    local x = percent(self, self.dropoff - self.from)
    add(self, '<line class="dropoff" x1="%s" x2="%s" y1="0" y2="%d"/>', x, x, bottom)
  end
  add(self, '<line class="playhead" x1="0" x2="0" y1="0" y2="%d" visibility="hidden"/></svg>', bottom)
  return table.concat(self)
end

local LONGEST, MOST = 300, 24 -- seconds of a strip; strips, which are longer then

--- The images: one for a call of up to five minutes, several below each other for a longer one.
---@param talk cekura.records.Conversation with a length above zero
---@param lanes table
---@param dropoff? number seconds
---@return string[]
function timeline.strips(talk, lanes, dropoff)
  local count = math.min(math.ceil(talk.length / LONGEST), MOST)
  local strips, span = {}, talk.length / count
  for index = 1, count do
    strips[index] = draw { talk = talk, lanes = lanes, dropoff = dropoff, from = (index - 1) * span,
      to = index == count and talk.length or index * span, is_last = index == count,
      bottom = TOP + (#lanes + (has_tools(talk.events) and 1 or 0)) * ROW }
  end
  return strips
end

return timeline

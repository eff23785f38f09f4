--- The metrics of a call in its report, failures first.

local conversation = require "cekura.records.conversation"
local evaluation = require "cekura.records.evaluation"
local html = require "cekura.report.html"
local times = require "cekura.records.times"

local GROUPS = {
  { title = "Failed", passed = false, mark = "✗", class = "bad" },
  { title = "Without a verdict", passed = nil, mark = "–", class = "none" },
  { title = "Passed", passed = true, mark = "✓", class = "good" },
}

-- Makes links to turns of the times in a text that is escaped: "One interruption, at [00:13]."
local function with_links(escaped, events)
  return (escaped:gsub("%[(%d+:[%d:]+)%]", function(stamp)
    local seconds, found = times.duration(stamp), nil
    for place, event in ipairs(seconds and events or {}) do
      found = event.at and math.floor(event.at) <= seconds and place or found
    end
    return found and ('<a href="#turn-%d" data-seek="%s">[%s]</a>'):format(found, html.decimal(seconds, 3), stamp)
  end))
end

local function paragraph(text)
  return "<p>" .. text .. "</p>"
end

-- The categories of failures that a metric has found.
local function categories_of(metric, escape)
  local extra, found = type(metric.extra) == "table" and metric.extra or {}, {}
  for _, each in ipairs(type(extra.categories) == "table" and extra.categories or {}) do
    if type(each) == "table" and each.category ~= nil then
      local priority = type(each.priority) == "string" and " (" .. each.priority .. ")" or ""
      found[#found + 1] = escape(conversation.as_text(each.category) .. priority)
    end
  end
  return found[1] and paragraph('<span class="soft">Categories:</span> ' .. table.concat(found, ", ")) or ""
end

local function item(metric, group, escape, events)
  local value = metric.value
  if value == nil and (metric.type ~= "binary" or metric.passed == nil) then
    value = metric.score
  end
  local name = metric.name ~= nil and metric.name or metric.id ~= nil and metric.id or "?"
  local parts = { ('<p><span class="%s"><span aria-hidden="true">%s</span> <span class="name">%s</span></span>%s</p>')
    :format(group.class, group.mark, escape(conversation.as_text(name)),
      value ~= nil and ": " .. escape(conversation.as_text(value)) or "") }
  for _, explanation in ipairs(metric.explanation) do
    parts[#parts + 1] = paragraph(with_links(escape(explanation), events))
  end
  parts[#parts + 1] = categories_of(metric, escape)
  return ('<li class="metric %s">%s</li>'):format(group.class, table.concat(parts))
end

--- The metrics as a section of the page.
---@param call cekura.Call
---@param escape fun(text: string): string
---@param events cekura.records.Event[] for links to turns
---@return string
return function(call, escape, events)
  local parts = { '<section class="metrics" aria-labelledby="metrics"><h2 id="metrics">Metrics</h2>' }
  for _, group in ipairs(GROUPS) do
    local items = {}
    for metric in call:metrics() do
      if metric.passed == group.passed then
        items[#items + 1] = item(metric, group, escape, events)
      end
    end
    if items[1] then
      parts[#parts + 1] = ('<h3>%s (%d)</h3><ul class="plain">%s</ul>'):format(group.title, #items,
        table.concat(items, "\n"))
    end
  end
  if not parts[2] then
    parts[2] = paragraph(evaluation.is_done(call) and "The call has no metrics."
      or "The call has no metrics: it has not been evaluated yet.")
  end
  parts[#parts + 1] = "</section>\n"
  return table.concat(parts)
end

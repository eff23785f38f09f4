--- Charts of columns, as SVG without style attributes, which the page's policy forbids. For readers of screens each is
-- an image with a description; a table beside it has the numbers.

local html = require "cekura.report.html"

local charts = {}

local WIDTH, BAR = 10, 8 -- of a column with its gap, and without, in the units of the image

local FEWEST = 4 -- the columns whose width a chart has at least

-- The columns of one layer as a path. They stand on the layers before, whose heights are in `tops`.
local function path(layer, tops, count)
  local steps = {}
  for place = 1, count do
    local height = layer.heights[place] or 0
    if height > 0 then
      local low = tops[place] or 0
      tops[place] = low + height
      steps[#steps + 1] = ("M%d %sV%sh%dV%sz"):format((place - 1) * WIDTH + 1, html.decimal(100 - low * 100, 1),
        html.decimal(math.max(0, 100 - tops[place] * 100), 1), BAR, html.decimal(100 - low * 100, 1))
    end
  end
  return steps[1] and ('<path class="%s" d="%s"/>'):format(layer.class, table.concat(steps)) or ""
end

---@class cekura.report.Chart
---@field title string plain text, as `description`
---@field description string
---@field height integer of the columns, in pixels
---@field top? integer the room above them
---@field count integer of columns
---@field layers { class: string, heights: table<integer, number> }[] from below; a height is at most 1
---@field labels string[] of the first column, and of the last one
---@field marks? { at: number, text: string }[] lines, at a part of the width, each with its text in a row above the
---columns

-- Where the last column ends, as a part of the width.
local function stop(chart)
  return chart.count / math.max(chart.count, FEWEST)
end

local function percent(part)
  return html.decimal(part * 100, 2) .. "%"
end

local ROW = 15 -- the height of a row of text

local function marks(chart, parts)
  local bottom = (chart.top or 0) + chart.height
  for place, mark in ipairs(chart.marks or {}) do
    local x, is_right = percent(mark.at * stop(chart)), mark.at * stop(chart) > 0.6
    parts[#parts + 1] = ('<line class="mark" x1="%s" x2="%s" y1="%d" y2="%d"/><text class="clock" x="%s" y="%d" dx="%d"'
      .. ' text-anchor="%s">%s</text>'):format(x, x, (place - 1) * ROW + 3, bottom, x, place * ROW - 3,
      is_right and -4 or 4, is_right and "end" or "start", html.escape(mark.text))
  end
end

--- A chart.
---@param chart cekura.report.Chart
---@return string
function charts.columns(chart)
  local top, tops, parts = chart.top or 0, {}, {}
  local bottom = top + chart.height
  parts[1] = ('<svg class="chart" role="img" width="100%%" height="%d"><title>%s</title><desc>%s</desc>'
    .. '<svg y="%d" width="100%%" height="%d" viewBox="0 0 %d 100" preserveAspectRatio="none">'):format(bottom + 18,
    html.escape(chart.title), html.escape(chart.description), top, chart.height,
    math.max(chart.count, FEWEST) * WIDTH)
  for _, layer in ipairs(chart.layers) do
    parts[#parts + 1] = path(layer, tops, chart.count)
  end
  parts[#parts + 1] = ('</svg><line class="tick" x1="0" x2="%s" y1="%d" y2="%d"/>'):format(percent(stop(chart)), bottom,
    bottom)
  parts[#parts + 1] = ('<text class="clock" x="0" y="%d">%s</text>'):format(bottom + 14, html.escape(chart.labels[1]))
  if chart.labels[2] then
    parts[#parts + 1] = ('<text class="clock" x="%s" y="%d" text-anchor="end">%s</text>'):format(percent(stop(chart)),
      bottom + 14, html.escape(chart.labels[2]))
  end
  marks(chart, parts)
  parts[#parts + 1] = "</svg>"
  return table.concat(parts)
end

--- A bar of a part of the width, beside a number that says the same.
---@param part number at most 1
---@return string
function charts.bar(part)
  return ('<svg width="100%%" height="12" aria-hidden="true"><rect class="up" width="%s" height="12"/></svg>'):format(
    percent(part))
end

local CELL = 26 -- the height of a cell of a matrix

---@class cekura.report.Matrix
---@field title string
---@field description string
---@field size integer
---@field cell fun(row: integer, column: integer): integer, number? a number, and how strong its colour is, up to 1;
---nil: the number is of the row itself

--- A square of numbers, whose rows and columns are numbered.
---@param matrix cekura.report.Matrix
---@return string
function charts.matrix(matrix)
  local step = 1 / (matrix.size + 1)
  local parts = { ('<svg class="matrix" role="img" width="100%%" height="%d"><title>%s</title><desc>%s</desc>'):format(
    (matrix.size + 1) * CELL, html.escape(matrix.title), html.escape(matrix.description)) }
  local function write(row, column, text, class)
    parts[#parts + 1] = ('<text class="%s" x="%s" y="%d" text-anchor="middle">%s</text>'):format(class,
      percent((column + 0.5) * step), row * CELL + 17, text)
  end
  for row = 1, matrix.size do
    write(row, 0, row, "clock")
    write(0, row, row, "clock")
    for column = 1, matrix.size do
      local number, strength = matrix.cell(row, column)
      parts[#parts + 1] = ('<rect class="%s" x="%s" y="%d" width="%s" height="%d"%s/>'):format(
        strength and "cell" or "cell own", percent(column * step), row * CELL, percent(step), CELL,
        strength and (' fill-opacity="%s"'):format(html.decimal(strength * 0.5, 2)) or "")
      write(row, column, ("%d"):format(number), "number")
    end
  end
  parts[#parts + 1] = "</svg>"
  return table.concat(parts)
end

return charts

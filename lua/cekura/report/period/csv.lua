--- The numbers of a period as comma-separated values (RFC 4180), a line for each.

local html = require "cekura.report.html"

local COLUMNS = { "figure", "day", "metric_id", "metric", "other_metric_id", "other_metric", "name", "measure",
  "value" }

-- A text as a field. A spreadsheet would take one that begins with =, +, -, @ or a control character for a formula, so
-- an apostrophe precedes it.
local function field(text)
  if text:find "^%s*[=+@-]" or text:find "^[%c]" then
    text = "'" .. text
  end
  return text:find "[\",\r\n]" and '"' .. text:gsub('"', '""') .. '"' or text
end

local function number(value)
  return value < 0 and "-" .. html.decimal(-value, 6) or html.decimal(value, 6)
end

--- The table.
---@param rows cekura.report.Row[]
---@return string
return function(rows)
  local lines = { table.concat(COLUMNS, ",") }
  for _, row in ipairs(rows) do
    local cells = {}
    for place, name in ipairs(COLUMNS) do
      cells[place] = name == "value" and number(row.value) or field(row[name] or "")
    end
    lines[#lines + 1] = table.concat(cells, ",")
  end
  return table.concat(lines, "\r\n") .. "\r\n"
end

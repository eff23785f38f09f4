--- Tables of numbers in a page.

local html = require "cekura.report.html"

local tables = {}

--- A part of a whole in percent: 0 and 100 only if it is none, or all.
---@param part integer
---@param whole integer
---@return string text "–" of nothing
function tables.percent(part, whole)
  if whole == 0 then
    return "–"
  end
  local share = part / whole * 100
  if part > 0 and part < whole then
    share = math.max(0.1, math.min(99.9, share))
  end
  return html.decimal(share, 1) .. "\194\160%"
end

--- A table. The cells are HTML; the first of each row is its heading.
---@param caption string
---@param columns string[]
---@param rows string[][]
---@return string
function tables.html(caption, columns, rows)
  local parts = { "<table><caption>" .. caption .. "</caption><thead><tr>" }
  for place, name in ipairs(columns) do
    parts[#parts + 1] = ('<th scope="col"%s>%s</th>'):format(place > 1 and ' class="n"' or "", name)
  end
  parts[#parts + 1] = "</tr></thead><tbody>\n"
  for _, row in ipairs(rows) do
    parts[#parts + 1] = '<tr><th scope="row">' .. row[1] .. "</th>"
    for place = 2, #columns do
      parts[#parts + 1] = '<td class="n">' .. row[place] .. "</td>"
    end
    parts[#parts + 1] = "</tr>\n"
  end
  parts[#parts + 1] = "</tbody></table>"
  return table.concat(parts)
end

--- The same, folded under a line.
---@param summary string
---@param ... any as of tables.html
---@return string
function tables.folded(summary, ...)
  return ("<details><summary>%s</summary>%s</details>"):format(summary, tables.html(...))
end

return tables

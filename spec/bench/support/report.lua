--- What the cases have measured: prints each row at once, and writes all of them at the end: RESULTS.md, RESULTS.csv,
-- and the plots beside them.

local file = require "spec.support.file"
local goals = require "spec.bench.goals"
local machine = require "spec.bench.support.machine"
local turns = require "spec.bench.support.turns"

local report = {}

local sections, section = {}, nil
local reached = {} -- by the keys of the goals: figures

--- Three significant digits, or three decimals.
---@param value number
---@return string
function report.number(value)
  local size = math.abs(value)
  return (size >= 100 and "%.0f" or size >= 10 and "%.1f" or size >= 1 and "%.2f" or "%.3f"):format(value)
end

--- Begins the section of a case.
---@param name string
---@param case table
function report.begin(name, case)
  section = { name = name, case = case, rows = {}, notes = {}, plots = {} }
  sections[#sections + 1] = section
  print(("\n%s"):format(case.title))
end

---@class Row
---@field what string
---@field side string
---@field figures? number[] those of the rounds
---@field value? number their median
---@field unit string
---@field ratio? number what the ratio is says the case
---@field remark? string

--- Adds a row to the section.
---@param row Row
function report.add(row)
  row.value = row.value or turns.median(row.figures)
  row.least = row.figures and math.min(table.unpack(row.figures))
  row.most = row.figures and math.max(table.unpack(row.figures))
  section.rows[#section.rows + 1] = row
  print(("  %-34s %-24s %8s %-12s %6s  %s"):format(row.what, row.side, report.number(row.value), row.unit,
    row.ratio and report.number(row.ratio) or "", row.remark or ""))
  io.stdout:flush()
end

--- Adds a figure for a row of spec/bench/goals.lua.
---@param key string
---@param value number
function report.goal(key, value)
  assert(goals[key], key)
  reached[key] = value
end

--- Adds a sentence below the table of the section.
---@param text string
function report.note(text)
  section.notes[#section.notes + 1] = text
  print("  " .. text)
end

--- Adds a plot to the section.
---@param name string of its file
---@param draw fun(path: string)
function report.plot(name, draw)
  section.plots[#section.plots + 1] = { name = name, draw = draw }
end

-- ---- the files ----

local function table_of(lines, columns)
  lines[#lines + 1] = "| " .. table.concat(columns, " | ") .. " |"
end

local function range(row)
  return row.least and row.most > row.least
    and report.number(row.least) .. " to " .. report.number(row.most) or ""
end

local function write_goals(lines)
  table_of(lines, { "what", "measured", "goal", "reached", "before" })
  table_of(lines, { "---", "---", "---", "---", "---" })
  for _, goal in ipairs(goals) do
    local value = reached[goal.key]
    local is_met = value and (goal.least and value >= goal.least or goal.most and value <= goal.most)
    table_of(lines, {
      goal.what, value and report.number(value) .. (goal.unit or "") or "not measured",
      (goal.least and "≥ " .. goal.least or "≤ " .. goal.most) .. (goal.unit or ""),
      not value and "" or is_met and "yes" or "no", goal.before,
    })
  end
end

local function write_section(lines, one)
  lines[#lines + 1] = ("\n## %s\n\n%s\n"):format(one.case.title, one.case.about)
  table_of(lines, { "what", "side", "median", "range", one.case.ratio or "", "" })
  table_of(lines, { "---", "---", "---", "---", "---", "---" })
  for _, row in ipairs(one.rows) do
    table_of(lines, { row.what, row.side, report.number(row.value) .. " " .. row.unit, range(row),
      row.ratio and report.number(row.ratio) or "", row.remark or "" })
  end
  for _, text in ipairs(one.notes) do
    lines[#lines + 1] = "\n" .. text
  end
  for _, plot in ipairs(one.plots) do
    lines[#lines + 1] = ("\n![%s](plots/%s.svg)"):format(one.case.title, plot.name)
  end
end

local function quoted(value)
  local text = tostring(value or "")
  return text:find '[,"\n]' and '"' .. text:gsub('"', '""') .. '"' or text
end

local function exact(value)
  return value and ("%.6g"):format(value)
end

local function write_values(path)
  local lines = { "case,what,side,median,least,most,unit,ratio,remark" }
  for _, one in ipairs(sections) do
    for _, row in ipairs(one.rows) do
      local fields = { one.name, row.what, row.side, exact(row.value), exact(row.least), exact(row.most), row.unit,
        exact(row.ratio), row.remark }
      for place = 1, 9 do
        fields[place] = quoted(fields[place])
      end
      lines[#lines + 1] = table.concat(fields, ",")
    end
  end
  file.write(path, table.concat(lines, "\n") .. "\n")
end

--- Writes the files.
---@param folder string
function report.write(folder)
  local lines = { "# Results\n\nMade by `make bench`; [README.md](README.md) says how.\n", machine(), "\n## Goals\n" }
  os.execute(("mkdir -p %s/plots && rm -f %s/plots/*.svg"):format(folder, folder)) -- the commit is described before
  write_goals(lines)
  for _, one in ipairs(sections) do
    write_section(lines, one)
    for _, plot in ipairs(one.plots) do
      plot.draw(("%s/plots/%s.svg"):format(folder, plot.name))
    end
  end
  file.write(folder .. "/RESULTS.md", table.concat(lines, "\n") .. "\n")
  write_values(folder .. "/RESULTS.csv")
end

return report

--- The rows that the cases measure.

local report = { rows = {} }

local function significant(value)
  return value and (value >= 1000 and ("%.0f"):format(value) or ("%.3g"):format(value)) or ""
end

--- Adds a row, and prints it.
---@param row table what; side; value and unit; ratio and of: its ratio to another side's value
function report.add(row)
  report.rows[#report.rows + 1] = row
  print(("%-34s %-18s %10s %-14s %s"):format(row.what, row.side, significant(row.value), row.unit,
    row.ratio and ("%s %s"):format(significant(row.ratio), row.of) or ""))
  io.stdout:flush()
end

return report

--- Draws plots as SVG, by gnuplot.

local plot = {}

local function draw(path, commands)
  local pipe = assert(io.popen("gnuplot", "w"))
  pipe:write(("set terminal svg size 760,420 font 'sans,12' background '#ffffff'\nset output '%s'\n"):format(path),
    "set key outside below\nset grid ytics lc rgb '#dddddd'\n", commands)
  assert(pipe:close())
end

-- A table of gnuplot: a line for each row, whose fields are quoted if they are not numbers.
local function data(rows)
  local lines = { "$data << END" }
  for index, row in ipairs(rows) do
    local fields = {}
    for place, field in ipairs(row) do
      fields[place] = type(field) == "number" and ("%.6g"):format(field) or ('"%s"'):format(field)
    end
    lines[index + 1] = table.concat(fields, " ")
  end
  lines[#lines + 1] = "END\n"
  return table.concat(lines, "\n")
end

--- Bars, in groups.
---@param path string
---@param picture { title: string, unit: string, names: string[], groups: table[] } names: of the bars in a group; a
---group is its name and then its values, "nan" for one that is missing
function plot.bars(path, picture)
  local series = {}
  for index, name in ipairs(picture.names) do
    series[index] = ("$data using %d:xtic(1) title '%s'"):format(index + 1, name)
  end
  draw(path, data(picture.groups) .. ("set title '%s'\nset ylabel '%s'\nset yrange [0:*]\n"):format(picture.title,
    picture.unit) .. "set style data histogram\nset style fill solid 0.8\nset boxwidth 0.9\n"
    .. "set xtics rotate by -30\nplot " .. table.concat(series, ", ") .. "\n")
end

--- Lines over a logarithmic axis.
---@param path string
---@param picture { title: string, over: string, unit: string, names: string[], points: any[][] } names: of the lines;
---a point is a place on the axis, and the value of each line there, "nan" for one that is missing
function plot.lines(path, picture)
  local series = {}
  for index, name in ipairs(picture.names) do
    series[index] = ("$data using 1:%d with linespoints lw 2 title '%s'"):format(index + 1, name)
  end
  draw(path, data(picture.points) .. ("set title '%s'\nset xlabel '%s'\nset ylabel '%s'\nset yrange [0:*]\n"):format(
    picture.title, picture.over, picture.unit) .. "set logscale x\nplot " .. table.concat(series, ", ") .. "\n")
end

return plot

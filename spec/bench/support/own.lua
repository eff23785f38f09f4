--- Runs a program of spec/bench/programs, which measures this module, on a Lua.

local own = { luas = { "lua5.4", "luajit" } }

local ENVIRONMENT = { record_memory = "MALLOC_MMAP_THRESHOLD_=131072" }

--- Returns the lines that it prints, each as a list of its fields, which are separated by tabs or spaces.
---@param lua string
---@param program string
---@param ... string|number its arguments
---@return string[][]
function own.lines(lua, program, ...)
  local command = ("%s spec/env %s %s spec/bench/programs/%s.lua %s"):format(ENVIRONMENT[program] or "", lua, lua,
    program, table.concat({ ... }, " "))
  local pipe = assert(io.popen(command))
  local lines = {}
  for line in pipe:lines() do
    local fields = {}
    for field in line:gmatch(line:find "\t" and "[^\t]+" or "%S+") do
      fields[#fields + 1] = field
    end
    lines[#lines + 1] = fields
  end
  assert(pipe:close() and lines[1], "no figures from " .. command)
  return lines
end

--- Returns the figures of its one line.
---@return number ...
function own.figures(lua, program, ...)
  local line = own.lines(lua, program, ...)[1]
  for place, field in ipairs(line) do
    line[place] = tonumber(field)
  end
  return table.unpack(line)
end

return own

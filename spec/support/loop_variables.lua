--- loop_variables.lua FILE|FOLDER...: prints assignments to the control variable of a loop, which Lua 5.5 refuses to
-- compile. `make lint` calls it. luacheck has no such warning, but its analysis finds them, so this runs on luacheck's
-- Lua, 5.1.

local check_state = require "luacheck.check_state"
local linearize = require "luacheck.stages.linearize"
local parse = require "luacheck.stages.parse"
local unwrap_parens = require "luacheck.stages.unwrap_parens"

-- Calls found(name, line) for each assignment to the control variable of a loop, its first variable.
local function each_assignment(source, found)
  local state = check_state.new(source)
  for _, stage in ipairs { parse, unwrap_parens, linearize } do
    stage.run(state)
  end
  for _, body in ipairs(state.lines) do -- a "line" is the code of the main chunk or of a function
    for _, item in ipairs(body.items) do
      local target = item.tag == "Local" and item.lhs[1]
      if target and (target.var.type == "loop" or target.var.type == "loopi") then
        target.var.control = true
      end
    end
  end
  for _, body in ipairs(state.lines) do
    for _, item in ipairs(body.items) do
      for _, target in ipairs(item.tag == "Set" and item.lhs or {}) do
        if target.var and target.var.control then
          found(target.var.name, target.line)
        end
      end
    end
  end
end

local count = 0
local files = assert(io.popen("find " .. table.concat(arg, " ") .. " -name '*.lua' | sort"))
for path in files:lines() do
  local file = assert(io.open(path))
  each_assignment(file:read "*a", function(name, line)
    count = count + 1
    print(("%s:%d: the loop's variable %s is assigned to, which Lua 5.5 forbids"):format(path, line, name))
  end)
  file:close()
end
files:close()
os.exit(count == 0 and 0 or 1)

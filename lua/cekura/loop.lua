--- Who waits: the choice of a loop.

local errors = require "cekura.errors"

local SHAPE = { "waiter", "park", "wake", "attach", "spawn", "sleep", "run", "step", "timeout" }

--- The adapter of that name ("auto", "own"), or the table itself if it has an adapter's functions; see
-- cekura.loop.own for what they do. Raises for anything else.
---@param choice? string|table
---@return table
local function choose(choice)
  if choice == nil or choice == "auto" or choice == "own" then
    return require "cekura.loop.own"
  elseif type(choice) == "table" then
    for _, name in ipairs(SHAPE) do
      if type(choice[name]) ~= "function" then
        errors.misuse(("loop: the adapter has no function %s"):format(name))
      end
    end
    return choice
  end
  return errors.misuse(("loop: \"auto\", \"own\" or an adapter expected, got %s"):format(tostring(choice)))
end

return choose

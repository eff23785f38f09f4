--- Plain tables with a description: their metatable has only a name and __tostring, so pairs(), JSON and comparisons
-- treat them as plain tables.

local show = require "cekura.show"

--- A metatable. tostring() of a table with it is NAME, followed by the result of `describe` in brackets.
---@param name string "cekura.page"
---@param describe fun(value: table): string short, and without secrets
---@return table
local function described(name, describe)
  return {
    __name = name,
    __tostring = function(value)
      local ok, text = pcall(describe, value) -- a program may have changed the fields
      return ok and show.format("%s (%s)", name, text) or name
    end,
  }
end

return described

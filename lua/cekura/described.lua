--- Plain tables that say what they are: their metatable has a name and __tostring and nothing else, so pairs(), JSON
-- and comparisons treat them as plain tables.

local show = require "cekura.show"

--- A metatable. As text a table with it is "NAME (what `describe` returns)".
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

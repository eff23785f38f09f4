--- Modules that most programs do not use, and that are loaded when they are first used: `later` in place of `require`.
-- Only those in the core are: files are loaded at once, since they may change or be out of reach while a process runs.

local preload = package.preload

---@param name string of a module that is a table
---@return table module for its fields to be read
local function later(name)
  if not preload[name] then
    return require(name)
  end
  return setmetatable({}, { __index = function(_, field)
    return require(name)[field]
  end })
end

return later

--- Where PUC Lua 5.1 cannot yield: across a C function, and in the iterator of a `for`.

local yields = require "cekura.loop.yieldable"

local c_boundary = {}

--- Whether a yield of the caller would have to cross one.
---@return boolean
function c_boundary.is_above()
  if yields then
    return false
  end
  local level = 2
  local frame = debug.getinfo(level, "Sn")
  while frame do
    if frame.what == "C" or frame.name == "(for generator)" then
      return true
    end
    level = level + 1
    frame = debug.getinfo(level, "Sn")
  end
  return false
end

--- Raises where the caller cannot yield: Lua's own message names neither the cause nor the remedy.
function c_boundary.check()
  if c_boundary.is_above() then
    error("cekura: Lua 5.1 cannot wait inside pcall, a metamethod or the iterator of a `for`: call it directly"
      .. " (local next = cekura.each(jobs); next())", 0)
  end
end

return c_boundary

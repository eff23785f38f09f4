--- Finds objects that are still alive after everything unreachable was collected.

local weak = {}

--- A table that holds none of its keys.
---@return table
function weak.table()
  return setmetatable({}, { __mode = "k" })
end

--- How many of its keys are left; `spare` of them do not count.
---@param seen table as weak.table() made it
---@param spare? integer
---@return integer
function weak.count(seen, spare)
  for _ = 1, 4 do
    collectgarbage()
  end
  local count = 0
  for _ in pairs(seen) do
    count = count + 1
  end
  return math.max(0, count - (spare or 0))
end

return weak

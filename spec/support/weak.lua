--- Finds objects that are still alive after a collection.

local weak = {}

--- Returns a table that does not keep its keys alive.
---@return table
function weak.table()
  return setmetatable({}, { __mode = "k" })
end

--- Counts the keys that are left, except for `spare` of them.
---@param seen table from weak.table()
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

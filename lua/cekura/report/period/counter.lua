--- How often each name occurs. It knows a limited number of names, the first ones; the others count as one.

local counter = {}

---@class cekura.report.Counter
---@field limit integer the most names
---@field count integer of names
---@field total integer of occurrences
---@field others integer occurrences of names beyond the limit
---@field private by_name table<string, integer>
local Counter = {}
Counter.__index = Counter

---@param limit integer
---@return cekura.report.Counter
function counter.new(limit)
  return setmetatable({ limit = limit, count = 0, total = 0, others = 0, by_name = {} }, Counter)
end

---@param name string
function Counter:add(name)
  self.total = self.total + 1
  local before = self.by_name[name]
  if not before and self.count == self.limit then
    self.others = self.others + 1
    return
  end
  self.count = self.count + (before and 0 or 1)
  self.by_name[name] = (before or 0) + 1
end

--- The names, the most frequent first.
---@param most? integer the most names of the list
---@return { name: string, count: integer }[] rows
---@return integer rest the occurrences of all names that are not in it
function Counter:rows(most)
  local rows, rest = {}, self.total
  for name, count in pairs(self.by_name) do
    rows[#rows + 1] = { name = name, count = count }
  end
  table.sort(rows, function(a, b)
    return a.count > b.count or a.count == b.count and a.name < b.name
  end)
  for place = #rows, (most or #rows) + 1, -1 do
    rows[place] = nil
  end
  for _, row in ipairs(rows) do
    rest = rest - row.count
  end
  return rows, rest
end

return counter

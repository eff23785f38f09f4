--- Returns the keys of a table as a sorted list.
return function(set)
  local list = {}
  for key in pairs(set) do
    list[#list + 1] = key
  end
  table.sort(list)
  return list
end

--- Reads tables that a module keeps to itself: the local variables that its functions use.

--- The local variable of that name which a function uses, or a function that it uses, and so on.
---@param fn function
---@param name string
---@return any value an error, if there is none
local function upvalue(fn, name)
  local waiting, seen = { fn }, {}
  for _, each in ipairs(waiting) do -- which grows
    local index = 1
    local found, value = debug.getupvalue(each, index)
    while found do
      if found == name then
        return value
      elseif type(value) == "function" and not seen[value] then
        seen[value] = true
        waiting[#waiting + 1] = value
      end
      index = index + 1
      found, value = debug.getupvalue(each, index)
    end
  end
  error("no function here uses a local variable " .. name)
end

return upvalue

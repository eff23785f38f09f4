--- Field selections: which members of a record the service is asked for. A program gives a list of names; the service
-- takes a text in the query. Names with a "-" before them mean all members but those, and "*" means all.

local check = require "cekura.check"
local errors = require "cekura.errors"

local selection = {}

local function is_name(value)
  return value:find "^%-?[A-Za-z0-9_.*]+$" ~= nil
end

--- Checks a list of names. Raises for anything else, and for an empty list.
---@param name string its name in an error
---@param fields any
---@return string[]? names a copy; nil for nil
function selection.check(name, fields)
  if fields == nil then
    return nil
  end
  local names = {}
  for index = 1, check.list(name, fields) do
    names[index] = check.text(("%s[%d]"):format(name, index), fields[index])
    if not is_name(names[index]) then
      errors.misuse("%s[%d]: the name of a field expected, got %q", name, index, names[index])
    end
  end
  if #names == 0 then
    errors.misuse("%s: there is no field in it", name)
  end
  return names
end

--- The names in a text that joins them by commas.
---@param text string
---@return string[]? names nil: it is not such a text
function selection.split(text)
  local names = {}
  for each in (text .. ","):gmatch "([^,]*)," do
    if not is_name(each) then
      return nil
    end
    names[#names + 1] = each
  end
  return names
end

--- Whether a list of names means all members, or all but some.
---@param names string[]
function selection.is_exclusion(names)
  for _, each in ipairs(names) do
    if each:find "^%-" or each:find("*", 1, true) then
      return true
    end
  end
  return false
end

--- The text of a list of names, as the service takes it.
---@param names string[]
function selection.text(names)
  return "{" .. table.concat(names, ",") .. "}"
end

return selection

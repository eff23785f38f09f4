--- Parameters of a request, held against their declaration (see cekura.kinds).

local check = require "cekura.check"
local core = require "cekura.core"
local errors = require "cekura.errors"

local LISTS = { ids = true, selection = true }

-- A list that is sent stays one when it is empty. The program's own table is left as it is.
local function as_list(value)
  local list = {}
  for index, item in ipairs(value) do
    list[index] = item
  end
  return setmetatable(list, core.array_mt)
end

local function check_one_of(what, one_of, given)
  local found
  for _, name in ipairs(one_of) do
    if given[name] ~= nil then
      if found then
        errors.misuse(("%s: %s and %s exclude each other"):format(what, found, name))
      end
      found = name
    end
  end
  if not found and type(given[one_of.unless_list]) ~= "table" then
    errors.misuse(("%s: %s is missing"):format(what, table.concat(one_of, " or ")))
  end
end

--- The parameters, checked; a copy, to be sent. Raises at the caller's line what is wrong with them.
---@param what string what the parameters are for
---@param declared table<string, table> name to { check, required = }
---@param given table
---@param one_of? string[]
---@return table
local function read_params(what, declared, given, one_of)
  check.table(what .. ": params", given)
  local sent = {}
  for name, value in pairs(given) do
    if type(name) ~= "string" then
      errors.misuse(("%s: parameters have names, got the key %s"):format(what, tostring(name)))
    end
    sent[name] = value
  end
  for name, declaration in pairs(declared) do
    local value = given[name]
    if value ~= nil then
      check[declaration[1]](what .. ": " .. name, value)
      if LISTS[declaration[1]] and type(value) == "table" then
        sent[name] = as_list(value)
      end
    elseif declaration.required then
      errors.misuse(("%s: %s is missing"):format(what, name))
    end
  end
  if one_of then
    check_one_of(what, one_of, given)
  end
  return sent
end

return read_params

--- Parameters of requests: from their checks to their types. cekura.api.params has the type of each check, as the alias
-- `cekura.param.CHECK`.

local checks = {}

--- The parameters that a declaration has.
---@param model table
---@param declared table a kind's row, or an operation's
---@return table[]? fields as tools.luacats.writer takes them; nil: it takes any
function checks.fields(model, declared)
  local found, required, alternatives = {}, {}, {}
  for _, name in ipairs(declared.required or {}) do
    required[name] = true
  end
  for _, list in ipairs { declared.params or {}, declared.query or {}, declared.body or {} } do
    for name, check in pairs(list) do
      local kind = type(check) == "table" and check[1] or check
      found[name] = { name = name, type = assert(model.aliases["cekura.param." .. kind], kind).type,
        optional = not (type(check) == "table" and check.required and not check.scope or required[name]) }
    end
  end
  for _, name in ipairs(declared.one_of or {}) do
    alternatives[#alternatives + 1] = "`" .. name .. "`"
  end
  for _, name in ipairs(declared.one_of or {}) do
    found[name].text = "one of " .. table.concat(alternatives, ", ")
  end
  if declared.params or declared.query or declared.body then
    found.extra = found.extra or { name = "extra", type = "table<string, any>", optional = true,
      text = "further parameters, which are sent unchecked" }
    return checks.sorted(found)
  end
end

--- The fields in order: those that must be given first.
---@param found table<string, table>
---@return table[]
function checks.sorted(found)
  local fields = {}
  for _, field in pairs(found) do
    fields[#fields + 1] = field
  end
  table.sort(fields, function(a, b)
    if (a.optional or false) ~= (b.optional or false) then
      return not a.optional
    end
    return a.name < b.name
  end)
  return fields
end

return checks

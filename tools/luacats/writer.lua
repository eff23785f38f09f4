--- Writes LuaCATS annotations: lines of at most 120 columns, where no type needs more.

local writer = {}

local WIDTH = 120

-- A tag and its text; a type is never broken, since it is read on the tag's line only.
local function tag(lines, head, text)
  local line = "---" .. head
  for word in text:gmatch "%S+" do
    if #line + #word >= WIDTH then
      lines[#lines + 1], line = line, "---" .. word
    else
      line = line .. " " .. word
    end
  end
  lines[#lines + 1] = line
end

local function name_of(item)
  return item.name .. (item.optional and "?" or "")
end

--- Text: its own lines, each broken where it is too long.
---@param lines string[] the output is appended
---@param text string
function writer.text(lines, text)
  for paragraph in (text .. "\n"):gmatch "(.-)\n" do
    local line = "---"
    for word in paragraph:gmatch "%S+" do
      if #line + #word >= WIDTH then
        lines[#lines + 1], line = line, "---"
      end
      line = line .. " " .. word
    end
    lines[#lines + 1] = line
  end
end

--- An alias.
---@param lines string[]
---@param name string
---@param values string[] its string values
---@param text string
---@param other? string a further type that it includes
function writer.alias(lines, name, values, text, other)
  writer.text(lines, text)
  tag(lines, "@alias " .. name, "")
  for _, value in ipairs(values) do
    lines[#lines + 1] = ("---| %q"):format(value)
  end
  lines[#lines + 1] = other and "---| " .. other
  lines[#lines + 1] = ""
end

--- A class.
---@param lines string[]
---@param class { name: string, parent: string?, text: string?, fields: table[] } fields have `name`, `type`, `optional`
---and `text`
---@param variable? string a local variable that has its methods
function writer.class(lines, class, variable)
  if class.text and class.text ~= "" then
    writer.text(lines, class.text)
  end
  tag(lines, "@class " .. class.name .. (class.parent and " : " .. class.parent or ""), "")
  for _, field in ipairs(class.fields or {}) do
    tag(lines, ("@field %s %s"):format(name_of(field), field.type), field.text or "")
  end
  lines[#lines + 1] = variable and ("local %s = {}"):format(variable)
  lines[#lines + 1] = ""
end

--- A method.
---@param lines string[]
---@param variable string
---@param method { name: string, text: string, params: table[], returns: table[] } params and returns as in
---tools.luacats.annotations
function writer.method(lines, variable, method)
  writer.text(lines, method.text)
  local names = {}
  for index, param in ipairs(method.params) do
    tag(lines, ("@param %s %s"):format(name_of(param), param.type), param.text or "")
    names[index] = param.name
  end
  for _, returned in ipairs(method.returns) do
    tag(lines, ("@return %s%s"):format(returned.type, returned.name and " " .. returned.name or ""),
      returned.text or "")
  end
  lines[#lines + 1] = ("function %s:%s(%s) end"):format(variable, method.name, table.concat(names, ", "))
  lines[#lines + 1] = ""
end

return writer

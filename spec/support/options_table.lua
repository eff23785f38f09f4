--- The table of docs/options.md, and the LuaCATS class of the options, made from their rows.
--   lua5.4 spec/support/options_table.lua docs/options.md     writes both (make generate)

local marked = require "spec.support.marked"
local options = require "cekura.client.options"

local options_table = { source = "lua/cekura/client/options.lua" }

local function code(value)
  return value and "`" .. value .. "`" or ""
end

local function default_of(row)
  if row.default_text or row.default == nil then
    return row.default_text or ""
  end
  return code((type(row.default) == "string" and '"%s"' or "%s"):format(tostring(row.default)))
end

local function table_text()
  local lines = { "| option | environment | file | default | meaning |\n|---|---|---|---|---|\n" }
  for _, row in ipairs(options.rows) do
    lines[#lines + 1] = ("| %s | %s | %s | %s | %s |\n"):format(code(row.name), code(row.environment), code(row.file),
      default_of(row), row.meaning)
  end
  return table.concat(lines)
end

-- A field of the class, in comments of at most 120 columns.
local function field_text(row)
  local default = default_of(row):gsub("^.+$", " (%0)")
  local text = ("%s? %s %s%s"):format(row.name, row.type, row.meaning, default)
  local lines, line = {}, "---@field"
  for word in text:gmatch "%S+" do
    if #line + #word >= 120 then
      lines[#lines + 1], line = line, "---" .. word
    else
      line = line .. " " .. word
    end
  end
  lines[#lines + 1] = line
  return table.concat(lines, "\n") .. "\n"
end

--- The page's text with the table between its marks.
function options_table.put(text)
  return marked.put(text, "<!-- options: made by make generate -->\n", "<!-- end of options -->\n", table_text())
end

--- The text of options.lua with the fields of the class in their place.
function options_table.put_class(text)
  local fields = {}
  for index, row in ipairs(options.rows) do
    fields[index] = field_text(row)
  end
  return marked.put(text, "---@class cekura.Options as `make readme` writes it from the rows below\n",
    "\n---@class cekura.ClientEvent", table.concat(fields))
end

if arg and arg[0] and arg[0]:find "options_table%.lua$" then
  marked.write(arg[1], options_table.put)
  marked.write(options_table.source, options_table.put_class)
end

return options_table

--- The table of docs/options.md, made from the rows of the options.
--   lua5.4 spec/support/options_table.lua docs/options.md     writes it (make generate)

local marked = require "spec.support.marked"
local options = require "cekura.client.options"

local options_table = {}

local function code(value)
  return value and "`" .. value .. "`" or ""
end

--- The default of an option, in Markdown.
---@param row cekura.Option
---@return string
function options_table.default_of(row)
  if row.default_text or row.default == nil then
    return row.default_text or ""
  end
  return code((type(row.default) == "string" and '"%s"' or "%s"):format(tostring(row.default)))
end

local function table_text()
  local lines = { "| option | environment | file | default | meaning |\n|---|---|---|---|---|\n" }
  for _, row in ipairs(options.rows) do
    lines[#lines + 1] = ("| %s | %s | %s | %s | %s |\n"):format(code(row.name), code(row.environment), code(row.file),
      options_table.default_of(row), row.meaning)
  end
  return table.concat(lines)
end

--- The page's text with the table between its marks.
function options_table.put(text)
  return marked.put(text, "<!-- options: made by make generate -->\n", "<!-- end of options -->\n", table_text())
end

if arg and arg[0] and arg[0]:find "options_table%.lua$" then
  marked.write(arg[1], options_table.put)
end

return options_table

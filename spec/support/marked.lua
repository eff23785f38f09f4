--- Parts of files that `make generate` makes from the module's own data.

local file = require "spec.support.file"

local marked = {}

--- A text with what stands between two marks replaced.
---@param text string
---@param first string
---@param last string
---@param part string
---@return string
function marked.put(text, first, last, part)
  local _, before = text:find(first, 1, true)
  local after = text:find(last, before, true)
  return text:sub(1, before) .. part .. text:sub(after)
end

--- Changes a file.
---@param path string
---@param change fun(text: string): string
function marked.write(path, change)
  file.write(path, change(file.read(path)))
end

return marked

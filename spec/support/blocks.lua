--- The code blocks of a Markdown page.
--   blocks "docs/watch.md" -> { { language = "lua", code = …, line = 12, not_run = nil }, … }
-- A block that no spec runs has a line `<!-- not run: reason -->` before it; `not_run` is the reason.

local file = require "spec.support.file"

--- Reads the blocks of one page, in order.
---@param path string
---@return table[] each: language (string, may be empty), code (string, with a newline at its end), line (integer, of
-- the block's first line of code), not_run (string or nil)
return function(path)
  local found, number = {}, 0
  local open, fence, before
  for line in (file.read(path) .. "\n"):gmatch "(.-)\n" do
    number = number + 1
    if open and line == fence then
      open.code = table.concat(open.code, "\n") .. "\n"
      open, before = nil, nil
    elseif open then
      open.code[#open.code + 1] = line
    elseif line:find "^```" then
      fence = line:match "^```+"
      open = { language = line:match "^`+(%w*)", code = {}, line = number + 1, not_run = before }
      found[#found + 1] = open
    else
      before = line:match "^<!%-%- not run: (.-) %-%->$"
    end
  end
  assert(not open, path .. ": a block that does not end")
  return found
end

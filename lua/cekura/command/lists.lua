--- Lists of records: one page, or several.

local output = require "cekura.command.output"

local lists = {}

lists.ALL = { name = "all", help = "Print the records of all pages." }
lists.LIMIT = { name = "limit", type = "positive", help = "Print at most N records, from as many pages as needed." }
lists.FIELDS = { name = "fields", type = "joined", shown = "A,B", help = "The fields to show." }

--- The names in --fields.
---@return string[]?
function lists.fields(session)
  local names = {}
  for name in (session.options.fields or ""):gmatch "[^,%s]+" do
    names[#names + 1] = name
  end
  return names[1] and names or nil
end

--- Prints a list: one page, or as many as --all or --limit needs.
---@param session cekura.command.Session
---@param methods table with list and each
---@param columns? string[] of a table without --fields
---@param ... any the arguments of both
function lists.print(session, methods, columns, ...)
  local names, limit = lists.fields(session), session.options.limit
  if names and names[1]:find "^%-" then
    names = nil -- fields to leave out: the service has done so
  end
  local rows = output.table(session, names, columns)
  if not session.options.all and not limit then
    local page = session:check(methods:list(...))
    for _, row in ipairs(page.results) do
      rows:add(row)
    end
    rows:close()
    if page.next then
      session:note "There are more records: --all prints all of them, --limit N the first N."
    end
    return
  end
  local each = methods:each(...)
  while not limit or rows.count < limit do
    local row, err = each:next()
    if err then
      rows:close()
      session:check(nil, err)
    elseif row == nil then
      break
    end
    rows:add(row)
  end
  rows:close()
end

return lists

--- Results on stdout: records, lists and decoded values, as text or as JSON.

local cjson = require "cekura.cjson"
local core = require "cekura.core"
local encode = require "cekura.http.encode"
local list = require "cekura.list"
local record = require "cekura.records.record"
local text = require "cekura.command.text"

local output = {}

-- ---- JSON ----

local RECORDS = {}
for class in pairs(record.classes()) do
  RECORDS[class] = true
end

local function is_record(value)
  return RECORDS[core.type(value) or false] == true
end

-- A copy of a value in which records are tables, at every depth.
local function plain(value)
  if is_record(value) then
    return value:totable()
  elseif type(value) ~= "table" then
    return value
  end
  local copy = setmetatable({}, getmetatable(value) == core.array_mt and core.array_mt or nil)
  for name, inner in pairs(value) do
    copy[name] = plain(inner)
  end
  return copy
end

-- Characters that JSON allows in strings and that a terminal could act on, in UTF-8.
local UNSAFE = { "\127", "\194[\128-\159]", "\216\156", "\226\128[\142\143\168-\174]", "\226\129[\166-\169]",
  "\239\187\191" }

local function escaped(char)
  local first, second, third = char:byte(1, 3)
  if not second then
    return ("\\u%04x"):format(first)
  elseif not third then
    return ("\\u%04x"):format((first - 192) * 64 + second - 128)
  end
  return ("\\u%04x"):format(((first - 224) * 64 + second - 128) * 64 + third - 128)
end

-- JSON on one line, without characters that a terminal could act on. Strict JSON has line breaks only between values.
local function line_of(json)
  json = json:gsub("[\r\n]+", " ")
  for _, pattern in ipairs(UNSAFE) do
    json = json:gsub(pattern, escaped)
  end
  return json
end

--- A value as JSON on one line.
---@param value any a record keeps its bytes
---@return string
function output.json(value)
  if is_record(value) then
    return line_of(value:json())
  end
  return line_of((encode(list.mark { plain(value) }, "value"):match "^%[(.*)%]$"))
end

-- ---- text ----

--- A value on one line.
---@param value any
---@return string
function output.cell(value)
  if value == nil or value == cjson.null then
    return ""
  elseif type(value) == "string" then
    return text.visible(value)
  elseif type(value) == "table" or is_record(value) then
    return text.visible(output.json(value))
  end
  return text.visible(tostring(value))
end

local function names_of(value)
  local names = {}
  for name in pairs(value) do
    names[#names + 1] = tostring(name)
  end
  table.sort(names)
  return names
end

local function fields_of(value)
  return is_record(value) and value:fields() or value
end

local function is_list(value)
  return getmetatable(value) == core.array_mt
end

-- Prints lines "name: value".
local function print_object(session, value, names)
  local fields, width = fields_of(value), 0
  names = names or names_of(fields)
  for _, name in ipairs(names) do
    width = math.max(width, text.width(text.visible(name)) + 1)
  end
  local columns = session.out:columns()
  for _, name in ipairs(names) do
    local content = fields[name]
    local label = session.out:paint("bold", text.pad(text.visible(name) .. ":", width))
    if type(content) == "string" and content:find "\n" then
      session:print(label)
      for line in (text.visible_lines(content) .. "\n"):gmatch "(.-)\n" do
        session:print("  " .. line)
      end
    elseif content ~= nil and content ~= cjson.null then
      local cell = output.cell(content)
      if columns and (type(content) == "table" or is_record(content)) then
        cell = text.fit(cell, math.max(10, columns - width - 1))
      end
      session:print(label .. " " .. cell)
    end
  end
end

-- Prints a value as one line of JSON. An empty answer is an empty object.
local function print_json(session, value, names)
  if names and (is_record(value) or type(value) == "table") then
    local fields, shown = fields_of(value), {}
    for _, name in ipairs(names) do
      shown[name] = fields[name]
    end
    value = shown
  end
  session:print(value == true and "{}" or output.json(value))
end

--- Prints one result.
---@param session cekura.command.Session
---@param value any a record, a decoded value, true for an empty answer
---@param names? string[] the fields to show
function output.value(session, value, names)
  if type(value) == "table" and is_list(value) then
    output.rows(session, value, names)
  elseif session.options.json then
    print_json(session, value, names)
  elseif type(value) == "table" or is_record(value) then
    print_object(session, value, names)
  elseif value == true then
    session:note "Done."
  else
    session:print(output.cell(value))
  end
end

-- ---- tables ----

-- The columns of a list, in this order. Those that its records do not have are left out.
local COLUMNS = { "id", "call_id", "name", "agent_name", "title", "status", "success", "success_rate", "duration",
  "call_ended_reason", "timestamp", "created_at" }
local MOST_COLUMNS = 7

-- The number of rows that determine the widths of the columns.
local LOOKED_AT = 50

---@class cekura.command.Table rows that are printed as they arrive
local Table = {}
Table.__index = Table

local function choose_columns(rows)
  local names = {}
  for _, name in ipairs(COLUMNS) do
    for _, row in ipairs(rows) do
      if row[name] ~= nil and #names < MOST_COLUMNS and names[#names] ~= name then
        names[#names + 1] = name
      end
    end
  end
  return #names > 0 and names or rows[1] and names_of(rows[1]) or {}
end

-- A value as a cell. On a terminal, times are shown to the minute.
local function table_cell(self, value)
  local cell = output.cell(value)
  if self.session.out.is_terminal then
    cell = cell:gsub("^(%d%d%d%d%-%d%d%-%d%d)T(%d%d:%d%d)[%d:.Z+-]*$", "%1 %2")
  end
  return cell
end

-- A narrower column would be unreadable.
local NARROWEST = 10

-- Chooses the columns that fit the terminal, and their widths. A column is as wide as its contents. If they do not all
-- fit, the last columns are narrowed first, then left out. The first, which identifies the record, stays whole.
local function fit_columns(self)
  local widths, sum, columns = {}, -2, self.session.out:columns() or math.huge
  for place, name in ipairs(self.names) do
    widths[place] = text.width(name)
    for _, row in ipairs(self.kept) do
      widths[place] = math.max(widths[place], text.width(table_cell(self, row[name])))
    end
    sum = sum + widths[place] + 2
  end
  for place = #widths, 2, -1 do
    local less = math.max(0, math.min(sum - columns, widths[place] - NARROWEST))
    widths[place], sum = widths[place] - less, sum - less
  end
  while sum > columns and #widths > 1 do
    sum = sum - table.remove(widths) - 2
  end
  self.widths = widths
end

local function line(self, cells)
  local columns = self.session.out:columns()
  if not columns then
    return table.concat(cells, "\t")
  end
  for place = #cells, 1, -1 do
    local width = self.widths[place]
    cells[place] = width and text.pad(text.fit(cells[place], width), width)
  end
  return text.fit((table.concat(cells, "  "):gsub(" +$", "")), columns)
end

local function print_row(self, row)
  local cells = {}
  for place, name in ipairs(self.names) do
    cells[place] = table_cell(self, row[name])
  end
  self.session:print(line(self, cells))
end

local function flush(self)
  if self.widths then
    return
  end
  self.names = self.names or choose_columns(self.kept)
  fit_columns(self)
  if self.session.out.is_terminal and #self.kept > 0 then
    local heads = {}
    for place, name in ipairs(self.names) do
      heads[place] = name:upper()
    end
    self.session:print(self.session.out:paint("bold", line(self, heads)))
  end
  for _, row in ipairs(self.kept) do
    print_row(self, row)
  end
  self.kept = {}
end

--- Adds a row.
---@param value any a record or an object; any other value becomes a row of one cell
function Table:add(value)
  self.count = self.count + 1
  if self.session.options.json then
    return print_json(self.session, value, self.fields)
  end
  local row = (type(value) == "table" or is_record(value)) and fields_of(value) or { value = value }
  if self.widths then
    return print_row(self, row)
  end
  self.kept[#self.kept + 1] = row
  if #self.kept == LOOKED_AT or self.at_once then
    flush(self)
  end
end

--- Prints the remaining rows.
function Table:close()
  if not self.session.options.json then
    flush(self)
  end
end

--- A table on stdout: aligned on a terminal; elsewhere a line for each row, without a heading, with tabs between the
--- fields. With --json, each row is a line of JSON.
---@param session cekura.command.Session
---@param names? string[] the only fields to print
---@param columns? string[] the columns if there are no names; nil: those of COLUMNS that the rows have
---@param at_once? boolean print each row as it arrives
---@return cekura.command.Table
function output.table(session, names, columns, at_once)
  return setmetatable({ session = session, fields = names, names = names or columns, kept = {}, count = 0,
    at_once = at_once }, Table)
end

--- Prints a list.
---@param session cekura.command.Session
---@param values any[]
---@param names? string[]
function output.rows(session, values, names)
  local rows = output.table(session, names)
  for _, value in ipairs(values) do
    rows:add(value)
  end
  rows:close()
end

return output

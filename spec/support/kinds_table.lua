--- The tables of docs/kinds.md, made from the kinds themselves.
--   lua5.4 spec/support/kinds_table.lua docs/kinds.md     writes them between their marks (make generate)

local interpret = require "cekura.job.interpret"
local kinds = require "cekura.api.kinds"
local marked = require "spec.support.marked"
local sorted_keys = require "spec.support.sorted_keys"

local kinds_table = {}

local BEGIN, END = "<!-- kinds: made by make generate -->\n", "<!-- end of kinds -->\n"

local function code(text)
  return "`" .. text .. "`"
end

-- What a start takes: what is required first, then what is one of several, then the rest.
local function takes(declaration)
  local required, one_of, others = {}, {}, {}
  for place in (declaration.start or declaration.direct or ""):gmatch "{([%w_]+)}" do
    required[#required + 1] = code(place)
  end
  local listed = {}
  for index, name in ipairs(declaration.one_of or {}) do
    one_of[index], listed[name] = code(name), true
  end
  for name, param in pairs(declaration.params or {}) do
    if param.required then
      required[#required + 1] = code(name)
    elseif not listed[name] then
      others[#others + 1] = code(name)
    end
  end
  table.sort(required)
  table.sort(others)
  if one_of[1] then
    required[#required + 1] = table.concat(one_of, " or ")
  end
  local text = table.concat(required, ", ")
  if others[1] then
    text = text .. (text ~= "" and "; " or "") .. "may: " .. table.concat(others, ", ")
  end
  return text
end

-- How the end is recognized.
local function ends(declaration)
  local ways = {}
  if declaration.record == "call_log" then
    ways[1] = "a newer evaluation"
  elseif declaration.output then
    ways[1] = code((interpret.output_name(declaration):gsub(" or ", "` or `"))) .. " is there"
  elseif declaration.counters and declaration.counters.decide then
    ways[1] = "counters"
  end
  if declaration.record ~= "call_log" then
    ways[#ways + 1] = "words"
  end
  return table.concat(ways, ", ")
end

local function can(declaration)
  local list = {}
  list[#list + 1] = declaration.cancel and "cancel" or nil
  list[#list + 1] = declaration.answer and "answer" or nil
  list[#list + 1] = declaration.direct and "direct" or nil
  return table.concat(list, ", ")
end

local LETTERS = { documented = "D", described = "d", seen = "S", inferred = "I" }

local function evidence(declaration)
  local letters = {}
  for index, fact in ipairs { "start", "poll", "done", "result" } do
    letters[index] = LETTERS[declaration.evidence[fact]]
  end
  return table.concat(letters, " ")
end

local function path(text)
  return text and code((text:gsub("^GET ", ""):gsub("^POST ", ""))) or "none"
end

--- The table, as Markdown.
function kinds_table.text()
  local lines = {
    "| kind | takes | returns | ends by | can | every, up to | evidence |",
    "|---|---|---|---|---|---|---|",
  }
  local notes = { "", "| kind | start | poll | note |", "|---|---|---|---|" }
  for _, name in ipairs(sorted_keys(kinds)) do
    local declaration = kinds[name]
    lines[#lines + 1] = ("| `%s` | %s | %s | %s | %s | %g s, %g s | %s |"):format(name, takes(declaration),
      declaration.returns, ends(declaration), can(declaration), declaration.interval, declaration.timeout,
      evidence(declaration))
    local note = declaration.note or ""
    if declaration.withdrawn then
      note = ("withdrawn %s%s"):format(declaration.withdrawn, note ~= "" and "; " .. note or "")
    end
    notes[#notes + 1] = ("| `%s` | %s | %s | %s |"):format(name, path(declaration.start), path(declaration.poll), note)
  end
  return table.concat(lines, "\n") .. "\n" .. table.concat(notes, "\n") .. "\n"
end

--- A text with the table between its marks.
function kinds_table.put(text)
  return marked.put(text, BEGIN, END, kinds_table.text())
end

if arg and arg[0] and arg[0]:find "kinds_table%.lua$" then
  marked.write(arg[1], kinds_table.put)
end

return kinds_table

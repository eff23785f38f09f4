--- The text of an answer's `error` or `errors`, in any shape: a string, an object with a detail, the messages of
-- fields, a list of these. An error without content ({}, [], "null", blanks, objects of nulls) has no text: answers
-- about work that goes on contain such errors.

local ascii = require "cekura.http.ascii"
local core = require "cekura.core"

-- The text for an error that has content and no text.
local UNNAMED = "the service gave an error"

-- The members of an object that may have the text, in order of precedence.
local NAMES = { "detail", "message", "error" }

-- The texts for "nothing" of services in Python and JavaScript.
local NOTHING = { [""] = true, null = true, none = true, undefined = true }

-- The longest text that is decoded, to see whether it is an empty value.
local LONGEST_EMPTY = 1000

local reason

-- A text may be the JSON of an error without content: "null", "{}", "[]".
local function of_text(text)
  text = ascii.trim(text)
  if NOTHING[ascii.lower(text)] then
    return nil
  end
  local value
  if #text <= LONGEST_EMPTY then
    value = core.decode(text)
  end
  if value == nil then
    return text
  end
  local said = reason(value)
  return said == UNNAMED and text or said
end

local function is_list(value)
  return getmetatable(value) == core.array_mt
end

-- Adds the texts of the items and of nested lists, each once; they are also keys of `lines`.
local function collect(list, lines)
  for _, item in ipairs(list) do
    if is_list(item) then
      collect(item, lines)
    else
      local line = reason(item)
      if line and line ~= UNNAMED and not lines[line] then
        lines[#lines + 1] = line
      end
      lines[line or ""] = true
    end
  end
  return lines
end

local function of_list(list)
  local lines = collect(list, {})
  return lines[1] and table.concat(lines, "; ") or lines[UNNAMED] and UNNAMED or nil
end

-- { detail = "…" } and the like, or { field = { "…" } } as in refusals.
local function of_object(object)
  for _, name in ipairs(NAMES) do
    local text = reason(object[name])
    if text then
      return text
    end
  end
  local lines, has_content = {}, false
  for name, value in pairs(object) do
    local text = reason(value)
    has_content = has_content or text ~= nil
    if text and text ~= UNNAMED and type(value) == "table" then
      lines[#lines + 1] = name .. ": " .. text
    end
  end
  table.sort(lines)
  return lines[1] and table.concat(lines, "; ") or has_content and UNNAMED or nil
end

--- The text of an error, which may have several lines; nil if the error has no content.
---@param value any decoded
---@return string?
function reason(value)
  local kind = type(value)
  if kind == "string" then
    return of_text(value)
  elseif kind == "table" then
    return (is_list(value) and of_list or of_object)(value)
  elseif value == true or kind == "number" and value ~= 0 then
    return UNNAMED
  end
end

return reason

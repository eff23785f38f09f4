--- Writes what LDoc makes the reference from: the public types with LDoc's own tags, one file for each page.
--   lua5.4 tools/reference/source.lua build/reference     (make docs)
-- LDoc cannot read the sources themselves. Its tags have the type before the name. It documents a function by the
-- module that defines it, not by the name that programs call it by. It knows no aliases, and no classes with fields.

local file = require "spec.support.file"
local luacats = require "tools.luacats.model"
local sorted_keys = require "spec.support.sorted_keys"

local source = {}

-- A space that ends no word of a tag.
local NO_BREAK = "\194\160"

-- The page of a type: its own, if it has methods, that of the type whose name its name begins with, or "Types".
local function page_of(model, name)
  local first, rest = name:match "^cekura%.([^.]+)(.*)$"
  if not first then
    return "cekura"
  end
  local owner = "cekura." .. first:gsub("^%l", string.upper)
  local class = model.classes[rest == "" and name or owner]
  if class and class.methods[1] then
    return owner:match "[^.]+$"
  end
  class = model.classes[name]
  return class and class.methods[1] and name:gsub("^cekura%.", "") or "Types"
end

-- A type in Markdown, with links to the types that it mentions.
local function type_text(model, public, item)
  local text = item.type:gsub("[%[%]<>*_|]", "\\%0"):gsub("cekura[%w_.\\]*", function(escaped)
    local name = escaped:gsub("\\_", "_"):gsub("[\\.]+$", "")
    local rest = escaped:gsub("\\_", "_"):sub(#name + 1)
    return public[name] and ("[%s](%s.md#%s)%s"):format(name, page_of(model, name), name, rest)
  end)
  return (text:gsub("%s+", NO_BREAK))
end

local function comment(lines, text)
  for line in (text .. "\n"):gmatch "(.-)\n" do
    lines[#lines + 1] = "-- " .. line
  end
end

-- The items of LDoc's `field` and `param`: "optional" types have a modifier.
local function tag(lines, name, item, type)
  lines[#lines + 1] = ("-- @%s%s %s %s %s"):format(name, item.optional and "[opt]" or "", type, item.name,
    (item.text or ""):gsub("\n", " "))
end

local function put_fields(lines, model, public, type)
  lines[#lines + 1] = "---"
  lines[#lines + 1] = "-- @table fields"
  for _, field in ipairs(type.fields or {}) do
    if not field.private and field.name:find "^[%a_]" then
      tag(lines, "tfield", field, type_text(model, public, field))
    end
  end
  lines[#lines + 1] = ""
end

-- What the other fields are, of a class that programs may index by anything, or that is a list.
local function other_fields(model, public, type)
  local texts = {}
  for _, field in ipairs(type.fields or {}) do
    if field.name:find "^%[" then
      texts[#texts + 1] = ("- `%s` (%s) %s"):format(field.name, type_text(model, public, field), field.text)
    end
  end
  return texts[1] and "\n" .. table.concat(texts, "\n") or ""
end

local function put_method(lines, model, public, type, method)
  lines[#lines + 1] = "---"
  comment(lines, method.fn.text)
  lines[#lines + 1] = "-- @function " .. method.name
  lines[#lines + 1] = "-- @call " .. type.name .. (method.of_self and ":" or ".") .. method.name
  for _, param in ipairs(method.fn.params) do
    if param.name ~= "self" then
      tag(lines, "tparam", param, type_text(model, public, param))
    end
  end
  for _, returned in ipairs(method.fn.returns) do
    local text = ((returned.name or "") .. " " .. returned.text):gsub("\n", " ")
    lines[#lines + 1] = ("-- @treturn %s %s"):format(type_text(model, public, returned), text)
  end
  lines[#lines + 1] = ""
end

-- A type: a class, or an alias.
local function put_type(lines, model, public, type)
  lines[#lines + 1] = "---"
  comment(lines, type.text:gsub("^%l", string.upper) .. other_fields(model, public, type))
  if type.parent then
    comment(lines, "\nIt has all that " .. type_text(model, public, { type = type.parent }) .. " has.")
  end
  if not type.fields and not type.text:find "^%- " then -- else the text lists the values
    comment(lines, "\nIt stands for " .. type_text(model, public, type) .. ".")
  end
  lines[#lines + 1] = "-- @type " .. type.name
  lines[#lines + 1] = ""
  put_fields(lines, model, public, type)
  for _, method in ipairs(type.methods or {}) do
    if not method.name:find "^_" then
      put_method(lines, model, public, type, method)
    end
  end
end

--- The pages: the lines of LDoc's source, by name.
---@return table<string, string[]>
function source.pages()
  local model, pages = luacats.read(), {}
  local public = luacats.public(model, luacats.ROOTS)
  for _, name in ipairs(sorted_keys(public)) do
    local page = page_of(model, name)
    pages[page] = pages[page] or { "--- ", "-- @module " .. page, "" }
    put_type(pages[page], model, public, model.classes[name] or model.aliases[name])
  end
  return pages
end

if arg and arg[0] and arg[0]:find "tools/reference/source%.lua$" then
  for page, lines in pairs(source.pages()) do
    file.write(("%s/%s.lua"):format(arg[1], page), table.concat(lines, "\n"))
  end
end

return source

--- Types as LuaCATS writes them, as trees. A node has a `kind`:
--
--   name      `name`; with `of`, a list of types: table<string, any>
--   literal   `value`: "all", true, 1
--   union     `of`, a list of types
--   array     `of`, a type
--   optional  `of`, a type
--   table     `fields`, a list of { name =, type =, optional = }
--   fun       `params`, a list of { name =, type =, optional = }; `returns`, a list of types

local luacats_type = {}

-- The pattern at a place; returns what it captures, and the place behind it.
local function take(text, at, pattern)
  local _, last, found = text:find("^%s*" .. pattern, at)
  if last then
    return found or true, last + 1
  end
  return nil, at
end

local read_union

-- `name?: type`, as in parameters and in tables; the type may be missing.
local function read_named(text, at)
  local name, named = take(text, at, "([%w_]+)")
  if not name then
    name, named = take(text, at, "(%.%.%.)")
  end
  if not name then
    name, named = take(text, at, "(%[[^%]]+%])")
  end
  local optional, colon
  optional, named = take(text, named, "%?")
  colon, at = take(text, named, ":")
  local type = { kind = "name", name = "any" }
  if colon then
    type, at = read_union(text, at)
  end
  return { name = name, type = type, optional = optional }, at
end

local function read_list(text, at, read, closing)
  local list, comma = {}, true
  local closed, after = take(text, at, closing)
  while not closed and comma do
    list[#list + 1], at = read(text, at)
    comma, at = take(text, at, ",")
    closed, after = take(text, at, closing)
  end
  assert(closed, text)
  return list, after
end

local function read_fun(text, at)
  local params, colon
  params, at = read_list(text, at, read_named, "%)")
  local node = { kind = "fun", params = params, returns = {} }
  colon, at = take(text, at, ":")
  while colon do
    node.returns[#node.returns + 1], at = read_union(text, at)
    colon, at = take(text, at, ",")
  end
  return node, at
end

local function read_atom(text, at)
  local found, after = take(text, at, "fun%(")
  if found then
    return read_fun(text, after)
  end
  found, after = take(text, at, "fun%f[^%w_.]")
  if found then
    return { kind = "name", name = "function" }, after
  end
  found, after = take(text, at, "{")
  if found then
    local fields
    fields, after = read_list(text, after, read_named, "}")
    return { kind = "table", fields = fields }, after
  end
  found, after = take(text, at, "%(")
  if found then
    local inner
    inner, after = read_union(text, after)
    found, after = take(text, after, "%)")
    assert(found, text)
    return inner, after
  end
  for _, pattern in ipairs { '"([^"]*)"', "'([^']*)'", "(%-?%d+)" } do
    found, after = take(text, at, pattern)
    if found then
      return { kind = "literal", value = pattern:find "%%d" and tonumber(found) or found }, after
    end
  end
  found, after = take(text, at, "([%a_][%w_.]*)")
  if found == "true" or found == "false" then
    return { kind = "literal", value = found == "true" }, after
  elseif found and text:sub(after, after) == "<" then
    local of
    of, after = read_list(text, after + 1, read_union, ">")
    return { kind = "name", name = found, of = of }, after
  elseif found then
    return { kind = "name", name = found }, after
  end
  found, after = take(text, at, "%.%.%.")
  return found and { kind = "name", name = "any" } or nil, after
end

local function read_postfix(text, at)
  local node, after = read_atom(text, at)
  while node do
    if text:sub(after, after + 1) == "[]" then
      node, after = { kind = "array", of = node }, after + 2
    elseif text:sub(after, after) == "?" then
      node, after = { kind = "optional", of = node }, after + 1
    else
      break
    end
  end
  return node, after
end

function read_union(text, at)
  local first, after = read_postfix(text, at)
  local list = { first }
  local bar
  bar, at = take(text, after, "|")
  while bar do
    list[#list + 1], after = read_postfix(text, at)
    bar, at = take(text, after, "|")
  end
  return list[2] and { kind = "union", of = list } or first, after
end

--- Reads the type at the beginning of a text.
---@param text string
---@return table? node nil: there is no type
---@return string written the type as it is there
---@return string rest what follows it
function luacats_type.read(text)
  local node, after = read_union(text, 1)
  return node, text:sub(1, after - 1), text:sub(after)
end

local write_list

--- Writes a type; the opposite of read().
---@param node table
---@return string
function luacats_type.write(node)
  local write = luacats_type.write
  if node.kind == "literal" then
    return (type(node.value) == "string" and "%q" or "%s"):format(tostring(node.value))
  elseif node.kind == "union" then
    return write_list(node.of, "|")
  elseif node.kind == "array" then
    return (node.of.kind == "union" and "(%s)[]" or "%s[]"):format(write(node.of))
  elseif node.kind == "optional" then
    return write(node.of) .. "?"
  elseif node.kind == "table" then
    return "{ " .. write_list(node.fields, ", ") .. " }"
  elseif node.kind == "fun" then
    local returns = node.returns[1] and ": " .. write_list(node.returns, ", ") or ""
    return ("fun(%s)%s"):format(write_list(node.params, ", "), returns)
  end
  return node.name .. (node.of and "<" .. write_list(node.of, ", ") .. ">" or "")
end

function write_list(list, separator)
  local texts = {}
  for index, item in ipairs(list) do
    texts[index] = item.type and ("%s%s: %s"):format(item.name, item.optional and "?" or "",
      luacats_type.write(item.type)) or luacats_type.write(item)
  end
  return table.concat(texts, separator)
end

--- Calls a function for the name of each type that a type mentions.
---@param node table
---@param fn fun(name: string)
function luacats_type.each_name(node, fn)
  if node.kind == "name" then
    fn(node.name)
  end
  local parts = { node.params or {}, node.fields or {}, node.returns or {} }
  parts[#parts + 1] = (node.kind == "array" or node.kind == "optional") and { node.of } or node.of
  for _, list in ipairs(parts) do
    for _, part in ipairs(list) do
      luacats_type.each_name(part.type or part, fn)
    end
  end
end

return luacats_type

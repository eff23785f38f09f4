--- TOML: a document, or a fault with its line and without the text.

require "cekura"
local promise = require "spec.fuzz.promise"
local toml = require "cekura.client.toml"

-- A value, without what says where it stands; the nodes are counted in `found`.
local function plain(node, lines, found)
  promise.holds(node.line >= 1 and node.line <= lines, "line %d of %d", node.line, lines)
  found.least = math.min(found.least or node.line, node.line)
  if node.type ~= "table" and node.type ~= "array" then
    local value = node.value
    return value == value and value or "nan"
  end
  local value = {}
  for name, child in pairs(node.value) do
    promise.holds(type(name) == (node.type == "table" and "string" or "number"), "a name or a place")
    value[name] = plain(child, lines, found)
  end
  return value
end

local function read(text)
  local lines = select(2, text:gsub("\n", "")) + 1
  local root, fault, line = toml.parse(text)
  if root then
    local found = {}
    root.line = lines -- the root has none
    return plain(root, lines, found), nil, found.least
  end
  promise.holds(line >= 1 and line <= lines, "the line of the fault")
  promise.holds(not fault:find "[^%w_#=,; :'%-]", "a fault without the text: %s", fault)
  return nil, (fault:gsub("line %d+", "line")), line
end

return function(text)
  local value, fault, line = read(text)
  if text:sub(1, 3) == "\239\187\191" then -- a byte order mark stands at the beginning only
    return
  end
  -- A line more at the beginning moves all others, and nothing else.
  local moved, same_fault, next_line = read("# a comment\r\n" .. text)
  promise.same(value, moved, "document")
  promise.holds(fault == same_fault, "the same fault")
  promise.holds(next(value or { false }) == nil or next_line == line + 1, "a line further")
end

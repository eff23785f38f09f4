--- Lists, as JSON has them. A table with elements is a list by itself; an empty one is sent as an object, unless it is
-- marked: by cekura.list(), by the decoder of this module, or by the marks of lua-cjson's later builds.

local check = require "cekura.check"
local cjson = require "cekura.cjson"
local core = require "cekura.core"
local errors = require "cekura.errors"

local list = {}

local array_mt = core.array_mt

--- Whether a table is sent as a list.
---@param value table
---@return boolean
function list.is_list(value)
  local meta = getmetatable(value)
  if meta == array_mt or meta ~= nil and meta == cjson.array_mt then
    return true
  end
  return #value > 0 or meta ~= nil and meta == cjson.empty_array_mt and next(value) == nil
end

--- cekura.list(): marks a table as a list, so that it is sent as one even if it is empty. (In Lua an empty list and an
--- empty object are the same table: `cjson.decode "[]"` and `cjson.decode "{}"` return the same value.)
---@generic T
---@param value T[] without a metatable of another kind
---@return T[] value the same table
function list.mark(value)
  check.list("list", value)
  local meta = getmetatable(value)
  if meta ~= nil and not (meta == array_mt or meta == cjson.array_mt or meta == cjson.empty_array_mt) then
    errors.misuse "list: a table without a metatable expected"
  end
  return setmetatable(value, array_mt)
end

--- A marked copy of a list.
---@param value table
---@return table
function list.copy(value)
  local copied = {}
  for index, item in ipairs(value) do
    copied[index] = item
  end
  return setmetatable(copied, array_mt)
end

--- The value, or an empty list if it is cjson.empty_array.
---@param value any
---@return any
function list.of(value)
  return value ~= nil and value == cjson.empty_array and list.copy {} or value
end

function array_mt.__tostring(value)
  return ("cekura.list (%d)"):format(#value)
end

return list

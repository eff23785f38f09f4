--- Lua values as JSON text.

local cjson = require "cekura.cjson"
local core = require "cekura.core"
local errors = require "cekura.errors"

--- A value as JSON text, exactly: a table is a list, see cekura.list, or an object. Raises for a value that JSON does
-- not have, with its path.
---@param value any
---@param name string the value's name in errors
---@return string
local function encode(value, name)
  local text, path, fault, what = core.encode(value, name, cjson.empty_array, cjson.empty_array_mt, cjson.array_mt)
  if not text then
    errors.misuse("%s: " .. fault, path, what)
  end
  return text
end

return encode

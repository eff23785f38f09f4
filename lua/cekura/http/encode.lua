--- Lua values as JSON text.

local cjson = require "cekura.cjson"
local core = require "cekura.core"
local errors = require "cekura.errors"

local write = core.new_encoder(cjson)

--- A value as JSON text, exactly: a table is a list, see cekura.list, or an object. Raises for a value that JSON does
-- not have, with its path.
---@param value any
---@param name string the value's name in errors
---@return string
local function encode(value, name)
  local text, path, fault, what = write(value, name)
  if not text then
    errors.misuse("%s: " .. fault, path, what)
  end
  return text
end

return encode

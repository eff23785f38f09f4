--- The parts of lua-cjson that the library uses: its null, its encoding of strings and numbers, and the marks of lists
-- that OpenResty's build and others have (empty_array, empty_array_mt, array_mt). Where lua-cjson is missing (Debian
-- has none for Lua 5.5), this module has the same null and an encoder with the same output.

local core = require "cekura.core"

local available, cjson = pcall(require, "cjson")
if available then
  -- A separate instance: the settings of `require "cjson"` are shared by the whole process.
  return { null = cjson.null, encode = (cjson.new and cjson.new() or cjson).encode, empty_array = cjson.empty_array,
    empty_array_mt = cjson.empty_array_mt, array_mt = cjson.array_mt }
end

local function encode(value)
  if type(value) == "number" then
    return (("%.14g"):format(value):gsub("[^%d%+%-e]+", ".")) -- a locale may have another decimal point
  end
  return core.quote(value)
end

return { null = core.decode("[null]")[1], encode = encode }

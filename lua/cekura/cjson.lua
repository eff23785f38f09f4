--- The values of lua-cjson that the library understands: its null, and the marks of lists that OpenResty's build and
-- others have (empty_array, empty_array_mt, array_mt). Where lua-cjson is missing (Debian has none for Lua 5.5), there
-- is the same null. The module reads and writes JSON by itself: lua-cjson rounds numbers to 14 digits, takes invalid
-- UTF-8, and cannot distinguish an empty list from an empty object.

local core = require "cekura.core"

local available, cjson = pcall(require, "cjson")
if not available then
  return { null = core.decode("[null]")[1] }
end
return { null = cjson.null, empty_array = cjson.empty_array, empty_array_mt = cjson.empty_array_mt,
  array_mt = cjson.array_mt }

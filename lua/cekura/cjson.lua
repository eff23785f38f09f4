--- What this module uses of lua-cjson: its null, and how it writes strings and numbers. Where lua-cjson cannot be had
-- (Debian has none for Lua 5.5), the same null, and a writer that gives the same bytes.

local core = require "cekura.core"

local available, cjson = pcall(require, "cjson")
if available then
  -- An instance of our own: the settings of `require "cjson"` belong to everybody in the process.
  return { null = cjson.null, encode = (cjson.new and cjson.new() or cjson).encode }
end

local function encode(value)
  if type(value) == "number" then
    return (("%.14g"):format(value):gsub("[^%d%+%-e]+", ".")) -- a locale may have another decimal point
  end
  return core.quote(value)
end

return { null = core.decode("[null]")[1], encode = encode }

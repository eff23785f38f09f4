--- The values of lua-cjson that the library understands: its null, and the marks of lists that OpenResty's build and
-- others have (empty_array, empty_array_mt, array_mt). The module reads and writes JSON by itself: lua-cjson rounds
-- numbers to 14 digits, takes invalid UTF-8, and cannot distinguish an empty list from an empty object. So only the
-- program loads lua-cjson, and without it there are no marks.

local core = require "cekura.core"

local MARKS = { empty_array = true, empty_array_mt = true, array_mt = true }

-- lua-cjson's null is the same in all Luas: the null pointer.
return setmetatable({ null = core.decode("[null]")[1] }, {
  __index = function(_, name)
    local cjson = MARKS[name] and (package.loaded.cjson or package.loaded["cjson.safe"])
    return type(cjson) == "table" and cjson[name] or nil
  end,
})

--- Measures the loading of the module, in milliseconds of processor time: start_up.lua. Prints two figures: of the
-- core, which begins with libcurl, and of the library's Lua.

local began = os.clock()
require "cekura.core"
local core_loaded = os.clock()
require "cekura"
print(("%.3f %.3f"):format((core_loaded - began) * 1e3, (os.clock() - core_loaded) * 1e3))

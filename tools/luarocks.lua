-- A configuration of LuaRocks on Debian:
--   LUAROCKS_CONFIG=tools/luarocks.lua luarocks --lua-version=5.4 make
--   LUAROCKS_CONFIG=tools/luarocks.lua LUA=luajit luarocks --lua-version=5.1 make
-- Debian's modules count as rocks, so that LuaRocks downloads nothing. LuaRocks finds LuaJIT by itself only where
-- there is no lua5.1.

rocks_provided = { ["lua-cjson"] = "2.1.0-1", argparse = "0.7.1-1" }

if os_getenv "LUA" == "luajit" then
  lua_interpreter = "luajit"
  variables = { LUA_BINDIR = "/usr/bin", LUA_INCDIR = "/usr/include/luajit-2.1" }
end

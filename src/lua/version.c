/* version.c - refuses Lua files of another version, such as those of an older installation that
 * LUA_PATH finds first. The Makefile takes CEKURA_VERSION from lua/cekura/version.lua. */
#include "parts.h"

#include <dlfcn.h>
#include <string.h>

/* The file that this code was loaded from. */
static const char *core_file(void)
{
    Dl_info info;
    return dladdr(CEKURA_VERSION, &info) && info.dli_fname ? info.dli_fname : "?";
}

/* Pushes the file of the Lua function that requires the core. */
static void push_lua_file(lua_State *L)
{
    lua_Debug frame;
    for (int level = 1; lua_getstack(L, level, &frame); level++) {
        lua_getinfo(L, "S", &frame);
        if (frame.source[0] == '@') {
            lua_pushstring(L, frame.source + 1);
            return;
        }
    }
    lua_pushliteral(L, "?");
}

void version_check(lua_State *L)
{
    lua_getglobal(L, "require");
    lua_pushliteral(L, "cekura.version");
    lua_call(L, 1, 1);
    const char *version = lua_tostring(L, -1);
    if (!version || strcmp(version, CEKURA_VERSION) != 0) {
        push_lua_file(L);
        luaL_error(L,
            "the core of cekura has version %s (%s), but the Lua files have version %s (%s): "
            "install both from the same release",
            CEKURA_VERSION, core_file(), version ? version : "?", lua_tostring(L, -1));
    }
    lua_pop(L, 1);
}

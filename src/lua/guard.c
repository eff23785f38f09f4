/* guard.c - a value that calls a function when it is collected or, from Lua 5.4 on, when the block
 * or the `for` that holds it is left. It is a userdata because Lua 5.1 supports __gc only for
 * those.
 */
#include "object.h"
#include "parts.h"

static const struct type guard_type = {"cekura.guard"};

/* core.guard(fn) -> guard; fn is called once, without arguments. */
static int core_guard(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, 1);
    bool *armed = object_new(L, &guard_type, sizeof *armed);
    lua_createtable(L, 1, 0);
    lua_pushvalue(L, 1);
    lua_rawseti(L, -2, 1);
    compat_set_table(L, 2);
    *armed = true;
    return 1;
}

static int guard_run(lua_State *L)
{
    bool *armed = object_check(L, 1, &guard_type);
    if (!*armed)
        return 0;
    *armed = false;
    compat_get_table(L, 1);
    lua_rawgeti(L, -1, 1);
    /* Errors are ignored: when the state closes, the objects that the function cleans up may have
     * been collected already. */
    if (lua_pcall(L, 0, 0, 0) != 0)
        lua_pop(L, 1);
    return 0;
}

void guard_open(lua_State *L)
{
    static const luaL_Reg metamethods[] = {
        {"__gc", guard_run}, {"__close", guard_run}, {NULL, NULL}};
    /* core.spend(guard): ends it now. */
    static const luaL_Reg functions[] = {{"guard", core_guard}, {"spend", guard_run}, {NULL, NULL}};
    object_open_type(L, &guard_type, metamethods, functions);
}

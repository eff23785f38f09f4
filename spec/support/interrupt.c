/* interrupt.c - interrupts Lua between any two instructions, as HAProxy does. A coroutine that
 * requests it yields at every n-th instruction at which it can.
 *
 *   interrupt.every(n)   the calling coroutine does so from now on; 0 ends that. Coroutines that it
 *                        creates do not */
#include <lauxlib.h>
#include <lua.h>

/* In Lua a new coroutine inherits the hook of its creator. */
static int is_listed(lua_State *L)
{
    static char place;
    lua_pushlightuserdata(L, &place);
    lua_rawget(L, LUA_REGISTRYINDEX);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_newtable(L);
        lua_pushliteral(L, "k");
        lua_setfield(L, -2, "__mode");
        lua_setmetatable(L, -2);
        lua_pushlightuserdata(L, &place);
        lua_pushvalue(L, -2);
        lua_rawset(L, LUA_REGISTRYINDEX);
    }
    lua_pushthread(L);
    lua_rawget(L, -2);
    int listed = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return listed; /* leaves the list on the stack */
}

static void hook(lua_State *L, lua_Debug *event)
{
    (void)event;
    if (!lua_isyieldable(L) || !lua_checkstack(L, 4))
        return;
    int listed = is_listed(L);
    lua_pop(L, 1);
    if (listed)
        lua_yield(L, 0);
}

static int every(lua_State *L)
{
    int count = (int)luaL_checkinteger(L, 1);
    is_listed(L);
    lua_pushthread(L);
    lua_pushboolean(L, count > 0);
    lua_rawset(L, -3);
    if (count > 0)
        lua_sethook(L, hook, LUA_MASKCOUNT, count);
    else
        lua_sethook(L, NULL, 0, 0);
    return 0;
}

__attribute__((visibility("default"))) int luaopen_spec_support_interrupt(lua_State *L);

int luaopen_spec_support_interrupt(lua_State *L)
{
    lua_newtable(L);
    lua_pushcfunction(L, every);
    lua_setfield(L, -2, "every");
    return 1;
}

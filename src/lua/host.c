/* host.c - functions about the host that runs Lua: what it stores in a thread, and calls that its
 * hooks cannot interrupt. */
#include "parts.h"

/* core.has_extra_space() -> whether the host uses the space that Lua keeps for it in the calling
 * thread. HAProxy does, in its own coroutines. */
static int core_has_extra_space(lua_State *L)
{
#if LUA_VERSION_NUM >= 503
    lua_pushboolean(L, *(void **)lua_getextraspace(L) != NULL);
#else
    lua_pushboolean(L, 0);
#endif
    return 1;
}

/* core.uninterrupted(fn, ...) -> what fn returns. Nothing yields across a call from C, so a host
 * that interrupts Lua by a hook lets fn run to its end. */
static int core_uninterrupted(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

/* The function that core.atomic() returns. It calls its upvalue. */
static int host_call_atomic(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

/* core.atomic(fn) -> a function that does the same, uninterrupted; see cekura.loop.atomic. */
static int core_atomic(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, 1);
    lua_pushcclosure(L, host_call_atomic, 1);
    return 1;
}

/* core.try(fn, ...) -> true and what fn returns, or false and what it raises: an uninterrupted
 * pcall(). */
static int core_try(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    int status = lua_pcall(L, lua_gettop(L) - 1, LUA_MULTRET, 0);
    lua_pushboolean(L, status == 0);
    lua_insert(L, 1);
    return lua_gettop(L);
}

void host_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"has_extra_space", core_has_extra_space},
        {"uninterrupted", core_uninterrupted},
        {"atomic", core_atomic},
        {"try", core_try},
        {NULL, NULL},
    };
    compat_set_functions(L, functions);
}

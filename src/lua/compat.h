/* compat.h - one API for Lua 5.1 to 5.5 and LuaJIT, as far as the binding needs it.
 *
 * Each userdata has one table: its environment in 5.1, its user value from 5.2 on. */
#ifndef CEKURA_LUA_COMPAT_H
#define CEKURA_LUA_COMPAT_H

#include <lauxlib.h>
#include <lua.h>
#include <stdint.h>

#if LUA_VERSION_NUM < 502
#define lua_rawlen(L, index) lua_objlen(L, index)
#endif

/* Adds the functions to the table on top of the stack, like luaL_setfuncs(), which 5.1 lacks. */
static inline void compat_set_functions(lua_State *L, const luaL_Reg *functions)
{
    for (; functions->name; functions++) {
        lua_pushcfunction(L, functions->func);
        lua_setfield(L, -2, functions->name);
    }
}

/* Makes room on the Lua stack. The stacks of this module's functions are far from the limit of a
 * Lua, so what may be missing is memory; luaL_checkstack() would call that a stack overflow. */
static inline void compat_check_stack(lua_State *L, int slots)
{
    if (!lua_checkstack(L, slots))
        luaL_error(L, "not enough memory");
}

/* Pops a table, and makes it the table of the userdata at `index`. */
static inline void compat_set_table(lua_State *L, int index)
{
#if LUA_VERSION_NUM < 502
    lua_setfenv(L, index);
#else
    lua_setuservalue(L, index);
#endif
}

/* Pushes the table of the userdata at `index`. Raises if the debug library was used to remove
 * it. */
static inline void compat_get_table(lua_State *L, int index)
{
#if LUA_VERSION_NUM < 502
    lua_getfenv(L, index);
#else
    lua_getuservalue(L, index);
#endif
    if (!lua_istable(L, -1))
        luaL_error(L, "the object has lost its table");
}

/* A double represents every integer up to this magnitude. */
#define COMPAT_EXACT_DOUBLE (INT64_C(1) << 53)

/* Pushes an integer if this Lua can represent it exactly. Otherwise pushes nothing and returns
 * 0. */
static inline int compat_push_exact(lua_State *L, int64_t value)
{
#if LUA_VERSION_NUM >= 503
    lua_pushinteger(L, (lua_Integer)value);
#else
    if (value > COMPAT_EXACT_DOUBLE || value < -COMPAT_EXACT_DOUBLE)
        return 0;
    lua_pushnumber(L, (lua_Number)value);
#endif
    return 1;
}

#endif

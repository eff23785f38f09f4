/* binding.c - what the userdata have in common; see binding.h. */
#include "binding.h"

void binding_type(lua_State *L, const char *name, const luaL_Reg *metamethods,
    const luaL_Reg *methods, const char *field)
{
    luaL_newmetatable(L, name);
    lua_pushstring(L, name);
    lua_setfield(L, -2, "__name");
    lua_pushliteral(L, "protected");
    lua_setfield(L, -2, "__metatable");
    compat_set_functions(L, metamethods);
    lua_newtable(L);
    compat_set_functions(L, methods);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "_methods");
    lua_setfield(L, -3, field);
    lua_pop(L, 1);
}

int binding_index(lua_State *L)
{
    if (lua_type(L, 2) != LUA_TSTRING || lua_tostring(L, 2)[0] == '_') {
        lua_pushnil(L);
        return 1;
    }
    lua_getmetatable(L, 1);
    lua_getfield(L, -1, "_methods");
    lua_pushvalue(L, 2);
    lua_rawget(L, -2);
    if (!lua_isnil(L, -1))
        return 1;
    compat_get_table(L, 1);
    lua_pushvalue(L, 2);
    lua_rawget(L, -2);
    return 1;
}

int binding_call_method(lua_State *L, const char *name)
{
    lua_settop(L, 1);
    luaL_getmetafield(L, 1, "_methods");
    lua_getfield(L, -1, name);
    lua_pushvalue(L, 1);
    lua_call(L, 1, 0);
    return 0;
}

struct client_object *binding_client(lua_State *L, int index)
{
    return luaL_checkudata(L, index, CLIENT_TYPE);
}

/* ---- anchors: integer keys of the client's own table ---- */

int binding_anchor(lua_State *L, int client, int index)
{
    lua_pushvalue(L, index);
    compat_get_table(L, client > 0 ? client : client - 1);
    lua_insert(L, -2);
    int ref = luaL_ref(L, -2);
    lua_pop(L, 1);
    return ref;
}

void binding_push_anchored(lua_State *L, int client, int ref)
{
    compat_get_table(L, client);
    lua_rawgeti(L, -1, ref);
    lua_remove(L, -2);
}

void binding_release_anchor(lua_State *L, int client, int ref)
{
    compat_get_table(L, client);
    luaL_unref(L, -1, ref);
    lua_pop(L, 1);
}

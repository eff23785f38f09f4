/* object.c - the common base of the module's types of userdata; see object.h. */
#include "object.h"

#include <stdbool.h>
#include <string.h>

/* Precedes each object, and is aligned for any object. */
struct header {
    _Alignas(int64_t) const struct type *type;
};

static void push_metatable(lua_State *L, const struct type *type)
{
    lua_pushlightuserdata(L, (void *)(intptr_t)type);
    lua_rawget(L, LUA_REGISTRYINDEX);
}

void *object_new(lua_State *L, const struct type *type, size_t size)
{
    struct header *header = lua_newuserdata(L, sizeof *header + size);
    memset(header, 0, sizeof *header + size);
    header->type = type;
    push_metatable(L, type);
    lua_setmetatable(L, -2);
    return header + 1;
}

void *object_test(lua_State *L, int index, const struct type *type)
{
    struct header *header = lua_touserdata(L, index);
    /* A light userdata has no memory behind it, and the length 0. */
    bool is_one = header && lua_rawlen(L, index) >= sizeof *header && header->type == type;
    return is_one ? header + 1 : NULL;
}

void *object_check(lua_State *L, int index, const struct type *type)
{
    void *object = object_test(L, index, type);
    if (!object)
        luaL_argerror(L, index,
            lua_pushfstring(L, "%s expected, got %s", type->name, luaL_typename(L, index)));
    return object;
}

int object_push_failure(lua_State *L, const char *message)
{
    lua_pushnil(L);
    lua_pushstring(L, message);
    return 2;
}

void object_open_type(
    lua_State *L, const struct type *type, const luaL_Reg *metamethods, const luaL_Reg *functions)
{
    compat_set_functions(L, functions);
    lua_pushlightuserdata(L, (void *)(intptr_t)type);
    lua_newtable(L);
    compat_set_functions(L, metamethods);
    lua_pushstring(L, type->name);
    lua_setfield(L, -2, "__name");
    lua_pushliteral(L, "protected");
    lua_setfield(L, -2, "__metatable");
    lua_rawset(L, LUA_REGISTRYINDEX);
}

void object_open_methods(
    lua_State *L, const struct type *type, const luaL_Reg *methods, const char *field)
{
    lua_newtable(L);
    compat_set_functions(L, methods);
    push_metatable(L, type);
    lua_pushvalue(L, -2);
    lua_setfield(L, -2, "_methods");
    lua_pop(L, 1);
    lua_setfield(L, -2, field);
}

/* The metatable is taken from the registry, since a program may have replaced the object's. If it
 * has replaced the table of methods by a value that cannot be indexed, this raises. */
void object_push_method(lua_State *L, const struct type *type, int name)
{
    push_metatable(L, type);
    lua_getfield(L, -1, "_methods");
    lua_pushvalue(L, name);
    lua_gettable(L, -2);
    lua_replace(L, -3);
    lua_pop(L, 1);
}

int object_index(lua_State *L, const struct type *type)
{
    if (lua_type(L, 2) != LUA_TSTRING || lua_tostring(L, 2)[0] == '_') {
        lua_pushnil(L);
        return 1;
    }
    compat_get_table(L, 1);
    push_metatable(L, type);
    lua_getfield(L, -1, "_methods");
    lua_replace(L, 4);
    if (!lua_istable(L, 4))
        luaL_error(L, "the object has lost its methods"); /* by the debug library */
    lua_pushvalue(L, 2);
    lua_rawget(L, 4);
    if (!lua_isnil(L, -1))
        return 1;
    lua_pop(L, 1);
    lua_pushvalue(L, 2);
    lua_gettable(L, 3);
    if (!lua_isnil(L, -1))
        return 1;
    lua_pop(L, 1);
    lua_pushvalue(L, 2);
    lua_gettable(L, 4);
    return 1;
}

int object_call_method(lua_State *L, const struct type *type, const char *name, int results)
{
    lua_settop(L, 1);
    lua_pushstring(L, name);
    object_push_method(L, type, 2);
    lua_pushvalue(L, 1);
    lua_call(L, 1, results);
    return results;
}

/* object.h - what the types of userdata of this module have in common.
 *
 * The binding turns arguments into requests, outcomes into values, and finds the Lua object of what
 * the engine lists as finished. It knows no curl and no Cekura. Waiting is written in Lua, above
 * it: no function of the binding ever yields, and none blocks unless its comment says so. In its C
 * files core_x is the function core.x; client_x, job_x and so on are methods and metamethods.
 *
 * A Lua function may leave by longjmp out of every call that allocates Lua memory. So a userdata is
 * made first and gets its metatable, and what C allocates is stored in it at once. */
#ifndef CEKURA_LUA_OBJECT_H
#define CEKURA_LUA_OBJECT_H

#include "compat.h"

/* A type of userdata. Each object begins with the address of its type, so that nothing else is
 * taken for one: neither another module's object, even with this type's metatable on, nor one of a
 * second copy of this module, whose objects may look different inside. */
struct type {
    const char *name;
};

/* Pushes a new object with its metatable, all bytes zero. */
void *object_new(lua_State *L, const struct type *type, size_t size);

/* The object at `index`; NULL if it is of another type. */
void *object_test(lua_State *L, int index, const struct type *type);

/* The object at `index`; raises if it is of another type. */
void *object_check(lua_State *L, int index, const struct type *type);

/* Pushes nil and the message, for a call that fails with `nil, message`. Returns 2. */
int object_push_failure(lua_State *L, const char *message);

/* Makes the metatable of a type, and adds the functions to the table on top of the stack. */
void object_open_type(
    lua_State *L, const struct type *type, const luaL_Reg *metamethods, const luaL_Reg *functions);

/* Gives a type these methods. Their table, which the library adds to, becomes the field `field` of
 * the table on top of the stack. */
void object_open_methods(
    lua_State *L, const struct type *type, const luaL_Reg *methods, const char *field);

/* Pushes the method of a type whose name is at `name`; nil for none. */
void object_push_method(lua_State *L, const struct type *type, int name);

/* __index of client and job, whose object at 1 is checked and whose stack has two values: a method,
 * else a field of the object's own table, else what the library's table of methods has an __index
 * for. Names that begin with "_" are private to the library and read as nil. */
int object_index(lua_State *L, const struct type *type);

/* Calls the method of that name with the object at 1: for metamethods where the library's method
 * does more than C could. */
int object_call_method(lua_State *L, const struct type *type, const char *name, int results);

#endif

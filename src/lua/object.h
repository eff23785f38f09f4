/* object.h - the common base of the module's types of userdata.
 *
 * The binding converts arguments to requests and outcomes to values, and finds the Lua object of
 * each completion. It knows neither curl nor Cekura. Waiting is implemented in Lua, above it: no
 * function of the binding ever yields, and none blocks unless its comment says so. In the C files
 * core_x is the function core.x; client_x, job_x and so on are methods and metamethods.
 *
 * Every call that allocates Lua memory may longjmp. So a function first creates the userdata with
 * its metatable, and then stores in it what C allocates, at once. */
#ifndef CEKURA_LUA_OBJECT_H
#define CEKURA_LUA_OBJECT_H

#include "compat.h"

/* A type of userdata. Each object begins with the address of its type. That address excludes
 * another module's userdata, even with this type's metatable, and objects of a second copy of this
 * module, whose layout may differ. */
struct type {
    const char *name;
};

/* Pushes a new object with its metatable. All its bytes are zero. */
void *object_new(lua_State *L, const struct type *type, size_t size);

/* The object at `index`; NULL if it is of another type. */
void *object_test(lua_State *L, int index, const struct type *type);

/* The object at `index`; raises if it is of another type. */
void *object_check(lua_State *L, int index, const struct type *type);

/* Pushes nil and the message. Returns 2. */
int object_push_failure(lua_State *L, const char *message);

/* Creates the metatable of a type, and adds the functions to the table on top of the stack. */
void object_open_type(
    lua_State *L, const struct type *type, const luaL_Reg *metamethods, const luaL_Reg *functions);

/* Creates the table of a type's methods, with these functions. The library adds to it: it becomes
 * the field `field` of the table on top of the stack. */
void object_open_methods(
    lua_State *L, const struct type *type, const luaL_Reg *methods, const char *field);

/* Pushes the type's method whose name is at the index `name`, or nil. */
void object_push_method(lua_State *L, const struct type *type, int name);

/* __index of client and job: pushes a method, else a field of the table of the object at 1, or of
 * that table's prototype; the caller has checked the object, and its stack has two values; else
 * what the library's table of methods has an __index for. Names that begin with "_" are private to
 * the library and read as nil. */
int object_index(lua_State *L, const struct type *type);

/* Calls the method of that name with the object at 1, for metamethods that the library
 * implements. */
int object_call_method(lua_State *L, const struct type *type, const char *name, int results);

#endif

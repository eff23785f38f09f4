/* library.c - the Lua modules of the library, compiled, so that `require` reads no files.
 *
 * The table is made by tools/precompile.lua, for each of the Makefile's PRECOMPILERS. A Lua that
 * cannot run any of this bytecode loads the Lua files instead, which are installed as well. The
 * bytecode stays where the linker has put it. */
#include "compat.h"
#include "parts.h"

#include <string.h>

struct module {
    const char *vm; /* the Lua that compiled it: jit.version or _VERSION */
    const char *name;
    size_t size;
    const char *bytecode;
};

/* The modules for one Lua are adjacent. The last row ends the table. */
static const struct module modules[] = {
#include "modules.inc"
    {"", NULL, 0, NULL},
};

static int load(lua_State *L, const struct module *module)
{
    return luaL_loadbuffer(L, module->bytecode, module->size, module->name);
}

/* The loader of a module, which require() calls with the module's name. */
static int load_module(lua_State *L)
{
    lua_settop(L, 1);
    if (load(L, lua_touserdata(L, lua_upvalueindex(1))) != 0)
        return lua_error(L);
    lua_insert(L, 1);
    lua_call(L, 1, 1);
    return 1;
}

/* Pushes the field of a loaded module, or nil. */
static void push_field(lua_State *L, const char *name, const char *field)
{
    lua_getfield(L, LUA_REGISTRYINDEX, "_LOADED");
    lua_getfield(L, -1, name);
    if (lua_istable(L, -1))
        lua_getfield(L, -1, field);
    else
        lua_pushnil(L);
    lua_replace(L, -3);
    lua_pop(L, 1);
}

/* Whether this Lua, whose name is `vm`, runs the bytecode of a module. One of that name may have
 * been built with other types of numbers; it refuses the bytecode by its header. */
static bool runs(lua_State *L, const struct module *module, const char *vm)
{
    if (strcmp(module->vm, vm) != 0)
        return false;
    int status = load(L, module);
    if (status == LUA_ERRMEM)
        lua_error(L);
    lua_pop(L, 1);
    return status == 0;
}

/* A loader that the program has put in package.preload stays there. */
static void add_loader(lua_State *L, int preload, const struct module *module)
{
    lua_getfield(L, preload, module->name);
    if (lua_isnil(L, -1)) {
        lua_pushlightuserdata(L, (void *)(uintptr_t)module);
        lua_pushcclosure(L, load_module, 1);
        lua_setfield(L, preload, module->name);
    }
    lua_pop(L, 1);
}

void library_open(lua_State *L)
{
    int top = lua_gettop(L);
    push_field(L, "package", "preload");
    push_field(L, "jit", "version");
    const char *version = lua_tostring(L, -1), *vm = version ? version : LUA_VERSION;
    const struct module *module = modules;
    while (module->name && strcmp(module->vm, vm) != 0)
        module++;
    if (lua_istable(L, top + 1) && runs(L, module, vm)) {
        for (; strcmp(module->vm, vm) == 0; module++)
            add_loader(L, top + 1, module);
    }
    lua_settop(L, top);
}

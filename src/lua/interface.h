/* interface.h - what core.so offers to another C module that has a guest in a client's engine.
 *
 * The modules are libraries of their own, whose symbols are hidden from each other: core.interface
 * is a light userdata with the address of this structure. For the functions of guests, see
 * engine/guest.h. */
#ifndef CEKURA_LUA_INTERFACE_H
#define CEKURA_LUA_INTERFACE_H

#include "engine/guest.h"

#include <lauxlib.h>
#include <lua.h>

/* A module compares it with the one that it was built with. */
#define INTERFACE_VERSION 1

struct interface {
    int version;

    /* The engine of the client at that index, or one that is closed; raises if it is not one. */
    struct engine *(*engine_of)(lua_State *L, int client);
    /* Anchors the table at that index for an item of the client at 1, whose `ref` is the result:
     * core.next_completion() returns the table. Releases it, and sets *ref to LUA_NOREF. */
    int (*anchor)(lua_State *L, int index);
    void (*release_anchor)(lua_State *L, int *ref);

    void (*retain)(struct engine *engine);
    void (*release)(struct engine *engine);
    void (*enter)(struct engine *engine);
    void (*leave)(struct engine *engine);
    bool (*may_work)(const struct engine *engine);
    void (*move_in)(struct guest *guest, struct engine *engine);
    void (*move_out)(struct guest *guest);
    bool (*watch)(struct guest *guest, int fd, uint32_t events);
    void (*register_item)(struct engine *engine, struct item *item);
    void (*forget_item)(struct engine *engine, struct item *item);
    void (*list_item)(struct engine *engine, struct item *item);
    bool (*reserve_timer)(struct engine *engine);
    void (*unreserve_timer)(struct engine *engine);
    void (*set_timer)(struct engine *engine, struct timer *timer, int64_t due_us);
    void (*stop_timer)(struct engine *engine, struct timer *timer);
};

/* What the core offers to the module of that name, which is being opened. Raises if they are of
 * different versions. */
static inline const struct interface *interface_of_core(lua_State *L, const char *module)
{
    lua_getglobal(L, "require");
    lua_pushliteral(L, "cekura.core");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "interface");
    const struct interface *core = lua_touserdata(L, -1);
    if (!core || core->version != INTERFACE_VERSION)
        luaL_error(L, "%s and cekura.core are of different versions", module);
    lua_pop(L, 2);
    return core;
}

#endif

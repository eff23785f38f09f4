/* bridge.c - a bridge (../bridge.h) as a userdata. */
#include "engine/bridge.h"

#include "client.h"
#include "parts.h"

static const struct type bridge_type = {"cekura.bridge"};

struct bridge_object {
    struct bridge *bridge; /* NULL: closed, or it could not be made */
};

static struct bridge *to_bridge(lua_State *L)
{
    struct bridge_object *object = object_check(L, 1, &bridge_type);
    if (!object->bridge)
        luaL_error(L, "the bridge is closed");
    return object->bridge;
}

static int failed(lua_State *L, const char *message)
{
    lua_pushnil(L);
    lua_pushstring(L, message);
    return 2;
}

/* core.bridge(client) -> bridge | nil, message. */
static int bridge_open_one(lua_State *L)
{
    struct client_object *client = client_check(L, 1);
    const char *message;
    struct bridge_object *object = object_new(L, &bridge_type, sizeof *object);
    object->bridge = bridge_new(client->engine, &message);
    return object->bridge ? 1 : failed(L, message);
}

/* core.bridge_path(bridge) -> where to connect to. */
static int bridge_get_path(lua_State *L)
{
    lua_pushstring(L, bridge_path(to_bridge(L)));
    return 1;
}

/* core.bridge_accept(bridge) -> true | nil, message. */
static int bridge_take(lua_State *L)
{
    const char *message;
    if (!bridge_accept(to_bridge(L), &message))
        return failed(L, message);
    lua_pushboolean(L, true);
    return 1;
}

/* core.bridge_arm(bridge) -> whether a byte will come; else there is something to fetch already. */
static int bridge_set(lua_State *L)
{
    lua_pushboolean(L, bridge_arm(to_bridge(L)));
    return 1;
}

/* core.bridge_close(bridge). May be called again. */
static int bridge_end(lua_State *L)
{
    struct bridge_object *object = object_check(L, 1, &bridge_type);
    if (object->bridge)
        bridge_free(object->bridge);
    object->bridge = NULL;
    return 0;
}

void bridge_open(lua_State *L)
{
    static const luaL_Reg metamethods[] = {{"__gc", bridge_end}, {NULL, NULL}};
    static const luaL_Reg methods[] = {{NULL, NULL}};
    static const luaL_Reg functions[] = {
        {"bridge", bridge_open_one},
        {"bridge_path", bridge_get_path},
        {"bridge_accept", bridge_take},
        {"bridge_arm", bridge_set},
        {"bridge_close", bridge_end},
        {NULL, NULL},
    };
    object_open_type(L, &bridge_type, metamethods, methods, "bridge_methods");
    compat_set_functions(L, functions);
}

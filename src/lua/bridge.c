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

/* core.bridge(client) -> bridge | nil, message. */
static int core_bridge(lua_State *L)
{
    struct client_object *client = client_check(L, 1);
    const char *message;
    struct bridge_object *object = object_new(L, &bridge_type, sizeof *object);
    object->bridge = bridge_new(client->engine, &message);
    return object->bridge ? 1 : object_push_failure(L, message);
}

/* core.bridge_path(bridge) -> where to connect to. */
static int core_bridge_path(lua_State *L)
{
    lua_pushstring(L, bridge_path(to_bridge(L)));
    return 1;
}

/* core.bridge_accept(bridge) -> true | nil, message. */
static int core_bridge_accept(lua_State *L)
{
    const char *message;
    if (!bridge_accept(to_bridge(L), &message))
        return object_push_failure(L, message);
    lua_pushboolean(L, true);
    return 1;
}

/* core.bridge_arm(bridge) -> whether a byte will come; else there is something to fetch already. */
static int core_bridge_arm(lua_State *L)
{
    lua_pushboolean(L, bridge_arm(to_bridge(L)));
    return 1;
}

/* core.bridge_close(bridge). May be called again. */
static int core_bridge_close(lua_State *L)
{
    struct bridge_object *object = object_check(L, 1, &bridge_type);
    if (object->bridge)
        bridge_free(object->bridge);
    object->bridge = NULL;
    return 0;
}

void bridge_open(lua_State *L)
{
    static const luaL_Reg metamethods[] = {{"__gc", core_bridge_close}, {NULL, NULL}};
    static const luaL_Reg functions[] = {
        {"bridge", core_bridge},
        {"bridge_path", core_bridge_path},
        {"bridge_accept", core_bridge_accept},
        {"bridge_arm", core_bridge_arm},
        {"bridge_close", core_bridge_close},
        {NULL, NULL},
    };
    object_open_type(L, &bridge_type, metamethods, functions);
}

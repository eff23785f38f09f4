/* bridge.c - a bridge (engine/bridge.h) as a userdata. */
#include "engine/bridge.h"

#include "client.h"
#include "parts.h"

static const struct type bridge_type = {"cekura.bridge"};

/* The userdata holds a pointer, which is NULL if the bridge is closed or could not be created. */
static struct bridge *check_bridge(lua_State *L)
{
    struct bridge **object = object_check(L, 1, &bridge_type);
    if (!*object)
        luaL_error(L, "the bridge is closed");
    return *object;
}

/* core.bridge(client) -> bridge | nil, message. */
static int core_bridge(lua_State *L)
{
    struct client_object *client = client_check(L, 1);
    const char *message;
    struct bridge **object = object_new(L, &bridge_type, sizeof *object);
    *object = bridge_new(client->engine, &message);
    return *object ? 1 : object_push_failure(L, message);
}

/* core.bridge_path(bridge) -> the path of the socket to connect to. */
static int core_bridge_path(lua_State *L)
{
    lua_pushstring(L, bridge_path(check_bridge(L)));
    return 1;
}

/* core.bridge_accept(bridge) -> true | nil, message. */
static int core_bridge_accept(lua_State *L)
{
    const char *message;
    if (!bridge_accept(check_bridge(L), &message))
        return object_push_failure(L, message);
    lua_pushboolean(L, true);
    return 1;
}

/* core.bridge_arm(bridge) -> whether a byte will come; false: there is something to fetch already.
 */
static int core_bridge_arm(lua_State *L)
{
    lua_pushboolean(L, bridge_arm(check_bridge(L)));
    return 1;
}

/* core.bridge_close(bridge). May be called again. */
static int core_bridge_close(lua_State *L)
{
    struct bridge **object = object_check(L, 1, &bridge_type);
    if (*object)
        bridge_free(*object);
    *object = NULL;
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

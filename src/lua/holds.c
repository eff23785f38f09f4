/* holds.c - the endpoints that a client holds after a 429, for other clients of the service. */
#include "client.h"
#include "engine/clock.h"
#include "marshal.h"
#include "parts.h"

#include <string.h>

static void append(lua_State *L, int list, const struct engine_hold *hold)
{
    lua_createtable(L, 0, 2);
    marshal_set_text(L, "endpoint", hold->endpoint);
    marshal_set_seconds(L, "seconds", hold->left_us);
    lua_rawseti(L, list, (int)lua_rawlen(L, list) + 1);
}

/* core.holds(client [, serial]) -> list, serial. The list has { endpoint =, seconds = } for each
 * endpoint that is held because the service answered 429, and for how long. With the serial that an
 * earlier call returned, it has those that have answered 429 since then, also if their holds are
 * over: `seconds` is 0. Holds by core.hold() are not in the list, nor are endpoints whose name
 * contains a secret of the client. A closed client has none. */
static int core_holds(lua_State *L)
{
    const struct client_object *client = client_check(L, 1);
    bool all = !lua_isnoneornil(L, 2);
    struct engine_hold hold = {.number = luaL_optinteger(L, 2, 0)};
    lua_settop(L, 2);
    lua_newtable(L);
    while (engine_next_hold(client->engine, &hold))
        if ((all || hold.left_us > 0) &&
            !client_has_secret(client, hold.endpoint, strlen(hold.endpoint)))
            append(L, 3, &hold);
    lua_pushinteger(L, (lua_Integer)hold.number);
    return 2;
}

/* core.hold(client, endpoint, seconds) -> whether that is done: what a 429 with that Retry-After
 * would do if the endpoint, which core.holds() has named, answered it now. It is not done if the
 * text is not such a name, the client is closed or memory runs out. */
static int core_hold(lua_State *L)
{
    const struct client_object *client = client_check(L, 1);
    size_t length;
    const char *endpoint = luaL_checklstring(L, 2, &length);
    int64_t span_us = clock_from_seconds(luaL_checknumber(L, 3));
    lua_pushboolean(
        L, strlen(endpoint) == length && engine_hold(client->engine, endpoint, span_us));
    return 1;
}

/* core.held(client, method, path) -> seconds for which the endpoint of that path is held, by
 * whatever; 0 if it is not. The path begins after the base URL, as in `endpoint` of a request. */
static int core_held(lua_State *L)
{
    const struct client_object *client = client_check(L, 1);
    const char *method = luaL_checkstring(L, 2), *path = luaL_checkstring(L, 3);
    compat_get_table(L, 1);
    lua_getfield(L, -1, "_base_url");
    const char *base = lua_tostring(L, -1);
    const char *url = lua_pushfstring(L, "%s%s", base ? base : "", path);
    lua_pushnumber(L, clock_to_seconds(engine_held_us(client->engine, method, url)));
    return 1;
}

void holds_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"holds", core_holds},
        {"hold", core_hold},
        {"held", core_held},
        {NULL, NULL},
    };
    compat_set_functions(L, functions);
}

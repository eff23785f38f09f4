/* operation.c - requests in flight, and how they end.
 *
 * The object of a request in Lua is the table that it was submitted with. While the request is in
 * flight, the client anchors the table, and its element 1 is the anchor's reference, by which the
 * client finds the operation; later that is 0. */
#include "engine/operation.h"

#include "client.h"
#include "marshal.h"
#include "parts.h"

#include <limits.h>

#define REF 1 /* the element of the table that holds the reference */

static void set_ref(lua_State *L, int table, int ref)
{
    lua_pushinteger(L, ref);
    lua_rawseti(L, table, REF);
}

/* The operation of the table at 2, which the client at 1 has in flight; NULL if it has not. Sets
 * *ref to its reference. */
static struct operation *find(lua_State *L, const struct client_object *client, int *ref)
{
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_rawgeti(L, 2, REF);
    lua_Integer number = lua_tointeger(L, -1);
    lua_pop(L, 1);
    *ref = number > 0 && number <= INT_MAX ? (int)number : 0;
    return in_flight_get(&client->in_flight, *ref, lua_topointer(L, 2));
}

/* core.submit(client, request) -> the table `request`; nil if the client is closed or memory runs
 * out. For its members, see marshal_request(). */
static int core_submit(lua_State *L)
{
    struct client_object *client = client_check(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    struct request request = marshal_request(L, 2);
    if (engine_is_closed(client->engine)) /* collected, maybe: then nothing would free in_flight */
        return 0;
    set_ref(L, 2, 0); /* makes room: nothing below may raise but client_anchor() */
    int ref = client_anchor(L, 2);
    struct operation *operation = in_flight_reserve(&client->in_flight, ref)
                                      ? operation_new(client->engine, &request, ref)
                                      : NULL;
    if (!operation) {
        client_release_anchor(L, &ref);
        return 0;
    }
    in_flight_put(&client->in_flight, ref, operation, lua_topointer(L, 2));
    set_ref(L, 2, ref);
    lua_pushvalue(L, 2);
    return 1;
}

/* Pushes the outcome, if the operation has ended. Returns how many values it has pushed. */
static int push_outcome(lua_State *L, const struct operation *operation)
{
    const struct outcome *outcome = operation_outcome(operation);
    if (outcome)
        marshal_push_outcome(L, outcome);
    return outcome != NULL;
}

/* core.outcome(client, request) -> its outcome, by marshal_push_outcome(); nil while it runs, and
 * once it is released. */
static int core_outcome(lua_State *L)
{
    int ref;
    const struct operation *operation = find(L, client_check(L, 1), &ref);
    return operation ? push_outcome(L, operation) : 0;
}

/* core.cancel(client, request) -> whether it had not ended */
static int core_cancel(lua_State *L)
{
    int ref;
    struct operation *operation = find(L, client_check(L, 1), &ref);
    lua_pushboolean(L, operation && operation_cancel(operation));
    return 1;
}

/* core.release(client, request) -> its outcome, by core.outcome(). Frees what the core holds for
 * the request. */
static int core_release(lua_State *L)
{
    struct client_object *client = client_check(L, 1);
    int ref;
    struct operation *operation = find(L, client, &ref);
    if (!operation)
        return 0;
    int count = push_outcome(L, operation);
    operation_free(operation);
    in_flight_put(&client->in_flight, ref, NULL, NULL);
    set_ref(L, 2, 0);
    client_release_anchor(L, &ref);
    return count;
}

void operation_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"submit", core_submit},
        {"outcome", core_outcome},
        {"cancel", core_cancel},
        {"release", core_release},
        {NULL, NULL},
    };
    compat_set_functions(L, functions);
}

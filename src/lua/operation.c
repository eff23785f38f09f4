/* operation.c - requests in flight, and how they end.
 *
 * The object of a request in Lua is the table that it was submitted with. While the request is in
 * flight, the client anchors the table, and its element 1 is the anchor's reference, by which the
 * client finds the operation; later that is 0. */
#include "engine/operation.h"

#include "client.h"
#include "marshal.h"
#include "parts.h"

#include <stdlib.h>
#include <string.h>

#define REF 1 /* the element of the table that holds the reference */

struct in_flight {
    struct operation *operation; /* NULL: none has this reference */
    const void *table;
};

/* Makes room for the operation with that reference. Returns false if memory runs out. */
static bool reserve(struct client_object *client, int ref)
{
    int before = client->in_flight_room;
    if (ref < before)
        return true;
    int room = 2 * ref + 16;
    struct in_flight *longer = realloc(client->in_flight, (size_t)room * sizeof *longer);
    if (!longer)
        return false;
    memset(longer + before, 0, (size_t)(room - before) * sizeof *longer);
    client->in_flight = longer;
    client->in_flight_room = room;
    return true;
}

static void set_ref(lua_State *L, int table, int ref)
{
    lua_pushinteger(L, ref);
    lua_rawseti(L, table, REF);
}

/* The reference of the table at 2, which the client at 1 has in flight; 0 if it has not. */
static int find(lua_State *L, const struct client_object *client)
{
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_rawgeti(L, 2, REF);
    lua_Integer ref = lua_tointeger(L, -1);
    lua_pop(L, 1);
    bool is_in_flight = ref > 0 && ref < client->in_flight_room &&
                        client->in_flight[ref].operation &&
                        client->in_flight[ref].table == lua_topointer(L, 2);
    return is_in_flight ? (int)ref : 0;
}

/* core.submit(client, request) -> the table `request`; nil if the client is closed or memory runs
 * out. For its members, see marshal_request(). */
static int core_submit(lua_State *L)
{
    struct client_object *client = client_check(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    struct request request = marshal_request(L, 2);
    set_ref(L, 2, 0); /* makes room: nothing below may raise but client_anchor() */
    int ref = client_anchor(L, 2);
    struct operation *operation =
        reserve(client, ref) ? operation_new(client->engine, &request, ref) : NULL;
    if (!operation) {
        client_release_anchor(L, &ref);
        return 0;
    }
    client->in_flight[ref] =
        (struct in_flight){.operation = operation, .table = lua_topointer(L, 2)};
    set_ref(L, 2, ref);
    lua_pushvalue(L, 2);
    return 1;
}

/* core.outcome(client, request) -> its outcome, by marshal_push_outcome(); nil while it runs, and
 * once it is released. */
static int core_outcome(lua_State *L)
{
    const struct client_object *client = client_check(L, 1);
    int ref = find(L, client);
    const struct outcome *outcome = ref ? operation_outcome(client->in_flight[ref].operation) : NULL;
    if (!outcome)
        return 0;
    marshal_push_outcome(L, outcome);
    return 1;
}

/* core.cancel(client, request) -> whether it had not ended */
static int core_cancel(lua_State *L)
{
    const struct client_object *client = client_check(L, 1);
    int ref = find(L, client);
    lua_pushboolean(L, ref && operation_cancel(client->in_flight[ref].operation));
    return 1;
}

/* core.release(client, request) -> its outcome, by core.outcome(). Frees what the core holds for
 * the request. */
static int core_release(lua_State *L)
{
    struct client_object *client = client_check(L, 1);
    int ref = find(L, client);
    int count = core_outcome(L);
    if (!ref)
        return 0;
    operation_free(client->in_flight[ref].operation);
    client->in_flight[ref].operation = NULL;
    set_ref(L, 2, 0);
    client_release_anchor(L, &ref);
    return count;
}

/* core.relist(client, request | job): core.next_completion() gives it once more. */
static int core_relist(lua_State *L)
{
    const struct client_object *client = client_check(L, 1);
    if (job_list_again(L, 2))
        return 0;
    int ref = find(L, client);
    if (ref)
        operation_relist(client->in_flight[ref].operation);
    return 0;
}

void operation_free_all(struct client_object *client)
{
    for (int ref = 0; ref < client->in_flight_room; ref++)
        if (client->in_flight[ref].operation)
            operation_free(client->in_flight[ref].operation);
    free(client->in_flight);
    client->in_flight = NULL;
    client->in_flight_room = 0;
}

void operation_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"submit", core_submit},
        {"outcome", core_outcome},
        {"cancel", core_cancel},
        {"release", core_release},
        {"relist", core_relist},
        {NULL, NULL},
    };
    compat_set_functions(L, functions);
}

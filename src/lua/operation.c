/* operation.c - one request as a userdata. */
#include "engine/operation.h"

#include "client.h"
#include "marshal.h"
#include "parts.h"

static const struct type operation_type = {"cekura.operation"};

struct operation_object {
    const struct engine *engine; /* of the client that created it */
    struct operation *operation;
    int ref; /* its anchor, or LUA_NOREF */
};

static struct operation *check_operation(lua_State *L, int index)
{
    struct operation_object *object = object_check(L, index, &operation_type);
    if (!object->operation)
        luaL_error(L, "the operation could not be made");
    return object->operation;
}

/* core.submit(client, request) -> operation; nil if the client is closed or memory runs out. For
 * the members of `request`, see marshal_request(). */
static int core_submit(lua_State *L)
{
    struct client_object *client = client_check(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    struct request request = marshal_request(L, 2);
    struct operation_object *object = object_new(L, &operation_type, sizeof *object);
    object->engine = client->engine;
    object->ref = LUA_NOREF;
    object->ref = client_anchor(L, lua_gettop(L));
    object->operation = operation_new(client->engine, &request, object->ref);
    if (!object->operation) {
        client_release_anchor(L, &object->ref);
        return 0;
    }
    return 1;
}

/* core.release(client, operation): releases the anchor, after the outcome has been handled. */
static int core_release(lua_State *L)
{
    client_check(L, 1);
    struct operation_object *object = object_check(L, 2, &operation_type);
    client_check_owner(L, object->engine);
    client_release_anchor(L, &object->ref);
    return 0;
}

void operation_list_again(lua_State *L)
{
    operation_relist(check_operation(L, 1));
}

/* core.outcome(operation) -> its outcome, by marshal_push_outcome(); nil while it runs. */
static int core_outcome(lua_State *L)
{
    const struct outcome *outcome = operation_outcome(check_operation(L, 1));
    if (!outcome)
        return 0;
    marshal_push_outcome(L, outcome);
    return 1;
}

/* core.cancel(operation) -> whether it had not ended */
static int core_cancel(lua_State *L)
{
    lua_pushboolean(L, operation_cancel(check_operation(L, 1)));
    return 1;
}

static int operation_gc(lua_State *L)
{
    struct operation_object *object = object_check(L, 1, &operation_type);
    if (object->operation)
        operation_free(object->operation);
    object->operation = NULL;
    return 0;
}

void operation_open(lua_State *L)
{
    static const luaL_Reg metamethods[] = {{"__gc", operation_gc}, {NULL, NULL}};
    static const luaL_Reg functions[] = {
        {"submit", core_submit},
        {"outcome", core_outcome},
        {"cancel", core_cancel},
        {"release", core_release},
        {NULL, NULL},
    };
    object_open_type(L, &operation_type, metamethods, functions);
}

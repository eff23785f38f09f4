/* operation.c - one request as a userdata. */
#include "binding.h"

static const struct type operation_type = {"cekura.operation"};

struct operation_object {
    const struct engine *engine; /* of the client that it was made by */
    struct operation *operation;
    int ref; /* its anchor; LUA_NOREF: none */
};

static struct operation *check_operation(lua_State *L, int index)
{
    struct operation_object *object = binding_check(L, index, &operation_type);
    if (!object->operation)
        luaL_error(L, "the operation could not be made");
    return object->operation;
}

/* The client is at 1. */
static void release_anchor(lua_State *L, struct operation_object *object)
{
    if (object->ref != LUA_NOREF)
        binding_release_anchor(L, 1, object->ref);
    object->ref = LUA_NOREF;
}

/* core.submit(client, method, url, headers | nil, body | nil, timeout [, endpoint [, urgent [,
 * once]]]) -> operation; nil: the client is closed, or there is no memory. `once`: it is not
 * repeated. */
static int operation_submit(lua_State *L)
{
    struct client_object *client = binding_client(L, 1);
    lua_settop(L, 9);
    struct request request = binding_request(L, 2);
    request.urgent = lua_toboolean(L, 8);
    request.once = lua_toboolean(L, 9);
    struct operation_object *object = binding_new(L, &operation_type, sizeof *object);
    object->engine = client->engine;
    object->ref = LUA_NOREF;
    object->ref = binding_anchor(L, 1, lua_gettop(L));
    object->operation = operation_new(client->engine, &request, object->ref);
    if (!object->operation) {
        release_anchor(L, object);
        return 0;
    }
    return 1;
}

/* core.release(client, operation): its end has been taken in. */
static int operation_release(lua_State *L)
{
    const struct engine *engine = binding_client(L, 1)->engine;
    struct operation_object *object = binding_check(L, 2, &operation_type);
    luaL_argcheck(L, engine == object->engine || engine == engine_none(), 2,
        "the operation is of another client");
    release_anchor(L, object);
    return 0;
}

/* core.list_operation_again(operation): core.next_completion() gives it once more. */
static int operation_list_anew(lua_State *L)
{
    operation_relist(check_operation(L, 1));
    return 0;
}

/* core.outcome(operation) -> as binding_push_outcome(); nil while it runs. */
static int operation_get_outcome(lua_State *L)
{
    const struct outcome *outcome = operation_outcome(check_operation(L, 1));
    return outcome ? binding_push_outcome(L, outcome) : 0;
}

/* core.cancel(operation) */
static int operation_stop(lua_State *L)
{
    operation_cancel(check_operation(L, 1));
    return 0;
}

static int operation_gc(lua_State *L)
{
    struct operation_object *object = binding_check(L, 1, &operation_type);
    if (object->operation)
        operation_free(object->operation);
    object->operation = NULL;
    return 0;
}

void operation_open(lua_State *L)
{
    static const luaL_Reg metamethods[] = {{"__gc", operation_gc}, {NULL, NULL}};
    static const luaL_Reg methods[] = {{NULL, NULL}};
    static const luaL_Reg functions[] = {
        {"submit", operation_submit},
        {"outcome", operation_get_outcome},
        {"cancel", operation_stop},
        {"release", operation_release},
        {"list_operation_again", operation_list_anew},
        {NULL, NULL},
    };
    binding_open_type(L, &operation_type, metamethods, methods, "operation_methods");
    compat_set_functions(L, functions);
}
